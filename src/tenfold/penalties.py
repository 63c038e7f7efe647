"""Penalties: extra losses of the discriminator, read off one look at a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from .draw import Draw

Side = Literal["real", "fake"]


@dataclass(frozen=True)
class Look:
    """One look of the discriminator at a batch; what every penalty may read.

    Attributes:
        critic: maps inputs `(n, ...)` to logits, under the same conditions as this look.
        real, fake: the inputs, `(n, ...)`; they require grad where a penalty of this look says so.
        real_logits, fake_logits: what the critic said of them, `(n, k)`.
        draw: the randomness of this look, a row per sample.
    """

    critic: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    draw: Draw

    @cached_property
    def slopes(self) -> dict[Side, Float[Tensor, " n"]]:
        """Squared gradient norms of the logits at the inputs that require grad, in one backward pass."""
        sides: dict[Side, tuple[Tensor, Tensor]] = {
            "real": (self.real, self.real_logits),
            "fake": (self.fake, self.fake_logits),
        }
        wanted: list[Side] = [side for side, (x, _) in sides.items() if x.requires_grad]
        inputs, totals = [sides[s][0] for s in wanted], [sides[s][1].sum() for s in wanted]
        gradients = torch.autograd.grad(totals, inputs, create_graph=True)
        return {s: g.float().flatten(1).square().sum(1) for s, g in zip(wanted, gradients, strict=True)}


class Penalty(Protocol):
    """Maps a look to a penalty per sample, `(n,)`."""

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

    @property
    def slopes_of(self) -> tuple[Side, ...]:
        """The inputs at which it reads the look's slopes."""
        ...

    def __call__(self, seen: Look, /) -> Tensor:
        """The penalty per sample."""
        ...


def squared_gradient_norm(logits: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
    """Per sample, the squared Euclidean norm of the gradient of its logits' sum with respect to it.

    Computed in float32 whatever the precision of the networks; can be differentiated again.

    Example:
        >>> x = torch.ones(2, 3, requires_grad=True)
        >>> squared_gradient_norm(x @ torch.tensor([1.0, 2.0, 2.0]), x).tolist()
        [9.0, 9.0]
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.float().flatten(1).square().sum(1)


@dataclass(frozen=True)
class R1:
    """Zero-centred gradient penalty on real data: half the squared gradient norm.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018),
        https://arxiv.org/abs/1801.04406
    """

    weight: float = 1.0
    every: int = 1
    name: str = "r1"
    slopes_of: tuple[Side, ...] = ("real",)

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the real samples."""
        return seen.slopes["real"] / 2


@dataclass(frozen=True)
class R2:
    """Zero-centred gradient penalty on generated data: half the squared gradient norm.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018),
        https://arxiv.org/abs/1801.04406
    """

    weight: float = 1.0
    every: int = 1
    name: str = "r2"
    slopes_of: tuple[Side, ...] = ("fake",)

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the generated samples."""
        return seen.slopes["fake"] / 2


@dataclass(frozen=True)
class Interpolated:
    """One-centred gradient penalty at random points between real and generated samples.

    Each sample has an epsilon and a norm of its own.

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017), https://arxiv.org/abs/1704.00028
    """

    weight: float = 10.0
    every: int = 1
    name: str = "gradient_penalty"
    slopes_of: tuple[Side, ...] = ()

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the points in between."""
        epsilon = seen.draw.uniform(*[1] * (seen.real.ndim - 1))
        x = seen.real.lerp(seen.fake, epsilon).detach().requires_grad_()
        # The root of a zero gradient has no derivative: a plain sqrt would give NaN there.
        norm = squared_gradient_norm(seen.critic(x), x).clamp_min(1e-12).sqrt()
        return (norm - 1).square()
