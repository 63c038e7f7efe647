"""An evaluation of series as a page: real and made ones, numbers beside their reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .evaluation import MEANING, numbers_of, settings_of
from .page import Html, figure, page, section, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..tables.series import SeriesEvaluation

SHOWN, MOST_CHANNELS = 12, 6


def page_of(found: SeriesEvaluation) -> str:
    """The whole page."""
    parts = [shown(found), numbers_of(found.metrics, MEANING), settings_of(found.notes, found.settings)]
    return page("How good are the series?", parts)


def shown(found: SeriesEvaluation) -> Html:
    """Some series, real ones above and made ones below."""
    about = f"{SHOWN} real series above, {SHOWN} made ones below, a column for each channel."
    return section("Series", [text(about), figure(drawn(found), "real and made series")])


def drawn(found: SeriesEvaluation) -> Figure:
    """A panel for each channel and side; both sides share their scale."""
    from matplotlib.figure import Figure

    names = list(found.channels)[:MOST_CHANNELS]
    whole = Figure(figsize=(2.6 * len(names) + 0.4, 4), layout="constrained")
    for column, name in enumerate(names):
        above = None
        for row, (side, ink) in enumerate(((found.real, "#5b6670"), (found.made, "#0072B2"))):
            axes = whole.add_subplot(2, len(names), row * len(names) + column + 1, sharex=above, sharey=above)
            above = above or axes
            for one in side.arrays()[:SHOWN]:
                axes.plot(one[:, column], color=ink, linewidth=0.8, alpha=0.7)
            axes.tick_params(labelsize=6)
            axes.set_title(name[:24] if row == 0 else "", fontsize=8)
    return whole
