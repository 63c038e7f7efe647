"""What kind a column is, what is known of it, and what nothing can be learnt from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenfold.data.table.clean import cleaned, dressed
from tenfold.data.table.frames import read_frame
from tenfold.data.table.infer import infer, refuse_bad_frame, refuse_texts
from tenfold.data.table.keys import pattern_of
from tenfold.data.table.opening import open_table
from tenfold.data.table.quantities import decimals_of, long_tailed, masses_of
from tenfold.data.table.report import look
from tenfold.data.table.schema import Column, Pattern, TableSpec
from tenfold.errors import DataError

ROWS = 60
RANDOM = np.random.default_rng(0)


def column_of(values, name="x", **more):
    return infer(pd.DataFrame({name: values, "other": RANDOM.normal(size=len(values))}), **more).column(name)


def words(count, length=6):
    return ["".join(RANDOM.choice(list("abcdefgh"), length)) for _ in range(count)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RANDOM.normal(size=ROWS), "numeric"),
        (RANDOM.integers(20, 60, ROWS), "numeric"),
        (RANDOM.integers(1, 6, ROWS), "numeric"),  # marks of a scale
        ([0, 1] * 30, "boolean"),
        ([0.0, 1.0, np.nan] * 20, "boolean"),
        ([1, 2] * 30, "categorical"),
        ([True, False] * 30, "boolean"),
        (["Yes", "no"] * 30, "boolean"),
        (["red", "blue"] * 30, "categorical"),
        (["0", "1", "2", "3+"] * 15, "categorical"),
        (["02139", "94103", "10001"] * 20, "categorical"),
        ([7] * ROWS, "constant"),
        (["kg"] * ROWS, "constant"),
        (["kg", None] * 30, "categorical"),
        (range(ROWS), "id"),
        (range(1, ROWS + 1), "id"),
        (range(1990, 1990 + ROWS), "numeric"),  # years, one a row
        ([f"C{i:04d}" for i in range(ROWS)], "id"),
        (words(ROWS), "text"),
        ([f"the {a} sat on the {b} mat" for a, b in zip(words(ROWS), words(ROWS), strict=True)], "text"),
        (pd.date_range("2024-01-31", periods=ROWS), "datetime"),
        ([f"{1 + i % 28}/{1 + i % 12}/2024" for i in range(ROWS)], "datetime"),
        (pd.Categorical(["S", "M", "L"] * 20, ["S", "M", "L"], ordered=True), "categorical"),
        (["1.5", "2.5", "?"] * 10 + [str(i + 0.25) for i in range(30)], "numeric"),
    ],
)
def test_kinds(values, kind):
    assert column_of(values).kind == kind


def test_no_comes_before_yes():
    assert column_of(["Yes", "no"] * 30).categories == ("no", "Yes")
    assert column_of([True, False] * 30).categories == ("False", "True")


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId"])
def test_different_whole_numbers_are_keys_if_they_are_called_so(name):
    values = RANDOM.permutation(500)[:ROWS]
    assert column_of(values, name).kind == "id"
    assert column_of(values, "distance").kind == "numeric"
    assert column_of(values // 10, name).kind == "numeric"  # not all different


def test_a_target_of_few_whole_numbers_has_classes_and_is_never_a_key():
    df = pd.DataFrame({"x": RANDOM.normal(size=ROWS), "y": [0, 1, 2] * 20, "id": range(ROWS)})
    assert infer(df).column("y").kind == "numeric"
    y = infer(df, "y").column("y")
    assert y.kind == "categorical" and y.categories == ("0", "1", "2")
    assert infer(df, "id").column("id").kind == "numeric"
    with pytest.raises(DataError, match=r"'z', which the table does not have\. Known are"):
        infer(df, "z")


def test_a_target_that_never_changes_is_refused():
    with pytest.raises(DataError, match="'y' is of kind constant"):
        infer(pd.DataFrame({"x": RANDOM.normal(size=9), "y": [1] * 9}), "y")


def test_numbers_have_bounds_and_decimals():
    column = column_of([0.25, 3.0, 17.5, np.nan] * 5)
    assert (column.low, column.high, column.decimals, column.integer) == (0.25, 17.5, 2, False)
    assert column.missing and column.missing_share == 0.25
    whole = column_of(np.array([20, 35, 31, 64] * 5, np.int16))
    assert whole.integer and whole.decimals == 0 and whole.dtype == "int16"


def test_decimals():
    assert decimals_of(np.array([49.676899, 51.693783])) == 6
    assert decimals_of(RANDOM.normal(size=50)) is None
    assert decimals_of(np.array([0.1, 0.2], np.float32).astype(float), single=True) == 1
    assert decimals_of(np.array([1e300, 2.0])) == 0


def test_numbers_that_many_rows_share_are_masses_and_few_values_all_are():
    gains = np.concatenate([np.zeros(80), RANDOM.lognormal(5, 2, 120)])
    column = column_of(gains)
    assert column.masses == (0.0,) and column.log and column.low == 0
    hours = np.concatenate([np.full(50, 40), RANDOM.integers(20, 60, 50)])
    assert column_of(hours).masses == (40.0,)
    assert column_of(RANDOM.integers(1, 6, 200)).masses == (1, 2, 3, 4, 5)
    assert column_of(RANDOM.integers(1, 6, 99)).masses == ()  # fewer than twenty rows of each
    ages, counts = np.unique(RANDOM.normal(40, 30, 3000).round(), return_counts=True)
    assert masses_of(ages, counts) == ()
    assert len(ages) > 100
    round_ones = np.where(ages % 10 == 0, 10 * counts, counts)
    assert {20.0, 30.0, 40.0, 50.0, 60.0} <= {*masses_of(ages, round_ones)} <= {*ages[ages % 10 == 0]}


def test_a_long_tail_asks_for_a_logarithm_and_a_short_one_does_not():
    once = np.ones(2000, int)
    random = np.random.default_rng(1)
    assert long_tailed(np.sort(random.lognormal(0, 1.2, 2000)), once)
    assert not long_tailed(np.sort(random.normal(50, 5, 2000)), once)
    assert not long_tailed(np.sort(random.lognormal(0, 1.2, 2000)) - 1, once)


def test_text_that_is_numbers_remembers_how_missing_ones_are_written():
    column = column_of(["1,5", "2,25", " ?", "3", " ?"] * 4)
    assert (column.kind, column.decimal, column.decimals, column.missing_as) == ("numeric", ",", 2, " ?")
    assert column.missing_share == 0.4 and column.high == 3


def test_labels_are_stripped_and_their_spelling_is_kept():
    column = column_of([" State-gov", " ?", "Private"] * 10)
    assert column.categories == ("?", "Private", "State-gov")
    assert column.spellings == {"State-gov": " State-gov", "?": " ?"}
    assert not column.missing  # among words, an unknown is one more word


def test_the_order_of_categories_is_kept_or_natural():
    size = pd.Categorical(["S", "L", "L", None], ["XS", "S", "L"], ordered=True)
    column = column_of(size)
    assert column.categories == ("S", "L") and column.ordered and column.missing
    assert list(column.spellings) == ["XS", "S", "L"]
    assert column_of([10, 9, 10, 9]).categories == ("9", "10")


def test_many_categories_share_an_option():
    values = [f"city {i % 150}" for i in range(600)]
    column = column_of(values)
    assert column.kind == "categorical" and len(column.categories) == 150 and column.rare_beyond == 100


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (["2024-01-31", "2024-02-01"], "%Y-%m-%d"),
        (["31.01.2024", "01.02.2024"], "%d.%m.%Y"),
        (["1/31/2024", "2/1/2024"], "%-m/%-d/%Y"),
        (["01/31/2024", "02/01/2024"], "%m/%d/%Y"),
        (["31/01/2024", "01/02/2024"], "%d/%m/%Y"),
        (["2024-01-31 10:00:00", "2024-02-01 10:30:00"], "%Y-%m-%d %H:%M:%S"),
        (["2024-01-31T10:00:00Z", "2024-02-01T10:30:00Z"], "%Y-%m-%dT%H:%M:%SZ"),
        (["31-Jan-2024", "01-Feb-2024"], "%d-%b-%Y"),
    ],
)
def test_formats_of_dates(values, format):
    column = column_of(values * 6)
    assert column.kind == "datetime" and column.format == format


def test_dates_have_a_smallest_step_and_a_zone():
    days = pd.Series(pd.date_range("2024-03-01", periods=ROWS, tz="Europe/Berlin"))
    column = column_of(days)
    assert column.unit == "day" and column.timezone == "Europe/Berlin"
    assert column_of(pd.date_range("2024-03-01", periods=ROWS, freq="15min")).unit == "minute"
    assert column.low == pd.Timestamp("2024-02-29 23:00").timestamp()


def test_keys_have_a_pattern():
    column = column_of([f"C-{i:05d}" for i in range(3, 63)], "code")
    assert column.pattern == Pattern("C-", 5) and (column.low, column.high) == (3, 62)
    df = pd.DataFrame({"code": [f"C-{i}" for i in range(60)], "x": RANDOM.normal(size=60)})
    assert infer(df).primary_key == "code"
    assert pattern_of(np.array(["A1", "A20"], object)) == (Pattern("A", 0), 1.0, 20.0)
    assert column_of(range(60)).pattern == Pattern("", 0)


@pytest.mark.parametrize(
    ("df", "message"),
    [
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame({"a": [], "b": []}), "2 columns and no rows"),
        (pd.DataFrame({"a": [1], "b": [2]}), "a single row"),
        (pd.DataFrame([[1, 2, 3]] * 2, columns=["a", "b", "a"]), "Columns 1, 3 have the same name, 'a'"),
        (pd.DataFrame({"a": [None, None], "b": [1, 2]}), "'a' has no value at all"),
        (pd.DataFrame({"a": ["NA", "?"], "b": [1, 2]}), "'a' has no value at all"),
        (pd.DataFrame({"a": [1.0, np.inf, 2.0, -np.inf]}), r"'a' is infinite in 2 rows \(rows 2, 4\)"),
        (
            pd.DataFrame({"a": [1, 2.5, "three", 4]}, dtype=object),
            r"mixes numbers and words: 1 row \(row 3\) hold words \(such as 'three'\)",
        ),
        (
            pd.DataFrame({"a": [str(i * 3) for i in range(40)] + ["abc", "12"]}),
            r"mixes numbers and words: 1 row \(row 41\) hold words \(such as 'abc'\)",
        ),
        (pd.DataFrame({"a": ["1,234", "12,345,678", "5,000"]}), "may separate thousands"),
        (pd.DataFrame({"a": [b"x", b"y"]}), "values of the type bytes"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(df, message):
    with pytest.raises(DataError, match=message):
        refuse_bad_frame(df)
    with pytest.raises(DataError, match=message):
        infer(df)


def test_several_faults_are_said_at_once():
    df = pd.DataFrame({"a": [np.inf, 1.0], "b": [None, None]})
    with pytest.raises(DataError, match=r"'a' is infinite.*'b' has no value"):
        infer(df)


def test_columns_that_a_spec_leaves_out_are_not_looked_at():
    df = pd.DataFrame({"a": [np.inf, 1.0], "b": [1.0, 2.5], "c": [1.5, 2.0]})
    spec = infer(df, given=TableSpec((Column("a", "ignore"),)))
    assert [column.kind for column in spec.columns] == ["ignore", "categorical", "categorical"]
    refuse_bad_frame(df, left_out=("a",))


def test_what_a_person_said_holds_and_the_rest_is_filled_in():
    df = pd.DataFrame({"mark": [1, 2, 3, 4] * 5, "x": RANDOM.normal(size=20), "n": RANDOM.normal(size=20)})
    said = TableSpec(
        (Column("mark", "categorical"), Column("x", "numeric", low=-9.0, decimals=1)), target="mark"
    )
    spec = infer(df, given=said)
    assert spec.target == "mark" and spec.column("mark").categories == ("1", "2", "3", "4")
    assert (spec.column("x").low, spec.column("x").decimals) == (-9.0, 1)
    assert spec.column("x").high == df["x"].max() and spec.column("n").kind == "numeric"
    again = infer(df, given=spec)
    assert again == spec


def test_a_spec_that_does_not_fit_is_refused():
    df = pd.DataFrame({"word": ["a", "b", "c"] * 4, "key": [1, 2, 2, 4] * 3})
    for given, message in (
        (TableSpec((Column("wrod", "id"),)), "'wrod', which the table does not have. Did you mean 'word'"),
        (TableSpec((Column("word", "numeric"),)), r"'word' has values in 12 rows \(rows 1, 2, 3, ...\) that"),
        (TableSpec((Column("word", "boolean"),)), "is boolean, and it has 3 values"),
        (TableSpec((Column("word", "constant"),)), "is constant, and it has 3 values"),
        (TableSpec((), primary_key="key"), "primary key 'key' is not unique: 12 rows"),
    ):
        with pytest.raises(DataError, match=message):
            infer(df, given=given)


def test_free_text_is_refused_with_advice():
    df = pd.DataFrame({"name": words(ROWS), "x": RANDOM.normal(size=ROWS)})
    with pytest.raises(DataError, match=r"Free text cannot be learnt: 'name'.*ignore"):
        refuse_texts(infer(df))


def test_a_report_says_what_columns_are_and_cost():
    df = pd.DataFrame(
        {
            "id": range(ROWS),
            "age": [20 + i % 30 for i in range(ROWS)],
            "town": [f"town {i % 12}" for i in range(ROWS)],
            "paid": ["yes", "no"] * 30,
        }
    )
    report = look(read_frame(df), target="paid")
    assert report.count == ROWS and report.classes == {"no": 30, "yes": 30} and not report.problems
    widths = {column.name: column.width for column in report.columns}
    assert widths == {"id": 0, "age": 11, "town": 12, "paid": 2} and report.width == 25
    assert report.to_json()["bytes"] == 4 * 25 * ROWS
    text = "\n".join(report.lines())
    assert "60 rows, 4 columns, of which 'paid' is the target" in text
    assert "made anew from 60 on" in text and "the primary key is 'id'" in text
    assert TableSpec.from_json(report.to_json()["spec"]) == report.spec


def test_a_report_lists_problems_and_raises_nothing():
    df = pd.DataFrame({"a": [np.inf, 1.0, 2.0], "b": [None] * 3, "c": [1.5, 2.0, 4.0]})
    report = look(read_frame(df))
    assert len(report.problems) == 3  # and there are too few rows
    assert [column.kind for column in report.columns] == ["ignore", "ignore", "numeric"]
    assert look(read_frame(pd.DataFrame({"a": [1]}))).problems == (
        "The table has 1 columns and a single row. A GAN learns from many; add some.",
    )


@pytest.mark.parametrize(
    ("names", "recipe"), [(("source", "target"), "seq2seq_gan"), (("title", "review"), "lm")]
)
def test_the_recipe_of_texts_is_one_that_takes_them(tmp_path, names, recipe):
    rows = [
        [f"{word} {i} is what somebody said of number {i * 7}" for word in ("one", "two")] for i in range(200)
    ]
    path = tmp_path / "words.csv"
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    assert any(problem.endswith(f"--recipe {recipe}") for problem in look(read_frame(path)).problems)
    with pytest.raises(DataError, match=f"--recipe {recipe}$"):
        open_table(path)


LARGE = 2**63 - 1


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "object"])
def test_whole_numbers_that_doubles_round_are_no_quantities(dtype):
    df = pd.DataFrame({"n": [*range(ROWS - 1), LARGE], "other": RANDOM.normal(size=ROWS)}).sample(frac=1)
    df = df.reset_index(drop=True).astype({"n": dtype})
    df["n"] = df["n"].where(df["n"] > 5, 5)  # no key
    with pytest.raises(
        DataError, match=r"'n' holds whole numbers of 2\*\*53 or more.*\(first: 9223372036854"
    ):
        infer(df)
    assert look(read_frame(df)).problems[0].startswith("The column 'n' holds whole numbers")
    with pytest.raises(DataError, match="holds whole numbers"):
        infer(df, given=TableSpec((Column("n", "numeric"),)))
    with pytest.raises(DataError, match="holds whole numbers"):
        infer(df, given=TableSpec((Column("n", "numeric", dtype, integer=True, low=0, high=2.0**63),)))
    for kind in ("id", "ignore", "categorical"):
        spec = infer(df, given=TableSpec((Column("n", kind),)))
        assert spec.column("n").kind == kind
    again = dressed(cleaned(df, spec), spec)
    assert again["n"].dtype == df["n"].dtype and again["n"].tolist() == df["n"].tolist()


def test_large_numbers_that_are_all_the_same_or_keys_are_taken_as_they_are():
    assert column_of([LARGE] * ROWS).value == LARGE
    assert column_of([LARGE, LARGE - 1] * 30).categories == (str(LARGE - 1), str(LARGE))
    assert column_of([2**60 + i for i in range(ROWS)], "user_id").kind == "id"
    assert column_of([1e300, 2e300] + [0.5 * i for i in range(ROWS)]).kind == "numeric"


def test_a_key_that_is_learnt_is_kept_unique():
    df = pd.DataFrame({"n": RANDOM.permutation(1000)[:ROWS] * 3, "other": RANDOM.normal(size=ROWS)})
    given = TableSpec((Column("n", "numeric"),), "n")
    spec = infer(df, given=given)
    assert spec.constraints == ({"constraint": "unique", "columns": ["n"]},)
    assert infer(df, given=spec).constraints == spec.constraints
    assert infer(df, given=TableSpec((Column("n", "id"),), "n")).constraints == ()


def test_dates_may_name_several_offsets():
    moments = pd.date_range("2024-03-30", periods=ROWS, freq="h", tz="Europe/Berlin")
    df = pd.DataFrame({"t": [str(moment) for moment in moments], "other": RANDOM.normal(size=ROWS)})
    assert df["t"].str[-6:].nunique() == 2
    spec = infer(df)
    again = dressed(cleaned(df, spec), spec)["t"]
    assert spec.column("t").kind == "datetime" and spec.column("t").format == "%Y-%m-%d %H:%M:%S%z"
    assert again[0] == "2024-03-29 23:00:00+00:00" and (pd.to_datetime(again, utc=True) == moments).all()
    df.loc[0, "t"] = "2024-03-30T00:00:00.5+01:00"  # in no format that all have
    spec = infer(df, given=TableSpec((Column("t", "datetime"),)))
    again = dressed(cleaned(df, spec), spec)["t"]
    assert again[0] == "2024-03-29 23:00:00.500+00:00"
    assert (pd.to_datetime(again, utc=True)[1:] == moments[1:]).all()


@pytest.mark.parametrize(
    ("bounds", "constraint", "words"),
    [
        ({}, {"constraint": "les", "low": "start", "high": "end"}, ["no constraint 'les'"]),
        ({}, {"constraint": "less", "low": "start", "high": "end"}, ["contradict start <= end"]),
        ({"low": 0, "high": 50}, None, ["lies between low and high"]),
        (
            {"low": 0, "high": 50},
            {"constraint": "less", "low": "start", "high": "ende"},
            ["lies between low and high", "no column 'ende'"],
        ),
    ],
)
def test_a_report_says_what_contradicts_the_spec_and_its_constraints(bounds, constraint, words):
    start = np.arange(ROWS, dtype=float)
    end = np.where(np.isin(np.arange(ROWS), [1, 3]), start - 1, start + 1)
    frame = read_frame(pd.DataFrame({"start": start + 0.5, "end": end + 0.5}))
    columns = [{"name": "start", "kind": "numeric", **bounds}, {"name": "end", "kind": "numeric"}]
    spec = TableSpec.from_json({"columns": columns, "constraints": [constraint] if constraint else []})
    problems = look(frame, spec).problems
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems, strict=True))
