"""How good the samples are, looked at while training; the best so far is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data import Codec, Dataset
from ..data.order import Samples, in_proportion
from ..degrade import Degradation
from ..draw import Draw, derive
from ..engine.checkpoint import State, finished, read_state, write_state
from ..engine.trainer import Trainer, Watch
from ..game import Sampler
from ..metrics.captions import kernel_distance_of_pairs
from ..metrics.coverage import manifold
from ..metrics.features import Features, Pixels
from ..metrics.kernel import Estimate, kernel_distance, kernel_distance_by_class, kernel_gain
from ..report.sheet import sheet
from .making import Making, Translations
from .overfitting import Opinion

MOST = 1000
BLOCK = 64
REFERENCES, REFERENCE_ROWS = 5, 2000  # sets of real samples, and about how many in all: more are hardly surer
MOST_CLASSES, LEAST_OF_CLASS = 50, 5  # for numbers class by class
LEAST = 3  # samples of each class, for a distance class by class
FEWEST = 20  # samples that are looked at, whatever their size
HELD_BYTES = 256 << 20  # of all samples of a look as numbers
CLEARLY = 0.2  # of the distance that was the best: by as much a sampler is clearly nearer, or farther


@torch.inference_mode()
def generate(
    sampler: Sampler, labels: Tensor | None, seed: int, first: int, device: torch.device | str = "cpu"
) -> Tensor:
    """One aligned block of samples: number i is a function of the sampler, the seed and i alone.

    Args:
        sampler: in evaluation mode.
        labels: `(64,)` class numbers, or None without conditions.
        seed: of the set of samples.
        first: number of the block's first sample, a multiple of 64.
        device: the sampler's.

    Returns:
        `(64, ...)` samples on the CPU, float32.
    """
    draw = Draw(derive(seed, "sample", first), slice(0, BLOCK), BLOCK, device)
    condition = None if labels is None else labels.to(device)
    return sampler(sampler.draw(draw), condition).float().cpu()


def generate_many(
    sampler: Sampler, n: int, labels: Tensor | None, seed: int, device: torch.device | str = "cpu"
) -> Tensor:
    """The first n samples of a set.

    Args:
        sampler: in evaluation mode.
        n: how many.
        labels: class numbers `(n,)`, or None without conditions.
        seed: of the set.
        device: the sampler's.
    """
    if labels is not None:  # whole blocks: the last one is filled up
        labels = torch.cat([labels, labels.new_zeros(-n % BLOCK)])
    blocks = [
        generate(sampler, None if labels is None else labels[i : i + BLOCK], seed, i, device)
        for i in range(0, n, BLOCK)
    ]
    return torch.cat(blocks)[:n]


class FromNoise:
    """Samples from the same noise at every look; nothing is given.

    Args:
        count: how many.
        labels: the classes to ask for, or None.
        classes: number of conditions; 0 for none.
        data: the run's.
    """

    given_codec: Codec | None = None
    paired = False
    reference: Mapping[str, float] = {}

    def __init__(self, count: int, labels: Tensor | None, classes: int, data: Dataset) -> None:
        self.count, self.asked, self.classes, self.codec = count, labels, classes, data.codec

    def make(self, sampler: nn.Module, device: torch.device) -> Tensor:
        """The samples."""
        assert isinstance(sampler, Sampler)
        return generate_many(sampler, self.count, self.asked, 0, device)

    def beside(self, made: Tensor, sampler: nn.Module, device: torch.device) -> dict[str, float]:
        """Nothing else."""
        return {}

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A sheet of others, classes in turn."""
        assert isinstance(sampler, Sampler)
        count = BLOCK if not self.classes else self.classes * max(1, BLOCK // self.classes)
        labels = torch.arange(count) % self.classes if self.classes else None
        images = generate_many(sampler, count, labels, seed, device)
        if self.codec.kind == "images":
            sheet(self.codec.preview(images)).save(path)


@dataclass(frozen=True)
class Best:
    """The best sampler so far: when it was, its distance and recall, and the features of its samples.

    The stage is the share of the run at which it began: what was the best before may be of another kind.
    """

    seen: int
    stage: float
    distance: Estimate
    recall: float
    features: Tensor


class Quality:
    """Kernel distance, recall and coverage of samples against real data that were not trained on.

    Without a hold-out they are measured against training data, and no best is chosen. The reference is as
    many training samples instead of generated ones, up to five times over if there are enough; a
    classifier's features know them, while the hold-out is new to it. Without a hold-out there is none:
    training data beside themselves would be perfect.

    A conditional sampler is asked for the labels of the real samples. The distance is then estimated class by
    class: over all pairs of rows, it would read low where both sides have the same labels.

    Args:
        data: the run's data.
        features: in which distances are measured.
        folder: where the best sampler is kept.
        classes: number of conditions; 0 for none.
        degrade: for a translation of what is made of the real samples.
        making: how the sampler is tried, by the numbers of the real samples; found by the data if not given.
    """

    watches: Sequence[Watch] = ()

    def __init__(
        self,
        data: Dataset,
        features: Features,
        folder: Path,
        classes: int,
        degrade: Degradation | None = None,
        making: Callable[[np.ndarray], Making] | None = None,
    ) -> None:
        self.features, self.folder = features, folder
        self.classes, self.names = classes, data.spec.classes
        self.chooses, self.opinion = data.holdout is not None, Opinion(data, classes)
        judges: Samples = data.train if data.holdout is None else data.holdout
        most = max(FEWEST, HELD_BYTES // (4 * prod(data.spec.shape)))
        index = chosen(judges, min(MOST, most), derive(0, "judges"))
        real = judges.gather(index)["real"]
        self.count, self.real, self.real_spread = len(real), features(real), spread(real)
        known = None if judges.labels is None else judges.labels[index]
        self.real_labels = known
        self.labels = self.labels_like(known)
        self.by_class = classes > 0 and counted(known, LEAST) and counted(data.train.labels, LEAST)
        translates = data.given is not None or degrade is not None
        noise = FromNoise(self.count, self.labels, classes, data)
        self.making: Making = Translations(data, index, degrade) if translates else noise
        if making is not None:
            self.making = making(index)
        self.matched = data.spec.kind == "captioned"
        self.references = 0
        self.reference = self.refer(data.train) | dict(self.making.reference) if self.chooses else None
        self.best: Best | None = None

    def labels_like(self, labels: np.ndarray | None) -> Tensor | None:
        """The classes to ask for: those of the real samples, or the distance would see other proportions."""
        if not self.classes:
            return None
        return torch.arange(self.count) % self.classes if labels is None else torch.from_numpy(labels)

    def refer(self, train: Samples) -> dict[str, float]:
        """Means of what several sets of training samples get, each chosen like the samples that are made.

        The error is that of one set: all are compared with the same real samples.
        """
        like = None if self.labels is None or train.labels is None else self.labels.numpy()
        count = self.making.count
        many = 1 if len(train) <= count else max(1, min(REFERENCES, REFERENCE_ROWS // count))
        sets = [alike(train, count, like, derive(0, "reference", i)) for i in range(many)]
        self.references = many
        needed = np.unique(np.concatenate(sets))
        features = self.features(train.gather(needed)["real"])
        found = []
        for index in sets:
            labels = None if train.labels is None else torch.from_numpy(train.labels[index])
            found.append(self.compare(features[np.searchsorted(needed, index)], labels))
        return {name: sum(each[name] for each in found) / len(found) for name in found[0]}

    def compare(self, fake: Tensor, labels: Tensor | None) -> dict[str, float]:
        """The metrics of the features of some samples beside those of the real ones.

        Args:
            fake: a row per sample.
            labels: the samples' classes, or None.
        """
        distance, shape = self.distance(fake, labels), manifold(self.real, fake)
        return {
            "kernel_distance": distance.value,
            "kernel_distance_error": distance.error,
            "recall": shape.recall,
            "coverage": shape.coverage,
            **self.coverage_by_class(shape.covered.numpy()),
        }

    def coverage_by_class(self, covered: np.ndarray) -> dict[str, float]:
        """The covered share of each class, by its number, if there are a few classes of several samples."""
        labels = self.real_labels
        if labels is None:
            return {}
        numbers, counts = np.unique(labels, return_counts=True)
        if not 1 < len(numbers) <= MOST_CLASSES or counts.min() < LEAST_OF_CLASS:
            return {}
        return {f"coverage_of_class_{c}": float(covered[labels == c].mean()) for c in numbers}

    def distance(self, fake: Tensor, labels: Tensor | None) -> Estimate:
        """The kernel distance: class by class where the labels of both sides are the same."""
        if self.matched and len(fake) == len(self.real):
            return kernel_distance_of_pairs(self.real, fake)
        if not self.by_class or self.labels is None or labels is None:
            return kernel_distance(self.real, fake)
        return kernel_distance_by_class(self.real, self.labels, fake, labels)

    @property
    def given_codec(self) -> Codec | None:
        """How what is translated is stored; None if nothing is."""
        return self.making.given_codec

    @property
    def by(self) -> str:
        """Name of the features."""
        return self.features.name

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A sheet of some samples, as a picture."""
        self.making.draw(sampler, path, device, seed)

    def about(self) -> dict[str, Any]:
        """How the numbers were made, for the run's record."""
        return {
            "estimator": "class by class" if self.by_class else "all pairs",
            "n": self.count,
            "references": self.references,
            "against": "hold-out" if self.chooses else "training data",
            "features": self.features.name,
        }

    def words(self, found: Mapping[str, float]) -> str:
        """Metrics as a person reads them, each beside what real samples would get."""
        error = f"{found['kernel_distance']:.4f}±{found['kernel_distance_error']:.4f}"
        pairs = [("kernel distance", "kernel_distance", error, ".4f")]
        pairs += [(name, name, f"{found[name]:.2f}", ".2f") for name in ("recall", "coverage")]
        if "r_precision" in found:
            pairs.append(("R-precision", "r_precision", f"{found['r_precision']:.2f}", ".2f"))
        by_class = {k: v for k, v in found.items() if k.startswith("coverage_of_class_")}
        if by_class:
            worst = min(by_class, key=lambda key: by_class[key])
            name = f"lowest coverage, of class {self.names[int(worst.rpartition('_')[2])]}"
            pairs.append((name, worst, f"{by_class[worst]:.2f}", ".2f"))
        real = self.reference
        each = [
            f"{say} {value}" + (f" ({real[key]:{form}})" if real else "") for say, key, value, form in pairs
        ]
        return ", ".join(each) + (" (in brackets: of real samples)" if real else "")

    def look(self, trainer: Trainer) -> dict[str, float]:
        """Measure the averaged sampler, and keep it if it is the best so far beyond the error bar."""
        found, fake = self.measure(trainer)
        if self.best is not None and self.best.stage < trainer.stage:
            self.best = None
        if self.chooses and trainer.step and self.improves(fake, found["recall"]):
            distance = Estimate(found["kernel_distance"], found["kernel_distance_error"])
            self.best = Best(trainer.seen, trainer.stage, distance, found["recall"], fake)
            kept = self.folder / "best" / f"{trainer.seen:012d}"
            write_state(kept, State(trainer.ema.module.state_dict(), self.facts()))
        return found

    def measure(self, trainer: Trainer) -> tuple[dict[str, float], Tensor]:
        """All numbers of a look at the averaged sampler, and the features of its samples."""
        sampler, device = trainer.ema.module, trainer.runtime.device
        images = self.making.make(sampler, device)
        fake = self.features(images)
        found = self.compare(fake, self.labels) | self.making.beside(images, sampler, device)
        found["spread"] = spread(images) / max(self.real_spread, 1e-12)
        return found | self.opinion.look(trainer, images, self.making.asked), fake

    def improves(self, fake: Tensor, recall: float) -> bool:
        """Whether samples are clearly nearer to the real ones than the best before: by a share, beyond error.

        Or about as near, and more varied beyond the error bar of that: a classifier's features hardly see how
        much the samples of one class differ, and blots can be nearer than shapes. Or about as varied, and
        nearer beyond the error bar. Where pictures have partners, being nearer to these takes the place of
        variety: what is given decides how much translations differ.
        """
        if self.best is None:
            return True
        gain = kernel_gain(self.real, self.best.features, fake)
        if abs(gain.value) > max(gain.error, CLEARLY * self.best.distance.value):
            return gain.value > 0
        if self.making.paired:
            off = [(self.real.float() - x.float()).norm(dim=1) for x in (self.best.features, fake)]
            nearer = off[0] - off[1]
            if nearer.mean().abs() > nearer.std() / len(nearer) ** 0.5:
                return bool(nearer.mean() > 0)
            return gain.value > gain.error
        variance = sum(share * (1 - share) for share in (recall, self.best.recall)) / self.count
        if abs(recall - self.best.recall) > variance**0.5:
            return recall > self.best.recall
        return gain.value > gain.error

    def facts(self) -> dict[str, Any]:
        """What is written beside the best sampler."""
        if self.best is None:
            return {}
        distance = self.best.distance
        return {
            "seen": self.best.seen,
            "stage": self.best.stage,
            "kernel_distance": distance.value,
            "kernel_distance_error": distance.error,
            "recall": self.best.recall,
        }

    def recall_best(self, facts: Mapping[str, Any], sampler: Sampler, device: torch.device) -> None:
        """Go on from what was the best when a checkpoint was written.

        Args:
            facts: as `facts` gave them.
            sampler: of the run's kind; its weights are kept as they are.
            device: where it computes.
        """
        self.best = None
        if not facts:
            return
        best = deepcopy(sampler)
        best.load_state_dict(dict(read_state(self.folder / "best" / f"{facts['seen']:012d}").tensors))
        distance = Estimate(facts["kernel_distance"], facts["kernel_distance_error"])
        seen = self.features(self.making.make(best, device))
        self.best = Best(facts["seen"], facts.get("stage", 0.0), distance, facts["recall"], seen)


def chosen(data: Samples, most: int, seed: int) -> np.ndarray:
    """Numbers of at most so many samples, chosen at random."""
    return np.sort(np.random.default_rng(seed).permutation(len(data))[:most])


def alike(data: Samples, n: int, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """Numbers of n samples in ascending order, of each class as many as `labels` has; fewer if it has not."""
    if labels is None or data.labels is None:
        return chosen(data, n, seed)
    order = np.random.default_rng(seed).permutation(len(data))
    return np.sort(in_proportion(data.labels, labels, order))


def counted(labels: np.ndarray | None, least: int) -> bool:
    """Whether there are labels, and so many of each class that there is one of."""
    return labels is not None and min(np.unique(labels, return_counts=True)[1]) >= least


def spread(images: Tensor) -> float:
    """Mean distance between two samples, in pooled pixels; small if they all look alike."""
    x = Pixels()(images[:256])
    return float(torch.pdist(x).mean())


def best_state(folder: Path) -> State | None:
    """The best sampler of a run, if one was chosen."""
    found = finished(folder / "best")
    return read_state(found[-1]) if found else None
