"""Which recipe, with which settings: as asked for, chosen from the data, or as another run has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .augment import ada, diffaugment
from .data.spec import DataSpec
from .errors import RecipeError
from .recipe import RECIPES, Choice, Recipe, make_recipe, recipe_class, recipe_name
from .run import Run
from .settings import resolve
from .transfer import start_from

WORDED = {
    "texts": ("lm", "the data are texts; seqgan and relgan play against it"),
    "text_pairs": ("seq2seq_gan", "the data are texts made of others"),
    "captioned": ("dfgan", "the pictures have captions"),
}
"""By kind of data: the recipe, and why."""
Settle = Callable[[DataSpec, float | None], tuple[Recipe, list[Choice]]]


@dataclass(frozen=True)
class Decide:
    """What settles the recipe once the data are known, and the seconds if time bounds the run, and says why.

    Attributes:
        settle: does it.
        kinds: of data that the recipe takes; None if it is chosen from the data.
    """

    settle: Settle
    kinds: tuple[str, ...] | None = None

    def __call__(self, spec: DataSpec, budget_s: float | None) -> tuple[Recipe, list[Choice]]:
        """The recipe, and why it is as it is."""
        return self.settle(spec, budget_s)


def exactly(recipe: Recipe, start: str | None = None) -> Decide:
    """This recipe; what it leaves at auto follows from the data, or its width from the run it starts from."""

    def decide(spec: DataSpec, budget_s: float | None) -> tuple[Recipe, list[Choice]]:
        found, chosen = settled(recipe, spec, budget_s, start)
        refuse_idle_changes(recipe, found)
        return found, chosen

    return Decide(decide, kinds_taken(type(recipe), vars(recipe)))


def settled(
    recipe: Recipe, spec: DataSpec, budget_s: float | None, start: str | None
) -> tuple[Recipe, list[Choice]]:
    """The recipe with what was left at auto, and why; networks as wide as those that they start from."""
    if spec.kind not in recipe.kinds:
        raise RecipeError(
            f"recipe {recipe_name(recipe)!r} takes {' or '.join(recipe.kinds)}, the data are {spec.kind}. "
            "Choose another: tenfold recipes"
        )
    run = None if start is None else Run(start)
    if run is None or type(run.recipe) is not type(recipe) or vars(recipe).get("width") != "auto":
        return resolve(recipe, spec, budget_s)
    width = Choice("width", fitting_width(run, recipe, spec), f"most of {start} fits")
    found, chosen = resolve(with_width(recipe, width.value), spec, budget_s)
    return found, [width, *chosen]


def refuse_idle(recipe: Recipe, found: Recipe) -> None:
    """Raises a RecipeError if a setting was given that changes nothing, as the others were found."""
    refuse_idle_changes(recipe, found)
    if recipe.augment_most != "auto" and found.augment != "ada":
        raise RecipeError(
            f"--augment-most {recipe.augment_most} is for ada, and the augmentation is {found.augment}. "
            "Leave it out, or set --augment ada."
        )


def refuse_idle_changes(recipe: Recipe, found: Recipe) -> None:
    """Raises a RecipeError if it was asked to leave out a change that augmentation does not do."""
    if recipe.without == type(recipe).without:  # the default: nobody asked
        return
    augment = found.augment
    has = {"ada": ada.CHANGES, "diffaugment": diffaugment.CHANGES}.get(augment, ())
    for name in recipe.without:
        if name not in has:
            raise RecipeError(
                f"--without {name} leaves out what {augment if has else 'no'} augmentation does. "
                + (f"It does: {', '.join(has)}." if has else "Leave it out, or set --augment.")
            )


def with_width(recipe: Recipe, width: int) -> Recipe:
    """The same, so wide."""
    changed: Mapping[str, Any] = {"width": width}  # which fields there are only a recipe knows
    return replace(recipe, **changed)


def fitting_width(run: Run, recipe: Recipe, spec: DataSpec) -> int:
    """The width at which most of a run fits: its own, or for pictures of another size perhaps another."""
    there = vars(run.recipe)["width"]
    if run.spec.shape == spec.shape or run.spec.shape[:1] != spec.shape[:1]:
        return there

    def share(width: int) -> float:
        game = resolve(with_width(recipe, width), spec)[0].build(spec).game
        return min(taken.taken / taken.whole for taken in start_from(run, game, spec))

    return max([there, *(w for w in (there // 4, there // 2, 2 * there, 4 * there) if w)], key=share)


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
            recipe, chosen = like(start, given, spec)
        else:
            chosen = [] if name else [choose_recipe(spec)]
            chosen += [] if preset else [choose_preset(device)]
            picked = {c.name: str(c.value) for c in chosen}
            recipe = make_recipe(name or picked["recipe"], given, preset or picked["preset"])
        if "batch" not in given and recipe.batch > spec.count:
            chosen.append(smaller_batch(recipe, spec))
            recipe = replace(recipe, batch=max(2, spec.count))
        found, more = settled(recipe, spec, budget_s, start)
        refuse_idle(recipe, found)
        return found, [*chosen, *more]

    run = None if start is None else Run(start)
    known = name or (None if run is None else run.facts["recipe"])
    if known is None:
        return Decide(decide)
    kept = vars(run.recipe) if run is not None and run.facts["recipe"] == known and preset is None else {}
    return Decide(decide, kinds_taken(recipe_class(known), {**kept, **given}))


def kinds_taken(cls: type[Recipe], settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of data that a recipe takes; single pictures alone, if it is said what to put back in them."""
    return cls.kinds if settings.get("task", "none") == "none" else ("images",)


