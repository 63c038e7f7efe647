"""Language models, texts drawn from them, and the recipe of maximum likelihood."""

from __future__ import annotations

from dataclasses import asdict
from math import log

import pytest
import torch

from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, PAD, START, UNKNOWN, TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Trainer
from tenfold.errors import DataError, RecipeError
from tenfold.games.language import (
    BLOCK,
    LanguageModel,
    TextSampler,
    alphabet,
    dropped,
    imitation,
    inverse_cdf,
    surprise,
)
from tenfold.nn.networks.language import (
    NEVER,
    LSTMLanguage,
    RelationalLanguage,
    TransformerLanguage,
    joined,
    repeated,
    scatter,
)
from tenfold.recipe import make_recipe
from tenfold.recipes.lm import Staged, bound_gradients, one_each

WORDS, LENGTH = 9, 6
LAYOUT = TextLayout(LENGTH, WORDS)
SPEC = DataSpec("texts", (LENGTH,), 32, ("a", "b"), (16, 16), text=LAYOUT)
TEXTS = torch.tensor([[4, 5, 6, END, PAD, PAD], [7, 8, 4, 5, 6, END], [END, PAD, PAD, PAD, PAD, PAD]])
KINDS = {
    "lstm": lambda classes=0: LSTMLanguage(alphabet(LAYOUT), embedding=5, hidden=7, depth=2, classes=classes),
    "transformer": lambda classes=0: TransformerLanguage(
        alphabet(LAYOUT), LENGTH, width=8, heads=2, classes=classes
    ),
    "relational": lambda classes=0: RelationalLanguage(
        alphabet(LAYOUT), embedding=5, hidden=6, slots=2, classes=classes
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind, classes=0):
    torch.manual_seed(2)
    made = KINDS[kind](classes)
    with torch.no_grad():
        made.last.linear.weight.mul_(2)  # that tokens are not all as likely
    return made


def sampler(kind="lstm", classes=0):
    return TextSampler(network(kind, classes), LENGTH).eval()


def draw(n=8, seed=0):
    return Draw(seed, slice(0, n), n)


def noise(n=8, seed=0):
    return draw(n, seed).uniform(LENGTH)


def known(shares, length=LENGTH):
    """A sampler that draws each token alike, by some shares, whatever stands before."""
    made = TextSampler(LSTMLanguage(alphabet(LAYOUT), embedding=3, hidden=3), length)
    with torch.no_grad():
        made.network.last.linear.weight.zero_()
        made.network.last.linear.bias.fill_(NEVER)
        for token, share in shares.items():
            made.network.last.linear.bias[token] = log(share)
    return made


@each_kind
@pytest.mark.parametrize("classes", [0, 2])
def test_step_by_step_or_all_at_once_is_the_same(kind, classes):
    made = network(kind, classes).eval()
    condition = torch.tensor([0, 1, -1]) if classes else None
    whole = made.logits(TEXTS, condition)
    state, found = made.start(3, condition), []
    for t in range(LENGTH):
        found.append(made.last(state[0]))
        if t + 1 < LENGTH:
            state = made.step(state, TEXTS[:, t])
    assert whole.shape == (3, LENGTH, WORDS)
    assert all(len(part) == 3 for part in state)
    torch.testing.assert_close(torch.stack(found, 1), whole, rtol=1e-4, atol=1e-5)


@each_kind
def test_what_comes_later_is_not_known(kind):
    made = network(kind).eval()
    other = TEXTS.clone()
    other[1, 3:] = 7
    a, b = made.logits(TEXTS), made.logits(other)
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert not torch.allclose(a[1, 4:], b[1, 4:])


@each_kind
def test_classes_matter_and_no_class_is_one_of_its_own(kind):
    made = network(kind, 2)
    said = [made.logits(TEXTS, torch.full((3,), c)) for c in (0, 1, -1)]
    assert not torch.allclose(said[0], said[1])
    assert not torch.allclose(said[0], said[2])
    shares = made.logits(TEXTS, torch.tensor([[1.0, 0.0]]).expand(3, 2))
    torch.testing.assert_close(shares, said[0])


@each_kind
def test_padding_and_start_never_come_next(kind):
    shares = network(kind).logits(TEXTS).softmax(2)
    assert not shares[:, :, [PAD, START]].any()
    assert (shares[:, :, [END, UNKNOWN, 4]] > 0).all()


@each_kind
def test_memories_can_be_repeated_and_joined(kind):
    made = network(kind).eval()
    one, other = (made.step(made.start(2), torch.tensor(tokens)) for tokens in ([4, 5], [6, 7]))
    both = joined(repeated(one, 2), other)
    found = made.step(both, torch.tensor([8, 4, 8, 4, 8, 4]))[0]
    wanted = [made.step(state, torch.full((2,), token))[0] for state in (one, other) for token in (8, 4)]
    rows = [wanted[0][0], wanted[1][0], wanted[0][1], wanted[1][1], wanted[2][0], wanted[3][1]]
    torch.testing.assert_close(found, torch.stack(rows), rtol=1e-4, atol=1e-6)


@each_kind
def test_bf16_gives_float32_logits(kind):
    made = network(kind)
    exact = made.logits(TEXTS)
    with torch.autocast("cpu", torch.bfloat16):
        rough = made.logits(TEXTS)
        stepped = made.last(made.step(made.start(3), TEXTS[:, 0])[0])
    assert rough.dtype == stepped.dtype == torch.float32
    torch.testing.assert_close(rough, exact, rtol=0.1, atol=0.2)


def test_a_table_gives_the_same_logits():
    last = network("lstm").last
    h = torch.randn(3, last.linear.in_features)
    said = torch.nn.functional.pad(h, (0, 1), value=1.0) @ last.table(16)
    assert said.shape == (3, 16) and last.table().shape == (h.shape[1] + 1, WORDS)
    torch.testing.assert_close(said[:, :WORDS], last(h))
    assert (said[:, WORDS:] == NEVER).all()


def test_weights_are_drawn_anew():
    made = network("lstm")
    scatter(made, 0.1)
    assert made.input.tokens.weight.std().item() == pytest.approx(0.1, rel=0.3)
    assert not made.lstm.bias_hh_l0.any()
    assert made.lstm.bias_ih_l0.any()


def test_inverse_cdf_by_hand():
    shares = torch.tensor([[0.1, 0.2, 0.7], [0.0, 0.5, 0.0]])
    uniform = torch.tensor([[0.0, 0.05, 0.15, 0.31, 0.999], [0.0, 0.2, 0.5, 0.9, 0.99999994]])
    assert inverse_cdf(shares, uniform).tolist() == [[0, 0, 1, 2, 2], [1, 1, 1, 1, 1]]


@pytest.mark.parametrize("count", [1, 127, 128, 129, 300, 512])
def test_inverse_cdf_is_that_of_running_sums(count):
    torch.manual_seed(0)
    shares = torch.rand(20, count, dtype=torch.float64).pow(8)
    shares[:, torch.rand(count) < 0.3] = 0
    shares[:, count // 2] = 0.1
    uniform = torch.rand(20, 50, dtype=torch.float64)
    sums = shares.cumsum(1)
    found = inverse_cdf(shares, uniform)
    assert torch.equal(found, torch.searchsorted(sums, uniform * sums[:, -1:], right=True))
    assert (shares.gather(1, found) > 0).all()


def test_inverse_cdf_never_draws_what_has_no_share():
    """Even where rounding takes the number beyond all sums."""
    torch.manual_seed(0)
    shares = torch.rand(50, 1000).pow(20) * 1e-3
    shares[:, 500:] = 0
    uniform = torch.full((50, 1), 1 - 2.0**-24)
    assert (shares.gather(1, inverse_cdf(shares, uniform)) > 0).all()


def test_tokens_are_as_frequent_as_the_network_says():
    made = known({4: 0.5, 5: 0.3, END: 0.2}).texts(noise(4000))
    first = torch.bincount(made[:, 0], minlength=WORDS) / 4000
    assert first[[4, 5, END]].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert first.sum() == pytest.approx(1)
    assert (made == END).any(1).float().mean().item() == pytest.approx(1 - 0.8**LENGTH, abs=0.03)


@each_kind
def test_behind_the_end_there_is_nothing(kind):
    made = sampler(kind).texts(noise(200))
    assert made.shape == (200, LENGTH)
    assert made.dtype == torch.int64
    ended = (made == END).cumsum(1)
    assert ((made == PAD) == (ended - (made == END).long() > 0)).all()
    assert not (made == START).any()
    assert (made == PAD).any()
    assert len(made.unique(dim=0)) > 20


@each_kind
def test_a_text_depends_on_its_own_numbers_alone(kind):
    made, z = sampler(kind, 2), noise(64)
    condition = torch.arange(64) % 2
    whole = made(z, condition)
    assert torch.equal(made(z, condition), whole)
    assert torch.equal(made(z[10:13], condition[10:13]), whole[10:13])


def test_a_vocabulary_that_is_looked_at_in_parts(monkeypatch):
    made, z = sampler(), noise(64)
    whole = made(z)
    monkeypatch.setattr("tenfold.games.language.CACHED", 5 * BLOCK)
    assert torch.equal(made(z), whole)


@each_kind
def test_a_prefix_is_kept(kind):
    made, z = sampler(kind), noise(32)
    found = made.texts(z, prefix=torch.tensor([7, 8]))
    assert (found[:, :2] == torch.tensor([7, 8])).all()
    assert len(found.unique(dim=0)) > 8
    plain = made.texts(z)
    assert torch.equal(made.texts(z, prefix=plain[:, :3]), plain)
    ended = made.texts(z, prefix=torch.tensor([7, END]))
    assert (ended == torch.tensor([7, END, PAD, PAD, PAD, PAD])).all()
    assert torch.equal(made.texts(z, prefix=plain), plain)


def test_a_prefix_that_is_too_long_is_refused():
    with pytest.raises(DataError, match="the prefix has 7 tokens; texts have 6 at most"):
        sampler().texts(noise(2), prefix=torch.full((7,), 4))


@each_kind
@pytest.mark.parametrize("temperature", [0.0, 1e-6])
def test_without_temperature_the_likeliest_token_is_taken(kind, temperature):
    made = sampler(kind)
    found = made.texts(noise(8), temperature=temperature)
    assert (found == found[0]).all()
    likeliest = made.network.logits(found[:1]).argmax(2)
    assert torch.equal(likeliest[found[:1] != PAD], found[:1][found[:1] != PAD])


def test_temperature_by_hand():
    made = known({4: 0.8, 5: 0.2})
    cold = made.texts(noise(4000), temperature=0.5)
    assert (cold == 4).float().mean().item() == pytest.approx(0.64 / 0.68, abs=0.01)
    warm = made.texts(noise(4000), temperature=2.0)
    share = 0.8**0.5 / (0.8**0.5 + 0.2**0.5)
    assert (warm == 4).float().mean().item() == pytest.approx(share, abs=0.01)


def test_likelihood_by_hand():
    made = known({4: 0.5, 5: 0.25, END: 0.25})
    texts = torch.tensor([[4, 5, END, PAD, PAD, PAD], [4, 4, 4, 4, 4, 4], [END, PAD, PAD, PAD, PAD, PAD]])
    wanted = [(log(2) + 2 * log(4)) / 3, log(2), log(4)]
    assert made.likelihood(texts).tolist() == pytest.approx(wanted, rel=1e-5)
    shares = [0.5**2, 0.25**2, 0.25**2]
    cold = made.likelihood(texts, temperature=0.5)
    assert cold[1].item() == pytest.approx(-log(shares[0] / sum(shares)), rel=1e-5)
    game = LanguageModel(made)
    assert game.likelihood({"real": texts}).tolist() == pytest.approx(wanted, rel=1e-5)


def test_likelihood_in_parts_is_the_same(monkeypatch):
    made = sampler(classes=2)
    condition = torch.tensor([0, 1, 1])
    whole = made.likelihood(TEXTS, condition)
    monkeypatch.setattr("tenfold.games.language.HELD", 2 * LENGTH * WORDS)
    torch.testing.assert_close(made.likelihood(TEXTS, condition), whole)


def test_a_sampler_finds_its_own_texts_as_surprising_as_they_are_rare():
    made = known({4: 0.5, 5: 0.3, END: 0.2})
    texts = made.texts(noise(2000))
    entropy = -sum(p * log(p) for p in (0.5, 0.3, 0.2))
    tokens = (texts != PAD).sum(1)
    assert ((made.likelihood(texts) * tokens).sum() / tokens.sum()).item() == pytest.approx(entropy, abs=0.02)


def test_unknown_words_do_not_count_in_likelihood():
    made = known({4: 0.5, 5: 0.25, END: 0.25})
    texts = torch.tensor([[4, UNKNOWN, END, PAD, PAD, PAD], [4, 5, END, PAD, PAD, PAD]])
    by_hand = [(log(2) + log(4)) / 2, (log(2) + 2 * log(4)) / 3]
    assert made.likelihood(texts).tolist() == pytest.approx(by_hand)


def test_texts_to_read_have_no_unknown_words():
    made = known({UNKNOWN: 0.9, 4: 0.05, END: 0.05})
    assert (made.texts(noise(20)) == UNKNOWN).any()
    assert not (made.texts(noise(20), to_read=True) == UNKNOWN).any()


def test_surprise_ends_with_the_text():
    nats = surprise(torch.zeros(3, LENGTH, WORDS), TEXTS)
    assert torch.equal(nats > 0, TEXTS != PAD)
    assert nats[0, 0].item() == pytest.approx(log(WORDS))


def test_imitation_is_of_the_whole_text():
    made = known({4: 0.5, 5: 0.25, END: 0.25})
    texts = torch.tensor([[4, 5, END, PAD, PAD, PAD], [END, PAD, PAD, PAD, PAD, PAD]])
    loss = imitation(made, {"real": texts}, draw(2))
    assert loss.item() == pytest.approx(((log(2) + 2 * log(4)) + log(4)) / 2 / LENGTH, rel=1e-5)


def test_dropped_features_are_made_up_for():
    h = torch.ones(4, 5000)
    found = dropped(h, draw(4), 0.25)
    assert found.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert found.mean().item() == pytest.approx(1, abs=0.03)
    assert dropped(h, draw(4), 0.0) is h
    half = Draw(0, slice(2, 4), 4)
    assert torch.equal(dropped(h[:2], half, 0.25), found[2:])


def test_a_gradient_is_bounded():
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    bound_gradients([optimizer], 1.0)
    weight.grad = torch.tensor([3.0, 4.0])
    optimizer.step()
    assert weight.tolist() == pytest.approx([-0.6, -0.8], rel=1e-4)


def test_rates_of_stages():
    rate = Staged(lambda progress: 1 - progress, until=0.5, then=0.1)
    assert [rate(p) for p in (0.0, 0.25, 0.5, 0.9)] == [1.0, 0.5, 0.1, 0.1]
    assert Staged(lambda progress: 1.0, until=0.0, then=2.0)(0.0) == 2.0


def test_numbers_of_filters():
    assert one_each((1, 2, 3), (8,)) == (8, 8, 8)
    assert one_each((1, 2), (8, 9)) == (8, 9)
    with pytest.raises(RecipeError, match="3 kernels and 2 numbers of filters"):
        one_each((1, 2, 3), (8, 9))


def texts(n=32, seed=0):
    torch.manual_seed(seed)
    tokens = torch.randint(4, WORDS, (n, LENGTH))
    lengths = torch.randint(1, LENGTH + 1, (n, 1))
    place = torch.arange(LENGTH)
    return tokens.masked_fill(place == lengths, END).masked_fill(place > lengths, PAD)


def trainer(n=32, **values):
    torch.manual_seed(1)
    play = make_recipe("lm", values, "tiny").build(SPEC)
    labels = (torch.arange(n) % 2).numpy()
    return Trainer(play.game, play.optimizers, Shuffled(Rows(texts(n), labels), 8), schedules=play.schedules)


@pytest.mark.parametrize("values", [{}, {"network": "transformer"}], ids=str)
def test_every_parameter_learns_and_texts_become_likelier(values):
    playing = trainer(lr_g=0.02, **values)
    real = {"real": texts(), "condition": torch.arange(32) % 2}
    before = playing.game.likelihood(real).mean()
    for _ in range(150):
        playing.play_step()
    assert all(p.grad is not None and p.grad.norm() > 0 for p in playing.game.parameters())
    assert playing.game.likelihood(real).mean() < before - 0.1
    assert playing.flush().keys() == {"G/likelihood", "G/gradient_norm"}


@pytest.mark.parametrize("preset", ["tiny", "small", "base", "paper"])
@pytest.mark.parametrize("name", ["lm", "seqgan", "relgan"])
def test_presets_build(name, preset):
    with torch.device("meta"):
        play = make_recipe(name, {}, preset).build(SPEC)
    assert play.optimizers.keys() == play.game.players().keys() == play.schedules.keys()
    made = make_recipe(name, {}, preset)
    assert make_recipe(name, asdict(made)) == made


@pytest.mark.parametrize("name", ["lm", "seqgan", "relgan"])
def test_other_data_are_refused(name):
    with pytest.raises(RecipeError, match="learns from texts, and the data are images"):
        make_recipe(name, {}, "tiny").build(DataSpec("images", (1, 8, 8), 30))


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(RecipeError, match="hidden is 10, which 4 heads do not divide"):
        make_recipe("lm", {"network": "transformer", "hidden": 10}, "tiny").build(SPEC)


def test_the_published_baseline():
    made = make_recipe("lm", {}, "paper").build(SPEC).game.sampler.network
    assert isinstance(made.body, torch.nn.Identity)
    spreads = [p.std().item() for name, p in made.named_parameters() if p.numel() > 500]
    assert spreads == pytest.approx([0.1] * len(spreads), rel=0.1)
    assert len(spreads) == 2
