"""Two sides of pictures: what is translated, and what it is translated into."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError, suggest
from .dataset import Dataset
from .decode import is_image
from .images import open_found
from .options import LoadOptions
from .parts import Item, Part
from .sources import SPLITS, Found, files_part, find, unwrap
from .spec import DataSpec
from .tables import FILE_COLUMNS, Table, find_table, read_table
from .tree import Tree, folder_tree, zip_tree

HALVES = ("left", "right")
OBVIOUS = (("input", "target"), ("input", "output"), ("source", "target"), ("before", "after"), ("a", "b"))
"""Names of sides that say which is made from which."""


@dataclass(frozen=True)
class Direction:
    """What shall be translated into what.

    Attributes:
        source: name of the side that is given: a sub-folder, a column of a table, left or right. None to
            find out.
        target: name of the side that is made, or the path of a folder. None to find out.
        paired: whether every picture has a partner on the other side; None to find out.
    """

    source: str | None = None
    target: str | None = None
    paired: bool | None = None


@dataclass(frozen=True)
class Sides:
    """What was found, before anything is decoded.

    Attributes:
        given, made: either side; where they are paired, item by item.
        names: of the sides.
        paired: whether they are.
    """

    given: Found
    made: Found
    names: tuple[str, str]
    paired: bool


def open_sides(source: str | Path, direction: Direction, options: LoadOptions) -> Dataset:
    """Opens two sides of pictures; the data are those that are made, and `given` those that they are made of.

    Args:
        source: a folder with two sub-folders, a folder of pictures that hold both sides, a table with two
            columns of files, or a folder whose other side is another folder.
        direction: what shall be translated into what.
        options: as for other data; the size is that of both sides.

    Raises:
        DataError: it is not clear what is meant, pictures have no partner, or partners differ in size.
    """
    sides = find_sides(source, direction, options)
    dataset = opened(sides, options)
    if sides.paired and not aligned(dataset):
        dataset = opened(without_lost(sides, dataset), options)
    assert dataset.given is not None
    if sides.paired and options.size is None:
        refuse_other_sizes(dataset)
    return dataset


def opened(sides: Sides, options: LoadOptions) -> Dataset:
    """Both sides, of one size."""
    made = open_found(sides.made, options)
    exact = (made.codec.height, made.codec.width)
    given = open_found(sides.given, replace(options, exact=exact))
    kind, (a, b) = "pairs" if sides.paired else "unpaired", sides.names
    count = min(made.spec.count, given.spec.count)
    spec = DataSpec(kind, made.spec.shape, count, given=given.spec.shape)
    words = f"{count} pairs" if sides.paired else f"{given.spec.count} pictures and {made.spec.count}"
    notes = [f"{a} is translated into {b}: {words}{'' if sides.paired else ' that are not paired'}"]
    notes += [f"{b}: {note}" for note in made.notes]
    notes += [f"{a}: {note}" for note in given.notes if note not in made.notes]
    return replace(
        made,
        spec=spec,
        given=given,
        sides=sides.names,
        notes=tuple(notes),
        fingerprint=f"{made.fingerprint}-{given.fingerprint}",
    )


def aligned(dataset: Dataset) -> bool:
    """Whether no picture's partner was left out."""
    given = dataset.given
    assert given is not None
    held = [0 if side.holdout is None else len(side.holdout) for side in (dataset, given)]
    both_whole = not (dataset.left_out or given.left_out)
    return both_whole and len(dataset.train) == len(given.train) and held[0] == held[1]


def without_lost(sides: Sides, dataset: Dataset) -> Sides:
    """The same without pairs of which one picture cannot be read."""
    assert dataset.given is not None
    lost = {*dataset.left_out}, {*dataset.given.left_out}

    def kept(made: Part | None, given: Part | None) -> tuple[Part | None, Part | None]:
        if made is None or given is None:
            return made, given
        both = zip(made.items, given.items, strict=True)
        whole = [(m, g) for m, g in both if m.name not in lost[0] and g.name not in lost[1]]
        return replace(made, items=[m for m, _ in whole]), replace(given, items=[g for _, g in whole])

    trains = kept(sides.made.train, sides.given.train)
    held = kept(sides.made.holdout, sides.given.holdout)
    assert trains[0] is not None and trains[1] is not None
    many = len(sides.made.train.items) - len(trains[0].items)
    note = f"{many} pairs are left out, as one of their pictures cannot be read"
    made = replace(sides.made, train=trains[0], holdout=held[0], notes=(*sides.made.notes, note))
    given = replace(sides.given, train=trains[1], holdout=held[1])
    return replace(sides, made=made, given=given)


def refuse_other_sizes(dataset: Dataset) -> None:
    """Raises a DataError if the pictures of a pair have two sizes."""
    assert dataset.given is not None
    both = zip(dataset.sizes, dataset.given.sizes, dataset.train.names, strict=False)
    other = [(name, made, given) for made, given, name in both if made != given]
    if other:
        name, made, given = other[0]
        raise DataError(
            f"{len(other)} of {len(dataset.train)} pairs have pictures of two sizes (first: {name}, "
            f"{given[1]}x{given[0]} and {made[1]}x{made[0]} pixels). Make them alike, or pass --size to have "
            "both resized."
        )


