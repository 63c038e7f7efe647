"""The figures of an experiment's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .picks import Picks
from .score import ARM_WORDS, METRIC_WORDS, Design
from .verdict import Comparison, Conclusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#444444"
_PALE = "#bbbbbb"
# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


def colours(design: Design) -> dict[str, str]:
    """A colour per learner, the same in every figure."""
    return {learner: _COLOURS[i % len(_COLOURS)] for i, learner in enumerate(design.learners)}


def forest(rows: Sequence[Comparison], design: Design, primary: str, label: str) -> Figure:
    """Gains in points with their intervals; rows of one arm stand together.

    Args:
        rows: in the order of reading.
        design: of the experiment.
        primary: the learner that decides; drawn stronger.
        label: below the axis.
    """
    from matplotlib.figure import Figure

    arms = list(dict.fromkeys(row.arm for row in rows))
    drawn = Figure(figsize=(7.4, 1.1 + 0.21 * len(rows) + 0.14 * len(arms)), layout="constrained")
    axes, colour, place, ticks = drawn.add_subplot(), colours(design), 0.0, []
    axes.axvspan(-100 * design.width, 100 * design.width, color="#eeeeee", linewidth=0, zorder=0)
    axes.axvline(0, color=_INK, linewidth=0.8, zorder=1)
    for arm in arms:
        members = [row for row in rows if row.arm == arm]
        ticks.append(place + (len(members) - 1) / 2)
        for row in members:
            _bar(axes, row, place, colour[row.learner], row.learner == primary)
            place += 1
        place += 0.7
    axes.set_yticks(ticks, [ARM_WORDS[arm] for arm in arms])
    axes.set_ylim(place - 0.2, -1)
    _dress(axes, "", label)
    axes.grid(visible=False, axis="y")
    _legend(drawn, axes)
    return drawn


def _bar(axes: Axes, row: Comparison, place: float, colour: str, strong: bool) -> None:
    low, mean, high = (100 * value for value in (row.gain.low, row.gain.mean, row.gain.high))
    axes.plot([low, high], [place] * 2, color=colour, linewidth=2.4 if strong else 1.2, zorder=2)
    marker, size = ("D", 6) if strong else ("o", 4)
    axes.plot(mean, place, marker, color=colour, markersize=size, zorder=3, label=row.learner)


Curve = Float[np.ndarray, "ratios 4"]
"""Ratio, gain, and the ends of its interval, in points."""


def ratio_curve(picks: Picks) -> Figure | None:
    """The gain over the ratio of generated to real items, for every learner; None with a single ratio.

    On the test items, to be looked at: which ratio is taken was decided on validation.
    """
    from matplotlib.figure import Figure

    learners = picks.design.learners
    lines = {learner: _by_ratio(picks, learner) for learner in learners}
    if not all(lines.values()):
        return None
    drawn = Figure(figsize=(0.6 + 2.7 * len(learners), 3.4), layout="constrained")
    panels = drawn.subplots(1, len(learners), sharey=True, squeeze=False)[0]
    for axes, learner in zip(panels, learners, strict=True):
        axes.axhline(0, color=_INK, linewidth=0.8)
        for i, (label, curve) in enumerate(lines[learner].items()):
            x = np.arange(len(curve))
            axes.fill_between(x, curve[:, 2], curve[:, 3], color=_COLOURS[i], alpha=0.15, linewidth=0)
            axes.plot(x, curve[:, 1], color=_COLOURS[i], marker="o", markersize=4, label=label)
            axes.set_xticks(x, [f"{ratio:g}" for ratio in curve[:, 0]])
        _dress(axes, learner, "generated items per real one")
    panels[0].set_ylabel("gain in points", fontsize=8, color=_INK)
    _legend(drawn, panels[0])
    return drawn


def _by_ratio(picks: Picks, learner: str) -> dict[str, Curve]:
    """Curves by their label; ratios that were not tried in every split are left out."""
    design, curves = picks.design, {}
    for arm, against in (("classical_gan", "best_classical"), ("gan", "none")):
        points = [(0.0, 0.0, 0.0, 0.0)]
        for ratio in sorted(r for r in design.ratios if r > 0):
            grid = picks.grid_at(ratio, arm, learner)
            if grid is not None:
                gain = picks.interval([(grid, 1), (picks.grid(against, learner), -1)])
                points.append((ratio, 100 * gain.mean, 100 * gain.low, 100 * gain.high))
        if len(points) > 2:
            curves[f"{ARM_WORDS[arm]}, against {ARM_WORDS[against]}"] = np.array(points)
    return curves


def learning_curve(picks: Picks, conclusion: Conclusion) -> Figure | None:
    """The measure over the number of real items, and what other arms reach; None if it was not measured."""
    from matplotlib.figure import Figure

    worth, design = conclusion.worth, picks.design
    if len(worth.curve) < 2:
        return None
    drawn = Figure(figsize=(7.4, 3.6), layout="constrained")
    axes = drawn.add_subplot()
    items, values = np.array(worth.curve).T
    x = np.log2(items)
    ends = np.array([x.min(), x.max() + 0.6])
    axes.plot(2**ends, np.polyval(np.polyfit(x, values, 1), ends), color=_PALE, linestyle="--", linewidth=1)
    axes.plot(items, values, color=_INK, marker="o", markersize=5, label="real items only")
    levels = [
        arm for arm in ("gan", "best_classical", "classical_gan") if arm in (*design.arms, "best_classical")
    ]
    for arm, colour in zip(levels, (_COLOURS[1], _COLOURS[2], _COLOURS[0]), strict=False):
        level = picks.mean(arm, conclusion.primary)
        axes.axhline(level, color=colour, linewidth=1.4, label=ARM_WORDS[arm])
    axes.set_xscale("log")
    axes.set_xticks(items, [f"{n:,.0f}" for n in items])
    axes.minorticks_off()
    axes.set_ylabel(METRIC_WORDS[design.metric], fontsize=8, color=_INK)
    _dress(axes, "", "real training items")
    _legend(drawn, axes)
    return drawn


def _dress(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=_INK)
    axes.set_xlabel(below, fontsize=8, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_PALE)
    axes.tick_params(labelsize=8, labelcolor=_INK, color=_PALE)
    axes.grid(color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)


def _legend(drawn: Figure, axes: Axes) -> None:
    """One legend above everything, each label once."""
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    drawn.legend(
        known.values(), known, loc="outside upper left", ncols=4, fontsize=8, frameon=False, labelcolor=_INK
    )
