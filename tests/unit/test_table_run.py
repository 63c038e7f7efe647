"""From a frame to a run and to rows: as asked, as many as asked, the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tenfold
from tenfold.errors import DataError, RecipeError, RunError
from tenfold.opening import opened
from tenfold.watching.progress import seldom

pd = pytest.importorskip("pandas")

N = 300
SMALL = {"width": 16, "latent": 4, "batch": 32, "pack": 2}


def frame(n: int = N) -> pd.DataFrame:
    """What follows from what: old ones smoke and pay more."""
    random = np.random.default_rng(7)
    age = random.integers(18, 80, n)
    smokes = np.where(random.random(n) < (age - 18) / 80, "yes", "no")
    cost = np.round(random.lognormal(5, 0.4, n) * np.where(smokes == "yes", 3, 1), 2)
    bonus = np.where(random.random(n) < 0.6, 0.0, np.round(random.uniform(10, 90, n), 1))
    region = random.choice(["north", "south", "east"], n, p=[0.6, 0.3, 0.1])
    score = np.where(random.random(n) < 0.15, np.nan, random.normal(0, 1, n).round(3))
    return pd.DataFrame(
        {"age": age, "smokes": smokes, "cost": cost, "bonus": bonus, "region": region, "score": score}
    )


def fitted(folder, data=None, **options):
    from tenfold.recipe import make_recipe

    return tenfold.fit(
        frame() if data is None else data,
        make_recipe("tabular", SMALL),
        kimg=2,
        out=folder,
        seed=5,
        options=tenfold.Options(quiet=True, device="cpu", precision="fp32", **options),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("table") / "run", target="smokes")


def test_rows_come_in_the_container_that_the_data_came_in(run):
    made, real = run.sample(50), frame()
    assert list(made.columns) == list(real.columns)
    assert (made.dtypes == real.dtypes).all()
    assert len(made) == 50 and isinstance(made.index, pd.RangeIndex)
    assert {*made["region"]} <= {"north", "south", "east"}
    assert made["age"].between(real["age"].min(), real["age"].max()).all()
    assert (made["cost"] == made["cost"].round(2)).all()


@pytest.mark.parametrize("quiet", [True, False])
def test_reading_a_table_is_told_unless_it_is_not_wanted(quiet, capsys, monkeypatch):
    early: list[str] = []
    seldom(early.append)("a line within the first seconds")
    assert not early
    monkeypatch.setattr("tenfold.watching.progress.SAY_EVERY_S", -1.0)
    opened(frame(), tenfold.Options(quiet=quiet), 0, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:1] == ([] if quiet else ["reading the table ..."])
    columns = [f"column {name}" for name in frame().columns]
    assert sorted(line.partition(":")[0] for line in lines[1:]) == ([] if quiet else sorted(columns))


def test_the_same_rows_again_and_in_parts(run):
    whole = run.sample(40, seed=3)
    pd.testing.assert_frame_equal(whole, tenfold.load(run.path).sample(40, seed=3))
    part = run.sample(10, seed=3, first=30)
    pd.testing.assert_frame_equal(part.reset_index(drop=True), whole[30:].reset_index(drop=True))
    assert not whole.equals(run.sample(40, seed=4))


def test_rows_beyond_a_block_are_those_of_the_next(run):
    whole = run.sample(1100, seed=1)
    tail = run.sample(76, seed=1, first=1024)
    pd.testing.assert_frame_equal(tail.reset_index(drop=True), whole[1024:].reset_index(drop=True))


def test_conditions_hold_exactly(run):
    asked = {"smokes": "yes", "age": (30, 40), "region": ["south", "east"], "bonus": 0.0}
    made = run.sample(200, conditions=asked)
    assert len(made) == 200
    assert (made["smokes"] == "yes").all() and made["age"].between(30, 40).all()
    assert {*made["region"]} == {"south", "east"} and (made["bonus"] == 0).all()
    assert made["age"].nunique() > 3
    assert (run.sample(20, label="yes")["smokes"] == "yes").all()


def test_a_missing_value_can_be_asked_for(run):
    assert run.sample(20, conditions={"score": None})["score"].isna().all()
    with pytest.raises(RunError, match="no missing values"):
        run.sample(5, conditions={"age": None})


@pytest.mark.parametrize("ask", ["range", "remaining", "unique"])
def test_all_rows_are_made_on_one_thread_of_torch(run, ask, monkeypatch):
    from dataclasses import replace

    from tenfold.tables import sampling

    seen, own = list[int](), sampling.Rower.filled

    def filled(*given: Any) -> Any:
        seen.append(torch.get_num_threads())
        return own(*given)

    monkeypatch.setattr(sampling.Rower, "filled", filled)
    if ask == "unique":
        one = {"constraint": "unique", "columns": ["cost", "score"]}
        monkeypatch.setattr(
            run, "table", replace(run.table, spec=replace(run.table.spec, constraints=(one,)))
        )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        if ask == "remaining":
            run.sample_remaining(frame()[["age"]].head(30))
        else:
            run.sample(10, conditions={"age": (30, 40)} if ask == "range" else {})
    finally:
        torch.set_num_threads(before)
    assert {*seen} == {1}


def test_one_category_as_often_as_the_other(run):
    made = run.sample(90, balance="region")
    assert made["region"].value_counts().to_dict() == {"north": 30, "south": 30, "east": 30}
    with pytest.raises(RunError, match="no categories"):
        run.sample(9, balance="cost")


def test_true_frequencies_without_a_wish(run):
    share = (run.sample(2000)["region"] == "north").mean()
    assert 0.3 < share < 0.9


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"regoin": "north"}, "Did you mean 'region'"),
        ({"region": "nort"}, "Did you mean 'north'"),
        ({"age": (100, 120)}, "from 100 to 120"),
        ({"age": (40, 30)}, "empty"),
        ({"age": "old"}, "holds numbers"),
        ({"region": (1, 2)}, "categories"),
        ({"region": []}, "one of no values"),
        ({"age": 40.5}, "multiples of 1"),
        ({"cost": 150.005}, "multiples of 0.01"),
    ],
)
def test_what_cannot_be_is_refused_with_a_suggestion(run, asked, message):
    with pytest.raises(RunError, match=message):
        run.sample(5, conditions=asked)


def test_the_generators_own_word_is_not_exact(run):
    raw = run.sample(400, conditions={"region": "east"}, raw=True)
    assert 0 < (raw["region"] == "east").mean() <= 1


def test_columns_that_are_given_stay_and_the_others_are_made(run):
    known = frame()[["age", "region"]].head(30).copy()
    known.loc[3, "region"] = None
    made = run.sample_remaining(known)
    assert len(made) == 30
    assert (made["age"] == known["age"]).all()
    there = known["region"].notna()
    assert (made["region"][there] == known["region"][there]).all() and made["region"].notna().all()
    assert {"smokes", "cost"} <= {*made.columns}
    pd.testing.assert_frame_equal(made, run.sample_remaining(known))


def test_two_fits_are_the_same_to_the_last_bit(run, tmp_path):
    again = fitted(tmp_path / "again", target="smokes")
    for name, weight in run.sampler.state_dict().items():
        assert torch.equal(weight, again.sampler.state_dict()[name])
    pd.testing.assert_frame_equal(run.sample(30), again.sample(30))


def test_a_run_goes_on(run, tmp_path):
    import shutil

    shutil.copytree(run.path, tmp_path / "run")
    more = tenfold.resume(tmp_path / "run", data=frame(), kimg=1.0, options=tenfold.Options(quiet=True))
    assert more.facts["seen"] > run.facts["seen"]
    with pytest.raises(DataError, match="are not those"):
        tenfold.resume(tmp_path / "run", data=frame(200), kimg=1.0, options=tenfold.Options(quiet=True))


def test_a_run_is_judged(run):
    found = run.evaluate(data=frame())
    numbers = found.to_json()
    assert 0.3 <= numbers["detector_auc"]["value"] <= 1  # of few rows it may be below a half
    assert {*numbers["by_column"]} == {*frame().columns}
    assert "detector_auc" in str(found)


def test_a_table_wants_a_recipe_for_tables(tmp_path):
    with pytest.raises(RecipeError, match="the data are table"):
        tenfold.fit(frame(), "dcgan", kimg=1, out=tmp_path / "run")
    with pytest.raises(RecipeError, match="about the columns of a table"):
        options = tenfold.Options(target="x")
        tenfold.fit("digits", kimg=1, out=tmp_path / "run", options=options)


def test_constraints_hold(tmp_path):
    from tenfold.data.table.infer import infer
    from tenfold.data.table.schema import write_spec

    data = frame()
    data["paid"] = (data["cost"] * 0.5).round(2)
    data["part"] = data["cost"] - data["paid"]
    spec = infer(data)
    spec = type(spec)(
        **{
            **vars(spec),
            "constraints": ({"constraint": "less", "low": "paid", "high": "cost", "strict": False},),
        }
    )
    write_spec(spec, tmp_path / "spec.json")
    made = fitted(tmp_path / "run", data, spec=str(tmp_path / "spec.json")).sample(500)
    assert (made["paid"] <= made["cost"]).all()


def test_what_is_unique_is_so_beyond_a_block():
    from types import SimpleNamespace

    from tenfold.data.table.clean import cleaned
    from tenfold.data.table.constraints import Unique
    from tenfold.data.table.schema import Column, TableSpec
    from tenfold.tables.sampling import Before

    spec = TableSpec((Column("a", "categorical", "str", categories=("x", "y", "z")),))
    codec: Any = SimpleNamespace(spec=spec, constraints=(Unique(("a",)),))
    before = Before(codec)
    before.add(pd.DataFrame({"a": ["x", "y"]}), codec)
    clean = cleaned(pd.DataFrame({"a": ["y", "z", None]}), spec)
    assert before.has(clean).tolist() == [True, False, False]


def test_a_category_may_be_missing_in_a_held_out_row_alone():
    from tenfold.data.table.opening import open_table

    for row in range(12):
        data = frame()[["smokes", "region"]]
        data.loc[row, "region"] = None
        opened = open_table(data)
        assert len(opened.train) == 250 and len(opened.holdout) == 50


def test_an_array_is_a_table_for_a_recipe_of_tables(tmp_path):
    x = np.random.default_rng(0).normal(0, 1, (60, 3)).astype(np.float32)
    made = fitted(tmp_path / "run", x).sample(7)
    assert made.shape == (7, 3) and made.dtype == np.float32


def test_polars_and_arrays_come_back_as_they_came(tmp_path):
    polars = pytest.importorskip("polars")
    made = fitted(tmp_path / "run", polars.from_pandas(frame())).sample(10)
    assert isinstance(made, polars.DataFrame) and made.columns == list(frame().columns)


def test_a_csv_comes_back_as_it_was_written(tmp_path):
    from tenfold.cli.__main__ import main

    data = frame()
    data["visits"] = (data["age"] // 5).astype("Int64").where(data["age"] > 30)
    data.to_csv(tmp_path / "in.csv", sep=";", index=False)
    fitted(tmp_path / "run", tmp_path / "in.csv")
    assert main(["sample", str(tmp_path / "run"), "-n", "200", "--out", str(tmp_path / "out.csv")]) == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "age;smokes;cost;bonus;region;score;visits" and len(lines) == 201
    visits = {line.split(";")[-1] for line in lines[1:]}
    assert "" in visits and all(text.isdigit() for text in visits - {""})
    (tmp_path / "known.csv").write_text("age|region\n30|north\n40|south\n")
    asked = ["--remaining", str(tmp_path / "known.csv"), "--out", str(tmp_path / "filled.csv")]
    assert main(["sample", str(tmp_path / "run"), *asked]) == 0
    assert (tmp_path / "filled.csv").read_text().splitlines()[1].startswith("30|north|")


def test_a_key_that_is_learnt_repeats_in_no_made_row(tmp_path):
    from tenfold.data.table.schema import Column, TableSpec, write_spec

    data = frame().assign(code=np.random.default_rng(0).permutation(5000)[:N])
    write_spec(TableSpec((Column("code", "numeric"),), "code"), tmp_path / "spec.json")
    made = fitted(tmp_path / "run", data, spec=str(tmp_path / "spec.json")).sample(200)
    assert made["code"].is_unique


def test_nothing_is_held_out_where_that_is_asked_for(tmp_path):
    from tenfold.data.options import LoadOptions
    from tenfold.data.table.opening import open_table

    run = fitted(tmp_path / "run", carve=False)
    assert run.spec.count == N and "nothing is held out" in " ".join(run.facts["notes"])
    assert len(run.sample(5)) == 5 and not (run.path / "best").exists()
    assert not any("chose the checkpoint" in note for note in run.evaluate(data=frame()).notes)
    parts, all_of_it = open_table(frame()), open_table(frame(), LoadOptions(carve=False))
    assert len(all_of_it.train) == len(parts.train) + len(parts.holdout)
    assert all_of_it.fingerprint != parts.fingerprint


def test_tables_are_checked_in_python_as_on_the_command_line(tmp_path, capsys):
    import json

    from tenfold.cli.__main__ import main
    from tenfold.data.table.schema import TableSpec

    frame().to_csv(tmp_path / "t.csv", index=False)
    main(["check", str(tmp_path / "t.csv"), "--target", "smokes", "--json"])
    report = tenfold.check(tmp_path / "t.csv", target="smokes")
    assert {**report.to_json(), "source": str(tmp_path / "t.csv")} == json.loads(capsys.readouterr().out)
    assert tenfold.check(frame(), target="smokes").spec == report.spec
    report.write_spec(tmp_path / "spec.json")
    assert tenfold.check(frame(), spec=tmp_path / "spec.json").spec == report.spec
    assert TableSpec.from_json(json.loads(repr(report).partition("to be edited:")[2])) == report.spec
    polars = pytest.importorskip("polars")
    assert tenfold.check(polars.from_pandas(frame()), target="smokes").spec.names == report.spec.names
    with pytest.raises(DataError, match="the data are none"):
        tenfold.check("digits", target="smokes")
    assert tenfold.check("digits").kind == "images"


def test_a_label_and_a_condition_on_the_target_are_refused(run, tmp_path):
    from tenfold.cli.sample import main

    with pytest.raises(RunError, match="'yes' was asked for, and 'no' of the column 'smokes'"):
        run.sample(3, label="yes", conditions={"smokes": "no"})
    said = ["--label", "yes", "--where", "smokes = no", "--out", str(tmp_path / "rows.csv")]
    with pytest.raises(RunError, match="Give one of the two"):
        main([str(run.path), "-n", "3", *said])
    assert not (tmp_path / "rows.csv").exists()
