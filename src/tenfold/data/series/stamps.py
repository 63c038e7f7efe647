"""When something was measured: dates and counted times as numbers, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from ..table.dates import format_of, parsed, written
from .columns import as_type, decimals_of
from .schema import TimeColumn

if TYPE_CHECKING:
    import pandas as pd

UNITS = (86400.0, 3600.0, 60.0, 1.0, 1e-3)
"""Of which dates may be multiples, in seconds."""
_EITHER = re.compile("%-?[md]([/-])%-?[md]\\1")  # formats that could as well have day and month change places


def read_times(column: pd.Series[Any]) -> tuple[TimeColumn, Float[np.ndarray, " n"]]:
    """What is known of a column of times, and these in seconds since 1970, or as they were counted.

    Raises:
        DataError: some are missing, or are no times.
    """
    from pandas.api import types

    name, dtype = str(column.name), str(column.dtype)
    refuse_missing(column)
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        x = column.to_numpy(np.float64)
        if not np.isfinite(x).all():
            raise DataError(
                f"{name} is infinite in row {np.flatnonzero(~np.isfinite(x))[0] + 1}. Correct it."
            )
        decimals = decimals_of(x)
        return TimeColumn(name, dtype, "number", None, 0.0 if decimals is None else 10.0**-decimals), x
    kind = "date" if types.is_datetime64_any_dtype(column.dtype) else "text"
    texts = texts_of(column) if kind == "text" else None
    format = None if texts is None else format_of(texts)
    if texts is not None and format is not None:
        x = parsed(texts, format)
        # Written by months alone, steps of less than a month would come out as one time.
        kept = format if "d" in format else None
        return TimeColumn(name, dtype, kind, None, unit_of(x), kept), x
    dates = column if kind == "date" else dates_of(column)
    zone = None if dates.dt.tz is None else str(dates.dt.tz)
    x = seconds_of(dates)
    return TimeColumn(name, dtype, kind, zone, unit_of(x)), x


def texts_of(column: pd.Series[Any]) -> np.ndarray | None:
    """Texts without blanks around them; None if some cells are no texts."""
    cells = column.astype(object).tolist()
    if not all(isinstance(cell, str) for cell in cells):
        return None
    return np.array([cell.strip() for cell in cells], object)


def doubts(column: TimeColumn, x: Float[np.ndarray, " n"]) -> list[str]:
    """A note where nothing in the dates tells their days from their months."""
    found = None if column.format is None else _EITHER.match(column.format)
    if found is None:
        return []
    days = x.astype("datetime64[s]").astype("datetime64[D]")
    if ((days - days.astype("datetime64[M]")).astype(int) >= 12).any():
        return []
    first = "month" if "m" in found[0][:3] else "day"
    return [
        f"no day of {column.name} is above 12: the {first} is taken to come first. If it does not, write "
        "dates such as 2024-01-31"
    ]


def refuse_missing(column: pd.Series[Any]) -> None:
    """Raises a DataError if a time is missing."""
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        raise DataError(
            f"{column.name} is missing in {len(missing)} of {len(column)} rows (first: row "
            f"{missing[0] + 1}). Every row needs its time: fill it in or remove the row."
        )


def dates_of(column: pd.Series[Any]) -> pd.Series[Any]:
    """Texts as dates.

    Raises:
        DataError: some are none.
    """
    import pandas as pd

    try:
        dates = pd.to_datetime(column, errors="coerce")
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{column.name} cannot be read as dates: {error}. Convert it.") from error
    bad = np.flatnonzero(dates.isna().to_numpy())
    if len(bad):
        raise DataError(
            f"{column.name} is no date in {len(bad)} of {len(column)} rows (first: row {bad[0] + 1}, "
            f"{column.iloc[bad[0]]!r}). Numbers or dates such as 2024-01-31 were expected."
        )
    return dates


def seconds_of(dates: pd.Series[Any]) -> Float[np.ndarray, " n"]:
    """Dates in seconds since 1970."""
    import pandas as pd

    plain = dates if dates.dt.tz is None else dates.dt.tz_convert("UTC").dt.tz_localize(None)
    return ((plain - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)).to_numpy(np.float64)


def unit_of(x: Float[np.ndarray, " n"]) -> float:
    """The largest unit of which all seconds are multiples; 0 if there is none."""
    for unit in UNITS:
        if (np.abs(x - unit * np.rint(x / unit)) < 1e-5).all():
            return unit
    return 0.0


def written_times(column: TimeColumn, x: Float[np.ndarray, " n"]) -> pd.Series[Any]:
    """A column of times, of their numbers."""
    import pandas as pd

    if column.kind == "number":
        return as_type(pd.Series(x), column.dtype)
    if column.format is not None:
        unit = "day" if column.unit >= 86400 else "millisecond" if column.unit >= 1e-3 else "microsecond"
        return as_type(pd.Series(written(x, column.format, unit)), column.dtype)
    dates = pd.Timestamp("1970-01-01") + pd.to_timedelta(pd.Series(x), unit="s")
    if column.zone is not None:
        dates = dates.dt.tz_localize("UTC").dt.tz_convert(column.zone)
    if column.kind == "date":
        return as_type(dates, column.dtype)
    fine = "" if column.unit >= 86400 else " %H:%M:%S" if column.unit >= 1 else " %H:%M:%S.%f"
    return as_type(dates.dt.strftime(f"%Y-%m-%d{fine}"), column.dtype)
