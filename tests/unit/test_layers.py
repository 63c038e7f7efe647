"""Layers and conditioning against torch's own, and against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tenfold.conditioning import ConditionalBatchNorm, ConditionalLatent, ProjectionHead
from tenfold.nn.layers import (
    ACTIVATIONS,
    BatchNorm,
    Flatten,
    FullPrecision,
    LayerNorm,
    ResizedConv,
    Spectral,
    SpectralConv,
    SpectralEmbedding,
    SpectralLinear,
    Unflatten,
    activation,
    share_statistics,
)

SHAPES = pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 5)], ids=["vectors", "images"])
SHARED = pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])


@SHAPES
@SHARED
def test_batch_norm_is_torchs(shape, shared):
    theirs = nn.BatchNorm1d(3) if len(shape) == 2 else nn.BatchNorm2d(3)
    ours = BatchNorm(3)
    if shared:
        share_statistics(ours, lambda x: x)
    for name in ("weight", "bias"):
        values = torch.randn(3)
        getattr(ours, name).data.copy_(values)
        getattr(theirs, name).data.copy_(values)
    for step in range(4):
        x = 2 * torch.randn(shape) + step
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        y, z = ours(a), theirs(b)
        torch.testing.assert_close(y, z)
        y.square().mul(torch.linspace(0, 1, y.numel()).view(shape)).sum().backward()
        z.square().mul(torch.linspace(0, 1, y.numel()).view(shape)).sum().backward()
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(ours.mean, theirs.running_mean)
        torch.testing.assert_close(ours.variance, theirs.running_var)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-4, atol=1e-4)
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x))


def test_batch_norm_counts_all_ranks():
    """Two parts that share sums are normalised as the whole is."""
    x = torch.randn(8, 3)
    halves, whole = (BatchNorm(3), BatchNorm(3)), BatchNorm(3)
    sums = [torch.cat([h.sum(0), h.square().sum(0), torch.tensor([4.0])]) for h in x.chunk(2)]
    for half in halves:
        share_statistics(half, lambda own: own + (sums[1] if torch.allclose(own, sums[0]) else sums[0]))
    torch.testing.assert_close(torch.cat([n(h) for n, h in zip(halves, x.chunk(2), strict=True)]), whole(x))
    torch.testing.assert_close(halves[0].variance, whole.variance)


def test_shared_batch_norm_survives_a_large_mean():
    norm = BatchNorm(2)
    share_statistics(norm, lambda x: x)
    for size in range(1000, 9000, 37):  # the mean of the square less the square of the mean may be below zero
        assert norm(torch.full((48, 2), size / 7)).isfinite().all()


def test_statistics_are_shared_by_every_norm_within():
    game = nn.Sequential(BatchNorm(2), nn.Sequential(ConditionalBatchNorm(2, 3)))
    share_statistics(game, torch.neg)
    assert all(m.sum_over_ranks is torch.neg for m in game.modules() if isinstance(m, BatchNorm))


def test_conditional_norm_starts_as_plain_norm():
    x, norm = torch.randn(6, 3, 2, 2), ConditionalBatchNorm(3, 5)
    torch.testing.assert_close(norm(x, torch.tensor([0, 1, 2, 3, 4, 0])), BatchNorm(3)(x))
    torch.testing.assert_close(ConditionalBatchNorm(3, 0)(x), BatchNorm(3)(x))


def test_conditional_norm_picks_the_gain_of_the_class():
    x, norm, condition = torch.randn(6, 3, 2, 2), ConditionalBatchNorm(3, 2), torch.tensor([0, 1, 1, 0, 0, 1])
    assert norm.gain is not None
    assert norm.bias is not None
    norm.gain.weight.data = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    norm.bias.weight.data = torch.tensor([[0.0, 0.0, 0.0], [7.0, 8.0, 9.0]])
    plain, said = BatchNorm(3)(x), norm(x, condition)
    torch.testing.assert_close(said[0], plain[0] * torch.tensor([1.0, 2.0, 3.0])[:, None, None])
    torch.testing.assert_close(said[5, 2], plain[5, 2] * 6 + 9)


def test_a_latent_has_the_vector_of_its_class_beside_it():
    latent, z = ConditionalLatent(2, 3), torch.randn(4, 2)
    said = latent(z, torch.tensor([2, 0, 1, 2]))
    assert said.shape == (4, latent.dimension) == (4, 4)
    assert torch.equal(said[:, :2], z)
    assert torch.equal(said[:, 2:], latent.embedding.weight[[2, 0, 1, 2]])
    plain = ConditionalLatent(2, 0)
    assert torch.equal(plain(z), z)
    assert plain.dimension == 2


def test_projection_head_by_hand():
    head = ProjectionHead(2, 3)
    head.linear.weight.data, head.linear.bias.data = torch.tensor([[0.6, 0.8]]), torch.tensor([0.5])
    head.embedding.weight.data = torch.tensor([[0.5, 0.0], [0.0, 1.0], [0.0, 0.0]])
    said = head(torch.tensor([[5.0, 10.0]]).expand(4, 2), torch.tensor([0, 1, 2, 0]))
    # (0.6, 0.8) . (5, 10) + 0.5 = 11.5, plus the embedding . (5, 10).
    assert said.tolist() == [[pytest.approx(11.5 + more)] for more in (2.5, 10.0, 0.0, 2.5)]


def test_a_spectral_projection_head_is_the_same_with_normalised_weights():
    head = ProjectionHead(2, 3, spectral=True).eval()
    h, condition = torch.randn(4, 2), torch.tensor([2, 0, 1, 2])
    linear, embedding = (torch.linalg.matrix_norm(p, ord=2) for p in head.parameters() if p.ndim == 2)
    assert torch.stack([linear, embedding]).min() > 0
    weight, table = (p.detach() for p in head.parameters() if p.ndim == 2)
    by_hand = (h * weight / linear).sum(1) + (h * table[condition] / embedding).sum(1)
    torch.testing.assert_close(head(h, condition)[:, 0], by_hand, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("spectral", [False, True])
def test_projection_head_without_classes(spectral):
    head = ProjectionHead(2, 0, bias=False, spectral=spectral)
    assert head(torch.randn(4, 2)).shape == (4, 1)
    assert len(list(head.parameters())) == 1


def test_a_logit_is_in_full_precision():
    head = ProjectionHead(4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        said = head(torch.ones(2, 4).bfloat16(), torch.tensor([0, 1]))
    assert torch.equal(said, head(torch.ones(2, 4), torch.tensor([0, 1])))


def test_a_spectral_table_of_vectors():
    table = SpectralEmbedding(5, 3)
    rows = table(torch.tensor([4, 0, 1, 2, 3]))
    assert torch.linalg.matrix_norm(rows, ord=2).item() == pytest.approx(1, abs=0.01)
    torch.testing.assert_close(rows[0] / rows[0].norm(), F.normalize(table.normalised.weight[4], dim=0))


@pytest.mark.parametrize("shape", [(5, 7), (6, 3, 4, 4), (1, 9)], ids=str)
def test_spectral_norm_is_one(shape):
    spectral = Spectral(*shape)
    spectral.weight.data = torch.randn(shape) * 3
    for _ in range(200):
        spectral()
    matrix = spectral.weight.detach().flatten(1)
    torch.testing.assert_close(spectral(), spectral.weight / torch.linalg.matrix_norm(matrix, ord=2))


def test_spectral_norm_is_right_from_the_start():
    for seed in range(5):
        torch.manual_seed(seed)
        norm = torch.linalg.matrix_norm(Spectral(32, 16, 3, 3)().flatten(1), ord=2).item()
        assert norm == pytest.approx(1, abs=0.1)


def test_spectral_norm_follows_a_weight_that_learns():
    spectral = Spectral(8, 8)
    for _ in range(100):
        spectral.weight.data += 0.01 * torch.randn(8, 8)
        normalised = spectral()
    assert torch.linalg.matrix_norm(normalised, ord=2).item() == pytest.approx(1, abs=0.02)


def test_the_gradient_keeps_the_norm():
    """Growing the weight along itself changes nothing: the gradient has no part along it."""
    spectral = Spectral(5, 7)
    for _ in range(200):
        spectral()
    (spectral() * torch.randn(5, 7)).sum().backward()
    grad = spectral.weight.grad
    assert grad is not None
    assert grad.norm() > 0.1
    assert (grad * spectral.weight).sum().item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("how", ["frozen", "eval"])
def test_a_discriminator_that_does_not_learn_is_a_fixed_function(how):
    layer = SpectralLinear(6, 4)
    layer.normalised.weight.data = torch.randn(4, 6)
    layer.requires_grad_(how != "frozen").train(how != "eval")
    u, x = layer.normalised.u.clone(), torch.randn(2, 6)
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(layer.normalised.u, u)
    layer.requires_grad_(True).train()(x)
    assert not torch.equal(layer.normalised.u, u)


def test_spectral_layers_are_torchs_with_another_weight():
    x = torch.randn(2, 3, 8, 6)
    conv, linear = SpectralConv(3, 5, 4, 2, 1), SpectralLinear(6, 2)
    conv.eval()
    linear.eval()
    theirs = nn.Conv2d(3, 5, 4, 2, 1)
    theirs.weight.data, theirs.bias.data = conv.normalised().detach(), conv.bias.detach() + 1
    conv.bias.data += 1
    torch.testing.assert_close(conv(x), theirs(x))
    rows = torch.randn(4, 6)
    torch.testing.assert_close(linear(rows), rows @ linear.normalised().T + linear.bias)


def test_layer_norm_judges_samples_alone():
    x, norm = torch.randn(4, 3, 5, 5), LayerNorm(3)
    torch.testing.assert_close(norm(x)[1:2], norm(x[1:2]))
    assert norm(x)[2].mean().item() == pytest.approx(0, abs=1e-6)
    assert norm(x)[2].var(unbiased=False).item() == pytest.approx(1, abs=1e-3)


def test_output_layers_are_in_full_precision():
    linear = nn.Linear(4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(torch.ones(1, 4)).dtype == torch.bfloat16
        said = FullPrecision(linear)(torch.ones(1, 4).bfloat16())
    assert torch.equal(said, linear(torch.ones(1, 4)))


def test_activations():
    assert activation("leaky_relu")(torch.tensor([-1.0, 2.0])).tolist() == pytest.approx([-0.2, 2.0])
    for name in ACTIVATIONS:
        assert activation(name)(torch.randn(3)).isfinite().all()


def test_flatten_goes_position_by_position():
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # channel 0 holds 1 and 2, channel 1 holds 3 and 4
    assert Flatten()(x).tolist() == [[1.0, 3.0, 2.0, 4.0]]


def test_unflatten_undoes_flatten():
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(Unflatten(4, 5)(Flatten()(x)), x)


def test_flatten_copies_no_picture_whose_channels_lie_last():
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    flat = Flatten()(x)
    assert flat.data_ptr() == x.data_ptr()
    (gradient,) = torch.autograd.grad(flat.square().sum(), x)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert Unflatten(4, 5)(flat).is_contiguous(memory_format=torch.channels_last)


def test_a_resized_convolution_repeats_pixels_and_then_convolves():
    layer, x = ResizedConv(3, 5), torch.randn(2, 3, 4, 6)
    torch.nn.init.normal_(layer.bias)
    kernel = layer.weight.flip(2, 3).transpose(0, 1)
    repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(layer(x), torch.nn.functional.conv2d(repeated, kernel, layer.bias, padding=1))
