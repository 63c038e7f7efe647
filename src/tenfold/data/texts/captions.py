"""Pictures with captions, before anything is decoded: in a table, in files beside them, or by their class."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError
from ..decode import is_image
from ..options import LoadOptions
from ..pairing import stem
from ..sources import SPLITS, Found, split_trees, unwrap
from ..tables import FILE_COLUMNS, LABEL_COLUMNS, TABLE_NAMES, TEXT_COLUMNS, prefix
from ..tree import Tree, folder_tree, zip_tree
from .fields import Fields, is_fields, read_fields, text_in, texts_in
from .lines import bytes_in, decoded, file_tree, lines_of
from .options import LABEL, TextOptions
from .places import TEXT
from .reading import folder_labels
from .worded import How, Rows, Worded, WordedPart, of_class, rows_of, with_captions


@dataclass(frozen=True)
class FoundCaptioned:
    """Pictures with captions.

    Attributes:
        found: the pictures, of which nothing is decoded yet.
        train: what is trained on, and carved if there is no hold-out.
        holdout: what the source, or the user, set aside; what is carved is part of the other.
    """

    found: Found
    train: WordedPart
    holdout: WordedPart | None

    @property
    def held(self) -> WordedPart:
        """Where captions of the hold-out are."""
        return self.holdout or self.train


def find_captioned(source: str | Path, texts: TextOptions, pictures: LoadOptions) -> FoundCaptioned:
    """Looks for pictures and their captions; nothing is decoded.

    Args:
        source: a folder or an archive with metadata.jsonl or metadata.csv (columns file_name and text, a row
            for each caption or a list of them), with a .txt beside each picture (a caption per line), or with
            a folder per class; or such a table.
        texts: columns, and the template of captions for classes.
        pictures: hold-out, group and split are read.

    Raises:
        DataError: there is nothing, or it is not clear what is meant.
    """
    how = How(texts, pictures)
    parts = split_parts(path_of(source), how)
    wanted = SPLITS.get(pictures.split.lower(), pictures.split)
    if wanted not in parts:
        raise DataError(f"{source} has no split {wanted!r}; it has: {', '.join(parts)}.")
    train, notes = parts[wanted], list(parts[wanted].part.notes)
    held = parts.get("val") if wanted == "train" else None
    if pictures.holdout is not None:
        others = split_parts(Path(pictures.holdout).expanduser(), how)
        if len(others) > 1:
            raise DataError(
                f"The hold-out {pictures.holdout} has splits itself ({', '.join(others)}). Give one."
            )
        held = next(iter(others.values()))
        notes.append(f"the hold-out is {pictures.holdout}")
    elif held is not None:
        notes.append("the hold-out is the folder of validation images")
    if held is not None:
        notes += [note for note in held.part.notes if note not in notes]
    if "test" in parts and wanted == "train":
        notes.append("the test images are left alone")
    carve = held is None and wanted == "train"
    found = Found(str(source), train.part, None if held is None else held.part, carve, tuple(notes))
    return FoundCaptioned(found, train, held)


def path_of(source: Any) -> Path:  # noqa: ANN401
    """Where pictures with captions lie.

    Raises:
        DataError: it is no path.
    """
    if not isinstance(source, str | Path):
        raise DataError(
            f"A {type(source).__name__} holds no captions. Expected a folder of pictures with captions, or a "
            "table of files and captions."
        )
    return Path(source).expanduser()


def split_parts(path: Path, how: How) -> dict[str, WordedPart]:
    """The pictures of each split of a folder, an archive or a table."""
    if path.is_file() and is_fields(path.name):
        tree = folder_tree(path.parent)
        return by_table(tree, read_fields(bytes_in(tree, path.name), path.name), how)
    if not path.is_dir() and not is_archive(path):
        what = "is no folder of pictures" if path.exists() else "is not there"
        raise DataError(f"{path} {what}. A folder, a .zip, or a table of files and captions was expected.")
    tree = unwrap(zip_tree(path) if path.is_file() else folder_tree(path))
    table = picture_table(tree)
    if table is not None:
        return by_table(tree, table, how)
    trees = split_trees(tree)
    if trees:
        return {split: in_folder(below, how) for split, below in trees.items()}
    above = table_above(path, tree)
    return {"train": in_folder(tree, how)} if above is None else by_table(tree, above, how)


def in_folder(tree: Tree, how: How) -> WordedPart:
    """The pictures of one folder, without a look for further splits."""
    table = picture_table(tree)
    if table is not None:
        return rows_of(tree, table, how).part(tree)
    pictures = sorted(name for name in tree.files if is_image(name))
    if not pictures:
        raise DataError(f"There is no picture in {tree.root}. Pictures with captions were expected.")
    beside = {stem(name): name for name in tree.files if name.lower().endswith(TEXT)}
    if any(stem(name) in beside for name in pictures):
        return by_sidecar(tree, pictures, beside, how)
    return by_class(tree, pictures, how)


def picture_table(tree: Tree) -> Fields | None:
    """The table of a folder that names its pictures; None if there is none.

    Raises:
        DataError: there are several, or it cannot be read.
    """
    here = tree.here()
    known = [name for name in TABLE_NAMES if name in here]
    if known:
        return read_fields(bytes_in(tree, known[0]), known[0])
    tables = [read_fields(bytes_in(tree, name), name) for name in here if is_fields(name)]
    about = [table for table in tables if any(name in table.columns for name in FILE_COLUMNS)]
    if len(about) > 1:
        names = ", ".join(table.name for table in about)
        raise DataError(f"More than one table names files: {names}. Give the path of the one to use.")
    return about[0] if about else None


def table_above(path: Path, tree: Tree) -> Fields | None:
    """The table beside a folder, if it has captions for most pictures in it: one serves several folders."""
    for name in TABLE_NAMES:
        above = path.resolve().parent / name
        if not path.is_dir() or not above.is_file():
            continue
        table = read_fields(bytes_in(file_tree(above), name), f"../{name}")
        column = table.column(None, FILE_COLUMNS)
        if column is None or table.column(None, TEXT_COLUMNS) is None:
            continue
        named = {posixpath.normpath(text_in(row.get(column))) for row in table.rows}
        pictures = {picture for picture in tree.files if is_image(picture)}
        if pictures and 2 * len(pictures & named) > len(pictures):
            return table
    return None


def by_table(tree: Tree, table: Fields, how: How) -> dict[str, WordedPart]:
    """Pictures that a table names, by the folder of their split.

    Raises:
        DataError: some lie in folders of splits, and some do not.
    """
    found = rows_of(tree, table, how)
    by_split: dict[str, list[str]] = {}
    for file in found.worded:
        by_split.setdefault(SPLITS.get(file.split("/", 1)[0].lower(), ""), []).append(file)
    if "" in by_split and len(by_split) > 1:
        raise DataError(
            f"{table.name} names files in folders of splits and {len(by_split[''])} beside them (first: "
            f"{by_split[''][0]}). Folders named train, val or test are splits; rename or move one or the "
            "other."
        )
    return {split or "train": found.part(tree, files) for split, files in by_split.items()}


def by_sidecar(tree: Tree, pictures: Sequence[str], beside: Mapping[str, str], how: How) -> WordedPart:
    """Captions in files that are called like the pictures, one a line."""
    labels, stems = labels_of(pictures), {stem(name) for name in pictures}
    worded: dict[str, Worded] = {}
    for name, label in zip(pictures, labels, strict=True):
        text = beside.get(stem(name))
        lines = [] if text is None else lines_of(decoded(bytes_in(tree, text), f"{tree.root}/{text}"))
        captions = [line.strip() for line in lines if line.strip()]
        worded[name] = Worded(captions, label, grouped(tree, name, how.pictures.group))
    notes = ["captions are read from files beside the pictures"]
    if how.texts.template is not None:
        notes.append("the template is not used, as there are captions")
    lost = sorted(text for name, text in beside.items() if name not in stems)
    if lost:
        notes.append(f"{len(lost)} files of captions have no picture (first: {lost[0]})")
    return Rows(with_captions(worded, tree.root, notes), tuple(notes)).part(tree)


def by_class(tree: Tree, pictures: Sequence[str], how: How) -> WordedPart:
    """Captions made of the names of classes."""
    labels = folder_labels(pictures)
    if labels is None:
        raise DataError(
            f"No captions were found in {tree.root}. Expected metadata.jsonl or metadata.csv with the "
            f"columns {FILE_COLUMNS[0]} and {TEXT_COLUMNS[0]}, a {TEXT} beside each picture, or a folder per "
            "class."
        )
    template = how.texts.template
    worded = {
        name: Worded([of_class(label, template)], label, grouped(tree, name, how.pictures.group))
        for name, label in zip(pictures, labels, strict=True)
    }
    shown = f"captions are the names of classes; a template such as 'a photo of a {LABEL}' makes sentences"
    note = shown if template is None else f"captions are made of the names of classes: {template}"
    return Rows(worded, (note,)).part(tree)


def labels_of(pictures: Sequence[str]) -> Sequence[str | None]:
    """The class of each picture, by its folder; None throughout if there are no classes."""
    return folder_labels(pictures) or [None] * len(pictures)


def grouped(tree: Tree, name: str, group: str | None) -> str | None:
    """The group of a picture that no table names.

    Raises:
        DataError: a column is asked for.
    """
    if group in (None, "prefix"):
        return None if group is None else prefix(name)
    raise DataError(
        f'--group {group} names a column, but {tree.root} has no table. Use "prefix", or put a metadata.csv '
        "there."
    )


def is_captioned(source: Any) -> bool:  # noqa: ANN401
    """Whether a source is pictures with captions and without labels, as a table says.

    With labels they are labelled pictures, unless a recipe says otherwise; so are folders of classes. Files
    of text beside pictures may be anything.
    """
    if not isinstance(source, str | Path):
        return False
    path = Path(source).expanduser()
    try:
        table = table_of(path)
    except DataError:  # whatever opens it says so
        return False
    if table is None or table.column(None, LABEL_COLUMNS) is not None:
        return False
    files, text = table.column(None, FILE_COLUMNS), table.column(None, TEXT_COLUMNS)
    named = files is not None and any(is_image(text_in(row.get(files))) for row in table.rows)
    return named and text is not None and any(any(texts_in(row.get(text))) for row in table.rows)


def holds_pictures(source: Any) -> bool:  # noqa: ANN401
    """Whether a source is a folder of pictures, or an archive of one."""
    if not isinstance(source, str | Path):
        return False
    path = Path(source).expanduser()
    try:
        tree = folder_tree(path) if path.is_dir() else zip_tree(path) if is_archive(path) else None
    except DataError:  # whatever opens it says so
        return False
    return tree is not None and any(map(is_image, tree.files))


def is_archive(path: Path) -> bool:
    """Whether a path is that of a .zip that is there."""
    return path.is_file() and path.suffix.lower() == ".zip"


def table_of(path: Path) -> Fields | None:
    """The table of pictures that a path leads to, if any: itself, in a folder, or in that of the split."""
    if path.is_file() and is_fields(path.name):
        return read_fields(bytes_in(file_tree(path), path.name), path.name)
    if not path.is_dir() and not is_archive(path):
        return None
    tree = unwrap(zip_tree(path) if path.is_file() else folder_tree(path))
    return picture_table(tree) or next(
        (picture_table(below) for split, below in split_trees(tree).items() if split == "train"), None
    )
