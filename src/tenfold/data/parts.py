"""Images as they were found, before anything is decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ..errors import DataError


class BadImage(DataError):
    """One image that cannot be read; the message is the reason, without the file's name."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image: a file, a page of a file, or a row of an array.

    Attributes:
        file: name relative to the source; empty for a row of an array.
        page: which page of the file, or which row; None for a file with a single image.
        label: name of its class, if it has one.
        group: what must stay on one side of the hold-out split.
    """

    file: str
    page: int | None = None
    label: str | None = None
    group: str | None = None

    @property
    def name(self) -> str:
        """What this image is called in messages."""
        if self.page is None:
            return self.file
        return f"{self.file}#{self.page}" if self.file else str(self.page)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of an image without decoding it.

    Attributes:
        height, width: in pixels, as it is shown (the camera's orientation applied).
        mode: "L", "LA", "RGB" or "RGBA"; "vector" for a row of `width` numbers.
        dtype: "uint8", "uint16" or "float32".
        pages: images in the file.
        remark: what was done to the values, if that needs saying.
    """

    height: int
    width: int
    mode: str
    dtype: str
    pages: int = 1
    remark: str = ""


MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
WHOLE_NUMBER = re.compile("-?[0-9]{1,4000}")  # of more digits, int() refuses to read it
CHANNELS = {mode: channels for channels, mode in MODES.items()}


@dataclass(frozen=True)
class Part:
    """The images of one split, where they were found.

    Attributes:
        items: the images, in the order of their names.
        open: opens a file of an item; not used where there is an array.
        array: the values themselves, `(n, H, W, C)` or `(n, features)`.
        stamp: changes when any file's name, size or time of change does.
        ignored: files that are not images.
        notes: what was decided while looking, a sentence each.
        half: of each picture that counts: left or right; empty for all of it.
        captions: files of text that have the names of most of the images, and may be their captions.
    """

    items: Sequence[Item]
    open: Callable[[str], BinaryIO]
    array: np.ndarray | None = None
    stamp: str = ""
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    half: str = ""
    captions: int = 0


def order_labels(names: set[str]) -> tuple[str, ...]:
    """Class names in the order of their numbers: by value if all are whole numbers, else by name.

    Example:
        >>> order_labels({"10", "9"}), order_labels({"tabby", "manx"})
        (('9', '10'), ('manx', 'tabby'))
    """
    if all(WHOLE_NUMBER.fullmatch(name) for name in names):
        # "1" and "01" tie as numbers; a set's own order is another in every process.
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))
