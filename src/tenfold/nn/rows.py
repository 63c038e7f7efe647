"""How a row of a table lies before networks: scalars first, then the one-hot of every cell (decision 013)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .segments import Segments


@runtime_checkable
class Part(Protocol):
    """What must be known of a cell."""

    @property
    def options(self) -> int:
        """Width of its one-hot."""
        ...

    @property
    def scalar(self) -> bool:
        """Whether a number in [-1, 1] belongs to it."""
        ...

    @property
    def masses(self) -> int:
        """How many options, from the first, have no scalar."""
        ...

    @property
    def centres(self) -> Sequence[float]:
        """Where each option lies on the scale of the column; empty for categories."""
        ...

    @property
    def spreads(self) -> Sequence[float]:
        """By how much a scalar of 1 lies beyond its centre; empty for categories."""
        ...


class RowLayout(nn.Module):
    """Where everything of a row is.

    Args:
        cells: in their order.

    Attributes:
        scalars, options, cells: numbers of each; a row has `scalars + options` entries.
        sizes: options of each cell.
        starts: number of each cell's first option.
        one_hot: which options are one cell's.
        choices: 1 for each cell without a scalar, 0 for the others.
        decided: 1 for each cell of which something is decided: a choice, or a number that may be a mass.
        places: 1 for each option that is a mode, in which a number has its place; 0 for what is decided.
    """

    cell_of: Tensor
    scalar_cells: Tensor
    mode: Tensor
    centres: Tensor
    spreads: Tensor
    choices: Tensor
    decided: Tensor
    places: Tensor

    def __init__(self, cells: Sequence[Part]) -> None:
        super().__init__()
        own = [i for i, cell in enumerate(cells) if cell.scalar]
        sizes = [cell.options for cell in cells]
        self.cells, self.scalars, self.options = len(cells), len(own), sum(sizes)
        self.width, self.sizes = self.scalars + self.options, tuple(sizes)
        self.one_hot = Segments(sizes)
        mode, centres, spreads = (torch.zeros(self.options, self.scalars) for _ in range(3))
        self.starts = tuple(accumulate(sizes, initial=0))[:-1]
        for column, i in enumerate(own):
            cell, start, stop = cells[i], self.starts[i], self.starts[i] + sizes[i]
            mode[start + cell.masses : stop, column] = 1
            centres[start:stop, column] = torch.tensor(list(cell.centres))
            spreads[start:stop, column] = torch.tensor(list(cell.spreads))
        places = torch.tensor(own, dtype=torch.long)
        for name, value in {
            "cell_of": torch.cat([places, self.one_hot.part]),
            "scalar_cells": places,
            "mode": mode,
            "centres": centres,
            "spreads": spreads,
            "choices": torch.tensor([0.0 if cell.scalar else 1.0 for cell in cells]),
            "decided": torch.tensor([0.0 if cell.scalar and not cell.masses else 1.0 for cell in cells]),
            "places": mode.sum(1),
        }.items():
            self.register_buffer(name, value, persistent=False)

    def split(self, rows: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n o"]]:
        """Scalars and options of rows."""
        return rows[:, : self.scalars], rows[:, self.scalars :]

    def on(self, options: Float[Tensor, "n o"]) -> Float[Tensor, "n s"]:
        """Share of each scalar's cell that is in a mode, where the scalar means something."""
        with torch.autocast(options.device.type, enabled=False):
            return options.float() @ self.mode

    def everywhere(self, known: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        """A value of each cell, at every entry of it."""
        return known.index_select(1, self.cell_of)

    def numbers(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "n s"]:
        """The columns' numbers themselves, in standard deviations; of uncertain modes, what is expected."""
        with torch.autocast(rows.device.type, enabled=False):
            scalars, options = self.split(rows.float())
            return options @ self.centres + scalars * (options @ self.spreads)
