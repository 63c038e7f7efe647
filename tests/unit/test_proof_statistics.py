from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from tenfold.errors import DataError
from tenfold.proof.statistics import (
    bootstrap_interval,
    corrected_interval,
    false_alarms,
    holm,
    measures,
    shared_interval,
    sign_flip,
)


def guesses(n: int = 300, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Rounded, so that many probabilities are equal."""
    draw = np.random.default_rng(0)
    labels = draw.choice(k, n, p=[0.5, 0.3, 0.15, 0.05])
    logits = draw.normal(size=(n, k)) + 1.5 * np.eye(k)[labels]
    p = np.exp(logits).round(1) + 0.05
    return p / p.sum(1, keepdims=True), labels


def test_measures_are_those_of_scikit_learn():
    p, labels = guesses()
    found = measures(p, labels, rare=3)
    said = p.argmax(1)
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, said))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, said, average="macro"))
    assert found["f1_rare"] == pytest.approx(metrics.f1_score(labels == 3, said == 3))
    assert found["pr_auc_rare"] == pytest.approx(metrics.average_precision_score(labels == 3, p[:, 3]))
    assert found["brier"] == pytest.approx(
        metrics.brier_score_loss(labels, p, scale_by_half=False, labels=range(4))
    )


def test_classes_that_do_not_occur_do_not_count():
    p, labels = np.eye(3)[[0, 0, 1]], np.array([0, 0, 0])
    found = measures(p, labels, rare=None)
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, p.argmax(1), average="macro"))
    assert not {"pr_auc_rare", "f1_rare"} & set(found)


def test_calibration_error_by_hand():
    """Ten are said with 0.8 of which six are right, ten with 1.0 of which all are: the gaps are 0.2 and 0."""
    p = np.repeat([[0.8, 0.2], [1.0, 0.0]], 10, axis=0)
    labels = np.array([0] * 6 + [1] * 4 + [0] * 10)
    assert measures(p, labels, None)["calibration_error"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("p", "labels", "rare"),
    [
        ([[0.5, 0.5], [math.nan, 0.5]], [0, 1], None),
        ([[0.5, 0.6], [0.5, 0.5]], [0, 1], None),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 2], None),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 0], 1),
        (np.zeros((0, 2)), np.zeros(0, int), None),
    ],
    ids=["nan", "no probabilities", "unknown class", "rare class absent", "no items"],
)
def test_what_cannot_be_measured_is_refused(p: list, labels: list, rare: int | None):
    with pytest.raises(DataError, match="expected"):
        measures(np.array(p), np.array(labels), rare)


def test_without_test_items_the_correction_vanishes():
    differences = np.random.default_rng(1).normal(0.3, 1, 8)
    known = stats.ttest_1samp(differences, 0)
    found = corrected_interval(differences[:, None].tolist(), 0, 100)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.p == pytest.approx(known.pvalue)
    assert found.mean == pytest.approx(differences.mean())


def test_the_correction_by_hand():
    """Means 1 and 3: s^2 = 2, so the variance of the mean is 2 (1/2 + 1/4); 12.706 is Student's for 1."""
    found = corrected_interval([[0, 2], [3, 3]], 25, 100)
    assert found.half == pytest.approx(12.7062 * math.sqrt(1.5), rel=1e-5)


def test_it_covers_what_it_promises_where_the_splits_overlap():
    """Differences that share a part, as those of overlapping training sets do: the plain interval fails.

    Nadeau and Bengio take their correlation to be n_test / (n_test + n_train), here 1/4.
    """
    draw, n = np.random.default_rng(2), 2000
    rows = 0.5 * draw.normal(size=(n, 1)) + math.sqrt(0.75) * draw.normal(size=(n, 6))
    found = [corrected_interval(row[:, None].tolist(), 1, 3) for row in rows]
    assert np.mean([i.low > 0 for i in found]) == pytest.approx(0.025, abs=0.012)
    plain = [corrected_interval(row[:, None].tolist(), 0, 3) for row in rows]
    assert np.mean([i.low > 0 for i in plain]) > 0.06


def test_the_shared_interval_by_hand():
    """Splits: s^2 = 0.02, over 2. Items: s^2 = 1/3 over 4, and 1/2 over 2, both over K^2 = 4."""
    items, classes = np.array([1.0, 0, 0, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1])
    items[0] = 2 / math.sqrt(3)  # so that the variance of the first four is 1/3
    found = shared_interval([[0.1], [0.3]], items, classes)
    parts = np.array([0.01, 1 / 48, 1 / 16])
    freedom = parts.sum() ** 2 / (parts**2 / [1, 3, 1]).sum()
    assert found.half == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(parts.sum()))
    assert found.mean == pytest.approx(0.2)
    assert found.item_share == pytest.approx(parts[1:].sum() / parts.sum())


