"""Learning rates over a run: functions of the share of the planned samples that has been seen."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from typing import Literal

Schedule = Callable[[float], float]
ScheduleName = Literal["constant", "linear", "cosine", "second_half"]


def constant(progress: float) -> float:
    """1 throughout."""
    return 1.0


def linear(progress: float) -> float:
    """From 1 to 0 in a straight line.

    Example:
        >>> linear(0.25)
        0.75
    """
    return 1.0 - min(max(progress, 0.0), 1.0)


def cosine(progress: float) -> float:
    """From 1 to 0 along half a cosine."""
    return 0.5 + 0.5 * cos(pi * min(max(progress, 0.0), 1.0))


def second_half(progress: float) -> float:
    """1 for half of the run, then to 0 in a straight line.

    Example:
        >>> second_half(0.25), second_half(0.75)
        (1.0, 0.5)
    """
    return min(1.0, 2 * linear(progress))


SCHEDULES: dict[ScheduleName, Schedule] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "second_half": second_half,
}
