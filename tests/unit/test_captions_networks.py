"""Networks of pictures with captions, by hand."""

from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch
from torch.nn import functional as F

from tenfold.draw import Draw
from tenfold.nn.networks.dfgan import (
    Affine,
    DFDiscriminator,
    DFGenerator,
    Fusion,
    FusionBlock,
    HalvingBlock,
    everywhere,
)
from tenfold.nn.networks.gan_cls import CLSDiscriminator, CLSGenerator, beside
from tenfold.nn.networks.words import Contrast, PictureEncoder, TextEncoder, contrastive, of_size_one

SHAPES = [(3, 16, 16), (1, 28, 28), (2, 20, 12), (3, 7, 7)]


def draw(n: int, rows: slice | None = None) -> Draw:
    return Draw(0, rows or slice(0, n), n)


def test_the_contrastive_loss_of_two_pairs():
    found = contrastive(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.eye(2) > 0)
    assert found.item() == pytest.approx((log1p(exp(-2)) + log(2)) / 2)


def test_texts_that_are_the_same_are_right_alike():
    found = contrastive(torch.eye(2), torch.ones(2, 2) > 0)
    assert found.item() == pytest.approx(log(exp(1) + 1) - 0.5)
    one = contrastive(torch.zeros(3, 3), torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]) > 0)
    assert one.item() == pytest.approx(log(3))


def test_contrast_compares_directions_by_a_temperature_that_is_learnt():
    contrast, x = Contrast(), of_size_one(torch.eye(2))
    assert contrast.log_scale.exp().item() == pytest.approx(1 / 0.07)
    torch.nn.init.zeros_(contrast.log_scale)
    loss, found = contrast(x, x, torch.tensor([[4], [5]]), draw(2))
    assert loss.item() == pytest.approx(log1p(exp(-1)))
    assert found.item() == 1
    loss.backward()
    assert contrast.log_scale.grad is not None and contrast.log_scale.grad.item() < 0


def test_ranks_compare_with_the_whole_batch():
    torch.manual_seed(0)
    seen, told = (of_size_one(torch.randn(4, 3)) for _ in range(2))
    tokens = torch.tensor([[4], [5], [5], [6]])
    whole = Contrast()(seen, told, tokens, draw(4))
    others = torch.zeros(4, 3 + 3 + 1 + 1)
    others[2:] = F.pad(torch.cat([seen, told, tokens.float()], 1), (0, 1), value=1.0)[2:]
    half = Contrast()
    half.sum_over_ranks = lambda mine: mine + others
    part = half(seen[:2], told[:2], tokens[:2], draw(4, slice(0, 2)))
    torch.testing.assert_close(part, whole)
    half.sum_over_ranks = lambda mine: mine  # a part of a batch that is processed alone: what is not there
    alone = half(seen[:2], told[:2], tokens[:2], draw(4, slice(0, 2)))
    torch.testing.assert_close(alone, Contrast()(seen[:2], told[:2], tokens[:2], draw(2)))


def test_a_sentence_does_not_depend_on_its_padding_and_depends_on_its_order():
    torch.manual_seed(0)
    read = TextEncoder(9, 6)
    short, long = read(torch.tensor([[4, 5, 6]])), read(torch.tensor([[4, 5, 6, 0, 0]]))
    torch.testing.assert_close(short, long)
    assert not torch.allclose(short, read(torch.tensor([[6, 5, 4]])))
    torch.testing.assert_close(short.square().mean(1), torch.ones(1))
    batch = read(torch.tensor([[4, 5, 6, 0], [7, 0, 0, 0], [0, 0, 0, 0]]))
    torch.testing.assert_close(batch[:1], short)
    assert batch.isfinite().all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pictures_become_vectors_of_numbers_of_size_one(shape):
    found = PictureEncoder(shape, 5, 4)(torch.randn(3, *shape))
    assert found.shape == (3, 5)
    torch.testing.assert_close(found.square().mean(1), torch.ones(3))


def test_fusion_starts_without_scale_and_shift():
    torch.manual_seed(0)
    x, known = torch.randn(2, 3, 4, 4), torch.randn(2, 5)
    assert torch.equal(Affine(5, 8, 3)(x, known), x)
    expected = F.leaky_relu(F.leaky_relu(x, 0.2), 0.2)
    assert torch.equal(Fusion(5, 8, 3)(x, known), expected)


