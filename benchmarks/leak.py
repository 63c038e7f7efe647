"""Does what augmentation does to pictures show in samples? Red flags, upright, blowing to the right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from record import SOURCE, Record, arguments, say
from tenfold.augment.ada import ADA
from tenfold.data import open_data
from tenfold.data.order import Shuffled
from tenfold.engine.trainer import Settings, Trainer
from tenfold.recipe import make_recipe
from tenfold.report.sheet import sheet
from tenfold.watching.quality import generate_many

QUESTION = """600 pictures of 16x16 pixels of a red flag on a pole, upright and blowing to the right, in
many sizes and places. r3gan --preset small with ada as it is steered; beside it without augmentation, and
with every change forced to a probability of .4 and of .8 from the first step to the last (.8 is the most that
it is ever steered to). How many of 1,000 samples look more like a flag that is turned, by 20 degrees or more,
or mirrored, or are not red on white? Bar: at most 1 % more than without."""
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


def flags(count: int) -> np.ndarray:
    """Pictures `(n, side, side, 3)`: a pole, and at its upper end a triangle to the right, red on white."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    pictures = np.full((count, SIDE, SIDE, 3), 255, np.uint8)
    for picture in pictures:
        height, left, top = random.uniform(9, 13), random.uniform(4, 6), random.uniform(1, 3)
        down, across = (y - top) / height, (x - left) / height
        cloth = (down > 0) & (down < 0.6) & (across > 0) & (across < 1.2 * (0.3 - np.abs(down - 0.3)) + 0.2)
        pole = (down > 0) & (down < 1) & (np.abs(across) < 0.08)
        picture[cloth | pole] = (220, 20, 20)
    return pictures


def leaked(way: str, kimg: float, folder: Path) -> dict[str, float]:
    """Train; what samples point where, in which colour, and the last probability of a change."""
    data, p = open_data(flags(COUNT)), WAYS[way]
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
    """Share of samples that look more like a flag that is turned or mirrored than like one as it is."""
    known = torch.from_numpy(flags(COUNT)).permute(0, 3, 1, 2).float().mean(1) / 127.5 - 1
    grey = made.mean(1).flatten(1)

    def nearest(mirrored: bool, angles: Sequence[float]) -> Tensor:
        shown = known.flip(2) if mirrored else known
        far = [torch.cdist(grey, rotated(shown, angle).flatten(1)).amin(1) for angle in angles]
        return torch.stack(far).amin(0)

    upright = nearest(False, (-10, 0, 10))
    other = torch.minimum(nearest(False, range(20, 341, 20)), nearest(True, range(0, 341, 20)))
    return (other < upright).float().mean().item()


def rotated(grey: Tensor, degrees: float) -> Tensor:
    """Pictures `(n, side, side)`, turned about their middle; white moves in."""
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin, 0 * cos]), torch.stack([sin, cos, 0 * cos])])
    grid = affine_grid(turn.expand(len(grey), 2, 3), [len(grey), 1, SIDE, SIDE], align_corners=False)
    return grid_sample(grey[:, None] - 1, grid, align_corners=False)[:, 0] + 1


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
