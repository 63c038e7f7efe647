"""What is decided before a run, and what is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.choosing import by_name, choose_recipe, exactly
from tenfold.data.spec import DataSpec
from tenfold.errors import DataError, RecipeError
from tenfold.options import Options
from tenfold.plan import make_plan
from tenfold.recipe import RECIPES, make_recipe

ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
ROWS_ARE = {"vectors", "table", "series"}
"""What an array of rows may be taken for."""


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8), np.uint8)


@pytest.mark.parametrize(("preset", "count", "batch"), [("small", 60, 60), ("tiny", 7, 7), ("tiny", 60, 8)])
def test_a_batch_that_nobody_asked_for_is_no_larger_than_the_data(
    preset: str, count: int, batch: int
) -> None:
    plan = make_plan(pictures(count), by_name("dcgan", preset, {"latent": 5}), kimg=1)
    assert (plan.recipe.batch, plan.recipe.latent) == (batch, 5)  # pyright: ignore[reportAttributeAccessIssue]
    said = [c for c in plan.choices if c.name == "batch"]
    assert [(c.value, f"{count} training samples" in c.reason) for c in said] == (
        [(count, True)] if batch == count else []
    )


@pytest.mark.parametrize(
    "decide", [by_name("dcgan", "tiny", {"batch": 64}), exactly(make_recipe("dcgan", {}))]
)
def test_a_batch_that_was_asked_for_is_kept_or_refused(decide) -> None:
    assert make_plan(pictures(64), decide, kimg=1).recipe.batch == 64
    with pytest.raises(DataError, match=r"a batch of 64 is larger.*60 training.*--batch 30"):
        make_plan(pictures(60), decide, kimg=1)


def test_a_seed_below_zero_is_refused() -> None:
    with pytest.raises(RecipeError, match="--seed is -1; 0 or more"):
        make_plan(pictures(200), by_name("dcgan"), kimg=1, seed=-1)


@pytest.mark.parametrize(
    ("preset", "fields", "message"),
    [
        ("conv", {}, r"discriminator 'conv', which works on images; the data are vectors.*--discriminator"),
        ("tiny", {"augment": "diffaugment"}, r"augment 'diffaugment', which works on images"),
    ],
)
def test_what_works_on_images_is_refused_for_vectors(preset, fields, message) -> None:
    assert make_plan(pictures(60), by_name("mlp", preset, fields), kimg=1)
    with pytest.raises(RecipeError, match=message):
        make_plan(ROWS, by_name("mlp", preset, fields), kimg=1)


def test_fewer_samples_than_quality_can_be_measured_on_are_refused(tmp_path: Path) -> None:
    decide = by_name("dcgan", "tiny")
    with pytest.raises(DataError, match="have 5 training samples; at least 6"):
        make_plan(pictures(5), decide, kimg=1)
    assert make_plan(pictures(6), decide, kimg=1).recipe.batch == 6
    np.save(tmp_path / "held.npy", pictures(5))
    with pytest.raises(DataError, match=r"hold-out has 5 samples; at least 6.*leave --holdout out"):
        make_plan(pictures(60), decide, kimg=1, options=Options(holdout=str(tmp_path / "held.npy")))
    np.save(tmp_path / "enough.npy", pictures(6))
    assert make_plan(pictures(60), decide, kimg=1, options=Options(holdout=str(tmp_path / "enough.npy")))


@pytest.mark.parametrize("classes", [(), ("a", "b")])
def test_pictures_are_given_to_r3gan(classes: tuple[str, ...]) -> None:
    chosen = choose_recipe(DataSpec("images", (1, 8, 8), 40, classes, tuple(20 for _ in classes)))
    assert (chosen.value, "2 classes" in chosen.reason) == ("r3gan", bool(classes))


def test_very_few_images_are_warned_of_whatever_the_recipe() -> None:
    for recipe in ("dcgan", "r3gan"):
        plan = make_plan(pictures(110), by_name(recipe, "tiny"), kimg=1)
        (said,) = [c.reason for c in plan.choices if c.name == "images"]
        assert "very few" in said and "--from" in said
    plan = make_plan(pictures(150), by_name("dcgan", "tiny"), kimg=1)
    assert not [c for c in plan.choices if c.name == "images"]


IDLE = [
    ("r3gan", {"augment": "none", "without": ("hue",)}, "--without hue leaves out what no augmentation does"),
    (
        "r3gan",
        {"augment": "diffaugment", "without": ("mirror",)},
        "--without mirror .* diffaugment .*: brightness",
    ),
    ("r3gan", {"augment": "ada", "without": ("cutout",)}, "--without cutout .* what ada .*: mirror"),
    ("r3gan", {"augment": "diffaugment", "augment_most": 0.3}, "--augment-most 0.3 is for ada"),
    ("r3gan", {"transition": 0.5}, "transition fades in classes, and there are none"),
    ("r3gan", {"penalty": 0.0, "calibrate": True}, "calibrate steers the weight"),
    ("r3gan", {"augment": "none", "consistency": 1.0}, "consistency compares"),
    ("pix2pix", {"task": "colour"}, "--task colour puts back colour, and these pictures are grey"),
]


@pytest.mark.parametrize(("recipe", "values", "message"), IDLE)
def test_settings_that_would_change_nothing_are_refused(recipe: str, values: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make_plan(pictures(60), by_name(recipe, "tiny", values), kimg=1)


OF_PICTURES = [n for n, cls in RECIPES.items() if {"images", "pairs", "unpaired"} & {*cls.kinds}]


@pytest.mark.parametrize("recipe", sorted(n for n in OF_PICTURES if "vectors" not in RECIPES[n].kinds))
def test_rows_of_numbers_are_refused_by_recipes_for_pictures(recipe: str) -> None:
    takes = " or ".join(RECIPES[recipe].kinds)
    with pytest.raises(RecipeError, match=f"recipe '{recipe}' takes {takes}, the data are vectors"):
        make_plan(ROWS, by_name(recipe, "small"), kimg=1)


def test_a_single_sample_leaves_the_batch_to_the_refusal() -> None:
    recipe, _ = by_name("dcgan", "tiny")(DataSpec("images", (1, 8, 8), 1), None)
    assert recipe.batch == 2


def test_holes_are_refused_where_pictures_are_transparent_themselves() -> None:
    values = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 4), np.uint8)
    decide = by_name("pix2pix", "tiny", {"task": "holes"})
    with pytest.raises(RecipeError, match=r"--task holes .* have their own opacity"):
        make_plan(values, decide, kimg=1)
    assert make_plan(values[..., :3], decide, kimg=1)
