"""The files of a folder or a zip archive, behind one small interface."""

from __future__ import annotations

import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ..errors import DataError
from .parts import BadImage

LARGEST_MEMBER_BYTES = 1 << 30
DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, lzma.LZMAError, zlib.error)
"""What reading a member raises."""


@dataclass(frozen=True)
class Tree:
    """Files by their name relative to a root, with "/" between folders.

    Attributes:
        root: what the root is called in messages.
        files: size in bytes and time of change of each file.
        open: opens a file for reading bytes.
        skipped: links that were not followed.
        bare: folders in which nothing lies.
    """

    root: str
    files: Mapping[str, tuple[int, int]]
    open: Callable[[str], BinaryIO]
    skipped: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()

    def below(self, folder: str) -> Tree:
        """The tree of one folder in this one."""
        prefix = f"{folder}/"
        files = {name[len(prefix) :]: s for name, s in self.files.items() if name.startswith(prefix)}
        skipped = tuple(name[len(prefix) :] for name in self.skipped if name.startswith(prefix))
        bare = tuple(name[len(prefix) :] for name in self.bare if name.startswith(prefix))
        return Tree(f"{self.root}/{folder}", files, lambda name: self.open(prefix + name), skipped, bare)

    def folders(self) -> tuple[str, ...]:
        """Names of the folders directly in the root that hold a file somewhere."""
        return tuple(sorted({name.split("/", 1)[0] for name in self.files if "/" in name}))

    def here(self) -> tuple[str, ...]:
        """Names of the files directly in the root."""
        return tuple(sorted(name for name in self.files if "/" not in name))

    def stamp(self, names: list[str]) -> str:
        """Changes when one of these files changes its name, its size or its time of change."""
        content = repr([(name, self.files[name]) for name in sorted(names)])
        return blake2b(content.encode(), digest_size=16).hexdigest()


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems leave behind (".DS_Store", "__MACOSX/...")."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def folder_tree(root: Path) -> Tree:
    """The files below a folder. Links to folders, and links that lead out, are not followed."""
    files: dict[str, tuple[int, int]] = {}
    skipped: list[str] = []
    bare: list[str] = []
    for name, entry in _walk(root, ""):
        if entry.is_dir(follow_symlinks=False):
            bare.append(name)
        elif entry.is_symlink() and not _stays_inside(Path(entry.path), root):
            skipped.append(name)
        elif entry.is_file():
            found = entry.stat()
            files[name] = (found.st_size, found.st_mtime_ns)
    return Tree(str(root), files, lambda name: open(root / name, "rb"), tuple(skipped), tuple(bare))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    for entry in entries:
        name = prefix + entry.name
        if is_hidden(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            found = list(_walk(Path(entry.path), f"{name}/"))
            yield from found or [(name, entry)]
        else:
            yield name, entry


def _stays_inside(link: Path, root: Path) -> bool:
    target = link.resolve()
    return target.is_file() and target.is_relative_to(root.resolve())


def zip_tree(path: Path) -> Tree:
    """The files of a zip archive, read in place: nothing is unpacked, so nothing can escape.

    Raises:
        DataError: not a zip file, encrypted, or with names that lead out of the archive.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} is not a zip archive that can be read ({error}).") from error
    files: dict[str, tuple[int, int]] = {}
    skipped: list[str] = []
    for member in archive.infolist():
        _refuse_unsafe(path, member)
        if member.is_dir() or is_hidden(member.filename):
            continue
        if stat.S_ISLNK(member.external_attr >> 16):
            skipped.append(member.filename)
        else:
            files[member.filename] = (member.file_size, member.CRC)
    return Tree(str(path), files, lambda name: _read_member(archive, name), tuple(skipped))


def _refuse_unsafe(path: Path, member: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    if ".." in parts or (parts and (parts[0] == "/" or parts[0].endswith(":"))):
        raise DataError(
            f"The archive {path} holds {member.filename!r}, a name that leads out of it. "
            "Do not trust it; unpack it by other means, look at it, and give the folder."
        )
    if member.flag_bits & 0x1:
        raise DataError(f"The archive {path} is encrypted. Unpack it and give the folder.")


def _read_member(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    # The size in an archive's directory is a claim; only what was read is known.
    try:
        with archive.open(name) as member:
            content = member.read(LARGEST_MEMBER_BYTES + 1)
    except DAMAGE as error:
        raise BadImage(f"damaged in the archive: {error}") from error
    if len(content) > LARGEST_MEMBER_BYTES:
        raise BadImage(f"unpacks to more than {LARGEST_MEMBER_BYTES >> 20} MB")
    return io.BytesIO(content)
