"""All distances and tests of one set of samples, each beside what fresh real samples get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..draw import derive
from .coverage import manifold
from .frechet import frechet_distance, frechet_extrapolated
from .kernel import Estimate, kernel_distance, kernel_distance_by_class
from .memory import authenticity, c_t, frechet_gap
from .rows import Undefined
from .variety import birthday, birthday_radius, vendi_score

FEWEST = 20
"""Samples on a side below which nothing is said."""
SUBSETS = 3  # of the real samples, over which a reference is averaged
FEWEST_OF_A_CLASS = 3  # for an unbiased mean of one class, and its error
NO_HOLDOUT = "not defined without a hold-out"
MEMORY = ("c_t", "c_t_cells", "authenticity", "frechet_gap")


@dataclass(frozen=True)
class Measured:
    """One number, and what is needed to read it.

    Attributes:
        value: of the samples; None where it is not defined.
        reference: what fresh real samples get at the same n; None where there are none.
        n: samples on a side.
        error: standard error of the value, where the metric has one.
        why: why there is no value.
    """

    value: float | None
    reference: float | None
    n: int
    error: float | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields, without those that say nothing."""
        given = asdict(self)
        return {k: v for k, v in given.items() if k in ("value", "reference", "n") or v not in (None, "")}


@dataclass(frozen=True, eq=False)
class Side:
    """The features of some samples, and their class numbers where they have classes.

    Attributes:
        x: `(n, d)`.
        labels: `(n,)`, or None.
    """

    x: Float[Tensor, "n d"]
    labels: Int[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Int[np.ndarray, " k"]) -> Side:
        """Some of them, by number."""
        return Side(self.x[torch.from_numpy(index)], None if self.labels is None else self.labels[index])

    def of_class(self, number: int) -> Side:
        """Those of one class."""
        assert self.labels is not None
        return self.take(np.flatnonzero(self.labels == number))


@dataclass(frozen=True, eq=False)
class Sides:
    """Real samples that were learnt from, real ones that were not, and made ones.

    Attributes:
        train: what the generator may have seen.
        holdout: what it has not; None if there are none: then one half of `train` judges, the other half is
            the reference, and nothing can be said of copying.
        fake: made samples.
        seed: of every choice of samples.
    """

    train: Side
    holdout: Side | None
    fake: Side
    seed: int = 0

    def judges(self) -> tuple[Side, Side]:
        """Real samples that made ones are compared with, and others that stand in for made ones."""
        if self.holdout is not None:
            return self.holdout, self.train
        order = shuffled(len(self.train), self.seed, "halves")
        half = len(order) // 2
        return self.train.take(order[:half]), self.train.take(order[half:])


def shuffled(count: int, seed: int, *purpose: int | str) -> Int[np.ndarray, " n"]:
    """The numbers of so many samples, in an order that depends on seed and purpose."""
    return np.random.default_rng(derive(seed, "suite", *purpose)).permutation(count)


def measure(sides: Sides, *, extrapolate: bool = True) -> dict[str, Measured]:
    """Every metric of feature rows, by the name it has in the glossary.

    Args:
        sides: what is compared.
        extrapolate: whether to fit the Frechet distance over sizes too, which takes longer than all the rest.
    """
    judge, fresh = sides.judges()
    n = min(len(judge), len(fresh), len(sides.fake))
    judge = judge.take(shuffled(len(judge), sides.seed, "judge")[:n])
    fake = sides.fake.take(np.arange(n))
    others = [fresh.take(index) for index in subsets(len(fresh), n, sides.seed)]
    if not every_class_counts([judge, fake, *others]):
        judge, fake, *others = (unlabelled(side) for side in (judge, fake, *others))
    distances = {k: metric for k, metric in DISTANCES.items() if extrapolate or k != "frechet_extrapolated"}
    found = {name: beside(metric, judge, fake, others, n) for name, metric in distances.items()}
    found |= dict(manifolds(judge, fake, others, n))
    found["vendi"] = beside(lambda _, x: vendi_score(x.x), judge, fake, [judge], n)
    return found | birthdays(sides.train, judge, fake) | memory(sides)


def subsets(count: int, n: int, seed: int) -> list[Int[np.ndarray, " n"]]:
    """Choices of n among so many samples: several, if they can differ."""
    return [shuffled(count, seed, "fresh", i)[:n] for i in range(SUBSETS if count > n else 1)]


Metric = Callable[[Side, Side], float | Estimate]


def beside(metric: Metric, judge: Side, fake: Side, others: list[Side], n: int) -> Measured:
    """A metric of made samples, and its mean over real ones in their place."""
    try:
        value = metric(judge, fake)
        real = [metric(judge, other) for other in others]
    except Undefined as error:
        return Measured(None, None, n, why=str(error))
    reference = fmean(r.value if isinstance(r, Estimate) else r for r in real)
    if isinstance(value, Estimate):
        return Measured(value.value, reference, n, value.error)
    return Measured(value, reference, n)


