"""What must hold of every row, by construction: columns are replaced by others that cannot break it.

All of them work on clean frames: numbers and dates (in seconds) are float64, NaN where missing; categories are
text, None where missing. Undone, columns may stand in another order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Bool, Float

from ...errors import DataError, suggest
from .grid import grid_of, on_grid

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3  # rows that contradict


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
    def makes(self) -> tuple[str, ...]:
        """Columns that it adds, and takes away again."""
        ...

    @property
    def bounds(self) -> tuple[str, ...]:
        """Columns that it only keeps within bounds."""
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

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Of which rows it does not hold. What is missing contradicts nothing."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        ...


@dataclass(frozen=True)
class Less:
    """One column is never below another: its gap to that stands in its place.

    Where the lower one is missing, the gap is that to the lower one's median: so gaps of all rows lie close
    together, and which of both they are is known by what is missing. If anything is missing, it stays so.

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
    makes = bounds = ()

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

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Where the upper column is below the other."""
        low, high = numbers(df, self.low), numbers(df, self.high)
        return (high <= low) if self.strict else (high < low)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


@dataclass(frozen=True)
class Sum:
    """One column is the sum of others: it is left out.

    Where parts or the total are missing without each other, what is left of the total beside the known parts
    stands in its place.

    Attributes:
        total: the sum.
        parts: the others.
        rest: whether that is so.
        step: of which all training values of the total are multiples; 0 if of none.
    """

    total: str
    parts: tuple[str, ...]
    rest: bool = False
    step: float = 0.0

    name = "sum"
    makes = bounds = ()

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
        """With the grid of the sum, and whether something is missing of it or of its parts alone."""
        total = numbers(df, self.total)
        alone = np.isnan(self._parts(df)).any(1) != np.isnan(total)
        return replace(self, rest=bool(alone.any()), step=grid_of(total[~np.isnan(total)]))

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """Without the sum, or with what is left of it."""
        if not self.rest:
            return df.drop(columns=self.total)
        total, parts = numbers(df, self.total), self._parts(df)
        left = total - np.nansum(parts, 1)
        whole = ~np.isnan(parts).any(1) & ~np.isnan(total)
        return with_columns(df, {self.total: np.where(whole, 0.0, left)})

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

    def _parts(self, df: pd.DataFrame) -> Float[np.ndarray, "n k"]:
        return np.stack([numbers(df, part) for part in self.parts], 1)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Where the sum is another, beyond what numbers are rounded by."""
        total, found = numbers(df, self.total), self._parts(df).sum(1)
        return ~np.isnan(total) & ~np.isnan(found) & ~np.isclose(found, total, rtol=1e-9, atol=1e-9)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


@dataclass(frozen=True)
class Together:
    """Only combinations of some columns that occur: one column of combinations stands in their place.

    Attributes:
        columns: those that belong together.
        numbers: which of them are numbers.
        known: the combinations of the training rows, each as JSON.
        times: how many rows have each.
    """

    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    times: tuple[int, ...] = ()

    name = "together"
    reads = bounds = ()

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"only combinations of {', '.join(self.columns)} that occur"

    @property
    def changes(self) -> tuple[str, ...]:
        """All of them."""
        return self.columns

    @property
    def joint(self) -> str:
        """What the column of combinations is called."""
        return " + ".join(self.columns)

    @property
    def makes(self) -> tuple[str, ...]:
        """The column of combinations."""
        return (self.joint,)

    def fitted(self, df: pd.DataFrame) -> Together:
        """With the combinations that occur."""
        known, times = np.unique(combined(df, self.columns).astype(str), return_counts=True)
        floats = tuple(name for name in self.columns if df[name].dtype == np.float64)
        return replace(self, numbers=floats, known=tuple(known.tolist()), times=tuple(times.tolist()))

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With combinations in place of the columns."""
        joint = combined(df, self.columns)
        return with_columns(df.drop(columns=list(self.columns)), {self.joint: joint})

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With the columns of each combination."""
        import pandas as pd

        codes, texts = pd.factorize(df[self.joint].to_numpy(object))
        rows = [json.loads(text) for text in texts]
        columns: dict[str, np.ndarray] = {}
        for place, name in enumerate(self.columns):
            cells = np.empty(len(rows), object)
            cells[:] = [row[place] for row in rows]
            number = name in self.numbers or any(type(cell) is float for cell in cells)
            columns[name] = (cells.astype(np.float64) if number else cells)[codes]
        return with_columns(df.drop(columns=self.joint), columns)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Which combinations the training rows had not; none if they are not known."""
        found = combined(df, self.columns)
        return ~np.isin(found.astype(str), self.known) if self.known else np.zeros(len(df), bool)

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
    reads = changes = makes = ()

    @property
    def words(self) -> str:
        """What holds, for people."""
        ends = (f"{self.low} <= " if self.low is not None else "", f" <= {self.high}")
        return f"{ends[0]}{self.column}{ends[1] if self.high is not None else ''}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def bounds(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as numbers."""
        return end_of(self.low, -np.inf), end_of(self.high, np.inf)

    def fitted(self, df: pd.DataFrame) -> Within:
        """Itself."""
        return self

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same."""
        return df

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With what lies beyond an end moved to it."""
        return with_columns(df, {self.column: np.clip(numbers(df, self.column), *self.ends)})

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """What lies beyond an end."""
        x, (low, high) = numbers(df, self.column), self.ends
        return (x < low) | (x > high)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


