"""Tables in and out: files, frames and arrays become one frame, and what is made becomes the same again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tenfold.data.table.container import Container
from tenfold.data.table.csvfile import delimiter_of
from tenfold.data.table.frames import is_table, read_frame, write_frame
from tenfold.errors import DataError


def file(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_columns_of_text_become_what_all_of_them_are(tmp_path):
    text = "n,x,zip,flag,word,gap\n1,.5,00123,True, a,1\n2,1e3,12345,False,b,\n3,-2,99999,True,?,NA\n"
    df = read_frame(file(tmp_path, text)).df
    assert df["n"].dtype == np.int64 and df["x"].tolist() == [0.5, 1000.0, -2.0]
    assert df["zip"].tolist() == ["00123", "12345", "99999"]
    assert df["flag"].dtype == bool and df["flag"].tolist() == [True, False, True]
    assert df["word"].tolist() == [" a", "b", "?"]
    assert df["gap"].dtype == "Int64" and df["gap"].isna().tolist() == [False, True, True]


def test_what_only_looks_like_numbers_stays_text(tmp_path):
    text = 'long,unknown,euro\n12345678901234567,1,"1,5"\n12345678901234568,?,"2,25"\n'
    df = read_frame(file(tmp_path, text)).df
    assert df["long"].tolist() == ["12345678901234567", "12345678901234568"]
    assert df["unknown"].tolist() == ["1", "?"]
    assert df["euro"].tolist() == ["1,5", "2,25"]


def test_empty_fields_of_words_are_missing(tmp_path):
    df = read_frame(file(tmp_path, "a,b\nx,1\n ,2\n,3\n")).df
    assert df["a"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path, delimiter):
    text = "\n".join(delimiter.join(row) for row in (("a", "b", "c"), ("1", "x", "2"), ("3", "y", "4")))
    frame = read_frame(file(tmp_path, text))
    assert list(frame.df.columns) == ["a", "b", "c"] and frame.df["c"].tolist() == [2, 4]
    assert frame.container.delimiter == delimiter


def test_a_decimal_comma_is_no_delimiter_and_a_single_column_has_none():
    assert delimiter_of(b"a;b\n1,5;2,5\n3,5;4,5\n") == ";"
    assert delimiter_of(b"a\n1\n2\n") == ","


def test_a_broken_line_is_named(tmp_path):
    path = file(tmp_path, "a,b\n1,2\n3\n4,5\n6,7,8\n")
    with pytest.raises(DataError, match=r"Line 3 of .* has 1 fields; the line of names has 2 \(2 lines"):
        read_frame(path)


def test_quoted_fields_may_hold_delimiters_and_line_ends(tmp_path):
    df = read_frame(file(tmp_path, 'a,b\n"x, y",1\n"two\nlines",2\n')).df
    assert df["a"].tolist() == ["x, y", "two\nlines"] and df["b"].tolist() == [1, 2]
    with pytest.raises(DataError, match=r"Line 4 of .* has 1 fields"):
        read_frame(file(tmp_path, 'a,b\n"two\nlines",2\nx\n'))


def test_blank_lines_are_no_rows(tmp_path):
    assert len(read_frame(file(tmp_path, "a,b\n1,2\n\n3,4\n   \n\n")).df) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_in_a_single_column_a_blank_line_between_others_is_a_missing_value(tmp_path, end):
    df = read_frame(file(tmp_path, end.join(["", "a", "1", "", "3", "", ""]))).df
    assert df["a"].isna().tolist() == [False, True, False]
    df = read_frame(file(tmp_path, end.join(["a", "b c", "  ", '""', "d"]))).df
    assert df["a"].isna().tolist() == [False, True, True, False]


def test_whole_numbers_with_gaps_stay_without_a_point(tmp_path):
    text = "a;b;c\n39;1.0;x\n;;y\n41;2.0;z\n"
    df = read_frame(file(tmp_path, text)).df
    assert df.dtypes.astype(str).tolist()[:2] == ["Int64", "float64"]
    assert df.to_csv(index=False, sep=";", lineterminator="\n") == text


def test_a_csv_is_separated_as_the_one_that_came_in(tmp_path):
    for delimiter, csv in ((";", ";"), ("|", "|"), (",", ","), ("\t", ",")):
        container = read_frame(file(tmp_path, f"a{delimiter}b\n1{delimiter}2\n")).container
        assert container.delimiter_in(Path("out.csv")) == csv
        assert container.delimiter_in(Path("out.tsv")) == "\t"
    assert read_frame(pd.DataFrame({"a": [1]})).container.delimiter_in(Path("out.csv")) == ","


@pytest.mark.parametrize(
    ("text", "encoding", "likely"),
    [
        ("name\nGröße\n", "latin-1", "latin-1"),
        ("name\n5 €\n", "cp1252", "cp1252"),
        ("name\nx\n", "utf-16", "utf-16"),
        ("name\nabc\n", "utf-16-le", "utf-16-le"),
    ],
)
def test_another_encoding_is_named_with_its_byte(tmp_path, text, encoding, likely):
    path = file(tmp_path, text, encoding=encoding)
    with pytest.raises(DataError, match=rf"not UTF-8 text: byte \d+ \(line \d\).* looks like {likely}\."):
        read_frame(path)


def test_chinese_that_is_not_utf_8_is_no_latin(tmp_path):
    path = file(tmp_path, "\u57ce\u5e02,\u7701\n\u5e7f\u5dde,\u5e7f\u4e1c\n", encoding="gbk")
    with pytest.raises(DataError, match=r"It is perhaps gb18030\. .*encoding=\"gb18030\""):
        read_frame(path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    assert list(read_frame(file(tmp_path, "a,b\n1,2\n", encoding="utf-8-sig")).df.columns) == ["a", "b"]


def test_names_are_asked_for_where_there_are_none(tmp_path):
    with pytest.raises(DataError, match=r"has numbers and no names: 5\.1, 3\.5"):
        read_frame(file(tmp_path, "5.1,3.5\n4.9,3.0\n"))
    assert list(read_frame(file(tmp_path, ",0,1\na,5,6\n")).df.columns) == ["Unnamed: 0", "0", "1"]
    with pytest.raises(DataError, match="is empty"):
        read_frame(file(tmp_path, "\n"))


def test_a_file_may_be_packed(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,x\n2,y\n"))
    assert is_table(path) and read_frame(path).df["b"].tolist() == ["x", "y"]


def test_lines_of_json(tmp_path):
    path = file(tmp_path, '{"a": 1, "b": "x"}\n\n{"a": 2, "b": null}\n', "rows.jsonl")
    df = read_frame(path).df
    assert df["a"].tolist() == [1, 2] and df["b"].isna().tolist() == [False, True]
    with pytest.raises(DataError, match=r"Line 2 of .* is not a JSON object"):
        read_frame(file(tmp_path, '{"a": 1}\n[2]\n', "rows.jsonl"))
    assert read_frame(file(tmp_path, '{"a": [1, 2]}', "rows.json")).df["a"].tolist() == [1, 2]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.xlsx", "t.json", "t.jsonl"])
def test_files_are_written_as_their_suffix_says_and_read_again(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    df = pd.DataFrame({"n": [1, 2, 3], "x": [0.25, np.nan, 3.5], "word": ["a", " b", "c"]})
    write_frame(df, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    again = read_frame(tmp_path / name).df
    assert again["n"].tolist() == [1, 2, 3] and again["word"].tolist() == ["a", " b", "c"]
    np.testing.assert_equal(again["x"].to_numpy(float), df["x"].to_numpy())


def test_a_suffix_that_says_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no file of a table"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "table.txt")
    with pytest.raises(DataError, match="is no file of a table"):
        read_frame(tmp_path / "table.txt")
    with pytest.raises(DataError, match="There is no file"):
        read_frame(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="cannot be written"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "absent" / "table.csv")


def test_frames_of_pandas_go_out_as_they_came_in():
    df = pd.DataFrame({" a": [1, 2], 7: ["x", "y"]}, index=pd.Index([10, 20], name="key"))
    frame = read_frame(df)
    assert list(frame.df.columns) == ["a", "7"] and frame.df.index.tolist() == [0, 1]
    assert list(df.columns) == [" a", 7]  # what came in stays as it is
    assert frame.container.index == "other"
    made = frame.container.restore(frame.df[["7", "a"]])
    assert list(made.columns) == [" a", 7]
    assert made.index.name == "key" and made.index.tolist() == [0, 1]


def test_some_of_the_columns_go_out_in_their_order():
    frame = read_frame(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    assert list(frame.container.restore(frame.df[["c", "a"]]).columns) == ["a", "c"]


def test_arrays_go_out_as_they_came_in():
    values = np.array([[1.5, 2.0], [3.0, 4.0]], np.float32)
    frame = read_frame(values)
    assert list(frame.df.columns) == ["0", "1"]
    again = frame.container.restore(frame.df)
    assert again.dtype == np.float32 and np.array_equal(again, values)
    with pytest.raises(DataError, match="two dimensions"):
        read_frame(np.zeros((2, 2, 2)))


def test_arrays_of_objects_and_of_words():
    mixed = np.array([[1, "x"], [2, "y"]], object)
    frame = read_frame(mixed)
    assert frame.df["0"].dtype == np.int64
    assert frame.container.restore(frame.df).tolist() == mixed.tolist()
    words = np.array([["a", "b"], ["c", "d"]])
    frame = read_frame(words)
    assert frame.container.restore(frame.df).dtype == words.dtype


def test_arrays_with_fields_go_out_as_they_came_in():
    rows = np.array([(1, 2.5, "x"), (2, 3.5, "y")], [("n", "<i4"), ("x", ">f8"), ("word", "<U3")])
    assert is_table(rows)
    frame = read_frame(rows)
    assert frame.df["x"].tolist() == [2.5, 3.5]
    again = frame.container.restore(frame.df)
    assert again.dtype == rows.dtype and again.tolist() == rows.tolist()


def test_mappings_go_out_as_they_came_in():
    frame = read_frame({"a": [1, 2], "b": ["x", "y"]})
    again = frame.container.restore(frame.df)
    assert again["a"].tolist() == [1, 2] and again["b"].tolist() == ["x", "y"]
    with pytest.raises(DataError, match="lists of one length"):
        read_frame({"a": [1, 2], "b": [1]})


def test_frames_of_polars_go_out_as_they_came_in():
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    from datetime import date

    df = pl.DataFrame(
        {
            "n": pl.Series([1, None, 3], dtype=pl.Int32),
            "word": ["a", None, "c"],
            "day": [date(2024, 1, 31), date(2024, 2, 1), None],
            "flag": [True, False, None],
            "kind": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
        }
    )
    assert is_table(df)
    frame = read_frame(df)
    again = frame.container.restore(frame.df)
    assert again.schema == df.schema and again.rows() == df.rows()


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"a": [1]}, index=pd.Index(["r"], name="key")),
        np.zeros((1, 2), np.int16),
        np.zeros(1, [("a", "<i4"), ("b", "<f8")]),
        {"a": [1]},
    ],
)
def test_containers_are_json(source):
    container = read_frame(source).container
    assert Container.from_json(json.loads(json.dumps(container.to_json()))) == container


def test_the_fingerprint_changes_with_values_names_and_types():
    frames = [
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 3], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 2], "b": ["x", "z"]}),
        pd.DataFrame({"a": [1, 2], "c": ["x", "y"]}),
        pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    ]
    marks = [read_frame(df).fingerprint for df in frames]
    assert len(set(marks)) == len(frames)
    assert read_frame(frames[0].astype({"b": object})).fingerprint == marks[0]
    with pytest.raises(DataError, match=r"'a' of .* holds lists"):
        read_frame(pd.DataFrame({"a": [[1], [2]]}))


def test_columns_of_several_levels_are_refused():
    df = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    with pytest.raises(DataError, match="several levels"):
        read_frame(df)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age,income\n39,low\n", True),
        ("file_name,label\na.png,cat\n", False),
        ("path,count\n/usr/bin,3\n", True),
        ("photo,drawing\na.png,b.png\n", False),
        ("file,label\n", False),
        ("a\n1\n", True),
    ],
)
def test_a_csv_that_names_pictures_is_about_these(tmp_path, text, expected):
    assert is_table(file(tmp_path, text)) is expected


def test_what_is_a_table(tmp_path):
    assert is_table(pd.DataFrame({"a": [1]})) and is_table({"a": [1]})
    assert not is_table(np.zeros((3, 2)))
    assert not is_table("digits") and not is_table(tmp_path) and not is_table(tmp_path / "absent.csv")
    assert not is_table(file(tmp_path, '{"file_name": "a.png"}\n', "metadata.jsonl"))
    assert is_table(file(tmp_path, '{"age": 3}\n', "rows.jsonl"))
    assert is_table(file(tmp_path, "a,b\nGröße,1\n", encoding="latin-1"))
