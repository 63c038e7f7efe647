"""From data to a run: plan, measure, train."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from .choosing import by_name, exactly
from .data import Dataset
from .data.pairing import Direction, is_other_folder
from .data.series.opening import open_series
from .data.series.schema import SeriesOptions
from .data.table.opening import open_table
from .data.texts.pairs import is_other_file
from .engine.runtime import Runtime, start
from .errors import DataError, RecipeError, RunError
from .folder import disk_errors, fresh_folder, locked, update_facts, write_json
from .nn.layers import share_statistics
from .opening import load_options, open_words
from .options import Options, Source, options_from
from .pacing import more_samples, planned_samples, vain_patience
from .plan import Plan, make_plan
from .probe import Mode, choose_mode, fewest, make_trainer
from .recipe import Choice, Recipe, recipe_name
from .run import Run
from .training import Training, environment, feature_network
from .watching.augmented import augmented_sheet
from .watching.journal import Journal
from .watching.judge import Judge
from .watching.progress import Progress
from .watching.quality import Quality
from .watching.stopping import LOOKS


def fit(
    data: Source,
    recipe: str | Recipe | None = None,
    *,
    preset: str | None = None,
    budget: str | None = None,
    kimg: float | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    options: Options = Options(),
) -> Run:
    """Train a GAN on data.

    Args:
        data: a folder, file, named set, array, or a frame of pandas or polars.
        recipe: a name, a recipe, or None to choose one from the data.
        preset: of a recipe given by name or chosen.
        budget: time, as 40s, 10m or 2h; ten minutes if neither this nor kimg is given.
        kimg: thousands of samples to see, instead of a time.
        out: the run's folder; `runs/<data>-<recipe>` if not given.
        seed: everything random derives from it.
        options: how to run.

    Returns:
        The run, from which to sample.

    Raises:
        TenfoldError: what was found, what was expected, what to do.
    """
    begun = perf_counter()
    if recipe is None or isinstance(recipe, str):
        decide = by_name(recipe, preset, device=options.device, start=options.start)
    elif preset is None:
        decide = exactly(recipe, options.start)
    else:
        raise RecipeError(
            f"preset {preset!r} was given with a recipe that is complete. Give the recipe's name."
        )
    plan = make_plan(data, decide, budget=budget, kimg=kimg, seed=seed, options=options)
    return train(plan, out, options, begun)


def train(plan: Plan, out: str | Path | None, options: Options, begun: float) -> Run:
    """Carry out a plan in a new folder; the time since `begun` counts towards a time budget."""
    runtime = start(options.device)
    refuse_parts(plan, runtime, options)
    refuse_shadow(plan, out)
    kind = "array" if plan.data.table is None and plan.data.texts is None else plan.data.spec.kind
    stem = kind if in_memory(plan) else Path(plan.data.source).stem or "data"
    name = f"{stem}-{recipe_name(plan.recipe)}"
    folder = Path(runtime.share("" if runtime.rank else str(fresh_folder(name, out))))
    with locked(folder, runtime.rank), disk_errors(folder):
        training = prepare(plan, runtime, folder, options, begun)
        training.play(begun)
    runtime.barrier()
    return Run(folder)


def prepare(plan: Plan, runtime: Runtime, folder: Path, options: Options, begun: float) -> Training:
    """Everything that comes before the first step: measure, decide, write down."""
    progress = Progress(0, quiet=options.quiet or runtime.rank > 0)
    for line in plan.lines():
        progress.say(line)
    mode, choice = choose_mode(plan, options, runtime)
    progress.say(f"{choice.name} = {choice.value}: {choice.reason}")
    quality, judge = quality_of(plan, folder, runtime, options, fresh=True)
    planned, looks, length, stages = planned_samples(plan, runtime, mode, quality, begun)
    in_vain = vain_patience(options.patience, looks - 2)  # the first look always finds the best so far
    for warning in in_vain:
        progress.say(f"{warning.name} = {warning.value}: {warning.reason}")
    plan = replace(plan, choices=(*plan.choices, choice, judge, *length, *in_vain))
    training = assemble(plan, runtime, mode, planned, folder, quality, options, looks)
    training.stages = stages
    if runtime.rank == 0:
        write_records(training, mode, options)
        augmentation = plan.recipe.augmentation()
        if augmentation is not None and plan.data.codec.kind == "images":
            augmented_sheet(plan.data.train, augmentation, folder / "augmented.png")
        training.save()
        training.look(training.trainer)
    return training


def resume(
    run: str | Path,
    *,
    data: Source | None = None,
    recipe: str | None = None,
    budget: str | None = None,
    kimg: float | None = None,
    options: Options = Options(),
) -> Run:
    """Go on with a run from its last checkpoint.

    Args:
        run: its folder.
        data, recipe: if given, they must be those of the run.
        budget: more time to train, such as +10m; None to finish what was planned.
        kimg: more thousands of samples to see, instead.
        options: device, progress and TensorBoard, and rules for an early end that replace the run's; the
            rest is the run's own.

    Raises:
        RunError: if there is nothing to resume, or the run is complete and no more was asked for.
        DataError, RecipeError: if data or recipe are not those of the run.
    """
    old = Run(run)
    refuse_other_recipe(old, recipe)
    options = options_of(old, options)
    source, seed = source_of(old, data), old.facts["seed"]
    without = replace(options, start=None, freeze_d=0)  # its own checkpoint holds what it took
    plan = make_plan(source, exactly(old.recipe), kimg=1.0, seed=seed, options=without)
    plan = replace(plan, freeze_d=options.freeze_d, data=as_before(old, source, plan.data, options))
    refuse_other_data(old, plan)
    runtime = start(options.device)
    with locked(old.path, runtime.rank), disk_errors(old.path):
        go_on(old, plan, runtime, options, (budget, kimg))
    runtime.barrier()
    return Run(old.path)


def as_before(run: Run, source: Source, data: Dataset, options: Options) -> Dataset:
    """The data as the run encoded them: found anew, a mixture may differ with versions and machines."""
    if data.table is not None:
        return open_table(source, load_options(options, run.facts["seed"]), run.table)
    if data.series is not None:
        said = replace(options.series or SeriesOptions(), seed=run.facts["seed"])
        return open_series(source, said, run.series)
    if data.texts is not None:
        return open_words(source, options, run.facts["seed"], data.spec.kind, run.texts)
    return data


def go_on(
    old: Run, plan: Plan, runtime: Runtime, options: Options, more: tuple[str | None, float | None]
) -> None:
    """Train on from the last checkpoint, to what was planned and more."""
    mode = Mode(**old.facts["mode"])
    quality, _ = quality_of(replace(plan, kimg=old.facts["planned"] / 1000), old.path, runtime, options)
    before = old.facts["planned"]
    since = min(old.facts.get("seen", 0) / before, 1.0)
    planned = before + more_samples(plan, runtime, mode, quality, more, since)
    looks = old.facts.get("looks", LOOKS)
    training = assemble(plan, runtime, mode, planned, old.path, quality, options, looks)
    training.resume()
    if training.trainer.seen >= planned:
        raise RunError(f"{old.path} is complete ({planned:,} samples). Ask for more: --budget +10m")
    left = (planned - training.trainer.seen) // max(planned // looks, 1)
    for warning in vain_patience(options.patience, left - 1):
        training.progress.say(f"{warning.name} = {warning.value}: {warning.reason}")
    if runtime.rank == 0:
        rules = {"patience": options.patience, "stop_when": options.stop_when}
        update_facts(old.path, {"planned": planned, "options": old.facts["options"] | rules})
    training.play()


def options_of(run: Run, given: Options) -> Options:
    """A run's options, but for those that may change when it is resumed.

    A condition that ended the run holds already: whoever resumes it wants to go beyond, and may give another.
    """
    kept, stopped = options_from(run.facts["options"]), run.facts.get("stopped")
    met = stopped is not None and stopped["by"] == "stop_when"
    return replace(
        kept,
        device=given.device,
        quiet=given.quiet,
        tensorboard=given.tensorboard,
        patience=kept.patience if given.patience is None else given.patience,
        stop_when=given.stop_when or (None if met else kept.stop_when),
    )


def source_of(run: Run, data: Source | None) -> Source:
    """The data given, or those that the run was trained on.

    Raises:
        RunError: if these were an array in memory, or are not where they were.
    """
    source = run.facts["source"]
    if data is not None:
        return data
    if run.facts["in_memory"]:
        raise RunError(f"{run.path} was trained on {source}. Pass it again: resume(run, data=...).")
    if os.path.isabs(source) and not os.path.exists(source):
        raise RunError(
            f"the data of {run.path} are no longer in {source}. Name them: fit DATA --resume {run.path}"
        )
    return source


def refuse_parts(plan: Plan, runtime: Runtime, options: Options) -> None:
    """Raises a RecipeError if a batch cannot be cut into so many parts."""
    least, packed = fewest(plan.recipe) * runtime.world, plan.recipe.together
    most = plan.recipe.batch // least
    if most < 1:
        raise RecipeError(
            f"a batch of {plan.recipe.batch} is too small for {runtime.world} processes; at least {least} "
            "was expected. Pass a larger --batch, or start fewer."
        )
    if not 0 <= options.micro_batches <= most:
        raise RecipeError(
            f"--micro-batches is {options.micro_batches}; 1 to {most} were expected for a batch of "
            f"{plan.recipe.batch}{f' in packs of {packed}' if packed > 1 else ''} on {runtime.world} "
            "process(es), or 0 to choose."
        )


def refuse_shadow(plan: Plan, out: str | Path | None) -> None:
    """Raises a RunError if a named set would from then on mean the run's folder."""
    source = plan.data.source
    if out is not None and not Path(source).exists() and Path(source).absolute() == Path(out).absolute():
        raise RunError(
            f"--out {out} is the data set's own name, which would then mean this folder. Choose another, "
            f"such as runs/{source}."
        )


