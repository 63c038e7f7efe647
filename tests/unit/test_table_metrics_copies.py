"""Copy checks and the guess at what was learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.metrics.rows import Undefined
from tenfold.metrics.tables.areas import roc_auc
from tenfold.metrics.tables.closeness import closeness, copied, copy_test, exact_copies
from tenfold.metrics.tables.design import TableRows
from tenfold.metrics.tables.membership import _bootstrap, membership

NAN = np.nan


def some_rows(n: int, seed: int) -> TableRows:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(size=(n, 4)), rng.integers(0, 3, (n, 2))], axis=1)
    values[rng.random(n) < 0.1, 0] = NAN
    names = ("a", "b", "c", "d", "e", "f")
    return TableRows(values, (False,) * 4 + (True,) * 2, (0,) * 4 + (3,) * 2, names)


def near(rows: TableRows, noise: float, seed: int) -> TableRows:
    values = rows.values.copy()
    values[:, :4] += noise * np.random.default_rng(seed).normal(size=(len(rows), 4))
    return TableRows(values, rows.categorical, rows.levels, rows.names)


TRAIN, HOLDOUT, FRESH = (some_rows(300, seed) for seed in (1, 2, 3))
NOISY = near(TRAIN, 0.05, 4)


def test_closest_records_by_hand() -> None:
    def line(values: list[float]) -> TableRows:
        return TableRows(np.array(values)[:, None], (False,), (0,), ("a",))

    train = line([4.0 * x for x in range(101)])  # from 4 to 396 the reach is 392
    seen = closeness(train, line([20, 201, 480]))
    assert seen.median == pytest.approx(1 / 392)
    assert seen.ratio == pytest.approx(1 / 3)
    assert seen.fifth == pytest.approx(0.1 / 392)  # a tenth of the way from the first to the second
    assert closeness(line([1, 1, 1]), line([1, 1])).ratio == 1


def test_copies_are_nearer_than_held_out_rows() -> None:
    held, fresh, noisy, copies = (closeness(TRAIN, rows) for rows in (HOLDOUT, FRESH, NOISY, TRAIN))
    assert fresh.median == pytest.approx(held.median, rel=0.2)
    assert noisy.median < 0.3 * held.median and noisy.ratio < 0.5 * held.ratio
    assert (copies.median, copies.fifth, copies.ratio) == (0, 0, 0)


def test_c_t_of_rows() -> None:
    assert abs(copy_test(TRAIN, HOLDOUT, FRESH).z) < 3
    assert copy_test(TRAIN, HOLDOUT, NOISY).z < -10
    assert copy_test(TRAIN, HOLDOUT, FRESH, cells=1).by_cell is None
    with pytest.raises(Undefined, match="at least 10 held-out"):
        copy_test(TRAIN, HOLDOUT.take(np.arange(9)), FRESH)


def test_large_sides_are_sampled() -> None:
    seen = closeness(TRAIN, HOLDOUT, seed=1, most=50, most_train=100)
    assert seen == closeness(TRAIN, HOLDOUT, seed=1, most=50, most_train=100)
    assert seen != closeness(TRAIN, HOLDOUT, seed=2, most=50, most_train=100)
    assert seen.median > closeness(TRAIN, HOLDOUT).median  # among fewer rows the nearest is farther


def test_exact_copies_by_hand() -> None:
    mixed = np.concatenate([TRAIN.values[:30], FRESH.values[:90]])
    fake = TableRows(mixed, TRAIN.categorical, TRAIN.levels, TRAIN.names)
    assert copied(TRAIN, fake).tolist() == [True] * 30 + [False] * 90
    assert exact_copies(TRAIN, fake) == 0.25 and exact_copies(TRAIN, HOLDOUT) == 0
    assert exact_copies(TRAIN, near(TRAIN, 1e-13, 0)) > 0.95  # equal but for rounding
    assert exact_copies(TRAIN, TRAIN.take(np.arange(0))) == 0
    with pytest.raises(DataError, match="not the same"):
        exact_copies(TRAIN, TRAIN.without(0))


def test_values_in_other_columns_are_no_copies() -> None:
    def pair(a: float, b: float) -> TableRows:
        return TableRows(np.array([[a, b]]), (False, False), (0, 0), ("a", "b"))

    assert exact_copies(pair(1, 2), pair(2, 1)) == 0
    assert exact_copies(pair(0.0, NAN), pair(-0.0, NAN)) == 1


def test_members_are_given_away_by_copies_only() -> None:
    fresh, noisy = (membership(TRAIN, HOLDOUT, rows) for rows in (FRESH, NOISY))
    assert abs(fresh.auc.value - 0.5) < 0.1 and fresh.p > 0.001
    assert fresh.auc.low < fresh.auc.value < fresh.auc.high
    assert noisy.auc.value > 0.9 and noisy.p < 1e-6 and noisy.auc.low > 0.8
    assert noisy.advantage.value > 0.6 > fresh.advantage.value >= 0
    assert noisy.caught is not None and fresh.caught is not None and noisy.caught > 0.3 > fresh.caught
    assert (noisy.members, noisy.others) == (300, 300)


def test_few_rows_have_no_rate_at_one_per_cent() -> None:
    few = membership(TRAIN, HOLDOUT.take(np.arange(40)), NOISY, most=100)
    assert few.caught is None and (few.members, few.others) == (100, 40)
    with pytest.raises(Undefined, match="19 held-out"):
        membership(TRAIN, HOLDOUT.take(np.arange(19)), FRESH)


def test_interval_is_that_of_fresh_rows() -> None:
    rng, positive = np.random.default_rng(0), np.arange(200) < 100
    many = [rng.normal(size=200).round(1) + positive for _ in range(200)]
    spread = np.std([roc_auc(scores, positive) for scores in many])
    widths = [np.diff(_bootstrap(scores, positive, seed)[0])[0] for seed, scores in enumerate(many[:20])]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * spread, rel=0.2)


def test_interval_holds_what_was_measured() -> None:
    scores, positive = np.array([3.0, 2, 2, 1] * 10), np.array([True, True, False, False] * 10)
    auc, advantage = _bootstrap(scores, positive, 0)
    assert auc[0] < roc_auc(scores, positive) < auc[1]
    assert advantage[0] < 0.5 < advantage[1]


def test_made_rows_are_closer_to_training_rows_than_these_to_each_other():
    from tenfold.metrics.tables.closeness import closer

    line = lambda *x: TableRows(np.array(x, np.float64)[:, None], (False,), (0,), ("x",))
    train = line(0, 1, 3, 7)  # to each other: 1, 1, 2, 4
    value, error = closer(train, line(0.5, 8.5))  # to these: .5, nearer than all four, and 1.5, than two
    assert value == pytest.approx((4 + 2) / 8)
    assert error == pytest.approx((7 / (12 * 8)) ** 0.5)
    assert closer(line(0, 0, 5), line(0))[0] == pytest.approx(
        (1 + 2 / 2) / 3
    )  # nearer than one, as near as two
    assert closer(train, train)[0] == 1 and closer(train, line(100, 200))[0] == 0
