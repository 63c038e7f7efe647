"""Cells of which a list or a range is asked, as rows have them that were made without asking it.

What else is asked of a row, and the other lists and ranges, change how often each value occurs: so all such
cells of a row are taken together, from one row of the pool that is as asked in all of them. Numbers that
hardly ever repeat are then drawn anew between those of the next rows of the pool, lest many rows share a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..data.table.cells import TableCodec
from ..data.table.columns import on_grid
from ..errors import RunError
from .conditions import Range, Request
from .values import nearest

TINY = 1e-9  # of a step: what a division may be off by
LOOKED = 4096  # rows in which it is seen whether numbers repeat
EVENLY = 4096  # numbers of a range of which no row is known


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows that were made with all that is asked of them but lists and ranges.

    Attributes:
        codec: of the run.
        request: with the lists and ranges.
        values: stored values of the rows.
        known: which of them were known when the rows were made.
        balance: number of the cell each value of which has rows of its own; None for none.
    """

    codec: TableCodec
    request: Request
    values: Float[np.ndarray, "k c"]
    known: Bool[np.ndarray, "k c"]
    balance: int | None = None

    @cached_property
    def exact(self) -> Float[np.ndarray, "k c"]:
        """Values as made rows show them: which of the rare categories it is, and times by their clock."""
        values, random = self.values.copy(), np.random.default_rng(0)
        for place in self.places:
            code, x = self.codec.codes[place], values[:, place]
            if code.category is not None:
                values[:, place] = code.category.stored(code.category.labels(x, random), exact=True)
            else:
                values[:, place] = nearest(self.codec.spec.column(code.name), x)
        return values

    @property
    def places(self) -> list[int]:
        """Numbers of the cells of which a list or a range is asked."""
        return [*self.request.one_of, *self.request.ranges]

    @cached_property
    def good(self) -> dict[int, Bool[np.ndarray, " k"]]:
        """By cell, rows that have what is asked of it."""
        found = {place: among(self.exact[:, place], some) for place, some in self.request.one_of.items()}
        ranges = self.request.ranges.items()
        return found | {place: between(self.exact[:, place], ends) for place, ends in ranges}

    @cached_property
    def whole(self) -> Bool[np.ndarray, " k"]:
        """Rows that are as asked in all these cells."""
        return np.all([*self.good.values()], axis=0)

    @cached_property
    def smooth(self) -> list[int]:
        """Cells of numbers of which a range is asked, and which hardly ever repeat: any number in between may
        come up, of which the rows of the pool have but a few.
        """
        found = list[int]()
        for place in self.request.ranges:
            number, x = self.codec.codes[place].number, self.exact[:LOOKED, place]
            assert number is not None
            x = x[~np.isnan(x) & ~np.isin(x, number.masses)]
            if len(x) and len(np.unique(x)) > len(x) / 2 and not self.known[:, place].any():
                found.append(place)
        return found

    def anew(
        self,
        place: int,
        found: Int[np.ndarray, " m"],
        taken: Int[np.ndarray, " n"],
        random: np.random.Generator,
    ) -> Float[np.ndarray, " n"]:
        """Numbers of a smooth cell that are new: up to halfway to the next ones of rows that are as asked.

        Args:
            place: of the cell.
            found: rows that are as asked.
            taken: some of these, whose numbers are drawn anew, but for those that many rows share.
            random: what draws.
        """
        number, ends, x = self.codec.codes[place].number, self.request.ranges[place], self.exact[taken, place]
        assert number is not None
        low, high = max(ends.low, number.low), min(ends.high, number.high)
        own = np.unique(self.exact[found, place])
        between_them = (own[1:] + own[:-1]) / 2
        first, last = low, high
        if len(own) > 1:  # as far beyond the outermost as within
            first, last = max(low, 2 * own[0] - between_them[0]), min(high, 2 * own[-1] - between_them[-1])
        edges, at = np.concatenate([[first], between_them, [last]]), np.searchsorted(own, x)
        column = self.codec.spec.column(number.name)
        fresh = nearest(column, random.uniform(edges[at], np.maximum(edges[at], edges[at + 1])))
        return np.where(between(fresh, Range(low, high)) & ~np.isin(x, number.masses), fresh, x)

    def fewest(self) -> int:
        """How many rows are as asked; of each balanced value, if there are such, the fewest."""
        return min((int(self.whole[there].sum()) for _, there in self.groups(self.values)), default=0)

    def groups(
        self, values: Float[np.ndarray, "n c"]
    ) -> Iterator[tuple[Int[np.ndarray, " m"], Bool[np.ndarray, " k"]]]:
        """Rows with the same balanced value, and which rows of the pool have it, too."""
        if self.balance is None:
            yield np.arange(len(values)), np.ones(len(self.values), bool)
            return
        for value in np.unique(values[:, self.balance]):
            yield np.flatnonzero(values[:, self.balance] == value), self.values[:, self.balance] == value

    def draw(
        self, values: Float[np.ndarray, "n c"], known: Bool[np.ndarray, "n c"], random: np.random.Generator
    ) -> None:
        """Put into rows what is asked of these cells: together, or each by itself if no row has all of it."""
        mask = self.known.copy()
        mask[:, self.places] = True
        for rows, there in self.groups(values):
            found = np.flatnonzero(self.whole & there)
            if len(found):
                taken = random.choice(found, len(rows))
                values[rows] = np.where(mask[taken], self.exact[taken], values[rows])
                for place in self.smooth:
                    values[rows, place] = self.anew(place, found, taken, random)
                known[rows] = mask[taken]
                continue
            for place in self.places:
                values[rows, place] = self.alone(place, there, len(rows), random)
                known[rows, place] = True

    def alone(
        self, place: int, there: Bool[np.ndarray, " k"], n: int, random: np.random.Generator
    ) -> Float[np.ndarray, " n"]:
        """Values of one cell: as rows have them; if none has any, evenly, or categories by their shares.

        Raises:
            RunError: no value is as asked.
        """
        code, found = self.codec.codes[place], np.flatnonzero(self.good[place] & there)
        if len(found):
            taken = random.choice(found, n)
            smooth = place in self.smooth
            return self.anew(place, found, taken, random) if smooth else self.exact[taken, place]
        if self.known[:, place].any():
            raise RunError(
                f"what else is asked makes {code.name!r} something else than is asked of it. Leave one out."
            )
        if place in self.request.ranges:
            return random.choice(evenly(place, self.request.ranges[place], self.codec, random), n)
        choices = self.request.one_of[place]
        if code.category is None:
            return random.choice(choices, n)
        shares = np.array([code.category.share_of(x) for x in choices]) + 1e-12
        return random.choice(choices, n, p=shares / shares.sum())


