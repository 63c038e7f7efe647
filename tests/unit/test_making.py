"""What translations are judged by, while they are learnt and afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import tenfold
from tenfold.data import Codec, Dataset, DataSpec, Split
from tenfold.degrade import Holes, Smaller, worn
from tenfold.draw import Draw, derive
from tenfold.errors import DataError, RunError
from tenfold.game import Translator
from tenfold.metrics.features import Pixels
from tenfold.options import Options
from tenfold.recipe import make_recipe
from tenfold.watching.making import Translations, looked_at
from tenfold.watching.quality import Quality

QUICK: dict[str, Any] = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "quiet": True}
CPU = torch.device("cpu")
TRAINED, HELD, SIDE = 12, 8, 16


class Negative(Translator):
    """What is dark becomes bright."""

    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        return -source


class Fading(Translator):
    """There, half of the contrast is lost; the way back gives a part of it back."""

    ways = 2

    def __init__(self, again: float) -> None:
        super().__init__()
        self.again = again

    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        return source * (self.again if back else 0.5)


class Repeated(Translator):
    """Each pixel becomes four."""

    scale = 2

    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        return source.repeat_interleave(2, 2).repeat_interleave(2, 3)


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, SIDE, SIDE), np.uint8)


def opened(values: np.ndarray, kind: str, given: Dataset | None = None) -> Dataset:
    """Pictures of which the last eight are held out."""
    codec = Codec("images", 3, SIDE, SIDE, SIDE, SIDE, "uint8", (0.0,), (255.0,), ".png")
    names = tuple(map(str, range(len(values))))
    train, held = (
        Split(values[part], None, names[part], codec) for part in (slice(0, -HELD), slice(-HELD, None))
    )
    spec = DataSpec(kind, codec.shape, len(train), given=() if given is None else codec.shape)
    return Dataset("noise", spec, codec, train, held, "", (), given=given)


def both(kind: str) -> Dataset:
    """What is given, and its negative."""
    values = noise(TRAINED + HELD)
    return opened(255 - values, kind, opened(values, "images"))


def test_partners_are_compared():
    making = Translations(both("pairs"), np.arange(HELD))
    made = making.make(Negative(), CPU)
    found = making.beside(made, Negative(), CPU)
    assert found == {"l1": 0, "psnr": pytest.approx(100), "ssim": pytest.approx(1, abs=1e-4)}
    same = making.untouched()
    assert same["l1"] == pytest.approx(making.source.abs().mean().item(), rel=1e-4)  # from x to -x
    assert making.given_codec is not None and making.given_codec.shape == (3, SIDE, SIDE)


def test_the_partner_of_a_chosen_picture_is_chosen():
    making = Translations(both("pairs"), np.array([5, 2]))
    torch.testing.assert_close(making.make(Negative(), CPU), making.real)


def test_without_pairs_the_way_back_is_what_counts():
    making = Translations(both("unpaired"), np.arange(HELD))
    source = making.source
    for again, lost in ((2.0, 0.0), (1.0, 0.5)):
        sampler = Fading(again)
        found = making.beside(making.make(sampler, CPU), sampler, CPU)
        assert found == {"cycle_l1": pytest.approx(lost * source.abs().mean().item() / 2, abs=1e-6)}
    assert making.untouched() == {}


def test_no_given_picture_is_translated_twice():
    """Copies would be each other's nearest neighbours."""
    data = replace(both("unpaired"), holdout=None)
    making = Translations(data, np.arange(TRAINED))
    assert len(making.make(Negative(), CPU)) == making.count == HELD
    assert len(making.source.unique(dim=0)) == HELD
    few = Translations(data, np.arange(3))
    assert few.count == 3 and not torch.equal(few.source, making.source[:3])


def test_what_is_held_out_is_worn_in_more_than_one_way():
    data = opened(noise(40 + HELD), "images")
    making = Translations(replace(data, holdout=None), np.arange(40), worn(2, SIDE, SIDE))
    with_draw = Draw(derive(0, "degraded", 0), slice(0, 16), 16)
    torch.testing.assert_close(making.source[:16], worn(2, SIDE, SIDE)(making.real[:16], with_draw).float())
    assert "consistency" not in making.beside(making.make(Repeated(), CPU), Repeated(), CPU)


