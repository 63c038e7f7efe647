"""Rows of which some columns are given: the others are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..data.table.cells import TableCodec
from ..data.table.clean import cleaned
from ..data.table.constraints import known_through
from ..data.table.frames import read_frame
from ..data.table.schema import TableSpec
from ..draw import derive
from ..errors import RunError
from .ahead import ahead
from .conditions import Request
from .sampling import BLOCK, Before, Rower, as_must_be, row_sampler

if TYPE_CHECKING:
    from ..run import Run


def sample_remaining(run: Run, known: Any, *, seed: int = 0) -> Any:  # noqa: ANN401
    """Rows of which some columns are given, in their order; the others are made.

    Args:
        run: of a table.
        known: a frame with some of the columns; what is missing in it is made, too.
        seed: of what is made.

    Raises:
        RunError: there is no column of the run, or one that it does not know.
    """
    frame, codec = read_frame(known), run.table
    rower = Rower(row_sampler(run), codec, Request())
    clean = clean_part(frame.df, codec)
    values, given = known_values(clean, rower)
    made: Callable[[int], np.ndarray] = lambda start: rower.filled(
        values[start : start + BLOCK], given[start : start + BLOCK], derive(seed, "remaining", start)
    )
    whole = codec.frame_of(np.concatenate([*ahead(made, range(0, len(values), BLOCK))]), seed)
    whole = with_given(whole, frame.df, clean)
    bad = ~as_must_be(whole, {}, codec, Before(codec))
    if bad.any():
        raise RunError(
            f"{int(bad.sum())} of {len(bad)} rows (first: row {int(np.argmax(bad)) + 1}) cannot be completed "
            "so that every constraint holds: a column is given that follows from one that is not. Give both."
        )
    return frame.container.restore(whole)


def with_given(made: pd.DataFrame, given: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Made rows with everything that is given.

    Args:
        made: rows of all columns that are made.
        given: rows as they were given.
        clean: what is learnt of these, which tells what is missing where a word stands for it.
    """
    for name in given.columns:
        own, there = given[name], (clean if name in clean.columns else given)[name].notna()
        if name not in made.columns or there.all():
            made[name] = own
            continue
        own = own.astype(made[name].dtype) if isinstance(own.dtype, pd.CategoricalDtype) else own
        made[name] = own.where(there, made[name])
    return made


def clean_part(df: pd.DataFrame, codec: TableCodec) -> pd.DataFrame:
    """What is learnt of the columns of a frame, clean.

    Raises:
        RunError: there is no row, no column of the run, or one that it does not know.
        DataError: a value is none of its column.
    """
    names = codec.spec.names
    unknown = [str(column) for column in df.columns if str(column) not in names]
    if unknown or not len(df.columns) or not len(df):
        what = f"a column {unknown[0]!r}" if unknown else "no column" if len(df) else "no row"
        raise RunError(f"the table has {what}; rows with some of these were expected: {', '.join(names)}.")
    columns = tuple(column for column in codec.spec.columns if column.name in df.columns and column.learnt)
    return cleaned(df, TableSpec(columns))


def known_values(
    clean: pd.DataFrame, rower: Rower
) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
    """Stored values of some columns of a clean frame, and which of them are there.

    Raises:
        DataError: what is given contradicts a constraint.
    """
    codec = rower.codec
    inner = known_through(codec.constraints, clean).frame if codec.constraints else clean
    values = np.zeros((len(clean), len(codec.codes)))
    given = np.zeros(values.shape, bool)
    rower.fill(values, given, inner)
    return values, given
