"""What `tenfold translate` does: pictures of any size made of others, in tiles if they are large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .data.codec import Codec
from .data.decode import is_image, read_header, read_inks, read_values
from .data.tree import is_hidden
from .degrade import LUMA
from .errors import DataError, MissingExtra, RunError, suggest
from .game import Translator
from .run import Run
from .tiling import SMALLEST_STEP, TILE, Way, at_once, silent, translated_together, translated_values
from .watching.progress import Say

SUFFIXES = (".png", ".tif", ".tiff", ".npy")  # of files that keep every value
DEEP = ".tif"  # for what has opacity and 16 bit, which .png does not take from us
FAR = 2  # times as large as what was learnt from: worth a word


@dataclass
class Translated:
    """What became of some files.

    Attributes:
        written: files that were made.
        kept: files that were there already, and were left as they are.
        failed: names of those that could not be translated, and why.
        notes: names of those of which there is something to say, and what.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """One picture.

    Attributes:
        here: which of how many.
        source, target: files.
        values: `(h, w, c)`, as the run takes them.
        opacity: from 0 to 1, `(h, w)`, if it is left over.
        notes: what there is to say of it.
    """

    here: str
    source: Path
    target: Path
    values: np.ndarray
    opacity: np.ndarray | None
    notes: tuple[str, ...]


