"""Which samples are held out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.holdout import holdout_target, plan_holdout

labels_of = st.lists(st.integers(0, 4), min_size=0, max_size=700)


@settings(max_examples=60, deadline=None)
@given(labels_of, st.integers(0, 9))
def test_by_class(numbers, seed):
    labels = [str(number) for number in numbers]
    out = plan_holdout(labels, [None] * len(labels), seed)
    assert out.tolist() == sorted(set(out.tolist()))
    assert len(out) <= len(labels) / 4 if len(labels) >= 80 else len(out) == 0
    all_of, held = Counter(labels), Counter(labels[i] for i in out)
    assert all(all_of[label] - held[label] >= min(2, all_of[label]) for label in all_of)
    target = holdout_target(len(labels))
    if target:
        assert len(out) == target
        assert all(abs(held[label] - n * target / len(labels)) <= 1 for label, n in all_of.items() if n > 20)
    assert out.tolist() == plan_holdout(labels, [None] * len(labels), seed).tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=80, max_size=400))
def test_by_group(rows):
    labels, groups = [str(label) for label, _ in rows], [str(group) for _, group in rows]
    out = set(plan_holdout(labels, groups, 0).tolist())
    held = {groups[i] for i in out}
    kept = {groups[i] for i in range(len(rows)) if i not in out}
    assert not held & kept
    assert len(out) <= len(rows) / 4
    left = Counter(labels[i] for i in range(len(rows)) if i not in out)
    assert all(left[label] >= min(2, n) for label, n in Counter(labels).items())


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("counts", [(2, 2, 96), (1, 2, 3, 94)])
@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_left_with_a_single_image(grouped, counts, seed):
    labels = [str(label) for label, n in enumerate(counts) for _ in range(n)]
    groups = [str(i) if grouped else None for i in range(len(labels))]
    out = plan_holdout(labels, groups, seed)
    held = Counter(labels[i] for i in out)
    assert len(out) == 25
    assert all(n - held[str(label)] >= min(2, n) for label, n in enumerate(counts))


def test_classes_of_two_images_leave_no_holdout():
    assert len(plan_holdout([str(i // 2) for i in range(100)], [None] * 100, 0)) == 0


def test_groups_are_used_up_to_the_target():
    groups = [str(i // 4) for i in range(400)]
    assert 50 <= len(plan_holdout([None] * 400, groups, 0)) <= 53


def test_a_sample_without_a_group_is_its_own():
    groups = ["all"] * 100 + [None] * 300
    out = plan_holdout([None] * 400, groups, 0)
    assert len(out) == 50 and out.min() >= 100


def test_one_group_of_everything_leaves_no_holdout():
    assert len(plan_holdout([None] * 200, ["a"] * 200, 0)) == 0


def test_seed_decides():
    labels, groups = [None] * 200, [None] * 200
    assert not np.array_equal(plan_holdout(labels, groups, 0), plan_holdout(labels, groups, 1))


@pytest.mark.parametrize(("count", "target"), [(0, 0), (79, 0), (80, 20), (200, 50), (500, 50), (1000, 100)])
def test_target(count, target):
    assert holdout_target(count) == target


def test_a_holdout_too_small_to_judge_by_is_none():
    labels = [str(i // 2) for i in range(100)]
    assert len(plan_holdout([*labels, *["99"] * 7], [None] * 107, 0)) == 0  # could spare five
    assert len(plan_holdout([*labels, *["99"] * 8], [None] * 108, 0)) == 6
