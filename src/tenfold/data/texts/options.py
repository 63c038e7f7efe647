"""What a person may say about how texts are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import DataError, suggest
from .layout import SPECIAL

KINDS = ("auto", "characters", "words", "bpe")
LABEL = "{label}"
"""What stands for a class's name in a template."""


@dataclass(frozen=True)
class TextOptions:
    """What a person may say about how texts, pairs of texts and captions are opened.

    Attributes:
        tokens: characters, words or bpe; auto chooses by what there is.
        length: tokens of the longest text, its end among them; longer ones are cut. None takes nearly all as
            they are.
        vocabulary: how many different tokens there are at most, those that stand for no part of a text among
            them.
        text: column of the texts, or of the captions of pictures; found by its name if not given.
        label: column of the class of each text, likewise.
        source: column of what others are made of, or the name of its file in a folder.
        target: column of what is made, the name of its file in a folder, or the path of its file.
        template: caption of a picture of which only the class is known, such as "a photo of a {label}".
        holdout: a file or folder to judge by, instead of a part of the data.
        seed: decides what is held out.
    """

    tokens: str = "auto"
    length: int | None = None
    vocabulary: int | None = None
    text: str | None = None
    label: str | None = None
    source: str | None = None
    target: str | None = None
    template: str | None = None
    holdout: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises a DataError if a value cannot be."""
        if self.tokens not in KINDS:
            raise DataError(f"There are no tokens called {self.tokens!r}. {suggest(self.tokens, KINDS)}")
        if self.length is not None and self.length < 2:
            raise DataError(f"Texts of {self.length} tokens were asked for; at least 2 were expected.")
        if self.vocabulary is not None and self.vocabulary < SPECIAL + 2:
            raise DataError(
                f"A vocabulary of {self.vocabulary} was asked for; at least {SPECIAL + 2} were expected, as "
                f"{SPECIAL} tokens stand for no part of a text."
            )
        if self.template is not None and LABEL not in self.template:
            raise DataError(
                f"The template {self.template!r} has no place for the class. Write {LABEL} where its name "
                f'shall be, such as "a photo of a {LABEL}".'
            )


DEFAULTS = TextOptions()


def refuse_unread(options: TextOptions, names: Sequence[str], kind: str) -> None:
    """Raises a DataError if something is asked for that means nothing to this kind of data."""
    for name in names:
        found = getattr(options, name)
        if found is not None:
            raise DataError(f"{name} {found!r} was asked for, which is not read of {kind}. Leave it out.")
