"""The game of one player: its bound against a marginal that is known, and what its networks are shown."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tenfold
from tenfold.draw import Draw
from tenfold.game import Batch
from tenfold.games.gan import NoiseSampler
from tenfold.games.vae import FLOOR, VAE, LearnedScale, kl, log_likelihood
from tenfold.options import Options
from tenfold.recipe import make_recipe

MAP = torch.tensor([[0.8], [-0.5]])  # x = MAP z + noise
NOISE = 0.6
QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", micro_batches=1, quiet=True)


class Posterior(nn.Module):
    """The exact posterior of z under the linear model, `off` standard deviations beside it."""

    def __init__(self, off: float = 0.0) -> None:
        super().__init__()
        self.off, self.seen = off, []

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.seen.append(x)
        variance = 1 / (1 + (MAP.T @ MAP) / NOISE**2)
        mean = x @ MAP * variance / NOISE**2
        return mean + self.off * variance.sqrt(), variance.log().expand(len(x), 1)


def linear_model(encoder: Posterior, *, scale: float = NOISE, beta: float = 1.0, augment=None) -> VAE:
    decoder = nn.Linear(1, 2, bias=False)
    decoder.weight.data = MAP.clone()
    return VAE(NoiseSampler(decoder, 1), encoder, scale=scale, beta=beta, augment=augment)


def terms(game: VAE, x: Tensor, n: int = 40_000) -> dict[str, float]:
    batch: Batch = {"real": x.expand(n, 2)}
    (turn,) = game.turns(0)
    return {k: v.item() for k, v in turn.loss(batch, Draw(3, slice(0, n), n)).losses.items()}


@pytest.mark.parametrize("off", [0.0, 1.0])
def test_the_bound_is_tight_at_the_posterior_and_falls_by_the_divergence_from_it(off):
    x = torch.tensor([0.4, 0.9])
    marginal = torch.distributions.MultivariateNormal(torch.zeros(2), MAP @ MAP.T + NOISE**2 * torch.eye(2))
    found = terms(linear_model(Posterior(off)), x)
    # Variances are equal: the divergence is half the squared distance. Terms are per number; x has two.
    expected = (-marginal.log_prob(x).item() + off**2 / 2) / 2
    assert found["reconstruction"] + found["kl"] == pytest.approx(expected, abs=0.01)


def test_beta_weighs_the_divergence_alone():
    x = torch.tensor([0.4, 0.9])
    one, four = (terms(linear_model(Posterior(), beta=b), x, 100) for b in (1.0, 4.0))
    assert four["kl"] == pytest.approx(4 * one["kl"])
    assert four["reconstruction"] == one["reconstruction"]


def test_the_divergence_by_hand():
    found = kl(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, log(4)], [0.0, 0.0]]))
    torch.testing.assert_close(found, torch.tensor([0.5 + (4 - 1 - log(4)) / 2, 0.0]))


def test_the_likelihood_is_a_gaussians_summed_over_the_picture():
    x, mean = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    found = log_likelihood(x, mean, torch.tensor(log(0.3)))
    torch.testing.assert_close(found, torch.distributions.Normal(mean, 0.3).log_prob(x).sum((1, 2, 3)))


def test_the_learned_scale_finds_the_error_and_has_a_floor():
    scale, x = LearnedScale(), 0.05 * torch.randn(500, 4)
    assert scale().item() == pytest.approx(0.0, abs=0.01)
    optimizer = torch.optim.Adam(scale.parameters(), 0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-log_likelihood(x, torch.zeros_like(x), scale()).mean()).backward()
        optimizer.step()
    assert scale().exp().item() == pytest.approx(0.05, rel=0.05)
    scale.free.data.fill_(-1e4)
    assert scale().item() == FLOOR


def test_an_augmentation_is_for_the_encoder_alone():
    encoder, x = Posterior(), torch.tensor([0.4, 0.9])
    seen = terms(linear_model(encoder, augment=lambda x, draw: torch.zeros_like(x)), x)
    assert encoder.seen[0].abs().max() == 0
    assert seen["kl"] < terms(linear_model(Posterior()), x)["kl"]  # of zeros, it says less
    assert seen["reconstruction"] > terms(linear_model(Posterior()), x)["reconstruction"]


@pytest.mark.parametrize("name", ["vae", "cvae"])
@pytest.mark.parametrize("kind", ["images", "vectors"])
def test_a_sample_is_the_mean_of_the_likelihood(name, kind):
    spec = tenfold.data.spec.DataSpec(kind, (1, 8, 8) if kind == "images" else (5,), 32, ("a", "b"), (16, 16))
    game = make_recipe(name, {"scale": 0.5}, "tiny").build(spec).game.eval()
    z, condition = torch.randn(4, 4), torch.tensor([0, 1, 0, 1]) if name == "cvae" else None
    given = (z,) if condition is None else (z, condition)
    assert torch.equal(game.sampler(z, condition), game.sampler.generator(*given))
    assert game.critic() is None


def test_a_run_is_judged_without_a_discriminator(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    recipe = make_recipe("vae", {}, "tiny")
    run = tenfold.fit(images, recipe, kimg=0.3, out=tmp_path / "run", options=QUICK)
    assert "D tells" not in run.facts["health"]["why"]
    assert {"VAE/reconstruction", "VAE/kl"} <= run.facts["latest"].keys()
