"""Data that are larger: the real samples and made ones beside them, ready to train on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .data import Dataset, open_data
from .errors import DataError, RecipeError, RunError
from .fitting import fit
from .plan import Options, load_options
from .run import Run


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
        run: a run trained on these data; None to train one now, in `<out>-run`.
        recipe, budget, seed, options: of that training.

    Raises:
        RunError: if the folder is not empty or the run was trained on other data.
    """
    folder, dataset = Path(out), open_data(data, load_options(options, seed))
    refuse(folder, per_class, dataset)
    trained = Run(run) if run is not None else None
    if trained is None:
        where = folder.with_name(folder.name + "-run")
        trained = fit(data, recipe, budget=budget, out=where, seed=seed, options=options)
    if trained.facts["fingerprint"] != dataset.fingerprint:
        raise RunError(
            f"{trained.path} was trained on other data than {data}. Leave --run out, or give its data."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metadata.jsonl").open("w") as listing:
        for row in (*write_real(dataset, folder), *write_made(trained, per_class, folder, seed)):
            listing.write(json.dumps(row) + "\n")
    return folder


def refuse(folder: Path, per_class: int, dataset: Dataset) -> None:
    """Raises an error if there is something in the folder, nothing to make, or no images."""
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} exists and is not empty. Choose another --out.")
    if per_class < 1:
        raise RecipeError(f"--per-class is {per_class}; at least 1 was expected.")
    if dataset.spec.kind != "images":
        raise DataError(
            f"{dataset.source} holds {dataset.spec.kind}; images were expected. Sample a run instead."
        )


def write_real(dataset: Dataset, folder: Path) -> list[dict[str, Any]]:
    """The real samples as the networks saw them, in the size of the made ones."""
    rows: list[dict[str, Any]] = []
    for part, split in (("train", dataset.train), ("holdout", dataset.holdout)):
        for start in range(0, 0 if split is None else len(split), 512):
            assert split is not None
            index = np.arange(start, min(start + 512, len(split)))
            pictures = dataset.codec.decode(split.gather(index)["real"])
            for i, picture in zip(index.tolist(), pictures, strict=True):
                label = "" if split.labels is None else dataset.spec.classes[split.labels[i]]
                name = Path(label) / f"real-{part}-{i:06d}{dataset.codec.suffix}"
                rows.append(write_one(dataset, folder, name, picture, label))
                rows[-1] |= {"origin": "real", "part": part, "source": str(split.names[i])}
    return rows


def write_made(run: Run, per_class: int, folder: Path, seed: int) -> list[dict[str, Any]]:
    """Made samples, class by class."""
    rows: list[dict[str, Any]] = []
    for label in run.classes or ("",):
        for start in range(0, per_class, 512):
            count = min(512, per_class - start)
            samples = run.sample(count, label=label or None, seed=seed, first=start)
            for i, picture in enumerate(samples.numpy(), start):
                name = Path(label) / f"made-{i:06d}{run.codec.suffix}"
                rows.append(write_one(run, folder, name, picture, label) | {"origin": "made", "index": i})
    return rows


def write_one(
    source: Dataset | Run, folder: Path, name: Path, picture: np.ndarray, label: str
) -> dict[str, Any]:
    """One file, and its row of the listing."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    source.codec.save(picture, folder / name)
    return {"file_name": str(name)} | ({"label": label} if label else {})
