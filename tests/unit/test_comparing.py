"""How far made pictures are from what they should be."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch.nn.functional import normalize

from tenfold.comparing import L1, OfMaps, contrast, in_colours
from tenfold.metrics.paired import inconsistency, l1, psnr, ssim


def test_l1_by_hand():
    a, b = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[0.5, -1.0]]]])
    assert L1()(a, b).tolist() == [1.25]
    assert l1(a, b).tolist() == [0.625]


def test_psnr_and_ssim_are_those_of_scikit_image():
    random = np.random.default_rng(0)
    a = random.random((2, 3, 24, 20)).astype(np.float32)
    b = (a + 0.1 * random.standard_normal(a.shape)).clip(0, 1).astype(np.float32)
    x, y = (torch.from_numpy(2 * v - 1) for v in (a, b))
    for i in range(2):
        expected = peak_signal_noise_ratio(a[i], b[i], data_range=1)
        assert psnr(x, y)[i].item() == pytest.approx(expected, rel=1e-4)
        whole = structural_similarity(
            a[i], b[i], data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert ssim(x, y)[i].item() == pytest.approx(whole, abs=1e-3)


def test_the_same_picture_is_as_near_as_can_be():
    x = torch.rand(1, 1, 12, 12) * 2 - 1
    assert psnr(x, x).item() == pytest.approx(100) and ssim(x, x).item() == pytest.approx(1)


def test_an_enlargement_that_repeats_pixels_is_consistent_where_it_is_flat():
    small = torch.full((1, 1, 4, 4), 0.3)
    assert inconsistency(small.repeat_interleave(2, 2).repeat_interleave(2, 3), small).item() < 1e-6
    other = torch.full((1, 1, 8, 8), -0.1)
    assert inconsistency(other, small).item() == pytest.approx(0.2, abs=1e-5)


def test_patches_that_are_alike_are_recognised_and_others_guessed():
    """Orthogonal vectors at a low temperature are told apart; equal ones are one of four."""
    keys = torch.eye(4)[None]
    assert contrast([keys], [keys], 0.01).item() == pytest.approx(0, abs=1e-6)
    same = normalize(torch.ones(1, 4, 3), dim=-1)
    assert contrast([same], [same]).item() == pytest.approx(log(4), rel=1e-5)
    swapped = keys[:, [1, 0, 3, 2]]
    assert contrast([keys], [swapped], 1.0).item() == pytest.approx(log(3 + np.e), rel=1e-5)


def test_a_comparison_of_maps_by_hand():
    """One map of mean size 2 that differs by 1 everywhere, one that does not."""
    maps = lambda x: [2 * x, x * 0 + 1]
    made, real = torch.full((1, 1, 2, 2), 1.5), torch.ones(1, 1, 2, 2)
    assert OfMaps(maps)(made, real).item() == pytest.approx(0.25)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_networks_of_three_channels_see_any_picture(channels):
    seen = in_colours(lambda x: [x.mean(1, keepdim=True)])(torch.rand(2, channels, 4, 4))
    assert len(seen[0]) == 2 and seen[0].shape[2:] == (4, 4)
