"""Columns, pairs of columns, and what rows violate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, spearmanr

from tenfold.errors import DataError
from tenfold.metrics.rows import Undefined
from tenfold.metrics.tables import pairs as pairs_module
from tenfold.metrics.tables.design import TableRows
from tenfold.metrics.tables.marginals import kolmogorov_smirnov, marginals, out_of_range
from tenfold.metrics.tables.pairs import correlations, pair_trends
from tenfold.metrics.tables.violations import condition_satisfaction, out_of_bounds

NAN = np.nan


def rows(columns: list, levels: tuple[int, ...]) -> TableRows:
    values = np.array(columns, dtype=np.float64).T
    return TableRows(values, tuple(count > 0 for count in levels), levels, tuple("abcdefgh"[: len(levels)]))


def random_rows(n: int, seed: int) -> TableRows:
    """Two numbers that go together, a category that goes with them, and one that does not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = x + 0.3 * rng.normal(size=n)
    return rows([x, y, (x > 0).astype(float), rng.integers(0, 3, n)], (0, 0, 2, 3))


def shuffled_columns(table: TableRows, seed: int) -> TableRows:
    values = np.random.default_rng(seed).permuted(table.values, axis=0)
    return TableRows(values, table.categorical, table.levels, table.names)


@pytest.mark.parametrize("digits", [6, 0])
def test_kolmogorov_smirnov_equals_scipy(digits: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(80, 3)).round(digits), rng.normal(0.3, 1.2, size=(50, 3)).round(digits)
    expected = [ks_2samp(a[:, k], b[:, k]).statistic for k in range(3)]
    assert kolmogorov_smirnov(a, b) == pytest.approx(expected)


def test_missing_values_are_a_mass_of_their_own() -> None:
    a, b = np.array([[1.0], [2], [NAN], [NAN]]), np.array([[1.0], [2], [1], [2]])
    assert kolmogorov_smirnov(a, b).tolist() == [0.5]
    assert kolmogorov_smirnov(a, a[::-1]).tolist() == [0]


def test_marginals_by_hand() -> None:
    real = rows([[1, 2, 3, 4], [0, 0, 1, 1], [0, 1, 2, 2]], (0, 2, 4))
    fake = rows([[1, 2, 3, 9], [0, 0, 0, 1], [3, 3, 3, 3]], (0, 2, 4))
    seen = marginals(real, fake)
    assert dict(seen.columns) == pytest.approx({"a": 0.25, "b": 0.25, "c": 1.0})
    assert seen.value == pytest.approx(0.5) and seen.most(1) == ["c"]


def test_the_last_digits_are_no_difference() -> None:
    real = rows([[0.1, 0.2, 0.3]], (0,))
    assert marginals(real, rows([[0.1 - 1e-12, 0.2 + 1e-12, 0.1 + 0.2]], (0,))).value == 0


def test_marginals_see_no_relations_and_pairs_do() -> None:
    real, fresh = random_rows(2000, 1), random_rows(2000, 2)
    apart = shuffled_columns(real, 3)
    assert marginals(real, apart).value == 0
    found, reference = pair_trends(real, apart), pair_trends(real, fresh)
    assert reference.value < 0.07 and found.value > 3 * reference.value
    assert set(found.most(3)) == {(0, 1), (0, 2), (1, 2)}


def test_pairs_by_hand() -> None:
    real = rows([np.arange(10), np.arange(10), [0] * 5 + [1] * 5], (0, 0, 2))
    fake = rows([np.arange(10), np.arange(10)[::-1], [1] * 5 + [0] * 5], (0, 0, 2))
    seen = pair_trends(real, fake)
    assert seen.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    # Correlations 1 and -1; rows in other cells altogether; both columns turned around together: no change.
    assert seen.gaps == pytest.approx([1, 1, 0])
    two = [[0, 0, 1, 1] * 3, [0, 1, 0, 1] * 3], [[0, 0, 1, 1] * 3, [0, 0, 1, 1] * 3]
    assert pair_trends(*(rows(list(t), (2, 2)) for t in two)).value == pytest.approx(0.5)


