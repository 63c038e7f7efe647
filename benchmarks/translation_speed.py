"""How fast translations learn and are made, and in how much memory."""

from __future__ import annotations

import tempfile
from functools import cache
from math import lcm
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image

from record import Record, arguments, child, entry, peak_memory

QUESTION = """Pictures per second of training pix2pix, cyclegan, cut, fastcut and srgan (x2), preset small, at
64, 128 and 256 px of three channels, at the recipe's batch, over whole periods of lazy penalties, and the
process's own peak memory beyond what it holds before; as tenfold runs them (bf16 where the processor has it,
channels last) and as plain fp32 in the memory format that torch starts with, in turn in one process. Then
megapixels per second of what is translated from files of 1,024 px, and the peak memory of enlarging one of
4,000 x 3,000 by two. Bars: fastcut takes at most 0.5 of cyclegan's time for a pair and 0.6 of its memory; at
least 1.5 times the speed of plain fp32; at 64 px, pix2pix at batch 16 makes 200 images/s, cyclegan 18 and cut
32 pairs/s; the large picture takes at most 2 GB."""
SIDES = (64, 128, 256)
RECIPES = ("pix2pix", "cyclegan", "cut", "fastcut", "srgan")
FLOORS = {"pix2pix": 200, "cyclegan": 18, "cut": 32}
SECONDS, LARGE, MIDDLE = 12.0, (3000, 4000), 1024
IMAGES, TINY = 32, 16  # of noise; pixels of a picture that is large enough for every network


def main() -> None:
    """Measure every case in a process of its own."""
    given = arguments(__doc__ or "").parse_args()
    record = Record(__file__, QUESTION, quick=given.quick)
    seconds = "0.5" if given.quick else str(SECONDS)
    for side in SIDES[:1] if given.quick else SIDES:
        for name in RECIPES:
            ask = lambda n=name, s=side: child(__file__, "step", n, str(s), seconds)
            record.measure(f"{side} {name}", ask, seconds)
    for name in RECIPES:
        ask = lambda n=name: child(__file__, "translate", n, str(MIDDLE))
        record.measure(f"translate {name}", ask, MIDDLE)
    large = (300, 400) if given.quick else LARGE
    record.measure("enlarge", lambda: child(__file__, "enlarge", *map(str, large)), large)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def measured(what: str, *case: str) -> dict[str, Any]:
    """What a process of its own is asked for."""
    if what == "step":
        return steps_of(case[0], int(case[1]), float(case[2]))
    if what == "translate":
        return translated(case[0], int(case[1]), int(case[1]))
    return translated("srgan", int(case[0]), int(case[1]), times=1)


@cache
def noise(px: int) -> tuple[Any, Any]:
    """Pictures of either side, in no more memory than they take."""
    from tenfold.data.order import Rows

    real, source = (Rows(torch.empty(IMAGES, 3, px, px).uniform_(-1, 1)) for _ in range(2))
    return real, source


def trainer_of(name: str, px: int, *, plain: bool) -> Any:
    """What plays a recipe on noise."""
    from tenfold.data.order import BothSides, Shuffled
    from tenfold.data.spec import DataSpec
    from tenfold.engine.runtime import has_bf16, start
    from tenfold.engine.trainer import Settings, Trainer
    from tenfold.recipe import RECIPES as KNOWN
    from tenfold.recipe import make_recipe

    recipe = make_recipe(name, {"alone": 0.0} if name == "srgan" else {}, "small")
    shape, kind = (3, px, px), KNOWN[name].kinds[0]
    real, source = noise(px)
    data = BothSides(source, real, recipe.batch, paired=kind == "pairs")
    if kind == "images":
        data = Shuffled(real, recipe.batch)
    torch.manual_seed(0)
    play = recipe.build(DataSpec(kind, shape, IMAGES, given=() if kind == "images" else shape))
    bf16 = has_bf16(torch.device("cpu")) and not plain
    if not plain:
        play.game.to(memory_format=torch.channels_last)
    settings = Settings(channels_last=not plain)
    return Trainer(play.game, play.optimizers, data, settings=settings, runtime=start("cpu", bf16=bf16))


