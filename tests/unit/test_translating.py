"""Pictures of any size made of others."""

from __future__ import annotations

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
from tenfold.games.translation import OneWay
from tenfold.nn.networks.superres import Enlarger
from tenfold.nn.networks.translator import TranslatorNetwork
from tenfold.plan import Options
from tenfold.recipe import make_recipe
from tenfold.run import Run
from tenfold.translating import Way, blended, edges, starts, translate, translated_values, way_of

QUICK: dict[str, Any] = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "quiet": True}
GREY = Codec("images", 1, 8, 8, 8, 8, "uint8", (0.0,), (255.0,), ".png")
COLOUR = Codec("images", 3, 8, 8, 8, 8, "uint8", (0.0,), (255.0,), ".png")


class Negative(nn.Module):
    """What is dark becomes bright."""

    def forward(self, x: Tensor) -> Tensor:
        return -x


def way(network: nn.Module, codec: Codec = GREY, **facts: Any) -> Way:
    return Way(OneWay(network.eval(), **facts), False, codec, codec)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(("side", "tile", "margin"), [(100, 40, 8), (64, 64, 8), (65, 64, 8), (300, 48, 16), (30, 64, 4)])
def test_tiles_cover_a_side_and_share_two_margins(side, tile, margin):
    begin = starts(side, tile, margin)
    assert begin[0] == 0 and max(begin) == max(side - tile, 0)
    assert all(a + tile - b >= 2 * margin for a, b in zip(begin, begin[1:], strict=False))
    cuts = edges(begin, side, tile)
    for a, first, last in zip(begin, cuts, cuts[1:], strict=False):
        assert (first == 0 or first - a >= margin) and (last == side or a + tile - last >= margin)


def test_an_enlargement_by_tiles_is_that_of_the_whole_picture():
    torch.manual_seed(0)
    network = Enlarger(1, 4, 2, 2)
    values = noise(70, 53, 1)
    enlarge = way(network, scale=2, reach=network.reach)
    whole, tiled = (translated_values(enlarge, values, tile) for tile in (1000, 40))
    assert whole.shape == (140, 106, 1)
    assert np.array_equal(whole, tiled)


def test_tiles_of_other_networks_fade_into_each_other():
    """Each tile has statistics of its own; across a seam there is no larger step than elsewhere."""
    torch.manual_seed(0)
    values = np.linspace(0, 255, 96 * 96).reshape(96, 96, 1).astype(np.uint8)
    network = TranslatorNetwork(1, 1, 4, 2)
    made = blended(way(network, stride=4), values, 48)[0]
    steps = made.diff(dim=1).abs().mean(0)
    assert steps.max() < 4 * steps.median() + 0.05


def test_a_size_that_the_network_does_not_take_is_padded_and_cropped_again():
    values = noise(13, 22, 1)
    assert np.array_equal(translated_values(way(Negative(), stride=8), values, 256), 255 - values)


def picture(path: Path, values: np.ndarray, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **how)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Grey made of colour, learnt for a moment."""
    root = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    for i in range(90):
        picture(root / "data" / "grey" / f"{i}.png", random.integers(0, 256, (8, 8), np.uint8))
        picture(root / "data" / "colour" / f"{i}.png", random.integers(0, 256, (8, 8, 3), np.uint8))
    recipe = make_recipe("pix2pix", {}, "tiny")
    options = Options(**QUICK, side="grey", to="colour")
    return tenfold.fit(str(root / "data"), recipe, kimg=0.04, out=root / "run", options=options)


def test_a_folder_is_translated_with_its_names_and_folders(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "a.png", noise(9, 14))
    picture(tmp_path / "in" / "sub" / "b.jpg", noise(20, 8))
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").as_posix() for p in done.written} == {"a.png", "sub/b.png"}
    assert Image.open(tmp_path / "out" / "a.png").size == (14, 9)
    assert Image.open(tmp_path / "out" / "a.png").mode == "RGB"


def test_opacity_is_kept_and_the_camera_is_turned(run: Run, tmp_path: Path):
    layered = np.dstack([noise(6, 10, 3), np.full((6, 10), 77, np.uint8)])
    picture(tmp_path / "in" / "a.png", layered)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "in" / "turned.jpg", noise(6, 10), exif=exif)
    translate(run, tmp_path / "in", tmp_path / "out")
    made = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert made.shape == (6, 10, 4) and (made[..., 3] == 77).all()
    assert Image.open(tmp_path / "out" / "turned.png").size == (6, 10)


def test_palette_cmyk_and_deep_pictures_are_taken(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "deep.png", noise(6, 10).astype(np.uint16) * 257)
    image = Image.fromarray(noise(6, 10, 3))
    image.convert("P").save(tmp_path / "in" / "palette.png")
    done = translate(run, tmp_path / "in", tmp_path / "out")
    assert len(done.written) == 2 and not done.failed


def test_a_corrupt_file_in_the_middle_is_reported_and_the_rest_done(run: Run, tmp_path: Path, capsys):
    for name in ("a", "b", "c"):
        picture(tmp_path / "in" / f"{name}.png", noise(8, 8))
    whole = (tmp_path / "in" / "b.png").read_bytes()
    (tmp_path / "in" / "b.png").write_bytes(whole[: len(whole) // 2])
    code = main(["translate", str(run.path), str(tmp_path / "in"), str(tmp_path / "out")])
    assert code == 1 and "b.png" in capsys.readouterr().err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


def test_what_is_there_is_never_overwritten(run: Run, tmp_path: Path):
    source = picture(tmp_path / "a.png", noise(8, 8))
    with pytest.raises(RunError, match="overwritten"):
        translate(run, source, source)
    with pytest.raises(DataError, match="no picture"):
        translate(run, tmp_path / "nowhere", tmp_path / "out")


def test_two_pictures_never_become_one_file(run: Run, tmp_path: Path):
    picture(tmp_path / "in" / "a.png", noise(8, 8))
    picture(tmp_path / "in" / "a.jpg", noise(8, 8))
    with pytest.raises(DataError, match="both become"):
        translate(run, tmp_path / "in", tmp_path / "out")


def test_a_run_says_what_it_translates_into(run: Run, tmp_path: Path):
    assert not way_of(run, "colour").back
    with pytest.raises(RunError, match="does not translate into 'grey'"):
        way_of(run, "grey")
    other = tenfold.fit(
        "digits", make_recipe("dcgan", {}, "tiny"), kimg=0.02, out=tmp_path / "run", options=Options(**QUICK)
    )
    with pytest.raises(RunError, match="no translations"):
        translate(other, tmp_path, tmp_path / "out")
