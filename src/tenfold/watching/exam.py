"""How good a table's rows are, looked at while training; the best sampler so far is kept (decision 014)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data import Codec, Dataset
from ..draw import derive
from ..engine.checkpoint import State, write_state
from ..engine.trainer import Trainer, Watch
from ..errors import DataError
from ..game import Sampler
from ..games.tabular import RowSampler
from ..metrics.rows import Undefined
from ..metrics.tables.closeness import closer
from ..metrics.tables.design import TableRows
from ..metrics.tables.detector import detector_auc
from ..metrics.tables.marginals import marginals
from ..metrics.tables.utility import measure_of, some, tstr
from ..tables.conditions import Request
from ..tables.sampling import Rower

MOST = 2000
ENOUGH = 500  # held-out rows, for a detector to learn from
FEWEST_TESTED = 40  # held-out rows that a model of made rows is tested on
MODELS = ("linear", "boosting")
ROUNDS, FOLDS = 40, 2
WORTH = 4.0  # a loss of TSTR, of 1 at most, beside a detector's AUC above .5, of .5 at most
NOISE = 0.005  # by so much TSTR differs between two sets of rows of one sampler
SPREAD_OF = 256
TOO_CLOSE = 2.0  # standard errors: rows that are nearer to the training rows are learnt by heart


@dataclass(frozen=True)
class BestRows:
    """The best sampler so far: when it was, and how near rows came to real ones at any look."""

    seen: int
    distance: float


class Exam:
    """A detector that tells made rows from real ones, and models that learn from made rows.

    The detector is asked about held-out rows where there are many, else about training rows: it learns from
    some of them itself, and from few it learns little. Models of made rows are tested on held-out rows, if
    the table has a target. Without a hold-out no best is chosen.

    Args:
        data: the run's.
        folder: where the best sampler is kept.
    """

    given_codec: Codec | None = None
    watches: Sequence[Watch] = ()
    by = "rows"
    count = 0

    def __init__(self, data: Dataset, folder: Path) -> None:
        assert data.table is not None
        self.folder, self.table, self.target = folder, data.table, data.spec.target
        held = data.holdout
        train = self.rows(data.train.values)
        self.train = some(train, MOST, derive(0, "exam", "train"))
        self.held = None if held is None else some(self.rows(held.values), MOST, derive(0, "exam", "held"))
        self.chooses = self.held is not None
        asks_held = self.held is not None and len(self.held) >= ENOUGH
        self.real = self.held if asks_held and self.held is not None else self.train
        self.real_spread = spread(self.table.encode(self.real.values[:SPREAD_OF]))
        self.tested = self.target is not None and self.held is not None and len(self.held) >= FEWEST_TESTED
        as_many = some(self.train, len(self.real), derive(0, "exam", "taught"))  # as are made
        self.reference = {"detector_auc": 0.5, "tstr": self.taught(as_many)} if self.tested else None
        self.best: BestRows | None = None

    def rows(self, values: np.ndarray) -> TableRows:
        """Stored values with what is known of their columns."""
        cells = self.table.cells
        categorical = tuple(code.category is not None for code in self.table.codes)
        levels = tuple(cell.options if c else 0 for cell, c in zip(cells, categorical, strict=True))
        return TableRows(values, categorical, levels, tuple(cell.name for cell in cells))

    def taught(self, rows: TableRows) -> float:
        """What models that learn from rows get on held-out ones, on average."""
        assert self.held is not None and self.target is not None
        try:
            scores = tstr(rows, self.held, self.target, derive(0, "exam", "models"), MODELS, ROUNDS)
        except DataError:  # one class among what was held out
            return 0.5 if measure_of(self.held, self.target) == "auc" else 0.0
        return float(np.mean(list(scores.values())))

    def made(self, sampler: nn.Module, device: torch.device) -> np.ndarray:
        """As many rows as there are real ones, from the same noise at every look."""
        assert isinstance(sampler, RowSampler)
        was = sampler.training
        sampler.eval()
        rower = Rower(sampler.to("cpu") if device.type != "cpu" else sampler, self.table, Request())
        blocks = [rower.block(derive(0, "exam"), start) for start in range(0, len(self.real), 1024)]
        sampler.to(device).train(was)
        return np.concatenate(blocks)[: len(self.real)]

    def told(self, fake: TableRows) -> dict[str, float]:
        """How well made rows are told from real ones; nothing where there are too few."""
        try:
            found = detector_auc(self.real, fake, derive(0, "exam", "detector"), FOLDS, MOST, ROUNDS)
        except Undefined:
            return {}
        return {"detector_auc": found.value, "detector_auc_error": found.error}

    def close(self, fake: TableRows) -> dict[str, float]:
        """How often made rows are nearer to training rows than these to each other; nothing of too few."""
        try:
            value, error = closer(self.train, fake, derive(0, "exam", "closer"), MOST)
        except Undefined:
            return {}
        return {"closer": value, "closer_error": error}

    def measure(self, trainer: Trainer) -> tuple[dict[str, float], TableRows]:
        """All numbers of a look at the averaged sampler, and its rows."""
        values = self.made(trainer.ema.module, trainer.runtime.device)
        fake = self.rows(values)
        found = self.told(fake) | ({"tstr": self.taught(fake)} if self.tested else {})
        found |= self.close(fake)
        found["marginals"] = marginals(self.real, fake).value
        found["spread"] = spread(self.table.encode(values[:SPREAD_OF])) / max(self.real_spread, 1e-12)
        return found, fake

    def distance(self, found: Mapping[str, float]) -> float:
        """How far rows are from real ones: what a detector sees, and what models lose that learn from it."""
        lost = 0.0
        if self.tested and self.reference is not None:
            lost = max(0.0, self.reference["tstr"] - found["tstr"])
        return max(0.0, found.get("detector_auc", 0.5) - 0.5) + WORTH * lost

    def look(self, trainer: Trainer) -> dict[str, float]:
        """Measure the averaged sampler, and keep it if it is the best so far."""
        found, _ = self.measure(trainer)
        distance = self.distance(found)
        if self.chooses and trainer.step and self.is_best(distance, found):
            lowest = distance if self.best is None else min(distance, self.best.distance)
            self.best = BestRows(trainer.seen, lowest)
            kept = self.folder / "best" / f"{trainer.seen:012d}"
            write_state(kept, State(trainer.ema.module.state_dict(), self.facts()))
        return found

    def is_best(self, distance: float, found: Mapping[str, float]) -> bool:
        """Whether a sampler is as good as the best so far, and did not learn rows by heart: of those that
        cannot be told apart, the last one has learnt the longest.
        """
        heart = found.get("closer", 0.5) > 0.5 + TOO_CLOSE * found.get("closer_error", 0.0)
        if heart and self.best is not None:
            return False
        error = found.get("detector_auc_error", 0.0) + (WORTH * NOISE if "tstr" in found else 0.0)
        return self.best is None or distance <= self.best.distance + error

    def words(self, found: Mapping[str, float]) -> str:
        """Numbers as a person reads them, beside what real rows get."""
        said = []
        if "detector_auc" in found:
            said.append(f"detector AUC {found['detector_auc']:.3f}±{found['detector_auc_error']:.3f} (0.5)")
        if self.reference is not None and "tstr" in found:
            said.append(f"learnt from made rows {found['tstr']:.3f} ({self.reference['tstr']:.3f})")
        if "closer" in found:
            said.append(f"nearer to training rows than these to each other {found['closer']:.3f} (0.5)")
        said.append(f"columns differ by {found['marginals']:.3f}")
        return ", ".join(said) + " (in brackets: of real rows)"

    def about(self) -> dict[str, Any]:
        """How the numbers were made, for the run's record."""
        return {
            "n": len(self.real),
            "against": "hold-out" if self.real is self.held else "training data",
            "models": list(MODELS) if self.tested else [],
            "features": self.by,
        }

    def facts(self) -> dict[str, Any]:
        """What is written beside the best sampler."""
        return {} if self.best is None else {"seen": self.best.seen, "distance": self.best.distance}

    def recall_best(self, facts: Mapping[str, Any], sampler: Sampler, device: torch.device) -> None:
        """Go on from what was the best when a checkpoint was written."""
        self.best = BestRows(facts["seen"], facts["distance"]) if facts else None

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """Rows are no pictures."""


def spread(rows: Tensor) -> float:
    """Mean distance between two rows; small if they are all alike."""
    return float(torch.pdist(rows.float()).mean())
