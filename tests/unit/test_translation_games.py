"""What the games of translations minimise."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from tenfold.augment.joint import Jointly, moved, zoomed
from tenfold.comparing import L1
from tenfold.degrade import Jpeg
from tenfold.draw import Draw
from tenfold.games.cut import CUT, different
from tenfold.games.cyclegan import BothWays, CycleGAN, History
from tenfold.games.translation import Adversary, Filling, OneWay, Translation
from tenfold.nn.layers import share_statistics
from tenfold.nn.networks.superres import Enlarger, UNetDiscriminator
from tenfold.nn.networks.translator import PatchHeads, TranslatorNetwork
from tenfold.nn.networks.unet import PatchDiscriminator, UNet, patch_layers
from tenfold.penalties import R1


def draw(n: int, seed: int = 0, rows: slice | None = None) -> Draw:
    return Draw(seed, rows or slice(0, n), n)


class Times(nn.Module):
    """A picture times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class EachPlace(nn.Module):
    """A logit for each place, of both pictures' values there."""

    def forward(self, x):
        return x.mean(1, keepdim=True)


class MeanOf(nn.Module):
    """A logit: the mean of a picture."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1, keepdim=True)


def test_both_pictures_of_a_pair_are_moved_alike():
    x = torch.rand(20, 1, 16, 16)
    a, b = Jointly(0.25, flip=True)(draw(20), x, -x)
    torch.testing.assert_close(a, -b)
    assert not torch.allclose(a, x)
    small, large = Jointly(0.25)(draw(20), x, x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(large, small.repeat_interleave(2, 2).repeat_interleave(2, 3))
    a, b = Jointly(0.25, flip=True)(draw(20), x, x.expand(-1, 3, -1, -1))
    assert torch.equal(a, b[:, :1])


def test_a_picture_goes_on_mirrored_at_its_border():
    x = torch.arange(4.0).expand(2, 1, 4, 4)
    found = moved(x, [torch.zeros(2, dtype=torch.int64), torch.tensor([-2, 1])])
    assert found[:, 0, 3].tolist() == [[1, 0, 0, 1], [1, 2, 3, 3]]


def test_a_shift_of_nothing_is_the_picture():
    x = torch.rand(3, 2, 8, 8)
    assert torch.equal(Jointly(0.0)(draw(3), x)[0], x)


def test_a_zoom_shows_a_part_around_the_centre_and_leaves_half_of_the_pairs_sharp():
    place = (2 * torch.arange(8) + 1) / 8 - 1
    x = torch.stack([place.expand(8, 8), place[:, None].expand(8, 8)])[None].expand(2, -1, -1, -1)
    found = zoomed(x, torch.tensor([[0.5, 0.75], [1.0, 1.0]]))
    torch.testing.assert_close(found[0, 0, 3], 0.5 * place)
    torch.testing.assert_close(found[0, 1, :, 3], 0.75 * place)
    assert torch.equal(found[1], x[1])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(zoomed(x, torch.tensor([[0.5, 0.75], [1.0, 1.0]])), found)
    x = torch.rand(60, 1, 8, 8)
    a, b = Jointly(zoom=0.5)(draw(60), x, torch.cat([x, -x], 1))
    torch.testing.assert_close(torch.cat([a, -a], 1), b)
    assert 15 < (a == x).flatten(1).all(1).sum() < 45


def test_pairs_charge_pixels_and_what_d_says():
    game = Translation(OneWay(Times(0.5)), MeanOf(), comparisons=[L1(10.0)])
    source = torch.ones(2, 1, 4, 4)
    batch = {"source": source, "real": torch.zeros(2, 1, 4, 4)}
    losses = game.generate(batch, draw(2)).losses
    torch.testing.assert_close(losses["l1"], torch.tensor(5.0))
    logit = torch.tensor(0.75)  # the mean of 1 and of 0.5, which D sees together
    torch.testing.assert_close(losses["adversarial"], nn.functional.softplus(-logit))
    said = game.criticise(batch, draw(2)).losses["adversarial"]
    expected = nn.functional.softplus(-torch.tensor(0.5)) + nn.functional.softplus(logit)
    torch.testing.assert_close(said, expected / 2)


def test_d_is_shown_what_g_made_in_its_turn_and_once():
    game = Translation(OneWay(Times(0.5)), MeanOf(), comparisons=[L1(10.0)])
    first = {"source": torch.ones(2, 1, 4, 4), "real": torch.zeros(2, 1, 4, 4)}
    other = {"source": torch.full((2, 1, 4, 4), -1.0), "real": torch.ones(2, 1, 4, 4)}
    alone = game.criticise(other, draw(2)).losses["adversarial"]
    game.generate(first, draw(2))
    handed = game.criticise(other, draw(2)).losses["adversarial"]
    torch.testing.assert_close(handed, game.criticise(first, draw(2)).losses["adversarial"])
    torch.testing.assert_close(game.criticise(other, draw(2)).losses["adversarial"], alone)
    assert not torch.equal(handed, alone)


def test_before_its_time_and_without_a_discriminator_g_learns_alone():
    both, later = [L1(), L1(1.0, "other")], Adversary(since=0.5)
    game = Translation(OneWay(Times(0.5)), MeanOf(), comparisons=both, adversary=later)
    assert game.stages == (0.5,)
    assert [turn.player for turn in game.turns(0)] == ["G"]
    batch = {"source": torch.ones(2, 1, 4, 4), "real": torch.zeros(2, 1, 4, 4)}
    assert game.generate(batch, draw(2)).losses.keys() == {"l1"}
    game.progress = 0.5
    assert [turn.player for turn in game.turns(0)] == ["G", "D"]
    assert game.generate(batch, draw(2)).losses.keys() == {"l1", "other", "adversarial"}
    assert Translation(OneWay(Times(0.5)), None, comparisons=[L1()]).players().keys() == {"G"}


@pytest.mark.parametrize("judge", [MeanOf(), EachPlace()])
def test_a_slope_of_d_is_charged_at_the_real_picture_alone(judge):
    """D's mean logit is that of 32 numbers, 16 of them the real picture's: its squared slope is 16 / 32**2.

    However many places D judges.
    """
    adversary = Adversary(penalties=[R1(2.0, every=4)])
    game = Translation(OneWay(Times(0.5)), judge, adversary=adversary)
    turns = game.turns(0)
    assert [(turn.player, turn.every) for turn in turns] == [("G", 1), ("D", 1), ("D", 4)]
    batch = {"source": torch.ones(2, 1, 4, 4), "real": torch.rand(2, 1, 4, 4)}
    losses = turns[2].loss(batch, draw(2)).losses
    torch.testing.assert_close(losses["r1"], torch.tensor(2.0 * 4 * 16 / 32**2 / 2))


def test_what_is_degraded_is_not_rounded_as_networks_are():
    game = Translation(OneWay(Times(1.0)), None, degrade=Jpeg(40.0, 40.0))
    batch = {"real": torch.rand(2, 1, 16, 16) * 2 - 1}
    exact = game.prepare(batch, draw(2))[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(game.prepare(batch, draw(2))[0], exact)


class Bright(nn.Module):
    """One channel of ones."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[:, :1])


