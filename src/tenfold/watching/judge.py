"""What looks at how good samples are while a run is trained, whatever they are samples of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from ..data import Codec
from ..engine.trainer import Trainer, Watch
from ..game import Sampler


class Found(Protocol):
    """The best sampler so far."""

    @property
    def seen(self) -> int:
        """Samples that had been seen when it was."""
        ...


class Judge(Protocol):
    """Measures a run now and then, and keeps the best sampler."""

    @property
    def best(self) -> Found | None:
        """The best so far, if one was chosen."""
        ...

    @property
    def count(self) -> int:
        """Samples that recall and coverage are shares of; 0 where there are no such shares."""
        ...

    @property
    def watches(self) -> Sequence[Watch]:
        """With what else it looks at a run; it does so on the first rank alone."""
        ...

    @property
    def reference(self) -> Mapping[str, float] | None:
        """What fresh real samples get."""
        ...

    @property
    def given_codec(self) -> Codec | None:
        """How what is translated is stored; None if nothing is."""
        ...

    @property
    def by(self) -> str:
        """Name of what it looks through."""
        ...

    def measure(self, trainer: Trainer) -> tuple[dict[str, float], Any]:
        """All numbers of a look at the averaged sampler, and what it was seen in."""
        ...

    def look(self, trainer: Trainer) -> dict[str, float]:
        """Measure the averaged sampler, and keep it if it is the best so far."""
        ...

    def words(self, found: Mapping[str, float]) -> str:
        """Numbers as a person reads them."""
        ...

    def about(self) -> dict[str, Any]:
        """How the numbers were made, for the run's record."""
        ...

    def facts(self) -> dict[str, Any]:
        """What is written beside the best sampler."""
        ...

    def recall_best(self, facts: Mapping[str, Any], sampler: Sampler, device: torch.device) -> None:
        """Go on from what was the best when a checkpoint was written."""
        ...

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A sheet of samples, if they are pictures."""
        ...
