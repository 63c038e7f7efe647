"""Data that are larger: the real samples and made ones beside them, ready to train on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .choosing import by_name
from .data import Dataset, LoadOptions, open_data
from .errors import DataError, RecipeError, RunError
from .fitting import fit
from .opening import load_options
from .options import Options, options_from
from .recipe import Recipe, recipe_name, refuse_translator
from .run import Run
from .samples import LISTING, folder_names, refuse_filled


def enlarge(
    data: str | Path,
    *,
    per_class: int,
    out: str | Path,
    run: str | Path | None = None,
    recipe: str | None = None,
    budget: str | None = None,
    seed: int = 0,
    options: Options = Options(),
) -> Path:
    """Write the real samples and `per_class` made ones of each class into one folder.

    `metadata.jsonl` says of each file whether it is real or made, and which real ones were held out.

    Args:
        data: labelled images (or unlabelled: then `per_class` in all).
        per_class: made samples of each class.
        out: a folder that does not exist or is empty.
        run: trained on these data, which are opened as for it; None to train one now, in `<out>-run`.
        recipe, budget, options: of that training; a given run has its own.
        seed: of the made samples, and of that training.

    Raises:
        RunError, RecipeError: if the folder is not empty, or run or recipe cannot make samples of these data.
    """
    folder, trained = Path(out), Run(run) if run is not None else None
    refuse_translation(recipe, trained, options.start)
    dataset = open_data(data, load_options(options, seed) if trained is None else opened_by(trained))
    refuse(folder, per_class, dataset)
    if trained is None:
        name = name_of(recipe, dataset, options)
        where = folder.with_name(folder.name + "-run")
        trained = fit(data, name, budget=budget, out=where, seed=seed, options=options)
    refuse_other(trained, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LISTING).open("w") as listing:
        for row in (*write_real(dataset, folder), *write_made(trained, dataset, per_class, folder, seed)):
            listing.write(json.dumps(row) + "\n")
    return folder


def name_of(recipe: str | None, dataset: Dataset, options: Options) -> str | None:
    """The recipe that is to be trained; captions, if there are any, would choose another than pictures do.

    Raises:
        RecipeError: it cannot make samples of each class.
    """
    chosen = by_name(recipe, device=options.device)(dataset.spec, None)[0]
    refuse_unconditional(chosen, dataset)
    return recipe if options.start is not None else recipe_name(chosen)


def opened_by(run: Run) -> LoadOptions:
    """How a run opened its data; opened otherwise, other samples would be held out."""
    return load_options(options_from(run.facts["options"]), run.facts["seed"])


def refuse_translation(recipe: str | None, trained: Run | None, start: str | None) -> None:
    """Raises a RecipeError if samples would be made by a recipe that makes pictures of others.

    Args:
        recipe: its name; None for that of a run, or one that the data choose.
        trained: the run that makes the samples, if there is one.
        start: the run from which another starts, whose recipe it has if none is named.
    """
    run = Run(start) if trained is None and recipe is None and start is not None else trained
    name = recipe if run is None else recipe_name(run.recipe)
    if name is not None:
        refuse_translator(name, "--recipe r3gan")


def refuse(folder: Path, per_class: int, dataset: Dataset) -> None:
    """Raises an error if there is something in the folder, nothing to make, or no images."""
    refuse_filled(folder)
    if per_class < 1:
        raise RecipeError(f"--per-class is {per_class}; at least 1 was expected.")
    if dataset.spec.kind != "images":
        raise DataError(
            f"{dataset.source} holds {dataset.spec.kind}; images were expected. Sample a run instead."
        )


def refuse_other(run: Run, dataset: Dataset) -> None:
    """Raises an error if a run was trained on other data, or cannot make samples of their classes."""
    if run.facts["fingerprint"] != dataset.fingerprint:
        raise RunError(
            f"{run.path} was trained on other data than {dataset.source}. Leave out --run, or name its data."
        )
    refuse_unconditional(run.recipe, dataset)


def refuse_unconditional(recipe: Recipe, dataset: Dataset) -> None:
    """Raises a RecipeError if samples of each class are wanted of a recipe that knows no classes."""
    classes = dataset.spec.classes
    if len(classes) > 1 and not recipe.conditions(dataset.spec):
        raise RecipeError(
            f"the data have {len(classes)} classes, and recipe {recipe_name(recipe)!r} cannot make "
            "samples of one of them. Train one that can, --recipe r3gan, with two training images of each."
        )


def write_real(dataset: Dataset, folder: Path) -> list[dict[str, Any]]:
    """The real samples as the networks saw them, in the size of the made ones."""
    rows: list[dict[str, Any]] = []
    write = writer(dataset, folder)
    for part, split in (("train", dataset.train), ("holdout", dataset.holdout)):
        for start in range(0, 0 if split is None else len(split), 512):
            assert split is not None
            index = np.arange(start, min(start + 512, len(split)))
            pictures = dataset.codec.decode(split.gather(index)["real"])
            for i, picture in zip(index.tolist(), pictures, strict=True):
                label = None if split.labels is None else dataset.spec.classes[split.labels[i]]
                rows.append(write(picture, f"real-{part}-{i:06d}", label))
                rows[-1] |= {"origin": "real", "part": part, "source": str(split.names[i])}
    return rows


def write_made(run: Run, dataset: Dataset, per_class: int, folder: Path, seed: int) -> list[dict[str, Any]]:
    """Made samples, class by class; of a single class, all are, whether or not the run knows it."""
    rows: list[dict[str, Any]] = []
    write = writer(dataset, folder)
    for label in dataset.spec.classes or (None,):
        for start in range(0, per_class, 512):
            count = min(512, per_class - start)
            samples = run.sample(count, label=label if run.classes else None, seed=seed, first=start)
            for i, picture in enumerate(samples.numpy(), start):
                rows.append(write(picture, f"made-{i:06d}", label) | {"origin": "made", "index": i})
    return rows


def writer(dataset: Dataset, folder: Path) -> Callable[[np.ndarray, str, str | None], dict[str, Any]]:
    """What writes a picture of some name and label, and returns its row of the listing."""
    folders: dict[str | None, str] = {None: "", **folder_names(dataset.spec.classes)}

    def write(picture: np.ndarray, name: str, label: str | None) -> dict[str, Any]:
        file = Path(folders[label], name + dataset.codec.suffix)
        (folder / file).parent.mkdir(exist_ok=True)
        dataset.codec.save(picture, folder / file)
        return {"file_name": file.as_posix()} | ({} if label is None else {"label": label})

    return write
