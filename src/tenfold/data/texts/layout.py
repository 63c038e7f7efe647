"""How a text lies before networks (decision 015)."""

from __future__ import annotations

from dataclasses import dataclass

PAD, START, END, UNKNOWN = range(4)
SPECIAL = 4  # tokens that stand for no part of a text; those that do come after them


@dataclass(frozen=True)
class TextLayout:
    """A text as so many token numbers, padded behind its end.

    Attributes:
        length: tokens of the longest text, its end among them.
        vocabulary: how many different tokens there are, those that stand for no part of a text among them.
    """

    length: int
    vocabulary: int
