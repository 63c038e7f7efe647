"""How series differ from others: in rhythm, in how channels go together, in length.

A set of series is a sequence of arrays, each `(length, channels)`; lengths may differ. What gives a set of
categories its numbers does not matter here: their rhythm is that of the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

LAGS = 16  # steps that are looked back, where series are long enough
FLOOR = 1e-6  # of the mean power: below that a frequency is silent

SeriesSet = Sequence[np.ndarray]
"""Arrays `(length, channels)`."""


@dataclass(frozen=True, eq=False)
class Padded:
    """Series as one array.

    Attributes:
        values: `(n, longest, channels)`, 0 beyond the end.
        lengths: steps of each.
    """

    values: Float[np.ndarray, "n longest channels"]
    lengths: Int[np.ndarray, " n"]

    @property
    def there(self) -> Bool[np.ndarray, "n longest"]:
        """Which steps there are."""
        return np.arange(self.values.shape[1]) < self.lengths[:, None]


def padded(series: SeriesSet, longest: int = 0) -> Padded:
    """Series as one array.

    Args:
        series: at least one.
        longest: steps that there shall be room for, at least.
    """
    lengths = np.array([len(x) for x in series], np.int64)
    values = np.zeros((len(series), max(int(lengths.max()), longest), series[0].shape[1]))
    values[np.arange(values.shape[1]) < lengths[:, None]] = np.concatenate(series)
    return Padded(values, lengths)


def differences(series: SeriesSet) -> list[np.ndarray]:
    """What each step adds to the one before; nothing at the first, so that lengths stay.

    Example:
        >>> differences([np.array([[1.0], [4.0], [2.0]])])[0].ravel().tolist()
        [0.0, 3.0, -2.0]
    """
    return [np.diff(x, axis=0, prepend=x[:1]) for x in series]


def correlations(series: SeriesSet, lags: int) -> Float[np.ndarray, "lags channels channels"]:
    """Correlation of every channel with every other so many steps later, over all such pairs of steps.

    Means and deviations are those of all steps, so that what sets series apart counts, too. A channel that
    never changes correlates with none.

    Args:
        series: of which some are longer than `lags`.
        lags: how many steps later, at most.

    Returns:
        `(1 + lags, channels, channels)`; NaN for a lag that no series is long enough for.
    """
    all_ = padded(series)
    there, count = all_.there[:, :, None], all_.lengths.sum()
    mean = all_.values.sum((0, 1)) / count
    apart = np.where(there, all_.values - mean, 0.0)
    deviation = np.sqrt(np.square(apart).sum((0, 1)) / count)
    apart /= np.where(deviation > 0, deviation, np.inf)
    longest, channels = apart.shape[1:]
    found = np.full((1 + lags, channels, channels), np.nan)
    for lag in range(min(lags, longest - 1) + 1):
        before, after = apart[:, : longest - lag], apart[:, lag:]
        pairs = np.maximum(all_.lengths - lag, 0).sum()
        found[lag] = np.tensordot(before, after, ((0, 1), (0, 1))) / pairs
    return found


def autocorrelation(series: SeriesSet, lags: int) -> Float[np.ndarray, "lags channels"]:
    """Correlation of every channel with itself so many steps later, `(1 + lags, channels)`."""
    return np.diagonal(correlations(series, lags), axis1=1, axis2=2)


def acf_error(real: SeriesSet, fake: SeriesSet, lags: int = LAGS) -> float:
    """Mean absolute difference of autocorrelations, over channels and lags for which both are long enough."""
    a, b = (autocorrelation(x, lags)[1:] for x in (real, fake))
    return mean_of(np.abs(a - b))


def cross_correlation_error(real: SeriesSet, fake: SeriesSet, lags: int = LAGS) -> float:
    """The same of the correlations between different channels, at no lag and later; NaN of one channel."""
    a, b = (correlations(x, lags) for x in (real, fake))
    return mean_of(np.abs(a - b)[:, ~np.eye(a.shape[1], dtype=bool)])


def mean_of(x: np.ndarray) -> float:
    """The mean of what is defined; NaN if nothing is."""
    known = x[~np.isnan(x)]
    return float(known.mean()) if known.size else float("nan")


def spectrum(series: SeriesSet, longest: int) -> Float[np.ndarray, "frequencies channels"]:
    """Mean power of each channel by frequency, without the constant part of each series.

    Args:
        series: shorter ones are filled up with zeros, so that all have the same frequencies.
        longest: steps that decide on these.
    """
    all_ = padded(series, longest)
    lengths = all_.lengths[:, None, None]
    mean = all_.values.sum(1, keepdims=True) / lengths
    apart = np.where(all_.there[:, :, None], all_.values - mean, 0.0)
    power = np.square(np.abs(np.fft.rfft(apart, axis=1))) / lengths
    return power.mean(0)[1:]


def spectral_distance(real: SeriesSet, fake: SeriesSet) -> float:
    """Mean absolute difference of the logarithms of power, over channels and frequencies."""
    longest = max(len(x) for x in (*real, *fake))
    a, b = (spectrum(x, longest) for x in (real, fake))
    floor = FLOOR * a.mean(0) + 1e-300
    return mean_of(np.abs(np.log(a + floor) - np.log(b + floor)))


def length_distance(real: SeriesSet, fake: SeriesSet) -> float:
    """The largest difference of the shares of series that are at most so long (Kolmogorov and Smirnov).

    Example:
        >>> ones, twos = [np.zeros((1, 1))] * 2, [np.zeros((2, 1))] * 2
        >>> length_distance(ones, ones), length_distance(ones, twos)
        (0.0, 1.0)
    """
    a, b = (np.sort([len(x) for x in side]) for side in (real, fake))
    at = np.unique(np.concatenate([a, b]))
    shares = [np.searchsorted(x, at, side="right") / len(x) for x in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())
