"""From clean frames back to what the data look like: types, spelling, decimals, formats and time zones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from .column import Column
from .dates import moments_of, written
from .ids import EXACT
from .looking import family_of, text_dtype, typed
from .schema import TableSpec
from .words import none_where, plain_numbers, spread, text_of

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = re.compile(r"u?int\d+")  # types that cannot hold a missing value
_COUNTED = re.compile(r"u?int\d+", re.IGNORECASE)
_DIGITS = re.compile(r"-?\d+")


def dressed(df: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """A clean frame as the data look.

    Numbers are rounded to the column's decimals and kept within its bounds. Constants are put back. Ids are
    taken as they are, if they are there; so are only those columns that are.

    Args:
        df: as `cleaned` gives it.
        spec: what is known of the columns, which come out in its order.
    """
    import pandas as pd

    columns: dict[str, pd.Series[Any]] = {}
    for column in spec.columns:
        if column.kind == "constant":
            columns[column.name] = _constant(column, len(df))
        elif column.name in df.columns and (column.learnt or column.kind == "id"):
            columns[column.name] = _dress(df[column.name].reset_index(drop=True), column)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(df)))


def _dress(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if column.kind == "numeric":
        return _numbers(series.to_numpy(dtype=np.float64, na_value=np.nan), column)
    if column.kind == "datetime":
        return _dates(series.to_numpy(dtype=np.float64, na_value=np.nan), column)
    if column.kind == "id":
        return _ids(series, column)
    return _labels(series, column)


def _numbers(values: Float[np.ndarray, " n"], column: Column) -> pd.Series[Any]:
    values = _bounded(values, column)
    if family_of(column.dtype) != "text" or not column.dtype:
        return as_numbers(values, column.dtype)
    decimals = 0 if column.integer else column.decimals
    texts = values.astype(str) if decimals is None else np.char.mod(f"%.{decimals}f", values)
    cells = np.char.replace(texts, ".", column.decimal).astype(object)
    cells[np.isnan(values)] = column.missing_as
    return as_text(cells, column.dtype)


def _bounded(values: Float[np.ndarray, " n"], column: Column) -> Float[np.ndarray, " n"]:
    """Rounded, and within the bounds: of whole numbers, within the whole numbers between them."""
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    if column.integer:
        values, low, high = np.rint(values), np.ceil(low), np.floor(high)
    elif column.decimals is not None:
        values = np.round(values, column.decimals)
    return np.clip(values, low, high) + 0.0  # minus zero becomes zero


def as_numbers(values: Float[np.ndarray, " n"], dtype: str) -> pd.Series[Any]:
    """Doubles as numbers of a type; they stay doubles where values are missing and it cannot hold that.

    Args:
        values: NaN where missing.
        dtype: as `Column` has it; empty for doubles, which categories of numbers become, too.
    """
    import pandas as pd

    missing = np.isnan(values)
    if dtype.startswith("timedelta64"):
        return typed(pd.Series(pd.to_timedelta(values, unit="s")), dtype)
    if not dtype or dtype.startswith("category") or (_WHOLE.fullmatch(dtype) and missing.any()):
        return pd.Series(values)
    if dtype == "object[number]":
        whole = not missing.any() and bool((values == np.rint(values)).all())
        return _objects(pd.Series(values.astype(np.int64) if whole else values), missing)
    return typed(pd.Series(values), dtype)


def _dates(seconds: Float[np.ndarray, " n"], column: Column) -> pd.Series[Any]:
    import pandas as pd

    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    seconds, unit = np.clip(seconds, low, high), column.unit or "microsecond"
    family, missing = family_of(column.dtype), np.isnan(seconds)
    if family in ("text", "number") and column.dtype:
        cells = written(seconds, column.format or "%Y-%m-%d %H:%M:%S", unit)
        if family == "number":
            cells[missing] = ""
            return as_numbers(plain_numbers(cells), column.dtype)
        cells[missing] = column.missing_as
        return as_text(cells, column.dtype)
    found = pd.Series(moments_of(seconds, unit, column.timezone))
    if column.dtype == "object[date]":
        return _objects(found.dt.date if unit == "day" else found, missing)
    return typed(found, column.dtype) if column.dtype else found


def _objects(series: pd.Series[Any], missing: np.ndarray) -> pd.Series[Any]:
    """Plain Python objects, None where one is missing."""
    import pandas as pd

    return pd.Series(none_where(missing, series.astype(object)), dtype=object)


def _ids(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    from pandas.api import types

    if column.dtype and family_of(column.dtype) == "text":
        return as_text(none_where(series.isna().to_numpy(), series.to_numpy(dtype=object)), column.dtype)
    whole = types.is_integer_dtype(series.dtype) and _COUNTED.fullmatch(column.dtype) is not None
    if whole and series.notna().all() and series.max() <= np.iinfo(column.dtype.lower()).max:
        return typed(series, column.dtype)
    return series


def _labels(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    import pandas as pd

    codes, found = pd.factorize(series)
    texts = [str(text) for text in found]
    family = family_of(column.dtype)
    if family == "category":
        return _categories(codes, texts, column)
    if family == "truth":
        return _truth(spread([text == "True" for text in texts], codes, None), column.dtype)
    if family == "number":
        return _numbers_of_texts(texts, codes, column.dtype)
    if family == "date":
        return _moments(spread(texts, codes, None), column.dtype)
    spelt = [column.spellings.get(text, text) for text in texts]
    return as_text(spread(spelt, codes, column.missing_as), column.dtype)


def _numbers_of_texts(texts: list[str], codes: np.ndarray, dtype: str) -> pd.Series[Any]:
    """Categories that are numbers; whole ones that a double would round are kept to the last digit."""
    whole = (_COUNTED.match(dtype) or dtype == "object[number]") and all(map(_DIGITS.fullmatch, texts))
    if whole and any(abs(int(text)) >= EXACT for text in texts):
        numbers, missing = spread([int(text) for text in texts], codes, None), codes < 0
        return typed(
            _objects_of(numbers), "object" if dtype == "object[number]" else _holding(dtype, missing)
        )
    return as_numbers(np.append(plain_numbers(texts), np.nan)[codes], dtype)


def _objects_of(cells: np.ndarray) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(cells, dtype=object)


def _holding(dtype: str, missing: np.ndarray) -> str:
    """A type of whole numbers that holds missing values if there are some."""
    if not missing.any() or not _WHOLE.fullmatch(dtype):
        return dtype
    return dtype.replace("uint", "UInt") if dtype.startswith("u") else dtype.replace("int", "Int")


def _categories(codes: np.ndarray, texts: list[str], column: Column) -> pd.Series[Any]:
    import pandas as pd

    spelt = dict(column.spellings) or {text: text for text in column.categories}
    places = {text: i for i, text in enumerate(spelt)}
    own = np.append(np.array([places[text] for text in texts], np.int64), -1)[codes]
    inner = re.fullmatch(r"category\[(.*)\]", column.dtype)
    known = _labels_of_type(list(spelt.values()), str(text_dtype()) if inner is None else inner[1])
    return pd.Series(pd.Categorical.from_codes(own, categories=known, ordered=column.ordered))


def _labels_of_type(texts: list[str], dtype: str) -> pd.Index[Any]:
    """The categories of a type of pandas."""
    import pandas as pd

    family = family_of(dtype)
    if family == "number":
        return pd.Index(as_numbers(plain_numbers(texts), dtype))
    if family == "truth":
        return pd.Index([text == "True" for text in texts])
    return pd.Index(as_text(np.array(texts, object), dtype))


def _moments(cells: np.ndarray, dtype: str) -> pd.Series[Any]:
    """Dates in ISO 8601 as a column of a type."""
    import pandas as pd

    found = pd.Series(pd.to_datetime(pd.Series(cells, dtype=object), format="ISO8601"))
    if dtype == "object[date]":
        days = all(len(cell) == len("2024-01-31") for cell in cells if cell is not None)
        return (found.dt.date if days else found).astype(object)
    return typed(found, dtype)


def _truth(cells: np.ndarray, dtype: str) -> pd.Series[Any]:
    import pandas as pd

    found = pd.Series(cells, dtype=object)
    missing = found.isna().any()
    return found if dtype == "object[truth]" or (dtype == "bool" and missing) else typed(found, dtype)


def as_text(cells: np.ndarray, dtype: str) -> pd.Series[Any]:
    """Texts as a column of a type; what is None is missing as the type has it.

    Args:
        cells: objects.
        dtype: as `Column` has it.
    """
    import pandas as pd

    found = pd.Series(cells, dtype=object)
    if dtype in ("", "str"):
        return found.astype(text_dtype())
    return found if dtype == "object" else typed(found, dtype)


def _constant(column: Column, count: int) -> pd.Series[Any]:
    import pandas as pd

    family = family_of(column.dtype)
    cell = pd.Series([column.value], dtype=object)
    if family == "text" and column.dtype:
        one = as_text(cell.to_numpy(dtype=object), column.dtype)
    elif not column.dtype:
        one = cell.infer_objects()
    else:
        one = _labels(cell.map(text_of), column)
    return one.repeat(count).reset_index(drop=True)
