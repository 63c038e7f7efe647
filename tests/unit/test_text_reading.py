"""Texts in files, folders and lists, and what is said when they are not as they should be."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from tenfold.data.texts.lines import lines_of
from tenfold.data.texts.options import TextOptions
from tenfold.data.texts.places import is_texts
from tenfold.data.texts.reading import read_holdout, read_texts
from tenfold.errors import DataError

PLAIN = TextOptions()


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_text_per_line(tmp_path):
    found = read_texts(put(tmp_path / "a.txt", "\ufeffone \r\n\n 二\u2028 \n   \nthree"), PLAIN)
    assert found.train.texts == ("one", "二", "three")
    assert found.train.names == ("line 1", "line 3", "line 5")
    assert found.train.labels is None and found.holdout is None
    assert found.notes == (f"2 of 5 texts of {tmp_path}/a.txt are empty and left out (first: line 2)",)


def test_only_line_ends_end_lines():
    assert lines_of("a\rb\r\nc\x0bd\x85e\u2028f\n") == ["a", "b", "c\x0bd\x85e\u2028f"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\n \n", "all of its 2 texts are blank"),
        ("one\nGr\u00f6\u00dfe\n".encode("latin-1"), r"byte 6 \(line 2\) is 0xf6\. It looks like latin-1"),
        (
            "\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\n".encode("gbk"),
            r"It is perhaps gb18030\. Save",
        ),
        (
            "\u5929\u6c23\u5f88\u597d\uff0c\u6211\u5011\u53bb\u516c\u5712\n".encode("big5"),
            r"It is perhaps big5\. Save",
        ),
        (
            "\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17\u3067\u3059\n".encode("shift_jis"),
            r"It is perhaps shift_jis\. Save",
        ),
        (
            "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440 \u0438 \u0432\u0441\u0435\n".encode(
                "cp1251"
            ),
            "It looks like latin-1",
        ),
        (b"a\n\xff\nb\n\xfe\n", r"byte 2 \(line 2\) is 0xff \(1 more lines are like that\)"),
        ("one\ntwo".encode("utf-16"), "utf-16"),
        (b"a\0b", r"byte 1 \(line 1\) is 0x00"),
    ],
)
def test_files_that_hold_no_text(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        read_texts(put(tmp_path / "a.txt", content), PLAIN)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("column", ["text", "caption"])
def test_columns(tmp_path, suffix, column):
    rows = [("a, b", "x"), ('"c"', "y")]
    if suffix == "jsonl":
        content = "\n".join(json.dumps({"id": 1, column: text, "label": label}) for text, label in rows)
    elif suffix == "csv":
        content = f'id,{column},label\n1,"a, b",x\n1,"""c""",y\n'
    else:
        content = f'id\t{column}\tlabel\n1\ta, b\tx\n1\t"c"\ty\n'
    part = read_texts(put(tmp_path / f"a.{suffix}", content), PLAIN).train
    assert part.texts == ("a, b", '"c"')
    assert part.labels == ("x", "y")
    assert part.names == (("line 1", "line 2") if suffix == "jsonl" else ("line 2", "line 3"))


def test_columns_that_are_named(tmp_path):
    path = put(tmp_path / "a.csv", "body,kind\none,x\ntwo,y\n")
    part = read_texts(path, TextOptions(text="body", label="kind")).train
    assert (part.texts, part.labels) == (("one", "two"), ("x", "y"))
    assert read_texts(put(tmp_path / "b.csv", "body\none\ntwo\n"), PLAIN).train.texts == ("one", "two")
    with pytest.raises(DataError, match=r"no column that is called text or caption\. Found: body, kind"):
        read_texts(path, PLAIN)
    with pytest.raises(DataError, match=r"no column 'bodi'\. Did you mean 'body'"):
        read_texts(path, TextOptions(text="bodi"))
    with pytest.raises(DataError, match="has no columns"):
        read_texts(put(tmp_path / "a.txt", "one"), TextOptions(label="kind"))


def test_a_column_of_texts_is_none_of_labels(tmp_path):
    part = read_texts(put(tmp_path / "a.csv", "id,class\n1,one\n2,two\n"), TextOptions(text="class")).train
    assert (part.texts, part.labels) == (("one", "two"), None)


def test_what_means_nothing_to_texts_is_refused():
    with pytest.raises(DataError, match=r"template 'a {label}' was asked for, which is not read of texts"):
        read_texts(["one", "two"], TextOptions(template="a {label}"))
    for name in ("text", "label"):
        with pytest.raises(DataError, match="'kind' was asked for, and a list of 2 texts has no columns"):
            read_texts(["one", "two"], TextOptions(**{name: "kind"}))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,label\none,x\ntwo,\n", r"1 of 2 texts .* have no label \(first: line 3\)"),
        ("a.csv", "text,label\none, two,x\n", "Line 2 of .* has 3 fields; the line of names has 2"),
        ("a.csv", "", "is empty"),
        ("a.csv", "text,label,text\none,x,two\n", r"Columns 1 and 3 of .*a\.csv are both called 'text'"),
        ("a.tsv", "label\tid\tid\ttext\nx\t1\t2\tone\n", "Columns 2 and 3 of .* are both called 'id'"),
        ("a.jsonl", '{"text": "a"}\noops', r"Line 2 of .*a\.jsonl is not a JSON object"),
        ("a.jsonl", "[1]", r"Line 1 of .*a\.jsonl is not a JSON object"),
        ("a.jsonl", '{"text": "a \\ud800"}', r"line 1 .* half of a character \(U\+D800"),
        ("a.jsonl", '{"text": "a", "label": "\\ud800"}', r"line 1 .* half of a character \(U\+D800"),
        ("a.json", '["one", "two"]', r"a\.json is no file of texts"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, name, content, words):
    with pytest.raises(DataError, match=words):
        read_texts(put(tmp_path / name, content), PLAIN)


def test_a_folder_of_texts(tmp_path):
    put(tmp_path / "b.txt", "second\r\ntext\n")
    put(tmp_path / "a.txt", "first")
    put(tmp_path / "c.txt", " ")
    found = read_texts(tmp_path, PLAIN)
    assert found.train.texts == ("first", "second\ntext")
    assert found.train.names == ("a.txt", "b.txt") and found.train.labels is None
    assert "each of 3 files is one text" in found.notes
    assert any("(first: c.txt)" in note for note in found.notes)


def test_a_folder_per_class(tmp_path):
    for name in ("good/a", "good/deep/b", "bad/c"):
        put(tmp_path / f"{name}.txt", name)
    part = read_texts(tmp_path, PLAIN).train
    assert dict(zip(part.texts, part.labels, strict=True)) == {
        "bad/c": "bad",
        "good/a": "good",
        "good/deep/b": "good",
    }
    put(tmp_path / "beside.txt", "x")
    found = read_texts(tmp_path, PLAIN)
    assert found.train.labels is None
    assert any("not taken for classes" in note for note in found.notes)


def test_a_folder_with_one_file_has_a_text_per_line(tmp_path):
    put(tmp_path / "in" / "all.txt", "one\ntwo")
    assert read_texts(tmp_path, PLAIN).train.texts == ("one", "two")


def test_files_of_splits(tmp_path):
    for name, text in (("train", "a\nb"), ("valid", "c"), ("test", b"\xff")):
        put(tmp_path / f"{name}.txt", text)
    put(tmp_path / "README.txt", "about")
    found = read_texts(tmp_path, PLAIN)
    assert found.train.texts == ("a", "b")
    assert found.holdout is not None and found.holdout.texts == ("c",)
    assert {"README.txt beside the splits is left alone", "the test texts are left alone"} <= {*found.notes}
    put(tmp_path / "train.csv", "text\nz")
    with pytest.raises(DataError, match="more than one file for a split"):
        read_texts(tmp_path, PLAIN)


def test_folders_of_splits(tmp_path):
    for split in ("train", "val"):
        for label in "xy":
            put(tmp_path / split / label / "0.txt", f"{split} {label}")
    found = read_texts(tmp_path, PLAIN)
    assert found.train.texts == ("train x", "train y") and found.train.labels == ("x", "y")
    assert found.holdout is not None and found.holdout.texts == ("val x", "val y")
    put(tmp_path / "other" / "0.txt", "z")
    with pytest.raises(DataError, match=r"1 texts in others \(first: other/0\.txt\)"):
        read_texts(tmp_path, PLAIN)


def test_a_holdout_that_is_given(tmp_path):
    train, held = put(tmp_path / "a.txt", "a\nb"), put(tmp_path / "b.txt", "c\n")
    found = read_texts(train, TextOptions(holdout=str(held)))
    assert found.holdout is not None and found.holdout.texts == ("c",)
    assert f"the hold-out is {held}" in found.notes
    listed = read_texts(["a", "b"], TextOptions(holdout=str(held)))
    assert listed.holdout is not None and listed.holdout.texts == ("c",)


def test_a_holdout_that_judges_need_not_have_the_labels_that_were_asked_for(tmp_path):
    train = put(tmp_path / "a.csv", "body,kind\none,x\ntwo,y\n")
    bare = put(tmp_path / "b.csv", "body,id\nthree,1\n")
    asked = TextOptions(text="body", label="kind")
    found = read_holdout(str(bare), asked)
    assert (found.texts, found.labels) == (("three",), None)
    assert found.notes == (f"{bare} has no column 'kind': its texts have no labels",)
    assert read_holdout(str(train), asked).labels == ("x", "y")
    lines = put(tmp_path / "b.txt", "three\nfour\n")
    assert read_holdout(str(lines), TextOptions(label="kind")).labels is None
    with pytest.raises(DataError, match=r"'body' was asked for, and .*b.txt has no columns"):
        read_holdout(str(lines), asked)
    with pytest.raises(DataError, match=r"b\.csv has no column 'kind'\. "):
        read_texts(bare, asked)
    with pytest.raises(DataError, match=r"The hold-out .*b\.csv has no labels, and .*: a sampler of"):
        read_texts(train, TextOptions(text="body", label="kind", holdout=str(bare)))
    other = put(tmp_path / "c.csv", "text,kind\none,x\ntwo,y\n")
    for label in ("kind", None):
        if label is None:
            other = put(tmp_path / "d.csv", "text,label\none,x\ntwo,y\n")  # taken by itself
        with pytest.raises(DataError, match=r"The hold-out .*b\.txt has no labels, and .*: a sampler of"):
            read_texts(other, TextOptions(label=label, holdout=str(lines)))
    put(tmp_path / "both" / "train.txt", "a")
    put(tmp_path / "both" / "val.txt", "b")
    with pytest.raises(DataError, match="has splits itself"):
        read_holdout(str(tmp_path / "both"), PLAIN)


def test_columns_that_are_taken_for_nothing_are_named(tmp_path):
    path = put(tmp_path / "a.csv", "text,mood,id,,\none,x,1,,\ntwo,y,2,,\n")
    part = read_texts(path, PLAIN).train
    assert part.labels is None
    assert part.notes[-1].endswith("is taken for labels; fit --label COLUMN takes one of 'mood', 'id'")
    assert read_texts(path, TextOptions(label="mood")).train.notes == ()


def test_an_archive_is_read_like_its_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("all/x/0.txt", "one")
        archive.writestr("all/y/0.txt", "two")
    part = read_texts(tmp_path / "a.zip", PLAIN).train
    assert (part.texts, part.labels) == (("one", "two"), ("x", "y"))


def test_lists():
    found = read_texts(["a ", "", "b"], PLAIN)
    assert found.train.texts == ("a", "b") and found.source == "a list of 3 texts"
    assert found.notes == ("1 of 3 texts of a list of 3 texts are empty and left out (first: 1)",)
    labelled = read_texts([("a", 1), ("b", 2)], PLAIN).train
    assert (labelled.texts, labelled.labels) == (("a", "b"), ("1", "2"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "it is empty"),
        (["a", 3], "Number 1 of the list is 3; a text was expected"),
        ([("a", "x"), "b"], "Number 1 of the list is 'b'; a text and its label was expected"),
        ({"a"}, "A set holds no texts"),
        ("nowhere.txt", "no file or folder 'nowhere.txt'"),
    ],
)
def test_sources_that_hold_no_texts(tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=words):
        read_texts(source, PLAIN)


def test_a_folder_without_texts(tmp_path):
    put(tmp_path / "a.md", "x")
    with pytest.raises(DataError, match=r"1 files, none of which ends in \.txt"):
        read_texts(tmp_path, PLAIN)


def test_what_can_only_be_texts(tmp_path):
    text = put(tmp_path / "texts" / "a.txt", "x")
    table = put(tmp_path / "a.csv", "text\nx")
    put(tmp_path / "pictures" / "a.txt", "x")
    Image.new("L", (4, 4)).save(tmp_path / "pictures" / "a.png")
    put(tmp_path / "tables" / "README.txt", "x")
    put(tmp_path / "tables" / "a.csv", "text\nx")
    assert is_texts(text) and is_texts(str(text)) and is_texts(tmp_path / "texts")
    assert is_texts(["a", "b"]) and is_texts([("a", "x")])
    others = (table, tmp_path / "pictures", tmp_path / "tables", "digits", [], [1], np.zeros((3, 2)))
    assert not any(map(is_texts, others))
