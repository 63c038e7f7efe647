"""Learning rates over a run."""

from __future__ import annotations

import pytest

from tenfold.engine.schedule import SCHEDULES


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.0, 0.0]),
        ("cosine", [1, 0.8535534, 0.5, 0, 0]),
        ("second_half", [1, 1, 1, 0, 0]),
    ],
)
def test_by_hand(name, values):
    assert [SCHEDULES[name](p) for p in (0.0, 0.25, 0.5, 1.0, 1.5)] == pytest.approx(values, abs=1e-7)


def test_all_are_tested():
    assert set(SCHEDULES) == {"constant", "linear", "cosine", "second_half"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_before_the_start_nothing_has_fallen(name):
    assert SCHEDULES[name](-0.5) == 1
