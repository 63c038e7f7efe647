"""What `tenfold translate` does: pictures of any size made of others, in tiles if they are large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .data.codec import Codec
from .data.decode import is_image, read_header, read_inks, read_values
from .data.tree import is_hidden
from .degrade import LUMA
from .errors import DataError, MissingExtra, RunError, suggest
from .game import Translator
from .run import Run
from .watching.progress import Say, told

TILE = 256  # pixels of a tile's side, of what is given
AT_ONCE = 512 * 512  # pixels that are made at once, in tiles: more take memory rather than less time
BLENDED = 32  # pixels from a tile's border in which it fades into the next
SMALLEST_STEP = 16  # pixels by which tiles advance at least
SUFFIXES = (".png", ".tif", ".tiff", ".npy")  # of files that keep every value


def silent(text: str) -> None:
    """Tells nobody."""


@dataclass
class Translated:
    """What became of some files.

    Attributes:
        written: files that were made.
        failed: names of those that could not be translated, and why.
        converted: names of those that were converted before, and into what.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    converted: list[tuple[str, str]] = field(default_factory=list)


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


def way_of(run: Run, to: str | None = None) -> Way:
    """The way to a side.

    Raises:
        RunError: the run makes no translations, or has no such side.
    """
    translator = run.sampler
    if not isinstance(translator, Translator):
        raise RunError(
            f"{run.path} makes samples from noise and no translations: its recipe is "
            f"{run.facts['recipe']!r}. Use tenfold sample, or train a translation: --recipe pix2pix, cut, "
            "cyclegan or srgan."
        )
    source, target = run.facts["sides"]
    ends = {target: False} | ({source: True} if translator.ways == 2 else {})
    asked = to or target
    if asked not in ends:
        asked = str(Path(asked))  # a folder may be named with a slash at its end
    if asked not in ends:
        raise RunError(f"{run.path} does not translate into {to!r}. {suggest(asked, ends)}")
    given, made = run.given_codec, run.codec
    if ends[asked]:
        return Way(translator, True, made, given)
    fills = run.recipe.degradation(run.spec) is not None and given.channels > made.channels
    return Way(translator, False, given, made, holes=fills)


def translate(
    run: Run,
    source: str | Path,
    out: str | Path,
    *,
    to: str | None = None,
    tile: int = TILE,
    say: Say = silent,
) -> Translated:
    """Translate a picture, or every picture of a folder; names stay, and so does opacity.

    Args:
        run: a run of a translation. One that fills holes finds them where pictures are transparent.
        source: a picture, or a folder, whose own folders are kept. Pictures for print (CMYK) become RGB.
        out: a picture's file, or a folder.
        to: the side to translate into, where there are two ways.
        tile: pixels of a side above which a picture is translated in parts.
        say: told how far it is, also within a picture that takes long.

    Raises:
        RunError, DataError: the run makes no translations, a file is in the way, or there is no picture.
    """
    way = way_of(run, to)
    if tile < 2 * SMALLEST_STEP:
        raise RunError(f"--tile is {tile}; at least {2 * SMALLEST_STEP} was expected.")
    done = Translated()
    work = files(Path(source), Path(out), way.made)
    for number, (path, target) in enumerate(work, start=1):
        here = f"{number} of {len(work)}"
        try:
            values, note = read(path)
            save(with_opacity(way, values, tile, about(f"{here}: {path}", say)), target, way.made)
        except (DataError, MissingExtra) as error:
            done.failed.append((str(path), str(error)))
            say(f"{here}: {path} is left out: {error}")
            continue
        done.written.append(target)
        done.converted += [(str(path), note)] if note else []
        say(f"{here}: {target}" + (f" ({note})" if note else ""))
    return done


def about(what: str, say: Say) -> Say:
    """The same, which begins with what it is about."""
    return lambda text: say(f"{what}: {text}")


def files(source: Path, out: Path, codec: Codec) -> list[tuple[Path, Path]]:
    """Every picture to translate, and where the result goes.

    Raises:
        DataError: there is none, or two would become one.
        RunError: a file is in the way, or cannot hold a picture.
    """
    if source.is_file():
        whole = out / f"{source.stem}{codec.suffix}" if out.is_dir() or not out.suffix else out
        found = [(source, whole)]
    else:
        names = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
        seen = [name for name in names if is_image(name.name) and not is_hidden(name.as_posix())]
        found = [(source / name, (out / name).with_suffix(codec.suffix)) for name in seen]
    if not found:
        raise DataError(f"There is no picture to translate in {source}. Name a picture or a folder of some.")
    first: dict[Path, Path] = {}
    for path, target in found:
        if first.setdefault(target, path) != path:
            raise DataError(f"{first[target]} and {path} would both become {target}. Rename one.")
        if target.suffix.lower() not in SUFFIXES:
            known = ", ".join(SUFFIXES)
            raise RunError(f"{target} does not end like a file that keeps every value; {known} do.")
        if target.exists():
            raise RunError(f"{target} exists already and would be overwritten. Choose another place.")
    return found


