"""The task that an experiment is about: labelled items, whatever they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from ..data import Codec, Dataset, LoadOptions, Split, open_data
from ..errors import DataError
from .options import DEFAULTS, ProofOptions

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, Int, Shaped

FEWEST = 20


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled items.

    Attributes:
        source: where they came from.
        kind: "images", "vectors" or "table".
        values: pictures `(n, c, h, w)` in their own type; rows `(n, p)` of float64. In a table a category
            is the number of its level, and what is missing is NaN.
        labels: number of each item's class.
        classes: class names.
        groups: number of what each item must stay together with; None if nothing was said.
        names: what each item is called in messages.
        test: which items are the test set that was given; None if parts of the data take turns.
        levels: of each column of a table, the names of its categories; empty for plain numbers.
        notes: what was decided while reading, a sentence each.
        group_names: what the groups are called.
    """

    source: str
    kind: str
    values: Shaped[np.ndarray, "n ..."]
    labels: Int[np.ndarray, " n"]
    classes: tuple[str, ...]
    groups: Int[np.ndarray, " n"] | None
    names: list[str]
    test: Shaped[np.ndarray, " n"] | None = None
    levels: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())
    group_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def fingerprint(self) -> str:
        """Changes when a value, a label or a side does."""
        digest = blake2b(digest_size=8)
        held = self.test if self.test is not None else np.zeros(0, bool)
        groups = self.groups if self.groups is not None else np.zeros(0, np.int64)
        for array in (self.values, self.labels, held, groups):
            digest.update(np.ascontiguousarray(array).data)
        digest.update(repr(self.levels).encode() if self.levels else b"")  # 0 and 1 may be numbers or labels
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Encoding:
    """How values become the numbers that learners and generators see, fitted on training items alone.

    Attributes:
        encode: own values to float32: pictures in [-1, 1], rows standardised and with categories spread.
        snap: numbers that a generator made, moved to the nearest ones that real items could have.
    """

    encode: Callable[[np.ndarray], Float[np.ndarray, "n ..."]]
    snap: Callable[[np.ndarray], Float[np.ndarray, "n ..."]]


def fit_encoding(task: Task, rows: Int[np.ndarray, " k"]) -> Encoding:
    """The encoding that these items define."""
    if task.kind != "images":
        from .tabular import fit_columns

        return fit_columns(task.values[rows], task.levels)
    values = task.values
    if values.dtype == np.uint8 or values.dtype == np.uint16:
        low, high = 0.0, float(np.iinfo(values.dtype).max)
    else:
        low, high = float(values[rows].min()), float(values[rows].max())
    half = (high - low) / 2 or 1.0
    return Encoding(partial(_scaled, middle=(high + low) / 2, half=half), partial(np.clip, a_min=-1, a_max=1))


def _scaled(values: np.ndarray, *, middle: float, half: float) -> Float[np.ndarray, "n ..."]:
    return ((values.astype(np.float32) - np.float32(middle)) / np.float32(half)).astype(np.float32)


def load_options(options: ProofOptions, group: str | None) -> LoadOptions:
    """How the data are opened."""
    return LoadOptions(size=options.size, group=group, skip_bad=options.skip_bad)


def open_task(source: str | Path | np.ndarray, options: ProofOptions = DEFAULTS) -> Task:
    """Everything that `open_data` reads and that has labels; training part and hold-out are joined again.

    Raises:
        DataError: there are no labels, or too few items.
    """
    dataset = open_data(source, load_options(options, options.group))
    return checked(task_of(dataset))


def task_of(dataset: Dataset) -> Task:
    """The task of opened data; the hold-out's items come last."""
    sides = [dataset.train] + ([dataset.holdout] if dataset.holdout is not None else [])
    if len(dataset.spec.classes) == 0 or any(side.labels is None for side in sides):
        raise DataError(
            f"{dataset.source} has no labels; a class for each item was expected. Put each class in a folder "
            "of its own, or name the column of a table with --target."
        )
    labels = np.concatenate([side.labels for side in sides if side.labels is not None])
    names = [name for side in sides for name in side.names]
    values = np.concatenate([own_values(side) for side in sides])
    task = Task(dataset.source, dataset.spec.kind, values, labels, dataset.spec.classes, None, names)
    if dataset.train.groups is None:
        return task
    return grouped(task, [name for side in sides for name in side.groups or ()])


def grouped(task: Task, named: list[str]) -> Task:
    """The task with the name of each item's group."""
    known, groups = np.unique(named, return_inverse=True)
    return replace(task, groups=groups.astype(np.int64), group_names=tuple(map(str, known)))


def own_values(side: Split) -> Shaped[np.ndarray, "n ..."]:
    """Stored values without the border that networks need: `(n, c, h, w)`, or rows in double precision.

    Raises:
        DataError: the data are neither pictures nor numbers.
    """
    codec = side.codec
    if not isinstance(codec, Codec):
        raise DataError(
            "Pictures or vectors were expected, and a table or series were found. A table is proved with "
            "--target COLUMN."
        )
    if codec.kind == "vectors":
        return np.asarray(side.values, np.float64)
    top, left = (codec.padded_height - codec.height) // 2, (codec.padded_width - codec.width) // 2
    inner = side.values[:, :, top : top + codec.height, left : left + codec.width]
    return np.ascontiguousarray(inner)


