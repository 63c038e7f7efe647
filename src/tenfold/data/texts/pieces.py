"""The words, signs and characters of texts, and how often each occurs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Int

from .layout import SPECIAL

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Characters of scripts that put no blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_MARKS = (
    "!-/:-@\\[-`{-~\u00a1-\u00bf\u00d7\u00f7\u060c\u061b\u061f\u0964\u0965\u2010-\u205e\u20a0-\u20cf"
    "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
"""Punctuation and signs. What is neither is part of a word: so accents stay with their letters."""
_LETTER = f"[^\\s{_MARKS}{_UNSPACED}]"
_PIECE = re.compile(f"[{_UNSPACED}]|{_LETTER}+(?:['’-]{_LETTER}+)*|[{_MARKS}]")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def pieces(text: str) -> Iterator[str]:
    """The words and signs of a text; those that follow a blank, or begin the text, begin with a space.

    Example:
        >>> list(pieces("It's (not) re-used."))
        [" It's", ' (', 'not', ')', ' re-used', '.']
    """
    for chunk in text.split():
        first, *others = _PIECE.findall(chunk)
        yield f" {first}"
        yield from others


def letters_of(texts: Iterable[str]) -> Counter[str]:
    """How often each character occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return counts


def words_of(texts: Iterable[str]) -> Counter[str]:
    """How often each piece occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(pieces(text))
    return counts


def commonest(counts: Counter[str], vocabulary: int) -> list[str]:
    """What occurs most often, in this order; room is left for tokens that stand for no part of a text."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [text for text, _ in ranked[: max(vocabulary - SPECIAL, 0)]]


def unspaced_share(letters: Counter[str]) -> float:
    """The share of characters, blanks apart, of scripts that put no blanks between words."""
    solid = sum(n for letter, n in letters.items() if not letter.isspace())
    return sum(n for letter, n in letters.items() if _IS_UNSPACED.match(letter)) / max(solid, 1)


def code_points(text: str) -> Int[np.ndarray, " k"]:
    """The number of each character."""
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), "<u4")
