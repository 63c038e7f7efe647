"""Texts as token numbers, and numbers as texts again: characters, words, or pairs of bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int

from ...errors import DataError, MissingExtra, suggest
from .layout import SPECIAL, UNKNOWN
from .pieces import code_points, commonest, letters_of, pieces, unspaced_share, words_of

MOST = 10_000  # different characters or words, unless more are asked for
MOST_PAIRS = 2_000  # different tokens of pairs of bytes, likewise
FEWEST_PAIRS = SPECIAL + 256  # every byte is a token of its own
OFTEN = 8  # times that a word must occur, on average, for words to be learnt as wholes
COVERED = 0.95  # share of all words that must be known, where words stand in for pairs of bytes
SMALL_ALPHABET = 256
LITTLE = 300_000  # characters in all
UNSPACED_SHARE = 0.3  # of the characters that are no blanks


class Tokens(Protocol):
    """How texts become token numbers, and numbers texts again."""

    @property
    def kind(self) -> str:
        """Characters, words or bpe."""
        ...

    @property
    def size(self) -> int:
        """How many tokens there are, those that stand for no part of a text among them."""
        ...

    def encode(self, texts: Sequence[str], /) -> list[Int[np.ndarray, " k"]]:
        """The numbers of each text, int32, without start and end."""
        ...

    def decode(self, rows: Iterable[Int[np.ndarray, " k"]], /) -> list[str]:
        """The text of each row of numbers; start, end and padding are no part of it."""
        ...

    def unknown(self, text: str, /) -> list[str]:
        """The parts of a text that are no tokens."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The fields and the kind, as JSON holds them."""
        ...


@dataclass(frozen=True)
class Characters:
    """Every character (a Unicode code point) is a token; texts come back exactly.

    Attributes:
        alphabet: all of them, in the order of their code points.

    Example:
        >>> tokens = Characters.fit(["abba"])
        >>> [row.tolist() for row in tokens.encode(["ab?"])]
        [[4, 5, 3]]
        >>> tokens.decode([np.array([5, 4, 4])])
        ['baa']
    """

    alphabet: str

    kind = "characters"

    @classmethod
    def fit(cls, texts: Iterable[str], vocabulary: int | None = None) -> Characters:
        """The commonest characters of texts; at most `vocabulary` tokens."""
        counts = letters_of(texts)
        return cls("".join(sorted(commonest(counts, vocabulary or MOST))))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Characters:
        """The tokens that `to_json` described."""
        return cls(fields["alphabet"])

    def to_json(self) -> dict[str, Any]:
        """The fields and the kind, as JSON holds them."""
        return {"kind": self.kind, "alphabet": self.alphabet}

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return SPECIAL + len(self.alphabet)

    def encode(self, texts: Sequence[str]) -> list[Int[np.ndarray, " k"]]:
        """The numbers of each text."""
        return [self._numbers(text) for text in texts]

    def decode(self, rows: Iterable[Int[np.ndarray, " k"]]) -> list[str]:
        """The text of each row."""
        return ["".join(map(self._spelt.__getitem__, row.tolist())) for row in rows]

    def unknown(self, text: str) -> list[str]:
        """The characters of a text that are no tokens, each once."""
        known = set(self.alphabet)
        return list(dict.fromkeys(letter for letter in text if letter not in known))

    def _numbers(self, text: str) -> Int[np.ndarray, " k"]:
        points = code_points(text)
        if not self.alphabet:
            return np.full(len(points), UNKNOWN, np.int32)
        place = np.searchsorted(self._points, points).clip(max=len(self.alphabet) - 1)
        return np.where(self._points[place] == points, place + SPECIAL, UNKNOWN).astype(np.int32)

    @cached_property
    def _points(self) -> np.ndarray:
        return code_points(self.alphabet)

    @cached_property
    def _spelt(self) -> tuple[str, ...]:
        return ("", "", "", "\N{REPLACEMENT CHARACTER}", *self.alphabet)


