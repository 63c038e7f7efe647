from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torchmetrics.image.fid import FrechetInceptionDistance

from tenfold.errors import DataError
from tenfold.metrics.frechet import frechet_distance, frechet_extrapolated
from tenfold.metrics.rows import Undefined


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Flat(torch.nn.Module):
    num_features = 12

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


def test_equals_torchmetrics():
    real, fake = normal(60, 3, 2, 2, seed=1), 0.7 * normal(45, 3, 2, 2, seed=2) + 0.3
    metric = FrechetInceptionDistance(feature=Flat(), input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    assert frechet_distance(real.flatten(1), fake.flatten(1)) == pytest.approx(metric.compute().item())


# Of (real, generated): more rows than features, fewer, and one of either.
@pytest.mark.parametrize(("n", "m"), [(50, 40), (7, 9), (8, 40), (40, 8), (10, 11)])
def test_equals_the_formula_in_every_form(n: int, m: int):
    real, fake = normal(n, 10, seed=1), normal(m, 10, seed=2) @ normal(10, 10, seed=3) + 0.5
    s, t = (np.cov(x.numpy(), rowvar=False) for x in (real, fake))
    between = (real.mean(0) - fake.mean(0)).square().sum().item()
    # The root of a singular product is exact to the root of the rounding only.
    expected = between + np.trace(s + t) - 2 * np.trace(sqrtm(s @ t)).real
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-5)


def test_closed_form_of_a_scale_and_a_shift():
    x = normal(200, 5, seed=1)
    # Covariance S and 9 S: trace(S + 9 S - 6 S) = 4 trace(S).
    expected = 4 * x.var(0).sum().item() + (2 * x.mean(0) + 1).square().sum().item()
    assert frechet_distance(x, 3 * x + 1) == pytest.approx(expected)


def test_copies_are_at_zero_and_constant_rows_do_no_harm():
    x = normal(30, 50, seed=1)
    assert frechet_distance(x, x.flip(0)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(torch.zeros(9, 4), torch.ones(20, 4)) == pytest.approx(4)


def test_extrapolation_removes_the_bias():
    plain, line = [], []
    for i in range(20):
        real, fake = normal(240, 30, seed=2 * i), normal(300, 30, seed=2 * i + 1) + 0.2
        plain.append(frechet_distance(real, fake))
        line.append(frechet_extrapolated(real, fake, seed=i))
    assert np.mean(plain) > 2.5
    assert np.mean(line) == pytest.approx(30 * 0.2**2, abs=3 * np.std(line) / 20**0.5)


def test_extrapolation_depends_on_its_seed_alone():
    real, fake = normal(60, 4, seed=1), normal(61, 4, seed=2)
    first, again, other = (frechet_extrapolated(real, fake, seed=s) for s in (3, 3, 4))
    # Linear algebra may round differently from call to call.
    assert again == pytest.approx(first, rel=1e-9) and other != pytest.approx(first, rel=1e-3)


def test_refuses_what_has_no_answer():
    with pytest.raises(Undefined, match="n = 1: at least 2"):
        frechet_distance(torch.zeros(5, 2), torch.zeros(1, 2))
    with pytest.raises(Undefined, match="n = 59: at least 60 real"):
        frechet_extrapolated(torch.zeros(59, 2), torch.zeros(99, 2), seed=0)
    bad = normal(9, 2, seed=0)
    bad[3, 1], bad[4, 0] = torch.nan, torch.inf
    with pytest.raises(DataError, match="2 of 9 generated samples have NaN"):
        frechet_distance(normal(9, 2, seed=1), bad)
