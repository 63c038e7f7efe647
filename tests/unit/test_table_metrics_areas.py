"""Areas under curves, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tenfold.errors import DataError
from tenfold.metrics.rows import Undefined
from tenfold.metrics.tables.areas import auc_with_error, average_precision, macro_auc, midranks, roc, roc_auc

RNG = np.random.default_rng(0)
POSITIVE = RNG.random(200) < 0.3
CONTINUOUS = RNG.normal(size=200) + POSITIVE
SCORES = {"distinct": CONTINUOUS, "tied": CONTINUOUS.round(), "equal": np.zeros(200)}


@pytest.mark.parametrize("kind", SCORES)
def test_areas_equal_those_of_scikit_learn(kind: str) -> None:
    scores = SCORES[kind]
    assert roc_auc(scores, POSITIVE) == pytest.approx(metrics.roc_auc_score(POSITIVE, scores))
    assert auc_with_error(scores, POSITIVE).value == pytest.approx(metrics.roc_auc_score(POSITIVE, scores))
    expected = metrics.average_precision_score(POSITIVE, scores)
    assert average_precision(scores, POSITIVE) == pytest.approx(expected)
    false, true, _ = metrics.roc_curve(POSITIVE, scores, drop_intermediate=False)
    found = roc(scores, POSITIVE)
    assert found[0] == pytest.approx(false) and found[1] == pytest.approx(true)


def test_macro_is_the_mean_over_the_classes_that_are_there() -> None:
    labels = RNG.integers(0, 3, 200)
    scores = RNG.random((200, 3)) + np.eye(3)[labels] * 0.3
    each = [metrics.roc_auc_score(labels == k, scores[:, k]) for k in range(3)]
    assert macro_auc(scores, labels) == pytest.approx(np.mean(each))
    more = np.concatenate([scores, np.zeros((200, 2))], axis=1)  # nobody is of the last two classes
    assert macro_auc(more, labels) == pytest.approx(np.mean(each))
    unseen = scores.copy()
    unseen[:, 2] = 0  # a class that no model was shown
    assert macro_auc(unseen, labels) == pytest.approx((each[0] + each[1] + 0.5) / 3)


def test_error_is_that_of_fresh_rows() -> None:
    rng, found = np.random.default_rng(1), []
    for _ in range(300):
        positive = np.arange(120) < 40
        found.append(auc_with_error(rng.normal(size=120) + positive, positive))
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    assert values.std() == pytest.approx(errors.mean(), rel=0.15)


def test_perfect_scores_have_no_error() -> None:
    found = auc_with_error(np.array([1.0, 2, 3, 4]), np.array([False, False, True, True]))
    assert (found.value, found.error) == (1, 0)


def test_ranks() -> None:
    assert midranks(np.array([3.0, 1, 3, 3])).tolist() == [3, 1, 3, 3]


def test_refuses_what_has_no_answer() -> None:
    with pytest.raises(Undefined, match="0 positives and 3 negatives"):
        roc_auc(np.zeros(3), np.zeros(3, dtype=bool))
    with pytest.raises(Undefined, match="at least 2"):
        auc_with_error(np.zeros(3), np.array([True, False, False]))
    with pytest.raises(Undefined, match="one class"):
        macro_auc(np.zeros((4, 2)), np.zeros(4, np.int64))
    with pytest.raises(DataError, match="no NaN"):
        roc_auc(np.array([np.nan, 1]), np.array([True, False]))
    with pytest.raises(DataError, match="a number for each"):
        roc_auc(np.zeros(2), np.array([True]))
