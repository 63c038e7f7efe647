"""Many images on one page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ..errors import DataError

_WIDTH = 800
_PAPER = 236
_INK = (64, 64, 64)


def sheet(
    images: UInt8[np.ndarray, "n h w c"],
    columns: int | None = None,
    scale: int | None = None,
    labels: Sequence[str] | None = None,
) -> Image.Image:
    """The images in rows on a neutral grey, which also shows through where they are transparent.

    Args:
        images: grey, grey with alpha, RGB or RGBA.
        columns: images per row; by default about as many as there are rows, or what `labels` leaves.
        scale: whole factor by which pixels are enlarged; by default so that the sheet is up to 800 pixels
            wide. Images are never made smaller.
        labels: one name per row, written to its left.

    Raises:
        DataError: if there are no images, the channels are not 1 to 4, or the labels are not one per row.
    """
    if images.ndim != 4 or not 1 <= images.shape[3] <= 4 or len(images) == 0:
        raise DataError(
            f"Found images of shape {images.shape}, expected (n, height, width, channels) with 1 to 4 "
            "channels and at least one image. Reorder the axes."
        )
    columns = columns or math.ceil(len(images) / len(labels) if labels else math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    if labels is not None and len(labels) != rows:
        raise DataError(f"Found {len(labels)} labels for {rows} rows of images. Give one label per row.")
    scale = scale or max(1, _WIDTH // (columns * images.shape[2]))
    enlarged = _on_paper(images).repeat(scale, axis=1).repeat(scale, axis=2)
    page = _tiled(enlarged, columns)
    return Image.fromarray(page if labels is None else _named(page, labels))


def _on_paper(images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h w 3"]:
    """In colour, and without transparency."""
    channels = images.shape[3]
    colour = images[..., : 3 if channels >= 3 else 1].repeat(1 if channels >= 3 else 3, axis=3)
    if channels in (1, 3):
        return colour
    alpha = images[..., -1:] / 255
    return np.rint(colour * alpha + _PAPER * (1 - alpha)).astype(np.uint8)


def _tiled(images: UInt8[np.ndarray, "n h w 3"], columns: int) -> UInt8[np.ndarray, "height width 3"]:
    """Rows of images with gaps between and around them."""
    n, height, width, _ = images.shape
    rows, gap = math.ceil(n / columns), max(2, min(height, width) // 16)
    tiles = np.full((rows * columns, height + gap, width + gap, 3), _PAPER, np.uint8)
    tiles[:n, :height, :width] = images
    grid = tiles.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    page = grid.reshape(rows * (height + gap), columns * (width + gap), 3)
    return np.pad(page, ((gap, 0), (gap, 0), (0, 0)), constant_values=_PAPER)


def _named(
    page: UInt8[np.ndarray, "height width 3"], labels: Sequence[str]
) -> UInt8[np.ndarray, "height width 3"]:
    """The page with a margin at its left, where the names stand."""
    step = len(page) / len(labels)
    font = ImageFont.load_default(size=min(16, max(9, step * 0.6)))
    margin = math.ceil(max(font.getlength(label) for label in labels)) + 16
    image = Image.fromarray(np.pad(page, ((0, 0), (margin, 0), (0, 0)), constant_values=_PAPER))
    draw = ImageDraw.Draw(image)
    for row, label in enumerate(labels):
        draw.text((margin - 6, (row + 0.5) * step), label, fill=_INK, font=font, anchor="rm")
    return np.asarray(image)