def way_of(run: Run, to: str | None = None) -> Way:
    """The way to a side.

    Raises:
        RunError: the run makes no translations, or has no such side.
    """
    translator = run.sampler
    if not isinstance(translator, Translator):
        others = "train a translation: --recipe pix2pix, cut, cyclegan or srgan."
        if run.spec.kind == "texts":
            others = "train one on pairs of texts: --recipe seq2seq_gan"
        raise RunError(
            f"{run.path} makes samples from noise and no translations: its recipe is "
            f"{run.facts['recipe']!r}. Use tenfold sample, or {others}"
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
        out: a picture's file, or a folder; what is there already is left as it is.
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
    for some in together(tasks(way, files(Path(source), Path(out), way.made), done, say), way, tile):
        for task, made in zip(some, translations(way, some, tile, say), strict=True):
            keep(task, made, way.made, done, say)
    return done


def tasks(way: Way, work: list[tuple[Path, Path]], done: Translated, say: Say) -> Iterator[Task]:
    """Every picture that can be read and is not there yet."""
    for number, (path, target) in enumerate(work, start=1):
        here = f"{number} of {len(work)}"
        there = next((file for file in (target, target.with_suffix(DEEP)) if file.exists()), None)
        if there is not None:
            done.kept.append(there)
            continue
        try:
            values, notes = read(path)
            notes += said_of(values, way)
            yield Task(here, path, target, *fitted(values, way.given), tuple(notes))
        except (DataError, MissingExtra) as error:
            leave_out(here, path, error, done, say)


def leave_out(here: str, path: Path, error: Exception, done: Translated, say: Say) -> None:
    """Note that a picture could not be translated."""
    done.failed.append((str(path), str(error)))
    say(f"{here}: {path} is left out: {error}")


def together(each: Iterable[Task], way: Way, tile: int) -> Iterator[list[Task]]:
    """Small pictures of one size that follow each other; large ones alone."""
    some: list[Task] = []
    for task in each:
        height, width = task.values.shape[:2]
        many = at_once(way, height * width) if max(height, width) <= tile else 1
        if some and (len(some) >= many or some[0].values.shape != task.values.shape):
            yield some
            some = []
        some.append(task)
    if some:
        yield some


def translations(way: Way, some: list[Task], tile: int, say: Say) -> Iterator[np.ndarray]:
    """What is made of each of some pictures, `(h, w, c)`, with its opacity if the run knows none."""
    if len(some) > 1:
        whole = translated_together(way, np.stack([task.values for task in some]))
        for task, made in zip(some, whole, strict=True):
            layer = opacity_like(made, task.opacity, way.made)
            yield made if layer is None else np.dstack([made, layer])
        return
    (task,) = some
    more = int(task.opacity is not None and way.made.channels in (1, 3))
    about = lambda text: say(f"{task.here}: {task.source}: {text}")
    made = translated_values(way, task.values, tile, about, more=more)
    layer = opacity_like(made, task.opacity, way.made)
    if layer is not None:
        made[..., -1] = layer
    yield made


def keep(task: Task, made: np.ndarray, codec: Codec, done: Translated, say: Say) -> None:
    """Write a translation; a file is there whole or not at all."""
    deep = codec.dtype == "uint16" and made.shape[2] > codec.channels and task.target.suffix.lower() == ".png"
    target = task.target.with_suffix(DEEP) if deep else task.target
    fresh = target.with_name(f".{target.stem}.new{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(codec, channels=made.shape[2]).save(made, fresh)
        fresh.replace(target)
    except (DataError, MissingExtra, OSError) as error:
        leave_out(task.here, task.source, error, done, say)
        return
    finally:
        fresh.unlink(missing_ok=True)
    done.written.append(target)
    note = ", ".join(task.notes)
    done.notes += [(str(task.source), note)] if note else []
    say(f"{task.here}: {target}" + (f" ({note})" if note else ""))


def files(source: Path, out: Path, codec: Codec) -> list[tuple[Path, Path]]:
    """Every picture to translate, and where the result goes.

    Raises:
        DataError: there is none, or two would become one.
        RunError: a file is in the way, or cannot hold a picture, or results would lie among what is given.
    """
    if not source.exists():
        raise DataError(f"{source} is not there. Name a picture or a folder of some.")
    if source.is_file():
        whole = out / f"{source.stem}{codec.suffix}" if out.is_dir() or not out.suffix else out
        found = [(source, whole)]
        if whole.exists():
            raise RunError(f"{whole} exists already and would be overwritten. Choose another place.")
    else:
        if out.resolve().is_relative_to(source.resolve()):
            raise RunError(
                f"{out} is in {source}: what is made would be taken for what is given the next time. Choose "
                "another place."
            )
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
    return found


def opacity_like(made: np.ndarray, opacity: np.ndarray | None, codec: Codec) -> np.ndarray | None:
    """The opacity of a picture in the size and the values of what is made, `(h, w)`; None if it has none."""
    if opacity is None or codec.channels not in (1, 3):
        return None
    low, high = codec.low[0], codec.high[0]
    values = low + opacity * (high - low)
    values = values if codec.dtype == "float32" else np.rint(values)
    if opacity.shape == made.shape[:2]:
        return values.astype(made.dtype)
    layer = torch.from_numpy(values.astype("uint8" if codec.dtype == "uint8" else "float32"))[None, None]
    return F.interpolate(layer, made.shape[:2], mode="bilinear", antialias=True)[0, 0].numpy()


def read(path: Path) -> tuple[np.ndarray, list[str]]:
    """The values of a file, `(h, w, c)`, and what there is to say of how it was read.

    Raises:
        DataError: it cannot be read, or holds values that are not finite.
    """
    try:
        with path.open("rb") as stream:
            values = read_inks(stream, path.name)
            if values is not None:
                return values, ["CMYK became RGB"]
            stream.seek(0)
            pages = read_header(stream, path.name).pages
            stream.seek(0)
            values = read_values(stream, path.name)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})") from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError("it holds NaN or infinite values")
    return values, [f"the first of its {pages} pages"] if pages > 1 else []


def said_of(values: np.ndarray, way: Way) -> list[str]:
    """What a person should know of a picture that a run takes otherwise than it is."""
    codec, (height, width, channels) = way.given, values.shape
    colours = codec.channels - (codec.channels in (2, 4))
    notes = ["16 bit became 8"] if (str(values.dtype), codec.dtype) == ("uint16", "uint8") else []
    notes += ["colours became grey"] if channels >= 3 and colours == 1 else []
    if way.holes and not (channels in (2, 4) and (values[..., -1] < values[..., -1].max()).any()):
        notes.append("it has no hole: make it transparent where something is missing")
    if max(height, width) > FAR * max(codec.height, codec.width):
        notes.append(f"learnt at {codec.width}x{codec.height} pixels, translated at {width}x{height}")
    return notes


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
