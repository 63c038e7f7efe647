"""The judge of trained runs: a classifier that no run has seen, and real images of the test split."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tenfold.data import Dataset, LoadOptions, Split, open_data
from tenfold.draw import derive
from tenfold.metrics.classifier import Classifier, train_classifier
from tenfold.metrics.coverage import manifold
from tenfold.metrics.kernel import kernel_distance

if TYPE_CHECKING:
    from tenfold.run import Run

SEED = 1234  # the feature network of a run has another


@dataclass(frozen=True)
class Judge:
    """Compares samples with held-out images of a set, `n` at a time, beside fresh real ones.

    Attributes:
        name: of a set with a test split.
        n: images on either side.
        kimg: thousands of images that the classifier sees; None for as many as it should.
    """

    name: str
    n: int = 5000
    kimg: float | None = None

    @cached_property
    def data(self) -> Dataset:
        """The set; what a run holds out of its training images is left out here too."""
        return open_data(self.name)

    @cached_property
    def test(self) -> Split:
        """Images that no run was trained on, and labels."""
        return open_data(self.name, LoadOptions(split="test")).train

    @cached_property
    def classifier(self) -> Classifier:
        """Trained on the real training labels, once; kept in the temporary folder."""
        name = f"tenfold-judge-{self.data.fingerprint}-{self.kimg}.safetensors"
        path = Path(tempfile.gettempdir()) / name
        if not path.is_file():
            classes, seed = len(self.data.spec.classes), derive(SEED, "judge")
            judge = train_classifier(self.data.train, classes=classes, seed=seed, kimg=self.kimg)
            judge.save(path)
        return Classifier.load(path)

    @cached_property
    def real(self) -> Tensor:
        """Features of test images."""
        return self.classifier.features(some(self.test, self.n)["real"])

    def compare(self, images: Tensor) -> dict[str, float]:
        """Distance, recall and coverage of images against as many test images."""
        fake = self.classifier.features(images)
        distance, shape = kernel_distance(self.real, fake), manifold(self.real, fake)
        found = {"kernel_distance": distance.value, "error": distance.error}
        found |= {"recall": shape.recall, "coverage": shape.coverage}
        return {name: round(value, 5) for name, value in found.items()}

    def reference(self) -> dict[str, float]:
        """What as many fresh real images get."""
        fresh = some(self.data.train, self.n)
        return {**self.compare(fresh["real"]), "label_accuracy": self.label_accuracy(fresh)}

    def label_accuracy(self, batch: dict[str, Tensor]) -> float:
        """Share of images that the classifier takes for what their label says."""
        return round(self.classifier.accuracy(batch["real"], batch["condition"]), 4)

    def verdict(self, run: Run) -> dict[str, Any]:
        """The same for a run's samples; label accuracy where it can be asked for labels."""
        samples = run.sample(self.n, seed=SEED)
        found: dict[str, Any] = {**self.compare(samples.values), "seen": run.facts["seen"]}
        if samples.labels is not None:
            batch = {"real": samples.values, "condition": torch.from_numpy(samples.labels).long()}
            found["label_accuracy"] = self.label_accuracy(batch)
        return found


def some(split: Split, n: int) -> dict[str, Tensor]:
    """At most n images of a split, chosen at random."""
    index = np.random.default_rng(SEED).permutation(len(split))[:n]
    return split.gather(np.sort(index))
