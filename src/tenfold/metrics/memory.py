"""Whether samples are copies of the training data: nearer to it than fresh real samples are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from ..draw import derive
from .frechet import frechet_distance
from .neighbours import blocks, nearest, nearest_other
from .rows import Undefined, comparable

_LEAST = 10
_MOST_CELLS = 10
_MOST_DRAWN, _DRAWS = 1000, 4000  # real samples that are drawn from to see what chance gives; how often
_TIED = 1e-9  # of a distance: two that differ by less are equal but for rounding


@dataclass(frozen=True)
class Cell:
    """The test in one region of the training data: z, and how many samples of either kind lie there."""

    z: float
    holdout: int
    fake: int


@dataclass(frozen=True)
class CopyTest:
    """Are generated samples nearer to the training data than held-out real ones?

    Attributes:
        z: standard normal if they are as near; far below zero if they are nearer, hence copies; far above
            zero if they are merely far off. Beyond -3 it is rarely chance.
        share: pairs of a generated and a held-out sample in which the generated one is the nearer to
            training data, 0.5 if none copies; unlike z it does not grow with n.
        by_cell: mean of the cells' z, weighted by their hold-out samples; None with fewer than two cells. It
            varies less than one z does: by 1/sqrt(cells) for cells of equal size.
        cells: those with enough samples. Copies in one of them show here even where poor samples in
            another outweigh them in `z`.
    """

    z: float
    share: float
    by_cell: float | None
    cells: tuple[Cell, ...]


def c_t(
    train: Float[Tensor, "n d"],
    holdout: Float[Tensor, "m d"],
    fake: Float[Tensor, "k d"],
    cells: int | None = None,
) -> CopyTest:
    """The data-copying test C_T, over everything and in cells of the training data found by k-means.

    It is the Mann-Whitney statistic, as a z-score, of the generated samples' distances to their nearest
    training sample against those of the held-out ones. Equal distances share their ranks. Cells with fewer
    than ten of either are left out. Nearest neighbours are sought in all training data.

    Args:
        train: what the generator was trained on.
        holdout: real samples it has not seen.
        fake: generated ones.
        cells: regions of the training data; by default one for every 20 on the smaller side, at most 10.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than ten of a kind.

    References:
        A non-parametric test to detect data-copying in generative models.
        Meehan, Chaudhuri, Dasgupta, 2020. https://arxiv.org/abs/2004.05675
    """
    train, holdout = comparable(train, holdout, _LEAST, ("training samples", "held-out samples"))
    train, fake = comparable(train, fake, _LEAST, ("training samples", "generated samples"))
    of_holdout, of_fake = nearest(holdout, train).distance, nearest(fake, train).distance
    z, share = _mann_whitney(of_holdout, of_fake)
    wanted = cells or min(_MOST_CELLS, min(len(holdout), len(fake)) // (2 * _LEAST))
    found = []
    for in_holdout, in_fake in _cells(train, holdout, fake, min(wanted, len(train))):
        ours, theirs = of_holdout[in_holdout], of_fake[in_fake]
        if min(len(ours), len(theirs)) >= _LEAST:
            found.append(Cell(_mann_whitney(ours, theirs)[0], len(ours), len(theirs)))
    weight = sum(cell.holdout for cell in found)
    mean = sum(cell.z * cell.holdout for cell in found) / weight if len(found) > 1 else None
    return CopyTest(z, share, mean, tuple(found))


def _cells(
    train: Float[Tensor, "n d"], holdout: Float[Tensor, "m d"], fake: Float[Tensor, "k d"], count: int
) -> list[tuple[Bool[Tensor, " m"], Bool[Tensor, " k"]]]:
    """For each region of the training data, which rows of the others lie in it; none if there is one."""
    if count < 2:
        return []
    from sklearn.cluster import KMeans

    # Single precision: a region need not be exact, and it halves the time.
    means = KMeans(count, n_init="auto", random_state=0).fit(train.float().cpu().numpy())
    centres = torch.from_numpy(means.cluster_centers_).to(train)
    of_holdout, of_fake = nearest(holdout, centres).index, nearest(fake, centres).index
    return [(of_holdout == cell, of_fake == cell) for cell in range(count)]


def _mann_whitney(ours: Float[Tensor, " n"], theirs: Float[Tensor, " m"]) -> tuple[float, float]:
    """The z-score of how much larger their numbers are, and the share of pairs where they are the smaller."""
    n, m = len(ours), len(theirs)
    _, place, ties = torch.unique(torch.cat([ours, theirs]), return_inverse=True, return_counts=True)
    ties = ties.double()
    rank = (ties.cumsum(0) - (ties - 1) / 2)[place]
    larger = rank[n:].sum().item() - m * (m + 1) / 2
    total = n + m
    tied = (ties.pow(3) - ties).sum().item() / (total * (total - 1))
    variance = n * m / 12 * (total + 1 - tied)
    # Where all distances are equal neither set is the nearer.
    z = (larger - n * m / 2) / math.sqrt(variance) if variance > 0 else 0.0
    return z, 1 - larger / (n * m)


def authenticity(train: Float[Tensor, "n d"], fake: Float[Tensor, "m d"]) -> float:
    """Share of generated samples farther from the nearest training sample than that is from its own nearest.

    Exact copies never count, even those of duplicates. Fresh real samples get about 0.5 to 0.7, not 1: only
    the difference to their value means anything.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than two on a side.

    References:
        How faithful is your synthetic data? Sample-level metrics for evaluating and auditing generative
        models. Alaa, van Breugel, Saveliev, van der Schaar, 2022. https://arxiv.org/abs/2102.08921
    """
    train, fake = comparable(train, fake, 2, ("training samples", "generated samples"))
    found, own = nearest(fake, train), nearest_other(train).distance
    return (found.distance > own[found.index]).double().mean().item()


def frechet_gap(
    train: Float[Tensor, "n d"], holdout: Float[Tensor, "m d"], fake: Float[Tensor, "k d"], seed: int
) -> float:
    """Frechet distance to the hold-out less that to as many training samples; positive if nearer to training.

    About zero for fresh samples: both distances have the same bias, being taken at the same n.

    Args:
        train: what the generator was trained on.
        holdout: real samples it has not seen.
        fake: generated ones.
        seed: decides which training samples, or which held-out ones if there are more of those.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than two of a kind.
    """
    generator = Generator().manual_seed(derive(seed, "frechet gap"))
    count = min(len(train), len(holdout))
    seen, fresh = (
        x[torch.randperm(len(x), generator=generator)[:count].to(x.device)] for x in (train, holdout)
    )
    return frechet_distance(fresh, fake) - frechet_distance(seen, fake)


@dataclass(frozen=True)
class Learnt:
    """How much was learnt by heart.

    Attributes:
        value: share of the samples.
        error: standard error of it.
        p: how probable as much is if it does not matter which real samples were learnt from.
    """

    value: float
    error: float
    p: float


def memorised(
    train: Float[Tensor, "n d"], holdout: Float[Tensor, "m d"], fake: Float[Tensor, "k d"]
) -> Learnt:
    """Share of generated samples whose nearest real sample is a training one because it was learnt from.

    If it does not matter which real samples were learnt from, the nearest one is among n training and m
    held-out samples with probability n / (n + m); what goes beyond is put down to learning. Copies of the
    given training samples get 1, noisy ones nearly as much, blurred ones less where the features mind blur;
    fresh samples get 0 on average. Real samples that are equally near share. The error, and p, are those of
    drawing the n from all real samples at random, whatever the features: the test needs no sample to be a
    good one. It does need training and held-out samples of one distribution, and says nothing of training
    samples that are not given.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than ten of a kind, or fewer than ten real samples to which generated
            ones are nearest.

    Example:
        >>> train, holdout = torch.randn(40, 3), torch.randn(20, 3)
        >>> round(memorised(train, holdout, train + 0.01).value, 6)
        1.0
    """
    train, holdout = comparable(train, holdout, _LEAST, ("training samples", "held-out samples"))
    train, fake = comparable(train, fake, _LEAST, ("training samples", "generated samples"))
    real, n = torch.cat([train, holdout]), len(train)
    each = torch.zeros(len(real), dtype=torch.double, device=real.device)  # share of samples nearest to it
    for _, distance in blocks(fake, real):
        near = (distance <= distance.amin(1, keepdim=True) * (1 + _TIED)).double()
        each += (near / near.sum(1, keepdim=True)).sum(0) / len(fake)
    different = 1 / each.square().sum().item()
    if different < _LEAST:
        raise Undefined(
            f"not defined for samples that are nearest to only about {different:.1f} different real ones: at "
            f"least {_LEAST} were expected"
        )
    chance = n / len(real)
    spread = (n * (1 - chance) * each.var()).sqrt().item()  # of a sum of n that are drawn from all
    value, error = (each[:n].sum().item() - chance) / (1 - chance), spread / (1 - chance)
    return Learnt(value, error, _by_chance(each.cpu(), len(holdout), value / error if error else 0.0))


def _by_chance(each: Float[Tensor, " n"], held: int, z: float) -> float:
    """How often so many real samples drawn at random are nearest to as few as the last ones are."""
    if len(each) > _MOST_DRAWN:
        return math.erfc(z / 2**0.5) / 2  # a sum of so many is as good as normal
    generator, found = Generator().manual_seed(derive(0, "memorised")), 1
    few = each[-held:].sum() + _TIED
    for _ in range(_DRAWS // 1000):
        keys = torch.rand(1000, len(each), generator=generator)
        chosen = keys.topk(held, 1, sorted=False).indices
        found += int((each[chosen].sum(1) <= few).sum())
    return found / (_DRAWS + 1)


@dataclass(frozen=True, eq=False)
class Copies:
    """The generated samples that look most like copies, the worst first, with their nearest real ones.

    Attributes:
        fake: numbers of the generated samples.
        train: of the training sample nearest to each.
        holdout: of the held-out sample nearest to each.
        train_distance: to that training sample.
        holdout_distance: to that held-out sample.
        ratio: of the two distances; 0 for a copy, about 1 for a fresh sample if there are as many of both.
    """

    fake: Int[Tensor, " k"]
    train: Int[Tensor, " k"]
    holdout: Int[Tensor, " k"]
    train_distance: Float[Tensor, " k"]
    holdout_distance: Float[Tensor, " k"]
    ratio: Float[Tensor, " k"]


def nearest_copies(
    train: Float[Tensor, "n d"], holdout: Float[Tensor, "m d"], fake: Float[Tensor, "k d"], count: int = 20
) -> Copies:
    """The generated samples nearest to a training sample, measured by how near a held-out one is.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if a set is empty.
    """
    train, holdout = comparable(train, holdout, 1, ("training samples", "held-out samples"))
    train, fake = comparable(train, fake, 1, ("training samples", "generated samples"))
    near, far = nearest(fake, train), nearest(fake, holdout)
    # A copy of a sample that is in both sets, 0 / 0, says nothing.
    ratio = (near.distance / far.distance).nan_to_num(nan=1.0, posinf=torch.inf)
    worst = ratio.argsort(stable=True)[:count]
    return Copies(
        fake=worst,
        train=near.index[worst],
        holdout=far.index[worst],
        train_distance=near.distance[worst],
        holdout_distance=far.distance[worst],
        ratio=ratio[worst],
    )
