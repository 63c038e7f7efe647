"""What a run would do: every choice, with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
import torch

from .budget import choose_length
from .choosing import Decide
from .data import Dataset
from .data.spec import DataSpec
from .errors import DataError, RecipeError
from .guessing import with_guesses
from .opening import opened
from .options import Options, Source
from .recipe import Choice, Recipe, recipe_name
from .run import Run
from .settings import FEW
from .transfer import freeze, refuse_unfit, refuse_unlike, start_from
from .watching.stopping import (
    refuse_unlogged,
    refuse_without_critic,
    refuse_without_holdout,
    refuse_without_pairs,
)


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

    @property
    def most_samples(self) -> int | None:
        """Samples that a time is planned to at most, whole batches; None if there is no bound.

        Numbers with a place of their own hear only a critic; of these alone, nothing is learnt by heart so
        soon.
        """
        if self.recipe.by_heart is None or all(cell.scalar for cell in self.data.spec.cells):
            return None
        passes, least = self.recipe.by_heart
        return ceil(max(passes * len(self.data.train), least) / self.recipe.batch) * self.recipe.batch

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
    refuse_unlogged(options.stop_when, dataset.spec.kind)
    if not has_critic:
        refuse_without_critic(options.stop_when, recipe_name(recipe))
    if dataset.spec.kind != "pairs" and recipe.degradation(dataset.spec) is None:
        refuse_without_pairs(options.stop_when)


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
