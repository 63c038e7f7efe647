"""What every contract test is run on: each recipe, at its tiny preset, on a few random samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.choosing import kinds_taken
from tenfold.data.order import BothSides, Rows, Shuffled
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.spec import Cell, DataSpec
from tenfold.data.table.batches import KnownCells
from tenfold.data.table.codes import category_code, number_code
from tenfold.data.table.encoder import RowEncoder
from tenfold.data.texts.layout import END, PAD, SPECIAL, TextLayout
from tenfold.draw import Draw
from tenfold.engine.runtime import Runtime
from tenfold.engine.trainer import Batches, Settings, Trainer
from tenfold.game import Translator
from tenfold.recipe import RECIPES, Play, Recipe, make_recipe

CLASSES = ("a", "b", "c", "d")
FIRST_SEED, ONE_PROCESS = Settings(), Runtime()


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "r3gan, residual": ("r3gan", {"network": "residual", "width": 16}),
    "r3gan, adaptive": (
        "r3gan",
        {
            "augment": "ada",
            "lecam": 0.05,
            "consistency": 1.0,
            "penalty": 1.0,
            "calibrate": True,
        },
    ),
    "pix2pix, as published": ("pix2pix", {"resized": False, "matching": 1.0}),
    "pix2pix, holes": ("pix2pix", {"task": "holes"}),
    "tabular, wasserstein": ("tabular", {"objective": "wasserstein", "downstream": 0.0}),
    "srgan, dense and worn": ("srgan", {"block": "rrdb", "wear": "worn", "scale": 4}),
}
"""Settings of a recipe that its tiny preset leaves out."""


ALWAYS: dict[str, dict[str, Any]] = {
    "srgan": {"alone": 0.0},
    "pix2pix": {"l1": 1.0},
    "cyclegan": {"cycle": 1.0},
    "fastcut": {"contrast": 1.0},
    "seqgan": {"likelihood": 0.0, "alone": 0.0},
    "relgan": {"likelihood": 0.0},
    "seq2seq_gan": {"likelihood": 0.0, "alone": 0.0},
    "dfgan": {"alone": 0.0},
    "gan_cls": {"alone": 0.0},
}
"""Settings without which the first turns are not all there are, or plain gradient descent goes too far."""
SERIES = SeriesLayout(7, 3, 3, (2, 3), 2, (3,), (0,))
"""Numbers, categories, lengths that differ, and a channel that reaches both ends of its range."""
GIVEN = 2
"""Channels of what is translated."""
TEXT, MADE, SOURCE, CAPTION = TextLayout(6, 9), TextLayout(4, 8), TextLayout(5, 9), TextLayout(5, 12)
"""Of texts, of those that are made of others, of these, and of captions."""
WORDED = ("texts", "text_pairs")


def written(count: int, layout: TextLayout, seed: int = 5) -> Tensor:
    """Texts of all lengths; no two of up to 32 begin alike, if there are 8 words or more."""
    random = np.random.default_rng(seed)
    words, number = layout.vocabulary - SPECIAL, np.arange(count)
    rows = random.integers(SPECIAL, layout.vocabulary, (count, layout.length))
    rows[:, 0], rows[:, 1] = SPECIAL + number % words, SPECIAL + number // words % words
    place, ends = np.arange(layout.length), random.integers(2, layout.length + 1, count)[:, None]
    return torch.from_numpy(np.where(place < ends, rows, np.where(place == ends, END, PAD)))


@dataclass(frozen=True)
class Beside:
    """Samples, and what a batch carries beside them."""

    rows: Rows
    name: str
    others: Tensor

    labels = None

    def __len__(self) -> int:
        return len(self.rows)

    def gather(self, index: np.ndarray) -> dict[str, Tensor]:
        return {**self.rows.gather(index), self.name: self.others[torch.from_numpy(index)]}


def table(count: int) -> tuple[list[Any], np.ndarray]:
    """Codes and stored values of a number and of a category that follows from it."""
    x = np.random.default_rng(5).normal(0, 1, count).round(1)
    labels = np.where(x > 0, "high", "low").astype(object)
    number = number_code("x", x, step=0.1, log=False, masses=(), seed=0)
    category = category_code("c", labels, ("high", "low"), 10)
    return [number, category], np.stack([x, category.stored(labels)], 1)


@dataclass(frozen=True)
class Case:
    """A recipe and the shape of the samples it learns."""

    name: str
    shape: tuple[int, ...] = (1, 8, 8)
    count: int = 32
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> DataSpec:
        kinds = kinds_taken(RECIPES[self.name], self.values)
        if "table" in kinds:
            return self.table_spec
        if "series" in kinds:
            counts = (self.count // 4,) * 4
            return DataSpec("series", (SERIES.width,), self.count, CLASSES, counts, series=SERIES)
        if {"texts", "text_pairs", "captioned"} & {*kinds}:
            return self.worded_spec(*kinds)
        kind = "vectors" if len(self.shape) == 1 else next(kind for kind in kinds if kind != "vectors")
        given = (GIVEN, *self.shape[1:]) if kind in ("pairs", "unpaired") else ()
        return DataSpec(kind, self.shape, self.count, CLASSES, (self.count // 4,) * 4, given)

    @property
    def table_spec(self) -> DataSpec:
        cells: tuple[Cell, ...] = tuple(code.cell for code in table(self.count)[0])
        width = sum(cell.options + cell.scalar for cell in cells)
        half = (self.count // 2,) * 2
        return DataSpec("table", (width,), self.count, ("high", "low"), half, cells=cells, target=1)

    def worded_spec(self, kind: str) -> DataSpec:
        if kind == "captioned":
            return DataSpec(kind, self.shape, self.count, text=CAPTION)
        if kind == "text_pairs":
            return DataSpec(kind, (MADE.length,), self.count, text=MADE, source_text=SOURCE)
        return DataSpec(kind, (TEXT.length,), self.count, CLASSES, (self.count // 4,) * 4, text=TEXT)

    def rows(self) -> Rows:
        if self.spec.kind in WORDED and self.spec.text is not None:
            return Rows(
                written(self.count, self.spec.text),
                np.arange(self.count) % 4 if self.spec.kind == "texts" else None,
            )
        values = 2 * torch.rand(self.count, *self.spec.shape, generator=torch.Generator().manual_seed(5)) - 1
        return Rows(values, np.arange(self.count) % 4 if RECIPES[self.name].conditional != "never" else None)

    def batches(self, size: int, seed: int, *, balanced: bool) -> Batches:
        """Of the kind of data that the recipe takes."""
        spec = self.spec
        if spec.cells:
            codes, values = table(self.count)
            return KnownCells(values, spec.cells, RowEncoder(codes), size, seed)
        if spec.kind in ("text_pairs", "captioned"):
            name = "source" if spec.kind == "text_pairs" else "condition"
            return Shuffled(Beside(self.rows(), name, self.told(self.count)), size, seed)
        if not spec.given:
            return Shuffled(self.rows(), size, seed, balanced=balanced)
        source = torch.rand(self.count, *spec.given, generator=torch.Generator().manual_seed(6)) * 2 - 1
        return BothSides(Rows(source), self.rows(), size, seed, paired=spec.kind == "pairs")

    def start(self, sampler: nn.Module, n: int = 8) -> tuple[Tensor | None, ...]:
        """What samples are made of: noise and a class, a text or a caption; or pictures."""
        if not isinstance(sampler, Translator):
            return sampler.draw(Draw(9, slice(0, n), n)), self.condition(n)
        degrade = self.recipe().degradation(self.spec)
        shape = self.spec.given if degrade is None else self.shape
        pictures = torch.rand(n, *shape, generator=torch.Generator().manual_seed(9)) * 2 - 1
        return (pictures if degrade is None else degrade(pictures, Draw(9, slice(0, n), n)),)

    def samples(self, sampler: nn.Module, n: int = 8) -> Tensor:
        """From noise, or translated."""
        return sampler(*self.start(sampler, n))

    def told(self, n: int) -> Tensor:
        """Sources of texts, or captions."""
        return written(n, CAPTION if self.spec.kind == "captioned" else SOURCE, 6)

    def condition(self, n: int) -> Tensor | None:
        if self.spec.kind in ("text_pairs", "captioned"):
            return self.told(n)
        return torch.arange(n) % 4 if RECIPES[self.name].conditional != "never" else None

    def recipe(self, preset: str = "tiny", **values: Any) -> Recipe:
        return make_recipe(self.name, {**ALWAYS.get(self.name, {}), **self.values, **values}, preset)

    def build(self, preset: str = "tiny", **values: Any) -> Play:
        torch.manual_seed(1)
        return self.recipe(preset, **values).build(self.spec)

    def trainer(
        self, settings: Settings = FIRST_SEED, runtime: Runtime = ONE_PROCESS, **values: Any
    ) -> Trainer:
        play = self.build(**values)
        data = self.batches(values.get("batch", 8), settings.seed, balanced=play.balanced)
        return Trainer(
            play.game, play.optimizers, data, settings=settings, schedules=play.schedules, runtime=runtime
        )


@pytest.fixture
def make() -> type[Case]:
    return Case


@pytest.fixture(params=[*sorted(RECIPES), *VARIANTS, "mlp on vectors", "cvae on vectors"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param in VARIANTS:
        name, values = VARIANTS[request.param]
        return Case(name, values=values)
    name, _, vectors = request.param.partition(" on ")
    return Case(name, (5,)) if vectors else Case(name)
