"""Frames become clean and come back as they looked: types, spelling, decimals, formats and zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.table.clean import cleaned, dressed, refuse_misfit, seconds_of
from tenfold.data.table.frames import read_frame
from tenfold.data.table.infer import infer
from tenfold.data.table.schema import Column, TableSpec
from tenfold.errors import DataError


def there_and_back(values, kind=None):
    """The column, clean and dressed again, beside another one that is learnt."""
    df = pd.DataFrame({"x": values, "other": np.linspace(0, 1, len(values))})
    said = None if kind is None else TableSpec((Column("x", kind),))
    spec = infer(df, given=said)
    return df["x"], dressed(cleaned(df, spec), spec)["x"]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([3, 1, 2, 9], dtype="int16"),
        pd.Series([3, 1, 2, None], dtype="Int64"),
        pd.Series([3.5, np.nan, 1.25, 9.0]),
        pd.Series([3.1, 1.1, 2.7, 9.3], dtype="float32"),
        pd.Series([3.0, np.nan, 2.0, 9.0]),
        pd.Series([1, 2.5, None, 4], dtype=object),
        pd.Series([True, False, True, True]),
        pd.Series([True, None, False, True], dtype="boolean"),
        pd.Series([True, None, False, True], dtype=object),
        pd.Series([0, 1, 1, 0], dtype="uint8"),
        pd.Series([5, 7, 5, 7]),
        pd.Series([" a", "b", None, " a"]),
        pd.Series(["a", "b", None, "a"], dtype="string"),
        pd.Series(["a", "b", "c", "a"], dtype=object),
        pd.Series(["00123", "00200", "00123", "41000"]),
        pd.Series(["1,50", "2,25", "3,00", "4,75"]),
        pd.Series(pd.Categorical(["S", "L", None, "L"], ["XS", "S", "L"], ordered=True)),
        pd.Series(pd.Categorical([3, 1, None, 3])),
        pd.to_datetime(pd.Series(["2024-01-31", "2024-02-29", None, "1969-12-31"])),
        pd.to_datetime(pd.Series(["2024-03-30", "2024-03-31", None, "2024-04-01"])).dt.tz_localize(
            "Europe/Berlin"
        ),
        pd.to_datetime(
            pd.Series(["2024-01-31 10:30:00", "2024-02-29 00:00:01", None, "1970-01-01 00:00:00"])
        ),
        pd.Series([date(2024, 1, 31), date(2024, 2, 29), None, date(2023, 1, 1)]),
        pd.Series(["31/01/2024", "01/02/2024", None, "15/03/2024"]),
        pd.Series(["1/31/2024", "2/1/2024", "12/24/2024", "1/2/2024"]),
        pd.Series(["2024-01-31T10:00:00.250Z", "2024-02-01T11:00:00.500Z", None, "2024-02-01T11:00:01.125Z"]),
        pd.Series([7, 7, 7, 7], dtype="int8"),
        pd.Series([0.5, 0.5, 0.5, 0.5]),
        pd.Series([" kg", " kg", " kg", " kg"]),
        pd.Series([True, True, True, True]),
        pd.to_datetime(pd.Series(["2024-01-31"] * 4)),
        pd.to_datetime(pd.Series(["2024-01-31"] * 4)).dt.tz_localize("Europe/Berlin"),
        pd.Series(pd.Categorical(["a"] * 4)),
        pd.to_timedelta(pd.Series([60, 90, None, 3600]), unit="s"),
    ],
    ids=lambda series: f"{series.dtype} {series.iloc[0]}",
)
def test_columns_come_back_as_they_were(values):
    before, after = there_and_back(values)
    pd.testing.assert_series_equal(after, before)


@pytest.mark.parametrize("missing", ["?", " NA", ""])
def test_missing_numbers_come_back_as_they_were_written(missing):
    before, after = there_and_back(pd.Series(["1.50", missing, "2.25", "3.00", missing]))
    assert after.tolist() == before.tolist()


def test_clean_columns_are_doubles_or_text():
    df = pd.DataFrame(
        {
            "n": [3, 1, 2],
            "word": [" a", None, "b "],
            "flag": [True, False, True],
            "day": [pd.Timestamp("1970-01-02"), None, pd.Timestamp("1970-01-01 00:00:00.5")],
            "id": ["C1", "C2", "C3"],
            "same": [1, 1, 1],
        },
        index=[5, 6, 7],
    )
    spec = infer(df)
    clean = cleaned(df, spec)
    assert list(clean.columns) == ["n", "word", "flag", "day", "id"] and clean.index.tolist() == [0, 1, 2]
    assert clean["n"].dtype == np.float64 and clean["n"].tolist() == [3, 1, 2]
    assert clean["word"].dtype == object and clean["word"].tolist() == ["a", None, "b"]
    assert clean["flag"].tolist() == ["True", "False", "True"]
    np.testing.assert_equal(clean["day"].to_numpy(), [86400, np.nan, 0.5])
    assert clean["id"].tolist() == ["C1", "C2", "C3"]


def test_made_values_are_rounded_and_kept_within_bounds():
    df = pd.DataFrame(
        {"n": [1, 5, 3], "x": [0.25, 1.5, 2.75], "day": ["2024-01-01", "2024-01-03", "2024-01-05"]}
    )
    spec = infer(df)
    day = cleaned(df, spec)["day"]
    made = pd.DataFrame(
        {"n": [-0.4, 4.6, 9.0], "x": [0.2512, 9.0, -1.0], "day": day + np.array([-9e5, 5e4, 3e4])}
    )
    after = dressed(made, spec)
    assert after["n"].tolist() == [1, 5, 5] and after["n"].dtype == np.int64
    assert after["x"].tolist() == [0.25, 2.75, 0.25]
    assert after["day"].tolist() == ["2024-01-01", "2024-01-04", "2024-01-05"]


def test_whole_bounds_of_whole_numbers():
    spec = TableSpec((Column("n", "numeric", "int64", integer=True, low=0.5, high=3.5),))
    assert dressed(pd.DataFrame({"n": [0.2, 2.2, 9.0]}), spec)["n"].tolist() == [1, 2, 3]


def test_whole_numbers_stay_doubles_where_one_is_missing():
    spec = TableSpec((Column("n", "numeric", "int64", integer=True, low=0.0, high=9.0),))
    after = dressed(pd.DataFrame({"n": [1.0, np.nan]}), spec)["n"]
    assert after.dtype == np.float64 and after.isna().tolist() == [False, True]


def test_columns_come_out_in_their_order_with_constants_and_ids_as_they_are():
    df = pd.DataFrame({"same": ["kg"] * 3, "id": ["C1", "C2", "C3"], "n": [1, 2, 3]})
    spec = infer(df)
    after = dressed(pd.DataFrame({"n": [3.0, 1.0], "id": ["C9", "C8"]}), spec)
    assert after.to_dict("list") == {"same": ["kg", "kg"], "id": ["C9", "C8"], "n": [3, 1]}
    assert list(after.columns) == ["same", "id", "n"]
    assert list(dressed(pd.DataFrame({"n": [3.0]}), spec).columns) == ["same", "n"]


def test_no_rows_come_back_as_no_rows():
    df = pd.DataFrame(
        {"n": [1, 2, 3], "word": ["a", "b", "c"], "day": pd.to_datetime(["2024-01-31"] * 2 + [None])}
    )
    spec = infer(df)
    after = dressed(cleaned(df.iloc[:0], spec), spec)
    assert len(after) == 0 and list(after.dtypes) == list(df.dtypes)


def test_a_dressed_frame_can_be_cleaned_again():
    df = pd.DataFrame(
        {"word": [" a", "b", " c"] * 5, "x": np.linspace(0, 1, 15), "flag": ["Yes", "no", "Yes"] * 5}
    )
    spec = infer(df)
    clean = cleaned(df, spec)
    pd.testing.assert_frame_equal(cleaned(dressed(clean, spec), spec), clean)


def test_a_file_comes_back_with_its_spelling(tmp_path):
    path = tmp_path / "adult.csv"
    rows = ["age,workclass,income", *["39, State-gov, <=50K", "50, ?, >50K", "28, Private, <=50K"] * 4]
    path.write_text("\n".join(rows) + "\n")
    frame = read_frame(path)
    spec = infer(frame.df, "income")
    assert spec.column("workclass").categories == ("?", "Private", "State-gov")
    after = frame.container.restore(dressed(cleaned(frame.df, spec), spec))
    pd.testing.assert_frame_equal(after, frame.df)


FRAME = pd.DataFrame(
    {"age": [39, 50, 28, 61], "work": ["State", "Private", "State", "Self"], "x": [0.5, 1.5, 2.0, 4.25]}
)
SPEC = infer(FRAME)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"work": ["State", "Privat", "State", "Self"]},
            r"1 unknown categories in 1 row \(row 2\).*'Private'",
        ),
        (
            {"age": ["39", "fifty", "28", "n/a"]},
            r"'age' has values in 1 row \(row 2\) that are no numbers.*fifty",
        ),
        ({"x": [1.0, np.inf, 2.0, 3.0]}, r"'x' is infinite in 1 row \(row 2\)"),
    ],
)
def test_values_of_another_kind_are_refused_with_their_rows(change, message):
    with pytest.raises(DataError, match=message):
        cleaned(FRAME.assign(**change), SPEC)


def test_columns_that_are_missing_are_named():
    with pytest.raises(DataError, match=r"lacks 1 of 3 columns \(first: 'work'\)\. Did you mean 'works'"):
        cleaned(FRAME.rename(columns={"work": "works"}), SPEC)
    only = replace(SPEC, columns=(SPEC.column("age"),))
    assert list(cleaned(FRAME[["age"]], only).columns) == ["age"]


def test_text_is_read_as_numbers_where_numbers_are_known():
    clean = cleaned(FRAME.assign(age=["39", " 50", "?", None]), SPEC)
    np.testing.assert_equal(clean["age"].to_numpy(), [39, 50, np.nan, np.nan])


def test_moments_are_read_in_the_format_of_their_column_or_iso():
    column = Column("day", "datetime", "str", format="%d.%m.%Y", low=0.0, high=1e9)
    found = seconds_of(pd.Series(["02.01.1970", "1970-01-02", None, "?"]), column)
    np.testing.assert_equal(found, [86400, 86400, np.nan, np.nan])
    assert seconds_of(pd.Series([pd.Timestamp("1970-01-02")]), column).tolist() == [86400]
    with pytest.raises(DataError, match=r"in 1 row \(row 1\) that are no dates in the format %d\.%m\.%Y"):
        seconds_of(pd.Series(["soon"]), column)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("work", {"categories": ("Private", "Self", "State", "Federal")}, "names 1 categories.*'Federal'"),
        ("age", {"high": 60.0}, r"between low and high, and 1 row \(row 4\) do not"),
    ],
)
def test_a_spec_that_says_what_is_not_so_is_refused(name, change, message):
    columns = tuple(replace(c, **change) if c.name == name else c for c in SPEC.columns)
    refuse_misfit(FRAME, SPEC)
    with pytest.raises(DataError, match=message):
        refuse_misfit(FRAME, replace(SPEC, columns=columns))


def test_missing_values_that_a_spec_rules_out_are_refused():
    df = FRAME.assign(x=[0.5, None, 2.0, 4.25])
    with pytest.raises(DataError, match=r"nothing is missing in the column 'x'.*\(row 2\)"):
        refuse_misfit(df, SPEC)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals(-(10**6), 10**6, places=3) | st.none(), min_size=4, max_size=12, unique=True))
def test_numbers_survive(values):
    floats = pd.Series([np.nan if value is None else float(value) for value in values], dtype=float)
    if floats.notna().sum() < 3:
        return
    before, after = there_and_back(floats)
    pd.testing.assert_series_equal(after, before, check_exact=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["red", " blue", "green ", "?", "3+", None]), min_size=4, max_size=12))
def test_words_survive(values):
    if len({value for value in values if value is not None} - {"?"}) < 2:
        return
    before, after = there_and_back(pd.Series(values, dtype=object), "categorical")
    assert after.dtype == before.dtype
    assert [None if pd.isna(value) else value for value in after] == values


MOMENTS = st.datetimes(datetime(1840, 1, 1), datetime(2100, 1, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(MOMENTS, min_size=4, max_size=12, unique=True))
def test_moments_survive_to_the_microsecond(values):
    before, after = there_and_back(pd.Series(values).astype("datetime64[us]"))
    pd.testing.assert_series_equal(after, before)
