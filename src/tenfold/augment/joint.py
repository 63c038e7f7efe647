"""The same change to both pictures of a pair: a little data then lasts longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..draw import Draw

Pictures = Float[Tensor, "n c h w"]
Others = Float[Tensor, "n d i j"]
"""As many, of any other channels and size."""


@dataclass(frozen=True)
class Jointly:
    """Shifts, mirrored at the border, and flips; both sides of a pair are moved alike.

    Attributes:
        shift: by at most this share of each side, either way.
        flip: whether half of the pairs are mirrored left to right.
    """

    shift: float = 0.1
    flip: bool = False

    def __call__(self, source: Pictures, real: Others, draw: Draw) -> tuple[Tensor, Tensor]:
        """Both sides; where one is larger by a whole number, it moves by as much more."""
        small = min(source, real, key=lambda x: x.shape[2])
        far = [int(self.shift * side) for side in small.shape[2:]]
        steps = [draw.integers(2 * most + 1) - most for most in far]
        if self.flip:
            mirrored = (draw.uniform() < 0.5)[:, None, None, None]
            source, real = (torch.where(mirrored, x.flip(3), x) for x in (source, real))
        if not any(far):
            return source, real
        found = [moved(x, [x.shape[2] // small.shape[2] * step for step in steps]) for x in (source, real)]
        return found[0], found[1]


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
