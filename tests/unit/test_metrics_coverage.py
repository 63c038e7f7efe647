from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from prdc import compute_prdc

from tenfold.errors import DataError
from tenfold.metrics import coverage
from tenfold.metrics.coverage import Manifold, manifold


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.4])
def test_equals_prdc(k: int, scale: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coverage, "_CHUNK", 32)
    real, fake = torch.randn(90, 3).double(), scale * torch.randn(70, 3).double()
    fake[:3] = real[:3]
    assert asdict(manifold(real, fake, k)) == pytest.approx(
        compute_prdc(real.numpy(), fake.numpy(), k), abs=1e-12
    )


def test_by_hand():
    real = torch.tensor([[0.0], [1.0], [10.0]])
    fake = torch.tensor([[0.5], [0.6], [30.0], [31.5]])
    # Radii of real: 1, 1, 9. Radii of fake: 0.1, 0.1, 1.5, 1.5.
    # 0.5 and 0.6 lie in the first two balls of real, not in the third, 9.5 and 9.4 away; the others in none.
    assert manifold(real, fake, k=1) == Manifold(precision=0.5, recall=0.0, density=1.0, coverage=2 / 3)


def test_a_collapsed_generator_is_precise_and_covers_little():
    real = torch.randn(200, 2)
    seen = manifold(real, real[:1] + 1e-4 * torch.randn(200, 2))
    assert seen.precision == 1 and seen.recall < 0.02 and seen.coverage < 0.1


def test_refuses_fewer_samples_than_neighbours():
    with pytest.raises(DataError, match="at least 6"):
        manifold(torch.zeros(5, 2), torch.zeros(9, 2))
