"""How the times of a series follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .ragged import Ragged
from .scaling import Scale, fit_scale

EVEN = 1e-6  # of a step: differences below that are rounding


@dataclass(frozen=True)
class Clock:
    """How the times of a series follow each other.

    Attributes:
        unit: of which all times are multiples; 0 if of none.
        start: of the first time of each series.
        regular: from each step to the next, if that is always the same; else what is usual.
        step: of the logarithm of the time since the step before; None if it is always the same.
    """

    unit: float
    start: Scale
    regular: float
    step: Scale | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Clock:
        """The clock whose fields JSON held."""
        step = fields["step"]
        whole = {"start": Scale(**fields["start"]), "step": None if step is None else Scale(**step)}
        return cls(**{**fields, **whole})

    def encode(self, series: Ragged) -> Float[np.ndarray, " steps"]:
        """The time since the step before, in [-1, 1]; the first step's is that of the second."""
        assert self.step is not None
        return self.step.forward(since_before(series, self.regular))

    def decode(
        self, starts: Float[np.ndarray, " n"], scaled: Float[np.ndarray, " steps"] | None, series: Ragged
    ) -> Float[np.ndarray, " steps"]:
        """Times of all steps, later and later within a series.

        Args:
            starts: the first time of each series, in [-1, 1].
            scaled: as `encode` gives them; None if the time between steps is always the same.
            series: of which only lengths are read.
        """
        since = np.full(len(series.owner), self.regular)
        if scaled is not None and self.step is not None:
            since = self.whole(self.step.backward(scaled), least=self.unit)
        since[series.starts] = 0.0
        passed = np.cumsum(since)
        passed -= passed[series.starts][series.owner]
        first = self.whole(self.start.backward(starts), least=None)
        return self.whole(first[series.owner] + passed, least=None)

    def whole(self, x: np.ndarray, *, least: float | None) -> np.ndarray:
        """Multiples of the unit, at least as large as given."""
        rounded = x if self.unit == 0 else np.rint(x / self.unit) * self.unit
        return rounded if least is None else np.maximum(rounded, least)


def fit_clock(series: Ragged, unit: float) -> Clock | None:
    """How times follow each other; None if there are none.

    Args:
        series: with times that rise within each series.
        unit: of which all are multiples; 0 if of none.
    """
    if series.times is None:
        return None
    start = fit_scale(series.times[series.starts])
    steps = np.diff(series.times)[np.diff(series.owner) == 0]
    usual = float(np.median(steps))
    if (np.abs(steps - usual) <= EVEN * usual).all():
        return Clock(unit, start, usual, None)
    return Clock(unit, start, usual, fit_scale(steps, "log"))


def since_before(series: Ragged, alone: float) -> Float[np.ndarray, " steps"]:
    """The time since the step before; the first step's is that of the second, or `alone` if there is none."""
    assert series.times is not None
    found = np.diff(series.times, prepend=series.times[0])
    second = np.minimum(series.starts + 1, len(found) - 1)
    found[series.starts] = np.where(series.lengths > 1, found[second], alone)
    return found
