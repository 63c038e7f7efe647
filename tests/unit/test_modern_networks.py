"""The networks of R3GAN, StyleGAN2, FastGAN and Projected GAN, against what their papers say of them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tenfold.draw import Draw
from tenfold.games.style import StyleSampler
from tenfold.nn.networks import r3
from tenfold.nn.networks.fastgan import FastDiscriminator, FastGenerator
from tenfold.nn.networks.grid import base_grid
from tenfold.nn.networks.projected import Mixed, in_threes
from tenfold.nn.networks.stylegan2 import (
    Mapping,
    Scaled,
    ScaledConv,
    Styled,
    Synthesis,
    filtered,
    of_length_one,
    variety,
)


def test_r3_resamples_by_1_3_3_1():
    impulse = torch.zeros(1, 1, 1, 8)
    impulse[..., 4] = 1
    taps = F.interpolate(impulse, scale_factor=(1, 2), mode="bilinear").flatten()
    assert taps[7:11].tolist() == [0.25, 0.75, 0.75, 0.25]
    picture = torch.zeros(1, 1, 8, 8)
    picture[0, 0, :, 4] = 1
    down = r3.halved(picture)[0, 0, 2]
    assert down.tolist() == pytest.approx([0, 0.125, 0.375, 0])
    assert r3.doubled(torch.ones(1, 1, 3, 5)).shape == (1, 1, 6, 10)


def test_r3_blocks_start_as_the_identity_and_have_the_published_number_of_weights():
    block, x = r3.Residual(64, 8), torch.randn(2, 64, 4, 4)
    assert torch.equal(block(x), x)
    weights = sum(p.numel() for p in block.parameters() if p.ndim > 1)
    assert weights == 4 * 64**2 + 288 * 64


def test_r3_at_the_width_of_its_cifar_model():
    """The paper's networks for 32x32 pictures have 20.8 and 21.3 million parameters."""
    generator = r3.R3Generator(64, (3, 32, 32), 768, classes=10)
    judge = r3.R3Discriminator((3, 32, 32), 768, classes=10)
    counts = [sum(p.numel() for p in network.parameters()) / 1e6 for network in (generator, judge)]
    assert counts == pytest.approx([20.8, 20.7], abs=0.05)  # D's head is ours: a map of pooled features


def test_r3_narrows_beyond_32_pixels():
    assert r3.stage_widths(768, base_grid(64, 64)) == [768, 768, 768, 768, 384]
    assert r3.stage_widths(4, base_grid(8, 8)) == [16, 16]


def test_weights_are_scaled_when_used():
    layer = Scaled(4, 2, bias=1.0, rate=0.01)
    x = torch.randn(3, 4)
    torch.testing.assert_close(layer(x), x @ (layer.weight * 0.01 / 2).T + 1.0)
    big, conv = torch.randn(64, 256), ScaledConv(16, 8, 3, bias=False)
    assert Scaled(256, 64)(big).std().item() == pytest.approx(1.0, abs=0.1)
    assert conv(torch.randn(4, 16, 9, 9))[..., 1:-1, 1:-1].std().item() == pytest.approx(1.0, abs=0.2)


def test_the_filter_is_1_3_3_1_of_sum_one():
    picture = torch.zeros(1, 1, 7, 7)
    picture[0, 0, 3, 3] = 1
    taps = torch.tensor([1.0, 3, 3, 1]) / 8
    torch.testing.assert_close(filtered(picture)[0, 0], taps[:, None] * taps)


