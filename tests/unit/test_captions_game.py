"""What the game of pictures with captions minimises, and who moves when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tenfold.augment.ada import ADA
from tenfold.augment.diffaugment import DiffAugment
from tenfold.choosing import exactly
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Settings, Trainer
from tenfold.errors import RecipeError
from tenfold.games.captions import (
    CaptionGAN,
    CaptionSampler,
    Lesson,
    MatchingAware,
    forgetful,
    strangers,
)
from tenfold.nn.networks.dfgan import DFDiscriminator, DFGenerator
from tenfold.nn.networks.words import PictureEncoder, TextEncoder
from tenfold.objectives import HINGE
from tenfold.penalties import Look
from tenfold.recipe import make_recipe
from tenfold.recipes import dfgan, gan_cls  # noqa: F401  (registers them)

SHAPE, LENGTH, VOCABULARY = (1, 8, 8), 3, 12
SPEC = DataSpec("captioned", SHAPE, 32, text=TextLayout(LENGTH, VOCABULARY))
BOTH = pytest.mark.parametrize("name", ["dfgan", "gan_cls"])


def draw(n: int) -> Draw:
    return Draw(0, slice(0, n), n)


class Pairs:
    """Pictures with captions, as batches."""

    size = 8

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(5)
        self.real = 2 * torch.rand(32, *SHAPE, generator=random) - 1
        self.tokens = torch.randint(4, VOCABULARY, (32, LENGTH), generator=random)

    def __call__(self, index: int, rows: slice) -> dict[str, Tensor]:
        chosen = torch.from_numpy((np.arange(self.size) + index * self.size) % 32)[rows]
        return {"real": self.real[chosen], "condition": self.tokens[chosen]}


def small(penalty: MatchingAware | None = None, **lesson: float) -> CaptionGAN:
    torch.manual_seed(0)
    sampler = CaptionSampler(TextEncoder(VOCABULARY, 4), DFGenerator(3, 4, SHAPE, 2, 4), 3)
    networks = sampler, PictureEncoder(SHAPE, 4, 2), DFDiscriminator(SHAPE, 4, 2)
    return CaptionGAN(*networks, lesson=Lesson(**lesson), penalty=penalty)


def moved(before: list[Tensor], module: nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def copies(module: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in module.parameters()]


class Half(nn.Module):
    """A sentence of one number: half of how far the first token is from 5."""

    def forward(self, tokens: Tensor) -> Tensor:
        return (tokens[:, :1].float() - 5) / 2


class Grey(nn.Module):
    def forward(self, z: Tensor, sentence: Tensor) -> Tensor:
        return torch.zeros(len(z), *SHAPE)


class Times(nn.Module):
    """The mean of a picture times the sentence."""

    def look(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1, keepdim=True)

    def judge(self, seen: Tensor, sentence: Tensor) -> Tensor:
        return seen * sentence

    def forward(self, x: Tensor, sentence: Tensor) -> Tensor:
        return self.judge(self.look(x), sentence)


def stubbed(mismatched: float) -> CaptionGAN:
    sampler = CaptionSampler(Half(), Grey(), 2)
    return CaptionGAN(sampler, nn.Identity(), Times(), objective=HINGE, lesson=Lesson(mismatched=mismatched))


def test_a_mismatched_caption_is_never_the_same_text():
    tokens = torch.tensor([[4, 5], [4, 5], [4, 6], [4, 5], [4, 5]])
    other, differs = strangers(tokens)
    assert differs.all()
    assert (tokens[other] != tokens).any(1).all()
    assert not strangers(tokens[:2])[1].any()
    assert not strangers(torch.full((6, 2), 4))[1].any()


def test_parts_of_a_batch_find_the_captions_that_the_whole_finds():
    tokens = torch.arange(4, 13)[:, None]
    whole = strangers(tokens)[0]
    assert whole.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 0]
    assert strangers(tokens[4:8])[0].tolist() == [x - 4 for x in whole[4:8].tolist()]


def test_words_are_forgotten_but_not_where_a_text_ends():
    tokens = torch.tensor([[4, 9, 2, 0], [1, 5, 3, 2]])
    assert forgetful(tokens, 1.0, draw(2)).tolist() == [[3, 3, 2, 0], [1, 3, 3, 2]]
    assert torch.equal(forgetful(tokens, 0.0, draw(2)), tokens)


def test_the_penalty_of_a_linear_critic():
    """Of slopes (1, -2, 2) at pictures and (4) at sentences, together of length 5."""
    w, v = torch.tensor([1.0, -2.0, 2.0]), torch.tensor([4.0])
    x, s = torch.randn(3, 3, requires_grad=True), torch.randn(3, 1, requires_grad=True)
    logits = (x @ w + s @ v)[:, None]
    assert MatchingAware(power=2.0)(logits, x, s).tolist() == pytest.approx([25.0] * 3)
    assert MatchingAware()(logits, x, s).tolist() == pytest.approx([5.0**6] * 3)


def test_a_flat_critic_pays_nothing_and_gives_no_nan():
    w = torch.zeros(3, requires_grad=True)
    x, s = torch.randn(2, 3, requires_grad=True), torch.randn(2, 1, requires_grad=True)
    paid = MatchingAware()((x @ w + 0 * s[:, 0])[:, None], x, s)
    assert paid.tolist() == [0, 0]
    paid.sum().backward()
    assert w.grad is not None and w.grad.isfinite().all()


def test_d_rejects_made_pictures_and_wrong_captions_by_their_weights():
    """Real pictures are 1, captions -.5 and 0: so are logits; with each other's 0 and -.5; of made ones 0."""
    batch = {"real": torch.ones(2, *SHAPE), "condition": torch.tensor([[4, 2], [5, 2]])}
    found = stubbed(0.25).criticise(batch, draw(2))
    against_made, against_wrong = ((1.5 + 1) + (1 + 1)) / 2, ((1.5 + 1) + (1 + 0.5)) / 2
    expected = 0.75 * against_made + 0.25 * against_wrong
    assert found.losses["adversarial"].item() == pytest.approx(expected)
    assert found.signals["caption_order"].item() == 0.5


