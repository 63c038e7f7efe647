"""What a recipe may know of the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSpec:
    """What a recipe may know of the data.

    Attributes:
        kind: "images"; "vectors" for rows of plain numbers; "pairs" for images, each made of another; or
            "unpaired" for images that are like what others shall be made into.
        shape: of one sample as the networks see it: (channels, height, width), or (features,).
        count: number of training samples (the hold-out is not among them).
        classes: class names, in the order of the label numbers; empty without labels.
        class_counts: training samples per class.
        given: shape of what is translated into a sample; empty if nothing is.
    """

    kind: str
    shape: tuple[int, ...]
    count: int
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    given: tuple[int, ...] = ()

    @property
    def pictures(self) -> bool:
        """Whether samples are images."""
        return self.kind != "vectors"
