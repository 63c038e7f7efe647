"""Tables: columns are read, encoded by the training rows alone, and refused where they cannot be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import tenfold.proving as proving
from tenfold.errors import DataError, RecipeError
from tenfold.proof import peers, trained
from tenfold.proof.generators import default_recipe, refuse_recipe
from tenfold.proof.ledger import Ledger
from tenfold.proof.order import Order
from tenfold.proof.peers import Draw, Peer, Stretches, choose_peers, with_gaps, without_gaps
from tenfold.proof.report import peer_remarks
from tenfold.proof.score import PEERS
from tenfold.proof.splits import Fold
from tenfold.proof.tabular import (
    fit_columns,
    frame_columns,
    joined_tables,
    table_task,
)
from tenfold.proof.task import Task, fit_encoding
from tenfold.proof.timing import sizes_of
from tenfold.proof.trained import labelled_rows
from tenfold.proving import ProofOptions, prove
from tenfold.tables.labelled import Labelled, fit_labelled, made_by_class

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


def order_of(tmp_path: Path) -> Order:
    """Thirty rows of a number with gaps, a category with gaps, a constant and nothing; ten judge."""
    rng = np.random.default_rng(0)
    town, number = rng.integers(0, 3, 30).astype(float), rng.normal(size=30)
    number[::7], town[3] = np.nan, np.nan
    values = np.c_[number, town, np.full(30, 4.0), np.full(30, np.nan)]
    labels = (np.arange(30) % 3 == 0).astype(np.int64)
    levels, names = ((), ("Bonn", "Kiel", "Ulm"), (), ()), [f"row {i}" for i in range(30)]
    task = Task("t", "table", values, labels, ("no", "yes"), None, names, levels=levels)
    fold = Fold(np.arange(20), np.arange(20, 25), np.arange(25, 30))
    return Order(task, fold, fit_encoding(task, fold.train), np.array([40, 60]), 7, tmp_path, 1.0, kimg=0.5)


def resampled(frame: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    return frame.sample(n, replace=True, random_state=seed).reset_index(drop=True)


def test_rows_become_a_frame_and_rows_again(tmp_path: Path) -> None:
    order = order_of(tmp_path)
    rows = labelled_rows(order)
    assert rows.varying.tolist() == [True, True, False, False]
    frame = rows.frame()
    assert list(frame.columns) == ["x0", "x1", "class"] and frame["x0"].dtype == np.float64
    assert set(frame["class"]) == {"c0", "c1"} and set(frame["x1"].dropna()) <= {"c0", "c1", "c2"}
    np.testing.assert_array_equal(rows.values_of(frame), order.values)
    plain = without_gaps(frame)
    assert list(plain.columns) == ["x0", "x0 missing", "x1", "class"] and not plain.isna().any().any()
    np.testing.assert_array_equal(rows.values_of(with_gaps(plain)), order.values)


def test_what_never_varies_is_not_learnt(tmp_path: Path) -> None:
    rows = Labelled(np.array([[2.0, np.nan]] * 5), [0, 0], np.array([0, 1, 0, 1, 1]))
    assert fit_labelled(rows, "tabular", tmp_path) is None
    values, labels = made_by_class(None, rows, np.array([1, 2]), seed=0)
    np.testing.assert_array_equal(values, [[2.0, np.nan]] * 3)
    assert labels.tolist() == [0, 1, 1]


def test_a_recipe_of_tables_is_asked_for_every_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Runs:
        facts: ClassVar = {"seen": 512, "planned": 512, "more": 1}

        def sample(self, n: int, *, conditions: dict, seed: int) -> pd.DataFrame:
            seeds.append(seed)
            return resampled(frame[frame["class"] == conditions["class"]], n, seed % 100)

    def fit(rows: Labelled, recipe: str, folder: Path, **given: object) -> Runs:
        told.update(given, recipe=recipe, folder=folder)
        return Runs()

    order, told, seeds = order_of(tmp_path / "made"), dict[str, object](), list[int]()
    frame = labelled_rows(order).frame()
    monkeypatch.setattr(trained, "fit_labelled", fit)
    made = trained.Trained("tabular", "cpu").make(order)
    assert made.examples.counts(2).tolist() == [40, 60] and len(set(seeds)) == 2
    assert made.facts == {"recipe": "tabular", "seen": 512, "health": None, "planned": 512}
    assert told["kimg"] == 0.5 and told["budget"] is None and told["folder"] == tmp_path / "made"
    real = order.encoding.encode(order.values)
    assert {row.tobytes() for row in made.examples.values} <= {row.tobytes() for row in real}
    mine = {row.tobytes() for row in real[order.labels == 1]}
    assert {row.tobytes() for row in made.examples.values[made.examples.labels == 1]} <= mine


def test_tables_have_a_recipe_of_their_own(tmp_path: Path) -> None:
    task = order_of(tmp_path).task
    assert default_recipe(task) == "tabular"
    refuse_recipe("mlp", task)
    refuse_recipe("tabular", task)
    with pytest.raises(RecipeError, match=r"takes images.*the data are table.*--generator tabular"):
        refuse_recipe("dcgan", task)


def learn(frame: pd.DataFrame, discrete: Sequence[str], seed: int) -> Draw:
    """What repeats rows."""
    assert not frame.isna().any().any() and set(discrete) >= {"class"}
    return lambda n: resampled(frame, n, seed % 1000)


def test_a_peer_draws_until_there_are_enough_of_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, peer = order_of(tmp_path), Peer("A mirror", "numpy", learn)
    assert peer.fingerprint == f"numpy {np.__version__}" and peer.words.startswith("A mirror of numpy")
    made = peer.make(order)
    assert made.examples.counts(2).tolist() == [40, 60]
    real = order.encoding.encode(order.values)
    assert {row.tobytes() for row in made.examples.values} <= {row.tobytes() for row in real}
    monkeypatch.setattr(peers, "MOST_DRAWS", 2)
    only = Peer("Half", "numpy", lambda f, d, s: lambda n: resampled(f[f["class"] == "c0"], n))
    assert only.make(order).examples.counts(2).tolist() == [40, 0]


def test_categories_as_stretches() -> None:
    texts = np.array(["a", "b", "a", "c", "a", "b", "a", "a"], object)
    own = Stretches.of(texts)
    assert own.known.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(own.ends, [5 / 8, 7 / 8, 1])
    numbers = own.numbers(texts, np.random.default_rng(0))
    assert own.words(numbers).tolist() == texts.tolist()
    assert own.words(np.array([-0.1, 0.7, 1.3])).tolist() == ["a", "b", "c"]


def test_peers_that_cannot_be(tmp_path: Path) -> None:
    task = order_of(tmp_path).task
    assert choose_peers((), task) == {}
    with pytest.raises(RecipeError, match=r"no peer 'ctgann'. Did you mean 'ctgan'"):
        choose_peers(("ctgann",), task)
    with pytest.raises(RecipeError, match="the data are images"):
        choose_peers(("ctgan",), replace(task, kind="images"))
    with pytest.raises(RecipeError, match=r"no-such-thing is not installed.*pip install no-such-thing"):
        peers.installed("no-such-thing")


def test_peers_are_arms_beside_the_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.KNOWN, "ctgan", Peer("A mirror", "numpy", learn))
    rng, path = np.random.default_rng(0), tmp_path / "t.csv"
    rows = [f"{rng.normal(i % 3 > 0):.3f},{'ab'[i % 2]},{'yn'[i % 3 > 0]}" for i in range(120)]
    path.write_text("\n".join(["x,c,ill", *rows]) + "\n")

    def again(values, labels, classes, counts, seed):
        chosen = [np.resize(np.flatnonzero(labels == c), k) for c, k in enumerate(counts)]
        return values[np.concatenate(chosen)], labels[np.concatenate(chosen)]

    options = ProofOptions(learners=("linear",), peers=("ctgan",), quiet=True)
    given = {"target": "ill", "generator": again, "quick": True, "options": options}
    proof = prove(path, out=tmp_path / "p", **given)
    design = json.loads((tmp_path / "p" / "design.json").read_text())
    assert "ctgan" in design["arms"] and "tvae" not in design["arms"]
    assert design["ctgan"] == f"numpy {np.__version__}"
    found = [s for s in Ledger(tmp_path / "p").scores.values() if s.arm == "ctgan"]
    assert {(s.split, s.setting) for s in found} == {
        (split, f"ratio={ratio}") for split in range(3) for ratio in ("0", "0.5", "2")
    }
    assert {c.arm for c in proof.conclusion.comparisons} >= {"ctgan", "gan", "smote"}
    lines = json.loads((tmp_path / "p" / "result.json").read_text())["peers"]
    assert len(lines) == 3 and lines[0]["filter"] == {} and lines[0]["generator"].startswith("A mirror")
    html = (tmp_path / "p" / "report.html").read_text(encoding="utf-8")
    assert "samples of CTGAN" in html
    before = (tmp_path / "p" / "scores.jsonl").read_text()
    prove(path, out=tmp_path / "p", **given)
    assert (tmp_path / "p" / "scores.jsonl").read_text() == before


def test_peers_are_counted_before_time_is_shared(tmp_path: Path) -> None:
    task = order_of(tmp_path).task
    fold = Fold(np.arange(20), np.arange(20, 25), np.arange(25, 30))
    terms = proving.terms_of(None, True, 0, ProofOptions(peers=("tvae", "ctgan")))
    design = proving.design_of(task, [fold], terms, trained.Trained("tabular"))
    assert [arm for arm in design.arms if arm in PEERS] == ["ctgan", "tvae"]
    without = replace(design, arms=tuple(arm for arm in design.arms if arm not in PEERS))
    more = len(sizes_of(task.labels, design)) - len(sizes_of(task.labels, without))
    assert more == design.splits * design.seeds * 2 * 2  # two peers, two ratios


def test_a_peer_that_falls_short_is_a_remark() -> None:
    line = {"split": 0, "seed": 0, "generator": "TVAE of ctgan 0.12.1", "wanted": [5, 5], "made": [5, 2]}
    assert peer_remarks([line]) == [
        "Of TVAE of ctgan 0.12.1: The generator made too few items in 1 of 1 cases (first split 1, seed 1: "
        "7 of 10)."
    ]
