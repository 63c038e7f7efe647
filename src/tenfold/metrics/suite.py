"""All distances and tests of one set of samples, each beside what fresh real samples get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..data.order import in_proportion
from ..draw import derive
from .coverage import manifold
from .frechet import frechet_distance, frechet_extrapolated
from .kernel import Estimate, kernel_distance, kernel_distance_by_class
from .memory import authenticity, c_t, frechet_gap, memorised
from .rows import Undefined
from .variety import birthday, birthday_radius, vendi_score

FEWEST = 20
"""Samples on a side below which nothing is said."""
SUBSETS = 3  # of the real samples, over which a reference is averaged
FEWEST_OF_A_CLASS = 3  # for an unbiased mean of one class, and its error
NO_HOLDOUT = "not defined without a hold-out"
MANIFOLD = ("precision", "recall", "density", "coverage")
MEMORY = ("c_t", "c_t_cells", "authenticity", "frechet_gap", "memorised")


@dataclass(frozen=True)
class Measured:
    """One number, and what is needed to read it.

    Attributes:
        value: of the samples; None where it is not defined.
        reference: what fresh real samples get at the same n; None where there are none.
        n: samples on a side.
        error: standard error of the value, where the metric has one.
        reference_n: samples behind the reference, where they are not n.
        how: how it was estimated, where there is more than one way.
        why: why there is no value.
        p: how probable such a value is by chance, where the metric is a test.
    """

    value: float | None
    reference: float | None
    n: int
    error: float | None = None
    reference_n: int | None = None
    how: str = ""
    why: str = ""
    p: float | None = None

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
    judge, fake, others = compared(sides)
    n = len(judge)
    if n < FEWEST:
        why = f"Not defined for n = {n}: at least {FEWEST} samples to compare were expected. Add some."
        return dict.fromkeys(names_of(extrapolate), Measured(None, None, n, why=why))
    apart = every_class_counts([judge, fake, *others])
    metrics = distances(sides.seed, apart=apart, extrapolate=extrapolate)
    found = {name: beside(metric, judge, fake, others, n) for name, metric in metrics.items()}
    how = "class by class" if apart else "all pairs"
    found["kernel_distance"] = replace(found["kernel_distance"], how=how)
    found |= dict(manifolds(judge, fake, others, n))
    found["vendi"] = beside(lambda _, x: vendi_score(x.x), judge, fake, [judge], n)
    return found | birthdays(sides.train, judge, fake) | memory(sides)


def compared(sides: Sides) -> tuple[Side, Side, list[Side]]:
    """Real samples that judge, as many made ones, and sets of as many others that stand in for these.

    Where classes are known and there are enough of each, all have them in the proportions of the judge: then
    a difference is one of samples and not of proportions. Else all are chosen at random.
    """
    judge, fresh = sides.judges()
    n = min(len(judge), len(fresh), len(sides.fake))
    judge = judge.take(shuffled(len(judge), sides.seed, "judge")[:n])
    orders = [shuffled(len(fresh), sides.seed, "fresh", i) for i in range(SUBSETS if len(fresh) > n else 1)]
    choices = [(sides.fake, shuffled(len(sides.fake), sides.seed, "fake")), *((fresh, o) for o in orders)]
    matched = [like(side, judge, order) for side, order in choices]
    if any(len(index) < n for index in matched):
        matched = [order[:n] for _, order in choices]
    fake, *others = (side.take(index) for (side, _), index in zip(choices, matched, strict=True))
    return judge, fake, others


def like(side: Side, judge: Side, order: Int[np.ndarray, " n"]) -> Int[np.ndarray, " k"]:
    """The first samples of an order that have the classes of the judge; none without labels."""
    if side.labels is None or judge.labels is None:
        return order[:0]
    return in_proportion(side.labels, judge.labels, order)


def names_of(extrapolate: bool) -> list[str]:
    """The names of all metrics."""
    found = [*distances(0, apart=False, extrapolate=extrapolate), *MANIFOLD, "vendi", "birthday_pairs"]
    return [*found, *MEMORY]


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


def kernel_by_class(judge: Side, other: Side) -> Estimate:
    """The kernel distance where labels are known: fixed proportions would bias the plain one."""
    assert judge.labels is not None and other.labels is not None
    labels = torch.from_numpy(judge.labels), torch.from_numpy(other.labels)
    return kernel_distance_by_class(judge.x, labels[0], other.x, labels[1])


def every_class_counts(sides: Sequence[Side]) -> bool:
    """Whether all have labels, and enough of every class of the first for its own mean."""
    counts = [np.bincount(side.labels, minlength=1) for side in sides if side.labels is not None]
    if len(counts) < len(sides):
        return False
    there = np.flatnonzero(counts[0])
    return all(len(c) > there[-1] and c[there].min() >= FEWEST_OF_A_CLASS for c in counts)


def distances(seed: int, *, apart: bool, extrapolate: bool) -> dict[str, Metric]:
    """The metrics that compare two sets of rows.

    Args:
        seed: of the parts that the extrapolation is fitted to.
        apart: whether to take the kernel distance class by class.
        extrapolate: whether to extrapolate the Frechet distance.
    """
    found: dict[str, Metric] = {
        "kernel_distance": kernel_by_class if apart else lambda judge, x: kernel_distance(judge.x, x.x),
        "frechet_distance": lambda judge, x: frechet_distance(judge.x, x.x),
    }
    if extrapolate:
        found["frechet_extrapolated"] = lambda judge, x: frechet_extrapolated(judge.x, x.x, seed=seed)
    return found


def manifolds(judge: Side, fake: Side, others: list[Side], n: int) -> Iterator[tuple[str, Measured]]:
    """Precision, recall, density and coverage, from one pass each."""
    try:
        found, real = manifold(judge.x, fake.x), [manifold(judge.x, other.x) for other in others]
    except Undefined as error:
        yield from ((name, Measured(None, None, n, why=str(error))) for name in MANIFOLD)
        return
    for name in MANIFOLD:
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
    n, beside_n = len(fake), len(held)

    def defined(work: Callable[[], tuple[float | None, float]]) -> Measured:
        try:
            value, reference = work()
        except Undefined as error:
            return Measured(None, None, n, why=str(error))
        why = "" if value is not None else "no region of the data has enough samples on each side"
        return Measured(value, reference, n, reference_n=beside_n, why=why)

    test = lru_cache(lambda: c_t(train, held, fake))
    return {
        "c_t": defined(lambda: (test().z, 0.0)),
        "c_t_cells": defined(lambda: (test().by_cell, 0.0)),
        "authenticity": defined(lambda: (authenticity(train, fake), authenticity(train, held))),
        "frechet_gap": defined(lambda: (frechet_gap(train, held, fake, seed=sides.seed), 0.0)),
        "memorised": by_heart(sides),
    }


def by_heart(sides: Sides) -> Measured:
    """How much was learnt by heart; fresh real samples get 0 on average."""
    n = len(sides.fake)
    if sides.holdout is None:
        return Measured(None, None, n, why=NO_HOLDOUT)
    try:
        found = memorised(sides.train.x, sides.holdout.x, sides.fake.x)
    except Undefined as error:
        return Measured(None, None, n, why=str(error))
    return Measured(found.value, 0.0, n, found.error, reference_n=len(sides.holdout), p=found.p)


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
