from __future__ import annotations

import math

import pytest
import torch

from tenfold.metrics.modes import GRID, RING, Mixture, mode_report

PAIR = Mixture(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), sigma=1.0)


def test_counts_by_hand():
    # Three at the first centre, one at the second, one four sigma away from it, one nowhere.
    samples = torch.tensor([[0.0, 0], [1, 0], [0, -2.9], [10, 2], [14, 0], [5, 50]])
    report = mode_report(samples, PAIR)
    assert report.found == 2
    assert report.high_quality_share == pytest.approx(4 / 6)
    assert report.reverse_kl == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


def test_quality_is_a_circle_not_a_square():
    assert mode_report(torch.tensor([[2.5, 2.5]]), PAIR).high_quality_share == 0


def test_one_mode_only_and_none():
    one = mode_report(torch.zeros(5, 2), PAIR)
    assert (one.found, one.reverse_kl) == (1, pytest.approx(math.log(2)))
    none = mode_report(torch.full((5, 2), 99.0), PAIR)
    assert (none.found, none.high_quality_share, none.reverse_kl) == (0, 0, math.inf)


@pytest.mark.parametrize(("mixture", "modes"), [(RING, 8), (GRID, 25)])
def test_real_samples_are_good(mixture: Mixture, modes: int):
    report = mode_report(mixture.draw(2500, seed=1), mixture)
    assert report.found == modes
    assert report.high_quality_share == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert report.reverse_kl < 0.02


def test_places():
    assert RING.centres.norm(dim=1).allclose(torch.ones(8)) and RING.sigma == 0.01
    assert torch.pdist(GRID.centres).min() == 2 and GRID.centres.mean(0).norm() == 0 and GRID.sigma == 0.05


def test_draw_depends_on_its_seed_alone():
    first = RING.draw(5, seed=3)
    torch.manual_seed(9)
    assert torch.equal(first, RING.draw(5, seed=3)) and not torch.equal(first, RING.draw(5, seed=4))
