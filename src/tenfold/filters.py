"""Which made samples are worth keeping: those with the right label, and no copies of the training data.

What filters is not what judges: the classifier of the labels learns from one half of the training samples
(`fold_of_filter`), so that a judge can take the other; copies are looked for in pixels, coverage is measured
in other features where there are any.

References:
    Selective synthetic augmentation with quality assurance (Xue et al., 2019),
    https://arxiv.org/abs/1912.03837
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .data.order import Samples
from .draw import derive
from .errors import DataError
from .metrics.coverage import manifold
from .metrics.crossfit import Chosen
from .metrics.features import Features, Pixels, default_features

COMPARED = 1000  # samples that coverage is measured on
_CHUNK = 512
_CELLS = 2**24  # distances that are held at once
_NEIGHBOURS = 5
NO_HOLDOUT = "coverage is of training samples: there is no hold-out"

Probabilities = Callable[[Tensor], Float[np.ndarray, "n classes"]]


@dataclass(frozen=True)
class Screening:
    """How strict to be.

    Attributes:
        threshold: least probability of the label that was asked for.
        confidence: high keeps all from there on; middle leaves out those of which the classifier is surer
            than of half of the real samples: they lie deep within their class, and teach little.
        nearest: a sample is a near copy if it is nearer to a training sample than this share of the training
            samples is to its nearest other one. So about as many fresh real samples are taken for copies.
        least: samples of a class that are kept in any case.
    """

    threshold: float = 0.5
    confidence: Literal["high", "middle"] = "high"
    nearest: float = 0.05
    least: int = 5

    def __post_init__(self) -> None:
        if not (0 <= self.threshold <= 1 and 0 <= self.nearest <= 1 and self.least >= 1):
            raise DataError(
                f"Found threshold {self.threshold}, nearest {self.nearest} and least {self.least}, expected "
                "shares from 0 to 1 and at least one sample. Correct them."
            )


USUAL = Screening()


@dataclass(frozen=True)
class Screened:
    """What was kept.

    Attributes:
        mask: which samples.
        share: how many of all.
        by_filter: how many each filter alone would have kept.
        coverage_before, coverage_after: of the real samples, by as many samples as were kept: by those drawn
            at random from all, and by those kept. None where there are too few to say.
        features: the name of those that coverage was measured in.
        notes: what else there is to know, a sentence each.
    """

    mask: Bool[np.ndarray, " n"]
    share: float
    by_filter: dict[str, float]
    coverage_before: float | None
    coverage_after: float | None
    features: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelConfidence:
    """Scores samples by how sure a classifier of real samples is of their label; above 0 is kept.

    Attributes:
        probabilities: by a classifier of one half of the real samples.
        least, most: bounds of the probability.
    """

    probabilities: Probabilities
    least: float
    most: float

    def __call__(self, values: Tensor, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The distance to the nearer bound, from within."""
        sure = self.probabilities(values)[np.arange(len(labels)), labels]
        return np.minimum(sure - self.least, self.most - sure)


@dataclass(frozen=True)
class CopyCheck:
    """Scores samples by how far they are, in pixels, from the nearest training sample; above 0 is kept.

    Attributes:
        rows: the training samples' pixels.
        radius: up to which a sample is a near copy.
    """

    rows: Float[Tensor, "n d"]
    radius: float

    def __call__(self, values: Tensor) -> Float[np.ndarray, " n"]:
        """The distance, less the radius."""
        return nearest(Pixels()(values).double(), self.rows, 1).numpy() - self.radius


def screen(
    values: Float[Tensor, "n ..."],
    labels: Int[np.ndarray, " n"] | None,
    real: Samples,
    *,
    classes: int,
    seed: int,
    settings: Screening = USUAL,
    holdout: Float[Tensor, "m ..."] | None = None,
    features: Features | None = None,
) -> Screened:
    """Keep the made samples whose label a classifier confirms and that copy no training sample.

    The classifier is trained here, with a seed of its own and on one half of the real samples: see
    `fold_of_filter`. Where no sample of a class passes, its most confident few are kept, so that no class is
    left empty, and a note says so.

    Args:
        values: made samples in [-1, 1], images or rows of numbers.
        labels: the class asked for; None without classes, then only copies are looked for.
        real: the training samples, with labels if the made ones have them.
        classes, seed, settings: how many there are; of the half and the classifier; how strict to be.
        holdout: real samples to measure coverage against; the training samples if there are none.
        features: in which coverage is measured; the best there are, if not given.

    Raises:
        DataError: if there is nothing to screen, or the labels do not fit.
    """
    refuse_misfits(values, labels, classes)
    scores = {"copies": copies(real, settings)(values)}
    if labels is not None and classes > 1:
        scores = {"confidence": confidence(real, classes, seed, settings)(values, labels), **scores}
    mask, notes = rescue(passed(scores), labels, scores, settings.least)
    if holdout is None:
        holdout, notes = picked(real, seed), (*notes, NO_HOLDOUT)
    network = features or default_features(values.ndim == 4)[0]
    before, after = coverages(holdout, values, mask, seed, network)
    share = float(mask.mean())
    return Screened(mask, share, shares(scores), before, after, network.name, notes)


