"""How texts are judged while training: the best, the baseline, and the alarm."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tenfold.data import Dataset
from tenfold.data.order import Shuffled
from tenfold.data.texts.layout import END, PAD, START, UNKNOWN
from tenfold.data.texts.opening import open_text_pairs, open_texts
from tenfold.engine.checkpoint import finished
from tenfold.engine.trainer import Settings, Trainer
from tenfold.games.language import LanguageModel, TextSampler, alphabet
from tenfold.games.seq2seq import TextTranslator
from tenfold.nn.networks.language import Alphabet, LSTMLanguage
from tenfold.nn.networks.seq2seq import AttentionSeq2Seq
from tenfold.watching.repeating import why_repeating
from tenfold.watching.trials import FreeTexts, TextsOfTexts, made_texts, per_token
from tenfold.watching.words import Reading, baseline_state

NUMBERS = {
    "heldout_nll",
    "ngram_distance",
    "ngram_distance_error",
    "self_bleu",
    "distinct",
    "distinct_of_real",
    "spread",
}
CPU = torch.device("cpu")


def texts() -> Dataset:
    random, names = np.random.default_rng(0), ("cat", "dog", "bird")
    said = [f"the {names[i]} sees a {names[j]} at {k}" for i, j, k in random.integers(0, 3, (160, 3))]
    return open_texts(said)


def model(data: Dataset) -> TextSampler:
    torch.manual_seed(0)
    assert data.spec.text is not None
    network = LSTMLanguage(alphabet(data.spec.text), embedding=8, hidden=16)
    return TextSampler(network, data.spec.text.length)


def training(data: Dataset, planned: int = 0) -> Trainer:
    game = LanguageModel(model(data))
    optimizers = {"G": torch.optim.Adam(game.parameters(), 0.02)}
    return Trainer(
        game, optimizers, Shuffled(data.train, 16), settings=Settings(planned=planned, half_life_kimg=0)
    )


@dataclass
class Stand:
    """As much of a trainer as a look needs."""

    sampler: nn.Module
    step: int = 1
    stage: float = 0.0
    stages: tuple[float, ...] = ()
    players: dict[str, Any] = field(default_factory=lambda: {"G": None})
    kept: int = 0

    def keep(self) -> None:
        self.kept += 1

    @property
    def seen(self) -> int:
        return 100 * self.step

    @property
    def ema(self) -> SimpleNamespace:
        return SimpleNamespace(module=self.sampler.eval())

    @property
    def game(self) -> SimpleNamespace:
        return SimpleNamespace(stages=self.stages)

    runtime = SimpleNamespace(device=CPU)


def stand(sampler: nn.Module, **fields: Any) -> Trainer:
    return cast("Trainer", Stand(sampler, **fields))


def test_a_language_model_is_kept_where_held_out_texts_are_likeliest(tmp_path: Path) -> None:
    data = texts()
    trainer, reading = training(data), Reading(data, tmp_path, 0)
    first = reading.look(trainer)
    assert set(first) == NUMBERS and reading.best is None
    trainer.fit(0.8)
    second = reading.look(trainer)
    assert second["heldout_nll"] < first["heldout_nll"] - 0.5
    assert second["ngram_distance"] < first["ngram_distance"]
    assert reading.best is not None and reading.best.score == second["heldout_nll"] and reading.best.likely
    assert [path.name for path in finished(tmp_path / "best")] == [f"{trainer.seen:012d}"]
    assert baseline_state(tmp_path) is None
    assert "nats per held-out token" in reading.words(second) and "in brackets" in reading.words(second)
    assert reading.reference is not None and reading.reference["distinct"] > 0


def test_a_look_changes_nothing(tmp_path: Path) -> None:
    data = texts()
    watched, alone = training(data), training(data)
    Reading(data, tmp_path, 0).look(watched.fit(0.064))
    watched.fit(0.128)
    alone.fit(0.128)
    for a, b in zip(watched.game.parameters(), alone.game.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_first_stage_leaves_a_baseline_and_the_last_is_judged_by_texts(tmp_path: Path) -> None:
    data = texts()
    sampler, reading = model(data), Reading(data, tmp_path, 0)
    two = {"players": {"G": None, "D": None}, "stages": (0.5, 0.6)}
    reading.look(stand(sampler, step=0, **two))
    assert reading.facts() == {}
    first = stand(sampler, step=1, **two)
    reading.look(first)
    likely = reading.best
    assert first.kept == 1  # the next stage begins here
    assert likely is not None and likely.likely and reading.baseline == likely
    with torch.no_grad():
        sampler.network.last.linear.bias.add_(torch.randn_like(sampler.network.last.linear.bias) * 3)
    second = stand(sampler, step=2, stage=0.5, **two)
    reading.look(second)  # worse, and D alone learns: as before
    assert reading.best is likely and second.kept == 0
    found = reading.look(stand(sampler, step=3, stage=0.6, **two))
    assert reading.best is not None and not reading.best.likely
    assert reading.best.score == found["ngram_distance"] and reading.baseline == likely
    assert reading.facts()["baseline"] == 100
    state = baseline_state(tmp_path)
    assert state is not None and [p.name for p in finished(tmp_path / "best")][-1] == f"{300:012d}"
    bias = "network.last.linear.bias"
    assert not torch.equal(state.tensors[bias], sampler.state_dict()[bias])


def test_unknown_words_weigh_nothing_among_held_out_texts() -> None:
    data = texts()
    trial, sampler = FreeTexts(data, 0), model(data)
    trial.real = torch.tensor([[5, 6, 5, END], [UNKNOWN, UNKNOWN, UNKNOWN, END]])
    mean = sampler.likelihood(trial.real)
    assert trial.nll(sampler, CPU) == pytest.approx(((4 * mean[0] + mean[1]) / 5).item(), rel=1e-5)


def test_glances_find_what_lies_between_looks(tmp_path: Path) -> None:
    data = texts()
    sampler, reading = model(data), Reading(data, tmp_path, 0)
    two = {"players": {"G": None, "D": None}, "stages": (0.5,)}
    assert [watch.act for watch in reading.watches] == [reading.glance]
    reading.glance(stand(sampler, step=17, **two))
    assert reading.best is None
    first = stand(sampler, step=16, **two)
    reading.glance(first)
    assert reading.best is not None and reading.best.seen == 1600 and reading.best.likely
    assert reading.baseline == reading.best and first.kept == 1
    assert baseline_state(tmp_path) is not None
    found = reading.look(stand(sampler, step=20, **two))
    assert found["heldout_nll"] == reading.best.score and reading.best.seen == 1600  # no better
    with torch.no_grad():
        sampler.network.last.linear.bias.add_(torch.randn_like(sampler.network.last.linear.bias) * 3)
    reading.glance(stand(sampler, step=23, **two))
    reading.glance(stand(sampler, step=32, stage=0.5, **two))  # no longer of maximum likelihood alone
    assert reading.best.seen == 1600


def test_what_was_best_is_remembered(tmp_path: Path) -> None:
    data = texts()
    sampler, reading = model(data), Reading(data, tmp_path, 0)
    two = {"players": {"G": None, "D": None}, "stages": (0.5,)}
    reading.look(stand(sampler, **two))
    reading.look(stand(sampler, step=2, stage=0.5, **two))
    other = Reading(data, tmp_path, 0)
    other.recall_best(reading.facts(), sampler, CPU)
    assert (other.best, other.baseline) == (reading.best, reading.baseline)
    other.recall_best({}, sampler, CPU)
    assert other.best == reading.best


def test_without_a_holdout_nothing_is_chosen_and_the_baseline_is_the_last(tmp_path: Path) -> None:
    data = open_texts([f"text number {i}" for i in range(40)])
    assert data.holdout is None
    sampler, reading = model(data), Reading(data, tmp_path, 0)
    two = {"players": {"G": None, "D": None}, "stages": (0.5,)}
    for step in (1, 2):
        found = reading.look(stand(sampler, step=step, **two))
    assert reading.best is None and reading.reference is None and reading.watches == ()
    assert reading.baseline is not None and reading.baseline.seen == 200
    assert "training token" in reading.words(found)


def test_texts_are_a_function_of_their_number_and_what_is_asked() -> None:
    data = texts()
    sampler = model(data).eval()
    many, few = made_texts(sampler, 130), made_texts(sampler, 70)
    assert many.shape == (130, data.spec.shape[0]) and (many[:70] == few).all()
    assert (made_texts(sampler, 70, seed=1) != few).any()
    cold = made_texts(sampler, 70, temperature=0.0)
    assert (cold == cold[0]).all()


def test_classes_are_asked_for(tmp_path: Path) -> None:
    data = open_texts([(f"{word} {i % 25}", word) for i in range(100) for word in ("cat", "dog")])
    assert data.spec.text is not None and data.holdout is not None
    network = LSTMLanguage(alphabet(data.spec.text), embedding=8, hidden=16, classes=2)
    sampler, reading = TextSampler(network, data.spec.text.length), Reading(data, tmp_path, 2)
    assert set(reading.look(stand(sampler))) == NUMBERS
    trial = FreeTexts(data, 2)
    assert trial.labels is not None and set(trial.labels.tolist()) == {0, 1}
    reading.draw(sampler, tmp_path / "sheet.png", CPU, 0)
    assert 0 < len((tmp_path / "sheet.txt").read_text().splitlines()) <= 32


def test_nats_are_counted_over_all_tokens() -> None:
    assert per_token(torch.tensor([2.0, 3.0]), torch.tensor([2, 3])) == pytest.approx(1.0)
    assert per_token(torch.tensor([60.0, 0.1]), torch.tensor([20, 1])) == pytest.approx(60.1 / 21)


def pairs() -> Dataset:
    random = np.random.default_rng(0)
    made = [" ".join(map(str, random.integers(0, 9, 5))) for _ in range(150)]
    return open_text_pairs([(text, text) for text in made])


@pytest.mark.parametrize("lines", [["yes", "no", "perhaps", "never"], ["a b", "a c", "z y x w v", "q r s t"]])
def test_of_few_different_texts_nobody_says_how_far_they_lie_apart(tmp_path: Path, lines: list[str]) -> None:
    data = open_texts(lines * 60)
    assert data.holdout is not None and any("different texts, as equal" in note for note in data.notes)
    found = Reading(data, tmp_path, 0).look(stand(model(data)))
    assert set(found) == NUMBERS - {"spread"}
    assert not any("different texts" in note for note in texts().notes)


def test_nor_of_texts_that_shall_all_be_the_same() -> None:
    data = open_text_pairs([(f"{i} and {j}", "no") for i in range(12) for j in range(12)] + [("x", "yes")])
    found, _ = TextsOfTexts(data).measure(translator(data), CPU)
    assert set(found) == {"exact_match", "bleu"}


def translator(data: Dataset) -> TextTranslator:
    torch.manual_seed(0)
    text, source = data.spec.text, data.spec.source_text
    assert text is not None and source is not None
    letters = Alphabet(text.vocabulary, START, (PAD, START))
    network = AttentionSeq2Seq(source.vocabulary, letters, embedding=8, width=8, pad=PAD)
    return TextTranslator(network, text.length)


def test_pairs_are_judged_by_what_they_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pairs()
    sampler, reading = translator(data), Reading(data, tmp_path, 0)
    two = {"players": {"G": None, "D": None}, "stages": (0.5,)}
    found = reading.look(stand(sampler, **two))
    assert set(found) == {"heldout_nll", "exact_match", "bleu", "spread"}
    assert found["heldout_nll"] > 1 and found["exact_match"] < 0.1
    assert reading.best is not None and reading.best.score == 1 - found["bleu"] and reading.watches == ()
    assert {"score", "baseline_score"} < reading.facts().keys()
    other = Reading(data, tmp_path, 0)
    other.recall_best(reading.facts(), sampler, CPU)
    assert (other.best, other.baseline) == (reading.best, reading.baseline)
    right = lambda sampler, source, device="cpu": source.numpy()
    monkeypatch.setattr("tenfold.watching.trials.likeliest_texts", right)
    found = reading.look(stand(sampler, step=2, stage=0.5, **two))
    assert (found["exact_match"], found["bleu"], found["spread"]) == (1, 1, pytest.approx(1))
    assert reading.best.score == 0 and "exact 100.0%" in reading.words(found)
    assert reading.baseline is not None and reading.baseline.seen == 100


def test_a_text_is_written_until_its_end(tmp_path: Path) -> None:
    data = pairs()
    reading = Reading(data, tmp_path, 0)
    reading.draw(translator(data).eval(), tmp_path / "sheet.png", CPU, 0)
    assert (tmp_path / "sheet.txt").is_file()
    rows: Tensor = data.train.gather(np.arange(4))["real"]
    assert (rows == END).sum().item() <= 4


def looks(*ratios: float) -> list[dict[str, float]]:
    return [{"seen": 100.0 * i, "distinct_of_real": x} for i, x in enumerate(ratios)]


def test_a_collapse_is_far_fewer_ngrams_at_two_looks_in_a_row() -> None:
    assert why_repeating(looks(1.5, 0.95, 0.5, 0.4)) is not None
    assert why_repeating(looks(1.5, 0.95, 0.5, 0.9)) is None
    assert why_repeating(looks(1.5, 0.5, 0.4, 0.3)) is None  # it never had more
    assert why_repeating(looks(1.5, 0.95, 0.9, 0.85)) is None
    assert (
        why_repeating(looks(3.0, 2.0, 0.65, 0.6)) is not None
    )  # more than real ones counts as much as these
    assert why_repeating([{"seen": 1, "recall": 0.5}] * 5) is None
