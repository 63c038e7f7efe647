"""Networks and game of texts that are made of others, by hand."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Tensor

import tenfold.recipes.seq2seq_gan  # noqa: F401  (registers it)
from tenfold.data.order import BothSides, Rows
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, PAD, START, TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Trainer
from tenfold.errors import RecipeError
from tenfold.games.seq2seq import Rewarded, Seq2Seq, TextTranslator, policy_loss
from tenfold.games.seqgan import Shares
from tenfold.metrics.texts.sentence_bleu import sentence_bleu
from tenfold.nn.networks.language import Alphabet
from tenfold.nn.networks.pair_reader import PairReader
from tenfold.nn.networks.seq2seq import AttentionSeq2Seq
from tenfold.recipe import make_recipe

SOURCES, TOKENS = 9, 8
"""Different tokens of either side."""
SPEC = DataSpec("text_pairs", (4,), 32, text=TextLayout(4, TOKENS), source_text=TextLayout(5, SOURCES))
SHORT = torch.tensor([[4, 5, END]])
SOURCE = torch.tensor([[4, 5, END, PAD, PAD], [8, 4, 6, 7, END]])
TEXT = torch.tensor([[5, END, PAD, PAD], [4, 7, 6, 5]])


def network(dropout: float = 0.0) -> AttentionSeq2Seq:
    torch.manual_seed(0)
    alphabet = Alphabet(TOKENS, START, (PAD, START))
    return AttentionSeq2Seq(SOURCES, alphabet, embedding=5, width=7, dropout=dropout)


def reader() -> PairReader:
    torch.manual_seed(1)
    return PairReader(SOURCES, TOKENS, width=6)


def rows(n: int, length: int, tokens: int, seed: int = 0) -> Tensor:
    """Texts of any length, with their ends where they fit."""
    random = torch.Generator().manual_seed(seed)
    found = torch.randint(4, tokens, (n, length), generator=random)
    ends = torch.randint(0, length + 1, (n, 1), generator=random)
    place = torch.arange(length)
    return found.masked_fill(place > ends, PAD).masked_fill(place == ends, END)


def draw(n: int, seed: int = 0) -> Draw:
    return Draw(seed, slice(0, n), n)


def test_what_stands_behind_the_end_of_a_source_changes_nothing():
    net = network()
    said = net.logits(SOURCE, TEXT)
    torch.testing.assert_close(said[:1], net.logits(SHORT, TEXT[:1]))
    with torch.no_grad():
        net.source_embedding.weight[PAD] = 1e3
    assert torch.equal(net.logits(SOURCE, TEXT), said)


def test_a_source_without_a_token_can_be_read():
    nothing = torch.tensor([[PAD, PAD], [END, PAD]])
    assert network().logits(nothing, TEXT).isfinite().all()
    assert reader()(nothing, torch.tensor([[PAD], [END]])).isfinite().all()


def test_logits_are_those_that_come_out_step_by_step():
    net = network()
    memory, pen = net.read(SOURCE)
    token, found = torch.full((2, 1), START), []
    for place in range(4):
        logits, pen = net.write(memory, pen, token)
        found.append(logits)
        token = TEXT[:, place : place + 1]
    torch.testing.assert_close(torch.cat(found, 1), net.logits(SOURCE, TEXT))


def test_texts_of_one_source_are_written_side_by_side_as_each_alone():
    net = network()
    memory, pen = net.read(SOURCE)
    tokens = torch.tensor([[4, 5, 6], [7, 4, 4]])
    together, pens = net.write(memory, net.follow(pen, torch.zeros_like(tokens)), tokens)
    for i in range(3):
        alone, after = net.write(memory, pen, tokens[:, i : i + 1])
        torch.testing.assert_close(together[:, i : i + 1], alone)
        torch.testing.assert_close(pens.hidden[:, i : i + 1], after.hidden)
    moved = net.follow(pens, torch.tensor([[2, 2, 0], [1, 0, 0]]))
    assert torch.equal(moved.fed[0], pens.fed[0, [2, 2, 0]])
    assert torch.equal(moved.hidden[1], pens.hidden[1, [1, 0, 0]])


def test_each_place_of_a_source_is_looked_at():
    """Another token anywhere, and something else is said."""
    net = network()
    before = net.logits(SOURCE[1:], TEXT[1:])
    for place in range(5):
        other = SOURCE[1:].clone()
        other[0, place] = 5
        assert not torch.allclose(net.logits(other, TEXT[1:]), before)


def test_dropout_acts_while_the_weights_learn_alone():
    net = network(dropout=0.5)
    assert not torch.equal(net.logits(SOURCE, TEXT), net.logits(SOURCE, TEXT))
    with torch.no_grad():
        assert torch.equal(net.logits(SOURCE, TEXT), net.logits(SOURCE, TEXT))
    net.requires_grad_(False)
    assert torch.equal(net.logits(SOURCE, TEXT), net.logits(SOURCE, TEXT))


def test_padding_and_start_are_never_written():
    shares = network().logits(SOURCE, TEXT).softmax(2)
    assert (shares[:, :, [PAD, START]] == 0).all()
    torch.testing.assert_close(shares.sum(2), torch.ones(2, 4))


def test_the_likelihood_is_that_of_the_tokens_up_to_the_end():
    translator = TextTranslator(network(), 4)
    said = translator.network.logits(SOURCE, TEXT).log_softmax(2)
    expected = torch.stack([said[0, 0, 5] + said[0, 1, END], said[1, [0, 1, 2, 3], TEXT[1]].sum()])
    torch.testing.assert_close(translator.likelihood(SOURCE, TEXT), expected)
    torch.testing.assert_close(translator.likelihood(SOURCE[:1], TEXT[:1]), expected[:1])
    nats = Seq2Seq(translator).likelihood({"source": SOURCE, "real": TEXT})
    torch.testing.assert_close(nats, -expected / torch.tensor([2, 4]))


def test_what_is_written_has_the_likelihood_that_goes_with_it():
    translator, source = TextTranslator(network(), 4), rows(64, 5, SOURCES)
    z = translator.draw(draw(64))
    for made in (translator.written(source, z), translator.written(source)):
        assert made.tokens.shape == (64, 4)
        ended = (made.tokens == END).long().cumsum(1) - (made.tokens == END).long() > 0
        assert torch.equal(made.tokens == PAD, ended)
        torch.testing.assert_close(made.likelihood, translator.likelihood(source, made.tokens))


def test_a_text_is_a_function_of_its_source_and_its_own_numbers():
    translator, source = TextTranslator(network(), 4), rows(16, 5, SOURCES)
    z = translator.draw(draw(16))
    whole = translator(z, source)
    assert torch.equal(translator(z[4:9], source[4:9]), whole[4:9])
    assert not torch.equal(translator(translator.draw(draw(16, 1)), source), whole)


def test_padding_changes_nothing_of_what_d_says():
    judge = reader()
    said = judge(SOURCE, TEXT)
    torch.testing.assert_close(said[:1], judge(SHORT, TEXT[:1, :2]))
    with torch.no_grad():
        judge.source.embedding.weight[PAD] = judge.text.embedding.weight[PAD] = 1e3
    assert torch.equal(judge(SOURCE, TEXT), said)
    assert not torch.equal(judge(SOURCE[[1, 0]], TEXT), said)


def brute(made: list[int], real: list[int], longest: int = 4) -> float:
    """BLEU of two texts, by counting."""
    if not made:
        return float(not real)
    logs = []
    for size in range(1, longest + 1):
        own, other = (
            Counter(tuple(text[i : i + size]) for i in range(len(text) - size + 1)) for text in (made, real)
        )
        matched, total = sum((own & other).values()), sum(own.values())
        matched, total = (matched, total) if size == 1 else (matched + 1, total + 1)
        if not matched:
            return 0.0
        logs.append(math.log(matched / total))
    return math.exp(sum(logs) / longest + min(0.0, 1 - len(real) / len(made)))


@pytest.mark.parametrize(
    ("made", "real", "expected"),
    [
        ([5, 6, 7], [5, 6, 7], 1.0),
        ([5, 6, 7], [5, 6, 8], (2 / 3 * 2 / 3 * 1 / 2) ** 0.25),
        ([5, 5, 5, 5], [5, 6], (1 / 4 * 1 / 4 * 1 / 3 * 1 / 2) ** 0.25),
        ([5], [5, 6, 7], math.exp(-2)),
        ([6], [5], 0.0),
        ([], [5], 0.0),
        ([5], [], 0.0),
        ([], [], 1.0),
    ],
)
def test_bleu_by_hand(made, real, expected):
    a, b = (torch.tensor([[*text, END, PAD, 9][:6]]) for text in (made, real))
    assert sentence_bleu(a, b).item() == pytest.approx(expected, rel=1e-5)
    assert brute(made, real) == pytest.approx(expected)


def test_bleu_is_what_counting_gives():
    made, real = rows(200, 9, 7, 1), rows(200, 11, 7, 2)
    real[:50, :9] = made[:50]
    real[:50, 9:] = PAD
    found = sentence_bleu(made, real)
    plain = [[[t for t in row if t not in (PAD, END)] for row in x.tolist()] for x in (made, real)]
    expected = [brute(a, b) for a, b in zip(*plain, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert (found[:50] == 1).all() and found[50:].std() > 0


def test_the_policy_gradient_is_that_of_the_expected_reward():
    """Over all texts, each as often as it is drawn; what is subtracted does not matter."""
    for baseline in (0.0, 0.7):
        free = torch.tensor([0.2, -0.1, 0.4], requires_grad=True)
        rewards, said = torch.tensor([1.0, 0.0, 0.5]), free.log_softmax(0)
        weighed = said.detach().exp() * 3 * (rewards - baseline)  # a mean over three texts
        (found,) = torch.autograd.grad(policy_loss(said, weighed), free, retain_graph=True)
        (expected,) = torch.autograd.grad((free.softmax(0) * rewards).sum(), free)
        torch.testing.assert_close(found, -expected)


def game(share: float = 0.5, stages: tuple[float, float] = (0.75, 0.05)) -> Seq2Seq:
    rewarded = Rewarded(share=share)
    return Seq2Seq(TextTranslator(network(), 4), reader(), shares=Shares(*stages), rewarded=rewarded)


def test_the_likeliest_text_teaches_nothing():
    one = game()
    with torch.no_grad():
        one.sampler.network.last.linear.bias[4] = 50.0
    source, real = rows(8, 5, SOURCES), rows(8, 4, TOKENS, 1)
    terms = one.earn({"source": source, "real": real}, draw(8))
    assert terms.losses["adversarial"] == 0
    assert terms.signals["reward"] == terms.signals["usual_reward"]
    terms.losses["adversarial"].backward()
    assert all((p.grad == 0).all() for p in one.sampler.parameters() if p.grad is not None)


def test_what_is_subtracted_is_earned_without_dropout():
    rewarded = Rewarded(share=0.0)
    one = Seq2Seq(TextTranslator(network(dropout=0.5), 4), reader(), rewarded=rewarded)
    source, real = rows(64, 5, SOURCES), rows(64, 4, TOKENS, 1)
    found = one.earn({"source": source, "real": real}, draw(64)).signals["usual_reward"]
    likeliest = one.eval().sampler.written(source).tokens
    torch.testing.assert_close(found, one.reward(source, likeliest, real).mean())


def test_what_a_text_earns():
    one = game(share=0.25)
    source, real = rows(8, 5, SOURCES), rows(8, 4, TOKENS, 1)
    judged = one.judge(source, real)[:, 0].sigmoid()
    torch.testing.assert_close(one.reward(source, real, real), 0.25 * judged + 0.75)
    shown = one.reward(source, real.flip(0), real)
    expected = 0.25 * one.judge(source, real.flip(0))[:, 0].sigmoid() + 0.75 * sentence_bleu(
        real.flip(0), real
    )
    torch.testing.assert_close(shown, expected)


def test_g_learns_by_what_its_texts_earn_alone():
    one = game(share=0.0)
    source, real = rows(32, 5, SOURCES), torch.tensor([[5, END, PAD, PAD]]).expand(32, -1)
    optimizer = torch.optim.Adam(one.sampler.parameters(), 0.03)
    earned = []
    for step in range(60):
        terms = one.earn({"source": source, "real": real}, draw(32, step))
        earned.append(terms.signals["reward"].item())
        optimizer.zero_grad()
        terms.losses["adversarial"].backward()
        optimizer.step()
    assert sum(earned[-5:]) / 5 > sum(earned[:5]) / 5 + 0.2


def test_the_stages_of_a_run():
    one, alone = game(stages=(0.5, 0.25)), Seq2Seq(TextTranslator(network(), 4))
    assert one.stages == (0.5, 0.75) and alone.stages == ()
    assert one.anew is not None and one.anew.at == 0.5 and alone.anew is None
    found = {}
    for progress in (0.0, 0.5, 0.75):
        one.progress = alone.progress = progress
        found[progress] = [turn.player for turn in one.turns(0)]
        assert [turn.player for turn in alone.turns(0)] == ["G"]
    assert found == {0.0: ["G"], 0.5: ["D"], 0.75: ["D", "G", "G"]}
    assert game(stages=(0.0, 0.5)).anew is None
    assert game(stages=(0.0, 0.0)).stages == () and alone.players().keys() == {"G"}
    assert game(stages=(0.5, 0.0)).stages == (0.5,)


def trainer(**values: float) -> Trainer:
    torch.manual_seed(1)
    recipe = make_recipe("seq2seq_gan", {"likelihood": 0.0, "alone": 0.0, **values}, "tiny")
    play = recipe.build(SPEC)
    sides = Rows(rows(32, 5, SOURCES)), Rows(rows(32, 4, TOKENS, 1))
    data = BothSides(*sides, recipe.batch, 0, paired=True)
    return Trainer(play.game, play.optimizers, data, schedules=play.schedules)


def test_only_the_player_moves():
    one = trainer()
    players = one.game.players()
    for seed, turn in enumerate(one.game.turns(0)):
        before = {name: [p.detach().clone() for p in player.parameters()] for name, player in players.items()}
        one.game.zero_grad()
        one.play(turn, seed)
        for name, player in players.items():
            moves = name == turn.player
            assert all((p.grad is not None) is moves for p in player.parameters())
            same = all(torch.equal(a, b) for a, b in zip(before[name], player.parameters(), strict=True))
            assert same is not moves, (turn.player, name)
    assert len(one.game.turns(0)) == 3


def test_parts_of_a_batch_add_up():
    one = trainer()
    batch = one.data(0, slice(0, 8))
    for loss in (one.game.teach, one.game.earn, one.game.criticise):
        whole = loss(batch, draw(8)).losses
        halves = [
            loss({k: x[part] for k, x in batch.items()}, Draw(0, part, 8)).losses
            for part in (slice(0, 4), slice(4, 8))
        ]
        for name, value in whole.items():
            torch.testing.assert_close(value, (halves[0][name] + halves[1][name]) / 2)


def test_maximum_likelihood_alone_has_no_discriminator():
    play = make_recipe("seq2seq_gan", {"adversarial": 0.0}, "tiny").build(SPEC)
    assert play.game.players().keys() == play.optimizers.keys() == play.schedules.keys() == {"G"}
    both = make_recipe("seq2seq_gan", {}, "tiny").build(SPEC)
    assert both.schedules.keys() == {"G", "D"}
    assert both.schedules["D"](0.9) == both.schedules["G"](0.0) == 1
    assert both.schedules["G"](0.75) == both.schedules["G"](0.9) == pytest.approx(0.1)


def test_a_recipe_that_would_never_hear_d_is_refused():
    with pytest.raises(RecipeError, match="--adversarial 0"):
        make_recipe("seq2seq_gan", {"likelihood": 0.9, "alone": 0.2}, "tiny").build(SPEC)
    with pytest.raises(RecipeError, match="the data are images"):
        make_recipe("seq2seq_gan", {}, "tiny").build(DataSpec("images", (1, 8, 8), 32))
