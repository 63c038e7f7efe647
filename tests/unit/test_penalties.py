"""Penalties of critics whose slope is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tenfold.draw import Draw
from tenfold.penalties import R1, R2, Interpolated, Look, squared_gradient_norm

W = torch.tensor([1.0, -2.0, 2.0])


def look(critic, real: Tensor, fake: Tensor, seed: int = 3) -> Look:
    real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
    n = len(real)
    return Look(critic, real, fake, critic(real), critic(fake), Draw(seed, slice(0, n), n))


def linear(x: Tensor) -> Tensor:
    return (x @ W)[:, None]


def by_row(x: Tensor) -> Tensor:
    """A linear critic that is i + 1 times as steep for sample i."""
    return (torch.arange(1, len(x) + 1) * (x @ W))[:, None]


@pytest.mark.parametrize("penalty", [R1(), R2()], ids=["r1", "r2"])
def test_zero_centred_penalty_of_a_linear_critic(penalty):
    assert penalty(look(linear, torch.randn(4, 3), torch.randn(4, 3))).tolist() == pytest.approx([4.5] * 4)


def test_r1_is_of_real_and_r2_of_generated_samples():
    real, fake = torch.randn(4, 3), torch.randn(4, 3)
    seen = look(lambda x: x.square().sum(1, keepdim=True) / 2, real, fake)
    torch.testing.assert_close(R1()(seen), real.square().sum(1) / 2)
    torch.testing.assert_close(R2()(seen), fake.square().sum(1) / 2)


def test_one_centred_penalty_of_a_linear_critic():
    seen = look(linear, torch.randn(4, 3), torch.randn(4, 3))
    assert Interpolated()(seen).tolist() == pytest.approx([4.0] * 4)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [(R1(), [4.5, 18.0, 40.5]), (R2(), [4.5, 18.0, 40.5]), (Interpolated(), [4.0, 25.0, 64.0])],
    ids=["r1", "r2", "interpolated"],
)
def test_each_sample_has_a_slope_of_its_own(penalty, expected):
    said = penalty(look(by_row, torch.randn(3, 3), torch.randn(3, 3)))
    assert said.shape == (3,)
    assert said.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)], ids=["vectors", "images"])
def test_one_point_between_each_pair_of_samples(shape):
    points = []

    def critic(x: Tensor) -> Tensor:
        points.append(x.detach())
        return x.flatten(1).sum(1, keepdim=True)

    real, fake = torch.randn(6, *shape), torch.randn(6, *shape) + 9
    for seed in (3, 3, 4):
        Interpolated()(look(critic, real, fake, seed))
    share = ((points[2] - real) / (fake - real)).flatten(1)
    torch.testing.assert_close(share, share[:, :1].expand_as(share), rtol=0, atol=1e-5)
    assert share.min() >= 0
    assert share.max() <= 1
    assert share[:, 0].std() > 0.05, "each pair has a share of its own"
    assert torch.equal(points[2], points[5])
    assert not torch.equal(points[2], points[8])


@pytest.mark.parametrize("penalty", [R1(), R2(), Interpolated()], ids=["r1", "r2", "interpolated"])
def test_a_flat_critic_gives_no_nan(penalty):
    w = torch.zeros(3, requires_grad=True)
    value = penalty(look(lambda x: (x @ w)[:, None], torch.randn(4, 3), torch.randn(4, 3))).mean()
    value.backward()
    assert value.item() == pytest.approx(1.0 if isinstance(penalty, Interpolated) else 0.0, abs=1e-5)
    assert w.grad is not None
    assert w.grad.isfinite().all()


@pytest.mark.parametrize("penalty", [R1(), R2(), Interpolated()], ids=["r1", "r2", "interpolated"])
def test_the_critic_learns_from_it(penalty):
    w = W.clone().requires_grad_()
    penalty(look(lambda x: (x @ w)[:, None], torch.randn(4, 3), torch.randn(4, 3))).mean().backward()
    # d |w|^2 / 2 is w; d (|w| - 1)^2 is 2 (|w| - 1) w / |w|, with |w| = 3.
    torch.testing.assert_close(w.grad, W * (4 / 3) if isinstance(penalty, Interpolated) else W)


def test_the_norm_is_computed_in_float32():
    x = torch.ones((2, 301), dtype=torch.bfloat16, requires_grad=True)
    said = squared_gradient_norm((x * 1.0).sum(1), x)
    assert said.dtype == torch.float32
    assert said.tolist() == [301.0, 301.0]  # bfloat16 knows no odd numbers between 256 and 512
    logits = (x * 1.0).sum(1)
    assert R1()(Look(by_row, x, x, logits, logits, Draw(0, slice(0, 2), 2))).tolist() == [602.0, 602.0]


def test_several_logits_of_a_sample_are_summed():
    x = torch.randn(2, 3, requires_grad=True)
    assert squared_gradient_norm(torch.stack([x @ W, x @ W], 1), x).tolist() == pytest.approx([36.0, 36.0])
