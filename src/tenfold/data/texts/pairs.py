"""Pairs of texts: what is given, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int

from ...errors import DataError, suggest
from ..pairing import OBVIOUS
from ..tree import Tree
from .fields import FIELDS, Fields, delimited, is_fields, json_fields, text_in, with_names
from .lines import bytes_in, decoded, file_tree, lines_of
from .options import TextOptions, refuse_unread
from .places import TEXT, Place, Source, is_pair, places_of, read_sides, with_holdout
from .reading import refuse_surrogates

KNOWN = (*OBVIOUS, ("src", "tgt"), ("text", "summary"), ("article", "summary"), ("question", "answer"))
"""Names of sides that say which is made of which."""
UNNAMED = ("source", "target")


@dataclass(frozen=True)
class PairPart:
    """The pairs of one split, as they were read.

    Attributes:
        name: what they are called in messages.
        sources: what is given; none is empty.
        targets: what is made of each; none is empty.
        names: what each pair is called in messages.
        sides: names of the sides.
        notes: what was decided while reading, a sentence each.
    """

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    names: tuple[str, ...]
    sides: tuple[str, str] = UNNAMED
    notes: tuple[str, ...] = ()

    labels = None

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def keys(self) -> tuple[str, ...]:
        """What must not be learnt if it is held out: a source, whatever its blanks and what is made of it."""
        return tuple(" ".join(text.split()) for text in self.sources)

    def take(self, index: Int[np.ndarray, " k"]) -> PairPart:
        """Some of the pairs."""
        rows = index.tolist()
        sources, targets, names = (
            tuple(column[i] for i in rows) for column in (self.sources, self.targets, self.names)
        )
        return replace(self, sources=sources, targets=targets, names=names)


@dataclass(frozen=True)
class FoundPairs:
    """Pairs of texts as they were read.

    Attributes:
        source: what was given, in words.
        train: what is to be trained on, and carved if there is no hold-out.
        holdout: what the source, or the user, set aside.
        notes: what was decided while looking.
    """

    source: str
    train: PairPart
    holdout: PairPart | None
    notes: tuple[str, ...]


def read_pairs(source: Source, options: TextOptions) -> FoundPairs:
    """Reads pairs, and says which are for training and which are held out.

    Args:
        source: two files with as many lines; a .tsv with two columns; a .csv or .jsonl with a column for
            either side; a folder with a file for either side; or a list of (source, target). The second of
            two files may be named by `options.target` instead.
        options: names of the sides and the hold-out are read.

    Raises:
        DataError: there are none, or they do not belong together.
    """
    refuse_unread(options, ("text", "label", "template"), "pairs of texts")
    both = two_paths(source, options)
    if both is None and isinstance(source, str | Path):
        places = places_of(Path(source).expanduser(), FIELDS)
        train, held, notes = read_sides(
            places, options.holdout, lambda place: read_pair_place(place, options)
        )
        return FoundPairs(str(source), train, held, notes)
    part = pairs_of_list(source) if both is None else of_two_files(*both)
    in_file = in_folder = options
    if both is not None:
        # The names of the two files are those of the sides in a folder, and mean nothing in a table.
        in_file = replace(options, source=None, target=None)
        in_folder = replace(options, source=both[0].stem, target=both[1].stem)
    train, held, notes = with_holdout(
        part,
        None,
        options.holdout,
        lambda place: read_pair_place(place, in_file if place.file else in_folder),
    )
    name = str(source) if isinstance(source, str | Path) else part.name
    return FoundPairs(name, train, held, notes)


def two_paths(source: Source, options: TextOptions) -> tuple[Path, Path] | None:
    """Both files, if there is one for either side."""
    if isinstance(source, list | tuple) and len(source) == 2:
        if all(isinstance(one, str | Path) for one in source):
            return Path(source[0]).expanduser(), Path(source[1]).expanduser()
        return None
    if not isinstance(source, str | Path) or not is_other_file(source, options.target):
        return None
    return Path(source).expanduser(), Path(options.target or "").expanduser()


def is_other_file(source: str | Path, target: str | None) -> bool:
    """Whether what is made of the lines of one file are those of another, and not a column or a side."""
    given = Path(source).expanduser()
    lines = given.is_file() and not is_fields(given.name)
    return lines and target is not None and Path(target).expanduser().is_file()


def read_pair_place(place: Place, options: TextOptions) -> PairPart:
    """The pairs of one place.

    Raises:
        DataError: it is not clear what is meant.
    """
    if place.file:
        if is_fields(place.file):
            return of_pair_fields(place, options)
        raise DataError(
            f"{place.name} holds one side. Name the file of the other, or give one that ends in "
            f"{', '.join(FIELDS)} with a column for either side."
        )
    tree = place.tree
    fields = [name for name in tree.here() if is_fields(name)]
    texts = {PurePosixPath(name).stem: name for name in tree.here() if name.lower().endswith(TEXT)}
    if len(fields) == 1 and len(texts) < 2:
        return of_pair_fields(replace(place, file=fields[0]), options)
    sides = sides_among(tuple(texts), options, tree.root, "files")
    return of_two_sides(tree, texts[sides[0]], texts[sides[1]], sides)


def sides_among(names: Sequence[str], options: TextOptions, root: str, what: str) -> tuple[str, str]:
    """What is given and what is made, among names of columns or files.

    Raises:
        DataError: one that is asked for is not there, or it is not clear which is made of which.
    """
    for asked in (options.source, options.target):
        if asked is not None and asked not in names:
            raise DataError(f"{root} has no side {asked!r} among its {what}. {suggest(asked, names)}")
    obvious = known_sides(names)
    source = options.source or (obvious[0] if obvious else None)
    target = options.target or (obvious[1] if obvious else None)
    others = [name for name in names if name not in (source, target)]
    if source is None and target is not None and len(others) == 1:
        source = others[0]
    if target is None and source is not None and len(others) == 1:
        target = others[0]
    if source is None or target is None or source == target:
        raise DataError(
            f"It is not clear which of the {what} of {root} are pairs: {', '.join(names) or 'there are none'}"
            f". Name what is given and what is made of it, or call them {UNNAMED[0]} and {UNNAMED[1]}."
        )
    return source, target


def known_sides(names: Sequence[str]) -> tuple[str, str] | None:
    """Two of the names, if they say which is made of which.

    Example:
        >>> known_sides(["id", "Target", "Source"]), known_sides(["de", "en"])
        (('Source', 'Target'), None)
    """
    lower = {name.lower(): name for name in names}
    return next(((lower[a], lower[b]) for a, b in KNOWN if a in lower and b in lower), None)


def recipe_of_words(names: Sequence[str]) -> str:
    """The recipe that learns the texts of a table with these columns.

    Example:
        >>> recipe_of_words(["source", "target"]), recipe_of_words(["id", "review"])
        ('seq2seq_gan', 'lm')
    """
    return "lm" if known_sides(names) is None else "seq2seq_gan"


def of_pair_fields(place: Place, options: TextOptions) -> PairPart:
    """Two columns of a file; the first and the second of a .tsv that does not name them."""
    fields, unnamed = pair_fields(place, options)
    a, b = sides_among(fields.columns, options, fields.name, "columns")
    sources, targets = ([text_in(row.get(name)) for row in fields.rows] for name in (a, b))
    part = pairs_of(fields.name, sources, targets, [f"line {n}" for n in fields.lines], (a, b))
    note = f"the first line of {fields.name} is taken for a pair, and not for names of columns"
    return replace(part, notes=(note, *part.notes)) if unnamed else part


def pair_fields(place: Place, options: TextOptions) -> tuple[Fields, bool]:
    """The rows of a file of fields, and whether it does not name its two columns."""
    raw = bytes_in(place.tree, place.file)
    if place.file.lower().endswith(".jsonl"):
        return json_fields(raw, place.name), False
    rows = delimited(raw, place.name)
    # Translations are often kept like this.
    unnamed = place.file.lower().endswith(".tsv") and bool(rows) and not names_sides(rows[0][1], options)
    unnamed = unnamed and len(rows[0][1]) == len(UNNAMED)
    return with_names([(0, [*UNNAMED]), *rows] if unnamed else rows, place.name), unnamed


def names_sides(row: Sequence[str], options: TextOptions) -> bool:
    """Whether the first line of a file names columns."""
    asked = [name for name in (options.source, options.target) if name is not None]
    return known_sides(row) is not None or any(name in row for name in asked)


def of_two_files(given: Path, made: Path) -> PairPart:
    """Two files with a text per line, line by line."""
    for path in (given, made):
        if not path.is_file():
            raise DataError(f"There is no file {str(path)!r}. A side of pairs of texts was expected there.")
    sides = (given.stem, made.stem) if given.stem != made.stem else UNNAMED
    sources, targets = (lines_in(file_tree(path), path.name) for path in (given, made))
    return line_by_line((str(given), sources), (str(made), targets), sides)


def of_two_sides(tree: Tree, given: str, made: str, sides: tuple[str, str]) -> PairPart:
    """Two files of a folder, line by line."""
    sources, targets = (lines_in(tree, name) for name in (given, made))
    return line_by_line((f"{tree.root}/{given}", sources), (f"{tree.root}/{made}", targets), sides)


def lines_in(tree: Tree, name: str) -> list[str]:
    """The lines of a file, empty ones too: those of the other side would move up else."""
    return lines_of(decoded(bytes_in(tree, name), f"{tree.root}/{name}"))


def line_by_line(
    given: tuple[str, Sequence[str]], made: tuple[str, Sequence[str]], sides: tuple[str, str]
) -> PairPart:
    """Pairs of lines; each side has a name and its lines.

    Raises:
        DataError: one has more.
    """
    (a, sources), (b, targets) = given, made
    if len(sources) != len(targets):
        raise DataError(
            f"{a} has {len(sources)} lines and {b} has {len(targets)}. Line by line, they should belong "
            "together: add or remove lines."
        )
    return pairs_of(f"{a} and {b}", sources, targets, [f"line {n + 1}" for n in range(len(sources))], sides)


def pairs_of_list(source: Source) -> PairPart:
    """Pairs in memory.

    Raises:
        DataError: they are none.
    """
    if not isinstance(source, list | tuple):
        raise DataError(
            f"A {type(source).__name__} holds no pairs of texts. Expected the path of a file or a folder, "
            "two paths, or a list of (source, target)."
        )
    wrong = [i for i, one in enumerate(source) if not (is_pair(one) and isinstance(one[1], str))]
    if wrong:
        raise DataError(
            f"Number {wrong[0]} of the list is {source[wrong[0]]!r:.60}; a pair of texts was expected. Make "
            "all so."
        )
    sources, targets = [one[0] for one in source], [one[1] for one in source]
    names = list(map(str, range(len(source))))
    return pairs_of(f"a list of {len(source)} pairs", sources, targets, names, UNNAMED)


def pairs_of(
    name: str,
    sources: Sequence[str],
    targets: Sequence[str],
    names: Sequence[str],
    sides: tuple[str, str],
) -> PairPart:
    """Pairs without blanks at the ends of texts, and without those of which a side is empty.

    Raises:
        DataError: nothing is left, or a text cannot be written down.
    """
    bare = [[text.strip() for text in side] for side in (sources, targets)]
    whole = [bool(a and b) for a, b in zip(*bare, strict=True)]
    if not any(whole):
        raise DataError(f"There are no pairs of texts in {name}: {why_none(*bare)}. Add some.")
    for side in bare:
        refuse_surrogates(name, side, names)
    part = PairPart(name, tuple(bare[0]), tuple(bare[1]), tuple(names), sides)
    if all(whole):
        return part
    lost = whole.count(False)
    note = (
        f"{lost} of {len(whole)} pairs of {name} have an empty side and are left out (first: "
        f"{names[whole.index(False)]})"
    )
    return replace(part.take(np.flatnonzero(whole)), notes=(note,))


def why_none(sources: Sequence[str], targets: Sequence[str]) -> str:
    """What there is instead of pairs."""
    return f"of each of {len(sources)}, a side is empty" if sources or targets else "it is empty"
