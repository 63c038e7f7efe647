"""Networks, game and recipe of series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tenfold.data.order import Rows, Shuffled
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.spec import DataSpec
from tenfold.draw import Draw
from tenfold.engine.trainer import Trainer
from tenfold.errors import RecipeError
from tenfold.games.series import SeriesGAN, SeriesJudge, SeriesSampler
from tenfold.nn.networks.series import (
    AttributeCritic,
    FlatCritic,
    SeriesGenerator,
    TemporalCritic,
    chosen,
    flags,
    silenced,
    steps_of,
    stretched,
)
from tenfold.objectives import RELATIVISTIC, WASSERSTEIN
from tenfold.penalties import R1, squared_gradient_norm
from tenfold.recipe import make_recipe

LAYOUT = SeriesLayout(steps=7, shortest=3, numbers=3, choices=(2, 3), channels=2, options=(3,), spanned=(0,))
BARE = SeriesLayout(steps=5, shortest=5, numbers=0, choices=(), channels=1, options=())
SPEC = DataSpec("series", (LAYOUT.width,), 32, ("a", "b"), (16, 16), series=LAYOUT)


def generator(layout=LAYOUT, **settings):
    return SeriesGenerator(layout, 4, 2, widths=(8,), hidden=8, **settings)


def made(network, n=6, **more):
    torch.manual_seed(3)
    with torch.no_grad():
        return network(torch.randn(n, network.dimension), **more)


def rows(n=32, seed=0):
    return silenced(
        2 * torch.rand(n, LAYOUT.width, generator=torch.Generator().manual_seed(seed)) - 1, LAYOUT
    )


@pytest.mark.parametrize("moves", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("layout", [LAYOUT, BARE, replace(BARE, numbers=1, choices=(4,))], ids=str)
def test_shapes(layout, moves):
    network = generator(layout, moves=moves)
    fake = made(network)
    assert fake.shape == (6, layout.width)
    assert fake.dtype == torch.float32
    assert fake.std(0).max() > 0
    assert network.moves * network.at_once >= layout.steps > (network.moves - 1) * network.at_once


def test_what_is_made_is_as_rows_are():
    fake = made(generator())
    ones = fake[:, LAYOUT.numbers : LAYOUT.attributes].split(LAYOUT.choices, 1)
    assert all(torch.equal(x.sort(1).values[:, -1:], x.sum(1, keepdim=True)) for x in ones)
    steps = steps_of(fake, LAYOUT)
    there = steps[:, :, -1]
    assert set(there.unique().tolist()) <= {0, 1}
    assert (there.diff(dim=1) <= 0).all()
    assert (there.sum(1) >= LAYOUT.shortest).all()
    assert not steps[there == 0].any()
    assert torch.equal(steps[:, :, 2:5].sum(2), there)
    torch.testing.assert_close(silenced(fake, LAYOUT), fake)


def test_how_long_a_series_is_follows_from_its_length():
    network = generator()
    length = torch.tensor([[-9.0], [-1.0], [0.0], [1.0], [9.0]])
    attributes = torch.cat([torch.zeros(5, 2), length, torch.zeros(5, 5)], 1)
    assert network.there(attributes).sum(1).tolist() == [3, 3, 5, 7, 7]


def test_flags_are_hard_and_their_slopes_soft():
    length = torch.tensor([2.4, 2.6], requires_grad=True)
    found = flags(length, 4)
    assert found.tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]
    found.sum().backward()
    assert (length.grad > 0.5).all()


def test_choices_are_hard_and_their_slopes_soft():
    logits = torch.tensor([[0.0, 1.0, 3.0, 2.0, 1.0]], requires_grad=True)
    found = chosen(logits, (2, 3))
    assert found.tolist() == [[0, 1, 1, 0, 0]]
    found[0, 0].backward()
    share = torch.tensor(1.0).sigmoid().item()
    assert logits.grad[0].tolist() == pytest.approx([share * (1 - share), -share * (1 - share), 0, 0, 0])
    assert chosen(torch.zeros(2, 4, 0), ()).shape == (2, 4, 0)


def test_ranges_are_reached_within_the_steps_that_there_are():
    values = torch.tensor([[[0.0, 5.0], [1.0, 6.0], [3.0, 7.0]]])
    found = stretched(values, torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([1.0, 0.0]))
    assert found[0, :2, 0].tolist() == [-1, 1]
    assert found[0, :, 1].tolist() == [5, 6, 7]
    alone = stretched(values, torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([1.0, 1.0]))
    assert alone[0, 0].tolist() == [0, 0]


def test_what_comes_after_the_end_is_silent():
    row = torch.ones(1, LAYOUT.width)
    steps = steps_of(row, LAYOUT)
    steps[:, :, -1] = torch.tensor([1.0, 0.9, 0.1, 1.0, 1.0, 1.0, 1.0])
    found = steps_of(silenced(row, LAYOUT), LAYOUT)
    assert found[0, :2, 0].tolist() == [1, 1]
    assert not found[0, 2:].any()
    whole = torch.rand(2, BARE.width)
    assert silenced(whole, BARE) is whole


@pytest.mark.parametrize("critic", [FlatCritic, TemporalCritic])
@pytest.mark.parametrize("layout", [LAYOUT, BARE], ids=str)
def test_critics(critic, layout):
    judge = critic(layout, (8, 12, 8))
    x = torch.rand(5, layout.width, requires_grad=True)
    assert judge(x).shape == (5, 1)
    squared_gradient_norm(judge(x), x).sum().backward()
    assert next(judge.parameters()).grad.norm() > 0
    torch.testing.assert_close(judge(x)[2:3], judge(x[2:3]))
    knowing = critic(layout, (8, 8), classes=2)
    zeros, ones = torch.zeros(5).long(), torch.ones(5).long()
    assert not torch.allclose(knowing(x, zeros), knowing(x, ones))


def test_a_flat_critic_sees_what_steps_add():
    judge = FlatCritic(LAYOUT, (8,))
    assert judge.body[0].in_features == LAYOUT.width + 6 * 2


def test_classes_reach_attributes_and_steps():
    network = generator(classes=2)
    a, b = (made(network, condition=torch.full((6,), c)) for c in (0, 1))
    assert not torch.allclose(a[:, :2], b[:, :2])
    assert not torch.allclose(steps_of(a, LAYOUT), steps_of(b, LAYOUT))


class Sum(nn.Module):
    """The sum of what it sees, times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.factor * x.sum(1, keepdim=True)


