"""What a gain is worth in real items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .picks import Picks
from .score import CURVE, better
from .statistics import Interval


@dataclass(frozen=True)
class Worth:
    """What the gain is worth in real training items; no number where it is not defined.

    Attributes:
        curve: items and measure of the learning curve.
        slope: gain per doubling of the training items.
        items: real items that would gain as much.
        low: the same for the lower end of the gain's interval.
        high: and for the upper end.
        words: all that in a sentence.
    """

    curve: tuple[tuple[float, float], ...]
    slope: float | None
    items: float | None
    low: float | None
    high: float | None
    words: str


def worth(picks: Picks, learner: str, gain: Interval) -> Worth:
    """Reads off a line through the learning curve, in the logarithm of the items, where the gain would be."""
    arms = [arm for arm in (*CURVE, "none") if arm in picks.design.arms]
    curve = []
    for arm in arms:
        items = [score.items for seeds in picks.grid(arm, learner) for score in seeds]
        curve.append((float(np.mean(items)), picks.mean(arm, learner)))
    start = "What the gain is worth in real items is not defined: "
    if len(curve) < 3:
        return Worth(tuple(curve), None, None, None, None, start + "the learning curve was not measured.")
    x, y = np.log2([n for n, _ in curve]), np.array([value for _, value in curve])
    slope = float(np.polyfit(x, better(picks.design.metric) * y, 1)[0])
    if slope <= 0:
        words = start + "more real items do not help here either."
        return Worth(tuple(curve), slope, None, None, None, words)
    if gain.mean <= 0:
        return Worth(tuple(curve), slope, None, None, None, start + "there is no gain.")
    n = curve[-1][0]
    items, low, high = (n * (2 ** min(max(g, 0) / slope, 60) - 1) for g in (gain.mean, gain.low, gain.high))
    return Worth(tuple(curve), slope, items, low, high, _worth_words(items, (low, high), n))


def _worth_words(items: float, ends: tuple[float, float], n: float) -> str:
    # The curve spans a factor of four; beyond as much again its line says nothing.
    most = 3 * n
    about, low, high = (
        f"more than {most:,.0f}" if value > most else f"{value:,.0f}" for value in (items, *ends)
    )
    start = "The gain is" if ends[0] else "The gain, if there is one, is"
    return (
        f"{start} worth about {about} more real training items (95 % interval {low} to {high}; there are "
        f"{n:,.0f} now), by the learning curve."
    )
