"""Batches of rows of which some cells are known: training by sampling (decision 013)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...draw import Draw, derive
from ...errors import DataError
from ..spec import Cell
from .encoder import RowEncoder


@dataclass(frozen=True)
class Knowing:
    """How much of a row is known before.

    Attributes:
        free: share of rows of which nothing is.
        more: share of the others of which any number of cells is, but for one; how many is drawn evenly.
        categories_only: whether the first cell that is known is always a category; without one, nothing is.
    """

    free: float = 0.25
    more: float = 0.5
    categories_only: bool = False


class KnownCells:
    """Rows, and what is known of them.

    The first cell that is known is drawn evenly, of all or of those that are categories; if it is a category,
    which one by the logarithm of how often it occurs, and then the row evenly among those that have it. So
    the rare is learnt, too, and what follows from what is known stays as the rows have it.

    Args:
        values: stored values `(n, c)`.
        cells: of the columns.
        encoder: makes rows of stored values.
        size: rows in a batch.
        seed: of their order.
        knowing: how much is known.

    References:
        Modeling Tabular Data using Conditional GAN (Xu et al., 2019), section 4.3,
        https://arxiv.org/abs/1907.00503
    """

    def __init__(
        self,
        values: Float[np.ndarray, "n c"],
        cells: Sequence[Cell],
        encoder: RowEncoder,
        size: int,
        seed: int = 0,
        knowing: Knowing = Knowing(),
    ) -> None:
        if size > len(values):
            raise DataError(
                f"a batch of {size} is larger than the data, which have {len(values)} rows. Pass a smaller "
                "--batch."
            )
        self.values, self.encoder, self.size, self.seed, self.knowing = values, encoder, size, seed, knowing
        self.count = len(cells)
        scalars = [i for i, cell in enumerate(cells) if cell.scalar]
        options = np.repeat(np.arange(self.count), [cell.options for cell in cells])
        self.cell_of = torch.from_numpy(np.concatenate([np.array(scalars, np.int64), options]))
        self.categories = np.array([not cell.centres and cell.options > 1 for cell in cells])
        self.free, self.first = knowing.free, np.arange(self.count)
        if knowing.categories_only:
            own = np.flatnonzero(self.categories)
            self.free, self.first = (knowing.free, own) if len(own) else (1.0, self.first)
        self.index = ByCategory(values, cells, self.categories)

    def __call__(self, index: int, rows: slice) -> dict[str, Tensor]:
        """Some rows of a batch, as `real`; and `condition`: the cells that are known, and which they are."""
        chosen, known = self.draw(np.random.default_rng(derive(self.seed, "known", index)))
        draw = Draw(derive(self.seed, "modes", index), rows, self.size)
        real = self.encoder(self.values[chosen[rows]], draw)
        mask = torch.from_numpy(known[rows]).float()
        return {"real": real, "condition": torch.cat([real * mask[:, self.cell_of], mask], 1)}

    def draw(self, random: np.random.Generator) -> tuple[Int[np.ndarray, " b"], Bool[np.ndarray, "b c"]]:
        """Numbers of a batch's rows, and which of their cells are known."""
        chosen = random.integers(len(self.values), size=self.size)
        told = random.random(self.size) >= self.free
        first = self.first[random.integers(len(self.first), size=self.size)]
        chance = random.random((2, self.size))
        by_category = told & self.categories[first]
        chosen[by_category] = self.index.rows(first[by_category], chance[:, by_category])
        known = np.zeros((self.size, self.count), bool)
        known[told, first[told]] = True
        more = told & (random.random(self.size) < self.knowing.more)
        count = np.where(more, random.integers(max(self.count - 1, 1), size=self.size), 0)  # beside the first
        order = random.random(known.shape)
        order[known] = -1.0
        last = np.take_along_axis(np.sort(order, axis=1), count[:, None], 1)
        return chosen, known | (more[:, None] & (order <= last))


class ByCategory:
    """The rows of every category of every column, to draw from without a loop.

    Args:
        values: stored values.
        cells: of the columns.
        categories: which of them are categories.
    """

    def __init__(self, values: np.ndarray, cells: Sequence[Cell], categories: Bool[np.ndarray, " c"]) -> None:
        self.place = np.cumsum(categories) - 1  # of a column among those of categories
        own = np.flatnonzero(categories).tolist()
        self.order = np.empty((len(own), len(values)), np.int32)
        starts, counts, ends = [], [], []
        for place, column in enumerate(own):
            labels = values[:, column].astype(np.int64)
            times = np.bincount(labels, minlength=cells[column].options)
            self.order[place] = np.argsort(labels, kind="stable")
            weights = np.cumsum(np.log1p(times))
            starts.append(np.cumsum(times) - times + place * len(values))
            counts.append(times)
            ends.append(place + weights / weights[-1])
        empty = np.zeros(0, np.int64)
        self.starts, self.counts = np.concatenate([empty, *starts]), np.concatenate([empty, *counts])
        self.ends = np.concatenate([empty.astype(float), *ends])

    def rows(self, column: Int[np.ndarray, " k"], chance: Float[np.ndarray, "2 k"]) -> Int[np.ndarray, " k"]:
        """A row for each column: its category by the first chance, then evenly by the second."""
        if not len(column):
            return np.zeros(0, np.int64)
        option = np.searchsorted(self.ends, self.place[column] + chance[0], side="right")
        option = np.minimum(option, len(self.ends) - 1)
        within = (chance[1] * self.counts[option]).astype(np.int64)
        return self.order.reshape(-1)[self.starts[option] + within].astype(np.int64)
