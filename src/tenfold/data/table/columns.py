"""Columns of clean frames: numbers and dates (in seconds) are float64, categories are text or None."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .dates import from_iso

if TYPE_CHECKING:
    import pandas as pd

CLOCK = (86400.0, 3600.0, 60.0)  # seconds of a day, an hour, a minute
DIGITS = 9  # after the point, at most, that make a grid


def numbers(df: pd.DataFrame, name: str) -> Float[np.ndarray, " n"]:
    """A column of numbers, NaN where missing."""
    return df[name].to_numpy(np.float64)


def with_columns(df: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The frame with some columns replaced, or added at its end; text stays a column of objects."""
    import pandas as pd

    own = {
        name: pd.Series(cells, index=df.index, dtype=object if cells.dtype == object else None)
        for name, cells in columns.items()
    }
    return df.assign(**own)


def filled(df: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The frame with columns of missing values in place of those that it has not."""
    empty = np.full(len(df), np.nan)
    return with_columns(df, {name: empty for name in names if name not in df.columns})


def combined(df: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The values of some columns as one text per row, a JSON list.

    Example:
        >>> import pandas as pd
        >>> combined(pd.DataFrame({"a": ["x", None], "b": [1.0, 2.5]}), ["a", "b"]).tolist()
        ['["x", 1.0]', '[null, 2.5]']
    """
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


def grid_of(x: Float[np.ndarray, " n"]) -> float:
    """The coarsest step of which all numbers are multiples: days, hours, minutes, or digits; 0 if of none.

    Example:
        >>> grid_of(np.array([1.0, 2.25])), grid_of(np.array([0.0, 7200.0])), grid_of(np.array([1 / 3]))
        (0.01, 3600.0, 0.0)
    """
    if not len(x):
        return 0.0
    for step in CLOCK:
        if not np.any(x % step):
            return step
    for digits in range(DIGITS + 1):
        if np.array_equal(np.round(x, digits), x):
            return 10.0**-digits
    return 0.0


def on_grid(x: Float[np.ndarray, " n"], step: float) -> Float[np.ndarray, " n"]:
    """The nearest multiples of a step, each as the double nearest to it; as they are with a step of 0."""
    if step == 0:
        return x
    return np.rint(x / step) * step if step >= 1 else np.round(x, round(-np.log10(step)))


def end_of(value: float | str | None, none: float) -> float:
    """An end of a range as a number, of a date its seconds since 1970.

    Raises:
        DataError: a text is no date.
    """
    if not isinstance(value, str):
        return none if value is None else float(value)
    try:
        return from_iso(value)
    except ValueError as error:
        raise DataError(f"{value!r} is no date, such as 2024-05-31. Correct the constraint.") from error
