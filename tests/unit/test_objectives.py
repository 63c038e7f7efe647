"""Objectives at numbers worked out by hand."""

from __future__ import annotations

from math import e, log, log1p

import pytest
import torch

from tenfold.objectives import HINGE, LEAST_SQUARES, NON_SATURATING, RELATIVISTIC, WASSERSTEIN

REAL, FAKE = [0.0, 2.0, 0.5], [0.0, -1.0, 0.5]


def soft(x: float) -> float:
    """ln(1 + e^x)."""
    return log1p(e**x)


HAND = {
    "non-saturating": (
        NON_SATURATING,
        [2 * log(2), soft(-2) + soft(-1), soft(-0.5) + soft(0.5)],
        [log(2), soft(1), soft(-0.5)],
    ),
    "least squares": (LEAST_SQUARES, [0.5, 1.0, 0.25], [0.5, 2.0, 0.125]),
    "hinge": (HINGE, [2.0, 0.0, 2.0], [0.0, 1.0, -0.5]),
    "Wasserstein": (WASSERSTEIN, [0.0, -3.0, 0.0], [0.0, 1.0, -0.5]),
    "relativistic": (RELATIVISTIC, [log(2), soft(-3), log(2)], [log(2), soft(3), log(2)]),
}
each = pytest.mark.parametrize(("objective", "discriminator", "generator"), HAND.values(), ids=HAND)


@each
@pytest.mark.parametrize("shape", [(3,), (3, 1)], ids=str)
def test_by_hand(objective, discriminator, generator, shape):
    real, fake = torch.tensor(REAL).view(shape), torch.tensor(FAKE).view(shape)
    said, asked = objective.discriminator(real, fake), objective.generator(fake, real)
    assert said.shape == asked.shape == shape
    assert said.flatten().tolist() == pytest.approx(discriminator)
    assert asked.flatten().tolist() == pytest.approx(generator)


@each
def test_only_a_relativistic_generator_reads_the_real_logits(objective, discriminator, generator):
    fake = torch.tensor(FAKE)
    a, b = objective.generator(fake, torch.tensor(REAL)), objective.generator(fake, torch.zeros(3) - 9)
    assert torch.equal(a, b) is not objective.relativistic


@each
def test_unbounded_means_that_only_differences_count(objective, discriminator, generator):
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    a, b = objective.discriminator(real, fake), objective.discriminator(real + 5, fake + 5)
    assert torch.allclose(a, b) is not objective.bounded


@each
def test_the_players_pull_in_opposite_directions(objective, discriminator, generator):
    fake = torch.zeros(1, requires_grad=True)
    real = torch.zeros(1)
    (up,) = torch.autograd.grad(objective.discriminator(real, fake).sum(), fake)
    (down,) = torch.autograd.grad(objective.generator(fake, real).sum(), fake)
    assert up.item() >= 0 > down.item()


@each
@pytest.mark.parametrize("size", [-500.0, 500.0])
def test_large_logits_stay_finite(objective, discriminator, generator, size):
    x = torch.tensor([size], requires_grad=True)
    loss = objective.discriminator(x, -x) + objective.generator(x, -x)
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    assert loss.isfinite().all()
    assert gradient.isfinite().all()