def test_without_another_text_there_is_no_mismatch():
    batch = {"real": torch.ones(2, *SHAPE), "condition": torch.full((2, 2), 6)}
    found = stubbed(0.25).criticise(batch, draw(2))
    assert found.losses["adversarial"].item() == pytest.approx(0.75 * (0.5 + 1))
    assert found.signals["caption_order"].item() == 0


def test_g_draws_what_lies_between_two_captions():
    game = stubbed(0.5)
    batch = {"real": torch.ones(2, *SHAPE), "condition": torch.tensor([[4, 2], [7, 2]])}
    assert game.generate(batch, draw(2)).losses.keys() == {"adversarial"}
    told: list[Tensor] = []

    class Telling(nn.Module):
        def forward(self, z: Tensor, sentence: Tensor) -> Tensor:
            told.append(sentence)
            return torch.ones(len(z), *SHAPE)

    game.sampler.generator, game.lesson = Telling(), Lesson(between=2.0)
    losses = game.generate(batch, draw(2)).losses
    assert [x.flatten().tolist() for x in told] == [[-0.5, 1.0], [0.25, 0.25]]
    assert losses["adversarial"].item() == pytest.approx(-0.25)  # minus the mean logit
    assert losses["between"].item() == pytest.approx(2 * -0.25)


def test_first_encoders_learn_then_they_stay():
    game = small(MatchingAware(every=4), alone=0.5)
    assert game.stages == (0.5,)
    assert [turn.player for turn in game.turns(0)] == ["E"]
    game.progress = 0.5
    assert [(t.player, t.every, t.again) for t in game.turns(0)] == [
        ("D", 1, False),
        ("D", 4, True),
        ("G", 1, False),
    ]
    throughout = small(alone=0.0)
    assert throughout.stages == ()
    assert [turn.player for turn in throughout.turns(0)] == ["E", "D", "G"]


def test_every_parameter_belongs_to_one_player():
    game = small()
    owned = [id(p) for player in game.players().values() for p in player.parameters()]
    assert sorted(owned) == sorted(id(p) for p in game.parameters())


def test_only_the_player_moves():
    game = small(MatchingAware(power=2.0), alone=0.0)  # of six, it would be too little to move by
    players = game.players()
    optimizers = {name: torch.optim.SGD(p.parameters(), 0.1) for name, p in players.items()}
    trainer = Trainer(game, optimizers, Pairs())
    for seed, turn in enumerate(game.turns(0)):
        before = {name: copies(player) for name, player in players.items()}
        trainer.play(turn, seed)
        for name, player in players.items():
            assert moved(before[name], player) is (name == turn.player), (turn.player, name)


@BOTH
def test_a_run_learns_captions_first_and_the_encoder_stays(name):
    torch.manual_seed(0)
    play = make_recipe(name, {"alone": 0.5}, "tiny").build(SPEC)
    trainer = Trainer(
        play.game, play.optimizers, Pairs(), settings=Settings(planned=64), schedules=play.schedules
    )
    players = play.game.players()
    start = {who: copies(player) for who, player in players.items()}
    trainer.fit(kimg=0.032)
    assert moved(start["E"], players["E"])
    assert not moved(start["G"], players["G"]) and not moved(start["D"], players["D"])
    middle = copies(players["E"])
    trainer.fit(kimg=0.064)
    assert not moved(middle, players["E"])
    assert moved(start["G"], players["G"]) and moved(start["D"], players["D"])
    said = trainer.flush()
    assert {"E/contrast", "D/adversarial", "G/adversarial"} <= said.keys()


