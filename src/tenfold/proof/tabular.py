"""Tables of mixed columns: read, and turned into numbers by what the training rows show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from ..errors import DataError, suggest
from .task import Encoding, Task, checked, grouped, refuse_shared_groups, same_bytes, without_copies

MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
MOST_LEVELS = 50


class Frame(Protocol):
    """What is asked of a data frame."""

    columns: Any

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401


Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Kinds:
    """What is known of columns.

    Attributes:
        labels: columns whose cells are labels, even if they look like numbers.
        notes: which columns are left out, a sentence each.
    """

    labels: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


UNKNOWN = Kinds()


def refuse_doubles(names: Sequence[str], source: str) -> None:
    """Raises a DataError if two columns have one name."""
    name, times = Counter(names).most_common(1)[0] if names else ("", 1)
    if times > 1:
        raise DataError(f"{source} has {times} columns called {name!r}. Give each a name of its own.")


def frame_columns(frame: Frame) -> Columns:
    """The columns of a data frame as text; what is missing is empty."""
    found: Columns = {}
    refuse_doubles([str(name) for name in frame.columns], "the data frame")
    for name in frame.columns:
        cells = frame[name].to_numpy().tolist()
        found[str(name)] = ["" if _absent(cell) else str(cell) for cell in cells]
    return found


def _absent(cell: Any) -> bool:  # noqa: ANN401
    """Whether a cell is empty: None, not a number, or pandas.NA, which is neither equal nor unequal."""
    try:
        return cell is None or bool(cell != cell)
    except TypeError:
        return True


def table_task(
    columns: Columns, target: str | None, group: str | None, source: str, kinds: Kinds = UNKNOWN
) -> Task:
    """The task of a table.

    Args:
        columns: name and text of each.
        target: the column of classes.
        group: a column of groups; it is no feature.
        source: what the table is called.
        kinds: what is known of the columns.

    Raises:
        DataError: a column is not there, the target is not made of classes, or nothing is left to learn from.
    """
    target = named(columns, target, group, source)
    labels, classes = _classes(columns[target], target, source)
    features = {n: c for n, c in columns.items() if n not in (target, group)}
    parts, notes = _features(features, source, kinds.labels)
    names = [f"row {i + 1}" for i in range(len(labels))]
    values = np.stack([part[0] for part in parts], 1)
    levels = tuple(part[1] for part in parts)
    task = Task(source, "table", values, labels, classes, None, names, None, levels, (*kinds.notes, *notes))
    return checked(task if group is None else grouped(task, columns[group]))


def named(names: Collection[str], target: str | None, group: str | None, source: str) -> str:
    """The target.

    Raises:
        DataError: there is none, or a table has no column of a name that a person gave.
    """
    for flag, name in (("target", target), ("group", group)):
        if name is not None and name not in names:
            raise DataError(f"{source} has no column {name!r} for --{flag}. {suggest(name, names)}")
    if target is None:
        raise DataError(f"{source} is a table; which column holds the classes? Name it with --target.")
    return target


def _classes(cells: Sequence[str], target: str, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    missing = [i for i, cell in enumerate(cells) if cell == ""]  # "none" may well be a class
    if missing:
        raise DataError(
            f"{len(missing)} rows of {source} have no {target} (first: row {missing[0] + 1}). Remove them, "
            "or pass them as --unlabelled."
        )
    names, labels = np.unique(cells, return_inverse=True)
    if len(names) > max(2, len(cells) // 5):
        raise DataError(
            f"The column {target!r} of {source} has {len(names)} different values in {len(cells)} rows; "
            "classes were expected. Put its values into a few bins, or name another --target."
        )
    return labels.astype(np.int64), tuple(str(name) for name in names)


def _features(
    columns: Columns, source: str, labels: Collection[str]
) -> tuple[list[tuple[np.ndarray, tuple[str, ...]]], list[str]]:
    parts: list[tuple[np.ndarray, tuple[str, ...]]] = []
    notes: list[str] = []
    for name, cells in columns.items():
        numbers = None if name in labels else _numbers(cells)
        if numbers is not None:
            parts.append((numbers, ()))
            continue
        absent = {""} if name in labels else MISSING
        present = [cell for cell in cells if cell.lower() not in absent]
        levels = sorted(set(present))
        if len(levels) > MOST_LEVELS and len(levels) > len(present) // 2:
            notes.append(f"the column {name!r} is left out: nearly every row has a text of its own")
            continue
        place = {level: float(i) for i, level in enumerate(levels)}
        parts.append((np.array([place.get(cell, np.nan) for cell in cells]), tuple(levels)))
    if not parts:
        raise DataError(f"{source} has no column to learn from. Add some beside the target.")
    return parts, notes


def _numbers(cells: Sequence[str]) -> np.ndarray | None:
    try:
        return np.array([np.nan if cell.lower() in MISSING else float(cell) for cell in cells])
    except ValueError:
        return None


@dataclass(frozen=True, eq=False)
class _Columns:
    """What the training rows say of each column."""

    fill: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    numeric: np.ndarray
    missing: np.ndarray
    seen: dict[int, np.ndarray] = field(default_factory=dict)

    def encode(self, values: np.ndarray) -> Float[np.ndarray, "n d"]:
        """Numbers standardised, gaps filled and marked, categories spread over a column each."""
        gaps = np.isnan(values)
        plain = (np.where(gaps, self.fill, values) - self.mean) / self.scale
        parts = [plain[:, self.numeric], gaps[:, self.missing]]
        for column, known in self.seen.items():
            own = np.where(gaps[:, column], -1, values[:, column])
            parts.append(own[:, None] == known)
        return np.concatenate([part.astype(np.float32) for part in parts], 1)

    def snap(self, rows: np.ndarray) -> Float[np.ndarray, "n d"]:
        """Marks become 0 or 1, and one category of each column is chosen."""
        done = rows.astype(np.float32, copy=True)
        start = int(self.numeric.sum())
        stop = start + int(self.missing.sum())
        done[:, start:stop] = done[:, start:stop] > 0.5
        for known in self.seen.values():
            start, stop = stop, stop + len(known)
            done[:, start:stop] = np.eye(len(known), dtype=np.float32)[rows[:, start:stop].argmax(1)]
        return done


def fit_columns(values: Float[np.ndarray, "n p"], levels: Sequence[Sequence[str]] = ()) -> Encoding:
    """The encoding of columns, by these rows alone.

    A gap becomes the median, with a column that marks it; a gap in a category is a category of its own. A
    category that these rows do not have is none, and of very many the most frequent ones are known.
    """
    category = np.array([bool(level) for level in levels] or [False] * values.shape[1])
    gaps = np.isnan(values)
    empty = gaps.all(0)
    known = np.where(empty, 0.0, values)
    fill = np.nanmedian(known, axis=0)
    filled = np.where(np.isnan(known), fill, known)
    scale = filled.std(0)
    columns = _Columns(
        fill=fill,
        mean=filled.mean(0),
        scale=np.where(scale > 0, scale, 1.0),
        numeric=~category & (scale > 0),
        missing=~category & gaps.any(0) & ~empty,
        seen={int(c): _frequent(np.where(gaps[:, c], -1, values[:, c])) for c in np.flatnonzero(category)},
    )
    return Encoding(columns.encode, columns.snap)


def _frequent(numbers: np.ndarray) -> np.ndarray:
    """The most frequent levels, sorted."""
    found, times = np.unique(numbers, return_counts=True)
    return np.sort(found[np.argsort(-times, kind="stable")[:MOST_LEVELS]])


def joined_tables(
    columns: Columns,
    test: Columns | None,
    unlabelled: Columns | None,
    *,
    target: str,
    group: str | None,
    source: str,
    kinds: Kinds = UNKNOWN,
) -> tuple[Task, np.ndarray | None]:
    """The task of a table with a test table, and the values of a table without classes.

    Raises:
        DataError: a table lacks a column, or rows (or groups) that judge are also among those that train.
    """
    whole = {name: list(cells) for name, cells in columns.items()}
    ends = [len(next(iter(whole.values())))]
    for other, words in ((test, "the test table"), (unlabelled, "the unlabelled table")):
        count = 0 if other is None else len(next(iter(other.values()), []))
        for name, cells in whole.items():
            filled = None if other is None or (other is unlabelled and name == target) else other.get(name)
            if count and filled is None and name not in (target, group):
                raise DataError(f"{words} has no column {name!r}, which {source} has. Add it.")
            if count and filled is None and other is test:
                raise DataError(f"{words} has no column {name!r}. Add it.")
            cells += filled if filled is not None else [cells[0]] * count
        ends.append(ends[-1] + count)
    task = table_task(whole, target, group, source, kinds)
    train, judge, rest = ends
    labelled = _first_rows(task, judge, train if test is not None else None)
    if test is not None:
        refuse_overlap(labelled)
        refuse_shared_groups(labelled)
    if unlabelled is None:
        return labelled, None
    values = task.values[judge:rest]
    if group is not None and group in unlabelled and task.groups is not None and labelled.groups is not None:
        labelled, values = _without_groups(labelled, values, task.groups[judge:rest])
    return without_copies(labelled, values)


def _without_groups(labelled: Task, values: np.ndarray, groups: np.ndarray) -> tuple[Task, np.ndarray]:
    assert labelled.groups is not None
    shared = np.isin(groups, labelled.groups)
    note = f"{shared.sum()} unlabelled rows belong to groups of labelled ones; they are left out"
    notes = (*labelled.notes, *([note] if shared.any() else []))
    return replace(labelled, notes=notes), values[~shared]


def _first_rows(task: Task, count: int, train: int | None) -> Task:
    held = None if train is None else np.arange(count) >= train
    groups = None if task.groups is None else task.groups[:count]
    names = list(task.names[:count])
    values, labels = task.values[:count], task.labels[:count]
    return checked(replace(task, values=values, labels=labels, names=names, groups=groups, test=held))


def refuse_overlap(task: Task) -> None:
    """Raises a DataError if items of the test set are also among the others."""
    assert task.test is not None
    copies = np.flatnonzero(same_bytes(task.values[task.test], task.values[~task.test]))
    if len(copies):
        raise DataError(
            f"{len(copies)} rows of the test table are also in {task.source} (first: row {copies[0] + 1} of "
            "the test table). A test on what was trained on proves nothing: remove them from one side."
        )
