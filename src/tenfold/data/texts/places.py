"""Where texts lie: files, folders and their splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeVar

from ...errors import DataError
from ..arrays import IDX_IMAGES
from ..decode import is_image
from ..sources import SPLITS, split_trees, unwrap
from ..tree import Tree, folder_tree, zip_tree
from .fields import FIELDS
from .lines import file_tree

TEXT = ".txt"
SUFFIXES = (TEXT, *FIELDS)
OTHERS = (*FIELDS, ".parquet", ".xlsx", ".json", ".npy", ".npz")
"""Of files that make a folder one of something else."""

Source = Any
"""A path, a list of texts, or a list of pairs."""


@dataclass(frozen=True)
class Place:
    """Where texts of one split lie.

    Attributes:
        tree: the folder.
        file: the file in it; empty for all of it.
        note: what is said of how it was found.
    """

    tree: Tree
    file: str
    note: str = ""

    @property
    def name(self) -> str:
        """What the place is called in messages."""
        return f"{self.tree.root}/{self.file}" if self.file else self.tree.root


class Parted(Protocol):
    """What was read of one split."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while reading."""
        ...


P = TypeVar("P", bound=Parted)


def read_sides(
    places: dict[str, Place],
    holdout: str | None,
    read: Callable[[Place], P],
    read_held: Callable[[Place], P] | None = None,
) -> tuple[P, P | None, tuple[str, ...]]:
    """What is trained on, what is held out, and what there is to say of it.

    Args:
        places: of splits.
        holdout: where else the hold-out is, if it is asked for.
        read: reads one place.
        read_held: reads that of the hold-out, if in another way.

    Raises:
        DataError: there is nothing to train on.
    """
    if "train" not in places:
        root = next(iter(places.values())).tree.root
        raise DataError(f"{root} has no folder train beside {', '.join(places)}. Name one so.")
    val = places.get("val") if holdout is None else None
    train, held, notes = with_holdout(read(places["train"]), val, holdout, read_held or read)
    first = places["train"].note
    notes = (*([first] if first else []), *notes)
    return train, held, (*notes, "the test texts are left alone") if "test" in places else notes


def with_holdout(
    train: P, val: Place | None, holdout: str | None, read: Callable[[Place], P]
) -> tuple[P, P | None, tuple[str, ...]]:
    """The same for what is trained on, once that is read."""
    if holdout is not None:
        held = read(place_of_holdout(holdout))
        return train, held, (*train.notes, f"the hold-out is {holdout}", *held.notes)
    if val is None:
        return train, None, train.notes
    held = read(val)
    return train, held, (*train.notes, f"the hold-out is {val.name}", *held.notes)


def place_of_holdout(holdout: str) -> Place:
    """Where a hold-out that was asked for lies.

    Raises:
        DataError: it has splits itself.
    """
    places = places_of(Path(holdout).expanduser())
    if len(places) > 1:
        raise DataError(f"The hold-out {holdout} has splits itself ({', '.join(places)}). Give one.")
    return next(iter(places.values()))


def places_of(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> dict[str, Place]:
    """Where the texts of each split lie.

    Args:
        path: a file, a folder or a zip archive.
        suffixes: of files that can each be a split.

    Raises:
        DataError: there is nothing, or it is not clear what is meant.
    """
    if not path.exists():
        raise DataError(f"There is no file or folder {str(path)!r}. Texts were expected there.")
    if path.is_file() and path.suffix.lower() != ".zip":
        return {"train": Place(file_tree(path), path.name)}
    tree = unwrap(zip_tree(path) if path.is_file() else folder_tree(path))
    files, note = split_files(tree, suffixes)
    if files:
        return {split: Place(tree, name, note) for split, name in files.items()}
    trees = split_trees(tree)
    if not trees:
        return {"train": Place(tree, "")}
    note = refuse_beside(tree)
    return {split: Place(below, "", note) for split, below in trees.items()}


def split_files(tree: Tree, suffixes: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Files called train, val or test, by the split; none unless it is clear that they are splits.

    Others beside them are left alone, if they are fewer.
    """
    here = [name for name in tree.here() if name.lower().endswith(suffixes)]
    named = [name for name in here if PurePosixPath(name).stem.lower() in SPLITS]
    found = {SPLITS[PurePosixPath(name).stem.lower()]: name for name in named}
    others = [name for name in here if name not in named]
    if "train" not in found or len(others) >= len(named):
        return {}, ""
    if len(found) < len(named):
        raise DataError(f"{tree.root} holds more than one file for a split: {', '.join(named)}. Keep one.")
    return found, f"{', '.join(others)} beside the splits is left alone" if others else ""


def refuse_beside(tree: Tree) -> str:
    """A note on files beside folders of splits.

    Raises:
        DataError: there are other folders of texts.
    """
    outside = [name for name in tree.files if name.split("/", 1)[0].lower() not in SPLITS]
    beside = [name for name in outside if name.lower().endswith(SUFFIXES)]
    below = [name for name in beside if "/" in name]
    if below:
        raise DataError(
            f"{tree.root} holds folders of splits, and {len(below)} texts in others (first: {below[0]}). "
            "Folders named train, val or test are splits, not classes; rename or move one or the other."
        )
    return f"{', '.join(beside)} beside the splits is left alone" if beside else ""


def is_pair(one: Any) -> bool:  # noqa: ANN401
    """Whether something is a text and something else."""
    return isinstance(one, list | tuple) and len(one) == 2 and isinstance(one[0], str)


def is_texts(source: Source) -> bool:
    """Whether a source can only be texts: a .txt file, a folder of these and of nothing else that is known.

    A list of texts, or of texts and labels, is one, too. A table with a column of texts is a table, unless
    a recipe says otherwise.
    """
    if isinstance(source, list | tuple):
        return bool(source) and (isinstance(source[0], str) or is_pair(source[0]))
    if not isinstance(source, str | Path):
        return False
    path = Path(source).expanduser()
    if path.is_file():
        return path.suffix.lower() == TEXT
    if not path.is_dir():
        return False
    try:
        names = [*folder_tree(path).files]
    except DataError:
        return False
    known = [name for name in names if is_image(name) or name.lower().endswith(OTHERS)]
    known += [name for name in names if IDX_IMAGES.fullmatch(PurePosixPath(name).name)]
    return not known and any(name.lower().endswith(TEXT) for name in names)
