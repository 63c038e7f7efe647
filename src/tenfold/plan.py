"""What a run would do: every choice, with its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from .budget import choose_length
from .choosing import Decide
from .data import Dataset, LoadOptions, open_data
from .data.notes import LEAST
from .data.pairing import Direction, sides_within
from .data.series.opening import open_series
from .data.series.schema import SeriesOptions
from .data.sides import open_sides, open_undirected
from .data.spec import DataSpec
from .data.table.frames import is_table
from .data.table.opening import open_table
from .data.unlabelled import with_unlabelled
from .errors import DataError, RecipeError, suggest
from .guessing import with_guesses
from .recipe import Choice, Recipe, recipe_name
from .run import Run
from .settings import FEW
from .transfer import freeze, refuse_unfit, refuse_unlike, start_from
from .watching.stopping import (
    check_rules,
    refuse_unlogged,
    refuse_without_critic,
    refuse_without_holdout,
    refuse_without_pairs,
)

KNOWN = {
    "precision": ("auto", "fp32", "bf16"),
    "memory_format": ("auto", "contiguous", "channels_last"),
}


Source = Any
"""A path, the name of a set, an array, or a frame of pandas or polars (which need not be installed)."""


@dataclass(frozen=True)
class Options:
    """How to run, whatever the recipe.

    Attributes:
        device: auto (cuda, else mps, else cpu) or a name.
        precision: of matrix products and convolutions; auto measures bf16 where the hardware has it.
        memory_format: of pictures; auto measures.
        micro_batches: parts in which a batch is processed to save memory; 0 for as many as are needed.
        size: longest side to which pictures are resized.
        holdout: a folder of samples to judge by, instead of a part of the data.
        group: metadata column whose groups are never split between training and hold-out.
        unlabelled: a folder of samples without labels, to be learnt from, too.
        skip_bad: leave out files that cannot be read.
        patience: looks in a row without a better sampler after which the run ends; None for no such end. The
            first look is always the best and the last ends the run, so that it acts up to two less than there
            are looks.
        stop_when: what is good enough to end the run, such as `kernel_distance<0.01`, or `psnr>25` where
            every picture that is made has one that it should be; the whole error bar
            must be beyond the limit.
        start: folder of another run, from whose weights this one starts.
        freeze_d: layers of the discriminator, the closest to the picture, that then stay as they are.
        side: name of what is translated: a sub-folder, a column of a table, left or right.
        to: name of what it is translated into, or the folder of these pictures.
        target: column of a table that is to be predicted from the others.
        spec: file that says what the columns of a table are.
        series: what the columns of series are, and what becomes of gaps and long ones.
        tensorboard: also write TensorBoard events.
        quiet: no progress line.
    """

    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    micro_batches: int = 0
    size: int | None = None
    holdout: str | None = None
    group: str | None = None
    unlabelled: str | None = None
    skip_bad: bool = False
    patience: int | None = None
    stop_when: str | None = None
    start: str | None = None
    freeze_d: int = 0
    side: str | None = None
    to: str | None = None
    target: str | None = None
    spec: str | None = None
    series: SeriesOptions | None = None
    tensorboard: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Raises a RecipeError if a value is unknown or can never be."""
        check_rules(self.patience, self.stop_when)
        if self.freeze_d and self.start is None:
            raise RecipeError(
                f"--freeze-d {self.freeze_d} keeps layers of another run, and there is none. Name it: --from."
            )
        for name, known in KNOWN.items():
            if (found := getattr(self, name)) not in known:
                raise RecipeError(f"{name} is {found!r}. {suggest(str(found), known)}")


def options_from(fields: Mapping[str, Any]) -> Options:
    """The options that a run's record holds."""
    series = fields.get("series")
    return Options(**{**fields, "series": None if series is None else SeriesOptions.from_json(series)})


