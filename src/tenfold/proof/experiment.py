"""The experiment: every arm on every split, judged by every learner, one score at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from jaxtyping import Float, Int

from ..draw import derive
from .arms import PARTS, POOLS, Arm, Examples, classical_arms, counts_of, made_only, none, with_made
from .clock import Clock
from .given import refuse_near_copies
from .learners import Learner, probabilities, viewed
from .ledger import Ledger, key_of
from .order import Generator, Order
from .pool import Pools
from .score import Design, Score, best_classical, better, pooled
from .splits import Fold, water_fill
from .statistics import measures
from .task import Encoding, Task, fit_encoding
from .workers import one_thread_each

SHARES = (0.5, 1.0)  # of the unlabelled items that get a pseudo-label, the surest first


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
        unlabelled: values without labels, for pseudo-labels and for GANs that are trained here.
        kimg: thousands of samples that each GAN sees, if it was said.
        peers: other people's generators, by the name of their arm.
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
    kimg: float | None = None
    peers: Mapping[str, Generator] = field(default_factory=dict)

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
        first: Stage | None = Stage(self, 0, self.folds[0])
        if not self.generator.trains:
            first.pools[""].prepare(0)  # what it gives is refused before anything takes time
        elif self.unlabelled is not None:
            for split, fold in enumerate(self.folds):
                Stage(self, split, fold).refuse_known(self.unlabelled)
        if self.design.fixed_test:  # all splits choose the classical arm together
            for split, fold in enumerate(self.folds):
                Stage(self, split, fold).without_gan()
        for split, fold in enumerate(self.folds):
            stage, first = first or Stage(self, split, fold), None
            stage.without_gan()
            stage.train(list(stage.control_jobs()))
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
        """Classical arms, parts of the real items, and pseudo-labels."""
        arms = {**self.of.arms, **{(name, ""): arm for name, arm in PARTS.items()}}
        jobs = [
            Job(name, setting, 0, learner, partial(self.based, arm, learner))
            for (name, setting), arm in arms.items()
            for learner in self.of.learners
        ]
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
        self.with_pool("", seed, [*self.gan_jobs(seed), *self.combined_jobs(seed)])
        for peer in self.of.peers:
            self.with_pool(peer, seed, list(self.peer_jobs(peer, seed)))

    def with_pool(self, name: str, seed: int, jobs: Sequence[Job]) -> None:
        """Make items for the jobs that are left, if any are, and do these."""
        if not all(self.known(job) for job in jobs):
            self.pools[name].prepare(seed)
            self.train(jobs)
            self.pools[name].drop(seed)

    def repeat_without(self, seed: int) -> None:
        """Ratio 0 is the arm without made items: its score stands in every row of ratios."""
        for learner in self.of.learners:
            none = self.found("none", learner)[0]
            best = self.best(learner)
            for arm, base, setting in (
                ("gan", none, "ratio=0"),
                ("gan_filtered", none, "ratio=0"),
                ("classical_gan", best, f"{words(best)}+ratio=0"),
                *((peer, none, "ratio=0") for peer in self.of.peers),
            ):
                score = replace(base, seed=seed, arm=arm, setting=setting)
                if key_of(score) not in self.of.ledger.scores:
                    self.of.ledger.add(score)

    def gan_jobs(self, seed: int) -> Iterator[Job]:
        """Made items beside the training items, or in their place."""
        for ratio in self.ratios:
            for arm, filtered in (("gan", False), ("gan_filtered", True)):
                for one in self.of.learners:
                    make = partial(self.joined, none, one, seed, filtered, ratio)
                    yield Job(arm, f"ratio={ratio:g}", seed, one, make)
        for one in self.of.learners:
            yield Job("gan_only", "", seed, one, partial(self.alone, one, seed))

    def peer_jobs(self, peer: str, seed: int) -> Iterator[Job]:
        """What another generator made, beside the training items."""
        for ratio in self.ratios:
            for one in self.of.learners:
                make = partial(self.joined, none, one, seed, False, ratio, peer)
                yield Job(peer, f"ratio={ratio:g}", seed, one, make)

    def combined_jobs(self, seed: int) -> Iterator[Job]:
        """Made items beside what the learner's best classical arm makes of the training items."""
        for learner in self.of.learners:
            best = self.best(learner)
            base = self.of.arms[best.arm, best.setting]
            for ratio in self.ratios:
                setting = f"{words(best)}+ratio={ratio:g}"
                make = partial(self.joined, base, learner, seed, False, ratio)
                yield Job("classical_gan", setting, seed, learner, make)

    def control_jobs(self) -> Iterator[Job]:
        """What is no generator in the place of one: copies beside the learner's best classical arm.

        Wrong labels are added to the training items alone, as many as are ever added: a recipe bears them.
        """
        for learner in self.of.learners:
            best, most = self.best(learner), max(self.ratios)
            base = self.of.arms[best.arm, best.setting]
            make = partial(self.control, "control_copies", base, learner, 1.0)
            yield Job("control_copies", f"{words(best)}+ratio=1", 0, learner, make)
            make = partial(self.control, "control_shuffled", none, learner, most)
            yield Job("control_shuffled", f"ratio={most:g}", 0, learner, make)

    @property
    def ratios(self) -> list[float]:
        """Those that ask for made items."""
        return [ratio for ratio in self.of.design.ratios if ratio > 0]

    @cached_property
    def order(self) -> Order:
        """What a generator of this split is asked for."""
        of = self.of
        return Order(
            task=of.task,
            fold=self.fold,
            encoding=self.encoding,
            counts=self.wanted(),
            seed=self.seed,
            folder=of.ledger.folder,
            seconds=of.gan_seconds,
            split=self.split,
            kimg=of.kimg,
        )

    @cached_property
    def pools(self) -> dict[str, Pools]:
        """Made items of this split by the name of their arm if they are a peer's, then by seed."""
        of, order = self.of, self.order
        if of.generator.trains and of.unlabelled is not None:
            order = replace(order, unlabelled=self.guessed(of.unlabelled))
        makers = {"": of.generator, **of.peers}
        return {name: Pools(maker, order, of.clock, name) for name, maker in makers.items()}

    def refuse_known(self, unlabelled: np.ndarray) -> None:
        """Raises a DataError if unlabelled items are nearer to test items than new ones are."""
        examples = Examples(self.encoding.encode(unlabelled), np.zeros(len(unlabelled), int))
        refuse_near_copies(examples, self.order, "unlabelled items")

    def guessed(self, unlabelled: np.ndarray) -> Examples:
        """Unlabelled items, each with the class that the best classifier of the training items gives it."""
        of, values = self.of, self.encoding.encode(unlabelled)
        sign, metric = better(of.design.metric), of.design.metric
        learner = max(of.learners, key=lambda one: sign * self.best(one).validation[metric])
        best = self.best(learner)
        examples = self.based(of.arms[best.arm, best.setting], learner)
        logits = learner.fit(examples, of.classes, derive(self.seed, "guess"))
        return Examples(unlabelled, logits(values).argmax(1))

    def wanted(self) -> np.ndarray:
        """The most items of each class that any arm asks for."""
        of, labels = self.of, self.real.labels
        most = round(max(of.design.ratios) * len(labels))
        bases = [counts_of(arm, labels, of.task.kind, of.classes) for arm in of.arms.values()]
        return np.max([self.real.counts(of.classes), *(water_fill(base, most) for base in bases)], 0)

    def based(self, arm: Arm, learner: Learner) -> Examples:
        """What an arm makes of the training items, as a learner looks at it."""
        return viewed(learner, arm(self.real, self.of.classes, self.seed))

    def joined(
        self, base: Arm, learner: Learner, seed: int, filtered: bool, ratio: float, peer: str = ""
    ) -> Examples:
        """Made items beside those of a classical arm; the ratio is to the real ones."""
        pool = self.pools[peer].pool(seed, filtered=filtered, rows=learner.rows)
        extra = round(ratio * len(self.real))
        return with_made(self.based(base, learner), pool, extra, self.of.classes, derive(self.seed, seed))

    def alone(self, learner: Learner, seed: int) -> Examples:
        """Made items in place of the real ones."""
        pool = self.pools[""].pool(seed, filtered=False, rows=learner.rows)
        return made_only(self.real, pool, self.of.classes, derive(self.seed, seed))

    def control(self, name: str, base: Arm, learner: Learner, ratio: float) -> Examples:
        """Beside those of a classical arm so many items per real one, from a pool whose answer is known."""
        examples, extra = self.based(base, learner), round(ratio * len(self.real))
        wanted = water_fill(examples.counts(self.of.classes), extra)
        pool = viewed(learner, POOLS[name](self.real, wanted, self.seed))
        return with_made(examples, pool, extra, self.of.classes, self.seed)

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
        """The classical arm that is best on validation; with a fixed test set, on that of all splits."""
        scores = [s for s in self.of.ledger.scores.values() if s.learner == learner.name]
        scores = [s for s in scores if (s.arm, s.setting) in self.of.arms]
        scores = pooled(scores) if self.of.design.fixed_test else scores
        best = best_classical([s for s in scores if s.split == self.split], self.of.design.metric)
        return next(s for s in self.found(best.arm, learner) if s.setting == best.setting)

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
        examples, fixed = job.examples(), bool(self.of.design.fixed_test)
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
            right_items(found["test"], self.sides["test"].labels) if fixed else "",
        )


def right_items(found: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> str:
    """Which items were given their class, as hexadecimal digits of bits.

    Example:
        >>> right_items(np.eye(2), np.array([0, 0]))
        '80'
    """
    return np.packbits(found.argmax(1) == labels).tobytes().hex()


def jobs_of(experiment: Experiment) -> int:
    """Classifiers to train in all."""
    design, ratios = experiment.design, sum(ratio > 0 for ratio in experiment.design.ratios)
    pseudo = 0 if experiment.unlabelled is None else len(SHARES)
    plain = len(experiment.arms) + len(PARTS) + len(POOLS) + pseudo
    made = (3 + len(experiment.peers)) * ratios + 1
    return len(design.learners) * design.splits * (plain + design.seeds * made)


def words(best: Score) -> str:
    """What a classical arm is called in the setting of an arm that builds on it."""
    return best.setting if best.arm == "augmentation" else best.arm
