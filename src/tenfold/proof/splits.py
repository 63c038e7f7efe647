"""Which items train, which select and which judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from ..draw import derive
from ..errors import DataError
from .task import Task, hashes

FOLDS = 5
PARTS = 4  # of what is not tested on: three parts train, one selects


@dataclass(frozen=True, eq=False)
class Fold:
    """Numbers of the items on each side, sorted.

    Attributes:
        train: what everything learns from.
        validation: what settings are chosen on.
        test: what judges, and nothing else.
    """

    train: Int[np.ndarray, " a"]
    validation: Int[np.ndarray, " b"]
    test: Int[np.ndarray, " c"]


def water_fill(counts: Sequence[int] | np.ndarray, extra: int) -> Int[np.ndarray, " k"]:
    """How to hand out `extra` items so that all counts become as equal as they can.

    Example:
        >>> water_fill([5, 1, 3], 4).tolist(), water_fill([2, 2], 3).tolist()
        ([0, 3, 1], [2, 1])
    """
    counts = np.asarray(counts, np.int64)
    order = np.argsort(counts, kind="stable")
    low = counts[order]
    cost = np.arange(1, len(low) + 1) * low - np.cumsum(low)  # of raising the k lowest to the k-th
    raised = int(np.searchsorted(cost, extra, side="right"))
    level, rest = divmod(int(extra + low[:raised].sum()), raised)
    fill = np.zeros(len(counts), np.int64)
    fill[order[:raised]] = level - low[:raised]
    fill[order[:rest]] += 1
    return fill


def together(task: Task) -> tuple[Int[np.ndarray, " n"], int]:
    """What must stay on one side: groups, and items that are exact copies of each other.

    Returns:
        Number of each item's group; how many items are copies of an earlier one.
    """
    same = np.unique(hashes(task.values), return_inverse=True)[1].astype(np.int64)
    copies = len(task) - int(same.max()) - 1
    if task.groups is None:
        return same, copies
    groups = task.groups.copy()
    while True:  # a group takes the lowest number that any copy of its items has, until nothing changes
        lowest = np.full(same.max() + 1, len(task))
        np.minimum.at(lowest, same, groups)
        best = np.full(groups.max() + 1, len(task))
        np.minimum.at(best, groups, lowest[same])
        if np.array_equal(best[groups], groups):
            return groups, copies
        groups = best[groups]


def make_splits(task: Task, groups: Int[np.ndarray, " n"], count: int, seed: int) -> list[Fold]:
    """Splits whose test parts do not overlap, or share the test set that was given.

    Raises:
        DataError: a class has too few items, or too few groups, to be on every side.
    """
    refuse_small_classes(task, groups)
    numbers = np.arange(len(task))
    if task.test is None:
        side = deal(task.labels, groups, FOLDS, derive(seed, "test"))
        tests = [numbers[side == k] for k in range(count)]
    else:
        tests = [numbers[task.test]] * count
    folds = [_fold(task, groups, test, derive(seed, "validation", k)) for k, test in enumerate(tests)]
    for fold in folds:
        _refuse_absent(task, fold)
    return folds


def _fold(task: Task, groups: np.ndarray, test: np.ndarray, seed: int) -> Fold:
    rest = np.setdiff1d(np.arange(len(task)), test)
    side = deal(task.labels[rest], groups[rest], PARTS, seed)
    return Fold(rest[side != 0], rest[side == 0], test)


def deal(
    labels: Int[np.ndarray, " n"], groups: Int[np.ndarray, " n"], parts: int, seed: int
) -> Int[np.ndarray, " n"]:
    """Deal items to parts, whole groups, every class as evenly as can be.

    Large groups go first, each to where its classes are scarcest; single items then even out the rest.
    """
    rng = np.random.default_rng(seed)
    classes = int(labels.max()) + 1
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    share = np.bincount(labels, minlength=classes).clip(1) / parts
    dealt = np.zeros((parts, classes), np.int64)
    side = np.full(len(labels), -1)
    order = np.argsort(groups, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for group in sorted(rng.permutation(np.flatnonzero(sizes > 1)), key=lambda g: -sizes[g]):
        members = order[starts[group] : starts[group] + sizes[group]]
        own = np.bincount(labels[members], minlength=classes)
        cost = (((dealt + own) / share) ** 2 - (dealt / share) ** 2).sum(1)
        part = int(np.argmin(cost))
        dealt[part] += own
        side[members] = part
    for label in range(classes):
        single = rng.permutation(np.flatnonzero((side < 0) & (labels == label)))
        places = rng.permutation(parts)
        fill = water_fill(dealt[places, label], len(single))
        side[single] = np.repeat(places, fill)
    return side


def refuse_small_classes(task: Task, groups: Int[np.ndarray, " n"]) -> None:
    """Raises a DataError if a class has fewer groups than there are parts to be in."""
    tested = np.zeros(len(task), bool) if task.test is None else task.test
    needed, sides = PARTS, "train and some select"
    if task.test is None:
        needed, sides = FOLDS, "train, some select and some judge"
    for number, name in enumerate(task.classes):
        mine = task.labels == number
        items, found = int((mine & ~tested).sum()), len(np.unique(groups[mine & ~tested]))
        if found < needed:
            raise DataError(
                f"The class {name!r} has {items} items ({found} that are neither copies nor of one group) of "
                f"which some must {sides}; at least {needed} were expected. Add some, join it with another "
                "class, or remove it."
            )
        if task.test is not None and not (mine & tested).any():
            raise DataError(
                f"The class {name!r} has no item in the test set; at least one was expected. Add some there, "
                "or remove the class."
            )


def _refuse_absent(task: Task, fold: Fold) -> None:
    for side, words in ((fold.train, "train"), (fold.validation, "select"), (fold.test, "judge")):
        absent = np.setdiff1d(np.arange(len(task.classes)), task.labels[side])
        if len(absent):
            raise DataError(
                f"No item of the class {task.classes[absent[0]]!r} is left to {words}: its groups are too "
                "few or too large. Add groups of this class, or leave --group out."
            )


def subset(labels: Int[np.ndarray, " n"], share: float, seed: int) -> Shaped[np.ndarray, " n"]:
    """Which items belong to a share of each class, at least two of each (or all it has)."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen[members[: max(2, round(share * len(members)))]] = True
    return chosen