def in_memory(plan: Plan) -> bool:
    """Whether the data are an array, a table or texts that no path leads back to."""
    source = plan.data.source
    named = source.startswith(("an array", "a table")) or plan.data.texts is not None
    return named and not Path(source).expanduser().exists()


def refuse_other_recipe(run: Run, recipe: str | None) -> None:
    """Raises a RecipeError if a recipe is named that is not the run's."""
    if recipe is not None and recipe != run.facts["recipe"]:
        raise RecipeError(
            f"{run.path} was trained with recipe {run.facts['recipe']!r}, not {recipe!r}. Leave --recipe "
            "out, or start a new run with another --out."
        )


def refuse_other_data(run: Run, plan: Plan) -> None:
    """Raises a DataError if the data are not those that the run was trained on."""
    data, facts = plan.data, run.facts
    more = data.unlabelled_fingerprint, facts.get("unlabelled_fingerprint", "")
    own, other = (data.fingerprint, facts["fingerprint"]), facts["options"].get("unlabelled")
    for source, (now, then) in {data.source: own, other: more}.items():
        if now != then:
            raise DataError(
                f"the data in {source} are not those that {run.path} was trained on (files were added, "
                "removed or changed). Restore them, or start a new run with another --out."
            )


def assemble(
    plan: Plan,
    runtime: Runtime,
    mode: Mode,
    planned: int,
    folder: Path,
    quality: Judge,
    options: Options,
    looks: int = LOOKS,
) -> Training:
    """A training at its start, with everything that watches it."""
    trainer = make_trainer(plan, runtime, mode, planned)
    if runtime.world > 1:
        share_statistics(trainer.game, runtime.sum_over_ranks)
    journal = Journal(folder, tensorboard=options.tensorboard and runtime.rank == 0)
    progress = Progress(planned, quiet=options.quiet or runtime.rank > 0)
    training = Training(plan, trainer, folder, journal, progress, quality, looks, options)
    training.watch()
    return training


