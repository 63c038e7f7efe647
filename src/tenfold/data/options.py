"""What a person may say about how data are opened."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadOptions:
    """What a person may say about how data are opened.

    Attributes:
        size: longest side in pixels after resizing. None keeps the images as they are if all have one
            size of at most 128 pixels a side; otherwise the longest side becomes at most 64.
        holdout: a folder (or other source) with the hold-out, instead of carving one.
        carve: whether a part is held out at all where no hold-out is given.
        group: a column of the metadata: images of one group are never on both sides of the split.
            "prefix" groups by the part of the file name before the first "_" or "-".
        skip_bad: leave out images that cannot be read.
        seed: decides which images are held out.
        target: column of a table that is to be predicted from the others.
        spec: file that says what the columns of a table are, as `tenfold check` writes it.
        exact: height and width in pixels, whatever the images have; for one side of several.
        split: which split is opened as the training data, where the source has splits.
    """

    size: int | None = None
    holdout: str | None = None
    carve: bool = True
    group: str | None = None
    skip_bad: bool = False
    seed: int = 0
    split: str = "train"
    exact: tuple[int, int] | None = None
    target: str | None = None
    spec: str | None = None


DEFAULTS = LoadOptions()
