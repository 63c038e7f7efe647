"""What the games of translations minimise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tenfold.augment.joint import Jointly
from tenfold.comparing import L1
from tenfold.draw import Draw
from tenfold.games.cyclegan import BothWays, CycleGAN, History
from tenfold.games.translation import OneWay, Pairs
from tenfold.nn.networks.translator import PatchHeads, TranslatorNetwork
from tenfold.nn.networks.unet import PatchDiscriminator, UNet


def draw(n: int, seed: int = 0, rows: slice | None = None) -> Draw:
    return Draw(seed, rows or slice(0, n), n)


class Times(nn.Module):
    """A picture times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class MeanOf(nn.Module):
    """A logit: the mean of a picture."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1, keepdim=True)


def test_both_pictures_of_a_pair_are_moved_alike():
    x = torch.rand(20, 1, 16, 16)
    a, b = Jointly(0.25, flip=True)(x, -x, draw(20))
    torch.testing.assert_close(a, -b)
    assert not torch.allclose(a, x)
    small, large = Jointly(0.25)(x, x.repeat_interleave(2, 2).repeat_interleave(2, 3), draw(20))
    torch.testing.assert_close(large, small.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_a_shift_of_nothing_is_the_picture():
    x = torch.rand(3, 2, 8, 8)
    assert torch.equal(Jointly(0.0)(x, x, draw(3))[0], x)


def test_pairs_charge_pixels_and_what_d_says():
    game = Pairs(OneWay(Times(0.5)), MeanOf(), comparisons=[L1(10.0)])
    source = torch.ones(2, 1, 4, 4)
    batch = {"source": source, "real": torch.zeros(2, 1, 4, 4)}
    losses = game.generate(batch, draw(2)).losses
    torch.testing.assert_close(losses["l1"], torch.tensor(5.0))
    logit = torch.tensor(0.75)  # the mean of one and a half
    torch.testing.assert_close(losses["adversarial"], nn.functional.softplus(-logit))
    said = game.criticise(batch, draw(2)).losses["adversarial"]
    expected = nn.functional.softplus(-torch.tensor(0.5)) + nn.functional.softplus(logit)
    torch.testing.assert_close(said, expected / 2)


def test_before_its_time_and_without_a_discriminator_g_learns_alone():
    game = Pairs(OneWay(Times(0.5)), MeanOf(), comparisons=[L1(), L1(1.0, "other")], alone_until=0.5)
    assert [turn.player for turn in game.turns(0)] == ["G"]
    batch = {"source": torch.ones(2, 1, 4, 4), "real": torch.zeros(2, 1, 4, 4)}
    assert game.generate(batch, draw(2)).losses.keys() == {"l1"}
    game.progress = 0.5
    assert [turn.player for turn in game.turns(0)] == ["D", "G"]
    assert game.generate(batch, draw(2)).losses.keys() == {"l1", "other", "adversarial"}
    assert Pairs(OneWay(Times(0.5)), None, comparisons=[L1()]).players().keys() == {"G"}


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


def test_the_history_gives_back_what_it_was_shown():
    history = History(8, 4, (1, 1, 1))
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
