"""The order of batches of pictures with captions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...draw import derive
from ..order import Shuffled

if TYPE_CHECKING:
    from torch import Tensor

    from ..dataset import Split


class CaptionedBatches:
    """Batches of pictures, each with one of its captions, drawn anew for every batch.

    Args:
        data: pictures with captions.
        size: samples per batch.
        seed: of the order, and of which caption is drawn.
    """

    def __init__(self, data: Split, size: int, seed: int = 0) -> None:
        self.data, self.size, self.seed = data, size, seed
        self.order = Shuffled(data, size, seed)

    def __call__(self, index: int, rows: slice) -> Mapping[str, Tensor]:
        """Some rows of batch `index`."""
        chosen = self.order.shuffled(index)[rows]
        chance = np.random.default_rng(derive(self.seed, "captions", index)).random(self.size)[rows]
        return self.data.gather(chosen, chance)
