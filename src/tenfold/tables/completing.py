"""Rows of which some columns are given: the others are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ..data.table.cells import TableCodec
from ..data.table.clean import cleaned
from ..data.table.constraints import known_through
from ..data.table.frames import read_frame
from ..data.table.ids import make_ids
from ..data.table.schema import TableSpec
from ..data.table.words import text_of
from ..draw import derive
from ..errors import RunError
from .ahead import ahead
from .conditions import Request
from .sampling import ATTEMPTS, BLOCK, Rower, row_sampler

if TYPE_CHECKING:
    from ..run import Run


def sample_remaining(run: Run, known: Any, *, seed: int = 0) -> Any:  # noqa: ANN401
    """Rows of which some columns are given, in their order; the others are made.

    Rows that are not as they must be are made again, with the noise of the next attempt.

    Args:
        run: of a table.
        known: a frame with some of the columns; what is missing in it is made, too.
        seed: of what is made.

    Raises:
        RunError: there is no column of the run, or one that it does not know; or some rows are still not as
            they must be after many attempts.
    """
    frame, codec = read_frame(known), run.table
    rower = Rower(row_sampler(run), codec, Request())
    clean = clean_part(frame.df, codec)
    made = made_rows(clean, rower, seed, 0, np.arange(len(clean)))
    renew_ids(made, frame.df, codec, derive(seed, "ids"))
    ids = [column.name for column in codec.spec.columns if column.kind == "id"]
    whole = with_given(made.copy(), frame.df, clean)
    repeats, broken = wrong(whole, clean, codec)
    for attempt in range(1, ATTEMPTS):
        bad = np.flatnonzero(repeats | broken)
        if not len(bad):
            break
        again = made_rows(clean, rower, seed, attempt, bad)
        again[ids] = made.loc[bad, ids]
        made = pd.concat([made.drop(index=pd.Index(bad)), again]).sort_index()
        whole = with_given(made.copy(), frame.df, clean)
        repeats, broken = wrong(whole, clean, codec)
    refuse_wrong(repeats, broken, codec)
    return frame.container.restore(whole.reset_index(drop=True))


def made_rows(
    clean: pd.DataFrame, rower: Rower, seed: int, attempt: int, which: Int[np.ndarray, " k"]
) -> pd.DataFrame:
    """Some of the rows with everything made that is not given; under their numbers.

    Args:
        clean: what is given of all rows.
        rower: of the run.
        seed: of the set.
        attempt: at these rows.
        which: their numbers.
    """
    parts = ("remaining", attempt) if attempt else ("remaining",)
    values, given = (x[which] for x in known_values(clean, rower, derive(seed, *parts, "known")))
    made: Callable[[int], np.ndarray] = lambda start: rower.filled(
        values[start : start + BLOCK], given[start : start + BLOCK], derive(seed, *parts, start)
    )
    blocks = [*ahead(made, range(0, len(which), BLOCK))]
    frame = rower.codec.frame_of(np.concatenate(blocks), derive(seed, *parts) if attempt else seed)
    return frame.set_axis(pd.Index(which), axis=0)


def renew_ids(made: pd.DataFrame, given: pd.DataFrame, codec: TableCodec, seed: int) -> None:
    """Put other ids in place of made ones that are given in another row."""
    for column in codec.spec.columns:
        if column.kind != "id" or column.name not in given.columns:
            continue
        own, ids = given[column.name], made[column.name]
        taken = {text_of(value) for value in own[own.notna()]}
        clash = np.flatnonzero(own.isna().to_numpy(bool) & np.array([text_of(x) in taken for x in ids], bool))
        if len(clash):
            more = make_ids(column, len(taken) + len(clash), len(made), seed)
            free = [value for value in more.tolist() if text_of(value) not in taken]
            ids = ids.copy()
            ids.iloc[clash] = free[: len(clash)]
            made[column.name] = ids


def wrong(
    whole: pd.DataFrame, clean: pd.DataFrame, codec: TableCodec
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which rows repeat others in what is unique, and which contradict another constraint.

    Where a made row repeats one that was given, it is the made one that does.

    Args:
        whole: finished rows.
        clean: what was given of them.
        codec: of the run.
    """
    found, own = cleaned(whole, codec.spec), clean.reindex(columns=list(codec.spec.names))
    repeats, broken = np.zeros(len(found), bool), np.zeros(len(found), bool)
    for constraint in codec.constraints:
        if constraint.name != "unique":
            broken |= constraint.violations(found)
            continue
        made = own[list(constraint.columns)].isna().any(axis=1).to_numpy(bool)
        order = np.argsort(made, kind="stable")
        repeats[order] |= constraint.violations(found.iloc[order])
    return repeats, broken


def refuse_wrong(repeats: Bool[np.ndarray, " n"], broken: Bool[np.ndarray, " n"], codec: TableCodec) -> None:
    """Raises a RunError if rows are still not as they must be."""
    bad = repeats | broken
    if not bad.any():
        return
    what = (
        f"{int(bad.sum())} of {len(bad)} rows (first: row {int(np.argmax(bad)) + 1}) cannot be completed so "
        f"that every constraint holds, after {ATTEMPTS} attempts at each"
    )
    if broken.any():
        raise RunError(f"{what}: a column is given that follows from one that is not. Give both.")
    words = " and ".join(one.words for one in codec.constraints if one.name == "unique")
    raise RunError(f"{what}: {words} was expected, and what is made repeats. Give these, or fewer rows.")


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
    clean: pd.DataFrame, rower: Rower, seed: int
) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
    """Stored values of some columns of a clean frame, and which of them are there.

    Args:
        clean: the frame.
        rower: of the run.
        seed: of combinations, where a part of them is there.

    Raises:
        DataError: what is given contradicts a constraint.
    """
    codec = rower.codec
    inner = known_through(codec.constraints, clean, seed).frame if codec.constraints else clean
    values = np.zeros((len(clean), len(codec.codes)))
    given = np.zeros(values.shape, bool)
    rower.fill(values, given, inner)
    return values, given
