"""The demonstration: learn half of scikit-learn's handwritten digits, judge by the other half."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np

from .errors import RunError, TenfoldError

if TYPE_CHECKING:
    from .data import Dataset
    from .data.order import Rows
    from .metrics.classifier import Classifier
    from .run import Run

BUDGET = "200s"
MADE = 1000
HALVES = ("learn.npz", "judge.npz")
RESULTS = ("run", "digits", "sheet.png", "result.json")


def main(out: str = "demo") -> int:
    """Run the demonstration and return the exit code."""
    try:
        show(Path(out))
    except TenfoldError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def clear(folder: Path) -> None:
    """Make room for the demonstration: remove what an earlier one left in the folder, and nothing else.

    Raises:
        RunError: if the folder holds something, and not the two halves with which every demonstration begins.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a folder was expected. Name another.")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not all((folder / name).is_file() for name in HALVES):
        raise RunError(
            f"{folder} is not empty and holds no earlier demonstration. Name another folder, or empty it."
        )
    for path in (folder / name for name in (*RESULTS, *HALVES)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def show(folder: Path) -> None:
    """Train, make 1,000 labelled images, and judge them; everything is left in the folder."""
    clear(folder)
    learn, judge = halves(folder)
    found = demonstrate(learn, judge, folder)
    (folder / "result.json").write_text(json.dumps(found, indent=1))
    print(
        f"samples recognised as the digit asked for: {found['label_accuracy']:.1%} "
        f"(of other real digits: {found['label_accuracy_reference']:.1%})\n"
        f"a classifier trained on samples only is right on {found['cas']:.1%} of other real digits, one "
        f"trained on as many real digits on {found['cas_reference']:.1%}: a ratio of "
        f"{found['cas_ratio']:.3f}\n"
        f"look at {folder / 'sheet.png'}, {folder / 'run' / 'curves.png'} and {folder / 'digits'}/"
    )


def halves(folder: Path) -> tuple[Path, Path]:
    """The bundled digits, in two files: to learn from, and to judge by."""
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    pictures, labels = np.asarray(pixels), np.asarray(classes)
    pictures = (pictures.reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    paths = folder / HALVES[0], folder / HALVES[1]
    for path, part in zip(paths, np.array_split(order, 2), strict=True):
        np.savez(path, images=pictures[part], labels=labels[part])
    return paths


def demonstrate(learn: Path, judge: Path, folder: Path) -> dict[str, float]:
    """Train on one half, and measure on the other what the samples are worth."""
    from .data import open_data
    from .fitting import fit

    load, spent = os.getloadavg()[0], process_time()
    begun = perf_counter()
    run = fit(learn, budget=BUDGET, out=folder / "run")
    training_s = perf_counter() - begun
    run.sample(MADE).save(folder / "digits")
    run.sample(100).grid(folder / "sheet.png")
    print("judging ...", file=sys.stderr, flush=True)
    found = judged(run, open_data(learn), open_data(judge))
    cpu_s = process_time() - spent
    return {**found, "training_s": training_s, "cpu_s": cpu_s, "load": load, "seen": run.facts["seen"]}


def judged(run: Run, learn: Dataset, judge: Dataset) -> dict[str, float]:
    """How samples do beside real digits, by classifiers that never saw what the run was trained on.

    `label_accuracy`: share of samples that a classifier of the other half takes for the digit asked for; the
    reference is its accuracy on the half that was learnt from. `cas`: accuracy on the other half of a
    classifier trained on samples only; the reference is trained on as many real digits.
    """
    from .metrics.classifier import train_classifier

    classes, learnt, other = len(run.classes), everything(learn), everything(judge)
    recogniser = train_classifier(other, classes=classes, seed=1)
    on_made = train_classifier(made(run, len(learnt), seed=1), classes=classes, seed=2)
    on_real = train_classifier(learnt, classes=classes, seed=2)
    cas, reference = accuracy(on_made, other), accuracy(on_real, other)
    return {
        "label_accuracy": accuracy(recogniser, made(run, MADE, seed=0)),
        "label_accuracy_reference": accuracy(recogniser, learnt),
        "cas": cas,
        "cas_reference": reference,
        "cas_ratio": cas / reference,
    }


def everything(data: Dataset) -> Rows:
    """All labelled samples of some data, held out or not."""
    import torch

    from .data.order import Rows

    splits = [data.train] + ([data.holdout] if data.holdout is not None else [])
    parts = [split.gather(np.arange(len(split))) for split in splits]
    values, labels = (torch.cat([part[name] for part in parts]) for name in ("real", "condition"))
    return Rows(values, labels.numpy())


def made(run: Run, count: int, seed: int) -> Rows:
    """Labelled samples, every class as often."""
    from .data.order import Rows

    samples = run.sample(count, seed=seed)
    return Rows(samples.values, samples.labels)


def accuracy(classifier: Classifier, data: Rows) -> float:
    """Share of samples that a classifier takes for what their label says."""
    import torch

    assert data.labels is not None
    return classifier.accuracy(data.values, torch.from_numpy(data.labels))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
