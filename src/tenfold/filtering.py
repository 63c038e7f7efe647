"""Samples of a run that pass filters: sample number i is a function of the run, the seed, the label and i.

A classifier that shall judge them afterwards learns from the half of the training samples that the filter
left: those that are not in `fold_of_filter(train.labels, run.facts["seed"])`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
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
    COMPARED,
    NO_HOLDOUT,
    USUAL,
    Screening,
    confidence,
    copies,
    coverage_pair,
    parts,
    passed,
    picked,
    words,
)
from .game import Critic
from .metrics.features import Pixels, default_features
from .rejection import FEWEST, Rejection, fit_rejection
from .run import Run
from .samples import Samples
from .watching.progress import clock
from .watching.quality import BLOCK

Filter = Literal["confidence", "copies", "rejection"]
FILTERS: tuple[Filter, ...] = ("confidence", "copies", "rejection")
TRIES = 50  # candidates for each sample asked for
SAY_EVERY_S = 3.0
NAMED = 5  # classes that a note names
_AT_ONCE = 8 * BLOCK
_CALIBRATION, _PER_CLASS = 1024, 64
GAMMA = 0.8  # as the paper has it

Score = Callable[[Samples], np.ndarray]
"""Maps candidates to numbers, above 0 for those that pass; each depends on its own candidate alone."""
Say = Callable[[str], None]


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
        samples: as `Run.sample` gives them; fewer than were asked for if too few passed.
        numbers: of each within the unfiltered set of the same seed.
        asked: how many were asked for.
        tried: candidates that were looked at.
        share: how many of these passed every filter.
        by_filter: how many passed each on its own.
        coverage_before, coverage_after: of the hold-out, by as many unfiltered and by the kept samples; None
            where there are too few to say.
        features: the name of those that coverage was measured in.
        notes: what else there is to know, a sentence each.
    """

    samples: Samples
    numbers: np.ndarray
    asked: int
    tried: int
    share: float
    by_filter: dict[str, float]
    coverage_before: float | None
    coverage_after: float | None
    features: str
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether as many passed as were asked for."""
        return len(self.numbers) == self.asked

    def lines(self) -> list[str]:
        """What happened, for a person."""
        coverage = (self.coverage_before, self.coverage_after)
        said = words(self.share, self.by_filter, coverage, self.features)
        return [f"filters: of {self.tried:,} candidates {said}", *self.notes]


class Search:
    """Goes through candidates in the order of their numbers, and keeps those that fill a place.

    It holds the samples that are kept and counts of the others, however many it looks at.

    Args:
        wanted: the class of each place, 0 without classes.
        most: candidates to look at.
    """

    def __init__(self, wanted: np.ndarray, most: int) -> None:
        self.wanted, self.most = wanted, most
        classes = int(wanted.max()) + 1
        self.places = [np.flatnonzero(wanted == label) for label in range(classes)]
        self.good = np.zeros(classes, np.int64)  # candidates of each class that passed, needed or not
        self.tried, self.passed, self.by_filter = 0, 0, dict[str, int]()
        self.numbers, self.values = np.full(len(wanted), -1), torch.empty(0)
        self.began, self.said = perf_counter(), perf_counter()

    def add(self, samples: Samples, scores: Mapping[str, Score]) -> None:
        """Score some more, and keep those that pass and whose class has a place left."""
        found = {name: score(samples) for name, score in scores.items()}
        good = passed(found)
        labels = np.zeros(len(samples), np.int64) if samples.labels is None else samples.labels
        if not self.tried:
            self.values = samples.values.new_empty((len(self.wanted), *samples.values.shape[1:]))
        for label in np.unique(labels[good]):
            if label < len(self.places):
                self.keep(int(label), np.flatnonzero(good & (labels == label)), samples)
        for name, score in found.items():
            self.by_filter[name] = self.by_filter.get(name, 0) + int((score > 0).sum())
        self.tried += len(samples)
        self.passed += int(good.sum())

    def keep(self, label: int, found: np.ndarray, samples: Samples) -> None:
        """Those of a class that passed, in the next of its places."""
        places = self.places[label][self.good[label] :][: len(found)]
        found_here = found[: len(places)]
        self.numbers[places] = samples.first + found_here
        self.values[torch.from_numpy(places)] = samples.values[torch.from_numpy(found_here)]
        self.good[label] += len(found)

    @property
    def missing(self) -> np.ndarray:
        """Places of each class that are left."""
        return np.maximum([len(places) for places in self.places] - self.good, 0)

    @property
    def over(self) -> bool:
        """Whether every place is filled, or enough was tried."""
        return self.tried >= self.most or not self.missing.any()

    def line(self, now: float) -> str:
        """How far it is, and how long it takes if as many go on to pass."""
        open_ = self.missing > 0
        need = (self.missing[open_] / np.maximum(self.good[open_], 1e-9)).max(initial=0) * self.tried
        left = min(need, self.most - self.tried) * (now - self.began) / max(self.tried, 1)
        kept, tried = (self.numbers >= 0).sum(), f"{self.tried:,} candidates"
        return f"filters: {kept} of {len(self.wanted)} found among {tried}, about {clock(left)} left"

    def tell(self, say: Say) -> None:
        """Say so now and then."""
        now = perf_counter()
        if now - self.said > SAY_EVERY_S:
            self.said = now
            say(self.line(now))

    def shortfall(self, classes: Sequence[str]) -> tuple[str, ...]:
        """A sentence on what was not found, if something was not."""
        if not (short := np.flatnonzero(self.missing).tolist()):
            return ()
        each = [f"{classes[i]} {self.good[i]} of {len(self.places[i])}" for i in short if classes]
        more = [f"{len(each) - NAMED} more classes"] if len(each) > NAMED else []
        whose = f" ({', '.join(each[:NAMED] + more)})" if each else ""
        kept = (self.numbers >= 0).sum()
        return (
            f"only {kept} of {len(self.wanted)} samples were found{whose}: of {self.tried:,} candidates no "
            "more passed. Train longer, or sample without filters",
        )


def filtered_samples(
    run: Run,
    n: int,
    label: str | int | None = None,
    seed: int = 0,
    filters: Sequence[Filter] = FILTERS,
    *,
    settings: Screening = USUAL,
    data: str | Path | np.ndarray | None = None,
    say: Say = lambda text: None,
) -> Filtered:
    """Draw from a run until n samples pass; without a label, the classes take turns among those that do.

    A filter that this run has no use for (labels that it does not know, a game without a discriminator, no
    hold-out) is left out, and a note says so. If too few pass within 50 candidates for each sample asked
    for, there are fewer samples, and a note says so too: nothing that failed is ever among them.

    Args:
        run: its data must be where they were.
        n, label, seed: as for `Run.sample`.
        filters, settings: which to apply, and how strict to be.
        data: the run's data, if they were an array in memory.
        say: is told now and then how far it is.

    Raises:
        RunError: if the data are not those of the run, n is not at least 1, or there is no such label.
        DataError: if there is no such filter.
    """
    refuse_unknown(filters)
    wanted = classes_in_turn(run, n, label)
    dataset = data_of(run, data)
    say("filters: learning what real samples are like")
    scores, notes = scores_of(run, dataset, filters, settings)
    search = Search(wanted, max(TRIES * max(n, len(run.classes)), 4 * _AT_ONCE))
    while not search.over:
        search.add(run.sample(_AT_ONCE, label=label, seed=seed, first=search.tried), scores)
        search.tell(say)
    say("filters: measuring coverage")
    return report(run, search, dataset, notes, label, seed)


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
        check = copies(dataset.train, settings)
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
    """How sure a classifier of the filter's half of the training samples is of the label."""
    check = confidence(dataset.train, len(run.classes), run.facts["seed"], settings)

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
    return logits_of(critic, torch.cat(list(parts(holdout))), holdout.labels if conditional else None)


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