def steps_of(name: str, px: int, seconds: float) -> dict[str, Any]:
    """Pictures per second both ways, taken in turn, and the memory that learning takes as tenfold does it."""
    trainer_of(name, TINY, plain=False).play_step()  # whatever is loaded once is loaded now
    plain = trainer_of(name, px, plain=True)
    before = peak_memory()["peak_mb"]
    ours = trainer_of(name, px, plain=False)
    ours.play_step()
    begun = perf_counter()
    ours.play_step()
    once = perf_counter() - begun
    memory = peak_memory()["peak_mb"] - before
    plain.play_step()
    period = lcm(*(turn.every for turn in ours.game.turns(0)))
    taken: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(max(3, round(seconds / (once * period)))):
        for way, trainer in (("ours", ours), ("plain", plain)):
            begun = perf_counter()
            for _ in range(period):
                trainer.play_step()
            taken[way].append((perf_counter() - begun) / period)
    batch = ours.data.size
    faster = median(b / a for a, b in zip(taken["ours"], taken["plain"], strict=True))
    return {
        "images_per_second": round(batch / median(taken["ours"]), 1),
        "plain_images_per_second": round(batch / median(taken["plain"]), 1),
        "faster": round(faster, 2),
        "batch": batch,
        "memory_mb": round(memory),
    }


def translated(name: str, height: int, width: int, times: int = 3) -> dict[str, Any]:
    """Megapixels per second of what is given, from file to file, and the process's peak memory."""
    from dataclasses import replace

    from tenfold.data.codec import Codec
    from tenfold.translating import TILE, Way, read, translated_values

    translator = trainer_of(name, 64, plain=True).ema.module.eval()
    codec = Codec("images", 3, 64, 64, 64, 64, "uint8", (0.0,), (255.0,), ".png")
    way = Way(translator, False, codec, codec)
    small = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "in.png", Path(folder) / "out.png"
        Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)
        taken: list[float] = []
        for _ in range(times):
            begun = perf_counter()
            made = translated_values(way, read(path)[0], TILE)
            replace(codec, height=made.shape[0], width=made.shape[1]).save(made, out)
            taken.append(perf_counter() - begun)
    return {"megapixels_per_second": round(height * width / 1e6 / median(taken), 3), **peak_memory()}


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        px, _, name = key.partition(" ")
        line: dict[str, object] = {"case": key, "batch": result.get("batch", "")}
        line["images/s"] = result.get("images_per_second", "")
        line["times plain fp32"] = result.get("faster", "")
        line["MB of a step"] = result.get("memory_mb", "")
        line["megapixels/s"] = result.get("megapixels_per_second", "")
        line["peak MB"] = round(result["peak_mb"]) if "peak_mb" in result else ""
        line["bar"] = bar(px, name, result, found)
        table.append(line)
    return table


def bar(px: str, name: str, result: dict[str, Any], found: dict[str, Any]) -> str:
    """What was asked of a case, and whether it was met."""
    asked: list[tuple[str, bool]] = []
    if "faster" in result:
        asked.append(("1.5 times", result["faster"] >= 1.5))
        floor = FLOORS.get(name, 0) if px == "64" else 0
        asked += [(f"{floor} images/s", result["images_per_second"] >= floor)] if floor else []
    other = found.get(f"{px} cyclegan")
    if name == "fastcut" and other and "images_per_second" in result:
        time = other["images_per_second"] / result["images_per_second"]
        memory = result["memory_mb"] / max(other["memory_mb"], 1)
        asked += [(f".5 of cyclegan's time ({time:.2f})", time <= 0.5)]
        asked += [(f".6 of its memory ({memory:.2f})", memory <= 0.6)]
    if px == "enlarge":
        asked.append(("2 GB", result["peak_mb"] <= 2000))
    return "; ".join(f"{text}: {'met' if met else 'missed'}" for text, met in asked)


if __name__ == "__main__":
    entry(main, measured)
