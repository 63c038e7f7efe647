"""All measures of a table together, and what they are made to say."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.metrics.suite import Measured
from tenfold.metrics.tables.design import TableRows
from tenfold.metrics.tables.summary import NAMES, References, measure_tables, references
from tenfold.metrics.tables.verdicts import verdicts

COPY_NAMES = ("c_t", "membership_auc")


def some_rows(n: int, seed: int) -> TableRows:
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(size=(n, 2)), rng.integers(0, 3, n)
    label = x[:, 0] + (kind == 1) + 0.5 * rng.normal(size=n) > 0.3
    values = np.column_stack([x, kind, label]).astype(np.float64)
    return TableRows(values, (False, False, True, True), (0, 0, 3, 2), ("x", "y", "kind", "label"))


def with_values(rows: TableRows, values: np.ndarray) -> TableRows:
    return TableRows(values, rows.categorical, rows.levels, rows.names)


TRAIN, HOLDOUT, FRESH = some_rows(300, 1), some_rows(150, 2), some_rows(300, 3)


@cache
def known() -> References:
    return references(TRAIN, HOLDOUT, 300, 3, quick=True)


def measured(fake: TableRows) -> dict[str, Measured]:
    return measure_tables(TRAIN, HOLDOUT, fake, 3, quick=True, known=known())


def test_fresh_rows_are_like_the_reference() -> None:
    found = measured(FRESH)
    assert set(NAMES) <= set(found)
    for name in ("marginals", "pair_trends", "closest_record"):
        assert found[name].value == pytest.approx(found[name].reference, abs=0.1), name
    for name in ("detector_auc", "detector_auc_logistic", "tstr", "membership_auc"):
        assert found[name].value == pytest.approx(found[name].reference, abs=0.15), name
    assert (found["marginals"].n, found["tstr"].n, found["c_t"].reference_n) == (150, 300, 150)
    assert found["detector_auc"].error and found["trtr"].value == found["tstr"].reference
    assert found["tstr"].how == "auc" and {"tstr_linear", "tstr_boosting"} <= set(found)
    assert found["missing_classes"].value == 0 and found["exact_copies"].value == 0


def test_references_may_be_known_and_must_fit() -> None:
    fake = FRESH.take(np.arange(200))  # the references are of 300
    again, alone = (measure_tables(TRAIN, HOLDOUT, fake, 3, quick=True, known=k) for k in (known(), None))
    assert again == alone


def test_copies_are_found() -> None:
    found = measured(TRAIN)
    assert found["exact_copies"].value == 1 and found["exact_copies"].reference == 0
    assert found["c_t"].value is not None and found["c_t"].value < -5
    assert found["membership_auc"].value is not None and found["membership_auc"].value > 0.9
    assert found["closest_record"].value == 0
    said = {(v.about, v.level) for v in verdicts(found)}
    assert {("copying", "bad"), ("privacy", "bad")} <= said


def test_wrong_labels_are_found() -> None:
    wrong = with_values(FRESH, FRESH.values * np.array([1, 1, 1, -1]) + np.array([0, 0, 0, 1]))
    found = measured(wrong)
    assert found["tstr"].value is not None and found["tstr"].reference is not None
    assert found["tstr"].value < 0.3 < 0.7 < found["tstr"].reference
    assert ("use", "bad") in {(v.about, v.level) for v in verdicts(found)}


def test_without_a_holdout_a_half_judges() -> None:
    found = measure_tables(TRAIN, None, FRESH, 3, quick=True)
    for name in COPY_NAMES:
        assert found[name].value is None and "hold-out" in found[name].why
    assert found["marginals"].n == 150 and found["marginals"].reference is not None
    assert found["exact_copies"].value == 0 and found["exact_copies"].reference is None
    assert found["tstr"].n == 150


def test_without_a_target_nothing_is_taught() -> None:
    found = measure_tables(TRAIN, HOLDOUT, FRESH, quick=True)
    for name in ("tstr", "trtr"):
        assert found[name].value is None and "target" in found[name].why
    with pytest.raises(DataError, match="from 0 to 3"):
        measure_tables(TRAIN, HOLDOUT, FRESH, 9, quick=True)


def test_a_target_of_numbers() -> None:
    found = measure_tables(TRAIN, HOLDOUT, FRESH, 0, quick=True)
    assert found["tstr"].how == "r2" and "missing_classes" not in found
    assert found["tstr"].value == pytest.approx(found["tstr"].reference, abs=0.2)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_few_made_rows_are_no_error(count: int) -> None:
    found = measure_tables(TRAIN, HOLDOUT, FRESH.take(np.arange(count)), 3, quick=True)
    assert found["detector_auc"].value is None and found["tstr"].value is None and found["c_t"].value is None
    assert any(v.about == "trust" for v in verdicts(found))


def test_rows_that_are_all_alike_are_no_error() -> None:
    found = measured(FRESH.take(np.zeros(300, np.int64)))
    assert found["detector_auc"].value is not None and found["detector_auc"].value > 0.9
    assert found["tstr"].value == 0.5 and found["missing_classes"].value == 1
    assert ("use", "warning") in {(v.about, v.level) for v in verdicts(found)}


def numbers(**values: float) -> dict[str, Measured]:
    """Numbers of rows as good as real ones, but for some."""
    good = {
        **{"marginals": 0.03, "pair_trends": 0.05, "detector_auc": 0.5, "tstr": 0.9},
        **{"c_t": 0.0, "closest_record": 0.4, "exact_copies": 0.0, "out_of_range": 0.01},
        **{"membership_auc": 0.5, "missing_classes": 0.0},
    }
    found = {name: Measured(values.get(name, real), real, 1000) for name, real in good.items()}
    found["detector_auc"] = Measured(values.get("detector_auc", 0.5), 0.5, 1000, 0.015)
    found["tstr"] = Measured(values.get("tstr", 0.9), values.get("trtr", 0.9), 1000, how="auc")
    found["membership_auc"] = Measured(values.get("membership_auc", 0.5), 0.5, 1000, p=values.get("p", 0.5))
    for name in ("exact_copies", "out_of_range"):
        found[name] = Measured(values.get(name, good[name]), good[name], 1000, reference_n=1000)
    return found


def test_good_rows_have_no_fault() -> None:
    assert {v.level for v in verdicts(numbers())} == {"good"}


@pytest.mark.parametrize(
    ("about", "values", "expected"),
    [
        ("fidelity", {"marginals": 0.08}, "warning"),
        ("fidelity", {"pair_trends": 0.3}, "bad"),
        ("fidelity", {"detector_auc": 0.7}, "warning"),
        ("fidelity", {"detector_auc": 0.95}, "bad"),
        ("fidelity", {"detector_auc": 0.3}, "warning"),  # nearer to the hold-out than real rows can be
        ("fidelity", {"out_of_range": 0.1}, "warning"),
        ("use", {"tstr": 0.85}, "warning"),
        ("use", {"tstr": 0.6}, "bad"),
        ("use", {"tstr": 0.51, "trtr": 0.51}, "warning"),
        ("use", {"missing_classes": 1.0}, "warning"),
        ("copying", {"exact_copies": 0.05}, "bad"),
        ("copying", {"c_t": -8.0, "closest_record": 0.1}, "bad"),
        ("copying", {"c_t": -8.0, "closest_record": 0.3}, "warning"),
        ("copying", {"c_t": -4.0, "closest_record": 0.39}, "warning"),
        ("copying", {"c_t": 9.0, "closest_record": 0.9}, "warning"),
        ("privacy", {"membership_auc": 0.8, "p": 1e-9}, "bad"),
        ("privacy", {"membership_auc": 0.55, "p": 1e-4}, "warning"),
    ],
)
def test_faults_are_named(about: str, values: dict[str, float], expected: str) -> None:
    found = [v for v in verdicts(numbers(**values)) if v.about == about]
    assert expected in {v.level for v in found}
    assert all(v.advice for v in found if v.level != "good")


def test_copies_without_a_holdout_are_spoken_of() -> None:
    found = numbers() | {"exact_copies": Measured(0.001, None, 1000), "c_t": Measured(None, None, 1000)}
    assert [v.level for v in verdicts(found) if v.about == "copying"] == ["bad"]


def test_copies_that_fresh_rows_have_too_are_not_spoken_of() -> None:
    found = numbers() | {"exact_copies": Measured(0.31, 0.3, 1000, reference_n=1000)}
    assert [v.level for v in verdicts(found) if v.about == "copying"] == ["good"]
