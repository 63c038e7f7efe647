"""Texts to rows of token numbers, and rows to texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from ...errors import DataError, suggest
from .layout import END, PAD, TextLayout
from .options import DEFAULTS, TextOptions
from .tokens import Tokens, make_caption_tokens, make_tokens, tokens_from_json

if TYPE_CHECKING:
    from torch import Tensor

LONGEST = 256  # tokens of a text, unless more are asked for
USUAL = 0.99  # share of texts that are never cut, unless they are longer than that
SLACK = 2  # times as long as usual that the longest may be, to be taken whole
SHOWN = 3  # unknown words that a message names


@dataclass(frozen=True)
class TextCodec:
    """How texts become rows of token numbers, and rows texts again.

    A row holds a text's tokens, its end if that fits, and padding.

    Attributes:
        tokens: what a text is made of.
        layout: of a row.
        classes: names of the classes of texts, in the order of their numbers; empty without labels.
        source: of texts that these are made of; None if they are made of none.
        folded: whether capitals count as small letters, in texts that are learnt and in those that are asked
            for.

    Example:
        >>> codec, _ = fit_text_codec(["ab", "b"], TextOptions(tokens="characters"))
        >>> codec.encode(["ab", "b", "abba"]).tolist()
        [[4, 5, 2], [5, 2, 0], [4, 5, 5]]
        >>> codec.decode(codec.encode(["ab", "b", "abba"]))
        ['ab', 'b', 'abb']
    """

    tokens: Tokens
    layout: TextLayout
    classes: tuple[str, ...] = ()
    source: TextCodec | None = None
    folded: bool = False

    kind = "texts"

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            "kind": self.kind,
            "tokens": self.tokens.to_json(),
            "layout": asdict(self.layout),
            "classes": list(self.classes),
            "source": None if self.source is None else self.source.to_json(),
            "folded": self.folded,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> TextCodec:
        """The codec that `to_json` described."""
        source = fields["source"]
        return cls(
            tokens_from_json(fields["tokens"]),
            TextLayout(**fields["layout"]),
            tuple(fields["classes"]),
            None if source is None else cls.from_json(source),
            fields.get("folded", False),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample as the networks see it."""
        return (self.layout.length,)

    def encode(self, texts: Sequence[str]) -> Int[np.ndarray, "n length"]:
        """Texts as rows, int64; those that are too long are cut."""
        return self.rows_of(texts)[0]

    def rows_of(self, texts: Sequence[str]) -> tuple[Int[np.ndarray, "n length"], int]:
        """Texts as rows, int64, and how many texts were cut."""
        length, cut = self.layout.length, 0
        rows = np.full((len(texts), length), PAD, np.int64)
        for row, numbers in zip(rows, self.numbers(texts), strict=True):
            n = len(numbers)
            row[:n] = numbers[:length]
            row[n : n + 1] = END
            cut += n > length
        return rows, cut

    def numbers(self, texts: Sequence[str]) -> list[Int[np.ndarray, " k"]]:
        """The numbers of each text, however long, without its end."""
        return self.tokens.encode([text.casefold() for text in texts] if self.folded else texts)

    def unknown(self, text: str) -> list[str]:
        """The parts of a text that are no tokens."""
        return self.tokens.unknown(text.casefold() if self.folded else text)

    def decode(self, rows: Int[np.ndarray, "n length"] | Tensor) -> list[str]:
        """Rows, or a tensor of them on the CPU, as texts; what comes after the end is left out."""
        return self.tokens.decode(ended(np.asarray(rows)))

    def labels_of(self, names: Sequence[str]) -> Int[np.ndarray, " n"]:
        """The number of each class.

        Raises:
            DataError: there is none of that name.
        """
        numbers = {name: number for number, name in enumerate(self.classes)}
        for name in names:
            if name not in numbers:
                raise DataError(f"There is no class {name!r} of texts. {suggest(name, self.classes)}")
        return np.array([numbers[name] for name in names], np.int64)

    def prefix(self, text: str) -> Int[np.ndarray, " k"]:
        """The numbers of a text's beginning, int64, which is to be gone on with.

        Raises:
            DataError: it holds what was never learnt, or not so, or leaves no room.
        """
        unknown = self.tokens.unknown(text)
        if unknown:
            first = ", ".join(map(repr, unknown[:SHOWN]))
            raise DataError(
                f"{len(unknown)} parts of the beginning {text!r} are not among the {self.tokens.kind} that "
                f"were learnt: {first}{', ...' if len(unknown) > SHOWN else ''}. Write it without them."
            )
        (numbers,) = self.tokens.encode([text])
        (written,) = self.tokens.decode([numbers])
        if written.split() != text.split():
            raise DataError(
                f"The beginning {text!r} would be written {written!r}: words of it were learnt behind blanks "
                "only, and not right behind a sign. Write it so, or without the sign."
            )
        if len(numbers) >= self.layout.length:
            raise DataError(
                f"The beginning {text!r} has {len(numbers)} tokens; texts have at most {self.layout.length}. "
                "Shorten it."
            )
        return numbers.astype(np.int64)


