from __future__ import annotations

import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from tenfold.errors import DataError
from tenfold.metrics import kernel
from tenfold.metrics.kernel import kernel_distance


def normal(*shape: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + shift


def test_value_and_error_by_hand():
    # k(x, y) = (xy + 1)^3 in one dimension.
    real, fake = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [0.0], [1.0]])
    # Pairs of real: 1, 1, 27. Pairs of fake: 1, 1, 1. Across, by rows: 1 1 1, 1 1 8, 1 1 27.
    estimate = kernel_distance(real, fake)
    assert estimate.value == pytest.approx(29 / 3 + 1 - 2 * 42 / 9)
    # What is left without each row, but for what stays the same: one pair within, six across.
    by_real = torch.tensor([27 - 13, 1 - 32 / 3, 1 - 13 / 3])
    by_fake = -2 * torch.tensor([39 / 6, 39 / 6, 1.0])
    variance = 2 * (by_real.var(correction=0) + by_fake.var(correction=0))
    assert estimate.error == pytest.approx(variance.sqrt().item())


def test_equals_torchmetrics():
    real, fake = normal(60, 7, seed=1).double(), normal(60, 7, seed=2, shift=0.3).double()
    assert kernel_distance(real, fake).value == pytest.approx(poly_mmd(real, fake).item(), rel=1e-10)


def test_sets_of_different_size_and_chunks(monkeypatch: pytest.MonkeyPatch):
    real, fake = normal(50, 3, seed=1), normal(31, 3, seed=2, shift=0.2)
    whole = kernel_distance(real, fake)
    swapped = kernel_distance(fake, real)
    assert (swapped.value, swapped.error) == pytest.approx((whole.value, whole.error))
    monkeypatch.setattr(kernel, "_CHUNK", 7)
    parts = kernel_distance(real, fake)
    assert (parts.value, parts.error) == pytest.approx((whole.value, whole.error))


def repeated(shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    estimates = [
        kernel_distance(normal(25, 4, seed=2 * i), normal(20, 4, seed=2 * i + 1, shift=shift))
        for i in range(400)
    ]
    return torch.tensor([e.value for e in estimates]), torch.tensor([e.error for e in estimates])


def test_zero_on_average_between_equal_distributions():
    values, errors = repeated(shift=0.0)
    assert abs(values.mean()) < 3 * values.std() / 20
    assert values.std() < errors.square().mean().sqrt() < 1.6 * values.std()


def test_error_is_the_spread_between_different_distributions():
    values, errors = repeated(shift=1.0)
    assert errors.square().mean().sqrt() == pytest.approx(values.std().item(), rel=0.2)


@pytest.mark.parametrize(("real", "fake"), [((5, 3), (5, 4)), ((2, 3), (5, 3)), ((5, 3, 2), (5, 3, 2))])
def test_refuses_what_it_cannot_compare(real: tuple[int, ...], fake: tuple[int, ...]):
    with pytest.raises(DataError, match="expected"):
        kernel_distance(torch.zeros(real), torch.zeros(fake))