def without_a_quarter(x: Tensor, draw: Draw) -> Tensor:
    """Four of sixteen pixels are grey, and marked."""
    whole = torch.ones_like(x[:, :1])
    whole[:, :, :2, :2] = -1
    return torch.cat([x.masked_fill(whole < 0, 0.5), whole], 1)


def test_what_fills_holes_is_charged_within_them_alone():
    """A quarter is missing; what the network makes is off by one everywhere, and counts in that quarter."""
    game = Translation(OneWay(Filling(Bright())), MeanOf(), comparisons=[L1(1.0)], degrade=without_a_quarter)
    batch = {"real": torch.zeros(2, 1, 4, 4)}
    losses = game.generate(batch, draw(2)).losses
    torch.testing.assert_close(losses["l1"], torch.tensor(4 / 16))
    # D sees three channels: what is given, its mark of 12 - 4, and the picture with four bright pixels.
    logit = torch.tensor((4 * 0.5 + 8 + 4) / 48)
    torch.testing.assert_close(losses["adversarial"], nn.functional.softplus(-logit))


def test_a_cycle_that_comes_back_costs_nothing():
    def histories() -> dict[str, History]:
        return {side: History(0, 2, (1, 4, 4)) for side in ("real", "source")}

    judges = {"real": MeanOf(), "source": MeanOf()}
    batch = {"source": torch.full((2, 1, 4, 4), 0.5), "real": torch.full((2, 1, 4, 4), -0.25)}
    game = CycleGAN(BothWays(Times(2.0), Times(0.5), stride=1), judges, histories())
    losses = game.generate(batch, draw(2)).losses
    assert losses["cycle_source"] == losses["cycle_real"] == 0
    torch.testing.assert_close(losses["identity_real"], torch.tensor(5 * 0.25))  # 2 x where x was right
    torch.testing.assert_close(losses["identity_source"], torch.tensor(5 * 0.25))
    torch.testing.assert_close(losses["adversarial_real"], torch.tensor(0.0))  # D says 1 of 2 x 0.5
    torch.testing.assert_close(losses["adversarial_source"], torch.tensor((-0.125 - 1) ** 2))
    game = CycleGAN(BothWays(Times(2.0), Times(1.0), stride=1), judges, histories())
    losses = game.generate(batch, draw(2)).losses
    torch.testing.assert_close(losses["cycle_source"], torch.tensor(10 * 0.5))