def quality_of(
    plan: Plan, folder: Path, runtime: Runtime, options: Options, *, fresh: bool = False
) -> tuple[Judge, Choice]:
    """What measures the run, and why that."""
    if plan.data.table is not None:
        from .watching.exam import Exam

        return Exam(plan.data, folder), Choice("features", Exam.by, "a table is judged by its rows")
    if plan.data.spec.kind in ("texts", "text_pairs"):
        from .watching.words import Reading

        reading = Reading(plan.data, folder, conditions(plan))
        return reading, Choice("features", reading.by, "texts are judged by what they say")
    features, judge = feature_network(plan, folder, runtime, fresh=fresh)
    making = None
    if plan.data.spec.kind == "captioned":
        from .watching.captions import FromCaptions, reader_of

        if runtime.rank == 0:
            reader_of(plan.data, folder, plan.budget_s, plan.kimg, fresh=fresh, quiet=options.quiet)
        runtime.barrier()
        reader = reader_of(plan.data, folder)
        making = lambda index: FromCaptions(plan.data, index, reader)
    degrade = plan.recipe.degradation(plan.data.spec)
    return Quality(plan.data, features, folder, conditions(plan), degrade, making), judge


def conditions(plan: Plan) -> int:
    """The number of classes a sampler can be asked for."""
    return plan.recipe.conditions(plan.data.spec)