@pytest.mark.parametrize("double", [False, True])
def test_scaling_inputs_is_scaling_the_weights_of_each_sample(double):
    """The paper's equations 1 and 3, sample by sample."""
    layer, x, w = Styled(3, 5, 4, 3, double=double), torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    style = layer.affine(w)
    for i in range(2):
        weight = layer.weight * style[i][:, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if double:
            large = F.conv_transpose2d(x[i : i + 1], weight.transpose(0, 1), stride=2)
            expected = 4 * filtered(F.pad(large, [1] * 4))
        else:
            expected = F.conv2d(x[i : i + 1], weight, padding=1)
        torch.testing.assert_close(layer(x, w)[i : i + 1], expected, rtol=1e-4, atol=1e-5)
    assert layer(x, w).shape[2:] == ((12, 12) if double else (6, 6))


def test_a_style_has_a_mean_square_of_one_before_it_is_mapped():
    assert of_length_one(7 * torch.randn(3, 16)).square().mean(1).tolist() == pytest.approx([1.0] * 3)


def test_variety_is_the_mean_standard_deviation_of_each_group():
    x = torch.randn(9, 2, 3, 3)
    found = variety(x)
    for rows in (slice(0, 4), slice(4, 9)):
        spread = (x[rows].var(0, unbiased=False) + 1e-8).sqrt().mean()
        torch.testing.assert_close(found[rows], spread.expand(len(x[rows]), 1, 3, 3))
    assert variety(x[:1].expand(4, -1, -1, -1)).max() < 1e-3


def sampler(mixing: float = 0.9) -> StyleSampler:
    torch.manual_seed(0)
    synthesis = Synthesis((1, 16, 16), 8, 6)
    torch.nn.init.ones_(synthesis.strengths)
    return StyleSampler(Mapping(6, 2), synthesis, 6, mixing)


def draw(n: int) -> Draw:
    return Draw(1, slice(0, n), n)


def test_styles_mix_in_training_only():
    made = sampler()
    training = made.split(made.train().draw(draw(200)))
    ws = made.styles(training)
    mixed = (ws != ws[:, :1]).any(2)
    assert mixed.any(1).float().mean().item() == pytest.approx(0.9, abs=0.06)
    assert not mixed[:, 0].any()
    assert (mixed[:, 1:] >= mixed[:, :-1]).all()  # once the other style is followed, it is to the end
    other = made.mapping(training.other)
    torch.testing.assert_close(ws[:, -1][mixed[:, -1]], other[mixed[:, -1]])
    alone = made.split(made.eval().draw(draw(5)))
    assert alone.other is None
    assert (made.styles(alone) == made.styles(alone)[:, :1]).all()


def test_noise_is_part_of_the_latent():
    made = sampler().eval()
    z = made.draw(draw(4))
    changed = z.clone()
    changed[:, 6:] += 1
    assert z.shape == (4, 6 + made.synthesis.noises)
    assert made.synthesis.noises == 16 + 2 * 64 + 2 * 256
    assert not torch.allclose(made(z), made(changed))
    assert torch.equal(made(z), made(z.clone()))


def test_a_coarse_map_gates_a_fine_one():
    generator = FastGenerator(4, (1, 64, 64), 2)
    assert generator.reach == 4
    assert len(generator.skips) == 1
    assert len(FastGenerator(4, (1, 128, 128), 2).skips) == 2
    assert generator.noises == sum(side**2 for side in (8, 16, 32, 64))
    torch.nn.init.constant_(generator.skips[0].gates[2].bias, -100.0)  # the gates shut
    generator.eval()
    z = torch.randn(3, 4 + generator.noises)
    made = generator(z)
    torch.testing.assert_close(made, made[:1].expand_as(made))


def test_what_d_draws_is_as_large_as_what_it_saw():
    judge = FastDiscriminator((3, 32, 16), 4, classes=3)
    seen = judge.look(torch.randn(2, 3, 32, 16), torch.tensor([0, 2]))
    assert seen.logits.shape == (2, 2 * 4 * 2)
    assert judge.decoders[0](seen.middle[:, :, :4, :2]).shape == (2, 3, 16, 8)  # of a quarter
    assert judge.decoders[1](seen.last).shape == (2, 3, 32, 16)


def test_channels_are_looked_at_three_at_a_time():
    x = torch.arange(4.0).view(1, 4, 1, 1)
    threes, groups = in_threes(x)
    assert groups == 2
    assert threes.flatten(1).tolist() == [[0, 1, 2], [3, 3, 3]]
    assert in_threes(x[:, :1])[0].flatten(1).tolist() == [[0, 0, 0]]


def test_the_mix_of_levels_never_learns():
    mixed = Mixed(4)
    assert not list(mixed.parameters()) and len(mixed.state_dict()) == 4 + 3
    maps = [torch.randn(2, c, s, s) for c, s in zip((24, 40, 112, 320), (16, 8, 4, 2), strict=True)]
    found = mixed(maps)
    assert [m.shape[1:] for m in found] == [(4, 16, 16), (8, 8, 8), (16, 4, 4), (32, 2, 2)]
    again = mixed([*maps[:3], maps[3] + 1])
    assert not torch.allclose(found[0], again[0]), "the finest level hears of the coarsest"
