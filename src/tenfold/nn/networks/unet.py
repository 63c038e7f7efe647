"""Pix2pix's networks: a U-Net that paints, and a discriminator that judges patches.

References:
    Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2016),
    https://arxiv.org/abs/1611.07004
    U-Net: Convolutional Networks for Biomedical Image Segmentation (Ronneberger et al., 2015),
    https://arxiv.org/abs/1505.04597
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import BatchNorm, FullPrecision, InstanceNorm, ResizedConv
from .dcgan import start_like_dcgan, transposed

Norm = Literal["none", "batch", "instance"]
MOST = 8  # times the width, which no layer exceeds
DROPPED = 2  # innermost layers on the way up that dropout works on


def conv(inputs: int, outputs: int, norm: Norm, *, stride: int = 2) -> nn.Sequential:
    """A 4x4 convolution and its norm, before which a bias does nothing; without stride, a pixel is lost."""
    layer = nn.Conv2d(inputs, outputs, 4, stride, 1, bias=norm == "none")
    return nn.Sequential(layer, *normalised(norm, outputs))


def normalised(norm: Norm, channels: int) -> list[nn.Module]:
    """The layer that normalises, if there is one."""
    match norm:
        case "batch":
            return [BatchNorm(channels)]
        case "instance":
            return [InstanceNorm()]
        case "none":
            return []


class Up(nn.Module):
    """Twice the size: a convolution, its norm, and dropout."""

    def __init__(self, inputs: int, outputs: int, norm: Norm, *, resized: bool, dropout: float) -> None:
        super().__init__()
        doubled, norms = ResizedConv if resized else transposed, normalised(norm, outputs)
        self.conv = doubled(inputs, outputs, bias=not norms)
        self.rest = nn.Sequential(*norms, nn.Dropout(dropout))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k 2*h 2*w"]:
        """The layer."""
        return self.rest(self.conv(F.relu(x)))


class UNet(nn.Module):
    """Halves a picture again and again and doubles it again; what was seen on the way down goes across.

    Sides must be multiples of `2**depth`.

    Args:
        inputs, outputs: channels.
        width: of the first layer; each next has twice as many, up to eight times.
        depth: how often the size is halved.
        dropout: of the two innermost layers on the way up, while training: 8 and 16 pixels.
        resized: whether pixels are repeated and then convolved, and the picture itself goes across, too. The
            paper's transposed convolutions leave a grid of dots.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        *,
        dropout: float = 0.5,
        resized: bool = True,
    ) -> None:
        super().__init__()
        sizes = [width * min(2**i, MOST) for i in range(depth)]
        below, finest = [inputs, *sizes], max(1, width // 2)
        plain: list[Norm] = ["none" if i in (0, depth - 1) else "batch" for i in range(depth)]
        self.downs = nn.ModuleList(conv(a, b, each) for a, b, each in zip(below, sizes, plain, strict=False))
        ups = [
            Up(
                sizes[i] * (1 if i == depth - 1 else 2),
                sizes[i - 1] if i else finest,
                "batch",
                resized=resized,
                dropout=dropout * (i >= max(1, depth - DROPPED)),
            )
            for i in reversed(range(1 if not resized else 0, depth))
        ]
        self.ups = nn.ModuleList(ups)
        whole = finest + inputs if resized else sizes[0] * (2 if depth > 1 else 1)
        last = nn.Conv2d(whole, outputs, 3, 1, 1) if resized else transposed(whole, outputs)
        self.last = FullPrecision(last)
        self.stride, self.resized = 2**depth, resized
        start_like_dcgan(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """A picture in [-1, 1]."""
        given, across = x, []
        for i, down in enumerate(self.downs):
            x = down(F.leaky_relu(x, 0.2) if i else x)
            across.append(x)
        across.pop()
        for up in self.ups:
            x = up(x)
            x = torch.cat([x, across.pop()], 1) if across else x
        x = F.relu(x)
        return torch.tanh(self.last(torch.cat([x, given], 1) if self.resized else x))


def patch_layers(shape: Sequence[int]) -> int:
    """How often a discriminator of patches halves pictures of a shape, (channels, height, width)."""
    return min(3, max(1, min(shape[1:]).bit_length() - 3))  # until 4 to 7 pixels of the shorter side are left


class PatchDiscriminator(nn.Module):
    """Judges every patch of a picture: a logit for each place.

    A picture that is too small for the layers is taken to go on with zeros, as at any border.

    Args:
        inputs: channels, of all that it is shown.
        width: of the first layer; each next has twice as many, up to eight times.
        layers: how often the size is halved; with 3, a patch is 70 pixels wide.
        norm: of all layers but the first and the last.
    """

    def __init__(self, inputs: int, width: int, layers: int = 3, *, norm: Norm = "batch") -> None:
        super().__init__()
        sizes = [width * min(2**i, MOST) for i in range(layers + 1)]
        parts = [conv(inputs, sizes[0], "none")]
        parts += [conv(sizes[i - 1], sizes[i], norm) for i in range(1, layers)]
        parts += [conv(sizes[layers - 1], sizes[layers], norm, stride=1)]
        self.parts = nn.ModuleList(parts)
        self.head = FullPrecision(conv(sizes[layers], 1, "none", stride=1))
        self.least = 3 * 2**layers  # of a side: the last two layers take a pixel each
        start_like_dcgan(self)

    def maps(self, x: Float[Tensor, "n c h w"]) -> list[Tensor]:
        """What each layer sees, the finest first."""
        found: list[Tensor] = []
        down, across = (max(self.least - side, 0) for side in x.shape[2:])
        x = F.pad(x, (0, across, 0, down)) if down or across else x
        for part in self.parts:
            x = F.leaky_relu(part(x), 0.2)
            found.append(x)
        return found

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 a b"]:
        """Logits of patches."""
        return self.head(self.maps(x)[-1])
