"""Bytes of files as lines of text."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import DataError
from ..table.csvfile import likely_encoding, looks_like
from ..tree import Tree

BYTE_ORDER_MARK = "\ufeff"


def decoded(raw: bytes, name: str) -> str:
    """Bytes as text, without the mark that some editors put before it.

    Args:
        raw: UTF-8.
        name: what the bytes are called in messages.

    Raises:
        DataError: they are not UTF-8; the first line that is not is named.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(undecodable(raw, error.start, name)) from error
    if "\0" in text:
        raise DataError(undecodable(raw, raw.index(0), name))
    return text.removeprefix(BYTE_ORDER_MARK)


def undecodable(raw: bytes, at: int, name: str) -> str:
    """The message about bytes that are not UTF-8.

    Args:
        raw: all of them.
        at: the first that is not.
        name: what they are called.
    """
    line, others = raw.count(b"\n", 0, at) + 1, bad_lines(raw) - 1
    more = f" ({others} more lines are like that)" if others > 0 else ""
    return (
        f"{name} is not UTF-8 text: byte {at} (line {line}) is 0x{raw[at]:02x}{more}. "
        f"{looks_like(likely_encoding(raw, at))}. Save it as UTF-8, or remove what is no text."
    )


def bad_lines(raw: bytes) -> int:
    """How many lines are not UTF-8."""
    bad = 0
    for line in raw.split(b"\n"):
        try:
            bad += "\0" in line.decode("utf-8")
        except UnicodeDecodeError:
            bad += 1
    return bad


def lines_of(text: str) -> list[str]:
    r"""The lines of a text, however they end; what follows the last end is none, if it is nothing.

    Example:
        >>> lines_of("a\r\n\nb\n"), lines_of("")
        (['a', '', 'b'], [])
    """
    # Not str.splitlines, which ends lines at signs that texts hold, too.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def bytes_in(tree: Tree, name: str) -> bytes:
    """What is in a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with tree.open(name) as stream:
            return stream.read()
    except OSError as error:
        raise DataError(f"{tree.root}/{name} cannot be read: {error.strerror or error}.") from error


def file_tree(path: Path) -> Tree:
    """A single file as a tree, without a look at what lies beside it."""
    found = os.stat(path)
    files = {path.name: (found.st_size, found.st_mtime_ns)}
    return Tree(str(path.parent), files, lambda name: open(path.parent / name, "rb"))
