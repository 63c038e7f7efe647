"""Judging texts: every number beside what fresh real texts get, and the whole beside a language model's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..draw import derive
from ..evaluation import said, table_of, write_report
from ..game import Sampler
from ..games.language import TextSampler, known
from ..material import asked_labels
from ..metrics.suite import FEWEST, NO_HOLDOUT, Measured, shuffled
from ..metrics.texts.copies import copied_spans
from ..metrics.texts.curves import TEMPERATURES, Curves, Point, Ruler
from ..metrics.texts.perplexity import Foretelling
from ..metrics.texts.rows import Texts, jackknife
from ..metrics.texts.summary import measure_texts
from ..metrics.texts.verdicts import verdicts
from ..metrics.verdicts import Verdict
from ..tiling import silent
from ..watching.progress import Say
from ..watching.trials import made_texts
from .sides import Judged, baseline_of, judges_in_files, judges_of_run, reopened_texts, texts_in

if TYPE_CHECKING:
    from ..run import Run

LEAST_MADE, MOST = 1000, 5000
OF_A_POINT = 2000  # texts behind each point of a curve
SHOWN, COPIES = 40, 20  # texts on the page


@dataclass(frozen=True)
class Copied:
    """A made text, and where its longest copied span comes from.

    Attributes:
        made: the text.
        source: the training text.
        span: what both have.
        tokens: of the span.
    """

    made: str
    source: str
    span: str
    tokens: int


@dataclass(frozen=True, eq=False)
class TextEvaluation:
    """What was found.

    Attributes:
        metrics: by the glossary's names, each with value, reference and n.
        baseline: the same of the model of maximum likelihood; empty without one.
        curves: quality and coverage over temperatures; None of files.
        verdicts: what it means, and what to do.
        settings: everything needed to repeat it.
        notes: what was decided.
        made, real: some texts.
        copies: the made texts with the longest copied spans.
    """

    metrics: Mapping[str, Measured]
    baseline: Mapping[str, Measured]
    curves: Curves | None
    verdicts: Sequence[Verdict]
    settings: Mapping[str, Any]
    notes: Sequence[str]
    made: Sequence[str]
    real: Sequence[str]
    copies: Sequence[Copied]

    def to_json(self) -> dict[str, Any]:
        """One object: metrics at the top, by name."""
        return {
            **{name: found.to_json() for name, found in self.metrics.items()},
            "baseline": {name: found.to_json() for name, found in self.baseline.items()},
            "curves": None if self.curves is None else self.curves.to_json(),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The numbers as plain text, then what they mean."""
        found = table_of(self.metrics, "texts")
        if self.curves is not None:
            found += ["", *curve_lines(self.curves)]
        return [*found, "", *said(self.verdicts, self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def report(self, path: str | Path) -> Path:
        """Write everything on one HTML page that needs nothing else; beside it, the numbers as JSON.

        Raises:
            RunError: if the path does not end in .html.
        """
        from ..report.texts import page_of

        return write_report(Path(path), lambda: page_of(self), self.to_json())


def curve_lines(curves: Curves) -> list[str]:
    """Both curves as plain text."""
    sides = [("these texts", curves.own), ("maximum likelihood", curves.baseline)]
    rows = [
        f"{name}, temperature {p.temperature:g}: {p.quality.value:.3f}±{p.quality.error:.3f} of made texts, "
        f"{p.coverage.value:.3f}±{p.coverage.error:.3f} of held-out texts"
        for name, points in sides
        for p in points
    ]
    return ["nats per token, by n-gram models; of both less is better", *rows]


def evaluate_texts(
    run: Run,
    holdout: str | None = None,
    most: int = MOST,
    seed: int = 0,
    features: str | None = None,
    say: Say = silent,
    data: Any = None,  # noqa: ANN401
) -> TextEvaluation:
    """Judge texts that a run makes now, and what it does at other temperatures, beside its baseline.

    Args:
        run: of texts.
        holdout: a file of real texts to judge by, instead of those that were held out.
        most: texts of a side that are looked at.
        seed: of made texts, and of every choice.
        features: `minilm` or `ngrams`; the best there are, if not given.
        say: told what is being done.
        data: what it was trained on, if that was in memory.

    Raises:
        DataError: the data are not those of the run, or there are too few texts.
        RunError: the data are no longer there.
    """
    dataset = reopened_texts(run, data)
    by, notes = judges_of_run(run, dataset, holdout, features, seed)
    count = min(most, max(LEAST_MADE, len(by.holdout or ())))
    like = dataset.train if by.holdout is None or by.holdout.labels is None else by.holdout
    labels = asked_labels(run, like.labels, count, seed)
    own, baseline = Maker(run.sampler, labels, by), None
    made = own.texts(count)
    say(f"judging {count} texts ...")
    numbers = own.numbers(made)
    if (before := baseline_of(run)) is not None:
        say("judging as many of the model of maximum likelihood ...")
        baseline = Maker(before, labels, by)
    beside = {} if baseline is None else baseline.numbers(baseline.texts(count))
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source, "holdout": holdout}
    return assembled(by, made, (numbers, beside), curves_of(own, baseline, say), facts, notes)


def evaluate_text_files(
    real: str,
    fake: str,
    holdout: str | None = None,
    most: int = MOST,
    seed: int = 0,
    features: str | None = None,
    say: Say = silent,
) -> TextEvaluation:
    """Judge texts of any generator: numbers without a curve, as nobody can ask it for another temperature.

    Args:
        real: a file of texts that it may have learnt from.
        fake: a file of texts that it made.
        holdout: a file of texts that it has not learnt from.
        most: texts of a side that are looked at.
        seed: of every choice.
        features: `minilm` or `ngrams`; the best there are, if not given.
        say: told what is being done.

    Raises:
        DataError: a file cannot be read, or has too few texts.
    """
    by, decided = judges_in_files(real, holdout, features, seed)
    made, of_made = texts_in(fake, by.codec)
    made = made.take(shuffled(len(made), seed, "most")[:most])
    say(f"judging {len(made)} texts ...")
    numbers = measure_texts(by.sides(made), by.features)
    notes = [*decided, *of_made]
    notes.append("a file has one temperature: there is no curve, and nothing is said of a baseline")
    facts = {"real": real, "fake": fake, "holdout": holdout}
    return assembled(by, made, (numbers, {}), None, facts, notes)


def assembled(
    by: Judged,
    made: Texts,
    numbers: tuple[Mapping[str, Measured], Mapping[str, Measured]],
    curves: Curves | None,
    facts: Mapping[str, Any],
    notes: Sequence[str],
) -> TextEvaluation:
    """Everything that was found, with what it means."""
    standing = None if curves is None else curves.standing
    counts = {"real": len(by.train), "hold-out": len(by.holdout or ()), "made": len(made)}
    real = by.train if by.holdout is None else by.holdout
    return TextEvaluation(
        metrics=numbers[0],
        baseline=numbers[1],
        curves=curves,
        verdicts=verdicts(numbers[0], standing),
        settings={
            **facts,
            "counts": counts,
            "features": dict(by.features.about()),
            "tokens": by.codec.tokens.kind,
            "vocabulary": by.codec.layout.vocabulary,
            "seed": by.seed,
        },
        notes=list(notes),
        made=list(made.said[:SHOWN]),
        real=[real.said[int(i)] for i in shuffled(len(real), by.seed, "shown")[:SHOWN]],
        copies=copies_of(by, made),
    )


class Maker:
    """A sampler that is judged.

    Args:
        sampler: in evaluation mode.
        labels: classes to ask for, or None.
        by: what its texts are judged by.
    """

    def __init__(self, sampler: Sampler, labels: Tensor | None, by: Judged) -> None:
        assert isinstance(sampler, TextSampler)
        self.sampler, self.labels, self.by = sampler, labels, by

    def rows(self, count: int, purpose: str, temperature: float = 1.0) -> Int[np.ndarray, "n t"]:
        """So many texts, the same for the same purpose."""
        labels = self.labels
        if labels is not None:
            labels = labels.repeat(-(-count // len(labels)))[:count]
        seed = derive(self.by.seed, purpose)
        return made_texts(self.sampler, count, labels, seed=seed, temperature=temperature)

    def texts(self, count: int) -> Texts:
        """The same, as a person reads them."""
        rows, labels = self.rows(count, "evaluate"), self.labels
        return Texts(rows, self.by.codec.decode(rows), None if labels is None else labels.numpy())

    def numbers(self, made: Texts) -> dict[str, Measured]:
        """Everything that can be said of texts that it made, and of how it foretells real ones."""
        found = measure_texts(self.by.sides(made), self.by.features)
        return {**found, "heldout_nll": self.foretold()}

    @torch.inference_mode()
    def foretold(self) -> Measured:
        """How badly it foretells held-out texts, in nats per token."""
        held, conditional = self.by.holdout, self.labels is not None
        if held is None:
            return Measured(None, None, 0, why=NO_HOLDOUT)
        if conditional and held.labels is None:
            return Measured(None, None, len(held), why="not defined without the classes of held-out texts")
        held = held.take(shuffled(len(held), self.by.seed, "foretold"))  # errors need a random order
        labels = torch.from_numpy(held.labels) if conditional and held.labels is not None else None
        mean = self.sampler.likelihood(torch.from_numpy(held.rows), labels).double().numpy()
        tokens = known(torch.from_numpy(held.rows)).sum(1).numpy()
        told = Foretelling(mean * tokens, tokens)
        found = jackknife(lambda index: [told.per_token(index)], len(held))[0]
        return Measured(found.value, None, len(held), found.error)

    def points(self, ruler: Ruler) -> tuple[Point, ...]:
        """Where it is at every temperature."""
        rows = ((t, self.rows(OF_A_POINT, f"curve {t}", t)) for t in TEMPERATURES)
        return tuple(ruler.point(t, made) for t, made in rows)


def curves_of(own: Maker, baseline: Maker | None, say: Say) -> Curves | None:
    """Quality and coverage of both over temperatures, by the same held-out texts.

    Returns:
        None where too few texts were held out: what was learnt from cannot judge, since copies of it would
        look good.
    """
    by = own.by
    if by.holdout is None or len(by.holdout) < FEWEST:
        return None
    some = shuffled(len(by.holdout), by.seed, "curve")[:OF_A_POINT]
    ruler = Ruler(by.holdout.rows[some], by.codec.layout.vocabulary)
    say("asking for other temperatures ...")
    return Curves(own.points(ruler), () if baseline is None else baseline.points(ruler), OF_A_POINT)


def copies_of(by: Judged, made: Texts) -> list[Copied]:
    """The made texts with the longest spans of training texts."""
    spans = copied_spans(by.train.rows, made.rows)
    first = np.argsort(-spans.length, kind="stable")[:COPIES]
    found = []
    for i in map(int, first[spans.length[first] > 0]):
        length, start = int(spans.length[i]), int(spans.start[i])
        span = by.codec.decode(made.rows[i : i + 1, start : start + length])[0]
        found.append(Copied(made.said[i], by.train.said[int(spans.source[i])], span, length))
    return found
