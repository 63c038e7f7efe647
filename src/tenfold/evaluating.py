"""Judging samples: every metric beside what fresh real samples get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .data import Codec
from .data.dataset import digest
from .draw import derive
from .errors import DataError, RunError
from .evaluation import Evaluation
from .judging import MOST, Looking, of_other_kind
from .material import Material, Part, of_folders, of_run
from .metrics.cached import cached, key_of
from .metrics.crossfit import classifier_features
from .metrics.duplicates import near_duplicates, perceptual_hash
from .metrics.features import Features, Pixels, default_features, features_named
from .metrics.kernel import kernel_distance
from .metrics.labels import Labels, judge_labels
from .metrics.memory import Copies, nearest_copies
from .metrics.suite import Measured, Side, Sides, by_class, by_heart, measure
from .metrics.verdicts import COPY_Z, verdicts
from .run import Run
from .watching.progress import Say, told

if TYPE_CHECKING:
    from .judging import Found

GALLERY = 20
CHUNK = 256
PIXELS = Pixels()


def evaluate(
    run: str | Path | Run | None = None,
    *,
    real: str | Path | None = None,
    fake: str | Path | None = None,
    holdout: str | Path | None = None,
    features: str | Features | None = None,
    most: int = MOST,
    seed: int = 0,
    say: Say = lambda text: None,
) -> Found:
    """Judge the samples of a run, or of any generator.

    Args:
        run: a run, which then makes the samples; or:
        real: real samples that the generator may have seen, and
        fake: what it made.
        holdout: real samples that it has not seen; a run has its own, and one of series no other.
        features: the name of a feature network, or features; the best there are, if not given. Tables,
            series and pairs of texts are judged without.
        most: samples of a side that are looked at.
        seed: of made samples, and of every choice.
        say: told what is being done.

    Raises:
        DataError: data cannot be read, do not match, overlap, or are fewer than 20 on a side.
        RunError: neither a run nor two folders were given, the run's data are gone, or something was given
            that these data are not judged by.
    """
    run = Run(run) if isinstance(run, str | Path) else run
    held = None if holdout is None else str(holdout)
    other = of_other_kind(run, real, fake, held, Looking(features, most, seed, say))
    if other is not None:
        return other
    if run is not None and real is not None and fake is None:
        raise RunError("--real was given beside a run, whose own data judge. Leave it out.")
    material = open_material(run, real, fake, holdout, most, seed)
    network, material, note = choose_features(features, material, seed)
    return judged(material, network, note, seed, say)


def judged(material: Material, network: Features, note: Sequence[str], seed: int, say: Say) -> Evaluation:
    """Everything that can be said of the material."""
    say(f"features: {network.name}")
    learnt, held, made = (side_of(part, network, material, name, say) for name, part in parts(material))
    assert learnt is not None and made is not None
    sides = Sides(learnt, held, made, seed)
    say("measuring ...")
    plain = plainly(sides, material, network)
    numbers = measure(sides)
    no_other = Measured(None, None, len(made), why="the features are the values themselves: see memorised")
    numbers["memorised_pixels"] = no_other if plain is None else by_heart(plain)
    numbers |= {"near_duplicates": hashed(material), "exact_copies": copied(material), **material.more}
    numbers |= way_back(material, network)
    numbers |= {"feature_distance": partners(held, made)} if material.paired and held is not None else {}
    why = why_no_labels(material)
    found = None if why else labels_of(material, seed, say)
    missing = Measured(None, None, len(material.fake), why=why)
    numbers["label_accuracy"] = missing if found is None else found.label_accuracy
    numbers["cas"] = missing if found is None else found.cas
    view = clearer(numbers, sides, plain)
    return Evaluation(
        metrics=numbers,
        per_class=class_by_class(sides, material, found),
        confusion=None if found is None else found.confusion,
        verdicts=verdicts(numbers),
        settings=settings_of(material, network, seed)
        | {"dimension": learnt.x.shape[1], "gallery": network.name if view is sides else PIXELS.name},
        notes=(*material.notes, *note),
        copies=copies_of(view),
        material=material,
    )


def partners(held: Side, made: Side) -> Measured:
    """How far made samples are from those that they should be, in features; other real ones are 1 apart."""
    n = min(len(held), len(made))
    real, fake = held.x[:n].float(), made.x[:n].float()
    others = (real - real.roll(1, 0)).norm(dim=1).mean().clamp_min(1e-12)
    return Measured(((fake - real).norm(dim=1).mean() / others).item(), None, n)


def way_back(material: Material, network: Features) -> dict[str, Measured]:
    """Of a translation that goes both ways: the kernel distance of what the way back makes."""
    if material.back is None:
        return {}
    n = min(map(len, material.back[:2]))
    counts = (n, *map(len, material.back[1:]))
    train, held, made = (
        torch.cat([network(part.images(some)) for some in chunks(count)])
        for part, count in zip(material.back, counts, strict=True)
    )
    found, fresh = kernel_distance(held, made), kernel_distance(held[:n], train)
    return {"kernel_distance_back": Measured(found.value, fresh.value, len(made), found.error)}


def class_by_class(sides: Sides, material: Material, found: Labels | None) -> dict[str, dict[str, Measured]]:
    """The metrics of each class by name."""
    if not material.classes or (sides.holdout is not None and sides.holdout.labels is None):
        return {}
    measured = by_class(sides, len(material.classes))
    return {
        name: {**measured[i], **({} if found is None else {"label_accuracy": found.by_class[i]})}
        for i, name in enumerate(material.classes)
    }


def open_material(
    run: Run | None,
    real: str | Path | None,
    fake: str | Path | None,
    holdout: str | Path | None,
    most: int,
    seed: int,
) -> Material:
    """The three sides."""
    held = None if holdout is None else str(holdout)
    if run is not None and real is None and fake is None:
        return replace(of_run(run, held, most, seed), looks_through=run.recipe.looks_through)
    if run is None and real is not None and fake is not None:
        return of_folders(str(real), str(fake), held, most, seed)
    raise RunError("a run, or both --real and --fake, were expected: tenfold evaluate RUN")


def parts(material: Material) -> list[tuple[str, Part | None]]:
    """The sides by name."""
    return [("real", material.train), ("hold-out", material.holdout), ("made", material.fake)]


def choose_features(
    features: str | Features | None, material: Material, seed: int
) -> tuple[Features, Material, tuple[str, ...]]:
    """The features asked for or the best there are, what they may be used on, and a sentence on why."""
    looked = material.looks_through
    if looked and features == looked:
        raise DataError(f"training looked through {looked}, which then cannot judge. Use --features pixels.")
    if looked and features is None:
        features = "classifier" if material.classes else "pixels"
    if features == "classifier":
        return from_labels(material, seed)
    if features is None:
        network, why = default_features(material.codec.kind == "images")
        return network, material, (why,)
    return (features_named(features) if isinstance(features, str) else features), material, ()


def from_labels(material: Material, seed: int) -> tuple[Features, Material, tuple[str, ...]]:
    """Features of a classifier that learns from half of the real samples; only the other half is compared.

    Raises:
        DataError: if there are no labelled pictures.
    """
    train = material.train
    rows = train.rows()
    if material.codec.kind != "images" or not material.classes or len(rows) < len(train):
        raise DataError(
            "the features 'classifier' need labelled pictures of two classes that fit into memory. Use "
            "efficientnet-lite0 or pixels."
        )
    network, unseen = classifier_features(rows, classes=len(material.classes), seed=derive(seed, "evaluate"))
    note = f"features: a classifier of {len(train) - len(unseen)} real samples, which are then left out"
    return network, replace(material, train=replace(train, index=train.index[unseen])), (note,)


def side_of(part: Part | None, network: Features, material: Material, name: str, say: Say) -> Side | None:
    """The features of one side; those of real samples are kept for the next time."""
    if part is None:
        return None

    def compute() -> Tensor:
        steps = told(chunks(len(part)), len(part), f"features of {name} samples", say)
        return torch.cat([network(part.images(some)) for some in steps])

    key = key_of(str(material.facts["data_id"]), name, part.index)
    return Side(compute() if name == "made" else cached(network, key, compute), part.labels)


def plainly(sides: Sides, material: Material, network: Features) -> Sides | None:
    """The same sides by their pixels: noise on copies, which feature networks mind, hides nothing there.

    Returns:
        None where that is what they are.
    """
    if network.name == PIXELS.name:
        return None

    def side(part: Part) -> Side:
        return Side(torch.cat([PIXELS(part.images(some)) for some in chunks(len(part))]), part.labels)

    held = None if material.holdout is None else side(material.holdout)
    return Sides(side(material.train), held, side(material.fake), sides.seed)


def clearer(numbers: Mapping[str, Measured], sides: Sides, plain: Sides | None) -> Sides:
    """Those of two views of the sides in which more seems to be learnt by heart."""

    def surely(found: Measured) -> float:
        return 0.0 if found.value is None else found.value + COPY_Z * (found.error or 0.0)

    plainer = surely(numbers["memorised_pixels"]) > max(0.0, surely(numbers["memorised"]))
    return plain if plain is not None and plainer else sides


def copies_of(sides: Sides) -> Copies | None:
    """The made samples nearest to training samples."""
    if sides.holdout is None:
        return None
    return nearest_copies(sides.train.x, sides.holdout.x, sides.fake.x, count=GALLERY)


def hashed(material: Material) -> Measured:
    """Share of made pictures that look like a training picture to a perceptual hash; and of held-out ones."""
    n = len(material.fake)
    if material.codec.kind != "images":
        return Measured(None, None, n, why="not defined for rows of numbers")
    train, held = hashes(material.train), material.holdout
    share = near_duplicates(train, hashes(material.fake)).share
    if held is None:
        return Measured(share, None, n)
    return Measured(share, near_duplicates(train, hashes(held)).share, n, reference_n=len(held))


def copied(material: Material) -> Measured:
    """Share of made samples that are training samples, value by value; held-out ones are none."""
    known, made = (contents(part, material.codec) for part in (material.train, material.fake))
    seen = set(known)
    share = sum(content in seen for content in made) / len(made)
    return Measured(share, None if material.holdout is None else 0.0, len(made))


def contents(part: Part, codec: Codec) -> list[bytes]:
    """The same for samples that are the same when they are written to files."""
    return [digest(row) for some in chunks(len(part)) for row in codec.decode(part.images(some))]


def hashes(part: Part) -> Tensor:
    """The perceptual hash of every picture of a side."""
    return torch.cat([perceptual_hash(part.images(some)) for some in chunks(len(part))])


def chunks(count: int) -> list[slice]:
    """So many samples, a few at a time."""
    return [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def why_no_labels(material: Material) -> str:
    """Why nothing can be said of the labels; empty if something can."""
    if not material.classes:
        return "not defined without labels of two classes on both sides"
    if material.codec.kind != "images":
        return "not defined for rows of numbers"
    if material.holdout is None or material.holdout.labels is None:
        return "not defined without labelled samples that were held out"
    return ""


def labels_of(material: Material, seed: int, say: Say) -> Labels:
    """What classifiers say of the labels."""
    held = material.holdout
    assert held is not None
    say("training three small classifiers ...")
    rows = (material.train.rows(), held.rows(), material.fake.rows())
    return judge_labels(*rows, classes=len(material.classes), seed=derive(seed, "evaluate"))


def settings_of(material: Material, network: Features, seed: int) -> dict[str, Any]:
    """Everything needed to repeat an evaluation, or to refuse to compare it with another."""
    from . import __version__

    counts = {name: 0 if part is None else len(part) for name, part in parts(material)}
    return {
        "features": dict(network.about()),
        "counts": counts,
        "neighbours": 5,
        "seed": seed,
        "tenfold": __version__,
        **material.facts,
    }
