"""Dates and times: as text in a format, as seconds since 1970, and back."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import pandas as pd

UNITS = {
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}
"""Steps of date-times, in microseconds."""
_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%Y-%m"),
)
_TIMES = ("", " %H:%M:%S", "T%H:%M:%S", " %H:%M", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M %p")
FORMATS = tuple(day + time for time in _TIMES for day in _DAYS)
"""Formats that are tried; the first that all texts have is taken."""
_ZONED = re.compile(r"\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)$")
_DATED = re.compile(r"\d{1,4}[-/.]\d|\d{1,2}[- ][A-Za-z]{3}|[A-Za-z]{3,9} \d{1,2}, \d|\d{1,2}[-/.]\d")
_EPOCH = datetime(1970, 1, 1)
_TRIED = 100  # texts that a format must suit before all are tried


def format_of(texts: np.ndarray) -> str | None:
    """The format that all texts have; None if they are no dates.

    Without a leading zero, as in 1/5/2024, numbers of days, months and hours are written `%-d`, `%-m`, `%-H`.
    """
    if not len(texts) or not all(_DATED.match(text) for text in texts[:_TRIED]):
        return None
    zoned = _ZONED.search(texts[0])
    suffix = ""
    if zoned is not None:
        suffix = zoned[1] if all(text.endswith(zoned[1]) for text in texts) else "%z"
    for bare in FORMATS:
        format = bare + suffix
        if _suits(texts[:_TRIED], format) and _suits(texts, format):
            return _unpadded(texts[:_TRIED], format)
    return None


def zoned_format(texts: np.ndarray) -> str | None:
    """A format for dates of ISO 8601 that have none in common; None if some name no offset from UTC.

    Example:
        >>> zoned_format(np.array(["2024-01-01T10:00+01:00", "2024-07-01 10:00:00+02:00"], object))
        '%Y-%m-%d %H:%M:%S%z'
    """
    if not len(texts) or not all(_ZONED.search(text) for text in texts):
        return None
    return "%Y-%m-%d %H:%M:%S.%f%z" if any("." in text for text in texts) else "%Y-%m-%d %H:%M:%S%z"


def _suits(texts: np.ndarray, format: str) -> bool:
    return not np.isnan(parsed(texts, format)).any()


def _unpadded(texts: np.ndarray, format: str) -> str:
    days = format.replace("%d", "%-d").replace("%m", "%-m")
    variants = (format, days, days.replace("%H", "%-H"), format.replace("%H", "%-H"))
    seconds = parsed(texts, format)
    return max(variants, key=lambda one: int((written(seconds, one, "microsecond") == texts).sum()))


def parsed(texts: np.ndarray, format: str | None) -> Float[np.ndarray, " k"]:
    """Seconds since 1970 of texts in a format, NaN for what is not in it.

    Args:
        texts: without blanks around them.
        format: as `strptime` has it; None for that of ISO 8601. With %z each text may be as far off UTC as it
            says.
    """
    import pandas as pd

    plain = "ISO8601" if format is None else format.replace("%-", "%")
    found = pd.to_datetime(np.asarray(texts, object), format=plain, errors="coerce", utc=True)
    return _seconds(pd.DatetimeIndex(found))


def seconds_of_dates(series: pd.Series[Any]) -> Float[np.ndarray, " n"]:
    """Seconds since 1970 of a column of dates; NaN where missing."""
    import pandas as pd

    return _seconds(pd.DatetimeIndex(pd.to_datetime(series, errors="coerce", utc=True)))


def _seconds(moments: pd.DatetimeIndex) -> Float[np.ndarray, " n"]:
    plain = moments.tz_localize(None).to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(plain), np.nan, plain.astype(np.int64) / 1e6)


def unit_of(seconds: Float[np.ndarray, " n"], timezone: str | None) -> str:
    """The largest step of which all moments are multiples, by the clock of their zone."""
    known = _clock(seconds[~np.isnan(seconds)], timezone)
    return next(unit for unit, size in UNITS.items() if not (known % size).any())


def _clock(seconds: Float[np.ndarray, " n"], timezone: str | None) -> np.ndarray:
    """Microseconds by the clock of a zone; nothing may be missing."""
    import pandas as pd

    moments = pd.DatetimeIndex(np.rint(seconds * 1e6).astype(np.int64).astype("datetime64[us]"))
    if timezone is not None:
        moments = moments.tz_localize("UTC").tz_convert(timezone).tz_localize(None)
    return moments.to_numpy().astype("datetime64[us]").astype(np.int64)


def moments_of(seconds: Float[np.ndarray, " n"], unit: str, timezone: str | None) -> pd.DatetimeIndex:
    """Date-times of seconds, to the nearest step by the clock of their zone, and in it."""
    import pandas as pd

    known, size = ~np.isnan(seconds), UNITS[unit]
    found = np.full(len(seconds), "NaT", "datetime64[us]")
    steps = (_clock(seconds[known], timezone) + size // 2) // size * size
    found[known] = steps.astype("datetime64[us]")
    moments = pd.DatetimeIndex(found)
    return moments if timezone is None else in_zone(moments, timezone)


def in_zone(moments: pd.DatetimeIndex, timezone: str) -> pd.DatetimeIndex:
    """Moments by the clock of a zone, which may lie in an hour that it leaves out or has twice."""
    return moments.tz_localize(timezone, ambiguous=np.zeros(len(moments), bool), nonexistent="shift_forward")


def written(seconds: Float[np.ndarray, " n"], format: str, unit: str) -> np.ndarray:
    """Texts of seconds in a format, those with an offset in UTC; NaN where missing."""
    format = format.replace("%z", "+00:00")
    if os.name == "nt":
        format = format.replace("%-", "%#")
    # A copy, for what pandas gives may not be written to.
    texts = np.array(moments_of(seconds, unit, None).strftime(format), dtype=object)
    if "%f" in format and unit == "millisecond":
        known = ~np.isnan(seconds)
        texts[known] = [re.sub(r"(\.\d{3})\d{3}", r"\1", text) for text in texts[known]]
    return texts


def iso_of(seconds: float) -> str | float:
    """A moment as ISO 8601 has it; the number itself if it is before the year 1 or after 9999.

    Example:
        >>> iso_of(86400.0), iso_of(0.5)
        ('1970-01-02T00:00:00', '1970-01-01T00:00:00.500000')
    """
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return seconds


def from_iso(text: str) -> float:
    """Seconds since 1970 of a moment as ISO 8601 has it, of UTC if it names no zone.

    Raises:
        ValueError: it is none.

    Example:
        >>> from_iso("1970-01-02"), from_iso("1970-01-01T01:00:00+01:00")
        (86400.0, 0.0)
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - _EPOCH).total_seconds()
