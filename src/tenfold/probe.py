"""Measuring before a run: what is fastest here, and what fits into memory."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from math import inf, lcm
from operator import mul
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from .augment.ada import ADA
from .data import Dataset
from .data.order import BothSides, Shuffled
from .data.table.batches import Knowing, KnownCells
from .data.texts.order import CaptionedBatches
from .data.unlabelled import PartlyLabelled
from .draw import Draw, derive
from .engine.runtime import Runtime, has_bf16
from .engine.trainer import Batches, Settings, Trainer
from .errors import RunError
from .game import Game
from .options import Options
from .plan import Plan
from .recipe import Choice, Play, Recipe, recipe_name
from .run import Run
from .transfer import freeze, start_from

CONTROL_GROUP = Path("/sys/fs/cgroup")
FEWEST = 2  # samples in a micro-batch: batch norm has no statistics of a single one
WARM_UP = 3  # steps that are not measured, and at least one of every kind
MARGIN = 0.95  # another format must be at least this much faster, or results would hang on noise

Stages = Sequence[tuple[float, float]]
"""Where each stage of a run begins, as a share of it, and seconds of a step there."""


@dataclass(frozen=True)
class Mode:
    """How a step is computed; the result is the same up to rounding.

    Except for batch norm among micro-batches, each of which is normalised by its own statistics.
    """

    bf16: bool
    channels_last: bool
    micro_batches: int = 1

    def words(self) -> str:
        """As a person would say it."""
        layout = "channels last" if self.channels_last else "contiguous"
        parts = f", {self.micro_batches} micro-batches" if self.micro_batches > 1 else ""
        return f"{'bf16' if self.bf16 else 'fp32'}, {layout}{parts}"


def make_trainer(plan: Plan, runtime: Runtime, mode: Mode, planned: int = 0) -> Trainer:
    """A trainer at the start of a planned run; the same for the same plan."""
    torch.manual_seed(derive(plan.seed, "networks"))
    play = plan.recipe.build(plan.data.spec)
    if plan.start is not None:
        start_from(Run(plan.start), play.game, plan.data.spec)
    if plan.freeze_d:
        freeze(play.game.players()["D"], plan.freeze_d)
    layout = torch.channels_last if mode.channels_last else torch.contiguous_format
    play.game.to(runtime.device).to(memory_format=layout)  # pyright: ignore[reportCallIssue]
    half_life = plan.recipe.half_life_kimg
    assert half_life != "auto"
    settings = Settings(
        seed=plan.seed,
        planned=planned,
        half_life_kimg=half_life,
        micro_batches=mode.micro_batches,
        together=plan.recipe.together,
        channels_last=mode.channels_last,
    )
    data = batches_of(plan, play)
    runtime = replace(runtime, bf16=mode.bf16)
    return Trainer(
        play.game, play.optimizers, data, settings=settings, schedules=play.schedules, runtime=runtime
    )


def batches_of(plan: Plan, play: Play) -> Batches:
    """Batches of a plan's data, as its kind asks for."""
    spec, recipe, train = plan.data.spec, plan.recipe, plan.data.train
    batch, seed, more = recipe.batch, plan.seed, plan.data.unlabelled
    if spec.cells:
        return known_cells(plan.data, batch, seed, play.knowing)
    if spec.kind == "captioned":
        return CaptionedBatches(train, batch, seed)
    if spec.kind == "text_pairs":
        return Shuffled(train, batch, seed)
    if plan.data.given is not None:
        return BothSides(plan.data.given.train, train, batch, seed, paired=spec.kind == "pairs")
    classes = recipe.conditions(spec)
    if more is None:
        return Shuffled(train, batch, seed, balanced=play.balanced, labelled=classes > 0)
    return PartlyLabelled(train, more, batch, seed, classes=classes, guesses=plan.data.guesses)


def known_cells(dataset: Dataset, size: int, seed: int, knowing: Knowing | None) -> KnownCells:
    """Batches of a table."""
    assert dataset.table is not None
    rows, encoder = dataset.train.values, dataset.table.encoder
    return KnownCells(rows, dataset.spec.cells, encoder, size, seed, knowing or Knowing())


