"""What SeqGAN gains from where its paper begins, and whether its discriminator has a part in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import oracle
from oracle import SEQGAN, TEMPERATURES, World, at_one, judged, points, world_of
from record import RESULTS, SOURCE, Record, arguments, say
from tenfold.engine.trainer import Trainer
from tenfold.metrics.texts.curves import overall, standing

QUESTION = """seqgan, preset paper, on the published oracle, one seed: 120 passes over 10,000 texts by
likelihood, long after validation texts were likeliest, and from the last of them 200 rounds of policy
gradient, at the paper's rates and without a learnt value. Other than published the discriminator is that of
preset small: it moves 500 times alone and five times a round, not 2,344 times. A control rewards every text
alike. Nothing of this was tuned. Each beside the curve over temperatures of oracle.py's lm, which validation
stopped, and of its own first stage. Bar: of the oracle 8.74 at most."""
SLIM = {"embedding_d": 32, "kernels": (1, 2, 3, 4, 5), "filters": (32,), "dropout_d": 0.25, "decay": 0.0}
SLIM |= {"critic_steps": 5, "lr_d": 1e-3}
CONTENDERS: dict[str, dict[str, Any]] = {
    "seqgan, paper": SLIM,
    "seqgan, paper, constant reward": {**SLIM, "reward": "constant"},
}


@dataclass(frozen=True)
class Stages:
    """Steps of each.

    Attributes:
        likelihood: by which G learns alone.
        alone: of D.
        rounds: of both.
    """

    likelihood: int
    alone: int
    rounds: int

    @property
    def total(self) -> int:
        """Of the run."""
        return self.likelihood + self.alone + self.rounds

    def shares(self) -> dict[str, float]:
        """As the recipe takes them; half a step less, lest rounding add one."""
        return {"likelihood": (self.likelihood - 0.5) / self.total, "alone": self.alone / self.total}


def main() -> None:
    """Both, and the table."""
    given = arguments(__doc__ or "").parse_args()
    effort = oracle.Effort(("6s", "6s"), 400, 300, 500) if given.quick else oracle.Effort()
    stages = Stages(40, 5, 8) if given.quick else Stages(oracle.PASSES * effort.train // 64, 500, 200)
    also = [Path(oracle.__file__), SOURCE / "tenfold" / "recipes" / "seqgan.py"]
    record = Record(__file__, QUESTION, quick=given.quick, also=also)
    found = {}
    for name, values in CONTENDERS.items():
        work = lambda n=name: contend(n, stages, effort)
        setting = [effort.train, effort.judged, vars(stages), values]
        found[name] = record.measure(name, work, setting)
    stopped = json.loads((RESULTS / "oracle.json").read_text())["items"]["published, seed 0, lm"]["result"]
    record.conclude([row(name, result, stopped["curve"]) for name, result in found.items()])


def contend(name: str, stages: Stages, effort: oracle.Effort) -> dict[str, Any]:
    """Let one learn, stage by stage, and judge it."""
    begun = perf_counter()
    world = world_of("published", 0, effort)
    oracle.CONTENDERS[name] = ("seqgan", "paper", {**CONTENDERS[name], **stages.shares()})
    trainer = oracle.start(world, name, 0, stages.total)
    played(trainer, stages.likelihood)
    before = judged(trainer.ema.module, world, effort, TEMPERATURES)
    say(f"  before: {at_one(before)}")
    rounds = [{"rounds": 0, **at_one(before)}]
    for quarter in (1, 2, 3):
        played(trainer, stages.total - stages.rounds * (4 - quarter) // 4)
        rounds.append({"rounds": stages.rounds * quarter // 4, **look(trainer, world, effort)})
    played(trainer, stages.total)
    say(f"  {trainer.flush()}")
    curve = judged(trainer.ema.module, world, effort, TEMPERATURES)
    rounds.append({"rounds": stages.rounds, **at_one(curve)})
    return {
        "before": before,
        "curve": curve,
        "rounds": rounds,
        "seconds": round(perf_counter() - begun, 1),
    }


def played(trainer: Trainer, steps: int) -> None:
    """Play until so many steps; half a text less, lest rounding add one."""
    trainer.fit((steps * trainer.data.size - 0.5) / 1000)
    assert trainer.step == steps, (trainer.step, steps)


def look(trainer: Trainer, world: World, effort: oracle.Effort) -> dict[str, float]:
    """What the sampler does as it is."""
    found = judged(trainer.ema.module, world, effort, (1.0,))
    say(f"  step {trainer.step}: {found[0]}")
    return found[0]


def row(name: str, result: Mapping[str, Any], stopped: list[dict[str, float]]) -> dict[str, object]:
    """A line of the table."""
    one, curve = at_one(result["curve"]), points(result["curve"])
    met = "met" if one["oracle"] <= SEQGAN else "not met"
    return {
        "who": name,
        "NLL of the oracle before": at_one(result["before"])["oracle"],
        "after 50, 100, 150 rounds": ", ".join(f"{r['oracle']:.2f}" for r in result["rounds"][1:-1]),
        "after 200": one["oracle"],
        "held-out NLL": f"{at_one(result['before'])['held_out']:.2f}, then {one['held_out']:.2f}",
        "words": f"{at_one(result['before'])['words']}, then {one['words']}",
        "as it is, against lm": standing(*points([one]), points(stopped)),
        "at any temperature": overall(curve, points(stopped)),
        "against its first stage": overall(curve, points(result["before"])),
        "minutes": round(result["seconds"] / 60, 1),
        "bar": f"{SEQGAN}: {met}" if "constant" not in name else "",
    }


if __name__ == "__main__":
    main()
