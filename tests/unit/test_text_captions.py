"""Pictures with captions: tables, files beside them and classes; captions stay with their picture."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold.data import LoadOptions
from tenfold.data.texts.captions import find_captioned, is_captioned
from tenfold.data.texts.opening import open_captioned
from tenfold.data.texts.options import TextOptions
from tenfold.errors import DataError

PLAIN, PICTURES = TextOptions(), LoadOptions()
SKIP = LoadOptions(skip_bad=True)
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def put(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(value).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    values[0, 0] = value
    Image.fromarray(values).save(path)


def words(number):
    return " ".join(NUMBERS[int(digit)] for digit in str(number))


def table(folder, rows, name="metadata.jsonl"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def numbered(folder, count, first=0):
    """Pictures whose first value is their number, and captions that say it."""
    for number in range(first, first + count):
        put(folder / f"{number}.png", number)
    rows = [{"file_name": f"{n}.png", "text": words(n)} for n in range(first, first + count)]
    table(folder, rows)


def said(split, codec):
    """Of each picture: its number, and what its caption says."""
    batch = split.gather(np.arange(len(split)))
    return split.values[:, 0, 0, 0].tolist(), codec.decode(batch["condition"])


def test_captions_are_beside_their_pictures_on_both_sides(tmp_path):
    numbered(tmp_path, 100)
    data = open_captioned(tmp_path, PLAIN)
    assert data.spec.kind == "captioned" and data.spec.shape == (3, 4, 4) and data.spec.pictures
    assert data.spec.text == data.texts.layout
    assert (len(data.train), len(data.holdout)) == (75, 25)
    for side in (data.train, data.holdout):
        numbers, captions = said(side, data.texts)
        assert captions == [words(number) for number in numbers]
    batch = data.train.gather(np.array([3, 1]))
    assert batch["real"].shape == (2, 3, 4, 4)
    assert batch["condition"].dtype == torch.int64
    again = open_captioned(tmp_path, PLAIN, codec=data.texts)
    assert again.fingerprint == data.fingerprint
    assert said(again.train, data.texts) == said(data.train, data.texts)


def test_capitals_of_captions_count_as_small_letters(tmp_path):
    numbered(tmp_path, 40)
    rows = [{"file_name": f"{n}.png", "text": words(n).title() if n % 2 else words(n)} for n in range(40)]
    table(tmp_path, rows)
    data = open_captioned(tmp_path, TextOptions(tokens="words"))
    assert data.texts.folded and sorted(word.strip() for word in data.texts.tokens.vocabulary) == sorted(
        NUMBERS
    )
    numbers, captions = said(data.train, data.texts)
    assert captions == [words(number) for number in numbers]
    assert data.texts.encode(["TWO One"]).tolist() == data.texts.encode(["two one"]).tolist()
    again = open_captioned(tmp_path, TextOptions(tokens="words"), codec=data.texts)
    assert np.array_equal(
        again.train.gather(np.arange(9))["condition"], data.train.gather(np.arange(9))["condition"]
    )


def test_captions_are_learnt_as_words_however_few(tmp_path):
    for number, name in enumerate(NUMBERS):
        put(tmp_path / f"{number}.png", number)
        (tmp_path / f"{number}.txt").write_text(f"the number {name}")
    assert open_captioned(tmp_path, PLAIN).texts.unknown("the number eleven") == ["eleven"]
    assert open_captioned(tmp_path, TextOptions(tokens="characters")).texts.unknown("number") == []


def test_captions_stay_with_their_pictures_when_some_are_skipped(tmp_path):
    numbered(tmp_path, 30)
    for number in (0, 7, 29):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="3 of 30 images cannot be read"):
        open_captioned(tmp_path, PLAIN)
    data = open_captioned(tmp_path, PLAIN, SKIP)
    numbers, captions = said(data.train, data.texts)
    assert len(numbers) == 27 and captions == [words(number) for number in numbers]


def test_some_of_them_keep_their_captions(tmp_path):
    numbered(tmp_path, 10)
    data = open_captioned(tmp_path, PLAIN)
    numbers, captions = said(data.train.take(np.array([8, 2, 5])), data.texts)
    assert (numbers, captions) == ([8, 2, 5], ["eight", "two", "five"])


def test_splits_and_a_given_holdout_have_captions_of_their_own(tmp_path):
    numbered(tmp_path / "train", 6)
    numbered(tmp_path / "val", 6, first=3)
    numbered(tmp_path / "test", 2)
    for source, how in (
        (tmp_path, None),
        (tmp_path / "train", LoadOptions(holdout=str(tmp_path / "val"))),
    ):
        data = open_captioned(source, PLAIN, how)
        assert len(data.train) == 6
        numbers, captions = said(data.holdout, data.texts)
        assert numbers == [3, 4, 5, 6, 7, 8]
        assert captions[:3] == ["three", "four", "five"] and "<unk>" not in captions[0]


def test_a_table_with_files_in_folders_of_splits(tmp_path):
    rows = []
    for n in range(12):
        split = "val" if n % 3 == 0 else "train"
        put(tmp_path / split / f"{n}.png", n)
        rows.append({"file_name": f"{split}/{n}.png", "caption": words(n)})
    table(tmp_path, rows)
    for source in (tmp_path, tmp_path / "metadata.jsonl"):
        data = open_captioned(source, PLAIN)
        assert said(data.holdout, data.texts)[0] == [0, 3, 6, 9]
    put(tmp_path / "99.png", 99)
    table(tmp_path, [*rows, {"file_name": "99.png", "caption": "more"}])
    with pytest.raises(DataError, match="1 beside them"):
        open_captioned(tmp_path, PLAIN)


def test_several_captions_in_rows_or_lists(tmp_path):
    for number in range(3):
        put(tmp_path / f"{number}.png", number)
    captions = {"0.png": ("a", "b"), "1.png": ("c",), "2.png": ("d", "e", "f")}
    table(tmp_path, [{"file_name": f, "text": text} for f, texts in captions.items() for text in texts])
    rows = find_captioned(tmp_path, PLAIN, PICTURES).train.captions
    table(tmp_path, [{"file_name": f, "text": list(texts)} for f, texts in captions.items()])
    found = find_captioned(tmp_path, PLAIN, PICTURES)
    assert rows == found.train.captions == captions
    assert found.found.notes[0] == "1 to 3 captions for each of 3 pictures"
    beside = open_captioned(tmp_path, PLAIN).train.beside
    last = beside.gather(np.arange(3), np.full(3, 0.99))["condition"][:, 0]
    first = beside.gather(np.arange(3))["condition"][:, 0]
    assert (last - first).tolist() == [1, 0, 2]


def test_files_beside_pictures(tmp_path):
    for number in range(4):
        put(tmp_path / "ab"[number % 2] / f"{number}.png", number)
        (tmp_path / "ab"[number % 2] / f"{number}.txt").write_text(f"{words(number)}\n\nagain\n")
    put(tmp_path / "a" / "8.png", 8)
    (tmp_path / "README.txt").write_text("about")
    found = find_captioned(tmp_path, PLAIN, PICTURES)
    assert found.train.captions["a/2.png"] == ("two", "again")
    assert [item.label for item in found.train.part.items] == ["a", "a", "b", "b"]
    notes = " ".join(found.found.notes)
    assert "1 pictures without a caption are left out (first: a/8.png)" in notes
    assert "1 files of captions have no picture (first: README.txt)" in notes


def test_classes_become_captions(tmp_path):
    for number in range(4):
        put(tmp_path / ("red_cat", "dog")[number % 2] / f"{number}.png", number)
    plain = find_captioned(tmp_path, PLAIN, PICTURES).train.captions
    assert plain["red_cat/0.png"] == ("red cat",)
    said = find_captioned(tmp_path, TextOptions(template="a photo of a {label}"), PICTURES)
    assert said.train.captions["dog/1.png"] == ("a photo of a dog",)
    rows = [{"file_name": f"{name}/{n}.png", "label": name} for n, name in enumerate(("red_cat", "dog") * 2)]
    table(tmp_path, rows)
    assert find_captioned(tmp_path, PLAIN, PICTURES).train.captions == plain


def test_a_table_beside_the_folder(tmp_path):
    for side in ("colour", "outline"):
        for number in range(3):
            put(tmp_path / side / f"{number}.png", number)
    table(tmp_path, [{"file_name": f"{n}.png", "text": words(n), "label": "x"} for n in range(3)])
    found = find_captioned(tmp_path / "colour", PLAIN, PICTURES)
    assert found.train.captions["2.png"] == ("two",)
    assert any("../metadata.jsonl" in note for note in found.found.notes)


def test_captions_for_missing_pictures(tmp_path):
    numbered(tmp_path, 4)
    (tmp_path / "1.png").unlink()
    (tmp_path / "3.png").unlink()
    expected = r"2 of the 4 pictures that metadata\.jsonl has captions for are missing \(first: '1\.png'"
    with pytest.raises(DataError, match=expected):
        find_captioned(tmp_path, PLAIN, PICTURES)
    found = find_captioned(tmp_path, PLAIN, SKIP)
    assert sorted(found.train.captions) == ["0.png", "2.png"]
    assert any("2 pictures" in note and "(first: 1.png)" in note for note in found.found.notes)


def test_pictures_without_captions_and_empty_captions(tmp_path):
    for number in range(5):
        put(tmp_path / f"{number}.png", number)
    texts = {"0.png": "zero", "1.png": " ", "2.png": ["two", ""], "3.png": None}
    table(tmp_path, [{"file_name": file, "text": text} for file, text in texts.items()])
    found = find_captioned(tmp_path, PLAIN, PICTURES)
    assert found.train.captions == {"0.png": ("zero",), "2.png": ("two",)}
    notes = " ".join(found.found.notes)
    assert "3 captions are empty and left out (first: of 1.png)" in notes
    assert "2 pictures without a caption are left out (first: 1.png)" in notes
    assert "1 images that metadata.jsonl does not name were left out (first: 4.png)" in notes
    table(tmp_path, [{"file_name": "0.png", "text": ""}])
    with pytest.raises(DataError, match="None of the 1 pictures"):
        find_captioned(tmp_path, PLAIN, PICTURES)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"picture": "0.png", "text": "a"}], "no column of file names. Found: picture, text"),
        ([{"file_name": "0.png", "title": "a"}], "no column of captions. Found: file_name, title"),
        ([{"file_name": "0.png", "text": "a", "label": x} for x in "xy"], "the labels 'x' and 'y'"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, rows, expected):
    put(tmp_path / "0.png")
    table(tmp_path, rows)
    with pytest.raises(DataError, match=expected):
        find_captioned(tmp_path, PLAIN, PICTURES)


def test_captions_that_say_nothing(tmp_path):
    numbered(tmp_path, 3)
    table(tmp_path, [{"file_name": f"{n}.png", "text": "a cat"} for n in range(3)])
    with pytest.raises(DataError, match="Every caption is 'a cat'"):
        open_captioned(tmp_path, PLAIN)
    (tmp_path / "metadata.jsonl").unlink()
    with pytest.raises(DataError, match="No captions were found"):
        open_captioned(tmp_path, PLAIN)
    with pytest.raises(DataError, match="is not there"):
        open_captioned(tmp_path / "nowhere", PLAIN)


def test_groups_stay_together(tmp_path):
    rows = []
    for number in range(100):
        put(tmp_path / f"{number}.png", number)
        rows.append({"file_name": f"{number}.png", "text": words(number), "scene": str(number // 5)})
    table(tmp_path, rows)
    data = open_captioned(tmp_path, PLAIN, LoadOptions(group="scene"))
    scenes = [{number // 5 for number in said(side, data.texts)[0]} for side in (data.train, data.holdout)]
    assert not scenes[0] & scenes[1]
    with pytest.raises(DataError, match="Did you mean 'scene'"):
        open_captioned(tmp_path, PLAIN, LoadOptions(group="scent"))


def test_what_is_taken_for_captioned(tmp_path):
    numbered(tmp_path / "plain", 2)
    numbered(tmp_path / "splits" / "train", 2)
    numbered(tmp_path / "splits" / "val", 2)
    numbered(tmp_path / "labelled", 2)
    table(tmp_path / "labelled", [{"file_name": "0.png", "text": "a", "label": "x"}])
    numbered(tmp_path / "silent", 2)
    table(tmp_path / "silent", [{"file_name": "0.png", "text": None}])
    put(tmp_path / "beside" / "0.png")
    (tmp_path / "beside" / "0.txt").write_text("a")
    (tmp_path / "texts.csv").write_text("text\na\n")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "metadata.jsonl").write_text("oops")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in (tmp_path / "plain").iterdir():
            archive.write(path, path.name)
    yes = ("plain", "splits", "plain/metadata.jsonl", "a.zip")
    assert all(is_captioned(tmp_path / name) for name in yes)
    no = ("labelled", "silent", "beside", "texts.csv", "damaged", "nowhere")
    assert not any(is_captioned(tmp_path / name) for name in no)
    assert not is_captioned("digits") and not is_captioned(np.zeros((2, 4, 4)))
