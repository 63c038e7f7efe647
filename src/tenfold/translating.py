"""What `tenfold translate` does: pictures of any size made of others, in tiles if they are large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .data.codec import Codec
from .data.decode import is_image, read_header, read_values
from .data.parts import BadImage
from .errors import DataError, RunError, suggest
from .game import Translator
from .run import Run

TILE = 256  # pixels of a tile's side, of what is given
BATCH = 4  # tiles at once
BLENDED = 32  # pixels from a tile's border in which it fades into the next
SMALLEST_STEP = 16  # pixels by which tiles advance at least


@dataclass
class Translated:
    """What became of some files.

    Attributes:
        written: files that were made.
        failed: names of those that could not be read, and why.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Way:
    """One way of a run's translator.

    Attributes:
        translator: of the run.
        back: whether it is the way back.
        given, made: codecs of what is read and of what is written.
    """

    translator: Translator
    back: bool
    given: Codec
    made: Codec

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Pictures `(n, c, h, w)` in [-1, 1] of any size, made of others."""
        if self.given.channels == self.made.channels + 1:  # the last says where there are holes
            hole = x[:, -1:] < 0
            x = torch.cat([x[:, :-1].masked_fill(hole, 0.0), 1 - 2 * hole.float()], 1)
        return self.translator(x, self.back).float().clamp(-1, 1)


def way_of(run: Run, to: str | None = None) -> Way:
    """The way to a side.

    Raises:
        RunError: the run makes no translations, or has no such side.
    """
    translator = run.sampler
    if not isinstance(translator, Translator):
        raise RunError(
            f"{run.path} makes samples from noise and no translations: its recipe is {run.facts['recipe']!r}. "
            "Use tenfold sample, or train a translation: --recipe pix2pix, cut, cyclegan or srgan."
        )
    sides = tuple(run.facts["sides"])
    known = sides[: translator.ways] if translator.ways == 1 else sides
    ends = {sides[1]: False} | ({sides[0]: True} if translator.ways == 2 else {})
    if to is not None and to not in ends:
        raise RunError(f"{run.path} does not translate into {to!r}. {suggest(to, list(ends) or known)}")
    back = ends[to or sides[1]]
    given, made = run.given_codec, run.codec
    return Way(translator, back, *((made, given) if back else (given, made)))


def translate(
    run: Run,
    source: str | Path,
    out: str | Path,
    *,
    to: str | None = None,
    tile: int = TILE,
    say: Callable[[str], None] = lambda text: None,
) -> Translated:
    """Translate a picture, or every picture of a folder; names stay, and so does opacity.

    Args:
        run: a run of a translation.
        source: a picture, or a folder, whose own folders are kept.
        out: a picture's file, or a folder.
        to: the side to translate into, where there are two ways.
        tile: pixels of a side above which a picture is translated in parts.
        say: told how far it is.

    Raises:
        RunError: the run makes no translations, or a file is in the way.
        DataError: there is nothing to translate.
    """
    way = way_of(run, to)
    if tile < 2 * SMALLEST_STEP:
        raise RunError(f"--tile is {tile}; at least {2 * SMALLEST_STEP} was expected.")
    done = Translated()
    work = list(files(Path(source), Path(out), way.made))
    for number, (path, target) in enumerate(work, start=1):
        try:
            made = translated_file(way, path, tile)
        except (BadImage, DataError) as error:
            done.failed.append((str(path), str(error)))
            say(f"{path}: {error}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        codec = way.made
        if made.shape[2] != codec.channels:
            codec = replace(codec, channels=made.shape[2])
        codec.save(made, target)
        done.written.append(target)
        say(f"{number} of {len(work)}: {target}")
    return done


def files(source: Path, out: Path, codec: Codec) -> Iterator[tuple[Path, Path]]:
    """Every picture to translate, and where the result goes.

    Raises:
        DataError: there is none.
        RunError: a file is in the way.
    """
    if source.is_file():
        whole = out / f"{source.stem}{codec.suffix}" if out.is_dir() or not out.suffix else out
        found = [(source, whole)]
    else:
        names = sorted(path for path in source.rglob("*") if path.is_file() and is_image(path.name))
        found = [(p, (out / p.relative_to(source)).with_suffix(codec.suffix)) for p in names]
    if not found:
        raise DataError(f"There is no picture to translate in {source}. Name a picture or a folder of some.")
    targets = [target for _, target in found]
    if len({*targets}) < len(targets):
        twice = next(target for target in targets if targets.count(target) > 1)
        raise DataError(f"Two pictures of {source} would both become {twice}. Rename one.")
    there = next((target for target in targets if target.exists()), None)
    if there is not None:
        raise RunError(f"{there} exists already and would be overwritten. Choose another place.")
    yield from found


def translated_file(way: Way, path: Path, tile: int) -> np.ndarray:
    """The translation of a file, as values `(h, w, c)`; with opacity, if it has some and the run knows none."""
    values = read(path)
    values, opacity = fitted(values, way.given)
    made = translated_values(way, values, tile)
    if opacity is None or made.shape[2] not in (1, 3):
        return made
    size = (made.shape[0], made.shape[1])
    share = torch.from_numpy(opacity)[None, None].float()
    if share.shape[2:] != size:
        share = F.interpolate(share, size, mode="bilinear", antialias=True)
    low, high = way.made.low[0], way.made.high[0]
    layer = low + share[0, 0].numpy() * (high - low)
    layer = np.rint(layer) if way.made.dtype != "float32" else layer
    return np.concatenate([made, layer[..., None].astype(made.dtype)], 2)


def read(path: Path) -> np.ndarray:
    """The values of a file, `(h, w, c)`."""
    try:
        with open(path, "rb") as stream:
            read_header(stream, path.name)
            stream.seek(0)
            return read_values(stream, path.name)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})") from error


def fitted(values: np.ndarray, codec: Codec) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture in the channels and the depth that a run takes, and its opacity from 0 to 1, if it is left over.

    Raises:
        DataError: it has a depth that the run does not take.
    """
    full = {"uint8": 255.0, "uint16": 65535.0}
    if str(values.dtype) != codec.dtype:
        if str(values.dtype) not in full or codec.dtype not in full:
            raise DataError(f"it holds {values.dtype}; {codec.dtype} was expected, as the run takes. Convert it.")
        factor = full[codec.dtype] / full[str(values.dtype)]
        values = np.rint(values.astype(np.float64) * factor).astype(codec.dtype)
    opacity = None
    if values.shape[2] in (2, 4) and codec.channels in (1, 3):
        opacity = values[..., -1].astype(np.float32) / full.get(codec.dtype, codec.high[0])
        values = values[..., :-1]
    if values.shape[2] in (1, 3) and codec.channels in (2, 4):
        solid = np.full((*values.shape[:2], 1), codec.high[0], values.dtype)
        values = np.concatenate([values, solid], 2)
    colours = values[..., :-1] if codec.channels in (2, 4) else values
    wanted = codec.channels - (codec.channels in (2, 4))
    if colours.shape[2] != wanted:
        grey = colours.astype(np.float64) @ np.array((0.299, 0.587, 0.114)) if colours.shape[2] == 3 else colours[..., 0]
        grey = np.rint(grey) if codec.dtype != "float32" else grey
        colours = np.repeat(grey[..., None].astype(values.dtype), wanted, 2)
        values = np.concatenate([colours, values[..., -1:]], 2) if codec.channels in (2, 4) else colours
    return values, opacity


