"""A series' codec: series to rows as networks see them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ...errors import DataError
from ..table.frames import Container
from .arrays import array_of
from .clock import Clock, fit_clock
from .frames import frame_of
from .layout import SeriesLayout
from .ragged import Ragged
from .scaling import Mixing, Scale, Track, fit_any, fit_mixing, fit_track, spans
from .schema import SeriesColumn, SeriesSchema

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

MOST_BYTES = 4 << 30  # of all rows


@dataclass(frozen=True)
class SeriesCodec:
    """How series become rows, and samples become series again.

    Attributes:
        schema: what came in.
        layout: of a row.
        mixing: of the channels that are numbers.
        tracks: how each of these is scaled, once they are mixed.
        metadata: how each column is scaled; None for categories.
        clock: how times follow each other; None if steps are only in order.
        container: what a frame came in; None of an array.
    """

    schema: SeriesSchema
    layout: SeriesLayout
    mixing: Mixing
    tracks: tuple[Track, ...]
    metadata: tuple[Scale | None, ...]
    clock: Clock | None
    container: Container | None = None

    kind = "series"

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            "kind": self.kind,
            "schema": asdict(self.schema),
            "layout": self.layout.to_json(),
            "mixing": asdict(self.mixing),
            "tracks": [asdict(track) for track in self.tracks],
            "metadata": [None if scale is None else asdict(scale) for scale in self.metadata],
            "clock": None if self.clock is None else asdict(self.clock),
            "container": None if self.container is None else self.container.to_json(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SeriesCodec:
        """The codec that `to_json` described."""
        clock, container = fields["clock"], fields["container"]
        return cls(
            SeriesSchema.from_json(fields["schema"]),
            SeriesLayout.from_json(fields["layout"]),
            Mixing.from_json(fields["mixing"]),
            tuple(map(Track.from_json, fields["tracks"])),
            tuple(None if scale is None else Scale(**scale) for scale in fields["metadata"]),
            None if clock is None else Clock.from_json(clock),
            None if container is None else Container.from_json(container),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample as the networks see it."""
        return (self.layout.width,)

    def encode(self, values: Float[np.ndarray, "n width"]) -> Tensor:
        """Rows as a tensor."""
        import torch

        return torch.from_numpy(np.array(values, np.float32))

    def decode(self, samples: Tensor) -> Float[np.ndarray, "n width"]:
        """A tensor's rows."""
        return samples.detach().cpu().float().numpy()

    def rows_of(self, series: Ragged) -> Float[np.ndarray, "n width"]:
        """Series as rows, float32."""
        layout, steps = self.layout, self.steps_of(series)
        whole = np.zeros((len(series), layout.steps, layout.features), np.float32)
        whole[series.owner, series.place] = steps
        rows = np.concatenate([self.attributes_of(series), whole.reshape(len(series), -1)], 1)
        return rows.astype(np.float32)

    def steps_of(self, series: Ragged) -> Float[np.ndarray, "steps features"]:
        """All steps of all series: numbers, one-hots and the flag."""
        x = self.mixing.forward(series.values[:, list(self.schema.numbers)])
        middles, halves = spans(x, series.starts)
        wide = np.where(halves > 0, halves, np.inf)
        columns = [
            (x[:, i] - middles[series.owner, i]) / wide[series.owner, i]
            if track.all is None
            else track.all.forward(x[:, i])
            for i, track in enumerate(self.tracks)
        ]
        if self.clock is not None and self.clock.step is not None:
            columns.append(self.clock.encode(series))
        blocks = [column[:, None] for column in columns]
        blocks += [one_hot(series.values[:, i], self.schema.channels[i]) for i in self.schema.categories]
        blocks += [np.ones((len(x), 1))] if self.layout.ends else []
        return np.concatenate(blocks, 1)

    def attributes_of(self, series: Ragged) -> Float[np.ndarray, "n attributes"]:
        """What holds of each series as a whole: numbers, then one-hots."""
        x = self.mixing.forward(series.values[:, list(self.schema.numbers)])
        middles, halves = spans(x, series.starts)
        numbers = [
            scale.forward(series.metadata[:, i]) for i, scale in enumerate(self.metadata) if scale is not None
        ]
        for i, track in enumerate(self.tracks):
            if track.middle is not None and track.half is not None:
                numbers.append(track.middle.forward(middles[:, i]))
                numbers.append(np.clip(track.half.forward(halves[:, i]), -1, 1))
        if self.clock is not None and self.clock.start.varies:
            assert series.times is not None
            numbers.append(self.clock.start.forward(series.times[series.starts]))
        if self.layout.ends:
            numbers.append(self.length_scale.forward(series.lengths.astype(np.float64)))
        blocks = [column[:, None] for column in numbers]
        for i, scale in enumerate(self.metadata):
            blocks += [one_hot(series.metadata[:, i], self.schema.metadata[i])] if scale is None else []
        return np.concatenate([np.zeros((len(series), 0)), *blocks], 1)

    @property
    def length_scale(self) -> Scale:
        """Of the number of steps."""
        return Scale(float(self.layout.shortest), float(self.layout.steps))

    def series_of(
        self, rows: Float[np.ndarray, "n width"], labels: Int[np.ndarray, " n"] | None = None
    ) -> Ragged:
        """Rows as series.

        Args:
            rows: as networks make them.
            labels: the class of each, if samples were asked for by class.
        """
        layout, numbers = self.layout, np.asarray(rows, np.float64)
        steps = numbers[:, layout.attributes :].reshape(-1, layout.steps, layout.features)
        lengths = np.full(len(numbers), layout.steps)
        if layout.ends:
            lengths = np.maximum((steps[:, :, -1] > 0.5).sum(1), 1)
        flat = steps[np.arange(layout.steps) < lengths[:, None]]
        bare = Ragged(flat, lengths, np.zeros((len(numbers), 0)), None, labels)
        attributes = Attributes(numbers[:, : layout.attributes], layout)
        metadata = self.metadata_of(attributes)
        values = self.values_of(bare, attributes)
        times = self.times_of(bare, attributes)
        return Ragged(values, lengths, metadata, times, labels)

    def metadata_of(self, attributes: Attributes) -> Float[np.ndarray, "n columns"]:
        """Columns that hold of a whole series."""
        found = [
            attributes.choice() if scale is None else finished(scale.backward(attributes.number()), column)
            for scale, column in zip(self.metadata, self.schema.metadata, strict=True)
        ]
        return np.stack(found, 1) if found else np.zeros((attributes.count, 0))

    def values_of(self, bare: Ragged, attributes: Attributes) -> Float[np.ndarray, "steps channels"]:
        """Channels, of steps as networks make them; reads the attributes behind those of the metadata."""
        owner, steps, mixed = bare.owner, bare.values, np.empty((len(bare.values), len(self.tracks)))
        for i, track in enumerate(self.tracks):
            if track.middle is None or track.half is None:
                assert track.all is not None
                mixed[:, i] = track.all.backward(steps[:, i])
            else:
                middle = track.middle.backward(attributes.number())
                half = track.half.backward(attributes.number())
                mixed[:, i] = np.clip(steps[:, i], -1, 1) * half[owner] + middle[owner]
        values = np.empty((len(steps), len(self.schema.channels)))
        plain = self.mixing.backward(mixed)
        for place, i in enumerate(self.schema.numbers):
            values[:, i] = finished(plain[:, place], self.schema.channels[i])
        start = self.layout.channels
        for width, i in zip(self.layout.options, self.schema.categories, strict=True):
            values[:, i] = steps[:, start : start + width].argmax(1)
            start += width
        return values

    def times_of(self, bare: Ragged, attributes: Attributes) -> Float[np.ndarray, " steps"] | None:
        """Times of all steps; reads the attribute behind those of the channels."""
        clock = self.clock
        if clock is None:
            return None
        starts = attributes.number() if clock.start.varies else np.zeros(len(bare))
        scaled = None if clock.step is None else bare.values[:, self.layout.channels - 1]
        return clock.decode(starts, scaled, bare)

    def frame_of(self, series: Ragged, first: int = 0) -> pd.DataFrame | np.ndarray:
        """Series as they came in: a long frame of the same columns and types, or an array.

        Args:
            series: as `series_of` gives them.
            first: number of the first series.
        """
        return array_of(self.schema, series) if self.schema.array else frame_of(self.schema, series, first)