@dataclass(frozen=True)
class Plan:
    """Everything decided before a run.

    Attributes:
        data: the opened data.
        recipe: what is trained.
        budget_s: seconds the run may take, or None.
        kimg: thousands of samples it shall see, or None.
        seed: everything random derives from it.
        choices: what was decided, and why.
        start: folder of the run from whose weights it starts, if any.
        freeze_d: layers of the discriminator that then stay as they are.
    """

    data: Dataset
    recipe: Recipe
    budget_s: float | None
    kimg: float | None
    seed: int
    choices: tuple[Choice, ...]
    start: str | None = None
    freeze_d: int = 0

    def lines(self) -> list[str]:
        """For the terminal: a line per choice, then what was said of the data."""
        return [f"{c.name} = {c.value}: {c.reason}" for c in self.choices] + list(self.data.notes)

    def to_json(self) -> dict[str, Any]:
        """The same as one object."""
        return {
            "data": {**asdict(self.data.spec), "source": self.data.source, "notes": list(self.data.notes)},
            "recipe": recipe_name(self.recipe),
            "fields": asdict(self.recipe),
            "budget_s": self.budget_s,
            "kimg": self.kimg,
            "seed": self.seed,
            "choices": [asdict(c) for c in self.choices],
        }


def make_plan(
    data: Source,
    decide: Decide,
    *,
    budget: str | None = None,
    kimg: float | None = None,
    seed: int = 0,
    options: Options = Options(),
) -> Plan:
    """Decide everything that can be decided before training.

    Args:
        data: a folder, file, named set or array.
        decide: settles the recipe.
        budget: time, as 40s, 10m or 2h.
        kimg: thousands of samples to see, instead of a time.
        seed: everything random derives from it.
        options: how to run.

    Raises:
        DataError, RecipeError: if something does not fit; the message says what to do.
    """
    seconds, thousands, time = choose_length(budget, kimg)
    dataset, seen = opened(data, options, seed, decide.kinds)
    recipe, chosen = decide(seen, seconds)
    check_fit(recipe, seen)
    refuse_unlabelled(recipe, dataset)
    dataset = with_guesses(dataset) if recipe.conditions(dataset.spec) else dataset
    with torch.device("meta"):  # without numbers: what a recipe refuses is refused here, and quickly
        game = recipe.build(dataset.spec).game
    refuse_rules(options, recipe, dataset, has_critic=game.critic() is not None)
    chosen += few(recipe, seen, options.start)
    taken = what_is_taken(options.start, options.freeze_d, recipe, dataset.spec)
    decided = (*chosen, *taken, time)
    return Plan(dataset, recipe, seconds, thousands, seed, decided, options.start, options.freeze_d)


def refuse_rules(options: Options, recipe: Recipe, dataset: Dataset, *, has_critic: bool) -> None:
    """Raises an error if a rule for an early end asks for a number that this run has not."""
    if dataset.holdout is None:
        refuse_without_holdout(options.patience, options.stop_when)
    refuse_unlogged(options.stop_when, dataset.table is not None)
    if not has_critic:
        refuse_without_critic(options.stop_when, recipe_name(recipe))
    if dataset.spec.kind != "pairs" and recipe.degradation(dataset.spec) is None:
        refuse_without_pairs(options.stop_when)


def opened(
    data: Source, options: Options, seed: int, kinds: Collection[str] | None
) -> tuple[Dataset, DataSpec]:
    """The data, and what is learnt from: more than what has labels, if there are unlabelled samples."""
    how = load_options(options, seed)
    series = options.series is not None or "series" in (kinds or ())
    if not series and (is_table(data) or is_array_of_rows(data, kinds)):
        dataset = open_table(data, how)
        refuse_few(dataset, options.holdout)
        return dataset, dataset.spec
    refuse_table_options(options)
    if series:
        refuse_unread(options)
        dataset = open_series(data, replace(options.series or SeriesOptions(), seed=seed))
        refuse_few(dataset, None)
        return dataset, dataset.spec
    direction = direction_of(data, options, kinds)
    if direction is None or isinstance(data, np.ndarray):
        dataset = open_undirected(data, how) if kinds is None else open_data(data, how)
    else:
        dataset = open_sides(data, direction, how)
    if options.unlabelled is not None and dataset.given is not None:
        raise RecipeError("samples of --unlabelled have no other side to learn from. Leave it out.")
    if options.unlabelled is not None:
        dataset = with_unlabelled(dataset, options.unlabelled, skip_bad=options.skip_bad)
    refuse_few(dataset, options.holdout)
    more = 0 if dataset.unlabelled is None else len(dataset.unlabelled)
    return dataset, replace(dataset.spec, count=dataset.spec.count + more)