def translated_values(way: Way, values: np.ndarray, tile: int) -> np.ndarray:
    """The translation of a picture's values, `(h, w, c)`; no more than some tiles are in memory as floats."""
    height, width, scale = *values.shape[:2], way.translator.scale
    shape = (height * scale, width * scale, way.made.channels)
    made = np.empty(shape, way.made.dtype)
    if max(height, width) <= tile:
        made[...] = decoded(way.made, way(encoded(way.given, values)))[0]
        return made
    if way.translator.reach is not None:
        paste(way, values, tile, made)
        return made
    made[...] = decoded(way.made, blended(way, values, tile)[None])[0]
    return made


def encoded(codec: Codec, values: np.ndarray) -> Tensor:
    """One picture in [-1, 1], `(1, c, h, w)`."""
    return codec.encode(np.ascontiguousarray(values[None].transpose(0, 3, 1, 2)))


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
    middles = [(a + tile + b) // 2 for a, b in zip(begin, begin[1:], strict=False)]
    return [0, *middles, side]


def paste(way: Way, values: np.ndarray, tile: int, made: np.ndarray) -> None:
    """Translate tile by tile into `made`: of each what its border cannot have changed."""
    margin, scale = way.translator.reach or 0, way.translator.scale
    tile = max(tile, 2 * margin + SMALLEST_STEP)
    height, width = values.shape[:2]
    tops, lefts = starts(height, tile, margin), starts(width, tile, margin)
    rows, columns = edges(tops, height, tile), edges(lefts, width, tile)
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            part = decoded(way.made, way(encoded(way.given, values[top : top + tile, left : left + tile])))[0]
            (a, b), (c, d) = rows[i : i + 2], columns[j : j + 2]
            inner = part[(a - top) * scale : (b - top) * scale, (c - left) * scale : (d - left) * scale]
            made[a * scale : b * scale, c * scale : d * scale] = inner


def blended(way: Way, values: np.ndarray, tile: int) -> Tensor:
    """Tiles that fade into each other, `(c, h, w)`: what a network sees of all of a tile differs from tile to tile."""
    margin = min(BLENDED, tile // 4)
    height, width = values.shape[:2]
    scale = way.translator.scale
    total = torch.zeros(way.made.channels, height * scale, width * scale)
    weights = torch.zeros(1, height * scale, width * scale)
    for top in starts(height, tile, margin):
        for left in starts(width, tile, margin):
            part = way(encoded(way.given, values[top : top + tile, left : left + tile]))[0]
            fade = faded(part.shape[1], top > 0, top + tile < height, margin * scale)[:, None]
            fade = fade * faded(part.shape[2], left > 0, left + tile < width, margin * scale)
            rows, columns = slice(top * scale, top * scale + part.shape[1]), slice(left * scale, left * scale + part.shape[2])
            total[:, rows, columns] += part * fade
            weights[:, rows, columns] += fade
    return total / weights


def faded(side: int, before: bool, after: bool, margin: int) -> Tensor:
    """How much each place of a tile's side counts: less and less towards a neighbour."""
    place = torch.arange(side) + 0.5
    share = torch.ones(side)
    if before:
        share = share.minimum(place / (2 * margin))
    if after:
        share = share.minimum((side - place) / (2 * margin))
    return share.clamp_min(1e-3)
