"""A column as it was found: what its values are, before it is said what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import Bool, Float

from .dates import format_of, parsed, seconds_of_dates
from .words import THOUSANDS, Words, missing_words, plain_numbers, words_of

if TYPE_CHECKING:
    import pandas as pd

_NATURES = {
    "string": "text",
    "empty": "text",
    "boolean": "truth",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "datetime": "date",
    "datetime64": "date",
    "date": "date",
}
"""What pandas finds Python objects to be, and what that is here; everything else is "other"."""
_DATES = re.compile(r"datetime64|timestamp|date32|date64|object\[date\]")


@dataclass(frozen=True, eq=False)
class Looked:
    """A column as it was found.

    Attributes:
        name: of the column.
        series: its cells.
        nature: "number", "truth", "date", "category", "text" or "other"; of text, what it can be read as.
        dtype: as text, as `Column` has it.
        values: of numbers these, of dates seconds since 1970; NaN where missing. None of others.
        words: of text and categories; None of others.
        missing_as: what stands for missing values in text that is numbers or dates.
        decimal: what stands before the decimals in text that is numbers.
        format: of text that is dates.
        timezone: of dates.
    """

    name: str
    series: pd.Series[Any]
    nature: str
    dtype: str
    values: Float[np.ndarray, " n"] | None = None
    words: Words | None = None
    missing_as: str | None = None
    decimal: str = "."
    format: str | None = None
    timezone: str | None = None

    @property
    def known_words(self) -> Words:
        """Its cells as text, whatever they are."""
        return words_of(self.series) if self.words is None else self.words


def look_at(name: str, series: pd.Series[Any]) -> Looked:
    """What the cells of a column are."""
    nature = nature_of(series)
    found = Looked(name, series, nature, dtype_of(series, nature))
    if nature == "number":
        return replace(found, values=floats_of(series))
    if nature == "date":
        return replace(found, values=seconds_of_dates(series), timezone=timezone_of(series))
    if nature == "other":
        return found
    words = words_of(series)
    found = replace(found, words=words)
    return _read(found, words) if nature == "text" else found


def nature_of(series: pd.Series[Any]) -> str:
    """What the cells of a column are, by their type."""
    import pandas as pd
    from pandas.api import types

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        known = types.infer_dtype(dtype.categories, skipna=True)
        return "category" if known in ("string", "integer", "floating", "boolean", "empty") else "other"
    if types.is_bool_dtype(dtype):
        return "truth"
    if types.is_complex_dtype(dtype):
        return "other"
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return "text"
    return _NATURES.get(types.infer_dtype(series.astype(object), skipna=True), "other")


def dtype_of(series: pd.Series[Any], nature: str) -> str:
    """The type of a column as text, by which it can be made again."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        inner = str(series.dtype.categories.dtype)
        return "category" if inner == str(text_dtype()) else f"category[{inner}]"
    if series.dtype == object:
        return f"object[{nature}]" if nature in ("number", "truth", "date") else "object"
    return str(series.dtype)


def typed(series: pd.Series[Any], dtype: Any) -> pd.Series[Any]:  # noqa: ANN401
    """A column in another type; a type as text may be any, which the stubs of pandas do not allow."""
    return series.astype(dtype)


def text_dtype() -> Any:  # noqa: ANN401
    """What this pandas takes text for: objects up to version 2, strings from 3 on."""
    import pandas as pd

    return pd.Series(["a"]).dtype


def family_of(dtype: str) -> str:
    """What a type, as text, is one of: "number", "truth", "date", "category" or "text".

    Example:
        >>> [family_of(dtype) for dtype in ("Int64", "bool", "datetime64[ns, UTC]", "object", "string")]
        ['number', 'truth', 'date', 'text', 'text']
    """
    if dtype.startswith("category"):
        return "category"
    if dtype.startswith("bool") or dtype == "object[truth]":
        return "truth"
    if _DATES.match(dtype):
        return "date"
    return "text" if dtype in ("", "object", "str") or "string" in dtype else "number"


def floats_of(series: pd.Series[Any]) -> Float[np.ndarray, " n"]:
    """Numbers, and truth as 0 and 1, as doubles, NaN where missing; durations in seconds."""
    import pandas as pd

    if pd.api.types.is_timedelta64_dtype(series.dtype):
        series = cast("pd.Series[pd.Timedelta]", series) / pd.Timedelta(seconds=1)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def timezone_of(series: pd.Series[Any]) -> str | None:
    """Of a column of dates."""
    import pandas as pd

    return str(series.dtype.tz) if isinstance(series.dtype, pd.DatetimeTZDtype) else None


def _read(looked: Looked, words: Words) -> Looked:
    """Text as numbers or dates, if all of it is."""
    absent = missing_words(words.texts)
    texts = words.texts[~absent]
    if not len(texts):
        return looked
    own = replace(looked, missing_as=missing_as(words, absent))
    values = np.full(len(absent), np.nan)
    for decimal in (".", ","):
        numbers = plain_numbers(texts, decimal)
        if not np.isnan(numbers).any() and not (decimal == "," and thousands(texts)):
            values[~absent] = numbers
            rows = words.rows(values, np.nan).astype(np.float64)
            return replace(own, nature="number", values=rows, decimal=decimal)
    format = format_of(texts)
    if format is None:
        return looked
    values[~absent] = parsed(texts, format)
    rows = words.rows(values, np.nan).astype(np.float64)
    return replace(own, nature="date", values=rows, format=format)


def thousands(texts: np.ndarray) -> bool:
    """Whether commas in numbers may separate thousands, and need not be decimal commas."""
    commas = [text for text in texts if "," in text]
    return bool(commas) and all(THOUSANDS.fullmatch(text) for text in commas)


def missing_as(words: Words, absent: Bool[np.ndarray, " k"]) -> str | None:
    """How most missing values of a column are spelt; None if most are not there at all.

    Args:
        words: of the column.
        absent: which texts stand for a missing value.
    """
    if absent.any() and words.counts[absent].max() >= (words.codes < 0).sum():
        return str(words.originals[absent][words.counts[absent].argmax()])
    return words.blank
