"""Series from a long frame (entity, time, metadata and values) or from an array, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ...errors import DataError, suggest
from ..table.frames import Container, Frame, read_frame
from .arrays import fingerprint_of, load_arrays, read_array
from .columns import as_type, learnt, levels_of, restored
from .gaps import without_gaps
from .ragged import Ragged, Windows, windows
from .schema import DEFAULTS, SeriesColumn, SeriesOptions, SeriesSchema, TimeColumn
from .stamps import doubts, read_times, written_times

if TYPE_CHECKING:
    import pandas as pd

ENTITY_NAMES = ("entity", "entity_id", "series", "series_id", "unit", "unit_id", "subject", "patient", "id")
TIME_NAMES = ("time", "timestamp", "datetime", "date", "ds", "t", "step", "period")


@dataclass(frozen=True, eq=False)
class ReadSeries:
    """Series as numbers, and everything that is known of them.

    Attributes:
        series: as numbers.
        schema: what came in.
        names: what each series is called in messages.
        source: where they came from.
        fingerprint: changes when a value does.
        notes: what was done to them, a sentence each.
        container: of a frame; None of an array.
        windows: parts of long series, if these were cut.
    """

    series: Ragged
    schema: SeriesSchema
    names: Sequence[str]
    source: str
    fingerprint: str
    notes: tuple[str, ...]
    container: Container | None = None
    windows: Windows | None = None


@dataclass(frozen=True)
class Roles:
    """What the columns of a frame are for.

    Attributes:
        entity, time: columns, or None.
        label: column, or None.
        rest: all others that are not left out, in order.
    """

    entity: str | None
    time: str | None
    label: str | None
    rest: tuple[str, ...]


def read_series(source: Any, options: SeriesOptions = DEFAULTS) -> ReadSeries:  # noqa: ANN401
    """Series of any source.

    Args:
        source: a long frame or a file of one; an array `(n, steps, channels)`, alone or in a pair with
            labels; or a `.npy` or `.npz` file of these.
        options: what the columns are, and what to do with gaps and long series.

    Raises:
        DataError: they cannot be used; the message says why and what to do.
    """
    is_file = isinstance(source, str | Path) and Path(source).suffix.lower() in (".npy", ".npz")
    plain = isinstance(source, np.ndarray) and source.dtype.names is None
    if is_file or plain or isinstance(source, tuple):
        values, labels = arrays_of(source)
        series, schema, notes = read_array(values, labels, options)
        name = str(source) if is_file else f"an array of the shape {values.shape}"
        names = [f"series {i}" for i in range(len(series))]
        mark = fingerprint_of(values, labels)
        return cut_up(ReadSeries(series, schema, names, name, mark, tuple(notes)), options)
    return cut_up(read_long(read_frame(source), options), options)


def arrays_of(source: Any) -> tuple[np.ndarray, np.ndarray | None]:  # noqa: ANN401
    """Values, and labels if there are any."""
    if isinstance(source, np.ndarray):
        return source, None
    if isinstance(source, tuple):
        values, labels = source
        return np.asarray(values), np.asarray(labels)
    return load_arrays(Path(source))


def cut_up(read: ReadSeries, options: SeriesOptions) -> ReadSeries:
    """The same series, or windows of them if that was asked for.

    Raises:
        DataError: all are too short.
    """
    lengths = read.series.lengths
    refuse_short(lengths, read.source, options)
    single = int((lengths == 1).sum())
    if not options.window:
        notes = [f"{single} of {len(lengths)} series have a single step"] if single else []
        return replace(read, notes=(*read.notes, *notes))
    found = windows(read.series, options.window, options.stride)
    short = int((lengths < options.window).sum())
    notes = [f"{len(found.of)} windows of {options.window} steps, {options.stride} apart"]
    notes += [f"{short} of {len(lengths)} series are shorter and left out"] if short else []
    names = [
        f"{read.names[of]} from step {first}"
        for of, first in zip(found.of.tolist(), found.first.tolist(), strict=True)
    ]
    return replace(read, series=found.series, names=names, notes=(*read.notes, *notes), windows=found)


def refuse_short(lengths: Int[np.ndarray, " n"], source: str, options: SeriesOptions) -> None:
    """Raises a DataError if there is no course in time, or no window fits."""
    if lengths.max() < max(options.window, 2):
        wanted = f"windows of {options.window} steps" if options.window else "at least 2 steps"
        raise DataError(
            f"the longest series of {source} has {lengths.max()} step(s); {wanted} were expected. For rows "
            "without a course in time there is: --recipe tabular"
        )


def read_long(frame: Frame, options: SeriesOptions) -> ReadSeries:
    """Series of a long frame, one row per step."""
    df, options = frame.df, options.told_apart(list(frame.df.columns))
    roles = roles_of(df, frame.name, options)
    entity, codes, names = entities_of(df, roles.entity)
    stamps = None if roles.time is None else read_times(df[roles.time])
    order = np.lexsort((np.arange(len(df)) if stamps is None else stamps[1], codes))
    times = None if stamps is None else stamps[1][order]
    lengths = np.bincount(codes).astype(np.int64)
    refuse_short(lengths, frame.name, options)
    bare = Ragged(np.zeros((len(df), 0)), lengths, np.zeros((len(names), 0)), times)
    where = Placer(names, bare, None if roles.time is None else list(df[roles.time].iloc[order]))
    refuse_twice(bare, where)
    rows = SortedRows(df, order, bare, where)
    channels, metadata = split_columns(rows, roles, options)
    label, classes = label_of(rows, roles.label)
    filled = replace(bare, values=numbers_of(channels, len(df)))
    channel_names = tuple(column.name for column, _ in channels)
    values, notes = without_gaps(filled, channel_names, where, fill=options.gaps == "fill")
    notes += [] if stamps is None else doubts(*stamps)
    whole = numbers_of(metadata, len(df))[bare.starts]
    schema = SeriesSchema(
        tuple(column for column, _ in channels),
        tuple(column for column, _ in metadata),
        label,
        None if stamps is None else stamps[0],
        entity,
        tuple(df.columns) if roles.entity else (entity.name, *df.columns),
    )
    series = replace(bare, values=values, metadata=whole, labels=classes)
    return ReadSeries(series, schema, names, frame.name, frame.fingerprint, tuple(notes), frame.container)


def numbers_of(columns: Sequence[tuple[SeriesColumn, np.ndarray]], count: int) -> Float[np.ndarray, "n k"]:
    """Columns beside each other."""
    return np.stack([x for _, x in columns], 1) if columns else np.zeros((count, 0))


def roles_of(df: pd.DataFrame, name: str, options: SeriesOptions) -> Roles:
    """What each column is for.

    Raises:
        DataError: there are no rows, names occur twice, or a column that was named is not there.
    """
    columns = list(df.columns)
    twice = [column for i, column in enumerate(columns) if column in columns[:i]]
    if not len(df) or twice:
        found = f"two columns called {twice[0]!r}" if twice else "no rows"
        raise DataError(f"{name} has {found}. Correct it.")
    named = (
        options.entity,
        options.time,
        options.label,
        *options.metadata,
        *options.categories,
        *options.drop,
    )
    for column in named:
        if column is not None and column not in columns:
            raise DataError(f"{name} has no column {column!r}. {suggest(column, columns)}")
    free = [column for column in columns if column not in {*options.drop, options.label}]
    entity = options.entity or first_of(ENTITY_NAMES, free)
    time = options.time or first_of(TIME_NAMES, [column for column in free if column != entity])
    if entity is None and not options.window:
        raise DataError(
            f"no column of {name} says which series a row belongs to ({', '.join(columns)}). Name it: "
            "entity='...' (--entity); or cut one long series into parts: window=N (--window N)."
        )
    rest = tuple(column for column in free if column not in (entity, time))
    return Roles(entity, time, options.label, rest)


def first_of(known: Iterable[str], columns: Sequence[str]) -> str | None:
    """The first of the known names that is a column, whatever its case."""
    folded = {column.strip().casefold(): column for column in reversed(columns)}
    return next((folded[name] for name in known if name in folded), None)


def entities_of(
    df: pd.DataFrame, column: str | None
) -> tuple[SeriesColumn, Int[np.ndarray, " rows"], list[str]]:
    """What is known of the column of entities, the number of each row's, and what they are called.

    Raises:
        DataError: it is missing in a row.
    """
    import pandas as pd

    if column is None:
        free = next(name for name in ("series", "window", "entity", "part") if name not in df.columns)
        return SeriesColumn(free, "int64", high=-1.0), np.zeros(len(df), np.int64), [free]
    codes, known = pd.factorize(df[column])
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise DataError(
            f"{column} is missing in {len(missing)} of {len(df)} rows (first: row {missing[0] + 1}). Every "
            "row belongs to a series: fill it in or remove the row."
        )
    numeric = pd.api.types.is_integer_dtype(df[column].dtype)
    high = float(df[column].max()) if numeric else 0.0
    return SeriesColumn(column, str(df[column].dtype), high=high), codes, [f"{column} {x}" for x in known]


class Placer:
    """Says where a step is: of which series, and when.

    Args:
        names: what each series is called.
        series: of which only lengths are read.
        times: of each step, as they came in.
    """

    def __init__(self, names: Sequence[str], series: Ragged, times: Sequence[Any] | None) -> None:
        self.names, self.series, self.times = names, series, times

    def __call__(self, step: int) -> str:
        """Words for a step, by its number among all."""
        name, place = self.names[self.series.owner[step]], self.series.place[step]
        return f"{name}, " + (f"step {place}" if self.times is None else f"time {self.times[step]}")


@dataclass(frozen=True, eq=False)
class SortedRows:
    """The rows of a frame, and their order by series and time.

    Attributes:
        df: as it came.
        order: numbers of its rows.
        series: of which only lengths and times are known yet.
        where: says where a row is, in that order.
    """

    df: pd.DataFrame
    order: Int[np.ndarray, " rows"]
    series: Ragged
    where: Placer


def refuse_twice(series: Ragged, where: Placer) -> None:
    """Raises a DataError if a series has two rows of one time."""
    if series.times is None:
        return
    same = (np.diff(series.times) <= 0) & (np.diff(series.owner) == 0)
    if same.any():
        raise DataError(
            f"{int(same.sum())} rows have the entity and the time of another (first: "
            f"{where(int(np.flatnonzero(same)[0]))}). Each series has one row for a time: remove or "
            "average them."
        )


def split_columns(
    rows: SortedRows, roles: Roles, options: SeriesOptions
) -> tuple[list[tuple[SeriesColumn, np.ndarray]], list[tuple[SeriesColumn, np.ndarray]]]:
    """Columns that change within a series, and columns that hold of a series as a whole.

    Raises:
        DataError: one cannot be learnt, one that was called metadata changes, or none changes.
    """
    channels, metadata, series, where = [], [], rows.series, rows.where
    for name in roles.rest:
        column, unsorted = learnt(rows.df[name], category=name in options.categories)
        x = unsorted[rows.order]
        changes = changes_of(x, series)
        if name in options.metadata and len(changes):
            raise DataError(
                f"{name} was called metadata, but changes within a series (first: "
                f"{where(int(changes[0]))}). Leave it out of metadata."
            )
        still = not len(changes) and (len(series) > 1 or name in options.metadata)
        if still and np.isnan(x).any():
            raise DataError(
                f"{name} holds of series as a whole, and {where(int(np.flatnonzero(np.isnan(x))[0]))} has no "
                "number there. Fill it in, or leave the column out."
            )
        (metadata if still else channels).append((column, x))
    if not channels:
        raise DataError(
            f"no column changes within a series (all of them: {', '.join(roles.rest) or 'none'}). For rows "
            "without a course in time there is: --recipe tabular"
        )
    return channels, metadata


def changes_of(x: Float[np.ndarray, " rows"], series: Ragged) -> Int[np.ndarray, " k"]:
    """Steps at which a column is not what it was at the beginning of the series."""
    first = x[series.starts][series.owner]
    return np.flatnonzero((x != first) & ~(np.isnan(x) & np.isnan(first)))


def label_of(rows: SortedRows, name: str | None) -> tuple[SeriesColumn | None, Int[np.ndarray, " n"] | None]:
    """What is known of the column of labels, and the class number of each series.

    Raises:
        DataError: it changes within a series, or is missing.
    """
    if name is None:
        return None, None
    where = rows.where
    column, unsorted = levels_of(rows.df[name])
    x = unsorted[rows.order]
    changes = changes_of(x, rows.series)
    if len(changes):
        raise DataError(
            f"the label {name} changes within a series (first: {where(int(changes[0]))}); one class of each "
            "series was expected. Leave --label out: what changes is learnt as a channel."
        )
    if None in column.levels:
        lost = np.flatnonzero(x == column.levels.index(None))
        raise DataError(
            f"the label {name} is missing (first: {where(int(lost[0]))}). Fill it in, or leave these "
            "series out."
        )
    return column, x[rows.series.starts].astype(np.int64)


def frame_of(schema: SeriesSchema, series: Ragged, first: int = 0) -> pd.DataFrame:
    """Series as a long frame of the columns that came in.

    Args:
        schema: what came in.
        series: as numbers.
        first: number of the first series, from which the entities are called.
    """
    import pandas as pd

    assert schema.entity is not None
    columns: Mapping[str, pd.Series[Any]] = {
        schema.entity.name: entities(schema.entity, first, len(series)).iloc[series.owner],
        **times_column(schema.time, series),
        **{column.name: restored(column, series.values[:, i]) for i, column in enumerate(schema.channels)},
        **{
            column.name: restored(column, series.metadata[:, i]).iloc[series.owner]
            for i, column in enumerate(schema.metadata)
        },
    }
    if schema.label is not None and series.labels is not None:
        label = restored(schema.label, series.labels.astype(np.float64))
        columns = {**columns, schema.label.name: label.iloc[series.owner]}
    aligned = {name: column.reset_index(drop=True) for name, column in columns.items()}
    return pd.DataFrame({name: aligned[name] for name in schema.order if name in aligned})


def times_column(column: TimeColumn | None, series: Ragged) -> dict[str, pd.Series[Any]]:
    """The column of times, if there is one."""
    if column is None or series.times is None:
        return {}
    return {column.name: written_times(column, series.times)}


def entities(column: SeriesColumn, first: int, count: int) -> pd.Series[Any]:
    """New entities: numbers beyond the highest, or names that say that they were made."""
    import pandas as pd

    if "int" in column.dtype.casefold():
        return as_type(pd.Series(int(column.high) + 1 + first + np.arange(count)), column.dtype)
    names = pd.Series([f"made-{i:06d}" for i in range(first, first + count)], dtype=object)
    return names if column.dtype == "category" else as_type(names, column.dtype)