class Attributes:
    """Attributes of rows, read one after the other.

    Args:
        rows: numbers, then one-hots.
        layout: how many of each.
    """

    def __init__(self, rows: Float[np.ndarray, "n attributes"], layout: SeriesLayout) -> None:
        self.rows, self.count, self.next_number = rows, len(rows), 0
        self.choices, self.start = iter(layout.choices), layout.numbers

    def number(self) -> Float[np.ndarray, " n"]:
        """The next number of each row."""
        self.next_number += 1
        return self.rows[:, self.next_number - 1]

    def choice(self) -> Float[np.ndarray, " n"]:
        """The next category of each row."""
        first = self.start
        self.start += next(self.choices)
        return self.rows[:, first : self.start].argmax(1).astype(np.float64)


def one_hot(codes: Float[np.ndarray, " n"], column: SeriesColumn) -> Float[np.ndarray, "n levels"]:
    """1 at each row's category, 0 elsewhere."""
    return np.eye(len(column.levels))[codes.astype(np.int64)]


def finished(x: Float[np.ndarray, " n"], column: SeriesColumn) -> Float[np.ndarray, " n"]:
    """Numbers as the column has them: within its bounds, with as many decimals."""
    rounded = x if column.decimals is None else np.round(x, column.decimals)
    return np.clip(rounded, column.low, column.high)


