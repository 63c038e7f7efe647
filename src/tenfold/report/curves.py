"""The log of a run as a picture."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..errors import RunError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Series = Mapping[str, Float[np.ndarray, "points 2"]]
"""By name, the thousands of samples seen and the number then."""

_INK = "#444444"
# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_POINTS = 100
# Panels that hold names of any player, and the last parts of these names.
_SHARED = {
    "logits (means)": r"\w+_logit",
    "signs of logits (means)": r"\w+_sign|order",
    "kernel distance": r"kernel_distance",
    "held-out text (nats per token)": r"heldout_nll",
    "n-gram distance": r"ngram_distance",
    "texts": r"self_bleu|distinct|distinct_of_real|bleu|exact_match",
    "rows": r"detector_auc|tstr|marginals",
    "metrics": r"precision|recall|density|coverage|label_accuracy|r_precision",
}


def curves(records: Iterable[Mapping[str, float]], path: Path) -> None:
    """Draws a PNG with a panel per group of names over thousands of samples seen.

    Groups are the loss terms of each player (`D/...`, `G/...`), the logits, their signs, the kernel distance
    with its error, and the other metrics. A long series is drawn as the means of a hundred parts over a pale
    line of all numbers, and a panel of many numbers leaves the outermost hundredth of them out of sight.
    A name need not be in every record; numbers that are not finite, and names of no group, are left out.

    Args:
        records: the log's, each with `kimg` and any other numbers.
        path: of the PNG; replaced if it exists.

    Raises:
        RunError: if there is nothing to draw.
    """
    from matplotlib.figure import Figure

    series = _series(records)
    panels = _panels(series)
    if not panels:
        raise RunError(
            "Found nothing to draw in the log, expected records with `kimg` and losses or metrics. "
            "Train for longer, until something is logged."
        )
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(5.5 * columns, 0.3 + 2.4 * rows), dpi=110, layout="constrained")
    last = max(points[:, 0].max() for points in series.values())
    for place, (title, names) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place, xlim=(0, last * 1.02 or 1))
        for name, colour in zip(names, cycle(_COLOURS), strict=False):
            _line(axes, name, series, colour)
        _bound(axes, np.concatenate([series[name][:, 1] for name in names]))
        _dress(axes, title)
    figure.supxlabel("thousands of samples seen", fontsize=8, color=_INK)
    figure.savefig(path, format="png")


def _series(records: Iterable[Mapping[str, float]]) -> Series:
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        for name, value in record.items():
            if math.isfinite(value):
                points[name].append((record["kimg"], value))
    return {name: np.array(pairs) for name, pairs in points.items()}


def _panels(series: Series) -> Mapping[str, list[str]]:
    """The names in each panel in the log's order: first the players' losses, then what players share."""
    shared = {
        title: [name for name in series if re.fullmatch(pattern, name.rpartition("/")[2])]
        for title, pattern in _SHARED.items()
    }
    losses: dict[str, list[str]] = defaultdict(list)
    for name in series:
        player, slash, _ = name.rpartition("/")
        if slash and not any(name in others for others in shared.values()):
            losses[f"loss terms of {player}"].append(name)
    return {title: members for title, members in (losses | shared).items() if members}


def _line(axes: Axes, name: str, series: Series, colour: str) -> None:
    """One series, with its error if it has one."""
    x, y = series[name].T
    if len(x) > _POINTS:
        axes.plot(x, y, color=colour, alpha=0.2, linewidth=0.5)
        x, y = (np.array([part.mean() for part in np.array_split(values, _POINTS)]) for values in (x, y))
    marker = "o" if len(x) < 30 else ""
    axes.plot(x, y, color=colour, linewidth=1.3, marker=marker, markersize=2.5, label=name)
    if f"{name}_error" in series:
        error = np.interp(x, *series[f"{name}_error"].T)
        axes.fill_between(x, y - error, y + error, color=colour, alpha=0.2, linewidth=0)


def _bound(axes: Axes, values: Float[np.ndarray, " points"]) -> None:
    """Keeps a few wild numbers of many from flattening the rest."""
    if len(values) > _POINTS:
        low, high = np.quantile(values, [0.005, 0.995])
        margin = 0.05 * (high - low) + 1e-9
        axes.set_ylim(low - margin, high + margin)


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")
    axes.tick_params(labelsize=7, labelcolor=_INK, color="#bbbbbb")
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(fontsize=7, frameon=False, labelcolor=_INK, loc="upper left", bbox_to_anchor=(1, 1))
