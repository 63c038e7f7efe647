"""Finding texts, their labels and their splits in whatever was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ...errors import DataError
from ..tables import LABEL_COLUMNS, TEXT_COLUMNS
from ..tree import Tree
from .fields import FIELDS, Fields, is_fields, read_fields, text_in
from .lines import bytes_in, decoded, lines_of
from .options import TextOptions, refuse_unread
from .places import (
    OTHERS,
    SUFFIXES,
    TEXT,
    Place,
    Source,
    is_pair,
    place_of_holdout,
    places_of,
    read_sides,
    with_holdout,
)

SHOWN = 3  # columns that a note names


@dataclass(frozen=True)
class TextPart:
    """The texts of one split, as they were read.

    Attributes:
        name: what they are called in messages.
        texts: none is empty.
        labels: the class of each; None without.
        names: what each text is called in messages.
        notes: what was decided while reading, a sentence each.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...] | None
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def keys(self) -> tuple[str, ...]:
        """What must not be learnt if it is held out: a text, whatever its blanks, as words have none."""
        return tuple(" ".join(text.split()) for text in self.texts)

    def take(self, index: Int[np.ndarray, " k"]) -> TextPart:
        """Some of the texts."""
        rows = index.tolist()
        labels = None if self.labels is None else tuple(self.labels[i] for i in rows)
        texts, names = (tuple(column[i] for i in rows) for column in (self.texts, self.names))
        return replace(self, texts=texts, labels=labels, names=names)


@dataclass(frozen=True)
class FoundTexts:
    """Texts as they were read.

    Attributes:
        source: what was given, in words.
        train: what is to be trained on, and carved if there is no hold-out.
        holdout: what the source, or the user, set aside.
        notes: what was decided while looking.
    """

    source: str
    train: TextPart
    holdout: TextPart | None
    notes: tuple[str, ...]


def read_texts(source: Source, options: TextOptions) -> FoundTexts:
    """Reads texts, and says which are for training and which are held out.

    Args:
        source: a file with a text per line, or of fields; a folder of files, each a text, in sub-folders
            where these are classes; or a list of texts, or of texts and labels.
        options: columns and the hold-out are read.

    Raises:
        DataError: there are none, or they cannot be read.
    """

    def read(place: Place) -> TextPart:
        return read_place(place, options)

    def read_held(place: Place) -> TextPart:
        return read_place(place, options, held=True)

    refuse_unread(options, ("template",), "texts")
    if isinstance(source, str | Path):
        places = places_of(Path(source).expanduser())
        train, held, notes = read_sides(places, options.holdout, read, read_held)
        return FoundTexts(str(source), train, with_classes(held, train), notes)
    part = part_of_list(source)
    if options.holdout is None:
        refuse_columns(part.name, options)
    train, held, notes = with_holdout(part, None, options.holdout, read_held)
    return FoundTexts(part.name, train, with_classes(held, train), notes)


def read_holdout(holdout: str, options: TextOptions) -> TextPart:
    """The texts of a hold-out that is given; without labels, if the column asked for is not there.

    Raises:
        DataError: there are none, they cannot be read, or they have splits themselves.
    """
    return read_place(place_of_holdout(holdout), options, held=True)


def with_classes(held: TextPart | None, train: TextPart) -> TextPart | None:
    """The same hold-out, which shall choose a sampler.

    Raises:
        DataError: texts to learn from have labels, and it has none to be foretold with.
    """
    if held is not None and held.labels is None and train.labels is not None:
        raise DataError(
            f"The hold-out {held.name} has no labels, and the texts of {train.name} have: a sampler of "
            "classes cannot be chosen by texts of no class. Add the labels, or leave --holdout out; tenfold "
            "evaluate takes such texts."
        )
    return held


