"""Two sides of pictures: what is translated, and what it is translated into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError
from .dataset import Dataset
from .images import Source, open_data, open_found
from .options import LoadOptions
from .pairing import Direction, Sides, find_sides, is_table, obvious, sides_within
from .parts import Part
from .sources import Found
from .spec import DataSpec


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
    if not sides.paired:
        return dataset
    if not aligned(dataset):
        dataset = opened(without_lost(sides, dataset), options)
    refuse_unlike(dataset)
    if options.size is None and (problem := other_sizes(dataset)):
        raise DataError(problem)
    return dataset


def open_undirected(source: Source, options: LoadOptions) -> Dataset:
    """Opens data of which it is not said whether they have two sides; if they may have, that is said.

    Two sub-folders of pictures with the same names can be classes. A table of two columns of files cannot,
    nor can folders whose names say which is made from which.

    Raises:
        DataError: they cannot be used.
    """
    names = sides_within(source)
    if not names or isinstance(source, np.ndarray):
        return open_data(source, options)
    if is_table(Path(source).expanduser()) or obvious(names) is not None:
        return open_sides(source, Direction(), options)
    a, b = names
    words = (
        f"pictures of {a} and {b} have the same names: if they are two sides of pairs, say which is made of "
    )
    words += f"which: --from {a} --to {b}, or --from {b} --to {a}"
    try:
        dataset = open_data(source, options)
    except DataError as error:
        raise DataError(f"{error} But {words}.") from error
    return replace(dataset, notes=(*dataset.notes, words))


def opened(sides: Sides, options: LoadOptions) -> Dataset:
    """Both sides, of one size."""
    kind, (a, b) = "pairs" if sides.paired else "unpaired", sides.names
    made = one_side(sides.made, b, options)
    exact = (made.codec.height, made.codec.width)
    given = one_side(sides.given, a, replace(options, exact=exact))
    count = min(made.spec.count, given.spec.count)
    words = f"{count} pairs" if sides.paired else f"{given.spec.count} pictures and {made.spec.count}"
    notes = [f"{a} is translated into {b}: {words}{'' if sides.paired else ' that are not paired'}"]
    notes += [f"{b}: {note}" for note in made.notes]
    notes += [f"{a}: {note}" for note in given.notes if note not in made.notes]
    return replace(
        made,
        source=given.source,  # of two folders the other one is found again by its name
        spec=DataSpec(kind, made.spec.shape, count, given=given.spec.shape),
        given=given,
        sides=sides.names,
        notes=tuple(notes),
        fingerprint=f"{made.fingerprint}-{given.fingerprint}",
    )


def one_side(found: Found, name: str, options: LoadOptions) -> Dataset:
    """The pictures of one side; what is wrong with them is said with its name, as partners have the same.

    Raises:
        DataError: they cannot be used.
    """
    try:
        side = open_found(found, options)
    except DataError as error:
        raise DataError(f"On the side {name}: {error}") from error
    if side.spec.kind != "images":
        raise DataError(f"The side {name} holds {side.spec.kind}; pictures were expected. Name others.")
    return side


def aligned(dataset: Dataset) -> bool:
    """Whether no picture's partner was left out."""
    given = dataset.given
    assert given is not None
    return not (dataset.left_out or given.left_out) and counts(dataset) == counts(given)


def counts(side: Dataset) -> tuple[int, int]:
    """Pictures to train on, and held out."""
    return len(side.train), 0 if side.holdout is None else len(side.holdout)


def without_lost(sides: Sides, dataset: Dataset) -> Sides:
    """The same without pairs of which one picture cannot be read."""
    assert dataset.given is not None
    lost = files_of(dataset.left_out), files_of(dataset.given.left_out)

    def kept(made: Part, given: Part) -> tuple[Part, Part]:
        both = zip(made.items, given.items, strict=True)
        whole = [(m, g) for m, g in both if m.file not in lost[0] and g.file not in lost[1]]
        return replace(made, items=[m for m, _ in whole]), replace(given, items=[g for _, g in whole])

    made, given = kept(sides.made.train, sides.given.train)
    held: tuple[Part | None, Part | None] = (None, None)
    if sides.made.holdout is not None and sides.given.holdout is not None:
        held = kept(sides.made.holdout, sides.given.holdout)
    left = len(sides.made.train.items) - len(made.items)
    note = f"{left} pairs are left out, as one of their pictures cannot be read"
    return replace(
        sides,
        made=replace(sides.made, train=made, holdout=held[0], notes=(*sides.made.notes, note)),
        given=replace(sides.given, train=given, holdout=held[1]),
    )


def files_of(names: Sequence[str]) -> set[str]:
    """The files of images; a page of a file has its number behind the file's name."""
    return {*names, *(name.rpartition("#")[0] for name in names)}


def refuse_unlike(dataset: Dataset) -> None:
    """Raises a DataError if, in the end, pictures are beside others than their partners."""
    if aligned(dataset):
        return
    assert dataset.given is not None
    made, given = (sum(counts(side)) for side in (dataset, dataset.given))
    a, b = dataset.sides
    raise DataError(
        f"The side {a} has {given} pictures and {b} has {made}, though their files are paired: some hold "
        "several pages. Save each page as a file of its own."
    )


def other_sizes(dataset: Dataset) -> str:
    """What to say of pairs whose pictures have two sizes; nothing if there are none."""
    assert dataset.given is not None
    names = [*dataset.train.names, *(() if dataset.holdout is None else dataset.holdout.names)]
    both = zip(dataset.sizes, dataset.given.sizes, names, strict=True)
    other = [(name, made, given) for made, given, name in both if made != given]
    if not other:
        return ""
    name, made, given = other[0]
    return (
        f"{len(other)} of {len(names)} pairs have pictures of two sizes (first: {name}, "
        f"{given[1]}x{given[0]} and {made[1]}x{made[0]} pixels). Make them alike, or pass --size to have "
        "both resized."
    )
