"""What a recipe may know of the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSpec:
    """What a recipe may know of the data.

    Attributes:
        kind: "images", or "vectors" for rows of plain numbers.
        shape: of one sample as the networks see it: (channels, height, width), or (features,).
        count: number of training samples (the hold-out is not among them).
        classes: class names, in the order of the label numbers; empty without labels.
        class_counts: training samples per class.
    """

    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
