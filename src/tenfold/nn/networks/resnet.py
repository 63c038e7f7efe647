"""Residual networks for pictures: the cheap strong baseline.

References:
    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957
    cGANs with Projection Discriminator (Miyato and Koyama, 2018), https://arxiv.org/abs/1802.05637
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ConditionalBatchNorm, ProjectionHead
from ..layers import Activation, FullPrecision, SpectralConv, activation
from .grid import base_grid
from .stem import Stem


class UpBlock(nn.Module):
    """Norm, activation, double, convolve, norm, activation, convolve; plus the doubled input."""

    def __init__(self, inputs: int, outputs: int, classes: int, hidden: Activation) -> None:
        super().__init__()
        self.norms = nn.ModuleList([ConditionalBatchNorm(c, classes) for c in (inputs, outputs)])
        self.convs = nn.ModuleList([residual(inputs, outputs), residual(outputs, outputs)])
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)
        nn.init.xavier_uniform_(self.shortcut.weight)
        self.hidden = activation(hidden)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """x at twice the size."""
        h = self.hidden(self.norms[0](x, condition))
        h = self.convs[0](F.interpolate(h, scale_factor=2))
        h = self.convs[1](self.hidden(self.norms[1](h, condition)))
        # A 1x1 convolution before doubling gives what it would after, at a quarter of the cost.
        return h + F.interpolate(self.shortcut(x), scale_factor=2)


def residual(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution of a residual branch, initialised as the paper does."""
    # No bias, unlike the paper: the norm after it, or at the network's end, would take it away.
    conv = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
    nn.init.xavier_uniform_(conv.weight, sqrt(2))
    return conv


class ResNetGenerator(nn.Module):
    """Noise to pictures by residual blocks that double the size.

    Args:
        latent: dimension of z.
        shape: of a picture, (channels, height, width).
        width: channels of every block.
        classes: number of classes that choose the norms' gains and biases; 0 for none.
        hidden: activation.
    """

    def __init__(
        self,
        latent: int,
        shape: Sequence[int],
        width: int,
        *,
        classes: int = 0,
        hidden: Activation = "relu",
    ) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        self.stem = Stem(latent, width, grid, classes=classes, bias=True)
        self.blocks = nn.ModuleList(UpBlock(width, width, classes, hidden) for _ in range(grid.doublings))
        self.norm, self.hidden = ConditionalBatchNorm(width, 0), activation(hidden)
        last = nn.Conv2d(width, channels, 3, 1, 1)
        self.last = FullPrecision(last)
        for layer in (self.stem.linear, last):
            nn.init.xavier_uniform_(layer.weight)

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        x = self.stem(z, condition)
        for block in self.blocks:
            x = block(x, condition)
        return self.last(self.hidden(self.norm(x))).tanh()


class DownBlock(nn.Module):
    """Activation, convolve, activation, convolve, halve; plus the halved input. Spectrally normalised."""

    def __init__(
        self, inputs: int, outputs: int, hidden: Activation, *, halve: bool, first: bool = False
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [SpectralConv(inputs, outputs, 3, 1, 1), SpectralConv(outputs, outputs, 3, 1, 1)]
        )
        self.shortcut = SpectralConv(inputs, outputs, 1) if halve or inputs != outputs else nn.Identity()
        self.hidden, self.halve, self.first = activation(hidden), halve, first

    def forward(self, x: Tensor) -> Tensor:
        """x, at half the size if this block halves."""
        h = self.convs[0](x if self.first else self.hidden(x))
        h = self.convs[1](self.hidden(h))
        if not self.halve:
            return h + self.shortcut(x)
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))


class ResNetDiscriminator(nn.Module):
    """Pictures to logits by spectrally normalised residual blocks and a sum over positions.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels of every block.
        classes: number of classes of the projection head; 0 for none.
        hidden: activation.
        bias: whether the last layer has one.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int,
        *,
        classes: int = 0,
        hidden: Activation = "relu",
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels, height, width_px = shape
        halvings = halvings_of(base_grid(height, width_px).doublings)
        halve = [True] * halvings + [False] * 2
        inputs = [channels] + [width] * (len(halve) - 1)
        self.blocks = nn.Sequential(
            *(
                DownBlock(c, width, hidden, halve=h, first=i == 0)
                for i, (c, h) in enumerate(zip(inputs, halve, strict=True))
            )
        )
        self.hidden, self.last = activation(hidden), ProjectionHead(width, classes, bias=bias, spectral=True)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per picture."""
        return self.last(self.hidden(self.blocks(x)).sum((2, 3)), condition)


def halvings_of(doublings: int) -> int:
    """One less than the generator doubles, as in the paper, but two where the picture is small."""
    return max(doublings - 1, min(doublings, 2))