def test_an_enlargement_is_made_small_again():
    data = opened(noise(TRAINED + HELD), "images")
    making = Translations(data, np.arange(HELD), Smaller(2))
    assert making.source.shape == (HELD, 3, SIDE // 2, SIDE // 2)
    assert making.given_codec is not None and making.given_codec.shape == (3, SIDE // 2, SIDE // 2)
    found = making.beside(making.make(Repeated(), CPU), Repeated(), CPU)
    assert found.keys() == {"l1", "psnr", "ssim", "consistency"}
    assert 0 < found["consistency"] < 0.1 < found["l1"]
    assert making.untouched().keys() == {"l1", "psnr", "ssim"}  # beside bicubic


def test_a_mask_is_a_channel_of_what_is_given():
    making = Translations(opened(noise(TRAINED + HELD), "images"), np.arange(HELD), Holes())
    assert making.given_codec is not None and making.given_codec.channels == 4
    assert making.untouched() == {}


@pytest.mark.parametrize(
    ("kind", "sampler", "third"), [("pairs", Negative(), "target"), ("unpaired", Fading(-1.0), "back")]
)
def test_a_sheet_shows_what_is_given_what_is_made_and_a_third(
    kind: str, sampler: Translator, third: str, tmp_path: Path
):
    data = opened(noise(TRAINED + HELD, 1), kind, opened(noise(TRAINED + HELD), "images"))
    making = Translations(data, np.arange(HELD))
    making.draw(sampler, tmp_path / "sheet.png", CPU, 0)
    page = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    step, gap = 8 * SIDE + 8, 8  # eight times as large, with gaps between
    assert page.shape == (4 * step + gap, 6 * step + gap, 3)
    made = sampler(making.source)
    last = making.real if third == "target" else sampler(made, True)
    for column, pictures in enumerate((making.source, made, last)):
        for row, left in ((0, column), (1, column + 3)):  # the first picture, and the fourth
            number = 2 * row + left // 3
            corner = pictures[number, :, 0, 0] * 127.5 + 127.5
            found = page[row * step + gap, left * step + gap]
            np.testing.assert_allclose(found, corner.numpy(), atol=1)


def test_paper_shows_through_holes_and_opacity():
    x = torch.ones(1, 4, 2, 2)
    x[:, 3, 0, 0] = -1
    page = looked_at(x, 4, 4)
    assert page.shape == (1, 4, 4, 3)
    assert (page[0, :2, :2] == 236).all() and (page[0, 2:] == 255).all()
    assert (looked_at(-torch.ones(1, 1, 2, 2), 2, 2) == 0).all()


def test_quality_looks_at_translations(tmp_path: Path):
    quality = Quality(both("pairs"), Pixels(), tmp_path, 0)
    assert isinstance(quality.making, Translations)
    plain = Quality(opened(noise(TRAINED + HELD), "images"), Pixels(), tmp_path, 0)
    assert plain.making.given_codec is None
    enlarged = Quality(opened(noise(TRAINED + HELD), "images"), Pixels(), tmp_path, 0, Smaller(2))
    assert enlarged.making.given_codec is not None


def folders(root: Path) -> Path:
    """Smooth pictures, and their negatives."""
    random = np.random.default_rng(0)
    for i in range(90):
        small = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8))
        values = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        for side, picture in (("given", values), ("made", 255 - values)):
            (root / side).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(root / side / f"{i}.png")
    return root


@pytest.mark.parametrize(
    ("recipe", "there", "missing"),
    [
        ("pix2pix", {"l1", "psnr", "ssim", "feature_distance", "l1_of_the_input"}, {"cycle_l1"}),
        ("cyclegan", {"cycle_l1", "kernel_distance_back"}, {"l1", "feature_distance"}),
        ("cut", {"kernel_distance"}, {"l1", "feature_distance", "cycle_l1", "kernel_distance_back"}),
        ("srgan", {"psnr", "psnr_of_the_input", "consistency", "feature_distance"}, {"cycle_l1"}),
    ],
)
def test_an_evaluation_knows_the_task(recipe: str, there: set[str], missing: set[str], tmp_path: Path):
    source, sides = folders(tmp_path / "data"), {"side": "given", "to": "made"}
    if recipe == "srgan":
        source, sides = source / "made", {}
    options = Options(**QUICK, **sides)
    made = make_recipe(recipe, {}, "tiny")
    run = tenfold.fit(str(source), made, kimg=0.04, out=tmp_path / "run", options=options)
    assert list((run.path / "sheets").glob("*.png"))
    found = run.evaluate(features="pixels")
    assert found.metrics.keys() >= there and not found.metrics.keys() & missing
    assert all(found.metrics[name].value is not None and found.metrics[name].n == 22 for name in there)
    page = found.report(tmp_path / "report.html").read_text()
    assert all(name in page for name in there)
    with pytest.raises(RunError, match="--holdout"):
        run.evaluate(holdout=tmp_path / "data" / "given", features="pixels")


def test_a_network_that_a_loss_looked_through_does_not_judge(tmp_path: Path):
    source = folders(tmp_path / "data") / "made"
    recipe = make_recipe("srgan", {"perceptual": 0.1, "alone": 0.0}, "tiny")
    run = tenfold.fit(str(source), recipe, kimg=0.04, out=tmp_path / "run", options=Options(**QUICK))
    (chosen,) = (choice for choice in run.facts["choices"] if choice["name"] == "features")
    assert (chosen["value"], chosen["reason"]) == ("pixels", "training looks through efficientnet-lite0")
    assert run.evaluate().settings["features"]["network"] == "none"
    with pytest.raises(DataError, match="training looked through efficientnet-lite0"):
        run.evaluate(features="efficientnet-lite0")
