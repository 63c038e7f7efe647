"""Clean frames: numbers and dates as doubles, categories as text, whatever the data look like; and back.

Text is matched without blanks around it; `dressed` puts the original spelling back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from ...errors import DataError, suggest
from .column import Column
from .dates import parsed, seconds_of_dates
from .dress import dressed
from .looking import floats_of, nature_of
from .schema import TableSpec
from .words import Words, missing_words, none_where, plain_numbers, said_rows, words_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cleaned", "dressed", "labels_of", "numbers_of", "refuse_misfit", "seconds_of"]


def cleaned(df: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """The columns that are learnt, and ids as they are.

    Args:
        df: a frame of the table.
        spec: what is known of its columns; others are left out.

    Returns:
        Numbers as float64, NaN where missing. Date-times as float64, seconds since 1970, UTC. Categories and
        truth as objects: their text, None where missing. In the order of the spec, rows numbered from 0.

    Raises:
        DataError: a column is missing, or a value is not of its kind.
    """
    import pandas as pd

    here = {str(name): i for i, name in enumerate(df.columns)}
    absent = [column.name for column in spec.learnt if column.name not in here]
    if absent:
        raise DataError(
            f"The table lacks {len(absent)} of {len(spec.learnt)} columns (first: {absent[0]!r}). "
            f"{suggest(absent[0], here)}"
        )
    columns: dict[str, Any] = {}
    for column in spec.columns:
        if column.kind == "id" and column.name in here:
            columns[column.name] = df.iloc[:, here[column.name]].reset_index(drop=True)
        elif column.learnt:
            columns[column.name] = _clean(df.iloc[:, here[column.name]], column)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(df)))


def _clean(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    import pandas as pd

    if column.kind == "numeric":
        return pd.Series(numbers_of(series, column))
    if column.kind == "datetime":
        return pd.Series(seconds_of(series, column))
    return pd.Series(labels_of(series, column), dtype=object)


def numbers_of(series: pd.Series[Any], column: Column) -> Float[np.ndarray, " n"]:
    """A column of numbers, or of text that is numbers, as doubles; NaN where missing.

    Raises:
        DataError: some are not numbers, or infinite.
    """
    if nature_of(series) in ("number", "truth"):
        values = floats_of(series)
    else:
        words = words_of(series)
        numbers = plain_numbers(words.texts, column.decimal)
        _refuse_wrong(words, np.isnan(numbers) & ~_absent(words, column), column, "are no numbers")
        values = words.rows(numbers, np.nan).astype(np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"The column {column.name!r} is infinite in {said_rows(infinite)}. Correct them, or leave the "
            "cells empty."
        )
    return values


def seconds_of(series: pd.Series[Any], column: Column) -> Float[np.ndarray, " n"]:
    """A column of dates, or of text that is dates in the column's format or ISO 8601, as seconds since 1970.

    Raises:
        DataError: some are no dates.
    """
    if nature_of(series) == "date":
        values, missing = seconds_of_dates(series), series.isna().to_numpy(bool)
        beyond = np.isnan(values) & ~missing
        if beyond.any():
            raise DataError(
                f"The column {column.name!r} has dates in {said_rows(beyond)} that pandas cannot hold. "
                "Correct them, or leave the cells empty."
            )
        return values
    words = words_of(series)
    seconds = np.full(len(words.texts), np.nan)
    for format in (column.format, None):
        left = np.isnan(seconds)
        if left.any():
            seconds[left] = parsed(words.texts[left], format)
    expected = "" if column.format is None else f" in the format {column.format}"
    wrong = np.isnan(seconds) & ~_absent(words, column)
    _refuse_wrong(words, wrong, column, f"are no dates{expected}")
    return words.rows(seconds, np.nan).astype(np.float64)


def labels_of(series: pd.Series[Any], column: Column) -> np.ndarray:
    """A column of categories or of truth as text without blanks around it; None where missing.

    Raises:
        DataError: some are none of the column's categories.
    """
    words, known = words_of(series), {*column.categories}
    absent = _spelt_missing(words, column)
    unknown = np.array([text not in known for text in words.texts], bool) & ~absent
    if unknown.any():
        text = words.texts[unknown][0]
        rows = said_rows(_rows(words, unknown))
        raise DataError(
            f"The column {column.name!r} has {int(unknown.sum())} unknown categories in {rows}, such as "
            f"{text!r}. {suggest(str(text), known)}"
        )
    return words.rows(none_where(absent, words.texts), None)


def refuse_misfit(df: pd.DataFrame, spec: TableSpec) -> None:
    """Refuses a spec that says of the training data what is not so.

    Raises:
        DataError: a column lacks a category that the spec names, has numbers or dates beyond its bounds, or
            has missing values where there shall be none.
    """
    clean = cleaned(df, spec)
    for column in spec.learnt:
        cells = clean[column.name]
        missing = cells.isna().to_numpy(bool)
        if missing.any() and not column.missing:
            raise DataError(
                f"The spec says that nothing is missing in the column {column.name!r}, and it is in "
                f'{said_rows(missing)}. Set "missing" to true, or fill them in.'
            )
        if column.kind in ("numeric", "datetime"):
            _refuse_beyond(cells.to_numpy(np.float64), column)
        else:
            _refuse_unused(cells, column)


def _refuse_beyond(values: Float[np.ndarray, " n"], column: Column) -> None:
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    beyond = (values < low) | (values > high)
    if beyond.any():
        raise DataError(
            f"The spec says that the column {column.name!r} lies between low and high, and "
            f"{said_rows(beyond)} do not. Widen the bounds, or correct these rows."
        )


def _refuse_unused(cells: pd.Series[Any], column: Column) -> None:
    there = set(cells.dropna().unique())
    unused = [text for text in column.categories if text not in there]
    if unused:
        raise DataError(
            f"The spec names {len(unused)} categories of the column {column.name!r} that no row has (first: "
            f"{unused[0]!r}). {suggest(unused[0], there)} Remove it from the spec, or correct it there."
        )


def _absent(words: Words, column: Column) -> Bool[np.ndarray, " k"]:
    return missing_words(words.texts) | _spelt_missing(words, column)


def _spelt_missing(words: Words, column: Column) -> Bool[np.ndarray, " k"]:
    spelt = None if column.missing_as is None else column.missing_as.strip()
    return np.array([text == spelt for text in words.texts], bool)


def _rows(words: Words, which: Bool[np.ndarray, " k"]) -> Bool[np.ndarray, " n"]:
    """Rows that have one of some texts."""
    return np.append(which, False)[words.codes]


def _refuse_wrong(words: Words, wrong: Bool[np.ndarray, " k"], column: Column, what: str) -> None:
    if wrong.any():
        rows = said_rows(_rows(words, wrong))
        raise DataError(
            f"The column {column.name!r} has values in {rows} that {what}, such as "
            f"{words.originals[wrong][0]!r}. Correct them, or leave the cells empty."
        )
