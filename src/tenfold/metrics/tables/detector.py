"""How well a classifier tells made rows from real ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from ...draw import derive
from ..crossfit import folds_of
from ..kernel import Estimate
from ..rows import Undefined
from .areas import auc_with_error
from .design import TableRows, alike, joined
from .learners import ROUNDS, fit_classes

MOST_ROWS = 10_000
FEWEST = 20


def detector_auc(
    real: TableRows,
    fake: TableRows,
    seed: int,
    folds: int = 3,
    most: int = MOST_ROWS,
    rounds: int = ROUNDS,
) -> Estimate:
    """ROC AUC of boosted trees that tell made rows from real ones they have not seen; 0.5 is best.

    Both sides are as many, have numbers of as many decimals, and are looked at in the same way. It is the
    mean over the folds; the error is that of the rows each fold was judged by, for the models as they are.
    Real rows that are no training rows must be given: a generator that copies real rows would otherwise come
    out below 0.5, and a good one that does not above.

    Args:
        real: real rows that nothing was learnt from.
        fake: made ones.
        seed: decides which rows, and the folds.
        folds: in as many parts rows are judged, each by a model of the others.
        most: rows of a side that are looked at.
        rounds: of boosting.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than twenty rows on a side.

    References:
        Revisiting classifier two-sample tests. Lopez-Paz, Oquab, 2017. https://arxiv.org/abs/1610.06545
    """
    rows, made = _mixed(real, fake, seed, most)
    return _told("boosting", rows, made, seed, folds, rounds)


def detector_auc_logistic(
    real: TableRows, fake: TableRows, seed: int, folds: int = 3, most: int = MOST_ROWS
) -> Estimate:
    """The same by logistic regression, which sees each column on its own and passes too easily.

    It is there to be compared with other people's numbers, of which many are of this kind.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than twenty rows on a side.
    """
    rows, made = _mixed(real, fake, seed, most)
    return _told("linear", rows, made, seed, folds, ROUNDS)


def _mixed(real: TableRows, fake: TableRows, seed: int, most: int) -> tuple[TableRows, Int[np.ndarray, " n"]]:
    """As many rows of either side, and which were made."""
    n = min(len(real), len(fake), most)
    if n < FEWEST or not real.names:
        raise Undefined(
            f"Not defined for {len(real)} real and {len(fake)} made rows of {len(real.names)} columns: at "
            f"least {FEWEST} rows and a column were expected. Compare more of them."
        )
    orders = [
        np.random.default_rng(derive(seed, "detector", side)).permutation(len(rows))[:n]
        for side, rows in (("real", real), ("made", fake))
    ]
    real, fake = alike(real.take(orders[0]), fake.take(orders[1]))
    return joined(real, fake), np.repeat(np.arange(2), n)


def _told(
    name: str, rows: TableRows, made: Int[np.ndarray, " n"], seed: int, folds: int, rounds: int
) -> Estimate:
    fold = folds_of(made, folds, derive(seed, "detector"))
    found = []
    for one in range(folds):
        learn, judge = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        says = fit_classes(name, rows.take(learn), made[learn], 2, derive(seed, name, one), rounds)
        found.append(auc_with_error(says(rows.take(judge))[:, 1], made[judge] == 1))
    value = sum(part.value for part in found) / folds
    return Estimate(value, sum(part.error**2 for part in found) ** 0.5 / folds)
