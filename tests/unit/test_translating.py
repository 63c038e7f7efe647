"""Pictures of any size made of others."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import tenfold
from tenfold.cli.__main__ import main
from tenfold.data.codec import Codec
from tenfold.errors import DataError, RunError
from tenfold.games.cyclegan import BothWays
from tenfold.games.translation import Filling, OneWay
from tenfold.nn.networks.superres import Enlarger
from tenfold.options import Options
from tenfold.recipe import make_recipe
from tenfold.run import Run
from tenfold.tiling import Way, edges, paste, starts, translated_values
from tenfold.translating import Task, Translated, fitted, keep, said_of, translate, way_of

QUICK: dict[str, Any] = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "quiet": True}
GREY = Codec("images", 1, 8, 8, 8, 8, "uint8", (0.0,), (255.0,), ".png")
COLOUR = Codec("images", 3, 8, 8, 8, 8, "uint8", (0.0,), (255.0,), ".png")
LAYERED = Codec("images", 4, 8, 8, 8, 8, "uint8", (0.0,), (255.0,), ".png")
INKS = "CMYK became RGB, colours became grey"
FLOAT = Codec("images", 1, 8, 8, 8, 8, "float32", (-1.0,), (1.0,), ".tif")


class Negative(nn.Module):
    """What is dark becomes bright."""

    def forward(self, x: Tensor) -> Tensor:
        return -x


class Centred(nn.Module):
    """As norms do: what a network makes of a place depends on all that it is shown."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean((2, 3), keepdim=True)


def way(network: nn.Module, codec: Codec = GREY, **facts: Any) -> Way:
    return Way(OneWay(network.eval(), **facts), False, codec, codec)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("side", "tile", "margin"), [(100, 40, 8), (64, 64, 8), (65, 64, 8), (300, 48, 16), (30, 64, 4)]
)
def test_tiles_cover_a_side_and_share_two_margins(side, tile, margin):
    begin = starts(side, tile, margin)
    assert begin[0] == 0 and max(begin) == max(side - tile, 0)
    assert all(a + tile - b >= 2 * margin for a, b in pairwise(begin))
    cuts = edges(begin, side, tile)
    for a, first, last in zip(begin, cuts, cuts[1:], strict=False):
        assert (first == 0 or first - a >= margin) and (last == side or a + tile - last >= margin)


SCALES = pytest.mark.parametrize("scale", [2, 3, 4])
BLOCKS = pytest.mark.parametrize("block", ["residual", "rrdb"])


@SCALES
@BLOCKS
def test_nothing_that_enlarges_looks_further_than_its_reach(scale, block):
    torch.manual_seed(0)
    network = Enlarger(1, 4, 1, scale, block).eval()
    x = (0.1 * torch.randn(1, 1, 61, 61)).requires_grad_()
    place = slice(30 * scale, 31 * scale)
    network(x)[0, 0, place, place].sum().backward()
    assert x.grad is not None
    rows = x.grad[0, 0].abs().sum(1).nonzero()
    assert 4 < max(30 - int(rows.min()), int(rows.max()) - 30) <= network.reach


@SCALES
@BLOCKS
def test_an_enlargement_by_tiles_is_that_of_the_whole_picture(scale, block):
    torch.manual_seed(0)
    network = Enlarger(1, 4, 1, scale, block)
    for weight in network.parameters():  # fresh ones hardly add to what is enlarged without them
        nn.init.normal_(weight, 0.0, 0.1)
    values = noise(80, 53, 1).astype(np.float32) / 255
    enlarge = way(network, FLOAT, scale=scale, reach=network.reach)
    whole, tiled = (translated_values(enlarge, values, tile) for tile in (1000, 40))
    assert whole.shape == (80 * scale, 53 * scale, 1)
    assert np.abs(whole - tiled).max() < 1e-4
    blind = way(network, FLOAT, scale=scale, reach=0)  # its tiles meet where their borders are
    assert np.abs(whole - translated_values(blind, values, 40)).max() > 1e-2


def test_tiles_of_other_networks_fade_into_each_other():
    """The step across a seam is at most a tenth larger than elsewhere, though each tile has its own mean."""
    ramp = np.linspace(20, 235, 112)[None, :, None]
    values = (ramp + np.random.default_rng(0).uniform(-20, 20, (400, 112, 1))).astype(np.uint8)
    centred = way(Centred())

    def at_seams(made: np.ndarray, seams: list[int]) -> float:
        steps = np.abs(np.diff(made[..., 0].astype(float), axis=1)).mean(0)
        across = np.array(seams) - 1
        return steps[across].mean() / np.delete(steps, across).mean()

    assert starts(112, 64, 16) == [0, 24, 48]
    assert at_seams(translated_values(centred, values, 64), [24, 48, 64, 88]) <= 1.1
    hard = np.empty_like(values)
    paste(centred, values, 64, hard)
    assert at_seams(hard, [56]) > 2  # they are there to be seen


