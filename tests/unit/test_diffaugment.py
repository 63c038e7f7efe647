"""Differentiable augmentation."""

from __future__ import annotations

import pytest
import torch

from tenfold.augment.diffaugment import DiffAugment, cut_out, recolour, shift_along, shift_of, translate
from tenfold.draw import Draw

SHAPES = [(1, 8, 8), (2, 8, 8), (3, 12, 8), (4, 7, 9)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def draw(n: int, seed: int = 0) -> Draw:
    return Draw(seed, slice(0, n), n)


def colour_by_hand(x, brightness, saturation, contrast):
    x = x + brightness - 0.5
    if len(x) > 1:
        x = x.mean(0) + (x - x.mean(0)) * 2 * saturation
    return x.mean() + (x - x.mean()) * (contrast + 0.5)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 8), (5, 7, 9)], ids=str)
def test_colour_by_hand(shape):
    x, numbers = torch.rand(4, *shape), draw(4).uniform(3, 1, 1, 1)
    by_hand = torch.stack([colour_by_hand(x[i], *numbers[i].flatten()) for i in range(4)])
    torch.testing.assert_close(recolour(x, draw(4)), by_hand)


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_is_no_colour(channels):
    x = torch.rand(4, channels, 6, 6)
    seen = recolour(x, draw(4))
    torch.testing.assert_close(seen[:, :-1], recolour(x[:, :-1], draw(4)))
    assert torch.equal(seen[:, -1], x[:, -1])


def test_shift_by_hand():
    x = torch.arange(1.0, 10.0).view(1, 1, 3, 3).repeat(3, 1, 1, 1)
    down = shift_along(x, 2, torch.tensor([1, 0, -1]))
    assert down[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert torch.equal(down[1], x[1])
    assert down[2, 0].tolist() == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]
    right = shift_along(x, 3, torch.tensor([1, -2, 5]))
    assert right[0, 0].tolist() == [[0, 1, 2], [0, 4, 5], [0, 7, 8]]
    assert right[1, 0].tolist() == [[3, 0, 0], [6, 0, 0], [9, 0, 0]]
    assert right[2].abs().max() == 0


@pytest.mark.parametrize(("side", "most"), [(8, 1), (32, 4), (28, 4), (2, 1)])
def test_how_far_it_shifts(side, most):
    shifts = shift_of(side, draw(500), 0.125)
    assert sorted(shifts.unique().tolist()) == list(range(-most, most + 1))


@each_shape
def test_both_sides_are_shifted_by_themselves(shape):
    x = torch.ones(200, *shape)
    y = translate(x, draw(200), 0.125)
    rows, columns = y.amax((1, 3)), y.amax((1, 2))
    shifted = torch.stack([rows.min(1).values == 0, columns.min(1).values == 0], 1)
    assert 0.5 < shifted.float().mean() < 0.85
    assert len(shifted.unique(dim=0)) == 4


@each_shape
def test_cutout_is_a_rectangle_of_zeros(shape):
    y = cut_out(torch.ones(300, *shape), draw(300), 0.5)
    zero = y == 0
    assert torch.equal(zero.all(1), zero.any(1)), "all channels alike"
    heights, widths = zero.any(1).any(2).sum(1), zero.any(1).any(1).sum(1)
    most = [int(side * 0.5 + 0.5) for side in shape[1:]]
    assert (heights.max().item(), widths.max().item()) == tuple(most)
    assert torch.equal(zero.any(1).sum((1, 2)), heights * widths)
    assert heights.min() < most[0], "it may leave the picture"
    assert y[:, 0].sum((1, 2)).unique().numel() > 2
    assert zero.any(0).all(), "every place is hit"


@each_shape
def test_gradient_flows(shape):
    x = torch.rand(8, *shape, requires_grad=True)
    DiffAugment()(x, draw(8)).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert (x.grad.flatten(1).abs().amax(1) > 0).all()


@each_shape
def test_every_sample_is_changed_in_its_own_way(shape):
    x = torch.rand(1, *shape).expand(6, *shape)
    y = DiffAugment()(x, draw(6))
    assert y.shape == x.shape
    assert len(y.flatten(1).unique(dim=0)) == 6


@each_shape
def test_a_sample_is_changed_the_same_way_in_any_part_of_the_batch(shape):
    x = torch.rand(6, *shape)
    whole, part = DiffAugment()(x, draw(6)), DiffAugment()(x[2:5], Draw(0, slice(2, 5), 6))
    assert torch.equal(whole[2:5], part)
    assert not torch.equal(whole, DiffAugment()(x, draw(6, seed=1)))


def test_range():
    """A colour moves by at most a half, and what is moved or cut is zero."""
    y = DiffAugment(shift=0.0, cutout=0.0)(torch.zeros(500, 3, 4, 4), draw(500))
    assert y.min().item() == pytest.approx(-0.5, abs=0.01)
    assert y.max().item() == pytest.approx(0.5, abs=0.01)


def test_parts_can_be_left_out():
    x = torch.rand(6, 2, 8, 8)
    assert torch.equal(DiffAugment(colour=False, shift=0.0, cutout=0.0)(x, draw(6)), x)
    assert torch.equal(DiffAugment(shift=0.0, cutout=0.0)(x, draw(6)), recolour(x, draw(6)))
    assert torch.equal(DiffAugment(colour=False, cutout=0.0)(x, draw(6)), translate(x, draw(6), 0.125))
    assert torch.equal(DiffAugment(colour=False, shift=0.0)(x, draw(6)), cut_out(x, draw(6), 0.5))
