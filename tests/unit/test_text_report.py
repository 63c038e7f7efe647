"""What is said of texts before anything is trained."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tenfold.data.texts.options import TextOptions
from tenfold.data.texts.report import check_captioned, check_text_pairs, check_texts
from tenfold.errors import DataError


def test_texts():
    lines = ["a cat sat", "a dog sat", "", "a cat sat"] * 30
    report = check_texts([(line, "x" if "cat" in line else "y") for line in lines])
    (side,) = report.sides
    assert (report.kind, report.count, report.holdout, report.problems) == ("texts", 90, 0, ())
    assert (side.tokens, side.vocabulary, side.length, side.cut) == ("words", 8, 4, 0)
    assert (side.usual, side.longest) == (3, 3)
    assert side.common == (("a", 90), ("sat", 90), ("cat", 60), ("dog", 30))
    assert (side.different, side.duplicates) == (2, 88)
    assert side.repeated == (("a cat sat", 60), ("a dog sat", 30))
    assert report.classes == {"x": 60, "y": 30}
    said = "\n".join(report.lines())
    assert "90 texts; 0 held out" in said
    assert "duplicates: 88 (most often 'a cat sat' 60 times, 'a dog sat' 30 times)" in said
    assert "classes: x 60, y 30" in said
    assert "note: 30 of 120 texts of a list of 120 texts are empty and left out (first: 2)" in said
    assert json.loads(json.dumps(report.to_json()))["sides"][0]["duplicates"] == 88


def test_cut_texts_are_counted():
    (side,) = check_texts(["abc", "ab", "abcd"] * 3, TextOptions(tokens="characters", length=3)).sides
    assert (side.longest, side.length, side.cut) == (4, 3, 3)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["same"] * 5, "are the same"),
        (["a", "aa", "aaa"], "one token"),
        (["a b", "b a", "c"], "3 texts to train on; at least 6"),
    ],
)
def test_problems(lines, words):
    report = check_texts(lines)
    assert len(report.problems) == 1 and words in report.problems[0]
    assert report.lines()[-1] == f"problem: {report.problems[0]}"
    json.dumps(report.to_json())


def test_nothing_to_look_at(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match="it is empty"):
        check_texts(tmp_path / "a.txt")


def test_pairs():
    pairs = [(str(n), "ab" * (n % 3 + 1)) for n in range(90)]
    report = check_text_pairs(pairs, TextOptions(tokens="characters"))
    given, made = report.sides
    assert (report.count, report.holdout) == (90, 22)
    assert (given.name, given.different, given.longest) == ("source", 90, 2)
    assert (made.name, made.different, made.longest) == ("target", 3, 6)
    assert any(line.startswith("target: duplicates: 87") for line in report.lines())


def test_captions(tmp_path):
    for number in range(8):
        values = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    rows = [{"file_name": f"{n}.png", "text": ["a b", "b"] if n else "c"} for n in range(8)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = check_captioned(tmp_path)
    assert (report.kind, report.count, report.shape) == ("captioned", 8, (1, 4, 4))
    assert (report.sides[0].count, report.sides[0].different) == (15, 3)
    assert "1 to 2 captions for each of 8 pictures" in report.notes
    (tmp_path / "3.png").write_bytes(b"no picture")
    (problem,) = check_captioned(tmp_path).problems
    assert "1 of 8 images cannot be read" in problem