def fold_of_filter(labels: Int[np.ndarray, " n"], seed: int) -> Int[np.ndarray, " k"]:
    """Numbers of the samples that a filter's classifier learns from: half of each class, in ascending order.

    A judge of what was kept takes the others. Of a class with an odd number, the filter has one more: even a
    class with a single sample is known to it.

    Args:
        labels: class of each training sample.
        seed: decides who goes where; for a run, it is the run's own.

    Example:
        >>> labels = np.array([0, 0, 0, 0, 1, 1, 2])
        >>> labels[fold_of_filter(labels, seed=0)].tolist()
        [0, 0, 1, 2]
    """
    order = np.random.default_rng(derive(seed, "filter", "fold")).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])  # within its class
    return np.sort(order[place % 2 == 0])


def refuse_misfits(values: Tensor, labels: np.ndarray | None, classes: int) -> None:
    """Raises a DataError if there is nothing to screen, or the labels do not fit."""
    if len(values) == 0:
        raise DataError("Found no made samples, expected some to choose from. Make more.")
    if not bool(values.isfinite().all()):
        raise DataError("Found made samples with numbers that are not finite. Leave those out.")
    if labels is None:
        return
    if len(labels) != len(values) or labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"Found {len(labels)} labels from {labels.min()} to {labels.max()} for {len(values)} made "
            f"samples, expected one each from 0 to {classes - 1}. Give the labels that were asked for."
        )


def confidence(real: Samples, classes: int, seed: int, settings: Screening) -> LabelConfidence:
    """A classifier of the filter's half of the samples, and when it counts a label as confirmed.

    Raises:
        DataError: if the samples are not of at least two classes.
    """
    found = 0 if real.labels is None else len(np.unique(real.labels))
    if real.labels is None or found < 2:
        raise DataError(
            f"Found {found} classes among the real samples, expected at least 2 to tell apart. Give real "
            "samples of every class with their labels, or leave this filter out."
        )
    half = Chosen(real, fold_of_filter(real.labels, seed))
    images = real.gather(np.arange(1))["real"].ndim == 4
    probabilities = (learn_images if images else learn_rows)(half, classes, derive(seed, "filter"))
    most = 2.0
    if settings.confidence == "middle":
        most = max(median_confidence(half, probabilities), settings.threshold + 1e-6)
    return LabelConfidence(probabilities, settings.threshold, most)


def median_confidence(real: Samples, probabilities: Probabilities) -> float:
    """How sure a classifier typically is of the labels of some samples."""
    assert real.labels is not None
    typical = np.concatenate([probabilities(x) for x in parts(real)])[np.arange(len(real)), real.labels]
    return float(np.median(typical))


def learn_images(real: Samples, classes: int, seed: int) -> Probabilities:
    """A small convolutional classifier."""
    from .metrics.classifier import train_classifier

    classifier = train_classifier(real, classes=classes, seed=seed)

    @torch.no_grad()
    def probabilities(x: Tensor) -> np.ndarray:
        return classifier.network.head(classifier.features(x)).softmax(1).double().numpy()

    return probabilities