def find_sides(source: str | Path, direction: Direction, options: LoadOptions) -> Sides:
    """Looks for both sides; nothing is decoded.

    Raises:
        DataError: they are not there, or it is not clear what is meant.
    """
    path = Path(source).expanduser()
    if direction.target is not None and is_other_folder(path, direction.target):
        return two_folders(path, Path(direction.target), direction, options)
    if not path.exists():
        raise DataError(f"There is no file or folder {str(source)!r}. Name a folder with both sides.")
    if path.suffix.lower() in (".csv", ".jsonl"):
        tree = folder_tree(path.parent)
        return from_splits({"train": tree}, lambda one: by_column(one, read_table(one, path.name), direction), path)
    tree = unwrap(zip_tree(path) if path.suffix.lower() == ".zip" else folder_tree(path))
    splits = {SPLITS[name.lower()]: tree.below(name) for name in tree.folders() if name.lower() in SPLITS}
    return from_splits(splits or {"train": tree}, lambda one: in_tree(one, direction), path)


def is_other_folder(source: str | Path, target: str) -> bool:
    """Whether what is translated into lies in a folder of its own, and is no side of the source."""
    return Path(target).expanduser().is_dir() and not has(Path(source).expanduser(), target)


def has(path: Path, name: str) -> bool:
    """Whether a folder has a sub-folder of that name, in itself or in its splits."""
    return path.is_dir() and any((folder / name).is_dir() for folder in (path, *path.iterdir()))


Both = tuple[Part, Part, tuple[str, str], bool]
"""Given and made of one split, their names, and whether they are paired."""


def has_sides(source: str | Path | np.ndarray) -> bool:
    """Whether a folder looks like one of pairs: two sub-folders, most of whose pictures have the same names."""
    if isinstance(source, np.ndarray) or not Path(source).is_dir():
        return False
    tree = unwrap(folder_tree(Path(source)))
    below = next((tree.below(name) for name in tree.folders() if SPLITS.get(name.lower()) == "train"), tree)
    folders = below.folders()
    if len(folders) != 2:
        return False
    sides = [{stem(name) for name in below.below(folder).files if is_image(name)} for folder in folders]
    return len(sides[0] & sides[1]) > len(sides[0] ^ sides[1])


def from_splits(trees: dict[str, Tree], read: Callable[[Tree], Both], path: Path) -> Sides:
    """Sides of the training split, and of the validation split, if there is one, to judge by."""
    if "train" not in trees:
        raise DataError(f"{path} has no split to train on; it has: {', '.join(trees)}. Name a folder train.")
    given, made, names, paired = read(trees["train"])
    held = read(trees["val"]) if "val" in trees else None
    notes = ("the hold-out is the folder of validation images",) if held else ()
    notes += ("the test images are left alone",) if "test" in trees else ()
    founds = [
        Found(f"{path}", part, None if held is None else held[i], held is None, (*part.notes, *notes))
        for i, part in enumerate((given, made))
    ]
    return Sides(founds[0], founds[1], names, paired)


def in_tree(tree: Tree, direction: Direction) -> Both:
    """Both sides of one folder: two sub-folders, or two halves of each picture."""
    folders = tree.folders()
    asked = [name for name in (direction.source, direction.target) if name is not None]
    if asked and {*asked} <= {*HALVES} and not {*asked} & {*folders}:
        return halves(tree, direction)
    names = which(tree.root, folders, direction, "sub-folders")
    parts = [pictures(tree.below(name)) for name in names]
    listed = listed_stems(tree)
    both, lost = partners(parts[0].items, parts[1].items, listed)
    paired = direction.paired if direction.paired is not None else len(both) > len(lost)
    if not paired:
        return parts[0], parts[1], names, False
    return *matched((parts[0], parts[1]), listed, tree.root), names, True


def matched(parts: tuple[Part, Part], listed: set[str] | None, root: str) -> tuple[Part, Part]:
    """Both sides item by item.

    Raises:
        DataError: a picture has no partner.
    """
    both, lost = partners(parts[0].items, parts[1].items, listed)
    if lost:
        raise DataError(
            f"{len(lost)} pictures of {root} have no partner of the same name on the other side (first: "
            f"{lost[0]}); {len(both)} have one. Add or remove them, or learn without pairs: --recipe cut."
        )
    given, made = zip(*both, strict=True)
    return replace(parts[0], items=given), replace(parts[1], items=made)


