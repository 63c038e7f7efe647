"""Keys: columns whose values tell rows apart and say nothing else, by their names and by how they look."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

from .column import Pattern

FEWEST = 20  # rows from which on values that are all different are no accident
LONGEST = 64  # characters of a key
_NAMED = re.compile(r"(?:^|[_\s.-])(?:id|ids|key|uuid|guid|idx)$", re.IGNORECASE)
_JOINED = re.compile(r"[a-z](?:Id|ID)$")
_NUMBERED = re.compile(r"(?:unnamed: \d+|index|row|rownames|rowid)$", re.IGNORECASE)
_ENDS = re.compile(r"(.*?)(\d{1,15})", re.DOTALL)


def named_like_a_key(name: str) -> bool:
    """Whether a column's name says that it holds keys.

    Example:
        >>> [named_like_a_key(name) for name in ("id", "customer_id", "PassengerId", "paid", "grid")]
        [True, True, True, False, False]
    """
    return any(pattern.search(name) for pattern in (_NAMED, _JOINED)) or bool(_NUMBERED.match(name))


def are_numbers_keys(name: str, distinct: Float[np.ndarray, " k"], rows: int) -> bool:
    """Whether numbers are keys: all different and whole, and either named so or counted from 0 or 1.

    Args:
        name: of the column.
        distinct: its numbers, sorted.
        rows: how many there are, missing ones among them.
    """
    if len(distinct) < rows or rows < 2 or (distinct != np.rint(distinct)).any():
        return False
    if named_like_a_key(name):
        return True
    return rows >= FEWEST and distinct[0] in (0, 1) and distinct[-1] - distinct[0] == rows - 1


def are_texts_keys(name: str, texts: np.ndarray, rows: int) -> bool:
    """Whether texts are keys: all different and without blanks, and either named so or most with digits."""
    if len(texts) < rows or rows < 2 or any(" " in text or len(text) > LONGEST for text in texts):
        return False
    with_digits = sum(any(c.isdigit() for c in text) for text in texts)
    return named_like_a_key(name) or (rows >= FEWEST and with_digits >= 0.9 * rows)


def pattern_of(texts: np.ndarray) -> tuple[Pattern | None, float | None, float | None]:
    """What keys begin with and how their numbers are written, the smallest number and the largest.

    Returns:
        None thrice if they are not numbers behind one prefix.

    Example:
        >>> pattern_of(np.array(["C007", "C010"], object)), pattern_of(np.array(["ab", "c1"], object))
        ((Pattern(prefix='C', digits=3), 7.0, 10.0), (None, None, None))
    """
    found = [_ENDS.fullmatch(text) for text in texts]
    whole = [match for match in found if match is not None]
    if not whole or len(whole) < len(found) or len({match[1] for match in whole}) > 1:
        return None, None, None
    lengths = {len(match[2]) for match in whole}
    padded = len(lengths) == 1 or any(match[2][0] == "0" and len(match[2]) > 1 for match in whole)
    numbers = [int(match[2]) for match in whole]
    return (
        Pattern(whole[0][1], min(lengths) if padded else 0),
        float(min(numbers)),
        float(max(numbers)),
    )
