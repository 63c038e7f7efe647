"""How good the samples are, looked at while training; the best so far is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data import Dataset
from ..data.order import Samples
from ..draw import Draw, derive
from ..engine.checkpoint import State, read_state, write_state
from ..engine.trainer import Trainer
from ..game import Sampler
from ..metrics.coverage import manifold
from ..metrics.features import Features, Pixels
from ..metrics.kernel import Estimate, kernel_distance

MOST = 1000
BLOCK = 64


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
    sampler: Sampler, n: int, classes: int, seed: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor | None]:
    """The first n samples of a set, classes taking turns, and their labels."""
    labels = torch.arange(-(-n // BLOCK) * BLOCK) % classes if classes else None
    blocks = [
        generate(sampler, None if labels is None else labels[i : i + BLOCK], seed, i, device)
        for i in range(0, n, BLOCK)
    ]
    return torch.cat(blocks)[:n], None if labels is None else labels[:n]


@dataclass
class Best:
    """The best distance so far, and when it was."""

    seen: int
    distance: Estimate


class Quality:
    """Kernel distance, recall and coverage of samples against real data that were not trained on.

    Without a hold-out they are measured against training data, and no best is chosen.

    Args:
        data: the run's data.
        features: in which distances are measured.
        folder: where the best sampler is kept.
        classes: number of conditions; 0 for none.
    """

    def __init__(self, data: Dataset, features: Features, folder: Path, classes: int) -> None:
        self.features, self.folder, self.classes = features, folder, classes
        self.chooses = data.holdout is not None
        judges: Samples = data.train if data.holdout is None else data.holdout
        self.real_images = subset(judges, MOST, derive(0, "judges"))
        self.real = features(self.real_images)
        fresh = subset(data.train, len(self.real), derive(0, "reference"))
        self.reference = self.compare(fresh)
        self.real_spread = spread(self.real_images)
        self.best: Best | None = None

    def compare(self, images: Tensor) -> dict[str, float]:
        """The metrics of some images beside the real ones."""
        fake = self.features(images)
        distance, shape = kernel_distance(self.real, fake), manifold(self.real, fake)
        return {
            "kernel_distance": distance.value,
            "kernel_distance_error": distance.error,
            "recall": shape.recall,
            "coverage": shape.coverage,
        }

    def look(self, trainer: Trainer) -> dict[str, float]:
        """Measure the averaged sampler, and keep it if it is the best so far beyond the error bar."""
        sampler = trainer.ema.module
        count = max(len(self.real), 256)
        images, _ = generate_many(sampler, count, self.classes, 0, trainer.runtime.device)
        found = self.compare(images[: len(self.real)])
        if self.chooses and trainer.step:
            self.keep(trainer, Estimate(found["kernel_distance"], found["kernel_distance_error"]))
        return found | {"spread": spread(images) / max(self.real_spread, 1e-12)}

    def keep(self, trainer: Trainer, distance: Estimate) -> None:
        """Write the sampler to `best/` if nothing before was as good, or only within the error bar."""
        if self.best is not None and distance.value + distance.error >= self.best.distance.value:
            return
        self.best = Best(trainer.seen, distance)
        write_state(self.folder / "best", State(trainer.ema.module.state_dict(), self.facts()))

    def facts(self) -> dict[str, Any]:
        """What is written beside the best sampler."""
        if self.best is None:
            return {}
        distance = self.best.distance
        return {"seen": self.best.seen, "value": distance.value, "error": distance.error}

    def recall_best(self, facts: Mapping[str, Any]) -> None:
        """Go on from what was the best when a checkpoint was written."""
        self.best = Best(facts["seen"], Estimate(facts["value"], facts["error"])) if facts else None


def subset(data: Samples, most: int, seed: int) -> Tensor:
    """At most so many samples, chosen at random."""
    index = np.random.default_rng(seed).permutation(len(data))[:most]
    return data.gather(np.sort(index))["real"]


def spread(images: Tensor) -> float:
    """Mean distance between two samples, in pooled pixels; small if they all look alike."""
    x = Pixels()(images[:256])
    return float(torch.pdist(x).mean())


def best_state(folder: Path) -> State | None:
    """The best sampler of a run, if one was chosen."""
    return read_state(folder / "best") if (folder / "best").is_dir() else None
