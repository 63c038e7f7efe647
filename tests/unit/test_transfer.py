"""Starting from another run's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import tenfold
from tenfold.choosing import by_name, exactly, fitting_width
from tenfold.data.spec import DataSpec
from tenfold.draw import Draw
from tenfold.errors import RecipeError, RunError
from tenfold.options import Options
from tenfold.plan import make_plan
from tenfold.recipe import make_recipe
from tenfold.run import Run
from tenfold.transfer import (
    Named,
    best_matches,
    freeze,
    start_from,
    take,
    tensors_of,
    with_and_without_classes,
)

QUICK: dict[str, Any] = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "quiet": True}


def pictures(path: Path, *names: str, side: int = 8, channels: int = 1) -> Path:
    """Twenty noisy pictures of each class."""
    random = np.random.default_rng(len(names))
    shape = (20 * len(names), side, side, channels) if channels > 1 else (20 * len(names), side, side)
    images = random.integers(0, 256, shape, np.uint8)
    np.savez(path, images=images, labels=np.repeat(names, 20))
    return path


def trained(data: Path, out: Path, recipe: str = "r3gan", **options: Any) -> Run:
    return tenfold.fit(
        data, make_recipe(recipe, {}, "tiny"), kimg=0.05, out=out, options=Options(**QUICK, **options)
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("first")
    return trained(pictures(folder / "data.npz", "a", "b", "c"), folder / "run")


def game_for(spec: DataSpec) -> Any:
    torch.manual_seed(7)
    return make_recipe("r3gan", {}, "tiny").build(spec).game


def spec(side: int, *names: str, channels: int = 1) -> DataSpec:
    return DataSpec("images", (channels, side, side), 60, names, (20,) * len(names))


def test_the_same_kind_of_data_takes_all(first: Run) -> None:
    game = game_for(spec(8, "a", "b", "c"))
    found = start_from(first, game, spec(8, "a", "b", "c"))
    assert {t.player: t.taken == t.whole for t in found} == {"G": True, "D": True}
    last = first.checkpoint().tensors
    for name, value in game.sampler.state_dict().items():
        assert torch.equal(value, last[f"ema.{name}"]), name
    for name, value in game.discriminator.state_dict().items():
        assert torch.equal(value, last[f"game.discriminator.{name}"]), name


def test_classes_are_matched_by_name(first: Run) -> None:
    game, new = game_for(spec(8, "c", "z", "a")), ("c", "z", "a")
    found = start_from(first, game, spec(8, *new))
    assert all(t.taken == t.whole and t.classes == 2 for t in found)
    old: Tensor = first.checkpoint().tensors["game.discriminator.last.embedding.weight"]
    table = game.discriminator.last.embedding.weight
    torch.testing.assert_close(table.detach(), torch.stack([old[2], old.mean(0), old[0]]))


@pytest.mark.parametrize("side", [16, 4])
def test_another_size_takes_what_fits_from_the_picture_on(first: Run, side: int) -> None:
    wanted = spec(side, "a", "b", "c")
    game = game_for(wanted)
    found = {t.player: t for t in start_from(first, game, wanted)}
    last = first.checkpoint().tensors
    assert torch.equal(
        game.sampler.state_dict()["generator.last.inner.weight"], last["ema.generator.last.inner.weight"]
    ) is (side == 16)
    if side == 16:
        assert torch.equal(game.discriminator.body[0].weight, last["game.discriminator.body.0.weight"])
        assert 0 < found["D"].taken < found["D"].whole
    assert all(t.left for t in found.values())


def test_layers_are_matched_from_the_end_at_which_more_fit() -> None:
    old = {f"ups.{i}.weight": torch.zeros(8 >> i) for i in range(3)}
    new = {f"ups.{i}.weight": torch.zeros(16 >> i) for i in range(4)}
    assert best_matches(new, old)["ups.3.weight"] == "ups.2.weight"
    same_start = {f"ups.{i}.weight": torch.zeros(8 >> i) for i in range(4)}
    assert best_matches(same_start, old)["ups.0.weight"] == "ups.0.weight"


def test_freezing_starts_at_the_picture() -> None:
    judge = game_for(spec(16, "a", "b")).discriminator
    assert freeze(judge, 1) == ["body.0"]
    assert [n for n, p in judge.named_parameters() if not p.requires_grad] == ["body.0.weight", "body.0.bias"]
    with pytest.raises(RunError, match=r"--freeze-d is 9; 0 to \d were expected"):
        freeze(judge, 9)


def test_a_run_starts_from_another_and_keeps_what_is_frozen(first: Run, tmp_path: Path) -> None:
    data = pictures(tmp_path / "other.npz", "b", "z")
    run = trained(data, tmp_path / "run", start=str(first.path), freeze_d=1)
    now, then = run.checkpoint().tensors, first.checkpoint().tensors
    frozen, free = "game.discriminator.body.0.weight", "game.discriminator.last.linear.weight"
    assert torch.equal(now[frozen], then[frozen])
    assert not torch.equal(now[free], then[free])
    assert any("takes" in choice["reason"] for choice in run.facts["choices"])
    more = tenfold.resume(run.path, kimg=0.05, options=Options(**QUICK))
    assert torch.equal(more.checkpoint().tensors[frozen], then[frozen])


@pytest.mark.parametrize(
    ("recipe", "channels", "message"),
    [
        ("dcgan", 1, "was trained with recipe 'r3gan', and 'dcgan' has other networks"),
        ("r3gan", 3, "makes pictures of 1 channels, the data are pictures of 3 channels"),
    ],
)
def test_what_does_not_fit_is_refused(
    first: Run, tmp_path: Path, recipe: str, channels: int, message: str
) -> None:
    data = pictures(tmp_path / "data.npz", "a", "b", channels=channels)
    with pytest.raises(RunError, match=message):
        trained(data, tmp_path / "run", recipe, start=str(first.path))


def test_freezing_needs_a_run() -> None:
    with pytest.raises(RecipeError, match="--from"):
        Options(freeze_d=2)


@pytest.mark.parametrize("recipe", ["infogan", "cvae", "stylegan2", "fastgan"])
def test_every_kind_of_game_can_start_from_another(tmp_path: Path, recipe: str) -> None:
    """Also where a player's networks lie in several parts of the game."""
    data = pictures(tmp_path / "data.npz", "a", "b", "c")
    run = trained(data, tmp_path / "run", recipe)
    torch.manual_seed(7)
    game = make_recipe(recipe, {}, "tiny").build(run.spec).game
    found = start_from(run, game, run.spec)
    assert all(t.taken == t.whole for t in found)
    last = run.checkpoint().tensors
    for name, value in game.sampler.state_dict().items():
        assert torch.equal(value, last[f"ema.{name}"]), name


