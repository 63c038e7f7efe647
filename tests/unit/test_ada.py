"""Adaptive augmentation: what it does to pictures, and what steers it."""

from __future__ import annotations

from math import pi

import pytest
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from tenfold.augment.ada import ADA, EVENTS, Chances, colouring, placement, rotation, stretching
from tenfold.augment.warp import resample, warp
from tenfold.draw import Draw
from tenfold.penalties import Look

SHAPES = [(1, 8, 8), (2, 8, 8), (3, 12, 8), (4, 7, 9)]
EVERY = {"mirror", "quarter_turns", "shift", "scale", "rotation", "stretch"}
TINTS = {"brightness", "contrast", "inversion", "hue", "saturation"}


def draw(n: int, seed: int = 0) -> Draw:
    return Draw(seed, slice(0, n), n)


def at(p: float, *only: str) -> ADA:
    """At a fixed probability, with some changes only."""
    ada = ADA((EVERY | TINTS) - set(only) if only else ())
    ada.p.fill_(p)
    return ada


def affine(linear: Tensor, far: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """Of two pictures: how places move."""
    return torch.cat([linear.expand(2, 2, 2), torch.tensor(far).expand(2, 2)[..., None]], -1)


def test_the_grid_of_nothing_gives_the_picture():
    x = torch.rand(2, 3, 7, 9)
    torch.testing.assert_close(warp(x, affine(torch.eye(2))), x)


def test_a_mirror_a_quarter_turn_and_whole_pixels_are_exact():
    x = torch.rand(2, 3, 6, 6)
    torch.testing.assert_close(warp(x, affine(torch.diag(torch.tensor([-1.0, 1.0])))), x.flip(3))
    torch.testing.assert_close(warp(x, affine(rotation(torch.tensor([pi / 2])))), x.rot90(1, (2, 3)))
    moved = warp(x, affine(torch.eye(2), (2 / 6, 0.0)))
    torch.testing.assert_close(moved[..., :-1], x[..., 1:])
    torch.testing.assert_close(moved[..., -1], x[..., -1])  # mirrored at the border


def test_sampling_is_linear_and_its_gradient_is_its_transpose():
    x, y = torch.rand(2, 1, 5, 4, requires_grad=True), torch.rand(2, 1, 5, 4)
    grid = affine_grid(torch.randn(2, 2, 3) * 0.3 + torch.eye(2, 3), [2, 1, 5, 4], align_corners=False)
    found = resample(x, grid)
    expected = grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(found, expected)
    (slope,) = torch.autograd.grad((found * y).sum(), x)
    (known,) = torch.autograd.grad((expected * y).sum(), x)
    torch.testing.assert_close(slope, known)


def test_it_can_be_differentiated_twice():
    """The penalty of D(x) = sum of T(x) squared, whose slope is 2 T'T x."""
    x = torch.rand(2, 1, 4, 4, dtype=torch.float32, requires_grad=True)
    grid = affine_grid(torch.randn(2, 2, 3) * 0.3 + torch.eye(2, 3), [2, 1, 4, 4], align_corners=False)

    def penalty(x: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(resample(x, grid).square().sum(), x, create_graph=True)
        return slope.square().sum()

    (found,) = torch.autograd.grad(penalty(x), x)
    direction, step = torch.rand_like(x), 1e-2
    ahead, behind = (penalty((x + s * direction).detach().requires_grad_()) for s in (step, -step))
    assert ((ahead - behind) / (2 * step)).item() == pytest.approx((found * direction).sum().item(), rel=1e-2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_picture_is_changed_in_its_own_way(shape):
    x = torch.rand(1, *shape).expand(6, *shape) * 2 - 1
    changed = at(1.0)(x, draw(6))
    assert changed.shape == x.shape and changed.isfinite().all()
    assert all(not torch.allclose(changed[i], changed[j]) for i in range(6) for j in range(i))
    torch.testing.assert_close(at(0.0)(x, draw(6)), x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_about_a_share_p_is_changed(shape):
    x = torch.rand(400, *shape) * 2 - 1
    seen = at(0.3, "contrast")(x, draw(400))
    share = 1 - torch.isclose(seen, x, atol=1e-5).flatten(1).all(1).float().mean()
    assert share.item() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("name", sorted(EVERY | TINTS))
def test_what_is_left_out_does_not_happen(name):
    ada = ADA({name})
    chances = Chances(torch.tensor(1.0), ada.moves | ada.tints, draw(8))
    for event, of in EVENTS.items():
        drawn = torch.cat([chances.evenly[event], chances.normally[event]], 1)
        assert bool((drawn == 0).all()) is (of == name), event
    x = torch.rand(8, 3, 8, 8) * 2 - 1
    assert not torch.allclose(at(1.0, name)(x, draw(8)), x)


def test_a_picture_that_is_not_square_stays_in_its_frame():
    chances = Chances(torch.tensor(1.0), {"quarter_turns"}, draw(200))
    turns = placement(chances, 4, 8)
    assert turns[:, 0, 0].abs().round().eq(1).all()
    assert (turns[:, 0, 0] < 0).any()
    square = placement(Chances(torch.tensor(1.0), {"quarter_turns"}, draw(200)), 8, 8)
    assert square[:, 0, 0].abs().round().eq(0).any()


def test_a_turn_keeps_shapes_where_a_picture_is_not_square():
    """In pixels the map is a rotation: lengths stay, whatever the frame."""
    chances = Chances(torch.tensor(1.0), {"rotation"}, draw(50))
    height, width = 6, 18
    turns = placement(chances, height, width)[:, :, :2]
    pixels = torch.tensor([width / 2, height / 2])
    inner = turns * pixels[:, None] / pixels
    torch.testing.assert_close(inner @ inner.mT, torch.eye(2).expand(50, 2, 2), atol=1e-5, rtol=0)


def test_a_stretch_between_turns_is_their_product():
    factor, before, after = torch.tensor([1.5]), torch.tensor([0.4]), torch.tensor([-1.1])
    product = rotation(before) @ torch.diag(torch.tensor([1.5, 1 / 1.5])) @ rotation(after)
    torch.testing.assert_close(stretching(factor, before, after), product)


def test_turns_and_shifts_come_with_the_share_that_is_asked_for():
    """One turn of two with p; what is not changed is left in its place."""
    chances = Chances(torch.tensor(0.36), {"rotation", "shift"}, draw(4000))
    turns = [chances.evenly[name][:, 0] != 0 for name in ("rotation", "second rotation")]
    assert (turns[0] | turns[1]).float().mean().item() == pytest.approx(0.36, abs=0.03)
    assert turns[0].float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert (chances.evenly["shift"] != 0).all(1).float().mean().item() == pytest.approx(0.36, abs=0.03)
    still = placement(chances, 8, 8)[~turns[0] & ~turns[1]]
    torch.testing.assert_close(still[:, :, :2], torch.eye(2).expand(len(still), 2, 2))
    far = (still[:, :, 2] * 4)[(chances.normally["fine shift"] == 0).all(1)[~turns[0] & ~turns[1]]]
    torch.testing.assert_close(far, far.round())  # whole pixels, at most an eighth of eight
    assert far.abs().max() == 1


def move(linear: Tensor, far: Tensor) -> Tensor:
    """As 3x3 matrices, `(n, 3, 3)`."""
    rows = torch.cat([linear.expand(len(far), 2, 2), far[..., None]], -1)
    return torch.cat([rows, torch.tensor([0.0, 0.0, 1.0]).expand(len(far), 1, 3)], 1)


def test_a_placement_is_the_product_of_its_moves():
    n, side = 6, 16
    chances = Chances(torch.tensor(1.0), EVERY, draw(n))
    evenly, normally, none = chances.evenly, chances.normally, torch.zeros(n, 2)
    mirrored = torch.where(evenly["mirror"][:, 0] < 0, -1.0, 1.0)
    factor = torch.exp2(normally["stretch"][:, 0] * 0.2)
    moves = [
        move(torch.diag_embed(torch.stack([mirrored, torch.ones(n)], 1)), none),
        move(rotation((2 * evenly["quarter_turns"][:, 0]).floor() * pi / 2), none),
        move(torch.eye(2), (evenly["shift"] * 0.125 * side).round() * 2 / side),
        move(torch.eye(2) * torch.exp2(normally["scale"][:, :1, None] * 0.2), none),
        move(rotation(evenly["rotation"][:, 0] * pi), none),
        move(torch.diag_embed(torch.stack([factor, 1 / factor], 1)), none),
        move(rotation(evenly["second rotation"][:, 0] * pi), none),
        move(torch.eye(2), normally["fine shift"] * 0.125 * 2),
    ]
    product = moves[0]
    for one in moves[1:]:
        product = product @ one
    torch.testing.assert_close(placement(chances, side, side), product[:, :2])


def test_colours_by_hand():
    p = torch.tensor(1.0)
    matrix, offset = colouring(Chances(p, {"brightness"}, draw(5)), 3)
    torch.testing.assert_close(matrix, torch.eye(3).expand(5, 3, 3))
    assert offset.shape == (5, 1) and offset.abs().max() > 0
    grey = torch.ones(3)
    matrix, _ = colouring(Chances(p, {"inversion"}, draw(50)), 3)
    assert {round(v) for v in (matrix @ grey).mean(1).tolist()} == {-1, 1}
    matrix, _ = colouring(Chances(p, {"hue"}, draw(5)), 3)
    torch.testing.assert_close(matrix @ grey, grey.expand(5, 3))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).expand(5, 3, 3), atol=1e-5, rtol=0)
    matrix, _ = colouring(Chances(p, {"saturation"}, draw(5)), 3)
    torch.testing.assert_close(matrix @ grey, grey.expand(5, 3))
    red = torch.tensor([2.0, -1.0, -1.0])
    factor = (matrix @ red)[:, 0] / 2
    torch.testing.assert_close(matrix @ red, factor[:, None] * red)
    assert factor.std() > 0.1


@pytest.mark.parametrize("channels", [3, 5])
def test_a_hue_is_turned_by_its_angle(channels):
    chances = Chances(torch.tensor(1.0), {"hue"}, draw(4))
    matrix, _ = colouring(chances, channels)
    angles = chances.evenly["hue"][:, 0] * pi
    traces = matrix.diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(traces, channels - 2 + 2 * angles.cos())  # in a plane, all else stays


def test_colours_are_changed_one_after_the_other():
    """As matrices by hand: brightness, then contrast, inversion, hue and saturation."""
    every = Chances(torch.tensor(1.0), TINTS, draw(5))
    matrix, offset = colouring(every, 3)
    product, added = torch.eye(3).expand(5, 3, 3), torch.zeros(5, 3, 1)
    for name in ("brightness", "contrast", "inversion", "hue", "saturation"):
        one, more = colouring(Chances(torch.tensor(1.0), {name}, draw(5)), 3)
        product, added = one @ product, one @ added + more[..., None]
    torch.testing.assert_close(matrix, product)
    torch.testing.assert_close(offset[..., None].expand(5, 3, 1), added)


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_has_no_colour(channels):
    ada = ADA(EVERY, most=1.0)
    ada.p.fill_(1.0)
    x = torch.rand(8, channels, 4, 4) * 2 - 1
    changed = ada(x, draw(8))
    assert torch.equal(changed[:, -1], x[:, -1])
    assert not torch.allclose(changed[:, 0], x[:, 0])


def test_a_change_that_is_left_out_never_happens():
    every = EVERY | TINTS
    ada = ADA(every, most=1.0)
    ada.p.fill_(1.0)
    x = torch.rand(20, 3, 8, 8) * 2 - 1
    assert torch.equal(ada(x, draw(20)), x)
    only = ADA(every - {"mirror"}, most=1.0)
    only.p.fill_(1.0)
    found = only(x, draw(20))
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(found, x, strict=True)]
    turned_round = [torch.allclose(a, b.flip(2), atol=1e-5) for a, b in zip(found, x, strict=True)]
    assert all(a or b for a, b in zip(same, turned_round, strict=True)) and any(turned_round) and any(same)


def look(real: list[float], fake: list[float]) -> Look:
    r, f = torch.tensor(real)[:, None], torch.tensor(fake)[:, None]
    return Look(lambda x: x, r, f, r, f, draw(len(real)))


def test_p_rises_while_d_is_too_sure_and_falls_while_it_is_not():
    ada = ADA(pace=8.0, every=2, begin=0.0)
    for step, expected in ((1, 0.0), (2, 0.16), (3, 0.16), (4, 0.32)):
        ada.watch(look([1.0, 2.0, 0.5], [-1.0, -2.0, -0.5]))
        ada.settle(step / 100)
        assert ada.p.item() == pytest.approx(expected)
    for step in (5, 6):
        ada.watch(look([1.0, -2.0, 0.5], [-1.0, -2.0, 3.5]))  # mean sign a third
        ada.settle(step / 100)
    assert ada.p.item() == pytest.approx(0.16)


def test_p_stays_between_its_bounds():
    ada = ADA(most=0.5, pace=100.0, every=1, begin=0.0)
    ada.watch(look([1.0], [-1.0]))
    ada.settle(0.5)
    assert ada.p.item() == 0.5
    ada.watch(look([-1.0], [1.0]))
    ada.settle(0.9)
    assert ada.p.item() == 0.0


def test_of_a_beginners_samples_any_d_is_sure():
    ada = ADA(pace=10.0, every=1, begin=0.05)
    for progress, expected in ((0.02, 0.0), (0.05, 0.0), (0.06, 0.1)):
        ada.watch(look([1.0], [-1.0]))
        ada.settle(progress)
        assert ada.p.item() == pytest.approx(expected)


def test_without_a_look_nothing_moves():
    ada = ADA(every=1, begin=0.0)
    ada.settle(0.5)
    assert ada.p.item() == 0.0
    ada.watch(look([1.0], [-1.0]))
    ada.settle(0.5)
    assert ada.p.item() == pytest.approx(0.8)


def test_a_run_that_is_extended_goes_on_with_its_p():
    ada = ADA(every=1, begin=0.0, pace=1.0)
    ada.watch(look([1.0], [-1.0]))
    ada.settle(0.4)
    ada.watch(look([1.0], [-1.0]))
    ada.settle(0.2)  # more samples are planned, so less has passed
    assert ada.p.item() == pytest.approx(0.4)
    ada.watch(look([1.0], [-1.0]))
    ada.settle(0.3)
    assert ada.p.item() == pytest.approx(0.5)


def test_the_threshold_is_the_middle_between_real_and_generated():
    """Of turns before, so that parts of a batch are the batch."""
    for far in (0.0, 10.0, -10.0):
        ada = ADA(every=1, begin=0.0, pace=1.0)
        for progress in (0.1, 0.2, 0.3):
            ada.watch(look([far + 1.0, far + 2.0, far + 1.5], [far - 1.0, far - 2.0, far - 1.5]))
            ada.settle(progress)
        assert ada.middle.item() == pytest.approx(far)
        assert ada.p.item() == pytest.approx(0.2 if far < 0 else 0.3)  # the first turn knew only zero


def test_two_parts_of_a_batch_are_the_batch():
    whole, parts = ADA(begin=0.0), ADA(begin=0.0)
    for step in range(1, 9):
        whole.watch(look([1.0, 2.0, 1.5, 4.0], [0.5, -2.0, -1.0, -3.0]))
        parts.watch(look([1.0], [0.5]))
        parts.watch(look([2.0, 1.5, 4.0], [-2.0, -1.0, -3.0]))
        for ada in (whole, parts):
            ada.settle(step / 10)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, msg=name)
    assert whole.p > 0


def test_a_run_that_is_planned_anew_moves_p_by_what_passed():
    """Half of the planned samples: what was an eighth is a quarter, and no leap."""
    ada = ADA(every=1, begin=0.0)

    def turn(progress: float) -> float:
        said = torch.full((8, 1), 5.0)
        ada.watch(Look(lambda x: x, said, said, said, said - 10, draw(8)))
        ada.settle(progress)
        return ada.p.item()

    turn(0.125)
    before = ada.p.item()
    ada.replanned(2.0)
    assert turn(0.26) == pytest.approx(before + 0.01 * ada.pace, abs=1e-6)
