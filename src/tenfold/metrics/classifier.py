"""A small classifier: feature network during training, and judge of whether labels are right."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from tenfold.draw import derive
from tenfold.errors import DataError, RunError

_LARGEST_SIDE = 64
_WIDTH = 32
_WIDEST = 128
_EVALUATION_BATCH = 256


class Samples(Protocol):
    """Labelled images that need not fit into memory."""

    @property
    def labels(self) -> np.ndarray | None:
        """The class of each image, from 0."""
        ...

    def __len__(self) -> int: ...

    def gather(self, index: np.ndarray) -> dict[str, Tensor]:
        """Images in [-1, 1] as `real`, `(n, c, h, w)`, and their classes as `condition`, `(n,)`."""
        ...


@dataclass(frozen=True)
class InMemory:
    """Labelled images held in tensors: generated ones, for one."""

    images: Float[Tensor, "n c h w"]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def gather(self, index: np.ndarray) -> dict[str, Tensor]:
        """The images and classes at these places."""
        return {"real": self.images[index], "condition": torch.from_numpy(self.labels[index]).long()}


class Network(nn.Module):
    """Convolutions at halving resolutions; the last one's average is what `features` gives."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        shrink = (math.ceil(height / _LARGEST_SIDE), math.ceil(width / _LARGEST_SIDE))
        side, filters = max(height // shrink[0], width // shrink[1]), _WIDTH
        layers = [nn.AvgPool2d(shrink), *_convolution(channels, filters)]
        while side > 4:
            wider = min(2 * filters, _WIDEST)
            layers += [nn.MaxPool2d(2, ceil_mode=True), *_convolution(filters, wider)]
            side, filters = math.ceil(side / 2), wider
        layers += [*_convolution(filters, _WIDEST), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(_WIDEST, classes)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """The logits of each image."""
        return self.head(self.body(x))


def _convolution(channels: int, filters: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]
