"""Finding the images, their labels and their splits in whatever was given."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ..errors import DataError, suggest
from .arrays import IDX_IMAGES, array_part, idx_splits, read_npy, read_npz
from .decode import IMAGE_SUFFIXES, is_image
from .named import NAMES, named_splits
from .options import LoadOptions
from .parts import Item, Part
from .tables import FILE_COLUMNS, TEXT_COLUMNS, Table, find_table, prefix, read_table, table_items
from .tree import Tree, folder_tree, zip_tree

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
Source = str | Path | np.ndarray


@dataclass(frozen=True)
class Found:
    """What was found, before anything is decoded.

    Attributes:
        source: what was given, in words.
        train: what is to be trained on, and carved if `carve`.
        holdout: what the source, or the user, set aside.
        carve: whether a part of `train` is to be held out.
        notes: what was decided while looking.
    """

    source: str
    train: Part
    holdout: Part | None
    carve: bool
    notes: tuple[str, ...]

    def fingerprint(self, options: LoadOptions) -> str:
        """Changes when a file's name, size or time of change, a label, a group or an option does."""
        digest = blake2b(repr(options).encode(), digest_size=16)
        for part in (self.train, self.holdout):
            if part is not None:
                digest.update(part.stamp.encode())
                digest.update(repr([(i.name, i.label, i.group) for i in part.items]).encode())
        return digest.hexdigest()


def find(source: Source, options: LoadOptions) -> Found:
    """Looks for images and says which are for training and which are held out.

    Raises:
        DataError: there is nothing, or it is not clear what is meant.
    """
    splits = _splits(source, options.group)
    train = _pick(splits, options.split, source)
    notes = list(train.notes)
    holdout = splits.get("val") if options.split == "train" else None
    if options.holdout is not None:
        holdout = _only(_splits(options.holdout, options.group), options.holdout)
        notes.append(f"the hold-out is {options.holdout}")
    elif holdout is not None:
        notes.append("the hold-out is the folder of validation images")
    if options.split != "train":
        notes.append(f"the split {options.split!r} is opened whole, nothing is held out of it")
    if "test" in splits and options.split == "train":
        notes.append("the test images are left alone")
    name = f"an array {source.shape}" if isinstance(source, np.ndarray) else str(source)
    carve = options.carve and holdout is None and options.split == "train"
    return Found(name, train, holdout, carve, tuple(notes))


def _pick(splits: dict[str, Part], split: str, source: Source) -> Part:
    wanted = SPLITS.get(split.lower())
    if wanted is None:
        raise DataError(f"There is no split called {split!r}. {suggest(split, SPLITS)}")
    if wanted not in splits:
        raise DataError(f"{source} has no split {split!r}; it has: {', '.join(splits)}.")
    return splits[wanted]


def _only(splits: dict[str, Part], source: str) -> Part:
    if len(splits) > 1:
        raise DataError(
            f"The hold-out {source} has splits itself ({', '.join(splits)}). Give the folder of one."
        )
    return next(iter(splits.values()))


def _splits(source: Source, group: str | None) -> dict[str, Part]:
    if isinstance(source, np.ndarray):
        splits = {"train": array_part(source)}
    else:
        path = Path(source).expanduser()
        if not path.exists():
            splits = _named(str(source))
        elif path.is_dir():
            return _tree_splits(folder_tree(path), group)
        else:
            return _file_splits(path, group)
    _refuse_group(group)
    return splits


def _named(name: str) -> dict[str, Part]:
    if name not in NAMES:
        raise DataError(
            f"There is no file or folder {name!r}, and no data set of that name. {suggest(name, NAMES)}"
        )
    return named_splits(name)


def _file_splits(path: Path, group: str | None) -> dict[str, Part]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _tree_splits(zip_tree(path), group)
    if suffix in (".csv", ".jsonl"):
        tree = folder_tree(path.parent)
        return _table_splits(tree, read_table(tree, path.name), group)
    if suffix in (".tif", ".tiff"):
        return {"train": files_part(folder_tree(path.parent), [Item(path.name)])}
    _refuse_group(group)
    if suffix == ".npy":
        return {"train": read_npy(path)}
    if suffix == ".npz":
        return {"train": read_npz(path)}
    if IDX_IMAGES.fullmatch(path.name):
        return idx_splits(folder_tree(path.parent))
    if is_image(path.name):
        raise DataError(f"{path} is a single image. A GAN learns from many; give the folder that holds them.")
    raise DataError(
        f"{path} is not something that holds images. Expected a folder, a .zip, .csv, .jsonl, .npy or .npz "
        f"file, IDX files, or one of: {', '.join(NAMES)}."
    )


def _refuse_group(group: str | None) -> None:
    if group is not None:
        raise DataError(f"--group {group} was asked for, but an array has no file names and no metadata.")


def _tree_splits(tree: Tree, group: str | None) -> dict[str, Part]:
    tree = unwrap(tree)
    if any(IDX_IMAGES.fullmatch(name) for name in tree.here()):
        _refuse_group(group)
        return idx_splits(tree)
    table = find_table(tree)
    if table is not None:
        return _table_splits(tree, table, group)
    splits = split_trees(tree)
    if not splits:
        return {"train": _images_part(tree, group)}
    return {split: _split_part(below, group) for split, below in splits.items()}


