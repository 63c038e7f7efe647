"""Plays two steps of every recipe, as one process or as one of several, and writes what became of them.

Run as `python two_ranks.py FOLDER` with torchrun's environment variables; writes FOLDER/rank-N.safetensors.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.augment.ada import ADA
from tenfold.data.order import BothSides, Rows, Shuffled
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.spec import Cell, DataSpec
from tenfold.data.table.batches import KnownCells
from tenfold.data.table.codes import category_code, number_code
from tenfold.data.table.encoder import RowEncoder
from tenfold.data.texts.layout import END, PAD, SPECIAL, TextLayout
from tenfold.engine import runtime as processes
from tenfold.engine.runtime import Runtime
from tenfold.engine.trainer import Settings, Trainer
from tenfold.nn.layers import share_statistics
from tenfold.recipe import RECIPES, make_recipe

SHAPE, GIVEN, COUNT = (2, 16, 16), (1, 16, 16), 32
# Adam's first step is the gradient's sign, rounding errors included; SGD keeps a small difference small.
VALUES = {"optimizer": "sgd", "lr_g": 0.02, "lr_d": 0.02, "augment": "diffaugment"}
SERIES = SeriesLayout(7, 3, 3, (2, 3), 2, (3,), (0,))
BATCHES = {"dcgan": 9, "mlp": 7}  # the ranks' shares differ in size
# srgan: from the start against its discriminator; others: large weights would make rounding as large.
ALWAYS: dict[str, dict[str, Any]] = {
    "srgan": {"alone": 0.0, "lr_g": 0.1, "lr_d": 0.1},  # else it hardly moves
    "pix2pix": {"l1": 1.0, "dropout": 0.0, "lr_d": 0.005},  # each rank drops what it likes; R1 is steep
    "cyclegan": {"cycle": 1.0},
    "fastcut": {"contrast": 1.0},
    "ctgan": {"dropout": 0.0},  # each rank drops what it likes
    "seqgan": {"likelihood": 0.0, "alone": 0.0},
    "relgan": {"likelihood": 0.0, "lr_g": 0.05, "lr_d": 0.05},  # else it hardly moves
    "seq2seq_gan": {"likelihood": 0.0, "alone": 0.0},
    "dfgan": {"alone": 0.0},
    "gan_cls": {"alone": 0.0},
}
TEXT, SOURCE, CAPTION = TextLayout(6, 9), TextLayout(5, 9), TextLayout(5, 12)
CASES: dict[str, tuple[str, dict[str, Any]]] = {n: (n, ALWAYS.get(n, {})) for n in sorted(RECIPES)} | {
    "projected": ("projected", {"lr_g": 0.005, "lr_d": 0.005}),  # deep: rounding grows on the way through
    "r3gan residual": ("r3gan", {"network": "residual", "width": 16}),
    "r3gan adaptive": (
        "r3gan",
        {"augment": "ada", "lecam": 0.05, "transition": 0.5, "penalty": 1.0, "calibrate": True},
    ),
}


def table() -> tuple[tuple[Cell, ...], list[Any], np.ndarray]:
    """A number, and a category that follows from it."""
    x = np.random.default_rng(5).normal(0, 1, COUNT).round(1)
    labels = np.where(x > 0, "high", "low").astype(object)
    category = category_code("c", labels, ("high", "low"), 10)
    codes = [number_code("x", x, step=0.1, log=False, masses=(), seed=0), category]
    return tuple(code.cell for code in codes), codes, np.stack([x, category.stored(labels)], 1)


def written(layout: TextLayout, seed: int) -> Tensor:
    """Texts of several lengths; no two captions begin alike."""
    random = np.random.default_rng(seed)
    words, number = layout.vocabulary - SPECIAL, np.arange(COUNT)
    rows = random.integers(SPECIAL, layout.vocabulary, (COUNT, layout.length))
    rows[:, 0], rows[:, 1] = SPECIAL + number % words, SPECIAL + number // words % words
    place, ends = np.arange(layout.length), random.integers(2, layout.length + 1, COUNT)[:, None]
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


def trainer_of(case: str, runtime: Runtime) -> Trainer:
    torch.manual_seed(1)
    name, values = CASES[case]
    kind = RECIPES[name].kinds[0]
    given = GIVEN if kind in ("pairs", "unpaired") else ()
    usual: dict[str, Any] = (
        VALUES if "diffaugment" in RECIPES[name].augments else {**VALUES, "augment": "none"}
    )
    cells, codes, stored = table() if kind == "table" else ((), [], np.zeros(0))
    layout = SERIES if kind == "series" else None
    width = sum(cell.options + cell.scalar for cell in cells) if layout is None else layout.width
    shape = (width,) if width else SHAPE
    classes, target = ("a", "b", "c", "d"), 1 if cells else None
    text = {"texts": TEXT, "text_pairs": TEXT, "captioned": CAPTION}.get(kind)
    shape = (TEXT.length,) if text is TEXT else shape
    spec = DataSpec(kind, shape, COUNT, classes, (COUNT // 4,) * 4, given, cells, target, layout)
    spec = replace(spec, text=text, source_text=SOURCE if kind == "text_pairs" else None)
    play = make_recipe(name, usual | values, "tiny").build(spec)
    for part in play.game.modules():
        if isinstance(part, ADA):
            part.p.fill_(0.5)
    share_statistics(play.game, runtime.sum_over_ranks if runtime.world > 1 else lambda x: x)
    random = torch.Generator().manual_seed(5)
    pixels = 2 * torch.rand(COUNT, *shape, generator=random) - 1
    rows = Rows(
        written(TEXT, 5) if text is TEXT else pixels,
        np.arange(COUNT) % 4 if RECIPES[name].conditional != "never" else None,
    )
    data = Shuffled(rows, BATCHES.get(name, 8), balanced=play.balanced)
    if kind == "text_pairs":
        data = Shuffled(Beside(rows, "source", written(SOURCE, 6)), 8)
    if kind == "captioned":
        data = Shuffled(Beside(rows, "condition", written(CAPTION, 6)), 8)
    if cells:
        data = KnownCells(stored, cells, RowEncoder(codes), 8)
    if given:
        source = Rows(2 * torch.rand(COUNT, *given, generator=random) - 1)
        data = BothSides(source, rows, 8, paired=kind == "pairs")
    settings = Settings(log_every=1, planned=64)
    return Trainer(play.game, play.optimizers, data, settings=settings, runtime=runtime)


def state_of(trainer: Trainer) -> dict[str, Tensor]:
    """All that a game holds."""
    return {name: value.clone() for name, value in trainer.game.state_dict().items()}


def play_all(runtime: Runtime) -> dict[str, Tensor]:
    """What every recipe's game holds after two steps, and its start."""
    found = {}
    for name in CASES:
        trainer = trainer_of(name, runtime)
        found |= {f"start/{name}/{k}": v for k, v in state_of(trainer).items()}
        for _ in range(2):
            trainer.play_step()
        found |= {f"end/{name}/{k}": v for k, v in state_of(trainer).items()}
        found |= {f"log/{name}/{k}": torch.tensor(v) for k, v in trainer.flush().items()}
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    here = processes.start("cpu")
    assert here.world > 1
    save_file(play_all(here), Path(sys.argv[1]) / f"rank-{here.rank}.safetensors")
    processes.stop()
