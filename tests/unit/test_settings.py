"""Settings that follow from the data: every rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.data.spec import DataSpec
from tenfold.recipe import RECIPES, make_recipe
from tenfold.settings import resolve


def spec(count: int = 1000, side: int = 32, kind: str = "images") -> DataSpec:
    return DataSpec(kind, (3, side, side) if kind == "images" else (5,), count)


def settled(name: str, data: DataSpec, **values: object) -> dict[str, object]:
    recipe, choices = resolve(make_recipe(name, values), data)
    assert all(choice.reason for choice in choices)
    assert {c.name: c.value for c in choices}.items() <= vars(recipe).items()
    return vars(recipe)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_nothing_stays_at_auto(name):
    kind = "images" if "images" in RECIPES[name].kinds else "vectors"
    recipe, _ = resolve(make_recipe(name, {}), spec(kind=kind))
    assert "auto" not in vars(recipe).values()
    assert resolve(recipe, spec(count=10**6, kind=kind)) == (recipe, [])


@pytest.mark.parametrize(
    ("count", "augment", "most", "lecam"),
    [
        (99, "diffaugment", 0.8, 0.05),
        (100, "ada", 0.8, 0.05),
        (2_000, "ada", 0.8, 0.05),
        (2_001, "ada", 0.8, 0.0),
        (30_000, "ada", 0.8, 0.0),
        (30_001, "ada", 0.2, 0.0),
        (70_000, "ada", 0.2, 0.0),
        (70_001, "none", 0.2, 0.0),
    ],
)
def test_augmentation_by_the_number_of_images(count, augment, most, lecam):
    found = settled("r3gan", spec(count))
    assert (found["augment"], found["augment_most"], found["lecam"]) == (augment, most, lecam)


@pytest.mark.parametrize(
    ("classes", "side", "augment"),
    [((), 28, "diffaugment"), ((), 17, "diffaugment"), ((), 16, "ada"), (("a", "b"), 28, "ada")],
)
def test_augmentation_of_very_few_images(classes, side, augment):
    data = replace(spec(20, side=side), classes=classes, class_counts=(10,) * len(classes))
    assert settled("r3gan", data)["augment"] == augment


@pytest.mark.parametrize(
    ("side", "width"), [(8, 96), (16, 96), (28, 48), (32, 48), (64, 24), (128, 24), (256, 24)]
)
def test_width_by_size(side, width):
    assert settled("r3gan", spec(side=side))["width"] == width


@pytest.mark.parametrize(
    ("side", "budget_s", "width"),
    [(32, 600, 48), (32, 200, 32), (32, 3600, 72), (32, 16 * 600, 96), (64, 200, 24), (64, 16 * 600, 48)],
)
def test_width_by_time(side, budget_s, width):
    recipe, _ = resolve(make_recipe("r3gan", {}), spec(side=side), budget_s)
    assert vars(recipe)["width"] == width


@pytest.mark.parametrize(("side", "penalty"), [(32, 0.384), (64, 1.536), (256, 24.576)])
def test_the_weight_starts_by_size_and_is_then_measured(side, penalty):
    found = settled("r3gan", spec(side=side))
    assert (found["penalty"], found["calibrate"]) == (penalty, True)


@pytest.mark.parametrize(("side", "batch", "penalty"), [(32, 32, 0.0064), (256, 16, 0.8192)])
def test_r1_alone_goes_by_pixels_and_batch(side, batch, penalty):
    assert settled("stylegan2", spec(side=side), batch=batch)["penalty"] == pytest.approx(penalty)


@pytest.mark.parametrize("values", [{"network": "residual"}, {"network": "residual", "latent": 8}])
def test_networks_that_narrow_by_themselves_get_one_width(values):
    assert settled("r3gan", spec(side=256), **values)["width"] == 128
    assert settled("stylegan2", spec(side=256))["width"] == 128


def test_the_average_reaches_as_many_steps_back_whatever_the_batch():
    assert settled("r3gan", spec(), batch=32)["half_life_kimg"] == pytest.approx(10, rel=0.01)
    assert settled("r3gan", spec(), batch=64)["half_life_kimg"] == pytest.approx(20, rel=0.01)
    assert settled("r3gan", spec(), half_life_kimg=3.0)["half_life_kimg"] == 3.0


def test_what_is_given_stays():
    found = settled("r3gan", spec(), penalty=3.0, augment="none", width=7, lecam=0.5)
    assert (found["penalty"], found["calibrate"]) == (3.0, False)
    assert (found["augment"], found["width"], found["lecam"]) == ("none", 7, 0.5)
    assert settled("r3gan", spec(), penalty=3.0, calibrate=True)["calibrate"] is True


def test_a_setting_that_plays_no_part_is_not_spoken_of():
    _, choices = resolve(make_recipe("dcgan", {}), spec())
    assert choices == []
