"""Tables as `fit` and `check` read them: what each column is, and what stands in its cells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.table.clean import cleaned, refuse_misfit
from ..data.table.column import Column
from ..data.table.frames import SUFFIXES, is_table, read_frame
from ..data.table.infer import infer
from ..data.table.looking import nature_of
from ..data.table.opening import refuse_other_target
from ..data.table.schema import TableSpec, read_spec
from ..data.table.words import text_of
from ..errors import DataError
from .options import ProofOptions
from .tabular import Columns, Frame, Kinds, frame_columns, joined_tables, named, table_task
from .task import Task

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT = {
    "id": "it is an id",
    "constant": "it is always the same",
    "text": "nearly every row has a text of its own",
    "ignore": "the spec says so, or nothing in it can be learnt",
}
"""Kinds of columns that tell a classifier nothing, and why."""


def table_of(
    data: str | Path | np.ndarray | Frame, target: str | None, options: ProofOptions, source: str
) -> tuple[Task, np.ndarray | None] | None:
    """The task of a table, its test set with it, and values without classes; None if the data are none.

    Raises:
        DataError: a table cannot be read, does not fit the spec, or nothing is left to learn from.
    """
    frame = frame_of(data, target)
    if frame is None:
        if options.spec is not None:
            raise DataError(
                f"--spec {options.spec} is about columns, and {source} is no table. Leave it out."
            )
        return None
    given = None if options.spec is None else read_spec(options.spec)
    if given is not None:
        refuse_other_target(given, target)
        target = target or given.target
    target = named(frame.columns, target, options.group, source)
    paths = (options.test, options.unlabelled)
    test, rest = (None if path is None else read_frame(path).df for path in paths)
    if rest is not None:
        rest = rest.drop(columns=[name for name in rest.columns if name == target])
    columns, more, kinds = columns_of([frame, test, rest], target, options.group, given)
    if test is None and rest is None:
        return table_task(columns, target, options.group, source, kinds), None
    test, rest = more
    return joined_tables(columns, test, rest, target=target, group=options.group, source=source, kinds=kinds)


def frame_of(data: str | Path | np.ndarray | Frame, target: str | None) -> pd.DataFrame | None:
    """A table; None if the data are something else."""
    if isinstance(data, np.ndarray):
        return None
    if isinstance(data, str | Path):
        is_file = target is not None and Path(data).name.lower().endswith(SUFFIXES) and Path(data).is_file()
        return read_frame(data).df if is_file or is_table(data) else None
    known = is_table(data)
    return read_frame(data if known else frame_columns(data)).df


def columns_of(
    frames: list[pd.DataFrame | None], target: str | None, group: str | None, given: TableSpec | None
) -> tuple[Columns, tuple[Columns | None, Columns | None], Kinds]:
    """The cells of tables as text, without columns that tell nothing; the first says of what kind they are.

    Args:
        frames: the table, that of the test and one without classes; None where there is none.
        target: the column of classes.
        group: a column of groups, as it is.
        given: what a person has said of the columns.

    Raises:
        DataError: a column cannot be learnt from, or what was said does not fit the table.
    """
    first, *_ = frames
    assert first is not None
    spec = kinds_of(first, target, group, given)
    if given is not None:
        refuse_misfit(first, spec)
    frames = alike(frames)
    present = [frame for frame in frames if frame is not None]
    if len(present) > 1:
        import pandas as pd

        spec = infer(pd.concat(present, ignore_index=True), target, as_known(spec))
    columns, test, rest = (None if frame is None else cells_of(frame, spec, group) for frame in frames)
    assert columns is not None
    why = {column.name: LEFT_OUT[column.kind] for column in spec.columns if not column.learnt}
    notes = tuple(f"the column {name!r} is left out: {said}" for name, said in why.items() if name != group)
    labels = frozenset(column.name for column in spec.learnt if column.kind in ("categorical", "boolean"))
    return columns, (test, rest), Kinds(labels, notes)


def kinds_of(df: pd.DataFrame, target: str | None, group: str | None, given: TableSpec | None) -> TableSpec:
    """What the columns are; groups are not looked at, and no key need be one."""
    said = () if given is None else given.columns
    if group not in (None, target):
        said = (*(column for column in said if column.name != group), Column(str(group), "ignore"))
    spec = TableSpec(said, target=None if given is None else given.target)
    return infer(df, target, spec)


def as_known(spec: TableSpec) -> TableSpec:
    """The kinds of columns, and how they are written: more rows may have other values."""

    def known(column: Column) -> Column:
        kind = {"boolean": "categorical"}.get(column.kind, column.kind) if column.learnt else "ignore"
        written = {"missing_as": column.missing_as, "decimal": column.decimal, "format": column.format}
        return Column(column.name, kind, **written)

    return TableSpec(tuple(map(known, spec.columns)))


def alike(frames: list[pd.DataFrame | None]) -> list[pd.DataFrame | None]:
    """The same, with text in all where a column is text in one of them, as where codes have a letter."""
    natures: dict[str, set[str]] = {}
    for frame in [frame for frame in frames if frame is not None]:
        for name in frame.columns:
            natures.setdefault(name, set()).add(nature_of(frame[name]))
    mixed = {name for name, found in natures.items() if len(found) > 1 and "text" in found}
    return [None if frame is None else as_text(frame, mixed & {*frame.columns}) for frame in frames]


def as_text(df: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """A frame with some of its columns as text; what is missing stays so."""
    return df.assign(**{name: np.array(texts_of(df[name], None), object) for name in names})


def cells_of(df: pd.DataFrame, spec: TableSpec, group: str | None) -> Columns:
    """The cells of a table as text; what is missing is empty."""
    here = replace(spec, columns=tuple(column for column in spec.columns if column.name in df.columns))
    clean = cleaned(df, here)
    found = {column.name: texts_of(clean[column.name], "") for column in here.learnt}
    return found if group is None or group not in df.columns else {**found, group: texts_of(df[group], "")}


def texts_of(series: pd.Series[Any], missing: Any) -> list[Any]:  # noqa: ANN401
    """Each cell as text, or what stands for a missing one."""
    gone = series.isna()
    return [missing if absent else text_of(cell) for cell, absent in zip(series, gone, strict=True)]
