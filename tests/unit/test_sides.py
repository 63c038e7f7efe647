"""Two sides of pictures: found, paired, opened."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold.data.check import check_pairs
from tenfold.data.options import LoadOptions
from tenfold.data.order import BothSides
from tenfold.data.pairing import Direction, is_other_folder, sides_within
from tenfold.data.sides import open_sides, open_undirected
from tenfold.errors import DataError

OPTIONS = LoadOptions()
TO_COLOUR = Direction("outline", "colour")


def draw(path: Path, value: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", size, value % 256)
    image.putpixel((0, 0), 255)
    image.convert(mode).save(path)


def pairs(root: Path, n: int = 12, sides: tuple[str, str] = ("outline", "colour")) -> Path:
    """Pictures of which either side tells the number: 10 times it, and as much plus 5."""
    for i in range(n):
        draw(root / sides[0] / f"{i:03d}.png", 10 * i, mode="L")
        draw(root / sides[1] / f"{i:03d}.png", 10 * i + 5)
    return root


def test_partners_have_the_same_name_and_stay_together(tmp_path: Path):
    data = open_sides(pairs(tmp_path, 90), TO_COLOUR, OPTIONS)
    assert data.given is not None and data.holdout is not None and data.given.holdout is not None
    assert data.spec.kind == "pairs" and data.spec.shape == (3, 8, 8) and data.spec.given == (1, 8, 8)
    for made, given in ((data.train, data.given.train), (data.holdout, data.given.holdout)):
        assert made.names == given.names
    batches = BothSides(data.given.train, data.train, 16, paired=True)
    batch = batches(3, slice(4, 12))
    a, b = (batch[name][:, 0, 4, 4] * 127.5 + 127.5 for name in ("source", "real"))
    torch.testing.assert_close((b - a) % 256, torch.full_like(a, 5.0), atol=1e-3, rtol=0)


def test_without_pairs_each_side_is_shuffled_by_itself(tmp_path: Path):
    data = open_sides(pairs(tmp_path), Direction("outline", "colour", paired=False), OPTIONS)
    assert data.given is not None and data.spec.kind == "unpaired"
    batches = BothSides(data.given.train, data.train, 8, paired=False)
    batch = batches(0, slice(0, 8))
    a, b = (batch[name][:, 0, 4, 4] * 127.5 + 127.5 for name in ("source", "real"))
    assert ((b - a) % 256 != 5).any()


def test_one_side_that_is_named_leaves_the_other(tmp_path: Path):
    data = open_sides(pairs(tmp_path), Direction(target="outline"), OPTIONS)
    assert data.sides == ("colour", "outline")


def test_some_names_say_which_is_made_of_which(tmp_path: Path):
    data = open_sides(pairs(tmp_path, sides=("target", "input")), Direction(), OPTIONS)
    assert data.sides == ("input", "target")


def test_other_names_do_not(tmp_path: Path):
    with pytest.raises(DataError, match="--from colour --to outline, or --from outline --to colour"):
        open_sides(pairs(tmp_path), Direction(), OPTIONS)


def test_without_a_word_two_sub_folders_are_classes_and_the_other_reading_is_named(tmp_path: Path):
    pairs(tmp_path / "pairs")
    with pytest.raises(DataError, match=r"differ in channels.*--from colour --to outline, or --from outline"):
        open_undirected(str(tmp_path / "pairs"), OPTIONS)
    for i in range(12):
        for name in ("cat", "dog"):
            draw(tmp_path / "classes" / name / f"{i}.png", 10 * i)
    data = open_undirected(str(tmp_path / "classes"), OPTIONS)
    assert data.spec.kind == "images" and data.spec.classes == ("cat", "dog")
    assert "--from cat --to dog" in data.notes[-1]


def test_what_can_be_nothing_else_than_sides_is_opened_so(tmp_path: Path):
    pairs(tmp_path / "obvious", sides=("input", "target"))
    assert open_undirected(str(tmp_path / "obvious"), OPTIONS).sides == ("input", "target")
    pairs(tmp_path)
    rows = "".join(f"outline/{i:03d}.png,colour/{i:03d}.png\n" for i in range(12))
    (tmp_path / "both.csv").write_text("before,after\n" + rows)
    assert open_undirected(str(tmp_path / "both.csv"), OPTIONS).sides == ("before", "after")


def test_other_names_of_partners_are_noticed(tmp_path: Path):
    pairs(tmp_path)
    for i in range(12):
        (tmp_path / "colour" / f"{i:03d}.png").rename(tmp_path / "colour" / f"{i:03d}_colour.png")
    data = open_sides(tmp_path, TO_COLOUR, OPTIONS)
    assert data.spec.kind == "unpaired"
    assert any("0 of 24 names are on both sides" in note for note in data.notes)


def test_a_side_within_the_other_is_refused(tmp_path: Path):
    pairs(tmp_path)
    with pytest.raises(DataError, match="one lies in the other"):
        open_sides(tmp_path, Direction(target=str(tmp_path / "colour" / "..") + "/colour"), OPTIONS)


def test_a_table_beside_sides_that_names_no_pictures_is_refused(tmp_path: Path):
    pairs(tmp_path)
    (tmp_path / "metadata.jsonl").write_text('{"outline": "000.png", "colour": "000.png"}\n')
    with pytest.raises(DataError, match="a column file_name was expected"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)


def test_pictures_without_a_partner_are_counted_and_named(tmp_path: Path):
    pairs(tmp_path)
    (tmp_path / "colour" / "003.png").unlink()
    draw(tmp_path / "colour" / "extra.png", 7)
    with pytest.raises(DataError, match=r"2 pictures .* no partner .*first: 003\); 11 have one"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)
    data = open_sides(tmp_path, Direction("outline", "colour", paired=False), OPTIONS)
    assert data.spec.kind == "unpaired"


def test_pairs_of_two_sizes_are_refused_unless_a_size_is_given(tmp_path: Path):
    pairs(tmp_path)
    draw(tmp_path / "outline" / "004.png", 40, (16, 16), "L")
    with pytest.raises(DataError, match=r"1 of 12 pairs .* 16x16 and 8x8"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)
    assert open_sides(tmp_path, TO_COLOUR, LoadOptions(size=8)).spec.shape == (3, 8, 8)


def test_a_pair_is_left_out_if_one_of_it_cannot_be_read(tmp_path: Path):
    pairs(tmp_path)
    (tmp_path / "outline" / "002.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="002"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)
    data = open_sides(tmp_path, TO_COLOUR, LoadOptions(skip_bad=True))
    assert data.given is not None and len(data.train) == 11 and data.train.names == data.given.train.names


@pytest.mark.parametrize("empty", ["outline", "colour"])
def test_an_empty_side_is_refused(tmp_path: Path, empty: str):
    pairs(tmp_path)
    for path in (tmp_path / empty).iterdir():
        path.unlink()
    (tmp_path / empty / "readme.txt").write_text("nothing")
    with pytest.raises(DataError, match="no picture"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)


def test_two_folders_are_two_sides(tmp_path: Path):
    pairs(tmp_path)
    a, b = tmp_path / "outline", tmp_path / "colour"
    data = open_sides(a, Direction(target=str(b)), OPTIONS)
    assert data.spec.kind == "unpaired" and data.sides == ("outline", "colour")
    assert data.source == str(a) and data.given is not None and data.given.spec.shape == (1, 8, 8)
    assert open_sides(a, Direction(target=str(b), paired=True), OPTIONS).spec.kind == "pairs"
    with pytest.raises(DataError, match="Both sides are"):
        open_sides(a, Direction(target=str(a)), OPTIONS)


def test_halves_of_one_picture_are_a_pair(tmp_path: Path):
    for i in range(12):
        picture = np.zeros((8, 16), np.uint8)
        picture[:, :8], picture[:, 8:], picture[0, 0] = 10 * i, 10 * i + 5, 255
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    data = open_sides(tmp_path, Direction("right", "left"), OPTIONS)
    assert data.given is not None and data.spec.shape == (1, 8, 8)
    assert (data.given.train.values[:, 0, 4, 4] - data.train.values[:, 0, 4, 4] == 5).all()


def test_two_columns_of_a_table_are_two_sides(tmp_path: Path):
    pairs(tmp_path)
    rows = [f"outline/{i:03d}.png,colour/{(i + 1) % 12:03d}.png" for i in range(12)]
    (tmp_path / "both.csv").write_text("\n".join(["before,after", *rows]))
    data = open_sides(tmp_path / "both.csv", Direction(), OPTIONS)
    assert data.given is not None and data.sides == ("before", "after")
    assert sides_within(tmp_path / "both.csv") == ("before", "after")
    assert data.given.train.values[0, 0, 4, 4] == 0 and data.train.values[0, 0, 4, 4] == 15
    with pytest.raises(DataError, match="no side 'later'"):
        open_sides(tmp_path / "both.csv", Direction("before", "later"), OPTIONS)


def test_a_table_beside_the_sides_says_which_pairs_count(tmp_path: Path):
    pairs(tmp_path)
    rows = [json.dumps({"file_name": f"{i:03d}.png", "text": "x"}) for i in range(10)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))
    assert open_sides(tmp_path, TO_COLOUR, OPTIONS).spec.count == 10


def test_folders_of_splits_hold_both_sides(tmp_path: Path):
    pairs(tmp_path / "train")
    pairs(tmp_path / "val", 9)
    data = open_sides(tmp_path, TO_COLOUR, OPTIONS)
    assert len(data.train) == 12 and data.holdout is not None and len(data.holdout) == 9


def test_what_looks_like_pairs(tmp_path: Path):
    assert sides_within(pairs(tmp_path / "a")) == ("colour", "outline")
    for name in ("cat", "dog"):
        draw(tmp_path / "b" / name / f"{name}.png", 3)
    assert not sides_within(tmp_path / "b")


def test_a_table_that_names_other_pictures_is_refused(tmp_path: Path):
    pairs(tmp_path)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "000.png"}\n{"file_name": "077.png"}')
    with pytest.raises(DataError, match=r"1 of 2 pictures .* on no side \(first: 077\)"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)


def test_sides_that_are_not_paired_may_have_two_pictures_of_one_name(tmp_path: Path):
    pairs(tmp_path)
    draw(tmp_path / "colour" / "003.bmp", 7)
    assert open_sides(tmp_path, Direction("outline", "colour", paired=False), OPTIONS).spec.kind == "unpaired"
    with pytest.raises(DataError, match="More than one picture of a side is called 003"):
        open_sides(tmp_path, Direction("outline", "colour", paired=True), OPTIONS)


def test_a_side_without_any_file_is_refused(tmp_path: Path):
    pairs(tmp_path)
    for path in (tmp_path / "outline").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"no picture in .*outline"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)


@pytest.mark.parametrize(("option", "value"), [("holdout", "elsewhere"), ("group", "prefix")])
def test_options_that_would_part_pairs_are_refused(tmp_path: Path, option: str, value: str):
    with pytest.raises(DataError, match=f"--{option} {value}"):
        open_sides(pairs(tmp_path), TO_COLOUR, LoadOptions(**{option: value}))


def test_partners_as_large_and_as_old_are_not_taken_for_each_other(tmp_path: Path):
    """Either direction is decoded by itself, though nothing but the folder's name tells the files apart."""
    for i in range(6):
        for side, value in (("dark", i), ("bright", 200 + i)):
            draw(tmp_path / side / f"{i}.bmp", value, mode="L")
            os.utime(tmp_path / side / f"{i}.bmp", ns=(1, 1))
    for a, b, first in (("dark", "bright", 200), ("bright", "dark", 0)):
        assert open_sides(tmp_path, Direction(a, b), OPTIONS).train.values[0, 0, 4, 4] == first


