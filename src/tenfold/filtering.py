"""Samples of a run that pass filters: sample number i is a function of the run, the seed, the label and i."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from .data import Dataset, open_data
from .data.order import Samples as Real
from .draw import Draw, derive
from .enlarging import opened_by
from .errors import DataError, RunError
from .filters import (
    NO_HOLDOUT,
    USUAL,
    Screening,
    confidence,
    copies,
    coverages,
    everything,
    passed,
    ranking,
    shares,
    words,
)
from .game import Critic
from .metrics.features import Pixels
from .rejection import FEWEST, Rejection, fit_rejection
from .run import Run
from .samples import Samples
from .watching.quality import BLOCK

Filter = Literal["confidence", "copies", "rejection"]
FILTERS: tuple[Filter, ...] = ("confidence", "copies", "rejection")
TRIES = 50  # candidates for each sample asked for
_AT_ONCE = 8 * BLOCK
_CALIBRATION, _PER_CLASS = 1024, 64
GAMMA = 0.8  # as the paper has it

Score = Callable[[Samples], np.ndarray]
"""Maps candidates to numbers, above 0 for those that pass; each depends on its own candidate alone."""


@dataclass(frozen=True)
class Odds:
    """Discriminator rejection sampling, as a score.

    Attributes:
        critic: D.
        rules: of each class, or one.
    """

    critic: Critic
    rules: Sequence[Rejection]

    def __call__(self, samples: Samples) -> np.ndarray:
        """The probability to be kept, less a number that is drawn by the sample's own."""
        logits = logits_of(self.critic, samples.values, samples.labels)
        each = torch.stack([rule.acceptance(logits) for rule in self.rules])
        labels = np.zeros(len(samples), np.int64) if samples.labels is None else samples.labels
        blocks = range(samples.first, samples.first + len(samples), BLOCK)
        draws = [Draw(derive(samples.seed, "rejection", i), slice(0, BLOCK), BLOCK) for i in blocks]
        chance = torch.cat([draw.uniform() for draw in draws])
        return (each[torch.from_numpy(labels), torch.arange(len(labels))] - chance).numpy()


@dataclass(frozen=True)
class Filtered:
    """Samples that passed, and what it took.

    Attributes:
        samples: as `Run.sample` gives them.
        numbers: of each within the unfiltered set of the same seed.
        tried: candidates that were looked at.
        share: how many of these passed every filter.
        by_filter: how many passed each on its own.
        coverage_before, coverage_after: of the hold-out, by as many unfiltered and by the kept samples; None
            where there are too few to say.
        notes: what else there is to know, a sentence each.
    """

    samples: Samples
    numbers: np.ndarray
    tried: int
    share: float
    by_filter: dict[str, float]
    coverage_before: float | None
    coverage_after: float | None
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """What happened, for a person."""
        coverage = (self.coverage_before, self.coverage_after)
        return [f"filters: {words(self.share, self.by_filter, coverage)}", *self.notes]


@dataclass
class Candidates:
    """Made samples in the order of their numbers, with their scores."""

    values: list[Tensor] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    scores: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, samples: Samples, scores: Mapping[str, Score]) -> None:
        """Score some more."""
        self.values.append(samples.values)
        none = np.zeros(len(samples), np.int64)
        self.labels.append(none if samples.labels is None else samples.labels)
        for name, score in scores.items():
            self.scores.setdefault(name, []).append(score(samples))

    def scored(self) -> dict[str, np.ndarray]:
        """All scores so far."""
        return {name: np.concatenate(parts) for name, parts in self.scores.items()}


