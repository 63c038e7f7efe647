"""Networks and game of tables, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from tenfold.data.spec import Cell, DataSpec
from tenfold.draw import Draw
from tenfold.errors import RecipeError
from tenfold.games.tabular import Apart, Guess, RowSampler, TabularGAN, Weights
from tenfold.nn.networks.mlp import MLPDiscriminator
from tenfold.nn.networks.tabular import RowCritic, RowGenerator, Sketch
from tenfold.nn.rows import RowLayout
from tenfold.nn.segments import Segments
from tenfold.objectives import WASSERSTEIN
from tenfold.penalties import Interpolated
from tenfold.recipe import make_recipe

CELLS = (
    Cell("x", 3, True, 1, (0.0, -1.0, 2.0), (0.0, 4.0, 8.0)),  # a mass, and two modes
    Cell("c", 2),
    Cell("y", 1, True, 0, (0.5,), (1.0,)),
)
WIDTH, KNOWN = 2 + 6, 3


def layout() -> RowLayout:
    return RowLayout(CELLS)


def sampler(latent: int = 4) -> RowSampler:
    torch.manual_seed(0)
    return RowSampler(RowGenerator(latent, layout(), 8), layout(), latent)


def test_each_part_has_a_softmax_of_its_own():
    parts = Segments([2, 3, 1])
    logits = torch.tensor([[0.0, math.log(3), 1.0, 1.0, 1.0, -50.0], [1e4, 0.0, -1e4, 0.0, 0.0, 3.0]])
    found = parts.log_softmax(logits).exp()
    assert found[0].tolist() == pytest.approx([0.25, 0.75, 1 / 3, 1 / 3, 1 / 3, 1.0])
    assert found[1].tolist() == pytest.approx([1, 0, 0, 0.5, 0.5, 1])


def test_softmax_of_parts_has_the_gradient_of_torchs():
    logits = torch.randn(4, 5, requires_grad=True)
    ours = Segments([2, 3]).log_softmax(logits)
    theirs = torch.cat([part.log_softmax(1) for part in logits.split([2, 3], 1)], 1)
    weights = torch.randn(4, 5)
    (a,) = torch.autograd.grad((ours * weights).sum(), logits, retain_graph=True)
    (b,) = torch.autograd.grad((theirs * weights).sum(), logits)
    assert torch.allclose(ours, theirs, atol=1e-6) and torch.allclose(a, b, atol=1e-6)


def test_hardened_is_one_at_the_highest_of_each_part():
    found = Segments([2, 3]).hardened(torch.tensor([[0.1, 0.2, 5.0, 4.0, 3.0]]))
    assert found.tolist() == [[0, 1, 1, 0, 0]]


def test_a_row_lies_as_it_should():
    at = layout()
    assert (at.width, at.scalars, at.options, at.cells) == (WIDTH, 2, 6, 3)
    assert at.cell_of.tolist() == [0, 2, 0, 0, 0, 1, 1, 2]
    rows = torch.tensor([[0.5, -0.25, 0, 0, 1, 1, 0, 1], [0.0, 1.0, 1, 0, 0, 0, 1, 1]])
    assert at.on(rows[:, 2:]).tolist() == [[1, 1], [0, 1]]
    # 2 + .5 * 8 and .5 - .25; the mass at 0, and .5 + 1
    assert at.numbers(rows).tolist() == [[6.0, 0.25], [0.0, 1.5]]


def test_what_is_known_comes_out_and_options_are_whole_in_use():
    one = sampler().eval()
    z = one.draw(Draw(1, slice(0, 64), 64))
    condition = torch.zeros(64, WIDTH + KNOWN)
    condition[:, 6] = 1  # the second category of c
    condition[:, WIDTH + 1] = 1
    rows = one(z, condition)
    assert (rows[:, 5] == 0).all() and (rows[:, 6] == 1).all()
    options = rows[:, 2:]
    assert set(options.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(one.layout.one_hot.sums(options), torch.ones(64, 3))
    assert (rows[rows[:, 2] == 1][:, 0] == 0).all()  # a mass has no scalar
    alone = one(z)
    assert alone[:, 6].mean() < 1


def test_options_in_use_are_drawn_by_the_softmax():
    one = sampler().eval()
    for p in one.generator.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        one.generator.last.inner.bias[5:7] = torch.tensor([0.0, math.log(4)])
    rows = one(one.draw(Draw(1, slice(0, 5000), 5000)))
    assert rows[:, 6].mean().item() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("name", ["tabular", "ctgan"])
def test_it_can_be_planned_without_numbers_and_packs_fit_into_batches(name):
    with torch.device("meta"):
        game = make_recipe(name, {}, "tiny").build(spec()).game
    assert game.sampler.layout.cell_of.device.type == "meta"
    with pytest.raises(RecipeError, match="judges 8 rows together, and a batch has 6"):
        make_recipe(name, {"batch": 6, "pack": 8}, "tiny").build(spec())


def test_randomness_of_packs_has_a_row_for_each_whole_one():
    parts = [slice(0, 125), slice(125, 250), slice(0, 250)]
    assert [len(Draw(0, rows, 250).packs(8)) for rows in parts] == [15, 15, 31]
    assert [len(Draw(0, rows, 250).packs(8).uniform()) for rows in parts] == [15, 15, 31]


def test_a_row_in_use_does_not_hang_on_the_others_of_its_batch():
    one = make_recipe("ctgan", {}, "tiny").build(spec()).game.sampler.eval()
    z = one.draw(Draw(1, slice(0, 8), 8))
    assert torch.allclose(one(z)[3:4], one(z[3:4]), atol=1e-6)


def game(pack: int = 2, **given) -> TabularGAN:
    torch.manual_seed(0)
    return TabularGAN(sampler(), RowCritic(layout(), 8, pack=pack), pack=pack, **given)


def batch(n: int = 8):
    real = torch.zeros(n, WIDTH)
    real[:, :2] = torch.rand(n, 2) - 0.5
    real[:, [3, 5, 7]] = 1
    mask = torch.zeros(n, KNOWN)
    mask[: n // 2, 0] = 1
    known = torch.zeros(n, WIDTH)
    known[: n // 2, [0, 3]] = real[: n // 2, [0, 3]]
    return {"real": real, "condition": torch.cat([known, mask], 1)}


def test_packs_are_rows_side_by_side_and_the_rest_is_not_judged():
    one = game(pack=3)
    rows = torch.arange(8.0)[:, None].expand(8, WIDTH)
    assert one.packed(rows)[:, :, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert one.criticise(batch(8), Draw(0, slice(0, 8), 8)).losses["adversarial"].isfinite()


def test_a_guess_costs_its_surprise_in_the_choices_that_are_asked_about():
    one = game()
    guess = type("G", (), {})()
    guess.logits = torch.zeros(1, 6)
    real = torch.zeros(1, WIDTH)
    real[0, [3, 5, 7]] = 1  # the first mode of x, the first option of c
    asked = torch.ones(1, KNOWN)
    # x is no mass, one option of three; c is a choice; y may lie anywhere.
    both = (math.log(3 / 2) + math.log(2)) / 2
    assert one.missed(guess, real, asked).item() == pytest.approx(both)
    real[0, 3], real[0, 2] = 0, 1  # x is the mass
    assert one.missed(guess, real, asked).item() == pytest.approx((math.log(3) + math.log(2)) / 2)
    asked[0, 0] = 0
    assert one.missed(guess, real, asked).item() == pytest.approx(math.log(2))
    guess.logits[0, 4] = 1.0  # the other option of c
    assert one.missed(guess, real, asked).item() == pytest.approx(math.log(1 + math.e))
    assert one.missed(guess, real, 0 * asked).item() == 0


def test_known_numbers_cost_nothing_and_what_was_not_told_is_asked_about():
    one = game(weights=Weights(known=1.0, likely=1.0))
    for player in one.sampler.parameters():
        torch.nn.init.zeros_(player)  # every option is as likely as the others
    told = batch(8)
    told["condition"] = told["condition"][:4].repeat(2, 1)  # of all rows x is known
    losses = one.generate(told, Draw(0, slice(0, 8), 8)).losses
    assert losses["known"].item() == 0
    assert losses["likely"].item() == pytest.approx(math.log(2))  # of c


def telling(known: RowLayout) -> RowGenerator:
    """d says what c is, and e what d is, if they are told; numbers are those of the noise."""
    one = RowGenerator(4, known, 8, depth=1)
    weight = torch.nn.init.zeros_(one.last.inner.weight.data)[:, 8:]  # of what it is given
    weight[[0, 1], [0, 1]] = 1
    weight[[8, 9, 10, 11], [4 + 5, 4 + 6, 4 + 8, 4 + 9]] = 100
    torch.nn.init.zeros_(one.last.inner.bias)
    return one


def test_each_pass_makes_choices_that_the_next_one_knows():
    known = RowLayout((*CELLS, Cell("d", 2), Cell("e", 3)))
    one = RowSampler(telling(known), known, 4, passes=3).eval()
    z = one.draw(Draw(0, slice(0, 64), 64))
    assert z.shape == (64, 4 + 11 + 5) and len(z[:, -5:].unique(dim=0)) == 8
    assert torch.equal(one.draw(Draw(0, slice(16, 40), 64)), z[16:40])
    z[:, -5:] = torch.tensor([0.0, 0.1, 0.0, 0.2, 0.3])  # c, then d; e with the numbers
    condition = torch.zeros(64, 13 + 5)
    condition[:32, 7], condition[:32, 13 + 2] = 1, 1  # of half of them y is known
    condition[:8, 6], condition[:8, 13 + 1] = 1, 1  # and of some c
    before, rows = condition.clone(), one(z, condition)
    assert torch.equal(condition, before)
    assert (rows[:8, 6] == 1).all() and 0 < rows[8:, 6].sum() < 56
    assert torch.equal(rows[:, 8:10], rows[:, 5:7]) and torch.equal(rows[:, 10:12], rows[:, 8:10])
    assert torch.allclose(rows[32:, 1], z[32:, 1].tanh()) and (rows[:32, 1] == 0).all()
    assert torch.allclose(one(z[40:41], condition[40:41]), rows[40:41])
    z[32:, -5:] = torch.tensor([0.0, 0.2, 0.0, 0.1, 0.3])  # d before c
    other = one(z, condition)
    assert torch.equal(other[:32], rows[:32]) and torch.equal(other[:, 10:12], other[:, 8:10])
    assert 8 < (other[32:, 8] == other[32:, 5]).sum() < 24
    two = RowSampler(one.generator, known, 4, passes=2).eval()
    z[:, -5:] = torch.tensor([0.0, 0.1, 0.0, 0.2, 0.3])  # c and d at once, then e
    both = two(z, condition)
    assert torch.equal(both[:, 10:12], both[:, 8:10]) and not torch.equal(both[:, 8:10], both[:, 5:7])
    assert one.train().draw(Draw(0, slice(0, 64), 64)).shape == (64, 4 + 11)


@pytest.mark.parametrize(("depth", "norm"), [(1, "none"), (2, "layer"), (3, "batch")])
def test_a_sketch_says_what_the_generator_says_whenever_more_is_known(depth, norm):
    torch.manual_seed(0)
    one = RowGenerator(4, layout(), 8, depth=depth, norm=norm).eval()
    z, condition, all_rows = torch.randn(6, 4), torch.zeros(6, WIDTH + KNOWN), slice(None)
    condition[:3, 1], condition[:3, WIDTH + 2] = 0.5, 1
    with torch.no_grad():
        sketch = Sketch(one, z, condition)
        assert torch.allclose(sketch.said(all_rows, sketch.hidden()), one(z, condition), atol=1e-5)
        weight = torch.tensor([[1.0], [0.0], [1.0]])
        sketch.tell(slice(2, 5), torch.tensor([[1], [0], [0]]), sketch.heard[5:7], weight)
        condition[2, 6] = condition[4, 5] = 1
        assert torch.allclose(sketch.said(all_rows, sketch.hidden()), one(z, condition), atol=1e-5)
        some = sketch.said(slice(1, 4), sketch.hidden()[1:4], slice(2, 5))
        assert torch.allclose(some, one(z, condition)[1:4, 2:5], atol=1e-5)


def test_there_are_no_more_passes_than_choices():
    one = make_recipe("tabular", {"passes": 16}, "tiny").build(spec()).game.sampler
    assert one.passes == 1  # a single choice


def test_choices_hear_little_of_the_critic_and_numbers_all():
    one = sampler().train()
    z = one.draw(Draw(0, slice(0, 32), 32))
    slopes = []
    for swayed in (1.0, 0.25):
        logits, scalars = torch.zeros(32, 6, requires_grad=True), torch.zeros(32, 2, requires_grad=True)
        rows = one.rows(Guess(scalars, logits), z[:, 4:], swayed)
        slopes.append(torch.autograd.grad((rows * torch.arange(WIDTH)).sum(), [logits, scalars]))
    assert torch.allclose(slopes[1][0][:, 3:5], 0.25 * slopes[0][0][:, 3:5])
    assert torch.equal(slopes[1][0][:, 5], slopes[0][0][:, 5]) and torch.equal(slopes[0][1], slopes[1][1])
    assert one.layout.places.tolist() == [0, 1, 1, 0, 0, 1] and one.layout.decided.tolist() == [1, 1, 0]


def test_statistics_are_the_distance_of_means_and_of_deviations():
    apart = Apart()
    a = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    b = torch.tensor([[3.0, 4.0], [5.0, 4.0]])
    assert apart(a, a).item() == pytest.approx(0, abs=1e-5)
    assert apart(a, b).item() == pytest.approx(5, abs=1e-4)
    assert apart(a, 2 * a).item() == pytest.approx(2, abs=1e-4)  # mean moves by 1, deviation by 1


def test_the_penalty_is_of_a_whole_pack():
    """A critic that adds up a pack has a slope whose length grows with its root."""

    class Adding(torch.nn.Module):
        def forward(self, rows, known):
            return rows.sum((1, 2))[:, None]

    one = TabularGAN(
        sampler(), RowCritic(layout(), 8, pack=4), pack=4, objective=WASSERSTEIN, penalties=[Interpolated()]
    )
    one.discriminator = Adding()
    seen = one.look(batch(8), Draw(0, slice(0, 8), 8))
    expected = ((4 * WIDTH) ** 0.5 - 1) ** 2
    assert one.penalties[0](seen).tolist() == pytest.approx([expected] * 2, rel=1e-5)


def test_the_classifier_never_sees_the_target():
    torch.manual_seed(0)
    heard: list[torch.Tensor] = []

    class Listening(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = MLPDiscriminator((WIDTH,), (4,), outputs=2)

        def forward(self, x):
            heard.append(x)
            return self.inner(x)

    one = game(classifier=(Listening(), 1), weights=Weights(downstream=1.0))
    loss = one.classify(batch(), Draw(0, slice(0, 8), 8)).losses["target"]
    assert (heard[0][:, 5:7] == 0).all() and (heard[0][:, 3] == 1).all()
    said = one.classifier(heard[0]).log_softmax(1)[:, 0]
    assert loss.item() == pytest.approx(-said.mean().item(), rel=1e-5)


def test_a_classifier_moves_only_in_its_turn_and_only_if_asked_for():
    assert [turn.player for turn in game().turns(0)] == ["D", "G"]
    one = game(classifier=(MLPDiscriminator((WIDTH,), (4,), outputs=2), 1))
    assert [turn.player for turn in one.turns(0)] == ["D", "C", "G"]
    assert {*one.players()} == {"G", "D", "C"}


def test_every_row_gets_the_logit_of_its_pack():
    one = game(pack=3)
    rows = torch.rand(7, WIDTH)
    logits = one.critic()(rows, None)
    assert logits.shape == (7, 1)
    assert logits[0] == logits[1] == logits[2] != logits[3]


def spec() -> DataSpec:
    return DataSpec("table", (WIDTH,), 32, ("a", "b"), (16, 16), cells=CELLS, target=1)


def test_of_rows_as_good_the_last_is_kept():
    from tenfold.watching.exam import BestRows, Exam

    exam = Exam.__new__(Exam)
    exam.best = None
    assert exam.is_best(0.9, {})
    exam.best = BestRows(100, 0.2)
    assert exam.is_best(0.21, {"detector_auc_error": 0.02}) and not exam.is_best(
        0.23, {"detector_auc_error": 0.02}
    )
    assert not exam.is_best(0.21, {})
    assert exam.is_best(0.219, {"tstr": 0.8}) and not exam.is_best(0.221, {"tstr": 0.8})
    heart = {"closer": 0.55, "closer_error": 0.02}
    assert not exam.is_best(0.1, heart) and exam.is_best(0.1, {**heart, "closer": 0.53})
    exam.best = None
    assert exam.is_best(0.1, heart)


def test_a_time_is_planned_to_so_many_passes_that_rows_are_not_learnt_by_heart():
    from types import SimpleNamespace

    from tenfold.plan import Plan

    def most(rows: int, cells: tuple[Cell, ...], recipe: str = "tabular") -> int | None:
        data: Any = SimpleNamespace(train=range(rows), spec=replace(spec(), cells=cells))
        return Plan(data, make_recipe(recipe, {"batch": 500}), 60.0, None, 0, ()).most_samples

    assert most(2001, CELLS) == 160_500 and most(300, CELLS) == 100_000
    assert most(2001, CELLS[:1]) is None  # numbers alone
    assert most(2001, CELLS, "ctgan") is None