def test_sizes_are_those_of_the_split_of_the_same_name(tmp_path: Path):
    pairs(tmp_path / "train")
    for side, mode in (("outline", "L"), ("colour", "RGB")):
        for i in range(9):
            draw(tmp_path / "val" / side / f"{i:03d}.png", 10 * i, (16, 16), mode)
    data = open_sides(tmp_path, TO_COLOUR, OPTIONS)
    assert data.sizes == ((8, 8),) * 12 + ((16, 16),) * 9
    draw(tmp_path / "val" / "outline" / "004.png", 40, (8, 8), "L")
    with pytest.raises(DataError, match=r"1 of 21 pairs .* 8x8 and 16x16"):
        open_sides(tmp_path, TO_COLOUR, OPTIONS)


def test_a_split_may_be_opened_by_itself(tmp_path: Path):
    pairs(tmp_path / "train")
    pairs(tmp_path / "test", 9)
    data = open_sides(tmp_path, TO_COLOUR, LoadOptions(split="test"))
    assert len(data.train) == 9 and data.holdout is None


def test_halves_need_not_be_pairs(tmp_path: Path):
    for i in range(12):
        draw(tmp_path / f"{i}.png", 10 * i, (16, 8))
    assert open_sides(tmp_path, Direction("left", "right", paired=False), OPTIONS).spec.kind == "unpaired"


def test_a_side_is_no_other_folder_and_a_path_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pairs(tmp_path)
    (tmp_path / "both.csv").write_text("outline,colour")
    monkeypatch.chdir(tmp_path)
    assert is_other_folder("outline", Direction(target="colour"))
    assert is_other_folder(tmp_path / "outline", Direction(target=str(tmp_path / "colour")))
    assert not is_other_folder(tmp_path, Direction(target="colour"))
    assert not is_other_folder("both.csv", Direction(target="colour"))
    assert not is_other_folder("outline", Direction("left", "colour"))


def test_pairs_are_looked_at_side_by_side(tmp_path: Path):
    pairs(tmp_path)
    report = check_pairs(tmp_path, ("colour", "outline"))
    assert (report.kind, report.count, report.problems) == ("pairs", 12, ())
    assert report.modes == {"colour RGB": 12, "outline L": 12}
    draw(tmp_path / "outline" / "004.png", 40, (16, 16), "L")
    (problem,) = check_pairs(tmp_path, ("colour", "outline")).problems
    assert "1 of 12 pairs" in problem and "--size" in problem
