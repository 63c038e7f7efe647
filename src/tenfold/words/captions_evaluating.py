"""Judging pictures of what is said: like any pictures, and whether they show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..data import Dataset
from ..data.images import LAYOUT
from ..data.order import Rows
from ..draw import derive
from ..errors import DataError
from ..evaluating import MOST, choose_features, chunks, judged
from ..material import Material, Part, assemble, refuse_changed, reopened, whole, within_memory
from ..metrics.caption_judge import CaptionReader
from ..metrics.captions import found_again, kernel_distance_of_pairs
from ..metrics.features import Features
from ..metrics.suite import Measured
from ..metrics.verdicts import Verdict, verdicts
from ..watching.captions import generate_captioned, reader_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..evaluation import Evaluation
    from ..run import Run

GOOD, POOR = 0.9, 0.6  # of what real pictures get


def evaluate_captions(
    run: Run,
    *,
    features: str | Features | None = None,
    most: int = MOST,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Judge pictures that a run makes now of captions that were held out, one of each.

    Beside all that is said of pictures without captions: `r_precision`, by a reader that learns here from the
    training pairs, and `feature_distance`, how near a picture is to the real one of its caption. Pairs of one
    caption are left out of the kernel distance, as they would make it read low.

    Args:
        run: of pictures with captions.
        features: the name of a feature network, or features; the best there are, if not given.
        most: pictures that are looked at.
        seed: of made pictures, and of every choice.
        say: told what is being done.

    Raises:
        DataError: the data are not those of the run, nothing was held out, or too little.
        RunError: the data are no longer there.
    """
    dataset = reopened(run)
    refuse_changed(run, dataset)
    say("learning to read captions from the training pairs ...")
    reader = independent_reader(dataset, seed)
    material = of_captions(run, dataset, reader, most, seed)
    network, material, note = choose_features(features, material, seed)
    found = judged(material, network, note, seed, say)
    metrics = {**found.metrics, "kernel_distance": apart(found.metrics["kernel_distance"], material, network)}
    return replace(found, metrics=metrics, verdicts=[*verdicts(metrics), *agreement(metrics)])


def independent_reader(dataset: Dataset, seed: int = 0) -> CaptionReader:
    """What finds captions to pictures, and has learnt from the training pairs alone, with another seed."""
    return reader_from(dataset, derive(seed, "evaluate", "reader"))


def of_captions(run: Run, dataset: Dataset, reader: CaptionReader, most: int, seed: int) -> Material:
    """Real pictures, and made ones of the captions of those that were held out.

    Raises:
        DataError: nothing was held out.
    """
    held = dataset.holdout
    if held is None:
        raise DataError(
            f"{dataset.source} has too few pictures to hold some out, and pictures of captions that were "
            "learnt from say little. Add some."
        )
    count = min(len(held), most, within_memory(dataset.spec.shape))
    order = np.random.default_rng(derive(seed, "evaluate", "captions")).permutation(len(held))
    index = np.sort(order[:count])
    batch = held.gather(index)
    values = generate_captioned(run.sampler, batch["condition"], derive(seed, "evaluate"))
    names = [f"made for {held.names[i]}" for i in index]
    made = Part(Rows(values), np.arange(count), names)
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source, "holdout": None}
    facts |= {"data_id": f"{dataset.fingerprint}-{LAYOUT}"}
    notes = [*dataset.notes[:1], "the hold-out also chose the checkpoint, which flatters"]
    sides = (whole(dataset.train), Part(held, index, held.names), made)
    found = assemble(sides, dataset, False, notes, facts, most, seed)
    said = found_again(reader, values, batch["real"], batch["condition"], seed)
    return replace(found, more={"r_precision": said}, paired=True)


def apart(plain: Measured, material: Material, network: Features) -> Measured:
    """The kernel distance without pairs of pictures of one caption; the plain one where it is not defined."""
    held = material.holdout
    if plain.value is None or held is None or len(held) != len(material.fake):
        return plain
    real, fake = (
        torch.cat([network(part.images(some)) for some in chunks(len(part))])
        for part in (held, material.fake)
    )
    found = kernel_distance_of_pairs(real, fake)
    how = "pairs of different captions"
    return replace(plain, value=found.value, error=found.error, n=len(real), how=how)


def agreement(numbers: Mapping[str, Measured]) -> Iterator[Verdict]:
    """Do pictures show what was said?"""
    found = numbers.get("r_precision")
    if found is None or found.value is None or found.reference is None:
        return
    ours, real = found.value, found.reference
    text = (
        f"Among ten captions, {ours:.0%} of the pictures are told by their own; of real pictures {real:.0%} "
        "are."
    )
    if ours >= GOOD * real:
        yield Verdict("labels", "good", f"The pictures show what was said. {text}")
    elif ours >= POOR * real:
        yield Verdict("labels", "warning", f"Not all pictures show what was said. {text}", "Train longer.")
    else:
        advice = "Train longer, give each picture several captions, or use --recipe dfgan."
        yield Verdict("labels", "bad", f"Many pictures do not show what was said. {text}", advice)
