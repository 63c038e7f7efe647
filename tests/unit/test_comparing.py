"""How far made pictures are from what they should be."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from tenfold.comparing import L1, OfMaps, apart, contrast, in_colours
from tenfold.metrics.paired import inconsistency, l1, psnr, ssim


def test_l1_by_hand():
    a, b = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[0.5, -1.0]]]])
    assert L1()(a, b).tolist() == [1.25]
    assert l1(a, b).tolist() == [0.625]


def test_psnr_and_ssim_are_those_of_torchmetrics():
    """Which also measures what it pads: only places whose window lies within the picture are compared."""
    random = torch.Generator().manual_seed(0)
    a = torch.rand(2, 3, 24, 20, generator=random)
    b = (a + 0.1 * torch.randn(a.shape, generator=random)).clamp(0, 1)
    x, y = 2 * a - 1, 2 * b - 1
    _, whole = structural_similarity_index_measure(a, b, data_range=1.0, return_full_image=True)
    for i in range(2):
        expected = peak_signal_noise_ratio(a[i], b[i], data_range=1.0).item()
        assert psnr(x, y)[i].item() == pytest.approx(expected, rel=1e-4)
        assert ssim(x, y)[i].item() == pytest.approx(whole[i, :, 5:-5, 5:-5].mean().item(), abs=1e-4)


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
    assert contrast([keys], [0.07 * keys]).item() == pytest.approx(log(3 + np.e) - 1, rel=1e-5)
    swapped = keys[:, [1, 0, 3, 2]]
    assert contrast([keys], [swapped], 1.0).item() == pytest.approx(log(3 + np.e), rel=1e-5)


def test_a_comparison_of_maps_by_hand():
    """One map of mean size 2 that differs by 1 everywhere, one that does not."""
    maps = lambda x: [2 * x, x * 0 + 1]
    made, real = torch.full((1, 1, 2, 2), 1.5), torch.ones(1, 1, 2, 2)
    assert OfMaps(maps)(made, real).item() == pytest.approx(0.25)


def test_what_maps_differ_by_depends_on_no_other_picture():
    made, wanted = torch.rand(4, 2, 3, 3), torch.rand(4, 2, 3, 3)
    torch.testing.assert_close(apart([made], [wanted])[1:3], apart([made[1:3]], [wanted[1:3]]))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_networks_of_three_channels_see_any_picture(channels):
    seen = in_colours(lambda x: [x.mean(1, keepdim=True)])(torch.rand(2, channels, 4, 4))
    assert len(seen[0]) == 2 and seen[0].shape[2:] == (4, 4)
