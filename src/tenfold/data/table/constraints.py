"""What must hold of every row of a table: read from JSON, put in order, applied and undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool

from ...errors import DataError, suggest
from ..records import tuples
from .clean import cleaned
from .combinations import Together, Unique
from .rules import Constraint, Less, Within
from .sums import Sum
from .words import said_rows

if TYPE_CHECKING:
    import pandas as pd

    from .schema import TableSpec

__all__ = [
    "Constraint",
    "Known",
    "Less",
    "Sum",
    "Together",
    "Unique",
    "Within",
    "backward",
    "constraint_from_json",
    "fitted",
    "forward",
    "known_through",
    "loosened",
    "refuse_conflicts",
    "refuse_violated",
    "with_fitted",
]

KINDS: Mapping[str, Any] = {cls.name: cls for cls in (Less, Sum, Together, Within, Unique)}
FORMS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text"),
    "tuple[str, ...]": ((list, tuple), "a list of texts"),
    "tuple[int, ...]": ((list, tuple), "a list of counts"),
    "bool": ((bool,), "true or false"),
    "float": ((int, float), "a number"),
    "float | None": ((int, float, type(None)), "a number"),
    "float | str | None": ((int, float, str, type(None)), "a number, or a date as text"),
}
"""By the type of a field: what JSON may hold there, and what that is called."""
LISTED: Mapping[str, type] = {"tuple[str, ...]": str, "tuple[int, ...]": int}
TAKES: Mapping[str, tuple[str, ...]] = {
    "less": ("numeric", "datetime"),
    "sum": ("numeric",),
    "within": ("numeric", "datetime"),
    "together": ("numeric", "datetime", "categorical", "boolean"),
    "unique": ("numeric", "datetime", "categorical", "boolean", "id"),
}
"""By constraint, the kinds of columns that it may be about."""
FEWEST = {"less": 2, "sum": 3, "together": 2}  # different columns


def constraint_from_json(found: Mapping[str, Any]) -> Constraint:
    """The constraint that `to_json`, or a person, described.

    Raises:
        DataError: there is no such constraint or field, one is missing, or holds something else.

    Example:
        >>> constraint_from_json({"constraint": "less", "low": "start", "high": "end"}).words
        'start <= end'
    """
    name = found.get("constraint")
    if name is None or name not in KINDS:
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
    return KINDS[name](**tuples(given))


def refuse_other_form(where: str, value: Any, form: str) -> None:  # noqa: ANN401
    """Raises a DataError if a field of a constraint holds a value of another type."""
    types, words = FORMS[form]
    kind = type(value)
    good = issubclass(kind, types) and (bool in types or kind is not bool)
    inner = LISTED.get(form)
    if not good or (inner is not None and not all(type(each) is inner for each in value)):
        raise DataError(f"{where} is {value!r}; {words} was expected. Correct it.")


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
                f"the constraints {named} go round in a circle: each needs a column that another replaces. "
                "Leave one out."
            )
        done.append(free[0])
        left = [c for c in left if c is not free[0]]
    return done


def goes_before(first: Constraint, second: Constraint) -> bool:
    """Whether one is applied before another, which replaces or bounds a column that the one needs."""
    return bool({*first.reads, *first.bounds} & {*second.changes}) or bool({*first.reads} & {*second.bounds})


def circle(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Some that each go before the next, and the last before the first.

    Args:
        constraints: of which each has one that goes before it.
    """
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

    Without it, they hold as well; but how numbers are rounded, what is missing alone, and which combinations
    there are, is then not known.
    """
    return tuple(constraint.fitted(df) for constraint in constraints)


def loosened(constraints: Iterable[Constraint], spec: TableSpec) -> TableSpec:
    """The spec without the bounds of sums, by which rows are dressed: a sum is what its parts add up to."""
    sums = {name for constraint in constraints if constraint.name == "sum" for name in constraint.changes}
    columns = (
        replace(column, low=None, high=None) if column.name in sums else column for column in spec.columns
    )
    return replace(spec, columns=tuple(columns))


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of rows, as networks see them.

    Attributes:
        frame: columns after constraints of which something is known; what is missing is not known.
        later: by column, rows of which what was asked cannot be told the generator: they must be drawn until
            they have it.
    """

    frame: pd.DataFrame
    later: Mapping[str, Bool[np.ndarray, " n"]]


