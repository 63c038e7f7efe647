"""Labels for samples that have none: those of their neighbours, where that is sure.

References:
    Learning with Local and Global Consistency (Zhou et al., 2003),
    https://papers.nips.cc/paper/2003/hash/87682805257e619d49b8e0dfdc14affa-Abstract.html
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from .data import Dataset
from .data.order import Samples
from .draw import derive
from .metrics.features import Features, Pixels, default_features

NEIGHBOURS, CLAMPED = 10, 0.9  # how many are asked, and how much a sample heeds them
SURE = 0.5  # of a sample's label, that is given to it
TRUSTED, TESTS = 0.9, 10  # share of guesses of hidden labels that must be right, and how many there must be
FOLDS, SEVERAL = 5, 2  # parts in which labels are hidden; labelled samples of each class, at least
MOST, MOST_SEEN = 10_000, 2_000  # of either kind of samples that are asked; of both that a network looks at
LEAST_SEEN = 24  # pixels of a side that such a network sees something in
UNKNOWN = -1


def with_guesses(dataset: Dataset) -> Dataset:
    """The same data with labels for those unlabelled samples whose neighbours agree.

    Whether guesses can be relied on is tested on labelled samples whose labels are hidden. Where they cannot,
    or there are no labels, there are none.
    """
    train, more = dataset.train, dataset.unlabelled
    if more is None or train.labels is None or min(dataset.spec.class_counts, default=0) < SEVERAL:
        return dataset
    random = np.random.default_rng(derive(0, "guessed"))
    told, asked = (np.sort(random.permutation(len(side))[:MOST]) for side in (train, more))
    features = features_for(dataset, len(told) + len(asked))
    rows = [features(side.gather(part)["real"]) for side, part in parts((train, told), (more, asked))]
    x, known = torch.cat(rows).double().numpy(), np.asarray(train.labels, np.int64)[told]
    graph = neighbours(x)
    right, tests = accuracy(graph, known, len(x))
    if right < TRUSTED or tests < TESTS:
        why = f"neighbours in {features.name} were sure of {tests} of {len(known)} hidden labels"
        what = f"the samples without labels are not given any: {why}"
        return noted(dataset, f"{what}, and right of {right:.0%} of those of a class")
    found, sure = spread(graph, known, len(x))
    guesses = np.full(len(more), UNKNOWN)
    guesses[asked] = np.where(sure >= SURE, found, UNKNOWN)[len(known) :]
    count = int((guesses != UNKNOWN).sum())
    words = (
        f"{count} of {len(more)} samples without labels are given that of their neighbours in {features.name}"
    )
    why = (
        f"of labels that were hidden to test it, {right:.0%} of those of a class that seemed sure were right"
    )
    return replace(noted(dataset, f"{words}: {why}"), guesses=guesses)


def noted(dataset: Dataset, note: str) -> Dataset:
    """The same with one more note."""
    return replace(dataset, notes=(*dataset.notes, note))


def parts(*sides: tuple[Samples, np.ndarray]) -> list[tuple[Samples, np.ndarray]]:
    """Numbers of all samples that are looked at, some at once."""
    return [(side, index[i : i + 512]) for side, index in sides for i in range(0, len(index), 512)]


def features_for(dataset: Dataset, count: int) -> Features:
    """What neighbours are told by."""
    seen = dataset.codec.kind == "images" and max(dataset.spec.shape[1:]) >= LEAST_SEEN
    return default_features(images=True)[0] if seen and count <= MOST_SEEN else Pixels()


def neighbours(x: Float[np.ndarray, "n d"]) -> object:
    """Which samples are neighbours, of one another or one of the other, as a sparse matrix."""
    from sklearn.neighbors import kneighbors_graph

    nearest: Any = kneighbors_graph(x, min(NEIGHBOURS, len(x) - 1), mode="connectivity", include_self=True)
    return nearest.maximum(nearest.T)


def spread(
    graph: object, known: Int[np.ndarray, " m"], count: int
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The label that reaches each sample, and its share of all that do.

    Args:
        graph: of all samples.
        known: labels of the first ones; -1 for none.
        count: of all samples.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.semi_supervised import LabelSpreading

    labels = np.full(count, UNKNOWN)
    labels[: len(known)] = known
    ask: Any = lambda a, b: graph
    model = LabelSpreading(kernel=ask, alpha=CLAMPED, max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # what no label reaches is divided by zero
        model.fit(np.zeros((count, 1)), labels)
    shares = np.nan_to_num(model.label_distributions_)
    total = shares.sum(1)
    return model.classes_[shares.argmax(1)], np.where(
        total > 0, shares.max(1) / np.maximum(total, 1e-12), 0.0
    )


def accuracy(graph: object, known: Int[np.ndarray, " m"], count: int) -> tuple[float, int]:
    """Of labelled samples whose label is hidden, a part at a time: what share of sure guesses is right.

    It is the mean over classes (where one is nearly all, guesses of it would be right too often), with how
    many were sure.
    """
    order = np.random.default_rng(derive(0, "hidden")).permutation(len(known))
    right, sure = np.zeros(len(known), bool), np.zeros(len(known), bool)
    for part in np.array_split(order, min(FOLDS, len(known))):
        hidden = known.copy()
        hidden[part] = UNKNOWN
        found, share = spread(graph, hidden, count)
        right[part], sure[part] = found[part] == known[part], share[part] >= SURE
    each = [right[sure & (known == label)].mean() for label in np.unique(known[sure])]
    return float(np.mean(each)) if each else 0.0, int(sure.sum())
