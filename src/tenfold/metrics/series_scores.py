"""Scores of series by small networks that are trained for it: can they be told apart, do they teach the same?

References:
    Time-series Generative Adversarial Networks (Yoon et al., 2019),
    https://papers.nips.cc/paper/8789-time-series-generative-adversarial-networks
    Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs (Esteban et al., 2017),
    https://arxiv.org/abs/1706.02633
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss

from ..draw import derive
from ..errors import DataError
from .series import Padded, SeriesSet, differences, padded

UNITS = 32
LEAST = 10  # series on a side: a fifth of them is judged
TRAINED_ON = 0.8  # of the series on either side; the others are judged


@dataclass(frozen=True)
class Lessons:
    """How a network is trained.

    Attributes:
        steps: updates.
        batch: series of each.
        rate: of learning.
    """

    steps: int = 2000
    batch: int = 128
    rate: float = 1e-3


LESSONS = Lessons()


@dataclass(frozen=True, eq=False)
class Ranges:
    """The smallest and the largest value of each channel, which become 0 and 1 before networks.

    Attributes:
        low, high: per channel.
    """

    low: Float[np.ndarray, " channels"]
    high: Float[np.ndarray, " channels"]

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Values from 0 to 1, where they lie within."""
        return (x - self.low) / np.where(self.high > self.low, self.high - self.low, 1.0)


def ranges(series: SeriesSet) -> Ranges:
    """Those of some series."""
    return Ranges(np.min([x.min(0) for x in series], 0), np.max([x.max(0) for x in series], 0))


class Recurrent(nn.Module):
    """A GRU over steps, and a linear map of each of its states.

    Args:
        inputs: channels that it sees.
        units: of the GRU.
        outputs: numbers that it says at each step.
    """

    def __init__(self, inputs: int, units: int, outputs: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, units, batch_first=True)
        self.last = nn.Linear(units, outputs)

    def forward(self, x: Float[Tensor, "n steps inputs"]) -> Float[Tensor, "n steps outputs"]:
        """What is said at each step."""
        return self.last(self.gru(x)[0])


@dataclass(frozen=True, eq=False)
class Exercise:
    """What a network is trained on, or judged by.

    Attributes:
        x: what it sees.
        y: what it should say, a row for each series.
        lengths: steps of each series.
    """

    x: Float[Tensor, "n steps inputs"]
    y: Tensor
    lengths: Int[Tensor, " n"]

    def take(self, index: Int[Tensor, " k"]) -> Exercise:
        """Some of the series."""
        return Exercise(self.x[index], self.y[index], self.lengths[index])


Loss = Callable[[Tensor, Exercise], Tensor]
"""What is said at every step, and the exercise, to what is minimised."""