@dataclass(frozen=True)
class Words:
    """Every word and every sign of punctuation is a token.

    Texts come back up to blanks: those at the ends are lost, and any others become one space. A word that
    follows a blank, or begins a text, is another token than the same word right behind a sign: so it is known
    where blanks were. If it was learnt behind blanks only, it is taken for that one behind a sign, too, and a
    blank comes between; so it does before what is unknown. In scripts without blanks every character is a
    word.

    Attributes:
        vocabulary: all words, the commonest first; those that follow a blank begin with a space.

    Example:
        >>> tokens = Words.fit(["a cat, a  dog"])
        >>> tokens.vocabulary
        (' a', ' cat', ' dog', ',')
        >>> tokens.decode(tokens.encode(["a dog,  a cow"]))
        ['a dog, a <unk>']
    """

    vocabulary: tuple[str, ...]

    kind = "words"

    @classmethod
    def fit(cls, texts: Iterable[str], vocabulary: int | None = None) -> Words:
        """The commonest words of texts; at most `vocabulary` tokens."""
        return cls(tuple(commonest(words_of(texts), vocabulary or MOST)))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Words:
        """The tokens that `to_json` described."""
        return cls(tuple(fields["vocabulary"]))

    def to_json(self) -> dict[str, Any]:
        """The fields and the kind, as JSON holds them."""
        return {"kind": self.kind, "vocabulary": list(self.vocabulary)}

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return SPECIAL + len(self.vocabulary)

    def encode(self, texts: Sequence[str]) -> list[Int[np.ndarray, " k"]]:
        """The numbers of each text."""
        return [np.array([self._number(piece) for piece in pieces(text)], np.int32) for text in texts]

    def decode(self, rows: Iterable[Int[np.ndarray, " k"]]) -> list[str]:
        """The text of each row."""
        return ["".join(map(self._spelt.__getitem__, row.tolist())).removeprefix(" ") for row in rows]

    def unknown(self, text: str) -> list[str]:
        """The words of a text that are no tokens, each once."""
        return list(dict.fromkeys(p.strip() for p in pieces(text) if self._number(p) == UNKNOWN))

    def _number(self, piece: str) -> int:
        known = self._numbers
        return known.get(piece) or known.get(f" {piece}", UNKNOWN)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, start=SPECIAL)}

    @cached_property
    def _spelt(self) -> tuple[str, ...]:
        return ("", "", "", " <unk>", *self.vocabulary)


