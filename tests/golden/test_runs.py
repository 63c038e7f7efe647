"""Stored runs load, and make what they made when they were stored: they are promised to in later versions.

A change that should alter samples writes these anew, and shows the difference in its diff; the runs stay:

    TENFOLD_GOLDEN=write pytest tests/golden

A run is trained only where there is none of its name in `runs/`.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tenfold
from tenfold.data.series.schema import SeriesOptions
from tenfold.data.table.infer import infer
from tenfold.data.table.schema import TableSpec, write_spec
from tenfold.engine.checkpoint import State, read_state, write_state
from tenfold.folder import write_json
from tenfold.recipe import make_recipe

pd = pytest.importorskip("pandas")

FOLDER = Path(__file__).parent / "runs"
SMALL: dict[str, dict[str, Any]] = {
    "tabular": {"width": 8},
    "series": {"widths": (8,), "widths_d": (8, 8), "hidden": 8},
}
COUNT = 5
LARGEST = 100_000  # bytes, of all runs


def people() -> pd.DataFrame:
    """A column of each kind; what is paid is never above the cost."""
    random = np.random.default_rng(7)
    age = random.integers(18, 80, 60)
    cost = random.lognormal(5, 0.4, 60).round(2)
    score = np.where(random.random(60) < 0.2, np.nan, random.normal(0, 1, 60).round(3))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, 60), "D")
    return pd.DataFrame(
        {
            "key": [f"P-{i:04d}" for i in range(60)],
            "age": age,
            "smokes": np.where(random.random(60) < age / 80, "yes", "no"),
            "cost": cost,
            "paid": (cost * random.random(60)).round(2),
            "bonus": np.where(random.random(60) < 0.6, 0.0, random.uniform(10, 90, 60).round(1)),
            "region": random.choice(["north", "south", "east"], 60),
            "score": score,
            "since": days,
        }
    )


def visits() -> pd.DataFrame:
    """Series of different lengths, with numbers and a category, and a class for each."""
    random = np.random.default_rng(3)
    series = [
        pd.DataFrame(
            {
                "patient": i,
                "day": np.arange(n),
                "pulse": (70 + 5 * np.sin(np.arange(n)) + random.normal(0, 1, n)).round(1),
                "ward": random.choice(["a", "b"], n),
                "outcome": ["well", "ill"][i % 2],
            }
        )
        for i, n in enumerate(random.integers(4, 9, 40))
    ]
    return pd.concat(series, ignore_index=True)


def trained(name: str, folder: Path) -> None:
    """Train a run, and keep what it can be looked at with: nothing of optimizers, nothing of the machine."""
    options: dict[str, Any] = {"quiet": True, "device": "cpu", "precision": "fp32"}
    if name == "tabular":
        data, constraint = people(), {"constraint": "less", "low": "paid", "high": "cost"}
        spec = TableSpec(**{**vars(infer(data, "smokes")), "constraints": (constraint,)})
        write_spec(spec, folder / "spec.json")
        options["spec"] = str(folder / "spec.json")
    else:
        data, options["series"] = visits(), SeriesOptions("patient", "day", label="outcome")
    recipe = make_recipe(name, SMALL[name], "tiny")
    run = tenfold.fit(data, recipe, kimg=0.2, out=folder / "run", seed=5, options=tenfold.Options(**options))
    last = sorted((run.path / "checkpoints").iterdir())[-1]
    whole = read_state(last)
    tensors = {key: x for key, x in whole.tensors.items() if key.startswith(("ema.", "game."))}
    write_state(FOLDER / name / "checkpoints" / last.name, State(tensors, whole.facts))
    shutil.copy(run.path / "recipe.yaml", FOLDER / name)
    facts = {k: v for k, v in run.facts.items() if k != "environment"}
    facts["options"] = {**facts["options"], "spec": None}
    write_json(FOLDER / name / "run.json", facts)


def made_by(name: str) -> list[dict[str, Any]]:
    """Samples of a stored run as JSON has them, row by row."""
    made = tenfold.load(FOLDER / name).sample(COUNT, seed=1)
    rows = json.loads(made.to_json(orient="records", date_format="iso", double_precision=15))
    return [{str(key): value for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", SMALL)
def test_stored_runs_make_what_they_made(name, tmp_path):
    file = FOLDER / f"{name}.json"
    if os.environ.get("TENFOLD_GOLDEN") == "write":
        if not (FOLDER / name).exists():
            trained(name, tmp_path)
        lines = ",\n".join(json.dumps(row) for row in made_by(name))
        file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    kept, found = json.loads(file.read_text(encoding="utf-8")), made_by(name)
    for now, then in zip(found, kept, strict=True):
        for column, value in then.items():
            number = isinstance(value, float)  # labels, dates, keys and what is missing: exactly
            assert now[column] == (pytest.approx(value, rel=1e-4) if number else value), column
        assert list(now) == list(then)


def test_they_are_small_and_hold_no_code():
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".yaml", ".safetensors"}
    assert sum(file.stat().st_size for file in files) < LARGEST
