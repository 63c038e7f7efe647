"""The kernel distance: how far the generated distribution is from the real one, without bias."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from ..errors import DataError
from .rows import Undefined, comparable

_CHUNK = 1024


@dataclass(frozen=True)
class Estimate:
    """A measured number and its standard error."""

    value: float
    error: float


def kernel_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"]) -> Estimate:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, over all pairs of rows.

    Unbiased: zero on average where both sets come from one distribution, hence negative half of the time.
    Every pair of rows counts; 2,000 rows on each side take a fraction of a second.

    The error is the delete-one jackknife over the rows of both sets: how much the value would vary with
    fresh samples on both sides. It is not too small on average (Efron and Stein): right where the
    distributions clearly differ, up to sqrt(2) too wide where they agree. The spread over random subsets,
    often given instead, depends on the subsets' size and is not a standard error.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than three on a side.

    References:
        Demystifying MMD GANs. Binkowski, Sutherland, Arbel, Gretton, 2018. https://arxiv.org/abs/1801.01401
        The jackknife estimate of variance. Efron, Stein, 1981. https://doi.org/10.1214/aos/1176345462
    """
    real, fake = comparable(real, fake, least=3)
    n, m = len(real), len(fake)
    within_real, within_fake = _within(real), _within(fake)
    across_real, across_fake = _kernel_sums(real, fake)
    value = within_real.sum() / (n * (n - 1)) + within_fake.sum() / (m * (m - 1)) - 2 * across_real.mean() / m
    variance = _jackknife(within_real, across_real / m) + _jackknife(within_fake, across_fake / n)
    return Estimate(value.item(), variance.sqrt().item())


