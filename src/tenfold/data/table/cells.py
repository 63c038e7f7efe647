"""A table's codec: frames to stored values, these to rows as networks see them, and back (decision 013)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ...draw import derive
from ...errors import DataError, suggest
from ..spec import Cell
from .clean import cleaned, dressed
from .codes import Code, category_code, code_from_json, number_code
from .constraints import (
    Constraint,
    backward,
    constraint_from_json,
    forward,
    loosened,
)
from .describe import MOST_OPTIONS
from .encoder import RowEncoder, decoded
from .frames import Container
from .ids import make_ids
from .mixture import near_enough
from .schema import LEARNT, Column, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

STEPS = {
    "day": 86400.0,
    "hour": 3600.0,
    "minute": 60.0,
    "second": 1.0,
    "millisecond": 1e-3,
    "microsecond": 1e-6,
}
"""Seconds of each unit."""


@dataclass(frozen=True)
class TableCodec:
    """How frames become stored values, and samples become frames again.

    Attributes:
        spec: what is known of the columns.
        codes: of those that are learnt, after constraints, in the order of the cells.
        container: what the data came in, and go out in.
    """

    spec: TableSpec
    codes: tuple[Code, ...]
    container: Container

    kind = "table"

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            "kind": self.kind,
            "spec": self.spec.to_json(),
            "codes": [code.to_json() for code in self.codes],
            "container": self.container.to_json(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> TableCodec:
        """The codec that `to_json` described."""
        codes = tuple(code_from_json(code) for code in fields["codes"])
        return cls(TableSpec.from_json(fields["spec"]), codes, Container.from_json(fields["container"]))

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The columns as networks see them."""
        return tuple(code.cell for code in self.codes)

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """What must hold of every row."""
        return tuple(constraint_from_json(fields) for fields in self.spec.constraints)

    @cached_property
    def encoder(self) -> RowEncoder:
        """Stored values to rows."""
        return RowEncoder(self.codes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row as the networks see it."""
        return (sum(cell.options + cell.scalar for cell in self.cells),)

    def encode(self, values: Float[np.ndarray, "n c"]) -> Tensor:
        """Stored values to rows, each in its likeliest mode."""
        return self.encoder(values)

    def decode(self, rows: Tensor) -> Float[np.ndarray, "n c"]:
        """Rows to stored values."""
        return decoded(self.codes, rows)

    def values_of(self, df: pd.DataFrame) -> Float[np.ndarray, "n c"]:
        """Stored values of a frame of the same columns.

        Raises:
            DataError: a column is missing, or holds what the training data did not.
        """
        return self.stored(forward(self.constraints, cleaned(df, self.spec)))

    def stored(self, inner: pd.DataFrame) -> Float[np.ndarray, "n c"]:
        """Stored values of a clean frame to which the constraints were applied."""
        values = np.empty((len(inner), len(self.codes)))
        for i, code in enumerate(self.codes):
            column = inner[code.name]
            values[:, i] = column.to_numpy(np.float64) if code.category is None else labelled(column, code)
        return values

    def frame_of(self, values: Float[np.ndarray, "n c"], seed: int = 0, first: int = 0) -> pd.DataFrame:
        """A frame of stored values, with everything that is not learnt made anew.

        Args:
            values: stored.
            seed: of what is drawn: ids, and which rare category stands for the others.
            first: number of the first row.
        """
        frame = backward(self.constraints, self.inner(values, derive(seed, "rare", first)))
        for column in self.spec.columns:
            if column.kind == "id":
                frame[column.name] = make_ids(column, len(values), first, derive(seed, "ids"))
        return dressed(frame, loosened(self.constraints, self.spec))

    def inner(self, values: Float[np.ndarray, "n c"], seed: int) -> pd.DataFrame:
        """Columns as they were before constraints were undone."""
        import pandas as pd

        random = np.random.default_rng(seed)
        columns: dict[str, Any] = {}
        for i, code in enumerate(self.codes):
            category, stored = code.category, values[:, i]
            columns[code.name] = stored if category is None else category.labels(stored, random)
        return pd.DataFrame(columns, index=pd.RangeIndex(len(values)))

    def place(self, name: str) -> int:
        """Number of a column's cell.

        Raises:
            DataError: if there is none of that name, with a suggestion.
        """
        names = [code.name for code in self.codes]
        if name not in names:
            raise DataError(f"there is no column {name!r} that is learnt. {suggest(name, names)}")
        return names.index(name)


def labelled(column: pd.Series[Any], code: Code, exact: bool = False) -> np.ndarray:
    """Options' numbers of a column's labels.

    Args:
        column: of a clean frame.
        code: of the column.
        exact: whether the numbers of rare categories tell which they are.

    Raises:
        DataError: there is one that the training data had not.
    """
    assert code.category is not None
    numbers = code.category.stored(column.to_numpy(object), exact)
    unknown = np.flatnonzero(numbers < 0)
    if len(unknown):
        label = column.iloc[unknown[0]]
        known = (*code.category.categories, *code.category.rare)
        what = "has no value" if label is None else f"is {label!r}, which the training data had not"
        raise DataError(
            f"The column {code.name!r} {what} in {len(unknown)} rows (first: row {unknown[0] + 1}). "
            + suggest(str(label), known)
        )
    return numbers


def fit_codec(
    df: pd.DataFrame,
    spec: TableSpec,
    container: Container,
    seed: int,
    say: Callable[[str], None] = lambda text: None,
) -> TableCodec:
    """The codec of a table, by its training rows.

    Args:
        df: the training rows.
        spec: what is known of the columns; its constraints are fitted (see `constraints.with_fitted`).
        container: what they came in.
        seed: of what is drawn.
        say: told how far it is.

    Raises:
        DataError: nothing is left to learn.
    """
    constraints = tuple(constraint_from_json(fields) for fields in spec.constraints)
    inner = forward(constraints, cleaned(df, spec))
    made = {name: levels for constraint in constraints for name, levels in constraint.makes.items()}
    changed = {name for constraint in constraints for name in constraint.changes}
    known = {column.name: unbounded(column, changed) for column in spec.columns}
    names = [name for name in inner.columns if name not in known or known[name].kind in LEARNT]
    if not names:
        raise DataError("no column is left to learn: all are ids, constants or left out. Edit the spec.")

    def code(name: str) -> Code:
        seed_of = derive(seed, "codes", name)
        found = code_of(name, inner[name], known.get(name), seed_of, made.get(name, ()))
        say(f"column {name}: {found.cell.options} options")
        return found

    # Threads: scikit-learn's mixtures leave Python's lock for most of their time.
    with near_enough(), ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 1))) as threads:
        return TableCodec(spec, tuple(threads.map(code, names)), container)


def code_of(
    name: str, values: pd.Series[Any], column: Column | None, seed: int, levels: Sequence[str] = ()
) -> Code:
    """The code of one column after constraints.

    Args:
        name: of the column.
        values: clean, of the training rows.
        column: what is known of it; None if a constraint made it.
        seed: of what is drawn.
        levels: categories, if a constraint made it of some.
    """
    if values.dtype == np.float64:
        step = 0.0 if column is None else step_of(column)
        log, masses = (False, ()) if column is None else (column.log, column.masses)
        x = values.to_numpy(np.float64)
        held = tuple(mass for mass in masses if (x == mass).any())
        ends = (None, None) if column is None else (column.low, column.high)
        return number_code(name, x, step=step, log=log, masses=held, seed=seed, bounds=ends)
    labels = values.to_numpy(object)
    if column is not None and column.categories:
        categories: Sequence[str] = column.categories
    else:
        categories = levels or sorted({label for label in labels if label is not None})
    most = MOST_OPTIONS if column is None or column.rare_beyond is None else column.rare_beyond
    # A held-out row may lack what no training row lacks.
    return category_code(name, labels, tuple(categories), most, column is not None and column.missing)


def unbounded(column: Column, names: Collection[str]) -> Column:
    """The column without bounds if it is one of these, in whose place constraints put something else."""
    return replace(column, low=None, high=None) if column.name in names else column


def step_of(column: Column) -> float:
    """Of what all values of a column are multiples; 0 if of nothing."""
    if column.kind == "datetime":
        return STEPS.get(column.unit or "", 0.0)
    if column.integer:
        return 1.0
    return 0.0 if column.decimals is None else 10.0**-column.decimals
