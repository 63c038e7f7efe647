"""What stands in the way of learning from a frame, said with rows and columns."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from .ids import EXACT
from .looking import Looked, floats_of, look_at, nature_of, thousands
from .words import ODD_NUMBER, Words, missing_words, plain_numbers, said_rows

if TYPE_CHECKING:
    import pandas as pd

FEW_WORDS = 0.1
"""Share of the rows up to which words among numbers are taken for mistakes, and not for codes."""
MANY_NUMBERS = 20  # different ones, beyond which numbers are no list of codes
_SAID = 3
_CODE = re.compile(ODD_NUMBER)
_SPEC = 'say what it is in a spec ("kind": "categorical", or "ignore" to leave it out)'


def refuse_bad_frame(df: pd.DataFrame, left_out: Collection[str] = ()) -> None:
    """Refuses what nothing can be learnt from.

    Args:
        df: the table.
        left_out: columns that are not looked at, for their kinds are known.

    Raises:
        DataError: there are no rows or one, names occur twice, or a column is empty, mixed or infinite.
    """
    found = shape_faults(df)
    if not found:
        looked = (look_at(name, df[name]) for name in df.columns if name not in left_out)
        found = [fault for each in looked if (fault := column_fault(each)) is not None]
    refuse_faults(found)


def refuse_faults(faults: list[str]) -> None:
    """Raises a DataError that says the first few faults, if there are any."""
    if faults:
        more = len(faults) - _SAID
        raise DataError(" ".join(faults[:_SAID]) + (f" (And {more} more like that.)" if more > 0 else ""))


def shape_faults(df: pd.DataFrame) -> list[str]:
    """What is wrong with the table as a whole; columns cannot be looked at then."""
    names = [str(name) for name in df.columns]
    if not names:
        return ["The table has no columns. Rows of named values were expected."]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = ", ".join(str(i) for i, name in enumerate(names, start=1) if name == twice[0])
        return [f"Columns {places} have the same name, {twice[0]!r}. Give each a name of its own."]
    if len(df) < 2:
        rows = "a single row" if len(df) else "no rows"
        return [f"The table has {len(names)} columns and {rows}. A GAN learns from many; add some."]
    return []


def column_fault(looked: Looked) -> str | None:
    """What is wrong with a column, if anything."""
    name, words, values = looked.name, looked.words, looked.values
    if looked.series.isna().all() or (words is not None and _nothing(looked, words)):
        return f"The column {name!r} has no value at all: all {len(looked.series)} are missing. Remove it."
    if looked.nature == "other":
        return _of_objects(looked)
    if values is not None and np.isinf(values).any():
        infinite = said_rows(np.isinf(values))
        return f"The column {name!r} is infinite in {infinite}. Correct them, or leave the cells empty."
    if looked.nature == "text" and words is not None:
        return _of_texts(name, words)
    return None


def inexact_fault(name: str, series: pd.Series[Any]) -> str | None:
    """What is wrong with whole numbers that shall be learnt as quantities, if anything: a double rounds them.

    Args:
        name: of the column.
        series: its cells.
    """
    from pandas.api import types

    if nature_of(series) != "number" or not (types.is_integer_dtype(series) or series.dtype == object):
        return None
    values = floats_of(series)
    beyond = np.abs(values) >= EXACT
    if not beyond.any() or (values != np.rint(values))[~np.isnan(values)].any():
        return None
    return (
        f"The column {name!r} holds whole numbers of 2**53 or more, which are not learnt to the last digit: "
        f"{said_rows(beyond)} (first: {series.iloc[int(beyond.argmax())]}). Leave the cells empty if that "
        'stands for a missing value, or say in a spec what it is ("kind": "categorical", "id", or "ignore").'
    )


def _nothing(looked: Looked, words: Words) -> bool:
    if looked.nature != "text":
        return not len(words.texts)
    return bool(missing_words(words.texts).all())


def _of_objects(looked: Looked) -> str:
    """What is said of Python objects of several types, or of one that is no value of a table."""
    cells = looked.series.astype(object)
    words = np.array([isinstance(cell, str) for cell in cells], bool)
    numbers = np.array([isinstance(cell, int | float | np.number) for cell in cells], bool)
    numbers &= cells.notna().to_numpy(bool)
    if words.any() and numbers.any():
        fewer, what = (words, "words") if words.sum() <= numbers.sum() else (numbers, "numbers")
        return (
            f"The column {looked.name!r} mixes numbers and words: {said_rows(fewer)} hold {what} (such as "
            f"{cells.iloc[int(fewer.argmax())]!r}). Make all of it numbers, or all of it text."
        )
    first = cells[cells.notna()].iloc[0]
    return (
        f"The column {looked.name!r} holds values of the type {type(first).__name__} (such as "
        f"{str(first)[:40]!r}), or of several types. Make numbers, text, dates or true and false of them, or "
        "remove it."
    )


def _of_texts(name: str, words: Words) -> str | None:
    absent = missing_words(words.texts)
    texts, counts = words.texts[~absent], words.counts[~absent]
    joined = [text.replace(",", "") for text in texts]
    if thousands(texts) and not np.isnan(plain_numbers(joined)).any():
        return (
            f"The column {name!r} has numbers with commas (such as {texts[0]!r}), which may separate "
            "thousands or decimals. Write them without thousands separators."
        )
    if any(_CODE.match(text) for text in texts):
        return None
    numbers = min((plain_numbers(texts, decimal) for decimal in (".", ",")), key=lambda x: np.isnan(x).sum())
    wrong = np.isnan(numbers)
    rows = int(counts.sum())
    mistakes = counts[wrong].sum() <= max(2, FEW_WORDS * rows)
    if not mistakes or len(np.unique(numbers[~wrong])) <= min(MANY_NUMBERS, rows / 2):
        return None
    places = np.flatnonzero(~absent)[wrong]
    where = np.isin(words.codes, places)
    return (
        f"The column {name!r} mixes numbers and words: {said_rows(where)} hold words (such as "
        f"{texts[wrong][0]!r}). Correct them, leave the cells empty where nothing is known, or {_SPEC}."
    )