def kernel(judge: Side, other: Side) -> Estimate:
    """The kernel distance; class by class where there are labels, or fixed proportions would bias it."""
    if judge.labels is None or other.labels is None:
        return kernel_distance(judge.x, other.x)
    labels = torch.from_numpy(judge.labels), torch.from_numpy(other.labels)
    return kernel_distance_by_class(judge.x, labels[0], other.x, labels[1])


def every_class_counts(sides: Sequence[Side]) -> bool:
    """Whether all have labels, and enough of every class of the first for its own mean."""
    counts = [np.bincount(side.labels, minlength=1) for side in sides if side.labels is not None]
    if len(counts) < len(sides):
        return False
    there = np.flatnonzero(counts[0])
    return all(len(c) > there[-1] and c[there].min() >= FEWEST_OF_A_CLASS for c in counts)


DISTANCES: Mapping[str, Metric] = {
    "kernel_distance": kernel,
    "frechet_distance": lambda judge, x: frechet_distance(judge.x, x.x),
    "frechet_extrapolated": lambda judge, x: frechet_extrapolated(judge.x, x.x, seed=0),
}


def manifolds(judge: Side, fake: Side, others: list[Side], n: int) -> Iterator[tuple[str, Measured]]:
    """Precision, recall, density and coverage, from one pass each."""
    names = ("precision", "recall", "density", "coverage")
    try:
        found, real = manifold(judge.x, fake.x), [manifold(judge.x, other.x) for other in others]
    except Undefined as error:
        yield from ((name, Measured(None, None, n, why=str(error))) for name in names)
        return
    for name in names:
        yield name, Measured(getattr(found, name), fmean(getattr(r, name) for r in real), n)


def birthdays(train: Side, judge: Side, fake: Side) -> dict[str, Measured]:
    """Pairs of samples that are almost the same; the reference is the number among held-out real ones."""
    n = len(fake)
    try:
        radius = birthday_radius(train.x)
        value, reference = birthday(fake.x, radius).pairs, birthday(judge.x, radius).pairs
    except Undefined as error:
        return {"birthday_pairs": Measured(None, None, n, why=str(error))}
    return {"birthday_pairs": Measured(float(value), float(reference), n)}


def memory(sides: Sides) -> dict[str, Measured]:
    """Whether made samples are nearer to what was learnt from than fresh real ones are."""
    train, fake = sides.train.x, sides.fake.x
    if sides.holdout is None:
        return dict.fromkeys(MEMORY, Measured(None, None, len(fake), why=NO_HOLDOUT))
    held = sides.holdout.x
    n = min(len(held), len(fake))

    def defined(work: Callable[[], tuple[float | None, float]]) -> Measured:
        try:
            value, reference = work()
        except Undefined as error:
            return Measured(None, None, n, why=str(error))
        return Measured(value, reference, n, why="" if value is not None else "no cell has enough samples")

    test = lru_cache(lambda: c_t(train, held, fake))
    return {
        "c_t": defined(lambda: (test().z, 0.0)),
        "c_t_cells": defined(lambda: (test().by_cell, 0.0)),
        "authenticity": defined(lambda: (authenticity(train, fake), authenticity(train, held))),
        "frechet_gap": defined(lambda: (frechet_gap(train, held, fake, seed=sides.seed), 0.0)),
    }


PER_CLASS = ("kernel_distance", "precision", "recall", "coverage", "vendi", "c_t", "authenticity")


def by_class(sides: Sides, classes: int) -> dict[int, dict[str, Measured]]:
    """The metrics that say something of one class alone, for every class."""
    found: dict[int, dict[str, Measured]] = {}
    for number in range(classes):
        held = None if sides.holdout is None else sides.holdout.of_class(number)
        one = replace(
            sides, train=sides.train.of_class(number), fake=sides.fake.of_class(number), holdout=held
        )
        judge, fresh = one.judges()
        n = min(len(judge), len(fresh), len(one.fake))
        if n < FEWEST:
            why = f"not defined for n = {n}: at least {FEWEST} of the class were expected on each side"
            found[number] = {name: Measured(None, None, n, why=why) for name in PER_CLASS}
            continue
        alone = replace(one, train=unlabelled(one.train), fake=unlabelled(one.fake))
        alone = replace(alone, holdout=None if held is None else unlabelled(held))
        everything = measure(alone, extrapolate=False)
        found[number] = {name: everything[name] for name in PER_CLASS}
    return found


def unlabelled(rows: Side) -> Side:
    """The same without class numbers: all are of one class."""
    return Side(rows.x)
