"""How good a classifier is, and whether differences between classifiers are more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..errors import DataError
from ..metrics.rows import Undefined

_BINS = 15


@dataclass(frozen=True)
class Interval:
    """A mean difference, where it may lie, and how often chance alone gives one as large.

    Attributes:
        mean: the difference found.
        low: lower end of the confidence interval.
        high: upper end.
        p: two-sided p-value of no difference.
        item_share: of the variance, what more items would lessen.
    """

    mean: float
    low: float
    high: float
    p: float
    item_share: float = 1.0

    @property
    def half(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def measures(
    probabilities: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], rare: int | None
) -> dict[str, float]:
    """What a classifier is judged by; the class of the highest probability is what it says.

    `balanced_accuracy` is the mean, over the classes that occur, of the share recognised. `macro_f1` is the
    mean of the classes' F1, over those that occur or are said. `brier` is the squared error of the
    probabilities, summed over the classes, 0 to 2. `calibration_error` is the mean gap between the
    probability of what is said and the share that is right, over 15 bins of equal width, weighted by their
    items; with few items it is above zero even for a perfect classifier. Of the rare class there are
    `pr_auc_rare`, its average precision, and `f1_rare`.

    Args:
        probabilities: a row per item, summing to one.
        labels: class numbers.
        rare: number of the class that is scarce, or None.

    Raises:
        DataError: if the probabilities are none, or do not belong to the labels, or the rare class is absent.

    References:
        Verification of forecasts expressed in terms of probability. Brier, 1950.
        https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
        On calibration of modern neural networks. Guo, Pleiss, Sun, Weinberger, 2017.
        https://arxiv.org/abs/1706.04599
    """
    p, labels = _checked(probabilities, labels, rare)
    said, k = p.argmax(1), p.shape[1]
    hits = np.bincount(labels[said == labels], minlength=k)
    real, claimed = np.bincount(labels, minlength=k), np.bincount(said, minlength=k)
    f1 = 2 * hits / np.maximum(real + claimed, 1)
    found = {
        "balanced_accuracy": (hits[real > 0] / real[real > 0]).mean(),
        "macro_f1": f1[real + claimed > 0].mean(),
        "brier": np.square(p - np.eye(k)[labels]).sum(1).mean(),
        "calibration_error": _calibration_error(p.max(1), said == labels),
    }
    if rare is not None:
        found |= {"pr_auc_rare": _average_precision(p[:, rare], labels == rare), "f1_rare": f1[rare]}
    return {name: float(value) for name, value in found.items()}


def _checked(
    probabilities: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], rare: int | None
) -> tuple[Float[np.ndarray, "n k"], Int[np.ndarray, " n"]]:
    p, labels = np.asarray(probabilities, np.float64), np.asarray(labels)
    fits = p.ndim == 2 and labels.shape == p.shape[:1] and len(p) > 0
    if not fits or labels.min() < 0 or labels.max() >= p.shape[1]:
        raise DataError(
            f"Found probabilities of shape {p.shape} for labels of shape {labels.shape}, expected a row per "
            "label and a column per class. Give both for the same items and classes."
        )
    if not np.allclose(p.sum(1), 1, atol=1e-3) or p.min() < 0:  # NaN fails the first, too
        raise DataError(
            "Found rows that are no probabilities, expected numbers from 0 that sum to one. "
            "The classifier may have diverged: look at what it was trained on."
        )
    if rare is not None and not (labels == rare).any():
        raise Undefined(
            f"Not defined: none of {len(labels)} items is of class {rare}, expected at least one. "
            "Split so that every class is on every side."
        )
    return p, labels


def _calibration_error(confidence: Float[np.ndarray, " n"], right: np.ndarray) -> float:
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _average_precision(scores: Float[np.ndarray, " n"], positive: np.ndarray) -> float:
    """Precision at each threshold, weighted by the recall gained there; equal scores share a threshold."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(positive[order])[last]
    precision = hits / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(hits, prepend=0)).sum() / positive.sum())


Differences = Sequence[Sequence[float]]
"""By split and, within it, by seed: how much better one way is than the other."""


def split_means(differences: Differences) -> Float[np.ndarray, " splits"]:
    """Mean over the seeds of each split: seeds of one split share its test items and are no repetitions.

    Raises:
        Undefined: if there are fewer than two splits.
    """
    if len(differences) < 2 or not all(len(seeds) for seeds in differences):
        raise Undefined(
            f"Not defined for {len(differences)} splits: an interval needs at least two, with a value in "
            "each. Repeat the experiment on more splits."
        )
    return np.array([np.mean(seeds) for seeds in differences])


def corrected_interval(differences: Differences, n_test: int, n_train: int, level: float = 0.95) -> Interval:
    """Confidence interval of a mean paired difference over splits of the same data.

    Training sets of different splits overlap, so that their differences vary too little. The corrected
    resampled t-test therefore takes for the variance of the mean `s^2 (1/k + n_test/n_train)` instead of
    `s^2 / k`, with k the number of splits and k - 1 degrees of freedom. Where all differences are zero, the
    interval is zero and p is 1. Where all are equal otherwise, as happens with few splits and items, they do
    not show how much they vary: s is then taken to be as large as the difference.

    Args:
        differences: by split and seed; seeds are averaged first.
        n_test: test items of a split.
        n_train: training items of a split.
        level: of confidence.

    Raises:
        Undefined: if there are fewer than two splits.

    References:
        Inference for the generalization error. Nadeau, Bengio, 2003. https://doi.org/10.1023/A:1024068626366
    """
    means = split_means(differences)
    mean, k = float(means.mean()), len(means)
    error = _spread(means) * math.sqrt(1 / k + n_test / n_train)
    return _student(mean, error, k - 1, level)


