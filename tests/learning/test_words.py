"""It learns: sentences of a grammar of ten rows."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, SPECIAL, TextLayout
from tenfold.draw import Draw
from tenfold.engine.trainer import Settings, Trainer
from tenfold.recipe import make_recipe

GRAMMAR = {
    "sentence": ["subject verb", "subject verb subject"],
    "subject": ["the noun", "a noun"],
    "noun": ["cat", "dog", "owl"],
    "verb": ["sees", "hears", "follows"],
}
"""Each row is as likely as the others of the same name."""
WORDS = ["the", "a", "cat", "dog", "owl", "sees", "hears", "follows"]
NUMBERS = {word: SPECIAL + i for i, word in enumerate(WORDS)}
LENGTH = 6
LAYOUT = TextLayout(LENGTH, SPECIAL + len(WORDS))
NATS = log(2) + 1.5 * (log(2) + log(3)) + log(3)
TOKENS = (4 + 6) / 2  # of a sentence on average, with its end


def sentence(random: np.random.Generator, name: str = "sentence") -> list[str]:
    """Words drawn by the grammar."""
    if name not in GRAMMAR:
        return [name]
    row = GRAMMAR[name][random.integers(len(GRAMMAR[name]))]
    return [word for part in row.split() for word in sentence(random, part)]


def every(name: str = "sentence") -> set[tuple[str, ...]]:
    """All that the grammar allows."""
    if name not in GRAMMAR:
        return {(name,)}
    found: set[tuple[str, ...]] = set()
    for row in GRAMMAR[name]:
        begun: set[tuple[str, ...]] = {()}
        for part in row.split():
            begun = {a + b for a in begun for b in every(part)}
        found |= begun
    return found


def rows(sentences: list[list[str]]) -> Tensor:
    """As networks see them."""
    ended = [[NUMBERS[word] for word in words] + [END] for words in sentences]
    return torch.tensor([row + [0] * (LENGTH - len(row)) for row in ended])


def words(tokens: Tensor) -> list[tuple[str, ...]]:
    """Up to the end; what is no word is a question mark."""
    named = {number: word for word, number in NUMBERS.items()} | {END: ""}
    return [tuple(named.get(t, "?") for t in row if t and named.get(t, "?")) for row in tokens.tolist()]


def test_the_grammar_itself():
    random = np.random.default_rng(0)
    drawn = [sentence(random) for _ in range(500)]
    assert sum(map(len, GRAMMAR.values())) == 10
    assert len(every()) == 6 * 3 + 6 * 3 * 6
    assert {tuple(s) for s in drawn} <= every()
    assert words(rows(drawn)) == [tuple(s) for s in drawn]


@pytest.mark.parametrize("network", ["lstm", "transformer"])
def test_a_language_model_learns_it(network):
    random = np.random.default_rng(1)
    real, held = (rows([sentence(random) for _ in range(n)]) for n in (2000, 500))
    torch.manual_seed(0)
    recipe = make_recipe("lm", {"network": network, "hidden": 32, "batch": 64, "lr_g": 0.01}, "tiny")
    play = recipe.build(DataSpec("texts", (LENGTH,), len(real), text=LAYOUT))
    settings = Settings(half_life_kimg=1.0, planned=500 * 64)
    data = Shuffled(Rows(real), 64)
    trainer = Trainer(play.game, play.optimizers, data, settings=settings, schedules=play.schedules)
    trainer.fit(kimg=32)
    trainer.flush()
    sampler = trainer.ema.module
    made = words(sampler(sampler.draw(Draw(1, slice(0, 2000), 2000))))
    right = [text for text in made if text in every()]
    assert len(right) > 0.95 * len(made)
    assert len(set(right)) > 100  # of the 126
    counts = (held != 0).sum(1)
    nats = (sampler.likelihood(held) * counts).sum() / counts.sum()
    assert nats.item() == pytest.approx(NATS / TOKENS, abs=0.06)
    longer = np.mean([len(text) > 3 for text in right])
    assert longer == pytest.approx(0.5, abs=0.06)
