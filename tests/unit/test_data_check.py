"""What `check` reports, and that it needs no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tenfold.cli.__main__ import main
from tenfold.data import LoadOptions, cache, check, open_data
from tenfold.errors import DataError


def fill(folder, count, size=(8, 8), start=0):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        values = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{number:03}.png")
    return folder


def test_report(tmp_path):
    fill(tmp_path / "a", 60)
    fill(tmp_path / "b", 40, start=60)
    (tmp_path / "b" / "099.png").write_bytes((tmp_path / "a" / "000.png").read_bytes())
    (tmp_path / "b" / "zzz.png").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    report = check(tmp_path)
    assert (report.kind, report.count, report.sizes) == ("images", 100, "8x8 pixels")
    assert report.classes == {"a": 60, "b": 40}
    assert (report.modes, report.dtypes) == ({"RGB": 100}, {"uint8": 100})
    assert report.bad == (("b/zzz.png", "not an image, whatever its name says"),)
    assert report.duplicates == 1 and report.duplicate_pairs == (("b/099.png", "a/000.png"),)
    assert report.ignored == ("notes.txt",) and report.holdout == 25 and report.shape == (3, 8, 8)
    assert len(report.problems) == 1
    assert not check(tmp_path, LoadOptions(skip_bad=True)).problems
    assert json.loads(json.dumps(report.to_json()))["count"] == 100
    text = "\n".join(report.lines())
    for words in (
        "100 images, 8x8 pixels",
        "a 60, b 40",
        "25 samples held out",
        "b/099.png = a/000.png",
        "problem: 1 of",
    ):
        assert words in text
    assert not list(cache.cache_folder().glob("*"))


def test_what_check_plans_is_what_opening_does(tmp_path):
    fill(tmp_path, 90, (25, 19))
    report, data = check(tmp_path), open_data(tmp_path)
    assert report.shape == data.spec.shape == (3, 28, 20)
    assert report.holdout == len(data.holdout)
    assert report.notes == data.notes


def test_sizes_that_differ(tmp_path):
    for number, side in enumerate((4, 10, 6)):
        fill(tmp_path, 1, (side, side * 2), number)
    assert check(tmp_path).sizes == "smallest 8x4, median 12x6, largest 20x10"


def test_a_duplicate_is_of_values_not_of_bytes(tmp_path):
    fill(tmp_path, 3)
    Image.open(tmp_path / "000.png").save(tmp_path / "copy.bmp")
    assert check(tmp_path).duplicate_pairs == (("copy.bmp", "000.png"),)


def test_one_image_is_a_problem_not_an_error(tmp_path):
    report = check(fill(tmp_path, 1))
    assert report.count == 1 and "at least 2" in report.problems[0] and report.shape == ()


def test_nothing_is_an_error(tmp_path):
    with pytest.raises(DataError, match="No images"):
        check(tmp_path)


def test_arrays_and_vectors():
    assert check(np.random.default_rng(0).random((90, 5))).sizes == "5 features"
    assert check("digits").classes["0"] == 178


def test_holdout_that_does_not_fit_is_a_problem(tmp_path):
    for name in "ab":
        fill(tmp_path / "real" / name, 3)
        fill(tmp_path / "held" / f"{name}c", 3)
    report = check(tmp_path / "real", LoadOptions(holdout=str(tmp_path / "held")))
    assert "hold-out has the class" in report.problems[0]


def given(tmp_path):
    fill(tmp_path / "real", 6)
    fill(tmp_path / "held", 4, start=6)
    return tmp_path / "real", LoadOptions(holdout=str(tmp_path / "held"))


def damage(folder, how):
    whole = (folder / "007.png").read_bytes()
    (folder / "007.png").write_bytes(b"x" if how == "header" else whole[:150])


@pytest.mark.parametrize("how", ["header", "end"])
def test_a_holdout_that_cannot_be_read_is_a_problem_as_it_is_for_opening(tmp_path, how):
    source, options = given(tmp_path)
    damage(tmp_path / "held", how)
    with pytest.raises(DataError, match=r"1 of 10 .*007\.png") as refused:
        open_data(source, options)
    report = check(source, options)
    assert report.problems == (str(refused.value),) and [name for name, _ in report.bad] == ["007.png"]
    skipping = replace(options, skip_bad=True)
    assert not check(source, skipping).problems
    assert check(source, skipping).holdout == len(open_data(source, skipping).holdout) == 3


def test_a_damaged_folder_of_validation_images_is_a_problem(tmp_path):
    fill(tmp_path / "train", 6)
    damage(fill(tmp_path / "val", 4, start=6), "end")
    report = check(tmp_path)
    assert report.count == 6 and report.holdout == 3 and len(report.problems) == 1


def test_copies_of_training_images_in_the_holdout_are_said(tmp_path):
    source, options = given(tmp_path)
    assert not any("exact copies" in note for note in check(source, options).notes)
    for number in (8, 9):
        (tmp_path / "held" / f"00{number}.png").write_bytes((source / "003.png").read_bytes())
    notes = check(source, options).notes
    assert "2 of 4 hold-out images are exact copies of training images (first: 008.png = 003.png)" in notes


def test_copies_across_the_carved_holdout_are_said(tmp_path):
    for number in range(90):
        Image.new("RGB", (8, 8), (number // 2, 0, 0)).save(tmp_path / f"{number:03}.png")
    report = check(tmp_path)
    assert report.duplicates == 45
    assert any("of 22 hold-out images are exact copies" in note for note in report.notes)


def test_neither_torch_nor_scikit_learn_is_imported(tmp_path):
    fill(tmp_path, 3)
    code = (
        "import sys; from tenfold.data import check; check(sys.argv[1]);"
        "print([name for name in ('torch', 'sklearn', 'matplotlib', 'tifffile') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_too_few_and_all_alike_are_problems(tmp_path):
    fill(tmp_path / "few", 5)
    assert check(tmp_path / "few").problems == ("5 images to train on; at least 6 are needed to judge by",)
    (tmp_path / "same").mkdir()
    for number in range(9):
        Image.new("L", (8, 8), 90).save(tmp_path / "same" / f"{number}.png")
    assert check(tmp_path / "same").problems == ("all images are the same; there is nothing to learn",)


@pytest.mark.parametrize(("size", "said"), [((17, 1), True), ((30, 28), False)])
def test_pictures_that_are_mostly_padding_are_spoken_of(tmp_path, size, said):
    for number in range(9):
        Image.new("L", size, number).save(tmp_path / f"{number}.png")
    assert any("of what the networks see is padding" in note for note in check(tmp_path).notes) is said


def test_texts_that_may_be_captions_are_pointed_out(tmp_path, capsys):
    fill(tmp_path, 8)
    for number in range(5):
        (tmp_path / f"{number:03}.txt").write_text("a bird")
    hint = "5 text files have the names of pictures: if they are captions, --recipe dfgan"
    assert hint in open_data(tmp_path).notes
    assert main(["check", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert hint in found["notes"] and {"dfgan", "gan_cls", "dcgan"} <= {*found["recipes"]}
    (tmp_path / "004.txt").rename(tmp_path / "readme.txt")  # half of them have none
    assert main(["check", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not any("if they are captions" in note for note in found["notes"])
    assert "dfgan" not in found["recipes"]