def test_identity_is_a_share_of_the_cycle():
    histories = {side: History(0, 2, (1, 4, 4)) for side in ("real", "source")}
    judges = {"real": MeanOf(), "source": MeanOf()}
    batch = {side: torch.full((2, 1, 4, 4), 0.25) for side in ("real", "source")}
    for cycle, charged in ((10.0, 5 * 0.25), (0.5, 0.25 * 0.25), (0.0, None)):
        game = CycleGAN(BothWays(Times(2.0), Times(2.0), stride=1), judges, histories, cycle=cycle)
        losses = game.generate(batch, draw(2)).losses
        assert (losses["identity_real"].item() if charged else losses.get("identity_real")) == charged


def test_noise_is_added_before_the_way_back_and_to_nothing_else():
    histories = {side: History(0, 2, (1, 64, 64)) for side in ("real", "source")}
    judges = {"real": MeanOf(), "source": MeanOf()}
    batch = {side: torch.zeros(2, 1, 64, 64) for side in ("real", "source")}
    game = CycleGAN(BothWays(Times(1.0), Times(3.0), stride=1), judges, histories, cycle=1.0, noise=0.1)
    losses = game.generate(batch, draw(2)).losses
    much = 0.1 * (2 / torch.pi) ** 0.5  # the mean absolute value of such noise
    assert losses["cycle_source"].item() == pytest.approx(3 * much, rel=0.05)
    assert losses["cycle_real"].item() == pytest.approx(much, rel=0.05)
    assert losses["identity_real"] == losses["identity_source"] == 0


def test_the_history_gives_back_what_it_was_shown():
    history = History(8, 4, (1, 1, 1))
    history.to(memory_format=torch.channels_last)  # as a run does, and no layout of five dimensions
    assert history.depth == 2
    shown = [history(torch.full((4, 1, 1, 1), float(step)), draw(4, step)).flatten() for step in range(200)]
    assert (torch.stack(shown[:2]) == torch.tensor([[0.0], [1.0]])).all()  # it fills first
    late = torch.stack(shown[2:])
    new = late == torch.arange(2, 200)[:, None]
    assert 0.4 < new.float().mean() < 0.6
    assert (late <= torch.arange(2, 200)[:, None]).all()


def test_parts_of_a_batch_share_no_history():
    whole, parts = History(8, 4, (1, 1, 1)), History(8, 4, (1, 1, 1))
    for step in range(20):
        fake = torch.arange(4.0).reshape(4, 1, 1, 1) + 10 * step
        expected = whole(fake, draw(4, step))
        halves = [parts(fake[a:b], draw(4, step, slice(a, b))) for a, b in ((0, 2), (2, 4))]
        assert torch.equal(torch.cat(halves), expected)


def test_every_process_remembers_what_all_have_made():
    """Of eight rows each of two processes makes four; either then holds what a single one would."""
    whole, halves = History(16, 8, (1, 1, 1)), [History(16, 8, (1, 1, 1)) for _ in range(2)]
    parts = (slice(0, 4), slice(4, 8))
    for step in range(20):
        fake = torch.arange(8.0).reshape(8, 1, 1, 1) + 10 * step
        expected, notes = whole(fake, draw(8, step)), []
        for half, rows in zip(halves, parts, strict=True):
            alone = deepcopy(half)
            share_statistics(alone, lambda own, notes=notes: notes.append(own) or own)
            alone(fake[rows], draw(8, step, rows))
        for half, rows, other in zip(halves, parts, reversed(notes), strict=True):
            share_statistics(half, lambda own, other=other: own + other)
            assert torch.equal(half(fake[rows], draw(8, step, rows)), expected[rows])
            assert torch.equal(half.kept, whole.kept) and torch.equal(half.filled, whole.filled)
    assert whole.filled.tolist() == [2] * 8


def test_networks_keep_the_size_of_a_picture():
    x = torch.rand(2, 3, 32, 48)
    for resized in (True, False):
        assert UNet(3, 1, 4, 3, resized=resized)(x).shape == (2, 1, 32, 48)
        assert TranslatorNetwork(3, 2, 4, 2, resized=resized)(x).shape == (2, 2, 32, 48)
    assert PatchDiscriminator(3, 4, 3)(torch.rand(2, 3, 64, 64)).shape == (2, 1, 6, 6)


