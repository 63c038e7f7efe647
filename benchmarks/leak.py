"""Does what augmentation does to pictures show in samples? Arrows that all point up, and are all red."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from record import SOURCE, Record, arguments, say
from tenfold.augment.ada import ADA
from tenfold.data import open_data
from tenfold.data.order import Shuffled
from tenfold.engine.trainer import Settings, Trainer
from tenfold.recipe import make_recipe
from tenfold.report.sheet import sheet
from tenfold.watching.quality import generate_many

QUESTION = """600 pictures of 16x16 pixels of a red arrow that points up, in many sizes and places. r3gan
--preset small with ada as it is steered; beside it without augmentation, and with every change forced to a
probability of .4 and of .8 from the first step to the last (.8 is the most that it is ever steered to). How
many of 1,000 samples point elsewhere or are not red? Bar: at most 1 % more than without, as it is steered;
forced to .8 the same is aimed at."""
COUNT, SIDE, MADE, KIMG, SEED = 600, 16, 1000, 150, 0
WAYS: dict[str, float | None] = {"none": 0.0, "steered": None, "forced to .4": 0.4, "forced to .8": 0.8}
"""Probability of each change; None for what D's success makes of it."""


def main() -> None:
    """Train both, count."""
    given = arguments(__doc__ or "").parse_args()
    record = Record(
        __file__,
        QUESTION,
        seeds=[SEED],
        quick=given.quick,
        also=[SOURCE / "tenfold" / "recipes" / "r3gan.py"],
    )
    kimg = 2 if given.quick else KIMG
    found = {way: record.measure(way, lambda w=way: leaked(w, kimg, record.folder), kimg) for way in WAYS}
    record.conclude(rows(found))


def arrows(count: int) -> np.ndarray:
    """Pictures `(n, side, side, 3)`: a triangle above a stem, red on white."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    pictures = np.full((count, SIDE, SIDE, 3), 255, np.uint8)
    for picture in pictures:
        height, middle, top = random.uniform(9, 13), random.uniform(7, 9), random.uniform(1, 3)
        down, across = (y - top) / height, np.abs(x - middle) / height
        head = (down > 0) & (down < 0.5) & (across < 0.9 * down)
        stem = (down >= 0.5) & (down < 1) & (across < 0.12)
        picture[head | stem] = (220, 20, 20)
    return pictures


def leaked(way: str, kimg: float, folder: Path) -> dict[str, float]:
    """Train; what samples point where, in which colour, and the last probability of a change."""
    data, p = open_data(arrows(COUNT)), WAYS[way]
    recipe = make_recipe("r3gan", {"augment": "none" if p == 0 else "ada"}, "small")
    torch.manual_seed(SEED)
    play = recipe.build(data.spec)
    changing = [part for part in play.game.modules() if isinstance(part, ADA)]
    for part in changing if p else []:
        part.p.fill_(p)
        part.pace = 0.0
    settings = Settings(seed=SEED, planned=round(kimg * 1000), half_life_kimg=5)
    batches = Shuffled(data.train, recipe.batch, labelled=False)
    trainer = Trainer(play.game, play.optimizers, batches, schedules=play.schedules, settings=settings)
    trainer.fit(kimg=kimg)
    made = generate_many(trainer.ema.module.eval(), MADE, None, SEED)
    (folder / "sheets").mkdir(exist_ok=True)
    sheet(data.codec.preview(made[:64]), 16).save(folder / "sheets" / f"leak-{way.replace(' ', '-')}.png")
    say(f"{kimg:,} thousand pictures, {way}")
    last = max((part.p.item() for part in changing), default=0.0)
    return {"turned": turned(made), "other_colour": recoloured(made), "p": round(last, 3)}


def turned(made: Tensor) -> float:
    """Share of samples that look more like an arrow turned or flipped than like one that points up."""
    known = torch.from_numpy(arrows(COUNT)).permute(0, 3, 1, 2).float().mean(1) / 127.5 - 1
    up = torch.cdist(made.mean(1).flatten(1), known.flatten(1)).amin(1)
    ways = [known.rot90(k, (1, 2)) for k in (1, 2, 3)]
    other = torch.stack([torch.cdist(made.mean(1).flatten(1), way.flatten(1)).amin(1) for way in ways]).amin(
        0
    )
    return (other < up).float().mean().item()


def recoloured(made: Tensor) -> float:
    """Share of samples whose darkest pixels are not red, or whose background is not white."""
    red, others = made[:, 0].flatten(1), made[:, 1:].mean(1).flatten(1)
    ink = others.argsort(1)[:, :10]
    is_red = (red.gather(1, ink) - others.gather(1, ink)).mean(1) > 0.8
    is_white = others.median(1).values > 0.7
    return 1 - (is_red & is_white).float().mean().item()


def rows(found: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    """The table."""
    plain = found["none"]
    table: list[dict[str, object]] = []
    for way, result in found.items():
        more = max(result[name] - plain[name] for name in ("turned", "other_colour"))
        shares = {"turned": f"{result['turned']:.1%}", "not red on white": f"{result['other_colour']:.1%}"}
        met = "" if way == "none" else "yes" if more <= 0.01 else "no"
        table.append({"ada": way, "probability at the end": result["p"], **shares, "at most 1 % more": met})
    return table


if __name__ == "__main__":
    main()