def trained(
    exercise: Exercise, units: int, outputs: int, loss: Loss, lessons: Lessons, seed: int
) -> Recurrent:
    """A network that has learnt; the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Recurrent(exercise.x.shape[2], units, outputs)
        optimizer = torch.optim.Adam(network.parameters(), lessons.rate)
        size = min(lessons.batch, len(exercise.x))
        for _ in range(lessons.steps):
            some = exercise.take(torch.randint(len(exercise.x), (size,)))
            optimizer.zero_grad()
            loss(network(some.x), some).backward()
            optimizer.step()
    return network.eval()


def at_end(said: Float[Tensor, "n steps outputs"], exercise: Exercise) -> Float[Tensor, "n outputs"]:
    """What is said at the last step of each series."""
    return said[torch.arange(len(said)), exercise.lengths - 1]


def exercise_of(series: Padded, scale: Ranges, y: Tensor) -> Exercise:
    """Series between 0 and 1, 0 beyond their ends."""
    x = np.where(series.there[:, :, None], scale.scaled(series.values), 0.0)
    return Exercise(torch.from_numpy(x).float(), y, torch.from_numpy(series.lengths))


def classic_units(series: SeriesSet) -> int:
    """As many units as TimeGAN's scores use: half as many as channels, at least one."""
    return max(1, series[0].shape[1] // 2)


def discriminative_score(
    real: SeriesSet,
    fake: SeriesSet,
    *,
    units: int = UNITS,
    changes: bool = False,
    lessons: Lessons = LESSONS,
    seed: int = 0,
) -> float:
    """How well a GRU tells real series from others: |accuracy - 1/2| on series that it was not trained on.

    Args:
        real, fake: as many of each are used as there are of the fewer.
        units: of the GRU; `classic_units` are so few that many generators pass.
        changes: whether it sees what each step adds to the one before instead of values.
        lessons: how it is trained.
        seed: of everything random.

    Raises:
        DataError: if there are too few series.
    """
    count = min(len(real), len(fake))
    if count < LEAST:
        raise DataError(
            f"{count} series on a side were given; at least {LEAST} are needed to tell them apart."
        )
    random = np.random.default_rng(derive(seed, "sides"))
    sides = [[side[i] for i in random.permutation(len(side))[:count]] for side in (real, fake)]
    seen = [differences(side) if changes else side for side in sides]
    y = torch.cat([torch.ones(count), torch.zeros(count)])
    whole = exercise_of(padded([*seen[0], *seen[1]]), ranges(seen[0]), y)
    return abs(told_apart(whole, units, lessons, derive(seed, "discriminative")) - 0.5)


def told_apart(whole: Exercise, units: int, lessons: Lessons, seed: int) -> float:
    """Accuracy of a network that learnt to tell two sides apart, on what it has not seen.

    Args:
        whole: both sides, one after the other, as many of each.
        units, lessons, seed: of the network.
    """
    count = len(whole.x) // 2
    learnt_from = torch.arange(2 * count) % count < int(TRAINED_ON * count)
    loss = lambda said, part: binary_cross_entropy_with_logits(at_end(said, part)[:, 0], part.y)
    network = trained(whole.take(learnt_from.nonzero()[:, 0]), units, 1, loss, lessons, seed)
    rest = whole.take((~learnt_from).nonzero()[:, 0])
    with torch.inference_mode():
        right = (at_end(network(rest.x), rest)[:, 0] > 0) == (rest.y > 0.5)
    return right.double().mean().item()


def predictive_score(
    train: SeriesSet,
    test: SeriesSet,
    *,
    scale: Ranges | None = None,
    units: int | None = None,
    lessons: Lessons = LESSONS,
    seed: int = 0,
) -> float:
    """How well the last channel is foretold one step ahead: mean absolute error, of values from 0 to 1.

    As in TimeGAN's protocol, a GRU sees the other channels, or the last itself if it is the only one.

    Args:
        train: what it learns from: made series (TSTR), or real ones (TRTR).
        test: real ones that judge.
        scale: what becomes 0 and 1; that of `test` if not given.
        units: of the GRU; `classic_units` if not given.
        lessons: how it is trained.
        seed: of everything random.

    Raises:
        DataError: if no series has two steps.
    """
    scale = scale or ranges(test)
    sides = [ahead([x for x in side if len(x) > 1], scale) for side in (train, test)]
    units = classic_units(test) if units is None else units
    network = trained(sides[0], units, 1, off, lessons, derive(seed, "predictive"))
    with torch.inference_mode():
        return off(network(sides[1].x), sides[1]).item()


def ahead(series: SeriesSet, scale: Ranges) -> Exercise:
    """What is seen at each step but the last, and the last channel one step later.

    Raises:
        DataError: if there are no series.
    """
    if not series:
        raise DataError("no series has two steps; nothing can be foretold.")
    whole = exercise_of(padded(series), scale, torch.zeros(len(series)))
    seen = whole.x[:, :-1, :-1] if whole.x.shape[2] > 1 else whole.x[:, :-1]
    return Exercise(seen, whole.x[:, 1:, -1:], whole.lengths - 1)


def off(said: Float[Tensor, "n steps 1"], exercise: Exercise) -> Tensor:
    """Mean absolute error over the steps that there are."""
    there = torch.arange(said.shape[1]) < exercise.lengths[:, None]
    return l1_loss(said[there], exercise.y[there])


@dataclass(frozen=True, eq=False)
class Labelled:
    """Series and their classes.

    Attributes:
        series: arrays.
        labels: class number of each; 0 throughout if there are no classes.
    """

    series: SeriesSet
    labels: Int[np.ndarray, " n"]


def label_accuracy(
    train: Labelled,
    test: Labelled,
    *,
    units: int = UNITS,
    lessons: Lessons = LESSONS,
    seed: int = 0,
) -> float:
    """How often a GRU that learnt classes from some series names those of others.

    It sees values and what each step adds to the one before.

    Args:
        train: what it learns from: made series (TSTR), or real ones (TRTR).
        test: real ones that judge.
        units: of the GRU.
        lessons: how it is trained.
        seed: of everything random.
    """
    classes = 1 + int(max(train.labels.max(), test.labels.max()))
    both = [with_changes(side.series) for side in (train, test)]
    scale = ranges(both[1])
    exercises = [
        exercise_of(padded(series), scale, torch.from_numpy(side.labels))
        for series, side in zip(both, (train, test), strict=True)
    ]
    network = trained(
        exercises[0],
        units,
        classes,
        lambda said, part: cross_entropy(at_end(said, part), part.y),
        lessons,
        derive(seed, "labels"),
    )
    with torch.inference_mode():
        named = at_end(network(exercises[1].x), exercises[1]).argmax(1)
    return (named == exercises[1].y).double().mean().item()


def with_changes(series: SeriesSet) -> list[np.ndarray]:
    """Values, and beside them what each step adds to the one before."""
    return [np.concatenate(pair, 1) for pair in zip(series, differences(series), strict=True)]
