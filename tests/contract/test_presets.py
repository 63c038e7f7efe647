"""What holds of the presets of every recipe."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from tenfold.recipe import RECIPES, make_recipe

PRESETS = [(name, preset) for name, cls in sorted(RECIPES.items()) for preset in cls.presets]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_four_sizes_exist(name):
    assert RECIPES[name].presets.keys() >= {"tiny", "small", "base", "paper"}


@pytest.mark.parametrize(("name", "preset"), PRESETS, ids=["-".join(p) for p in PRESETS])
def test_it_builds_for_handwritten_digits_a_table_series_or_texts(name, preset, make):
    case = make(name, (1, 28, 28))
    play = case.build(preset)
    sampler = play.game.sampler.eval()
    with torch.no_grad():
        fake = case.samples(sampler, 2)
    assert fake.shape == (2, *case.spec.shape)
    assert play.optimizers.keys() == play.game.players().keys() == play.schedules.keys()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_survives_being_written_down(name):
    made = make_recipe(name, {}, "paper")
    assert make_recipe(name, asdict(made)) == made