def write_records(training: Training, mode: Mode, options: Options) -> None:
    """What was decided, on what, where: written before the first step."""
    plan, folder = training.plan, training.folder
    record = {"recipe": recipe_name(plan.recipe), "fields": plain(asdict(plan.recipe))}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
    given, table, series = training.quality.given_codec, plan.data.table, plan.data.series
    facts = {
        "recipe": record["recipe"],
        "source": lasting(plan.data.source),
        "in_memory": in_memory(plan),
        "fingerprint": plan.data.fingerprint,
        "unlabelled_fingerprint": plan.data.unlabelled_fingerprint,
        "spec": plain(asdict(plan.data.spec)),
        "codec": plan.data.codec.to_json(),
        "given_codec": None if given is None else given.to_json(),
        "table": None if table is None else plain(table.to_json()),
        "series": None if series is None else plain(series.to_json()),
        "texts": None if plan.data.texts is None else plain(plan.data.texts.to_json()),
        "sides": list(plan.data.sides or ("given", "made")),
        "notes": list(plan.data.notes),
        "seed": plan.seed,
        "options": asdict(options)
        | {
            name: lasting_or_none(getattr(options, name))
            for name in ("holdout", "start", "unlabelled", "spec")
        }
        | {"to": lasting_to(plan.data.source, options)},
        "mode": asdict(mode),
        "planned": training.trainer.settings.planned,
        "looks": training.planned_looks,
        "choices": [plain(asdict(c)) for c in plan.choices],
        "reference": training.quality.reference,
        "features": training.quality.by,
        "quality": training.quality.about(),
        "environment": environment({"world": training.trainer.runtime.world}),
    }
    write_json(folder / "run.json", facts)


def lasting_to(source: str, options: Options) -> str | None:
    """A side that lies in a folder or file of its own, wherever it is looked for; others by their names."""
    other = is_other_folder(source, Direction(options.side, options.to)) or is_other_file(source, options.to)
    return lasting_or_none(options.to) if other else options.to


def lasting_or_none(source: str | None) -> str | None:
    """The same of what may not have been given."""
    return source and lasting(source)


def lasting(source: str) -> str:
    """A path that means the same from every folder; the name of a set as it is."""
    return str(Path(source).resolve()) if Path(source).exists() else source


def plain(value: Any) -> Any:  # noqa: ANN401
    """The same with lists for tuples, as YAML and JSON know them."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value
