"""Which kind each column of a frame is, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError, suggest
from .column import Column
from .describe import described, no_and_yes
from .faults import column_fault, inexact_fault, refuse_bad_frame, refuse_faults, shape_faults
from .keys import are_numbers_keys, are_texts_keys
from .looking import Looked, look_at
from .schema import LEARNT, TableSpec
from .words import Words, said_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guess", "infer", "refuse_bad_frame", "refuse_texts"]

MOST_CLASSES = 20
"""Different whole numbers up to which a target's are classes and no quantity."""
ROWS_OF_A_CLASS = 5  # on average, at least
LONG, WORDS, DIFFERENT = 40, 4, 0.5
"""Free text: characters on average or words on average, and share of the rows with a text of their own."""
NEARLY_ALL, ENOUGH = 0.9, 50
"""Share of different texts from which on, in so many rows, even short ones are names and no categories."""


def infer(df: pd.DataFrame, target: str | None = None, given: TableSpec | None = None) -> TableSpec:
    """What is known of a table.

    Args:
        df: the table, as `read_frame` gives it.
        target: column that is to be predicted from the others; a few whole numbers are taken for classes.
        given: what a person has said of some columns or of all: it holds. Where it says no more than the
            kind, the rest is filled in.

    Raises:
        DataError: nothing can be learnt from the table, or what was said does not fit it.
    """
    spec, faults = guess(df, target, given)
    refuse_faults(faults)
    return spec


def guess(
    df: pd.DataFrame, target: str | None = None, given: TableSpec | None = None
) -> tuple[TableSpec, list[str]]:
    """The same, and what stands in the way of learning; columns that cannot be learnt are left out.

    Raises:
        DataError: what was said does not fit the table.
    """
    faults = shape_faults(df)
    if faults:
        return TableSpec(()), faults
    said = {} if given is None else {column.name: column for column in given.columns}
    _refuse_unknown(df, [*said], "The spec describes")
    target = target if given is None or target is not None else given.target
    _refuse_unknown(df, [] if target is None else [target], "The target is")
    columns: list[Column] = []
    for name in map(str, df.columns):
        column, fault = _column(name, df[name], said.get(name), name == target)
        columns.append(column)
        faults += [] if fault is None else [fault]
    _refuse_hopeless(columns, target, faults)
    key = _key(df, columns, None if given is None else given.primary_key)
    constraints = () if given is None else given.constraints
    return TableSpec(
        tuple(columns), key, (*constraints, *_kept_unique(columns, key, constraints)), target
    ), faults


def _column(
    name: str, series: pd.Series[Any], said: Column | None, is_target: bool
) -> tuple[Column, str | None]:
    if said is not None and not said.bare:
        return said, inexact_fault(name, series) if said.kind == "numeric" else None
    looked = look_at(name, series)
    fault = None if said is not None else column_fault(looked)
    kind = kind_of(looked, is_target) if said is None else said.kind
    if fault is None and kind == "numeric":
        fault = inexact_fault(name, series)
    return described(looked, "ignore" if fault else kind, said), fault


def _kept_unique(
    columns: list[Column], key: str | None, constraints: tuple[Mapping[str, Any], ...]
) -> list[Mapping[str, Any]]:
    """The constraint that keeps a primary key unique which is learnt, if there is none yet."""
    learnt = any(column.learnt for column in columns if column.name == key)
    found = any(one.get("constraint") == "unique" and one.get("columns") == [key] for one in constraints)
    return [{"constraint": "unique", "columns": [key]}] if learnt and not found else []