def test_an_affine_scales_and_shifts_each_channel():
    affine = Affine(1, 1, 2)
    first, _, last = affine.layers
    with torch.no_grad():
        first.weight.fill_(1.0)
        first.bias.zero_()
        last.weight.copy_(torch.tensor([[1.0], [2.0], [10.0], [0.0]]))  # two gains, then two biases
    x = torch.ones(1, 2, 1, 1)
    assert affine(x, torch.tensor([[3.0]])).flatten().tolist() == [1 + 3 + 30, 1 + 6]
    assert affine(x, torch.tensor([[-3.0]])).flatten().tolist() == [1, 1]  # behind a ReLU


def test_a_block_hears_what_is_known_once_it_has_learnt_to():
    torch.manual_seed(0)
    block, x = FusionBlock(4, 2, 5, 8, double=True), torch.randn(1, 4, 3, 3)
    a, b = torch.randn(1, 5), torch.randn(1, 5)
    assert block(x, a).shape == (1, 2, 6, 6)
    assert torch.equal(block(x, a), block(x, b))
    for fusion in block.fusions:
        torch.nn.init.normal_(fusion.affines[0].layers[2].weight)
    assert not torch.allclose(block(x, a), block(x, b))
    assert FusionBlock(4, 4, 5, 8, double=False)(x, a).shape == x.shape


def test_a_halving_block_adds_to_the_halved_picture():
    x = torch.randn(2, 3, 6, 8)
    block = HalvingBlock(3, 3, halve=True)
    torch.testing.assert_close(block(x), F.avg_pool2d(x, 2) + block.branch(x))
    torch.nn.init.zeros_(block.share)
    assert torch.equal(block(x), F.avg_pool2d(x, 2))
    assert HalvingBlock(3, 5, halve=False)(x).shape == (2, 5, 6, 8)


@pytest.mark.parametrize(("size", "seen"), [(28, (3, 3)), (32, (4, 4)), (6, (6, 6)), (5, (5, 5))])
def test_a_judge_sees_the_whole_picture_at_once(size, seen):
    judge = DFDiscriminator((1, size, size), 5, 4)
    assert judge.look(torch.zeros(2, 1, size, size)).shape[2:] == seen
    assert judge(torch.zeros(2, 1, size, size), torch.zeros(2, 5)).shape == (2, 1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", ["dfgan", "gan_cls"])
def test_pictures_of_any_size(family, shape):
    torch.manual_seed(0)
    z, sentence = torch.randn(3, 4), of_size_one(torch.randn(3, 5))
    generator = DFGenerator(4, 5, shape, 4, 8) if family == "dfgan" else CLSGenerator(4, 5, shape, 4)
    judge = DFDiscriminator(shape, 5, 4) if family == "dfgan" else CLSDiscriminator(shape, 5, 4)
    made = generator(z, sentence)
    assert made.shape == (3, *shape)
    assert made.abs().max() <= 1 and made.std(0).max() > 0
    judge.eval()
    logits = judge(made, sentence)
    assert logits.shape == (3, 1)
    torch.testing.assert_close(logits, judge.judge(judge.look(made), sentence))
    assert not torch.allclose(logits, judge(made, -sentence))


@pytest.mark.parametrize("size", [(4, 4), (1, 3), (7, 2)], ids=str)
def test_a_sentence_that_is_everywhere_is_convolved_at_once(size):
    torch.manual_seed(0)
    sentence, weight = torch.randn(2, 5), torch.randn(3, 5, 3, 3)
    maps = sentence[:, :, None, None].expand(-1, -1, *size)
    expected = F.conv2d(maps, weight, padding=1)
    torch.testing.assert_close(everywhere(sentence, weight, size), expected, rtol=1e-4, atol=1e-5)


def test_its_slopes_have_slopes():
    """As the penalty of D's slope wants."""
    torch.manual_seed(0)
    sentence = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda s, w: everywhere(s, w, (2, 3)), (sentence, weight))


def test_picture_and_sentence_are_joined_by_one_convolution():
    torch.manual_seed(0)
    judge = DFDiscriminator((3, 16, 8), 5, 4)
    assert judge.joint.out_channels == 16
    x, sentence = torch.randn(2, 3, 16, 8), of_size_one(torch.randn(2, 5))
    joined = judge.joint(beside(judge.trunk(x), sentence))
    expected = judge.last(F.leaky_relu(joined, 0.2)).flatten(1)
    torch.testing.assert_close(judge(x, sentence), expected, rtol=1e-4, atol=1e-5)
