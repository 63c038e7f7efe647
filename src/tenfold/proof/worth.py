"""What a gain is worth in real items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .picks import Picks, Terms
from .score import CURVE
from .statistics import Interval, signed, split_means

_DRAWS = 10_000
_NORMAL = 1.96  # standard deviations on either side of 95 %


@dataclass(frozen=True)
class Worth:
    """What the gain is worth in real training items; no number where it is not defined.

    Attributes:
        curve: items and measure of the learning curve without augmentation.
        slope: gain per doubling of the training items, with its interval; None without a curve.
        items: real items that would gain about as much.
        low: lower end of what they may be.
        high: upper end.
        words: all that in a sentence.
    """

    curve: tuple[tuple[float, float], ...]
    slope: Interval | None
    items: float | None
    low: float | None
    high: float | None
    words: str


def worth(picks: Picks, learner: str) -> Worth:
    """Reads off a line through the learning curve, in the logarithm of the items, where the gain would be.

    Gain and slope are both uncertain, and both by the same splits. So splits are drawn with replacement, for
    both together, and the ends are percentiles. As few splits vary too little, what is drawn is stretched
    until gain and slope each vary as much as their own intervals say.
    """
    arms = [arm for arm in (*CURVE, "none") if arm in picks.design.arms]
    grids = [picks.grid(arm, learner) for arm in arms]
    counts = [float(np.mean([score.items for seeds in grid for score in seeds])) for grid in grids]
    curve = tuple((n, picks.mean(arm, learner)) for n, arm in zip(counts, arms, strict=True))
    start = "What the gain is worth in real items is not defined: "
    if len(curve) < 3:
        return Worth(curve, None, None, None, None, start + "the learning curve was not measured.")
    x = np.log2(counts) - np.log2(counts).mean()
    line: Terms = list(zip(grids, (x / (x**2).sum()).tolist(), strict=True))  # least squares
    slope = picks.interval(line)
    gained = picks.terms("classical_gan", "best_classical", learner)
    gain = picks.interval(gained)
    if slope.low <= 0 or gain.mean <= 0:
        why = "there is no gain." if slope.low > 0 else _flat(slope)
        return Worth(curve, slope, None, None, None, start + why)
    low, high = np.quantile(counts[-1] * (2 ** _doublings(picks, gained, line) - 1), [0.025, 0.975]).tolist()
    items = counts[-1] * (2 ** min(gain.mean / slope.mean, 60) - 1)
    return Worth(curve, slope, items, low, high, _words(items, (low, high), counts[-1], learner))


def _flat(slope: Interval) -> str:
    if slope.mean <= 0:
        return "more real items do not help here either."
    return (
        "whether more real items help here is uncertain, as the learning curve without augmentation rises by "
        f"{signed(slope.mean)} points per doubling (95 % interval {signed(slope.low)} to "
        f"{signed(slope.high)})."
    )


def _doublings(picks: Picks, gained: Terms, line: Terms) -> Float[np.ndarray, " draws"]:
    """How many doublings of the items the gain may be worth; below zero counts as none."""
    draw, k = np.random.default_rng(0), picks.design.splits
    splits = draw.integers(k, size=(_DRAWS, k))
    gain, slope = (_stretched(picks, terms, splits, draw) for terms in (gained, line))
    gain = np.maximum(gain, 0)
    # Of the slopes that are drawn, a few may not be above zero; no number of items would then do.
    return np.divide(gain, slope, out=np.where(gain > 0, 60.0, 0.0), where=slope > gain / 60)


def _stretched(
    picks: Picks, terms: Terms, splits: np.ndarray, draw: np.random.Generator
) -> Float[np.ndarray, " draws"]:
    """Means of the splits drawn, spread as widely as the interval of all."""
    interval = picks.interval(terms)
    beside = split_means(picks.gains(terms))[splits].mean(1) - interval.mean
    spread = float(beside.std())
    if spread < 1e-12:  # all splits are equal, so that only the test items vary
        beside, spread = draw.normal(size=len(splits)), 1.0
    return interval.mean + beside * interval.half / (_NORMAL * spread)


def _words(items: float, ends: tuple[float, float], n: float, learner: str) -> str:
    # The curve spans a factor of four; beyond as much again its line says nothing.
    most = 3 * n
    about, low, high = (
        f"more than {most:,.0f}" if value > most else f"{value:,.0f}" for value in (items, *ends)
    )
    start = "The gain is" if ends[0] > 0 else "The gain, if there is one, is"
    return (
        f"{start} worth about {about} more real training items (95 % interval about {low} to {high}; there "
        f"are {n:,.0f} now), by the learning curve of {learner} without augmentation."
    )
