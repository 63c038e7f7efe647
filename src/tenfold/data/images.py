"""Opening data: find, plan, decode once, hold out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError
from . import cache
from .blocks import Block, decode_blocks
from .codec import FULL_RANGE, Codec
from .dataset import Dataset, Split
from .holdout import carve, refuse_unknown_classes
from .notes import bad_images, class_notes, holdout_notes, range_notes
from .options import DEFAULTS, LoadOptions
from .parts import Item, Part, order_labels
from .plan import Plan, Survey, make_plan, refuse_other, survey
from .sources import Found, Source, find
from .spec import DataSpec

IN_MEMORY_BYTES = 256 << 20
# Part of the cache's key: raised when what is stored changes.
LAYOUT = 4


def open_data(source: Source, options: LoadOptions = DEFAULTS) -> Dataset:
    """Opens images or vectors for training.

    Files are decoded once into a memory-mapped cache; arrays that are small stay in memory.

    Args:
        source: a folder, a zip archive, a table, an array or a file of one, or a data set's name.
        options: size, hold-out, and what to do with images that cannot be read.

    Raises:
        DataError: the data cannot be used; the message says why and what to do.

    Example:
        >>> digits = open_data("digits")
        >>> digits.spec.shape, len(digits.train), len(digits.holdout)
        ((1, 8, 8), 1617, 180)
    """
    return open_found(find(source, options), options)


def open_found(found: Found, options: LoadOptions) -> Dataset:
    """Opens what was found."""
    fingerprint = found.fingerprint(options)
    key = f"{fingerprint}-{LAYOUT}"
    if found.train.array is not None and found.train.array.nbytes <= IN_MEMORY_BYTES:
        return _dataset(found, fingerprint, *_in_memory(found, options))
    stored = cache.load(key)
    if stored is None:
        _decode_to_cache(found, options, key)
        stored = cache.load(key)
    if stored is None:
        raise DataError(
            f"What was just written to {cache.cache_folder()} cannot be read back. Is it shared or full?"
        )
    return _dataset(found, fingerprint, *stored)


@dataclass(frozen=True)
class Side:
    """Images of one part that go to one side, in order."""

    part: Part
    items: Sequence[Item]


@dataclass
class Learned:
    """What is known only when every image has passed."""

    plan: Plan
    train: list[Item] = field(default_factory=list)
    held: list[Item] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    low: np.ndarray = field(default_factory=lambda: np.array([np.inf]))
    high: np.ndarray = field(default_factory=lambda: np.array([-np.inf]))
    first: np.ndarray | None = None
    varied: bool = False

    def note(self, block: Block, kept: list[Item]) -> None:
        """Takes in a block."""
        kept.extend(block.items)
        self.bad.extend(block.bad)
        if block.values.size:
            self.first = block.values[0].copy() if self.first is None else self.first
            self.varied = self.varied or bool((block.values != self.first).any())
            # Pixels share a range; features may be of any scale, so each has its own.
            axis = 0 if self.plan.kind == "vectors" else None
            self.low = np.minimum(self.low, block.values.min(axis))
            self.high = np.maximum(self.high, block.values.max(axis))


class _Decoding:
    """One pass over all images: blocks of values, and the facts that are known after it."""

    def __init__(self, found: Found, options: LoadOptions) -> None:
        self.found, self.options = found, options
        train = survey(found.train)
        held = survey(found.holdout) if found.holdout is not None else None
        bad = [*train.bad, *(held.bad if held else ())]
        self.total = len(train.items) + (len(held.items) if held else 0) + len(bad)
        if bad and not options.skip_bad:
            raise DataError(bad_images(bad, self.total))
        self.surveys = train, held or train
        self.learned = Learned(make_plan(train, options.size, options.exact), bad=bad)
        self.train, self.held = self._sides(train, held)

    @property
    def plan(self) -> Plan:
        """What is made of every image."""
        return self.learned.plan

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all values, if none turns out to be bad."""
        return len(self.train.items) + len(self.held.items), *self.plan.row

    def _sides(self, train: Survey, held: Survey | None) -> tuple[Side, Side]:
        part = self.found.train
        if held is not None and self.found.holdout is not None:
            refuse_other(train, held)
            refuse_unknown_classes(train.items, held.items)
            return Side(part, train.items), Side(self.found.holdout, held.items)
        out = carve(train.items, self.options.seed) if self.found.carve else set()
        kept = [item for index, item in enumerate(train.items) if index not in out]
        return Side(part, kept), Side(part, [train.items[index] for index in sorted(out)])

    def blocks(self) -> Iterator[np.ndarray]:
        """Values of the training side, then of the hold-out.

        Raises:
            DataError: images cannot be decoded, and they are not to be skipped.
        """
        for side, kept in ((self.train, self.learned.train), (self.held, self.learned.held)):
            for block in decode_blocks(side.part, side.items, self.plan):
                self.learned.note(block, kept)
                yield block.values
        if self.learned.bad and not self.options.skip_bad:
            raise DataError(bad_images(self.learned.bad, self.total))
        if len(self.learned.train) < 2:
            raise DataError(bad_images(self.learned.bad, self.total))

    def facts(self) -> dict[str, Any]:
        """What is stored beside the values, as JSON holds it."""
        learned = self.learned
        rows = [*learned.train, *learned.held]
        labelled = all(item.label is not None for item in learned.train)
        codec = _codec(learned, self.found.train.array is not None)
        return {
            "codec": codec.to_json(),
            "train": len(learned.train),
            "held": len(learned.held),
            "names": [item.name for item in rows],
            "labels": [item.label for item in rows] if labelled else None,
            "left_out": [name for name, _ in learned.bad],
            "sizes": self.sizes(),
            "groups": None if self.options.group is None else [item.group or item.name for item in rows],
            "notes": self._notes(codec),
        }

    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of the files of all rows; of files that have one size, just once."""
        if self.plan.kind != "images":
            return []
        each: list[tuple[int, int]] = []
        # An image of the hold-out may be called like one of the training side.
        for found, kept in zip(self.surveys, (self.learned.train, self.learned.held), strict=True):
            known = {i: (h.height, h.width) for i, h in zip(found.items, found.headers, strict=True)}
            each += [known[item] for item in kept]
        return each[:1] if len({*each}) == 1 else each

    def _notes(self, codec: Codec) -> list[str]:
        learned = self.learned
        notes = [*self.found.notes, *self.plan.notes]
        if learned.bad:
            name, why = learned.bad[0]
            notes.append(f"{len(learned.bad)} images cannot be read and are left out (first: {name}, {why})")
        notes += range_notes(codec, float(learned.high.max()))
        notes += class_notes(learned.train, learned.held)
        notes += holdout_notes(len(learned.train), len(learned.held), self.found.carve)
        return notes


def _in_memory(found: Found, options: LoadOptions) -> tuple[np.ndarray, dict[str, Any]]:
    decoding = _Decoding(found, options)
    values = np.concatenate(list(decoding.blocks()))
    values.flags.writeable = False
    return values, decoding.facts()


def _decode_to_cache(found: Found, options: LoadOptions, key: str) -> None:
    decoding = _Decoding(found, options)
    cache.write(key, decoding.blocks(), decoding.shape, decoding.plan.dtype, decoding.facts)


def _dataset(found: Found, fingerprint: str, values: np.ndarray, facts: dict[str, Any]) -> Dataset:
    codec = Codec.from_json(facts["codec"])
    train, total = facts["train"], facts["train"] + facts["held"]
    labels: list[str | None] | None = facts["labels"]
    classes = order_labels({label for label in labels[:train] if label is not None}) if labels else ()
    numbers = {label: number for number, label in enumerate(classes)}

    def split(start: int, stop: int) -> Split:
        side = labels[start:stop] if labels else [None]
        known = [numbers[label] for label in side if label is not None]
        numbered = np.array(known, np.int64) if len(known) == stop - start else None
        groups = facts["groups"] and tuple(facts["groups"][start:stop])
        return Split(values[start:stop], numbered, tuple(facts["names"][start:stop]), codec, groups)

    counts = Counter(labels[:train]) if labels else Counter()
    spec = DataSpec(codec.kind, codec.shape, train, classes, tuple(counts[name] for name in classes))
    held = split(train, total) if total > train else None
    sizes = [(height, width) for height, width in facts["sizes"]]
    return Dataset(
        found.source,
        spec,
        codec,
        split(0, train),
        held,
        fingerprint,
        tuple(facts["notes"]),
        left_out=tuple(facts["left_out"]),
        sizes=tuple(sizes * total if len(sizes) == 1 else sizes),
    )


def _codec(learned: Learned, from_array: bool) -> Codec:
    plan = learned.plan
    seen = tuple(learned.low.tolist()), tuple(learned.high.tolist())
    low, high = FULL_RANGE.get(plan.dtype, seen)
    if low == high:
        same = f"value in the data is {low[0]:g}" if len(set(low)) == 1 else "row of the data is the same"
        raise DataError(f"Every {same}; there is nothing to learn. Look at the files.")
    if not learned.varied:
        raise DataError("Every image is the same; there is nothing to learn. Look at the files.")
    plain = plan.dtype == "uint8" or (plan.dtype == "uint16" and plan.channels == 1)
    suffix = ".npy" if plan.kind == "vectors" or (from_array and not plain) else ".png" if plain else ".tif"
    grid = plan.grid
    return Codec(
        plan.kind,
        plan.channels,
        plan.height,
        plan.width,
        grid.height,
        grid.width,
        plan.dtype,
        low,
        high,
        suffix,
    )
