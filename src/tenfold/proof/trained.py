"""A recipe as a generator: trained anew on the training items of every split, and on unlabelled ones."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..fitting import fit
from ..options import Options
from ..recipe import recipe_class
from ..run import Run
from ..tables.labelled import Labelled, fit_labelled, made_by_class
from .arms import Examples
from .order import Made, Order

BLOCK = 1000
MOST_REPEATS = 100  # of a training item, where classes are made as frequent as the largest
MOST_DRAWS = 50  # times what is wanted, of a generator that cannot be asked for a class


@dataclass(frozen=True)
class Trained:
    """A recipe, trained anew on the training items of every split.

    Attributes:
        recipe: its name.
        device: where it is trained.
    """

    recipe: str
    device: str = "auto"

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return True

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"recipe {self.recipe}, trained within each split"

    @property
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        return False

    @property
    def fingerprint(self) -> str:
        """The recipe."""
        return self.recipe

    def make(self, order: Order) -> Made:
        """Train a GAN, and ask it for items."""
        shutil.rmtree(order.folder, ignore_errors=True)  # of a training that was interrupted
        order.folder.mkdir(parents=True)
        if "table" in recipe_class(self.recipe).kinds:
            return self.table(order)
        images = order.task.kind == "images"
        conditional = recipe_class(self.recipe).conditional != "never"
        data = order.folder / "train.npz"
        (write_labelled if images or conditional else write_joined)(order, data)
        size = max(order.task.values.shape[2:]) if images else None
        options = Options(device=self.device, quiet=True, size=size)
        budget, seed, out = budget_of(order), order.seed % 2**31, order.folder / "run"
        run = fit(data, self.recipe, budget=budget, kimg=order.kimg, out=out, seed=seed, options=options)
        data.unlink()
        names = [str(number) for number in range(len(order.counts))]
        made = asked(run, order, names) if images or conditional else drawn(run, order)
        return Made(made, self.told(run))

    def table(self, order: Order) -> Made:
        """Train on a table of mixed columns, and ask for rows of each class."""
        rows, seed = labelled_rows(order), order.seed % 2**31
        run = fit_labelled(
            rows,
            self.recipe,
            order.folder,
            budget=budget_of(order),
            kimg=order.kimg,
            seed=seed,
            device=self.device,
        )
        values, labels = made_by_class(run, rows, order.counts, seed)
        return Made(Examples(order.encoding.encode(values), labels), self.told(run))

    def told(self, run: Run | None) -> dict[str, Any]:
        """What is worth knowing of a training."""
        facts = {} if run is None else run.facts
        return {"recipe": self.recipe, **{name: facts.get(name) for name in ("seen", "health", "planned")}}


def budget_of(order: Order) -> str | None:
    """The time of a training, if it is not told how many samples to see."""
    return f"{max(order.seconds, 1):.1f}s" if order.kimg is None else None


def labelled_rows(order: Order) -> Labelled:
    """What is to be learnt of a table: numbers in their own units, and numbers of categories."""
    values, labels = order.learnt()
    sizes = [len(names) for names in order.task.levels] or [0] * values.shape[1]
    return Labelled(values, sizes, labels)


def write_labelled(order: Order, path: Path) -> None:
    """What is to be learnt, and its classes: pictures as they are, rows encoded."""
    values, labels = order.learnt()
    values = values.transpose(0, 2, 3, 1) if values.ndim == 4 else order.encoding.encode(values)
    np.savez(path, x=values, y=labels)


def write_joined(order: Order, path: Path) -> None:
    """Encoded rows that end with their class, a column each, and have as many of each class as can be."""
    values, labels = order.learnt()
    rows = order.encoding.encode(values)
    rng = np.random.default_rng(order.seed)
    counts = np.bincount(labels, minlength=len(order.counts))
    wanted = np.minimum(counts.max(), MOST_REPEATS * counts)
    more = [rng.choice(np.flatnonzero(labels == c), k) for c, k in enumerate(wanted - counts)]
    chosen = np.concatenate([np.arange(len(labels)), *more])
    classes = np.eye(len(counts), dtype=np.float32)[labels[chosen]]
    np.savez(path, x=np.concatenate([rows[chosen], classes], 1))


def asked(run: Run, order: Order, names: Sequence[str], *, first: int = 0) -> Examples:
    """Items of a run that can be asked for a class; `names` are what it calls them."""
    values: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for number, count in enumerate(order.counts.tolist()):
        for done in range(0, count, BLOCK):
            samples = run.sample(min(BLOCK, count - done), label=names[number], first=first + done)
            values.append(encoded(samples.numpy(), order))
            labels.append(np.full(len(samples), number))
    return Examples(np.concatenate(values), np.concatenate(labels))


def encoded(values: np.ndarray, order: Order) -> Float[np.ndarray, "n ..."]:
    """What a run made, as learners see it; rows of a run are encoded already."""
    if values.ndim == 4:
        return order.encoding.encode(values.transpose(0, 3, 1, 2))
    return order.encoding.snap(values)


def drawn(run: Run, order: Order) -> Examples:
    """Rows of a run that was trained on rows with their classes: drawn until there are enough of each."""
    wanted, classes = order.counts, len(order.counts)
    found = np.zeros(classes, np.int64)
    parts: list[np.ndarray] = []
    block = max(BLOCK, int(wanted.sum()))
    for first in range(0, MOST_DRAWS * block, block):
        rows = run.sample(block, first=first).numpy()
        parts.append(rows)
        found += np.bincount(rows[:, -classes:].argmax(1), minlength=classes)
        if (found >= wanted).all():
            break
    rows = np.concatenate(parts)
    labels = rows[:, -classes:].argmax(1)
    kept = np.concatenate([np.flatnonzero(labels == c)[: wanted[c]] for c in range(classes)])
    return Examples(order.encoding.snap(rows[kept, :-classes]), labels[kept])
