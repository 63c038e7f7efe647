"""Two columns at a time: whether what goes together in real rows goes together in made ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from ...draw import derive
from ..rows import Undefined
from .areas import midranks
from .design import TableRows, alike, by_frequency, same_columns

MOST_PAIRS = 200
MOST_ROWS = 5000
BINS = 10  # of numbers, beside categories
LEVELS = 20  # of a column; of more the rare ones are one, for two rare ones hardly ever meet
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class PairTrends:
    """How much pairs of columns differ in what goes together.

    Attributes:
        value: mean over the pairs.
        pairs: the numbers of the two columns of each.
        gaps: the difference of each, from 0 to 1.
    """

    value: float
    pairs: Int[np.ndarray, "p 2"]
    gaps: Float[np.ndarray, " p"]

    def most(self, count: int = 3) -> list[tuple[int, int]]:
        """The pairs that differ most."""
        worst = np.argsort(-self.gaps, kind="stable")[:count]
        return [(int(a), int(b)) for a, b in self.pairs[worst]]


def pair_trends(real: TableRows, fake: TableRows, seed: int = 0) -> PairTrends:
    """Differences of rank correlations between numbers, and of joint shares wherever there are categories.

    Two columns of numbers: half the difference of Spearman's correlations. Two of categories: total
    variation of the tables of joint shares. One of each: the same, with numbers in ten bins of equally many
    real rows, missing ones apart. Joint shares of few rows differ by chance alone, so that only the
    difference to what fresh real rows get means anything.

    Args:
        real: real rows; of more than 5,000 some.
        fake: made ones; likewise.
        seed: decides which rows, and which 200 pairs if there are more.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than two columns, or fewer than ten rows on a side.
    """
    same_columns(real, fake)
    if len(real.names) < 2 or min(len(real), len(fake)) < _FEWEST:
        raise Undefined(
            f"Not defined for {len(real)} real and {len(fake)} made rows of {len(real.names)} columns: at "
            f"least {_FEWEST} rows and two columns were expected. Compare more of them."
        )
    real, fake = alike(_some(real, seed), _some(fake, seed))
    pairs = _chosen(len(real.names), seed)
    both = real.number[pairs].all(axis=1)
    gaps = np.empty(len(pairs))
    gaps[both] = np.abs(correlations(real, pairs[both]) - correlations(fake, pairs[both])) / 2
    coded = _coder(real, fake)
    gaps[~both] = [_joint_gap(coded(int(a)), coded(int(b))) for a, b in pairs[~both]]
    return PairTrends(float(gaps.mean()), pairs, gaps)


def _some(rows: TableRows, seed: int) -> TableRows:
    if len(rows) <= MOST_ROWS:
        return rows
    rng = np.random.default_rng(derive(seed, "pair rows"))
    return rows.take(rng.permutation(len(rows))[:MOST_ROWS])


def _chosen(columns: int, seed: int) -> Int[np.ndarray, "p 2"]:
    """All pairs of columns, or some of them if there are many."""
    count = columns * (columns - 1) // 2
    chosen = np.arange(count)
    if count > MOST_PAIRS:
        rng = np.random.default_rng(derive(seed, "pairs"))
        chosen = np.sort(rng.choice(count, MOST_PAIRS, replace=False))
    # Pair number b (b - 1) / 2 + a is that of columns a < b.
    second = ((1 + np.sqrt(1 + 8.0 * chosen)) / 2).astype(np.int64)
    return np.stack([chosen - second * (second - 1) // 2, second], axis=1)


def correlations(rows: TableRows, pairs: Int[np.ndarray, "p 2"]) -> Float[np.ndarray, " p"]:
    """Spearman's correlation of each pair of columns, over rows in which neither is missing.

    Ranks are those within a column, whatever is missing in the other. It is 0 where a column is constant.
    """
    used, place = np.unique(pairs, return_inverse=True)
    ranks = np.stack([_ranks(rows.values[:, column]) for column in used], axis=1) if len(used) else None
    if ranks is None:
        return np.zeros(len(pairs))
    first, second = place.reshape(pairs.shape).T
    there = (~np.isnan(ranks)).astype(np.float64)
    x = np.nan_to_num(ranks, nan=0.0)
    count = np.maximum(there.T @ there, 1.0)[first, second]
    # Entry (a, b) of these: the sum, and that of squares, of a's ranks where b is there.
    sums, squares = x.T @ there, np.square(x).T @ there
    one, other = sums[first, second], sums[second, first]
    spread = squares[first, second] - one**2 / count, squares[second, first] - other**2 / count
    size = np.sqrt(np.maximum(spread[0], 0.0) * np.maximum(spread[1], 0.0))
    together = (x.T @ x)[first, second] - one * other / count
    return np.divide(together, size, out=np.zeros(len(pairs)), where=size > 1e-9 * count)


def _ranks(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Ranks from -0.5 to 0.5 of the numbers that are there; NaN for the others."""
    found, there = np.full(len(x), np.nan), ~np.isnan(x)
    if there.any():
        found[there] = (midranks(x[there]) - 0.5) / there.sum() - 0.5
    return found


@dataclass(frozen=True, eq=False)
class _Coded:
    """One column of both sides as whole numbers below `count`."""

    real: Int[np.ndarray, " n"]
    fake: Int[np.ndarray, " m"]
    count: int


def _coder(real: TableRows, fake: TableRows) -> Callable[[int], _Coded]:
    """Columns by number; each is coded once, however many pairs it is in."""
    number = real.number

    @cache
    def coded(place: int) -> _Coded:
        x, y = real.values[:, place], fake.values[:, place]
        if not number[place]:
            count = np.bincount(x.astype(np.int64), minlength=real.levels[place])
            rank = by_frequency(count, LEVELS - 1)
            return _Coded(rank[x.astype(np.int64)], rank[y.astype(np.int64)], LEVELS)
        there = x[~np.isnan(x)]
        edges = np.unique(np.quantile(there, np.arange(1, BINS) / BINS)) if len(there) else there
        return _Coded(_binned(x, edges), _binned(y, edges), BINS + 1)

    return coded


def _binned(x: Float[np.ndarray, " n"], edges: Float[np.ndarray, " e"]) -> Int[np.ndarray, " n"]:
    missing: Bool[np.ndarray, " n"] = np.isnan(x)
    return np.where(missing, BINS, np.searchsorted(edges, x, side="right"))


def _joint_gap(a: _Coded, b: _Coded) -> float:
    """Total variation of the two tables of joint shares."""
    cells = a.count * b.count
    real = np.bincount(a.real * b.count + b.real, minlength=cells) / len(a.real)
    fake = np.bincount(a.fake * b.count + b.fake, minlength=cells) / len(a.fake)
    return float(np.abs(real - fake).sum() / 2)
