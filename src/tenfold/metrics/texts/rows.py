"""Texts as rows of tokens, and how sure a number of a set of them is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ...data.texts.layout import END, PAD
from ..kernel import Estimate

GROUPS = 10  # of which one is left out at a time


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts.

    Attributes:
        rows: `(n, t)` token numbers; what stands behind the first end or padding is no part of a text.
        said: the same as a person reads them; empty where nobody does.
        labels: class number of each, or None.
    """

    rows: Int[np.ndarray, "n t"]
    said: Sequence[str] = ()
    labels: Int[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Int[np.ndarray, " k"]) -> Texts:
        """Some of them, by number."""
        said = [self.said[int(i)] for i in index] if len(self.said) else ()
        return Texts(self.rows[index], said, None if self.labels is None else self.labels[index])


def lengths(rows: Int[np.ndarray, "n t"]) -> Int[np.ndarray, " n"]:
    """How many tokens each text has; its end is none.

    Example:
        >>> lengths(np.array([[5, 6, 2, 0], [5, 6, 7, 8], [2, 0, 0, 0]])).tolist()
        [2, 4, 0]
    """
    over = (rows == PAD) | (rows == END)
    return np.where(over.any(1), over.argmax(1), rows.shape[1])


def bare(rows: Int[np.ndarray, "n t"]) -> Int[np.ndarray, "n t"]:
    """The same with nothing but padding behind the last token, int64."""
    there = np.arange(rows.shape[1]) < lengths(rows)[:, None]
    return np.where(there, rows, PAD).astype(np.int64)


def jackknife(
    metric: Callable[[Int[np.ndarray, " k"]], Sequence[float]], count: int, groups: int = GROUPS
) -> list[Estimate]:
    """Numbers of a set, and their standard errors over fresh members of the set.

    One of ten parts is left out at a time. Unlike a formula it holds for whatever is computed of the members,
    a model that is learnt from them too; with ten parts the error itself is known to about a quarter.

    Args:
        metric: the numbers of the members with these numbers.
        count: how many members there are, at least two; neighbours are left out together, so their order must
            be random.
        groups: how many parts.

    References:
        Delete-m jackknife for unequal m. Busing, Meijer, van der Leeden, 1999.
        https://doi.org/10.1023/A:1008800423698
    """
    everybody = np.arange(count)
    groups = min(groups, count)
    part = everybody * groups // count
    without = np.array([metric(everybody[part != one]) for one in range(groups)])
    errors = ((groups - 1) * without.var(0)) ** 0.5
    return [Estimate(float(v), float(e)) for v, e in zip(metric(everybody), errors, strict=True)]
