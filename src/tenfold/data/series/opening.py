"""Opening series: read, hold out, encode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import numpy as np

from ...errors import DataError
from ..codec import Codec
from ..dataset import Dataset, Split
from ..holdout import FEWEST, holdout_target, plan_holdout
from ..notes import holdout_notes
from ..spec import DataSpec
from .codec import SeriesCodec, fit_series_codec
from .frames import ReadSeries, read_series
from .ragged import Ragged, Windows
from .schema import DEFAULTS, SeriesColumn, SeriesOptions

LONGEST_BLOCK = 8  # windows, one after the other, that are held out together


def open_series(
    source: Any,  # noqa: ANN401
    options: SeriesOptions = DEFAULTS,
    codec: SeriesCodec | None = None,
) -> Dataset:
    """Opens series for training.

    Args:
        source: as `read_series` takes it.
        options: what the columns are, and what to do with gaps and long series.
        codec: of a run that was trained on it; found anew if not given.

    Raises:
        DataError: they cannot be used; the message says why and what to do.

    Example:
        >>> waves = np.sin(np.arange(24.0) * np.linspace(0.1, 1, 100)[:, None])
        >>> data = open_series(waves)
        >>> data.spec.kind, len(data.train), len(data.holdout)
        ('series', 75, 25)
    """
    read, more = with_usable_labels(read_series(source, options))
    train, held, left = split(read, options)
    notes = [*read.notes, *more, *left]
    if codec is None:
        codec, said = fit_series_codec(read.series, read.schema, options.scale, read.container)
        notes += said
    refuse_others(read, codec)
    classes, counts = classes_of(read, train)
    side, lengths = side_of(read, codec, train), read.series.lengths
    return Dataset(
        source=read.source,
        spec=DataSpec("series", codec.shape, len(side), classes, counts, series=codec.layout),
        codec=plain_codec(codec),
        train=side,
        holdout=side_of(read, codec, held) if len(held) else None,
        fingerprint=blake2b(f"{read.fingerprint} {options}".encode(), digest_size=16).hexdigest(),
        notes=(f"{len(lengths)} series of {words(lengths)} steps", *notes),
        series=codec,
    )


def refuse_others(read: ReadSeries, codec: SeriesCodec) -> None:
    """Raises a DataError if series are not those that a codec was made for, whose rows they might not fit."""
    if read.schema != codec.schema or read.series.lengths.max() > codec.layout.steps:
        raise DataError(
            f"the series in {read.source} are not those that were trained on (columns, categories, ranges or "
            "lengths differ). Give these."
        )


def words(lengths: np.ndarray) -> str:
    """How long series are."""
    low, high = int(lengths.min()), int(lengths.max())
    return str(high) if low == high else f"{low} to {high}"


def plain_codec(codec: SeriesCodec) -> Codec:
    """For whoever takes rows for plain numbers."""
    (width,) = codec.shape
    return Codec("vectors", width, 1, 1, 1, 1, "float32", (-1.0,) * width, (1.0,) * width, ".npy")


def side_of(read: ReadSeries, codec: SeriesCodec, index: np.ndarray) -> Split:
    """Some series as rows."""
    series = read.series.take(index)
    return Split(codec.rows_of(series), series.labels, [read.names[int(i)] for i in index], codec)


def with_usable_labels(read: ReadSeries) -> tuple[ReadSeries, list[str]]:
    """The same with its labels as metadata, if samples cannot be asked for by them."""
    label, classes = read.schema.label, read.series.labels
    if label is None or classes is None:
        return read, []
    counts = np.bincount(classes, minlength=len(label.levels))
    if len(counts) > 1 and counts.min() > 1:
        return read, []
    series, schema = read.series, read.schema
    metadata = np.concatenate([series.metadata, classes[:, None].astype(np.float64)], 1)
    series = replace(series.without_labels(), metadata=metadata)
    schema = replace(schema, label=None, metadata=(*schema.metadata, label))
    why = "a single class" if len(counts) < 2 else f"a class with a single series, {rarest(label, counts)}"
    note = f"{label.name} has {why}: it is learnt, but cannot be asked for"
    return replace(read, series=series, schema=schema), [note]


def rarest(label: SeriesColumn, counts: np.ndarray) -> str:
    """The name of the smallest class."""
    return repr(label.levels[int(counts.argmin())])


def classes_of(read: ReadSeries, train: np.ndarray) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the classes, and how many training series have each."""
    label, classes = read.schema.label, read.series.labels
    if label is None or classes is None:
        return (), ()
    counts = np.bincount(classes[train], minlength=len(label.levels))
    return tuple(map(str, label.levels)), tuple(counts.tolist())


def split(read: ReadSeries, options: SeriesOptions) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers of the series that are trained on, of those that are held out, and what there is to say."""
    count = len(read.series)
    every = np.arange(count)
    if not options.holdout:
        return every, every[:0], []
    names = labels_of(read.series)
    groups: Sequence[str | None] = [None] * count
    if read.windows is not None:
        groups = blocks(read.windows, options.stride)
    held = plan_holdout(names, groups, options.seed)
    if read.windows is None or not len(held):
        train = np.setdiff1d(every, held)
        return train, held, holdout_notes(len(train), len(held), carve=True)
    train = np.setdiff1d(every, read.windows.overlapping(held))
    between = count - len(train) - len(held)
    notes = [*holdout_notes(count - len(held), len(held), carve=True)]
    return train, held, [*notes, f"{between} windows that share steps with these are left out"]


def labels_of(series: Ragged) -> list[str | None]:
    """The class of each series, for a hold-out in proportion."""
    return [None] * len(series) if series.labels is None else [str(x) for x in series.labels.tolist()]


def blocks(found: Windows, stride: int) -> list[str | None]:
    """The block of each window: those of one block are held out together, as they share steps."""
    length, target = int(found.series.lengths[0]), holdout_target(max(len(found.of), FEWEST))
    longest = max(1, min(LONGEST_BLOCK, target * stride // length))
    return [
        f"{of}-{first // (longest * length)}"
        for of, first in zip(found.of.tolist(), found.first.tolist(), strict=True)
    ]
