"""Something that holds of every row, by construction: columns are replaced by others that cannot break it.

All work on clean frames. Where something is undone, columns may stand in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Bool

from ...errors import DataError
from .columns import end_of, filled, grid_of, numbers, on_grid, with_columns
from .words import said_rows

if TYPE_CHECKING:
    import pandas as pd

UNBOUND: Mapping[str, tuple[float, float]] = {}
NOTHING: Mapping[str, tuple[str, ...]] = {}


class Constraint(Protocol):
    """Something that holds of every row."""

    @property
    def name(self) -> str:
        """What it is called in a spec."""
        ...

    @property
    def words(self) -> str:
        """What holds, for people."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it is about."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns that must be as they are in the data when it is applied, and when it is undone."""
        ...

    @property
    def changes(self) -> tuple[str, ...]:
        """Columns that it replaces or leaves out, and makes again."""
        ...

    @property
    def makes(self) -> Mapping[str, tuple[str, ...]]:
        """Columns of categories that it adds, and takes away again, with these, if they are known."""
        ...

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Columns that it only keeps within bounds, and these."""
        ...

    def fitted(self, df: pd.DataFrame) -> Constraint:
        """The same with what it needs to know of the training rows."""
        ...

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """Columns that cannot break it, in place of those of the data."""
        ...

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The data's own columns again; it holds of every row."""
        ...

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """What is known of rows, in the columns that `forward` gives; what is missing is not known.

        Returns:
            The frame, and of which rows a column that it changes is known, but cannot be told that way.

        Raises:
            DataError: no row can be so.
        """
        ...

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Of which rows it does not hold. What is missing contradicts nothing."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        ...


def described(constraint: Any) -> dict[str, Any]:  # noqa: ANN401
    """The fields of a constraint that are not as by default, as JSON holds them."""
    own = {field.name: field.default for field in fields(constraint)}
    found = {key: getattr(constraint, key) for key in own}
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in found.items() if v != own[key]}
    return {"constraint": constraint.name, **plain}


def refuse_impossible(words: str, bad: Bool[np.ndarray, " n"]) -> None:
    """Raises a DataError if what is known of a row contradicts a constraint."""
    if bad.any():
        raise DataError(f"what is asked of {said_rows(bad)} contradicts {words}. Ask for something else.")


@dataclass(frozen=True)
class Less:
    """One column is never below another: its gap to that stands in its place.

    Where the lower one is missing, the gap is that to the lower one's median, so that gaps of all rows lie
    close together; which of both it is, is told by what is missing. What is missing stays so.

    Attributes:
        low: the lower column.
        high: the other.
        strict: whether they are never equal, either.
        anchor: median of the lower column in the training rows.
        step: of which all training values of the other are multiples; 0 if of none.
        most: the largest of these.
    """

    low: str
    high: str
    strict: bool = False
    anchor: float = 0.0
    step: float = 0.0
    most: float | None = None

    name = "less"
    makes, bounds = NOTHING, UNBOUND

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"{self.low} {'<' if self.strict else '<='} {self.high}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Both."""
        return (self.low, self.high)

    @property
    def reads(self) -> tuple[str, ...]:
        """The lower one."""
        return (self.low,)

    @property
    def changes(self) -> tuple[str, ...]:
        """The other."""
        return (self.high,)

    def fitted(self, df: pd.DataFrame) -> Less:
        """With the lower one's median, and the grid and the largest of the other."""
        low, high = numbers(df, self.low), numbers(df, self.high)
        low, high = low[~np.isnan(low)], high[~np.isnan(high)]
        anchor = float(np.median(low)) if len(low) else 0.0
        return replace(self, anchor=anchor, step=grid_of(high), most=float(high.max()) if len(high) else None)

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With the gap in place of the upper column."""
        return with_columns(df, {self.high: numbers(df, self.high) - self._start(numbers(df, self.low))})

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With the upper column, never below the other."""
        low, gap = numbers(df, self.low), numbers(df, self.high)
        high = on_grid(self._start(low) + gap, self.step)
        if self.most is not None:
            high = np.where(high > self.most, self.most, high)
        least = self._least(low)
        return with_columns(df, {self.high: np.where(high < least, least, high)})

    def _start(self, low: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(low), self.anchor, low)

    def _least(self, low: np.ndarray) -> np.ndarray:
        """What the upper column may be at least; NaN where nothing is known of it."""
        if not self.step:
            return np.nextafter(low, np.inf) if self.strict else low
        near = on_grid(low, self.step)
        below = (near <= low) if self.strict else (near < low)
        return np.where(below, on_grid(near + self.step, self.step), near)

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """The gap where both are known; the upper one alone cannot be told."""
        if self.high not in df.columns:
            return df, np.zeros(len(df), bool)
        own = filled(df, self.columns)
        refuse_impossible(self.words, self.violations(own))
        low, high = numbers(own, self.low), numbers(own, self.high)
        return with_columns(df, {self.high: high - low}), np.isnan(low) & ~np.isnan(high)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Where the upper column is below the other."""
        low, high = numbers(df, self.low), numbers(df, self.high)
        return (high <= low) if self.strict else (high < low)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


@dataclass(frozen=True)
class Within:
    """A column lies between two values, both among them; the column itself stays.

    Attributes:
        column: of numbers or dates.
        low, high: the least and the largest, a date as text; None for no end.
    """

    column: str
    low: float | str | None = None
    high: float | str | None = None

    name = "within"
    reads, changes, makes = (), (), NOTHING

    @property
    def words(self) -> str:
        """What holds, for people."""
        least = "" if self.low is None else f"{self.low} <= "
        return f"{least}{self.column}" + ("" if self.high is None else f" <= {self.high}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """The column's."""
        return {self.column: (end_of(self.low, -np.inf), end_of(self.high, np.inf))}

    def fitted(self, df: pd.DataFrame) -> Within:
        """Itself."""
        return self

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same."""
        return df

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With what lies beyond an end moved to it."""
        low, high = self.bounds[self.column]
        return with_columns(df, {self.column: np.clip(numbers(df, self.column), low, high)})

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """The same."""
        if self.column in df.columns:
            refuse_impossible(self.words, self.violations(df))
        return df, np.zeros(len(df), bool)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """What lies beyond an end."""
        x, (low, high) = numbers(df, self.column), self.bounds[self.column]
        return (x < low) | (x > high)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)
