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
Sides = Float[Tensor, "n _ _ _"]
"""As many, of any channels and size."""


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

    def __call__(self, draw: Draw, *sides: Sides) -> list[Tensor]:
        """A picture's sides; where one is larger by a whole number, it moves by as much more."""
        small = min(sides, key=lambda x: x.shape[2])
        far, found = [int(self.shift * side) for side in small.shape[2:]], list(sides)
        if self.flip:
            mirrored = (draw.uniform() < 0.5)[:, None, None, None]
            found = [torch.where(mirrored, x.flip(3), x) for x in found]
        if self.zoom:
            parts = torch.exp(log1p(self.zoom) * (2 * draw.uniform(2) - 1) * (draw.uniform(1) < 0.5))
            found = [zoomed(x, parts) for x in found]
        if not any(far):
            return found
        steps = [draw.integers(2 * most + 1) - most for most in far]
        return [moved(x, [x.shape[2] // small.shape[2] * step for step in steps]) for x in found]


STILL = Jointly()
"""Nothing is moved."""


def zoomed(x: Pictures, parts: Float[Tensor, "n 2"]) -> Pictures:
    """Of each picture, and what lies mirrored around it, a part around its centre, brought to its size.

    Args:
        x: the pictures.
        parts: sides of the part, across and down, as shares of the picture's; 1 and 1 leave it as it is.
    """
    with torch.autocast(x.device.type, enabled=False):  # places that are rounded would make lines tremble
        grid = F.affine_grid(F.pad(torch.diag_embed(parts), (0, 1)), list(x.shape), align_corners=False)
        seen = F.grid_sample(x.float(), grid, padding_mode="reflection", align_corners=False)
    return torch.where((parts == 1).all(1)[:, None, None, None], x, seen.to(x.dtype))


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