def _refuse_unknown(df: pd.DataFrame, names: list[str], what: str) -> None:
    known = [str(name) for name in df.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(
            f"{what} a column {unknown[0]!r}, which the table does not have. {suggest(unknown[0], known)}"
        )


def _refuse_hopeless(columns: list[Column], target: str | None, faults: list[str]) -> None:
    kinds = {column.name: column.kind for column in columns}
    if target is not None and kinds[target] not in LEARNT and not faults:
        raise DataError(
            f"The target {target!r} is of kind {kinds[target]}, which is not learnt. Name another target, or "
            f"say in a spec that it is one of: {', '.join(LEARNT)}."
        )


def _key(df: pd.DataFrame, columns: list[Column], key: str | None) -> str | None:
    """The primary key: the one that was named, which must be one, or the first column of ids."""
    if key is None:
        return next((column.name for column in columns if column.kind == "id" and not column.missing), None)
    again = df[key].duplicated(keep=False).to_numpy(bool)
    if again.any():
        value = df[key].iloc[int(again.argmax())]
        raise DataError(
            f"The primary key {key!r} is not unique: {said_rows(again)} share a value with another (first: "
            f"{value!r}). Correct them, or name another column."
        )
    return key


def refuse_texts(spec: TableSpec) -> None:
    """Refuses columns of free text, and says what can be done.

    Raises:
        DataError: there are some.
    """
    texts = [column.name for column in spec.columns if column.kind == "text"]
    if texts:
        names = ", ".join(map(repr, texts))
        raise DataError(
            f'Free text cannot be learnt: {names}. Remove it, or say in a spec what it is: "kind": '
            '"ignore" leaves it out, "id" makes it anew, "categorical" takes each text for a category.'
        )


def kind_of(looked: Looked, is_target: bool = False) -> str:
    """Which kind a column is, by its values and its name."""
    return _KINDS_OF[looked.nature](looked, is_target)


def _kind_of_numbers(looked: Looked, is_target: bool) -> str:
    assert looked.values is not None
    values = looked.values
    distinct, rows = _distinct(looked, values), len(values)
    missing = bool(np.isnan(values).any())
    if not len(distinct):
        return "ignore"
    if len(distinct) == 1 and not missing:
        return "constant"
    if not is_target and are_numbers_keys(looked.name, distinct, rows):
        return "id"
    if len(distinct) <= 2:
        two = distinct.tolist() == [0, 1] and len(looked.known_words.texts) == 2
        return "boolean" if two else "categorical"
    few = len(distinct) <= max(2, min(MOST_CLASSES, rows // ROWS_OF_A_CLASS))
    if is_target and few and (distinct == np.rint(distinct)).all():
        return "categorical"
    return "numeric"


def _distinct(looked: Looked, values: np.ndarray) -> np.ndarray:
    """Different numbers; whole ones as they are, for doubles take some of the largest for one."""
    kind = looked.series.dtype.kind
    if looked.words is None and kind in "iu":
        return np.unique(looked.series.dropna().to_numpy(f"{kind}8"))
    return np.unique(values[np.isfinite(values)])


def _kind_of_truth(looked: Looked, is_target: bool) -> str:
    words = looked.known_words
    if len(words.texts) == 1 and not (words.codes < 0).any():
        return "constant"
    return "boolean" if len(words.texts) == 2 else "categorical"


def _kind_of_dates(looked: Looked, is_target: bool) -> str:
    assert looked.values is not None
    known = looked.values[~np.isnan(looked.values)]
    one = len(known) == len(looked.values) and len(np.unique(known)) == 1
    return "constant" if one else "datetime"


def _kind_of_categories(looked: Looked, is_target: bool) -> str:
    words = looked.known_words
    return "constant" if len(words.texts) == 1 and not (words.codes < 0).any() else "categorical"


def _kind_of_texts(looked: Looked, is_target: bool) -> str:
    words, rows = looked.known_words, len(looked.series)
    if len(words.texts) == 1 and not (words.codes < 0).any():
        return "constant"
    if len(words.texts) == 2 and no_and_yes(tuple(words.texts)):
        return "boolean"
    if is_target:
        return "categorical"
    if are_texts_keys(looked.name, words.texts, rows):
        return "id"
    return "text" if is_free_text(words) else "categorical"


def is_free_text(words: Words) -> bool:
    """Whether texts are sentences or names: long and mostly different, or nearly all different."""
    rows, different = int(words.counts.sum()), len(words.texts)
    if not rows:
        return False
    if different > NEARLY_ALL * rows and rows >= ENOUGH:
        return True
    length = float(np.mean([len(text) for text in words.texts]))
    count = float(np.mean([text.count(" ") + 1 for text in words.texts]))
    return different > max(DIFFERENT * rows, 2) and (length >= LONG or count >= WORDS)


_KINDS_OF: dict[str, Callable[[Looked, bool], str]] = {
    "number": _kind_of_numbers,
    "truth": _kind_of_truth,
    "date": _kind_of_dates,
    "category": _kind_of_categories,
    "text": _kind_of_texts,
    "other": lambda looked, is_target: "ignore",
}
