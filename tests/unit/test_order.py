"""The order of batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tenfold.data.order import Rows, Shuffled
from tenfold.errors import DataError

WHOLE = slice(None)


def batches(n: int, size: int, seed: int = 0) -> Shuffled:
    return Shuffled(Rows(torch.arange(n)), size, seed)


def numbers(order: Shuffled, index: int, rows: slice = WHOLE) -> list[int]:
    return order(index, rows)["real"].tolist()


@pytest.mark.parametrize(("n", "size"), [(12, 4), (10, 4), (7, 7), (7, 1), (11, 10)])
def test_every_pass_shows_each_sample_once(n, size):
    order = batches(n, size)
    drawn = [i for k in range(3 * n) for i in numbers(order, k)]
    for epoch in range(3 * size):
        assert sorted(drawn[epoch * n : (epoch + 1) * n]) == list(range(n))
    assert drawn[:n] != drawn[n : 2 * n] or n == 1


def test_a_batch_is_a_function_of_the_seed_and_its_number():
    there, back = batches(10, 4), batches(10, 4)
    first = [numbers(there, k) for k in range(20)]
    again = [numbers(back, k) for k in reversed(range(20))]
    assert first == again[::-1]
    assert first != [numbers(batches(10, 4, seed=1), k) for k in range(20)]


def test_the_order_is_the_same_everywhere_and_later():
    """A run that is resumed with another version must go on with the same batches: never change these."""
    order = batches(10, 4, seed=3)
    assert [numbers(order, k) for k in range(3)] == [[1, 0, 5, 9], [2, 8, 3, 6], [4, 7, 5, 7]]


def test_rows_of_a_batch():
    order = batches(10, 4)
    for k in range(5):
        assert numbers(order, k, slice(0, 2)) + numbers(order, k, slice(2, 4)) == numbers(order, k)


@pytest.mark.parametrize(
    "labels", [[0] * 90 + [1] * 9 + [2], [5] * 90 + [2] * 9 + [9]], ids=["0 1 2", "5 2 9"]
)
def test_balanced_classes_are_equally_frequent(labels):
    data = Rows(torch.arange(100), np.array(labels))
    order = Shuffled(data, 50, balanced=True)
    seen = torch.cat([order(k, WHOLE)["condition"] for k in range(60)])
    _, counts = seen.unique(return_counts=True)
    assert (counts / len(seen)).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    real = torch.cat([order(k, WHOLE)["real"] for k in range(60)])
    assert len(real.unique()) == 100
    assert seen.tolist() == [labels[i] for i in real]


def test_balanced_batches_are_functions_of_the_seed_and_their_number():
    data = Rows(torch.arange(20), np.arange(20) % 4)
    a, b, other = (Shuffled(data, 8, seed, balanced=True) for seed in (0, 0, 1))
    a(3, WHOLE)
    assert numbers(a, 5) == numbers(b, 5) == numbers(b, 5, slice(0, 3)) + numbers(b, 5, slice(3, 8))
    assert numbers(a, 5) != numbers(a, 6)
    assert numbers(a, 5) != numbers(other, 5)


def test_labels_come_with_their_samples():
    data = Rows(torch.arange(20), np.arange(20) % 4)
    batch = Shuffled(data, 8)(1, slice(2, 7))
    assert batch["condition"].tolist() == (batch["real"] % 4).tolist()
    assert batch["condition"].dtype == torch.int64
    assert "condition" not in batches(10, 4)(0, WHOLE)
    assert list(Shuffled(data, 8, labelled=False)(1, WHOLE)) == ["real"]


def test_a_batch_larger_than_the_data():
    with pytest.raises(DataError, match="batch of 5 samples is larger than the data, which have 4"):
        batches(4, 5)


def test_balancing_without_labels():
    with pytest.raises(DataError, match="no labels"):
        Shuffled(Rows(torch.arange(4)), 2, balanced=True)