def checked(task: Task) -> Task:
    """The same, if an experiment can be made with it.

    Raises:
        DataError: too few items, one class, or numbers that are none.
    """
    if len(task) < FEWEST:
        raise DataError(
            f"{task.source} has {len(task)} items; at least {FEWEST} were expected, or nothing can be "
            "said of what helps. Add some."
        )
    there = np.unique(task.labels)
    if len(there) < 2:
        raise DataError(
            f"{task.source} has one class ({task.classes[there[0]]}); at least two were expected. Add "
            "items of another."
        )
    bad = np.isinf(task.values) if task.kind == "table" else ~np.isfinite(task.values)
    if task.values.dtype.kind == "f" and bad.any():
        row = int(np.flatnonzero(bad.reshape(len(task), -1).any(1))[0])
        raise DataError(
            f"{task.source} holds numbers that are not finite (first: {task.names[row]}). Repair or remove "
            "these items."
        )
    return task


def hashes(values: Shaped[np.ndarray, "n ..."]) -> Shaped[np.ndarray, " n"]:
    """The bytes of each item: equal for equal items, and for no others."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    return flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1])))[:, 0]


def same_bytes(values: np.ndarray, known: np.ndarray) -> Shaped[np.ndarray, " n"]:
    """Which of the values are exactly one of those known."""
    if values.shape[1:] != known.shape[1:] or values.dtype != known.dtype:
        return np.zeros(len(values), bool)
    _, number = np.unique(np.concatenate([hashes(known), hashes(values)]), return_inverse=True)
    return np.isin(number[len(known) :], number[: len(known)])


def without_copies(task: Task, values: np.ndarray) -> tuple[Task, np.ndarray]:
    """Unlabelled items that are no copies of labelled ones, whose side is settled; and how many were.

    Raises:
        DataError: none is left.
    """
    kept = values[~same_bytes(values, task.values)] if len(values) else values
    if not len(kept):
        raise DataError(
            "no unlabelled items are left: all are copies of labelled ones, or of their groups. Leave "
            "--unlabelled out, or give others."
        )
    left_out = [f"{len(values) - len(kept)} unlabelled items are copies of labelled ones and are left out"]
    return replace(task, notes=(*task.notes, *(left_out if len(kept) < len(values) else []))), kept


def with_test(task: Task, test: Task) -> Task:
    """The task with a test set of its own.

    Raises:
        DataError: the items are of another shape or of other classes, some of them are among the data, or a
            group is on both sides.
    """
    refuse_other_shape(task, test)
    unknown = sorted(set(test.classes) - set(task.classes))
    if unknown:
        raise DataError(
            f"the test set has the class {unknown[0]!r}, which {task.source} does not. Remove it."
        )
    overlap = np.flatnonzero(same_bytes(test.values, task.values))
    if len(overlap):
        named = ", ".join(test.names[i] for i in overlap[:3])
        raise DataError(
            f"{len(overlap)} items of the test set {test.source} are also in {task.source} (first: {named}). "
            "A test on what was trained on proves nothing: remove them from one side."
        )
    numbers = np.array([task.classes.index(name) for name in test.classes])
    held = np.r_[np.zeros(len(task), bool), np.ones(len(test), bool)]
    whole = replace(
        task,
        values=np.concatenate([task.values, test.values]),
        labels=np.concatenate([task.labels, numbers[test.labels]]),
        names=[*task.names, *test.names],
        test=held,
        notes=(*task.notes, f"the test set is {test.source} in every split"),
    )
    if task.groups is not None and test.groups is not None:
        names = [side.group_names[i] for side in (task, test) for i in numbers_of(side)]
        whole = grouped(whole, names)
        refuse_shared_groups(whole)
    return whole


def numbers_of(task: Task) -> list[int]:
    """Of each item's group."""
    return [] if task.groups is None else task.groups.tolist()


def refuse_shared_groups(task: Task) -> None:
    """Raises a DataError if a group has items in the test set and items beside it."""
    if task.groups is None or task.test is None:
        return
    shared = np.intersect1d(task.groups[task.test], task.groups[~task.test])
    if len(shared):
        raise DataError(
            f"the group {task.group_names[shared[0]]!r} has items in the test set and items in {task.source} "
            f"({len(shared)} groups in all have). A group must be on one side: remove it from the other."
        )


def refuse_other_shape(task: Task, other: Task) -> None:
    """Raises a DataError if the items of one are not like those of the other."""
    found, expected = (other.values.shape[1:], other.kind), (task.values.shape[1:], task.kind)
    if found != expected:
        raise DataError(
            f"{other.source} holds {found[1]} of shape {found[0]}; {expected[1]} of shape {expected[0]} were "
            f"expected, as in {task.source}. Convert them, or resize both with --size."
        )
