"""Walking through a sampler's space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.errors import DataError, RunError
from tenfold.explore.film import film
from tenfold.explore.projection import project
from tenfold.explore.space import NoiseSpace, space_of
from tenfold.explore.walks import (
    FOR_DIRECTIONS,
    along,
    classes,
    codes,
    directions,
    interpolation,
    mixing,
    truncation,
)
from tenfold.exploring import KINDS, Wish, explore
from tenfold.game import Sampler
from tenfold.options import Options
from tenfold.recipe import make_recipe
from tenfold.run import Run

NAMES = ("r3gan", "stylegan2", "fastgan", "infogan")
QUICK: dict[str, Any] = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "quiet": True}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    np.savez(folder / "data.npz", images=images, labels=np.array(["a", "b", "c"]).repeat(20))
    options = Options(**QUICK)
    return {
        name: tenfold.fit(
            folder / "data.npz", make_recipe(name, {}, "tiny"), kimg=0.05, out=folder / name, options=options
        )
        for name in NAMES
    }


class Plain(Sampler):
    """Paints its noise: two pixels."""

    def draw(self, draw):
        return draw.normal(2)

    def forward(self, z, condition=None):
        return z.view(-1, 1, 1, 2)


PLAIN = NoiseSpace(Plain(), 2)


class Classed(NoiseSpace):
    """Of class 2 it paints its noise, of others nothing."""

    def paint(self, points, rest, labels):
        return points.view(-1, 1, 1, 2) * (labels == 2).view(-1, 1, 1, 1)


def test_halfway_on_the_great_circle_by_hand() -> None:
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    torch.testing.assert_close(PLAIN.between(a, b, 0.5), torch.tensor([[2**0.5, 2**0.5]]))
    torch.testing.assert_close(PLAIN.between(a, b, 0.0), a)
    torch.testing.assert_close(PLAIN.between(a, b, 1.0), b)
    assert PLAIN.between(a, a, 0.3).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_the_first_of_a_walk_is_the_sample_of_that_number(runs: dict[str, Run], name: str) -> None:
    run, space = runs[name], space_of(runs[name].sampler)
    label = 1 if run.classes else None
    found = interpolation(space, 3, 4, seed=5, label=label)
    assert found.shape == (12, *run.codec.shape)
    made = run.sample(1, seed=5, label=None if label is None else "b").values
    torch.testing.assert_close(found[:1], made, rtol=0, atol=1e-5)
    steps = (found[1:] - found[:-1]).flatten(1).norm(dim=1)
    assert steps.max() < 4 * steps.median() + 1e-4


def test_a_walk_keeps_an_even_pace() -> None:
    """What is painted hardly changes at first, and then all at once."""

    class Sudden(NoiseSpace):
        def points(self, start, labels):
            return torch.tensor([[0.0, 1.0], [1.0, 0.0]])

        def between(self, a, b, share):
            return a + share * (b - a)

        def paint(self, points, rest, labels):
            return (points**8).view(-1, 1, 1, 2)

    found = interpolation(Sudden(Plain(), 2), 2, 12, seed=0)
    steps = found[:12].diff(dim=0).flatten(1).norm(dim=1)
    assert steps.max() < 1.5 * steps.median()
    torch.testing.assert_close(found[0].flatten(), torch.tensor([0.0, 1.0]))


def test_the_pace_of_a_walk_is_even_in_what_is_described() -> None:
    """Of two numbers that change at different times, only the described one changes evenly."""

    class Bent(NoiseSpace):
        def points(self, start, labels):
            return torch.tensor([[0.0, 0.0], [1.0, 1.0]])

        def between(self, a, b, share):
            return a + share * (b - a)

        def paint(self, points, rest, labels):
            return torch.stack([points[:, 0] ** 4, points[:, 1]], 1).view(-1, 1, 1, 2)

    found = interpolation(
        Bent(Plain(), 2), 2, 12, seed=0, describe=lambda pictures: pictures.flatten(1)[:, :1]
    )
    steps = found[:12].flatten(1).diff(dim=0).abs()
    assert steps[:, 0].max() < 1.2 * steps[:, 0].min()
    assert steps[:, 1].max() > 3 * steps[:, 1].min()


@pytest.mark.parametrize("name", NAMES)
def test_truncation_ends_at_one_picture(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    label = 0 if run.classes else None
    space = space_of(run.sampler)
    found = truncation(space, (1.0, 0.5, 0.0), 6, seed=1, label=label).unflatten(0, (3, 6))
    spread = found.flatten(2).std(1).mean(1)
    assert spread[0] > spread[1] > spread[2]


def test_mixed_styles_take_the_coarse_of_one_and_the_fine_of_the_other(runs: dict[str, Run]) -> None:
    space = space_of(runs["stylegan2"].sampler)
    found = mixing(space, 2, 3, seed=0, label=0).unflatten(0, (3, 3))
    assert (found[0, 0] == 1).all()
    assert not torch.equal(found[1, 1], found[1, 2])
    assert not torch.equal(found[1, 1], found[2, 1])
    with pytest.raises(RunError, match="1 to 3 were expected"):
        mixing(space, 2, 4, seed=0, label=0)
    with pytest.raises(RunError, match="stylegan2 only"):
        mixing(PLAIN, 2, 1, seed=0)


@pytest.mark.parametrize("name", ["r3gan", "stylegan2", "fastgan"])
def test_a_way_through_classes_passes_each(runs: dict[str, Run], name: str) -> None:
    run, space = runs[name], space_of(runs[name].sampler)
    found = classes(space, 3, 2, 4, seed=2).unflatten(0, (6, 4))
    for i, label in enumerate("abc"):
        made = run.sample(4, seed=2, label=label).values
        torch.testing.assert_close(found[2 * i], made, rtol=0, atol=1e-5)
    assert not torch.allclose(found[1], found[0])


def test_codes_change_one_thing_at_a_time(runs: dict[str, Run]) -> None:
    sampler: Any = runs["infogan"].sampler
    _, categories, continuous = sampler.sizes
    found = codes(sampler, 5, seed=0)[0].unflatten(0, (categories + continuous, 5))
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[-1][0], found[-1][1])
    with pytest.raises(RunError, match="infogan"):
        codes(Plain(), 5, seed=0)


@pytest.mark.parametrize("by", ["weights", "activations"])
def test_directions_are_those_that_are_read_most(by: Any) -> None:
    class Reading(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(2, 4, bias=False)
            self.first.weight.data = torch.tensor([[0.0, 3.0], [0.0, -3.0], [1.0, 0.0], [-1.0, 0.0]])

        def forward(self, z, condition=None):
            return super().forward(z * torch.tensor([1.0, 3.0]))

    found = directions(NoiseSpace(Reading(), 2), 2, by)
    torch.testing.assert_close(found.abs(), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), atol=0.15, rtol=0)


def test_a_step_along_a_direction_by_hand() -> None:
    start, _ = PLAIN.latents(5, 3)
    found = along(PLAIN, torch.tensor([1.0, 0.0]), (-1.0, 0.0, 2.0), 5, seed=3).view(5, 3, 2)
    spread = PLAIN.latents(FOR_DIRECTIONS, 3)[0][:, 0].std()
    torch.testing.assert_close(found[:, 1], start)
    torch.testing.assert_close(found[:, 2], start + torch.tensor([2.0, 0.0]) * spread)


@pytest.mark.parametrize("name", ["r3gan", "stylegan2", "fastgan"])
def test_a_sample_of_the_run_is_found_again(runs: dict[str, Run], name: str) -> None:
    run, space = runs[name], space_of(runs[name].sampler)
    goal, others = run.sample(1, seed=77, label="b").values, run.sample(20, seed=3, label="b").values
    found = project(space, goal, lambda x: x.flatten(1), labels=[1], steps=150)
    apart = torch.pdist(others.flatten(1)).mean() / goal.numel() ** 0.5
    assert found.distance < 0.5 * apart and found.label == 1


def test_a_picture_is_looked_for_in_every_class() -> None:
    goal = torch.tensor([0.9, -0.8]).view(1, 1, 1, 2)
    found = project(Classed(Plain(), 2), goal, lambda x: x.flatten(1), labels=(0, 1, 2), steps=100)
    assert found.label == 2 and found.distance < 0.05
    assert project(Classed(Plain(), 2), goal, lambda x: x.flatten(1), labels=[0], steps=100).distance > 0.5


def test_a_picture_is_looked_for_from_several_samples() -> None:
    """From the sample that looks most like it, the way to the picture is barred."""

    class Barred(NoiseSpace):
        def latents(self, n, seed, first=0):
            points = torch.full((n, 2), -3.0)
            points[0], points[1] = torch.tensor([-1.0, 0.0]), torch.tensor([4.0, 0.0])
            return points, torch.zeros(n, 0)

        def paint(self, points, rest, labels):
            x = points[:, :1]
            left = torch.where(x < -2, 9 + 0 * x, 1.5 + 0 * x)  # nothing moves to the left of zero
            seen = torch.where(x < 0, left, (x - 2).abs())
            return torch.cat([seen, 0 * x], 1).view(-1, 1, 1, 2)

    goal = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    found = project(Barred(Plain(), 2), goal, lambda x: x.flatten(1), steps=200)
    assert found.distance < 0.05


def test_noise_of_pixels_stays_noise(runs: dict[str, Run]) -> None:
    run, space = runs["stylegan2"], space_of(runs["stylegan2"].sampler)
    goal = run.sample(1, seed=77, label="b").values
    found = project(space, goal, lambda x: x.flatten(1), labels=[1], steps=40)
    assert space.loose and abs(found.rest.mean()) < 1e-4 and found.rest.std() == pytest.approx(1, abs=1e-3)


def test_a_film_has_all_frames(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (7, 8, 10, 1), np.uint8)
    with Image.open(film(frames, tmp_path / "walk.gif", fps=10)) as made:
        assert made.n_frames == 7
        assert made.size == (250, 200)
    with pytest.raises(RunError, match=r"\.gif or \.mp4"):
        film(frames, tmp_path / "walk.avi")


def test_an_mp4_can_be_read_again(tmp_path: Path) -> None:
    import av

    frames = np.random.default_rng(0).integers(0, 256, (7, 8, 9, 3), np.uint8)
    with av.open(str(film(frames, tmp_path / "walk.mp4"))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 7


@pytest.mark.parametrize(
    ("what", "name", "file"),
    [
        ("walk", "fastgan", "a.gif"),
        ("truncate", "r3gan", "a.png"),
        ("mix", "stylegan2", "a.png"),
        ("classes", "r3gan", "a.gif"),
        ("codes", "infogan", "a.png"),
        ("directions", "stylegan2", "a.png"),
    ],
)
def test_everything_can_be_looked_at(
    runs: dict[str, Run], tmp_path: Path, what: str, name: str, file: str
) -> None:
    found = explore(runs[name], Wish(what, count=3, frames=3, layer=2), tmp_path / file)
    assert found["out"] == str(tmp_path / file)
    with Image.open(tmp_path / file) as picture:
        assert min(picture.size) > 20


def test_a_given_picture_is_projected_whatever_its_size(runs: dict[str, Run], tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 20), 90, np.uint8)).save(tmp_path / "mine.png")
    found = explore(runs["r3gan"], Wish("project", picture=str(tmp_path / "mine.png")), tmp_path / "out.png")
    assert found["picture"] == "cropped and resized from 20x30 pixels"
    assert found["distance"] > 0 and found["class"] in "abc" and found["apart"] > 0
    wish = Wish("project", picture=str(tmp_path / "mine.png"), label="b")
    assert explore(runs["r3gan"], wish, tmp_path / "out.png")["class"] == "b"


@pytest.mark.parametrize(
    ("wish", "file", "message"),
    [
        (Wish("walk"), "a.txt", "neither a picture nor a film"),
        (Wish("truncate"), "a.gif", "a sheet and no film"),
        (Wish("truncate", label="d"), "a.png", "no class 'd'"),
        (Wish("project"), "a.png", "--picture FILE"),
        (Wish("codes"), "a.png", "recipe infogan"),
        (Wish("directions", direction=1000), "a.png", "--direction is 1000; 0 to 7 were"),
        (Wish("directions", direction=-1), "a.png", "--direction is -1; 0 to 7 were"),
    ],
)
def test_what_cannot_be(runs: dict[str, Run], tmp_path: Path, wish: Wish, file: str, message: str) -> None:
    with pytest.raises(RunError, match=message):
        explore(runs["r3gan"], wish, tmp_path / file)


def test_pictures_that_do_not_suit(runs: dict[str, Run], tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "colour.png")
    (tmp_path / "text.png").write_text("no picture")
    for file, message in (
        ("colour.png", "3 channels of uint8; 1 of uint8"),
        ("text.png", "no picture that can be"),
        ("none.png", "cannot be read"),
    ):
        with pytest.raises(DataError, match=message):
            explore(runs["r3gan"], Wish("project", picture=str(tmp_path / file)), tmp_path / "out.png")


def test_the_sheet_of_classes_names_the_first_row_of_each(runs: dict[str, Run], tmp_path: Path) -> None:
    view = KINDS["classes"](runs["r3gan"], Wish("classes", count=2, frames=6))
    shown = len(view.pictures) // view.columns
    assert view.labels is not None and len(view.labels) == -(-shown // view.skip)
    assert [name for name in view.labels if name] == ["a", "b", "c"]
    assert view.labels[:7] == ["a", "", "", "", "", "", "b"]
    codes = KINDS["codes"](runs["infogan"], Wish("codes", count=2)).labels
    assert codes is not None and codes[0] == "category 0" and codes[-1].startswith("code ")


def test_styles_change_in_the_middle_unless_a_layer_is_named(runs: dict[str, Run]) -> None:
    space = space_of(runs["stylegan2"].sampler)
    layers = space.painter.synthesis.layers
    assert torch.equal(mixing(space, 2, None, 0, 0), mixing(space, 2, layers // 2, 0, 0))
    with pytest.raises(RunError, match=f"--layer is {layers}; 1 to {layers - 1} were expected"):
        mixing(space, 2, layers, 0, 0)
