"""SeqGAN: what tokens are worth, whose merit it is, and the stages of a run."""

from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch
from torch import Tensor

from tenfold.conditioning import ProjectionHead
from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, PAD, TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Settings, Trainer
from tenfold.errors import RecipeError
from tenfold.games.language import TextSampler, alphabet
from tenfold.games.seqgan import AdvantageSize, Judging, Policy, SeqGAN, Shares, beginnings
from tenfold.nn.networks.language import (
    NEVER,
    LanguageNetwork,
    LSTMLanguage,
    NextToken,
    RelationalLanguage,
    State,
    TransformerLanguage,
)
from tenfold.nn.networks.reader import ManyReaders, TextDiscriminator, TextReader
from tenfold.recipe import make_recipe

WORDS, LENGTH = 9, 5
A, B = 4, 5
LAYOUT = TextLayout(LENGTH, WORDS)
SPEC = DataSpec("texts", (LENGTH,), 32, ("a", "b"), (16, 16), text=LAYOUT)
KINDS = {
    "lstm": lambda: LSTMLanguage(alphabet(LAYOUT), embedding=5, hidden=7, classes=2),
    "transformer": lambda: TransformerLanguage(alphabet(LAYOUT), LENGTH, width=8, heads=2, classes=2),
    "relational": lambda: RelationalLanguage(alphabet(LAYOUT), embedding=5, hidden=6, slots=2, classes=2),
}


