"""An evaluation of a table as a page: verdicts, columns real and made, numbers beside their reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .evaluation import MEANING, TONES, numbers_of, settings_of
from .page import Html, badge, figure, page, section, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..metrics.tables.design import TableRows
    from ..tables.evaluating import TableEvaluation

MOST_COLUMNS, ACROSS = 40, 4  # panels
MOST_BARS, BINS = 12, 30
REAL, MADE = "#8a949e", "#0072B2"


def page_of(found: TableEvaluation) -> str:
    """The whole page."""
    parts = [*_verdicts(found), _columns(found), numbers_of(found.metrics, MEANING)]
    return page("How good are the rows?", [*parts, settings_of(found.notes, found.settings)])


def _verdicts(found: TableEvaluation) -> Iterator[Html]:
    for verdict in found.verdicts:
        yield badge(verdict.about, TONES[verdict.level])
        yield text(f"{verdict.text} {verdict.advice}".strip())


def _columns(found: TableEvaluation) -> Html:
    names = sorted(found.by_column, key=lambda name: -found.by_column[name])
    about = "Grey: real rows. Blue: made ones. The columns that differ most come first."
    left = len(names) - MOST_COLUMNS
    more = f" {left} more differ less." if left > 0 else ""
    return section("Columns", [text(about + more), figure(drawn(found, names[:MOST_COLUMNS]), "columns")])


def drawn(found: TableEvaluation, names: list[str]) -> Figure:
    """A panel for each column."""
    from matplotlib.figure import Figure

    rows = -(-len(names) // ACROSS)
    whole = Figure(figsize=(10, 2.0 * rows + 0.3), layout="constrained")
    for number, name in enumerate(names):
        axes = whole.add_subplot(rows, ACROSS, number + 1)
        panel(axes, found.real, found.made, name)
        axes.set_title(f"{name[:24]} ({found.by_column[name]:.2f})", fontsize=8)
        axes.tick_params(labelsize=6)
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    return whole


def panel(axes: Axes, real: TableRows, made: TableRows, name: str) -> None:
    """Both distributions of one column."""
    place = real.place(name)
    sides = [rows.values[:, place] for rows in (real, made)]
    if real.categorical[place]:
        counts = [np.bincount(x.astype(np.int64), minlength=real.levels[place]) / len(x) for x in sides]
        order = np.argsort(-counts[0], kind="stable")[:MOST_BARS]
        at = np.arange(len(order))
        axes.bar(at - 0.2, counts[0][order], 0.4, color=REAL)
        axes.bar(at + 0.2, counts[1][order], 0.4, color=MADE)
        axes.set_xticks([])
        return
    known = [x[~np.isnan(x)] for x in sides]
    both = np.concatenate(known)
    if not len(both):
        return
    low, high = np.quantile(both, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    heights = [np.histogram(x.clip(edges[0], edges[-1]), edges)[0] / max(len(x), 1) for x in known]
    axes.stairs(heights[0], edges, fill=True, color=REAL, alpha=0.7)
    axes.stairs(heights[1], edges, color=MADE, linewidth=1.2)
