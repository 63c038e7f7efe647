"""Which recipe, with which settings: as asked for, chosen from the data, or as another run has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .data.spec import DataSpec
from .recipe import Choice, Recipe, make_recipe
from .run import Run
from .settings import resolve

Decide = Callable[[DataSpec, float | None], tuple[Recipe, list[Choice]]]
"""What settles the recipe once the data are known, and the seconds if time bounds the run, and says why."""


def exactly(recipe: Recipe, start: str | None = None) -> Decide:
    """This recipe; what it leaves at auto follows from the data, or its width from the run it starts from."""
    return lambda spec, budget_s: settled(recipe, spec, budget_s, start)


def settled(
    recipe: Recipe, spec: DataSpec, budget_s: float | None, start: str | None
) -> tuple[Recipe, list[Choice]]:
    """The recipe with what was left at auto, and why; networks as wide as those that they start from."""
    there = None if start is None else Run(start).recipe
    if there is None or type(there) is not type(recipe) or vars(recipe).get("width") != "auto":
        return resolve(recipe, spec, budget_s)
    width = Choice("width", vars(there)["width"], f"that of {start}")
    found, chosen = resolve(replace(recipe, **{width.name: width.value}), spec, budget_s)
    return found, [width, *chosen]


def by_name(
    name: str | None,
    preset: str | None = None,
    fields: Mapping[str, Any] | None = None,
    device: str = "auto",
    start: str | None = None,
) -> Decide:
    """A recipe by name, or chosen from the data; a preset by name, or chosen from the device.

    Args:
        name: None to choose.
        preset: None to choose.
        fields: values of the recipe's fields.
        device: where it is to be trained.
        start: folder of a run from which it starts; recipe and preset are chosen like it.
    """
    given = dict(fields or {})

    def decide(spec: DataSpec, budget_s: float | None) -> tuple[Recipe, list[Choice]]:
        if start is not None and preset is None and name in (None, Run(start).facts["recipe"]):
            recipe, chosen = like(start, given)
        else:
            chosen = [] if name else [choose_recipe(spec)]
            chosen += [] if preset else [choose_preset(device)]
            picked = {c.name: str(c.value) for c in chosen}
            recipe = make_recipe(name or picked["recipe"], given, preset or picked["preset"])
        if "batch" not in given and recipe.batch > spec.count:
            chosen.append(smaller_batch(recipe, spec))
            recipe = replace(recipe, batch=max(2, spec.count))
        recipe, more = settled(recipe, spec, budget_s, start)
        return recipe, [*chosen, *more]

    return decide


def like(start: str, given: Mapping[str, Any]) -> tuple[Recipe, list[Choice]]:
    """The recipe of a run with all of its settings but those that are given or that follow from data."""
    run = Run(start)
    name, there = run.facts["recipe"], vars(run.recipe)
    usual = vars(make_recipe(name, {}))
    kept = {key: value for key, value in there.items() if usual[key] != "auto" or key == "width"}
    chosen = Choice("recipe", name, f"that of {start}, with what it was trained with")
    return make_recipe(name, {**kept, **given}), [chosen]


def choose_recipe(spec: DataSpec) -> Choice:
    """The recipe for data of which nothing else is said."""
    if spec.kind == "vectors":
        return Choice("recipe", "mlp", "the data are rows of numbers")
    counts = spec.class_counts
    if len(counts) > 1 and min(counts) > 1:
        return Choice("recipe", "r3gan", f"the images have {len(counts)} classes")
    if len(counts) > 1:
        return Choice("recipe", "r3gan", "a class has a single image, so the labels are not used")
    return Choice("recipe", "r3gan", "the images have no labels")


def choose_preset(device: str) -> Choice:
    """A size that the hardware trains in minutes."""
    from .engine.runtime import best_device

    where = best_device() if device == "auto" else device
    if where.startswith("cpu"):
        return Choice("preset", "small", "there is no accelerator")
    return Choice("preset", "base", f"there is an accelerator ({where})")


def smaller_batch(recipe: Recipe, spec: DataSpec) -> Choice:
    """All the data at once, where they are fewer than the recipe's batch."""
    count = max(2, spec.count)
    return Choice("batch", count, f"there are {spec.count} training samples, fewer than {recipe.batch}")