def test_a_large_picture_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch):
    """Nine tiles of a second each, of which it speaks when more than three seconds are over."""
    clock = iter(range(100))
    monkeypatch.setattr("tenfold.watching.progress.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("tenfold.tiling.AT_ONCE", 1)
    said: list[str] = []
    assert starts(100, 40, 4) == [0, 30, 60]
    translated_values(way(Negative(), reach=4), noise(100, 100, 1), 40, said.append)
    assert said == ["tiles: 4 of 9, 5s left", "tiles: 8 of 9, 1s left"]


def test_a_size_that_the_network_does_not_take_is_padded_and_cropped_again():
    for height, width in ((13, 22), (3, 1), (1, 300)):
        values = noise(height, width, 1)
        made = translated_values(way(Negative(), stride=8), values, 64)
        assert np.abs(made.astype(int) - (255 - values)).max() <= 1


def test_channels_and_depth_become_those_that_a_run_takes():
    layered = noise(4, 5, 4)
    colours, opacity = fitted(layered, COLOUR)
    assert np.array_equal(colours, layered[..., :3])
    assert opacity is not None and np.allclose(opacity * 255, layered[..., 3], atol=1e-3)
    grey, opacity = fitted(layered[..., :3], GREY)
    assert grey.shape == (4, 5, 1) and opacity is None
    assert grey[0, 0, 0] == pytest.approx(layered[0, 0, :3] @ (0.299, 0.587, 0.114), abs=0.51)
    whole, opacity = fitted(grey, LAYERED)
    assert opacity is None and (whole[..., :3] == grey).all() and (whole[..., 3] == 255).all()
    deep, _ = fitted(grey.astype(np.uint16) * 257, GREY)
    assert deep.dtype == np.uint8 and np.array_equal(deep, grey)
    with pytest.raises(DataError, match="it holds float32"):
        fitted(grey.astype(np.float32), GREY)


def test_holes_are_where_a_picture_is_transparent():
    """What is hidden there is not looked at."""
    values = noise(6, 6, 4)
    values[..., 3], values[2, 3, 3] = 255, 0
    seen: list[Tensor] = []

    class Looked(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return x[:, :3]

    translated_values(Way(OneWay(Looked()), False, LAYERED, COLOUR, holes=True), values, 64)
    (x,) = seen
    assert (x[0, :3, 2, 3] == 0).all() and x[0, 3, 2, 3] == -1
    assert x[0, 3].sum() == 34
    assert x[0, 0, 0, 0].item() == pytest.approx(values[0, 0, 0] / 127.5 - 1, abs=1e-5)


class Black(nn.Module):
    """Three channels of nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return -torch.ones_like(x[:, :3])


@pytest.mark.parametrize("tile", [64, 32])
def test_outside_of_holes_a_picture_stays_as_it_is(tile: int):
    """Value by value, as a whole and in tiles."""
    values = noise(48, 40, 4)
    values[..., 3] = 255
    values[20:30, 10:35, 3] = 0
    fill = Way(OneWay(Filling(Black()), stride=8), False, LAYERED, COLOUR, holes=True)
    made, hole = translated_values(fill, values, tile), values[..., 3] == 0
    assert (made[hole] == 0).all()
    assert np.array_equal(made[~hole], values[~hole][:, :3])


def picture(path: Path, values: np.ndarray, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **how)
    return path


def pairs(root: Path) -> Path:
    """Grey and coloured noise, of the same names."""
    random = np.random.default_rng(0)
    for i in range(90):
        picture(root / "grey" / f"{i}.png", random.integers(0, 256, (8, 8), np.uint8))
        picture(root / "colour" / f"{i}.png", random.integers(0, 256, (8, 8, 3), np.uint8))
    return root


def trained(root: Path, recipe: str) -> Run:
    options, data = Options(**QUICK, side="grey", to="colour"), str(pairs(root / "data"))
    return tenfold.fit(data, make_recipe(recipe, {}, "tiny"), kimg=0.04, out=root / "run", options=options)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Colour made of grey, learnt for a moment."""
    return trained(tmp_path_factory.mktemp("pairs"), "pix2pix")


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("unpaired"), "cyclegan")


def test_a_folder_is_translated_with_its_names_and_folders(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "a.png", noise(9, 14))
    picture(tmp_path / "in" / "sub" / "b.jpg", noise(20, 8))
    (tmp_path / "in" / "._a.png").write_bytes(b"left behind by a system")
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").as_posix() for p in done.written} == {"a.png", "sub/b.png"}
    assert not done.failed
    assert Image.open(tmp_path / "out" / "a.png").size == (14, 9)
    assert Image.open(tmp_path / "out" / "a.png").mode == "RGB"


def test_one_picture_becomes_a_file_or_one_in_a_folder(run: Run, tmp_path: Path):
    source = picture(tmp_path / "a.jpg", noise(9, 14))
    assert translate(run, source, tmp_path / "made.png").written == [tmp_path / "made.png"]
    assert translate(run, source, tmp_path / "folder").written == [tmp_path / "folder" / "a.png"]
    with pytest.raises(RunError, match=r"made\.jpg does not end"):
        translate(run, source, tmp_path / "made.jpg")


def test_what_is_said_begins_with_the_picture(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tenfold.watching.progress.SAY_EVERY_S", -1.0)
    monkeypatch.setattr("tenfold.tiling.AT_ONCE", 1)
    source, said = picture(tmp_path / "a.png", noise(40, 70)), []
    translate(run, source, tmp_path / "made.png", tile=32, say=said.append)
    assert said[0].startswith(f"1 of 1: {source}: tiles: 1 of 8, ")
    assert len(said) == 8 and said[-1].startswith(f"1 of 1: {tmp_path / 'made.png'} (learnt")


def test_opacity_is_kept_and_the_camera_is_turned(run: Run, tmp_path: Path):
    layered = np.dstack([noise(6, 10, 3), np.full((6, 10), 77, np.uint8)])
    picture(tmp_path / "in" / "a.png", layered)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "in" / "turned.jpg", noise(6, 10), exif=exif)
    assert not translate(run, tmp_path / "in", tmp_path / "out").failed
    made = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert made.shape == (6, 10, 4) and (made[..., 3] == 77).all()
    assert Image.open(tmp_path / "out" / "turned.png").size == (6, 10)


def test_palette_and_deep_pictures_are_taken_and_inks_are_converted(run: Run, tmp_path: Path, capsys):
    picture(tmp_path / "in" / "deep.png", noise(6, 10).astype(np.uint16) * 257)
    image = Image.fromarray(noise(6, 10, 3))
    image.convert("P").save(tmp_path / "in" / "palette.png")
    image.convert("CMYK").save(tmp_path / "in" / "print.jpg")
    said: list[str] = []
    done = translate(run, tmp_path / "in", tmp_path / "out", say=said.append)
    assert {path.name for path in done.written} == {"deep.png", "palette.png", "print.png"}
    assert not done.failed
    notes = {"deep.png": "16 bit became 8", "palette.png": "colours became grey", "print.jpg": INKS}
    assert done.notes == [(str(tmp_path / "in" / name), note) for name, note in notes.items()]
    assert said[-1].endswith(f"print.png ({INKS})")
    assert Image.open(tmp_path / "out" / "print.png").mode == "RGB"
    command = ["translate", str(run.path), str(tmp_path / "in" / "print.jpg"), str(tmp_path / "again.png")]
    assert main([*command, "--json"]) == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"].values()
    assert note == INKS


def test_a_corrupt_file_in_the_middle_is_reported_and_the_rest_done(run: Run, tmp_path: Path, capsys):
    for name in ("a", "b", "c"):
        picture(tmp_path / "in" / f"{name}.png", noise(8, 8))
    whole = (tmp_path / "in" / "b.png").read_bytes()
    (tmp_path / "in" / "b.png").write_bytes(whole[: len(whole) // 2])
    code = main(["translate", str(run.path), str(tmp_path / "in"), str(tmp_path / "out"), "--json"])
    said = capsys.readouterr()
    assert code == 1 and "2 of 3" in said.err and "b.png is left out" in said.err
    (failed,) = json.loads(said.out)["failed"]
    assert failed.endswith("b.png")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


def test_what_is_there_is_never_overwritten(run: Run, tmp_path: Path):
    source = picture(tmp_path / "a.png", noise(8, 8))
    with pytest.raises(RunError, match="overwritten"):
        translate(run, source, source)
    with pytest.raises(DataError, match="is not there"):
        translate(run, tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture"):
        translate(run, tmp_path / "empty", tmp_path / "out")


def test_a_translation_that_was_interrupted_goes_on(run: Run, tmp_path: Path, capsys):
    """What is there stays as it is; of what was not finished there is nothing."""
    for name in ("a", "b", "c"):
        picture(tmp_path / "in" / f"{name}.png", noise(8, 8))
    first = picture(tmp_path / "out" / "a.png", noise(4, 4))
    before = first.read_bytes()
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert done.kept == [first] and [path.name for path in done.written] == ["b.png", "c.png"]
    assert first.read_bytes() == before and len(list((tmp_path / "out").iterdir())) == 3
    assert main(["translate", str(run.path), str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert "3 were there already" in capsys.readouterr().out


def test_what_cannot_be_written_is_named_and_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: Any):
    for name in ("a", "b"):
        picture(tmp_path / "in" / f"{name}.png", noise(8, 8))
    written = Codec.save

    def full(codec: Codec, image: np.ndarray, path: Path) -> None:
        written(codec, image, path)
        if "a.new" in path.name:
            raise OSError("No space left on device")

    monkeypatch.setattr(Codec, "save", full)
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert [why for _, why in done.failed] == ["No space left on device"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_results_never_lie_among_what_is_given(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "a.jpg", noise(8, 8))
    for out in (tmp_path / "in", tmp_path / "in" / "made"):
        with pytest.raises(RunError, match="would be taken for what is given"):
            translate(run, tmp_path / "in", out)


def test_small_pictures_of_one_size_are_made_together(run: Run, tmp_path: Path, monkeypatch: Any):
    """As each would be alone."""
    for i, side in enumerate((8, 8, 8, 12, 12, 8)):
        picture(tmp_path / "in" / f"{i}.png", noise(side, 10) + np.uint8(i))
    sizes: list[int] = []
    way = type(way_of(run)).__call__
    monkeypatch.setattr(Way, "__call__", lambda self, x: (sizes.append(len(x)), way(self, x))[1])
    translate(run, tmp_path / "in", tmp_path / "out")
    assert sizes == [3, 2, 1]
    monkeypatch.setattr("tenfold.tiling.AT_ONCE", 1)
    translate(run, tmp_path / "in", tmp_path / "alone")
    assert sizes[3:] == [1] * 6
    for i in range(6):
        a, b = (np.asarray(Image.open(tmp_path / out / f"{i}.png")).astype(int) for out in ("out", "alone"))
        assert np.abs(a - b).max() <= 1


def test_of_several_pages_the_first_is_made_and_the_others_are_not_forgotten(run: Run, tmp_path: Path):
    pages = [Image.fromarray(noise(8, 8) + np.uint8(i)) for i in range(3)]
    (tmp_path / "in").mkdir()
    pages[0].save(tmp_path / "in" / "stack.tif", save_all=True, append_images=pages[1:])
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert [note for _, note in done.notes] == ["the first of its 3 pages"]


def test_a_run_that_fills_holes_says_where_there_are_none_and_a_large_picture_how_large():
    fill = Way(OneWay(Black()), False, LAYERED, COLOUR, holes=True)
    whole = np.full((8, 8, 4), 255, np.uint8)
    assert said_of(whole[..., :3], fill) == said_of(whole, fill) != []
    whole[2, 2, 3] = 0
    assert said_of(whole, fill) == []
    assert said_of(noise(8, 17, 1), way(Negative())) == ["learnt at 8x8 pixels, translated at 17x8"]


def test_opacity_of_16_bit_goes_into_a_file_that_takes_it(tmp_path: Path):
    deep = replace(GREY, dtype="uint16", high=(65535.0,))
    made = np.dstack([noise(4, 5).astype(np.uint16) * 257] * 2)
    done, task = Translated(), Task("1 of 1", Path("a.png"), tmp_path / "a.png", made, None, ())
    keep(task, made, deep, done, lambda text: None)
    assert not done.failed and done.written == [tmp_path / "a.tif"]


def test_two_pictures_never_become_one_file(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "a.png", noise(8, 8))
    picture(tmp_path / "in" / "a.jpg", noise(8, 8))
    with pytest.raises(DataError, match="both become"):
        translate(run, tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_says_what_it_translates_into(run: Run, tmp_path: Path):
    assert not way_of(run, "colour").back
    with pytest.raises(RunError, match="does not translate into 'grey'"):
        way_of(run, "grey")
    with pytest.raises(RunError, match="at least 32"):
        translate(run, tmp_path, tmp_path / "out", tile=8)
    other = tenfold.fit(
        "digits", make_recipe("dcgan", {}, "tiny"), kimg=0.02, out=tmp_path / "run", options=Options(**QUICK)
    )
    with pytest.raises(RunError, match=r"no translations.*--recipe pix2pix"):
        translate(other, tmp_path, tmp_path / "out")


def test_a_run_of_two_ways_goes_either_way(both_ways: Run, tmp_path: Path):
    there, back = way_of(both_ways), way_of(both_ways, "grey/")
    assert (there.back, there.made.channels) == (False, 3) and (back.back, back.made.channels) == (True, 1)
    assert isinstance(there.translator, BothWays)
    source = picture(tmp_path / "a.png", noise(9, 14, 3))
    translate(both_ways, source, tmp_path / "grey.png", to="grey")
    made = Image.open(tmp_path / "grey.png")
    assert made.size == (14, 9) and made.mode == "L"