class Same(nn.Module):
    """One row, whatever the noise."""

    dimension = 1

    def __init__(self, layout: SeriesLayout) -> None:
        super().__init__()
        self.row = nn.Parameter(torch.full((layout.width,), 0.5))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.row + 0 * z[:, :1]


def by_hand(objective, **settings):
    whole, attributes = SeriesJudge(Sum(1.0), **settings), SeriesJudge(Sum(2.0), sees=8, weight=0.5)
    return SeriesGAN(SeriesSampler(Same(LAYOUT)), whole, attributes, layout=LAYOUT, objective=objective)


def draw(n=4):
    return Draw(0, slice(0, n), n)


def test_both_turns_by_hand():
    game, real = by_hand(WASSERSTEIN), rows(4)
    said = game.criticise({"real": real}, draw())
    assert said.losses["adversarial"].item() == pytest.approx(0.5 * 50 - real.sum(1).mean().item(), rel=1e-5)
    apart = 2 * (0.5 * 8 - real[:, :8].sum(1).mean().item())
    assert said.losses["attributes"].item() == pytest.approx(0.5 * apart, rel=1e-5)
    made = game.generate({"real": real}, draw()).losses
    assert {k: v.item() for k, v in made.items()} == pytest.approx({"adversarial": -25, "attributes": -4})


