"""What is known of texts before anything is trained: how many, of what, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from ...errors import DataError
from ..dataset import Dataset
from ..notes import LEAST
from ..options import LoadOptions
from ..parts import order_labels
from .captions import FoundCaptioned, find_captioned
from .codec import WORDS_FOR, TextCodec
from .layout import SPECIAL
from .opening import captioned_dataset_of, dataset_of, pairs_dataset_of
from .options import DEFAULTS, TextOptions
from .pairs import read_pairs
from .places import Source
from .reading import read_texts

COMMON, REPEATED, CLASSES_SHOWN = 10, 3, 20
_LONG = 40  # characters of a text that is shown
NOUNS = {"texts": "texts", "text_pairs": "pairs of texts", "captioned": "captioned images"}


@dataclass(frozen=True)
class SideReport:
    """What is known of the texts of one side.

    Attributes:
        name: of the side; empty if there is one.
        count: texts.
        different: how many of them differ.
        repeated: the texts that occur most often, if any does more than once, and how often.
        tokens: characters, words or bpe.
        vocabulary: how many different tokens there are, those that stand for no part of a text among them.
        common: the most frequent tokens, and how often each occurs.
        usual: tokens of the middle text.
        longest: tokens of the longest.
        length: tokens of a row as the networks see it.
        cut: how many texts are longer than that.
    """

    name: str
    count: int
    different: int
    repeated: tuple[tuple[str, int], ...]
    tokens: str
    vocabulary: int
    common: tuple[tuple[str, int], ...]
    usual: int
    longest: int
    length: int
    cut: int

    @property
    def duplicates(self) -> int:
        """How many texts are copies of an earlier one."""
        return self.count - self.different

    def lines(self) -> Iterator[str]:
        """The report as plain text."""
        of = f"{self.name}: " if self.name else ""
        kind = WORDS_FOR[self.tokens]
        yield f"{of}tokens are {kind}, {self.vocabulary:,} different ones"
        yield f"{of}most frequent: {', '.join(f'{text!r} {n}' for text, n in self.common)}"
        cut = f", {self.cut} texts are cut" if self.cut else ""
        yield (
            f"{of}{self.usual} tokens in the middle text, {self.longest} in the longest; the networks would "
            f"see {self.length}{cut}"
        )
        if self.duplicates:
            most = ", ".join(f"{shown(text)} {n} times" for text, n in self.repeated)
            yield f"{of}duplicates: {self.duplicates} (most often {most})"


@dataclass(frozen=True)
class TextReport:
    """What is known of texts, of pairs of texts, or of pictures with captions.

    Attributes:
        source: what was looked at.
        kind: "texts", "text_pairs" or "captioned".
        count: texts, pairs or pictures to be trained on or held out of them; a given hold-out is not among
            them.
        sides: what is known of the texts; of pairs, of what is given and of what is made. Nothing if they
            cannot be encoded.
        classes: texts of each class.
        holdout: how many would be held out.
        shape: of a picture as the networks would see it; empty of texts.
        notes: what would be decided, a sentence each.
        problems: what stands in the way of training, a sentence each.
    """

    source: str
    kind: str
    count: int
    sides: tuple[SideReport, ...]
    classes: dict[str, int]
    holdout: int
    shape: tuple[int, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            **asdict(self),
            "sides": [{**asdict(side), "duplicates": side.duplicates} for side in self.sides],
        }

    def lines(self) -> list[str]:
        """The report as plain text."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.source}: {self.count:,} {NOUNS[self.kind]}; {self.holdout} held out"
        for side in self.sides:
            yield from side.lines()
        if self.shape:
            yield f"the networks would see pictures of {' x '.join(map(str, self.shape))}"
        if self.classes:
            counted = [f"{name} {n}" for name, n in list(self.classes.items())[:CLASSES_SHOWN]]
            more = len(self.classes) - CLASSES_SHOWN
            yield f"classes: {', '.join(counted + ([f'and {more} more'] if more > 0 else []))}"
        yield from (f"note: {note}" for note in self.notes)
        yield from (f"problem: {problem}" for problem in self.problems)