def filtered_samples(
    run: Run,
    n: int,
    label: str | int | None = None,
    seed: int = 0,
    filters: Sequence[Filter] = FILTERS,
    *,
    settings: Screening = USUAL,
    data: str | Path | np.ndarray | None = None,
) -> Filtered:
    """Draw from a run until n samples pass; without a label, the classes take turns among those that do.

    A filter that this run has no use for (labels that it does not know, a game without a discriminator, no
    hold-out) is left out, and a note says so. If too few pass within 50 candidates for each sample asked
    for, the best of the others fill up, and a note says so too.

    Args:
        run: its data must be where they were.
        n, label, seed: as for `Run.sample`.
        filters, settings: which to apply, and how strict to be.
        data: the run's data, if they were an array in memory.

    Raises:
        RunError: if the data are not those of the run, n is not at least 1, or there is no such label.
        DataError: if there is no such filter.
    """
    refuse_unknown(filters)
    dataset, wanted = data_of(run, data), classes_in_turn(run, n, label)
    scores, notes = scores_of(run, dataset, filters, settings)
    candidates, numbers = Candidates(), np.full(n, -1)
    for first in range(0, max(TRIES * n, 4 * _AT_ONCE), _AT_ONCE):
        candidates.add(run.sample(_AT_ONCE, label=label, seed=seed, first=first), scores)
        numbers = settled(candidates, wanted)
        if (numbers >= 0).all():
            break
    else:
        numbers, note = filled(candidates, wanted)
        notes = (*notes, note)
    return report(run, candidates, numbers, dataset, notes, seed)


def refuse_unknown(filters: Sequence[str]) -> None:
    """Raises a DataError if there is no such filter, or none at all."""
    unknown = [name for name in filters if name not in FILTERS]
    if unknown or not filters:
        raise DataError(
            f"Found filters {', '.join(map(repr, filters)) or 'none'}, expected some of {', '.join(FILTERS)}."
        )


def data_of(run: Run, data: str | Path | np.ndarray | None) -> Dataset:
    """The data that a run was trained on.

    Raises:
        RunError: if they were an array in memory that was not given, or others were.
    """
    if data is None and run.facts["in_memory"]:
        raise RunError(
            f"{run.path} was trained on {run.facts['source']}, and filters need it. Use "
            "tenfold.filtering.filtered_samples(run, n, data=array)."
        )
    dataset = open_data(run.facts["source"] if data is None else data, opened_by(run))
    if dataset.fingerprint != run.facts["fingerprint"]:
        raise RunError(
            f"the data in {dataset.source} are not those that {run.path} was trained on (files were added, "
            "removed or changed). Restore them, or sample without filters."
        )
    return dataset


def scores_of(
    run: Run, dataset: Dataset, filters: Sequence[Filter], settings: Screening
) -> tuple[dict[str, Score], tuple[str, ...]]:
    """The filters that apply, and why the others do not."""
    scores, notes = dict[str, Score](), list[str]()
    if "confidence" in filters and len(run.classes) > 1:
        scores["confidence"] = by_label(run, dataset, settings)
    elif "confidence" in filters:
        notes.append("confidence is left out: the run cannot be asked for labels")
    if "copies" in filters:
        check = copies(dataset.train, Pixels(), settings)
        scores["copies"] = lambda samples: check(samples.values)
    if "rejection" in filters:
        rule = rejection_of(run, dataset)
        if isinstance(rule, str):
            notes.append(rule)
        else:
            scores["rejection"] = rule
    if not scores:
        raise RunError(f"no filter applies to {run.path}: {'; '.join(notes)}. Sample without filters.")
    return scores, tuple(notes)


def by_label(run: Run, dataset: Dataset, settings: Screening) -> Score:
    """How sure a classifier of the training samples is of the label."""
    check = confidence(dataset.train, len(run.classes), derive(0, str(run.facts["seed"])), settings)

    def score(samples: Samples) -> np.ndarray:
        assert samples.labels is not None
        return check(samples.values, samples.labels)

    return score


def rejection_of(run: Run, dataset: Dataset) -> Score | str:
    """Discriminator rejection sampling with the run's last D; or why not."""
    critic = run.game().critic()
    if critic is None:
        return f"rejection is left out: recipe {run.facts['recipe']!r} has no discriminator"
    if dataset.holdout is None or len(dataset.holdout) < FEWEST:
        return f"rejection is left out: it needs {FEWEST} held-out samples to calibrate D by"
    made = run.sample(max(_CALIBRATION, _PER_CLASS * len(run.classes)), seed=derive(0, "calibration"))
    fake = logits_of(critic, made.values, made.labels)
    rule = fit_rejection(held_out_logits(critic, dataset.holdout, conditional=bool(run.classes)), fake)
    if rule.slope <= 0:
        return "rejection is left out: D takes held-out samples rather for made ones than made samples"
    return Odds(critic, by_class(rule, fake, made.labels))


