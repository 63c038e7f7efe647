"""Tables are proved as `fit` and `check` read them: the same kinds, the same cells."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.proof.columns import table_of
from tenfold.proof.options import ProofOptions
from tenfold.proof.task import Task

pd = pytest.importorskip("pandas")

N = 60


def people(n: int = N, first: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(first)
    return pd.DataFrame(
        {
            "id": np.arange(first, first + n),
            "age": random.integers(18, 80, n),
            "zip": random.choice(["01234", "94103", "10001"], n),
            "since": pd.date_range("2020-01-01", periods=n).strftime("%d.%m.%Y"),
            "weight": [f"{x:.1f}".replace(".", ",") for x in random.normal(70, 9, n)],
            "land": ["DE"] * n,
            "ill": random.choice(["no", "yes"], n),
        }
    )


def task_in(path: Path, target: str | None = "ill", **options: str) -> Task:
    found = table_of(path, target, ProofOptions(**options), "people")
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("suffix", "mark"), [(".csv", ","), (".csv", "|"), (".tsv", None), (".jsonl", None), (".json", None)]
)
def test_columns_are_what_fit_takes_them_for(tmp_path: Path, suffix: str, mark: str | None) -> None:
    from tenfold.data.table.frames import write_frame

    path = tmp_path / f"people{suffix}"
    write_frame(people(), path, mark)
    task = task_in(path)
    assert task.levels == ((), ("01234", "10001", "94103"), (), ())  # age, zip, since, weight
    assert task.classes == ("no", "yes")
    assert task.values[:, 2].tolist() == [1577836800.0 + 86400 * i for i in range(N)]
    assert task.values[0, 3] == float(people()["weight"][0].replace(",", "."))
    assert task.notes == (
        "the column 'id' is left out: it is an id",
        "the column 'land' is left out: it is always the same",
    )


def test_a_spec_says_what_columns_are(tmp_path: Path) -> None:
    path, spec = tmp_path / "people.csv", tmp_path / "spec.json"
    people().to_csv(path, index=False)
    kinds = {"age": "categorical", "since": "ignore", "ill": "boolean", "zip": "categorical"}
    columns: list[dict[str, object]] = [{"name": name, "kind": kind} for name, kind in kinds.items()]
    spec.write_text(json.dumps({"columns": columns, "target": "ill"}))
    task = task_in(path, None, spec=str(spec))
    assert task.levels[0] == tuple(sorted({str(age) for age in people()["age"]})) and len(task.levels) == 3
    assert "the column 'since' is left out: the spec says so" in task.notes[1]
    with pytest.raises(DataError, match="--target is 'zip' and the spec's target is 'ill'"):
        task_in(path, "zip", spec=str(spec))
    columns[0] = {"name": "age", "kind": "numeric", "low": 30, "high": 40}
    spec.write_text(json.dumps({"columns": columns}))
    with pytest.raises(DataError, match="lies between low and high"):
        task_in(path, spec=str(spec))
    with pytest.raises(DataError, match=r"--spec .* is about columns, and d is no table"):
        table_of(np.zeros((3, 3)), None, ProofOptions(spec=str(spec)), "d")


def test_groups_are_kept_even_if_they_look_like_ids(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    task = task_in(tmp_path / "people.csv", group="id")
    assert task.group_names[:2] == ("1", "10") and task.values.shape == (N, 4)


def test_other_tables_are_read_in_the_same_way(tmp_path: Path) -> None:
    codes = ["0", "1", "2", "3+"] * 15
    people().assign(code=codes).to_csv(tmp_path / "people.csv", index=False)
    test = people(8).assign(age=people(8)["age"] + 1, code=[0, 1] * 4, zip="00001")  # ids of others
    test.to_csv(tmp_path / "test.csv", index=False, sep=";")
    rest = people(8, first=100).assign(code=2, weight="80", ill="?").drop(columns="land")
    rest.to_csv(tmp_path / "rest.csv", index=False)
    options = ProofOptions(test=str(tmp_path / "test.csv"), unlabelled=str(tmp_path / "rest.csv"))
    found = table_of(tmp_path / "people.csv", "ill", options, "people")
    assert found is not None
    task, unlabelled = found
    assert task.levels == ((), ("00001", "01234", "10001", "94103"), (), (), ("0", "1", "2", "3+"))
    assert task.test is not None and task.test.sum() == 8 and task.classes == ("no", "yes")
    assert unlabelled is not None and set(unlabelled[:, 3]) == {80.0} and set(unlabelled[:, 4]) == {2.0}


def test_numbers_and_labels_of_the_same_places_are_different_data(tmp_path: Path) -> None:
    frame = people().assign(age=np.arange(N) % 6)
    frame.to_csv(tmp_path / "people.csv", index=False)
    columns = [{"name": "age", "kind": "categorical"}]
    (tmp_path / "spec.json").write_text(json.dumps({"columns": columns}))
    plain = task_in(tmp_path / "people.csv")
    told = task_in(tmp_path / "people.csv", spec=str(tmp_path / "spec.json"))
    np.testing.assert_array_equal(plain.values, told.values)
    assert plain.fingerprint() != told.fingerprint()


def test_pictures_in_a_table_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,label\na.png,x\nb.png,y\n")
    assert table_of(tmp_path / "metadata.csv", None, ProofOptions(), "m") is None
    (tmp_path / "people.csv").write_text("a,ill\n1,x\n2,y\n")
    with pytest.raises(DataError, match="Name it with --target"):
        table_of(tmp_path / "people.csv", None, ProofOptions(), "people")
