"""Networks: sizes, starts and outputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tenfold.nn.layers import BatchNorm, LayerNorm, SpectralConv
from tenfold.nn.networks.dcgan import DCDiscriminator, DCGenerator, widths
from tenfold.nn.networks.grid import BaseGrid, base_grid
from tenfold.nn.networks.infogan import InfoGenerator, InfoTrunk
from tenfold.nn.networks.mlp import ConvDiscriminator, MLPDiscriminator, MLPGenerator
from tenfold.nn.networks.resnet import ResNetDiscriminator, ResNetGenerator, halvings_of
from tenfold.nn.networks.stem import Stem

SHAPES = [(1, 28, 28), (3, 32, 32), (2, 24, 40), (3, 7, 9), (4, 64, 16), (1, 6, 6)]


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((28, 28), (7, 7, 2)),
        ((32, 32), (4, 4, 3)),
        ((64, 32), (4, 2, 4)),
        ((8, 12), (4, 6, 1)),
        ((7, 7), (7, 7, 0)),
        ((6, 6), (6, 6, 0)),
        ((96, 96), (6, 6, 4)),
        ((256, 256), (4, 4, 6)),
    ],
)
def test_base_grid(size, grid):
    assert base_grid(*size) == grid


def test_widths_double_up_to_eight_times():
    assert widths(4, 6) == [4, 8, 16, 32, 32, 32]
    assert widths(4, 0) == [4]


FAMILIES = {
    "dc": lambda s: (DCGenerator(5, s, 4), DCDiscriminator(s, 4)),
    "dc layer": lambda s: (DCGenerator(5, s, 4, hidden="silu"), DCDiscriminator(s, 4, norm="layer")),
    "dc classes": lambda s: (
        DCGenerator(5, s, 4, classes=3),
        DCDiscriminator(s, 4, norm="spectral", classes=3),
    ),
    "resnet": lambda s: (ResNetGenerator(5, s, 4), ResNetDiscriminator(s, 4)),
    "resnet classes": lambda s: (ResNetGenerator(5, s, 4, classes=3), ResNetDiscriminator(s, 4, classes=3)),
    "mlp and conv": lambda s: (MLPGenerator(5, s, (4, 4), batch_norm=True), ConvDiscriminator(s, (4, 4, 4))),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_of_any_size(shape, family):
    generator, discriminator = FAMILIES[family](shape)
    condition = (torch.tensor([0, 1, 2, 0]),) if "classes" in family else ()
    fake = generator(torch.randn(4, 5), *condition)
    assert fake.shape == (4, *shape)
    assert fake.abs().max() <= 1
    assert discriminator(fake, *condition).shape == (4, 1)


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (3, 32, 32), (2, 12, 20), (1, 14, 14), (1, 8, 2), (1, 1, 4), (1, 3, 3)], ids=str
)
def test_infogan_of_any_size(shape):
    trunk = InfoTrunk(shape, 4)
    fake = InfoGenerator(5, shape, 4)(torch.randn(4, 5))
    assert fake.shape == (4, *shape)
    assert trunk(fake).shape == (4, trunk.features)


def test_the_discriminator_mirrors_the_generator():
    generator, discriminator = DCGenerator(5, (1, 32, 32), 4), DCDiscriminator((1, 32, 32), 4)
    down = [m.out_channels for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    up = [m.in_channels for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert down == up[::-1] == [4, 8, 16]


@pytest.mark.parametrize(
    ("shape", "channels"),
    [((1, 28, 28), [4, 8, 16]), ((1, 32, 32), [4, 8, 16]), ((1, 12, 2), [4]), ((1, 6, 6), [4])],
    ids=[
        "7x7 is halved once more",
        "4x4 is not",
        "nor is a row",
        "nor is what the generator does not double",
    ],
)
def test_the_discriminator_sees_the_whole(shape, channels):
    down = [m.out_channels for m in DCDiscriminator(shape, 4).modules() if isinstance(m, nn.Conv2d)]
    assert down == channels


def test_the_class_reaches_the_stem():
    stem = Stem(2, 1, BaseGrid(1, 2, 0), classes=2)
    z = torch.tensor([[1.0, -2.0]])
    said = stem(z, torch.tensor([1]))
    expected = torch.cat([z, stem.latent.embedding.weight[1:]], 1) @ stem.linear.weight.T
    torch.testing.assert_close(said, expected.view(1, 1, 1, 2))


def test_no_norm_after_the_first_layer():
    kinds = [type(m) for m in DCDiscriminator((1, 32, 32), 4).body]
    first, *rest = [i for i, kind in enumerate(kinds) if kind is nn.Conv2d]
    assert kinds[first + 1] is not BatchNorm
    assert all(kinds[i + 1] is BatchNorm for i in rest)


@pytest.mark.parametrize(
    ("norm", "present", "absent"),
    [
        ("batch", BatchNorm, SpectralConv),
        ("layer", LayerNorm, BatchNorm),
        ("spectral", SpectralConv, BatchNorm),
        ("none", nn.Conv2d, (BatchNorm, LayerNorm, SpectralConv)),
    ],
)
def test_the_norm_asked_for_is_used(norm, present, absent):
    modules = list(DCDiscriminator((1, 32, 32), 4, norm=norm).modules())
    assert any(isinstance(m, present) for m in modules)
    assert not any(isinstance(m, absent) for m in modules)


def test_it_starts_as_the_paper_says():
    generator = DCGenerator(100, (1, 32, 32), 32)
    assert generator.stem.linear.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert generator.ups[0].weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_class_moves_the_logit():
    x = torch.randn(2, 1, 16, 16)
    for judge in (
        DCDiscriminator((1, 16, 16), 4, norm="spectral", classes=3),
        ResNetDiscriminator((1, 16, 16), 4, classes=3),
        MLPDiscriminator((1, 16, 16), (8,), classes=3),
    ):
        judge.eval()
        assert not torch.allclose(judge(x, torch.tensor([0, 0])), judge(x, torch.tensor([1, 2])))


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (lambda bias: MLPDiscriminator((2,), (4,), bias=bias), 1),
        (lambda bias: ConvDiscriminator((1, 8, 8), (4,), bias=bias), 1),
        (lambda bias: DCDiscriminator((1, 8, 8), 4, bias=bias), 1),
        (lambda bias: ResNetDiscriminator((1, 8, 8), 4, bias=bias), 1),
    ],
    ids=["mlp", "conv", "dc", "resnet"],
)
def test_a_critic_may_lack_the_last_bias(network, count):
    size = [sum(p.numel() for p in network(bias).parameters()) for bias in (True, False)]
    assert size[0] - size[1] == count


@pytest.mark.parametrize(("output", "low", "high"), [("tanh", -1, 1), ("sigmoid", -1, 1), ("linear", -9, 9)])
def test_outputs_of_the_mlp(output, low, high):
    generator = MLPGenerator(3, (2, 4, 5), (8,), output=output)
    generator.last.inner.weight.data *= 100
    x = generator(torch.randn(50, 3))
    assert x.shape == (50, 2, 4, 5)
    if output == "linear":
        assert x.max() > 1 > -1 > x.min()
    else:
        assert x.min().item() == pytest.approx(low, abs=0.01)
        assert x.max().item() == pytest.approx(high, abs=0.01)


def test_batch_norm_of_the_mlp_is_not_on_the_first_layer():
    kinds = [type(m) for m in MLPGenerator(3, (2,), (8, 8, 8), batch_norm=True).body]
    assert kinds.count(BatchNorm) == 2
    assert kinds[1] is not BatchNorm
    assert BatchNorm not in [type(m) for m in MLPGenerator(3, (2,), (8, 8, 8)).modules()]


def test_the_resnet_halves_once_less_than_the_generator_doubles():
    assert [halvings_of(d) for d in range(6)] == [0, 1, 2, 2, 3, 4]


def test_the_resnet_sums_over_positions():
    judge = ResNetDiscriminator((1, 8, 8), 4).eval()
    h = judge.hidden(judge.blocks(x := torch.randn(2, 1, 8, 8)))
    torch.testing.assert_close(judge(x), judge.last(h.sum((2, 3))))
    assert h.shape == (2, 4, 4, 4)
