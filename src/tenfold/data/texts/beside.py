"""What lies beside samples, row by row: what texts are made of, and captions of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from torch import Tensor


class TokenRows:
    """How stored rows of token numbers become tensors."""

    def encode(self, values: Int[np.ndarray, "n length"]) -> Tensor:
        """The same, int64."""
        import torch

        return torch.from_numpy(values.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Sources:
    """What each text is made of.

    Attributes:
        rows: `(n, S)` token numbers, int32.
    """

    rows: Int[np.ndarray, "n length"]

    def __len__(self) -> int:
        return len(self.rows)

    def gather(
        self, index: Int[np.ndarray, " k"], chance: Float[np.ndarray, " k"] | None = None
    ) -> Mapping[str, Tensor]:
        """`source`, `(k, S)`."""
        return {"source": TokenRows().encode(self.rows[index])}

    def take(self, index: Int[np.ndarray, " k"]) -> Sources:
        """Those of some texts."""
        return Sources(self.rows[index])


@dataclass(frozen=True, eq=False)
class Captions:
    """Captions of pictures, one or more of each.

    Attributes:
        rows: `(captions, L)` token numbers, int32, picture after picture.
        starts: number of each picture's first caption, and behind the last how many there are: `(n + 1,)`.

    Example:
        >>> captions = captions_of([np.array([[4], [5]]), np.array([[6]])])
        >>> captions.gather(np.array([1, 0]), np.array([0.9, 0.5]))["condition"].tolist()
        [[6], [5]]
    """

    rows: Int[np.ndarray, "captions length"]
    starts: Int[np.ndarray, " n1"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def gather(
        self, index: Int[np.ndarray, " k"], chance: Float[np.ndarray, " k"] | None = None
    ) -> Mapping[str, Tensor]:
        """`condition`, `(k, L)`: a caption of each picture.

        Args:
            index: numbers of the pictures.
            chance: from 0 to 1, says which of its captions; the first if not given.
        """
        first = self.starts[index]
        if chance is not None:
            first = first + (chance * (self.starts[index + 1] - first)).astype(np.int64)
        return {"condition": TokenRows().encode(self.rows[first])}

    def take(self, index: Int[np.ndarray, " k"]) -> Captions:
        """Those of some pictures."""
        return captions_of([self.of(i) for i in index.tolist()])

    def of(self, i: int) -> Int[np.ndarray, "k length"]:
        """All captions of one picture."""
        return self.rows[self.starts[i] : self.starts[i + 1]]


def captions_of(each: Sequence[Int[np.ndarray, "k length"]]) -> Captions:
    """Captions of the pictures in their order, at least one of each."""
    counts = np.array([len(rows) for rows in each], np.int64)
    return Captions(np.concatenate(each), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