@dataclass(frozen=True)
class BytePairs:
    """Bytes, and sequences of bytes that often follow each other (BPE); texts come back exactly.

    Nothing is unknown, as every byte is a token.

    Attributes:
        model: what the library `tokenizers` writes.
    """

    model: str

    kind = "bpe"

    @classmethod
    def fit(cls, texts: Iterable[str], vocabulary: int | None = None) -> BytePairs:
        """Joins the commonest pairs of texts until there are `vocabulary` tokens.

        Raises:
            DataError: these are fewer than there are bytes.
            MissingExtra: the library is missing.
        """
        size = vocabulary or MOST_PAIRS
        if size < FEWEST_PAIRS:
            raise DataError(
                f"A vocabulary of {size} was asked for; pairs of bytes need at least {FEWEST_PAIRS}. Ask for "
                "more, or for characters."
            )
        library = tokenizers()
        found = library.Tokenizer(library.models.BPE())
        found.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        found.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size - SPECIAL,
            min_frequency=2,
            show_progress=False,
            initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        )
        found.train_from_iterator(texts, trainer)
        return cls(found.to_str())

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> BytePairs:
        """The tokens that `to_json` described."""
        return cls(json.dumps(fields["model"]))

    def to_json(self) -> dict[str, Any]:
        """The fields and the kind, as JSON holds them."""
        return {"kind": self.kind, "model": json.loads(self.model)}

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return SPECIAL + self._tokenizer.get_vocab_size()

    def encode(self, texts: Sequence[str]) -> list[Int[np.ndarray, " k"]]:
        """The numbers of each text."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(each.ids, np.int32) + SPECIAL for each in found]

    def decode(self, rows: Iterable[Int[np.ndarray, " k"]]) -> list[str]:
        """The text of each row; bytes that are no characters become U+FFFD."""
        ids = [(row[row >= SPECIAL] - SPECIAL).tolist() for row in rows]
        return self._tokenizer.decode_batch(ids, skip_special_tokens=False)

    def unknown(self, text: str) -> list[str]:
        """Nothing."""
        return []

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401
        return tokenizers().Tokenizer.from_str(self.model)


KINDS: dict[str, type[Characters] | type[Words] | type[BytePairs]] = {
    found.kind: found for found in (Characters, Words, BytePairs)
}


def tokens_from_json(fields: Mapping[str, Any]) -> Tokens:
    """The tokens that `to_json` of any kind described."""
    return kind_named(fields["kind"]).from_json(fields)


def make_tokens(kind: str, texts: Sequence[str], vocabulary: int | None = None) -> tuple[Tokens, str]:
    """Tokens of a kind for texts, and why these.

    Args:
        kind: characters, words or bpe; auto to choose.
        texts: what they are made of.
        vocabulary: how many there are at most, those that stand for no part of a text among them.

    Raises:
        DataError: there is no such kind, or too few are asked for.
        MissingExtra: they need an optional part.
    """
    if kind == "auto":
        return choose_tokens(texts, vocabulary)
    return kind_named(kind).fit(texts, vocabulary), "asked for"


def make_caption_tokens(kind: str, texts: Sequence[str], vocabulary: int | None = None) -> tuple[Tokens, str]:
    """The same for captions: words if a script has blanks, however few texts there are.

    Captions are read, not written: the rarest words may be unknown, and of words a person can be told which
    are.

    Example:
        >>> make_caption_tokens("auto", ["one", "two"])[0].kind, make_tokens("auto", ["one", "two"])[0].kind
        ('words', 'characters')
    """
    if kind == "auto" and unspaced_share(letters_of(texts)) <= UNSPACED_SHARE:
        return Words.fit(texts, vocabulary), "so that it can be said which of them are not known"
    return make_tokens(kind, texts, vocabulary)


def kind_named(kind: str) -> type[Characters] | type[Words] | type[BytePairs]:
    """The class of a kind of tokens.

    Raises:
        DataError: there is none.
    """
    if kind not in KINDS:
        raise DataError(f"There are no tokens called {kind!r}. {suggest(kind, KINDS)}")
    return KINDS[kind]


def choose_tokens(texts: Sequence[str], vocabulary: int | None = None) -> tuple[Tokens, str]:
    """The tokens that suit texts, and why.

    Characters where a script puts no blanks between words, words where few different ones occur often,
    characters where there is little text of a small alphabet, and pairs of bytes else.

    Example:
        >>> tokens, why = choose_tokens(["one two", "two one"] * 10)
        >>> tokens.kind, why
        ('words', '2 different words occur 20 times each on average')
    """
    letters, words = letters_of(texts), words_of(texts)
    if unspaced_share(letters) > UNSPACED_SHARE:
        return Characters.fit(texts, vocabulary), "the script has no blanks between words"
    times = words.total() / max(len(words), 1)
    few = f"{len(words):,} different words occur {times:.0f} times each on average"
    if times >= OFTEN and len(words) <= (vocabulary or MOST) - SPECIAL:
        return Words.fit(texts, vocabulary), few
    if len(letters) <= SMALL_ALPHABET and letters.total() <= LITTLE:
        return Characters.fit(texts, vocabulary), f"little text, and only {len(letters)} different characters"
    if vocabulary is None or vocabulary >= FEWEST_PAIRS:
        return pairs_or_others(texts, vocabulary, words)
    return Characters.fit(texts, vocabulary), f"{vocabulary} tokens are few"


def pairs_or_others(texts: Sequence[str], vocabulary: int | None, words: Counter[str]) -> tuple[Tokens, str]:
    """Pairs of bytes; what comes closest where the library is missing."""
    try:
        return BytePairs.fit(texts, vocabulary), f"{len(words):,} different words are too many for words"
    except MissingExtra as missing:
        kept = commonest(words, vocabulary or MOST)
        share = sum(words[word] for word in kept) / max(words.total(), 1)
        if share >= COVERED:
            found, why = Words.fit(texts, vocabulary), f"the {len(kept):,} commonest words are {share:.0%}"
        else:
            found, why = Characters.fit(texts, vocabulary), f"{len(words):,} different words are too many"
        return found, f"{why}; pairs of bytes would suit better, but: {missing}"


def tokenizers() -> Any:  # noqa: ANN401
    """The library of that name.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import tokenizers as library
        from tokenizers import decoders, models, pre_tokenizers, trainers  # noqa: F401
    except ImportError as error:
        raise MissingExtra("BPE", "texts") from error
    return library