def choose_mode(plan: Plan, options: Options, runtime: Runtime) -> tuple[Mode, Choice]:
    """The fastest way of computing a step that fits into memory.

    What was measured is remembered, so that the same command makes the same choice again.
    """
    micro = options.micro_batches or int(runtime.share(str(micro_batches_for(plan, runtime))))
    modes = [replace(m, micro_batches=micro) for m in candidates(plan, options, runtime)]
    if len(modes) == 1:
        return modes[0], Choice("mode", modes[0].words(), "asked for, or all that the hardware offers")
    key = repr((recipe_name(plan.recipe), plan.recipe, plan.data.spec.shape, micro, machine(runtime)))
    store = Path(cache_folder()) / f"mode-{derive(key):016x}.json"
    try:
        found = Mode(**json.loads(store.read_text()))
        if found in modes:
            return found, Choice("mode", found.words(), "measured fastest before")
    except (OSError, ValueError, TypeError):
        pass
    times = {mode: mean_seconds(stage_seconds(make_trainer(plan, runtime, mode), 0.4)) for mode in modes}
    best = modes[0]
    for mode in modes[1:]:
        if times[mode] < MARGIN * times[best]:
            best = mode
    with suppress(OSError):  # only a memo
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_text(json.dumps(asdict(best)))
    rest = ", ".join(f"{m.words()}: {1000 * t:.1f} ms" for m, t in times.items())
    reason = f"measured for a step ({rest}); a later one counts if it is 5 % faster"
    return best, Choice("mode", best.words(), reason)


def augment_most(trainer: Trainer) -> None:
    """Let a trainer that is only measured augment as it will when it must; it begins without."""
    for part in trainer.adaptive:
        match part:
            case ADA():
                part.p.fill_(part.most)
            case _:
                pass


def candidates(plan: Plan, options: Options, runtime: Runtime) -> list[Mode]:
    """The modes that may be chosen from; several ranks must not choose differently, so they do not."""
    hardware = has_bf16(runtime.device)
    precisions = {"fp32": [False], "bf16": [True], "auto": [True, False] if hardware else [False]}
    either = [True, False] if plan.data.spec.pictures else [False]  # rows have no channels
    formats = {"contiguous": [False], "channels_last": [True], "auto": either}
    modes = [Mode(b, c) for b in precisions[options.precision] for c in formats[options.memory_format]]
    return modes[:1] if runtime.world > 1 else modes


