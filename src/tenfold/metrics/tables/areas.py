"""Areas under curves of what a score finds: ROC AUC with its error, and average precision."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from ...errors import DataError
from ..kernel import Estimate
from ..rows import Undefined


def midranks(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The rank of each number from 1 on; equal ones share theirs.

    Example:
        >>> midranks(np.array([0.3, 0.1, 0.3])).tolist()
        [2.5, 1.0, 2.5]
    """
    _, place, ties = np.unique(x, return_inverse=True, return_counts=True)
    return (ties.cumsum() - (ties - 1) / 2)[place]


def roc_auc(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """How often a positive scores higher than a negative; equal scores count half.

    Raises:
        DataError: if scores and positives do not belong together, or a score is NaN.
        Undefined: if there are no positives or no negatives.

    Example:
        >>> roc_auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]))
        0.875
    """
    positive = _checked(scores, positive, 1)
    p, q = int(positive.sum()), int((~positive).sum())
    return float((midranks(scores)[positive].sum() - p * (p + 1) / 2) / (p * q))


def auc_with_error(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> Estimate:
    """The ROC AUC and its standard error over fresh positives and negatives.

    Raises:
        DataError: if scores and positives do not belong together, or a score is NaN.
        Undefined: if there are fewer than two positives or two negatives.

    References:
        Comparing the areas under two or more correlated receiver operating characteristic curves.
        DeLong, DeLong, Clarke-Pearson, 1988. https://doi.org/10.2307/2531595
    """
    positive = _checked(scores, positive, 2)
    p, q = int(positive.sum()), int((~positive).sum())
    rank = midranks(scores)
    beaten = (rank[positive] - midranks(scores[positive])) / q  # share of negatives below each positive
    beating = 1 - (rank[~positive] - midranks(scores[~positive])) / p
    variance = beaten.var(ddof=1) / p + beating.var(ddof=1) / q
    return Estimate(float(beaten.mean()), float(variance**0.5))


def macro_auc(scores: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> float:
    """Mean over the classes that are there of the ROC AUC of each against all others.

    Raises:
        DataError: if scores and labels do not belong together, or a score is NaN.
        Undefined: if all are of one class.
    """
    count = np.bincount(labels, minlength=scores.shape[1])
    there = np.flatnonzero((count > 0) & (count < len(labels)))
    if not len(there):
        raise Undefined(
            f"Not defined for {len(labels)} rows of one class: at least two classes were expected. "
            "Judge by rows that have them."
        )
    return float(np.mean([roc_auc(scores[:, k], labels == k) for k in there]))


def roc(
    scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """False and true positive rate at every threshold, from none taken for positive to all.

    Raises:
        DataError: if scores and positives do not belong together, or a score is NaN.
        Undefined: if there are no positives or no negatives.
    """
    positive = _checked(scores, positive, 1)
    last, found = _thresholds(scores, positive)
    hits, false = found.cumsum()[last], (~found).cumsum()[last]
    return np.append(0.0, false / false[-1]), np.append(0.0, hits / hits[-1])


def average_precision(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Precision at each threshold, weighted by the recall gained there; equal scores share a threshold.

    Raises:
        DataError: if scores and positives do not belong together, or a score is NaN.
        Undefined: if there are no positives or no negatives.

    Example:
        >>> round(average_precision(np.array([0.9, 0.5, 0.1]), np.array([True, False, True])), 6)
        0.833333
    """
    positive = _checked(scores, positive, 1)
    last, found = _thresholds(scores, positive)
    hits = found.cumsum()[last]
    precision = hits / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(hits, prepend=0)).sum() / hits[-1])


def _thresholds(
    scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """From the highest score on: whether the next one is lower, and whether this one is a positive's."""
    order = np.argsort(-scores, kind="stable")
    return np.append(np.diff(scores[order]) != 0, True), positive[order]


def _checked(
    scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"], least: int
) -> Bool[np.ndarray, " n"]:
    positive = np.asarray(positive, dtype=bool)
    if scores.ndim != 1 or scores.shape != positive.shape or np.isnan(scores).any():
        raise DataError(
            f"Found scores of shape {scores.shape} for {positive.shape} answers, expected a number for each "
            "and no NaN. Give both for the same rows."
        )
    p = int(positive.sum())
    if min(p, len(positive) - p) < least:
        raise Undefined(
            f"Not defined for {p} positives and {len(positive) - p} negatives: at least {least} of each were "
            "expected. Judge by more rows."
        )
    return positive
