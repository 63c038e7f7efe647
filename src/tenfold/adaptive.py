"""What moves without a gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from .penalties import Look


class Adaptive(nn.Module, ABC):
    """A part of a game that watches, and moves when a turn is over.

    All that it knows is in buffers, so it is saved and resumed with the game. It notes sums in `noted`, which
    the trainer averages over ranks before it lets the part move: so all ranks move alike.
    """

    noted: Tensor

    @abstractmethod
    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """Note what D said in one look; gives signals for the log."""

    @abstractmethod
    def settle(self, progress: float) -> None:
        """Move by what was noted, and forget it; called after every turn, also after one without a look.

        Args:
            progress: share of the planned samples that has been seen.
        """

    @abstractmethod
    def replanned(self, ratio: float) -> None:
        """Know that the run was planned anew: what was a share s of it is now the share `ratio * s`."""
