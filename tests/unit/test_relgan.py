"""RelGAN: soft tokens, how sharp they are, and the turns."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch import Tensor

from tenfold.conditioning import ProjectionHead
from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, PAD, START, TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Settings, Trainer
from tenfold.games.language import TextSampler, alphabet
from tenfold.games.relgan import RelGAN, Softness, gumbel
from tenfold.nn.networks.language import NEVER, LSTMLanguage
from tenfold.nn.networks.reader import TextDiscriminator
from tenfold.objectives import NON_SATURATING
from tenfold.recipe import make_recipe

WORDS, LENGTH = 9, 5
A, B = 4, 5
LAYOUT = TextLayout(LENGTH, WORDS)
SPEC = DataSpec("texts", (LENGTH,), 32, ("a", "b"), (16, 16), text=LAYOUT)


class Counts(TextDiscriminator):
    """A logit: how much of token A stands in the first place of a text; and what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.shown = ProjectionHead(1), []

    def features(self, x: Tensor) -> Tensor:
        self.shown.append(x)
        return x[:, 0, A : A + 1] if x.is_floating_point() else (x[:, :1] == A).float()

    def judged(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return features


def known(shares):
    """A network that makes each token alike, by some shares."""
    made = LSTMLanguage(alphabet(LAYOUT), embedding=3, hidden=3)
    with torch.no_grad():
        made.last.linear.weight.zero_()
        made.last.linear.bias.fill_(NEVER)
        for token, share in shares.items():
            made.last.linear.bias[token] = log(share)
    return made


def game(network=None, **settings):
    torch.manual_seed(2)
    network = network or LSTMLanguage(alphabet(LAYOUT), embedding=5, hidden=7)
    return RelGAN(TextSampler(network, LENGTH), Counts(), **settings)


def draw(n=8, seed=0):
    return Draw(seed, slice(0, n), n)


def batch(n=8):
    return {"real": torch.tensor([[A, B, END, PAD, PAD]]).repeat(n, 1)}


@pytest.mark.parametrize("straight", [True, False])
def test_soft_texts_are_shares_of_tokens(straight):
    made = game(softness=Softness(10.0, straight)).soft(batch(50), draw(50))
    assert made.shape == (50, LENGTH, WORDS)
    torch.testing.assert_close(made.sum(2), torch.ones(50, LENGTH))
    assert (made >= -1e-6).all()
    assert not made[:, 0, [PAD, START]].detach().round(decimals=5).any()
    hard = (made.detach() - made.detach().round()).abs().max() < 1e-5
    assert bool(hard) is straight
    tokens = made.argmax(2)
    ended = (tokens == END).cumsum(1) - (tokens == END).long() > 0
    assert torch.equal(tokens == PAD, ended)
    assert ended.any()
    assert (made[ended] == torch.eye(WORDS)[PAD]).all()


def test_tokens_are_drawn_as_the_network_says():
    made = game(known({A: 0.6, B: 0.4})).soft(batch(2000), draw(2000)).argmax(2)
    assert (made == A).float().mean().item() == pytest.approx(0.6, abs=0.02)
    together = ((made[:, 0] == A) & (made[:, 1] == A)).float().mean().item()
    assert together == pytest.approx(0.36, abs=0.04)


def test_gumbel_noise():
    found = gumbel(torch.tensor([0.0, 0.5, 1 - 2.0**-24]))
    assert found.isfinite().all()
    assert found[1].item() == pytest.approx(-log(log(2)))
    assert found[2].item() == pytest.approx(24 * log(2), rel=1e-3)


def test_the_gradient_is_that_of_the_soft_token():
    """The slope of a softmax, as sharp as it is now, whether D sees it soft or not."""
    found = []
    for straight in (True, False):
        playing = game(known({A: 0.6, B: 0.4}), softness=Softness(9.0, straight))
        playing.progress = 0.5
        made = playing.soft(batch(64), draw(64))
        made[:, 0, A].sum().backward()
        found.append(playing.sampler.network.last.linear.bias.grad[[A, B]])
        if not straight:
            share = made[:, 0, A].detach()
            wanted = (3.0 * share * (1 - share)).sum()
            torch.testing.assert_close(found[-1], torch.stack([wanted, -wanted]))
    torch.testing.assert_close(*found)


def test_the_gradient_reaches_what_was_read_before():
    playing = game()
    playing.soft(batch(), draw())[:, 2].square().sum().backward()
    assert playing.sampler.network.lstm.weight_hh_l0.grad.norm() > 0


def test_it_grows_sharper_by_the_same_factor_in_the_same_time():
    playing = game(likelihood=0.6, softness=Softness(100.0))
    assert playing.stages == (0.6,) and playing.anew is not None and playing.anew.at == 0.6
    found = []
    for playing.progress in (0.0, 0.6, 0.8, 1.0, 1.2):
        found.append(playing.sharpness)
    assert found == pytest.approx([1, 1, 10, 100, 100])


def test_turns():
    playing = game(likelihood=0.5, steps=3)
    assert [(t.player, t.repeat) for t in playing.turns(0)] == [("G", 1)]
    assert list(playing.turns(0)[0].loss(batch(), draw()).losses) == ["likelihood"]
    playing.progress = 0.5
    assert [(t.player, t.repeat) for t in playing.turns(0)] == [("D", 3), ("G", 1)]
    assert game().stages == () and game().anew is None


def test_the_discriminators_turn_by_hand():
    playing = game(known({B: 1.0}))
    terms = playing.criticise(batch(), draw())
    assert terms.losses["adversarial"].item() == pytest.approx(torch.tensor(-1.0).exp().log1p().item())
    assert terms.signals["real_logit"] == 1
    assert terms.signals["fake_logit"] == 0


@pytest.mark.parametrize("straight", [True, False])
def test_the_discriminator_is_shown_tokens_only_if_they_are_what_is_judged(straight):
    playing = game(softness=Softness(5.0, straight))
    playing.criticise(batch(), draw())
    assert [x.is_floating_point() for x in playing.discriminator.shown] == [False, not straight]
    playing.discriminator.shown.clear()
    playing.generate(batch(), draw())
    assert [x.is_floating_point() for x in playing.discriminator.shown] == [True, False]


def test_the_generators_turn_by_hand():
    playing = game(known({B: 1.0}))
    said = playing.generate(batch(), draw())
    assert said.losses["adversarial"].item() == pytest.approx(torch.tensor(1.0).exp().log1p().item())
    assert said.signals["sharpness"] == 1
    plain = game(known({B: 1.0}), objective=NON_SATURATING)
    assert plain.generate(batch(), draw()).losses["adversarial"].item() == pytest.approx(log(2))
    assert len(plain.discriminator.shown) == 1


def texts(n=32):
    torch.manual_seed(0)
    tokens, place = torch.randint(4, WORDS, (n, LENGTH)), torch.arange(LENGTH)
    lengths = torch.randint(1, LENGTH + 1, (n, 1))
    return tokens.masked_fill(place == lengths, END).masked_fill(place > lengths, PAD)


def trainer(settings=Settings(), **values):
    torch.manual_seed(1)
    play = make_recipe("relgan", {"likelihood": 0.0, **values}, "tiny").build(SPEC)
    data = Shuffled(Rows(texts(), (torch.arange(32) % 2).numpy()), 8)
    return Trainer(play.game, play.optimizers, data, settings=settings)


@pytest.mark.parametrize(
    "values", [{}, {"straight": False}, {"network": "lstm"}, {"network": "transformer"}], ids=str
)
def test_only_the_player_moves_and_all_of_it_learns(values):
    playing = trainer(**values)
    everybody = playing.game.players()
    names = {p: name for name, p in playing.game.named_parameters()}
    most = dict.fromkeys(names.values(), 0.0)
    for step in range(5):
        for number, turn in enumerate(playing.game.turns(step)):
            before = {name: [p.clone() for p in player.parameters()] for name, player in everybody.items()}
            playing.play(turn, 9 * step + number)
            for name, player in everybody.items():
                same = all(torch.equal(a, b) for a, b in zip(before[name], player.parameters(), strict=True))
                assert same is (name != turn.player)
            for p in playing.players[turn.player].parameters:
                most[names[p]] = max(most[names[p]], p.grad.norm().item())
    assert [name for name, norm in most.items() if norm == 0] == []
    assert playing.whole()


def test_micro_batches_add_up():
    found = []
    for parts in (1, 2):
        settings = Settings(micro_batches=parts)
        playing = trainer(settings, optimizer="sgd", lr_g=0.1, lr_d=0.1, dropout_d=0.2)
        for _ in range(2):
            playing.play_step()
        found.append([p.detach().clone() for p in playing.game.parameters()])
    for whole, pieces in zip(*found, strict=True):
        torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-5)


def test_what_the_discriminator_says_teaches_the_generator():
    """Texts that begin with A are taken for real."""
    playing = game(known({A: 0.1, B: 0.9}), objective=NON_SATURATING)
    bias = playing.sampler.network.last.linear.bias
    optimizer = torch.optim.Adam([bias], 0.05)
    for seed in range(100):
        optimizer.zero_grad()
        playing.generate(batch(64), draw(64, seed)).losses["adversarial"].backward()
        optimizer.step()
    assert bias.softmax(0)[A] > 0.8
