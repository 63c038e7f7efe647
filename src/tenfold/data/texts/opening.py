"""Opening texts, pairs of texts and pictures with captions: read, hold out, encode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
from jaxtyping import Int

from ...errors import DataError
from ..codec import Codec
from ..dataset import Dataset, Split
from ..holdout import plan_holdout
from ..images import open_found
from ..notes import FEWEST_DIFFERENT, holdout_notes
from ..options import LoadOptions
from ..parts import order_labels
from ..spec import DataSpec
from .beside import Captions, Sources, TokenRows, captions_of
from .captions import FoundCaptioned, find_captioned
from .codec import TextCodec, fit_text_codec
from .options import DEFAULTS, TextOptions
from .pairs import FoundPairs, PairPart, read_pairs
from .places import Source
from .reading import FoundTexts, TextPart, read_texts
from .worded import WordedPart


class Divisible(Protocol):
    """What a part can be held out of."""

    @property
    def keys(self) -> Sequence[str]:
        """What must not be learnt if it is held out."""
        ...

    @property
    def labels(self) -> Sequence[str] | None:
        """The class of each."""
        ...

    def __len__(self) -> int: ...

    def take(self, index: Int[np.ndarray, " k"]) -> Self:
        """Some of them."""
        ...


D = TypeVar("D", bound=Divisible)


def open_texts(source: Source, options: TextOptions = DEFAULTS, codec: TextCodec | None = None) -> Dataset:
    """Opens texts for training.

    Args:
        source: a file with a text per line, or of fields; a folder of files; or a list of texts, or of texts
            and labels.
        options: how they become tokens, and what is held out.
        codec: of a run that was trained on them; found anew if not given.

    Raises:
        DataError: they cannot be used; the message says why and what to do.

    Example:
        >>> data = open_texts([f"number {i}" for i in range(100)])
        >>> data.spec.kind, len(data.train), len(data.holdout)
        ('texts', 75, 25)
    """
    return dataset_of(read_texts(source, options), options, codec)


def dataset_of(found: FoundTexts, options: TextOptions, codec: TextCodec | None = None) -> Dataset:
    """Texts that were read, encoded."""
    train, held, notes = divided(found.train, found.holdout, options.seed)
    refuse_hopeless(train.texts, found.source)
    said: list[str] = []
    if codec is None:
        codec, said = fit_text_codec(train.texts, options, classes_of(train))
    side = side_of(train, codec, "texts", said)
    other = None if held is None else side_of(held, codec, "held-out texts", said)
    classes, counts = counted(side, codec)
    return Dataset(
        source=found.source,
        spec=DataSpec("texts", codec.shape, len(side), classes, counts, text=codec.layout),
        codec=plain_codec(codec),
        train=side,
        holdout=other,
        fingerprint=fingerprint(options, *columns_of(found.train), *columns_of(found.holdout)),
        notes=(f"{len(side):,} texts to learn from", *found.notes, *notes, *said),
        texts=codec,
    )


def open_text_pairs(
    source: Source, options: TextOptions = DEFAULTS, codec: TextCodec | None = None
) -> Dataset:
    """Opens pairs of texts for training: the data are what is made, and batches hold what it is made of.

    Args:
        source: two files, a file with a column for either side, a folder with a file for either side, or a
            list of (source, target).
        options: how they become tokens, and what is held out.
        codec: of a run that was trained on them; found anew if not given.

    Raises:
        DataError: they cannot be used; the message says why and what to do.
    """
    return pairs_dataset_of(read_pairs(source, options), options, codec)


def pairs_dataset_of(found: FoundPairs, options: TextOptions, codec: TextCodec | None = None) -> Dataset:
    """Pairs that were read, encoded."""
    train, held, notes = divided(found.train, found.holdout, options.seed)
    refuse_hopeless([f"{a}\n{b}" for a, b in zip(train.sources, train.targets, strict=True)], found.source)
    a, b = train.sides
    said: list[str] = []
    if codec is None:
        given, of_given = fit_text_codec(train.sources, options)
        codec, of_made = fit_text_codec(train.targets, options, source=given)
        said += [*(f"{a}: {note}" for note in of_given), *(f"{b}: {note}" for note in of_made)]
    if codec.source is None:
        raise DataError("These tokens are those of single texts; pairs of texts need a source, too.")
    side = pair_side_of(train, codec, "texts", said)
    other = None if held is None else pair_side_of(held, codec, "held-out texts", said)
    layouts = codec.layout, codec.source.layout
    return Dataset(
        source=found.source,
        spec=DataSpec("text_pairs", codec.shape, len(side), text=layouts[0], source_text=layouts[1]),
        codec=plain_codec(codec),
        train=side,
        holdout=other,
        fingerprint=fingerprint(options, *pair_columns(found.train), *pair_columns(found.holdout)),
        notes=(f"{len(side):,} pairs to learn from: {b} is made of {a}", *found.notes, *notes, *said),
        texts=codec,
    )


def open_captioned(
    source: str | Path,
    options: TextOptions = DEFAULTS,
    pictures: LoadOptions | None = None,
    codec: TextCodec | None = None,
) -> Dataset:
    """Opens pictures with captions for training.

    Args:
        source: a folder with a table of captions, with a file of captions beside each picture, or with a
            folder per class; or such a table.
        options: how captions become tokens.
        pictures: how pictures are opened, hold-out and seed among it; those of `options` if not given.
        codec: of a run that was trained on them; found anew if not given.

    Raises:
        DataError: they cannot be used; the message says why and what to do.
    """
    how = pictures or LoadOptions(holdout=options.holdout, seed=options.seed)
    return captioned_dataset_of(find_captioned(source, options, how), options, how, codec)


def captioned_dataset_of(
    found: FoundCaptioned, options: TextOptions, how: LoadOptions, codec: TextCodec | None = None
) -> Dataset:
    """Pictures that were found, decoded, with their captions encoded."""
    # Captions go by the name of the file: whatever is left out or held out, they stay with their picture.
    pictures = open_found(found.found, how)
    if pictures.spec.kind != "images":
        raise DataError(f"{found.found.source} holds {pictures.spec.kind}; pictures were expected.")
    learnt = captions_in(found.train, pictures.train.names)
    if len({caption.casefold() for caption in learnt}) < 2:
        raise DataError(
            f"Every caption is {learnt[0]!r}: words say nothing of the pictures. Write others, or learn "
            "from the pictures alone."
        )
    said: list[str] = []
    if codec is None:
        codec, said = fit_text_codec(learnt, options, captions=True)
    train, held = pictures.train, pictures.holdout
    beside = captions_for(found.train, train.names, codec, "captions", said)
    other, stamp = None, [learnt]
    if held is not None:
        other = replace(held, beside=captions_for(found.held, held.names, codec, "held-out captions", said))
        stamp.append(captions_in(found.held, held.names))
    return replace(
        pictures,
        spec=replace(pictures.spec, kind="captioned", text=codec.layout),
        train=replace(train, beside=beside),
        holdout=other,
        fingerprint=f"{pictures.fingerprint}-{fingerprint(options, *stamp)}",
        notes=(*pictures.notes, *(f"captions: {note}" for note in said)),
        texts=codec,
    )


def captions_in(part: WordedPart, names: Sequence[str]) -> list[str]:
    """All captions of the images of these names."""
    return [caption for name in names for caption in part.of(name)]


def captions_for(
    part: WordedPart, names: Sequence[str], codec: TextCodec, what: str, said: list[str]
) -> Captions:
    """The same, encoded, image by image."""
    ends = np.cumsum([len(part.of(name)) for name in names])
    rows = encoded(captions_in(part, names), codec, what, said)
    return captions_of(np.split(rows, ends[:-1]))


def divided(train: D, held: D | None, seed: int) -> tuple[D, D | None, list[str]]:
    """What is trained on, what is held out, and what there is to say of it.

    What is held out is never trained on, however often it occurs.

    Args:
        train: all of it, or what is left beside a hold-out.
        held: the hold-out, if there is one.
        seed: decides what is held out, if there is none.
    """
    keys = train.keys
    if held is not None:
        known = {*held.keys}
        kept = np.array([i for i, key in enumerate(keys) if key not in known], np.int64)
        lost = len(train) - len(kept)
        note = f"{lost} of {len(train)} texts are held out, too, and are not trained on"
        return (train.take(kept), held, [note]) if lost else (train, held, [])
    counts = Counter(keys)
    groups = [key if counts[key] > 1 else None for key in keys]
    labels: Sequence[str | None] = train.labels or [None] * len(train)
    out = plan_holdout(labels, groups, seed)
    inside = np.setdiff1d(np.arange(len(train)), out)
    notes = holdout_notes(len(inside), len(out), carve=True)
    different = len({keys[int(i)] for i in out})
    if 0 < different < FEWEST_DIFFERENT:
        notes.append(
            f"the hold-out has only {different} different texts, as equal ones are held out together: what "
            "it says of a run means little. Give other texts: --holdout FILE"
        )
    return train.take(inside), train.take(out) if len(out) else None, notes


def refuse_hopeless(texts: Sequence[str], source: str) -> None:
    """Raises a DataError if there is nothing to learn."""
    if len(texts) < 2:
        raise DataError(
            f"{source} has {len(texts)} texts to learn from; at least 2 were expected, and hundreds to learn "
            "what varies. Of a folder, each file is one text: put texts into one file, one per line, if that "
            "is not meant."
        )
    if len({*texts}) < 2:
        raise DataError(
            f"All {len(texts)} texts of {source} are the same, {texts[0][:60]!r}; there is nothing to learn. "
            "Look at the file."
        )


def classes_of(train: TextPart) -> tuple[str, ...]:
    """Names of the classes, in the order of their numbers."""
    return () if train.labels is None else order_labels({*train.labels})


def side_of(part: TextPart, codec: TextCodec, what: str, said: list[str]) -> Split:
    """One side as stored rows; adds to what is said."""
    labels = codec.labels_of(part.labels) if part.labels is not None and codec.classes else None
    return Split(encoded(part.texts, codec, what, said), labels, part.names, TokenRows())


def pair_side_of(part: PairPart, codec: TextCodec, what: str, said: list[str]) -> Split:
    """One side of pairs: what is made, with what is given beside."""
    assert codec.source is not None
    given, made = (f"{what} of {name}" for name in part.sides)
    sources = Sources(encoded(part.sources, codec.source, given, said))
    return Split(encoded(part.targets, codec, made, said), None, part.names, TokenRows(), beside=sources)


def encoded(
    texts: Sequence[str], codec: TextCodec, what: str, said: list[str]
) -> Int[np.ndarray, "n length"]:
    """Texts as rows, int32; if some are cut, that is said."""
    rows, cut = codec.rows_of(texts)
    if cut:
        said.append(
            f"{cut} of {len(texts)} {what} have more than {codec.layout.length} tokens and are cut; a "
            "greater length keeps them whole"
        )
    return rows.astype(np.int32)


def counted(side: Split, codec: TextCodec) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the classes, and how many training texts each has."""
    if side.labels is None:
        return (), ()
    return codec.classes, tuple(np.bincount(side.labels, minlength=len(codec.classes)).tolist())


def plain_codec(codec: TextCodec) -> Codec:
    """For whoever takes rows for plain numbers."""
    (width,), most = codec.shape, float(codec.layout.vocabulary - 1)
    return Codec("vectors", width, 1, 1, 1, 1, "float32", (0.0,) * width, (most,) * width, ".npy")


def columns_of(part: TextPart | None) -> list[Sequence[str]]:
    """What a fingerprint is taken of."""
    return [] if part is None else [part.texts, part.labels or ()]


def pair_columns(part: PairPart | None) -> list[Sequence[str]]:
    """The same of pairs."""
    return [] if part is None else [part.sources, part.targets]


def fingerprint(options: TextOptions, *columns: Sequence[str]) -> str:
    """Changes when a text, a label, their order, or what is made of them does; not with their path."""
    asked = (options.tokens, options.length, options.vocabulary, options.seed)
    found = blake2b(repr(asked).encode(), digest_size=16)
    for column in columns:
        for text in column:
            found.update(text.encode("utf-8") + b"\0")
        found.update(b"\1")
    return found.hexdigest()
