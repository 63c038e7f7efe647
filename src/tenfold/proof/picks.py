"""The scores that count: of each arm the setting that was best on validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from ..errors import DataError, suggest
from .score import GENERATED, RATIOED, Design, Score, best_classical, better, choose, pooled
from .statistics import Interval, corrected_interval, shared_interval

Grid = Sequence[Sequence[Score]]
"""By split and, within it, by seed."""

Terms = Sequence[tuple[Grid, float]]
"""Grids that are added up, each with its factor."""


class Picks:
    """Looks up the score of an arm; test values have no say in which one it is.

    Settings are chosen split by split, as items that choose in one may judge in another; where the test set
    is fixed, by the validation items of all splits together.

    `best_classical` is an arm, too: the classical arm and setting that were best on validation.
    `classical_gan` may always choose no generated samples, and is then the same as `best_classical`.

    Args:
        scores: of the whole experiment, in any order.
        design: of the experiment.

    Raises:
        DataError: if scores are missing, or lack the measure that decides.
    """

    def __init__(self, scores: Iterable[Score], design: Design) -> None:
        self.design = design
        self.found: dict[tuple[str, str, int], dict[int, list[Score]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for score in pooled(scores) if design.fixed_test else scores:
            self.found[score.arm, score.learner, score.split][score.seed].append(score)
        _complete(self.missing())
        _measured(self.found.values(), design.metric)

    def missing(self) -> list[str]:
        """What of the design has no score, or not at every ratio."""
        design = self.design
        asked = {ratio for ratio in design.ratios if ratio > 0}
        return [
            f"{arm} with {learner} in split {split}" + (f" and seed {seed}" if arm in GENERATED else "")
            for arm in design.arms
            for learner in design.learners
            for split in range(design.splits)
            for seed in (range(design.seeds) if arm in GENERATED else (0,))
            for found in [self.at(arm, learner, split, seed)]
            if not found or (arm in RATIOED and asked - {score.ratio for score in found})
        ]

    def at(self, arm: str, learner: str, split: int, seed: int) -> list[Score]:
        """All scores of an arm; one without a GAN need not have been repeated for each seed of the split."""
        by_seed = self.found.get((arm, learner, split), {})
        if arm in GENERATED or seed in by_seed:
            return by_seed.get(seed, [])
        return by_seed[min(by_seed)] if by_seed else []

    def pick(self, arm: str, learner: str, split: int, seed: int) -> Score:
        """The score of an arm with the setting that was best on validation."""
        metric = self.design.metric
        if arm == "best_classical":
            every = [score for a in self.design.arms for score in self.at(a, learner, split, seed)]
            return best_classical(every, metric)
        scores = sorted(self.at(arm, learner, split, seed), key=lambda score: score.ratio)
        if arm == "classical_gan":
            without = self.pick("best_classical", learner, split, seed)
            scores = [without, *(score for score in scores if score.ratio > 0)]
        return choose(scores, metric)

    def grid(self, arm: str, learner: str) -> Grid:
        """The scores of an arm by split and seed."""
        design = self.design
        return [
            [self.pick(arm, learner, split, seed) for seed in range(design.seeds)]
            for split in range(design.splits)
        ]

    def terms(self, arm: str, against: str, learner: str) -> Terms:
        """One arm less another."""
        return [(self.grid(arm, learner), 1), (self.grid(against, learner), -1)]

    def grid_at(self, ratio: float, arm: str, learner: str) -> Grid | None:
        """The scores of an arm with one ratio of generated to real items; None if some split lacks it."""
        design = self.design
        tried = [
            [
                [score for score in self.at(arm, learner, split, seed) if score.ratio == ratio]
                for seed in range(design.seeds)
            ]
            for split in range(design.splits)
        ]
        if not all(scores for seeds in tried for scores in seeds):
            return None
        return [[choose(scores, design.metric) for scores in seeds] for seeds in tried]

    def gains(self, terms: Terms) -> list[list[float]]:
        """By split and seed, the sum of the terms on the test items; positive is better."""
        sign, metric, design = better(self.design.metric), self.design.metric, self.design
        return [
            [
                sign * sum(factor * grid[split][seed].test[metric] for grid, factor in terms)
                for seed in range(design.seeds)
            ]
            for split in range(design.splits)
        ]

    def interval(self, terms: Terms) -> Interval:
        """The mean of `gains`, and where it may lie."""
        design, gains = self.design, self.gains(terms)
        if not design.fixed_test:
            return corrected_interval(gains, design.test, design.train)
        items = np.sum([factor * self.right(grid) for grid, factor in terms], axis=0)
        return shared_interval(gains, items, np.array(design.fixed_test))

    def right(self, grid: Grid) -> Float[np.ndarray, " items"]:
        """Of each item of the shared test set, how often it was got right."""
        rows = [
            np.mean([_right(score, len(self.design.fixed_test)) for score in seeds], axis=0) for seeds in grid
        ]
        return np.mean(rows, axis=0)

    def mean(self, arm: str, learner: str, *, validation: bool = False) -> float:
        """Mean of the measure over splits and seeds, on the test items unless told."""
        metric = self.design.metric
        values = [
            (score.validation if validation else score.test)[metric]
            for seeds in self.grid(arm, learner)
            for score in seeds
        ]
        return sum(values) / len(values)

    def primary(self) -> str:
        """The learner that decides: on validation the best one without a GAN."""
        sign = better(self.design.metric)
        return max(
            self.design.learners,
            key=lambda learner: sign * self.mean("best_classical", learner, validation=True),
        )


def _right(score: Score, items: int) -> Float[np.ndarray, " items"]:
    packed = np.frombuffer(bytes.fromhex(score.right), np.uint8)
    if len(packed) != -(-items // 8):
        raise DataError(
            f"Found {len(packed)} bytes on which test items {score.arm} got right in split {score.split}, "
            f"expected {-(-items // 8)} for {items} items. Start again in an empty folder."
        )
    return np.unpackbits(packed, count=items).astype(np.float64)


def _complete(missing: Sequence[str]) -> None:
    if missing:
        more = f", and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise DataError(
            f"Found no score of {'; '.join(missing[:3])}{more}; expected one for every arm, learner, split "
            "and seed. Run the same command again: it goes on where it stopped."
        )


def _measured(found: Iterable[dict[int, list[Score]]], metric: str) -> None:
    for score in (score for by_seed in found for scores in by_seed.values() for score in scores):
        known = set(score.validation) & set(score.test)
        if metric not in known:
            raise DataError(
                f"Found no {metric!r} among the measures of {score.arm} in split {score.split}, expected it "
                f"on validation and test. {suggest(metric, known)}"
            )
