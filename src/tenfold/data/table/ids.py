"""Keys of rows that are made: they look like those of the data, and none of them is one of those."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

if TYPE_CHECKING:
    from .column import Column

NUMBERS = ("int", "uint", "float", "double", "object[number]")
"""How the types of columns of numbers begin, in lower case."""
EXACT = 2**53  # beyond, doubles leave whole numbers out


def make_ids(column: Column, n: int, first: int, seed: int) -> np.ndarray:
    """Keys of rows: those of a set are all different, and key number i is a function of the seed and i alone.

    Numbered keys go on behind the last of the data. Where no pattern was found, each is a UUID.

    Args:
        column: of ids.
        n: how many.
        first: number of the first row.
        seed: of the set.

    Example:
        >>> from .column import Column, Pattern
        >>> make_ids(Column("id", "id", "str", pattern=Pattern("C-", 4), high=17.0), 2, 0, 0).tolist()
        ['C-0018', 'C-0019']
    """
    if column.pattern is None:
        return texts_of([uuid_of(seed, number) for number in range(first, first + n)])
    prefix, digits = column.pattern
    begin = beyond(column.high) + first
    counted = not column.dtype or column.dtype.lower().startswith(NUMBERS)
    if counted and not prefix and not digits:
        return np.arange(begin, begin + n, dtype=np.int64)
    return texts_of([f"{prefix}{number:0{digits}d}" for number in range(begin, begin + n)])


def beyond(high: float | None) -> int:
    """The first number behind the last of the data.

    Example:
        >>> beyond(None), beyond(17.0), beyond(2.0**60) > 2**60
        (0, 18, True)
    """
    if high is None:
        return 0
    return int(high) + 1 if high < EXACT else int(np.nextafter(high, np.inf))


def uuid_of(seed: int, number: int) -> str:
    """A random UUID (version 4) of a seed and a number.

    Example:
        >>> uuid_of(0, 1) == uuid_of(0, 1) != uuid_of(1, 1)
        True
    """
    digest = blake2b(repr((seed, number)).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


def texts_of(texts: list[str]) -> np.ndarray:
    """Texts as objects."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found
