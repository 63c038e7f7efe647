"""Features of a classifier, for samples that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from torch import Tensor

from ..data.order import Samples
from ..draw import derive
from ..errors import DataError
from .classifier import train_classifier
from .features import ClassifierFeatures


@dataclass(frozen=True, eq=False)
class Chosen:
    """Some of the samples, as `Samples`."""

    samples: Samples
    index: Int[np.ndarray, " k"]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> np.ndarray | None:
        """The class numbers of those that were chosen."""
        return None if self.samples.labels is None else self.samples.labels[self.index]

    def gather(self, index: Int[np.ndarray, " m"], /) -> Mapping[str, Tensor]:
        """The rows asked for."""
        return self.samples.gather(self.index[index])


def classifier_features(
    samples: Samples, *, classes: int, seed: int, kimg: float | None = None
) -> tuple[ClassifierFeatures, Int[np.ndarray, " k"]]:
    """Features of a classifier trained on half of the samples, and the numbers of the other half.

    Compare only the other half with generated samples: the classifier separates what it has seen better than
    fresh samples, so that real ones would look alike where generated ones cannot.

    Args:
        samples: labelled images.
        classes: how many there are.
        seed: decides the halves and the classifier.
        kimg: thousands of images seen in training; by default as `train_classifier` decides.

    Raises:
        DataError: if there are no labels, or a class has a single sample.
    """
    half = folds_of(_labels(samples), 2, derive(seed, "halves"))
    seen = Chosen(samples, np.flatnonzero(half == 0))
    classifier = train_classifier(seen, classes=classes, seed=derive(seed, "half"), kimg=kimg)
    return ClassifierFeatures(classifier), np.flatnonzero(half == 1)


def folds_of(labels: Int[np.ndarray, " n"], folds: int, seed: int) -> Int[np.ndarray, " n"]:
    """The fold of each sample: sizes differ by at most one, over all and within each class.

    Args:
        labels: class of each sample.
        folds: how many.
        seed: decides who goes where.

    Raises:
        DataError: if there are fewer than two folds or more than samples, or a class has a single sample.

    Example:
        >>> np.bincount(folds_of(np.array([0, 0, 1, 1, 1]), 2, seed=0)).tolist()
        [3, 2]
    """
    if not 2 <= folds <= len(labels):
        raise DataError(
            f"Found {folds} folds for {len(labels)} samples, expected 2 to {len(labels)}. "
            "Choose fewer folds, or at least two."
        )
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise DataError(
            f"Class {values[counts.argmin()]} has a single sample, expected at least 2 to predict one by the "
            "other. Add samples, or leave the class out."
        )
    order = np.random.default_rng(derive(seed, "folds")).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds  # dealt out like cards, class after class
    return fold


def _labels(samples: Samples) -> Int[np.ndarray, " n"]:
    if samples.labels is None or len(samples) == 0:
        raise DataError(
            f"Found no labels, or no samples ({len(samples)}): a classifier learns from labelled samples. "
            "Sort the images into a folder per class, or use features that need no labels."
        )
    return np.asarray(samples.labels)