def step_seconds(trainer: Trainer, at_least_s: float, progress: float = 0.0) -> float:
    """Seconds of a step: of each kind the median of what fits into a time, weighed by how often it comes.

    Args:
        trainer: which is used up by it.
        at_least_s: the time.
        progress: share of the run that is taken to be over.
    """
    augment_most(trainer)
    usual, trainer.game.progress = trainer.settings, progress
    kinds = kinds_of_step(trainer.game)
    times: list[list[float]] = [[] for _ in kinds]
    warm = max(1, WARM_UP // len(kinds))
    end = perf_counter() + at_least_s
    alone = trainer.runtime.world == 1  # several ranks play every step together: they count, and see no clock
    while (alone and perf_counter() < end) or len(times[0]) < warm + (2 if alone else 10):
        for step, taken in zip(kinds, times, strict=True):
            if progress:  # which a trainer tells by the planned number
                planned = int(step * trainer.data.size / progress)
                trainer.settings = replace(usual, planned=planned)
            trainer.step, start = step, perf_counter()
            trainer.play_step()
            taken.append(perf_counter() - start)
    trainer.settings = usual
    medians = [median(taken[warm:]) for taken in times]
    return sum(map(mul, medians, kinds.values())) / sum(kinds.values())


def stage_seconds(trainer: Trainer, at_least_s: float) -> Stages:
    """Where each stage of a run begins, as a share of it, and seconds of a step there."""
    begins = (0.0, *trainer.game.stages)
    return [(begin, step_seconds(trainer, at_least_s / len(begins), begin)) for begin in begins]


def mean_seconds(stages: Stages, since: float = 0.0, until: float = 1.0) -> float:
    """Seconds of a step, averaged over a part of a run; at its very end, those of its last steps.

    Example:
        >>> stages = [(0.0, 1.0), (0.5, 3.0)]
        >>> mean_seconds(stages), mean_seconds(stages, 0.5), round(mean_seconds(stages, 1.0), 6)
        (2.0, 3.0, 3.0)
    """
    until = max(until, since + 1e-9)
    ends = [*(begin for begin, _ in stages[1:]), inf]
    lasting = [
        max(min(end, until) - max(begin, since), 0.0) for (begin, _), end in zip(stages, ends, strict=True)
    ]
    return sum(map(mul, lasting, (seconds for _, seconds in stages))) / sum(lasting)


def kinds_of_step(game: Game[Any]) -> dict[int, int]:
    """A step of every kind, told by the turns that are due, and how many of a period are like it.

    The first period is left out, as more is logged then.
    """
    every = [turn.every for turn in game.turns(0)]
    first: dict[tuple[bool, ...], int] = {}
    found: Counter[int] = Counter()
    period = lcm(*every)
    for step in range(period, 2 * period):
        found[first.setdefault(tuple(step % k == 0 for k in every), step)] += 1
    return dict(found)


def fewest(recipe: Recipe) -> int:
    """Samples that a micro-batch has at least: those that batch norm needs, and a whole pack."""
    return max(FEWEST, recipe.together)


def micro_batches_for(plan: Plan, runtime: Runtime, available: int | None = None) -> int:
    """The smallest power of two of parts in which a step fits into four fifths of the free memory.

    Args:
        plan: the run.
        runtime: where it computes.
        available: bytes; what the device has free if not given.

    Raises:
        RunError: if a step does not fit even the fewest samples at a time.
    """
    free = free_bytes(runtime.device) if available is None else available
    if free is None:
        return 1
    trainer = make_trainer(plan, runtime, Mode(False, False))
    fixed, per_sample = step_bytes(trainer)
    parts, room, batch, least = 1, 0.8 * free - fixed, plan.recipe.batch, fewest(plan.recipe)
    most = max(1, batch // (least * runtime.world))
    while per_sample * batch / parts > room and parts < most:
        parts *= 2
    if least * per_sample > room:
        packed = " or --pack" if plan.recipe.together > 1 else ""
        raise RunError(
            f"{'two' if least == FEWEST else least} samples need about "
            f"{(fixed + least * per_sample) / 2**20:.0f} MB, {free / 2**20:.0f} MB are free. Choose a "
            f"smaller --width or --size{packed}."
        )
    return min(parts, most)


def step_bytes(trainer: Trainer) -> tuple[int, int]:
    """Bytes that a step needs whatever the batch, and bytes per sample of the most demanding turn.

    Weights count five times (gradient, two moments, average). What a turn keeps for its backward pass is
    counted with two and with four samples, or one pack and two, or what a smaller batch has; as much again
    is allowed for what passes through.
    """
    weights = sum(p.numel() * p.element_size() for p in trainer.game.parameters())
    augment_most(trainer)
    game, pack, per_sample = trainer.game, trainer.settings.together, 0
    least = max(FEWEST, pack)
    rows = min(2 * least, trainer.data.size // pack * pack)
    for begin in (0.0, *game.stages):
        game.progress = begin
        each = [kept_per_sample(trainer, turn.loss, least, rows) for turn in game.turns(0)]
        per_sample = max(per_sample, *each)
    return 5 * weights, 2 * per_sample


def kept_per_sample(trainer: Trainer, loss: Callable[..., object], least: int, rows: int) -> int:
    """Bytes that autograd keeps for one more sample; of the fewest, too many, as less cannot be looked at."""
    if rows == least:
        return kept(trainer, loss, rows) // rows
    return (kept(trainer, loss, rows) - kept(trainer, loss, least)) // (rows - least)


def kept(trainer: Trainer, loss: Callable[..., object], rows: int) -> int:
    """Bytes that autograd keeps for one look at so many samples."""
    held: dict[int, int] = {}

    def note(x: Tensor) -> Tensor:
        held[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        alive.append(x)
        return x

    alive: list[Tensor] = []
    batch = {k: trainer.place(v) for k, v in trainer.data(0, slice(0, rows)).items()}
    draw = Draw(0, slice(0, rows), rows, trainer.runtime.device)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        loss(batch, draw)
    return sum(held.values())


def free_bytes(device: torch.device) -> int | None:
    """Memory that a run may take, or None if that cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo") as file:
            rows = dict(line.split(":", 1) for line in file)
        return min([int(rows["MemAvailable"].split()[0]) * 1024, *container_free_bytes()])
    except (OSError, KeyError, ValueError):
        return None


def container_free_bytes() -> list[int]:
    """What a container's limit leaves, if there is one (control groups, version 2)."""
    try:
        limit, used = (int((CONTROL_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
    except (OSError, ValueError):  # no such group, or "max": no limit
        return []
    return [limit - used + reclaimable_bytes()]


def reclaimable_bytes() -> int:
    """What a container holds of files that it read and no longer needs: used, but given up when asked for."""
    try:
        rows = dict(line.split() for line in (CONTROL_GROUP / "memory.stat").read_text().splitlines())
        return int(rows["inactive_file"])
    except (OSError, KeyError, ValueError):
        return 0


def machine(runtime: Runtime) -> tuple[str, ...]:
    """What a measured time depends on."""
    where = torch.cuda.get_device_name(runtime.device) if runtime.device.type == "cuda" else processor()
    return (where, str(torch.get_num_threads()), torch.__version__)


def processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cache_folder() -> str:
    """Where measurements are remembered."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("TENFOLD_CACHE") or os.path.join(base, "tenfold")