def test_penalties_are_of_what_a_critic_sees():
    game = by_hand(RELATIVISTIC, penalties=[R1(2.0)])
    said = game.criticise({"real": rows(4)}, draw())
    assert said.losses["r1"].item() == pytest.approx(2.0 * 50 / 2)
    assert set(said.losses) == {"adversarial", "r1", "attributes"}


def test_penalties_fall_evenly_in_their_logarithm():
    game = by_hand(RELATIVISTIC, penalties=[R1(2.0)])
    game.left, game.progress = 0.04, 0.5
    assert game.criticise({"real": rows(4)}, draw()).losses["r1"].item() == pytest.approx(0.2 * 50)


def test_real_series_are_silent_after_their_end_too():
    game = by_hand(WASSERSTEIN)
    loud = 2 * torch.rand(4, LAYOUT.width) - 1
    a, b = (game.criticise({"real": x}, draw()).losses for x in (loud, silenced(loud, LAYOUT)))
    assert a["adversarial"] == b["adversarial"]


def trainer(n=32, **values):
    torch.manual_seed(1)
    play = make_recipe("series", values, "tiny").build(SPEC)
    data = Shuffled(Rows(rows(n), np.arange(n) % 2), 8, balanced=play.balanced)
    return Trainer(play.game, play.optimizers, data, schedules=play.schedules)


@pytest.mark.parametrize(
    "values",
    [{}, {"objective": "wasserstein"}, {"critic": "temporal"}, {"auxiliary": 0.0}],
    ids=str,
)
def test_only_the_player_moves(values):
    playing = trainer(**values)
    players = playing.game.players()
    for seed, turn in enumerate(playing.game.turns(0)):
        before = {name: [p.clone() for p in player.parameters()] for name, player in players.items()}
        playing.play(turn, seed)
        for name, player in players.items():
            same = all(torch.equal(a, b) for a, b in zip(before[name], player.parameters(), strict=True))
            assert same is (name != turn.player)
    assert playing.whole()


def test_what_a_step_logs():
    playing = trainer()
    playing.play_step()
    found = playing.flush()
    assert {"D/adversarial", "D/attributes", "G/adversarial", "G/attributes"} <= set(found)
    assert {"D/r1", "D/r2", "D/attributes_r1", "D/attributes_r2", "D/real_logit"} <= set(found)


def test_every_parameter_learns():
    playing = trainer()
    names = {p: name for name, p in playing.game.named_parameters()}
    most = dict.fromkeys(names.values(), 0.0)
    for step in range(4):
        for number, turn in enumerate(playing.game.turns(step)):
            playing.play(turn, 9 * step + number)
            for p in playing.players[turn.player].parameters:
                most[names[p]] = max(most[names[p]], p.grad.norm().item())
    assert [name for name, norm in most.items() if norm == 0] == []


def test_without_attributes_there_is_one_critic():
    spec = replace(SPEC, shape=(BARE.width,), series=BARE, classes=(), class_counts=())
    game = make_recipe("series", {}, "tiny").build(spec).game
    assert list(game.judges()) == ["adversarial"]
    assert game.sampler(game.sampler.draw(draw())).shape == (4, 5)


def test_attribute_critics_see_attributes_alone():
    assert AttributeCritic(LAYOUT, (8,)).body[0].in_features == LAYOUT.attributes


def test_other_data_are_refused():
    with pytest.raises(RecipeError, match="learns from series, and the data are images"):
        make_recipe("series", {}, "tiny").build(DataSpec("images", (1, 8, 8), 30))


@pytest.mark.parametrize("preset", ["tiny", "small", "base", "temporal", "paper"])
def test_presets_build(preset):
    with torch.device("meta"):
        play = make_recipe("series", {}, preset).build(SPEC)
    assert play.optimizers.keys() == {"G", "D"}
    assert play.balanced