def test_spectral_tables_are_matched_by_class_name(tmp_path: Path) -> None:
    run = trained(pictures(tmp_path / "data.npz", "a", "b", "c"), tmp_path / "run", "fastgan")
    other = spec(8, "c", "a", "d")
    game = make_recipe("fastgan", {}, "tiny").build(other).game
    start_from(run, game, other)
    old = run.checkpoint().tensors["game.discriminator.whole.embedding.normalised.weight"]
    new = game.discriminator.whole.embedding.normalised.weight
    torch.testing.assert_close(new, torch.stack([old[2], old[0], old.mean(0)]))


@pytest.mark.parametrize(("before", "after"), [("abc", ""), ("", "abc")])
def test_runs_with_and_without_classes_start_from_each_other(tmp_path: Path, before: str, after: str) -> None:
    old = trained_on(tmp_path, before)
    wanted = spec(8, *after)
    game = game_for(wanted)
    found = {t.player: t for t in start_from(old, game, wanted)}
    assert found["G"].taken > 0.9 * found["G"].whole
    assert set(found["D"].left) <= {"discriminator.last.embedding.weight"}
    last, now = old.checkpoint().tensors, game.sampler.generator
    few = 8  # the tiny preset's noise
    stem = last["ema.generator.stem.linear.weight"]
    torch.testing.assert_close(now.stem.linear.weight[:, :few].detach(), stem[:, :few])
    if before:
        gains = last["ema.generator.norms.0.gain.weight"]
        torch.testing.assert_close(now.norms[0].norm.weight.detach(), gains.mean(0))
    else:
        assert not now.stem.linear.weight[:, few:].any()  # classes are all alike at first
        plain = last["ema.generator.norms.0.norm.weight"]
        torch.testing.assert_close(now.norms[0].gain.weight.detach(), plain.expand(3, -1))
    assert found["G"].classes == 0


def trained_on(folder: Path, names: str) -> Run:
    data = pictures(folder / "data.npz", *(names or "a"))
    return trained(data, folder / "run")