def test_correlations_equal_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3))
    values[:, 2] = values[:, 2].round()
    table = rows(list(values.T), (0, 0, 0))
    asked = np.array([[0, 1], [0, 2], [1, 2]])
    expected = spearmanr(values).statistic[asked[:, 0], asked[:, 1]]
    assert correlations(table, asked) == pytest.approx(expected)
    constant = rows([values[:, 0], np.full(60, 3.3), np.full(60, NAN)], (0, 0, 0))
    assert correlations(constant, asked).tolist() == [0, 0, 0]


def test_missing_values_are_left_out_of_correlations() -> None:
    x = np.arange(40.0)
    y = x.copy()
    y[::2] = NAN
    assert correlations(rows([x, y], (0, 0)), np.array([[0, 1]])) == pytest.approx([1])


def test_many_columns_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_module, "MOST_PAIRS", 5)
    monkeypatch.setattr(pairs_module, "MOST_ROWS", 30)
    table = rows(list(np.random.default_rng(0).normal(size=(8, 100))), (0,) * 8)
    found, again, other = (pair_trends(table, table, seed) for seed in (1, 1, 2))
    assert found.pairs.tolist() == again.pairs.tolist() != other.pairs.tolist()
    assert len({tuple(pair) for pair in found.pairs.tolist()}) == 5
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all() and found.pairs.max() < 8


def test_every_pair_has_a_number() -> None:
    seen = pairs_module._chosen(20, 0)
    assert sorted(map(tuple, seen.tolist())) == [(a, b) for a in range(20) for b in range(a + 1, 20)]


def test_out_of_range_by_hand() -> None:
    real = rows([[1, 5, 3], [2, NAN, 4], [0, 0, 1]], (0, 0, 3))
    fake = rows([[0.5, 5, 5.5, NAN], [3, NAN, 3, 3], [0, 1, 2, 1]], (0, 0, 3))
    seen = out_of_range(real, fake)
    assert dict(seen.columns) == {"a": 0.75, "b": 0, "c": 0.25}
    assert seen.value == 0.75
    assert out_of_range(real, real).value == 0
    assert out_of_range(real, rows([[5 + 1e-12], [4], [0]], (0, 0, 3))).value == 0
    nothing = rows([[NAN, NAN]], (0,))
    assert out_of_range(nothing, rows([[NAN, 3]], (0,))).value == 0.5


def test_conditions() -> None:
    table = rows([[20, 30, 40, NAN], [0, 1, 1, 1]], (0, 2))
    seen = condition_satisfaction(table, {0: (30, 40), 1: 1})
    assert seen.value == 0.5 and dict(seen.columns) == {"a": 0.5, "b": 0.75}
    assert condition_satisfaction(table, {0: NAN}).value == 0.25
    assert condition_satisfaction(table, {0: 30.000000000001}).value == 0.25
    assert condition_satisfaction(table, {0: (25, np.inf)}).value == 0.5
    with pytest.raises(DataError, match="the lower number first"):
        condition_satisfaction(table, {0: (40, 30)})
    with pytest.raises(DataError, match="from 0 to 1"):
        condition_satisfaction(table, {2: 1})
    with pytest.raises(Undefined):
        condition_satisfaction(table, {})


def test_bounds() -> None:
    table = rows([[1, 2, 3, NAN], [0, 5, 0, 0]], (0, 0))
    seen = out_of_bounds(table, np.array([2, -np.inf]), np.array([2.5, 4]))
    assert dict(seen.columns) == {"a": 0.5, "b": 0.25} and seen.value == 0.75
    with pytest.raises(DataError, match="one for each"):
        out_of_bounds(table, np.zeros(1), np.zeros(2))


def test_refuses_what_has_no_answer() -> None:
    table = random_rows(9, 0)
    with pytest.raises(Undefined, match="9 real"):
        pair_trends(table, table)
    with pytest.raises(Undefined, match="of 1 columns"):
        pair_trends(rows([np.arange(20)], (0,)), rows([np.arange(20)], (0,)))
    with pytest.raises(Undefined, match="0 made"):
        marginals(table, table.take(np.arange(0)))
    with pytest.raises(DataError, match="not the same"):
        marginals(table, table.without(0))
