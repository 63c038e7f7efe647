"""An evaluation as a page: verdicts, samples, numbers beside their reference, copies beside originals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from ..metrics.suite import Measured
from .page import Html, Tone, badge, figure, page, picture, points, section, table, text
from .sheet import sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..evaluation import Evaluation

TONES: dict[str, Tone] = {"good": "good", "warning": "neutral", "bad": "bad"}
_SHOWN = 64
_LARGEST_MATRIX = 40  # classes; more could not be read
MEANING = {
    "kernel_distance": "how far the samples' distribution is from the real one; unbiased, 0 is best",
    "frechet_distance": "the same for two Gaussians; far above 0 for few samples, even for real ones",
    "frechet_extrapolated": "the same, extrapolated to endless samples",
    "precision": "share of samples that lie among real ones",
    "recall": "share of real samples that lie among made ones",
    "density": "how many real neighbourhoods a sample lies in; 1 is expected",
    "coverage": "share of real samples with a made one near by",
    "vendi": "effective number of different samples",
    "birthday_pairs": "pairs of samples that are almost the same",
    "c_t": "below -3: nearer to the training data than fresh real samples are",
    "c_t_cells": "the same, region by region, then averaged",
    "authenticity": "share of samples that are no near copies of a training sample",
    "frechet_gap": "above 0: nearer to the training data than to held-out samples",
    "memorised": "share of samples, beyond chance, whose nearest real one is a training sample",
    "memorised_pixels": "the same by pixels, which noise hides not at all and blur hardly",
    "near_duplicates": "share of samples that look like a training sample to a perceptual hash",
    "exact_copies": "share of samples that are training samples, value by value",
    "label_accuracy": "share of samples recognised as what was asked for",
    "cas": "accuracy on real samples of a classifier trained on made ones only",
    "l1": "mean difference to the picture that it should be, of values from 0 to 1; 0 is best",
    "psnr": "the same as peak signal-to-noise ratio, in decibels; higher is nearer",
    "ssim": "how alike the structure of both is; 1 is the same",
    "feature_distance": "the same in features; two real pictures are 1 apart",
    "r_precision": "share of pictures that are told by their own caption among ten",
    "cycle_l1": "mean difference of what is translated there and back, of values from 0 to 1",
    "consistency": "mean difference to what was enlarged, when made small again, of values from 0 to 1",
    "acf_error": "mean difference of autocorrelations; 0 is best",
    "acf_error_changes": "the same of changes from step to step",
    "cross_correlation_error": "mean difference of correlations between channels",
    "spectral_distance": "mean difference of the logarithms of power spectra",
    "length_distance": "how far the distribution of lengths is from the real one",
    "discriminative": "how much better than chance a GRU of 32 units tells made series; 0 is best, .5 worst",
    "discriminative_changes": "the same of changes from step to step",
    "discriminative_classic": "the same with half as many units as channels, which few generators fail",
    "predictive": "error of a GRU that learnt from made series to foretell real ones",
    "marginals": "how far the distribution of a column is from the real one, on average; 0 is best",
    "pair_trends": "the same for pairs of columns",
    "detector_auc": "how well boosted trees tell made rows from real ones; .5 is not at all",
    "detector_auc_logistic": "the same of logistic regression, which passes too easily",
    "tstr": "what models that learn from made rows get on real ones",
    "trtr": "what models that learn from real rows get",
    "closest_record": "median distance to the nearest training row",
    "missing_classes": "classes of the target that no made row has",
    "membership_auc": "how well made rows give away who was in the training data; .5 is not at all",
    "out_of_range": "share of numbers beyond all training ones",
    "constraint_violations": "share of rows that a constraint does not hold of; 0 is promised",
    "out_of_bounds": "share of rows with a value beyond the bounds of its column; 0 is promised",
    "condition_satisfaction": "share of rows that the generator itself makes as asked; beside it exact ones",
    "kernel_distance_back": "kernel distance of what the way back makes",
    **{f"{name}_of_the_input": f"{name} of what was given, as it is" for name in ("l1", "psnr", "ssim")},
}


def page_of(found: Evaluation) -> str:
    """The whole page."""
    numbers = numbers_of(found.metrics, MEANING)
    parts = [*_verdicts(found), *_samples(found), numbers, *_copies(found), *_classes(found)]
    record = settings_of(found.notes, found.settings)
    return page("How good are the samples?", [*parts, *_training(found), record])


def gallery(found: Evaluation) -> Image.Image | None:
    """The made samples nearest to training samples, above these and above the nearest held-out ones.

    Returns:
        None where there is no hold-out, or samples are not pictures.
    """
    material, copies = found.material, found.copies
    if copies is None or material.holdout is None or material.codec.kind != "images":
        return None
    sides = ((material.fake, copies.fake), (material.train, copies.train), (material.holdout, copies.holdout))
    rows = torch.cat([part.images(index.numpy()) for part, index in sides])
    pixels = material.codec.preview(rows)
    return sheet(pixels, columns=len(copies.fake), labels=["made", "training", "hold-out"])


def _verdicts(found: Evaluation) -> Iterator[Html]:
    for verdict in found.verdicts:
        yield badge(verdict.about, TONES[verdict.level])
        yield text(f"{verdict.text} {verdict.advice}".strip())


def _samples(found: Evaluation) -> Iterator[Html]:
    material = found.material
    if material.codec.kind != "images":
        return
    shown, real = (any_of(len(part)) for part in (material.fake, material.train))
    yield section(
        "Samples",
        [
            _sheet(material.codec.preview(material.fake.images(shown)), "made"),
            _sheet(material.codec.preview(material.train.images(real)), "real, from the training data"),
        ],
    )


def any_of(count: int) -> np.ndarray:
    """Numbers of a few samples of so many, in random order: files lie class by class."""
    return np.random.default_rng(0).permutation(count)[:_SHOWN]


def _sheet(pixels: np.ndarray, caption: str) -> Html:
    return picture(np.asarray(sheet(pixels)), caption)


def numbers_of(metrics: Mapping[str, Measured], meaning: Mapping[str, str]) -> Html:
    """Every number beside its reference, and what it means."""
    rows = [(name, *_cells(number), meaning.get(name, "")) for name, number in metrics.items()]
    why = [f"{name}: {number.why}" for name, number in metrics.items() if number.value is None]
    head = ("metric", "samples", "fresh real", "n", "meaning")
    about = "Beside every number stands what fresh real samples get at the same n: compare with that."
    return section("Numbers", [text(about), table(head, rows), *([points(why)] if why else [])])


def _cells(found: Measured) -> tuple[str, str, str]:
    if found.value is None:
        return "not defined", "", str(found.n)
    error = "" if found.error is None else f" ± {found.error:.2g}"
    error += "" if found.p is None else f" (p {found.p:.2g})"
    return (
        f"{found.value:.4g}{error}",
        "" if found.reference is None else f"{found.reference:.4g}",
        str(found.n),
    )


def _copies(found: Evaluation) -> Iterator[Html]:
    sheet_of_copies, copies = gallery(found), found.copies
    if sheet_of_copies is None or copies is None:
        return
    ratios = ", ".join(f"{ratio:.2f}" for ratio in copies.ratio.tolist())
    words = (
        f"The samples nearest to training samples ({found.settings['gallery']}), compared with how far "
        "held-out ones are. Are they copies? "
        "No number can say it as surely as a look. Distance to the training sample over distance to the "
        f"held-out one, from left to right: {ratios}."
    )
    yield section("Nearest to the training data", [text(words), picture(np.asarray(sheet_of_copies), "")])


def _classes(found: Evaluation) -> Iterator[Html]:
    if not found.per_class:
        return
    names = list(next(iter(found.per_class.values())))
    rows = [
        (label, *(" / ".join(_cells(numbers[name])[:2]).rstrip(" /") for name in names))
        for label, numbers in found.per_class.items()
    ]
    small = [
        f"{label}: {numbers['coverage'].why}"
        for label, numbers in found.per_class.items()
        if numbers["coverage"].why
    ]
    parts = [table(("class", *names), rows, "samples / fresh real"), *([points(small)] if small else [])]
    if found.confusion is not None and len(found.confusion) <= _LARGEST_MATRIX:
        parts.append(figure(_matrix(found.confusion, list(found.per_class)), "asked for, and taken for"))
    yield section("Class by class", parts)


def _matrix(counts: np.ndarray, names: list[str]) -> Figure:
    from matplotlib.figure import Figure

    side = 1.5 + 0.35 * len(names)
    drawn = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = drawn.add_subplot(xlabel="taken for", ylabel="asked for")
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    short = [name if len(name) <= 12 else f"{name[:11]}…" for name in names]
    axes.set_xticks(range(len(names)), short, rotation=90, fontsize=8)
    axes.set_yticks(range(len(names)), short, fontsize=8)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "white" if share[row, column] > 0.5 else "#333333"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=ink)
    return drawn


def _training(found: Evaluation) -> Iterator[Html]:
    run = found.settings.get("run")
    path = None if run is None else Path(str(run)) / "curves.png"
    if path is not None and path.is_file():
        with Image.open(path) as drawn:
            pixels = np.asarray(drawn.convert("RGB"))
        yield section("Over training", [picture(pixels, "losses, and metrics on the hold-out")])


def settings_of(notes: Sequence[str], settings: Mapping[str, Any]) -> Html:
    """What was decided, and how it was measured."""
    rows = [(name, str(value)) for name, value in _flat(settings)]
    return section("How it was measured", [points(notes), table(("setting", "value"), rows, words=True)])


def _flat(settings: Any, above: str = "") -> Iterator[tuple[str, object]]:  # noqa: ANN401
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name} ")
        elif value is not None:
            yield f"{above}{name}", value
