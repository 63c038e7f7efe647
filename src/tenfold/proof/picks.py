"""The scores that count: of each arm the setting that was best on validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..errors import DataError, suggest
from .score import GENERATED, RATIOED, Design, Score, best_classical, better, choose

Grid = Sequence[Sequence[Score]]
"""By split and, within it, by seed."""


class Picks:
    """Looks up the score of an arm; test values have no say in which one it is.

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
        for score in scores:
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

    def gains(self, arm: str, against: str, learner: str) -> list[list[float]]:
        """By split and seed, how much better one arm is than another on the test items."""
        return self.differences(self.grid(arm, learner), self.grid(against, learner))

    def gains_at(self, ratio: float, arm: str, against: str, learner: str) -> list[list[float]] | None:
        """The same with one ratio of generated to real items throughout; None if some split lacks it."""
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
        grid = [[choose(scores, design.metric) for scores in seeds] for seeds in tried]
        return self.differences(grid, self.grid(against, learner))

    def differences(self, one: Grid, other: Grid) -> list[list[float]]:
        """How much better each score is than its counterpart on the test items."""
        sign, metric = better(self.design.metric), self.design.metric
        return [
            [sign * (a.test[metric] - b.test[metric]) for a, b in zip(left, right, strict=True)]
            for left, right in zip(one, other, strict=True)
        ]

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
