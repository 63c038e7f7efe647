"""Differentiable augmentation of everything the discriminator sees.

References:
    Differentiable Augmentation for Data-Efficient GAN Training (Zhao et al., 2020),
    https://arxiv.org/abs/2006.10738
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..draw import Draw

CHANGES = ("brightness", "contrast", "saturation", "shift", "cutout")

Images = Float[Tensor, "n c h w"]


@dataclass(frozen=True)
class DiffAugment:
    """Random colour, shift and cutout, for any number of channels; gradients flow through.

    Applied to real and generated pictures alike, in both players' turns, so it does not leak into samples.

    Attributes:
        colour: brightness by up to 0.5 either way, saturation times 0 to 2, contrast times 0.5 to 1.5.
        shift: largest translation, as a share of a side; what moves in is zero.
        cutout: side of a square that is set to zero, as a share of the picture's.
    """

    colour: bool = True
    shift: float = 0.125
    cutout: float = 0.5

    def strongest(self) -> DiffAugment:
        """It is always as strong."""
        return self

    def __call__(self, x: Images, draw: Draw) -> Images:
        """Each picture, changed in its own way."""
        if self.colour:
            x = recolour(x, draw)
        if self.shift:
            x = translate(x, draw, self.shift)
        return cut_out(x, draw, self.cutout) if self.cutout else x


def recolour(x: Images, draw: Draw) -> Images:
    """Brightness, then saturation about the pixel's mean, then contrast about the picture's.

    Of two or four channels the last is opacity, and stays.
    """
    brightness, saturation, contrast = draw.uniform(3, 1, 1, 1).unbind(1)
    colours = x.shape[1] - (x.shape[1] in (2, 4))
    x, opacity = x[:, :colours] + (brightness - 0.5), x[:, colours:]
    if colours > 1:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (2 * saturation)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (contrast + 0.5)
    return torch.cat([x, opacity], 1) if opacity.shape[1] else x


def translate(x: Images, draw: Draw, share: float) -> Images:
    """Shifts by whole pixels, up to a share of the side, filled with zeros."""
    shifts = [shift_of(side, draw, share) for side in x.shape[2:]]
    for dim, shift in zip((2, 3), shifts, strict=True):
        x = shift_along(x, dim, shift)
    return x


def shift_of(side: int, draw: Draw, share: float) -> Tensor:
    """Whole pixels from -share * side to +share * side, at least one either way."""
    most = max(int(side * share + 0.5), 1)
    return draw.integers(2 * most + 1) - most


def shift_along(x: Images, dim: int, shift: Tensor) -> Images:
    """Row or column i becomes the one `shift` before it, or zero where there is none."""
    side = x.shape[dim]
    source = torch.arange(side, device=x.device) - shift[:, None]
    inside = (source >= 0) & (source < side)
    shape = (len(x), 1, side, 1) if dim == 2 else (len(x), 1, 1, side)
    index = source.clamp(0, side - 1).view(shape).expand_as(x)
    return x.gather(dim, index) * inside.view(shape)


def cut_out(x: Images, draw: Draw, share: float) -> Images:
    """Sets a square to zero whose centre may be anywhere, also at the border."""
    n, _, *sides = x.shape
    inside = []
    for dim, side in enumerate(sides):
        size = max(int(side * share + 0.5), 1)
        start = draw.integers(side + 1 - size % 2) - size // 2
        position = torch.arange(side, device=x.device)
        shape = (n, 1, side, 1) if dim == 0 else (n, 1, 1, side)
        inside.append(((position >= start[:, None]) & (position < start[:, None] + size)).view(shape))
    return x * ~(inside[0] & inside[1])
