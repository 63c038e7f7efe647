"""Pairs of texts, wherever they lie, and what is said when they do not belong together."""

from __future__ import annotations

import pytest

from tenfold.data.texts.options import TextOptions
from tenfold.data.texts.pairs import read_pairs
from tenfold.errors import DataError

PLAIN = TextOptions()
BOTH = (("1", "2"), ("one", "two"))


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def sides(part):
    return part.sources, part.targets


def test_two_files_line_by_line(tmp_path):
    given, made = put(tmp_path / "in.txt", "1\n2\n"), put(tmp_path / "out.txt", "one\ntwo")
    for source, options in (
        ((given, str(made)), PLAIN),
        (str(given), TextOptions(target=str(made))),
    ):
        found = read_pairs(source, options)
        assert sides(found.train) == BOTH
        assert found.train.sides == ("in", "out")
        assert found.holdout is None
    assert found.source == str(given)


def test_files_of_unequal_length(tmp_path):
    given, made = put(tmp_path / "in.txt", "1\n2\n3\n"), put(tmp_path / "out.txt", "one\ntwo\n")
    with pytest.raises(DataError, match=r"in\.txt has 3 lines and .*out\.txt has 2"):
        read_pairs((given, made), PLAIN)


def test_an_empty_side_takes_the_pair_with_it(tmp_path):
    given, made = put(tmp_path / "in.txt", "0\n1\n\n2\n3"), put(tmp_path / "out.txt", "\none\nx\ntwo\n ")
    found = read_pairs((given, made), PLAIN)
    assert sides(found.train) == BOTH
    assert found.train.names == ("line 2", "line 4")
    assert any("3 of 5 pairs" in note and "(first: line 1)" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "content", "options", "names"),
    [
        ("a.tsv", "1\tone\n2\ttwo\n", PLAIN, ("source", "target")),
        ("a.tsv", "x\tTarget\tsource\n.\tone\t1\n.\ttwo\t2\n", PLAIN, ("source", "Target")),
        ("a.tsv", "en\tnr\none\t1\ntwo\t2\n", TextOptions(source="nr"), ("nr", "en")),
        ("a.csv", "src,tgt\n1,one\n2,two\n", PLAIN, ("src", "tgt")),
        ("a.csv", "id,nr,en\n.,1,one\n.,2,two\n", TextOptions(source="nr", target="en"), ("nr", "en")),
        ("a.jsonl", '{"target": "one", "source": 1}\n{"source": "2", "target": "two"}', PLAIN, None),
    ],
)
def test_columns(tmp_path, name, content, options, names):
    found = read_pairs(put(tmp_path / name, content), options)
    assert sides(found.train) == BOTH
    assert found.train.sides == (names or ("source", "target"))
    assert any("taken for a pair" in note for note in found.notes) == content.startswith("1")


def test_a_folder_with_a_file_for_each_side(tmp_path):
    for split, content in (("train", "1\n2"), ("val", "3")):
        put(tmp_path / split / "source.txt", content)
        put(tmp_path / split / "target.txt", content.replace("1", "one").replace("2", "two"))
    found = read_pairs(tmp_path, PLAIN)
    assert sides(found.train) == BOTH
    assert found.holdout is not None and sides(found.holdout) == (("3",), ("3",))
    back = read_pairs(tmp_path / "train", TextOptions(source="target", target="source"))
    assert sides(back.train) == BOTH[::-1]


def test_a_holdout_of_two_files(tmp_path):
    put(tmp_path / "held" / "in.txt", "3")
    put(tmp_path / "held" / "out.txt", "three")
    table = put(tmp_path / "held.tsv", "4\tfour")
    both = put(tmp_path / "in.txt", "1\n2"), put(tmp_path / "out.txt", "one\ntwo")
    for holdout, expected in ((tmp_path / "held", (("3",), ("three",))), (table, (("4",), ("four",)))):
        found = read_pairs(both, TextOptions(holdout=str(holdout)))
        assert found.holdout is not None and sides(found.holdout) == expected


def test_lists():
    found = read_pairs([("1", "one "), ("2", "two"), ("", "x")], PLAIN)
    assert sides(found.train) == BOTH
    assert found.source == "a list of 3 pairs"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([("a", "b"), "c"], "Number 1 of the list is 'c'; a pair of texts was expected"),
        ([("a", 1)], "Number 0 of the list"),
        ([], "it is empty"),
        ([("a", ""), ("", "b")], "of each of 2, a side is empty"),
        ({}, "A dict holds no pairs"),
        (("a.txt", "b.txt"), "no file 'a.txt'"),
    ],
)
def test_sources_that_hold_no_pairs(tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=words):
        read_pairs(source, PLAIN)


def test_sides_that_are_not_clear(tmp_path):
    table = put(tmp_path / "a.csv", "de,en\neins,one\n")
    with pytest.raises(DataError, match=r"not clear which of the columns of .*: de, en\. Name"):
        read_pairs(table, PLAIN)
    with pytest.raises(DataError, match="no side 'es' among its columns"):
        read_pairs(table, TextOptions(source="es"))
    with pytest.raises(DataError, match="holds one side"):
        read_pairs(put(tmp_path / "a.txt", "x"), PLAIN)


@pytest.mark.parametrize("name", ["text", "label", "template"])
def test_what_means_nothing_to_pairs_is_refused(name):
    with pytest.raises(DataError, match=f"^{name} 'a {{label}}' was asked for, which is not read of pairs"):
        read_pairs([("1", "one"), ("2", "two")], TextOptions(**{name: "a {label}"}))
