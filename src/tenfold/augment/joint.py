"""The same change to both pictures of a pair: a little data then lasts longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from ..draw import Draw

Pictures = Float[Tensor, "n c h w"]
Others = Float[Tensor, "n d i j"]
"""As many, of any other channels and size."""


@dataclass(frozen=True)
class Jointly:
    """Shifts and zooms, mirrored at the border, and flips; both sides of a pair are moved alike.

    Attributes:
        shift: by at most this share of each side, either way.
        flip: whether half of the pairs are mirrored left to right.
        zoom: half of the pairs are made larger or smaller, by at most this share, each side on its own. The
            other half stay sharp.
    """

    shift: float = 0.0
    flip: bool = False
    zoom: float = 0.0

    def __call__(self, source: Pictures, real: Others, draw: Draw) -> tuple[Tensor, Tensor]:
        """Both sides; where one is larger by a whole number, it moves by as much more."""
        small = min(source, real, key=lambda x: x.shape[2])
        far = [int(self.shift * side) for side in small.shape[2:]]
        if self.flip:
            mirrored = (draw.uniform() < 0.5)[:, None, None, None]
            source, real = (torch.where(mirrored, x.flip(3), x) for x in (source, real))
        if self.zoom:
            sides = torch.exp(log1p(self.zoom) * (2 * draw.uniform(2) - 1) * (draw.uniform(1) < 0.5))
            source, real = zoomed(source, sides), zoomed(real, sides)
        if not any(far):
            return source, real
        steps = [draw.integers(2 * most + 1) - most for most in far]
        found = [moved(x, [x.shape[2] // small.shape[2] * step for step in steps]) for x in (source, real)]
        return found[0], found[1]


STILL = Jointly()
"""Nothing is moved."""


def zoomed(x: Pictures, sides: Float[Tensor, "n 2"]) -> Pictures:
    """Of each picture, and what lies mirrored around it, a part around its centre, brought to its size.

    Args:
        x: the pictures.
        sides: of the part, across and down, as shares of the picture's; those of 1 leave it as it is.
    """
    parts = F.pad(torch.diag_embed(sides), (0, 1))
    grid = F.affine_grid(parts, list(x.shape), align_corners=False)
    seen = F.grid_sample(x.float(), grid, padding_mode="reflection", align_corners=False)
    return torch.where((sides == 1).all(1)[:, None, None, None], x, seen.to(x.dtype))


def moved(x: Pictures, steps: Sequence[Tensor]) -> Pictures:
    """Of each picture, and what lies mirrored around it, a window: so many rows and columns further on."""
    rows, columns = (mirrored_at_ends(step, side) for step, side in zip(steps, x.shape[2:], strict=True))
    one = torch.arange(len(x), device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[one, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def mirrored_at_ends(first: Int[Tensor, " n"], side: int) -> Int[Tensor, "n side"]:
    """Places of a row from a first one on, where the row goes on mirrored; its ends, too, come twice.

    So it does not matter whether a picture is enlarged before or after it is moved.
    """
    place = torch.arange(side, device=first.device) + first[:, None]
    place = torch.where(place < 0, -1 - place, place)
    return torch.where(place < side, place, 2 * side - 1 - place)