def test_a_patch_of_the_papers_discriminator_is_70_pixels_wide():
    judge = PatchDiscriminator(1, 2, 3, norm="none")
    x = torch.rand(1, 1, 140, 140, requires_grad=True)
    said = judge(x)
    said[0, 0, 8, 8].backward()
    assert x.grad is not None
    rows = x.grad[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_heads_describe_the_places_that_are_asked_for():
    torch.manual_seed(0)
    network = TranslatorNetwork(1, 1, 4, 4)
    maps = network.maps(torch.rand(2, 1, 16, 16))
    assert [m.shape[1] for m in maps] == list(network.map_widths)
    places = [torch.zeros(2, 3, dtype=torch.int64) for _ in maps]
    found = PatchHeads(network.map_widths, 8)(maps, places)
    for vectors in found:
        assert vectors.shape == (2, 3, 8)
        torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2, 3))
        torch.testing.assert_close(vectors[:, 0], vectors[:, 2])


def test_places_are_different_and_each_picture_has_its_own():
    found = different(draw(3), 10, 4)
    assert found.shape == (3, 4) and found.max() < 10
    assert all(len({*row}) == 4 for row in found.tolist())
    assert torch.equal(different(draw(3, rows=slice(1, 3)), 10, 4), found[1:])
    assert different(draw(2), 3, 9).sort(1).values.tolist() == [[0, 1, 2]] * 2


@pytest.mark.parametrize("channels", [1, 2])
def test_cut_by_hand(channels):
    torch.manual_seed(0)
    network = TranslatorNetwork(channels, 1, 4, 2)
    game = CUT(network, PatchHeads(network.map_widths, 8), MeanOf(), places=6)
    kept = game.state_dict().values()
    assert len({tensor.data_ptr() for tensor in kept}) == len(kept)  # no weight is saved twice
    batch = {"source": torch.rand(2, channels, 8, 8), "real": torch.rand(2, 1, 8, 8)}
    losses = game.generate(batch, draw(2)).losses
    said = game.sampler(batch["source"]).flatten(1).mean(1)
    torch.testing.assert_close(losses["adversarial"], (said - 1).square().mean())
    assert losses.keys() == {"adversarial", "patches"} | ({"identity"} if channels == 1 else set())
    sum(losses.values()).backward()
    moving = game.players()["G"].named_parameters()
    assert [name for name, p in moving if p.grad is None or not p.grad.isfinite().all()] == []


def test_a_mirrored_picture_must_become_the_mirrored_result():
    """Where a network changes nothing, every patch is where it was, mirrored or not."""
    network = TranslatorNetwork(1, 1, 4, 2)
    heads, batch = PatchHeads((1,), 8), {name: torch.rand(8, 1, 12, 12) for name in ("source", "real")}

    def charged(*, flips: bool) -> Tensor:
        game = CUT(network, heads, MeanOf(), places=144, flips=flips)
        game.maps, game.finish = (lambda x: [x]), (lambda x: x)
        return game.generate(batch, draw(8)).losses["patches"]

    torch.testing.assert_close(charged(flips=True), charged(flips=False))


def test_the_finest_layer_of_a_unet_is_no_straight_line():
    net, seen = UNet(1, 3, 4, 3).eval(), []
    net.last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    x = 2 * torch.rand(2, 1, 16, 16) - 1
    net(x)
    assert torch.equal(seen[0][:, -1:], x)
    assert (seen[0][:, :-1] >= 0).all() and (seen[0][:, :-1] == 0).any()


class Repeated(nn.Module):
    """Every pixel four times."""

    def forward(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_what_was_padded_is_cropped_again():
    x = torch.rand(2, 1, 5, 11)
    assert torch.equal(OneWay(nn.Identity(), stride=4)(x), x)
    assert torch.equal(OneWay(nn.Identity(), stride=4, least=16)(x), x)
    assert torch.equal(OneWay(Repeated(), stride=4, scale=2)(x), Repeated()(x))


@pytest.mark.parametrize("size", [(4, 1), (4, 4), (7, 7), (5, 12), (64, 8)], ids=str)
def test_networks_take_tiny_and_narrow_pictures(size):
    x = torch.rand(2, 2, *size)
    translator, unet = TranslatorNetwork(2, 1, 4, 2), UNet(2, 1, 4, 1)
    made = OneWay(translator, stride=translator.stride, least=translator.least)(x)
    assert made.shape == OneWay(unet, stride=unet.stride)(x).shape == (2, 1, *size)
    assert Enlarger(2, 4, 1, 3, "rrdb")(x).shape == (2, 2, 3 * size[0], 3 * size[1])
    judge = PatchDiscriminator(2, 4, patch_layers((2, *size)), norm="instance")
    assert judge(x).isfinite().all()


@pytest.mark.parametrize(("depth", "size"), [(0, (5, 5)), (2, (8, 12))])
def test_a_discriminator_that_judges_every_pixel(depth, size):
    judge = UNetDiscriminator(1, 2, depth)
    assert judge(torch.rand(2, 1, *size)).shape == (2, 1, *size)
    assert len(judge.maps(torch.rand(2, 1, *size))) == 2 * depth + 1
