"""What is said aloud about data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .codec import Codec
from .holdout import FEWEST
from .parts import Item

LEAST = 6  # samples to train on: recall and coverage look at the five nearest others of one
FEWEST_DIFFERENT = 5  # held-out texts that differ: of fewer, little is said


def bad_images(bad: Sequence[tuple[str, str]], total: int) -> str:
    """The message about images that cannot be read."""
    name, why = bad[0]
    return (
        f"{len(bad)} of {total} images cannot be read (first: {name}, {why}). "
        "Remove them or pass --skip-bad; tenfold check lists them all."
    )


def range_notes(codec: Codec, high: float) -> list[str]:
    """What there is to say about the range of the values."""
    if codec.kind == "vectors":
        return _feature_notes(codec)
    if codec.dtype == "float32":
        return [f"values from {codec.low[0]:g} to {codec.high[0]:g} become -1 to 1"]
    if codec.dtype == "uint16" and high < codec.high[0] / 4:
        return [
            f"the largest 16-bit value is {high:g} of 65535: very dark; stretch them if that is not meant"
        ]
    return []


def _feature_notes(codec: Codec) -> list[str]:
    notes = [f"each of {codec.channels} features is scaled by its own smallest and largest value to -1 to 1"]
    same = [n for n, (low, high) in enumerate(zip(codec.low, codec.high, strict=True)) if low == high]
    if same:
        notes.append(
            f"{len(same)} of {codec.channels} features never change (first: number {same[0]}, counted from 0)"
        )
    return notes


def class_notes(train: Sequence[Item], held: Sequence[Item]) -> list[str]:
    """What there is to say about the classes."""
    counts = Counter(item.label for item in train if item.label is not None)
    single = sorted(name for name, n in counts.items() if n == 1)
    notes = [f"{len(single)} classes have a single image (first: {single[0]})"] if single else []
    if counts and held and held[0].label is None:
        notes.append("the hold-out has no labels, so it cannot be judged class by class")
    return notes


def holdout_notes(train: int, held: int, carve: bool) -> list[str]:
    """What there is to say about the hold-out."""
    if not carve:
        return []
    if held:
        return [f"{held} of {train + held} samples are held out"]
    too_large = "whole groups do not fit into a quarter, or would leave a class with fewer than 2 images"
    why = f"{train} are fewer than {FEWEST}" if train < FEWEST else too_large
    return [f"no hold-out: {why}; the last averaged weights are then used"]
