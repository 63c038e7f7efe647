from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.errors import DataError, RunError
from tenfold.report.curves import _panels, _series, curves
from tenfold.report.sheet import sheet


def plain(n: int, *shape: int) -> np.ndarray:
    """The first image is 1 all over, the second 2."""
    return np.broadcast_to(np.arange(1, n + 1, dtype=np.uint8)[:, None, None, None], (n, *shape))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_rows_with_gaps(channels: int):
    page = np.asarray(sheet(plain(5, 4, 6, channels), columns=2, scale=1))
    assert page.shape == (3 * 6 + 2, 2 * 8 + 2, 3)
    assert (page[2:6, 10:16] == 2).all() and (page[8:12, 2:8] == 3).all()
    assert (page[:2] == 236).all() and (page[6:8] == 236).all() and (page[14:, 10:] == 236).all()


def test_tiny_images_are_enlarged_by_a_whole_factor_and_large_ones_stay():
    checks = np.indices((8, 8)).sum(0)[None, :, :, None].repeat(100, 0).astype(np.uint8) % 2 * 255
    page = sheet(checks)
    assert 600 < page.width < 1000
    gap = 5
    assert set(np.unique(np.asarray(page)[gap : gap + 80, gap : gap + 80])) == {0, 255}
    assert sheet(plain(16, 300, 300, 3)).width == 4 * (300 + 18) + 18


@pytest.mark.parametrize("channels", [2, 4])
def test_paper_shows_through(channels: int):
    images = np.zeros((2, 4, 4, channels), np.uint8)
    images[1, ..., -1] = 255
    page = np.asarray(sheet(images, columns=2, scale=1))
    assert (page[2:6, 2:6] == 236).all() and (page[2:6, 8:12] == 0).all()


def test_names_stand_left_of_their_rows():
    bare, named = sheet(plain(6, 8, 8, 1)), sheet(plain(6, 8, 8, 1), labels=["cat", "a longer name"])
    assert named.width > bare.width * 0.9
    pixels = np.asarray(named)
    margin = int((pixels[100, :, 0] == 1).argmax())
    dark = (pixels[:, : margin - 8, 0] < 150).reshape(2, -1).any(1)
    assert margin > 50 and dark.all()
    short = np.asarray(sheet(plain(6, 8, 8, 1), labels=["", ""]))
    assert np.array_equal(pixels[:, margin:], short[:, -(named.width - margin) :])


def test_sheet_refuses():
    with pytest.raises(DataError, match="1 to 4"):
        sheet(plain(2, 4, 4, 5))
    with pytest.raises(DataError, match="at least one"):
        sheet(plain(0, 4, 4, 3))
    with pytest.raises(DataError, match="1 labels for 2 rows"):
        sheet(plain(4, 4, 4, 3), columns=2, labels=["cat"])


RECORDS = [
    {"kimg": 1.0, "seconds": 2.0, "D/adversarial": 1.0, "D/real_logit": 0.5, "D/order": 0.7, "G/l1": 3.0},
    {"kimg": 2.0, "D/adversarial": math.nan},
    {"kimg": 2.0, "kernel_distance": 0.2, "kernel_distance_error": 0.1, "recall": 0.3},
]


def test_names_find_their_panels():
    series = _series(RECORDS)
    assert dict(_panels(series)) == {
        "loss terms of D": ["D/adversarial"],
        "loss terms of G": ["G/l1"],
        "logits (means)": ["D/real_logit"],
        "signs of logits (means)": ["D/order"],
        "kernel distance": ["kernel_distance"],
        "metrics": ["recall"],
    }
    assert series["D/adversarial"].tolist() == [[1.0, 1.0]]


def has_colour(path: Path, colour: tuple[int, int, int]) -> int:
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int((abs(pixels - colour).sum(-1) < 30).sum())


def test_draws_short_and_long_logs(tmp_path: Path):
    curves(RECORDS, tmp_path / "short.png")
    long = [{"kimg": i / 10, "D/adversarial": 1e6 if i == 0 else i % 7} for i in range(1000)]
    curves(iter(long), tmp_path / "long.png")
    blue = (0, 114, 178)
    assert has_colour(tmp_path / "short.png", blue) > 100
    # The wild first value does not flatten the line, which hence covers more than a row of pixels.
    assert has_colour(tmp_path / "long.png", blue) > 1000


def test_error_band_is_drawn(tmp_path: Path):
    points = [{"kimg": float(i), "kernel_distance": 0.2} for i in range(1, 4)]
    curves(points, tmp_path / "bare.png")
    curves([{**p, "kernel_distance_error": 0.1} for p in points], tmp_path / "band.png")
    pale = (204, 227, 240)
    assert has_colour(tmp_path / "band.png", pale) > 1000 > has_colour(tmp_path / "bare.png", pale)


def test_curves_of_nothing():
    with pytest.raises(RunError, match="nothing to draw"):
        curves([{"kimg": 1.0, "seconds": 2.0}], Path("unused.png"))
