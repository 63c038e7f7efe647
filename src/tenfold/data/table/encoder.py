"""Stored values of a table to rows as networks see them, all columns at once (decision 013)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...draw import Draw
from .codes import REACH, Code

TINY = torch.finfo(torch.float32).tiny


class RowEncoder:
    """Rows of stored values; nothing loops over columns, so that many cost no more calls than few.

    With randomness, a value that is a multiple of a step is moved by up to half of it, and its mode is drawn
    by what each mode has of it: a critic then has no grid to look for. Without, its likeliest mode is taken.

    Args:
        codes: of the columns, in the order of the cells.
    """

    def __init__(self, codes: Sequence[Code]) -> None:
        numbers = [(i, code.number) for i, code in enumerate(codes) if code.number is not None]
        self.columns = torch.tensor([i for i, _ in numbers], dtype=torch.long)
        sizes = torch.tensor([code.cell.options for code in codes], dtype=torch.long)
        self.starts, self.options = sizes.cumsum(0) - sizes, int(sizes.sum())
        own = [code for _, code in numbers]
        self.scalars = torch.tensor([code.modes is not None for code in own], dtype=torch.bool)
        self.missing = torch.tensor([code.missing for code in own], dtype=torch.long)
        self.fixed = torch.tensor([code.fixed for code in own], dtype=torch.long)
        self.last = torch.tensor([code.cell.options - 1 for code in own], dtype=torch.long)
        self.step = torch.tensor([code.step for code in own], dtype=torch.float64)
        self.log = torch.tensor([code.log is not None for code in own], dtype=torch.bool)
        ends = [code.log or (0.0, 1.0) for code in own]
        self.origin, self.unit = torch.tensor(ends, dtype=torch.float64).reshape(len(ends), 2).unbind(1)
        self.masses = padded([code.masses for code in own], torch.nan)
        modes = [code.modes for code in own]
        self.means = padded([() if m is None else m.means for m in modes], 0.0)
        self.stds = padded([() if m is None else m.stds for m in modes], 1.0)
        weights = padded([() if m is None else m.weights for m in modes], 0.0)
        self.height = weights.log() - self.stds.log()

    def __call__(self, values: Float[np.ndarray, "n c"], draw: Draw | None = None) -> Float[Tensor, "n d"]:
        """Rows, float32: scalars, then options."""
        stored = torch.from_numpy(np.ascontiguousarray(values, np.float64))
        option, scalars = stored.clone(), stored.new_zeros(len(stored), int(self.scalars.sum()))
        if len(self.columns):
            local, places = self.numbers(stored[:, self.columns], draw)
            option[:, self.columns] = local.double()
            scalars = places[:, self.scalars]
        one_hot = torch.zeros(len(stored), self.options)
        one_hot.scatter_(1, option.long() + self.starts, 1.0)
        return torch.cat([scalars.float(), one_hot], 1)

    def numbers(self, x: Float[Tensor, "n s"], draw: Draw | None) -> tuple[Tensor, Tensor]:
        """Number of each value's option within its cell, and its scalar."""
        missing, mass = x.isnan(), x[:, :, None] == self.masses
        moved = x.nan_to_num()
        if draw is not None:
            moved = moved + (draw.uniform(x.shape[1]).double() - 0.5) * self.step
        y = torch.where(self.log, ((moved - self.origin) / self.unit).clamp_min(-0.999).log1p(), moved)
        away = (y[:, :, None] - self.means) / self.stds
        score = self.height - away.square() / 2
        if draw is not None:
            score = score - draw.uniform(*score.shape[1:]).clamp_min(TINY).log().neg().clamp_min(TINY).log()
        mode = score.argmax(2)
        scalar = (away.gather(2, mode[:, :, None]).squeeze(2) / REACH).clamp(-1, 1)
        held = mass.any(2)
        option = torch.where(held, self.missing + mass.byte().argmax(2), self.fixed + mode)
        option = torch.where(missing, 0, option).minimum(self.last)  # of a value that no training row has
        return option, scalar.masked_fill(missing | held, 0.0)


def padded(rows: Sequence[Sequence[float]], fill: float) -> Float[Tensor, "s k"]:
    """Rows of different lengths as one matrix; at least one column."""
    longest = max((len(row) for row in rows), default=0)
    whole = [[*row, *[fill] * (max(longest, 1) - len(row))] for row in rows]
    return torch.tensor(whole, dtype=torch.float64).reshape(len(rows), max(longest, 1))


def decoded(codes: Sequence[Code], rows: Float[Tensor, "n d"]) -> Float[np.ndarray, "n c"]:
    """Stored values of rows."""
    cells = [code.cell for code in codes]
    numbers = rows.detach().cpu().double().numpy()
    scalar, start = 0, sum(cell.scalar for cell in cells)
    values = np.empty((len(numbers), len(codes)))
    for i, (code, cell) in enumerate(zip(codes, cells, strict=True)):
        option = numbers[:, start : start + cell.options].argmax(1)
        values[:, i] = code.decoded(option, numbers[:, scalar] if cell.scalar else np.zeros(len(numbers)))
        start, scalar = start + cell.options, scalar + cell.scalar
    return values
