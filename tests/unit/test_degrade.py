"""What is taken from pictures, and what it leaves."""

from __future__ import annotations

import io
from math import pi

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold.degrade import Blur, Grey, Holes, Jpeg, Noise, Smaller, gaussians, worn
from tenfold.draw import Draw


def draw(n: int, seed: int = 0) -> Draw:
    return Draw(seed, slice(0, n), n)


def smooth(n: int, side: int = 32, channels: int = 3) -> torch.Tensor:
    """Pictures of slow waves."""
    place = torch.linspace(0, 2 * pi, side)
    waves = torch.sin(place[:, None] + torch.arange(n)[:, None, None]) * torch.cos(place)
    return (0.8 * waves)[:, None].expand(n, channels, side, side).contiguous()


def test_a_flat_picture_stays_flat_when_it_is_made_smaller():
    x = torch.full((2, 3, 12, 8), 0.25)
    assert Smaller(4)(x, draw(2)).shape == (2, 3, 3, 2)
    torch.testing.assert_close(Smaller(4)(x, draw(2)), torch.full((2, 3, 3, 2), 0.25))


def test_a_blur_is_a_gaussian():
    kernel = gaussians(torch.tensor([[1.0, 2.0]]), torch.tensor([0.0]), 13)[0]
    assert kernel.sum().item() == pytest.approx(1)
    assert (kernel[6, 7] / kernel[6, 6]).item() == pytest.approx(np.exp(-0.5))
    assert (kernel[7, 6] / kernel[6, 6]).item() == pytest.approx(np.exp(-0.125))
    turned = gaussians(torch.tensor([[1.0, 2.0]]), torch.tensor([pi / 2]), 13)[0]
    torch.testing.assert_close(turned, kernel.T)


def test_a_blur_that_never_happens_changes_nothing():
    x = torch.rand(3, 2, 9, 9)
    torch.testing.assert_close(Blur(p=0.0)(x, draw(3)), x)
    assert not torch.allclose(Blur(1.0, 2.0)(x, draw(3)), x)


def test_noise_is_as_strong_as_it_says_and_grey_where_it_says():
    x = torch.zeros(200, 3, 16, 16)
    seen = Noise(20.0, 20.0, grey=0.5)(x, draw(200))
    assert seen.std().item() * 127.5 == pytest.approx(20, rel=0.05)
    grey = (seen[:, 0] == seen[:, 1]).flatten(1).all(1).float().mean().item()
    assert grey == pytest.approx(0.5, abs=0.1)


def test_jpeg_is_near_to_what_pillow_makes():
    """Grey, so that no colour is stored coarsely; the same table at the same quality."""
    x = (smooth(1, 32, 1) + 0.2 * torch.randn(1, 1, 32, 32, generator=torch.manual_seed(0))).clamp(-1, 1)
    values = ((x[0, 0] + 1) * 127.5).round().byte().numpy()
    stored = io.BytesIO()
    Image.fromarray(values).save(stored, "JPEG", quality=40)
    expected = torch.from_numpy(np.asarray(Image.open(stored)).astype(np.float32)) / 127.5 - 1
    exact = torch.from_numpy(values.astype(np.float32))[None, None] / 127.5 - 1
    seen = Jpeg(40.0, 40.0)(exact, draw(1))[0, 0]
    assert (seen - expected).abs().mean() < 0.1 * (exact[0, 0] - expected).abs().mean()


def test_colour_is_taken_and_opacity_stays():
    x = torch.rand(2, 4, 5, 5)
    seen = Grey()(x, draw(2))
    assert seen.shape == (2, 2, 5, 5) and torch.equal(seen[:, 1], x[:, 3])
    expected = 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]
    torch.testing.assert_close(seen[:, 0], expected)


def test_a_hole_is_grey_and_marked():
    x = torch.rand(50, 3, 20, 20) + 0.1
    seen = Holes(0.3, 0.5)(x, draw(50))
    hole = seen[:, 3:] < 0
    assert (seen[:, :3][hole.expand(-1, 3, -1, -1)] == 0).all()
    torch.testing.assert_close(seen[:, :3][~hole.expand(-1, 3, -1, -1)], x[~hole.expand(-1, 3, -1, -1)])
    share = hole.float().flatten(1).mean(1)
    assert share.min() > 0.05 and share.max() < 0.3


def test_the_worn_picture_is_smaller_and_depends_on_its_own_randomness_alone():
    x = smooth(4, 32)
    whole = worn(2, 32, 32)(x, draw(4))
    assert whole.shape == (4, 3, 16, 16) and whole.abs().max() <= 1
    half = worn(2, 32, 32)(x[2:], Draw(0, slice(2, 4), 4))
    torch.testing.assert_close(whole[2:], half)
