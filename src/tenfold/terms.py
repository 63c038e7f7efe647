"""Terms: extra losses of the generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from .adaptive import Adaptive
from .draw import Draw
from .game import Batch

if TYPE_CHECKING:
    from .penalties import Look


class Term(Protocol):
    """Maps a batch, and the randomness that belongs to it, to a loss per sample."""

    @property
    def name(self) -> str:
        """Under which it is logged."""
        ...

    @property
    def weight(self) -> float:
        """Factor in the loss."""
        ...

    @property
    def every(self) -> int:
        """On every n-th step only, with n times the weight (lazy regularisation)."""
        ...

    def __call__(self, batch: Batch, draw: Draw, /) -> Tensor:
        """The loss per sample, `(n,)`."""
        ...


class PathLength(Adaptive):
    """A step of one length in the space of styles must change every picture by as much.

    The length is compared with its own mean over time, which moves when a turn is over.

    Args:
        paths: fresh samples `(n, ...)`, and the styles `(n, layers, style)` that they are a function of.
        weight, every: as for other terms.
        decay: how fast the mean moves.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2019), section 3.2,
        https://arxiv.org/abs/1912.04958
    """

    noted: Tensor
    mean: Tensor

    def __init__(
        self,
        paths: Callable[[Batch, Draw], tuple[Tensor, Tensor]],
        *,
        weight: float = 2.0,
        every: int = 8,
        decay: float = 0.01,
    ) -> None:
        super().__init__()
        self.paths, self.weight, self.every, self.decay, self.name = (
            paths,
            weight,
            every,
            decay,
            "path_length",
        )
        self.register_buffer("noted", torch.zeros(2))  # sum of lengths, number of them
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, batch: Batch, draw: Draw) -> Float[Tensor, " n"]:
        """Squared difference to the mean length."""
        fake, ws = self.paths(batch, draw)
        direction = draw.normal(*fake.shape[1:]) / math.prod(fake.shape[2:]) ** 0.5
        (slope,) = torch.autograd.grad((fake * direction).sum(), ws, create_graph=True)
        # The root of a zero gradient has no derivative.
        lengths = slope.float().square().sum(2).mean(1).clamp_min(1e-12).sqrt()
        with torch.no_grad():
            self.noted += torch.stack([lengths.sum(), lengths.new_tensor(float(len(lengths)))])
        return (lengths - self.mean).square()

    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """D says nothing of it."""
        return {}

    def settle(self, progress: float) -> None:
        """Move the mean towards the lengths that were noted."""
        found = self.noted[0] / self.noted[1].clamp_min(1)
        self.mean.lerp_(found, self.decay * (self.noted[1] > 0))
        self.noted.zero_()

    def replanned(self, ratio: float) -> None:
        """The mean knows no shares of a run."""
