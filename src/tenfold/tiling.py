"""A translator's way over a picture of any size: whole, or tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from .data.codec import Codec
from .game import Translator
from .watching.progress import Say, told

TILE = 256  # pixels of a tile's side, of what is given
AT_ONCE = 512 * 512  # pixels that are made at once: more take memory rather than less time
BLENDED = 32  # pixels from a tile's border in which it fades into the next
SMALLEST_STEP = 16  # pixels by which tiles advance at least


def silent(text: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Way:
    """One way of a run's translator.

    Attributes:
        translator: of the run.
        back: whether it is the way back.
        given, made: codecs of what is read and of what is written.
        holes: whether the last channel of what is given says where there are holes.
    """

    translator: Translator
    back: bool
    given: Codec
    made: Codec
    holes: bool = False

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Pictures `(n, c, h, w)` in [-1, 1] of any size, made of others."""
        if self.holes:
            hole = x[:, -1:] < 0
            x = torch.cat([x[:, :-1].masked_fill(hole, 0.0), 1 - 2 * hole.float()], 1)
        return self.translator(x, self.back).float().clamp(-1, 1)


def at_once(way: Way, pixels: int) -> int:
    """How many pictures or tiles of so many pixels are made at once."""
    return max(1, AT_ONCE // (pixels * way.translator.scale**2))


def translated_together(way: Way, values: np.ndarray) -> np.ndarray:
    """Translations of small pictures of one size, `(n, h, w, c)`."""
    return decoded(way.made, way(encoded(way.given, values)))


def translated_values(
    way: Way, values: np.ndarray, tile: int, say: Say = silent, *, more: int = 0
) -> np.ndarray:
    """The translation of a picture's values, `(h, w, c)`; of a large one, tile by tile.

    Args:
        way: the translator's.
        values: of the picture, as the run takes them.
        tile: pixels of a side above which it is translated in parts.
        say: told how far it is.
        more: channels behind those that are made, to be filled by the caller.
    """
    height, width, scale = *values.shape[:2], way.translator.scale
    whole = np.empty((height * scale, width * scale, way.made.channels + more), way.made.dtype)
    made = whole[..., : way.made.channels]
    if max(height, width) <= tile:
        made[...] = translated_together(way, values[None])[0]
    elif way.translator.reach is None:
        blend(way, values, tile, made, say)
    else:
        paste(way, values, tile, made, say)
    return whole


def encoded(codec: Codec, values: np.ndarray) -> Tensor:
    """Pictures in [-1, 1], `(n, c, h, w)`."""
    return codec.encode(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def decoded(codec: Codec, x: Tensor) -> np.ndarray:
    """Pictures as values `(n, h, w, c)`, whatever their size."""
    height, width = x.shape[2:]
    free = replace(codec, height=height, width=width, padded_height=height, padded_width=width)
    return free.decode(x)


def starts(side: int, tile: int, margin: int) -> list[int]:
    """Where tiles begin, so that neighbours share at least two margins."""
    if side <= tile:
        return [0]
    many = -(-(side - 2 * margin) // max(tile - 2 * margin, SMALLEST_STEP))
    return [round(i * (side - tile) / (many - 1)) for i in range(many)]


def edges(begin: Sequence[int], side: int, tile: int) -> list[int]:
    """Where one tile's part ends and the next one's begins: in the middle of what they share."""
    middles = [(a + tile + b) // 2 for a, b in pairwise(begin)]
    return [0, *middles, side]


def tiles(
    way: Way, values: np.ndarray, tile: int, margin: int, say: Say
) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Where each tile begins, and what is made of it, `(c, h, w)`; a few at once."""
    height, width = values.shape[:2]
    corners = [(a, b) for a in starts(height, tile, margin) for b in starts(width, tile, margin)]
    many = at_once(way, min(height, tile) * min(width, tile))
    steps = [slice(i, min(i + many, len(corners))) for i in range(0, len(corners), many)]
    for step in told(steps, len(corners), "tiles", say):
        some = corners[step]
        given = np.stack([values[a : a + tile, b : b + tile] for a, b in some])
        yield from zip(some, way(encoded(way.given, given)), strict=True)


def own_parts(side: int, tile: int, margin: int) -> dict[int, tuple[int, int]]:
    """Of each tile, by where it begins: what its border cannot have changed, up to the next one's part."""
    begin = starts(side, tile, margin)
    return dict(zip(begin, pairwise(edges(begin, side, tile)), strict=True))


def paste(way: Way, values: np.ndarray, tile: int, made: np.ndarray, say: Say = silent) -> None:
    """Translate tile by tile into `made`: of each its own part."""
    margin, scale = way.translator.reach or 0, way.translator.scale
    tile = max(tile, 2 * margin + SMALLEST_STEP)
    down, across = (own_parts(side, tile, margin) for side in values.shape[:2])
    for (top, left), part in tiles(way, values, tile, margin, say):
        (a, b), (c, d) = down[top], across[left]
        inner = part[:, (a - top) * scale : (b - top) * scale, (c - left) * scale : (d - left) * scale]
        made[a * scale : b * scale, c * scale : d * scale] = decoded(way.made, inner[None])[0]


def blend(way: Way, values: np.ndarray, tile: int, made: np.ndarray, say: Say = silent) -> None:
    """Translate into `made` by tiles that fade into each other, as no two are made in the same light."""
    margin, scale = min(BLENDED, tile // 4), way.translator.scale
    height, width = values.shape[:2]
    total = torch.zeros(way.made.channels, height * scale, width * scale)
    weights = torch.zeros(1, height * scale, width * scale)
    for (top, left), part in tiles(way, values, tile, margin, say):
        fade = faded(part.shape[1], top > 0, top + tile < height, margin * scale)[:, None]
        fade = fade * faded(part.shape[2], left > 0, left + tile < width, margin * scale)
        rows = slice(top * scale, top * scale + part.shape[1])
        columns = slice(left * scale, left * scale + part.shape[2])
        total[:, rows, columns] += part * fade
        weights[:, rows, columns] += fade
    for top in range(0, len(made), tile):  # all at once would be in memory four times, as doubles
        rows = slice(top, top + tile)
        made[rows] = decoded(way.made, (total[:, rows] / weights[:, rows])[None])[0]


def faded(side: int, before: bool, after: bool, margin: int) -> Tensor:
    """How much each place of a tile's side counts: less and less towards a neighbour."""
    place = torch.arange(side) + 0.5
    share = torch.ones(side)
    if before:
        share = share.minimum(place / (2 * margin))
    if after:
        share = share.minimum((side - place) / (2 * margin))
    return share.clamp_min(1e-3)