def read_place(place: Place, options: TextOptions, *, held: bool = False) -> TextPart:
    """The texts of one place; of a hold-out, there may be no labels where a column of them was asked for."""
    if place.file:
        return read_file(place, options, held=held)
    files = sorted(name for name in place.tree.files if name.lower().endswith(SUFFIXES))
    if len(files) == 1:
        return read_file(replace(place, file=files[0]), options, held=held)
    texts = [name for name in files if name.lower().endswith(TEXT)]
    part = read_folder(place.tree, texts, replace(options, label=None) if held else options)
    if len(texts) == len(files):
        return part
    others = [name for name in files if name not in {*texts}]
    note = f"{len(others)} other files are left alone (first: {others[0]})"
    return replace(part, notes=(*part.notes, note))


def read_file(place: Place, options: TextOptions, *, held: bool = False) -> TextPart:
    """The texts of one file: its lines, or a column of it."""
    raw = bytes_in(place.tree, place.file)
    if is_fields(place.file):
        return of_fields(read_fields(raw, place.name), options, held=held)
    if place.file.lower().endswith(OTHERS):
        raise DataError(
            f"{place.name} is no file of texts. Expected one with a text per line, or one that ends in "
            f"{', '.join(FIELDS)}."
        )
    refuse_columns(place.name, replace(options, label=None) if held else options)
    lines = lines_of(decoded(raw, place.name))
    return part_of(place.name, lines, None, [f"line {n + 1}" for n in range(len(lines))])


def read_folder(tree: Tree, files: Sequence[str], options: TextOptions) -> TextPart:
    """Files, each a text; their folders are classes."""
    refuse_columns(tree.root, options)
    if not files:
        raise DataError(
            f"No texts were found in {tree.root}: {len(tree.files)} files, none of which ends in {TEXT}. "
            "Expected a file for each text, in a folder per class if there are classes, or one file with a "
            "text per line."
        )
    texts = [decoded(bytes_in(tree, name), f"{tree.root}/{name}") for name in files]
    labels = folder_labels(files)
    part = part_of(tree.root, [text.replace("\r\n", "\n") for text in texts], labels, files)
    notes = [f"each of {len(files)} files is one text"]
    if labels is None and any("/" in name for name in files) and any("/" not in name for name in files):
        notes.append("texts lie beside folders of texts, so folders are not taken for classes: no labels")
    return replace(part, notes=(*notes, *part.notes))


def folder_labels(files: Sequence[str]) -> list[str] | None:
    """The class of each file: the folder it lies in; None if there are not two, or files beside them.

    Example:
        >>> folder_labels(["a/x", "b/c/y"]), folder_labels(["a/x", "y"]), folder_labels(["a/x", "a/y"])
        (['a', 'b'], None, None)
    """
    tops = [name.split("/", 1)[0] if "/" in name else "" for name in files]
    return None if "" in tops or len({*tops}) < 2 else tops


def refuse_columns(name: str, options: TextOptions) -> None:
    """Raises a DataError if columns are named of what has none."""
    for column in (options.text, options.label):
        if column is not None:
            raise DataError(
                f"The column {column!r} was asked for, and {name} has no columns. Leave it out, or give a "
                f"file that ends in {', '.join(FIELDS)}."
            )


