"""Whether rows are what was asked for, and within the bounds that hold for every row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from ...errors import DataError
from ..rows import Undefined
from .design import TableRows
from .marginals import ByColumn

_ROUNDING = 1e-9  # of what was asked for; a number that is off by less is right

Asked = Mapping[int, float | tuple[float, float]]
"""Number of a column to what it shall be: the number of a category, a number, NaN for a missing one, or the
lowest and the highest number it may be."""


def condition_satisfaction(rows: TableRows, asked: Asked) -> ByColumn:
    """Share of rows that are in every column what was asked for, and such a share for each asked column.

    Raises:
        DataError: if a column is asked for that is not there, or its lowest value is above its highest.
        Undefined: if there are no rows, or nothing was asked for.
    """
    if not (len(rows) and asked):
        raise Undefined(
            f"Not defined for {len(rows)} rows and {len(asked)} conditions: at least one of each expected. "
            "Ask for something, and judge what came of it."
        )
    unknown = [place for place in asked if not 0 <= place < len(rows.names)]
    if unknown:
        raise DataError(
            f"Found conditions on the columns {unknown}, expected numbers from 0 to {len(rows.names) - 1}. "
            "Look up the column's number with `place(name)`."
        )
    held = {place: _holds(rows.values[:, place], what, rows.names[place]) for place, what in asked.items()}
    every = np.stack(list(held.values())).all(axis=0)
    return ByColumn(float(every.mean()), {rows.names[place]: float(ok.mean()) for place, ok in held.items()})


def _holds(
    x: Float[np.ndarray, " n"], what: float | tuple[float, float], name: str
) -> Bool[np.ndarray, " n"]:
    low, high = what if isinstance(what, tuple) else (what, what)
    if np.isnan(low) and np.isnan(high):
        return np.isnan(x)
    if not low <= high:
        raise DataError(
            f"Found a condition on {name!r} from {low:g} to {high:g}, expected the lower number first. "
            "Swap them, or use infinity for a side without a bound."
        )
    return ~_outside(x, low, high) & ~np.isnan(x)


def out_of_bounds(rows: TableRows, low: Float[np.ndarray, " c"], high: Float[np.ndarray, " c"]) -> ByColumn:
    """Share of rows with a number beyond a bound of its column, and such a share for each column.

    Args:
        rows: what is judged.
        low: the least number that each column may hold; minus infinity for any. Missing ones may be anywhere.
        high: the largest; infinity for any.

    Raises:
        DataError: if there is not a bound of either kind for each column.
        Undefined: if there are no rows or no columns.
    """
    if not low.shape == high.shape == (len(rows.names),):
        raise DataError(
            f"Found {low.shape} lower and {high.shape} upper bounds for {len(rows.names)} columns, expected "
            "one for each. Give infinite ones where there are none."
        )
    if not (len(rows) and len(low)):
        raise Undefined(
            f"Not defined for {len(rows)} rows of {len(low)} columns: at least one of each was expected. "
            "Judge more rows."
        )
    outside = _outside(rows.values, low, high)
    shares = dict(zip(rows.names, outside.mean(axis=0).tolist(), strict=True))
    return ByColumn(float(outside.any(axis=1).mean()), shares)


def _outside(
    x: Float[np.ndarray, "..."],
    low: float | Float[np.ndarray, " c"],
    high: float | Float[np.ndarray, " c"],
) -> Bool[np.ndarray, "..."]:
    return (x < low - _slack(low)) | (x > high + _slack(high))


def _slack(bound: float | Float[np.ndarray, " c"]) -> Float[np.ndarray, "..."]:
    size = np.abs(np.asarray(bound, dtype=np.float64))
    return np.where(np.isinf(size), 0.0, _ROUNDING * size)