def fit_series_codec(
    series: Ragged, schema: SeriesSchema, scale: str = "auto", container: Container | None = None
) -> tuple[SeriesCodec, list[str]]:
    """The codec of series, and what there is to say of it.

    Args:
        series: all there are: so that a hold-out is no longer than what is learnt from.
        schema: what came in.
        scale: each, all or auto; see `SeriesOptions`.
        container: what a frame came in.

    Raises:
        DataError: rows of all would be too large.
    """
    x = series.values[:, list(schema.numbers)]
    mixing, groups = fit_mixing(x)
    mixed = mixing.forward(x)
    middles, halves = spans(mixed, series.starts)
    tracks = [fit_track(mixed[:, i], middles[:, i], halves[:, i], scale) for i in range(mixed.shape[1])]
    clock = fit_clock(series, 0.0 if schema.time is None else schema.time.unit)
    metadata = tuple(
        None if column.levels else fit_any(series.metadata[:, i]) for i, column in enumerate(schema.metadata)
    )
    own = [i for i, track in enumerate(tracks) if track.all is None]
    longest, shortest = int(series.lengths.max()), int(series.lengths.min())
    start = clock is not None and clock.start.varies
    layout = SeriesLayout(
        steps=longest,
        shortest=shortest,
        numbers=sum(s is not None for s in metadata) + 2 * len(own) + start + (shortest < longest),
        choices=tuple(len(column.levels) for column in schema.metadata if column.levels),
        channels=len(tracks) + (clock is not None and clock.step is not None),
        options=tuple(len(schema.channels[i].levels) for i in schema.categories),
        spanned=tuple(i for i in own if (halves[:, i] > 0).all()),
    )
    refuse_large(layout, len(series))
    codec = SeriesCodec(schema, layout, mixing, tuple(tracks), metadata, clock, container)
    return codec, notes_of(schema, groups, own, clock)


def refuse_large(layout: SeriesLayout, count: int) -> None:
    """Raises a DataError if the rows of all series would not fit into memory."""
    size = 4 * count * layout.width
    if size > MOST_BYTES:
        raise DataError(
            f"{count} series of up to {layout.steps} steps need {size / 1e9:.1f} GB as rows; at most "
            f"{MOST_BYTES / 1e9:.1f} GB were expected. Cut them into windows (--window 100), or give fewer."
        )


def notes_of(schema: SeriesSchema, groups: list[list[int]], own: list[int], clock: Clock | None) -> list[str]:
    """What there is to say of how series are encoded."""
    names = [schema.channels[i].name for i in schema.numbers]
    mixed = {i for group in groups for i in group}
    notes = [
        f"{', '.join(names[i] for i in group)} move together: what they share and what sets them apart is "
        "learnt"
        for group in groups
    ]
    alone = [names[i] for i in own if i not in mixed]
    if own:
        which = ", ".join(alone + ["what moves together"] * bool(mixed & {*own}))
        notes.append(f"each series has a range of its own, which is learnt as well, of: {which}")
    if clock is not None:
        notes.append("time stamps are irregular and learnt" if clock.step else "time stamps are regular")
    return notes