def ended(rows: Int[np.ndarray, "n length"]) -> list[Int[np.ndarray, " k"]]:
    """The tokens of each row before its end.

    Example:
        >>> [row.tolist() for row in ended(np.array([[4, 2, 5], [5, 5, 5], [0, 4, 2]]))]
        [[4], [5, 5, 5], []]
    """
    over = (rows == END) | (rows == PAD)
    lengths = np.where(over.any(1), over.argmax(1), rows.shape[1])
    return [row[:n] for row, n in zip(rows, lengths, strict=True)]


def fit_text_codec(
    texts: Sequence[str],
    options: TextOptions = DEFAULTS,
    classes: tuple[str, ...] = (),
    source: TextCodec | None = None,
    *,
    captions: bool = False,
) -> tuple[TextCodec, list[str]]:
    """The codec of texts, and what there is to say of it.

    Args:
        texts: what is learnt from.
        options: tokens, length and vocabulary, where they are asked for.
        classes: names of their classes.
        source: of texts that these are made of.
        captions: whether they are read, and never written: capitals then count as small letters, and words
            are preferred.

    Raises:
        DataError: they are all made of one token.
        MissingExtra: the tokens that are asked for need an optional part.
    """
    texts = [text.casefold() for text in texts] if captions else texts
    tokens, why = (make_caption_tokens if captions else make_tokens)(
        options.tokens, texts, options.vocabulary
    )
    rows = tokens.encode(texts)
    refuse_one_token(tokens, rows)
    length = options.length or choose_length(np.array([len(row) for row in rows], np.int64))
    notes = [f"tokens are {WORDS_FOR[tokens.kind]}, {tokens.size:,} in all: {why}"]
    return TextCodec(tokens, TextLayout(length, tokens.size), classes, source, captions), notes


WORDS_FOR = {"characters": "characters", "words": "words", "bpe": "pairs of bytes"}


def refuse_one_token(tokens: Tokens, rows: Sequence[Int[np.ndarray, " k"]]) -> None:
    """Raises a DataError if there is nothing to choose from."""
    used = np.unique(np.concatenate([np.empty(0, np.int32), *rows]))
    if len(used) < 2:
        what = repr(tokens.decode([used])[0]) if len(used) else "none at all"
        raise DataError(
            f"All texts are made of one token, {what}; there is nothing to learn. Look at the file, or ask "
            "for other tokens or a larger vocabulary."
        )


def choose_length(lengths: Int[np.ndarray, " n"]) -> int:
    """Tokens of a row: room for the longest text and its end, unless few are that long.

    Example:
        >>> choose_length(np.array([3] * 99 + [5])), choose_length(np.array([3] * 995 + [90] * 5))
        (6, 4)
    """
    longest = int(lengths.max()) + 1
    usual = int(np.quantile(lengths, USUAL, method="higher")) + 1
    whole = longest <= min(SLACK * usual, LONGEST)
    return longest if whole else min(usual, LONGEST)