def test_the_rate_of_the_encoders_falls_until_they_stay():
    play = make_recipe("dfgan", {"alone": 0.2}, "tiny").build(SPEC)
    falls = play.schedules["E"]
    assert [round(falls(share), 6) for share in (0.0, 0.1, 0.2, 0.9)] == [1.0, 0.5, 0.0, 0.0]
    assert play.optimizers["E"].param_groups[0]["betas"] == (0.9, 0.999)
    assert play.optimizers["E"].param_groups[0]["lr"] == make_recipe("dfgan", {}, "tiny").lr_e  # pyright: ignore


@BOTH
def test_the_rates_of_g_and_d_fall_over_their_own_part(name):
    schedules = make_recipe(name, {"alone": 0.2}, "tiny").build(SPEC).schedules
    for who in "GD":
        found = [schedules[who](share) for share in (0.0, 0.2, 0.6, 1.0, 1.2)]
        assert found == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])
    throughout = make_recipe(name, {"alone": 0.0}, "tiny").build(SPEC).schedules
    assert [throughout[who](0.5) for who in "EGD"] == pytest.approx([0.5] * 3)


@BOTH
def test_g_and_d_begin_at_their_full_rates(name):
    recipe = make_recipe(name, {"alone": 0.5}, "tiny")
    play = recipe.build(SPEC)
    trainer = Trainer(
        play.game, play.optimizers, Pairs(), settings=Settings(planned=64), schedules=play.schedules
    )
    trainer.fit(kimg=0.040)  # four batches of E, and one of the others
    rates = {who: play.optimizers[who].param_groups[0]["lr"] for who in "GD"}
    assert rates == pytest.approx({"G": recipe.lr_g, "D": recipe.lr_d})


@BOTH
@pytest.mark.parametrize(
    ("count", "augment"), [(99, "diffaugment"), (100, "ada"), (10_000, "ada"), (10_001, "none")]
)
def test_few_pictures_are_augmented_but_for_what_captions_speak_of(name, count, augment):
    spec = replace(SPEC, shape=(3, 32, 32), count=count)
    recipe, chosen = exactly(make_recipe(name, {}, "tiny"))(spec, None)
    assert recipe.augment == augment and [c.name for c in chosen].count("augment") == 1
    match recipe.augmentation():
        case ADA() as changes:
            assert changes.moves == {"shift", "scale", "stretch"}
            assert changes.tints == {"brightness", "contrast"}
        case DiffAugment() as changes:
            assert not changes.colour and changes.shift and changes.cutout
        case _:
            assert augment == "none"


def test_what_is_left_out_is_refused_only_where_it_was_asked_for():
    for without in (("hue",), ("mirror", "hue")):
        asked = make_recipe("dfgan", {"augment": "none", "without": without}, "tiny")
        with pytest.raises(RecipeError, match="leaves out what no augmentation does"):
            exactly(asked)(SPEC, None)
    assert exactly(make_recipe("dfgan", {"augment": "none"}, "tiny"))(SPEC, None)[0].augment == "none"


@BOTH
def test_augmentation_that_adapts_waits_for_d(name):
    """Else, all that passed without D would count at its first move, and p would leap."""
    ada = make_recipe(name, {"alone": 0.3, "augment": "ada"}, "tiny").build(SPEC).game.augment
    assert isinstance(ada, ADA) and ada.begin == pytest.approx(0.3 + 0.7 * 0.05)
    said = torch.full((8, 1), 5.0)

    def turn(progress: float) -> float:
        ada.watch(Look(lambda x: x, said, said, said, said - 10, draw(8)))
        ada.settle(progress)
        return ada.p.item()

    assert [turn(progress) for progress in (0.300, 0.310, 0.320, 0.330)] == [0.0] * 4
    last = [turn(progress) for progress in (0.340, 0.345, 0.350, 0.355)][-1]
    assert last == pytest.approx((0.355 - ada.begin) * ada.pace, abs=1e-5)


def test_the_sampler_reads_captions_by_itself():
    sampler = small().sampler.eval()
    z = sampler.draw(draw(4))
    tokens = torch.tensor([[4, 5, 2], [6, 2, 0], [4, 5, 2], [7, 7, 7]])
    torch.testing.assert_close(sampler(z, tokens), sampler.generator(z, sampler.text(tokens)))
    assert "text.gru.weight_ih_l0" in sampler.state_dict()


@BOTH
def test_the_critic_is_told_the_caption(name):
    game = make_recipe(name, {}, "tiny").build(SPEC).game.eval()
    batch = Pairs()(0, slice(0, 4))
    said = game.critic()(batch["real"], batch["condition"])
    assert said.shape == (4, 1)
    assert not torch.allclose(said, game.critic()(batch["real"], batch["condition"].flip(0)))
