"""Series of different lengths as numbers, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Ragged:
    """Series of different lengths as numbers, one after another; a category is its number.

    Attributes:
        values: every step of every series, `(steps, channels)`.
        lengths: steps of each series, at least 1.
        metadata: what holds of each series as a whole, `(n, columns)`.
        times: of every step, in seconds since 1970 or as they were counted; None if there are none.
        labels: class number of each series, or None.

    Example:
        >>> two = Ragged(np.arange(3.0)[:, None], np.array([1, 2]), np.zeros((2, 0)))
        >>> [x[:, 0].tolist() for x in two.arrays()]
        [[0.0], [1.0, 2.0]]
    """

    values: Float[np.ndarray, "steps channels"]
    lengths: Int[np.ndarray, " n"]
    metadata: Float[np.ndarray, "n columns"]
    times: Float[np.ndarray, " steps"] | None = None
    labels: Int[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> Int[np.ndarray, " n"]:
        """Number of the first step of each series."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def owner(self) -> Int[np.ndarray, " steps"]:
        """Number of the series of each step."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def place(self) -> Int[np.ndarray, " steps"]:
        """Number of each step within its series."""
        return np.arange(len(self.values)) - np.repeat(self.starts, self.lengths)

    def arrays(self) -> list[np.ndarray]:
        """The steps of each series, `(length, channels)`."""
        return np.split(self.values, np.cumsum(self.lengths)[:-1])

    def take(self, index: Int[np.ndarray, " k"]) -> Ragged:
        """Some of the series, by number."""
        return self.cut(index, np.zeros(len(index), np.int64), self.lengths[index])

    def cut(self, index: np.ndarray, first: np.ndarray, lengths: np.ndarray) -> Ragged:
        """Parts of series.

        Args:
            index: number of the series of each part.
            first: number of the part's first step within it.
            lengths: steps of each part.
        """
        before = np.cumsum(lengths) - lengths
        steps = np.repeat(self.starts[index] + first - before, lengths) + np.arange(lengths.sum())
        return Ragged(
            self.values[steps],
            lengths.astype(np.int64),
            self.metadata[index],
            None if self.times is None else self.times[steps],
            None if self.labels is None else self.labels[index],
        )

    def without_labels(self) -> Ragged:
        """The same, of no classes."""
        return replace(self, labels=None)


@dataclass(frozen=True, eq=False)
class Windows:
    """Parts of long series, all of one length.

    Attributes:
        series: the parts.
        of: number of the long series of each.
        first: number of its first step there.
    """

    series: Ragged
    of: Int[np.ndarray, " n"]
    first: Int[np.ndarray, " n"]

    def overlapping(self, held: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
        """Numbers of the windows that share a step with one of those, themselves among them."""
        length = int(self.series.lengths[0])
        found = np.zeros(len(self.of), bool)
        for number in np.unique(self.of[held]):
            here = self.of == number
            covered = np.zeros(int(self.first[here].max()) + length + 1, np.int64)
            chosen = held[self.of[held] == number]
            np.add.at(covered, self.first[chosen], 1)
            np.add.at(covered, self.first[chosen] + length, -1)
            inside = np.concatenate([[0], np.cumsum(np.cumsum(covered[:-1]) > 0)])
            found[here] = inside[self.first[here] + length] > inside[self.first[here]]
        return np.flatnonzero(found)


def windows(series: Ragged, length: int, stride: int) -> Windows:
    """Every part of that length, one beginning `stride` steps after the other.

    Args:
        series: those that are shorter have no part.
        length: steps of a part.
        stride: at least 1.
    """
    counts = np.maximum((series.lengths - length) // stride + 1, 0)
    of = np.repeat(np.arange(len(series)), counts)
    first = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) * stride
    return Windows(series.cut(of, first, np.full(len(of), length)), of, first)


def ragged(series: Sequence[np.ndarray], labels: Int[np.ndarray, " n"] | None = None) -> Ragged:
    """Series of numbers, each `(length, channels)`, one after another."""
    lengths = np.array([len(x) for x in series], np.int64)
    return Ragged(
        np.concatenate(series).astype(np.float64), lengths, np.zeros((len(series), 0)), None, labels
    )
