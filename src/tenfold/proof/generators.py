"""Where made items come from: a recipe that is trained, a run, a folder of samples, or a function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data.images import open_data
from ..data.options import LoadOptions
from ..errors import DataError, RecipeError, RunError, suggest
from ..recipe import recipe_class
from ..run import Run
from .arms import Examples
from .order import Generator, Made, Make, Order
from .task import Task, refuse_other_shape, same_bytes, task_of
from .trained import Trained, asked


@dataclass(frozen=True)
class Given:
    """A run that was trained before; its hold-out is the test set.

    Attributes:
        run: the run.
    """

    run: Run

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return False

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"run {self.run.path}, which saw the items that select, but not those that judge"

    def make(self, order: Order) -> Made:
        """Ask the run for items."""
        return Made(asked(self.run, order, order.task.classes), {"run": str(self.run.path)})


def task_of_run(run: Run) -> Task:
    """The data of a run, its hold-out as the test set.

    Raises:
        RunError: the run cannot make items of a class, had no hold-out, or its data are not there.
    """
    from ..enlarging import opened_by
    from ..fitting import source_of

    if len(run.classes) < 2 or run.spec.kind != "images":
        raise RunError(
            f"{run.path} cannot be asked for pictures of a class. Train one that can: --recipe cgan"
        )
    dataset = open_data(source_of(run, None), opened_by(run))
    if dataset.fingerprint != run.facts["fingerprint"]:
        raise RunError(f"the data of {run.path} are not what they were when it was trained. Restore them.")
    if dataset.holdout is None:
        raise RunError(
            f"{run.path} held nothing out, and a run that saw the test items proves nothing. Give the "
            "recipe's name as the generator, and it is trained anew on a part of the data."
        )
    return without_seen(task_of(dataset), len(dataset.train))


def without_seen(task: Task, trained: int) -> Task:
    """The task with all but the first `trained` items as its test set, less those that are copies of them."""
    seen = same_bytes(task.values[trained:], task.values[:trained])
    kept = np.r_[np.arange(trained), trained + np.flatnonzero(~seen)]
    groups = None if task.groups is None else task.groups[kept]
    return replace(
        task,
        values=task.values[kept],
        labels=task.labels[kept],
        names=[task.names[i] for i in kept],
        groups=groups,
        test=np.arange(len(kept)) >= trained,
        notes=(*task.notes, f"the test set is the run's hold-out, less {int(seen.sum())} copies"),
    )


@dataclass(frozen=True, eq=False)
class Folder:
    """Samples that somebody else's generator made, in a folder per class.

    Attributes:
        samples: the opened folder; its classes are those of the task.
    """

    samples: Task

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return False

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"the {len(self.samples)} samples in {self.samples.source}"

    def make(self, order: Order) -> Made:
        """The samples as they are, in random order."""
        mixed = np.random.default_rng(order.seed).permutation(len(self.samples))
        numbers = np.array([order.task.classes.index(name) for name in self.samples.classes])
        values = order.encoding.encode(self.samples.values[mixed])
        return Made(Examples(values, numbers[self.samples.labels[mixed]]), {"samples": len(mixed)})


def open_samples(source: str | Path, task: Task, judging: np.ndarray) -> Folder:
    """Samples in a folder, for this task.

    Raises:
        DataError: they are not like the data, have another class, or are items that judge.
    """
    if task.kind == "table":
        raise DataError(
            f"{source} cannot stand beside a table. Give a recipe's name, or a function in Python."
        )
    size = max(task.values.shape[2:]) if task.kind == "images" else None
    dataset = open_data(source, LoadOptions(size=size))
    samples = task_of(dataset)
    refuse_other_shape(task, samples)
    unknown = sorted(set(samples.classes) - set(task.classes))
    if unknown:
        raise DataError(
            f"{source} has the class {unknown[0]!r}, which {task.source} does not. "
            + suggest(unknown[0], task.classes)
        )
    copies = np.flatnonzero(same_bytes(samples.values, judging))
    if len(copies):
        named = ", ".join(samples.names[i] for i in copies[:3])
        raise DataError(
            f"{len(copies)} of the samples in {source} are copies of items of the test set (first: {named}). "
            "Samples that show the test items prove nothing: remove them, or give a test set of its own with "
            "--test."
        )
    return Folder(samples)


@dataclass(frozen=True)
class Called:
    """A function that makes items from the training items of a split.

    Attributes:
        function: see `Make`.
    """

    function: Make

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return False

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"the function {getattr(self.function, '__name__', 'given')}"

    def make(self, order: Order) -> Made:
        """Call the function.

        Raises:
            DataError: what it gave is not like the training items.
        """
        classes = order.task.classes
        given = self.function(
            order.values.copy(), order.labels.copy(), classes, order.counts.copy(), order.seed
        )
        values, labels = np.asarray(given[0]), np.asarray(given[1])
        shape = order.task.values.shape[1:]
        if values.shape[1:] != shape or labels.shape != values.shape[:1] or len(labels) == 0:
            raise DataError(
                f"{self.words} gave values of shape {values.shape} and labels of shape {labels.shape}; "
                f"(n, {', '.join(map(str, shape))}) and (n) were expected. Correct it."
            )
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= len(classes):
            raise DataError(f"{self.words} gave labels that are not numbers from 0 to {len(classes) - 1}.")
        encoded = order.encoding.encode(values.astype(order.task.values.dtype, copy=False))
        return Made(Examples(encoded, labels.astype(np.int64)), {})


def default_recipe(task: Task) -> str:
    """What is trained if nothing is said."""
    return "cgan" if task.kind == "images" else "mlp"


def refuse_recipe(name: str, task: Task) -> None:
    """Raises a RecipeError if a recipe cannot make labelled items of this kind."""
    cls = recipe_class(name)
    kind = "images" if task.kind == "images" else "vectors"
    if kind not in cls.kinds:
        raise RecipeError(
            f"recipe {name!r} takes {' or '.join(cls.kinds)}, the data are {task.kind}. Use: --generator "
            f"{default_recipe(task)}"
        )
    if kind == "images" and not cls.conditional:
        raise RecipeError(
            f"recipe {name!r} cannot be asked for a class, so what it makes has no labels. Use one that can: "
            "--generator cgan"
        )


def choose_generator(
    given: str | Path | Run | Make | None, task: Task, judging: np.ndarray, device: str
) -> Generator:
    """The generator that is meant.

    Args:
        given: a recipe's name, a folder of samples, a run, a function, or None for the default recipe.
        task: what it shall make items for.
        judging: values of all items that judge in some split.
        device: where a recipe is trained.

    Raises:
        RecipeError, DataError, RunError: it is none, or does not suit the data.
    """
    if given is None:
        return Trained(default_recipe(task), device)
    if (run := run_of(given)) is not None:
        return Given(run)
    if callable(given):
        return Called(given)
    assert isinstance(given, str | Path)
    if Path(given).exists():
        return open_samples(given, task, judging)
    refuse_recipe(str(given), task)
    return Trained(str(given), device)


def run_of(given: str | Path | Run | Make | None) -> Run | None:
    """The run that is meant, if it is one."""
    if isinstance(given, str | Path):
        return Run(given) if (Path(given) / "run.json").is_file() else None
    return None if given is None or callable(given) else given
