"""The game: networks, and the turns in which they learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from torch import Tensor, nn

from .draw import Draw

Batch = Mapping[str, Tensor]
"""Tensors with a row per sample: `real`, `condition` where the game has one, `source` where it translates."""


@dataclass(frozen=True)
class Terms:
    """What a look at a batch gives.

    Attributes:
        losses: scalars whose sum is minimised; each is logged under its own name.
        signals: scalars that are only logged (means and signs of logits, for one).
    """

    losses: Mapping[str, Tensor]
    signals: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One gradient update of one player.

    Attributes:
        player: name of the player that moves; everyone else is frozen.
        loss: maps a batch, and the randomness that belongs to it, to named terms.
        every: played on every n-th step only (lazy regularisation).
        repeat: how many updates in a row, each on a fresh batch (`n_critic`).
        again: whether it looks once more at the batch of the turn before it, instead of a fresh one.
        after: called after the optimiser's step (weight clipping).
    """

    player: str
    loss: Callable[[Batch, Draw], Terms]
    every: int = 1
    repeat: int = 1
    again: bool = False
    after: Callable[[], None] | None = None


@dataclass(frozen=True)
class Anew:
    """A stage in which G learns by other losses than before, with optimisers as new.

    Attributes:
        at: share of the run at which it begins, one of the game's stages.
        best: whether it goes on from the best sampler; else from the last, as papers do.
        after: called once the sampler is the one that it goes on from.
    """

    at: float
    best: bool = True
    after: Callable[[], None] | None = None


class Sampler(nn.Module, ABC):
    """What survives training: it is averaged, exported and sampled from."""

    @abstractmethod
    def draw(self, draw: Draw) -> Tensor:
        """The latent of each sample, `(n, latent)`."""

    @abstractmethod
    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Samples `(n, ...)` from latents and, where the game has one, a condition `(n, ...)`."""


class Translator(nn.Module, ABC):
    """What survives training where one picture is made of another.

    Attributes:
        scale: how much larger a result is.
        reach: how many pixels away what a network sees of a place lies, at most; None if it sees all.
        ways: how many ways it translates: 1, or 2 if it also translates back.
    """

    scale: int = 1
    reach: int | None = None
    ways: int = 1

    @abstractmethod
    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        """Pictures in [-1, 1], made of others; or, if it translates back, those of which they were made."""


Critic = Callable[[Tensor, Tensor | None], Tensor]
"""Maps samples `(n, ...)`, and a condition where there is one, to logits `(n, k)`: higher is more real."""

S = TypeVar("S", bound=nn.Module)


class Game(nn.Module, ABC, Generic[S]):
    """Networks and the turns in which they learn.

    A game is a module: what it holds in submodules and buffers is moved, saved and resumed with it.
    A submodule that belongs to no player never moves. Subclasses are final.

    Attributes:
        sampler: what survives training.
        progress: share of the planned samples that has been seen; the trainer sets it before every step. If
            more is planned then, it falls, but never below the beginning of the last stage.
        stages: shares of the run at which other turns begin, in order; empty if all steps are of one kind.
        anew: that of the stages which goes on from the best sampler before it; None if each goes on from the
            last.
        starts: share of the run at which the sampler begins to learn; before it nobody looks at samples.
    """

    sampler: S
    progress: float = 0.0
    stages: Sequence[float] = ()
    anew: Anew | None = None
    starts: float = 0.0

    @abstractmethod
    def players(self) -> Mapping[str, nn.Module]:
        """The modules of each player; one optimiser each."""

    @abstractmethod
    def turns(self, step: int) -> Sequence[Turn]:
        """The turns of a step, in the order in which they are played."""

    @abstractmethod
    def critic(self) -> Critic | None:
        """What tells real samples from generated ones, unaugmented; None if no player does."""