@pytest.mark.parametrize(("items", "noise"), [(40, 0.02), (200, 0.02), (200, 0.01)])
def test_luck_of_shared_test_items_is_no_help(items: int, noise: float):
    """No effect in all, but each item has one of its own: splits that agree do not show it."""
    draw, classes = np.random.default_rng(5), np.arange(items) % 2
    helps, blind = 0, 0
    for _ in range(1500):
        own = draw.choice([-1.0, 0, 1], items, p=[0.03, 0.94, 0.03])
        trained = draw.normal(0, noise, 5)
        gains = (own.mean() + trained)[:, None].tolist()
        helps += shared_interval(gains, own + trained.mean(), classes).low > 0
        blind += corrected_interval(gains, items, 1000).low > 0
    assert helps / 1500 < 0.035
    assert blind / 1500 > 0.06


def test_shared_items_that_do_not_differ():
    classes = np.array([0, 0, 1, 1])
    nothing = shared_interval([[0.0], [0.0]], np.zeros(4), classes)
    assert (nothing.low, nothing.high, nothing.p) == (0, 0, 1)
    few = shared_interval([[1.0], [1.0]], np.ones(4), classes)
    assert few.low < 0 < few.high
    many = shared_interval([[1.0], [1.0]], np.ones(40), np.arange(40) % 2)
    assert many.low > 0
    with pytest.raises(DataError, match="one test item"):
        shared_interval([[1.0], [1.0]], np.ones(3), np.array([0, 0, 1]))


def test_no_differences_and_equal_ones():
    nothing = corrected_interval([[0.0, 0.0], [0.0], [0.0]], 20, 60)
    assert (nothing.low, nothing.high, nothing.p) == (0, 0, 1)
    equal = corrected_interval([[0.1]] * 3, 20, 60)
    assert equal.low < 0 < equal.high


@pytest.mark.parametrize("differences", [[], [[0.1, 0.2]], [[0.1], []]])
def test_one_split_has_no_interval(differences: list):
    with pytest.raises(DataError, match="splits"):
        corrected_interval(differences, 20, 60)


def test_bootstrap_is_that_of_the_means_and_wider_with_seeds_that_differ():
    means = np.random.default_rng(3).normal(1, 1, 40)
    low, high = bootstrap_interval(means[:, None].tolist(), seed=0)
    error = means.std() / math.sqrt(40)
    assert (low, high) == pytest.approx((means.mean() - 1.96 * error, means.mean() + 1.96 * error), abs=0.05)
    wide = bootstrap_interval([[m - 3, m + 3] for m in means], seed=0)
    assert wide[1] - wide[0] > 1.5 * (high - low)
    ragged = bootstrap_interval([[1.0], [1.0, 1.0, 1.0]], seed=0)
    assert ragged == (1, 1)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_flipped_signs_rarely_look_like_a_help():
    differences = np.random.default_rng(4).normal(0.5, 1, 10)
    nulls = sign_flip(differences, 2000, seed=0)
    assert nulls.shape == (2000, 10)
    assert np.abs(nulls) == pytest.approx(np.abs(differences)[None].repeat(2000, 0))
    assert abs(nulls.mean()) < 0.03
    assert 0 < false_alarms(differences, (0, 60), 2000, seed=0) < 0.045
    assert false_alarms(differences, (20, 60), 2000, seed=0) < 0.01