def split_trees(tree: Tree) -> dict[str, Tree]:
    """The folders of splits in a folder, by the split; none if there are none.

    Raises:
        DataError: images lie beside them, or two are of one split.
    """
    folders = [name for name in tree.folders() if name.lower() in SPLITS]
    if not folders:
        return {}
    beside = [name for name in tree.files if is_image(name) and name.split("/", 1)[0] not in folders]
    if beside:
        raise DataError(
            f"{tree.root} holds the splits {', '.join(folders)}, and {len(beside)} images beside them "
            f"(first: {beside[0]}). Folders named train, val or test are splits, not classes; rename or move "
            "one or the other."
        )
    twice = [split for split, n in Counter(SPLITS[name.lower()] for name in folders).items() if n > 1]
    if twice:
        raise DataError(
            f"{tree.root} holds more than one folder for the split {twice[0]!r}: {', '.join(folders)}."
        )
    return {SPLITS[name.lower()]: tree.below(name) for name in folders}


def unwrap(tree: Tree) -> Tree:
    """The folder that holds everything: archives often hold one alone."""
    while not tree.here() and len(folders := tree.folders()) == 1 and folders[0].lower() not in SPLITS:
        tree = tree.below(folders[0])
    return tree


def _split_part(tree: Tree, group: str | None) -> Part:
    table = find_table(tree)
    if table is None:
        return _images_part(tree, group)
    return _table_part(tree, table, table_items(tree, table, group))


def _images_part(tree: Tree, group: str | None) -> Part:
    items, notes = _by_folder(sorted(name for name in tree.files if is_image(name)))
    if group not in (None, "prefix"):
        raise DataError(
            f"--group {group} names a column, but {tree.root} has no table. "
            'Put a metadata.csv there, or use "prefix".'
        )
    if group == "prefix":
        items = [replace(item, group=prefix(item.file)) for item in items]
    captions = _texts_beside(tree, items)
    if captions:
        said = f"{captions} text files have the names of pictures: if they are captions, --recipe dfgan"
        notes += (said,)
    return replace(files_part(tree, items, (*notes, *_without_images(tree, items))), captions=captions)


def _texts_beside(tree: Tree, items: list[Item]) -> int:
    """How many files of text are called like images, if most of the images have one."""
    stems = {posixpath.splitext(item.file)[0] for item in items}
    named = stems & {posixpath.splitext(name)[0] for name in tree.files if name.lower().endswith(".txt")}
    return len(named) if 2 * len(named) > len(stems) else 0


def _without_images(tree: Tree, items: list[Item]) -> tuple[str, ...]:
    """A note on folders that look like classes and hold no image."""
    classes = {item.label for item in items if item.label is not None}
    empty = sorted({*tree.folders(), *(name for name in tree.bare if "/" not in name)} - classes)
    if not classes or not empty:
        return ()
    total = len(classes) + len(empty)
    return (f"{len(empty)} of {total} folders hold no image and are no classes (first: {empty[0]})",)


def _by_folder(images: list[str]) -> tuple[list[Item], tuple[str, ...]]:
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in images}
    if len(tops) == 1:
        return [Item(name) for name in images], ()
    if "" in tops:
        note = "images lie beside folders of images, so folders are not taken for classes: no labels"
        return [Item(name) for name in images], (note,)
    return [Item(name, label=name.split("/", 1)[0]) for name in images], ()


def _table_splits(tree: Tree, table: Table, group: str | None) -> dict[str, Part]:
    by_split: dict[str, list[Item]] = {}
    for item in table_items(tree, table, group):
        by_split.setdefault(SPLITS.get(item.file.split("/", 1)[0].lower(), ""), []).append(item)
    if "" in by_split and len(by_split) > 1:
        raise DataError(
            f"{table.name} names files in folders of splits and {len(by_split[''])} beside them "
            f"(first: {by_split[''][0].file}). Folders named train, val or test are splits; rename or move "
            "one or the other."
        )
    return {split or "train": _table_part(tree, table, items) for split, items in by_split.items()}


def _table_part(tree: Tree, table: Table, items: list[Item]) -> Part:
    named = {posixpath.normpath(row[table.column(FILE_COLUMNS) or ""]) for row in table.rows}
    unlisted = sum(is_image(name) and name not in named for name in tree.files)
    notes = [f"labels and files are read from {table.name}"]
    if unlisted:
        notes.append(f"{unlisted} images that {table.name} does not name were left out")
    texts = table.column(TEXT_COLUMNS)
    if texts is not None:
        notes.append(f"the column {texts!r} is not used: --recipe dfgan learns from captions")
    return files_part(tree, items, tuple(notes), table.name)


def files_part(tree: Tree, items: list[Item], notes: tuple[str, ...] = (), table: str = "") -> Part:
    """Items that are files of a folder, and what is said of the rest of it."""
    files = {item.file for item in items}
    ignored = tuple(name for name in tree.files if not is_image(name) and name != table)
    if not files:
        raise DataError(_nothing_found(tree, ignored))
    if ignored:
        notes += (f"{len(ignored)} files that are not images were ignored (first: {ignored[0]})",)
    if tree.skipped:
        notes += (f"{len(tree.skipped)} links that lead out of {tree.root} were not followed",)
    return Part(items, tree.open, None, tree.stamp(sorted(files)), ignored, notes)


def _nothing_found(tree: Tree, ignored: tuple[str, ...]) -> str:
    kinds = Counter(posixpath.splitext(name)[1].lower() or "no suffix" for name in ignored)
    held = ", ".join(f"{n} files with {kind}" for kind, n in kinds.most_common(3)) or "no files"
    links = (
        f", and {len(tree.skipped)} links that lead out of it and are not followed" if tree.skipped else ""
    )
    return (
        f"No images were found in {tree.root}: it holds {held}{links}. "
        f"Images are files ending in {', '.join(IMAGE_SUFFIXES)}."
    )
