"""A value that is asked for, as clean frames have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..data.table.cells import TableCodec, step_of
from ..data.table.clean import seconds_of
from ..data.table.columns import on_grid
from ..data.table.dates import in_zone, moments_of, seconds_of_dates
from ..data.table.schema import Column
from ..data.table.words import text_of
from ..errors import RunError


def nearest(column: Column, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The nearest values that rows show: multiples of the column's step, by the clock of its zone."""
    if column.timezone is None:
        return on_grid(x, step_of(column))
    moments = moments_of(x, column.unit or "microsecond", column.timezone)
    return seconds_of_dates(pd.Series(moments))


def canonical(name: str, value: Any, codec: TableCodec) -> str:  # noqa: ANN401
    """A label as cleaned frames have it."""
    column = codec.spec.column(name)
    text = text_of(value)
    spelled = {own.strip(): label for label, own in column.spellings.items()}
    return spelled.get(text, text)


def as_number(name: str, value: Any, codec: TableCodec) -> float:  # noqa: ANN401
    """A number or a date as it is stored.

    Raises:
        RunError: it is neither.
    """
    column = codec.spec.column(name)
    if column.kind == "datetime":
        return moment_of(value, column)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise RunError(f"the column {name!r} holds numbers, and {value!r} was asked for.") from error


def moment_of(value: Any, column: Column) -> float:  # noqa: ANN401
    """A date as it is stored; one that names no zone is of the column's."""
    seconds = seconds_of(pd.Series([value]), column)
    if column.timezone is None or np.isnan(seconds[0]) or names_zone(value):
        return float(seconds[0])
    clock = moments_of(seconds, "microsecond", None)
    return float(seconds_of_dates(pd.Series(in_zone(clock, column.timezone)))[0])


def names_zone(value: Any) -> bool:  # noqa: ANN401
    """Whether a date says of which zone it is."""
    try:
        return pd.Timestamp(value).tzinfo is not None
    except ValueError:  # in a format of its own
        return False


def is_missing(value: Any) -> bool:  # noqa: ANN401
    """Whether a value stands for none."""
    return value is None or (isinstance(value, float) and np.isnan(value))
