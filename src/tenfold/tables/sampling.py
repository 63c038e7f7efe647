"""Rows of a run: as many as asked, as asked, in the container that the data came in.

Row number i of a set is a function of the run, the seed, what is asked and i alone: rows are made in aligned
blocks, and a row that must be made again (a condition on a column that a constraint makes, a key that is not
unique) is made with the noise of the next attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..data.table.cells import TableCodec, labelled
from ..data.table.clean import cleaned
from ..data.table.codes import Code
from ..data.table.columns import combined
from ..data.table.constraints import known_through
from ..draw import Draw, derive
from ..errors import RunError
from ..games.tabular import RowSampler
from .ahead import MOST_THREADS, ahead
from .conditions import Asked, Request, frame_of, request_of, satisfied
from .pool import Pool

if TYPE_CHECKING:
    from ..run import Run

BLOCK = 1024
POOL = 4 * BLOCK  # rows that are made to see what they have in lists and ranges
LARGER, LARGEST = 4 * POOL, 8 * POOL  # so many at most, if fewer than these are as asked:
ENOUGH, FEWEST = 200, 50
ATTEMPTS = 100  # at a row that must be made again


@dataclass(frozen=True)
class Rower:
    """Makes rows of one run.

    Attributes:
        sampler: in evaluation mode.
        codec: of the run.
        request: what is asked of every row.
        balance: number of a cell of categories, each of which comes up equally often; None for none.
        raw: whether known cells are left as the generator made them.
        seed: of the set, by which lists and ranges are drawn.
    """

    sampler: RowSampler
    codec: TableCodec
    request: Request
    balance: int | None = None
    raw: bool = False
    seed: int = 0

    def block(self, seed: int, start: int, attempt: int = 0) -> Float[np.ndarray, "n c"]:
        """Stored values of an aligned block of rows."""
        parts = ("rows", start) if not attempt else ("rows", start, attempt)
        values, known = self.known(np.random.default_rng(derive(seed, "known", *parts)), start)
        return self.filled(values, known, derive(seed, *parts))

    @torch.inference_mode()
    def filled(
        self, values: Float[np.ndarray, "n c"], known: Bool[np.ndarray, "n c"], seed: int
    ) -> Float[np.ndarray, "n c"]:
        """Stored values, of which those that are known stay and the others are made."""
        count = len(values)
        draw = Draw(seed, slice(0, count), count)
        condition = self.condition(values, known)
        z = self.sampler.draw(draw)
        if self.raw:
            return self.codec.decode(self.sampler.untold(z, condition))
        made = self.codec.decode(self.sampler(z, condition))
        return np.where(known, values, made)  # a number far out loses digits in a mode

    def condition(self, values: Float[np.ndarray, "n c"], known: Bool[np.ndarray, "n c"]) -> Tensor:
        """What the sampler is told."""
        mask = torch.from_numpy(known).float()
        rows = self.codec.encode(values)
        return torch.cat([rows * self.sampler.layout.everywhere(mask), mask], 1)

    def known(
        self, random: np.random.Generator, start: int
    ) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
        """Values that are known of each row of a block, and which they are."""
        values, known = self.settled(random, start)
        if self.request.one_of or self.request.ranges:
            self.pool.draw(values, known, random)
        if not known.any():
            self.anchor(values, known, random)
        return values, known

    def settled(
        self, random: np.random.Generator, start: int
    ) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
        """The same without lists and ranges, and without an anchor."""
        values = np.zeros((BLOCK, len(self.codec.codes)))
        known = np.zeros(values.shape, bool)
        for place, value in self.request.fixed.items():
            values[:, place], known[:, place] = value, True
        if self.request.told:
            seed = int(random.integers(2**63))
            told = known_through(self.codec.constraints, frame_of(self.request.told, BLOCK), seed)
            self.fill(values, known, told.frame)
        if self.balance is not None:
            category = self.codec.codes[self.balance].category
            assert category is not None
            options = np.flatnonzero(category.shares)
            values[:, self.balance] = options[(start + np.arange(BLOCK)) % len(options)]
            known[:, self.balance] = True
        return values, known

    def fill(
        self, values: Float[np.ndarray, "n c"], known: Bool[np.ndarray, "n c"], frame: pd.DataFrame
    ) -> None:
        """Put in what is known of columns as networks see them; what is missing is not known."""
        for place, code in enumerate(self.codec.codes):
            if code.name not in frame.columns:
                continue
            column = frame[code.name]
            there = column.notna().to_numpy()
            if there.any():
                values[there, place] = codec_values(column[there], code)
                known[there, place] = True

    def anchor(
        self, values: Float[np.ndarray, "n c"], known: Bool[np.ndarray, "n c"], random: np.random.Generator
    ) -> None:
        """One category of each row is known, and drawn by its true share."""
        places = [i for i, code in enumerate(self.codec.codes) if code.category is not None]
        if not places:
            return
        column = random.choice(places, BLOCK)
        for place in places:
            here, category = np.flatnonzero(column == place), self.codec.codes[place].category
            assert category is not None
            values[here, place] = random.choice(len(category.shares), len(here), p=category.shares)
            known[here, place] = True

    @cached_property
    def pool(self) -> Pool:
        """Rows with everything that is asked but lists and ranges; more of them where few are as asked.

        They go by the seed and by what is asked, not by how many rows are wanted.

        Of one list of categories and nothing else there are none: the training rows tell how often each is.
        """
        request = self.request
        free = replace(self, request=replace(request, one_of={}, ranges={}), raw=False)
        lone = [self.codec.codes[place].category for place in request.one_of]
        rest = request.fixed or request.told or request.ranges or self.balance is not None
        shape = (0, len(self.codec.codes))
        pool = Pool(self.codec, request, np.zeros(shape), np.zeros(shape, bool), self.balance)
        if len(lone) == 1 and lone[0] is not None and not rest:
            return pool
        while (count := len(pool.values)) < LARGEST:
            if pool.fewest() >= (ENOUGH if count < LARGER else FEWEST):
                break
            starts = range(count, max(POOL, 2 * count), BLOCK)
            values, known = zip(*ahead(free.pooled, starts), strict=True)
            more = np.concatenate([pool.values, *values]), np.concatenate([pool.known, *known])
            pool = Pool(self.codec, request, *more, self.balance)
        return pool

    def pooled(self, start: int) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
        """Stored values of a block, and which of them are asked for."""
        random = np.random.default_rng(derive(self.seed, "pool", "known", start))
        values, known = self.settled(random, start)
        given = known.copy()
        if not given.any():
            self.anchor(values, given, random)
        return self.filled(values, given, derive(self.seed, "pool", start)), known


def sample_table(
    run: Run,
    n: int,
    *,
    conditions: Asked | None = None,
    balance: str | None = None,
    seed: int = 0,
    first: int = 0,
    raw: bool = False,
) -> Any:  # noqa: ANN401
    """Rows of a run, in the container that its data came in.

    Args:
        run: of a table.
        n: how many.
        conditions: what is asked of every row.
        balance: column of categories, each of which comes up equally often.
        seed: of the set.
        first: number of the first row.
        raw: what the generator itself made of the cells that are known, to judge it by; not exact.

    Raises:
        RunError: something is asked for that no row can have.
    """
    frames = sample_blocks(run, n, conditions=conditions, balance=balance, seed=seed, first=first, raw=raw)
    return run.table.container.restore(pd.concat(list(frames), ignore_index=True))


def sample_blocks(
    run: Run,
    n: int,
    *,
    conditions: Asked | None = None,
    balance: str | None = None,
    seed: int = 0,
    first: int = 0,
    raw: bool = False,
) -> Iterator[pd.DataFrame]:
    """The same, a block at a time: a million rows need no more memory than a thousand."""
    if n < 1 or first < 0:
        raise RunError(f"{n} rows from number {first} were asked for; at least 1 from 0 was expected.")
    codec, sampler = run.table, row_sampler(run)
    asked = conditions or {}
    request = request_of(asked, codec)
    place = None if balance is None else balanced_place(balance, codec, request)
    rower, before = Rower(sampler, codec, request, place, raw=raw, seed=seed), Before(codec)
    start = 0 if before.columns else first // BLOCK * BLOCK
    if request.one_of or request.ranges:
        _ = rower.pool  # before several threads ask for it
    made = partial(made_block, rower, asked, seed, before, first + n)
    starts = range(start, first + n, BLOCK)
    frames = ahead(made, starts, 1 if before.columns else MOST_THREADS)  # what is unique: by the rows before
    for start, frame in zip(starts, frames, strict=True):
        if start + BLOCK > first:
            yield frame.iloc[max(first - start, 0) : first + n - start]


def row_sampler(run: Run) -> RowSampler:
    """The sampler of a run of a table."""
    sampler = run.sampler
    assert isinstance(sampler, RowSampler)
    return sampler


class Before:
    """What rows of the blocks before have in columns that no two rows share.

    Args:
        codec: of the run; columns with an id among them are left out, for ids are always unique.
    """

    def __init__(self, codec: TableCodec) -> None:
        ids = {column.name for column in codec.spec.columns if column.kind == "id"}
        unique = [one.columns for one in codec.constraints if one.name == "unique"]
        self.columns = [columns for columns in unique if not ids & {*columns}]
        self.known = [set[str]() for _ in self.columns]

    def has(self, clean: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Which rows of a clean frame repeat one of them."""
        found = np.zeros(len(clean), bool)
        for columns, known in zip(self.columns, self.known, strict=True):
            repeats = np.array([key in known for key in combined(clean, columns)], bool)
            found |= repeats & clean[list(columns)].notna().any(axis=1).to_numpy(bool)
        return found

    def add(self, frame: pd.DataFrame, codec: TableCodec) -> None:
        """Remember rows."""
        if self.columns:
            clean = cleaned(frame, codec.spec)
            for columns, known in zip(self.columns, self.known, strict=True):
                known.update(combined(clean, columns).tolist())


