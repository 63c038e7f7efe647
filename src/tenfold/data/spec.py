"""What a recipe may know of the data."""

from __future__ import annotations

from dataclasses import dataclass

from .series.layout import SeriesLayout
from .texts.layout import TextLayout


@dataclass(frozen=True)
class Cell:
    """A column of a table as networks see it (decision 013).

    Attributes:
        name: of the column.
        options: width of its one-hot: categories; of numbers, point masses and then modes of a mixture.
        scalar: whether a number in [-1, 1] belongs to it.
        masses: how many of the options stand for one value each, without a scalar; they come first.
        centres: of numbers, where each option lies, in standard deviations of the column from its mean.
        spreads: by how much a scalar of 1 lies beyond that, in the same units; 0 of masses.
    """

    name: str
    options: int
    scalar: bool = False
    masses: int = 0
    centres: tuple[float, ...] = ()
    spreads: tuple[float, ...] = ()


@dataclass(frozen=True)
class DataSpec:
    """What a recipe may know of the data.

    Attributes:
        kind: "images"; "vectors" for rows of plain numbers; "pairs" for images, each made of another;
            "unpaired" for images that are like what others shall be made into; "table" for rows of cells;
            "series" for what changes with time; "texts"; "text_pairs" for texts made of others; or
            "captioned" for images with words.
        shape: of one sample as the networks see it: (channels, height, width), or (features,).
        count: number of training samples (the hold-out is not among them).
        classes: class names, in the order of the label numbers; empty without labels.
        class_counts: training samples per class.
        given: shape of what is translated into a sample; empty if nothing is.
        cells: of a table, in the order of its columns; empty of others.
        target: number of the cell that is to be predicted from the others; None if none is named.
        series: how series lie before networks; None of what are none.
        text: how texts, or captions of pictures, lie before networks; None where there are none.
        source_text: how texts lie that others are made of.
    """

    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    given: tuple[int, ...] = ()
    cells: tuple[Cell, ...] = ()
    target: int | None = None
    series: SeriesLayout | None = None
    text: TextLayout | None = None
    source_text: TextLayout | None = None

    @property
    def pictures(self) -> bool:
        """Whether samples are images."""
        return self.kind in ("images", "pairs", "unpaired", "captioned")
