"""The experiment: every arm on every split, judged by every learner, one score at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from ..draw import derive
from .arms import CONTROLS, COPIES, Arm, Examples, classical_arms, made_only, with_made
from .clock import Clock
from .learners import Learner, probabilities
from .ledger import Ledger
from .order import Generator, Order
from .pool import Pools
from .score import Design, Score, best_classical
from .splits import Fold, water_fill
from .statistics import measures
from .task import Encoding, Task, fit_encoding

SHARES = (0.5, 1.0)  # of the unlabelled items that get a pseudo-label, the surest first
WORKERS = 2


@dataclass(frozen=True, eq=False)
class Job:
    """One classifier to train.

    Attributes:
        arm, setting, seed: as in a score.
        learner: of the classifier.
        examples: makes what it is trained on.
    """

    arm: str
    setting: str
    seed: int
    learner: Learner
    examples: Callable[[], Examples]


@dataclass(frozen=True, eq=False)
class Experiment:
    """All that is needed to play an experiment, or the rest of one.

    Attributes:
        task: what it is about.
        folds: of each split.
        design: what is compared.
        learners: those of the design.
        generator: of the items in question.
        ledger: of what was found.
        clock: says how far it is.
        seed: everything random derives from it.
        gan_seconds: time to train one GAN.
        unlabelled: values without labels, for pseudo-labels.
    """

    task: Task
    folds: Sequence[Fold]
    design: Design
    learners: Sequence[Learner]
    generator: Generator
    ledger: Ledger
    clock: Clock
    seed: int
    gan_seconds: float
    unlabelled: np.ndarray | None = None

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.task.classes)

    @cached_property
    def arms(self) -> dict[tuple[str, str], Arm]:
        """The classical arms."""
        balanced = self.design.rare_class is None
        return classical_arms(self.task.kind, balanced=balanced, quick=self.design.quick)

    def play(self) -> None:
        """Train every classifier that has no score yet."""
        for split, fold in enumerate(self.folds):
            stage = Stage(self, split, fold)
            stage.without_gan()
            for seed in range(self.design.seeds):
                stage.with_gan(seed)


@dataclass(eq=False)
class Stage:
    """One split of an experiment.

    Attributes:
        of: the experiment.
        split: number of the split.
        fold: its items.
        encoding: fitted on the training items.
        real: the training items.
        sides: those that select and those that judge.
    """

    of: Experiment
    split: int
    fold: Fold
    encoding: Encoding = field(init=False)
    real: Examples = field(init=False)
    sides: dict[str, Examples] = field(init=False)

    def __post_init__(self) -> None:
        self.encoding = fit_encoding(self.of.task, self.fold.train)
        self.real = self._encoded(self.fold.train)
        self.sides = {
            "validation": self._encoded(self.fold.validation),
            "test": self._encoded(self.fold.test),
        }

    def _encoded(self, rows: np.ndarray) -> Examples:
        return Examples(self.encoding.encode(self.of.task.values[rows]), self.of.task.labels[rows])

    @property
    def seed(self) -> int:
        """Of all arms and learners of this split: what differs between two is the arm alone."""
        return derive(self.of.seed, "split", self.split)

    def without_gan(self) -> None:
        """Classical arms, parts of the real items, controls, and pseudo-labels."""
        arms = {**self.of.arms, **{(name, ""): arm for name, arm in CONTROLS.items()}}
        jobs: list[Job] = []
        for (name, setting), arm in arms.items():
            examples = partial(arm, self.real, self.of.classes, self.seed)
            jobs += [Job(name, setting, 0, learner, examples) for learner in self.of.learners]
        if self.of.unlabelled is not None:
            jobs += [
                Job("pseudo_labels", f"share={share:g}", 0, learner, partial(self.pseudo, learner, share))
                for learner in self.of.learners
                for share in SHARES
            ]
        self.train(jobs)

    def with_gan(self, seed: int) -> None:
        """Arms with made items: on none and on the best classical arm, filtered, and alone."""
        self.repeat_without(seed)
        jobs = [*self.gan_jobs(seed), *self.combined_jobs(seed)]
        if not all(self.known(job) for job in jobs):
            self.pools.prepare(seed)
            self.train(jobs)

    def repeat_without(self, seed: int) -> None:
        """Ratio 0 is the arm without made items: its score stands in every row of ratios."""
        for learner in self.of.learners:
            none = self.found("none", learner)[0]
            best = self.best(learner)
            for arm, base, setting in (
                ("gan", none, "ratio=0"),
                ("gan_filtered", none, "ratio=0"),
                ("classical_gan", best, f"{words(best)}+ratio=0"),
            ):
                score = Score(
                    self.split, seed, arm, setting, learner.name, base.items, base.validation, base.test
                )
                if (self.split, seed, arm, setting, learner.name) not in self.of.ledger.scores:
                    self.of.ledger.add(score)

    def gan_jobs(self, seed: int) -> Iterator[Job]:
        """Made items beside the training items, or in their place."""
        for ratio in self.ratios:
            for arm, filtered in (("gan", False), ("gan_filtered", True)):
                make = partial(self.joined, self.real, seed, filtered, ratio)
                yield from (Job(arm, f"ratio={ratio:g}", seed, one, make) for one in self.of.learners)
        yield from (Job("gan_only", "", seed, one, partial(self.alone, seed)) for one in self.of.learners)

    def combined_jobs(self, seed: int) -> Iterator[Job]:
        """Made items beside what the learner's best classical arm makes of the training items."""
        for learner in self.of.learners:
            best = self.best(learner)
            base = self.of.arms[best.arm, best.setting]
            for ratio in self.ratios:
                setting = f"{words(best)}+ratio={ratio:g}"
                yield Job("classical_gan", setting, seed, learner, partial(self.combined, base, seed, ratio))

    @property
    def ratios(self) -> list[float]:
        """Those that ask for made items."""
        return [ratio for ratio in self.of.design.ratios if ratio > 0]

    @cached_property
    def pools(self) -> Pools:
        """Made items of this split, by seed."""
        of = self.of
        order = Order(
            of.task, self.fold, self.encoding, self.wanted(), self.seed, of.ledger.folder, of.gan_seconds
        )
        return Pools(of.generator, order, self.split, of.clock)

    def wanted(self) -> np.ndarray:
        """The most items of each class that any arm asks for."""
        counts = self.real.counts(self.of.classes)
        most = round(max(self.of.design.ratios) * len(self.real))
        return np.max([counts, water_fill(counts, most), water_fill((COPIES + 1) * counts, most)], 0)

    def joined(self, base: Examples, seed: int, filtered: bool, ratio: float) -> Examples:
        """Made items beside others; the ratio is to the real ones."""
        extra, pool = round(ratio * len(self.real)), self.pools.examples(seed, filtered=filtered)
        return with_made(base, pool, extra, self.of.classes, derive(self.seed, seed))

    def alone(self, seed: int) -> Examples:
        """Made items in place of the real ones."""
        pool = self.pools.examples(seed, filtered=False)
        return made_only(self.real, pool, self.of.classes, derive(self.seed, seed))

    def combined(self, base: Arm, seed: int, ratio: float) -> Examples:
        """Made items beside those of a classical arm."""
        examples = base(self.real, self.of.classes, self.seed)
        return self.joined(examples, seed, False, ratio)

    def pseudo(self, learner: Learner, share: float) -> Examples:
        """The training items, and unlabelled ones with the class that the learner itself gives them.

        References:
            D.-H. Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural
            Networks", 2013.
        """
        assert self.of.unlabelled is not None
        values = self.encoding.encode(self.of.unlabelled)
        logits = learner.fit(self.real, self.of.classes, self.seed)(values)
        margin = np.diff(np.sort(logits, axis=1)[:, -2:], axis=1)[:, 0]
        surest = np.argsort(-margin, kind="stable")[: max(1, round(share * len(values)))]
        return self.real.plus(Examples(values[surest], logits[surest].argmax(1)))

    def found(self, arm: str, learner: Learner) -> list[Score]:
        """Scores of an arm without a GAN."""
        scores = self.of.ledger.scores.values()
        return [s for s in scores if (s.split, s.arm, s.learner) == (self.split, arm, learner.name)]

    def best(self, learner: Learner) -> Score:
        """The classical arm that is best on validation."""
        known = [s for arm, setting in self.of.arms for s in self.found(arm, learner) if s.setting == setting]
        return best_classical(known, self.of.design.metric)

    def known(self, job: Job) -> bool:
        """Whether a job was done before."""
        key = (self.split, job.seed, job.arm, job.setting, job.learner.name)
        return key in self.of.ledger.scores

    def train(self, jobs: Sequence[Job]) -> None:
        """Do the jobs that are left, and write down each score."""
        left = [job for job in jobs if not self.known(job)]
        with one_thread_each() as workers:
            for score in workers.map(self.score, left):
                self.of.ledger.add(score)
                self.of.clock.tick(score)

    def score(self, job: Job) -> Score:
        """Train one classifier and measure it."""
        examples = job.examples()
        found = probabilities(
            job.learner, examples, self.sides, self.of.classes, derive(self.seed, "learner")
        )
        values = {
            side: measures(found[side], self.sides[side].labels, self.of.design.rare_class) for side in found
        }
        name = job.learner.name
        return Score(
            self.split,
            job.seed,
            job.arm,
            job.setting,
            name,
            len(examples),
            values["validation"],
            values["test"],
        )


def jobs_of(experiment: Experiment) -> int:
    """Classifiers to train in all."""
    design, ratios = experiment.design, sum(ratio > 0 for ratio in experiment.design.ratios)
    pseudo = 0 if experiment.unlabelled is None else len(SHARES)
    plain = len(experiment.arms) + len(CONTROLS) + pseudo
    return len(design.learners) * design.splits * (plain + design.seeds * (3 * ratios + 1))


def words(best: Score) -> str:
    """What a classical arm is called in the setting of an arm that builds on it."""
    return best.setting if best.arm == "augmentation" else best.arm


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """Workers beside each other, with one thread of torch and of BLAS each.

    What is left undone is dropped on leaving.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    workers = ThreadPoolExecutor(WORKERS)
    try:
        with threadpool_limits(1):
            yield workers
    finally:
        workers.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