def which(root: str, known: Sequence[str], direction: Direction, what: str) -> tuple[str, str]:
    """The names of both sides.

    Raises:
        DataError: a name is unknown, both are the same, or it is not said which is which.
    """
    for name in (direction.source, direction.target):
        if name is not None and name not in known:
            raise DataError(f"{root} has no side {name!r}. {suggest(name, known)}")
    if direction.source is not None and direction.source == direction.target:
        raise DataError(f"Both sides are {direction.source!r}. Name another with --to.")
    if direction.source is not None and direction.target is not None:
        return direction.source, direction.target
    if len(known) != 2:
        raise DataError(
            f"{root} has {len(known)} {what} ({', '.join(known) or 'none'}); two sides were expected. Say "
            "which is made of which: --from NAME --to NAME."
        )
    lower = [name.lower() for name in known]
    for a, b in OBVIOUS:
        if sorted((a, b)) == sorted(lower) and direction == replace(direction, source=None, target=None):
            return known[lower.index(a)], known[lower.index(b)]
    if direction.source is None and direction.target is None:
        a, b = known
        raise DataError(
            f"{root} holds the sides {a} and {b}. Say which is made of which: --from {a} --to {b}, or --from "
            f"{b} --to {a}."
        )
    (other,) = (name for name in known if name not in (direction.source, direction.target))
    return direction.source or other, direction.target or other


def pictures(tree: Tree) -> Part:
    """All pictures of a folder, without classes."""
    names = sorted(name for name in tree.files if is_image(name))
    if not names:
        raise DataError(f"There is no picture in {tree.root}. Two sides of pictures were expected.")
    return files_part(tree, [Item(name) for name in names])


def stem(file: str) -> str:
    """What partners have in common: the path without its suffix."""
    return posixpath.splitext(file)[0]


def listed_stems(tree: Tree) -> set[str] | None:
    """What a table beside the sub-folders names; None if there is no table."""
    table = find_table(tree)
    column = None if table is None else table.column(FILE_COLUMNS)
    if table is None or column is None:
        return None
    return {stem(row[column]) for row in table.rows if row.get(column)}


def partners(
    given: Sequence[Item], made: Sequence[Item], listed: set[str] | None
) -> tuple[list[tuple[Item, Item]], list[str]]:
    """Pictures of either side whose names are alike, and names of those that have no partner."""
    by_stem = [{stem(item.file): item for item in side} for side in (given, made)]
    for side, items in zip(by_stem, (given, made), strict=True):
        if len(side) < len(items):
            twice = next(name for name, n in Counter(stem(i.file) for i in items).items() if n > 1)
            raise DataError(f"More than one picture of a side is called {twice}. Rename or remove one.")
    if listed is not None:
        by_stem = [{name: item for name, item in side.items() if name in listed} for side in by_stem]
    both = sorted({*by_stem[0]} & {*by_stem[1]})
    lost = sorted({*by_stem[0]} ^ {*by_stem[1]})
    return [(by_stem[0][name], by_stem[1][name]) for name in both], lost


def halves(tree: Tree, direction: Direction) -> Both:
    """Pictures that hold both sides, one beside the other."""
    names = which(tree.root, HALVES, direction, "halves")
    part = pictures(tree)
    first, second = (replace(part, half=name, stamp=f"{part.stamp}-{name}") for name in names)
    return first, second, names, True


def by_column(tree: Tree, table: Table, direction: Direction) -> Both:
    """Both sides as two columns of a table."""
    names = which(table.name, table.columns, direction, "columns")
    parts: list[Part] = []
    for name in names:
        files = [posixpath.normpath(row.get(name, "")) for row in table.rows]
        missing = [file for file in files if file not in tree.files]
        if missing:
            raise DataError(
                f"{len(missing)} of the {len(files)} files in the column {name} of {table.name} are missing "
                f"(first: {missing[0]!r}, looked for in {tree.root}). Names are relative to the table's "
                "folder; put the files there, or remove their rows."
            )
        parts.append(files_part(tree, [Item(file) for file in files], table=table.name))
    return parts[0], parts[1], names, True if direction.paired is None else direction.paired


def two_folders(given: Path, made: Path, direction: Direction, options: LoadOptions) -> Sides:
    """Each side a folder of its own; pairs only if that is asked for."""
    if given.exists() and given.resolve() == made.resolve():
        raise DataError(f"Both sides are {given}. Name another folder with --to.")
    first, second = (without_classes(find(path, options)) for path in (given, made))
    names = (given.name, made.name) if given.name != made.name else (str(given), str(made))
    if not direction.paired:
        return Sides(first, second, names, paired=False)
    parts = matched((first.train, second.train), None, f"{given} and {made}")
    both = [replace(found, train=part) for found, part in zip((first, second), parts, strict=True)]
    return Sides(both[0], both[1], names, paired=True)


def without_classes(found: Found) -> Found:
    """The same, whatever folders the pictures lie in."""

    def plain(part: Part | None) -> Part | None:
        return part and replace(part, items=[replace(item, label=None) for item in part.items])

    train = plain(found.train)
    assert train is not None
    return replace(found, train=train, holdout=plain(found.holdout))