@dataclass(frozen=True)
class Unique:
    """No two rows have the same values of some columns: rows that repeat are drawn again.

    Attributes:
        columns: those that tell rows apart.
    """

    columns: tuple[str, ...]

    name = "unique"
    changes = makes = bounds = ()

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"no two rows with the same {', '.join(self.columns)}"

    @property
    def reads(self) -> tuple[str, ...]:
        """All of them."""
        return self.columns

    def fitted(self, df: pd.DataFrame) -> Unique:
        """Itself."""
        return self

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same."""
        return df

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same: whoever makes rows asks for `violations`, and draws these again."""
        return df

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Rows that repeat one before them; those of which all is missing repeat nothing."""
        own = df[list(self.columns)]
        return (own.duplicated() & own.notna().any(axis=1)).to_numpy(bool)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


KINDS: Mapping[str, Any] = {cls.name: cls for cls in (Less, Sum, Together, Within, Unique)}
FORMS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "the name of a column"),
    "tuple[str, ...]": ((list, tuple), "a list of columns"),
    "tuple[int, ...]": ((list, tuple), "a list of counts"),
    "bool": ((bool,), "true or false"),
    "float": ((int, float), "a number"),
    "float | None": ((int, float, type(None)), "a number"),
    "float | str | None": ((int, float, str, type(None)), "a number, or a date as text"),
}
"""By the type of a field: what JSON may hold there, and what that is called."""
LISTED: Mapping[str, type] = {"tuple[str, ...]": str, "tuple[int, ...]": int}


def constraint_from_json(found: Mapping[str, Any]) -> Constraint:
    """The constraint that `to_json`, or a person, described.

    Raises:
        DataError: there is no such constraint or field, one is missing, or holds something else.

    Example:
        >>> constraint_from_json({"constraint": "less", "low": "start", "high": "end"}).words
        'start <= end'
    """
    name = found.get("constraint")
    if name not in KINDS:
        raise DataError(f"there is no constraint {name!r}. {suggest(str(name), KINDS)}")
    known = {field.name: field for field in fields(KINDS[name])}
    given = {key: value for key, value in found.items() if key != "constraint"}
    for key, value in given.items():
        if key not in known:
            raise DataError(f"the constraint {name!r} has no field {key!r}. {suggest(key, known)}")
        refuse_other_form(f"{name}.{key}", value, str(known[key].type))
    missing = [key for key, field in known.items() if field.default is MISSING and key not in given]
    if missing:
        raise DataError(f"the constraint {name!r} lacks {missing[0]!r}. Add it.")
    return KINDS[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def refuse_other_form(where: str, value: Any, form: str) -> None:  # noqa: ANN401
    """Raises a DataError if a field of a constraint holds a value of another type."""
    types, words = FORMS[form]
    good = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    inner = LISTED.get(form)
    if not good or (inner is not None and not all(type(each) is inner for each in value)):
        raise DataError(f"{where} is {value!r}; {words} was expected. Correct it.")


def described(constraint: Constraint) -> dict[str, Any]:
    """The fields that are not as by default, as JSON holds them."""
    own = {field.name: field.default for field in fields(constraint)}  # pyright: ignore[reportArgumentType]
    values = {key: getattr(constraint, key) for key, default in own.items()}
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in values.items() if v != own[key]}
    return {"constraint": constraint.name, **plain}


def with_columns(df: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The frame with some columns replaced, or added at its end; text stays a column of objects."""
    import pandas as pd

    own = {
        name: pd.Series(cells, index=df.index, dtype=object if cells.dtype == object else None)
        for name, cells in columns.items()
    }
    return df.assign(**own)