def balanced_place(name: str, codec: TableCodec, request: Request) -> int:
    """The cell of a column to be balanced.

    Raises:
        RunError: it has no categories, stands in a combination, or is asked for itself.
    """
    for constraint in codec.constraints:
        if name in constraint.changes and name not in {code.name for code in codec.codes}:
            made = "".join(
                f" To make all combinations equally often, balance {one!r}." for one in constraint.makes
            )
            raise RunError(
                f"the column {name!r} cannot be balanced, for a constraint makes it ({constraint.words}). "
                f"Balance another, or ask for one value at a time.{made}"
            )
        if name in constraint.makes and {*constraint.columns} & {*request.told}:
            raise RunError(f"{name!r} is balanced, and a part of it asked for. Leave one of them out.")
    place = codec.place(name)
    if codec.codes[place].category is None:
        raise RunError(f"the column {name!r} has no categories to balance. Name one that has.")
    if place in request.fixed or place in request.one_of or name in request.told or name in request.later:
        raise RunError(f"{name!r} is both balanced and asked for. Leave one of them out.")
    return place


def made_block(rower: Rower, asked: Asked, seed: int, before: Before, end: int, start: int) -> pd.DataFrame:
    """A block of rows, of which those that are not as they must be are made again.

    All are looked at each time: a row that is made again may repeat one that was good. Whether a row is good
    depends on those before it alone, so that it does not matter to it how many are needed.

    Raises:
        RunError: some are still not after many attempts.
    """
    codec, later = rower.codec, {name: asked[name] for name in rower.request.later}
    needed = min(BLOCK, end - start)
    frame = codec.frame_of(rower.block(seed, start), seed, start)
    if rower.raw:
        return frame
    good = as_must_be(frame, later, codec, before)
    for attempt in range(1, ATTEMPTS):
        if good[:needed].all():
            break
        again = codec.frame_of(rower.block(seed, start, attempt), seed, start)
        frame = frame.where(pd.Series(good), again)
        good = as_must_be(frame, later, codec, before)
    bad = int((~good[:needed]).sum())
    if bad:
        raise RunError(
            f"{bad} of {needed} rows are not as asked after {ATTEMPTS} attempts at each "
            f"({', '.join(later) or 'a constraint'}). Ask for something more frequent, or for the columns "
            "that it follows from."
        )
    before.add(frame, codec)
    return frame


def as_must_be(
    frame: pd.DataFrame, later: Asked, codec: TableCodec, before: Before
) -> Bool[np.ndarray, " n"]:
    """Which rows violate no constraint and are as asked where no cell could be told so."""
    good = np.ones(len(frame), bool)
    if codec.constraints:
        clean = cleaned(frame, codec.spec)
        good &= ~before.has(clean)
        for constraint in codec.constraints:
            good &= ~constraint.violations(clean)
    return good & satisfied(frame, later, codec) if later else good


def codec_values(column: pd.Series[Any], code: Code) -> np.ndarray:
    """Stored values of a column without gaps, which tell rare categories apart."""
    return column.to_numpy(np.float64) if code.category is None else labelled(column, code, exact=True)
