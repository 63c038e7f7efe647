"""Samples as files: labels become safe folders, nothing is overwritten, sheets are pictures."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch

from tenfold.data import Codec
from tenfold.errors import RunError
from tenfold.samples import LISTING, Samples, folder_names

CODEC = Codec("images", 1, 4, 4, 4, 4, "uint8", 0, 255, ".png")
ROWS = Codec("vectors", 3, 1, 1, 1, 1, "float32", 0, 1, ".npy")
HOSTILE = (
    "../../pwned",
    "/tmp/pwned",
    "ok/sub",
    "",
    ".hidden",
    "..",
    "C:\\x",
    "a\0b",
    "x" * 300,
    LISTING,
    "two\nlines",
)


def samples(classes: tuple[str, ...] = (), first: int = 0) -> Samples:
    n = len(classes) or 3
    labels = np.arange(n) if classes else None
    return Samples(torch.zeros(n, 1, 4, 4), labels, classes, CODEC, first)


def listed(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LISTING).read_text().splitlines()]


def test_labels_from_data_stay_inside_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down" / "out"
    samples(HOSTILE).save(out)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and out not in path.parents] == []
    assert [row["label"] for row in listed(out)] == list(HOSTILE)
    for row in listed(out):
        file = out / str(row["file_name"])
        assert file.is_file() and file.parent.parent == out and not file.parent.name.startswith(".")


def test_every_class_has_a_folder_of_its_own_whatever_the_file_system() -> None:
    alike = [
        "Cat",
        "cat",
        "CAT",
        "cat-2",
        "a/b",
        "a_b",
        "a:b",
        "é",
        "e\u0301",
        "straße",
        "STRASSE",
        "",
        "_",
        ".",
    ]
    names = folder_names(alike)
    assert len({unicodedata.normalize("NFC", name.upper()) for name in names.values()}) == len(alike)
    assert names["Cat"] == "Cat" and names["a_b"] == "a_b"
    assert folder_names(["tabby", "0", "rote Katze"]) == {name: name for name in ("tabby", "0", "rote Katze")}


def test_saving_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    samples(("a", "b")).save(tmp_path / "out")
    before = listed(tmp_path / "out")
    with pytest.raises(RunError, match=r"not empty.*another --out"):
        samples(("a", "b")).save(tmp_path / "out")
    assert listed(tmp_path / "out") == before


def test_later_samples_go_beside_the_earlier_but_never_over_them(tmp_path: Path) -> None:
    samples(("a", "b")).save(tmp_path)
    samples(("a", "b"), first=2).save(tmp_path)
    assert [row["index"] for row in listed(tmp_path)] == [0, 1, 2, 3]
    (tmp_path / "b" / "000003.png").write_text("mine")
    with pytest.raises(RunError, match="overwritten"):
        samples(("a", "b"), first=2).save(tmp_path)
    assert (tmp_path / "b" / "000003.png").read_text() == "mine"
    assert len(listed(tmp_path)) == 4


def test_rows_of_numbers_are_not_overwritten(tmp_path: Path) -> None:
    rows = lambda first: Samples(torch.zeros(2, 3), None, (), ROWS, first)
    rows(0).save(tmp_path)
    rows(2).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples-000000.npy", "samples-000002.npy"]
    with pytest.raises(RunError, match="overwritten"):
        rows(2).save(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"notes\.txt is a file; a folder was expected"):
        samples().save(tmp_path / "notes.txt")


def test_a_sheet_makes_its_folder_and_must_be_a_picture(tmp_path: Path) -> None:
    assert samples().grid(tmp_path / "new" / "sheet.PNG").is_file()
    for name in ("sheet.foo", "sheet", ""):
        with pytest.raises(RunError, match=r"\.png, .* were expected"):
            samples().grid(name)
