"""How fast the modern recipes train, and what their parts cost."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from record import Record, arguments, child, entry, peak_memory

QUESTION = """Images per second, peak memory, and the share of the processor's measured matrix-multiply peak,
of each recipe and preset at 32, 64 and 128 px, the recipe's own batch, in the faster of bf16 and fp32; what
R1 and R2, and what augmentation costs: steps with and without are played in turn in one process, a period of
lazy penalties each, and compared round by round (the median of the rounds). Preset base, which is for
accelerators, in batches of 8 and in bf16 alone. Bars: r3gan --preset small at 32 px makes at least 400
images/s; ADA costs at most 15 % of a step at 64 px."""
SIDES = (32, 64, 128)
CASES = (
    ("dcgan", "small"),
    ("r3gan", "tiny"),
    ("stylegan2", "tiny"),
    ("fastgan", "tiny"),
    ("projected", "tiny"),
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
VALUES: dict[str, dict[str, Any]] = {"paper": PAPER, "base": {"batch": 8}}
PLAIN = {"augment": "none", "lecam": 0.0}
PARTS: dict[str, dict[str, Any]] = {
    "neither": {**PLAIN, "penalty": 0.0},
    "R1 and R2": PLAIN,
    "R1 and R2 at every step": {**PLAIN, "penalty_every": 1},
    "R1, R2 and DiffAugment": {**PLAIN, "augment": "diffaugment"},
    "R1, R2 and ADA at its cap": {**PLAIN, "augment": "ada"},
}
BASE = "R1 and R2"
SECONDS, ROUNDS, PERIOD = 12.0, 20, 16


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
    rounds = "1" if given.quick else str(ROUNDS)
    costs = record.measure("costs", lambda: child(__file__, "costs", rounds), rounds)
    items = {key: item["result"] for key, item in record.content["items"].items() if key != "costs"}
    record.conclude([*rows(items), *cost_rows(costs)])


def fastest(name: str, preset: str, *case: str) -> dict[str, Any]:
    """The numbers of a case in the precision in which it is faster, each in a process of its own."""
    tried = ("bf16",) if preset == "base" else ("bf16", "fp32")
    found = [child(__file__, name, preset, *case, precision) for precision in tried]
    return max(filter(None, found), key=lambda one: one["images_per_second"])


def measured(what: str, *case: str) -> dict[str, Any] | None:
    """What a process of its own is asked for: the numbers of a case, or what the parts of a step cost."""
    return costs(int(case[0])) if what == "costs" else speed_of(what, *case)


def speed_of(
    name: str, preset: str, changes: str, side: str, seconds: str, precision: str
) -> dict[str, Any] | None:
    """The numbers of one case; none where the processor has no bf16."""
    from tenfold.engine.runtime import has_bf16
    from tenfold.probe import step_seconds

    bf16 = precision == "bf16"
    if bf16 and not has_bf16(torch.device("cpu")):
        return None
    trainer = trainer_of(name, preset, VALUES.get(changes or preset, {}), int(side), bf16)
    speed, memory = trainer.data.size / step_seconds(trainer, float(seconds)), peak_memory()
    found = {"images_per_second": round(speed, 1), "bf16": bf16, "gflop": round(gflop(trainer), 4), **memory}
    peak = matmul_peak(bf16)
    share = found["gflop"] * speed / peak
    return {**found, "peak_gflops": round(peak), "share": round(share, 3)}


def trainer_of(name: str, preset: str, values: dict[str, Any], px: int, bf16: bool) -> Any:
    """What plays a recipe on noise, with augmentation at its cap."""
    from tenfold.augment.ada import ADA
    from tenfold.data.order import Rows, Shuffled
    from tenfold.data.spec import DataSpec
    from tenfold.engine.runtime import start
    from tenfold.engine.trainer import Settings, Trainer
    from tenfold.recipe import make_recipe

    recipe = make_recipe(name, values, preset)
    data = Shuffled(Rows(torch.rand(256, 3, px, px) * 2 - 1), recipe.batch)
    torch.manual_seed(0)
    play = recipe.build(DataSpec("images", (3, px, px), 1000))
    play.game.to(memory_format=torch.channels_last)
    for part in play.game.modules():
        if isinstance(part, ADA):
            part.p.fill_(part.most)
            part.pace = 0.0  # stays there
    settings = Settings(channels_last=True)
    return Trainer(play.game, play.optimizers, data, settings=settings, runtime=start("cpu", bf16=bf16))


def costs(rounds: int) -> dict[str, Any]:
    """Of each part: milliseconds of a step at 64 px, and how much longer one is than with R1 and R2 alone."""
    from tenfold.engine.runtime import has_bf16

    bf16 = has_bf16(torch.device("cpu"))
    trainers = {part: trainer_of("r3gan", "small", values, 64, bf16) for part, values in PARTS.items()}
    times: dict[str, list[float]] = {part: [] for part in PARTS}
    for turn in range(rounds + 1):
        for part, trainer in trainers.items():
            begun = perf_counter()
            for _ in range(PERIOD):
                trainer.play_step()
            if turn:  # the first warms up
                times[part].append((perf_counter() - begun) / PERIOD)
    return {
        part: {
            "step_ms": round(1000 * median(taken), 2),
            "batch": trainers[part].data.size,
            "bf16": bf16,
            "longer": round(median(a / b - 1 for a, b in zip(taken, times[BASE], strict=True)), 4),
        }
        for part, taken in times.items()
    }


class Counted(TorchDispatchMode):
    """Sums the operations of products and convolutions; torch's own counter trips over penalties."""

    flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what is asked, and count it."""
        found = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=found)
        return found


def gflop(trainer: Any) -> float:
    """Billions of operations for one image, averaged over a period of lazy penalties."""
    from tenfold.probe import kinds_of_step

    kinds, total = kinds_of_step(trainer.game), 0.0
    for step, often in kinds.items():
        trainer.step = step
        with Counted() as counter:
            trainer.play_step()
        total += often * counter.flops
    return total / (sum(kinds.values()) * trainer.data.size) / 1e9


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
        met = "met" if result["images_per_second"] >= 400 else "missed"
        bar = f"400 images/s: {met}" if key == "32 r3gan small" else ""
        table.append(
            {
                "px": int(side),
                "case": case,
                "images/s": result["images_per_second"],
                "precision": "bf16" if result["bf16"] else "fp32",
                "Gflop an image": result["gflop"],
                "of the peak": f"{result['share']:.0%}",
                "peak MB": round(result["peak_mb"]),
                "a step takes longer by": "",
                "bar": bar,
            }
        )
    return table


def cost_rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """What the parts of a step cost."""
    return [
        {
            "px": 64,
            "case": f"r3gan small: {part}",
            "images/s": round(1000 * result["batch"] / result["step_ms"], 1),
            "precision": "bf16" if result["bf16"] else "fp32",
            "Gflop an image": "",
            "of the peak": "",
            "peak MB": "",
            "a step takes longer by": "" if part == BASE else f"{result['longer']:+.0%}",
            "bar": f"+15 %: {'met' if result['longer'] <= 0.15 else 'missed'}"
            if part.endswith("cap")
            else "",
        }
        for part, result in found.items()
    ]


if __name__ == "__main__":
    entry(main, measured)
