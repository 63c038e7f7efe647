"""Samples: pictures that were made, with their labels."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import Codec
from .errors import RunError

if TYPE_CHECKING:
    from torch import Tensor

LISTING = "metadata.jsonl"
SHEETS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
LONGEST = 60  # characters of a folder's name; systems allow 255 bytes


@dataclass(frozen=True)
class Samples:
    """Samples as the networks made them; they become files of the data's own kind.

    Attributes:
        values: `(n, ...)` in [-1, 1].
        labels: class number of each, or None.
        classes: class names.
        codec: how values become pixels again.
        first: number of the first sample within its set.
        seed: of the set.
    """

    values: Tensor
    labels: np.ndarray | None
    classes: Sequence[str]
    codec: Codec
    first: int = 0
    seed: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        """Sample i in [-1, 1] and its class number (-1 without labels), as a torch Dataset gives them."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.values[i], -1 if self.labels is None else int(self.labels[i])

    def numpy(self) -> np.ndarray:
        """Pixels `(n, h, w, c)` of the data's own type, or rows `(n, d)`."""
        return self.codec.decode(self.values)

    def names(self) -> list[str]:
        """The class name of each; empty strings without labels."""
        if self.labels is None:
            return [""] * len(self)
        return [self.classes[int(i)] for i in self.labels]

    def save(self, folder: str | Path) -> Path:
        """Write a file each, in a folder per class, and `metadata.jsonl` that lists them.

        Rows of numbers are written as one array, `samples-<first>.npy`. Samples with a `first` above 0 may be
        written beside those before them.

        Raises:
            RunError: if the folder is no folder, holds something that is not theirs, or has one of the files.
        """
        folder = Path(folder)
        if self.first == 0:
            refuse_filled(folder)
        files = self.files()
        refuse_existing([folder / file for file in files])
        folder.mkdir(parents=True, exist_ok=True)
        if self.codec.kind == "vectors":
            np.save(folder / files[0], self.numpy())
            return folder
        with (folder / LISTING).open("a") as listing:
            for i, (picture, label, file) in enumerate(zip(self.numpy(), self.names(), files, strict=True)):
                (folder / file).parent.mkdir(exist_ok=True)
                self.codec.save(picture, folder / file)
                row: dict[str, Any] = {"file_name": file.as_posix()}
                row |= {} if self.labels is None else {"label": label}
                listing.write(json.dumps({**row, "index": self.first + i, "seed": self.seed}) + "\n")
        return folder

    def files(self) -> list[Path]:
        """Where each sample goes, or all rows of numbers together."""
        if self.codec.kind == "vectors":
            return [Path(f"samples-{self.first:06d}.npy")]
        folders = folder_names(self.classes) if self.labels is not None else {"": ""}
        names = enumerate(self.names(), self.first)
        return [Path(folders[name], f"{i:06d}{self.codec.suffix}") for i, name in names]

    def picture(self) -> Any:  # noqa: ANN401
        """One sheet of all samples, a `PIL.Image`."""
        from .report.sheet import sheet

        return sheet(self.codec.preview(self.values))

    def grid(self, path: str | Path) -> Path:
        """Write that sheet to a file, in a folder that is made if it is not there.

        Raises:
            RunError: if the file's suffix is not that of a picture.
        """
        refuse_other_suffix(path)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.picture().save(path)
        return Path(path)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.picture().save(buffer, format="PNG")
        return buffer.getvalue()


def folder_names(classes: Sequence[str]) -> dict[str, str]:
    """The folder of each class: its own name where that is safe, and never that of another class.

    A label is text from somebody's data: it may hold separators, be a path, or be empty. Names that differ
    only in case are one folder on some systems.

    Example:
        >>> folder_names(["a/b", "a_b", "A_b", "../up", ""])
        {'a_b': 'a_b', 'A_b': 'A_b-2', 'a/b': 'a_b-3', '../up': '_up', '': '_'}
    """
    taken, found = {LISTING}, dict[str, str]()
    for label in sorted(
        classes, key=lambda label: safe(label) != label
    ):  # stable: safe ones keep their names
        tries = chain([safe(label)], (f"{safe(label)}-{i}" for i in count(2)))
        found[label] = next(name for name in tries if folded(name) not in taken)
        taken.add(folded(found[label]))
    return found


def safe(label: str) -> str:
    """A label as the name of one folder, which is neither hidden nor above or below another."""
    plain = "".join(c if c.isprintable() else "_" for c in label)
    return re.sub(r'[\\/:*?"<>|]', "_", plain)[:LONGEST].lstrip(".").rstrip(". ") or "_"


def folded(name: str) -> str:
    """The same for all names that some file system takes for one."""
    return unicodedata.normalize("NFKC", name).casefold()


def refuse_filled(folder: Path) -> None:
    """Raises a RunError if something is in the way of a new folder."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a folder was expected. Choose another --out.")
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} exists and is not empty. Choose another --out.")


def refuse_existing(files: Sequence[Path]) -> None:
    """Raises a RunError if one of the files exists, which would be lost."""
    there = next((file for file in files if file.exists()), None)
    if there is not None:
        raise RunError(f"{there} exists already and would be overwritten. Choose another --out.")


def refuse_other_suffix(path: str | Path) -> None:
    """Raises a RunError if a file's suffix is not that of a picture."""
    if Path(path).suffix.lower() not in SHEETS:
        raise RunError(
            f"{path} does not end like a picture; {', '.join(SHEETS)} were expected. Choose another --grid."
        )
