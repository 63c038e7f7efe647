"""The same change to both pictures of a pair: a little data then lasts longer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ..draw import Draw

Pictures = Float[Tensor, "n c h w"]


@dataclass(frozen=True)
class Jointly:
    """Shifts, mirrored at the border, and flips; both sides of a pair are moved alike.

    Attributes:
        shift: by at most this share of each side, either way.
        flip: whether half of the pairs are mirrored left to right.
    """

    shift: float = 0.1
    flip: bool = False

    def __call__(self, source: Pictures, real: Pictures, draw: Draw) -> tuple[Tensor, Tensor]:
        """Both sides; where one is larger by a whole number, it moves by as much more."""
        small = min(source, real, key=lambda x: x.shape[2])
        far = [int(self.shift * side) for side in small.shape[2:]]
        moves = [draw.integers(2 * most + 1) for most in far]
        mirrored = draw.uniform() < 0.5 if self.flip else None
        found = [self.moved(x, moves, far, x.shape[2] // small.shape[2], mirrored) for x in (source, real)]
        return found[0], found[1]

    def moved(
        self, x: Pictures, moves: list[Tensor], far: list[int], scale: int, mirrored: Tensor | None
    ) -> Tensor:
        """One side: a window of the picture and what lies mirrored around it."""
        height, width = x.shape[2:]
        if mirrored is not None:
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        if not any(far):
            return x
        down, across = (most * scale for most in far)
        around = F.pad(x, (across, across, down, down), mode="reflect")
        rows = moves[0][:, None] * scale + torch.arange(height, device=x.device)
        columns = moves[1][:, None] * scale + torch.arange(width, device=x.device)
        one = torch.arange(len(x), device=x.device)[:, None, None]
        return around.permute(0, 2, 3, 1)[one, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
