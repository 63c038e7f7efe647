"""CycleGAN's and CUT's generator, and what CUT compares patches with.

References:
    Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al., 2017),
    https://arxiv.org/abs/1703.10593
    Contrastive Learning for Unpaired Image-to-Image Translation (Park et al., 2020),
    https://arxiv.org/abs/2007.15651
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import FullPrecision, InstanceNorm, Mirrored, ResizedConv
from .dcgan import start_like_dcgan

HALVINGS = 2


def reflected(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = False
) -> nn.Sequential:
    """A convolution of a picture that goes on mirrored beyond its border; a norm undoes a bias."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, bias=bias)
    return nn.Sequential(Mirrored(kernel // 2), layer)


class ResidualBlock(nn.Module):
    """Two convolutions beside a way past them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (reflected(channels, channels, 3) for _ in range(2))
        self.norm = InstanceNorm()

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """x, and a change to it."""
        return x + self.norm(self.second(F.relu(self.norm(self.first(x)))))


class Wider(nn.Module):
    """Twice the size and half the channels."""

    def __init__(self, inputs: int, outputs: int, *, resized: bool) -> None:
        super().__init__()
        self.conv: nn.Module
        if resized:
            self.conv = ResizedConv(inputs, outputs, bias=False)
        else:
            self.conv = nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1, bias=False)
        self.norm = InstanceNorm()

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k 2*h 2*w"]:
        """The layer."""
        return F.relu(self.norm(self.conv(x)))


class TranslatorNetwork(nn.Module):
    """A quarter of the size, residual blocks, and back; sides must be multiples of 4, and at least 8.

    Args:
        inputs, outputs: channels.
        width: at the full size; four times as many at a quarter.
        blocks: residual blocks.
        resized: whether pixels are repeated and then convolved on the way back, and the last layer is 3x3;
            the papers' transposed convolutions leave a grid of dots, and their 7x7 is slow in float32.
    """

    stride = 2**HALVINGS
    least = 2 * stride  # what is a pixel wide has no mirror image, and no variance

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, *, resized: bool = True) -> None:
        super().__init__()
        sizes = [width * 2**i for i in range(HALVINGS + 1)]
        self.first = reflected(inputs, width, 7)
        self.downs = nn.ModuleList(reflected(a, b, 3, 2) for a, b in pairwise(sizes))
        self.norm = InstanceNorm()
        self.blocks = nn.ModuleList(ResidualBlock(sizes[-1]) for _ in range(blocks))
        self.ups = nn.ModuleList(Wider(b, a, resized=resized) for a, b in reversed(list(pairwise(sizes))))
        self.last = FullPrecision(reflected(width, outputs, 3 if resized else 7, bias=True))
        self.map_widths = (inputs, sizes[1], sizes[2], sizes[2], sizes[2])
        start_like_dcgan(self)

    def maps(self, x: Float[Tensor, "n c h w"]) -> list[Tensor]:
        """What is seen on the way: the picture, both smaller sizes, the first block and the middle one."""
        found = [x]
        x = F.relu(self.norm(self.first(x)))
        for down in self.downs:
            x = F.relu(self.norm(down(x)))
            found.append(x)
        for block in list(self.blocks)[: len(self.blocks) // 2 + 1]:
            x = block(x)
            found.append(x)
        return [*found[: HALVINGS + 2], found[-1]]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """A picture in [-1, 1]."""
        return self.finish(self.maps(x)[-1])

    def finish(self, x: Float[Tensor, "n d i j"]) -> Float[Tensor, "n k h w"]:
        """The picture of what the first half saw last."""
        for block in list(self.blocks)[len(self.blocks) // 2 + 1 :]:
            x = block(x)
        for up in self.ups:
            x = up(x)
        return torch.tanh(self.last(x))


class PatchHeads(nn.Module):
    """Describes places of maps by vectors of length one.

    Args:
        widths: channels of the maps.
        size: of the vectors.
    """

    def __init__(self, widths: Sequence[int], size: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size)) for width in widths
        )

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Float[Tensor, "n _ size"]]:
        """Vectors of each map's places, `(n, places)` numbers that count along its rows."""
        found: list[Tensor] = []
        for head, seen, place in zip(self.heads, maps, places, strict=True):
            rows = seen.flatten(2).mT
            chosen = rows.gather(1, place[..., None].expand(-1, -1, rows.shape[2]))
            found.append(F.normalize(head(chosen).float(), dim=-1))
        return found
