"""What is said of series, and what is known of their columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from ...errors import DataError
from ..records import tuples

Level = str | int | float | bool | None
"""A category as JSON holds it; None where it is missing."""


@dataclass(frozen=True)
class SeriesOptions:
    """What a person may say about how series are opened.

    Attributes:
        entity: column that says which series a row belongs to; found by its name if not given.
        time: column that says when; found by its name if not given. Without one, rows are in order.
        metadata: columns that hold of a series as a whole. Those that never change within a series are so
            in any case.
        categories: columns of numbers that stand for categories.
        label: column of the class of each series, which samples can then be asked for.
        drop: columns that are left out.
        window: steps of the parts into which long series are cut; 0 leaves them whole.
        stride: steps from the beginning of one part to that of the next.
        scale: whether series are scaled by their own smallest and largest value (each) or by those of all
            (all); auto decides channel by channel.
        gaps: what becomes of values that are missing within a series: an error, or that of the step before.
        holdout: whether a part is held out to judge by.
        seed: decides which.
    """

    entity: str | None = None
    time: str | None = None
    metadata: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    label: str | None = None
    drop: tuple[str, ...] = ()
    window: int = 0
    stride: int = 1
    scale: Literal["auto", "each", "all"] = "auto"
    gaps: Literal["refuse", "fill"] = "refuse"
    holdout: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises a DataError if a value cannot be."""
        if self.window < 0 or self.window == 1 or self.stride < 1:
            raise DataError(
                f"windows of {self.window} steps, {self.stride} apart, were asked for; at least 2 steps and "
                "1 apart were expected, or --window 0 for whole series."
            )

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SeriesOptions:
        """The options that `to_json` described."""
        return cls(**tuples(fields))

    def told_apart(self, columns: Collection[str]) -> SeriesOptions:
        """The same, with names such as "age,sex" split at their commas, unless a column is called so."""
        apart: dict[str, Any] = {}
        for field in ("metadata", "categories", "drop"):
            names: list[str] = []
            for name in getattr(self, field):
                whole = name in columns or "," not in name
                names += [name] if whole else filter(None, map(str.strip, name.split(",")))
            apart[field] = tuple(names)
        return replace(self, **apart)


DEFAULTS = SeriesOptions()


@dataclass(frozen=True)
class SeriesColumn:
    """A channel, or something that holds of a whole series.

    Attributes:
        name: of the column.
        dtype: as it came in.
        levels: categories, in the order of their numbers; empty for numbers.
        decimals: to which numbers are rounded; None leaves them.
        low, high: between which numbers lie.
    """

    name: str
    dtype: str
    levels: tuple[Level, ...] = ()
    decimals: int | None = None
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SeriesColumn:
        """The column whose fields JSON held."""
        return cls(**{**fields, "levels": tuple(fields["levels"])})


@dataclass(frozen=True)
class TimeColumn:
    """When something was measured.

    Attributes:
        name: of the column.
        dtype: as it came in.
        kind: dates, texts that are dates, or numbers.
        zone: of dates that have one.
        unit: of which all times are multiples, in seconds for dates; 0 if of none.
        format: of texts, if all have the same.
    """

    name: str
    dtype: str
    kind: Literal["date", "text", "number"]
    zone: str | None = None
    unit: float = 0.0
    format: str | None = None


@dataclass(frozen=True)
class SeriesSchema:
    """What came in, so that what goes out can be like it.

    Attributes:
        channels: what changes within a series.
        metadata: what holds of a series as a whole.
        label: the class of each series; None without.
        time: when each step was; None if steps are only in order.
        entity: which series a row belongs to, and the highest number if they are numbers; None of arrays.
        order: all columns of the frame, in order; empty of arrays.
        array: type of the array's numbers; empty of frames.
        flat: whether the array had two dimensions.
    """

    channels: tuple[SeriesColumn, ...]
    metadata: tuple[SeriesColumn, ...] = ()
    label: SeriesColumn | None = None
    time: TimeColumn | None = None
    entity: SeriesColumn | None = None
    order: tuple[str, ...] = ()
    array: str = ""
    flat: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """Which channels are numbers."""
        return tuple(i for i, column in enumerate(self.channels) if not column.levels)

    @property
    def categories(self) -> tuple[int, ...]:
        """Which channels are categories."""
        return tuple(i for i, column in enumerate(self.channels) if column.levels)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SeriesSchema:
        """The schema whose fields JSON held."""
        label, time, entity = fields["label"], fields["time"], fields["entity"]
        return cls(
            channels=tuple(map(SeriesColumn.from_json, fields["channels"])),
            metadata=tuple(map(SeriesColumn.from_json, fields["metadata"])),
            label=None if label is None else SeriesColumn.from_json(label),
            time=None if time is None else TimeColumn(**time),
            entity=None if entity is None else SeriesColumn.from_json(entity),
            order=tuple(fields["order"]),
            array=fields["array"],
            flat=fields["flat"],
        )