def among(x: Float[np.ndarray, " n"], some: tuple[float, ...]) -> Bool[np.ndarray, " n"]:
    """Which numbers are one of some; NaN is one, too."""
    return np.isin(x, some) | (np.isnan(x) & bool(np.isnan(some).any()))


def between(x: Float[np.ndarray, " n"], ends: Range) -> Bool[np.ndarray, " n"]:
    """Which numbers lie in a range."""
    return (x >= ends.low) & (x <= ends.high)


def evenly(
    place: int, ends: Range, codec: TableCodec, random: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """Numbers of a range, evenly.

    Raises:
        RunError: no value of the column lies in it.
    """
    code = codec.codes[place].number
    assert code is not None
    low, high, step = max(ends.low, code.low), min(ends.high, code.high), code.step
    column = codec.spec.column(code.name)
    if not step and column.timezone is None:
        return random.uniform(low, high, EVENLY)
    if column.timezone is not None:  # a step by its clock is not always as long
        found = nearest(column, random.uniform(low - step / 2, high + step / 2, EVENLY))
        found = found[between(found, Range(low, high))]
    else:
        first, last = np.ceil(low / step - TINY), np.floor(high / step + TINY)
        bounds = on_grid(np.array([first, last]) * step, step)
        first, last = first + (bounds[0] < low), last - (bounds[1] > high)
        whole = np.rint(random.uniform(first - 0.5, last + 0.5, EVENLY)).clip(first, last)
        found = on_grid(whole * step, step) if first <= last else whole[:0]
    if not len(found):
        raise RunError(f"no value of {code.name!r} lies in the range that was asked for. Widen it.")
    return found
