"""What the benchmarks of tables count is what they say."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def named(name: str) -> ModuleType:
    return import_module(name)


def two_kinds() -> Any:
    return pd.DataFrame(
        {
            "x": [*np.linspace(0, 1, 12), *np.linspace(10, 11, 12)],
            "count": [*range(12), *range(100, 112)],
            "colour": ["red", "blue"] * 6 + ["green"] * 12,
            "kind": ["a"] * 12 + ["b"] * 12,
        }
    )


def test_rows_between_rows_stay_within_their_class() -> None:
    made = named("peers").between(two_kinds(), 300, "kind", seed=0)
    first, second = made[made["kind"] == "a"], made[made["kind"] == "b"]
    assert len(made) == 300 and 100 < len(first) < 200
    assert first["x"].between(0, 1).all() and second["x"].between(10, 11).all()
    assert set(first["colour"]) == {"red", "blue"} and set(second["colour"]) == {"green"}
    assert made["count"].dtype.kind == "i" and second["count"].between(100, 111).all()
    assert not first["x"].isin(two_kinds()["x"]).all()  # between, and not only at the ends


def test_unrelated_columns_have_the_values_and_nothing_between_them() -> None:
    made = named("peers").unrelated(two_kinds(), 300, seed=0)
    assert set(made["kind"]) == {"a", "b"} and made["x"].isin(two_kinds()["x"]).all()
    assert (made[made["kind"] == "a"]["x"] >= 10).any()


def test_modes_that_are_left_out_are_not_counted() -> None:
    simulated = named("simulated_tables")
    train, test = simulated.drawn("grid", 0, 600)
    whole = simulated.judged(train, test, "grid", 0)
    part = simulated.judged(train[train[:, 0] < 3], test, "grid", 0)
    assert (whole["modes"], whole["of"], part["modes"]) == (25, 25, 20)
    assert whole["exact"] == pytest.approx(-np.log(25) - 1 - np.log(2 * np.pi * 0.05), abs=0.15)
    assert whole["within"] == pytest.approx(1 - np.exp(-4.5), abs=0.02)
    assert part["l_test"] < whole["l_test"] - 0.5


def test_every_set_has_its_modes_where_it_says() -> None:
    centres_of = named("simulated_tables").centres_of
    assert len(centres_of("ring", 0)) == 8
    assert np.allclose(np.linalg.norm(centres_of("ring", 0), axis=1), 1)
    moved = centres_of("gridr", 1) - centres_of("grid", 1)
    assert 0 < np.abs(moved).max() <= 0.5
    assert not np.allclose(moved, centres_of("gridr", 2) - centres_of("grid", 2))


def test_numbers_are_compared_in_tenths_and_values_of_their_own() -> None:
    column = pd.Series([0.0] * 290 + list(range(1, 11)))
    bins = named("conditions").binning(column)
    assert bins(pd.Series([0.0, 1.0, 10.0, 0.5])).tolist() == [10, 0, 9, 0]


def test_how_far_columns_are_apart() -> None:
    conditions = named("conditions")
    real, made = pd.Series(["a"] * 50 + ["b"] * 50), pd.Series(["a"] * 1000)
    far, chance = conditions.variation(conditions.binning(real), real, made)
    assert far == pytest.approx(0.5)
    assert 0.02 < chance < 0.07  # about 0.8 sqrt(.25 / 100 + .25 / 1000)
    unknown = conditions.binning(real)(pd.Series(["b", "c"]))
    assert unknown.tolist() == [2, 0]


def test_what_is_asked_for() -> None:
    conditions = named("conditions")
    table = pd.DataFrame({"x": 1.0, "a": ["u"] * 900 + ["v"] * 100, "b": ["s"] * 950 + ["t"] * 50})
    assert conditions.labels(table, 500) == [{"a": "u"}, {"b": "s"}]
    assert conditions.labels(table, most=499) == [{"a": "v"}, {"b": "t"}]
    assert conditions.pairs(table) == [{"a": "u", "b": "s"}]
    assert conditions.share_of(table, {"a": "v", "b": "t"}) == 0.05


def test_what_was_not_tested_is_said() -> None:
    bar = named("little_table").bar
    ours = {"logistic": 0.9, "boosting": 0.8, "exact_copies": 0, "fifth": 1, "c_t": 0, "detector": 0.7}
    met = "logistic 0.87: met; boosting 0.86: missed; exact copies: met; nearest twentieth: met; C_T -3: met"
    middle = {"tenfold": ours, "fresh real": ours}
    untested = "; told less than CTGAN: not tested; told less than TVAE: not tested"
    assert bar(middle) == met + untested
    peers = {"CTGAN": {"detector": np.float64(0.8)}, "TVAE": {"detector": np.float64(0.6)}}
    assert bar({**middle, **peers}) == met + "; told less than CTGAN: met; told less than TVAE: missed"


def proved(values: dict[str, float], gain: float, p: float) -> dict[str, Any]:
    """What `keel.proved` gives, as far as its table goes."""
    against = {"mean": gain, "low": gain - 0.1, "high": gain + 0.1, "p": p}
    comparisons = [
        {
            "arm": arm,
            "against": "best_classical" if arm == "none" else "none",
            "value": value,
            "gain": against,
        }
        for arm, value in values.items()
    ]
    return {"comparisons": comparisons, "rows": 100, "rare": 30, "primary": "linear", "verdict": "unclear"}


def test_ranks_are_shared_and_harm_is_counted() -> None:
    keel = named("keel")
    arms = {
        "none": 0.7,
        "class_weights": 0.8,
        "oversampling": 0.8,
        "augmentation": 0.6,
        "smote": 0.9,
        "gan": 0.75,
    }
    assert keel.ranks(proved(arms, 0.05, 0.5)) == dict(zip(arms, (5, 2.5, 2.5, 6, 1, 4), strict=True))
    one, other = proved(arms, -0.05, 0.04), proved(arms, 0.05, 0.9)
    table = keel.rows({"one": one, "other": other})
    assert [line["p (Holm)"] for line in table] == ["0.08", "0.90", ""]
    assert table[-1]["bar"] == "never worse than none: met; rank no worse than SMOTE's: missed"
    assert keel.rows({"one": proved(arms, -0.05, 0.04)})[-1]["bar"].startswith(
        "never worse than none: missed"
    )


def test_the_large_table_has_columns_of_both_kinds() -> None:
    made = named("table_speed").made_up(500, 4, 3)
    assert made.shape == (500, 7)
    assert made["number0"].min() > 0 and (made["number1"] % 1 == 0).all()
    assert [made[f"label{i}"].nunique() for i in range(3)] == [3, 21, 40]
