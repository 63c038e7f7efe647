"""Which samples are kept back to judge by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from .parts import Item

FEWEST = 80
SHARE, AT_LEAST, AT_MOST_SHARE = 0.1, 50, 0.25
FEWEST_OF_A_CLASS = 2
FEWEST_HELD = 6  # recall and coverage look at the five nearest others of a sample


def holdout_target(count: int) -> int:
    """How many of `count` samples are held out: 10 % or 50, whichever is more; at most a quarter.

    Example:
        >>> [holdout_target(n) for n in (79, 80, 400, 10_000)]
        [0, 20, 50, 1000]
    """
    if count < FEWEST:
        return 0
    return min(max(round(SHARE * count), AT_LEAST), int(AT_MOST_SHARE * count))


def plan_holdout(labels: Sequence[str | None], groups: Sequence[str | None], seed: int) -> np.ndarray:
    """Which samples are held out: whole groups, classes in proportion, 2 of each kept.

    Every class keeps at least 2 samples to train on; one that has a single sample keeps that. What such
    classes cannot give is taken from larger ones.

    Args:
        labels: class of each sample; None throughout if there are no classes.
        groups: group of each sample; None for a sample of its own.
        seed: the same seed, labels and groups give the same answer.

    Returns:
        Sorted indices; empty if there are too few samples, or if groups and classes can spare fewer than 6.
    """
    target = holdout_target(len(labels))
    random = np.random.default_rng(seed)
    if all(group is None for group in groups):
        held = _by_class(labels, target, random)
    else:
        held = _by_group(labels, groups, target, random)
    return np.array(sorted(held) if len(held) >= FEWEST_HELD else [], dtype=np.int64)


def _quotas(counts: Counter[str | None], target: int) -> dict[str | None, int]:
    # Largest remainders (Hamilton's method). A quarter, rounded down, is never more than a class can spare.
    share, room = target / max(counts.total(), 1), _room(counts)
    quotas = {label: int(n * share) for label, n in counts.items()}
    by_remainder = sorted(counts, key=lambda label: int(counts[label] * share) - counts[label] * share)
    while (missing := target - sum(quotas.values())) > 0:
        open_ = [label for label in by_remainder if quotas[label] < room[label]]
        if not open_:
            break
        for label in open_[:missing]:
            quotas[label] += 1
    return quotas


def _room(counts: Counter[str | None]) -> dict[str | None, int]:
    return {label: max(n - FEWEST_OF_A_CLASS, 0) for label, n in counts.items()}


def _by_class(labels: Sequence[str | None], target: int, random: np.random.Generator) -> list[int]:
    members: dict[str | None, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    quotas = _quotas(Counter(labels), target)
    return [int(i) for label, m in members.items() for i in random.permutation(m)[: quotas[label]]]


def _by_group(
    labels: Sequence[str | None],
    groups: Sequence[str | None],
    target: int,
    random: np.random.Generator,
) -> list[int]:
    members: dict[str | int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(index if group is None else group, []).append(index)
    names = list(members)
    left = [members[names[i]] for i in random.permutation(len(names))]
    counts = Counter(labels)
    quotas, room = _quotas(counts, target), _room(counts)
    held: list[int] = []
    held_counts: Counter[str | None] = Counter()
    # First the groups that keep classes in proportion, then any that leave every class enough.
    for limit, most in ((quotas, target), (room, int(AT_MOST_SHARE * len(labels)))):
        passed: list[list[int]] = []
        for group in left:
            after = held_counts + Counter(labels[i] for i in group)
            small_enough = len(held) < target and len(held) + len(group) <= most
            if small_enough and all(after[label] <= limit[label] for label in after):
                held, held_counts = held + group, after
            else:
                passed.append(group)
        left = passed
    return held


def carve(items: Sequence[Item], seed: int) -> set[int]:
    """Indices of the items that are held out."""
    out = plan_holdout([item.label for item in items], [item.group for item in items], seed)
    return set(out.tolist())


def refuse_unknown_classes(train: Sequence[Item], held: Sequence[Item]) -> None:
    """Refuses a hold-out with classes that are not trained on.

    Raises:
        DataError: there is such a class.
    """
    known = {item.label for item in train if item.label is not None}
    unknown = sorted({item.label for item in held if item.label is not None} - known)
    if unknown and known:
        raise DataError(
            f"The hold-out has the class {unknown[0]!r} ({len(unknown)} such), the training images do not. "
            f"They have: {', '.join(sorted(known))}. Make the hold-out's classes a part of these."
        )
