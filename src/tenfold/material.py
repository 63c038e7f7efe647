"""What an evaluation looks at: real samples that were learnt from, real ones that were not, and made ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .data import Codec, Dataset, LoadOptions, Split, open_data
from .data.dataset import digest
from .data.images import LAYOUT
from .data.order import Rows, Samples
from .data.pairing import Direction
from .data.plan import survey
from .data.sides import open_sides
from .data.sources import find
from .draw import derive
from .enlarging import opened_by
from .errors import DataError, RunError
from .game import Translator
from .metrics.suite import FEWEST, Measured
from .opening import open_words
from .options import options_from
from .run import Run
from .watching.making import Translations
from .watching.quality import generate_many

LEAST_MADE = 1000  # made samples, where as many as are wanted can be had
MOST_BYTES = 512 << 20  # of samples of one side as numbers
LEFT_ALONE, LARGEST_SIDE = 128, 224  # pixels: what the loader does not resize, what networks look at


@dataclass(frozen=True, eq=False)
class Part:
    """Some samples of one side.

    Attributes:
        samples: where they are.
        index: numbers of those that are looked at.
        names: what each sample of the side is called.
    """

    samples: Samples
    index: np.ndarray
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> np.ndarray | None:
        """The class numbers of those that are looked at, or None."""
        return None if self.samples.labels is None else self.samples.labels[self.index]

    def images(self, index: np.ndarray | slice = slice(None)) -> Tensor:
        """Samples in [-1, 1], by their place among those that are looked at."""
        return self.samples.gather(self.index[index])["real"]

    def rows(self) -> Rows:
        """All that are looked at, in memory; if they do not fit into it, as many as do, at random."""
        one = math.prod(self.images(slice(1)).shape[1:])
        order = np.random.default_rng(0).permutation(len(self))[: within_memory((one,))]
        some = np.sort(order)
        return Rows(self.images(some), None if self.labels is None else self.labels[some])


@dataclass(frozen=True, eq=False)
class Material:
    """The three sides of an evaluation.

    Attributes:
        train: what the generator may have seen.
        holdout: what it has not; None if there is nothing of the kind.
        fake: what it made.
        codec: how values become pictures.
        classes: names of the classes; empty if real or made samples have none.
        notes: what was decided, a sentence each.
        facts: where everything comes from.
        more: what else is known of what was made.
        back: of a translation that goes both ways, pictures of what is given: those that were learnt from,
            those that were not, and those that are made on the way back; None of others.
        paired: whether each made sample should be the held-out one of the same number.
        looks_through: name of the feature network that training looked through, if any: it cannot judge.
    """

    train: Part
    holdout: Part | None
    fake: Part
    codec: Codec
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, object]
    more: Mapping[str, Measured] = field(default_factory=dict)
    back: tuple[Part, Part, Part] | None = None
    paired: bool = False
    looks_through: str = ""


def of_run(run: Run, holdout: str | None, most: int, seed: int) -> Material:
    """A run's own data, and samples that it makes now.

    Raises:
        DataError: the data are not those of the run, or there are too few.
        RunError: the data are no longer there.
    """
    if run.facts.get("given_codec"):
        if holdout is not None:
            raise RunError(
                f"--holdout {holdout} was given, and a translation is judged by what was held out of its own "
                "data. Leave it out, or train with a folder val."
            )
        return of_translation(run, most, seed)
    dataset = open_data(source_of(run), opened_by(run))
    refuse_changed(run, dataset)
    held, data_id = dataset.holdout, dataset.fingerprint
    if holdout is not None:
        given = open_data(source_of(run), replace(opened_by(run), holdout=holdout))
        held, data_id = recoded(given.holdout, dataset.codec), given.fingerprint
    train, held, notes = apart(dataset.train, held, strict=holdout is not None)
    count = min(most, max(LEAST_MADE, len(held or ())), within_memory(dataset.spec.shape))
    labels = asked_labels(run, (held or train).labels, count, seed)
    values = generate_many(run.sampler, count, labels, derive(seed, "evaluate"))
    made = Part(
        Rows(values, None if labels is None else labels.numpy()),
        np.arange(count),
        [f"made {i}" for i in range(count)],
    )
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source}
    facts |= {"holdout": holdout, "data_id": f"{data_id}-{LAYOUT}"}
    if shares(held, dataset.holdout):
        notes.append(
            "the hold-out also chose the checkpoint, which flatters; --holdout DIR can give a fresh one"
        )
    if run.facts["options"].get("unlabelled"):
        notes.append("copies of the samples without labels, which it learnt from, too, do not show")
    sides = (whole(train), None if held is None else whole(held), made)
    return assemble(sides, dataset, labels is not None, notes, facts, most, seed)


def of_translation(run: Run, most: int, seed: int) -> Material:
    """Translations of what was held out, beside the real pictures that they should be, or be like.

    Raises:
        DataError: the data are not those of the run, or nothing was held out.
        RunError: the data are no longer there.
    """
    dataset = reopened(run)
    refuse_changed(run, dataset)
    held = dataset.holdout
    if held is None:
        raise DataError(
            f"{dataset.sides[1] if dataset.sides else dataset.source} has too few pictures to hold some out, "
            "and translations of those that were learnt from say little. Add some, or a folder val."
        )
    count, cpu = min(len(held), most, within_memory(dataset.spec.shape)), torch.device("cpu")
    order = np.random.default_rng(derive(seed, "evaluate", "translated")).permutation(len(held))
    index = np.sort(order[:count])
    making = Translations(dataset, index, run.recipe.degradation(run.spec))
    values = making.make(run.sampler, cpu)
    numbers = making.beside(values, run.sampler, cpu)
    numbers |= {f"{name}_of_the_input": value for name, value in making.untouched().items()}
    names = [f"made of {held.names[i]}" if making.paired else f"made {i}" for i in index]
    made = Part(Rows(values), np.arange(making.count), names[: making.count])
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source, "holdout": None}
    facts |= {"data_id": f"{dataset.fingerprint}-{LAYOUT}"}
    sides = (whole(dataset.train), Part(held, index, held.names), made)
    notes = list(dataset.notes[:1])
    if dataset.given is not None and dataset.given.holdout is None:
        few = f"{dataset.sides[0]} has too few pictures to hold some out"
        notes.append(f"what is translated here was learnt from: {few}")
    found = assemble(sides, dataset, False, notes, facts, most, seed)
    more = {name: Measured(value, None, making.count) for name, value in numbers.items()}
    return replace(found, more=more, back=way_back(run, dataset, making), paired=making.paired)


def way_back(run: Run, dataset: Dataset, making: Translations) -> tuple[Part, Part, Part] | None:
    """Pictures of what is given, and what the way back makes of the others; None if there is none."""
    given = dataset.given
    assert isinstance(run.sampler, Translator)
    if given is None or run.sampler.ways < 2 or given.holdout is None or len(given.holdout) < FEWEST:
        return None
    values = making.translated(run.sampler, making.real, torch.device("cpu"), back=True)
    made = Part(Rows(values), np.arange(len(values)), [f"made back {i}" for i in range(len(values))])
    return whole(given.train), whole(given.holdout), made


def reopened(run: Run) -> Dataset:
    """The data of a run: both sides of them if it translates one into the other, captions if there are."""
    source, how = source_of(run), opened_by(run)
    if run.spec.kind == "captioned":
        said = options_from(run.facts["options"])
        return open_words(source, said, run.facts["seed"], run.spec.kind, run.texts)
    if run.spec.kind not in ("pairs", "unpaired"):
        return open_data(source, how)
    options = run.facts["options"]
    direction = Direction(options.get("side"), options.get("to"), run.spec.kind == "pairs")
    return open_sides(source, direction, how)


def source_of(run: Run) -> str:
    """Where a run's data are.

    Raises:
        RunError: if they were an array in memory, or are not there any more.
    """
    source = run.facts["source"]
    if run.facts["in_memory"]:
        raise RunError(
            f"{run.path} was trained on {source}, which no path leads back to. Save real and "
            "made samples as files, then: tenfold evaluate --real A --fake B --holdout C"
        )
    if Path(source).is_absolute() and not Path(source).exists():
        raise RunError(
            f"the data of {run.path} are no longer in {source}. Put them back, or evaluate folders: tenfold "
            "evaluate --real A --fake B --holdout C"
        )
    return source


def refuse_changed(run: Run, dataset: Dataset) -> None:
    """Raises a DataError if the data are not those that a run was trained on."""
    if dataset.fingerprint != run.facts["fingerprint"]:
        raise DataError(
            f"the data in {dataset.source} are not those that {run.path} was trained on (files were added, "
            "removed or changed). Restore them, or train anew."
        )


def asked_labels(run: Run, real: np.ndarray | None, count: int, seed: int) -> Tensor | None:
    """The classes to ask a run for: in the proportions of real ones; in turn, if there are none."""
    if not run.classes:
        return None
    if real is None:
        return torch.arange(count) % len(run.classes)
    order = np.random.default_rng(derive(seed, "evaluate", "labels")).permutation(len(real))
    return torch.from_numpy(np.resize(real[order], count))


def shares(held: Split | None, other: Split | None) -> bool:
    """Whether two sides have a sample in common."""
    if held is None or other is None:
        return False
    return bool({digest(row) for row in held.values} & {digest(row) for row in other.values})


def within_memory(shape: tuple[int, ...]) -> int:
    """How many samples may be held as numbers at once."""
    return max(FEWEST, MOST_BYTES // (4 * math.prod(shape)))


def of_folders(real: str, fake: str, holdout: str | None, most: int, seed: int) -> Material:
    """Any three sources of samples, also from other people's generators.

    Made samples are brought to the size of the real ones, and share the numbers of their classes. Pictures
    are looked at in their own size up to 224 pixels a side, which no feature network looks beyond.

    Raises:
        DataError: something cannot be read, does not match, or overlaps.
    """
    size = size_of(real)
    dataset = open_data(real, LoadOptions(holdout=holdout, size=size))
    made = recoded(beside(real, fake, size), dataset.codec)
    train = dataset.train if holdout is not None else joined(dataset)
    train, held, notes = apart(train, dataset.holdout if holdout is not None else None, strict=True)
    if held is not None:
        refuse_common(made, held)
    notes += sized(dataset)
    facts = {"real": real, "fake": fake, "holdout": holdout, "data_id": f"{dataset.fingerprint}-{LAYOUT}"}
    labelled = made.labels is not None and train.labels is not None
    sides = (whole(train), None if held is None else whole(held), whole(made))
    return assemble(sides, dataset, labelled, notes, facts, most, seed)


def size_of(real: str) -> int | None:
    """The longest side to which pictures are resized; None where the loader leaves them as they are."""
    sizes = survey(find(real, LoadOptions()).train).sizes()
    return min(int(sizes.max()), LARGEST_SIDE) if sizes.size and sizes.max() > LEFT_ALONE else None


def sized(dataset: Dataset) -> list[str]:
    """What the loader did to the size of pictures."""
    return [note for note in dataset.notes if "resized" in note]


def beside(real: str, fake: str, size: int | None) -> Split:
    """Made samples, opened as a hold-out of the real ones is: in their size, with their classes."""
    try:
        made = open_data(real, LoadOptions(holdout=fake, size=size)).holdout
    except DataError as error:
        raise DataError(
            f"{fake} does not fit beside {real}, as a hold-out of it would have to: {error}"
        ) from error
    assert made is not None
    return made


def refuse_common(made: Split, held: Split) -> None:
    """Raises a DataError if made samples are held-out real ones: these would judge themselves."""
    known = {digest(row): name for row, name in zip(held.values, held.names, strict=True)}
    common = [i for i, row in enumerate(made.values) if digest(row) in known]
    if common:
        first = f"{made.names[common[0]]} = {known[digest(made.values[common[0]])]}"
        raise DataError(
            f"{len(common)} of {len(made)} made samples are copies of hold-out samples (first: {first}). "
            "These judge, and a generator must not have them: remove them from one side."
        )


def joined(dataset: Dataset) -> Split:
    """All real samples; nothing was held out of what somebody else trained on."""
    train, held = dataset.train, dataset.holdout
    if held is None:
        return train
    both = train.labels is not None and held.labels is not None
    labels = np.concatenate([train.labels, held.labels]) if both else None  # pyright: ignore[reportCallIssue, reportArgumentType]
    values = np.concatenate([train.values, held.values])
    return replace(train, values=values, labels=labels, names=(*train.names, *held.names), beside=None)


def recoded(split: Split | None, codec: Codec) -> Split:
    """The same stored values, read as the training samples are."""
    assert split is not None
    return replace(split, codec=codec)


def apart(train: Split, held: Split | None, *, strict: bool) -> tuple[Split, Split | None, list[str]]:
    """A hold-out without copies of training samples.

    Args:
        train: real samples.
        held: others.
        strict: whether copies are an error; a hold-out that was carved loses them.

    Raises:
        DataError: if strict, and there are copies.
    """
    if held is None:
        return train, None, []
    known = {digest(row): name for row, name in zip(train.values, train.names, strict=True)}
    copies = [i for i, row in enumerate(held.values) if digest(row) in known]
    if not copies:
        return train, held, []
    first = f"{held.names[copies[0]]} = {known[digest(held.values[copies[0]])]}"
    what = (
        f"{len(copies)} of {len(held)} hold-out samples are exact copies of training samples (first: {first})"
    )
    if strict:
        raise DataError(f"{what}. Nothing can be judged by what was learnt from: remove them from one side.")
    kept = np.setdiff1d(np.arange(len(held)), copies)
    return train, held.take(kept) if len(kept) else None, [f"{what}; they are left out"]


def assemble(
    sides: tuple[Part, Part | None, Part],
    dataset: Dataset,
    labelled: bool,
    notes: Sequence[str],
    facts: Mapping[str, object],
    most: int,
    seed: int,
) -> Material:
    """At most so many samples of each side.

    Raises:
        DataError: there are fewer than 20 on a side.
    """
    said = list(notes)
    train, held, made = (None if side is None else fewer(side, most, seed) for side in sides)
    for name, part in (("real", train), ("hold-out", held), ("made", made)):
        if part is not None and len(part) < FEWEST:
            raise DataError(
                f"there are {len(part)} {name} samples; at least {FEWEST} were expected, or nothing can be "
                "said of them. Add some."
            )
        if part is not None and len(part) < len(part.samples):
            all_of, others = len(part.samples), ": copies of the others do not show" if name == "real" else ""
            said.append(f"{len(part):,} of {all_of:,} {name} samples are looked at, chosen at random{others}")
    if held is None:
        said.append("there is no hold-out: half of the real samples judges, and copying cannot be tested")
    classes = dataset.spec.classes if labelled and len(dataset.spec.classes) > 1 else ()
    assert train is not None and made is not None
    return Material(train, held, made, dataset.codec, classes, tuple(said), facts)


def whole(split: Split) -> Part:
    """All samples of a side."""
    return Part(split, np.arange(len(split)), split.names)


def fewer(part: Part, most: int, seed: int) -> Part:
    """At most so many samples, chosen at random, in their order."""
    order = np.random.default_rng(derive(seed, "evaluate", "part")).permutation(len(part))[:most]
    return replace(part, index=part.index[np.sort(order)])