def held_out_logits(critic: Critic, holdout: Real, *, conditional: bool) -> Tensor:
    """D's logits of real samples that it was not trained on."""
    return logits_of(critic, everything(holdout), holdout.labels if conditional else None)


@torch.no_grad()
def logits_of(critic: Critic, values: Tensor, labels: np.ndarray | None) -> Tensor:
    """D's mean logit of each sample."""
    found = [
        critic(x, None if labels is None else torch.from_numpy(labels[i * BLOCK : i * BLOCK + len(x)]))
        for i, x in enumerate(values.split(BLOCK))
    ]
    return torch.cat(found).flatten(1).mean(1)


def by_class(rule: Rejection, fake: Tensor, labels: np.ndarray | None) -> list[Rejection]:
    """The rule for each class: D may prefer one to another, and as many of each are wanted."""
    if labels is None:
        return [rule]
    return [rule.among(fake[torch.from_numpy(labels == c)], GAMMA) for c in range(labels.max() + 1)]


def classes_in_turn(run: Run, n: int, label: str | int | None) -> np.ndarray:
    """The class of each sample that is wanted; 0 where there are none.

    Raises:
        RunError: if n is not at least 1, or there is no such label.
    """
    if n < 1:
        raise RunError(f"{n} samples were asked for; at least 1 was expected.")
    found = run.labels_of(torch.arange(n), None if label is None else str(label))
    return np.zeros(n, np.int64) if found is None else found.numpy()


def settled(candidates: Candidates, wanted: np.ndarray) -> np.ndarray:
    """The number of the candidate for each place: of its class, the next that passes; -1 if there is none."""
    good = passed(candidates.scored())
    labels, numbers = np.concatenate(candidates.labels), np.full(len(wanted), -1)
    for label in np.unique(wanted):
        places, found = np.flatnonzero(wanted == label), np.flatnonzero(good & (labels == label))
        numbers[places[: len(found)]] = found[: len(places)]
    return numbers


def filled(candidates: Candidates, wanted: np.ndarray) -> tuple[np.ndarray, str]:
    """The same with the best of those that failed in the places that are left, and a sentence on it."""
    numbers, labels = settled(candidates, wanted), np.concatenate(candidates.labels)
    empty = numbers < 0
    order = ranking(candidates.scored())
    order = order[~np.isin(order, numbers)]
    for label in np.unique(wanted[empty]):
        places = np.flatnonzero(empty & (wanted == label))
        numbers[places] = order[labels[order] == label][: len(places)]
    note = f"{empty.sum()} of {len(wanted)} samples did not pass: of {len(labels)} candidates too few did"
    return numbers, note


def report(
    run: Run,
    candidates: Candidates,
    numbers: np.ndarray,
    dataset: Dataset,
    notes: tuple[str, ...],
    seed: int,
) -> Filtered:
    """The chosen candidates, and what the filters did to them."""
    values, labels = torch.cat(candidates.values), np.concatenate(candidates.labels)
    chosen = labels[numbers] if run.classes else None
    samples = Samples(values[torch.from_numpy(numbers)], chosen, run.classes, run.codec, 0, seed)
    scores = candidates.scored()
    if dataset.holdout is None:
        notes = (*notes, NO_HOLDOUT)
    real, features = everything(dataset.holdout or dataset.train), Pixels()
    mask = np.zeros(len(values), bool)
    mask[numbers] = True
    before, after = coverages(features(real), features(values), mask, seed)
    share = float(passed(scores).mean())
    return Filtered(samples, numbers, len(values), share, shares(scores), before, after, notes)
