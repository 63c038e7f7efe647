"""Adversarial objectives: how logits become a loss per sample.

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
    Least Squares Generative Adversarial Networks (Mao et al., 2016), https://arxiv.org/abs/1611.04076
    Wasserstein GAN (Arjovsky et al., 2017), https://arxiv.org/abs/1701.07875
    Geometric GAN (Lim and Ye, 2017), https://arxiv.org/abs/1705.02894
    The relativistic discriminator (Jolicoeur-Martineau, 2018), https://arxiv.org/abs/1807.00734
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A pair of losses over logits of one shape, `(n,)` or `(n, k)`; both return that shape.

    Attributes:
        discriminator: maps `(real, fake)` logits to the discriminator's loss.
        generator: maps `(fake, real)` logits to the generator's loss.
        relativistic: whether the generator's loss reads the real logits. Where it does not, they may be
            anything of that shape.
        bounded: whether logits have an absolute meaning. Where only differences count (Wasserstein,
            relativistic), a bias of the last layer never learns, and the critic is built without one.
    """

    discriminator: Loss
    generator: Loss
    relativistic: bool = False
    bounded: bool = True


NON_SATURATING = Objective(lambda r, f: softplus(-r) + softplus(f), lambda f, _: softplus(-f))
LEAST_SQUARES = Objective(lambda r, f: ((r - 1).square() + f.square()) / 2, lambda f, _: (f - 1).square() / 2)
HINGE = Objective(lambda r, f: relu(1 - r) + relu(1 + f), lambda f, _: -f)
WASSERSTEIN = Objective(lambda r, f: f - r, lambda f, _: -f, bounded=False)
RELATIVISTIC = Objective(
    lambda r, f: softplus(f - r), lambda f, r: softplus(r - f), relativistic=True, bounded=False
)
