"""What made texts are judged by: real ones that were learnt from, and real ones that were not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset, Split
from ..data.texts.codec import TextCodec, fit_text_codec
from ..data.texts.fields import is_fields
from ..data.texts.layout import UNKNOWN
from ..data.texts.options import DEFAULTS, TextOptions
from ..data.texts.reading import TextPart, read_holdout, read_texts
from ..errors import DataError
from ..game import Sampler
from ..material import refuse_changed, source_of
from ..metrics.suite import FEWEST
from ..metrics.texts.embeddings import TextFeatures, text_features
from ..metrics.texts.rows import Texts, lengths
from ..metrics.texts.summary import TextSides
from ..opening import open_words
from ..options import options_from
from ..watching.words import baseline_state

if TYPE_CHECKING:
    from ..run import Run

NOT_LEARNT = "not among those that were learnt"
NOT_IN_REAL = "not in --real"
RARE = "too rare to be told apart"


@dataclass(frozen=True, eq=False)
class Judged:
    """What made texts are judged by.

    Attributes:
        codec: how texts become tokens.
        train: what was learnt from.
        holdout: what was not; None if there is nothing of the kind.
        features: in which distances are measured.
        seed: of made texts, and of every choice.
    """

    codec: TextCodec
    train: Texts
    holdout: Texts | None
    features: TextFeatures
    seed: int

    def sides(self, fake: Texts) -> TextSides:
        """Beside made texts."""
        return TextSides(self.train, self.holdout, fake, self.codec.layout.vocabulary, self.seed)


def judges_of_run(
    run: Run, dataset: Dataset, holdout: str | None, features: str | None, seed: int
) -> tuple[Judged, list[str]]:
    """What a run's texts are judged by, and what was decided."""
    network, why = text_features(features)
    notes, held = [*dataset.notes[:1], why], dataset.holdout
    learnt = texts_of(dataset.train, run.texts)
    if holdout is not None:
        judge, said = holdout_in(holdout, run.texts, columns_for(run, holdout))
        notes += [f"judged by {holdout}", *said, *known_ones(learnt, judge, holdout)]
        if run.classes and judge.labels is None:
            notes.append(f"{holdout} has no labels: classes are made in the proportions of training texts")
    else:
        judge = None if held is None else texts_of(held, run.texts)
    if holdout is None and held is not None:
        notes.append(
            "the hold-out also chose the checkpoint, which flatters; --holdout FILE can give another"
        )
    return Judged(run.texts, learnt, judge, network, seed), notes


def judges_in_files(
    real: str, holdout: str | None, features: str | None, seed: int
) -> tuple[Judged, list[str]]:
    """What texts of any generator are judged by, and what was decided."""
    part = read_texts(real, DEFAULTS).train
    classes = tuple(sorted({*(part.labels or ())}))
    codec, decided = fit_text_codec(part.texts, DEFAULTS, classes)
    network, why = text_features(features)
    (learnt, notes), held = as_texts(part, codec, RARE), None
    if holdout is not None:
        held, said = holdout_in(holdout, codec, unknown=NOT_IN_REAL)
        notes += [*said, *known_ones(learnt, held, holdout)]
    return Judged(codec, learnt, held, network, seed), [*decided, why, *notes]


def columns_for(run: Run, file: str) -> TextOptions:
    """The columns that a run was told of, for a file that has columns."""
    asked = options_from(run.facts["options"]).texts
    if asked is None or not is_fields(file):
        return DEFAULTS
    return TextOptions(text=asked.text, label=asked.label)


def known_ones(learnt: Texts, judge: Texts, file: str) -> list[str]:
    """A note on real texts that shall judge and were learnt from, too, if there are any."""
    both = len({*judge.said} & {*learnt.said})
    note = f"{both} different texts of {file} are training texts, too: copies of these look good"
    return [note] if both else []


def reopened_texts(run: Run, data: Any = None) -> Dataset:  # noqa: ANN401
    """The data of a run on texts, or on pairs of texts.

    Args:
        run: of texts.
        data: what it was trained on, if that was in memory.

    Raises:
        DataError: they are not those of the run.
        RunError: they are no longer there.
    """
    options, source = options_from(run.facts["options"]), source_of(run) if data is None else data
    dataset = open_words(source, options, run.facts["seed"], run.spec.kind, run.texts)
    refuse_changed(run, dataset)
    return dataset


def texts_of(side: Split, codec: TextCodec) -> Texts:
    """A side as rows, and as a person reads them."""
    rows = np.asarray(side.values, np.int64)
    return Texts(rows, codec.decode(rows), side.labels)


def texts_in(file: str, codec: TextCodec) -> tuple[Texts, list[str]]:
    """The texts of a file, and what there is to say of them.

    Raises:
        DataError: it cannot be read, has too few texts, or a class that nobody knows.
    """
    return as_texts(enough(read_texts(file, DEFAULTS).train, file), codec, NOT_IN_REAL)


def holdout_in(
    file: str, codec: TextCodec, options: TextOptions = DEFAULTS, unknown: str = NOT_LEARNT
) -> tuple[Texts, list[str]]:
    """The same of real texts that shall judge; they have no labels if the column asked for is missing."""
    return as_texts(enough(read_holdout(file, options), file), codec, unknown)


def enough(part: TextPart, file: str) -> TextPart:
    """The same texts.

    Raises:
        DataError: they are too few.
    """
    if len(part) < FEWEST:
        raise DataError(
            f"{file} has {len(part)} texts; at least {FEWEST} were expected, to say anything. Add some."
        )
    return part


def as_texts(part: TextPart, codec: TextCodec, unknown: str) -> tuple[Texts, list[str]]:
    """Texts that were read, as rows, and what there is to say of them.

    Args:
        part: what was read.
        codec: how it becomes tokens.
        unknown: what is said of tokens that it does not know.
    """
    labels = codec.labels_of(part.labels) if part.labels is not None and codec.classes else None
    rows, cut = codec.rows_of(part.texts)
    notes = list(part.notes)
    if cut:
        most = codec.layout.length
        notes.append(f"{cut} of {len(part)} texts of {part.name} have more than {most} tokens and are cut")
    count, strange = int(lengths(rows).sum()), int((rows == UNKNOWN).sum())
    if strange:
        notes.append(f"{strange} of {count} tokens of {part.name} ({strange / count:.1%}) are {unknown}")
    return Texts(rows, codec.decode(rows), labels), notes


def baseline_of(run: Run) -> Sampler | None:
    """The best sampler of the stage of maximum likelihood; None if that is all there is."""
    state = baseline_state(run.path)
    if state is None:
        return None
    sampler: Sampler = run.recipe.build(run.spec).game.sampler
    sampler.load_state_dict(dict(state.tensors))
    return sampler.eval().requires_grad_(False)
