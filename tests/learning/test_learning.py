"""It learns: eight modes on a ring, handwritten digits of 8 by 8 pixels, a colour that follows a shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.data.order import BothSides, Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.draw import Draw
from tenfold.engine.trainer import Settings, Trainer
from tenfold.metrics.modes import RING, mode_report
from tenfold.recipe import RECIPES, make_recipe, translates

PICTURES = [name for name, cls in RECIPES.items() if {"images", "vectors"} & {*cls.kinds}]
NEVER = [n for n in PICTURES if RECIPES[n].conditional == "never" and not translates(RECIPES[n])]
UNLABELLED = [*sorted(NEVER), "r3gan"]
MORE: dict[str, dict[str, Any]] = {
    "mlp": {"widths": (128,), "widths_d": (128,)},
    # else it first makes codes readable
    "infogan": {"width": 16, "information": 0.1, "continuous_information": 0.1},
}
STEPS = {"infogan": 400}


def trainer_of(name: str, values: dict[str, Any], spec: DataSpec, rows: Rows) -> Trainer:
    torch.manual_seed(0)
    recipe = make_recipe(name, values, "tiny")
    play = recipe.build(spec)
    data = Shuffled(rows, recipe.batch, balanced=play.balanced)
    return Trainer(play.game, play.optimizers, data, settings=Settings(half_life_kimg=1.0))


def samples(trainer: Trainer, n: int, condition: Tensor | None = None) -> Tensor:
    sampler = trainer.ema.module
    with torch.no_grad():
        return sampler(sampler.draw(Draw(1, slice(0, n), n)), condition)


def play(trainer: Trainer, steps: int) -> None:
    trainer.fit(kimg=steps * trainer.data.size / 1000)
    trainer.flush()


def test_the_ring_of_eight():
    values = {"widths": (128, 128), "widths_d": (128, 128), "latent": 2, "batch": 128, "penalty": 0.1}
    rows = Rows(RING.draw(4096, seed=0))
    trainer = trainer_of("mlp", values | {"lr_g": 1e-3, "lr_d": 1e-3}, DataSpec("vectors", (2,), 4096), rows)
    play(trainer, 1000)
    report = mode_report(samples(trainer, 2500), RING)
    assert report.found == 8
    assert report.high_quality_share > 0.1  # spread evenly over the unit disc it would be 0.007
    assert report.reverse_kl < 0.4  # one mode missing alone gives 0.13, half of them 0.69


@dataclass(frozen=True)
class Digits:
    pixels: Tensor
    labels: np.ndarray

    @property
    def spec(self) -> DataSpec:
        counts = tuple(np.bincount(self.labels).tolist())
        return DataSpec("images", (1, 8, 8), len(self.labels), tuple("0123456789"), counts)

    def error_of_mean(self, fake: Tensor) -> float:
        """How far the mean picture is from the real one, per pixel."""
        return (fake.mean(0) - self.pixels.mean(0)).abs().mean().item()

    def distance(self, fake: Tensor) -> float:
        """Mean Euclidean distance to the nearest real picture."""
        return torch.cdist(fake.flatten(1), self.pixels.flatten(1)).min(1).values.mean().item()

    def nearest_class(self, fake: Tensor) -> Tensor:
        means = [self.pixels[torch.from_numpy(self.labels == c)].mean(0).flatten() for c in range(10)]
        return torch.cdist(fake.flatten(1), torch.stack(means)).argmin(1)


@cache
def digits() -> Digits:
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = torch.tensor(found["images"], dtype=torch.float32)[:, None] / 8 - 1
    return Digits(pixels, found["target"].astype(np.int64))


@pytest.mark.parametrize("name", UNLABELLED)
def test_pictures_come_near_to_real_ones(name):
    values = {"latent": 16, "batch": 32, "lr_g": 1e-3, "lr_d": 1e-3, "augment": "none"}
    spec = replace(digits().spec, classes=(), class_counts=())
    trainer = trainer_of(name, values | MORE.get(name, {"width": 16}), spec, Rows(digits().pixels))
    before = samples(trainer, 500)
    play(trainer, STEPS.get(name, 200))
    after = samples(trainer, 500)
    assert digits().error_of_mean(after) < 0.4 * digits().error_of_mean(before)
    assert digits().distance(after) < 0.7 * digits().distance(before)
    assert after.std(0).mean() > 0.2  # those of the data: 0.5


def test_the_class_that_is_asked_for_is_made():
    values = {"width": 16, "latent": 16, "batch": 32, "lr_g": 4e-3, "lr_d": 4e-3, "augment": "none"}
    trainer = trainer_of("cgan", values, digits().spec, Rows(digits().pixels, digits().labels))
    asked = torch.arange(500) % 10

    def hits() -> float:
        return (digits().nearest_class(samples(trainer, 500, asked)) == asked).float().mean().item()

    assert hits() == pytest.approx(0.1, abs=0.05)
    play(trainer, 400)
    assert hits() > 0.5  # 0.9 of the real ones are nearest to the mean of their class


def bars(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """White bars of 3 by 9 pixels on black, and the same in colour: those that lie are red, others blue."""
    random = np.random.default_rng(seed)
    white = torch.full((n, 3, 16, 16), -1.0)
    coloured = white.clone()
    for i, lies in enumerate(random.integers(0, 2, n)):
        height, width = (3, 9) if lies else (9, 3)
        top, left = random.integers(1, 16 - height), random.integers(1, 16 - width)
        bar = (slice(top, top + height), slice(left, left + width))
        white[i, :, *bar] = 1.0
        coloured[i, 0 if lies else 2, *bar] = 1.0
    return white, coloured


def test_a_colour_that_follows_a_shape():
    """Of a bar's three numbers two change; to paint every bar purple, not knowing which, halves that."""
    source, real = bars(512, seed=0)
    values = {"width": 16, "width_d": 8, "batch": 32, "dropout": 0.0, "shift": 0.0}
    recipe = make_recipe("pix2pix", values | {"lr_g": 2e-3, "lr_d": 5e-4}, "tiny")
    torch.manual_seed(0)
    built = recipe.build(DataSpec("pairs", (3, 16, 16), 512, given=(3, 16, 16)))
    data = BothSides(Rows(source), Rows(real), recipe.batch, paired=True)
    trainer = Trainer(built.game, built.optimizers, data, settings=Settings(half_life_kimg=1.0))
    play(trainer, 250)
    given, wanted = bars(200, seed=1)
    with torch.no_grad():
        made = trainer.ema.module(given)
    of_the_input = (given - wanted).abs().mean().item()
    assert of_the_input == pytest.approx(2 * 2 * 27 / (3 * 256))  # 27 pixels, two of their numbers by two
    assert (made - wanted).abs().mean().item() < 0.35 * of_the_input
