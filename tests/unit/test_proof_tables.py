"""Tables: columns are read, encoded by the training rows alone, and refused where they cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.proof.tabular import fit_columns, frame_columns, joined_tables, read_csv, table_task
from tenfold.proof.task import fit_encoding

COLUMNS = {
    "age": [str(20 + i) for i in range(29)] + [""],
    "town": ["Ulm", "Bonn", "Ulm"] * 10,
    "ill": ["no", "yes"] * 15,
    "ward": [str(i // 6) for i in range(30)],
}


def test_columns_become_numbers_and_levels() -> None:
    task = table_task(COLUMNS, "ill", "ward", "table")
    assert task.kind == "table" and task.values.shape == (30, 2) and task.classes == ("no", "yes")
    assert np.isnan(task.values[29, 0]) and task.levels == ((), ("Bonn", "Ulm"))
    assert task.groups is not None and len(set(task.groups)) == 5


def test_encoding_knows_the_training_rows_alone() -> None:
    values = np.array([[0, 0], [2, 1], [4, 1], [np.nan, 0], [100, 2], [np.nan, np.nan]], float)
    encoding = fit_columns(values[:4], ((), ("a", "b", "c")))
    rows = encoding.encode(values)
    mean, spread = np.mean([0, 2, 4, 2]), np.std([0, 2, 4, 2])
    np.testing.assert_allclose(rows[:4, 0], (np.array([0, 2, 4, 2]) - mean) / spread, rtol=1e-6)
    assert rows[:, 1].tolist() == [0, 0, 0, 1, 0, 1]  # marks what is missing
    assert rows[:, 2:].tolist() == [[1, 0], [0, 1], [0, 1], [1, 0], [0, 0], [0, 0]]  # c was never seen
    assert rows[4, 0] > 50


def test_what_a_generator_makes_is_moved_to_possible_rows() -> None:
    values = np.array([[0, 0], [2, 1], [4, 1], [np.nan, 2]], float)
    snapped = fit_columns(values, ((), ("a", "b", "c"))).snap(np.array([[0.3, 0.7, 0.2, 0.4, -1.0]]))
    np.testing.assert_allclose(snapped, [[0.3, 1, 0, 1, 0]])


def test_constant_columns_are_dropped() -> None:
    values = np.c_[np.ones(5), np.arange(5.0), np.full(5, np.nan)]
    assert fit_columns(values).encode(values).shape == (5, 1)


def test_vectors_are_standardised_by_the_training_rows() -> None:
    task = table_task(COLUMNS, "ill", None, "table")
    rows = np.arange(10)
    encoded = fit_encoding(task, rows).encode(task.values)
    assert abs(encoded[:10, 0].mean()) < 1e-6 < abs(encoded[:, 0].mean())


def test_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa, b\n1,"x, y"\n2,z\n', encoding="utf-8")
    assert read_csv(path) == {"a": ["1", "2"], "b": ["x, y", "z"]}
    path.write_text("a,b\n1\n")
    with pytest.raises(DataError, match="row 2"):
        read_csv(path)


def test_a_data_frame_is_anything_with_columns() -> None:
    class Frame:
        columns = ("a", "b")

        def __getitem__(self, name: str) -> Series:
            return Series({"a": [1.5, float("nan")], "b": ["x", None]}[name])

    class Series:
        def __init__(self, cells: list) -> None:
            self.cells = cells

        def to_numpy(self) -> np.ndarray:
            return np.array(self.cells, object)

    assert frame_columns(Frame()) == {"a": ["1.5", ""], "b": ["x", ""]}


@pytest.mark.parametrize(
    ("target", "group", "words"),
    [
        ("il", None, "no column 'il' for --target. Did you mean 'ill'"),
        (None, None, "Name it with --target"),
        ("ill", "wrd", "for --group. Did you mean 'ward'"),
        ("age", None, "have no age"),
    ],
)
def test_columns_that_are_not_there(target: str | None, group: str | None, words: str) -> None:
    with pytest.raises(DataError, match=words):
        table_task(COLUMNS, target, group, "table")


def test_a_target_of_measurements_is_refused() -> None:
    with pytest.raises(DataError, match="30 different values"):
        table_task({**COLUMNS, "age": [str(i) for i in range(30)]}, "age", None, "table")


def test_test_and_unlabelled_tables_share_the_levels() -> None:
    test = {"age": ["33", "41"], "town": ["Kiel", "Kiel"], "ill": ["yes", "no"]}
    rest = {"age": ["50", "20"], "town": ["Ulm", "Ulm"]}  # the second is also among the labelled
    columns = {name: cells for name, cells in COLUMNS.items() if name != "ward"}
    task, unlabelled = joined_tables(columns, test, rest, target="ill", group=None, source="table")
    assert task.test is not None and task.test.sum() == 2 and len(task) == 32
    assert task.levels[1] == ("Bonn", "Kiel", "Ulm")
    assert unlabelled is not None and unlabelled.tolist() == [[50.0, 2.0]]
    known = {name: cells[3:4] for name, cells in columns.items()}
    with pytest.raises(DataError, match="1 rows of the test table are also in table"):
        joined_tables(columns, known, None, target="ill", group=None, source="table")
    with pytest.raises(DataError, match="test table has no column 'ill'"):
        joined_tables(columns, rest, None, target="ill", group=None, source="table")


def test_unlabelled_rows_of_a_labelled_group_are_left_out() -> None:
    labelled = COLUMNS["ward"][0]
    rest = {"age": ["50", "51"], "town": ["Ulm", "Ulm"], "ward": [labelled, "elsewhere"]}
    _, unlabelled = joined_tables(COLUMNS, None, rest, target="ill", group="ward", source="table")
    assert unlabelled is not None and unlabelled[:, 0].tolist() == [51.0]
    with pytest.raises(DataError, match="no unlabelled items are left"):
        one = {name: cells[:1] for name, cells in rest.items()}
        joined_tables(COLUMNS, None, one, target="ill", group="ward", source="table")


@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_other_marks_between_fields(tmp_path: Path, mark: str) -> None:
    (tmp_path / "t.csv").write_text(f"a{mark}b\n1{mark}2\n")
    assert read_csv(tmp_path / "t.csv") == {"a": ["1"], "b": ["2"]}
    (tmp_path / "t.csv").write_text(f"a{mark}a\n1{mark}2\n")
    with pytest.raises(DataError, match="2 columns called 'a'"):
        read_csv(tmp_path / "t.csv")


def test_none_may_be_a_class_and_many_levels_are_cut_by_the_training_rows() -> None:
    rng = np.random.default_rng(0)
    texts = [f"t{i:02d}" for i in rng.integers(0, 60, 400)]
    texts[300:] = [f"t{i % 10:02d}" for i in range(100)]
    task = table_task({"c": texts, "ill": ["none", "n/a"] * 200}, "ill", None, "table")
    assert task.classes == ("n/a", "none") and len(task.levels[0]) == 60
    train = np.arange(300)
    found = fit_encoding(task, train).encode(task.values)
    counts = np.bincount(task.values[train, 0].astype(int), minlength=60)
    assert found.shape == (400, 50)
    kept = found.any(1)
    assert counts[task.values[kept, 0].astype(int)].min() >= np.sort(counts)[10]


def test_a_group_on_both_sides_is_refused() -> None:
    test = {"age": ["33", "41"], "town": ["Kiel", "Kiel"], "ill": ["yes", "no"], "ward": ["w", "3"]}
    with pytest.raises(DataError, match="the group '3' has items in the test set"):
        joined_tables(COLUMNS, test, None, target="ill", group="ward", source="table")


def test_pandas_na_is_missing() -> None:
    class Absent:
        def __ne__(self, other: object) -> Absent:  # type: ignore[override]
            return self

        def __bool__(self) -> bool:
            raise TypeError("boolean value of NA is ambiguous")

    class Frame:
        columns = ("a",)

        def __getitem__(self, name: str) -> np.ndarray:
            return cells

    class Cells(list):
        def to_numpy(self) -> np.ndarray:
            return np.array(self, object)

    cells = Cells([Absent(), 1, None, float("nan"), "x"])
    assert frame_columns(Frame()) == {"a": ["", "1", "", "", "x"]}
