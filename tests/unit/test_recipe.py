"""Recipes: names, fields, presets, and what is chosen from the data."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch

import tenfold.recipes  # noqa: F401  (registers them)
from tenfold.augment.diffaugment import DiffAugment
from tenfold.data.series.layout import SeriesLayout
from tenfold.data.spec import Cell, DataSpec
from tenfold.data.texts.layout import TextLayout
from tenfold.draw import Draw
from tenfold.engine.schedule import cosine
from tenfold.errors import RecipeError
from tenfold.recipe import RECIPES, Play, Recipe, make_recipe, recipe, recipe_class, recipe_name, translates
from tenfold.recipes.dcgan import DCGAN
from tenfold.recipes.wgan import WGAN

IMAGES = DataSpec("images", (1, 8, 8), 300, ("a", "b"), (150, 150))


TEXT = TextLayout(6, 9)
CELLS = (Cell("c", 3), Cell("n", 2, scalar=True, centres=(-1.0, 1.0), spreads=(0.5, 0.5)))
SERIES = SeriesLayout(7, 3, 3, (2, 3), 2, (3,), (0,))
OTHERS = {
    "table": DataSpec("table", (6,), 300, cells=CELLS),
    "series": replace(IMAGES, kind="series", shape=(SERIES.width,), series=SERIES),
    "texts": replace(IMAGES, kind="texts", shape=(6,), text=TEXT),
    "text_pairs": DataSpec("text_pairs", (6,), 300, text=TEXT, source_text=TEXT),
    "captioned": DataSpec("captioned", (1, 8, 8), 300, text=TEXT),
}


def data_for(name: str) -> DataSpec:
    """Pictures, of two sides where a recipe translates one into the other; or what else it learns from."""
    kind = RECIPES[name].kinds[0]
    if kind in OTHERS:
        return OTHERS[kind]
    return IMAGES if kind == "images" else replace(IMAGES, kind=kind, given=(2, 8, 8))


def test_the_eight_of_this_version():
    assert set(RECIPES) >= {"mlp", "dcgan", "lsgan", "wgan", "wgan_gp", "sngan", "cgan", "infogan"}
    assert all(recipe_name(cls()) == name for name, cls in RECIPES.items())


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_it_says_where_it_comes_from(name):
    about = RECIPES[name].about
    assert about.url.startswith("https://")
    assert 2000 < about.year < 2030
    assert all((about.title, about.authors, about.use, RECIPES[name].__doc__))


@pytest.mark.parametrize(
    ("name", "values", "preset", "message"),
    [
        ("dcgam", {}, None, r"no recipe 'dcgam'. Did you mean 'dcgan'\?"),
        ("xyzzy", {}, None, r"no recipe 'xyzzy'. Known are: cgan, ctgan, cut, cvae, cyclegan"),
        ("dcgan", {}, "smal", r"recipe 'dcgan' has no preset 'smal'. Did you mean 'small'\?"),
        ("dcgan", {"latnet": 3}, None, r"recipe 'dcgan' has no field 'latnet'. Did you mean 'latent'\?"),
        ("dcgan", {"clip": 0.1}, None, r"recipe 'dcgan' has no field 'clip'"),
        ("dcgan", {"latent": 0}, None, r"dcgan.latent is 0: input should be greater than 0"),
        ("dcgan", {"latent": "many"}, None, r"dcgan.latent is 'many'"),
        ("dcgan", {"lr_g": 2.0}, None, r"dcgan.lr_g is 2.0"),
        ("dcgan", {"beta1": 1.0}, None, r"dcgan.beta1 is 1.0"),
        ("dcgan", {"optimizer": "lion"}, None, r"dcgan.optimizer is 'lion'.*'adam'"),
        ("dcgan", {"augment": "mixup"}, None, r"dcgan.augment is 'mixup'"),
        ("mlp", {"widths": [8, 0]}, None, r"mlp.widths.1 is 0"),
        ("sngan", {"width_d": -5}, None, r"sngan.width_d is -5: input should be greater than or equal to 0"),
        ("dcgan", {"batch": 1}, None, r"dcgan.batch is 1: input should be greater than or equal to 2"),
    ],
)
def test_what_is_wrong_and_what_to_do(name, values, preset, message):
    with pytest.raises(RecipeError, match=message):
        make_recipe(name, values, preset)


def test_defaults_then_the_preset_then_the_values():
    made = make_recipe("dcgan", {"latent": 5}, "tiny")
    assert isinstance(made, DCGAN)
    assert (made.width, made.batch, made.latent) == (4, 8, 5)
    assert (made.lr_d, DCGAN().width) == (4e-4, 64)


def test_a_recipe_is_a_value():
    assert make_recipe("mlp", {"widths": [8, 9]}) == make_recipe("mlp", {"widths": (8, 9)})
    with pytest.raises(AttributeError):
        DCGAN().latent = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_its_constructor_is_strict_too():
    with pytest.raises(ValueError, match="latent"):
        DCGAN(latent=-1)
    with pytest.raises(ValueError, match="latnet"):
        DCGAN(latnet=1)  # pyright: ignore[reportCallIssue]


def test_two_of_one_name():
    class Twin(Recipe):
        about: ClassVar = DCGAN.about
        presets: ClassVar = {}

        def build(self, spec: DataSpec) -> Play:
            raise NotImplementedError

    with pytest.raises(ValueError, match="two recipes are named 'dcgan'"):
        recipe("dcgan")(Twin)
    assert recipe_class("dcgan") is DCGAN


def test_the_game_gets_what_the_recipe_says():
    values = {"augment": "diffaugment", "clip": 0.03, "critic_steps": 3}
    play = make_recipe("wgan", values, "tiny").build(IMAGES)
    assert isinstance(play.game.augment, DiffAugment)
    assert play.game.updates.clip == 0.03
    assert play.game.turns(0)[0].repeat == 3
    assert make_recipe("wgan", {"augment": "none"}, "tiny").build(IMAGES).game.augment is None


@pytest.mark.parametrize("name", ["wgan", "wgan_gp", "sngan"])
def test_critic_steps(name):
    turns = make_recipe(name, {"critic_steps": 4}, "tiny").build(IMAGES).game.turns(7)
    assert [(t.player, t.repeat) for t in turns] == [("D", 4), ("G", 1)]


def test_wgan_may_start_with_a_well_trained_critic():
    long, short = WGAN(long_start=True), WGAN()
    assert [long.critic_steps_at(s) for s in (0, 24, 25, 499, 500, 501)] == [100, 100, 5, 5, 100, 5]
    assert short.critic_steps_at(0) == 5


def test_each_player_has_its_rate_and_the_schedule():
    play = make_recipe("dcgan", {"lr_g": 0.01, "lr_d": 0.02, "schedule": "cosine"}, "tiny").build(IMAGES)
    assert {name: o.param_groups[0]["lr"] for name, o in play.optimizers.items()} == {"G": 0.01, "D": 0.02}
    assert play.schedules == {"G": cosine, "D": cosine}


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adam", {"betas": (0.3, 0.7)}),
        ("adamw", {"betas": (0.3, 0.7)}),
        ("rmsprop", {"alpha": 0.7, "momentum": 0.3}),
        ("sgd", {"momentum": 0.3}),
    ],
)
def test_optimizers(optimizer, expected):
    values = {"optimizer": optimizer, "beta1": 0.3, "beta2": 0.7}
    group = make_recipe("dcgan", values, "tiny").build(IMAGES).optimizers["G"].param_groups[0]
    assert {key: group[key] for key in expected} == expected


def test_what_a_recipe_of_translations_cannot_do():
    pairs, single = data_for("pix2pix"), IMAGES
    with pytest.raises(RecipeError, match="learns from pairs, and these are single pictures"):
        make_recipe("pix2pix", {}, "tiny").build(single)
    with pytest.raises(RecipeError, match="--task holes is for single pictures"):
        make_recipe("pix2pix", {"task": "holes"}, "tiny").build(pairs)
    with pytest.raises(RecipeError, match="8x8 pixels cannot be divided by --scale 3"):
        make_recipe("srgan", {"scale": 3}, "tiny").build(single)


@pytest.mark.parametrize(
    ("task", "channels", "message"),
    [
        ("colour", 1, "these pictures are grey"),
        ("colour", 2, "these pictures are grey"),
        ("colour", 3, ""),
        ("colour", 4, ""),
        ("holes", 1, ""),
        ("holes", 2, "these pictures have their own opacity"),
        ("holes", 3, ""),
        ("holes", 4, "these pictures have their own opacity"),
    ],
)
def test_what_there_must_be_to_put_back(task, channels, message):
    made, spec = make_recipe("pix2pix", {"task": task}, "tiny"), replace(IMAGES, shape=(channels, 8, 8))
    if message:
        with pytest.raises(RecipeError, match=message):
            made.build(spec)
        return
    degrade, real = made.degradation(spec), torch.rand(2, channels, 8, 8)
    source = degrade(real, Draw(0, slice(0, 2), 2))
    assert made.build(spec).game.sampler(source).shape == real.shape


def test_which_recipes_translate():
    found = {name for name, cls in RECIPES.items() if translates(cls)}
    assert found == {"pix2pix", "cyclegan", "cut", "fastcut", "srgan"}


def test_what_training_looks_through_depends_on_its_weights():
    seen = {"projected": "efficientnet-lite0"}
    assert {name: cls().looks_through for name, cls in RECIPES.items() if cls().looks_through} == seen
    for name in ("pix2pix", "srgan"):
        assert make_recipe(name, {"perceptual": 0.1}).looks_through == "efficientnet-lite0"
        assert not make_recipe(name, {"perceptual": 0.1}).sees_through


def test_without_its_weight_there_is_no_discriminator():
    for name in ("pix2pix", "srgan"):
        play = make_recipe(name, {"adversarial": 0.0}, "tiny").build(data_for(name))
        assert play.optimizers.keys() == {"G"}
        assert [turn.player for turn in play.game.turns(0)] == ["G"]


def test_only_conditional_ones_ask_for_balanced_classes():
    """Texts are learnt in the proportions that their classes have."""
    balanced = {n for n in RECIPES if make_recipe(n, {}, "tiny").build(data_for(n)).balanced}
    conditional = {n for n, cls in RECIPES.items() if cls.conditional != "never"}
    assert balanced == {n for n in conditional if "texts" not in RECIPES[n].kinds}
