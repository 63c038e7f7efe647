"""Series that come as arrays: `(n, steps, channels)`, NaN beyond the end of the shorter ones."""

from __future__ import annotations

import zipfile
from hashlib import blake2b
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from ...errors import DataError, suggest
from .columns import MOST_LEVELS, number_column
from .gaps import without_gaps
from .ragged import Ragged
from .schema import SeriesColumn, SeriesOptions, SeriesSchema

VALUE_KEYS = ("values", "series", "x", "data", "arr_0")
LABEL_KEYS = ("labels", "y", "arr_1")
SHAPES = "(series, steps, channels), or (series, steps) of a single channel"


def load_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The series in a `.npy` or `.npz` file and, of the latter, their labels if there are any.

    Raises:
        DataError: it cannot be read, or holds no series.
    """
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False), None
        with np.load(path, allow_pickle=False) as found:
            arrays = dict(found)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as arrays of plain numbers: {error}.") from error
    values = next((arrays[key] for key in VALUE_KEYS if key in arrays), None)
    if values is None:
        held = ", ".join(arrays) or "nothing"
        raise DataError(f"{path} holds {held}. Expected an array called one of: {', '.join(VALUE_KEYS)}.")
    return values, next((arrays[key] for key in LABEL_KEYS if key in arrays), None)


def read_array(
    values: Shaped[np.ndarray, "..."], labels: np.ndarray | None, options: SeriesOptions
) -> tuple[Ragged, SeriesSchema, list[str]]:
    """Series of an array, what is known of them, and what there is to say.

    Raises:
        DataError: another shape or type, a gap, or labels that do not fit.
    """
    refuse_columns(options)
    whole = whole_of(values, options)
    options = options.told_apart(())
    lengths = lengths_of(whole)
    there = np.arange(whole.shape[1]) < lengths[:, None]
    series = Ragged(whole[there], lengths, np.zeros((len(whole), 0)))
    names = tuple(f"channel {i}" for i in range(whole.shape[2]))

    def where(step: int) -> str:
        return f"series {series.owner[step]}, step {series.place[step]}, counted from 0"

    steps, notes = without_gaps(series, names, where, fill=options.gaps == "fill")
    refuse_unknown(options.categories, whole.shape[2])
    columns = []
    for i in range(whole.shape[2]):
        column, steps[:, i] = channel(
            i, str(values.dtype), steps[:, i], category=str(i) in options.categories
        )
        columns.append(column)
    label, numbers = label_of(labels, len(whole))
    flat = values.ndim == 2 and not options.window
    schema = SeriesSchema(tuple(columns), label=label, array=str(values.dtype), flat=flat)
    return Ragged(steps, lengths, series.metadata, None, numbers), schema, notes


def whole_of(values: np.ndarray, options: SeriesOptions) -> Float[np.ndarray, "n steps channels"]:
    """The array with three dimensions; with windows, two are steps and channels of one long series."""
    if values.dtype.kind not in "fiub" or 0 in values.shape:
        raise DataError(
            f"An array of {values.dtype} of the shape {values.shape} was found; numbers were expected: "
            f"{SHAPES}."
        )
    if options.window and values.ndim in (1, 2):
        return values.reshape(1, len(values), -1).astype(np.float64)
    if values.ndim not in (2, 3):
        raise DataError(
            f"The array has the shape {values.shape}. Expected {SHAPES}. One long series, (steps, "
            "channels), is cut into parts by window=N (--window N)."
        )
    return values.reshape(*values.shape[:2], -1).astype(np.float64)


def lengths_of(whole: Float[np.ndarray, "n steps channels"]) -> np.ndarray:
    """Steps of each series: what comes after is NaN in every channel."""
    there = ~np.all(np.isnan(whole), axis=2)
    empty = np.flatnonzero(~there.any(1))
    if len(empty):
        raise DataError(
            f"{len(empty)} of {len(whole)} series are NaN throughout (first: number {empty[0]}, counted from "
            "0). Leave them out."
        )
    return whole.shape[1] - there[:, ::-1].argmax(1)


def channel(
    number: int, dtype: str, x: Float[np.ndarray, " steps"], *, category: bool
) -> tuple[SeriesColumn, np.ndarray]:
    """What is known of a channel, and its numbers."""
    if not category:
        return number_column(f"channel {number}", dtype, x), x
    levels, codes = np.unique(x, return_inverse=True)
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"channel {number} has {len(levels)} different values; at most {MOST_LEVELS} categories were "
            "expected."
        )
    return SeriesColumn(f"channel {number}", dtype, tuple(levels.tolist())), codes.astype(np.float64)


def label_of(labels: np.ndarray | None, count: int) -> tuple[SeriesColumn | None, np.ndarray | None]:
    """What is known of labels, and the class number of each series."""
    if labels is None:
        return None, None
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iubU":
        raise DataError(
            f"There are {count} series but labels of {labels.dtype} of the shape {labels.shape}; one whole "
            "number or text each was expected."
        )
    levels, numbers = np.unique(labels, return_inverse=True)
    return SeriesColumn("label", str(labels.dtype), tuple(levels.tolist())), numbers.astype(np.int64)


def array_of(schema: SeriesSchema, series: Ragged) -> np.ndarray:
    """Series as an array of the shape and type that came in; NaN beyond their ends."""
    values = series.values.copy()
    for i in schema.categories:
        values[:, i] = np.array(schema.channels[i].levels, np.float64)[values[:, i].astype(np.int64)]
    longest = int(series.lengths.max())
    found = np.full((len(series), longest, values.shape[1]), np.nan)
    found[np.arange(longest) < series.lengths[:, None]] = values
    found = found[:, :, 0] if schema.flat else found
    dtype = np.dtype(schema.array)
    if dtype.kind == "f":
        return found.astype(dtype)
    return found if np.isnan(found).any() else np.rint(found).astype(dtype)


def fingerprint_of(values: np.ndarray, labels: np.ndarray | None) -> str:
    """Changes when a value or a label does."""
    digest = blake2b(digest_size=16)
    for array in (values, labels):
        if array is not None:
            digest.update(f"{array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def refuse_columns(options: SeriesOptions) -> None:
    """Raises a DataError if columns are named, which an array has not."""
    named = [name for name in (options.entity, options.time, options.label, *options.metadata) if name]
    if named:
        raise DataError(
            f"the column {named[0]!r} was named, and an array has none. Give a frame, or labels beside the "
            "array: (values, labels), or values and labels in a .npz file."
        )


def refuse_unknown(categories: tuple[str, ...], channels: int) -> None:
    """Raises a DataError if a category is no channel's number."""
    known = [str(i) for i in range(channels)]
    for name in categories:
        if name not in known:
            raise DataError(f"there is no channel {name!r}. {suggest(name, known)}")
