"""What numbers of a column have in common: decimals, values that many rows share, a long tail."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

MOST_DECIMALS = 10
MASS_SHARE, MASS_ABOVE, MOST_MASSES = 0.01, 5, 20
"""A mass has this share of the rows, and so many times as many as the values next to it."""
FEW_VALUES, ROWS_EACH, ROWS_OF_MASS = 100, 20, 10
"""Where there are no more different values, each of so many rows on average, all of them are masses. Of any
other mass there are so many rows at least."""
LONG_TAIL, LEAST_FOR_TAIL = 3.0, 20
"""Skewness (an exponential's is 2) from which on a logarithm is tried, and rows that tell it."""
_TRIED = 1000


def decimals_of(values: Float[np.ndarray, " n"], single: bool = False) -> int | None:
    """The fewest decimals that write all of these finite numbers; None if ten do not.

    Args:
        values: numbers.
        single: whether they were of single precision, in which 0.1 is only nearly 0.1.

    Example:
        >>> decimals_of(np.array([0.25, 3.0])), decimals_of(np.array([1 / 3]))
        (2, None)
    """
    decimals = 0
    for part in (values[:: max(1, len(values) // _TRIED)], values):
        while not _written(part, decimals, single):
            decimals += 1
            if decimals > MOST_DECIMALS:
                return None
    return decimals


def _written(values: Float[np.ndarray, " n"], decimals: int, single: bool) -> bool:
    kind = np.float32 if single else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((np.round(values, decimals).astype(kind) == values.astype(kind)).all())


def masses_of(distinct: Float[np.ndarray, " k"], counts: Int[np.ndarray, " k"]) -> tuple[float, ...]:
    """Numbers that many rows share, far more than share the next smaller and the next larger one.

    So the zeros of a column of gains are a mass, and so are round numbers among others. Where there are few
    different numbers for that many rows, as on a scale from 1 to 5, or of the ages of thousands, all of them
    are.

    Args:
        distinct: numbers, sorted.
        counts: rows of each.

    Example:
        >>> masses_of(np.array([0.0, 1.5, 2.5]), np.array([90, 3, 3]))
        (0.0, 1.5, 2.5)
        >>> masses_of(np.arange(30.0), np.array([90] + 29 * [5]))
        (0.0,)
    """
    rows = int(counts.sum())
    if len(distinct) <= min(FEW_VALUES, rows // ROWS_EACH):
        return tuple(distinct.tolist())
    beside = np.concatenate([[0], counts, [0]])
    beside = np.maximum(beside[:-2], beside[2:])
    enough = max(MASS_SHARE * rows, ROWS_OF_MASS)
    held = np.flatnonzero((counts >= enough) & (counts >= MASS_ABOVE * beside))
    frequent = held[np.argsort(-counts[held], kind="stable")][:MOST_MASSES]
    return tuple(distinct[np.sort(frequent)].tolist()) if len(distinct) > 2 else ()


def long_tailed(distinct: Float[np.ndarray, " k"], counts: Int[np.ndarray, " k"]) -> bool:
    """Whether numbers are positive with a long tail that a logarithm takes away."""
    if counts.sum() < LEAST_FOR_TAIL or len(distinct) < 3 or distinct.min() <= 0:
        return False
    skew = skewness(distinct, counts)
    return skew > LONG_TAIL and abs(skewness(np.log(distinct), counts)) < skew / 2


def skewness(distinct: Float[np.ndarray, " k"], counts: Int[np.ndarray, " k"]) -> float:
    """The third standardised moment; 0 of equal numbers.

    Example:
        >>> round(skewness(np.array([0.0, 1.0]), np.array([3, 1])), 4)
        1.1547
    """
    away = distinct - np.average(distinct, weights=counts)
    spread = np.sqrt(np.average(away**2, weights=counts))
    if not spread > 0 or not np.isfinite(spread):
        return 0.0
    return float(np.average((away / spread) ** 3, weights=counts))
