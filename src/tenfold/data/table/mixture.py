"""Mixtures of normal distributions of one column of numbers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

MOST_ROWS = 4000  # that a mixture is fitted to; more hardly move it
MOST_MODES = 10
LIGHTEST = 0.005  # share of a mode that is kept
THINNEST = 1e-3  # standard deviation of a mode, as a share of the column's


@dataclass(frozen=True)
class Modes:
    """A mixture of normal distributions.

    Attributes:
        means, stds, weights: of each mode, in ascending order of the means.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    weights: tuple[float, ...]


def fit_modes(x: Float[np.ndarray, " n"], seed: int, most: int = MOST_MODES) -> Modes:
    """A mixture with as many modes as the numbers show.

    A Bayesian mixture empties the modes that it does not need; those of next to no weight are left out.

    Args:
        x: finite numbers.
        seed: of the rows that are looked at where there are very many, and of the start.
        most: modes at most.

    References:
        Modeling Tabular Data using Conditional GAN (Xu et al., 2019), section 4.2,
        https://arxiv.org/abs/1907.00503
    """
    some = x if len(x) <= MOST_ROWS else np.random.default_rng(seed).choice(x, MOST_ROWS, replace=False)
    middle, scale = float(some.mean()), float(some.std())
    distinct = len(np.unique(some))
    if distinct < 2 or scale == 0:
        return Modes((middle,), (max(abs(middle), 1.0) * THINNEST,), (1.0,))
    means, stds, weights = _fitted((some - middle) / scale, seed, min(most, distinct))
    kept = weights >= min(LIGHTEST, weights.max())
    order = np.argsort(means[kept])
    means, stds, weights = (a[kept][order] for a in (means, stds, weights))
    return Modes(
        tuple((middle + scale * means).tolist()),
        tuple((scale * np.maximum(stds, THINNEST)).tolist()),
        tuple((weights / weights.sum()).tolist()),
    )


@contextmanager
def near_enough() -> Iterator[None]:
    """No word of mixtures that might converge further: they are a coordinate system.

    It is of the whole process, so that threads find it and none of them ends it.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _fitted(x: np.ndarray, seed: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from sklearn.mixture import BayesianGaussianMixture

    model = BayesianGaussianMixture(
        n_components=most,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        max_iter=100,
        random_state=seed % 2**32,
    )
    model.fit(x[:, None])
    return model.means_[:, 0], np.sqrt(model.covariances_[:, 0, 0]), model.weights_
