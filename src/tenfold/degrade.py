"""What is taken from a picture, for a network to put back: size, sharpness, colour, a part of it.

References:
    Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data (Wang et al., 2021),
    https://arxiv.org/abs/2107.10833
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from .draw import Draw

Pictures = Float[Tensor, "n c h w"]
Degradation = Callable[[Tensor, Draw], Tensor]
"""Maps pictures in [-1, 1], and randomness with a row for each, to what is left of them."""

LUMA = (0.299, 0.587, 0.114)
BLOCK = 8  # pixels of a side that JPEG looks at
QUANTA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""By how much JPEG rounds each frequency at quality 50 (ITU-T T.81, table K.1)."""


@dataclass(frozen=True)
class Composed:
    """One after the other."""

    parts: tuple[Degradation, ...]

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """What is left after all."""
        for part in self.parts:
            x = part(x, draw)
        return x


@dataclass(frozen=True)
class Smaller:
    """Bicubic with antialiasing: each side divided by a whole number."""

    scale: int

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Smaller pictures."""
        size = [side // self.scale for side in x.shape[2:]]
        return F.interpolate(x.float(), size, mode="bicubic", antialias=True).clamp(-1, 1)


@dataclass(frozen=True)
class Blur:
    """A Gaussian of another width, and another direction, for each picture.

    Attributes:
        least, most: standard deviation in pixels, along either axis of the Gaussian.
        size: pixels of the kernel's side, odd.
        p: share of pictures that are blurred.
    """

    least: float = 0.2
    most: float = 3.0
    size: int = 13
    p: float = 1.0

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Blurred pictures."""
        sigma = self.least + (self.most - self.least) * draw.uniform(2)
        sigma = torch.where(draw.uniform(1) < self.p, sigma, 1e-3)
        kernels = gaussians(sigma, draw.uniform() * math.pi, self.size)
        n, c, height, width = x.shape
        edge = self.size // 2
        around = F.pad(x.float(), (edge,) * 4, mode="replicate").reshape(1, n * c, height + 2 * edge, -1)
        weights = kernels.repeat_interleave(c, 0)[:, None]
        return F.conv2d(around, weights, groups=n * c).reshape(n, c, height, width)


def gaussians(
    sigma: Float[Tensor, "n 2"], angle: Float[Tensor, " n"], size: int
) -> Float[Tensor, "n size size"]:
    """Kernels that sum to one."""
    place = torch.arange(size, device=sigma.device) - size // 2
    y, x = place[:, None].float(), place[None].float()
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    a, b = (s[:, None, None] for s in sigma.clamp_min(1e-3).unbind(1))
    kernel = torch.exp(-((along / a).square() + (across / b).square()) / 2)
    return kernel / kernel.sum((1, 2), keepdim=True)


@dataclass(frozen=True)
class Resized:
    """Another size, the same for a whole batch.

    Attributes:
        least, most: of the size in relation to what it was.
    """

    least: float = 0.5
    most: float = 1.5

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Larger or smaller pictures."""
        share = self.least + (self.most - self.least) * draw.once()
        size = [max(BLOCK, round(side * share)) for side in x.shape[2:]]
        return F.interpolate(x.float(), size, mode="bilinear", antialias=True)


@dataclass(frozen=True)
class To:
    """A certain size, bicubic with antialiasing."""

    height: int
    width: int

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Pictures of that size."""
        size = (self.height, self.width)
        return F.interpolate(x.float(), size, mode="bicubic", antialias=True).clamp(-1, 1)


@dataclass(frozen=True)
class Noise:
    """Normal noise of another strength for each picture.

    Attributes:
        least, most: standard deviation, of 255 values.
        grey: share of pictures whose channels all get the same.
    """

    least: float = 1.0
    most: float = 30.0
    grey: float = 0.4

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Noisy pictures."""
        strength = (self.least + (self.most - self.least) * draw.uniform(1, 1, 1)) / 127.5
        noise = draw.normal(*x.shape[1:])
        noise = torch.where(draw.uniform(1, 1, 1) < self.grey, noise[:, :1], noise)
        return (x.float() + strength * noise).clamp(-1, 1)


@dataclass(frozen=True)
class Jpeg:
    """What JPEG rounds away: frequencies of blocks of eight pixels, channel by channel.

    Attributes:
        least, most: quality, from 1 to 100.
    """

    least: float = 30.0
    most: float = 95.0

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Pictures as they are after storing."""
        quality = self.least + (self.most - self.least) * draw.uniform()
        factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).clamp_min(0.01)
        quanta = (torch.tensor(QUANTA, device=x.device) * factor[:, None, None] + 0.5).floor().clamp(1, 255)
        height, width = x.shape[2:]
        whole = F.pad(x.float(), (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
        whole = 127.5 * whole - 0.5  # JPEG takes 128 off values from 0 to 255
        blocks = whole.unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK)
        basis = cosines(x.device)
        seen = basis @ blocks @ basis.T
        step = quanta[:, None, None, None]
        back = basis.T @ ((seen / step).round() * step) @ basis
        joined = back.permute(0, 1, 2, 4, 3, 5).reshape(whole.shape)
        return ((joined[:, :, :height, :width] + 0.5) / 127.5).clamp(-1, 1)


@cache
def cosines(device: torch.device) -> Float[Tensor, "8 8"]:
    """The discrete cosine transform of eight numbers, as an orthogonal matrix."""
    k, i = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)[None]
    rows = torch.cos(math.pi * (2 * i + 1) * k / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    rows[0] /= math.sqrt(2)
    return rows.to(device)


def worn(scale: int, height: int, width: int) -> Composed:
    """Blur, another size, noise and JPEG, and once more, to a picture that is smaller by a whole number."""
    return Composed(
        (
            Blur(0.2, 3.0),
            Resized(0.5, 1.5),
            Noise(1.0, 30.0),
            Jpeg(30.0, 95.0),
            Blur(0.2, 1.5, p=0.8),
            Resized(0.5, 1.2),
            Noise(1.0, 25.0),
            To(height // scale, width // scale),
            Jpeg(30.0, 95.0),
        )
    )


@dataclass(frozen=True)
class Grey:
    """Without colour: one channel, and opacity if there is any."""

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Grey pictures."""
        colours = x.shape[1] - (x.shape[1] in (2, 4))
        shares = x.new_tensor(LUMA if colours == 3 else [1 / colours] * colours)
        grey = (x[:, :colours] * shares[:, None, None]).sum(1, keepdim=True)
        return torch.cat([grey, x[:, colours:]], 1)


@dataclass(frozen=True)
class Holes:
    """Without a rectangle, which becomes grey; another channel says where it is.

    Attributes:
        least, most: of a side, as a share of the picture's.
    """

    least: float = 0.2
    most: float = 0.5

    def __call__(self, x: Pictures, draw: Draw) -> Tensor:
        """Pictures, and 1 where they are whole, -1 where they are not."""
        height, width = x.shape[2:]
        sides = self.least + (self.most - self.least) * draw.uniform(2)
        start = draw.uniform(2) * (1 - sides)
        rows, columns = (within(start[:, i], sides[:, i], side) for i, side in enumerate((height, width)))
        hole = (rows[:, :, None] & columns[:, None, :])[:, None]
        return torch.cat([x.masked_fill(hole, 0.0), 1 - 2 * hole.to(x.dtype)], 1)


def within(start: Tensor, share: Tensor, side: int) -> Tensor:
    """Which of a side's pixels lie in a part of it, `(n, side)`."""
    place = (torch.arange(side, device=start.device) + 0.5) / side
    return (place >= start[:, None]) & (place < (start + share)[:, None])
