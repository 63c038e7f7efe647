"""Decoding: from files to blocks of stored values, a few hundred images at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from .arrays import array_row
from .decode import read_values
from .parts import BadImage, Item, Part
from .plan import Plan, workers
from .resize import fit_image, pad

BLOCK_IMAGES = 256


@dataclass(frozen=True, eq=False)
class Block:
    """Some images, decoded.

    Attributes:
        values: `(k, C, H, W)` or `(k, features)`, resized and padded.
        items: the images, a row each.
        bad: name and reason of those that could not be decoded.
    """

    values: np.ndarray
    items: list[Item]
    bad: list[tuple[str, str]]


def read(part: Part, item: Item) -> np.ndarray:
    """The values of one image, `(H, W, C)`, or of one vector, untouched.

    Raises:
        BadImage: it cannot be decoded, or holds values that are not finite.
    """
    if part.array is not None:
        values = array_row(part.array, item.page)
    else:
        try:
            with part.open(item.file) as stream:
                values = read_values(stream, PurePosixPath(item.file).name, item.page)
        except OSError as error:
            raise BadImage(error.strerror or str(error)) from error
    if part.half:
        middle = values.shape[1] // 2
        values = values[:, :middle] if part.half == "left" else values[:, middle:]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise BadImage("holds NaN or infinite values")
    return values


def decode_blocks(part: Part, items: Sequence[Item], plan: Plan) -> Iterator[Block]:
    """Decodes images in order, a block at a time, so that no more than a block is in memory."""
    with workers() as pool:
        # Rows of an array cost less than handing them to a thread.
        each = map if part.array is not None and not _resizes(part, plan) else pool.map
        for start in range(0, len(items), BLOCK_IMAGES):
            chunk = items[start : start + BLOCK_IMAGES]
            done = list(each(lambda item: _decode(part, item, plan), chunk))
            good = [values for values, _ in done if values is not None]
            kept = [item for item, (values, _) in zip(chunk, done, strict=True) if values is not None]
            bad = [
                (item.name, why) for item, (values, why) in zip(chunk, done, strict=True) if values is None
            ]
            yield Block(_stack(good, plan), kept, bad)


def _decode(part: Part, item: Item, plan: Plan) -> tuple[np.ndarray | None, str]:
    try:
        values = read(part, item)
    except BadImage as error:
        return None, str(error)
    if values.dtype != plan.dtype or values.shape[-1] != plan.channels:
        found = f"{values.shape[-1]} channels of {values.dtype}"
        return None, f"holds {found}, its header promised {plan.channels} of {plan.dtype}"
    return (values if plan.kind == "vectors" else fit_image(values, plan.height, plan.width)), ""


def _stack(images: list[np.ndarray], plan: Plan) -> np.ndarray:
    if not images:
        return np.empty((0, *plan.row), plan.dtype)
    values = np.stack(images)
    return values if plan.kind == "vectors" else pad(values, plan.grid).transpose(0, 3, 1, 2)


def _resizes(part: Part, plan: Plan) -> bool:
    return (
        part.array is not None and part.array.ndim == 4 and part.array.shape[1:3] != (plan.height, plan.width)
    )
