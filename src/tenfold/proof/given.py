"""What was made elsewhere: a run, or a folder of samples; and whether it knows the test items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..data.images import open_data
from ..data.options import LoadOptions
from ..engine.checkpoint import finished
from ..errors import DataError, RunError, suggest
from ..recipe import recipe_name, refuse_translator
from ..run import Run
from .arms import Examples
from .learners import rows_of
from .options import ProofOptions
from .order import Made, Order
from .task import Task, open_task, refuse_other_shape, same_bytes, task_of, with_test
from .trained import asked

FAR = 1_000_000  # a split's samples of a run begin so many after those of the split before
MOST_COMPARED = 2000
SURE = 3.0  # standard errors
EXPECTED = 0.05  # of the validation items are as near to a test item as is called near
MARGIN = 0.03


@dataclass(frozen=True)
class Given:
    """A run that was trained before.

    Attributes:
        run: the run.
    """

    run: Run

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return False

    @property
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        return True

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"run {self.run.path}, which saw the items that select, but not those that judge"

    @property
    def fingerprint(self) -> str:
        """Changes when the weights do."""
        kept = finished(self.run.path / "best") or finished(self.run.path / "checkpoints")
        digest = blake2b(digest_size=8)
        if kept:
            digest.update((kept[-1] / "tensors.safetensors").read_bytes())
        return digest.hexdigest()

    def make(self, order: Order) -> Made:
        """Ask the run for items; every split gets others."""
        made = asked(self.run, order, order.task.classes, first=FAR * order.split)
        return Made(made, {"run": str(self.run.path)})


def read_with_run(run: Run, data: Task, options: ProofOptions) -> Task:
    """The data of a run, with its hold-out or a set of its own as the test set.

    Raises:
        DataError: the data are not those of the run, or it was trained on items that judge.
        RunError: the run cannot make items of a class, had no hold-out, or its data are not there.
        RecipeError: it makes pictures of others.
    """
    whole, trained = _data_of(run)
    if options.test is None and trained == len(whole):
        raise RunError(
            f"{run.path} held nothing out, and a run that saw the test items proves nothing. Give items that "
            "it cannot have seen as --test, or the recipe's name as the generator: it is then trained anew."
        )
    if not (same_bytes(whole.values, data.values).all() and same_bytes(data.values, whole.values).all()):
        raise DataError(
            f"{run.path} was trained on other data than {data.source}. A run that saw the test items proves "
            "nothing: give its own data."
        )
    if options.test is None:
        return without_seen(whole, trained)
    test = open_task(options.test, options)
    seen = same_bytes(test.values, whole.values[:trained])
    if seen.any():
        raise DataError(
            f"{run.path} was trained on {int(seen.sum())} items of the test set {test.source} (first: "
            f"{test.names[int(seen.argmax())]}). Such a test proves nothing: remove them from the test set."
        )
    return with_test(data, test)


def _data_of(run: Run) -> tuple[Task, int]:
    """The data of a run, and how many of them it was trained on; these come first."""
    from ..enlarging import opened_by
    from ..fitting import source_of

    refuse_translator(recipe_name(run.recipe), "--recipe r3gan")
    if len(run.classes) < 2 or run.spec.kind != "images":
        raise RunError(
            f"{run.path} cannot be asked for pictures of a class. Train one that can: --recipe r3gan"
        )
    dataset = open_data(source_of(run, None), opened_by(run))
    if dataset.fingerprint != run.facts["fingerprint"]:
        raise RunError(f"the data of {run.path} are not what they were when it was trained. Restore them.")
    return task_of(dataset), len(dataset.train)


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
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        return True

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"the {len(self.samples)} samples in {self.samples.source}"

    @property
    def fingerprint(self) -> str:
        """Changes when a sample or a label does."""
        return self.samples.fingerprint()

    def make(self, order: Order) -> Made:
        """The samples as they are, in random order."""
        mixed = np.random.default_rng(order.seed).permutation(len(self.samples))
        numbers = np.array([order.task.classes.index(name) for name in self.samples.classes])
        values = order.encoding.encode(self.samples.values[mixed])
        return Made(Examples(values, numbers[self.samples.labels[mixed]]), {"samples": len(mixed)})


def open_samples(source: str | Path, task: Task, judging: np.ndarray) -> Folder:
    """Samples in a folder, for this task.

    Raises:
        DataError: there is no test set of its own, they are not like the data, have another class, or are
            items that judge.
    """
    if task.kind == "table":
        raise DataError(
            f"{source} cannot stand beside a table. Give a recipe's name, or a function in Python."
        )
    if task.test is None:
        raise DataError(
            f"what made the samples in {source} may have seen any item of {task.source}, and those that "
            "judge are among these. Split the data first, make samples with one part alone, and run: "
            f"tenfold prove ONE_PART --generator {source} --test OTHER_PART"
        )
    size = max(task.values.shape[2:]) if task.kind == "images" else None
    samples = task_of(open_data(source, LoadOptions(size=size)))
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
            "Samples that show the test items prove nothing: make others, without the test items."
        )
    return Folder(samples)


def refuse_near_copies(made: Examples, order: Order, words: str) -> None:
    """Raises a DataError if items from elsewhere are nearer to test items than those that are new are.

    How near an item is: its distance to the nearest test item over that to the nearest training item. Items
    that select are new, and one in twenty of them is as near as is called near here. Of made items it must
    not be clearly more, which is what happens when their maker knew the test items, or relatives of them.
    """
    task, fold, rng = order.task, order.fold, np.random.default_rng(order.seed)

    def known(rows: np.ndarray) -> np.ndarray:
        return rows_of(order.encoding.encode(task.values[rows]))

    some = rng.permutation(len(made))[:MOST_COMPARED]
    train, test = known(fold.train), known(fold.test)
    new, _ = _nearness(known(rng.permutation(fold.validation)[:MOST_COMPARED]), train, test)
    found, nearest = _nearness(rows_of(made.values[some]), train, test)
    near = found < np.quantile(new, EXPECTED)
    share, items = float(near.mean()), len(np.unique(nearest))  # a heap of equal items is as good as one
    if share > EXPECTED + MARGIN + SURE * np.sqrt(EXPECTED * (1 / items + 1 / len(new))):
        raise DataError(
            f"{share:.0%} of the {words} are near copies of items of the test set, where {EXPECTED:.0%} were "
            "expected of new ones. Whoever made them knew the test items, or relatives of them: keep both "
            "apart, with --group where items are related."
        )


def _nearness(
    rows: Float[np.ndarray, "n d"], train: Float[np.ndarray, "a d"], test: Float[np.ndarray, "b d"]
) -> tuple[Float[np.ndarray, " n"], np.ndarray]:
    """Distance to the nearest test item over that to the nearest training item; number of the test item."""
    to_train, _ = _closest(rows, train)
    to_test, nearest = _closest(rows, test)
    return to_test / np.maximum(to_train, 1e-9), nearest


def _closest(rows: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances, numbers = [], []
    squares = (known.astype(np.float64) ** 2).sum(1)
    for block in np.array_split(rows.astype(np.float64), -(-len(rows) // 256)):
        square = (block**2).sum(1)[:, None] + squares - 2 * block @ known.T
        numbers.append(square.argmin(1))
        distances.append(np.sqrt(square.min(1).clip(0)))
    return np.concatenate(distances), np.concatenate(numbers)
