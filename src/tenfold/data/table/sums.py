"""Sums that hold by construction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from .columns import filled, grid_of, numbers, on_grid, with_columns
from .rules import NOTHING, UNBOUND, described, refuse_impossible

if TYPE_CHECKING:
    import pandas as pd

ROUNDED = 1e-9  # of the sum, or as it is: what adding up may be off by


@dataclass(frozen=True)
class Sum:
    """One column is the sum of others: it is left out, and made again.

    Where the sum is missing without a part, or a part without the sum, what the known parts leave of the sum
    stands in its place; it is nothing where all are known.

    Attributes:
        total: the sum.
        parts: the others.
        rest: whether there are such rows.
        step: of which all training values of the sum are multiples; 0 if of none.
    """

    total: str
    parts: tuple[str, ...]
    rest: bool = False
    step: float = 0.0

    name = "sum"
    makes, bounds = NOTHING, UNBOUND

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"{self.total} = {' + '.join(self.parts)}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The sum and its parts."""
        return (self.total, *self.parts)

    @property
    def reads(self) -> tuple[str, ...]:
        """The parts."""
        return self.parts

    @property
    def changes(self) -> tuple[str, ...]:
        """The sum."""
        return (self.total,)

    def fitted(self, df: pd.DataFrame) -> Sum:
        """With the grid of the sum, and whether the sum or a part is missing alone somewhere."""
        total = numbers(df, self.total)
        alone = np.isnan(self._parts(df)).any(1) != np.isnan(total)
        return replace(self, rest=bool(alone.any()), step=grid_of(total[~np.isnan(total)]))

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """Without the sum, or with what is left of it."""
        if not self.rest:
            return df.drop(columns=self.total)
        total, parts = numbers(df, self.total), self._parts(df)
        whole = ~np.isnan(parts).any(1) & ~np.isnan(total)
        return with_columns(df, {self.total: np.where(whole, 0.0, total - np.nansum(parts, 1))})

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With the sum."""
        parts = self._parts(df)
        known, whole = np.nansum(parts, 1), ~np.isnan(parts).any(1)
        if self.rest:
            left = numbers(df, self.total)
            total = np.where(np.isnan(left), np.nan, known + np.where(whole, 0.0, left))
        else:
            total = np.where(whole, known, np.nan)
        return with_columns(df, {self.total: on_grid(total, self.step)})

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """The part that is not known, if it is a single one; more of them cannot be told by the sum."""
        if self.total not in df.columns:
            return df, np.zeros(len(df), bool)
        own = filled(df, self.columns)
        refuse_impossible(self.words, self.violations(own))
        total, parts = numbers(own, self.total), self._parts(own)
        unknown, asked = np.isnan(parts), ~np.isnan(total)
        single = unknown & (asked & (unknown.sum(1) == 1))[:, None]
        left = on_grid(total - np.nansum(parts, 1), self.step)
        parts = np.where(single, left[:, None], parts)
        columns = {part: parts[:, i] for i, part in enumerate(self.parts)}
        if self.rest:
            columns[self.total] = np.where(asked & ~np.isnan(parts).any(1), 0.0, np.nan)
        made = with_columns(own if self.rest else own.drop(columns=self.total), columns)
        return made, asked & (unknown.sum(1) > 1)

    def _parts(self, df: pd.DataFrame) -> Float[np.ndarray, "n k"]:
        return np.stack([numbers(df, part) for part in self.parts], 1)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Where the sum is another, beyond what numbers are rounded by."""
        total, found = numbers(df, self.total), self._parts(df).sum(1)
        return ~np.isnan(total + found) & ~np.isclose(found, total, rtol=ROUNDED, atol=ROUNDED)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)
