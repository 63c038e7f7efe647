"""Whether it can be told from made rows which real ones were learnt from.

The word privacy is used only where this was measured. Even then a value of 0.5 shows only that this attack
finds nothing on average: not that a stronger one would not, by one who knows the generator or other real
rows, nor that no single row, an outlier above all, is given away, nor that values of a person cannot be
guessed from those of others alike. Such a promise needs a generator that was trained with differential
privacy.

References:
    Membership inference attacks against synthetic data through overfitting detection.
    van Breugel, Sun, Qian, van der Schaar, 2023. https://arxiv.org/abs/2302.12580
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from ...draw import derive
from ..neighbours import nearest
from ..rows import Undefined
from .areas import roc, roc_auc
from .closeness import sample
from .design import TableRows, alike, design

MOST_ROWS = 5000
FEWEST = 20
FEWEST_FOR_FEW = 100  # rows that are no members: of fewer none is 1 %
_DRAWS = 200


@dataclass(frozen=True)
class Interval:
    """A measured number and where it lies in 95 of 100 cases."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Membership:
    """How well an attacker does who guesses from made rows which real ones were learnt from.

    Attributes:
        auc: how often a training row looks more like one than a held-out row does; 0.5 by chance.
        advantage: true less false positive rate at the threshold that is best for him. As the best of many
            it is above 0 by chance, too.
        caught: true positive rate where he errs on 1 % of the others; None with fewer than 100 of them.
        p: how probable so large an AUC is if nothing can be told.
        members: training rows that were tried.
        others: held-out rows that were.
    """

    auc: Interval
    advantage: Interval
    caught: float | None
    p: float
    members: int
    others: int


def membership(
    train: TableRows, holdout: TableRows, fake: TableRows, seed: int = 0, most: int = MOST_ROWS
) -> Membership:
    """An attack on membership: a real row is taken for a training row if a made one lies close to it.

    Args:
        train: what the generator learnt from.
        holdout: real rows that it did not, of the same kind.
        fake: made rows.
        seed: decides which rows if there are too many, and the draws of the intervals.
        most: rows of each kind that are looked at.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than twenty rows of a kind.
    """
    if min(len(train), len(holdout), len(fake)) < FEWEST:
        raise Undefined(
            f"Not defined for {len(train)} training, {len(holdout)} held-out and {len(fake)} made rows: at "
            f"least {FEWEST} of each were expected. Hold out more."
        )
    sides = alike(train, holdout, fake)
    purposes = ("members", "no members", "made")
    train, holdout, fake = (
        sample(rows, most, seed, purpose) for rows, purpose in zip(sides, purposes, strict=True)
    )
    scores = np.concatenate([_closeness(fake, train), _closeness(fake, holdout)])
    member = np.arange(len(scores)) < len(train)
    false, true = roc(scores, member)
    auc, advantage = roc_auc(scores, member), float((true - false).max())
    around = _bootstrap(scores, member, derive(seed, "membership"))
    return Membership(
        auc=Interval(auc, *around[0]),
        advantage=Interval(advantage, *around[1]),
        caught=float(true[false <= 0.01].max()) if len(holdout) >= FEWEST_FOR_FEW else None,
        p=_by_chance(auc, len(train), len(holdout)),
        members=len(train),
        others=len(holdout),
    )


def _closeness(fake: TableRows, rows: TableRows) -> Float[np.ndarray, " n"]:
    """How close made rows come to each row; falls with the distance, hence rises with their density.

    The nearest one stands for how dense made rows are there: of more neighbours, others would hide a copy.
    The attacker sees nothing but made rows and the row he asks about.
    """
    view = design(fake)  # the attacker knows no others
    made, asked = (torch.from_numpy(view.distances(side)) for side in (fake, rows))
    return -nearest(asked, made).distance.numpy()


def _by_chance(auc: float, n: int, m: int) -> float:
    """By the normal distribution of the AUC where all are alike; it is too large where distances are tied."""
    error = math.sqrt((n + m + 1) / (12 * n * m))
    return math.erfc((auc - 0.5) / error / 2**0.5) / 2


def _bootstrap(
    scores: Float[np.ndarray, " n"], member: Bool[np.ndarray, " n"], seed: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where AUC and advantage lie in 95 of 100 draws of the rows, each drawn a Poisson number of times."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) != 0))  # of rows with one score
    drawn = np.random.default_rng(seed).poisson(1.0, (_DRAWS, len(scores)))
    hits = _shares(drawn * member[order], starts)
    false = _shares(drawn * ~member[order], starts)
    above = false.cumsum(axis=1)
    auc = (hits * (1 - above + false / 2)).sum(axis=1)
    advantage = (hits.cumsum(axis=1) - above).max(axis=1).clip(0)
    return _middle(auc), _middle(advantage)


def _shares(drawn: Int[np.ndarray, "r n"], starts: Int[np.ndarray, " t"]) -> Float[np.ndarray, "r t"]:
    """Of each draw, what share of its rows has each score."""
    return np.add.reduceat(drawn, starts, axis=1) / np.maximum(drawn.sum(axis=1, keepdims=True), 1)


def _middle(values: Float[np.ndarray, " r"]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
