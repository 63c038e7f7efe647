"""The order of batches: batch k of a run is a function of the seed and of k."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..draw import derive
from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class Samples(Protocol):
    """Samples that can be fetched by number."""

    @property
    def labels(self) -> np.ndarray | None:
        """The class number of each sample, or None."""
        ...

    def __len__(self) -> int: ...

    def gather(self, index: np.ndarray, /) -> Mapping[str, Tensor]:
        """`real` in [-1, 1] and, with labels, `condition`: a row for each number asked for."""
        ...


class Rows:
    """A tensor with a row per sample, as `Samples`.

    Args:
        values: `(n, ...)`, as the networks shall see them.
        labels: class numbers `(n,)`, if there are any.
    """

    def __init__(self, values: Tensor, labels: np.ndarray | None = None) -> None:
        self.values, self.labels = values, labels

    def __len__(self) -> int:
        return len(self.values)

    def gather(self, index: np.ndarray) -> Mapping[str, Tensor]:
        """The rows asked for."""
        import torch

        chosen = torch.from_numpy(index)
        batch = {"real": self.values[chosen]}
        if self.labels is not None:
            batch["condition"] = torch.from_numpy(self.labels[index])
        return batch


class Shuffled:
    """Batches in an order that is shuffled anew for every pass over the data, or balanced by class.

    Args:
        data: the samples.
        size: samples per batch.
        seed: of the order.
        balanced: draw the class first, each with the same probability, then a sample of it.
        labelled: whether batches carry the labels that the data have.

    Raises:
        DataError: if a batch is larger than the data, or classes are to be balanced and there are none.

    Example:
        >>> import torch
        >>> batches = Shuffled(Rows(torch.arange(4.0)), size=2)
        >>> sorted(batches(0, slice(0, 2))["real"].tolist() + batches(1, slice(0, 2))["real"].tolist())
        [0.0, 1.0, 2.0, 3.0]
    """

    def __init__(
        self, data: Samples, size: int, seed: int = 0, *, balanced: bool = False, labelled: bool = True
    ) -> None:
        if size > len(data):
            raise DataError(
                f"a batch of {size} samples is larger than the data, which have {len(data)}. "
                f"Pass --batch {len(data)} or less."
            )
        self.data, self.size, self.seed, self.labelled = data, size, seed, labelled
        self.by_class = by_class(data) if balanced else None
        self.epoch = lru_cache(maxsize=2)(self.shuffle)

    def __call__(self, index: int, rows: slice) -> Mapping[str, Tensor]:
        """Some rows of batch `index`."""
        chosen = self.shuffled(index) if self.by_class is None else self.balanced(index, *self.by_class)
        batch = self.data.gather(chosen[rows])
        return batch if self.labelled else {"real": batch["real"]}

    def shuffled(self, index: int) -> np.ndarray:
        """Sample numbers of a batch: pass after pass over the data, cut into batches."""
        n, first = len(self.data), index * self.size
        a, b = divmod(first, n), divmod(first + self.size - 1, n)
        if a[0] == b[0]:
            return self.epoch(a[0])[a[1] : b[1] + 1]
        return np.concatenate([self.epoch(a[0])[a[1] :], self.epoch(b[0])[: b[1] + 1]])

    def shuffle(self, epoch: int) -> np.ndarray:
        """The order of one pass."""
        return np.random.default_rng(derive(self.seed, "order", epoch)).permutation(len(self.data))

    def balanced(self, index: int, members: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Sample numbers of a batch whose classes are equally probable."""
        rng = np.random.default_rng(derive(self.seed, "balanced", index))
        classes = rng.integers(len(counts), size=self.size)
        within = (rng.random(self.size) * counts[classes]).astype(np.int64)
        return members[(np.cumsum(counts) - counts)[classes] + within]


class BothSides:
    """Batches of two sides: `source` is what is translated, `real` what it is translated into.

    Args:
        given, made: either side; where they are paired, row by row.
        size: samples per batch.
        seed: of the order.
        paired: whether they are.
    """

    def __init__(self, given: Samples, made: Samples, size: int, seed: int = 0, *, paired: bool) -> None:
        self.size, self.given = size, given
        self.made_order = Shuffled(made, size, seed, labelled=False)
        self.given_order = None if paired else Shuffled(given, size, derive(seed, "given"), labelled=False)

    def __call__(self, index: int, rows: slice) -> Mapping[str, Tensor]:
        """Some rows of batch `index`."""
        real = self.made_order(index, rows)["real"]
        if self.given_order is not None:
            return {"real": real, "source": self.given_order(index, rows)["real"]}
        chosen = self.made_order.shuffled(index)[rows]
        return {"real": real, "source": self.given.gather(chosen)["real"]}


def by_class(data: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Sample numbers sorted by class, and how many each class has."""
    if data.labels is None:
        raise DataError(
            "classes cannot be balanced: the data have no labels. Put each class in a folder of its own."
        )
    _, counts = np.unique(data.labels, return_counts=True)
    return np.argsort(data.labels, kind="stable"), counts


def in_proportion(labels: np.ndarray, wanted: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Numbers of samples, of each class as many as `wanted` has; fewer where there are fewer.

    Args:
        labels: class number of each sample.
        wanted: class numbers of the samples that they shall be like.
        order: of the samples; the first of each class are taken, and stay in this order.

    Example:
        >>> in_proportion(np.array([0, 0, 0, 1]), np.array([0, 0, 1]), np.array([3, 2, 1, 0])).tolist()
        [3, 2, 1]
    """
    counts = np.bincount(labels)
    left = np.bincount(wanted, minlength=len(counts))[: len(counts)]
    by_label = np.argsort(labels[order], kind="stable")
    place = np.empty(len(order), np.int64)  # within its class
    place[by_label] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[place < left[labels[order]]]
