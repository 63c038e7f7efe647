"""How fast the modern recipes train, and what their parts cost."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch

from record import Record, arguments, child, entry, peak_memory

QUESTION = """Images per second, peak memory, and the share of the processor's measured matrix-multiply peak,
of each recipe and preset at 32, 64 and 128 px, the recipe's own batch, in the faster of bf16 and fp32; what
R1 and R2, and what augmentation costs. Bars: r3gan --preset small at 32 px makes at least 400 images/s;
ADA costs at most 15 % of a step at 64 px."""
SIDES = (32, 64, 128)
CASES = (
    ("dcgan", "small"),
    ("r3gan", "small"),
    ("r3gan", "base"),
    ("stylegan2", "small"),
    ("stylegan2", "base"),
    ("fastgan", "small"),
    ("fastgan", "base"),
    ("projected", "small"),
    ("projected", "base"),
)
PAPER = {
    "network": "residual",
    "width": 128,
    "penalty_every": 1,
    "batch": 64,
    "augment": "none",
    "lecam": 0.0,
}
PLAIN = {"augment": "none", "lecam": 0.0}
PARTS: dict[str, dict[str, Any]] = {
    "neither": {**PLAIN, "penalty": 0.0},
    "R1 and R2": PLAIN,
    "R1 and R2 at every step": {**PLAIN, "penalty_every": 1},
    "R1, R2 and DiffAugment": {**PLAIN, "augment": "diffaugment"},
    "R1, R2 and ADA at its cap": {**PLAIN, "augment": "ada"},
}
SECONDS = 12.0


def main() -> None:
    """Measure every case in a process of its own."""
    given = arguments(__doc__ or "").parse_args()
    record = Record(__file__, QUESTION, quick=given.quick)
    seconds = "1" if given.quick else str(SECONDS)
    sides = SIDES[:1] if given.quick else SIDES
    for side in sides:
        for name, preset in CASES:
            ask = lambda n=name, p=preset, s=side: fastest(n, p, "", str(s), seconds)
            record.measure(f"{side} {name} {preset}", ask, seconds)
    ask = lambda: fastest("r3gan", "small", "paper", "32", seconds)
    record.measure("32 r3gan paper's network, width 128", ask, seconds)
    for part in PARTS:
        ask = lambda p=part: fastest("r3gan", "small", p, "64", seconds)
        record.measure(f"64 r3gan small: {part}", ask, seconds)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def fastest(*case: str) -> dict[str, Any]:
    """The numbers of a case in the precision in which it is faster, each in a process of its own."""
    found = [child(__file__, *case, precision) for precision in ("bf16", "fp32")]
    return max(filter(None, found), key=lambda one: one["images_per_second"])


def speed_of(
    name: str, preset: str, changes: str, side: str, seconds: str, precision: str
) -> dict[str, Any] | None:
    """The numbers of one case; none where the processor has no bf16."""
    from tenfold.augment.ada import ADA
    from tenfold.data.order import Rows, Shuffled
    from tenfold.data.spec import DataSpec
    from tenfold.engine.runtime import has_bf16, start
    from tenfold.engine.trainer import Settings, Trainer
    from tenfold.recipe import make_recipe

    px, cpu = int(side), torch.device("cpu")
    values = PAPER if changes == "paper" else PARTS.get(changes, {})
    recipe = make_recipe(name, values, preset)
    spec = DataSpec("images", (3, px, px), 1000)
    data = Shuffled(Rows(torch.rand(256, 3, px, px) * 2 - 1), recipe.batch)
    bf16 = precision == "bf16"
    if bf16 and not has_bf16(cpu):
        return None
    torch.manual_seed(0)
    play = recipe.build(spec)
    play.game.to(memory_format=torch.channels_last)
    for part in play.game.modules():
        if isinstance(part, ADA):
            part.p.fill_(part.most)
            part.pace = 0.0  # stays there
    settings = Settings(channels_last=True)
    trainer = Trainer(play.game, play.optimizers, data, settings=settings, runtime=start("cpu", bf16=bf16))
    speed, memory = images_per_second(trainer, float(seconds)), peak_memory()
    found = {"images_per_second": round(speed, 1), "bf16": bf16, "gflop": round(gflop(trainer), 2), **memory}
    peak = matmul_peak(bf16)
    share = found["gflop"] * speed / peak
    return {**found, "peak_gflops": round(peak), "share": round(share, 3)}


def images_per_second(trainer: Any, seconds: float) -> float:
    """After a warm-up of whole periods of lazy penalties, which are played in the right proportion."""
    period = 16
    for _ in range(4):
        trainer.play_step()
    begun, steps = perf_counter(), 0
    while perf_counter() - begun < seconds or steps % period:
        trainer.play_step()
        steps += 1
    return steps * trainer.data.size / (perf_counter() - begun)


def gflop(trainer: Any) -> float:
    """Billions of operations of the networks for one image, averaged over a period of lazy penalties."""
    from torch.utils.flop_counter import FlopCounterMode

    trainer.game.augment = None  # the counter's hooks fail where a penalty's input goes into a module first
    trainer.step = 0
    with FlopCounterMode(display=False) as counter:
        for _ in range(16):
            trainer.play_step()
    return counter.get_total_flops() / (16 * trainer.data.size) / 1e9


def matmul_peak(bf16: bool) -> float:
    """Billions of operations per second of a large matrix product."""
    a = torch.randn(2048, 2048).to(torch.bfloat16 if bf16 else torch.float32)
    best = float("inf")
    for _ in range(8):
        begun = perf_counter()
        a @ a
        best = min(best, perf_counter() - begun)
    return 2 * 2048**3 / best / 1e9


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        side, _, case = key.partition(" ")
        bar = "400 images/s" if key == "32 r3gan small" else ""
        if case.endswith("ADA at its cap"):
            without = found[f"{side} r3gan small: R1 and R2"]["images_per_second"]
            bar = f"a step 15 % longer; measured {without / result['images_per_second'] - 1:.0%}"
        table.append(
            {
                "px": int(side),
                "case": case,
                "images/s": result["images_per_second"],
                "precision": "bf16" if result["bf16"] else "fp32",
                "Gflop an image": result["gflop"],
                "of the peak": f"{result['share']:.0%}",
                "peak MB": round(result["peak_mb"]),
                "bar": bar,
            }
        )
    return table


if __name__ == "__main__":
    entry(main, speed_of)
