from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from prdc import compute_prdc

from tenfold.errors import DataError
from tenfold.metrics import neighbours
from tenfold.metrics.coverage import Manifold, manifold
from tenfold.metrics.rows import Undefined


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.4])
def test_equals_prdc(k: int, scale: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(neighbours, "CHUNK", 32)
    real, fake = normal(90, 3, seed=1), scale * normal(70, 3, seed=2)
    fake[:3] = real[:3]
    found = asdict(manifold(real, fake, k))
    covered = found.pop("covered")
    assert found == pytest.approx(compute_prdc(real.numpy(), fake.numpy(), k), abs=1e-12)
    assert covered.double().mean().item() == pytest.approx(found["coverage"], abs=1e-12)


def test_by_hand():
    real = torch.tensor([[0.0], [1.0], [10.0]])
    fake = torch.tensor([[0.5], [0.6], [30.0], [31.5]])
    # Radii of real: 1, 1, 9. Radii of fake: 0.1, 0.1, 1.5, 1.5.
    # 0.5 and 0.6 lie in the first two balls of real, not in the third, 9.5 and 9.4 away; the others in none.
    assert manifold(real, fake, k=1) == Manifold(precision=0.5, recall=0.0, density=1.0, coverage=2 / 3)


def test_a_collapsed_generator_is_precise_and_covers_little():
    real = normal(200, 2, seed=1)
    seen = manifold(real, real[:1] + 1e-4 * normal(200, 2, seed=2))
    assert seen.precision == 1 and seen.recall < 0.02 and seen.coverage < 0.1


def test_copies_of_one_sample_have_no_neighbourhood():
    """Far from the origin, where rounding is larger than what it hides."""
    real = normal(100, 30, seed=1) + 1e4
    seen = manifold(real, real[:1].repeat(100, 1))
    assert seen.recall == 0 and seen.precision == 1


def test_refuses_fewer_samples_than_neighbours():
    with pytest.raises(Undefined, match="n = 5: at least 6"):
        manifold(torch.zeros(5, 2), torch.zeros(9, 2))
    with pytest.raises(DataError, match="9 of 9 generated samples"):
        manifold(torch.zeros(8, 2), torch.full((9, 2), torch.inf))