def test_recipe_and_width_are_those_of_the_run_whatever_the_time(tmp_path: Path) -> None:
    data = str(pictures(tmp_path / "data.npz", "a", "b"))
    values = {"width": 9, "latent": 6, "batch": 8}
    run = tenfold.fit(
        data,
        make_recipe("fastgan", values, "tiny"),
        kimg=0.02,
        out=tmp_path / "run",
        options=Options(**QUICK),
    )
    options = Options(**QUICK, start=str(run.path))
    plan = make_plan(data, by_name(None, start=options.start), budget="2m", options=options)
    assert values.items() <= vars(plan.recipe).items()
    assert any(c.name == "recipe" and str(run.path) in c.reason for c in plan.choices)
    plan = make_plan(data, by_name(None, fields={"lr_g": 0.5}, start=options.start), kimg=1, options=options)
    assert {**values, "lr_g": 0.5}.items() <= vars(plan.recipe).items()


def test_networks_are_as_wide_as_those_they_start_from(tmp_path: Path) -> None:
    data = str(pictures(tmp_path / "data.npz", "a", "b"))
    small = make_recipe("r3gan", {"width": 8, "latent": 4, "batch": 8}, "small")
    run = tenfold.fit(data, small, kimg=0.02, out=tmp_path / "run", options=Options(**QUICK))
    options = Options(**QUICK, start=str(run.path))
    for decide in (
        by_name("r3gan", "small", {"latent": 4}, start=options.start),
        exactly(make_recipe("r3gan", {"latent": 4}, "small"), options.start),
    ):
        plan = make_plan(data, decide, budget="1h", options=options)
        assert vars(plan.recipe)["width"] == 8
        assert [c.reason for c in plan.choices if c.name == "width"] == [f"most of {run.path} fits"]


@pytest.mark.parametrize("name", ["dcgan", "r3gan"])
def test_for_pictures_of_another_size_the_width_is_that_at_which_most_fits(tmp_path: Path, name: str) -> None:
    values = {"width": 12, "latent": 4, "batch": 8}
    data = str(pictures(tmp_path / "data.npz", "a", "b"))
    run = tenfold.fit(
        data, make_recipe(name, values, "tiny"), kimg=0.02, out=tmp_path / "run", options=Options(**QUICK)
    )
    side = run.spec.shape[1]
    larger = replace(run.spec, shape=(run.spec.shape[0], 2 * side, 2 * side))
    found, chosen = by_name(None, start=str(run.path))(larger, 60.0)
    width = vars(found)["width"]
    assert width == fitting_width(run, found, larger) in (3, 6, 12, 24, 48)
    assert ("width" in [c.name for c in chosen]) == (width != 12)


def without_and_with(recipe: str, side: int = 8) -> tuple[Any, Any]:
    """Tiny games of one recipe, one without classes and one with."""
    torch.manual_seed(7)
    plain = DataSpec("images", (1, side, side), 60)
    return tuple(make_recipe(recipe, {}, "tiny").build(s).game for s in (plain, spec(side, "a", "b")))


@torch.no_grad()
@pytest.mark.parametrize("recipe", ["r3gan", "stylegan2", "fastgan"])
def test_a_generator_without_classes_makes_the_same_before_it_learns_any(recipe: str) -> None:
    """Noise is read as before, also where weights are scaled by how much a layer reads."""
    old, new = without_and_with(recipe)
    tensors = with_and_without_classes(old.state_dict())
    take("G", tensors_of(new, new.players()["G"]), tensors, ((), ("a", "b")))
    draws = [Draw(0, slice(0, 4), 4) for _ in range(2)]
    made = [game.sampler.eval() for game in (old, new)]
    found = made[1](made[1].draw(draws[1]), torch.tensor([0, 1, 0, 1]))
    torch.testing.assert_close(found, made[0](made[0].draw(draws[0])), atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_a_layer_of_twice_the_inputs_is_no_layer_that_reads_classes() -> None:
    """Of a picture of twice the width D's last layer reads twice as much, in another order."""
    new = Named({"dense.weight": torch.ones(3, 8)}, frozenset(), frozenset({"dense.weight"}), {})
    found = take("D", new, {"dense.weight": torch.zeros(3, 4)}, ((), ()))
    assert found.left == ("dense.weight",) and found.taken == 0
    assert (new.tensors["dense.weight"] == 1).all()


def test_a_discriminator_that_looks_through_another_network_has_nothing_to_freeze(tmp_path: Path) -> None:
    data = pictures(tmp_path / "data.npz", "a", "b", side=32, channels=3)
    run = trained(data, tmp_path / "first", "projected")
    with pytest.raises(RecipeError, match="never learns"):
        trained(data, tmp_path / "run", "projected", start=str(run.path), freeze_d=1)


def test_settings_that_change_nothing_are_refused_in_python_too() -> None:
    recipe = make_recipe("r3gan", {"augment": "ada", "without": ("cutout",)}, "tiny")
    with pytest.raises(RecipeError, match="cutout"):
        exactly(recipe)(spec(8, "a", "b"), None)
