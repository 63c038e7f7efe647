"""FastGAN's networks: coarse maps gate fine ones, and the discriminator must be able to draw what it saw.

References:
    Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis (Liu et al., 2021),
    https://arxiv.org/abs/2101.04775
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ConditionalBatchNorm, ConditionalLatent, ProjectionHead
from ..layers import BatchNorm, FullPrecision, SpectralConv, Unflatten, activation, normed
from .grid import BaseGrid, base_grid

REACH = 4  # doublings from a map to the one that it gates
MOST_DRAWN = 5  # doublings of what the discriminator draws: 128 pixels from a grid of 4
MOST = 8  # times the finest width that a coarse map has


def map_widths(width: int, grid: BaseGrid) -> list[int]:
    """Channels at each size, the coarsest first."""
    return [width * min(MOST, 2 ** (grid.doublings - i)) for i in range(grid.doublings + 1)]


class Gated(nn.Module):
    """A convolution, a norm, and half of the channels as gates of the other half."""

    def __init__(self, inputs: int, outputs: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm = ConditionalBatchNorm(2 * outputs, classes)

    def forward(self, x: Tensor, condition: Tensor | None, noise: Tensor | float = 0.0) -> Tensor:
        """The open channels of the convolution, with noise."""
        return F.glu(self.norm(self.conv(x) + noise, condition), 1)


class Excitation(nn.Module):
    """A coarse map decides which channels of a fine one count.

    Args:
        coarse, fine: channels.
        grid: height and width to which the coarse map is averaged.
    """

    def __init__(self, coarse: int, fine: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.grid = grid
        self.gates = nn.Sequential(
            nn.Conv2d(coarse, fine, grid), activation("silu"), nn.Conv2d(fine, fine, 1), nn.Sigmoid()
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The fine map, gated."""
        return fine * self.gates(F.adaptive_avg_pool2d(coarse, self.grid))


class FastGenerator(nn.Module):
    """Noise to pictures.

    Args:
        latent: dimension of z.
        shape: of a picture, (channels, height, width).
        width: channels at the finest size.
        classes: number of classes; 0 for none.
    """

    def __init__(self, latent: int, shape: Sequence[int], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = map_widths(width, grid)
        self.sides = [(grid.height << i, grid.width << i) for i in range(1, len(sizes))]
        self.latent = ConditionalLatent(latent, classes)
        area = grid.height * grid.width
        self.stem = nn.Linear(self.latent.dimension, 2 * sizes[0] * area, bias=False)
        self.spread = Unflatten(grid.height, grid.width)
        self.norm = ConditionalBatchNorm(2 * sizes[0], classes)
        self.ups = nn.ModuleList(Gated(a, b, classes) for a, b in pairwise(sizes))
        self.strengths = nn.Parameter(torch.zeros(grid.doublings))
        self.reach = min(REACH, grid.doublings)
        pairs = zip(sizes, sizes[self.reach :], strict=False)
        skips = [Excitation(a, b, grid[:2]) for a, b in pairs] if grid.doublings else []
        self.skips = nn.ModuleList(skips)
        self.last = FullPrecision(nn.Conv2d(sizes[-1], channels, 3, padding=1))

    @property
    def noises(self) -> int:
        """Numbers of noise that a picture has."""
        return sum(height * width for height, width in self.sides)

    def forward(
        self, z: Float[Tensor, "n d"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1], of noise and, behind it in each row, the noise of every pixel."""
        areas = [height * width for height, width in self.sides]
        z, *noise = z.split([z.shape[1] - sum(areas), *areas], 1)
        x = self.spread(self.stem(self.latent(z, condition)))
        maps = [F.glu(self.norm(x, condition), 1)]
        for i, up in enumerate(self.ups):
            field = self.strengths[i] * noise[i].view(-1, 1, *self.sides[i])
            x = up(F.interpolate(maps[-1], scale_factor=2), condition, field)
            gating = i + 1 - self.reach
            maps.append(x if gating < 0 else self.skips[gating](maps[gating], x))
        return self.last(maps[-1]).tanh()


class Down(nn.Module):
    """Half the size, twice: by convolutions, and by averaging; the mean of both."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        main = [*normed(inputs, outputs, 4, 2, 1), activation("leaky_relu")]
        self.main = nn.Sequential(*main, *normed(outputs, outputs, 3, 1, 1), activation("leaky_relu"))
        self.direct = nn.Sequential(*normed(inputs, outputs, 1), activation("leaky_relu"))

    def forward(self, x: Tensor) -> Tensor:
        """The map at half the size."""
        return (self.main(x) + self.direct(F.avg_pool2d(x, 2))) / 2


class Seen(NamedTuple):
    """What the discriminator made of pictures: logits, and the maps that decoders draw from."""

    logits: Tensor
    middle: Tensor
    last: Tensor


class FastDiscriminator(nn.Module):
    """Pictures to a logit for each place of the coarsest map.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels after the first layer.
        classes: number of classes of the projection; 0 for none.
    """

    def __init__(self, shape: Sequence[int], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = map_widths(width, grid)[::-1]
        self.first = nn.Sequential(SpectralConv(channels, sizes[0], 3, 1, 1), activation("leaky_relu"))
        self.downs = nn.ModuleList(Down(a, b) for a, b in pairwise(sizes))
        self.places = FullPrecision(SpectralConv(sizes[-1], 1, 1))
        self.whole = ProjectionHead(sizes[-1], classes, spectral=True)
        middle = sizes[-2] if len(sizes) > 1 else sizes[-1]
        ups = min(grid.doublings, MOST_DRAWN)
        decoders = decoder(middle, channels, max(ups - 1, 0)), decoder(sizes[-1], channels, ups)
        self.decoders = nn.ModuleList(decoders)

    def look(self, x: Float[Tensor, "n c h w"], condition: Condition | None = None) -> Seen:
        """Logits `(n, 2 places)`, of places and of the whole, which counts as much; and maps."""
        maps = [self.first(x)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        whole = self.whole(maps[-1].mean((2, 3)), condition)
        places = self.places(maps[-1]).flatten(1)
        logits = torch.cat([places, whole.expand_as(places)], 1)
        return Seen(logits, maps[-2] if self.downs else maps[-1], maps[-1])

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n k"]:
        """Logits alone."""
        return self.look(x, condition).logits


def decoder(inputs: int, channels: int, ups: int) -> nn.Module:
    """Draws a picture, doubling a map so many times."""
    layers: list[nn.Module] = []
    for i in range(ups):
        a, b = (max(8, inputs >> k) if k else inputs for k in (i, i + 1))
        conv = nn.Conv2d(a, 2 * b, 3, padding=1, bias=False)
        layers += [nn.Upsample(scale_factor=2), conv, BatchNorm(2 * b), nn.GLU(1)]
    width = max(8, inputs >> ups) if ups else inputs
    return nn.Sequential(*layers, FullPrecision(nn.Conv2d(width, channels, 3, padding=1)), nn.Tanh())
