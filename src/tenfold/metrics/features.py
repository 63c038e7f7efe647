"""What the distances are measured in: a number of features per sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..errors import DataError
from .classifier import Classifier

_SIDE = 16


class Features(Protocol):
    """Turns samples into rows that can be compared; the name goes into every record of a result."""

    @property
    def name(self) -> str:
        """Says which features these are: values measured in different ones cannot be compared."""
        ...

    def __call__(self, x: Tensor) -> Float[Tensor, "n d"]:
        """One row per sample."""
        ...


@dataclass(frozen=True)
class Pixels:
    """Images averaged down to at most 16x16 and flattened, `d <= 256 * channels`; vectors as they are."""

    name: str = "pixels"

    def __call__(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n d"]:
        """One row per sample.

        Raises:
            DataError: if samples are neither images nor vectors.
        """
        if x.ndim == 2:
            return x
        if x.ndim != 4:
            raise DataError(
                f"Found samples of shape {tuple(x.shape[1:])}, expected (channels, height, width) or "
                "(features,). Reshape them or use other features."
            )
        height, width = x.shape[2:]
        return adaptive_avg_pool2d(x, (min(height, _SIDE), min(width, _SIDE))).flatten(1)


@dataclass(frozen=True)
class ClassifierFeatures:
    """What a classifier sees before it decides."""

    classifier: Classifier

    @property
    def name(self) -> str:
        """Holds a hash of the weights."""
        return self.classifier.name

    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """One row per image."""
        return self.classifier.features(x)
