"""Explicit randomness."""

from __future__ import annotations

import pytest
import torch

from tenfold.draw import Draw, derive


def test_seeds_are_the_same_everywhere_and_later():
    """A run that is resumed with another version must go on with the same numbers: never change these."""
    assert derive() == 2847183694713211083
    assert derive(0) == 2631537505891389924
    assert derive(0, "order", 1) == 2002067703672271585
    assert derive("0", "order", 1) == 1856302240990165223


def test_every_part_counts():
    seeds = {derive(s, p, i) for s in range(10) for p in ("turn", "order") for i in range(10)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive(1, 23) != derive(12, 3)


def test_numbers_are_the_same_everywhere_and_later():
    draw = Draw(7, slice(0, 3), 3)
    assert draw.integers(1000, 2).tolist() == [[615, 892], [721, 286], [283, 347]]
    assert draw.uniform().tolist() == pytest.approx([0.207086, 0.629736, 0.365316], abs=1e-6)


@pytest.mark.parametrize("rows", [slice(0, 4), slice(2, 4), slice(1, 2), slice(3, 3)], ids=str)
def test_a_part_gets_the_rows_of_the_whole(rows):
    whole, part = Draw(7, slice(0, 4), 4), Draw(7, rows, 4)
    assert len(part) == rows.stop - rows.start
    for _ in range(2):  # what was drawn before must not shift what comes after
        assert torch.equal(whole.normal(3)[rows], part.normal(3))
        assert torch.equal(whole.uniform(2, 2)[rows], part.uniform(2, 2))
        assert torch.equal(whole.integers(9)[rows], part.integers(9))


def test_distributions():
    draw = Draw(1, slice(0, 20_000), 20_000)
    normal, uniform, whole = draw.normal(), draw.uniform(), draw.integers(5)
    assert (normal.mean().item(), normal.std().item()) == pytest.approx((0, 1), abs=0.03)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.01)
    assert torch.bincount(whole).tolist() == pytest.approx([4000] * 5, rel=0.1)


def test_it_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    Draw(1, slice(0, 4), 4).normal(3)
    assert torch.equal(torch.random.get_rng_state(), before)
