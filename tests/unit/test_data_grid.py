"""Sizes that networks can grow to, and making images fit them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.data.grid import Grid, fit_grid
from tenfold.data.resize import choose_size, fit_image, pad


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((28, 28), Grid(7, 7, 2)),
        ((64, 64), Grid(4, 4, 4)),
        ((25, 25), Grid(7, 7, 2)),
        ((8, 8), Grid(4, 4, 1)),
        ((3, 2), Grid(4, 2, 0)),
        ((48, 64), Grid(3, 4, 4)),
        ((1, 100), Grid(1, 7, 4)),
    ],
)
def test_grid(size, grid):
    assert fit_grid(*size) == grid


@given(st.integers(1, 600), st.integers(1, 600))
def test_grid_holds_the_image_and_wastes_little(height, width):
    grid = fit_grid(height, width)
    longest = max(grid.base_height, grid.base_width)
    assert grid.height >= height and grid.width >= width
    assert 4 <= longest <= 8 and min(grid.base_height, grid.base_width) >= 1
    assert max(grid.height, grid.width) < max(height, width, 4) + (1 << grid.doublings)
    for doublings in range(10):
        unit = 1 << doublings
        bases = [-(-max(side, 4 if side == max(height, width) else 1) // unit) for side in (height, width)]
        if 4 <= max(bases) <= 8:
            assert grid.height * grid.width <= bases[0] * bases[1] * unit**2


def test_size_is_kept_where_it_is_common_and_small():
    assert choose_size(np.array([[30, 20]] * 3), None) == (30, 20)
    assert choose_size(np.array([[300, 200]] * 3), None) == (64, 43)
    assert choose_size(np.array([[30, 20]] * 3), 15) == (15, 10)
    assert choose_size(np.array([[30, 20]] * 3), 30) == (30, 20)


def test_mixed_sizes_get_the_median_aspect_and_are_never_enlarged_unasked():
    assert choose_size(np.array([[100, 200], [50, 100], [70, 70]]), None) == (32, 64)
    assert choose_size(np.array([[20, 20], [21, 20], [22, 22]]), None) == (21, 21)
    assert choose_size(np.array([[100, 103], [200, 205], [70, 70]]), None) == (64, 64)


def test_cropping_is_about_the_centre():
    image = np.zeros((4, 8, 1), np.uint8)
    image[:, 2:6] = 200
    assert fit_image(image, 2, 2).min() > 180
    assert fit_image(image[:, 1:], 2, 2)[0, 1, 0] < 150


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_shrinking_averages_and_keeps_type_and_range(dtype):
    checks = (np.indices((32, 32)).sum(0) % 2 * 200).astype(dtype)[..., None].repeat(3, 2)
    small = fit_image(checks, 8, 8)
    assert small.dtype == dtype and small.shape == (8, 8, 3)
    assert abs(small[2:-2, 2:-2].astype(float) - 100).max() < 15
    step = np.full((32, 32, 1), 100, dtype)
    step[:, 13:] = 200
    small = fit_image(step, 16, 16)
    if dtype != "uint8":
        assert small.min() == 100 and small.max() == 200


def test_padding_repeats_edges_about_the_centre():
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3, 1)
    padded = pad(image, Grid(5, 4, 0))[0, :, :, 0]
    assert padded.tolist() == [[1, 2, 3, 3], [1, 2, 3, 3], [4, 5, 6, 6], [7, 8, 9, 9], [7, 8, 9, 9]]
