"""What `tenfold explore` does: sheets and films of a run's space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .data import Codec
from .data.decode import read_header, read_values
from .data.grid import fit_grid
from .data.parts import BadImage
from .data.resize import fit_image, pad
from .errors import DataError, RunError, suggest
from .explore.film import SUFFIXES, film
from .explore.projection import project
from .explore.space import space_of
from .explore.walks import By, along, classes, codes, directions, interpolation, mixing, truncation
from .metrics.classifier import Classifier
from .metrics.features import Pixels
from .report.sheet import sheet
from .run import Run
from .samples import SHEETS

PSIS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
OF_ONE = ("walk", "truncate", "mix", "directions")  # that show samples of one class
APART = 64  # samples of which two are so far apart
MOVING = ("walk", "classes")  # of which a film can be made
STEPS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Wish:
    """What is to be explored, and how.

    Attributes:
        what: walk, truncate, mix, classes, codes, directions or project.
        count: samples, or stops of a walk.
        frames: from one stop to the next.
        layer: at which styles change; None for the middle one.
        direction: number of the direction.
        by: how directions are found.
        picture: file to project.
        label: class that is asked for.
        seed: of the samples.
    """

    what: str
    count: int = 8
    frames: int = 20
    layer: int | None = None
    direction: int | None = None
    by: By = "weights"
    picture: str | None = None
    label: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class View:
    """Pictures, and how they are laid out.

    Attributes:
        pictures: `(n, c, h, w)` in [-1, 1].
        columns: of a sheet; or pictures side by side in each frame of a film.
        labels: names of its rows.
        facts: what else was found.
        skip: of the frames of a film, every so many-th is on a sheet.
        across: columns of that sheet, if they are not those of a frame.
    """

    pictures: Tensor
    columns: int
    labels: Sequence[str] | None = None
    facts: Mapping[str, Any] | None = None
    skip: int = 1
    across: int | None = None


def explore(run: Run, wish: Wish, out: str | Path) -> Mapping[str, Any]:
    """Write what is wished for as a sheet or, if the file's name ends like one, as a film.

    Args:
        run: a run on pictures.
        wish: what to look at.
        out: a picture's or a film's file.

    Returns:
        The file, and what was found.

    Raises:
        RunError, DataError: the run, the class, the file or the picture does not suit.
    """
    refuse_other_suffix(out)
    if run.spec.kind != "images":
        raise RunError(f"{run.path} makes {run.spec.kind}; pictures were expected. Name a run on pictures.")
    moves = Path(out).suffix.lower() in SUFFIXES
    if moves and wish.what not in MOVING:
        raise RunError(f"{wish.what} gives a sheet and no film. Name a file that ends with .png.")
    view = KINDS[wish.what](run, wish)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    shown = run.codec.preview(view.pictures)
    if moves:
        film(in_frames(shown, view.columns), out)
    else:
        rows = shown.reshape(-1, view.columns, *shown.shape[1:])[:: view.skip].reshape(-1, *shown.shape[1:])
        sheet(rows, view.across or view.columns, labels=view.labels).save(out)
    one = run.classes and wish.what in OF_ONE
    of = {"class": run.classes[label_number(run, wish.label) or 0]} if one else {}
    return {"out": str(out), **of, **(view.facts or {})}


def refuse_other_suffix(out: str | Path) -> None:
    """Raises a RunError if a file is neither a picture nor a film."""
    if Path(out).suffix.lower() not in (*SHEETS, *SUFFIXES):
        raise RunError(f"{out} ends like neither a picture nor a film. Use .png, .gif or .mp4.")


def in_frames(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Each row of a sheet as one frame."""
    n, height, width, channels = pictures.shape
    rows = pictures.reshape(n // columns, columns, height, width, channels)
    return rows.transpose(0, 2, 1, 3, 4).reshape(n // columns, height, columns * width, channels)


def label_number(run: Run, label: str | None) -> int | None:
    """The number of a class; that of the first where one is needed and none is named."""
    if not run.classes:
        if label is not None:
            raise RunError(f"{run.path} knows no classes. Leave --label out.")
        return None
    if label is not None and label not in run.classes:
        raise RunError(f"there is no class {label!r}. {suggest(label, run.classes)}")
    return 0 if label is None else run.classes.index(label)


def walk(run: Run, wish: Wish) -> View:
    """A round trip through samples."""
    space, label = space_of(run.sampler), label_number(run, wish.label)
    frames = interpolation(space, wish.count, wish.frames, wish.seed, label, sight(run))
    return View(frames, 1, skip=max(1, wish.frames // 4), across=min(4, wish.frames))


def truncate(run: Run, wish: Wish) -> View:
    """The same samples, moved towards the middle."""
    space, label = space_of(run.sampler), label_number(run, wish.label)
    names = [f"psi {psi:g}" for psi in PSIS]
    return View(truncation(space, PSIS, wish.count, wish.seed, label), wish.count, names)


def mix(run: Run, wish: Wish) -> View:
    """Coarse layers of one sample, fine layers of another."""
    pictures = mixing(space_of(run.sampler), wish.count, wish.layer, wish.seed, label_number(run, wish.label))
    return View(pictures, wish.count + 1)


def through_classes(run: Run, wish: Wish) -> View:
    """The same samples on a way through all classes."""
    if not run.classes:
        raise RunError(f"{run.path} knows no classes. Explore a run of a conditional recipe, such as r3gan.")
    pictures = classes(space_of(run.sampler), len(run.classes), wish.frames, wish.count, wish.seed)
    skip = max(1, wish.frames // 4)
    frames = range(0, len(run.classes) * wish.frames, skip)
    names = [run.classes[i // wish.frames] if i % wish.frames < skip else "" for i in frames]
    return View(pictures, wish.count, names, skip=skip)


def all_codes(run: Run, wish: Wish) -> View:
    """What InfoGAN's codes change."""
    pictures, categories = codes(run.sampler, wish.count, wish.seed)
    rows = len(pictures) // wish.count
    return View(
        pictures,
        wish.count,
        [f"category {i}" for i in range(categories)] + [f"code {i}" for i in range(rows - categories)],
    )


def strongest_directions(run: Run, wish: Wish) -> View:
    """What changes along the strongest directions, or along one of them."""
    space, label = space_of(run.sampler), label_number(run, wish.label)
    found = directions(space, wish.count if wish.direction is None else None, wish.by, wish.seed)
    if wish.direction is not None:
        if not 0 <= wish.direction < len(found):
            raise RunError(
                f"--direction is {wish.direction}; 0 to {len(found) - 1} were expected, the strongest first."
            )
        pictures = along(space, found[wish.direction], STEPS, wish.count, wish.seed, label)
        return View(pictures, len(STEPS))
    rows = [along(space, direction, STEPS, 1, wish.seed, label) for direction in found]
    return View(torch.cat(rows), len(STEPS), [f"direction {i}" for i in range(len(found))])


def projection(run: Run, wish: Wish) -> View:
    """A given picture, and the one most like it that the run can make."""
    if wish.picture is None:
        raise RunError("there is no picture to project. Name one with --picture FILE.")
    picture, note = read_picture(run.codec, wish.picture)
    among = range(len(run.classes)) if wish.label is None else [label_number(run, wish.label) or 0]
    describe = sight(run)
    found = project(space_of(run.sampler), picture, describe, labels=among, seed=wish.seed)
    others = describe(run.sample(APART, seed=wish.seed).values)
    apart = torch.pdist(others).square().mean().sqrt().item() / others.shape[1] ** 0.5
    facts: dict[str, Any] = {"distance": round(found.distance, 4), "apart": round(apart, 4)}
    facts |= {"picture": note, "point": found.point[0].tolist()}
    facts |= {} if found.label is None else {"class": run.classes[found.label]}
    return View(torch.cat([picture, found.picture]), 2, facts=facts)


def sight(run: Run) -> Callable[[Tensor], Tensor]:
    """What two pictures are alike in, beside their pixels: what the run's classifier sees, if it has one.

    Gradients flow through it.
    """
    path = run.path / "features.safetensors"
    if not path.is_file():
        return Pixels()
    body = Classifier.load(path).network.body.requires_grad_(False)
    return lambda x: body(x)


def read_picture(codec: Codec, path: str) -> tuple[Tensor, str]:
    """One picture as a run's networks see it, `(1, c, h, w)`; and what was done to its size, if anything.

    Raises:
        DataError: it cannot be read, or has other channels or another depth than what the run makes.
    """
    try:
        with open(path, "rb") as stream:
            read_header(stream, path)
            stream.seek(0)
            values = read_values(stream, path)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}). Name a picture.") from error
    except BadImage as error:
        raise DataError(f"{path} is no picture that can be read: {error}.") from error
    found, expected = (values.shape[2], str(values.dtype)), (codec.channels, codec.dtype)
    if found != expected:
        raise DataError(
            f"{path} has {found[0]} channels of {found[1]}; {expected[0]} of {expected[1]} were expected, as "
            "the run makes. Convert it."
        )
    height, width = values.shape[:2]
    fitted = fit_image(values, codec.height, codec.width)
    grid = fit_grid(codec.height, codec.width)
    stored = pad(fitted[None], grid).transpose(0, 3, 1, 2)
    note = "" if fitted.shape == values.shape else f"cropped and resized from {width}x{height} pixels"
    return codec.encode(np.ascontiguousarray(stored)), note


KINDS: Mapping[str, Callable[[Run, Wish], View]] = {
    "walk": walk,
    "truncate": truncate,
    "mix": mix,
    "classes": through_classes,
    "codes": all_codes,
    "directions": strongest_directions,
    "project": projection,
}