def save(values: np.ndarray, target: Path, codec: Codec) -> None:
    """Write a picture, which may have opacity that the run knows nothing of."""
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(codec, channels=values.shape[2]).save(values, target)


def with_opacity(way: Way, values: np.ndarray, tile: int, say: Say) -> np.ndarray:
    """The translation of a picture, `(h, w, c)`; with its opacity, if it has some and the run knows none."""
    values, opacity = fitted(values, way.given)
    made = translated_values(way, values, tile, say)
    if opacity is None or made.shape[2] not in (1, 3):
        return made
    size = (made.shape[0], made.shape[1])
    share = torch.from_numpy(opacity)[None, None]
    if share.shape[2:] != size:
        share = F.interpolate(share, size, mode="bilinear", antialias=True)
    low, high = way.made.low[0], way.made.high[0]
    layer = low + share[0, 0].numpy() * (high - low)
    layer = np.rint(layer) if way.made.dtype != "float32" else layer
    return np.concatenate([made, layer[..., None].astype(made.dtype)], 2)


def read(path: Path) -> tuple[np.ndarray, str]:
    """The values of a file, `(h, w, c)`, and into what they were converted; mostly into nothing else.

    Raises:
        DataError: it cannot be read, or holds values that are not finite.
    """
    try:
        with path.open("rb") as stream:
            values = read_inks(stream, path.name)
            if values is not None:
                return values, "CMYK became RGB"
            stream.seek(0)
            read_header(stream, path.name)
            stream.seek(0)
            values = read_values(stream, path.name)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})") from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError("it holds NaN or infinite values")
    return values, ""


def fitted(values: np.ndarray, codec: Codec) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture in the channels and depth that a run takes; and opacity from 0 to 1, if it is left over.

    Raises:
        DataError: it has a depth that the run does not take.
    """
    values, opacity, low, high = in_depth(values, codec.dtype), None, codec.low[0], codec.high[0]
    layered = codec.channels in (2, 4)
    if values.shape[2] in (2, 4) and not layered:
        opacity = (values[..., -1].astype(np.float32) - low) / (high - low)
        values = values[..., :-1]
    elif values.shape[2] in (1, 3) and layered:
        solid = np.full((*values.shape[:2], 1), high, values.dtype)
        values = np.concatenate([values, solid], 2)
    colours = in_colours(values[..., :-1] if layered else values, codec.channels - layered)
    return (np.concatenate([colours, values[..., -1:]], 2) if layered else colours), opacity


def in_depth(values: np.ndarray, dtype: str) -> np.ndarray:
    """The same picture in 8 or 16 bit, as a run takes it.

    Raises:
        DataError: one of the two is float, of which nobody knows the range.
    """
    full = {"uint8": 255.0, "uint16": 65535.0}
    found = str(values.dtype)
    if found == dtype:
        return values
    if found not in full or dtype not in full:
        raise DataError(f"it holds {found}; {dtype} was expected, as the run takes. Convert it.")
    return np.rint(values.astype(np.float32) * np.float32(full[dtype] / full[found])).astype(dtype)


def in_colours(values: np.ndarray, channels: int) -> np.ndarray:
    """A picture without opacity in one channel or in three."""
    if values.shape[2] == channels:
        return values
    if channels == 3:
        return np.repeat(values, 3, 2)
    grey = values @ np.array(LUMA, np.float32)
    return (np.rint(grey) if values.dtype.kind == "u" else grey).astype(values.dtype)[..., None]


def translated_values(way: Way, values: np.ndarray, tile: int, say: Say = silent) -> np.ndarray:
    """The translation of a picture's values, `(h, w, c)`; of a large one, tile by tile."""
    height, width, scale = *values.shape[:2], way.translator.scale
    made = np.empty((height * scale, width * scale, way.made.channels), way.made.dtype)
    if max(height, width) <= tile:
        made[...] = decoded(way.made, way(encoded(way.given, values)))[0]
    elif way.translator.reach is None:
        blend(way, values, tile, made, say)
    else:
        paste(way, values, tile, made, say)
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
    middles = [(a + tile + b) // 2 for a, b in pairwise(begin)]
    return [0, *middles, side]


def tiles(
    way: Way, values: np.ndarray, tile: int, margin: int, say: Say
) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Where each tile begins, and what is made of it, `(c, h, w)`; a few at once."""
    height, width = values.shape[:2]
    corners = [(a, b) for a in starts(height, tile, margin) for b in starts(width, tile, margin)]
    pixels = min(height, tile) * min(width, tile) * way.translator.scale**2
    many = max(1, AT_ONCE // pixels)
    steps = [slice(i, min(i + many, len(corners))) for i in range(0, len(corners), many)]
    for step in told(steps, len(corners), "tiles", say):
        some = corners[step]
        given = [encoded(way.given, values[a : a + tile, b : b + tile]) for a, b in some]
        yield from zip(some, way(torch.cat(given)), strict=True)


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
