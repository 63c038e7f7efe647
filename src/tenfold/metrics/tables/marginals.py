"""Each column on its own: how far made values are from real ones, and which lie where no real one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..rows import Undefined
from .design import TableRows, alike, levels_of, same_columns, starts_of

_ROUNDING = 1e-9  # of a bound; a number that is beyond it by less is at it


@dataclass(frozen=True)
class ByColumn:
    """A number for the whole table, and one for each of its columns.

    Attributes:
        value: of the table.
        columns: by name.
    """

    value: float
    columns: Mapping[str, float]

    def most(self, count: int = 3) -> list[str]:
        """The names of the columns with the largest numbers.

        Example:
            >>> ByColumn(0.2, {"age": 0.1, "sex": 0.3}).most(1)
            ['sex']
        """
        return sorted(self.columns, key=lambda name: -self.columns[name])[:count]


def marginals(real: TableRows, fake: TableRows) -> ByColumn:
    """Distance of each column's distributions, from 0 to 1, and their mean.

    Of numbers it is the Kolmogorov-Smirnov statistic, for which a missing one is larger than all others; of
    categories half the sum of the differences of their shares (total variation). It says nothing of how
    columns belong together: columns shuffled each on its own have 0.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are no columns, or no rows on a side.
    """
    _refuse_nothing(real, fake)
    real, fake = alike(real, fake)
    number, found = real.number, np.empty(len(real.names))
    found[number] = kolmogorov_smirnov(real.values[:, number], fake.values[:, number])
    found[~number] = _total_variation(real, fake)
    return ByColumn(float(found.mean()), dict(zip(real.names, found.tolist(), strict=True)))


def kolmogorov_smirnov(a: Float[np.ndarray, "n k"], b: Float[np.ndarray, "m k"]) -> Float[np.ndarray, " k"]:
    """The largest difference of each column's two distribution functions; NaN lies beyond all numbers."""
    n, m = len(a), len(b)
    both = np.concatenate([a, b])
    both[np.isnan(both)] = np.inf
    order = np.argsort(both, axis=0, kind="stable")
    both = np.take_along_axis(both, order, axis=0)
    last = np.ones(both.shape, dtype=bool)  # of equal numbers: between them there is no threshold
    last[:-1] = both[1:] != both[:-1]
    gaps = np.where(order < n, m, -n).cumsum(
        axis=0
    )  # of whole numbers, hence exactly 0 where nothing differs
    return np.abs(np.where(last, gaps, 0)).max(axis=0) / (n * m)


def _total_variation(real: TableRows, fake: TableRows) -> Float[np.ndarray, " q"]:
    levels = levels_of(real)
    gaps = np.abs(_shares(real) - _shares(fake))
    return np.bincount(np.repeat(np.arange(len(levels)), levels), gaps, minlength=len(levels)) / 2


def _shares(rows: TableRows) -> Float[np.ndarray, " l"]:
    """Shares of the categories of all columns, one column after another."""
    places = (rows.codes + starts_of(rows)).ravel()
    return np.bincount(places, minlength=int(levels_of(rows).sum())) / len(rows)


def out_of_range(real: TableRows, fake: TableRows) -> ByColumn:
    """Share of rows with a value that no real row comes near to, and such a share for each column.

    That is a number below the smallest or above the largest real one, a category that no real row has, or a
    missing value in a column without any. Fresh real rows have some of them, too.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are no columns, or no rows on a side.
    """
    same_columns(real, fake)
    _refuse_nothing(real, fake)
    number, outside = real.number, np.empty(fake.values.shape, dtype=bool)
    outside[:, number] = _beyond(real.values[:, number], fake.values[:, number])
    outside[:, ~number] = _unseen(real, fake)
    shares = outside.mean(axis=0).tolist()
    return ByColumn(float(outside.any(axis=1).mean()), dict(zip(real.names, shares, strict=True)))


def _beyond(real: Float[np.ndarray, "n k"], fake: Float[np.ndarray, "m k"]) -> Bool[np.ndarray, "m k"]:
    missing = np.isnan(real)
    low = np.where(missing, np.inf, real).min(axis=0)
    high = np.where(missing, -np.inf, real).max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    slack = np.where(np.isinf(largest), 0.0, _ROUNDING * largest)
    gone = np.isnan(fake) & ~missing.any(axis=0)
    return (fake < low - slack) | (fake > high + slack) | gone


def _unseen(real: TableRows, fake: TableRows) -> Bool[np.ndarray, "m q"]:
    starts = starts_of(real)
    seen = np.zeros(int(levels_of(real).sum()), dtype=bool)
    seen[real.codes + starts] = True
    return ~seen[fake.codes + starts]


def _refuse_nothing(real: TableRows, fake: TableRows) -> None:
    if not min(len(real), len(fake), len(real.names)):
        raise Undefined(
            f"Not defined for {len(real)} real and {len(fake)} made rows of {len(real.names)} columns: at "
            "least one of each was expected. Compare more of them."
        )
