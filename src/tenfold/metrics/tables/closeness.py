"""Copy checks: how near rows lie to the training rows. They find copies; they are no proof of privacy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt64
from torch import Tensor

from ...draw import derive
from ..memory import CopyTest, c_t
from ..neighbours import blocks
from ..rows import comparable
from .design import TableRows, alike, design

MOST_ROWS = 5000
MOST_TRAIN = 20_000
"""Training rows among which the nearest ones are sought; of more a sample, the same for whoever is judged."""


@dataclass(frozen=True)
class Closeness:
    """How near rows lie to the training rows. It means something only beside that of held-out real rows.

    Distances are Gower's for squares: a category that differs, or a number by the reach of its column, is 1.

    Attributes:
        median: of the distances to the closest record.
        fifth: the distance below which one in twenty lies; copies show here first.
        ratio: median of the distances to the nearest and to the second nearest training row, one divided by
            the other: near 0 where rows belong to a single training row, 1 where they are equally near to
            two.
    """

    median: float
    fifth: float
    ratio: float


def closeness(
    train: TableRows, rows: TableRows, seed: int = 0, most: int = MOST_ROWS, most_train: int = MOST_TRAIN
) -> Closeness:
    """Distances of rows to their closest records among the training rows.

    Call it for made rows and for held-out real ones: of the same training rows the two can be compared,
    whatever the number of either. It takes the memory of 512 rows' distances at a time.

    Args:
        train: what was learnt from.
        rows: made rows, or held-out real ones.
        seed: decides which rows, if there are too many.
        most: rows that are looked at.
        most_train: training rows that are.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than two rows on a side.
    """
    train, rows = alike(train, rows)
    train = sample(train, most_train, seed, "closest, training")
    near = _nearest(train, sample(rows, most, seed, "closest"), 2).numpy()
    # Equally near to both, 0 / 0, is near to no single one.
    ratio = np.divide(near[:, 0], near[:, 1], out=np.ones(len(near)), where=near[:, 1] > 0)
    return Closeness(
        median=float(np.median(near[:, 0])),
        fifth=float(np.quantile(near[:, 0], 0.05)),
        ratio=float(np.median(ratio)),
    )


def closer(train: TableRows, rows: TableRows, seed: int = 0, most: int = MOST_ROWS) -> tuple[float, float]:
    """How often a made row is nearer to the training rows than one of these is to the others, ties half.

    Of fresh real rows it is .5, of copies 1. It needs no hold-out, which is small where copying matters most.

    Args:
        train: what was learnt from.
        rows: made ones.
        seed: decides which rows, if there are too many.
        most: rows of either side that are looked at.

    Returns:
        The share, and its standard error if rows were fresh.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than two rows on a side.
    """
    train, rows = alike(train, rows)
    train, rows = sample(train, most, seed, "closer, training"), sample(rows, most, seed, "closer")
    own = _nearest(train, train, 2).numpy()[:, 1]  # the nearest is the row itself
    made = _nearest(train, rows, 1).numpy()[:, 0]
    below, upto = (np.searchsorted(np.sort(made), own, side=side).mean() for side in ("left", "right"))
    n, m = len(made), len(own)
    return float((below + upto) / (2 * n)), float(np.sqrt((n + m + 1) / (12 * n * m)))


def _nearest(train: TableRows, rows: TableRows, count: int) -> Float[Tensor, "n k"]:
    view = design(train)
    known, asked = comparable(
        torch.from_numpy(view.distances(train)),
        torch.from_numpy(view.distances(rows)),
        least=count,
        names=("training rows", "rows"),
    )
    return torch.cat([found.topk(count, largest=False).values for _, found in blocks(asked, known)])


def copy_test(
    train: TableRows,
    holdout: TableRows,
    fake: TableRows,
    seed: int = 0,
    most: int = MOST_ROWS,
    most_train: int = MOST_TRAIN,
    cells: int | None = None,
) -> CopyTest:
    """The data-copying test C_T by the same distances; see `tenfold.metrics.memory.c_t`.

    Args:
        train: what was learnt from.
        holdout: real rows that nothing was learnt from.
        fake: made ones.
        seed: decides which rows, if there are too many.
        most: rows of either side that are looked at.
        most_train: training rows among which nearest ones are sought.
        cells: regions that are tested on their own; 1 for none, by default as many as there are rows for.

    Raises:
        DataError: if the columns differ.
        Undefined: if there are fewer than ten rows of a kind.
    """
    train, holdout, fake = alike(train, holdout, fake)
    train = sample(train, most_train, seed, "closest, training")
    view = design(train)
    sides = (train, sample(holdout, most, seed, "held out"), sample(fake, most, seed, "closest"))
    real, held, made = (torch.from_numpy(view.distances(side)) for side in sides)
    return c_t(real, held, made, cells)


def exact_copies(train: TableRows, rows: TableRows) -> float:
    """Share of rows that are a training row, value by value, rounded to as many decimals; 0 for no rows.

    In a table of few categories fresh real rows are "copies", too: show their share beside it.

    Raises:
        DataError: if the columns differ.
    """
    return float(copied(train, rows).mean()) if len(rows) else 0.0


def copied(train: TableRows, rows: TableRows) -> Bool[np.ndarray, " n"]:
    """Which rows are exact copies of training rows.

    Raises:
        DataError: if the columns differ.
    """
    train, rows = alike(train, rows)
    return np.isin(_keys(rows.values), _keys(train.values))


def _keys(values: Float[np.ndarray, "n c"]) -> UInt64[np.ndarray, " n"]:
    """A number for each row: the same for equal rows, and for different ones but once in 10^19 pairs.

    So numbers are sorted where otherwise whole rows would have to be.
    """
    whole = np.where(np.isnan(values), np.nan, values + 0.0)  # one kind of NaN, one kind of zero
    bits = np.ascontiguousarray(whole).view(np.uint64)
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(33)
    weights = np.random.default_rng(0).integers(0, 2**64 - 1, bits.shape[1], np.uint64) | np.uint64(1)
    return (bits * weights).sum(axis=1, dtype=np.uint64)


def sample(rows: TableRows, most: int, seed: int, purpose: str) -> TableRows:
    """All rows, or as many of them if there are more."""
    if len(rows) <= most:
        return rows
    return rows.take(np.random.default_rng(derive(seed, purpose)).permutation(len(rows))[:most])
