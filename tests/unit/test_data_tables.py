"""Labels and groups: their order, rows without one, and columns that nothing uses."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tenfold.data import LoadOptions, open_data
from tenfold.data.parts import order_labels
from tenfold.errors import DataError


def fill(folder, count, name="{}.png"):
    for number in range(count):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / name.format(number))


def write_csv(path, rows):
    path.write_text("\n".join(rows) + "\n")


def test_the_order_of_labels_is_that_of_numbers_and_never_a_sets():
    assert order_labels({"1", "01", "001", "-2", "0"}) == ("-2", "0", "001", "01", "1")
    for odd in ("--1", "-", "", "\u0661", "9" * 5000):
        assert order_labels({"10", "9", odd}) == tuple(sorted({"10", "9", odd}))


@pytest.mark.parametrize("rows", [["p0_0.png,", "p0_1.png,ann"], ["p0_0.png", "p0_1.png,ann"]])
def test_rows_without_a_group_are_refused(tmp_path, rows):
    fill(tmp_path, 2, name="p0_{}.png")
    write_csv(tmp_path / "metadata.csv", ["file,patient", *rows])
    with pytest.raises(DataError, match=r"1 of 2 rows of metadata.csv have no patient \(first: 'p0_0.png'\)"):
        open_data(tmp_path, LoadOptions(group="patient"))
    assert len(open_data(tmp_path, LoadOptions(group="prefix")).train) == 2


def test_lines_without_a_group_are_refused(tmp_path):
    fill(tmp_path, 2)
    lines = ['{"file": "0.png", "prefix": "a"}', '{"file": "1.png"}']
    write_csv(tmp_path / "metadata.jsonl", lines)
    with pytest.raises(DataError, match=r"have no prefix \(first: '1.png'\).*leave out --group"):
        open_data(tmp_path, LoadOptions(group="prefix"))


def test_texts_are_said_to_be_unused(tmp_path):
    fill(tmp_path, 2)
    write_csv(tmp_path / "metadata.csv", ["file,text", "0.png,a cat", "1.png,a dog"])
    assert any("'text' is not used" in note for note in open_data(tmp_path).notes)
