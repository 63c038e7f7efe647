"""Ten steps of every recipe with a fixed seed: a refactoring must not move them.

A change that should alter results writes them anew, and shows the difference in its diff:

    TENFOLD_GOLDEN=write pytest tests/golden
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.data.order import BothSides, Rows, Shuffled
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.spec import DataSpec
from tenfold.data.table.batches import Knowing, KnownCells
from tenfold.data.table.codes import category_code, number_code
from tenfold.data.table.encoder import RowEncoder
from tenfold.data.texts.layout import END, PAD, SPECIAL, TextLayout
from tenfold.engine.trainer import Settings, Trainer
from tenfold.recipe import RECIPES, make_recipe

FOLDER = Path(__file__).parent
SHAPES = {"images": (2, 16, 12), "vectors": (3,), "pairs": (2, 16, 12), "unpaired": (2, 16, 12)}
SERIES = SeriesLayout(7, 3, 3, (2, 3), 2, (3,), (0,))
OWN_SHAPES = {("pix2pix", "images"): (3, 16, 12)}
"""Where those do not do: what is transparent already has no holes."""
GIVEN = (1, 16, 12)
"""Shape of what is translated."""
ALWAYS = {
    ("srgan", "images"): {"alone": 0.0},
    ("pix2pix", "images"): {"task": "holes"},
    ("seqgan", "texts"): {"likelihood": 0.2, "alone": 0.1},
    ("relgan", "texts"): {"likelihood": 0.2},
    ("seq2seq_gan", "text_pairs"): {"likelihood": 0.2, "alone": 0.1},
    ("dfgan", "captioned"): {"alone": 0.2},
    ("gan_cls", "captioned"): {"alone": 0.2},
}
"""Settings without which there is nothing to learn, or not every turn within ten steps."""
TEXT, SOURCE, CAPTION = TextLayout(6, 9), TextLayout(5, 9), TextLayout(5, 12)
WORDED = {"texts": TEXT, "text_pairs": TEXT, "captioned": CAPTION}
CASES = [(name, kind) for name, cls in sorted(RECIPES.items()) for kind in cls.kinds]


def trainer_of(name: str, kind: str) -> Trainer:
    if kind == "table":
        return trainer_of_table(name)
    if kind in WORDED:
        return trainer_of_words(name, kind)
    layout = SERIES if kind == "series" else None
    shape = OWN_SHAPES.get((name, kind), SHAPES[kind]) if layout is None else (layout.width,)
    conditional = RECIPES[name].conditional != "never"
    given = GIVEN if kind in ("pairs", "unpaired") else ()
    spec = DataSpec(kind, shape, 32, ("a", "b", "c", "d"), (8,) * 4, given, series=layout)
    torch.manual_seed(1)
    augmented = kind == "images" and "diffaugment" in RECIPES[name].augments
    values = {"augment": "diffaugment" if augmented else "none", "schedule": "cosine"}
    play = make_recipe(name, values | ALWAYS.get((name, kind), {}), "tiny").build(spec)
    random = torch.Generator().manual_seed(5)
    real = Rows(2 * torch.rand(32, *shape, generator=random) - 1, np.arange(32) % 4 if conditional else None)
    data = Shuffled(real, 8, balanced=play.balanced)
    if given:
        source = Rows(2 * torch.rand(32, *given, generator=random) - 1)
        data = BothSides(source, real, 8, paired=kind == "pairs")
    settings = Settings(seed=2, planned=160, log_every=1)
    return Trainer(play.game, play.optimizers, data, settings=settings, schedules=play.schedules)


def trainer_of_table(name: str) -> Trainer:
    """A number, and a category that follows from it."""
    x = np.random.default_rng(5).normal(0, 1, 32).round(1)
    labels = np.where(x > 0, "high", "low").astype(object)
    category = category_code("c", labels, ("high", "low"), 10)
    codes = [number_code("x", x, step=0.1, log=False, masses=(), seed=0), category]
    cells = tuple(code.cell for code in codes)
    width = sum(cell.options + cell.scalar for cell in cells)
    torch.manual_seed(1)
    spec = DataSpec("table", (width,), 32, ("high", "low"), (16, 16), cells=cells, target=1)
    play = make_recipe(name, {"schedule": "cosine"}, "tiny").build(spec)
    values = np.stack([x, category.stored(labels)], 1)
    data = KnownCells(values, cells, RowEncoder(codes), 8, 0, play.knowing or Knowing())
    settings = Settings(seed=2, planned=160, log_every=1)
    return Trainer(play.game, play.optimizers, data, settings=settings, schedules=play.schedules)


def written(layout: TextLayout, seed: int) -> Tensor:
    """Texts of several lengths; no two captions begin alike."""
    random = np.random.default_rng(seed)
    words, number = layout.vocabulary - SPECIAL, np.arange(32)
    rows = random.integers(SPECIAL, layout.vocabulary, (32, layout.length))
    rows[:, 0], rows[:, 1] = SPECIAL + number % words, SPECIAL + number // words % words
    place, ends = np.arange(layout.length), random.integers(2, layout.length + 1, 32)[:, None]
    return torch.from_numpy(np.where(place < ends, rows, np.where(place == ends, END, PAD)))


class Beside:
    """Samples, and what a batch carries beside them."""

    labels = None

    def __init__(self, rows: Rows, name: str, others: Tensor) -> None:
        self.rows, self.name, self.others = rows, name, others

    def __len__(self) -> int:
        return len(self.rows)

    def gather(self, index: np.ndarray) -> dict[str, Tensor]:
        return {**self.rows.gather(index), self.name: self.others[torch.from_numpy(index)]}


def trainer_of_words(name: str, kind: str) -> Trainer:
    """Texts of four classes, texts made of others, or pictures with captions."""
    shape = SHAPES["images"] if kind == "captioned" else (TEXT.length,)
    spec = DataSpec(kind, shape, 32, ("a", "b", "c", "d"), (8,) * 4, text=WORDED[kind], source_text=SOURCE)
    torch.manual_seed(1)
    play = make_recipe(name, {"schedule": "cosine", **ALWAYS.get((name, kind), {})}, "tiny").build(spec)
    pixels = 2 * torch.rand(32, *shape, generator=torch.Generator().manual_seed(5)) - 1
    if kind == "texts":
        data = Shuffled(Rows(written(TEXT, 5), np.arange(32) % 4), 8)
    elif kind == "text_pairs":
        data = Shuffled(Beside(Rows(written(TEXT, 5)), "source", written(SOURCE, 6)), 8)
    else:
        data = Shuffled(Beside(Rows(pixels), "condition", written(CAPTION, 6)), 8)
    settings = Settings(seed=2, planned=160, log_every=1)
    return Trainer(play.game, play.optimizers, data, settings=settings, schedules=play.schedules)


def ten_steps(name: str, kind: str) -> list[dict[str, float]]:
    """Every term of each step, and how large the average of the sampler has become.

    Not the signs of logits: where one is next to nothing, machines disagree.
    """
    trainer, found = trainer_of(name, kind), []
    for _ in range(10):
        trainer.play_step()
        size = sum(p.double().square().sum() for p in trainer.ema.module.parameters())
        values = trainer.flush() | {"ema": float(size) ** 0.5}
        kept = {key: value for key, value in values.items() if not key.endswith(("_sign", "order"))}
        found.append({key: float(f"{value:.7g}") for key, value in kept.items()})
    return found


@pytest.mark.parametrize(("name", "kind"), CASES, ids=["-".join(c) for c in CASES])
def test_ten_steps(name, kind):
    found, file = ten_steps(name, kind), FOLDER / f"{name}-{kind}.json"
    if os.environ.get("TENFOLD_GOLDEN") == "write":
        lines = ",\n".join(json.dumps(step) for step in found)
        file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    kept = json.loads(file.read_text(encoding="utf-8"))
    for step, (now, then) in enumerate(zip(found, kept, strict=True)):
        # Machines differ in the last bits, and differences of logits are tiny next to the logits.
        assert now == pytest.approx(then, rel=1e-4, abs=1e-5), f"step {step}"


def test_nothing_is_left_over():
    assert {f.stem for f in FOLDER.glob("*.json")} == {"-".join(case) for case in CASES}