def learn_rows(real: Samples, classes: int, seed: int) -> Probabilities:
    """A logistic regression of standardised rows; classes without a real sample have probability zero."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed % 2**32))
    model.fit(torch.cat(list(parts(real))).numpy(), real.labels)

    def probabilities(x: Tensor) -> np.ndarray:
        found = np.zeros((len(x), classes))
        found[:, model.classes_] = model.predict_proba(x.numpy())
        return found

    return probabilities


def copies(real: Samples, settings: Screening) -> CopyCheck:
    """What is too near to be anything but a copy."""
    rows = torch.cat([Pixels()(x) for x in parts(real)]).double()
    if len(rows) < 2:
        raise DataError(f"Found {len(rows)} real samples, expected at least 2. Add some.")
    index = np.random.default_rng(derive(0, "copies")).permutation(len(rows))[: 2 * COMPARED]
    apart = nearest(rows[torch.from_numpy(index)], rows, 2)  # each row is its own nearest
    # Where real samples repeat, the quantile is zero; exact copies shall be found even then.
    radius = max(float(apart.quantile(settings.nearest)), 1e-4 * float(apart.median()), 1e-6)
    return CopyCheck(rows, radius)


def nearest(some: Float[Tensor, "n d"], rows: Float[Tensor, "m d"], which: int) -> Float[Tensor, " n"]:
    """Distance of each row to its nearest, or second nearest, of some others."""
    found = [
        torch.cdist(part, rows, compute_mode="use_mm_for_euclid_dist").kthvalue(which, 1).values
        for part in some.split(max(1, min(_CHUNK, _CELLS // len(rows))))
    ]
    return torch.cat(found)


def passed(scores: Mapping[str, Float[np.ndarray, " n"]]) -> Bool[np.ndarray, " n"]:
    """What passes every filter."""
    return np.logical_and.reduce([score > 0 for score in scores.values()])


def shares(scores: Mapping[str, Float[np.ndarray, " n"]]) -> dict[str, float]:
    """How many pass each filter on its own."""
    return {name: float((score > 0).mean()) for name, score in scores.items()}


def rescue(
    mask: Bool[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"] | None,
    scores: Mapping[str, Float[np.ndarray, " n"]],
    least: int,
) -> tuple[Bool[np.ndarray, " n"], tuple[str, ...]]:
    """The mask, with the best few samples of each class of which none passed; and what was done."""
    mask, notes = mask.copy(), []
    asked = np.zeros(len(mask), np.int64) if labels is None else labels
    order = ranking(scores)
    for label in np.unique(asked):
        mine = order[asked[order] == label]
        if mask[mine].any():
            continue
        mask[mine[:least]] = True
        whose = "no sample" if labels is None else f"no sample of class {label}"
        notes.append(f"{whose} passed all filters; the best {len(mine[:least])} are kept all the same")
    return mask, tuple(notes)


def ranking(scores: Mapping[str, Float[np.ndarray, " n"]]) -> Int[np.ndarray, " n"]:
    """Numbers of the samples, best first: those that pass more filters, then those the first is surer of."""
    count = np.sum([score > 0 for score in scores.values()], axis=0)
    return np.lexsort((-next(iter(scores.values())), -count))


def coverages(
    real: Float[Tensor, "m ..."],
    values: Float[Tensor, "n ..."],
    mask: Bool[np.ndarray, " n"],
    seed: int,
    features: Features,
) -> tuple[float | None, float | None]:
    """Coverage of real samples by as many made ones, before and after a filter."""
    rng = np.random.default_rng(derive(seed, "coverage"))
    kept = rng.permutation(np.flatnonzero(mask))[:COMPARED]
    before = rng.permutation(len(mask))[: len(kept)]
    real = real[torch.from_numpy(rng.permutation(len(real))[:COMPARED])]
    return coverage_pair(real, values[torch.from_numpy(before)], values[torch.from_numpy(kept)], features)


def coverage_pair(
    real: Float[Tensor, "m ..."], before: Float[Tensor, "k ..."], after: Float[Tensor, "k ..."], by: Features
) -> tuple[float | None, float | None]:
    """Coverage of real samples by two sets of as many made ones; None where there are too few to say."""
    if min(len(after), len(before), len(real)) <= _NEIGHBOURS:
        return None, None
    rows = by(real)
    pair = [manifold(rows, by(fake), _NEIGHBOURS).coverage for fake in (before, after)]
    return pair[0], pair[1]


def parts(samples: Samples) -> Iterator[Tensor]:
    """All samples in [-1, 1], some at a time."""
    for start in range(0, len(samples), _CHUNK):
        yield samples.gather(np.arange(start, min(start + _CHUNK, len(samples))))["real"]


def picked(samples: Samples, seed: int) -> Tensor:
    """As many samples as coverage is measured on, chosen at random, in [-1, 1]."""
    index = np.random.default_rng(derive(seed, "picked")).permutation(len(samples))[:COMPARED]
    return samples.gather(np.sort(index))["real"]


def words(
    share: float, by_filter: Mapping[str, float], coverage: tuple[float | None, float | None], features: str
) -> str:
    """What filters did, as a person reads it."""
    each = ", ".join(f"{name} {kept:.0%}" for name, kept in by_filter.items())
    before, after = ("not defined for so few" if c is None else f"{c:.2f}" for c in coverage)
    return f"{share:.0%} passed ({each}); coverage {before} before, {after} after (in {features})"
