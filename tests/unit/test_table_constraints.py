"""Constraints: applied and undone they change nothing, whatever is made keeps them, conflicts are said."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.table.column import Column
from tenfold.data.table.columns import combined, grid_of, on_grid
from tenfold.data.table.constraints import (
    Constraint,
    Less,
    Sum,
    Together,
    Unique,
    Within,
    backward,
    constraint_from_json,
    fitted,
    forward,
    known_through,
    loosened,
    ordered,
    refuse_conflicts,
    refuse_violated,
)
from tenfold.data.table.schema import TableSpec
from tenfold.errors import DataError

NAN = float("nan")
CENTS = st.one_of(st.none(), st.integers(-(10**7), 10**7))
GAPS = st.one_of(st.none(), st.integers(1, 10**6))
WORDS = st.sampled_from(["a", "b b", 'c"', "ä", None])
SOME = settings(max_examples=60, deadline=None)


def money(cents: Sequence[int | None]) -> np.ndarray:
    return np.array([NAN if k is None else k / 100 for k in cents])


def text(cells: Sequence[str | None]) -> pd.Series:
    return pd.Series(list(cells), dtype=object)


def unchanged(constraints: Sequence[Constraint], df: pd.DataFrame) -> None:
    there = forward(constraints, df)
    back = backward(constraints, there)
    pd.testing.assert_frame_equal(back[list(df.columns)], df, check_exact=True)
    assert sorted(back.columns) == sorted(df.columns)


@SOME
@given(st.lists(st.tuples(CENTS, GAPS), min_size=1, max_size=20), st.booleans())
def test_less_undone_is_what_was_there(rows, strict):
    low = [k for k, _ in rows]
    high = [None if gap is None else (k or 0) + gap for k, gap in rows]
    df = pd.DataFrame({"low": money(low), "high": money(high), "other": np.arange(float(len(rows)))})
    less = Less("low", "high", strict).fitted(df)
    assert not less.violations(df).any()
    unchanged([less], df)
    inner = less.forward(df)
    known = ~df["low"].isna() & ~df["high"].isna()
    assert (inner["high"][known] > 0).all() and list(inner.columns) == list(df.columns)


NUMBER = st.floats(-1e6, 1e6)


@SOME
@given(
    st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=20), st.booleans(), st.sampled_from([0, 1, 0.01])
)
def test_less_holds_of_whatever_is_made(rows, strict, step):
    made = pd.DataFrame(rows, columns=["low", "high"])
    less = Less("low", "high", strict, step=float(step), most=100.0)
    back = less.backward(made)
    assert not less.violations(back).any()
    high = back["high"].to_numpy()
    np.testing.assert_array_equal(on_grid(high, float(step)), high)


def test_a_gap_to_what_is_missing_is_one_to_the_median():
    df = pd.DataFrame({"start": [10.0, 20.0, NAN, NAN], "end": [12.0, NAN, 16.0, NAN]})
    less = Less("start", "end").fitted(df)
    assert (less.anchor, less.step, less.most) == (15.0, 1.0, 16.0)
    np.testing.assert_array_equal(less.forward(df)["end"], [2.0, NAN, 1.0, NAN])
    unchanged([less], df)
    unchanged([Less("start", "end")], df)  # not fitted


def test_what_is_made_stays_below_the_largest():
    less = Less("a", "b", step=1.0, most=20.0)
    back = less.backward(pd.DataFrame({"a": [1.0, 18.0, 30.0], "b": [5.0, 9.0, 2.0]}))
    assert back["b"].tolist() == [6.0, 20.0, 30.0]


@SOME
@given(st.lists(st.tuples(CENTS, CENTS, st.booleans()), min_size=1, max_size=20))
def test_a_sum_undone_is_what_was_there(rows):
    a, b = money([r[0] for r in rows]), money([r[1] for r in rows])
    total = [None if gone else (x or 0) + (y or 0) for x, y, gone in rows]
    df = pd.DataFrame({"a": a, "total": money(total), "b": b})
    constraint = Sum("total", ("a", "b")).fitted(df)
    assert not constraint.violations(df).any()
    unchanged([constraint], df)
    assert ("total" in constraint.forward(df).columns) == constraint.rest


def test_a_sum_is_left_out_and_made_again():
    df = pd.DataFrame({"total": [0.3, 5.0, NAN], "a": [0.1, 2.0, NAN], "b": [0.2, 3.0, 1.0]})
    constraint = Sum("total", ("a", "b")).fitted(df)
    assert not constraint.rest and constraint.step == 0.1
    inner = constraint.forward(df)
    assert list(inner.columns) == ["a", "b"]
    assert constraint.backward(inner)["total"].tolist()[:2] == [0.3, 5.0]
    wrong = df.assign(total=[0.3, 5.1, 7.0])
    assert constraint.violations(wrong).tolist() == [False, True, False]
    alone = df.assign(total=[0.3, NAN, 7.0])
    assert Sum("total", ("a", "b")).fitted(alone).rest
    np.testing.assert_allclose(
        Sum("total", ("a", "b")).fitted(alone).forward(alone)["total"], [0.0, NAN, 6.0]
    )


@SOME
@given(st.lists(st.tuples(WORDS, WORDS, st.one_of(st.just(NAN), st.integers(0, 3))), min_size=1, max_size=20))
def test_combinations_undone_are_what_was_there(rows):
    columns = list(zip(*rows, strict=True))
    df = pd.DataFrame({"x": text(columns[0]), "y": text(columns[1]), "z": np.array(columns[2], float)})
    constraint = Together(("x", "z")).fitted(df)
    unchanged([constraint], df)
    inner = constraint.forward(df)
    assert list(inner.columns) == ["y", "x + z"]
    assert constraint.makes == {"x + z": constraint.occur}
    assert sum(constraint.times) == len(rows) and len(constraint.occur) == inner["x + z"].nunique()
    assert not constraint.violations(df).any()


def test_combinations_that_do_not_occur():
    df = pd.DataFrame({"city": text(["Ulm", "Bonn"]), "land": text(["BW", "NW"])})
    constraint = Together(("city", "land")).fitted(df)
    other = pd.DataFrame({"city": text(["Ulm", "Ulm"]), "land": text(["NW", "BW"])})
    assert constraint.violations(other).tolist() == [True, False]
    assert not Together(("city", "land")).violations(other).any()  # nothing is known
    assert combined(df.iloc[:0], ["city", "land"]).tolist() == []


def test_bounds_and_dates():
    df = pd.DataFrame({"t": [0.0, 86400.0, NAN, 1e9]})
    constraint = Within("t", "1970-01-02", 1e8)
    assert constraint.violations(df).tolist() == [True, False, False, True]
    np.testing.assert_array_equal(constraint.backward(df)["t"], [86400.0, 86400.0, NAN, 1e8])
    assert constraint.words == "1970-01-02 <= t <= 100000000.0"
    with pytest.raises(DataError, match="'soon' is no date"):
        Within("t", "soon").violations(df)


def test_repeated_rows():
    df = pd.DataFrame({"a": text(["x", "x", "x", None, None]), "b": [1.0, 2.0, 1.0, NAN, NAN]})
    assert Unique(("a", "b")).violations(df).tolist() == [False, False, True, False, False]
    assert Unique(("a",)).violations(df).tolist() == [False, True, True, False, False]
    unchanged([Unique(("a",))], df)


def test_chains_go_in_an_order_that_works_however_they_are_written():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 9, 50).astype(float)
    b = a + rng.integers(0, 9, 50)
    df = pd.DataFrame({"c": b + rng.integers(1, 9, 50), "a": a, "b": b})
    df["sum"] = df["a"] + df["c"]
    df["later"] = df["sum"] + 1
    constraints: list[Constraint] = [
        Less("a", "b"),
        Sum("sum", ("a", "c")),
        Less("b", "c", strict=True),
        Less("sum", "later"),
        Within("c", 0, 99),
    ]
    for rows in (constraints, constraints[::-1]):
        unchanged(rows, df)
        unchanged(fitted(rows, df), df)
        inner = forward(rows, df)
        np.testing.assert_array_equal(inner["c"], df["c"] - df["b"])
        np.testing.assert_array_equal(inner["later"], 1)
        made = inner.assign(a=rng.integers(-20, 40, 50) * 1.0, b=rng.normal(0, 9, 50), c=rng.normal(0, 9, 50))
        refuse_violated(backward(fitted(rows, df), made), rows)


def test_circles_are_named():
    with pytest.raises(DataError, match="c <= a and b <= c and a <= b go round in a circle"):
        ordered([Less("x", "y"), Less("a", "b"), Less("b", "c"), Less("c", "a")])
    with pytest.raises(DataError, match="circle"):
        ordered([Less("t", "p"), Sum("t", ("p", "q"))])


def test_rows_that_contradict_are_named():
    df = pd.DataFrame({"a": [1.0, 5.0, 3.0, NAN], "b": [2.0, 2.0, 3.0, 1.0]})
    refuse_violated(df.iloc[[0, 2, 3]], [Less("a", "b")])
    with pytest.raises(DataError, match=r"of 4 rows, 1 row \(row 2\) contradict a <= b"):
        refuse_violated(df, [Less("a", "b")])
    with pytest.raises(DataError, match=r"2 rows \(rows 2, 3\) contradict a < b"):
        refuse_violated(df, [Less("a", "b", strict=True)])


@pytest.mark.parametrize(
    "constraint",
    [
        Less("a", "b"),
        Less("a", "b", strict=True, anchor=1.5, step=0.01, most=3.0),
        Sum("t", ("a", "b"), rest=True),
        Together(("x", "y"), ("y",), ('["a", 1.0]',), (3,)),
        Within("a", 0.5),
        Within("a", high="2024-01-31"),
        Unique(("a", "b")),
    ],
)
def test_json_and_back(constraint: Constraint):
    found = json.loads(json.dumps(constraint.to_json()))
    assert constraint_from_json(found) == constraint


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"constraint": "les", "low": "a", "high": "b"}, "no constraint 'les'. Did you mean 'less'"),
        ({"low": "a"}, "no constraint None"),
        ({"constraint": "less", "low": "a", "hihg": "b"}, "no field 'hihg'. Did you mean 'high'"),
        ({"constraint": "less", "low": "a"}, "'less' lacks 'high'"),
        ({"constraint": "less", "low": "a", "high": 3}, r"less.high is 3; a text was expected"),
        ({"constraint": "sum", "total": "a", "parts": "b"}, "sum.parts is 'b'; a list of texts"),
        ({"constraint": "sum", "total": "a", "parts": ["b", 2]}, "a list of texts"),
        ({"constraint": "less", "low": "a", "high": "b", "strict": 1}, "true or false"),
        ({"constraint": "within", "column": "a", "low": True}, "a number, or a date"),
    ],
)
def test_what_a_person_may_write_wrong(found: dict, words: str):
    with pytest.raises(DataError, match=words):
        constraint_from_json(found)


SPEC = TableSpec(
    (
        *(Column(name, "numeric") for name in "abct"),
        Column("when", "datetime"),
        Column("city", "categorical"),
        Column("land", "categorical"),
        Column("key", "id"),
        Column("c + t", "numeric"),
    )
)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ([Less("a", "bb")], "no column 'bb'. Did you mean 'b'"),
        ([Less("a", "city")], "'city' is categorical; numeric or datetime was expected"),
        ([Less("a", "when")], "one is a number and one a date"),
        ([Less("a", "a")], "2 or more different columns"),
        ([Together(("city",))], "2 or more different columns"),
        ([Sum("t", ("a", "t"))], "3 or more different columns"),
        ([Together(("c", "t"))], "called 'c \\+ t', as a column is"),
        ([Less("a", "c"), Less("b", "c")], "'c' cannot be made by both"),
        ([Sum("t", ("a", "b")), Less("c", "t")], "'t' cannot be made by both"),
        ([Sum("t", ("a", "b")), Within("t", 0)], "'t' cannot be made by both"),
        ([Within("a", 0, 5), Within("a", 6)], "nothing is left that 'a' could be"),
        ([Within("a", 5, 3)], "nothing is left"),
        ([Less("a", "b"), Less("b", "a")], "circle"),
    ],
)
def test_constraints_that_cannot_hold(constraints: list, words: str):
    with pytest.raises(DataError, match=words):
        refuse_conflicts(constraints, SPEC)


def test_constraints_that_can():
    chain = [Less("a", "b"), Less("b", "c"), Within("a", 0), Within("c", high=9), Within("b", 1, 8)]
    refuse_conflicts(
        [*chain, Together(("city", "land")), Unique(("key",)), Within("when", "2020-01-01")], SPEC
    )
    refuse_conflicts([Sum("t", ("a", "b")), Less("t", "c"), Within("a", 0)], SPEC)


def test_a_sum_has_no_bounds_of_its_own():
    spec = TableSpec((Column("t", "numeric", low=0.0, high=9.0), Column("a", "numeric", low=0.0, high=5.0)))
    found = loosened([Sum("t", ("a", "b")), Less("a", "c")], spec)
    assert [(c.low, c.high) for c in found.columns] == [(None, None), (0.0, 5.0)]


def test_what_is_known_of_a_gap():
    known = pd.DataFrame({"low": [1.0, NAN, 3.0], "high": [2.0, 5.0, NAN]})
    found = known_through([Less("low", "high")], known)
    np.testing.assert_array_equal(found.frame["high"], [1.0, NAN, NAN])
    assert found.later["high"].tolist() == [False, True, False]
    alone = known_through([Less("low", "high")], known[["high"]])
    assert alone.later["high"].tolist() == [True, True, False] and alone.frame["high"].isna().all()
    assert not known_through([Less("low", "high")], known[["low"]]).later
    with pytest.raises(DataError, match=r"1 row \(row 1\) contradicts high <= low"):
        known_through([Less("high", "low")], known)


def test_what_is_known_of_a_chain():
    known = pd.DataFrame({"c": [9.0], "b": [5.0]})
    found = known_through([Less("a", "b"), Less("b", "c")], known)
    assert found.frame["c"].tolist() == [4.0] and list(found.later) == ["b"]


def test_the_last_part_of_a_sum_is_known():
    known = pd.DataFrame({"t": [10.0, 10.0, 10.0, NAN], "a": [4.0, NAN, 4.0, 1.0]})
    found = known_through([Sum("t", ("a", "b"))], known)
    assert "t" not in found.frame.columns
    np.testing.assert_array_equal(found.frame["b"], [6.0, NAN, 6.0, NAN])
    assert found.later["t"].tolist() == [False, True, False, False]
    with_rest = known_through([Sum("t", ("a", "b"), rest=True)], known)
    np.testing.assert_array_equal(with_rest.frame["t"], [0.0, NAN, 0.0, NAN])
    with pytest.raises(DataError, match=r"contradicts t = a \+ b"):
        known_through([Sum("t", ("a", "b"))], known.assign(b=7.0))


def test_a_combination_is_drawn_from_those_that_occur():
    rows = [("Ulm", "BW")] * 3 + [("Ulm", "MN")] + [("Bonn", "NW")] * 4
    df = pd.DataFrame({"city": text([c for c, _ in rows]), "land": text([b for _, b in rows])})
    constraint = Together(("city", "land")).fitted(df)
    known = pd.DataFrame({"city": text(["Ulm"] * 400 + ["Bonn", None]), "x": 1.0})
    found = known_through([constraint], known, seed=1)
    joint = found.frame["city + land"]
    assert list(found.frame.columns) == ["x", "city + land"] and not found.later
    assert set(joint[:400]) == {'["Ulm", "BW"]', '["Ulm", "MN"]'} and joint[400] == '["Bonn", "NW"]'
    assert 0.65 < (joint[:400] == '["Ulm", "BW"]').mean() < 0.85 and joint[401] is None
    assert joint.equals(known_through([constraint], known, seed=1).frame["city + land"])
    with pytest.raises(DataError, match="contradicts only combinations"):
        known_through([constraint], known.assign(land="NW"))
    later = known_through([Together(("city", "land"))], known).later
    assert later["city"].sum() == 401


def test_what_is_known_must_keep_bounds_and_keys():
    known = pd.DataFrame({"a": [1.0, 1.0, NAN, NAN]})
    with pytest.raises(DataError, match="contradicts 2 <= a"):
        known_through([Within("a", 2)], known)
    with pytest.raises(DataError, match=r"1 row \(row 2\) contradicts no two rows"):
        known_through([Unique(("a",))], known)


def test_grids():
    assert grid_of(np.array([])) == 0 and grid_of(np.array([0.1, 0.25])) == 0.01
    assert grid_of(np.array([86400.0, 0.0])) == 86400 and grid_of(np.array([90.0, 61.0])) == 1
    np.testing.assert_array_equal(on_grid(np.array([0.30000000000000004, NAN]), 0.1), [0.3, NAN])
