"""An evaluation of texts as a page: verdicts, both curves, samples, numbers, copies beside their sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from .evaluation import TONES, numbers_of, settings_of
from .page import Html, badge, figure, page, points, section, table, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..metrics.texts.curves import Curves, Point
    from ..metrics.verdicts import Verdict
    from ..words.evaluating import TextEvaluation
    from ..words.evaluating_pairs import PairsEvaluation

LONGEST = 200  # characters of a text that is shown
OWN, BASELINE = "#0072B2", "#D55E00"
MEANING = {
    **{
        f"bleu_{n}": f"runs of 1 to {n} tokens that held-out texts have, too: their share"
        for n in range(2, 6)
    },
    **{
        f"self_bleu_{n}": f"runs of 1 to {n} tokens that others of these texts have, too" for n in range(2, 6)
    },
    **{f"distinct_{n}": f"how many different runs of {n} tokens there are, for each run" for n in (1, 2, 3)},
    "repeated_texts": "share of texts that are there more than once",
    "forward_perplexity": "how surprising texts are to who knows held-out ones",
    "reverse_perplexity": "how surprising held-out texts are to who knows these",
    "heldout_nll": "how surprising held-out texts are to the sampler itself, in nats per token",
    "kernel_distance": "how far the texts' features are from the real ones; unbiased, 0 is best",
    "frechet_distance": "the same for two Gaussians; far above 0 for few texts, even for real ones",
    "length_distance": "how far the distribution of lengths is from the real one",
    "longest_copied": "tokens of the longest span that a training text has, too, on average",
    "long_copies": "share of texts with a span longer than nearly all held-out texts share",
    "exact_copies": "share of texts that are training texts from beginning to end",
    "tstr": "accuracy on held-out texts of a classifier that learnt from made ones",
    "label_accuracy": "share of texts recognised as what was asked for",
}


def page_of(found: TextEvaluation) -> str:
    """The whole page."""
    parts = [*_verdicts(found.verdicts), *_curves(found.curves), _samples(found)]
    parts.append(numbers_of(found.metrics, MEANING))
    if found.baseline:
        about = "The same of the best model of maximum likelihood, which the run began with."
        parts += [text(about), numbers_of(found.baseline, MEANING)]
    parts += [*_copies(found), settings_of(found.notes, found.settings)]
    return page("How good are the texts?", parts)


def page_of_pairs(found: PairsEvaluation) -> str:
    """The whole page of texts that are made of others."""
    head = ("score", "these texts", "maximum likelihood", "difference", "n")
    about = "All scores are from 0 to 1. The difference is taken pair by pair."
    rows = [tuple(map(_short, (e.source, e.wanted, e.made, e.before))) for e in found.examples]
    shown = table(("given", "should be", "made", "maximum likelihood"), rows, words=True)
    return page(
        "How good are the texts?",
        [
            *_verdicts(found.verdicts),
            section("Scores", [text(about), table(head, found.rows()), points(found.how())]),
            section("Texts", [shown]),
            settings_of(found.notes, found.settings),
        ],
    )


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[Html]:
    for verdict in verdicts:
        yield badge(verdict.about, TONES[verdict.level])
        yield text(f"{verdict.text} {verdict.advice}".strip())


def _short(words: str) -> str:
    """A text that fits into a cell."""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _curves(curves: Curves | None) -> Iterator[Html]:
    if curves is None:
        return
    about = (
        "Each point is a temperature, which stands beside it; bars are two standard errors. Nearer to the "
        "lower left is better in both. A colder sampler moves along its curve, to the lower right: only who "
        "lies below the other's curve is better."
    )
    head = ("temperature", "made texts", "held-out texts", "baseline: made", "baseline: held-out")
    beside = zip_longest(curves.own, curves.baseline[: len(curves.own)])
    rows = [(f"{a.temperature:g}", *_pair(a), *_pair(b)) for a, b in beside if a is not None]
    numbers = table(head, rows, f"nats per token, {curves.n} texts each")
    drawing = figure(drawn(curves), "quality against coverage over temperatures")
    yield section("Quality and coverage", [text(about), drawing, numbers])


def _pair(point: Point | None) -> tuple[str, str]:
    """Both numbers of a point."""
    if point is None:
        return "", ""
    a, b = (f"{x.value:.3f} ± {x.error:.2g}" for x in (point.quality, point.coverage))
    return a, b


def drawn(curves: Curves) -> Figure:
    """Both curves in one plot."""
    from matplotlib.figure import Figure

    whole = Figure(figsize=(6.5, 4.5), layout="constrained")
    axes = whole.add_subplot()
    for name, side, ink in (
        ("maximum likelihood", curves.baseline, BASELINE),
        ("these texts", curves.own, OWN),
    ):
        if side:
            _line(axes, name, side, ink)
    axes.set_xlabel(curves.coverage, fontsize=8)
    axes.set_ylabel(curves.quality, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    return whole


def _line(axes: Axes, name: str, side: Sequence[Point], ink: str) -> None:
    x, y = [p.coverage.value for p in side], [p.quality.value for p in side]
    errors = ([2 * p.coverage.error for p in side], [2 * p.quality.error for p in side])
    axes.errorbar(x, y, errors[1], errors[0], color=ink, marker="o", markersize=4, linewidth=1.2, label=name)
    for point, a, b in zip(side, x, y, strict=True):
        axes.annotate(
            f"{point.temperature:g}", (a, b), xytext=(4, 4), textcoords="offset points", fontsize=7, color=ink
        )


def _samples(found: TextEvaluation) -> Html:
    rows = zip_longest(map(_short, found.made), map(_short, found.real), fillvalue="")
    return section("Texts", [table(("made", "real"), list(rows), words=True)])


def _copies(found: TextEvaluation) -> Iterator[Html]:
    if not found.copies:
        return
    words = (
        "The made texts that share the longest spans with a training text. Real texts share spans, too: see "
        "longest_copied, and what it is for held-out ones."
    )
    rows = [(str(c.tokens), _short(c.span), _short(c.made), _short(c.source)) for c in found.copies]
    head = ("tokens", "what both have", "made", "training text")
    yield section("Nearest to the training data", [text(words), table(head, rows, words=True)])