def _within(x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """For each row, the sum of its kernel values with the other rows of its set."""
    itself = (x.square().sum(1) / x.shape[1] + 1).pow(3)
    return _kernel_sums(x, x)[0] - itself


def _kernel_sums(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
    """Row and column sums of the kernel matrix."""
    rows, columns = [], torch.zeros(len(b), dtype=b.dtype, device=b.device)
    for part in a.split(_CHUNK):
        kernel = (part @ b.T).div_(a.shape[1]).add_(1).pow_(3)
        rows.append(kernel.sum(1))
        columns += kernel.sum(0)
    return torch.cat(rows), columns


def kernel_gain(
    real: Float[Tensor, "n d"], before: Float[Tensor, "m d"], after: Float[Tensor, "m d"]
) -> Estimate:
    """How much nearer the real set one generated set is than another; positive if `after` is.

    Row i of both generated sets comes from the same noise. So the error, a jackknife over real rows and over
    pairs of generated ones, is that of the difference: what the two have in common cancels.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than three on a side.
    """
    real, before = comparable(real, before, least=3)
    _, after = comparable(real, after, least=3)
    sums = [(_within(x), *_kernel_sums(real, x)) for x in (before, after)]
    n, m = len(real), len(after)
    first, second = (w.sum() / (m * (m - 1)) - 2 * of_real.mean() / m for w, of_real, _ in sums)
    rows = [_left_out(w, of_fake / n) for w, _, of_fake in sums]
    reals = [-2 * (of_real.sum() - of_real) / (m * (n - 1)) for _, of_real, _ in sums]
    variance = sum((len(x) - 1) * (x - y).var(correction=0) for x, y in (rows, reals))
    return Estimate((first - second).item(), torch.as_tensor(variance).sqrt().item())


def _jackknife(within: Float[Tensor, " n"], across: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Variance due to one set, from the values that the distance takes when each of its rows is left out."""
    return (len(within) - 1) * _left_out(within, across).var(correction=0)


def _left_out(within: Float[Tensor, " n"], across: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """What a set contributes to the distance when each of its rows is left out.

    Args:
        within: of each row, the sum of its kernel values in its own set.
        across: of each row, the mean of its kernel values with the other set.
    """
    n = len(within)
    return (within.sum() - 2 * within) / ((n - 1) * (n - 2)) - 2 * (across.sum() - across) / (n - 1)


def kernel_distance_by_class(
    real: Float[Tensor, "n d"],
    real_labels: Int[Tensor, " n"],
    fake: Float[Tensor, "m d"],
    fake_labels: Int[Tensor, " m"],
) -> Estimate:
    """The kernel distance of sets whose numbers per class were chosen, not drawn; unbiased for these.

    Where samples are asked for by the labels of the real ones, two rows of one set are less often of one
    class than rows of different sets, and `kernel_distance` reads low. Here mean kernel values are taken by
    pairs of classes, within a class over different rows, and weighted by the real set's shares on both
    sides. With one class it is `kernel_distance`. Generated samples of classes without a real one have no
    weight. The error is the jackknife of a stratified sample: a row is left out at a time, the shares stay.

    Args:
        real: one set.
        real_labels: its classes, counted from zero.
        fake: the other.
        fake_labels: the classes that were asked for.

    Raises:
        DataError: if rows and labels do not match, or rows hold NaN or infinite numbers.
        Undefined: if a class of the real set has fewer than three rows on a side. To leave it out would
            answer another question; leave it out of both sets where that one is meant.
    """
    real, fake = comparable(real, fake, least=3)
    real_classes, fake_classes = _classes(real, real_labels, fake, fake_labels)
    share = real_classes.mean(0)
    first = _part_by_class(real, real_classes, fake, fake_classes, share)
    second = _part_by_class(fake, fake_classes, real, real_classes, share)
    return Estimate((first[0] + second[0]).item(), (first[1] + second[1]).sqrt().item())


def _part_by_class(
    x: Float[Tensor, "n d"],
    own: Float[Tensor, "n c"],
    y: Float[Tensor, "m d"],
    other: Float[Tensor, "m c"],
    share: Float[Tensor, " c"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """One set's part of the distance and its variance; `own` and `other` are one-hot classes."""
    itself = (x.square().sum(1) / x.shape[1] + 1).pow(3)
    within = _sums_by_class(x, x, own) - own * itself[:, None]
    across = _sums_by_class(x, y, other) / other.sum(0)
    value, left_out = _strata(within, across, own, share)
    count = own.sum(0)
    spread = left_out - own @ (own.T @ left_out / count)
    return value, (own.T @ spread.square() * (count - 1) / count).sum()


def _strata(
    within: Float[Tensor, "n c"],
    across: Float[Tensor, "n c"],
    own: Float[Tensor, "n c"],
    share: Float[Tensor, " c"],
) -> tuple[Float[Tensor, ""], Float[Tensor, " n"]]:
    """One set's part of the distance, and what of it depends on each row when that is left out.

    Args:
        within: of each row, the sums of its kernel values with the other rows of its set, by class.
        across: of each row, the means of its kernel values with the other set, by class.
        own: one-hot classes of the rows.
        share: weights of the classes.
    """
    count = own.sum(0)
    sums, mine = own.T @ within, own @ (share / (count - 1))
    pairs = torch.outer(count, count) - count.diag()
    value = (share[:, None] * share * sums / pairs).sum() - (
        share @ (own.T @ across / count[:, None]) @ share
    )
    # Left out, a row takes its kernel values with its own class away twice, those with the others once.
    same = (own * within).sum(1)
    inner = (own @ sums.diag() - 2 * same) * mine * (own @ (share / (count - 2)))
    other = ((own @ sums - within) * (1 - own)) @ (share / count) * mine
    cross = ((own @ (own.T @ across)) - across) @ share * mine
    return value, inner + 2 * other - 2 * cross


def _sums_by_class(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], classes: Float[Tensor, "m c"]
) -> Float[Tensor, "n c"]:
    """For each row of `a`, the sums of its kernel values with the rows of `b`, by the class of the latter."""
    return torch.cat([(part @ b.T).div_(a.shape[1]).add_(1).pow_(3) @ classes for part in a.split(_CHUNK)])


def _classes(
    real: Float[Tensor, "n d"], real_labels: Tensor, fake: Float[Tensor, "m d"], fake_labels: Tensor
) -> tuple[Float[Tensor, "n c"], Float[Tensor, "m c"]]:
    """One-hot classes of both sets, for the classes that the real set has."""
    for rows, labels in ((real, real_labels), (fake, fake_labels)):
        if labels.shape != rows.shape[:1] or int(labels.min()) < 0:
            raise DataError(
                f"Found labels of shape {tuple(labels.shape)} for {len(rows)} samples, the smallest "
                f"{labels.min() if len(labels) else None}, expected one class number from 0 per sample. "
                "Give each sample its class."
            )
    top = int(max(real_labels.max(), fake_labels.max())) + 1
    classes = [one_hot(x.long(), top).double() for x in (real_labels, fake_labels)]
    here = classes[0].any(0)
    least, place = torch.stack([x.sum(0) for x in classes]).min(0).values[here].min(0)
    if least < 3:
        raise Undefined(
            f"Not defined for n = {int(least)} in class {here.nonzero().flatten()[place]}: at least 3 real "
            "and 3 generated samples of each class were expected. Compare more, or leave the class out."
        )
    return classes[0][:, here].to(real.device), classes[1][:, here].to(real.device)