class Places(LanguageNetwork):
    """The next token follows from its place alone: a feature for each, of which one is 1."""

    def __init__(self, shares: list[dict[int, float]]) -> None:
        super().__init__()
        self.width = len(shares)
        self.last = NextToken(self.width, alphabet(TextLayout(self.width, WORDS)))
        with torch.no_grad():
            self.last.linear.bias.zero_()
            self.last.linear.weight.fill_(NEVER)
            for place, of in enumerate(shares):
                for token, share in of.items():
                    self.last.linear.weight[token, place] = log(share)

    def features(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
        return torch.eye(self.width).expand(len(tokens), -1, -1)

    def start(self, n: int, condition: Tensor | None = None) -> State:
        return torch.eye(self.width)[:1].expand(n, -1), torch.zeros(n).long()

    def step(self, state: State, token: Tensor) -> State:
        return torch.eye(self.width)[state[1] + 1], state[1] + 1


class Likes(TextDiscriminator):
    """Says of a text what a function of its tokens says."""

    def __init__(self, opinion) -> None:
        super().__init__()
        self.opinion, self.head = opinion, ProjectionHead(1)

    def features(self, x: Tensor) -> Tensor:
        return self.opinion(x).float()[:, None]

    def judged(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return features


def sure(opinion):
    """A reader that takes a text for real for certain, or not at all."""
    return Likes(lambda x: 400.0 * opinion(x).float() - 200)


def draw(n=8, seed=0):
    return Draw(seed, slice(0, n), n)


def toy(shares, reader, **policy):
    policy = Policy(**{"teacher": 0.0, "rollouts": 8, **policy})
    return SeqGAN(TextSampler(Places(shares), len(shares)), reader, policy=policy)


def logit(p):
    return log(p / (1 - p))


TWO = [{A: 0.5, B: 0.5}, {A: 0.6, B: 0.4}]
REWARDS = torch.tensor([[0.95, 0.6], [0.4, 0.05]])


def gradient(game, n):
    """Of the loss, in the logit of A at each place."""
    game.zero_grad()
    batch = {"real": torch.full((n, 2), A)}
    game.reinforce(batch, draw(n)).losses["adversarial"].backward()
    return game.sampler.network.last.linear.weight.grad[A].tolist()


@pytest.mark.parametrize("baseline", [False, True])
def test_the_gradient_is_the_one_that_is_known(baseline):
    """Of the mean reward of texts of two tokens; what is foretold, right or wrong, does not matter to it."""
    reader = Likes(lambda x: REWARDS.logit()[x[:, 0] - A, x[:, 1] - A])
    game = toy(TWO, reader, baseline=baseline)
    if game.value is not None:
        with torch.no_grad():
            game.value.place.copy_(torch.tensor([0.9, 0.2]))
    worth_of_a = 0.6 * 0.95 + 0.4 * 0.6
    worth_of_b = 0.6 * 0.4 + 0.4 * 0.05
    second = (0.5 * 0.95 + 0.5 * 0.4) - (0.5 * 0.6 + 0.5 * 0.05)
    wanted = [-0.5 * 0.25 * (worth_of_a - worth_of_b), -0.5 * 0.24 * second]
    assert gradient(game, 8000) == pytest.approx(wanted, abs=0.006)
    assert min(map(abs, wanted)) > 0.04


def test_a_good_baseline_takes_noise_away():
    reader = Likes(lambda x: REWARDS.logit()[x[:, 0] - A, x[:, 1] - A])

    def noise(baseline):
        game, found = toy(TWO, reader, baseline=baseline), []
        for seed in range(40):
            game.zero_grad()
            terms = game.reinforce({"real": torch.full((64, 2), A)}, draw(64, seed))
            terms.losses["adversarial"].backward()
            found.append(game.sampler.network.last.linear.weight.grad[A])
        return torch.stack(found).std(0).mean()

    assert noise(True) < 0.8 * noise(False)


def test_what_came_before_is_no_merit_of_a_token():
    """And what another text got is none, either."""
    tokens = TextSampler(Places(TWO), 2)(draw(50).uniform(2))
    first = toy(TWO, sure(lambda x: x[:, 0] == A)).worth(tokens, None, draw(50))
    assert torch.equal(first, (tokens[:, :1] == A).float().expand(-1, 2))
    second = toy(TWO, sure(lambda x: x[:, 1] == A), rollouts=200).worth(tokens, None, draw(50))
    assert torch.equal(second[:, 1], (tokens[:, 1] == A).float())
    assert second[:, 0].mean().item() == pytest.approx(0.6, abs=0.02)
    assert second[:, 0].std() < 0.1


def test_worth_is_an_average_over_texts_that_go_on():
    game = toy([{A: 0.5, B: 0.5}] * 3, sure(lambda x: (x == A).all(1)), rollouts=400)
    tokens = torch.tensor([[A, A, A], [A, B, A], [B, A, A]])
    found = game.worth(tokens, None, draw(3))
    assert found[:, 2].tolist() == [1, 0, 0]
    assert found[0].tolist() == pytest.approx([0.25, 0.5, 1], abs=0.08)
    assert found[1].tolist() == pytest.approx([0.25, 0, 0], abs=0.08)
    assert found[2].tolist() == [0, 0, 0]


def test_tokens_between_beginnings_are_worth_what_goes_on_from_the_next(monkeypatch):
    monkeypatch.setattr("tenfold.games.seqgan.beginnings", lambda *given: [2, 4])
    game = toy([{A: 0.5, B: 0.5}] * 5, sure(lambda x: x[:, 2] == A), rollouts=400)
    tokens = torch.tensor([[A, B, A, B, B], [A, A, B, A, A], [B, END, PAD, PAD, PAD]])
    found = game.worth(tokens, None, draw(3))
    assert torch.equal(found[:, 0], found[:, 1])
    assert found[:2, 0].tolist() == pytest.approx([0.5, 0.5], abs=0.1)
    assert found[:, 2:].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert found[2].tolist() == [0] * 5


def test_few_beginnings_leave_the_gradient_right():
    game = toy([{A: 0.5, B: 0.5}] * 3, sure(lambda x: x[:, 0] == A), baseline=False, beginnings=1)
    assert gradient(game, 8000) == pytest.approx([-0.25 / 3, 0, 0], abs=0.008)


def test_beginnings_are_spread_over_the_text():
    assert beginnings(5, 4, draw()) == [1, 2, 3, 4]
    found = [beginnings(101, 20, draw(seed=seed)) for seed in range(200)]
    for part, of in enumerate(zip(*found, strict=True)):
        assert set(of) == set(range(1 + 5 * part, 6 + 5 * part))


def sampler(kind):
    torch.manual_seed(2)
    return TextSampler(KINDS[kind](), LENGTH).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_rollouts_are_those_of_the_plain_loop(kind):
    made, condition = sampler(kind), torch.arange(6) % 2
    tokens = made(draw(6).uniform(LENGTH), condition)
    tokens[0] = torch.tensor([7, END, PAD, PAD, PAD])
    uniform = draw(6, 1).uniform(LENGTH - 1, 3, LENGTH)
    found = made.rollouts(tokens, uniform, condition)
    assert found.shape == (6, LENGTH - 1, 3, LENGTH)
    for beginning in range(LENGTH - 1):
        for j in range(3):
            z, prefix = uniform[:, beginning, j], tokens[:, : beginning + 1]
            assert torch.equal(found[:, beginning, j], made.texts(z, condition, prefix=prefix))
    assert len(found[1:, 0].flatten(0, 1).unique(dim=0)) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_rollouts_from_some_beginnings(kind):
    made, condition = sampler(kind), torch.arange(6) % 2
    tokens = made(draw(6).uniform(LENGTH), condition)
    tokens[0] = torch.tensor([7, END, PAD, PAD, PAD])
    uniform = draw(6, 1).uniform(2, 3, LENGTH)
    found = made.rollouts(tokens, uniform, condition, [2, 4])
    for number, count in enumerate((2, 4)):
        for j in range(3):
            z, prefix = uniform[:, number, j], tokens[:, :count]
            assert torch.equal(found[:, number, j], made.texts(z, condition, prefix=prefix))


def test_a_beginning_may_come_when_all_others_have_ended():
    made = TextSampler(Places([{A: 1.0}, {END: 1.0}, {A: 1.0}, {B: 1.0}]), 4)
    found = made.rollouts(torch.tensor([[B, A, A, A]]), draw(1).uniform(2, 5, 4), None, [1, 3])
    assert (found[0, 0] == torch.tensor([B, END, PAD, PAD])).all()
    assert (found[0, 1] == torch.tensor([B, A, A, B])).all()


def test_rollouts_are_drawn_as_the_network_says():
    made = TextSampler(Places([{A: 0.25, B: 0.75}] * 3), 3)
    found = made.rollouts(torch.tensor([[A, B, A]]), draw(1).uniform(2, 4000, 3))
    assert (found[0, 0, :, 0] == A).all()
    assert (found[0, 1, :, :2] == torch.tensor([A, B])).all()
    shares = (found[0] == A).float().mean(1)
    assert shares[0, 1:].tolist() == pytest.approx([0.25, 0.25], abs=0.03)
    assert shares[1, 2].item() == pytest.approx(0.25, abs=0.03)
    together = ((found[0, 0, :, 1] == A) & (found[0, 0, :, 2] == A)).float().mean()
    assert together.item() == pytest.approx(0.0625, abs=0.02)


def test_nothing_goes_on_behind_the_end():
    made = sampler("lstm")
    tokens = torch.tensor([[END, PAD, PAD, PAD, PAD], [7, 8, END, PAD, PAD]])
    found = made.rollouts(tokens, draw(2).uniform(LENGTH - 1, 2, LENGTH), torch.zeros(2).long())
    assert (found[0] == tokens[0]).all()
    assert (found[1, 2:] == tokens[1]).all()
    assert (found[1, 0, :, 0] == 7).all()


def test_no_token_is_drawn_for_texts_that_have_ended(monkeypatch):
    made = TextSampler(Places([{A: 1.0}, {END: 1.0}, {A: 1.0}, {A: 1.0}]), 4)
    draws, following = [], made.following

    def counted(features, uniform, table):
        draws.append(uniform.numel())
        return following(features, uniform, table)

    monkeypatch.setattr(made, "following", counted)
    tokens = torch.tensor([[B, END, PAD, PAD], [B, A, A, A]])
    found = made.rollouts(tokens, draw(2).uniform(3, 5, 4))
    assert (found[0] == tokens[0]).all()
    assert (found[1, 0] == tokens[0]).all()
    assert (found[1, 1:] == tokens[1]).all()
    assert draws == [10, 10, 10, 5]  # of three beginnings of two texts, and of the one that still goes on
    draws.clear()
    ended = torch.tensor([[END, PAD, PAD, PAD]])
    assert (made.rollouts(ended, draw(1).uniform(3, 5, 4)) == ended).all()
    assert draws == []


def test_texts_that_have_ended_are_judged_once():
    shown = []

    def opinion(x):
        shown.append(x)
        return torch.where(x[:, 0] == A, 2.0, -1.0)

    game = toy([{A: 1.0}, {END: 1.0}, {A: 1.0}, {A: 1.0}], Likes(opinion), rollouts=3)
    found = game.worth(torch.tensor([[A, END, PAD, PAD], [B, A, A, A]]), None, draw(2))
    torch.testing.assert_close(found, torch.tensor([[2.0], [-1.0]]).sigmoid().expand(2, 4))
    assert [len(x) for x in shown] == [2, (1 + 3) * 3]


def test_texts_of_one_token_have_no_beginnings():
    game = toy([{A: 0.5, B: 0.5}], sure(lambda x: x[:, 0] == A))
    assert game.worth(torch.tensor([[A], [B]]), None, draw(2)).tolist() == [[1], [0]]


def test_a_constant_reward_teaches_nothing_if_it_is_foretold():
    reader = sure(lambda x: x[:, 0] == A)
    game = toy(TWO, reader, constant=True)
    assert game.worth(torch.tensor([[A, B], [B, B]]), None, draw(2)).tolist() == [[1, 1], [1, 1]]
    with torch.no_grad():
        game.value.place.fill_(1.0)
    assert gradient(game, 50) == [0, 0]
    bare = toy(TWO, reader, constant=True, baseline=False)
    assert max(map(abs, gradient(bare, 50))) > 0


def test_the_loss_is_of_the_tokens_that_were_judged():
    game = toy([{A: 0.25, B: 0.75}], sure(lambda x: x[:, 0] == A), baseline=False)
    terms = game.reinforce({"real": torch.full((500, 1), A)}, draw(500))
    share = terms.signals["reward"].item()
    assert share == pytest.approx(0.25, abs=0.07)
    assert terms.losses["adversarial"].item() == pytest.approx(share * log(4), rel=1e-4)


def test_the_teacher_is_weighed():
    game = toy(TWO, sure(lambda x: x[:, 0] == A), teacher=0.5)
    losses = game.reinforce({"real": torch.tensor([[A, A], [B, B]])}, draw(2)).losses
    nats = (2 * log(2) - log(0.6) - log(0.4)) / 4
    assert losses["likelihood"].item() == pytest.approx(0.5 * nats, rel=1e-5)


def test_rewards_behind_the_end_do_not_count():
    game = toy([{END: 1.0}, {A: 1.0}], sure(lambda x: x[:, 0] == END), baseline=True)
    terms = game.foretell({"real": torch.full((4, 2), A)}, draw(4))
    assert terms.losses["value"].item() == pytest.approx(0.25 / 2)


def test_what_is_foretold_is_the_reward():
    game = toy([{A: 1.0}, {B: 1.0}], Likes(lambda x: torch.full((len(x),), 2.0)))
    loss = game.foretell({"real": torch.full((4, 2), A)}, draw(4)).losses["value"]
    assert loss.item() == pytest.approx((0.5 - 1 / (1 + exp(-2))) ** 2, rel=1e-5)
    loss.backward()
    assert game.value.place.grad.norm() > 0
    assert game.sampler.network.last.linear.weight.grad is None


def test_the_discriminators_turn_by_hand():
    game = toy([{B: 1.0}, {B: 1.0}], Likes(lambda x: torch.where(x[:, 0] == A, 2.0, -1.0)))
    game.judging = Judging(decay=0.5)
    with torch.no_grad():
        for weight in game.discriminator.head.parameters():
            weight.fill_(3.0)
    terms = game.criticise({"real": torch.full((4, 2), A)}, draw(4))
    assert terms.losses["adversarial"].item() == pytest.approx((log1p(exp(-2)) + log1p(exp(-1))) / 2)
    assert terms.losses["decay"].item() == pytest.approx(0.5 * (9 + 9) / 2)
    assert terms.signals["real_logit"] == 2
    assert terms.signals["fake_logit"] == -1


def test_sizes_of_advantages():
    size = AdvantageSize()
    assert size() == 1
    size.settle(0.0)
    assert size() == 1
    size.note(torch.tensor([[1.0, 3.0], [9.0, 9.0]]), torch.tensor([[True, True], [False, False]]))
    size.settle(0.0)
    assert size().item() == pytest.approx(5**0.5)
    size.settle(0.0)
    assert size().item() == pytest.approx(5**0.5)
    size.note(torch.tensor([[5.0]]), torch.tensor([[True]]))
    size.settle(0.0)
    assert size().item() == pytest.approx(7**0.5)


def game_of(**values):
    torch.manual_seed(1)
    return make_recipe("seqgan", values, "tiny").build(SPEC).game


def players(game):
    return [(turn.player, turn.repeat) for turn in game.turns(0)]


def test_stages():
    game = game_of(likelihood=0.5, alone=0.25, critic_steps=3)
    assert game.stages == (0.5, 0.75)
    assert players(game) == [("G", 1)]
    game.progress = 0.5
    assert players(game) == [("D", 1), ("V", 1)]
    game.progress = 0.75
    assert players(game) == [("G", 1), ("D", 3), ("V", 1)]
    assert game.anew is not None and game.anew.at == 0.5
    bare = game_of(likelihood=0.0, alone=0.0, baseline=False)
    assert bare.stages == () and bare.anew is None
    assert players(bare) == [("G", 1), ("D", 1)]
    assert Shares(0.0, 0.5).begins == (0.5,)
    assert Shares(0.5, 0.0).begins == (0.5,)


def test_stages_that_leave_nothing_are_refused():
    with pytest.raises(RecipeError, match="leaves nothing for both players"):
        game_of(likelihood=0.6, alone=0.4)


def test_the_policy_that_lags():
    game = game_of(lag=0.75)
    first = [p.clone() for p in game.behind.parameters()]
    with torch.no_grad():
        for p in game.sampler.parameters():
            p.add_(1.0)
    game.follow()
    assert all(torch.allclose(p, q + 0.25) for p, q in zip(game.behind.parameters(), first, strict=True))
    game.catch_up()
    pairs = zip(game.behind.parameters(), game.sampler.parameters(), strict=True)
    assert all(torch.equal(p, q) for p, q in pairs)
    assert not any(p.requires_grad for p in game.behind.parameters())


def test_the_policy_that_lags_goes_on_from_the_best_one():
    playing = trainer(settings=Settings(planned=64), likelihood=0.5, lag=0.5)
    playing.fit(0.016)
    playing.keep()
    kept = playing.kept
    playing.fit(0.032)
    playing.enter_stage()
    for sampler in (playing.game.sampler, playing.game.behind, playing.ema.module):
        assert all(torch.equal(x, kept[name]) for name, x in sampler.state_dict().items())


def texts(n=32):
    torch.manual_seed(0)
    tokens, place = torch.randint(4, WORDS, (n, LENGTH)), torch.arange(LENGTH)
    lengths = torch.randint(1, LENGTH + 1, (n, 1))
    return tokens.masked_fill(place == lengths, END).masked_fill(place > lengths, PAD)


def trainer(name="seqgan", settings=Settings(), **values):
    torch.manual_seed(1)
    play = make_recipe(name, {"likelihood": 0.0, "alone": 0.0, **values}, "tiny").build(SPEC)
    data = Shuffled(Rows(texts(), (torch.arange(32) % 2).numpy()), 8)
    return Trainer(play.game, play.optimizers, data, settings=settings)


@pytest.mark.parametrize("values", [{}, {"lag": 0.5}, {"network": "transformer"}], ids=str)
def test_only_the_player_moves(values):
    playing = trainer(**values)
    everybody = playing.game.players()
    for seed, turn in enumerate(playing.game.turns(0)):
        before = {name: [p.clone() for p in player.parameters()] for name, player in everybody.items()}
        playing.play(turn, seed)
        for name, player in everybody.items():
            same = all(torch.equal(a, b) for a, b in zip(before[name], player.parameters(), strict=True))
            assert same is (name != turn.player)
    assert playing.whole()


def test_every_parameter_learns():
    playing = trainer()
    names = {p: name for name, p in playing.game.named_parameters()}
    most = dict.fromkeys(names.values(), 0.0)
    for step in range(5):
        for number, turn in enumerate(playing.game.turns(step)):
            playing.play(turn, 9 * step + number)
            for p in playing.players[turn.player].parameters:
                most[names[p]] = max(most[names[p]], p.grad.norm().item())
    assert [name for name, norm in most.items() if norm == 0] == []


def test_micro_batches_add_up():
    found = []
    for parts in (1, 2):
        settings = Settings(micro_batches=parts)
        playing = trainer(settings=settings, optimizer="sgd", lr_g=0.1, lr_d=0.1, dropout=0.2, dropout_d=0.2)
        for _ in range(2):
            playing.play_step()
        found.append([p.detach().clone() for p in playing.game.parameters()])
    for whole, pieces in zip(*found, strict=True):
        torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-5)


def test_two_runs_are_equal_to_the_bit():
    a, b = trainer(), trainer()
    for playing in (a, b):
        playing.fit(kimg=0.016)
    states = zip(a.game.state_dict().values(), b.game.state_dict().values(), strict=True)
    assert all(torch.equal(x, y) for x, y in states)
    assert a.game.size.square > 0


def test_what_the_discriminator_hears_teaches_the_generator():
    """Texts that begin with A are taken for real: G learns to begin with it."""
    game = toy([{A: 0.1, B: 0.9}, {A: 0.5, B: 0.5}], sure(lambda x: x[:, 0] == A))
    optimizer = torch.optim.Adam([game.sampler.network.last.linear.weight], 0.05)
    for seed in range(100):
        optimizer.zero_grad()
        game.reinforce({"real": torch.full((64, 2), A)}, draw(64, seed)).losses["adversarial"].backward()
        optimizer.step()
    shares = game.sampler.network.logits(torch.full((1, 2), A)).softmax(2)[0, :, A]
    assert shares[0] > 0.9
    assert 0.05 < shares[1] < 0.95


def readers():
    torch.manual_seed(4)
    one = TextReader(WORDS, LENGTH, embedding=4, kernels=(1, 3, 20), filters=(5, 6, 7), classes=2)
    many = ManyReaders(
        WORDS, LENGTH, representations=3, size=2, kernels=(2, 9), filters=(4, 4), hidden=6, classes=2
    )
    return {"one": one, "many": many}


@pytest.mark.parametrize(("name", "logits"), [("one", 1), ("many", 3)])
def test_readers_see_tokens_and_shares_of_them_alike(name, logits):
    reader, x, condition = readers()[name], texts(6), torch.arange(6) % 2
    said = reader(x, condition)
    assert said.shape == (6, logits)
    shares = torch.nn.functional.one_hot(x, WORDS).float().requires_grad_()
    soft = reader(shares, condition)
    torch.testing.assert_close(soft, said)
    soft.sum().backward()
    assert shares.grad.norm() > 0
    torch.testing.assert_close(reader(x[2:4], condition[2:4]), said[2:4])
    assert not torch.allclose(reader(x, 1 - condition), said)


def test_a_pattern_is_found_wherever_it_is():
    reader = TextReader(WORDS, LENGTH, embedding=WORDS, kernels=(2,), filters=(1,))
    with torch.no_grad():
        reader.tokens.weight.copy_(torch.eye(WORDS))
        layer = reader.phrases.layers[0]
        layer.weight.zero_()
        layer.bias.fill_(-1.0)
        layer.weight[0, 7, 0] = layer.weight[0, 8, 1] = 1.0
    x = torch.tensor([[7, 8, 4, 4, 4], [4, 4, 4, 7, 8], [8, 7, 4, 8, 4]])
    assert reader.phrases(reader.tokens(x).mT).tolist() == [[1], [1], [0]]


def test_representations_share_all_but_their_vectors():
    reader = readers()["many"]
    with torch.no_grad():
        reader.tokens.weight[:, 2:4] = reader.tokens.weight[:, :2]
    said = reader(texts(4), torch.zeros(4).long())
    torch.testing.assert_close(said[:, 0], said[:, 1])
    assert not torch.allclose(said[:, 0], said[:, 2])
