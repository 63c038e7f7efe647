"""A column of text: each text once, without blanks around it; missing values and numbers among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

if TYPE_CHECKING:
    import pandas as pd

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null", "none", "<na>", "#n/a", "nat"})
"""What stands for a missing value among numbers and dates, in lower case. Among words it is one more word."""
SHOWN = 3  # rows that a message names
ODD_NUMBER = r"[+-]?(?:0\d|\d{16})"
"""How a key or a code begins that looks like a number: a leading zero, or more digits than a double has."""
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_ODD = re.compile(ODD_NUMBER)
_COMMA = re.compile(r"[+-]?(?:\d+|\d*,\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class Words:
    """A column as text.

    Attributes:
        codes: number of each row's text; -1 where there is none.
        texts: each text once, without blanks around it, in the order of their first rows.
        originals: of each text, as it is spelt most often.
        counts: rows of each.
        respelt: how many spellings there are beyond one of each text.
        blank: how cells with nothing but blanks are spelt, if they are most of those without a text.
    """

    codes: Int[np.ndarray, " n"]
    texts: np.ndarray
    originals: np.ndarray
    counts: Int[np.ndarray, " k"]
    respelt: int
    blank: str | None = None

    def rows(self, values: Sequence[Any] | np.ndarray, missing: Any) -> np.ndarray:  # noqa: ANN401
        """A value of each text as one of each row, `missing` where there is no text."""
        return spread(values, self.codes, missing)


def words_of(series: pd.Series[Any]) -> Words:
    """A column as text, whatever it holds."""
    import pandas as pd

    codes, found = pd.factorize(series)
    originals = found.to_numpy(dtype=object)
    stripped = np.empty(len(originals), object)
    stripped[:] = [text_of(value) or None for value in originals]
    inner, texts = pd.factorize(stripped)
    own = np.append(inner, -1)[codes]
    times = np.bincount(codes[codes >= 0], minlength=len(originals))
    order = np.argsort(times, kind="stable")
    order = order[inner[order] >= 0]
    spelt = np.empty(len(texts), object)
    spelt[inner[order]] = originals[order]  # of two spellings the last one stays: the more frequent
    counts = np.bincount(own[own >= 0], minlength=len(texts))
    blank = np.flatnonzero(inner < 0)
    most = blank[times[blank].argmax()] if len(blank) else -1
    more = len(blank) > 0 and times[blank].sum() >= (codes < 0).sum()
    texts, respelt = np.asarray(texts, object), len(order) - len(texts)
    return Words(own, texts, spelt, counts, respelt, str(originals[most]) if more else None)


def text_of(value: Any) -> str:  # noqa: ANN401
    """A value as text: without blanks around it, and whole numbers without a point.

    Example:
        >>> text_of(" a "), text_of(2.0), text_of(0.5), text_of(True)
        ('a', '2', '0.5', 'True')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value).strip()


def spread(values: Sequence[Any] | np.ndarray, codes: np.ndarray, missing: Any) -> np.ndarray:  # noqa: ANN401
    """Values by their numbers, and `missing` for -1, as objects."""
    table = np.empty(len(values) + 1, object)
    table[:-1] = values
    table[-1] = missing
    return table[codes]


def none_where(missing: np.ndarray, values: Any) -> np.ndarray:  # noqa: ANN401
    """Values as objects, None where one is missing."""
    found = np.array(values, dtype=object)
    found[missing] = None
    return found


def missing_words(texts: np.ndarray) -> Bool[np.ndarray, " k"]:
    """Which texts stand for a missing value."""
    return np.array([text.casefold() in MISSING_WORDS for text in texts], bool)


def plain_numbers(texts: Sequence[str] | np.ndarray, decimal: str = ".") -> Float[np.ndarray, " k"]:
    """Texts as numbers; NaN for what is none: words, and codes with leading zeros.

    Args:
        texts: without blanks around them.
        decimal: what stands before the decimals.
    """
    import pandas as pd

    plain = np.empty(len(texts), object)
    plain[:] = [_with_point(text, decimal) for text in texts]
    return np.asarray(pd.to_numeric(plain, errors="coerce"), np.float64)


def _with_point(text: str, decimal: str) -> str:
    if decimal == ",":
        text = text.replace(",", ".") if _COMMA.fullmatch(text) else ""
    return "" if _ODD.match(text) else text


def said_rows(wrong: Bool[np.ndarray, " n"]) -> str:
    """Which rows, in words; the first one is row 1.

    Example:
        >>> said_rows(np.array([True, False, True])), said_rows(np.array([False, True]))
        ('2 rows (rows 1, 3)', '1 row (row 2)')
    """
    rows = np.flatnonzero(wrong) + 1
    first = ", ".join(map(str, rows[:SHOWN].tolist())) + (", ..." if len(rows) > SHOWN else "")
    s = "" if len(rows) == 1 else "s"
    return f"{len(rows)} row{s} (row{s} {first})"
