"""What is known of pictures with captions: what a table says of each, and what is left out."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import DataError, suggest
from ..decode import is_image
from ..options import LoadOptions
from ..parts import Item, Part
from ..tables import FILE_COLUMNS, LABEL_COLUMNS, TEXT_COLUMNS, prefix
from ..tree import Tree
from .fields import Fields, text_in, texts_in
from .options import LABEL, TextOptions

Row = Mapping[str, Any]


@dataclass
class Worded:
    """What is known of one picture.

    Attributes:
        captions: of it, none empty.
        label: the name of its class, if it has one.
        group: what must stay on one side of the hold-out.
    """

    captions: list[str] = field(default_factory=list)
    label: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class WordedPart:
    """Pictures of one split, and their captions.

    Attributes:
        part: the pictures.
        captions: of each file.
    """

    part: Part
    captions: Mapping[str, tuple[str, ...]]

    def of(self, name: str) -> tuple[str, ...]:
        """The captions of an image, which may be a page of a file."""
        return self.captions[name if name in self.captions else name.rpartition("#")[0]]


@dataclass(frozen=True)
class How:
    """What a person said.

    Attributes:
        texts: about the captions.
        pictures: about the pictures.
    """

    texts: TextOptions
    pictures: LoadOptions


@dataclass(frozen=True)
class Rows:
    """Pictures with captions, and what there is to say of them.

    Attributes:
        worded: what is known of each file.
        notes: what was decided, a sentence each.
    """

    worded: Mapping[str, Worded]
    notes: tuple[str, ...]

    def part(self, tree: Tree, files: Iterable[str] | None = None) -> WordedPart:
        """Some of them, or all."""
        names = sorted(self.worded if files is None else files)
        items = [Item(name, None, self.worded[name].label, self.worded[name].group) for name in names]
        captions = {name: tuple(self.worded[name].captions) for name in names}
        counts = Counter(map(len, captions.values()))
        many = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
        notes = (f"{many} captions for each of {len(names)} pictures", *self.notes)
        return WordedPart(Part(items, tree.open, None, tree.stamp(names), (), notes), captions)


def rows_of(tree: Tree, table: Fields, how: How) -> Rows:
    """What a table says of each picture.

    Raises:
        DataError: a column is missing, pictures are missing and are not to be left out, or rows of one
            picture differ in their label.
    """
    files, caption_of, label, group = columns_of(table, how)
    worded: dict[str, Worded] = {}
    empty: list[str] = []
    for line, row in zip(table.lines, table.rows, strict=True):
        file = posixpath.normpath(text_in(row.get(files)))
        name = None if label is None else text_in(row.get(label))
        one = worded.setdefault(file, Worded([], name, group(row, file)))
        if one.label != name:
            raise DataError(
                f"{table.name} gives {file} the labels {one.label!r} and {name!r} (line {line}). Keep one."
            )
        captions = caption_of(row)
        one.captions += [caption for caption in captions if caption]
        empty += [file for caption in captions if not caption]
    notes = how_captioned(table, how.texts)
    if empty:
        notes.append(f"{len(empty)} captions are empty and left out (first: of {empty[0]})")
    unlisted = sorted(name for name in tree.files if is_image(name) and name not in worded)
    if unlisted:
        much = f"{len(unlisted)} images that {table.name} does not name"
        notes.append(f"{much} were left out (first: {unlisted[0]})")
    there = without_missing(tree, table, worded, notes, skip=how.pictures.skip_bad)
    return Rows(without_part_labels(with_captions(there, tree.root, notes), notes), tuple(notes))


def columns_of(
    table: Fields, how: How
) -> tuple[str, Callable[[Row], list[str]], str | None, Callable[[Row, str], str | None]]:
    """The column of files, what reads captions, the column of labels, and what says the group of a row."""
    files, label = table.column(None, FILE_COLUMNS), table.column(how.texts.label, LABEL_COLUMNS)
    text = table.column(how.texts.text, TEXT_COLUMNS)
    if files is None:
        raise DataError(
            f"The table {table.name} has no column of file names. Found: "
            f"{', '.join(table.columns) or 'nothing'}. Expected one of: {', '.join(FILE_COLUMNS)}."
        )
    group = grouping(table, how.pictures.group)
    if text is not None:
        return files, lambda row: texts_in(row.get(text)), label, group
    if label is None:
        raise DataError(
            f"The table {table.name} has no column of captions. Found: {', '.join(table.columns)}. Expected "
            f"one of: {', '.join(TEXT_COLUMNS)}; or one of classes: {', '.join(LABEL_COLUMNS)}."
        )
    return files, lambda row: [of_class(text_in(row.get(label)), how.texts.template)], label, group


def how_captioned(table: Fields, options: TextOptions) -> list[str]:
    """Where captions come from, in words."""
    if table.column(options.text, TEXT_COLUMNS) is None:
        return [f"captions are made of the classes in {table.name}: {options.template or LABEL}"]
    unused = [] if options.template is None else ["the template is not used, as there are captions"]
    return [f"captions are read from {table.name}", *unused]


def grouping(table: Fields, group: str | None) -> Callable[[Row, str], str | None]:
    """What says the group of a row about a file.

    Raises:
        DataError: there is no column of that name.
    """
    if group is None:
        return lambda row, file: None
    if group in table.columns:
        return lambda row, file: text_in(row.get(group)) or file
    if group == "prefix":
        return lambda row, file: prefix(file)
    raise DataError(f"The table {table.name} has no column {group!r}. {suggest(group, table.columns)}")


def without_missing(
    tree: Tree, table: Fields, worded: Mapping[str, Worded], notes: list[str], *, skip: bool
) -> dict[str, Worded]:
    """The same without files that are not there.

    Raises:
        DataError: there are some, and they are not to be left out.
    """
    missing = [file for file in worded if file not in tree.files]
    if missing and not skip:
        raise DataError(
            f"{len(missing)} of the {len(worded)} pictures that {table.name} has captions for are missing "
            f"(first: {missing[0]!r}, looked for in {tree.root}). Names are relative to the table's folder; "
            "put the pictures there, remove their rows, or pass --skip-bad."
        )
    if missing:
        notes.append(
            f"{len(missing)} pictures that {table.name} has captions for are missing (first: {missing[0]})"
        )
    return {file: one for file, one in worded.items() if file in tree.files}


def with_captions(worded: Mapping[str, Worded], root: str, notes: list[str]) -> dict[str, Worded]:
    """The same without pictures that have no caption.

    Raises:
        DataError: none has.
    """
    bare = [file for file, one in worded.items() if not one.captions]
    if len(bare) == len(worded):
        raise DataError(f"None of the {len(worded)} pictures of {root} has a caption. Write some.")
    if bare:
        notes.append(f"{len(bare)} pictures without a caption are left out (first: {bare[0]})")
    return {file: one for file, one in worded.items() if one.captions}


def without_part_labels(worded: dict[str, Worded], notes: list[str]) -> dict[str, Worded]:
    """The same without labels, if only some pictures have one; captions say what a picture shows."""
    bare = [file for file, one in worded.items() if not one.label]
    if not bare or len(bare) == len(worded):
        return {file: replace(one, label=one.label or None) for file, one in worded.items()}
    notes.append(f"labels are left out: {len(bare)} pictures have none (first: {bare[0]})")
    return {file: replace(one, label=None) for file, one in worded.items()}


def of_class(label: str, template: str | None) -> str:
    """The caption of a class.

    Example:
        >>> of_class("rain_boot", "a photo of a {label}"), of_class("bag", None)
        ('a photo of a rain boot', 'bag')
    """
    name = label.replace("_", " ").strip()
    return (template or LABEL).replace(LABEL, name) if name else ""
