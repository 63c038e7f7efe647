"""Two sides of pictures, before anything is decoded: where they lie, and which pictures belong together."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError, suggest
from .decode import is_image
from .options import LoadOptions
from .parts import Item, Part
from .sources import SPLITS, Found, files_part, find, split_trees, unwrap
from .tables import FILE_COLUMNS, Table, find_table, read_table
from .tree import Tree, folder_tree, zip_tree

HALVES = ("left", "right")
OBVIOUS = (("input", "target"), ("input", "output"), ("source", "target"), ("before", "after"), ("a", "b"))
"""Names of sides that say which is made from which."""
TABLES = (".csv", ".jsonl")


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


Both = tuple[Part, Part, tuple[str, str], bool]
"""Given and made of one split, their names, and whether they are paired."""
Read = Callable[[Tree, Direction], Both]


def find_sides(source: str | Path, direction: Direction, options: LoadOptions) -> Sides:
    """Looks for both sides; nothing is decoded.

    Raises:
        DataError: they are not there, or it is not clear what is meant.
    """
    path = Path(source).expanduser()
    if options.holdout is not None:
        raise DataError(
            f"--holdout {options.holdout} names samples of one kind; what is held out here has two sides. "
            "Put both sides of it into a folder val, and those of the others into a folder train beside it."
        )
    if is_other_folder(path, direction):
        return two_folders(path, direction, options)
    if options.group is not None:
        raise DataError(
            f"--group {options.group} was asked for; groups of two sides are not known yet. Keep them apart "
            "by folders train and val, or leave it out."
        )
    if not (path.is_dir() or (path.is_file() and path.suffix.lower() in (".zip", *TABLES))):
        what = "is neither a folder nor a .zip, .csv or .jsonl file" if path.exists() else "is not there"
        raise DataError(f"{source} {what}. Two sides of pictures were expected. Name what holds both.")
    if is_table(path):
        tree = folder_tree(path.parent)
        table = read_table(tree, path.name)
        return from_splits(
            {"train": tree}, lambda one, way: by_column(one, table, way), direction, path, options
        )
    tree = zip_tree(path) if path.is_file() else folder_tree(path)
    refuse_bare(tree, direction)
    tree = unwrap(tree)
    return from_splits(split_trees(tree) or {"train": tree}, in_tree, direction, path, options)


def is_table(path: Path) -> bool:
    """Whether a file may have a column for either side."""
    return path.suffix.lower() in TABLES and path.is_file()


def is_other_folder(source: str | Path, direction: Direction) -> bool:
    """Whether what is translated into lies in a folder of its own, and is no side of the source."""
    path, target = Path(source).expanduser(), direction.target
    if target is None or direction.source is not None or is_table(path):
        return False
    return Path(target).expanduser().is_dir() and not has(path, target)


def has(path: Path, name: str) -> bool:
    """Whether a folder has a sub-folder of that name, in itself or in its splits; or a table a column."""
    if is_table(path):
        return name in read_table(folder_tree(path.parent), path.name).columns
    if not path.is_dir() or Path(name).name != name:
        return False
    splits = [below for below in path.iterdir() if below.name.lower() in SPLITS]
    return any((folder / name).is_dir() for folder in (path, *splits))


def sides_within(source: str | Path | np.ndarray) -> tuple[str, ...]:
    """What can be taken for two sides; nothing if there is nothing of the kind.

    That is two sub-folders, most of whose pictures have the same names, or the two columns of a table.
    """
    path = Path() if isinstance(source, np.ndarray) else Path(source).expanduser()
    if is_table(path):
        table = read_table(folder_tree(path.parent), path.name)
        return table.columns if len(table.columns) == 2 and table.column(FILE_COLUMNS) is None else ()
    if isinstance(source, np.ndarray) or not path.is_dir():
        return ()
    tree = unwrap(folder_tree(path))
    below = next((tree.below(name) for name in tree.folders() if SPLITS.get(name.lower()) == "train"), tree)
    folders = below.folders()
    sides = [{stem(name) for name in below.below(folder).files if is_image(name)} for folder in folders]
    return folders if len(folders) == 2 and alike(*sides) else ()


def alike(a: set[str], b: set[str]) -> bool:
    """Whether most names of two sides are names of both."""
    return len(a & b) > len(a ^ b)


def from_splits(
    trees: dict[str, Tree], read: Read, direction: Direction, path: Path, options: LoadOptions
) -> Sides:
    """Both sides of the split that is opened, and of the validation split, if there is one, to judge by."""
    wanted = SPLITS.get(options.split.lower(), options.split)
    if wanted not in trees:
        known = ", ".join(trees)
        raise DataError(f"{path} has no split {wanted!r}; it has: {known}. Name a folder like that.")
    given, made, names, paired = read(trees[wanted], direction)
    judges = trees.get("val") if wanted == "train" else None
    held: tuple[Part | None, Part | None] = (None, None)
    notes: list[str] = []
    if judges is not None:
        held = read(judges, Direction(*names, paired))[:2]
        notes.append("the hold-out is the folder of validation images")
    if wanted != "train":
        notes.append(f"the split {wanted!r} is opened whole, nothing is held out of it")
    if "test" in trees and wanted == "train":
        notes.append("the test images are left alone")
    carve = options.carve and judges is None and wanted == "train"
    first, second = (
        Found(str(path), part, other, carve, (*part.notes, *notes))
        for part, other in zip((given, made), held, strict=True)
    )
    return Sides(first, second, names, paired)


def in_tree(tree: Tree, direction: Direction) -> Both:
    """Both sides of one folder: two sub-folders, or two halves of each picture."""
    folders = tree.folders()
    asked = {name for name in (direction.source, direction.target) if name is not None}
    if asked and asked <= {*HALVES} and not asked & {*folders}:
        return halves(tree, direction)
    names = which(tree.root, folders, direction, "sub-folders")
    given, made = (pictures(tree.below(name), name) for name in names)
    if direction.paired is False:
        return given, made, names, False
    listed = listed_stems(tree)
    stems = [{stem(item.file) for item in part.items} for part in (given, made)]
    if listed is not None:
        stems = [side & listed for side in stems]
    if direction.paired is None and not alike(*stems):
        some = f"{len(stems[0] & stems[1])} of {len(stems[0] | stems[1])} names are on both sides"
        note = f"{some}: if pictures have partners, call these alike, and pass --recipe pix2pix"
        return replace(given, notes=(*given.notes, note)), made, names, False
    if listed is not None and (absent := sorted(listed - stems[0] - stems[1])):
        raise DataError(
            f"{len(absent)} of {len(listed)} pictures that the table in {tree.root} names are on no side "
            f"(first: {absent[0]}). Name files as they are called within {names[0]} and {names[1]}, or "
            "remove these rows."
        )
    return *matched((given, made), listed, tree.root), names, True


def which(root: str, known: Sequence[str], direction: Direction, what: str) -> tuple[str, str]:
    """The names of both sides.

    Raises:
        DataError: a name is unknown, both are the same, or it is not said which is which.
    """
    source, target = direction.source, direction.target
    for name in (source, target):
        if name is not None and name not in known:
            nor = ", nor is there such a folder" if name == target and what == "sub-folders" else ""
            none = f"It has no {what}; a folder of its own is named by --to alone."
            hint = suggest(name, known) if known else none
            raise DataError(f"{root} has no side {name!r}{nor}. {hint}")
    if source is not None and target is not None:
        if source == target:
            raise DataError(f"Both sides are {source!r}. Name another with --to.")
        return source, target
    if len(known) != 2:
        raise DataError(
            f"{root} has {len(known)} {what} ({', '.join(known) or 'none'}); two sides were expected. Say "
            "which is made of which: --from NAME --to NAME; or name the folder of the other side: --to DIR."
        )
    if source is None and target is None:
        if (names := obvious(known)) is not None:
            return names
        a, b = known
        raise DataError(
            f"{root} holds the sides {a} and {b}. Say which is made of which: --from {a} --to {b}, or --from "
            f"{b} --to {a}."
        )
    (other,) = (name for name in known if name not in (source, target))
    return source or other, target or other


def obvious(names: Sequence[str]) -> tuple[str, str] | None:
    """Two sides, if their names say which is made from which."""
    lower = [name.lower() for name in names]
    for a, b in OBVIOUS:
        if sorted((a, b)) == sorted(lower):
            return names[lower.index(a)], names[lower.index(b)]
    return None


def pictures(tree: Tree, name: str) -> Part:
    """All pictures of a folder, without classes.

    Partners are called alike, and may be as large and as old: the side's name keeps their stamps apart.
    """
    names = sorted(file for file in tree.files if is_image(file))
    if not names:
        raise DataError(f"There is no picture in {tree.root}. Two sides of pictures were expected. Add some.")
    part = files_part(tree, [Item(file) for file in names])
    return replace(part, stamp=f"{part.stamp} {name}")


def refuse_bare(tree: Tree, direction: Direction) -> None:
    """Raises a DataError if nothing at all lies in the folder of a side that is named."""
    for name in (direction.source, direction.target):
        empty = next((folder for folder in tree.bare if name in (folder, posixpath.basename(folder))), None)
        if empty is not None:
            raise DataError(
                f"There is no picture in {tree.root}/{empty}. Two sides of pictures were expected. Add some."
            )


def stem(file: str) -> str:
    """What partners have in common: the path without its suffix."""
    return posixpath.splitext(file)[0]


def listed_stems(tree: Tree) -> set[str] | None:
    """What a table beside the sub-folders names; None if there is no table."""
    table = find_table(tree)
    if table is None:
        return None
    column = table.column(FILE_COLUMNS)
    if column is None:
        raise DataError(
            f"{table.name} in {tree.root} lies beside two sides and names no pictures: a column file_name "
            "was expected. Add one, or open the table itself, if two of its columns are the sides."
        )
    return {stem(posixpath.normpath(row[column])) for row in table.rows if row.get(column)} or None


def matched(parts: tuple[Part, Part], listed: set[str] | None, root: str) -> tuple[Part, Part]:
    """Both sides item by item; partners are held out together.

    Raises:
        DataError: a picture has no partner.
    """
    both, lost = partners(parts[0].items, parts[1].items, listed)
    if lost or not both:
        first = f" (first: {lost[0]})" if lost else ""
        raise DataError(
            f"{len(lost)} pictures of {root} have no partner of the same name on the other side{first}; "
            f"{len(both)} have one. Add or remove them, or learn without pairs: --recipe cut."
        )
    left = max(len(part.items) for part in parts) - len(both)
    notes = (f"{left} pictures that the table beside the sides does not name are left out",) if left else ()
    given = replace(parts[0], items=[g for g, _ in both], notes=(*parts[0].notes, *notes))
    return given, replace(parts[1], items=[replace(m, group=g.group) for g, m in both])


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
    part = pictures(tree, "halves")
    first, second = (replace(part, half=name, stamp=f"{part.stamp} {name}") for name in names)
    return first, second, names, direction.paired is not False


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
    return parts[0], parts[1], names, direction.paired is not False


def two_folders(given: Path, direction: Direction, options: LoadOptions) -> Sides:
    """Each side a folder of its own; pairs only if that is asked for."""
    made = Path(direction.target or "").expanduser()
    if given.exists() and given.resolve() == made.resolve():
        raise DataError(f"Both sides are {given}. Name another folder with --to.")
    a, b = given.resolve(), made.resolve()
    if a.is_relative_to(b) or b.is_relative_to(a):
        raise DataError(
            f"Of {given} and {made}, one lies in the other: its pictures would be on both sides. Put them "
            "beside each other."
        )
    short = given.resolve().name, made.resolve().name
    first, second = (
        plain(find(path, options), name) for path, name in zip((given, made), short, strict=True)
    )
    names = short if short[0] != short[1] else (str(given), str(made))
    if not direction.paired:
        return Sides(first, second, names, paired=False)
    where = f"{given} and {made}"
    if (first.holdout is None) != (second.holdout is None):
        raise DataError(f"Of {where}, only one has a folder of validation images. Give the other one, too.")
    trains = matched((first.train, second.train), None, where)
    helds: tuple[Part | None, Part | None] = (None, None)
    if first.holdout is not None and second.holdout is not None:
        helds = matched((first.holdout, second.holdout), None, where)
    first, second = (
        replace(found, train=train, holdout=held)
        for found, train, held in zip((first, second), trains, helds, strict=True)
    )
    return Sides(first, second, names, paired=True)


def plain(found: Found, name: str) -> Found:
    """The same without classes, whatever folders the pictures lie in."""

    def without(part: Part) -> Part:
        items = [replace(item, label=None) for item in part.items]
        return replace(part, items=items, stamp=f"{part.stamp} {name}")

    held = None if found.holdout is None else without(found.holdout)
    return replace(found, train=without(found.train), holdout=held)
