"""Splits: stratified, by group, without overlap; tasks that cannot be split are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.proof.splits import deal, make_splits, subset, together
from tenfold.proof.task import Task, checked, with_test


def task(n: int = 200, groups: np.ndarray | None = None, seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 10 > 6).astype(np.int64)
    names = [f"item {i}" for i in range(n)]
    return Task("toys", "vectors", rng.standard_normal((n, 3)), labels, ("a", "b"), groups, names)


def splits_of(toys: Task, count: int = 5) -> list:
    return make_splits(toys, together(toys)[0], count, seed=3)


def test_every_item_judges_once_and_sides_do_not_overlap() -> None:
    folds = splits_of(task())
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(200))
    for fold in folds:
        sides = [fold.train, fold.validation, fold.test]
        assert [len(side) for side in sides] == [120, 40, 40]
        assert len(np.unique(np.concatenate(sides))) == 200
        assert [task().labels[side].mean() for side in sides] == pytest.approx([0.3, 0.3, 0.3], abs=0.01)


def test_seeds_give_other_splits() -> None:
    toys = task()
    one, other = (make_splits(toys, together(toys)[0], 1, seed)[0].test for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_groups_are_never_split() -> None:
    groups = np.random.default_rng(1).integers(0, 40, 200)
    folds = splits_of(task(groups=groups))
    for fold in folds:
        sides = [set(groups[side]) for side in (fold.train, fold.validation, fold.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        assert 25 < len(fold.test) < 55


def test_copies_stay_on_one_side_even_across_groups() -> None:
    toys = task(groups=np.arange(200) // 2)
    values = toys.values.copy()
    values[[10, 50, 90]] = values[0]  # so the groups of 0, 10, 50 and 90 belong together
    values[150] = values[91]  # and by way of 91, those of 150
    toys = replace(toys, values=values)
    groups, copies = together(toys)
    assert copies == 4
    assert len(set(groups[[0, 1, 10, 11, 50, 51, 90, 91, 150, 151]])) == 1
    assert len(set(groups)) == 96


def test_deal_spreads_a_rare_class_over_all_parts() -> None:
    labels = np.r_[np.zeros(500, np.int64), np.ones(5, np.int64)]
    side = deal(labels, np.arange(505), 5, seed=0)
    assert np.bincount(side[labels == 1], minlength=5).tolist() == [1] * 5
    assert np.bincount(side).tolist() == [101] * 5


def test_a_share_of_each_class() -> None:
    labels = np.repeat([0, 1, 2], [40, 8, 3])
    chosen = subset(labels, 0.25, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [10, 2, 2]


def test_a_class_too_small_to_split_is_named() -> None:
    toys = task()
    labels = np.where(np.arange(200) < 4, 1, 0)
    with pytest.raises(DataError, match=r"class 'b' has 4 items .* at least 5"):
        splits_of(replace(toys, labels=labels))
    with pytest.raises(DataError, match=r"class 'b' has 60 items \(3 that"):
        splits_of(replace(toys, groups=np.where(toys.labels == 1, np.arange(200) % 3, np.arange(200) + 3)))


def test_a_class_without_a_test_item_is_named() -> None:
    test = task(40, seed=9)
    toys = with_test(task(), replace(test, labels=np.zeros_like(test.labels)))
    with pytest.raises(DataError, match=r"class 'b' has no item in the test set"):
        splits_of(toys, 3)
    few = replace(task(), labels=np.where(np.arange(200) < 3, 1, 0))
    with pytest.raises(DataError, match=r"class 'b' has 3 items .* train and some select; at least 4"):
        splits_of(with_test(few, test), 3)


def test_a_test_set_that_overlaps_is_refused_and_named() -> None:
    toys, test = task(), task(40, seed=9)
    test.values[7] = toys.values[30]
    with pytest.raises(DataError, match=r"1 items of the test set toys are also in toys .*item 7"):
        with_test(toys, test)


def test_a_given_test_set_judges_in_every_split() -> None:
    toys = with_test(task(), task(40, seed=9))
    folds = splits_of(toys, 3)
    for fold in folds:
        np.testing.assert_array_equal(fold.test, np.arange(200, 240))
        assert len(fold.train) == 150 and len(fold.validation) == 50
    assert not np.array_equal(folds[0].validation, folds[1].validation)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": np.zeros(200, np.int64)}, "one class"),
        ({"values": np.full((200, 3), np.nan)}, "not finite .*item 0"),
        ({"values": np.zeros((12, 3)), "labels": np.arange(12) % 2}, "12 items; at least 20"),
    ],
)
def test_what_cannot_be_judged_is_refused(change: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        checked(replace(task(), **change))