def report(
    run: Run, search: Search, dataset: Dataset, notes: tuple[str, ...], label: str | int | None, seed: int
) -> Filtered:
    """What was found, and what the filters did to it."""
    if dataset.holdout is None:
        notes = (*notes, NO_HOLDOUT)
    there = np.flatnonzero(search.numbers >= 0)
    values = search.values[torch.from_numpy(there)]
    labels = search.wanted[there] if run.classes else None
    some = np.random.default_rng(derive(seed, "coverage")).permutation(len(there))[:COMPARED]
    network = Pixels() if run.recipe.looks_through else default_features(values.ndim == 4)[0]
    before = run.sample(max(1, len(some)), label=label, seed=seed).values
    real, after = picked(dataset.holdout or dataset.train, seed), values[torch.from_numpy(some)]
    pair = coverage_pair(real, before, after, network)
    return Filtered(
        samples=Samples(values, labels, run.classes, run.codec, 0, seed),
        numbers=search.numbers[there],
        asked=len(search.wanted),
        tried=search.tried,
        share=search.passed / search.tried,
        by_filter={name: count / search.tried for name, count in search.by_filter.items()},
        coverage_before=pair[0],
        coverage_after=pair[1],
        features=network.name,
        notes=(*notes, *search.shortfall(run.classes)),
    )
