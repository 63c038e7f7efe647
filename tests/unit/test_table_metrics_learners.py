"""What a detector tells, and what models learn from rows of a table."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.errors import DataError, RecipeError
from tenfold.metrics.rows import Undefined
from tenfold.metrics.tables.design import TableRows
from tenfold.metrics.tables.detector import detector_auc, detector_auc_logistic
from tenfold.metrics.tables.learners import MODELS, fit_classes, fit_numbers
from tenfold.metrics.tables.utility import missing_classes, r2, trtr, tstr, utility

NAN = np.nan
NAMES = ("x", "y", "kind", "label")
QUICK = ("linear", "boosting")


def some_rows(n: int, seed: int, related: bool = True) -> TableRows:
    """Two numbers, some of them missing, a category, and a label that x and the category decide."""
    rng = np.random.default_rng(seed)
    x, y, kind = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 3, n)
    likely = x + 1.5 * (kind == 2) + 0.5 * rng.normal(size=n) > 0.5
    label = likely if related else rng.permutation(likely)
    y[rng.random(n) < 0.1] = NAN
    values = np.stack([x, y, kind, label], axis=1).astype(np.float64)
    return TableRows(values, (False, False, True, True), (0, 0, 3, 2), NAMES)


def with_values(rows: TableRows, values: np.ndarray) -> TableRows:
    return TableRows(values, rows.categorical, rows.levels, rows.names)


REAL, FRESH, TEST = some_rows(400, 1), some_rows(400, 2), some_rows(400, 3)
APART = with_values(REAL, np.random.default_rng(0).permuted(FRESH.values, axis=0))


def test_fresh_rows_are_not_told_and_others_are() -> None:
    fresh = detector_auc(REAL, FRESH, seed=0, rounds=20)
    assert abs(fresh.value - 0.5) < 4 * fresh.error and 0.01 < fresh.error < 0.04
    moved = with_values(FRESH, FRESH.values + np.array([2.5, 0, 0, 0]))
    for detector in (detector_auc, detector_auc_logistic):
        assert detector(REAL, moved, seed=0).value > 0.8


def test_boosting_sees_relations_that_a_linear_detector_does_not() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=600)
    tight = np.stack([x, x + 0.1 * rng.normal(size=600)], axis=1)
    real = TableRows(tight, (False, False), (0, 0), ("x", "y"))
    fake = with_values(real, rng.permuted(tight, axis=0))
    assert detector_auc(real, fake, seed=0, rounds=40).value > 0.8
    assert detector_auc_logistic(real, fake, seed=0).value < 0.6


def test_missing_values_and_last_digits_are_treated_alike() -> None:
    real, values = with_values(REAL, REAL.values.round(1)), FRESH.values.round(1)
    fake = with_values(FRESH, values + np.array([1e-10, 0, 0, 0]))
    assert abs(detector_auc(real, fake, seed=0, rounds=20).value - 0.5) < 0.12
    values[::2, 1] = NAN
    assert detector_auc(real, with_values(FRESH, values), seed=0, rounds=20).value > 0.6


def test_detectors_repeat_and_take_as_many_of_each() -> None:
    few = FRESH.take(np.arange(60))
    first, again = (detector_auc(REAL, few, seed=3, folds=2, rounds=10) for _ in range(2))
    assert first == again
    assert detector_auc(REAL, FRESH, seed=3, folds=2, most=30, rounds=10).error > first.error / 2
    with pytest.raises(Undefined, match="19 made"):
        detector_auc(REAL, FRESH.take(np.arange(19)), seed=0)
    with pytest.raises(DataError, match="not the same"):
        detector_auc(REAL, FRESH.without(0), seed=0)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_classes_and_numbers(name: str) -> None:
    scores = tstr(REAL, TEST, 3, seed=0, models=(name,), rounds=30)
    assert scores[name] > 0.8
    wanted = REAL.values[:, 0] * 2
    said = fit_numbers(name, REAL, wanted, seed=0, rounds=30)(TEST)
    assert r2(said, TEST.values[:, 0] * 2) > 0.5
    assert np.isfinite(said).all()


def test_what_wrong_labels_teach() -> None:
    wrong = with_values(FRESH, FRESH.values * np.array([1, 1, 1, -1]) + np.array([0, 0, 0, 1]))
    found = utility(REAL, wrong, TEST, 3, seed=0, models=QUICK, rounds=30)
    assert found.measure == "auc" and found.n == 400 and found.missing == ()
    assert set(found.tstr) == set(found.trtr) == set(QUICK)
    for name in QUICK:
        assert found.trtr[name] > 0.8 and found.tstr[name] < 0.2
        assert found.difference[name] == found.trtr[name] - found.tstr[name]
    assert found.trtr == trtr(REAL, TEST, 3, seed=0, models=QUICK, rounds=30)


def test_a_target_of_numbers() -> None:
    values = TEST.values.copy()
    values[:, 1] = np.where(np.isnan(values[:, 1]), NAN, 3 * values[:, 0])
    table = with_values(TEST, values)
    learn, judge = table.take(np.arange(200)), table.take(np.arange(200, 400))
    found = utility(learn, APART, judge, 1, seed=0, models=QUICK, rounds=30)
    assert found.measure == "r2" and found.missing == ()
    assert min(found.trtr.values()) > 0.8 and max(found.tstr.values()) < 0.3


def test_one_class_alone_teaches_nothing_and_is_no_error() -> None:
    one = REAL.take(np.flatnonzero(REAL.values[:, 3] == 0))
    found = utility(REAL, one, TEST, 3, seed=0, models=QUICK, rounds=10)
    assert found.tstr == dict.fromkeys(QUICK, 0.5) and found.missing == (1,)
    assert missing_classes(REAL, one, 0) == ()


def test_classes_without_a_row() -> None:
    says = fit_classes("linear", REAL, np.where(REAL.values[:, 3] > 0, 3, 1), 5, seed=0)
    seen = says(TEST)
    assert seen.shape == (400, 5) and seen.sum(axis=1) == pytest.approx(1)
    assert (seen[:, [0, 2, 4]] == 0).all()
    assert fit_classes("boosting", REAL, np.full(400, 2), 3, seed=0)(TEST)[:, 2].tolist() == [1] * 400


def test_many_classes_are_merged() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, 800)
    values = np.stack([x + 0.1 * rng.normal(size=800), x], axis=1)
    table = TableRows(values, (False, True), (0, 40), ("x", "many"))
    learn, judge = table.take(np.arange(400)), table.take(np.arange(400, 800))
    assert tstr(learn, judge, 1, seed=0, models=("neighbours",))["neighbours"] > 0.7


def test_a_column_without_any_number_is_no_error() -> None:
    values = REAL.values.copy()
    values[:, 1] = NAN
    empty = with_values(REAL, values)
    assert min(tstr(empty, TEST, 3, seed=0, models=MODELS, rounds=10).values()) > 0.7
    assert detector_auc(empty, empty, seed=0, folds=2, rounds=10).value < 0.7


def test_refuses_what_has_no_answer() -> None:
    with pytest.raises(Undefined, match="one class"):
        tstr(REAL, TEST.take(np.flatnonzero(TEST.values[:, 3] == 0)), 3, seed=0, models=QUICK, rounds=5)
    with pytest.raises(Undefined, match="9 rows to learn from"):
        tstr(REAL.take(np.arange(9)), TEST, 3, seed=0)
    with pytest.raises(Undefined, match="one value"):
        r2(np.zeros(3), np.ones(3))
    with pytest.raises(DataError, match="from 0 to 3"):
        tstr(REAL, TEST, 4, seed=0)
    with pytest.raises(RecipeError, match="Did you mean 'forest'"):
        tstr(REAL, TEST, 3, seed=0, models=("forrest",))