def numbers(df: pd.DataFrame, name: str) -> Float[np.ndarray, " n"]:
    """A column of numbers."""
    return df[name].to_numpy(np.float64)


def combined(df: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The values of some columns as one text per row, a JSON list."""
    import pandas as pd

    cells = [df[name].to_numpy(object) for name in names]
    key = np.zeros(len(df), np.int64)
    for column in cells:
        codes, known = pd.factorize(pd.Series(column, dtype=object))
        key, _ = pd.factorize(key * (len(known) + 1) + codes + 1)  # small again, however many columns
    _, first = np.unique(key, return_index=True)
    rows = [[None if pd.isna(column[i]) else column[i] for column in cells] for i in first]
    texts = np.empty(len(rows), object)
    texts[:] = [json.dumps(row, ensure_ascii=False) for row in rows]
    return texts[key]


def end_of(value: float | str | None, none: float) -> float:
    """An end of a range as a number, of a date its seconds since 1970.

    Raises:
        DataError: a text is no date.
    """
    if not isinstance(value, str):
        return none if value is None else float(value)
    import pandas as pd

    try:
        return float(pd.Timestamp(value).timestamp())
    except ValueError as error:
        raise DataError(f"{value!r} is no date, such as 2024-05-31. Correct the constraint.") from error


def ordered(constraints: Sequence[Constraint]) -> list[Constraint]:
    """In the order in which they are applied; they are undone from the end.

    Raises:
        DataError: they go round in a circle.
    """
    left, done = list(constraints), list[Constraint]()
    while left:
        free = [c for c in left if not any(goes_before(other, c) for other in left if other is not c)]
        if not free:
            named = " and ".join(c.words for c in circle(left))
            raise DataError(
                f"the constraints {named} go round in a circle: each needs what another replaces. Leave one out."
            )
        done.append(free[0])
        left = [c for c in left if c is not free[0]]
    return done


def goes_before(first: Constraint, second: Constraint) -> bool:
    """Whether one must be applied before another, which replaces what it reads or keeps within bounds."""
    return bool({*first.reads, *first.bounds} & {*second.changes}) or bool({*first.reads} & {*second.bounds})


def circle(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Some that each must go before the next, and the last before the first; each has one before it."""
    path = [constraints[0]]
    while True:
        before = next(c for c in constraints if c is not path[-1] and goes_before(c, path[-1]))
        known = next((i for i, c in enumerate(path) if c is before), None)
        if known is not None:
            return path[known:][::-1]
        path.append(before)


def forward(constraints: Sequence[Constraint], df: pd.DataFrame) -> pd.DataFrame:
    """A clean frame with all constraints applied."""
    for constraint in ordered(constraints):
        df = constraint.forward(df)
    return df


def backward(constraints: Sequence[Constraint], df: pd.DataFrame) -> pd.DataFrame:
    """The clean frame again: all constraints hold of it."""
    for constraint in reversed(ordered(constraints)):
        df = constraint.backward(df)
    return df


def fitted(constraints: Iterable[Constraint], df: pd.DataFrame) -> tuple[Constraint, ...]:
    """The same with what they need to know of the training rows, a clean frame.

    Without it they work, too; but what is missing, and how numbers are rounded, is then told less well.
    """
    return tuple(constraint.fitted(df) for constraint in constraints)


def refuse_violated(df: pd.DataFrame, constraints: Iterable[Constraint]) -> None:
    """Raises a DataError if rows of a clean frame contradict a constraint; it names the first of them."""
    for constraint in constraints:
        rows = np.flatnonzero(constraint.violations(df)) + 1
        if len(rows):
            named = ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")
            raise DataError(
                f"{len(rows)} of {len(df)} rows contradict {constraint.words} (row {named}). Correct them, or "
                "leave the constraint out."
            )