def of_fields(fields: Fields, options: TextOptions, *, held: bool = False) -> TextPart:
    """The texts of a column, with labels if there is a column of these.

    Args:
        fields: rows of a file.
        options: which may name the columns.
        held: whether this is a hold-out, which has no labels where the column that is asked for is missing.

    Raises:
        DataError: it is not clear which column holds texts, or labels are given for some only.
    """
    lacking = held and options.label is not None and options.label not in fields.columns
    known = [name for name in LABEL_COLUMNS if name != options.text]
    label = None if lacking else fields.column(options.label, known)
    rest = tuple(name for name in fields.columns if name != label)
    text = fields.column(options.text, (*TEXT_COLUMNS, *(rest if len(rest) == 1 else ())))
    if text is None:
        raise DataError(
            f"{fields.name} has no column that is called {' or '.join(TEXT_COLUMNS)}. Found: "
            f"{', '.join(fields.columns) or 'nothing'}. Say which holds the texts (--text-column), or rename "
            "it."
        )
    names = [f"line {number}" for number in fields.lines]
    texts = [text_in(row.get(text)) for row in fields.rows]
    labels = None if label is None else [text_in(row.get(label)) for row in fields.rows]
    part = part_of(fields.name, texts, labels, names)
    if part.labels is not None and "" in part.labels:
        bare = [name for name, found in zip(part.names, part.labels, strict=True) if not found]
        raise DataError(
            f"{len(bare)} of {len(part)} texts of {fields.name} have no {label} (first: {bare[0]}). Fill "
            "them in, remove these rows, or rename the column."
        )
    others = [name for name in rest if name and name != text] if label is None else []
    return replace(part, notes=(*part.notes, *without_labels(fields, options.label, others)))


def without_labels(fields: Fields, asked: str | None, others: Sequence[str]) -> list[str]:
    """A note on texts without labels, if there are columns that might hold some.

    Args:
        fields: where the texts are.
        asked: the column of labels that was asked for.
        others: columns beside that of the texts; none where labels were read.
    """
    if asked is not None:
        missing = asked not in fields.columns
        return [f"{fields.name} has no column {asked!r}: its texts have no labels"] if missing else []
    if not others:
        return []
    named = ", ".join(map(repr, others[:SHOWN])) + (", ..." if len(others) > SHOWN else "")
    return [f"no column of {fields.name} is taken for labels; fit --label COLUMN takes one of {named}"]


def part_of_list(source: Source) -> TextPart:
    """Texts in memory, or pairs of a text and its label.

    Raises:
        DataError: they are neither.
    """
    if not isinstance(source, list | tuple):
        raise DataError(
            f"A {type(source).__name__} holds no texts. Expected the path of a file or a folder, a list of "
            "texts, or a list of (text, label)."
        )
    labelled = bool(source) and not isinstance(source[0], str)
    for i, one in enumerate(source):
        if not (is_pair(one) if labelled else isinstance(one, str)):
            what = "a text and its label" if labelled else "a text"
            raise DataError(f"Number {i} of the list is {one!r:.60}; {what} was expected. Make all alike.")
    texts = [one[0] for one in source] if labelled else source
    labels = [str(one[1]) for one in source] if labelled else None
    return part_of(f"a list of {len(source)} texts", texts, labels, list(map(str, range(len(source)))))


def part_of(name: str, texts: Sequence[str], labels: Sequence[str] | None, names: Sequence[str]) -> TextPart:
    """Texts without blanks at their ends, and without those that are empty, which are counted.

    Raises:
        DataError: nothing is left, or one cannot be written down.
    """
    bare = [text.strip() for text in texts]
    kept = np.array([i for i, text in enumerate(bare) if text], np.int64)
    if not len(kept):
        found = f"all of its {len(bare)} texts are blank" if bare else "it is empty"
        raise DataError(f"There is no text in {name}: {found}. A text per line was expected.")
    refuse_surrogates(name, bare, names)
    refuse_surrogates(name, labels or (), names if labels else ())
    part = TextPart(name, tuple(bare), None if labels is None else tuple(labels), tuple(names))
    lost = len(bare) - len(kept)
    if not lost:
        return part
    first = names[next(i for i, text in enumerate(bare) if not text)]
    note = f"{lost} of {len(bare)} texts of {name} are empty and left out (first: {first})"
    return replace(part.take(kept), notes=(note,))


def refuse_surrogates(name: str, texts: Sequence[str], names: Sequence[str]) -> None:
    """Raises a DataError if a text holds half a character, as some JSON does: no file can hold it."""
    for text, each in zip(texts, names, strict=True):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"The text {each} of {name} holds half of a character (U+{ord(text[error.start]):04X}, a "
                f"surrogate, at {error.start}). Write characters whole."
            ) from error
