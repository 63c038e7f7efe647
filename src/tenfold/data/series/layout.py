"""How a series lies before networks: what holds of all of it first, then one step after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..records import tuples


@dataclass(frozen=True)
class SeriesLayout:
    """A series as a row of `width` numbers: its attributes, then its steps.

    Attributes are `numbers` in [-1, 1] and a one-hot for each of `choices`. A step is `channels` numbers in
    [-1, 1], a one-hot for each of `options` and, where series end at different steps, a flag: 1 for a step
    that there is. Steps beyond the end are 0 throughout. How long a series is is the last of the attributes'
    numbers, too: -1 for the shortest, 1 for the longest.

    Attributes:
        steps: of the longest series.
        shortest: steps of the shortest series; with as many as the longest there are no flags.
        numbers: how many numbers there are among the attributes.
        choices: widths of the attributes' one-hots.
        channels: how many numbers a step has; the last is the time since the step before, if that differs.
        options: widths of a step's one-hots.
        spanned: channels, by number, that reach from -1 to 1 in every series.

    Example:
        >>> SeriesLayout(steps=4, shortest=2, numbers=3, choices=(2,), channels=1, options=(3,)).width
        25
    """

    steps: int
    shortest: int
    numbers: int
    choices: tuple[int, ...]
    channels: int
    options: tuple[int, ...]
    spanned: tuple[int, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether series end at different steps."""
        return self.shortest < self.steps

    @property
    def attributes(self) -> int:
        """Numbers that hold of a whole series."""
        return self.numbers + sum(self.choices)

    @property
    def features(self) -> int:
        """Numbers of a step."""
        return self.channels + sum(self.options) + self.ends

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.attributes + self.steps * self.features

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SeriesLayout:
        """The layout that `to_json` described."""
        return cls(**tuples(fields))
