"""What the distances are measured in: a number of features per sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..errors import DataError, MissingExtra, suggest
from .classifier import Classifier

_SIDE = 16
PATHS = {
    "inception": "pt_inception-2015-12-05-6726825d.pth of the package pytorch-fid",
    "dinov2": "dinov2_vits14_pretrain.pth of the authors, or ViT-B or ViT-L",
}
"""Networks whose weights the user has to have, and which these are."""
NAMES = ("pixels", "classifier", "efficientnet-lite0", *PATHS)


class Features(Protocol):
    """Turns samples into rows that can be compared; the name goes into every record of a result."""

    @property
    def name(self) -> str:
        """Says which features these are: values measured in different ones cannot be compared."""
        ...

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record.

        Returns:
            `network`; `hash` of its weights, empty if there are none or they are not known; `resize`, the
            filter; `input_px`, the side of what the network looks at; `dimension` of a row.
        """
        ...

    def __call__(self, x: Tensor) -> Float[Tensor, "n d"]:
        """One row per sample."""
        ...


@dataclass(frozen=True)
class Pixels:
    """Images averaged down to at most 16x16 and flattened, `d <= 256 * channels`; vectors as they are."""

    name: str = "pixels"

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        return {
            "network": "none",
            "hash": "",
            "resize": "mean over areas",
            "input_px": f"at most {_SIDE}",
            "dimension": f"at most {_SIDE**2} per channel; of a vector, all",
        }

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
    """What a classifier sees before it decides.

    It knows the samples it was trained on: compare only others with generated ones.
    """

    classifier: Classifier

    @property
    def name(self) -> str:
        """Holds a hash of the weights."""
        return self.classifier.name

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        return {
            "network": "classifier",
            "hash": self.name.removeprefix("classifier-"),
            "resize": "none up to 64 px, mean over areas above",
            "input_px": "x".join(map(str, self.classifier.shape[1:])),
            "dimension": self.classifier.network.head.in_features,
        }

    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """One row per image."""
        return self.classifier.features(x)


@dataclass(frozen=True)
class FunctionFeatures:
    """Features from a function of the user's.

    Attributes:
        function: maps samples `(n, ...)` in [-1, 1] to rows `(n, d)`, a tensor or an array.
        name: what it is called in records; functions that differ need different names.
    """

    function: Callable[[Tensor], Tensor | np.ndarray]
    name: str

    def about(self) -> dict[str, str | int]:
        """Everything that is known about the numbers, for the record."""
        unknown = "as the function does it"
        return {
            "network": self.name,
            "hash": "",
            "resize": unknown,
            "input_px": unknown,
            "dimension": unknown,
        }

    @torch.no_grad()
    def __call__(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n d"]:
        """One row per sample.

        Raises:
            DataError: if the function gives anything but a row per sample.
        """
        rows = torch.as_tensor(self.function(x))
        if rows.ndim != 2 or len(rows) != len(x):
            raise DataError(
                f"The features {self.name!r} gave {tuple(rows.shape)} for {len(x)} samples, expected "
                f"({len(x)}, d). Return one row per sample, such as x.flatten(1)."
            )
        return rows


def of_callable(function: Callable[[Tensor], Tensor | np.ndarray], name: str) -> FunctionFeatures:
    """Features from any function of samples.

    Args:
        function: maps samples `(n, ...)` in [-1, 1] to rows `(n, d)`, a tensor or an array.
        name: what it is called in records; functions that differ need different names.

    Example:
        >>> brightness = of_callable(lambda x: x.flatten(1).mean(1, keepdim=True), "brightness")
        >>> brightness(torch.zeros(2, 1, 4, 4)).shape
        torch.Size([2, 1])
    """
    return FunctionFeatures(function, name)


def features_named(name: str, classifier: Classifier | None = None) -> Features:
    """The features of a name.

    Args:
        name: `pixels`, `classifier`, `efficientnet-lite0`, or, with a file of weights that the user has,
            `inception:FILE` or `dinov2:FILE`.
        classifier: whose features `classifier` means.

    Raises:
        DataError: if there are no features of that name, or what they need is not given.
        WeightsError: if the file of weights is missing, damaged or of another network.
        MissingExtra: if the weights of `efficientnet-lite0` are not installed.

    Example:
        >>> features_named("pixels").name
        'pixels'
    """
    from .pretrained import dino_v2, efficientnet_lite0, inception_v3

    kind, _, path = name.partition(":")
    _check_name(name, kind, path)
    if kind == "classifier":
        if classifier is None:
            raise DataError(
                "The features 'classifier' need a classifier that was trained on your labels, and none was "
                "given. Use 'efficientnet-lite0' or 'pixels', or pass a trained classifier."
            )
        return ClassifierFeatures(classifier)
    if kind in PATHS:
        return {"inception": inception_v3, "dinov2": dino_v2}[kind](Path(path).expanduser())
    return efficientnet_lite0() if kind == "efficientnet-lite0" else Pixels()


def _check_name(name: str, kind: str, path: str) -> None:
    if kind not in NAMES:
        raise DataError(f"There are no features called {kind!r}. {suggest(kind, NAMES)}")
    if kind in PATHS and not path:
        raise DataError(
            f"The features {kind!r} need a file of weights, which tenfold does not bring: {PATHS[kind]}. "
            f"Fetch it and pass {kind}:FILE."
        )
    if path and kind not in PATHS:
        raise DataError(f"Found features {name!r}, but {kind!r} takes no file. Pass {kind!r} alone.")


def default_features(images: bool) -> tuple[Features, str]:
    """The best features there are, and a sentence that says why these.

    Args:
        images: whether samples are images.
    """
    from .pretrained import efficientnet_lite0

    if not images:
        return Pixels(), "features: the values themselves, because the samples are not images"
    try:
        return efficientnet_lite0(), "features: efficientnet-lite0, a network trained on ImageNet"
    except MissingExtra as missing:
        return Pixels(), f"features: pixels, which see little of what a picture shows. {missing}"