def known_through(constraints: Sequence[Constraint], known: pd.DataFrame, seed: int = 0) -> Known:
    """What is known of rows, told in the columns that constraints make.

    A gap is known where both of its ends are, the last part of a sum where the sum and the others are, and a
    combination is drawn from those that have what is known.

    Args:
        constraints: of the table, fitted.
        known: a clean frame of the columns of which something is known; what is missing is not.
        seed: of what is drawn.

    Raises:
        DataError: what is known of a row contradicts a constraint.
    """
    random, frame = np.random.default_rng(seed), known
    later: dict[str, Bool[np.ndarray, " n"]] = {}
    for constraint in ordered(constraints):
        asked = [name for name in constraint.changes if name in known.columns]
        frame, rows = constraint.known(frame, random)
        later |= {name: rows for name in asked if rows.any()}
    return Known(frame, later)


def with_fitted(df: pd.DataFrame, spec: TableSpec) -> TableSpec:
    """A spec whose constraints know what they need to know of all rows, held-out ones among them.

    Raises:
        DataError: constraints cannot hold together, or rows contradict one.
    """
    if not spec.constraints:
        return spec
    asked = tuple(constraint_from_json(fields) for fields in spec.constraints)
    refuse_conflicts(asked, spec)
    clean = cleaned(df, spec)
    refuse_violated(clean, asked)
    known = fitted(asked, clean)
    return replace(spec, constraints=tuple(constraint.to_json() for constraint in known))


def refuse_violated(df: pd.DataFrame, constraints: Iterable[Constraint]) -> None:
    """Raises a DataError if rows of a clean frame contradict a constraint; it names the first of them."""
    for constraint in constraints:
        bad = constraint.violations(df)
        if bad.any():
            raise DataError(
                f"of {len(df)} rows, {said_rows(bad)} contradict {constraint.words}. Correct them, or leave "
                "the constraint out."
            )


def refuse_conflicts(constraints: Sequence[Constraint], spec: TableSpec) -> None:
    """Refuse constraints that cannot hold together, or not of these columns.

    Raises:
        DataError: what they are, and what to do.
    """
    kinds = {column.name: column.kind for column in spec.columns}
    for constraint in constraints:
        refuse_columns(constraint, kinds)
    refuse_both(constraints)
    refuse_empty(constraints)
    ordered(constraints)


def refuse_columns(constraint: Constraint, kinds: Mapping[str, str]) -> None:
    """Raises a DataError if a constraint is about columns that it cannot be about."""
    own, takes = constraint.columns, TAKES[constraint.name]
    for name in own:
        if name not in kinds:
            raise DataError(f"{constraint.words}: there is no column {name!r}. {suggest(name, kinds)}")
        if kinds[name] not in takes:
            raise DataError(
                f"{constraint.words}: the column {name!r} is {kinds[name]}; {' or '.join(takes)} was "
                "expected. Leave the constraint out, or correct the kind."
            )
    fewest = FEWEST.get(constraint.name, 1)
    if len(set(own)) < len(own) or len(own) < fewest:
        raise DataError(
            f"{constraint.words}: {fewest} or more different columns were expected. Correct the constraint."
        )
    if constraint.name == "less" and len({kinds[name] for name in own}) > 1:
        raise DataError(f"{constraint.words}: one is a number and one a date. Compare columns of one kind.")
    taken = [name for name in constraint.makes if name in kinds]
    if taken:
        raise DataError(
            f"{constraint.words}: what is made of them is called {taken[0]!r}, as a column is. Rename that."
        )


def refuse_both(constraints: Sequence[Constraint]) -> None:
    """Raises a DataError if a column would have to be made by two constraints."""
    for i, first in enumerate(constraints):
        for second in constraints[i + 1 :]:
            both = {*first.changes} & {*second.changes}
            bounded = {*first.changes, *second.changes} & {*first.bounds, *second.bounds}
            summed = bounded and "sum" in (first.name, second.name)
            if both or summed:
                name = min(both or bounded)
                raise DataError(
                    f"{first.words}, and {second.words}: the column {name!r} cannot be made by both. Leave "
                    "one out, or put one on the columns that it follows from."
                )


def refuse_empty(constraints: Sequence[Constraint]) -> None:
    """Raises a DataError if nothing lies within the bounds of a column."""
    ends: dict[str, tuple[float, float]] = {}
    for constraint in constraints:
        for name, (least, most) in constraint.bounds.items():
            low, high = ends.get(name, (-np.inf, np.inf))
            ends[name] = max(low, least), min(high, most)
            if ends[name][0] > ends[name][1]:
                raise DataError(
                    f"{constraint.words}: nothing is left that {name!r} could be. Correct its bounds."
                )
