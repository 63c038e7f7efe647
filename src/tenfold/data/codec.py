"""How stored values become tensors, and samples become files again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, MissingExtra

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped, UInt8
    from torch import Tensor

FULL_RANGE = {"uint8": ((0.0,), (255.0,)), "uint16": ((0.0,), (65535.0,))}


@dataclass(frozen=True)
class Codec:
    """How stored values become tensors, and samples become files again.

    Attributes:
        kind: "images" or "vectors".
        channels: of an image; the number of features of a vector.
        height, width: in pixels, after resizing and before padding; 1 and 1 for vectors.
        padded_height, padded_width: what the networks see.
        dtype: "uint8", "uint16" or "float32".
        low, high: the values that become -1 and 1: one for all pixels, or one per feature of a vector.
        suffix: of the files that samples are written to: ".png", ".tif" or ".npy".
    """

    kind: str
    channels: int
    height: int
    width: int
    padded_height: int
    padded_width: int
    dtype: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    suffix: str

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Codec:
        """The codec that `to_json` described; a single number stands for one that all values share."""
        ends = {end: tuple(map(float, np.atleast_1d(fields[end]))) for end in ("low", "high")}
        return cls(**{**fields, **ends})

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample as the networks see it: `(C, H, W)`, or `(features,)`."""
        if self.kind == "vectors":
            return (self.channels,)
        return self.channels, self.padded_height, self.padded_width

    def encode(self, values: Shaped[np.ndarray, "n ..."]) -> Float[Tensor, "n ..."]:
        """Stored values, padded already, to floats in [-1, 1]; `(n, C, H, W)` or `(n, features)`."""
        import torch

        # Subtracting the middle first makes both ends exact: 255 becomes 1, not 1.0000001.
        middle, half = self._middle_and_half()
        if self.kind == "vectors":
            # In double, for a feature may vary little and lie far from zero. One that never varies has no
            # scale: divided by infinity it becomes 0.
            rows = (values.astype(np.float64) - middle) / np.where(half > 0, half, np.inf)
            return torch.from_numpy(rows.astype(np.float32))
        own = np.require(values, requirements=["C", "W"])  # torch warns of read-only memory
        numbers = torch.from_numpy(own).to(torch.float32, copy=True)
        return numbers.sub_(middle.item()).div_(half.item())

    def decode(self, samples: Float[Tensor, "n ..."]) -> Shaped[np.ndarray, "n ..."]:
        """Floats in [-1, 1] to values of the original type: `(n, H, W, C)` cropped, or `(n, features)`."""
        numbers = samples.detach().cpu().double().numpy()
        middle, half = self._middle_and_half()
        values = numbers * half + middle
        values = values.clip(self.low, self.high)
        if self.dtype != "float32":
            values = np.rint(values)
        return self._crop(values.astype(self.dtype))

    def preview(self, samples: Float[Tensor, "n channels height width"]) -> UInt8[np.ndarray, "n h w c"]:
        """Images of any type as 8 bit, to look at."""
        numbers = samples.detach().cpu().float().numpy()
        return self._crop(np.rint((numbers * 127.5 + 127.5).clip(0, 255)).astype(np.uint8))

    def save(self, image: Shaped[np.ndarray, "*shape"], path: Path) -> None:
        """Writes what `decode` gave for one sample; the path's suffix says how.

        Raises:
            DataError: the suffix cannot hold these values.
            MissingExtra: 16-bit colour and float colour TIFF need an optional part.
        """
        suffix = path.suffix.lower()
        if suffix == ".npy":
            np.save(path, image, allow_pickle=False)
        elif suffix == ".png" and (self.dtype == "uint8" or (self.dtype == "uint16" and self.channels == 1)):
            _save_with_pillow(image, path)
        elif suffix in (".tif", ".tiff"):
            self._save_tiff(image, path)
        else:
            raise DataError(
                f"{path.name}: {self.channels} channels of {self.dtype} do not fit into "
                f"{suffix or 'a file without suffix'}. Use {self.suffix} or .npy."
            )

    def _save_tiff(self, image: np.ndarray, path: Path) -> None:
        if self.channels == 1 or self.dtype == "uint8":
            _save_with_pillow(image, path)
            return
        try:
            import tifffile
        except ImportError as error:
            raise MissingExtra(
                f"Writing TIFF with {self.channels} channels of {self.dtype}", "tiff"
            ) from error
        grey = self.channels < 3
        tifffile.imwrite(
            path,
            image,
            photometric="minisblack" if grey else "rgb",
            planarconfig="contig",
            extrasamples=["unassalpha"] if self.channels in (2, 4) else None,
        )

    def _middle_and_half(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.array(self.low, np.float64), np.array(self.high, np.float64)
        return (high + low) / 2, (high - low) / 2

    def _crop(self, values: np.ndarray) -> np.ndarray:
        if self.kind == "vectors":
            return values
        top, left = (self.padded_height - self.height) // 2, (self.padded_width - self.width) // 2
        cropped = values[:, :, top : top + self.height, left : left + self.width]
        return np.ascontiguousarray(cropped.transpose(0, 2, 3, 1))


def _save_with_pillow(image: np.ndarray, path: Path) -> None:
    from PIL import Image

    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