def like(start: str, given: Mapping[str, Any], spec: DataSpec) -> tuple[Recipe, list[Choice]]:
    """The recipe of a run with all of its settings but those that are given or that follow from data."""
    run = Run(start)
    name, there = run.facts["recipe"], vars(run.recipe)
    usual = vars(make_recipe(name, {}))
    cut = {choice["name"] for choice in run.facts["choices"]} & {"batch"}  # there, for want of samples
    kept = {key: value for key, value in there.items() if usual[key] != "auto" or key == "width"}
    kept = {key: value for key, value in kept.items() if key not in {*given, *cut}}
    recipe = make_recipe(name, {**kept, **given})
    width = fitting_width(run, recipe, spec) if "width" in kept else None
    more: list[Choice] = []
    if width is not None and width != there["width"]:
        recipe, more = with_width(recipe, width), [Choice("width", width, f"most of {start} fits")]
    found = vars(recipe)
    said = [f"{key} {found[key]}" for key in kept if there[key] == found[key] != usual[key]]
    words = f", with its {', '.join(said)}" if said else ""
    return recipe, [Choice("recipe", name, f"that of {start}{words}"), *more]


def recipes_for(kinds: Collection[str], classes: int) -> list[str]:
    """Names of all recipes that can learn from such data, in the order of the alphabet.

    Args:
        kinds: what the data can be taken for.
        classes: how many there are.
    """
    from . import recipes  # noqa: F401  (registers them)

    fit = {name: cls for name, cls in sorted(RECIPES.items()) if {*cls.kinds} & {*kinds}}
    return [name for name, cls in fit.items() if classes > 1 or cls.conditional != "always"]


def choose_recipe(spec: DataSpec) -> Choice:
    """The recipe for data of which nothing else is said."""
    if spec.kind == "vectors":
        return Choice("recipe", "mlp", "the data are rows of numbers")
    if spec.kind == "table":
        return Choice("recipe", "tabular", "the data are a table")
    if spec.kind in WORDED:
        return Choice("recipe", *WORDED[spec.kind])
    if spec.kind == "series":
        return Choice("recipe", "series", "the data are series")
    if spec.kind == "pairs":
        return Choice("recipe", "pix2pix", "every picture has a partner")
    if spec.kind == "unpaired":
        return Choice("recipe", "cut", "the pictures of both sides are not paired")
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
