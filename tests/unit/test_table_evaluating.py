"""Judging finished rows: copies are sought among all training rows, and promises are looked at."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import tenfold
from tenfold.cli.__main__ import main
from tenfold.data.options import LoadOptions
from tenfold.data.table.infer import infer
from tenfold.data.table.opening import open_table
from tenfold.data.table.schema import write_spec
from tenfold.errors import DataError, RunError
from tenfold.judging import evaluate_tables
from tenfold.metrics.suite import Measured
from tenfold.metrics.tables import summary
from tenfold.metrics.tables.verdicts import asked, promises
from tenfold.recipe import make_recipe
from tenfold.tables.promises import broken, wishes

pd = pytest.importorskip("pandas")

LESS = {"constraint": "less", "low": "paid", "high": "cost"}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(summary, "FULL", summary.QUICK)


def people(n: int, seed: int = 7) -> pd.DataFrame:
    """What is paid is never above the cost."""
    random = np.random.default_rng(seed)
    age, cost = random.integers(18, 80, n), random.lognormal(5, 0.4, n).round(2)
    smokes = np.where(random.random(n) < (age - 18) / 60, "yes", "no")
    region = random.choice(["north", "south", "east"], n)
    paid = (cost * random.random(n)).round(2)
    return pd.DataFrame({"age": age, "smokes": smokes, "cost": cost, "paid": paid, "region": region})


@pytest.fixture
def spec(tmp_path):
    found = replace(infer(people(400), "smokes"), constraints=(LESS,))
    write_spec(found, tmp_path / "spec.json")
    return tmp_path / "spec.json"


@pytest.fixture
def files(tmp_path):
    """Real rows, a hundred of them again as made ones, and others that are held out."""
    sides = {"real": people(400), "fake": people(400)[::4], "held": people(100, 8)}
    for name, frame in sides.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    return {name: str(tmp_path / f"{name}.csv") for name in sides}


def test_copies_are_sought_among_all_training_rows(files):
    found = tenfold.evaluate(real=files["real"], fake=files["fake"], holdout=files["held"], most=50)
    assert found.metrics["exact_copies"].value == 1
    assert found.settings["counts"] == {"real": 400, "hold-out": 50, "made": 50}
    alone = tenfold.evaluate(real=files["real"], fake=files["fake"], most=50)
    assert alone.metrics["exact_copies"].value == 1 and len(alone.real) == 50


def test_two_tables_can_have_a_target(files, tmp_path, capsys):
    sides = ("--real", files["real"], "--fake", files["fake"], "--holdout", files["held"])
    page = str(tmp_path / "page.html")
    assert main(["evaluate", *sides, "--target", "smokes", "--out", page, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tstr"]["value"] > 0.5 and found["trtr"]["value"] > 0.5
    assert found["settings"]["target"] == "smokes" and "out_of_bounds" not in found


def test_two_tables_can_have_a_spec(files, spec, tmp_path):
    wrong = people(100, 9)
    wrong.loc[:24, "paid"] = wrong["cost"] + 1
    wrong.loc[50:59, "age"] = 99
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    found = evaluate_tables(files["real"], tmp_path / "wrong.csv", LoadOptions(spec=str(spec)))
    assert found.metrics["constraint_violations"].value == 0.25
    assert 0.1 <= found.metrics["out_of_bounds"].value < 0.15
    assert found.metrics["tstr"].value is not None and {*found.by_column} == {*wrong.columns}
    assert "25.0% of the rows contradict a constraint" in str(found)


def test_a_holdout_that_was_learnt_from_judges_nothing(files, tmp_path):
    train = files["real"]
    with pytest.raises(DataError, match=r"400 of 400 rows of .* are exact copies of rows"):
        tenfold.evaluate(real=train, fake=files["fake"], holdout=train)
    with pytest.raises(DataError, match="100 of 100 rows"):
        open_table(train, LoadOptions(holdout=files["fake"]))
    few = pd.concat([people(400)[:40], people(60, 8)])
    few.to_csv(tmp_path / "few.csv", index=False)
    assert len(open_table(train, LoadOptions(holdout=str(tmp_path / "few.csv"))).holdout) == 100


def test_rows_of_few_categories_are_copies_by_nature(tmp_path):
    fresh, sides = people(800)[["smokes", "region"]], {}
    for name, rows in (("real", fresh[:400]), ("held", fresh[400:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
        sides[name] = str(tmp_path / f"{name}.csv")
    assert len(open_table(sides["real"], LoadOptions(holdout=sides["held"])).holdout) == 400
    half = people(400)[["age", "region"]].assign(cost=lambda x: x["age"].where(x.index < 100, x.index))
    half.to_csv(tmp_path / "half.csv", index=False)
    with pytest.raises(DataError, match="400 of 400 rows"):
        open_table(str(tmp_path / "half.csv"), LoadOptions(holdout=str(tmp_path / "half.csv")))


def test_what_is_said_to_judge_judges(files):
    alone = tenfold.evaluate(real=files["real"], fake=files["fake"], most=50)
    assert alone.settings["counts"]["real"] == 400 and "are held out" not in str(alone)
    assert "there is no hold-out" in str(alone)
    found = tenfold.evaluate(real=files["real"], fake=files["fake"], holdout=files["held"], most=50)
    assert f"100 rows of {files['held']} are held out" in found.notes


def test_rows_are_looked_at_through_no_features(files, tmp_path, capsys):
    sides = {"real": files["real"], "fake": files["fake"]}
    with pytest.raises(RunError, match="--features pixels was given"):
        tenfold.evaluate(**sides, features="pixels")
    flags = [text for name, path in sides.items() for text in (f"--{name}", path)]
    more = ["--features", "pixels", "--target", "smokes", "--out", str(tmp_path / "page.html")]
    assert main(["evaluate", *flags, *more]) == 2
    assert "Leave it out" in capsys.readouterr().err


def test_what_is_no_table_has_no_target(tmp_path, capsys):
    for flag in ("--target", "--spec"):
        assert main(["evaluate", "--real", str(tmp_path), "--fake", str(tmp_path), flag, "x"]) == 2
        assert "is no table: a file such as .csv was expected" in capsys.readouterr().err
        assert main(["evaluate", str(tmp_path), flag, "x"]) == 2
        assert "a run knows its own" in capsys.readouterr().err


def test_promises_of_a_run_are_looked_at(spec, files, tmp_path):
    run = tenfold.fit(
        people(400),
        make_recipe("tabular", {}, "tiny"),
        kimg=0.5,
        out=tmp_path / "run",
        options=tenfold.Options(quiet=True, device="cpu", precision="fp32", spec=str(spec)),
    )
    judged = run.evaluate(data=people(400), holdout=files["held"])
    assert judged.notes == [f"100 rows of {files['held']} judge"]
    with pytest.raises(DataError, match=r"of 100 rows of .* are exact copies"):
        run.evaluate(data=people(400), holdout=files["fake"])
    with pytest.raises(RunError, match="--features pixels was given"):
        run.evaluate(data=people(400), features="pixels")
    found = run.evaluate(data=people(400)).to_json()
    assert found["constraint_violations"] == {"value": 0.0, "reference": 0.0, "n": 1000}
    assert found["out_of_bounds"] == {"value": 0.0, "reference": 0.0, "n": 1000}
    heard = found["condition_satisfaction"]
    assert 0 < heard["value"] <= heard["reference"] == 1 and heard["n"] == 2 * 256
    assert {*found["by_condition"]} == {"smokes = yes", "smokes = no"}
    assert heard["value"] == pytest.approx(np.mean(list(found["by_condition"].values())))
    frame = run.sample(40)
    frame.loc[:9, "paid"] = frame["cost"] + 5
    assert broken(run.table, frame)["constraint_violations"].value == 0.25
    frame.loc[20:23, "age"] = 200
    assert broken(run.table, frame)["out_of_bounds"].value >= 0.1
    free = replace(run.table, spec=replace(run.table.spec, target=None))
    assert {name for name, _ in wishes(free)} == {"smokes", "region"} and len(wishes(free)) == 5


def test_what_promises_mean():
    kept = {"constraint_violations": Measured(0.0, 0.0, 100), "out_of_bounds": Measured(0.0, 0.0, 100)}
    assert not list(promises(kept)) and not list(promises({}))
    (said,) = promises({**kept, "out_of_bounds": Measured(0.02, 0.0, 100)})
    assert said.level == "bad" and "2.0% of the rows have a value out of bounds" in said.text
    assert not list(asked({"condition_satisfaction": Measured(0.9, 1.0, 100)}))
    (deaf,) = asked({"condition_satisfaction": Measured(0.4, 1.0, 100)})
    assert deaf.level == "warning" and "40%" in deaf.text
