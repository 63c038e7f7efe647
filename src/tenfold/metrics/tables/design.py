"""Rows of a table turned into numbers, for linear models, for trees and for distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from ...errors import DataError, suggest
from ..rows import Undefined

FREQUENT = 20
"""Categories of a column that have a bit of their own; all others share one."""
TREE_CODES = 255  # of a category; scikit-learn's boosting takes no more
FAR = 10.0  # standard deviations; a linear model would give way to a single number beyond them
_DECIMALS, _DIGITS = 6, 9


@dataclass(frozen=True, eq=False)
class TableRows:
    """Rows of a table as they are stored: a column per cell.

    Attributes:
        values: numbers, NaN where one is missing; of categories their number.
        categorical: of each column, whether it holds categories.
        levels: of each column, how many categories it has; 0 if it holds numbers.
        names: of the columns.

    Raises:
        DataError: if these do not belong together, or a value is infinite or no category of its column.
    """

    values: Float[np.ndarray, "n c"]
    categorical: tuple[bool, ...]
    levels: tuple[int, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def number(self) -> Bool[np.ndarray, " c"]:
        """Which columns hold numbers."""
        return ~np.array(self.categorical, dtype=bool)

    @property
    def codes(self) -> Int[np.ndarray, "n k"]:
        """The categories, without the columns of numbers."""
        return self.values[:, ~self.number].astype(np.int64)

    def take(self, index: Int[np.ndarray, " k"]) -> TableRows:
        """Some of the rows."""
        return replace(self, values=self.values[index])

    def place(self, name: str) -> int:
        """The number of a column.

        Raises:
            DataError: if there is none of that name.
        """
        if name not in self.names:
            raise DataError(f"The table has no column {name!r}. {suggest(name, self.names)}")
        return self.names.index(name)

    def without(self, place: int) -> TableRows:
        """The same without one column."""
        left = [i for i in range(len(self.names)) if i != place]
        return TableRows(
            self.values[:, left],
            tuple(self.categorical[i] for i in left),
            tuple(self.levels[i] for i in left),
            tuple(self.names[i] for i in left),
        )


def _check(rows: TableRows) -> None:
    shape, width = rows.values.shape, len(rows.names)
    if len(shape) != 2 or not shape[1] == width == len(rows.categorical) == len(rows.levels):
        raise DataError(
            f"Found values of shape {shape} for {width} names, {len(rows.categorical)} kinds and "
            f"{len(rows.levels)} numbers of categories, expected one of each for a column. "
            "Take all from the same codec."
        )
    number = rows.number
    most, codes = np.array(rows.levels, dtype=np.int64), rows.values
    fits = (codes >= 0) & (codes < most) & (codes == np.floor(codes))  # NaN does not
    wrong = np.flatnonzero(~np.where(number, ~np.isinf(codes), fits).all(0))
    if len(wrong):
        first = wrong[0]
        expected = "finite numbers" if number[first] else f"categories from 0 to {most[first] - 1}"
        raise DataError(
            f"{len(wrong)} of {width} columns hold what does not belong there (first: "
            f"{rows.names[first]!r}), expected {expected}. Turn the table into values with "
            "the codec that was fitted to it."
        )


def same_columns(one: TableRows, other: TableRows) -> None:
    """Nothing, if both are of one table.

    Raises:
        DataError: if their columns differ.
    """
    if (one.names, one.categorical, one.levels) != (other.names, other.categorical, other.levels):
        raise DataError(
            f"Found rows of {len(one.names)} and of {len(other.names)} columns that are not the same, "
            "expected rows of one table. Turn both into values with the same codec."
        )


def joined(one: TableRows, other: TableRows) -> TableRows:
    """The rows of both, one after the other.

    Raises:
        DataError: if their columns differ.
    """
    same_columns(one, other)
    return replace(one, values=np.concatenate([one.values, other.values]))


def alike(real: TableRows, *others: TableRows) -> tuple[TableRows, ...]:
    """All of them, with numbers rounded to the decimals that the first ones have.

    Made numbers may differ from real ones by what arithmetic leaves in the last digits, which whoever sorts
    them would take for a difference. Where the first ones have more than six decimals, nine digits are kept.

    Raises:
        DataError: if their columns differ.
    """
    for rows in others:
        same_columns(real, rows)
    keep = [(int(place), _decimals(real.values[:, place])) for place in np.flatnonzero(real.number)]
    return tuple(replace(rows, values=_rounded(rows.values, keep)) for rows in (real, *others))


def _decimals(x: Float[np.ndarray, " n"]) -> int | None:
    """How many decimals all the numbers make do with; None if they need more than six."""
    x = x[~np.isnan(x)]
    for decimals in range(_DECIMALS + 1):
        scaled = x * 10.0**decimals
        if (np.abs(scaled - np.round(scaled)) <= 64 * np.finfo(float).eps * np.abs(scaled)).all():
            return decimals
    return None


def _rounded(
    values: Float[np.ndarray, "n c"], keep: Sequence[tuple[int, int | None]]
) -> Float[np.ndarray, "n c"]:
    found = values.copy()
    for place, decimals in keep:
        x = values[:, place]
        found[:, place] = _in_digits(x) if decimals is None else np.round(x, decimals)
    return found


def _in_digits(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    size = np.abs(np.where(np.isnan(x) | (x == 0), 1.0, x))
    step = 10.0 ** (np.floor(np.log10(size)) - _DIGITS + 1)
    return np.round(x / step) * step


@dataclass(frozen=True, eq=False)
class Design:
    """How rows become numbers; `design` makes one.

    Attributes:
        names: of the columns.
        number: which columns hold numbers; the next four are of these.
        centre: their means.
        scale: their standard deviations.
        reach: from their first to their last percentile.
        empty: which have nothing but missing values.
        starts: of each column of categories, where its own begin in the next two.
        slots: the bit of each category.
        ranks: its number for trees, by frequency.
        bits: how many there are.
    """

    names: tuple[str, ...]
    number: Bool[np.ndarray, " c"]
    centre: Float[np.ndarray, " k"]
    scale: Float[np.ndarray, " k"]
    reach: Float[np.ndarray, " k"]
    empty: Bool[np.ndarray, " k"]
    starts: Int[np.ndarray, " q"]
    slots: Int[np.ndarray, " l"]
    ranks: Int[np.ndarray, " l"]
    bits: int

    def numbers(self, rows: TableRows) -> Float[np.ndarray, "n d"]:
        """For linear models: standardised numbers, a bit for each missing one, a bit for each category."""
        x, missing = self._apart(rows)
        x = np.where(missing, 0.0, (x - self.centre) / self.scale).clip(-FAR, FAR)
        return np.concatenate([x, missing, self._bits(rows)], axis=1)

    def distances(self, rows: TableRows) -> Float[np.ndarray, "n d"]:
        """For Euclidean distances: what differs in a category, or by a number's reach, is 1 apart.

        That is Gower's distance, but for squares. A number and a missing one are at least 1 apart.

        References:
            A general coefficient of similarity and some of its properties. Gower, 1971.
            https://doi.org/10.2307/2528823
        """
        x, missing = self._apart(rows)
        x = np.where(missing, 0.0, (x - self.centre) / self.reach)
        return np.concatenate([x, missing, self._bits(rows) * 0.5**0.5], axis=1)

    def trees(self, rows: TableRows) -> Float[np.ndarray, "n c"]:
        """For boosting: numbers as they are, NaN where missing, and categories numbered by frequency."""
        x, _ = self._apart(rows)
        found = np.empty(rows.values.shape)
        # The boosting of scikit-learn fails at a column without any number.
        found[:, self.number] = np.where(self.empty, 0.0, x)
        found[:, ~self.number] = self.ranks[rows.codes + self.starts]
        return found

    def _apart(self, rows: TableRows) -> tuple[Float[np.ndarray, "n k"], Bool[np.ndarray, "n k"]]:
        """The numbers, and which of them are missing."""
        if rows.names != self.names:
            raise DataError(
                f"Found rows of the columns {', '.join(rows.names)}, expected {', '.join(self.names)}. "
                "Take rows of the table that the design was made for."
            )
        x = rows.values[:, self.number]
        return x, np.isnan(x)

    def _bits(self, rows: TableRows) -> Float[np.ndarray, "n b"]:
        found = np.zeros((len(rows), self.bits))
        found[np.arange(len(rows))[:, None], self.slots[rows.codes + self.starts]] = 1.0
        return found


def design(train: TableRows) -> Design:
    """How the rows of a table become numbers, by what these rows show.

    Raises:
        Undefined: if there are no rows.
    """
    if not len(train):
        raise Undefined("Not defined for no rows at all: at least one was expected. Compare more of them.")
    number = train.number
    x = train.values[:, number]
    there = ~np.isnan(x)
    count = np.maximum(there.sum(0), 1)
    centre = np.where(there, x, 0.0).sum(0) / count
    off = np.where(there, x - centre, 0.0)
    scale = np.sqrt(np.square(off).sum(0) / count)
    scale[scale <= 1e-12 * np.abs(centre)] = 0.0  # the mean of equal numbers need not be one of them
    reach = np.where(scale > 0, _reach(off), 0.0)
    slots, ranks, bits = _maps(train)
    return Design(
        names=train.names,
        number=number,
        centre=centre,
        scale=np.where(scale > 0, scale, 1.0),
        reach=np.where(reach > 0, reach, 1.0),
        empty=~np.any(there, axis=0),
        starts=starts_of(train),
        slots=slots,
        ranks=ranks,
        bits=bits,
    )


def _reach(x: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " k"]:
    """From the first to the last percentile, or from end to end where these are the same."""
    if not x.size:
        return np.zeros(x.shape[1])
    low, high = np.quantile(x, [0.01, 0.99], axis=0)
    return np.where(high > low, high - low, np.ptp(x, axis=0))


def _maps(train: TableRows) -> tuple[Int[np.ndarray, " l"], Int[np.ndarray, " l"], int]:
    """Bits and tree numbers of all categories, and the number of bits."""
    slots, ranks, bits = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for column, levels in zip(train.codes.T, levels_of(train), strict=True):
        count = np.bincount(column, minlength=levels)
        slots.append(bits + by_frequency(count, FREQUENT))
        ranks.append(by_frequency(count, TREE_CODES - 1))
        bits += min(levels, FREQUENT + 1)
    return np.concatenate(slots), np.concatenate(ranks), bits


def by_frequency(count: Int[np.ndarray, " l"], most: int) -> Int[np.ndarray, " l"]:
    """The rank of each category, 0 for the most frequent one; from `most` on they share a rank.

    Example:
        >>> by_frequency(np.array([1, 5, 3, 0]), 2).tolist()
        [2, 0, 1, 2]
    """
    rank = np.empty(len(count), np.int64)
    rank[np.argsort(-count, kind="stable")] = np.arange(len(count))
    return np.minimum(rank, most)


def levels_of(rows: TableRows) -> Int[np.ndarray, " q"]:
    """How many categories each column of categories has."""
    return np.array(rows.levels, dtype=np.int64)[~rows.number]


def starts_of(rows: TableRows) -> Int[np.ndarray, " q"]:
    """Where the categories of each column begin if those of all columns are written one after another."""
    levels = levels_of(rows)
    return np.cumsum(levels) - levels