def refuse_unread(options: Options) -> None:
    """Raises a RecipeError if something is asked for that is not read of series."""
    for name in ("holdout", "group", "unlabelled"):
        if getattr(options, name) is not None:
            raise RecipeError(f"--{name} is not read of series: a part of them is held out. Leave it out.")


def is_array_of_rows(data: Source, kinds: Collection[str] | None) -> bool:
    """Whether data are a plain array that the recipe takes for a table."""
    return isinstance(data, np.ndarray) and data.ndim == 2 and "table" in (kinds or ())


def refuse_table_options(options: Options) -> None:
    """Raises a RecipeError if something is said of a table's columns where there is no table."""
    for name in ("target", "spec"):
        if (found := getattr(options, name)) is not None:
            raise RecipeError(
                f"--{name} {found} is about the columns of a table, and the data are none. Leave it out."
            )


def direction_of(data: Source, options: Options, kinds: Collection[str] | None) -> Direction | None:
    """What shall be translated into what, if anything.

    Args:
        data: where the pictures are.
        options: which may name the sides.
        kinds: of data that the recipe takes; None if it is not known yet.

    Raises:
        RecipeError: sides are named for a recipe that takes none, or of an array.
    """
    named, takes = options.side is not None or options.to is not None, {*(kinds or ())}
    two_sided = {"pairs", "unpaired"} & takes
    if named and kinds is not None and not two_sided:
        raise RecipeError(
            f"--from and --to name two sides of pictures, and the recipe takes {' or '.join(kinds)}. Leave "
            "them out, or choose another: tenfold recipes"
        )
    if named and isinstance(data, np.ndarray):
        raise RecipeError("--from and --to name two sides of pictures, and an array has one. Give folders.")
    if not named and (not two_sided or ("images" in takes and not sides_within(data))):
        return None
    return Direction(options.side, options.to, None if kinds is None else "pairs" in takes)


def few(recipe: Recipe, spec: DataSpec, start: str | None) -> list[Choice]:
    """A warning where there are very few images."""
    if not spec.pictures or spec.count >= FEW:
        return []
    known = "" if start else "; start from a run on others like them, if there is one (--from)"
    return [Choice("images", spec.count, f"very few: look for copies of them among samples{known}")]


def what_is_taken(start: str | None, freeze_d: int, recipe: Recipe, spec: DataSpec) -> list[Choice]:
    """What the new networks take from another run, if there is one, and what of it stays.

    Raises:
        RunError: it is of another recipe, or nothing fits.
        RecipeError: the recipe has no discriminator to freeze.
    """
    if start is None:
        return []
    game = recipe.build(spec).game
    run = Run(start)
    refuse_unlike(run, recipe, spec)
    taken = start_from(run, game, spec)
    refuse_unfit(run, taken)
    found = [Choice("from", start, each.words) for each in taken]
    if not freeze_d:
        return found
    if "D" not in game.players():
        raise RecipeError(f"recipe {recipe_name(recipe)!r} has no discriminator. Leave --freeze-d out.")
    if recipe.sees_through:
        raise RecipeError(
            f"the discriminator of {recipe_name(recipe)!r} sees pictures through a network that never "
            "learns: what is closest to the picture is frozen already. Leave --freeze-d out."
        )
    frozen = freeze(game.players()["D"], freeze_d)
    return [*found, Choice("freeze_d", freeze_d, f"asked for: {', '.join(frozen)} stay as they are")]


