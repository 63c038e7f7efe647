"""All numbers of made series, each beside what fresh real series get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
from jaxtyping import Int

from ..draw import derive
from .series import (
    SeriesSet,
    acf_error,
    cross_correlation_error,
    differences,
    length_distance,
    spectral_distance,
)
from .series_scores import (
    LEAST,
    LESSONS,
    Labelled,
    Lessons,
    classic_units,
    discriminative_score,
    label_accuracy,
    predictive_score,
    ranges,
)
from .suite import Measured

NAMES = (
    "acf_error",
    "acf_error_changes",
    "cross_correlation_error",
    "spectral_distance",
    "length_distance",
    "discriminative",
    "discriminative_changes",
    "discriminative_classic",
    "predictive",
)
"""Of all that is measured; with labels, `label_accuracy` too."""
MOST = 2000
"""Series on a side: more hardly move a number."""
Metric = Callable[[SeriesSet, SeriesSet], float]
"""Real series, and those that are judged by them."""


@dataclass(frozen=True, eq=False)
class SeriesSides:
    """Real series that were learnt from, real ones that were not, and made ones.

    Attributes:
        train: what the generator may have seen.
        holdout: what it has not; None if there is none: then one half of `train` judges, the other half is
            the reference.
        fake: made series.
        seed: of every choice of series, and of the networks that are trained.
    """

    train: Labelled
    holdout: Labelled | None
    fake: Labelled
    seed: int = 0

    def judges(self) -> tuple[Labelled, Labelled]:
        """Real series that made ones are compared with, and others that stand in for made ones."""
        if self.holdout is not None:
            return self.holdout, self.train
        order = np.random.default_rng(derive(self.seed, "halves")).permutation(len(self.train.series))
        half = len(order) // 2
        return some(self.train, order[:half]), some(self.train, order[half:])


def some(side: Labelled, index: Int[np.ndarray, " k"]) -> Labelled:
    """Some of the series, by number."""
    return Labelled([side.series[i] for i in index], side.labels[index])


def first(side: Labelled, count: int, seed: int) -> Labelled:
    """So many series, chosen by the seed."""
    order = np.random.default_rng(seed).permutation(len(side.series))
    return some(side, order[:count])


def measure_series(sides: SeriesSides, lessons: Lessons = LESSONS) -> dict[str, Measured]:
    """Every metric of series.

    Discriminative scores are those of a GRU of 32 units and, with few units as TimeGAN's protocol has it, the
    classic one, which few generators fail. `predictive` and `label_accuracy` compare what made series teach
    with what real ones do (TSTR, and TRTR as the reference).

    Args:
        sides: what is compared.
        lessons: how networks are trained that judge.
    """
    judge, fresh = sides.judges()
    count = min(len(judge.series), len(fresh.series), len(sides.fake.series), MOST)
    if count < LEAST:
        why = f"Not defined for n = {count}: at least {LEAST} series to compare were expected. Add some."
        return dict.fromkeys(NAMES, Measured(None, None, count, why=why))
    judge, fresh, fake = (
        first(side, count, derive(sides.seed, name))
        for side, name in ((judge, "judge"), (fresh, "fresh"), (sides.fake, "fake"))
    )
    found = {
        name: beside(metric, judge.series, fresh.series, fake.series)
        for name, metric in metrics(judge.series, lessons, sides.seed).items()
    }
    return found | taught(judge, fresh, fake, lessons, sides.seed)


def metrics(judge: SeriesSet, lessons: Lessons, seed: int) -> Mapping[str, Metric]:
    """Each metric, by its name; a smaller value is better."""
    classic = classic_units(judge)
    return {
        "acf_error": acf_error,
        "acf_error_changes": lambda real, x: acf_error(differences(real), differences(x)),
        "cross_correlation_error": cross_correlation_error,
        "spectral_distance": spectral_distance,
        "length_distance": length_distance,
        "discriminative": lambda real, x: discriminative_score(real, x, lessons=lessons, seed=seed),
        "discriminative_changes": lambda real, x: discriminative_score(
            real, x, changes=True, lessons=lessons, seed=seed
        ),
        "discriminative_classic": lambda real, x: discriminative_score(
            real, x, units=classic, lessons=lessons, seed=seed
        ),
    }


def beside(metric: Metric, judge: SeriesSet, fresh: SeriesSet, fake: SeriesSet) -> Measured:
    """A metric of made series, and of fresh real ones."""
    value, reference = metric(judge, fake), metric(judge, fresh)
    if isnan(value) or isnan(reference):
        return Measured(None, None, len(fake), why="Not defined: it needs more channels, or longer series.")
    return Measured(value, reference, len(fake))


def taught(
    judge: Labelled, fresh: Labelled, fake: Labelled, lessons: Lessons, seed: int
) -> dict[str, Measured]:
    """What made series teach, beside what real ones do."""
    scale = ranges(judge.series)
    foretold = [
        predictive_score(side.series, judge.series, scale=scale, lessons=lessons, seed=seed)
        for side in (fake, fresh)
    ]
    found = {"predictive": Measured(foretold[0], foretold[1], len(fake.series))}
    if judge.labels.max() < 1:
        return found
    named = [label_accuracy(side, judge, lessons=lessons, seed=seed) for side in (fake, fresh)]
    return {**found, "label_accuracy": Measured(named[0], named[1], len(fake.series))}
