"""How good texts are, looked at while training; the best sampler so far is kept, and the baseline beside it.

The stage of maximum likelihood is judged by how well held-out texts are foretold: the best look of it is the
baseline, is kept for good, and is what the next stage goes on from. Of few texts that is after a few passes,
perhaps a thousandth of a run: so there are glances at nothing else, as many in each doubling of the steps.
What comes after cannot be judged so, since whoever makes few texts well foretells the others badly; it is
judged by the texts themselves. So are texts of other texts in either stage, or a comparison of both would be
one of how they were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log2
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..data import Codec, Dataset
from ..engine.checkpoint import KEPT, State, drop_old, finished, read_state, write_state
from ..engine.trainer import Trainer, Watch
from ..game import Sampler
from .trials import FreeTexts, TextsOfTexts, Trial

BASELINE = "baseline"
FIRST, IN_A_DOUBLING = 16, 2  # steps before the first glance, and glances from there until twice as many


@dataclass(frozen=True)
class BestTexts:
    """The best sampler so far: when it was, whether of maximum likelihood, and its score; less is better."""

    seen: int
    likely: bool
    score: float


class Reading:
    """Texts that are made now and then, and how well held-out ones are foretold.

    Without a hold-out they are measured against training texts, no best is chosen, and the baseline is the
    last look at the stage of maximum likelihood.

    Args:
        data: the run's; of texts, or of pairs of texts.
        folder: where the best sampler and the baseline are kept.
        classes: number of conditions; 0 for none.
    """

    given_codec: Codec | None = None
    count = 0

    def __init__(self, data: Dataset, folder: Path, classes: int) -> None:
        assert data.texts is not None
        self.folder, self.codec, self.chooses = folder, data.texts, data.holdout is not None
        self.trial: Trial = TextsOfTexts(data) if data.spec.kind == "text_pairs" else FreeTexts(data, classes)
        self.best: BestTexts | None = None
        self.baseline: BestTexts | None = None
        glances = self.chooses and not self.trial.always
        self.watches: Sequence[Watch] = (Watch(1, self.glance),) if glances else ()

    @property
    def reference(self) -> Mapping[str, float] | None:
        """What fresh real texts get."""
        return self.trial.reference

    @property
    def by(self) -> str:
        """Name of what it looks through."""
        return self.trial.by

    def measure(self, trainer: Trainer) -> tuple[dict[str, float], np.ndarray]:
        """All numbers of a look at the averaged sampler, and its texts."""
        sampler, device = trainer.ema.module, trainer.runtime.device
        found, rows = self.trial.measure(sampler, device)
        return {"heldout_nll": self.trial.nll(sampler, device), **found}, rows

    def look(self, trainer: Trainer) -> dict[str, float]:
        """Measure the averaged sampler, and keep it if it is the best so far of its stage."""
        found, _ = self.measure(trainer)
        likely = still_likely(trainer)
        if trainer.step:
            foretold = likely and not self.trial.always
            self.consider(trainer, likely, found["heldout_nll"] if foretold else self.trial.score(found))
        return found

    def glance(self, trainer: Trainer) -> None:
        """See how well held-out texts are foretold, if it is time, and keep the averaged sampler if best."""
        if glanced_at(trainer.step) and still_likely(trainer):
            self.consider(trainer, True, self.trial.nll(trainer.ema.module, trainer.runtime.device))

    def consider(self, trainer: Trainer, likely: bool, score: float) -> None:
        """Keep the averaged sampler if it is the best so far of its stage."""
        if not isfinite(score):
            return
        before = self.best if self.best is not None and self.best.likely == likely else None
        now = BestTexts(trainer.seen, likely, score)
        better = before is None or score < before.score
        if likely and trainer.game.stages and (better or not self.chooses):
            self.baseline = now
            self.keep(trainer, BASELINE)
            drop_old(self.folder / BASELINE, KEPT + 1)  # those that the kept checkpoints speak of
            trainer.keep()
        if better and self.chooses:
            self.best = now
            self.keep(trainer, "best")

    def keep(self, trainer: Trainer, name: str) -> None:
        """Write the averaged sampler."""
        kept = self.folder / name / f"{trainer.seen:012d}"
        write_state(kept, State(trainer.ema.module.state_dict(), self.facts()))

    def words(self, found: Mapping[str, float]) -> str:
        """Numbers as a person reads them, beside what real texts get."""
        first = f"{found['heldout_nll']:.3f} nats per {'held-out' if self.chooses else 'training'} token"
        said = ", ".join([first, *self.trial.words(found)])
        return said + (" (in brackets: of real texts)" if self.reference else "")

    def about(self) -> dict[str, Any]:
        """How the numbers were made, for the run's record."""
        return {
            "n": self.trial.count,
            "against": "hold-out" if self.chooses else "training data",
            "features": self.by,
        }

    def facts(self) -> dict[str, Any]:
        """What is written beside the best sampler."""
        found: dict[str, Any] = {}
        if self.best is not None:
            likely = self.best.likely
            found = {"seen": self.best.seen, "likely": likely, self.named(likely): self.best.score}
        if self.baseline is not None:
            found |= {"baseline": self.baseline.seen, f"baseline_{self.named(True)}": self.baseline.score}
        return found

    def named(self, likely: bool) -> str:
        """What chooses a sampler: of maximum likelihood, or not."""
        return "heldout_nll" if likely and not self.trial.always else "score"

    def recall_best(self, facts: Mapping[str, Any], sampler: Sampler, device: torch.device) -> None:
        """Go on from what was the best when a checkpoint was written."""
        if "seen" in facts:
            self.best = BestTexts(facts["seen"], facts["likely"], facts[self.named(facts["likely"])])
        if "baseline" in facts:
            score = facts[f"baseline_{self.named(True)}"]
            self.baseline = BestTexts(facts["baseline"], True, score)

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A sheet of some texts, one per line, where a picture's would be."""
        rows = self.trial.shown(sampler, device, seed)
        lines = [text.replace("\n", " ") for text in self.codec.decode(rows)]
        path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def glanced_at(step: int) -> bool:
    """Whether there is a glance after so many steps: as many in each doubling of them.

    Example:
        >>> [step for step in range(100) if glanced_at(step)]
        [16, 23, 32, 46, 64, 91]
    """
    return step >= FIRST and int(IN_A_DOUBLING * log2(step)) > int(IN_A_DOUBLING * log2(step - 1))


def still_likely(trainer: Trainer) -> bool:
    """Whether the sampler learns by maximum likelihood alone: nobody else plays, or not yet against it."""
    stages = trainer.game.stages
    return len(trainer.players) == 1 or (bool(stages) and trainer.stage < stages[-1])


def baseline_state(folder: Path) -> State | None:
    """The best sampler of a run's stage of maximum likelihood; None if there is no other stage."""
    found = finished(folder / BASELINE)
    return read_state(found[-1]) if found else None
