"""How much training fits into a time."""

from __future__ import annotations

from math import ceil
from time import perf_counter
from typing import NamedTuple

import torch

from .budget import choose_length
from .engine.runtime import Runtime
from .plan import Plan
from .probe import Mode, Stages, make_trainer, mean_seconds, stage_seconds
from .recipe import Choice
from .training import RESERVE
from .watching.judge import Judge
from .watching.spacing import all_looks
from .watching.stopping import LOOKS, why_never

LOOKING = 0.1  # of a time budget, at most, for looks at quality
FEWEST_LOOKS = 3


class Planned(NamedTuple):
    """Samples a run will see, looks at it, why, and seconds of a step from which share of it on."""

    samples: int
    looks: int
    choices: list[Choice]
    stages: Stages = ((0.0, 1.0),)


def planned_samples(plan: Plan, runtime: Runtime, mode: Mode, quality: Judge, begun: float) -> Planned:
    """Samples the run will see, whole batches of them, asked for or what fits into the time; and looks."""
    batch = plan.recipe.batch
    if plan.kimg is not None:
        samples = ceil(1000 * plan.kimg / batch) * batch
        return Planned(samples, LOOKS, [Choice("planned", samples, "samples, as asked for")])
    assert plan.budget_s is not None
    left = plan.budget_s - (perf_counter() - begun)
    pace = steps_within(max(left, plan.budget_s / 2), plan, runtime, mode, quality)
    samples, most = pace.steps * batch, plan.most_samples
    reason = f"samples fit into {plan.budget_s:.0f} s at {1000 * pace.step_s:.1f} ms a step"
    if most is not None and samples > most:
        samples, reason = most, f"{reason}; more than {most} would be learnt by heart (--kimg asks for more)"
    choices = [Choice("planned", samples, reason)]
    if pace.looks < LOOKS:
        why = f"at quality while training; each takes {pace.look_s:.2g} s, and they shall not take the time"
        choices.append(Choice("looks", pace.looks, why))
    return Planned(samples, pace.looks, choices, pace.stages)


def vain_patience(patience: int | None, most: int) -> list[Choice]:
    """A warning for the record if fewer looks can pass without a better sampler than patience has."""
    why = why_never(patience, most)
    return [] if why is None else [Choice("patience", patience, why)]


class Pace(NamedTuple):
    """What fits into a time: steps and looks, each of so many seconds, and where steps take how long."""

    steps: int
    step_s: float
    looks: int
    look_s: float
    stages: Stages


def steps_within(
    seconds: float, plan: Plan, runtime: Runtime, mode: Mode, quality: Judge, since: float = 0.0
) -> Pace:
    """Steps that fit into a time beside the looks at them, the same for all ranks.

    Args:
        seconds: the time.
        plan, runtime, mode, quality: of the run.
        since: share of it that is over: from there on, steps may be dearer.
    """
    begun = perf_counter()
    trainer = make_trainer(plan, runtime, mode)
    stages = stage_seconds(trainer, min(2.0, 0.02 * seconds))
    step_s = mean_seconds(stages, since)
    start = perf_counter()
    quality.measure(trainer)
    measured = torch.tensor([1.2 * (perf_counter() - start)], device=runtime.device)
    look_s = runtime.mean(measured).item()
    looks = min(LOOKS, max(FEWEST_LOOKS, int(LOOKING * seconds / look_s) - 1))
    looks_s = min((all_looks(trainer.game, looks) + 2) * look_s, 0.2 * seconds)
    left = (1 - RESERVE) * seconds - (perf_counter() - begun) - looks_s
    steps = torch.tensor([left / step_s], device=runtime.device)
    return Pace(max(1, int(runtime.mean(steps).item())), step_s, looks, look_s, stages)


def more_samples(
    plan: Plan,
    runtime: Runtime,
    mode: Mode,
    quality: Judge,
    more: tuple[str | None, float | None],
    since: float,
) -> int:
    """Samples to see beyond those planned, a share of which was seen: a time, or thousands of samples."""
    if more == (None, None):
        return 0
    seconds, kimg, _ = choose_length(*more)
    batch = plan.recipe.batch
    if kimg is not None:
        return ceil(1000 * kimg / batch) * batch
    assert seconds is not None
    return steps_within(seconds, plan, runtime, mode, quality, since).steps * batch
