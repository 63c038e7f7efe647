"""Super-resolution's networks: one that enlarges, and a discriminator that judges every pixel.

References:
    Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et al., 2016),
    https://arxiv.org/abs/1609.04802
    ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks (Wang et al., 2018),
    https://arxiv.org/abs/1809.00219
    Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data (Wang et al., 2021),
    https://arxiv.org/abs/2107.10833
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import FullPrecision, SpectralConv

Block = Literal["residual", "rrdb"]
DENSE, KEPT = 4, 0.2  # convolutions of a dense block before its last; share of a change that is taken
STEPS = {2: (2,), 3: (3,), 4: (2, 2)}
"""By how much each layer enlarges, for each scale."""


def conv3(inputs: int, outputs: int, gain: float = 1.0) -> nn.Conv2d:
    """A 3x3 convolution; blocks start near to nothing, as many are stacked."""
    layer = nn.Conv2d(inputs, outputs, 3, 1, 1)
    nn.init.kaiming_normal_(layer.weight, 0.2)
    nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        layer.weight.mul_(gain)
    return layer


class Residual(nn.Module):
    """Two convolutions beside a way past them; no norm, so that every place is treated alike."""

    reach = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = conv3(channels, channels), conv3(channels, channels, 0.1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """x, and a change to it."""
        return x + self.second(F.leaky_relu(self.first(x), 0.2))


class Dense(nn.Module):
    """Convolutions of which each sees all that came before; a small share of the change is taken."""

    reach = DENSE + 1

    def __init__(self, channels: int) -> None:
        super().__init__()
        grown = max(channels // 2, 1)
        self.parts = nn.ModuleList(conv3(channels + i * grown, grown) for i in range(DENSE))
        self.last = conv3(channels + DENSE * grown, channels, 0.1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """x, and a change to it."""
        seen = x
        for part in self.parts:
            seen = torch.cat([seen, F.leaky_relu(part(seen), 0.2)], 1)
        return x + KEPT * self.last(seen)


class RRDB(nn.Module):
    """Three dense blocks, one after the other, beside a way past them (ESRGAN)."""

    reach = 3 * Dense.reach

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.parts = nn.Sequential(*(Dense(channels) for _ in range(3)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """x, and a change to it."""
        return x + KEPT * self.parts(x)


class Enlarger(nn.Module):
    """A picture, two to four times as large: a bilinear enlargement, and what the network adds to it.

    There is no norm, and nothing looks further than `reach` pixels: parts of a picture can be enlarged one by
    one.

    Args:
        channels: of a picture.
        width: of all layers.
        blocks: how many.
        scale: 2, 3 or 4.
        block: residual, or rrdb for three dense ones inside a residual one.
    """

    def __init__(self, channels: int, width: int, blocks: int, scale: int, block: Block = "residual") -> None:
        super().__init__()
        kind = Residual if block == "residual" else RRDB
        self.scale = scale
        self.first, self.after = conv3(channels, width), conv3(width, width, 0.1)
        self.blocks = nn.Sequential(*(kind(width) for _ in range(blocks)))
        self.ups = nn.ModuleList(conv3(width, width * step**2) for step in STEPS[scale])
        self.steps = STEPS[scale]
        self.last = FullPrecision(conv3(width, channels, 0.1))
        self.reach = 2 + kind.reach * blocks + len(STEPS[scale]) + 1

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c i j"]:
        """The larger picture; what leaves [-1, 1] is clipped only when it is no longer learnt from."""
        seen = self.first(x)
        seen = seen + self.after(self.blocks(seen))
        for up, step in zip(self.ups, self.steps, strict=True):
            seen = F.leaky_relu(F.pixel_shuffle(up(seen), step), 0.2)
        plain = F.interpolate(x.float(), scale_factor=self.scale, mode="bilinear", align_corners=False)
        made = plain + self.last(seen)
        return made if self.training else made.clamp(-1, 1)


class UNetDiscriminator(nn.Module):
    """A logit for every pixel, from what is seen around it and from afar; spectral norms keep it smooth.

    Sides must be multiples of `2**depth`.

    Args:
        channels: of a picture.
        width: at the full size; each next has twice as many.
        depth: how often the size is halved.
    """

    def __init__(self, channels: int, width: int, depth: int = 3) -> None:
        super().__init__()
        sizes = [width * 2**i for i in range(depth + 1)]
        self.first = conv3(channels, width)
        self.downs = nn.ModuleList(SpectralConv(a, b, 4, 2, 1, bias=False) for a, b in pairwise(sizes))
        self.ups = nn.ModuleList(
            SpectralConv(b, a, 3, 1, 1, bias=False) for a, b in reversed(list(pairwise(sizes)))
        )
        self.after = SpectralConv(width, width, 3, 1, 1, bias=False)
        self.last = FullPrecision(conv3(width, 1))

    def maps(self, x: Float[Tensor, "n c h w"]) -> list[Tensor]:
        """What is seen on the way down and back up."""
        found = [F.leaky_relu(self.first(x), 0.2)]
        for down in self.downs:
            found.append(F.leaky_relu(down(found[-1]), 0.2))
        x = found[-1]
        for up, across in zip(self.ups, found[-2::-1], strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = F.leaky_relu(up(x), 0.2) + across
            found.append(x)
        return found

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 h w"]:
        """Logits of pixels."""
        return self.last(F.leaky_relu(self.after(self.maps(x)[-1]), 0.2))
