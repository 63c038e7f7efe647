"""Samples: pictures that were made, with their labels."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import Codec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Samples as the networks made them; they become files of the data's own kind.

    Attributes:
        values: `(n, ...)` in [-1, 1].
        labels: class number of each, or None.
        classes: class names.
        codec: how values become pixels again.
        first: number of the first sample within its set.
        seed: of the set.
    """

    values: Tensor
    labels: np.ndarray | None
    classes: Sequence[str]
    codec: Codec
    first: int = 0
    seed: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        """Sample i in [-1, 1] and its class number (-1 without labels), as a torch Dataset gives them."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.values[i], -1 if self.labels is None else int(self.labels[i])

    def numpy(self) -> np.ndarray:
        """Pixels `(n, h, w, c)` of the data's own type, or rows `(n, d)`."""
        return self.codec.decode(self.values)

    def names(self) -> list[str]:
        """The class name of each; empty strings without labels."""
        if self.labels is None:
            return [""] * len(self)
        return [self.classes[int(i)] for i in self.labels]

    def save(self, folder: str | Path) -> Path:
        """Write a file each, in a folder per class, and `metadata.jsonl` that lists them.

        Rows of numbers are written as one array, `samples-<first>.npy`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.codec.kind == "vectors":
            np.save(folder / f"samples-{self.first:06d}.npy", self.numpy())
            return folder
        with (folder / "metadata.jsonl").open("a") as listing:
            for i, (picture, label) in enumerate(zip(self.numpy(), self.names(), strict=True)):
                name = f"{self.first + i:06d}{self.codec.suffix}"
                (folder / label).mkdir(exist_ok=True)
                self.codec.save(picture, folder / label / name)
                row: dict[str, Any] = {"file_name": str(Path(label) / name)}
                row |= {"label": label} if label else {}
                listing.write(json.dumps({**row, "index": self.first + i, "seed": self.seed}) + "\n")
        return folder

    def picture(self) -> Any:  # noqa: ANN401
        """One sheet of all samples, a `PIL.Image`."""
        from .report.sheet import sheet

        return sheet(self.codec.preview(self.values))

    def grid(self, path: str | Path) -> Path:
        """Write that sheet to a file."""
        self.picture().save(path)
        return Path(path)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.picture().save(buffer, format="PNG")
        return buffer.getvalue()
