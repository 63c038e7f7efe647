"""Opened data: what is trained on, and what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .codec import Codec
from .spec import DataSpec

if TYPE_CHECKING:
    from jaxtyping import Float, Int, Shaped
    from torch import Tensor

    from .order import Samples
    from .series.codec import SeriesCodec
    from .table.cells import TableCodec
    from .texts.codec import TextCodec


def digest(row: np.ndarray) -> bytes:
    """The same for the same values."""
    return blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


class Encodes(Protocol):
    """What makes tensors of stored values."""

    def encode(self, values: np.ndarray, /) -> Tensor:
        """A row for each."""
        ...


class Beside(Protocol):
    """What a batch carries beside its samples, row by row: what they are made of, or words."""

    def gather(
        self, index: Int[np.ndarray, " k"], chance: Float[np.ndarray, " k"] | None = None
    ) -> Mapping[str, Tensor]:
        """What belongs to some samples; where there is more than one for each, `chance` says which."""
        ...

    def take(self, index: Int[np.ndarray, " k"]) -> Beside:
        """The same of some samples only."""
        ...


@dataclass(frozen=True, eq=False)
class Split:
    """Samples on one side: stored values, usually mapped from a file, and their labels.

    Attributes:
        values: `(n, C, H, W)`, `(n, features)` or `(n, tokens)`, as stored; read-only.
        labels: number of each sample's class, int64; None without labels.
        names: what each sample is called in messages.
        codec: how the values become tensors.
        groups: what must stay together, if a group was asked for.
        beside: what a batch carries beside them: of texts what they are made of, of pictures captions.
    """

    values: Shaped[np.ndarray, "n ..."]
    labels: Int[np.ndarray, " n"] | None
    names: Sequence[str]
    codec: Encodes
    groups: Sequence[str] | None = None
    beside: Beside | None = None

    def __len__(self) -> int:
        return len(self.values)

    def gather(
        self, index: Int[np.ndarray, " k"], chance: Float[np.ndarray, " k"] | None = None
    ) -> dict[str, Tensor]:
        """A batch: `real` and, with labels, `condition`; captions are conditions instead, sources beside.

        Args:
            index: numbers of the samples.
            chance: of each, which of several captions it has; the first if not given.
        """
        import torch

        batch = {"real": self.codec.encode(self.values[index])}
        if self.labels is not None:
            batch["condition"] = torch.from_numpy(self.labels[index])
        return batch if self.beside is None else {**batch, **self.beside.gather(index, chance)}

    def take(self, index: Int[np.ndarray, " k"]) -> Split:
        """Some of the samples, with all that belongs to them."""
        rows = index.tolist()
        return replace(
            self,
            values=self.values[index],
            labels=None if self.labels is None else self.labels[index],
            names=tuple(self.names[i] for i in rows),
            groups=None if self.groups is None else tuple(self.groups[i] for i in rows),
            beside=None if self.beside is None else self.beside.take(index),
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Opened data.

    Attributes:
        source: where they came from.
        spec: what a recipe may know of them.
        codec: how values become tensors and samples become files.
        train: what is trained on.
        holdout: what is never trained on; None if there are too few samples to keep any back.
        fingerprint: changes when a file's name, size or time of change, a label or an option does.
        notes: everything that was decided or changed, a sentence each.
        unlabelled: what is trained on, too, but has no labels; None if there is nothing.
        unlabelled_fingerprint: changes when that does.
        guesses: class number of each of these that is taken for known, -1 for the others; None without.
        sides: names of what is translated, and of what it is translated into.
        given: what is translated into these; of pairs, row by row. None if nothing is.
        left_out: names of images that cannot be read.
        sizes: height and width in pixels of each file of the training side, then of the hold-out.
        table: how frames become values and samples frames again; None of what is no table.
        series: how series become rows and samples series again; None of what are none.
        texts: how texts, or captions of pictures, become rows and samples texts again; None where are none.
    """

    source: str
    spec: DataSpec
    codec: Codec
    train: Split
    holdout: Split | None
    fingerprint: str
    notes: tuple[str, ...]
    unlabelled: Samples | None = None
    unlabelled_fingerprint: str = ""
    guesses: Int[np.ndarray, " n"] | None = None
    given: Dataset | None = None
    sides: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    table: TableCodec | None = None
    series: SeriesCodec | None = None
    texts: TextCodec | None = None
