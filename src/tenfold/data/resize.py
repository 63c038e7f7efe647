"""Making images one size: which size, and how."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .grid import Grid

KEPT_UP_TO, DEFAULT_LONGEST = 128, 64
SQUARE_WITHIN = 0.05


def choose_size(sizes: np.ndarray, longest: int | None) -> tuple[int, int]:
    """The height and width that all images get.

    Args:
        sizes: height and width of each image, `(n, 2)`.
        longest: the longest side asked for, if one was.

    Returns:
        The common size if there is one that need not change. Otherwise the median aspect, with the
        longest side asked for, or of at most 64; nearly square becomes square.
    """
    height, width = (int(side) for side in sizes[0])
    same = bool((sizes == sizes[0]).all())
    if same and ((longest is None and max(height, width) <= KEPT_UP_TO) or longest == max(height, width)):
        return height, width
    if longest is None:
        longest = int(min(DEFAULT_LONGEST, np.median(sizes.max(axis=1))))
    aspect = float(np.median(sizes[:, 1] / sizes[:, 0]))
    shorter = longest * min(aspect, 1 / aspect)
    # Images of mixed sizes are cropped anyway; a few more pixels save padding all of them.
    if not same and longest - shorter <= SQUARE_WITHIN * longest:
        shorter = longest
    short = max(1, round(shorter))
    return (short, longest) if aspect >= 1 else (longest, short)


def fit_image(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Crops an image `(H, W, C)` about its centre to an aspect and resamples it with antialiasing.

    The Lanczos filter overshoots at edges; no value leaves the range that its channel had.
    """
    if values.shape[:2] == (height, width):
        return values
    box = _crop_box(values.shape[0], values.shape[1], width / height)
    if values.dtype == np.uint8:
        image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
        small = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))
        return small.reshape(height, width, values.shape[2])
    channels = [_resample(values[..., c], (width, height), box) for c in range(values.shape[2])]
    small = np.stack(channels, axis=-1)
    return (np.rint(small) if values.dtype.kind == "u" else small).astype(values.dtype)


def _resample(
    channel: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]
) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=box))
    return small.clip(channel.min(), channel.max())


def _crop_box(height: int, width: int, aspect: float) -> tuple[float, float, float, float]:
    kept_width, kept_height = min(width, height * aspect), min(height, width / aspect)
    left, top = (width - kept_width) / 2, (height - kept_height) / 2
    return left, top, left + kept_width, top + kept_height


def pad(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Pads images `(n, H, W, C)` to a grid's size, centred, by repeating their edges."""
    top, left = grid.height - images.shape[1], grid.width - images.shape[2]
    if not (top or left):
        return images
    around = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))
    return np.pad(images, around, mode="edge")
