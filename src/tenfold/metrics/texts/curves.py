"""Quality against coverage over temperatures: is a sampler better, or only colder, than the baseline?

Lowering the temperature of any language model makes its texts more likely and less varied. So one number says
nothing: what counts is whether a sampler does what the baseline cannot do at any temperature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from ..kernel import Estimate
from .perplexity import learnt_from
from .rows import jackknife

TEMPERATURES = (0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.1)
CLEARLY = 3.0  # standard errors; several points are asked, and one of them may be lucky
STEPS = 20  # places between two neighbours on a curve
TINY = 1e-12
Standing = Literal["win", "no win", "dominated", "outside"]


@dataclass(frozen=True)
class Point:
    """What a sampler does at one temperature; of both numbers less is better.

    Attributes:
        temperature: of the sampler.
        quality: how badly its texts are foretold by those who know real ones.
        coverage: how badly real texts are foretold by those who know its own.
    """

    temperature: float
    quality: Estimate
    coverage: Estimate

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


class Ruler:
    """Measures points by n-gram models, in nats per token.

    Quality is what a model of real texts says of made ones, coverage what a model of made texts says of the
    real ones. The real texts must be such as nobody learnt from: who copied training texts would look good.
    Points are compared at the same number of made texts only.

    Args:
        judges: real texts.
        vocabulary: how many tokens there are.
    """

    def __init__(self, judges: Int[np.ndarray, "m t"], vocabulary: int) -> None:
        self.judges, self.vocabulary = judges, vocabulary
        self.grammar = learnt_from(judges, vocabulary)

    def point(self, temperature: float, made: Int[np.ndarray, "n t"]) -> Point:
        """Where a sampler is with these texts; the errors are over fresh ones of it."""
        told = self.grammar.foretell(made)

        def both(index: Int[np.ndarray, " k"]) -> list[float]:
            learnt = learnt_from(made[index], self.vocabulary)
            return [told.per_token(index), learnt.foretell(self.judges).per_token()]

        return Point(temperature, *jackknife(both, len(made)))


def along(curve: Sequence[Point]) -> Float[np.ndarray, "k 4"]:
    """Quality, its error, coverage and its error, at the points of a curve and between them.

    Straight lines lie on the safe side as little as they can: texts of which a part is made at one
    temperature and the rest at the next lie on the line, or cover better.
    """
    ordered = sorted(curve, key=lambda point: point.temperature)
    numbers = [(p.quality.value, p.quality.error, p.coverage.value, p.coverage.error) for p in ordered]
    known, places = np.array(numbers), np.arange(len(ordered))
    at = np.linspace(0, places[-1], STEPS * int(places[-1]) + 1)
    return np.stack([np.interp(at, places, known[:, i]) for i in range(4)], 1)


def standing(point: Point, curve: Sequence[Point]) -> Standing:
    """How a point lies to the curve of the baseline.

    A win is a point that is better than every place of the curve in quality or in coverage, beyond three
    standard errors; a dominated one is worse than some place of it in both. Beyond the ends of a curve
    nothing is known: a point whose quality is above all of it may be no more than a colder baseline.

    Args:
        point: of the sampler that is judged.
        curve: points of the baseline, at several temperatures.
    """
    places = along(curve)
    quality, coverage = (
        (places[:, i] - mine.value) / (np.hypot(places[:, i + 1], mine.error) + TINY)
        for i, mine in ((0, point.quality), (2, point.coverage))
    )
    nearest = np.maximum(quality, coverage).min()
    if nearest < -CLEARLY:
        return "dominated"
    if nearest <= CLEARLY:
        return "no win"
    beyond = _past_the_end(places[:, 0], point.quality.value, coverage)
    return "outside" if beyond or _past_the_end(places[:, 2], point.coverage.value, quality) else "win"


def _past_the_end(known: Float[np.ndarray, " k"], value: float, other: Float[np.ndarray, " k"]) -> bool:
    """Whether a number is below all of a curve, at an end of which the other number is not better either."""
    end = int(known.argmin())
    return end in (0, len(known) - 1) and value < known[end] and other[end] <= CLEARLY


def overall(points: Sequence[Point], curve: Sequence[Point]) -> Standing:
    """How all points of a sampler lie: a win if one of them is, dominated if all are."""
    found = [standing(point, curve) for point in points]
    if "win" in found:
        return "win"
    if all(each == "dominated" for each in found):
        return "dominated"
    return "outside" if "outside" in found else "no win"


@dataclass(frozen=True)
class Curves:
    """A sampler's points and the baseline's, in the same plot.

    Attributes:
        own: of the sampler that is judged.
        baseline: of the model of maximum likelihood; empty if that is what is judged.
        n: texts behind each point.
        quality, coverage: what the axes are.
    """

    own: tuple[Point, ...]
    baseline: tuple[Point, ...]
    n: int
    quality: str = "nats per token of made texts, by a model of held-out ones"
    coverage: str = "nats per token of held-out texts, by a model of made ones"

    @property
    def standing(self) -> Standing | None:
        """How the sampler stands to the baseline; None without one."""
        return overall(self.own, self.baseline) if self.baseline else None

    def to_json(self) -> dict[str, Any]:
        """The fields, and how it stands."""
        return {
            "own": [point.to_json() for point in self.own],
            "baseline": [point.to_json() for point in self.baseline],
            "n": self.n,
            "quality": self.quality,
            "coverage": self.coverage,
            "standing": self.standing,
        }
