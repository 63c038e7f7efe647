"""What will be made of images: one kind, one size, one grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count

import numpy as np

from ..errors import DataError
from .arrays import array_header
from .decode import read_header
from .grid import Grid, fit_grid
from .parts import CHANNELS, BadImage, Header, Item, Part
from .resize import choose_size

LARGEST_POOL = 8


@dataclass(frozen=True)
class Survey:
    """What the headers of a part say.

    Attributes:
        items: images that can be opened, a page each.
        headers: one per item.
        bad: name and reason of what cannot be opened.
    """

    items: tuple[Item, ...]
    headers: tuple[Header, ...]
    bad: tuple[tuple[str, str], ...] = ()

    def sizes(self) -> np.ndarray:
        """Height and width of each image, `(n, 2)`."""
        return np.array([(header.height, header.width) for header in self.headers])


@dataclass(frozen=True)
class Plan:
    """What will be made of every image.

    Attributes:
        kind: "images" or "vectors".
        channels: of an image; features of a vector.
        dtype: of the values.
        height, width: after resizing.
        grid: the size after padding.
        notes: what is done, a sentence each.
    """

    kind: str
    channels: int
    dtype: str
    height: int
    width: int
    grid: Grid
    notes: tuple[str, ...] = ()

    @property
    def row(self) -> tuple[int, ...]:
        """Shape of one stored sample."""
        if self.kind == "vectors":
            return (self.channels,)
        return self.channels, self.grid.height, self.grid.width


def workers() -> ThreadPoolExecutor:
    """Threads to read files with; decoders leave Python's lock while they work."""
    return ThreadPoolExecutor(min(LARGEST_POOL, cpu_count() or 1))


def survey(part: Part) -> Survey:
    """Reads every header of a part; a file with several pages becomes several items."""
    if part.array is not None:
        return Survey(tuple(part.items), (array_header(part.array),) * len(part.items))
    with workers() as pool:
        looked = list(pool.map(lambda item: _look(part, item), part.items))
    pages = [
        (replace(item, page=page) if header.pages > 1 else item, header)
        for item, (header, _) in zip(part.items, looked, strict=True)
        if header is not None
        for page in range(header.pages)
    ]
    bad = [(item.name, why) for item, (header, why) in zip(part.items, looked, strict=True) if header is None]
    return Survey(tuple(item for item, _ in pages), tuple(header for _, header in pages), tuple(bad))


def _look(part: Part, item: Item) -> tuple[Header | None, str]:
    try:
        with part.open(item.file) as stream:
            header = read_header(stream, item.file)
    except BadImage as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or str(error)
    if part.half and header.width % 2:
        return None, f"{header.width} pixels wide, which cannot be halved"
    return (replace(header, width=header.width // 2) if part.half else header), ""


def make_plan(found: Survey, size: int | None, exact: tuple[int, int] | None = None) -> Plan:
    """Decides what is made of the images.

    Args:
        found: what the headers say.
        size: longest side in pixels; None to choose.
        exact: height and width, whatever they have.

    Raises:
        DataError: there are too few, or they differ in channels or depth.
    """
    if len(found.items) < 2:
        unreadable = f" ({len(found.bad)} cannot, first: {', '.join(found.bad[0])})" if found.bad else ""
        raise DataError(
            f"{'A single' if found.items else 'No'} image that can be read was found{unreadable}. "
            "A GAN needs at least 2 to train at all, and a hundred or more to learn what varies; "
            "give a folder with more."
        )
    if size is not None and size < 1:
        raise DataError(f"--size {size} is not a size. Give the longest side in pixels, for example 64.")
    for difference in differences(found):
        raise DataError(difference)
    header = found.headers[0]
    if header.mode == "vector":
        return Plan("vectors", header.width, header.dtype, 1, 1, Grid(1, 1, 0))
    sizes = found.sizes()
    height, width = exact or choose_size(sizes, size)
    grid = fit_grid(height, width)
    notes = _plan_notes(sizes, (height, width), grid, size)
    if header.remark:
        notes.append(header.remark)
    return Plan("images", CHANNELS[header.mode], header.dtype, height, width, grid, tuple(notes))


def differences(found: Survey) -> Iterator[str]:
    """What keeps the images from being one set, in words."""
    yield from _mixed(found, "channels", lambda header: header.mode, "Image.convert('RGB')")
    yield from _mixed(
        found, "depth", lambda header: header.dtype, "Image.convert, or save all in the same depth"
    )


def _mixed(found: Survey, what: str, of: Callable[[Header], str], how: str) -> Iterator[str]:
    counts = Counter(map(of, found.headers))
    if len(counts) < 2:
        return
    first: dict[str, str] = {}
    for item, header in zip(found.items, found.headers, strict=True):
        first.setdefault(of(header), item.name)
    (commonest, most), *rarer = counts.most_common()
    others = ", ".join(f"{n} {kind} (first: {first[kind]})" for kind, n in rarer)
    yield (
        f"The images differ in {what}: {most} {commonest}, {others}. All must be alike: "
        f"convert the rarer ones (with Pillow: {how}) or move them elsewhere."
    )


def _plan_notes(sizes: np.ndarray, size: tuple[int, int], grid: Grid, asked: int | None) -> list[str]:
    notes: list[str] = []
    height, width = size
    if (sizes != size).any():
        by_itself = "" if asked is not None else "; choose another longest side with --size"
        (low, high), (narrow, wide) = ((int(s.min()), int(s.max())) for s in sizes.T)
        was = f"{wide}x{high}" if (low, narrow) == (high, wide) else f"{narrow}x{low} to {wide}x{high}"
        notes.append(
            f"resized to {width}x{height} (was {was}), cropped about the centre where needed{by_itself}"
        )
    if (grid.height, grid.width) != size:
        share = 1 - height * width / (grid.height * grid.width)
        much = f"; {share:.0%} of what the networks see is padding: crop to other proportions" * (share > 0.5)
        notes.append(
            f"padded {width}x{height} to {grid.width}x{grid.height}; samples are cropped again{much}"
        )
    return notes


def refuse_other(train: Survey, held: Survey) -> None:
    """Refuses a hold-out that is not of the training images' kind.

    Raises:
        DataError: it is empty, or its channels, its depth or its number of features differ.
    """
    if not held.items:
        raise DataError(
            "The hold-out has no image that can be read. Give another, or none to have one carved."
        )
    for difference in differences(held):
        raise DataError(f"In the hold-out: {difference}")
    wanted, got = _kind(train.headers[0]), _kind(held.headers[0])
    if wanted != got:
        raise DataError(f"The hold-out is {got}, the training data are {wanted}. Convert one of them.")


def _kind(header: Header) -> str:
    features = f" of {header.width} features" if header.mode == "vector" else ""
    return f"{header.mode} {header.dtype}{features}"
