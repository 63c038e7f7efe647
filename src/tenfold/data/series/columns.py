"""Columns of a frame as numbers, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ...errors import DataError
from ..table.looking import typed
from .schema import SeriesColumn

if TYPE_CHECKING:
    import pandas as pd

MOST_LEVELS = 100
MOST_DECIMALS = 6
PLAIN = ("string", "boolean", "integer", "floating", "categorical", "empty")
"""What pandas calls values of one kind that may be categories."""


def decimals_of(x: Float[np.ndarray, " n"]) -> int | None:
    """The fewest decimals that write all of these finite numbers; None if six do not.

    Example:
        >>> decimals_of(np.array([0.25, 3.0])), decimals_of(np.array([1 / 3]))
        (2, None)
    """
    for decimals in range(MOST_DECIMALS + 1):
        if (np.abs(np.round(x, decimals) - x) <= 1e-12 * np.abs(x)).all():
            return decimals
    return None


def number_column(name: str, dtype: str, x: Float[np.ndarray, " n"]) -> SeriesColumn:
    """What is known of numbers, of which some may be missing.

    Raises:
        DataError: one is infinite, or all are missing.
    """
    infinite = np.flatnonzero(np.isinf(x))
    if len(infinite):
        raise DataError(
            f"{name} is infinite in {len(infinite)} rows (first: row {infinite[0] + 1}). Finite numbers were "
            "expected. Correct them or leave them out."
        )
    known = x[~np.isnan(x)]
    if not len(known):
        raise DataError(f"{name} has no value at all. Leave it out.")
    return SeriesColumn(name, dtype, (), decimals_of(known), float(known.min()), float(known.max()))


def learnt(column: pd.Series[Any], *, category: bool) -> tuple[SeriesColumn, Float[np.ndarray, " n"]]:
    """What is known of a column, and its numbers: of numbers NaN where missing, of categories which it is.

    Args:
        column: of a frame.
        category: whether its numbers stand for categories.

    Raises:
        DataError: it cannot be learnt.
    """
    from pandas.api import types

    name, dtype = str(column.name), str(column.dtype)
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        raise DataError(
            f"{name} holds dates or durations beside the column of times. Leave it out, or make numbers of "
            "it."
        )
    if category or types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
        return levels_of(column)
    x = column.to_numpy(np.float64, na_value=np.nan)
    return number_column(name, dtype, x), x


def levels_of(column: pd.Series[Any]) -> tuple[SeriesColumn, Float[np.ndarray, " n"]]:
    """A column's categories, and which each row has; blanks around texts tell none apart.

    Raises:
        DataError: values are of several kinds, or of too many.
    """
    import pandas as pd

    name = str(column.name)
    plain = column.astype(object)
    kind = pd.api.types.infer_dtype(plain, skipna=True)
    if kind not in PLAIN:
        where = odd_row(plain)
        raise DataError(
            f"{name} holds values of several kinds, or of one that cannot be learnt ({kind}; row "
            f"{where + 1} has {plain.iloc[where]!r}). Numbers, or texts, were expected: convert it."
        )
    key = plain.str.strip() if kind == "string" else plain
    codes, known = pd.factorize(key, sort=True)
    if not len(known):
        raise DataError(f"{name} has no value at all. Leave it out.")
    if len(known) > MOST_LEVELS:
        raise DataError(
            f"{name} has {len(known)} different values; at most {MOST_LEVELS} categories were expected. If "
            "it is an id or free text, leave it out; if it is a number, convert it."
        )
    first = first_places(codes, len(known))
    levels = [plain_value(plain.iloc[i]) for i in first]
    if (codes < 0).any():
        levels.append(None)
        codes = np.where(codes < 0, len(known), codes)
    return SeriesColumn(name, str(column.dtype), tuple(levels)), codes.astype(np.float64)


def odd_row(plain: pd.Series[Any]) -> int:
    """Number of the first row whose value is of another type than the first value."""
    known = np.flatnonzero(plain.notna().to_numpy())
    first = type(plain.iloc[known[0]])
    return int(next((i for i in known if type(plain.iloc[i]) is not first), known[0]))


def first_places(codes: Int[np.ndarray, " n"], count: int) -> Int[np.ndarray, " count"]:
    """Number of the first row of each category."""
    found, first = np.unique(codes, return_index=True)
    return first[found >= 0][:count]


def plain_value(value: Any) -> Any:  # noqa: ANN401
    """A category as JSON holds it."""
    return value.item() if isinstance(value, np.generic) else value


def restored(column: SeriesColumn, x: Float[np.ndarray, " n"]) -> pd.Series[Any]:
    """A column of a frame, of its numbers."""
    import pandas as pd

    if not column.levels:
        return as_type(pd.Series(x), column.dtype)
    table = np.empty(len(column.levels), object)
    table[:] = column.levels
    found = table[x.astype(np.int64)]
    if column.dtype == "category":
        known = [level for level in column.levels if level is not None]
        return pd.Series(pd.Categorical(found, categories=known))
    return as_type(pd.Series(found, dtype=object), column.dtype)


def as_type(values: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    """The same in another type; unchanged where it cannot hold them."""
    try:
        return typed(values, dtype)
    except (TypeError, ValueError):
        return values
