"""Rows of a table as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.metrics.rows import Undefined
from tenfold.metrics.tables.design import FREQUENT, TREE_CODES, TableRows, alike, design, joined

NAN = np.nan


def rows(columns: list[list[float]], levels: tuple[int, ...]) -> TableRows:
    values = np.array(columns, dtype=np.float64).T
    names = tuple("abcdefgh"[: len(levels)])
    return TableRows(values, tuple(count > 0 for count in levels), levels, names)


def test_numbers_by_hand() -> None:
    table = rows([[1, 3, NAN, 2], [0, 1, 1, 2]], (0, 3))
    seen = design(table).numbers(table)
    spread = (2 / 3) ** 0.5
    assert seen[:, 0] == pytest.approx([-1 / spread, 1 / spread, 0, 0])
    assert seen[:, 1].tolist() == [0, 0, 1, 0]
    # The most frequent category has the first bit; equally frequent ones keep their order.
    assert seen[:, 2:].tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_a_far_number_does_not_lead_a_linear_model() -> None:
    table = rows([[0, 1, 2, 3]], (0,))
    far = rows([[1e9]], (0,))
    assert design(table).numbers(far)[0, 0] == 10


def test_distances_are_one_for_a_category_and_a_reach() -> None:
    numbers = np.linspace(0, 50, 101).tolist()
    table = rows([numbers, [0.0] * 50 + [1.0] * 51], (0, 2))
    view = design(table)
    seen = view.distances(rows([[10, 10, 59, NAN, NAN], [0, 1, 0, 0, 0]], (0, 2)))
    assert np.square(seen[0] - seen[1]).sum() == pytest.approx(1)
    assert np.linalg.norm(seen[0] - seen[2]) == pytest.approx(1)  # from 0.5 to 49.5 are 98 of 100
    assert np.linalg.norm(seen[0] - seen[3]) >= 1 and (seen[3] == seen[4]).all()


def test_rare_categories_share_a_bit_and_a_number() -> None:
    levels = TREE_CODES + 100
    codes = np.r_[np.repeat(np.arange(levels), 1), np.repeat(np.arange(5), 9)].astype(float)
    table = rows([codes.tolist()], (levels,))
    view = design(table)
    assert view.numbers(table).shape[1] == FREQUENT + 1
    assert (view.numbers(table).sum(1) == 1).all()
    assert view.numbers(table)[levels - 1, FREQUENT] == 1
    assert len(np.unique(view.trees(table))) == TREE_CODES


def test_trees_keep_numbers_and_what_is_missing() -> None:
    table = rows([[5, NAN, 7], [1, 1, 0], [NAN, NAN, NAN]], (0, 2, 0))
    seen = design(table).trees(table)
    np.testing.assert_array_equal(seen[:, 0], [5, NAN, 7])
    assert seen[:, 1].tolist() == [0, 0, 1]
    assert seen[:, 2].tolist() == [0, 0, 0]  # nothing but missing values: the boosting would fail


def test_constant_and_missing_columns_make_no_nan() -> None:
    table = rows([[0.1] * 5, [NAN] * 5, [2] * 5], (0, 0, 3))
    view = design(table)
    for seen in (view.numbers(table), view.distances(table)):
        assert np.isfinite(seen).all()
    other = rows([[0.1], [4], [0]], (0, 0, 3))
    assert np.abs(view.numbers(other)).max() <= 10


@pytest.mark.parametrize("levels", [(0, 0), (3, 2)])
def test_one_kind_of_columns_is_enough(levels: tuple[int, ...]) -> None:
    table = rows([[0, 1, 1], [1, 0, 1]], levels)
    view = design(table)
    assert view.numbers(table).shape == (3, 4 if levels == (0, 0) else 5)
    assert view.trees(table).shape == (3, 2) and len(view.distances(table)) == 3


def test_alike_rounds_as_the_first_are() -> None:
    real = rows([[0.1, 0.25, NAN], [1, 2, 3], [np.pi, np.e, 1e-7], [0, 1, 1]], (0, 0, 0, 2))
    fake = rows([[0.1 + 2e-10, 0.337, NAN], [1.4, 2, 3], [np.pi + 1e-12, 0, 5], [1, 1, 0]], (0, 0, 0, 2))
    one, other = alike(real, fake)
    np.testing.assert_array_equal(other.values[:, 0], [0.1, 0.34, NAN])
    assert other.values[:, 1].tolist() == [1, 2, 3]
    assert one.values[0, 2] == other.values[0, 2] == pytest.approx(np.pi, rel=1e-8)
    assert one.values[2, 2] == pytest.approx(1e-7) and other.values[1, 2] == 0
    assert other.values[:, 3].tolist() == [1, 1, 0]
    np.testing.assert_array_equal(alike(one)[0].values, one.values)


def test_multiples_of_a_step_have_its_decimals() -> None:
    real = rows([(np.arange(50) * 0.1).tolist()], (0,))
    fake = rows([[0.3, 0.30000000000000004, 0.7]], (0,))
    seen = alike(real, fake)[1].values[:, 0]
    assert seen[0] == seen[1] and seen[2] in alike(real)[0].values[:, 0]


def test_parts_of_a_table() -> None:
    table = rows([[1, 2], [0, 1]], (0, 2))
    assert table.place("b") == 1 and len(joined(table, table)) == 4
    assert table.take(np.array([1])).values.tolist() == [[2, 1]]
    left = table.without(0)
    assert (left.names, left.levels, left.categorical) == (("b",), (2,), (True,))


def test_refuses_what_is_no_table() -> None:
    with pytest.raises(DataError, match="Did you mean 'b'"):
        rows([[1.0], [2.0]], (0, 0)).place("bb")
    with pytest.raises(DataError, match=r"first: 'b'\), expected categories from 0 to 1"):
        rows([[1, 1], [0, 2]], (0, 2))
    with pytest.raises(DataError, match="expected categories"):
        rows([[0, NAN]], (2,))
    with pytest.raises(DataError, match="expected finite numbers"):
        rows([[0, np.inf]], (0,))
    with pytest.raises(DataError, match="expected one of each"):
        TableRows(np.zeros((2, 2)), (False,), (0,), ("a",))
    with pytest.raises(DataError, match="not the same"):
        joined(rows([[1.0]], (0,)), rows([[1.0]], (2,)))
    with pytest.raises(DataError, match="expected a, b"):
        design(rows([[1.0], [2.0]], (0, 0))).numbers(rows([[1.0]], (0,)))
    with pytest.raises(Undefined):
        design(rows([[]], (0,)))
