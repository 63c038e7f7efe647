"""Penalties: extra losses of the discriminator, read off one look at a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from .draw import Draw


@dataclass(frozen=True)
class Look:
    """One look of the discriminator at a batch; what every penalty may read.

    Attributes:
        critic: maps inputs `(n, ...)` to logits, under the same conditions as this look.
        real, fake: the inputs, `(n, ...)`; they require grad if a penalty of this look says so.
        real_logits, fake_logits: what the critic said of them, `(n, k)`.
        draw: the randomness of this look, a row per sample.
    """

    critic: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    draw: Draw


class Penalty(Protocol):
    """Maps a look to a penalty per sample, `(n,)`.

    Attributes:
        name: under which it is logged.
        weight: factor in the loss.
        every: on every n-th step only, with n times the weight (lazy regularisation).
        reads_gradient: whether it differentiates the look's logits with respect to the look's inputs.
    """

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def every(self) -> int: ...
    @property
    def reads_gradient(self) -> bool: ...
    def __call__(self, seen: Look, /) -> Tensor: ...


def squared_gradient_norm(logits: Float[Tensor, "n *k"], x: Float[Tensor, "n *shape"]) -> Float[Tensor, " n"]:
    """Per sample, the squared Euclidean norm of the gradient of its logits' sum with respect to it.

    Computed in float32 whatever the precision of the networks.

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
    reads_gradient: bool = True

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the real samples."""
        return squared_gradient_norm(seen.real_logits, seen.real) / 2


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
    reads_gradient: bool = True

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the generated samples."""
        return squared_gradient_norm(seen.fake_logits, seen.fake) / 2


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
    reads_gradient: bool = False

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the points in between."""
        epsilon = seen.draw.uniform(*[1] * (seen.real.ndim - 1))
        x = seen.real.lerp(seen.fake, epsilon).detach().requires_grad_()
        # The root of a zero gradient has no derivative: a plain sqrt would give NaN there.
        norm = squared_gradient_norm(seen.critic(x), x).clamp_min(1e-12).sqrt()
        return (norm - 1).square()
