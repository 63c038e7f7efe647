"""The residual networks of R3GAN: no norm, no style, grouped convolutions, a start that needs neither.

References:
    The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024),
    https://arxiv.org/abs/2501.05441
    Fixup Initialization: Residual Learning Without Normalization (Zhang et al., 2019),
    https://arxiv.org/abs/1901.09321
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ConditionalLatent, ProjectionHead
from ..layers import FullPrecision, activation
from .grid import BaseGrid, base_grid

GROUP = 16  # channels that a grouped convolution looks at together
FULL_WIDTH = 32  # up to this side stages are as wide as asked for; beyond, half as wide with each doubling
BLOCKS = 2  # of each stage
GAIN = (2 / (1 + 0.2**2)) ** 0.5  # keeps variance through leaky_relu of slope 0.2


def stage_widths(width: int, grid: BaseGrid) -> list[int]:
    """Channels of each stage, the coarsest first: whole groups, never less than one."""
    sides = [max(grid.height, grid.width) * 2**i for i in range(grid.doublings + 1)]
    shares = [min(1.0, FULL_WIDTH / side) for side in sides]
    return [max(1, round(width * share / GROUP)) * GROUP for share in shares]


def start(layer: nn.Module, gain: float = 1.0) -> nn.Module:
    """The layer, its weights normal with variance gain squared over inputs."""
    weight = layer.get_parameter("weight")
    nn.init.normal_(weight, 0.0, gain / weight[0].numel() ** 0.5)
    return layer


def point(inputs: int, outputs: int, gain: float = 1.0) -> nn.Module:
    """A 1x1 convolution without bias."""
    return start(nn.Conv2d(inputs, outputs, 1, bias=False), gain)


class Biased(nn.Module):
    """A bias per channel, which starts at zero, then leaky_relu."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias, self.hidden = nn.Parameter(torch.zeros(channels)), activation("leaky_relu")

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The activation of x plus the bias."""
        return self.hidden(x + self.bias.to(x.dtype)[:, None, None])


class Residual(nn.Module):
    """x plus a bottleneck turned inside out: twice as wide within, where it looks at neighbours in groups.

    Starts as the identity, as its last convolution starts at zero.

    Args:
        channels: of x.
        blocks: how many of these the network has; the more, the smaller each starts.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        gain, inner = GAIN * blocks**-0.25, 2 * channels
        grouped = nn.Conv2d(inner, inner, 3, padding=1, groups=inner // GROUP, bias=False)
        layers = [point(channels, inner, gain), Biased(inner), start(grouped, gain), Biased(inner)]
        self.branch = nn.Sequential(*layers, point(inner, channels, 0.0))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """x and what is added to it."""
        return x + self.branch(x)


def doubled(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Twice the size, by the taps 1, 3, 3, 1."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def halved(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Half the size, by the taps 1, 3, 3, 1."""
    smooth = F.avg_pool2d(F.avg_pool2d(F.pad(x, [1] * 4), 2, 1), 2, 1)
    return F.avg_pool2d(smooth, 2)


def stage(channels: int, blocks: int, inputs: int | None = None) -> nn.Module:
    """The blocks at one size, and before them a 1x1 convolution where the width changes."""
    change = nn.Identity() if inputs is None else changed(inputs, channels)
    return nn.Sequential(change, *(Residual(channels, blocks) for _ in range(BLOCKS)))


class R3Generator(nn.Module):
    """Noise to pictures: a learnt grid, scaled channel by channel by the noise, and stages that double it.

    The last layer has a tanh, which the paper's has not: samples stay within the range of pictures.

    Args:
        latent: dimension of z.
        shape: of a picture, (channels, height, width).
        width: channels of the stages up to 32 pixels a side.
        classes: number of classes; 0 for none.
    """

    def __init__(self, latent: int, shape: Sequence[int], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = stage_widths(width, grid)
        self.latent = ConditionalLatent(latent, classes)
        self.basis = nn.Parameter(torch.randn(sizes[0], grid.height, grid.width))
        self.scale = start(nn.Linear(self.latent.dimension, sizes[0], bias=False))
        self.stages = nn.ModuleList(stage(size, BLOCKS * len(sizes)) for size in sizes)
        self.changes = nn.ModuleList(changed(a, b) for a, b in pairwise(sizes))
        self.last = FullPrecision(point(sizes[-1], channels))

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        x = self.basis * self.scale(self.latent(z, condition))[:, :, None, None]
        x = self.stages[0](x)
        for change, stage in zip(self.changes, self.stages[1:], strict=True):
            x = stage(doubled(change(x)))
        return self.last(x).tanh()


class R3Discriminator(nn.Module):
    """Pictures to logits; the mirror of the generator.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels of the stages up to 32 pixels a side.
        classes: number of classes of the projection head; 0 for none.
    """

    def __init__(self, shape: Sequence[int], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = stage_widths(width, grid)[::-1]
        self.first = point(channels, sizes[0])
        blocks = BLOCKS * len(sizes)
        later = [stage(b, blocks, a) for a, b in pairwise(sizes)]
        self.stages = nn.ModuleList([stage(sizes[0], blocks), *later])
        whole = nn.Conv2d(sizes[-1], sizes[-1], grid[:2], groups=sizes[-1], bias=False)
        self.whole = start(whole)
        self.last = ProjectionHead(sizes[-1], classes, bias=False)
        start(self.last.linear)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per picture."""
        x = self.stages[0](self.first(x))
        for stage in self.stages[1:]:
            x = stage(halved(x))
        return self.last(self.whole(x).flatten(1), condition)


def changed(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution where the width changes, else nothing."""
    return nn.Identity() if inputs == outputs else point(inputs, outputs)