def load_options(options: Options, seed: int) -> LoadOptions:
    """The part of the options that says how data are read.

    Raises:
        RecipeError: if there is no such seed.
    """
    if seed < 0:
        raise RecipeError(f"--seed is {seed}; 0 or more was expected. Any such number will do.")
    return LoadOptions(
        size=options.size,
        holdout=options.holdout,
        group=options.group,
        skip_bad=options.skip_bad,
        target=options.target,
        spec=options.spec,
        seed=seed,
    )


def refuse_few(dataset: Dataset, given: str | None) -> None:
    """Raises a DataError if there are too few samples to measure quality by; a hold-out may be given."""
    if dataset.spec.count < LEAST:
        raise DataError(
            f"the data have {dataset.spec.count} training samples; at least {LEAST} were expected, or "
            "nothing can be said of the quality of what is made. Add some."
        )
    if dataset.holdout is None or len(dataset.holdout) >= LEAST:
        return
    what_to_do = (
        "Add some, or leave --holdout out."
        if given
        else "No more fit beside a sample of each class and whole groups to train on: leave --group out, or "
        "give samples of your own with --holdout DIR."
    )
    raise DataError(
        f"the hold-out has {len(dataset.holdout)} samples; at least {LEAST} were expected, to judge by. "
        + what_to_do
    )


def check_fit(recipe: Recipe, spec: DataSpec) -> None:
    """Refuse data that a recipe cannot learn from.

    Raises:
        RecipeError: kind of data, or classes, do not suit the recipe or a value of its fields.
        DataError: there are fewer samples than a batch holds.
    """
    name = recipe_name(recipe)
    refuse_images_only(recipe, spec)
    if recipe.augment not in recipe.augments:
        raise RecipeError(
            f"recipe {name!r} cannot be trained with --augment {recipe.augment}. Choose "
            f"{' or '.join(recipe.augments)}."
        )
    if recipe.conditional == "always" and len(spec.classes) < 2:
        found = f"one class ({spec.classes[0]})" if spec.classes else "no labels"
        raise RecipeError(
            f"recipe {name!r} needs at least two classes, the data have {found}. Put each class in a folder "
            "of its own, or use an unconditional recipe: --recipe dcgan"
        )
    if recipe.conditional == "always" and min(spec.class_counts) < 2:
        lone = spec.classes[int(np.argmin(spec.class_counts))]
        raise RecipeError(
            f"class {lone!r} has a single training image; recipe {name!r} needs at least two of each. Add "
            "some, remove the class, or use an unconditional recipe: --recipe dcgan"
        )
    if recipe.batch > spec.count:
        raise DataError(
            f"a batch of {recipe.batch} is larger than the data, which have {spec.count} training samples. "
            f"Pass --batch {max(1, spec.count // 2)} or less."
        )


def refuse_unlabelled(recipe: Recipe, dataset: Dataset) -> None:
    """Raises a RecipeError if there are samples without labels and the recipe needs one of each."""
    if dataset.unlabelled is not None and recipe.conditions(dataset.spec) and not recipe.partly_labelled:
        raise RecipeError(
            f"recipe {recipe_name(recipe)!r} needs the label of every sample, and those of --unlabelled have "
            "none. Leave them out, or use --recipe r3gan."
        )


def refuse_images_only(recipe: Recipe, spec: DataSpec) -> None:
    """Raises a RecipeError if a field has a value that does not work on rows of numbers."""
    for name, value in recipe.images_only.items():
        if not spec.pictures and getattr(recipe, name) in value:
            raise RecipeError(
                f"{name} {getattr(recipe, name)!r}, which works on images; the data are {spec.kind}. Choose "
                f"another --{name}, or a --preset without it."
            )
