"""What one trained classifier scored, and what experiment it was part of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from statistics import fmean
from typing import Any, cast

from ..errors import DataError

CLASSICAL = ("none", "augmentation", "class_weights", "oversampling", "smote", "mixup")
"""What anyone would try before a GAN; the best of them is what a GAN has to beat."""

OWN = ("gan", "gan_filtered", "classical_gan", "gan_only")
"""Arms with the items of the generator in question."""

PEERS = ("ctgan", "tvae", "copula")
"""Arms with the rows of other people's generators, where they are asked for."""

GENERATED = (*OWN, *PEERS)
"""Arms that depend on a generator's seed."""

RATIOED = ("gan", "gan_filtered", "classical_gan", *PEERS)
"""Those of them that are tried with several ratios of generated to real items."""

CURVE = ("real_25", "real_50", "real_75")
"""No augmentation, with so many per cent of the training items."""

CONTROLS = ("control_copies", "control_shuffled", "control_held_back")
"""Arms whose answer is known."""

LOWER_IS_BETTER = ("brier", "calibration_error")


@dataclass(frozen=True)
class Score:
    """One classifier: what it was trained on, and how well it did.

    Attributes:
        split: number of the split, from 0.
        seed: number of the GAN's seed, from 0. An arm without a GAN may have seed 0 only.
        arm: what was done to the training items; see `CLASSICAL`, `GENERATED`, `CURVE` and `CONTROLS`.
        setting: of the arm, such as `shift=2`; ends with `ratio=R` where generated items were added.
        learner: the kind of classifier.
        items: number of training items, the added ones included.
        validation: measures on the items that settings are chosen on.
        test: measures on the items that judge.
        right: which test items it got right, in their order, as the hexadecimal digits of
            `numpy.packbits`; empty where every split has test items of its own.
    """

    split: int
    seed: int
    arm: str
    setting: str
    learner: str
    items: int
    validation: Mapping[str, float]
    test: Mapping[str, float]
    right: str = ""

    @property
    def ratio(self) -> float:
        """Generated items per real one; zero if the setting names none.

        Example:
            >>> Score(0, 0, "classical_gan", "shift=1+ratio=0.5", "linear", 150, {}, {}).ratio
            0.5
        """
        _, found, ratio = self.setting.rpartition("ratio=")
        return float(ratio) if found else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return asdict(self) | {"validation": dict(self.validation), "test": dict(self.test)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Score:
        """The score that `to_json` described.

        Raises:
            DataError: if a key is missing or unknown.
        """
        return cls(**_checked(cls, found))


@dataclass(frozen=True)
class Design:
    """What was compared, on what, and what would have counted.

    Attributes:
        kind: of the data, such as `images`.
        classes: their names.
        counts: items per class in all.
        train: items per split to train on.
        validation: items per split to choose settings on.
        test: items per split to judge on.
        splits: number of splits.
        seeds: number of GANs per split.
        ratios: generated items per real one that were tried.
        learners: kinds of classifiers.
        arms: what was done to the training items.
        metric: the measure that decides.
        minimum: the least gain that is useful.
        width: differences up to this one, either way, do not matter.
        generator: what made the samples, in words.
        rare_class: number of the rarest class, or None if the classes are about as large.
        quick: whether the experiment was the short one.
        fixed_test: class numbers of the test items where all splits share them, in their order; empty where
            every split has its own.
        one_generator: whether all splits and seeds draw from one generator, as from a given run or folder.
        trained_here: whether the generators were trained within the splits, and so saw no test item.
    """

    kind: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    train: int
    validation: int
    test: int
    splits: int
    seeds: int
    ratios: tuple[float, ...]
    learners: tuple[str, ...]
    arms: tuple[str, ...]
    metric: str
    minimum: float
    width: float
    generator: str
    rare_class: int | None
    quick: bool
    fixed_test: tuple[int, ...] = ()
    one_generator: bool = False
    trained_here: bool = True

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return {name: list(v) if type(v) is tuple else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Design:
        """The design that `to_json` described.

        Raises:
            DataError: if a key is missing or unknown.
        """
        values = {name: tuple(v) if type(v) is list else v for name, v in _checked(cls, found).items()}
        return cls(**cast(Any, values))


def _checked(kind: type[Score] | type[Design], found: Mapping[str, Any]) -> Mapping[str, Any]:
    expected = {field.name for field in fields(kind)}
    if set(found) != expected:
        raise DataError(
            f"Found a stored {kind.__name__.lower()} that lacks {sorted(expected - set(found))} and has "
            f"{sorted(set(found) - expected)} too much. It is of another version: start in an empty folder."
        )
    return found


def better(metric: str) -> int:
    """1 if more of the measure is better, -1 if less is.

    Example:
        >>> better("macro_f1"), better("brier")
        (1, -1)
    """
    return -1 if metric in LOWER_IS_BETTER else 1


def choose(scores: Sequence[Score], metric: str) -> Score:
    """The score with the best validation value; the first of equal ones.

    Raises:
        DataError: if there is none.
    """
    if not scores:
        raise DataError("Found no score to choose from, expected at least one. Let the experiment end.")
    return max(scores, key=lambda score: better(metric) * score.validation[metric])


def best_classical(scores: Sequence[Score], metric: str) -> Score:
    """The best classical score on validation; of equal ones that of the simpler arm.

    Args:
        scores: of one split, seed and learner; those of other arms are left out.
        metric: the measure.

    Raises:
        DataError: if none is classical.
    """
    classical = [score for arm in CLASSICAL for score in scores if score.arm == arm]
    return choose(classical, metric)


def pooled(scores: Iterable[Score]) -> list[Score]:
    """The same scores, each with the validation values of its arm and setting averaged over all splits.

    Only where no validation item judges in any split, as with a fixed test set: a choice by all of them is
    steadier than one by the few of a split.
    """
    known: dict[tuple[str, str, str], list[Score]] = defaultdict(list)
    for score in scores:
        known[score.arm, score.setting, score.learner].append(score)
    return [replace(score, validation=average(alike)) for alike in known.values() for score in alike]


def average(alike: Sequence[Score]) -> dict[str, float]:
    """Validation values of several scores, averaged."""
    return {name: fmean(score.validation[name] for score in alike) for name in alike[0].validation}


ARM_WORDS = {
    "none": "no augmentation",
    "augmentation": "classical augmentation",
    "class_weights": "class weights",
    "oversampling": "oversampling",
    "smote": "SMOTE",
    "mixup": "mixup",
    "best_classical": "best classical",
    "gan": "GAN samples",
    "gan_filtered": "GAN samples, filtered",
    "classical_gan": "best classical plus GAN",
    "gan_only": "GAN samples only",
    "ctgan": "samples of CTGAN",
    "tvae": "samples of TVAE",
    "copula": "samples of a Gaussian copula",
    "pseudo_labels": "pseudo-labels",
    "real_25": "25 % of the training items",
    "real_50": "50 % of the training items",
    "real_75": "75 % of the training items",
    "control_copies": "copies of the training items",
    "control_shuffled": "items with shuffled labels",
    "control_held_back": "real items held back",
}
"""Arms as a person reads them."""

METRIC_WORDS = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "pr_auc_rare": "the rare class's PR-AUC",
    "f1_rare": "the rare class's F1",
    "brier": "the Brier score",
    "calibration_error": "the calibration error",
}
"""Measures as a person reads them."""