def _spread(values: Float[np.ndarray, " n"]) -> float:
    """Standard deviation; of values that are all equal, how far they are from zero."""
    spread = float(values.std(ddof=1))
    return spread if spread > 1e-9 else abs(float(values.mean()))  # less is rounding


def _student(mean: float, error: float, freedom: float, level: float, item_share: float = 1.0) -> Interval:
    from scipy.special import stdtr, stdtrit

    if error < 1e-12:
        return Interval(0.0, 0.0, 0.0, 1.0)
    half = float(stdtrit(freedom, (1 + level) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(mean) / error))
    return Interval(mean, mean - half, mean + half, p, item_share)


def shared_interval(
    differences: Differences,
    items: Float[np.ndarray, " n"],
    classes: Int[np.ndarray, " n"],
    level: float = 0.95,
) -> Interval:
    """Confidence interval of a mean difference of balanced accuracy over splits that share their test items.

    The splits then show how much training varies, but not how much other test items would change the answer:
    they all share the luck of these. The variance of the mean is therefore a sum, `s^2 / k` of the k splits
    and `sum_c s_c^2 / (n_c K^2)` of the items, with `s_c` the standard deviation of the differences of the
    `n_c` items of class c, and K classes. Its degrees of freedom are those of Welch and Satterthwaite. In a
    class whose items all differ by the same, other than zero, `s_c` is taken to be as large as that. The
    answer is about other test items, but about training sets drawn from these training items.

    Args:
        differences: by split and seed; seeds are averaged first.
        items: of each test item, how much more often one way was right than the other, over splits and seeds.
        classes: of the test items, at least two of each.
        level: of confidence.

    Raises:
        Undefined: if there are fewer than two splits, or two items of a class.

    References:
        An approximate distribution of estimates of variance components. Satterthwaite, 1946.
        https://doi.org/10.2307/3002019
    """
    means = split_means(differences)
    variances, counts = _item_variances(items, classes)
    parts = np.array([means.var(ddof=1) / len(means), *variances])
    whole = float(parts.sum())
    if whole < 1e-24:
        return Interval(0.0, 0.0, 0.0, 1.0)
    freedom = whole**2 / float((parts**2 / np.array([len(means) - 1, *(counts - 1)])).sum())
    share = float(variances.sum()) / whole
    return _student(float(means.mean()), math.sqrt(whole), freedom, level, share)


def _item_variances(
    items: Float[np.ndarray, " n"], classes: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """What each class's items add to the variance of balanced accuracy, and how many they are."""
    found, counts = np.unique(classes, return_counts=True)
    if counts.min() < 2:
        raise Undefined(
            f"Not defined: class {found[counts.argmin()]} has one test item, expected at least two of each "
            "class. Add test items."
        )
    spreads = np.array([_spread(items[classes == c]) for c in found])
    return spreads**2 / counts / len(found) ** 2, counts


def bootstrap_interval(
    differences: Differences, seed: int, draws: int = 10_000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean difference: splits are drawn with replacement, then seeds within them.

    It assumes no normal distribution, but does not know that the splits' training sets overlap, and with few
    splits it is too narrow; where splits share their test items it leaves these as they are, and is narrower
    still. It stands beside the other interval and decides nothing.

    Raises:
        Undefined: if there are fewer than two splits.

    References:
        Bootstrap methods: another look at the jackknife. Efron, 1979. https://doi.org/10.1214/aos/1176344552
    """
    k, draw = len(split_means(differences)), np.random.default_rng(seed)
    lengths = np.array([len(seeds) for seeds in differences])
    padded = np.zeros((k, lengths.max()))
    for row, seeds in zip(padded, differences, strict=True):
        row[: len(seeds)] = seeds
    splits = draw.integers(k, size=(draws, k))
    within = draw.random((draws, k, lengths.max()))
    seeds = (within * lengths[splits][..., None]).astype(int)
    counted = np.arange(lengths.max()) < lengths[splits][..., None]
    drawn = padded[splits[..., None], seeds] * counted
    means = (drawn.sum(2) / lengths[splits]).mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being many: below 0.05 with at most 5 % risk of even one false alarm.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]

    References:
        A simple sequentially rejective multiple test procedure. Holm, 1979.
        https://www.jstor.org/stable/4615733
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted.tolist()


def sign_flip(
    differences: Float[np.ndarray, " splits"], draws: int, seed: int
) -> Float[np.ndarray, "draws splits"]:
    """Differences as they might have been if there were no effect: each split's sign is drawn anew.

    Args:
        differences: of each split, seeds averaged.
        draws: how many nulls.
        seed: of the signs.

    References:
        The design of experiments. Fisher, 1935; chapter III.
    """
    draw = np.random.default_rng(seed)
    return np.asarray(differences) * draw.choice([-1.0, 1.0], size=(draws, len(differences)))


def false_alarms(
    differences: Float[np.ndarray, " splits"], shares: tuple[int, int], draws: int, seed: int
) -> float:
    """Share of sign-flipped nulls that would be called a help; 0.025 is what the interval promises.

    Args:
        differences: of each split, seeds averaged.
        shares: test items and training items of a split.
        draws: how many nulls.
        seed: of the signs.
    """
    nulls = sign_flip(differences, draws, seed)
    return float(np.mean([corrected_interval(null[:, None].tolist(), *shares).low > 0 for null in nulls]))


def signed(value: float) -> str:
    """A difference in points, with its sign.

    Example:
        >>> signed(0.0042), signed(-0.00001)
        ('+0.4', '+0.0')
    """
    return f"{round(100 * value, 1) + 0.0:+.1f}"
