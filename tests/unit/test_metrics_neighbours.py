from __future__ import annotations

import pytest
import torch

from tenfold.metrics import neighbours
from tenfold.metrics.neighbours import blocks, nearest, nearest_other, reach
from tenfold.metrics.rows import Undefined


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_equal_to_all_differences(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(neighbours, "CHUNK", 7)
    a, b = normal(30, 4, seed=1), normal(20, 4, seed=2)
    every = (a[:, None] - b).norm(dim=2)
    assert torch.cat([part for _, part in blocks(a, b)]).allclose(every)
    found = nearest(a, b)
    assert found.distance.allclose(every.min(1).values) and torch.equal(found.index, every.argmin(1))
    within = (a[:, None] - a).norm(dim=2).fill_diagonal_(torch.inf)
    other = nearest_other(a)
    assert other.distance.allclose(within.min(1).values) and torch.equal(other.index, within.argmin(1))
    assert reach(a, 3).allclose(within.sort(1).values[:, 2])


def test_copies_are_at_zero_far_from_the_origin():
    x = normal(40, 64, seed=1) + 1e5
    assert nearest(x[5:9], x).distance.tolist() == [0] * 4
    twice = torch.cat([x, x])
    assert not nearest_other(twice).distance.any()
    assert torch.cat([part for _, part in blocks(x, x)]).diagonal().tolist() == [0] * 40
    assert not reach(twice, 1).any() and reach(twice, 2).min() > 1


def test_what_is_near_but_no_copy_is_not_at_zero():
    x = normal(40, 64, seed=1)
    for offset in (0, 1e5):
        found = nearest(x + 1e-4 + offset, x + offset)
        assert found.distance.allclose(torch.full((40,), 8e-4).double(), rtol=1e-3)
        assert torch.equal(found.index, torch.arange(40))


def test_an_offset_of_all_rows_changes_no_distance():
    x = normal(40, 2, seed=1)
    near, far = (torch.cat([part for _, part in blocks(y, y)]) for y in (x, x + 1e5))
    assert far.allclose(near, atol=1e-6)


def test_one_row_has_no_other():
    with pytest.raises(Undefined, match="n = 1: at least 2"):
        nearest_other(torch.zeros(1, 2))
