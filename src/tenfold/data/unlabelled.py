"""Samples without labels, beside those that have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..draw import derive
from ..errors import DataError
from .codec import Codec
from .dataset import Dataset, digest
from .images import open_data
from .options import DEFAULTS, LoadOptions
from .order import Samples, Shuffled
from .sources import find

if TYPE_CHECKING:
    from torch import Tensor

LABELLED = 0.5  # of a batch, at least, have a label, guessed or not, where a sampler is asked for classes


def with_unlabelled(dataset: Dataset, source: str, *, skip_bad: bool = False) -> Dataset:
    """The same data, and samples of another source beside them, whose labels are forgotten if it has any.

    What is held out to judge by is left out, where it is among them.

    Raises:
        DataError: they have another size, other channels or another type, or too few are left.
    """
    codec = dataset.codec
    size = max(codec.height, codec.width) if codec.kind == "images" else None
    other = open_data(source, LoadOptions(size=size, skip_bad=skip_bad))
    found, expected = (other.codec.shape, other.codec.dtype), (codec.shape, codec.dtype)
    if found != expected:
        raise DataError(
            f"{source} holds samples of shape {found[0]} and type {found[1]}; {expected[0]} and "
            f"{expected[1]} were expected, as in {dataset.source}. Convert them, or crop them to the same "
            "proportions."
        )
    sides = [other.train]
    if other.holdout is not None and find(source, DEFAULTS).carve:  # nothing is to be judged by these
        sides.append(other.holdout)
    judges = set() if dataset.holdout is None else {digest(row) for row in dataset.holdout.values}
    more = Joined([side.values for side in sides], codec, judges)
    if len(more) < 2:
        raise DataError(
            f"{source} has {len(more)} samples that are not held out of {dataset.source} to judge by; at "
            "least 2 were expected. Leave --unlabelled out, or add some."
        )
    notes = [f"{len(more)} samples without labels, from {source}, are learnt from, too"]
    if more.left_out:
        notes.append(f"{more.left_out} samples of {source} are held out to judge by, and are not learnt from")
    return replace(
        dataset,
        unlabelled=more,
        unlabelled_fingerprint=other.fingerprint,
        notes=(*dataset.notes, *notes),
    )


class Joined:
    """Rows of several arrays, one after the other, without labels and without some; nothing is copied.

    Args:
        parts: stored values `(n, ...)`.
        codec: how they become tensors.
        without: digests of rows that are left out.
    """

    labels = None

    def __init__(self, parts: Sequence[np.ndarray], codec: Codec, without: Collection[bytes] = ()) -> None:
        self.parts, self.codec = parts, codec
        kept = [np.array([digest(row) not in without for row in part], bool) for part in parts]
        places = [(number, i) for number, rows in enumerate(kept) for i in np.flatnonzero(rows)]
        self.places = np.array(places, np.int64).reshape(-1, 2)
        self.left_out = sum(map(len, parts)) - len(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def gather(self, index: np.ndarray) -> Mapping[str, Tensor]:
        """A batch: `real` in [-1, 1]."""
        number, row = self.places[index].T
        values = np.empty((len(index), *self.parts[0].shape[1:]), self.parts[0].dtype)
        for i, part in enumerate(self.parts):
            values[number == i] = part[row[number == i]]
        return {"real": self.codec.encode(values)}


class PartlyLabelled:
    """Batches of labelled samples, then of unlabelled ones, which are asked for by a random class.

    A row that has no label is marked in `known`. Where no classes are asked for, both kinds are alike.

    Args:
        labelled, unlabelled: the samples.
        size: samples per batch.
        seed: of the order.
        classes: how many a sampler is asked for; 0 for none.
        guesses: class numbers of unlabelled samples that are taken for known, -1 for the others.
    """

    def __init__(
        self,
        labelled: Samples,
        unlabelled: Samples,
        size: int,
        seed: int = 0,
        *,
        classes: int = 0,
        guesses: np.ndarray | None = None,
    ) -> None:
        share = len(labelled) / (len(labelled) + len(unlabelled))
        told = 0.0 if guesses is None else float((guesses >= 0).mean())
        share = max(share, (LABELLED - told) / max(1 - told, 1e-9)) if classes else share
        first = min(max(1, round(share * size)), size - 1, len(labelled))
        first = max(first, size - len(unlabelled))
        self.size, self.classes, self.first = size, classes, first
        seeds = derive(seed, "labelled"), derive(seed, "unlabelled")
        self.parts = (
            Shuffled(labelled, first, seeds[0], balanced=classes > 0, labelled=classes > 0),
            Shuffled(unlabelled, size - first, seeds[1], labelled=False),
        )
        self.seed, self.guesses = seed, guesses

    def __call__(self, index: int, rows: slice) -> Mapping[str, Tensor]:
        """Some rows of batch `index`."""
        import torch

        start, stop, _ = rows.indices(self.size)
        first = self.first
        known = self.parts[0](index, slice(min(start, first), min(stop, first)))
        other = self.parts[1](index, slice(max(start - first, 0), max(stop - first, 0)))
        real = torch.cat([known["real"], other["real"]])
        if not self.classes:
            return {"real": real}
        rng = np.random.default_rng(derive(self.seed, "asked", index))
        asked = rng.integers(self.classes, size=self.size - first)
        told = np.zeros(len(asked), bool)
        if self.guesses is not None:
            guessed = self.guesses[self.parts[1].shuffled(index)]
            told = guessed >= 0
            asked = np.where(told, guessed, asked)
        mine = slice(max(start - first, 0), max(stop - first, 0))
        condition = torch.cat([known["condition"], torch.from_numpy(asked[mine])])
        marks = torch.cat([torch.ones(len(known["real"]), dtype=torch.bool), torch.from_numpy(told[mine])])
        return {"real": real, "condition": condition, "known": marks}
