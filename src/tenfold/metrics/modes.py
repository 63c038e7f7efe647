"""Toy mixtures whose modes can be counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..draw import derive


@dataclass(frozen=True)
class Mixture:
    """Equally likely normal modes with one standard deviation.

    Example:
        >>> RING.draw(100, seed=0).shape
        torch.Size([100, 2])
    """

    centres: Float[Tensor, "modes 2"]
    sigma: float

    def draw(self, n: int, seed: int) -> Float[Tensor, "n 2"]:
        """Samples, each of a random mode."""
        generator = torch.Generator().manual_seed(derive(seed, "mixture"))
        mode = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres[mode] + self.sigma * torch.randn(n, 2, generator=generator)


def _ring(modes: int) -> Float[Tensor, "modes 2"]:
    angle = torch.arange(modes) * (2 * math.pi / modes)
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def _grid(side: int, spacing: float) -> Float[Tensor, "side*side 2"]:
    line = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(line, line)


RING = Mixture(_ring(8), sigma=0.01)
"""Eight modes on the unit circle."""

GRID = Mixture(_grid(5, spacing=2.0), sigma=0.05)
"""Twenty-five modes, two apart, centred at the origin."""


@dataclass(frozen=True)
class Modes:
    """What samples say of a mixture's modes.

    Attributes:
        found: modes with at least one high-quality sample.
        high_quality_share: samples within three sigma of a mode's centre; 0.989 for real ones.
        reverse_kl: of the high-quality samples' distribution over the modes from the uniform one, in nats;
            0 is best, log(modes) is one mode only, infinite if there is no such sample.
    """

    found: int
    high_quality_share: float
    reverse_kl: float


def mode_report(samples: Float[Tensor, "n 2"], mixture: Mixture) -> Modes:
    """Counts modes by the protocol of VEEGAN and PacGAN, who look at 2,500 samples.

    A sample belongs to the nearest centre, and is of high quality if it lies within three sigma of it
    (Euclidean). A mode is found if it has a high-quality sample. The histogram behind `reverse_kl` counts
    only these, so that stray samples do not fill a mode that is not there; n of them bias it upward by about
    (modes - 1) / (2 n).

    References:
        VEEGAN: reducing mode collapse in GANs using implicit variational learning.
        Srivastava, Valkov, Russell, Gutmann, Sutton, 2017. https://arxiv.org/abs/1705.07761
        PacGAN: the power of two samples in generative adversarial networks.
        Lin, Khetan, Fanti, Oh, 2018. https://arxiv.org/abs/1712.04086
    """
    distance, mode = torch.cdist(samples.cpu(), mixture.centres).min(dim=1)
    good = distance <= 3 * mixture.sigma
    counts = torch.bincount(mode[good], minlength=len(mixture.centres)).double()
    share = counts / counts.sum()
    kl = torch.special.xlogy(share, share * len(counts)).sum().item()
    return Modes(int((counts > 0).sum()), good.double().mean().item(), kl if good.any() else math.inf)