def check_texts(source: Source, options: TextOptions = DEFAULTS) -> TextReport:
    """Looks at texts without training on them.

    Args:
        source: as for `open_texts`.
        options: likewise.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    found = read_texts(source, options)
    dataset, problem = tried(lambda: dataset_of(found, options))
    sides = () if dataset is None else (side_of("", found.train.texts, codec_of(dataset)),)
    counts = Counter(found.train.labels or ())
    return report_of("texts", found.source, len(found.train), sides, dataset, problem, counts, found.notes)


def check_text_pairs(source: Source, options: TextOptions = DEFAULTS) -> TextReport:
    """The same for pairs of texts, each side by itself.

    Args:
        source: as for `open_text_pairs`.
        options: likewise.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    found = read_pairs(source, options)
    dataset, problem = tried(lambda: pairs_dataset_of(found, options))
    sides: tuple[SideReport, ...] = ()
    if dataset is not None:
        codec, (a, b) = codec_of(dataset), found.train.sides
        assert codec.source is not None
        sides = side_of(a, found.train.sources, codec.source), side_of(b, found.train.targets, codec)
    count = len(found.train)
    return report_of("text_pairs", found.source, count, sides, dataset, problem, Counter(), found.notes)


def check_captioned(
    source: str | Path, options: TextOptions = DEFAULTS, pictures: LoadOptions | None = None
) -> TextReport:
    """The same for pictures with captions; the pictures are decoded, as for training.

    Args:
        source: as for `open_captioned`.
        options: likewise.
        pictures: likewise.

    Raises:
        DataError: there are none, or captions cannot be read.
    """
    how = pictures or LoadOptions(holdout=options.holdout, seed=options.seed)
    found = find_captioned(source, options, how)
    dataset, problem = tried(lambda: captioned_dataset_of(found, options, how))
    sides: tuple[SideReport, ...] = ()
    if dataset is not None:
        sides = (side_of("captions", all_captions(found), codec_of(dataset)),)
    items = found.found.train.items
    counts = Counter(item.label for item in items if item.label is not None)
    name, notes = found.found.source, found.found.notes
    return report_of("captioned", name, len(items), sides, dataset, problem, counts, notes)


def all_captions(found: FoundCaptioned) -> list[str]:
    """All captions of the training side."""
    return [caption for captions in found.train.captions.values() for caption in captions]


def tried(opened: Callable[[], Dataset]) -> tuple[Dataset | None, str]:
    """What would be trained on, or what stands in the way."""
    try:
        return opened(), ""
    except DataError as error:
        return None, str(error)


def codec_of(dataset: Dataset) -> TextCodec:
    """Of opened texts."""
    assert dataset.texts is not None
    return dataset.texts


def report_of(
    kind: str,
    source: str,
    count: int,
    sides: tuple[SideReport, ...],
    dataset: Dataset | None,
    problem: str,
    counts: Counter[str],
    notes: tuple[str, ...],
) -> TextReport:
    """The report, whether or not the data can be trained on."""
    classes = {name: counts[name] for name in order_labels(set(counts))}
    if dataset is None:
        return TextReport(source, kind, count, sides, classes, 0, (), notes, (problem,))
    held = 0 if dataset.holdout is None else len(dataset.holdout)
    few = len(dataset.train)
    problems = [f"{few} {NOUNS[kind]} to train on; at least {LEAST} are needed to judge by"]
    return TextReport(
        source=source,
        kind=kind,
        count=count,
        sides=sides,
        classes=classes,
        holdout=held,
        shape=dataset.spec.shape if kind == "captioned" else (),
        notes=dataset.notes,
        problems=tuple(problems) if few < LEAST else (),
    )


def side_of(name: str, texts: Sequence[str], codec: TextCodec) -> SideReport:
    """What is known of the texts of one side."""
    rows = codec.numbers(texts)
    lengths = np.array([len(row) for row in rows], np.int64)
    times = Counter(texts)
    often = [(text, n) for text, n in times.most_common(REPEATED) if n > 1]
    return SideReport(
        name=name,
        count=len(texts),
        different=len(times),
        repeated=tuple(often),
        tokens=codec.tokens.kind,
        vocabulary=codec.layout.vocabulary,
        common=common_tokens(rows, codec),
        usual=int(np.median(lengths)),
        longest=int(lengths.max()),
        length=codec.layout.length,
        cut=int((lengths > codec.layout.length).sum()),
    )


def common_tokens(rows: Sequence[Int[np.ndarray, " k"]], codec: TextCodec) -> tuple[tuple[str, int], ...]:
    """The most frequent tokens, and how often each occurs."""
    counts = np.bincount(np.concatenate(rows), minlength=codec.layout.vocabulary)
    counts[:SPECIAL] = 0
    first = np.argsort(-counts, kind="stable")[:COMMON]
    first = first[counts[first] > 0]
    texts = codec.tokens.decode([np.array([number]) for number in first.tolist()])
    return tuple(zip(texts, counts[first].tolist(), strict=True))


def shown(text: str) -> str:
    """A text as a message shows it."""
    return repr(text if len(text) <= _LONG else text[:_LONG] + "...")
