"""How long the classifiers of an experiment will take, and what is left out if that is too long."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from time import perf_counter

import numpy as np
from jaxtyping import Int

from ..watching.progress import clock
from .arms import COPIES, PARTS, Arm, Examples, classical_arms, counts_of
from .learners import FEWEST_STEPS, STEPS, Learner, choose_learners, measured_steps, viewed
from .score import PEERS, Design
from .workers import WORKERS, one_thread_each

NETWORK_SHARE = 0.25  # of the time, for the small convolutional network
SLACK = 1.3  # what was measured once is no more exact than this
FAMILIES = 3  # learners of so many families are kept, whatever they take
GIVEN_PARTS = 0.5  # of the training items, on average, in parts of them
CNN = "cnn"


@dataclass(frozen=True)
class Work:
    """What each learner is trained on, in the whole experiment.

    Attributes:
        kind: of the data.
        real: encoded training items of one split.
        classes: how many there are.
        sizes: examples of every classifier to train.
        names: of the learners asked for; None for all.
        seconds: how long all classifiers may take.
    """

    kind: str
    real: Examples
    classes: int
    sizes: Int[np.ndarray, " m"]
    names: tuple[str, ...] | None
    seconds: float

    @property
    def largest(self) -> int:
        """The most examples."""
        return int(self.sizes.max())

    @property
    def network(self) -> bool:
        """Whether there is a convolutional network among the learners."""
        return self.kind == "images" and (self.names is None or CNN in self.names)

    def learners(self, names: tuple[str, ...] | None, steps: int) -> tuple[Learner, ...]:
        """Learners for this work."""
        return choose_learners(self.kind, names, steps=steps, largest=self.largest)


def sizes_of(labels: Int[np.ndarray, " n"], design: Design) -> Int[np.ndarray, " m"]:
    """Examples of every classifier that one learner is trained as."""
    n, classes = len(labels), len(design.classes)
    arms = classical_arms(design.kind, balanced=design.rare_class is None, quick=design.quick)
    plain = [_size(arm, labels, design.kind, classes) for arm in arms.values()]
    largest = max(plain)
    asked = [ratio for ratio in design.ratios if ratio > 0]
    beside = 2 + sum(arm in PEERS for arm in design.arms)
    plain += [round(GIVEN_PARTS * n)] * len(PARTS)
    plain += [(COPIES + 2) * n, n + round(max(asked) * n)]  # the controls
    made = [n, *(n + round(r * n) for r in asked for _ in range(beside))]
    made += [largest + round(r * n) for r in asked]
    return np.array((plain + made * design.seeds) * design.splits)


def _size(arm: Arm, labels: np.ndarray, kind: str, classes: int) -> int:
    return int(counts_of(arm, labels, kind, classes).sum())


def unmeasured(work: Work, steps: int | None) -> tuple[int, tuple[str, ...], list[str]]:
    """All learners, and as many steps on every machine: for an experiment that is to be repeated."""
    chosen = steps or STEPS * work.network
    return chosen, tuple(learner.name for learner in work.learners(work.names, chosen)), []


def affordable(work: Work, steps: int | None) -> tuple[int, tuple[str, ...], list[str]]:
    """Steps of the network and names of the learners that fit into the time, and what was left out.

    First the network takes fewer steps, then the slowest learner is left out, as long as there are more than
    three families. What was asked for by name stays.
    """
    chosen = steps or _steps(work)
    learners = work.learners(work.names, chosen)
    cost = {learner.name: _seconds(work, learner) for learner in learners}
    notes: list[str] = []
    if sum(cost.values()) <= SLACK * work.seconds:
        return chosen, tuple(cost), notes
    notes.append(
        f"all classifiers would take about {clock(sum(cost.values()))}, and there are {clock(work.seconds)}"
    )
    if steps is None and chosen > FEWEST_STEPS and CNN in cost:
        cost[CNN] *= FEWEST_STEPS / chosen
        notes.append(f"the network takes {FEWEST_STEPS} steps instead of {chosen}")
        chosen = FEWEST_STEPS
    while work.names is None and len(cost) > FAMILIES and sum(cost.values()) > SLACK * work.seconds:
        slowest = max(cost, key=lambda name: cost[name])
        notes.append(f"the learner {slowest} is left out, as it would take {clock(cost.pop(slowest))}")
    if sum(cost.values()) > SLACK * work.seconds:
        notes.append(f"it will take about {clock(sum(cost.values()))} all the same")
    return chosen, tuple(cost), notes


def _steps(work: Work) -> int:
    """Steps of the network that fit into its share of the time."""
    if not work.network:
        return 0
    some = work.real.take(np.arange(min(512, len(work.real))))
    return measured_steps(some, work.classes, NETWORK_SHARE * work.seconds * WORKERS / len(work.sizes))


def _seconds(work: Work, learner: Learner) -> float:
    """How long one learner will take in all: measured with few and with most examples, a power between."""
    few, many = len(work.real), work.largest
    small = _timed(work, learner, few)
    guess = small * many / few * len(work.sizes) / WORKERS
    if not learner.rows:
        power = 0.0  # as many steps, whatever there is
    elif guess > 20 * work.seconds or many == few:
        power = 1.0  # to measure it would itself take too long
    else:
        power = max(log(_timed(work, learner, many) / small) / log(many / few), 0.0)
    return float((small * (work.sizes / few) ** power).sum() / WORKERS)


def _timed(work: Work, learner: Learner, size: int) -> float:
    rng = np.random.default_rng(0)
    numbers = np.resize(rng.permutation(len(work.real)), size)
    examples = viewed(learner, work.real)
    values = examples.values[numbers]
    if learner.rows:  # items that are equal would be faster to learn
        values = values + rng.normal(0, 0.01, values.shape).astype(np.float32)
    noisy = Examples(values, examples.labels[numbers], rows=len(examples))
    with one_thread_each() as workers:
        begun = perf_counter()
        logits = workers.submit(learner.fit, noisy, work.classes, 0).result()
        logits(work.real.values)
        return perf_counter() - begun
