"""What is asked of rows: as often as it occurs, together with all else that is asked, and as it was meant."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tenfold.data.table.opening import open_table
from tenfold.data.table.schema import Column
from tenfold.errors import RunError
from tenfold.games.tabular import RowSampler
from tenfold.nn.rows import RowLayout
from tenfold.tables import sampling
from tenfold.tables.conditions import Beyond, as_number, request_of
from tenfold.tables.where import where

pd = pytest.importorskip("pandas")


def filled(rower: Any, values: Any, known: Any, seed: int) -> Any:
    """What a perfect generator makes: real rows with the known cells; its sampler is their stored values."""
    random, real = np.random.default_rng(seed), rower.sampler.real
    patterns = np.hstack([np.where(known, values, 0), known])
    _, first, inverse = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
    made = values.copy()
    for number, row in enumerate(first):
        same = (real[:, known[row]] == values[row, known[row]]).all(1)
        here = np.flatnonzero(inverse.ravel() == number)
        made[here] = real[random.choice(np.flatnonzero(same) if same.any() else len(real), len(here))]
    return np.where(known, values, made)


def sampler_of(data: Any, codec: Any) -> Any:
    """A sampler that `filled` knows what to do with."""
    sampler: Any = RowSampler(torch.nn.Identity(), RowLayout(codec.cells), 1)
    sampler.real = codec.values_of(data)
    return sampler


def people(n: int = 4000) -> Any:
    """Rich ones are rarely women, husbands are men, few are old, and hours go by income."""
    random = np.random.default_rng(0)
    rich = random.random(n) < 0.3
    woman = random.random(n) < np.where(rich, 0.15, 0.4)
    married = random.random(n) < 0.5
    role = np.where(married, np.where(woman, "Wife", "Husband"), "none")
    old = random.random(n) < 0.004
    age = np.where(old, 80 + 10 * (random.random(n) < 0.1), random.integers(18, 70, n))
    hours = np.where(random.random(n) < 0.9, 40, random.choice([20, 35, 60], n))
    income = np.where(rich, ">50K", "<=50K")
    sex = np.where(woman, "Female", "Male")
    return pd.DataFrame({"income": income, "sex": sex, "role": role, "age": age, "hours": hours})


def codec_of(data: Any, **changes: Any) -> Any:
    from dataclasses import replace

    codec = open_table(data).table
    assert codec is not None
    return replace(codec, spec=replace(codec.spec, **changes))


@pytest.fixture
def made(monkeypatch):
    """Makes rows by a perfect generator of some data."""

    def rows(data: Any, n: int, asked: Any = None, codec: Any = None, **options: Any) -> Any:
        codec = codec or codec_of(data)
        monkeypatch.setattr(sampling.Rower, "filled", filled)
        run: Any = SimpleNamespace(table=codec, sampler=sampler_of(data, codec))
        return sampling.sample_table(run, n, conditions=asked, **options)

    return rows


def test_a_list_goes_with_what_else_is_asked(made):
    rows = made(people(), 2000, {"income": ">50K", "sex": ["Male", "Female"]})
    assert (rows["income"] == ">50K").all()
    assert 0.1 < (rows["sex"] == "Female").mean() < 0.2


def test_a_list_alone_is_drawn_by_the_training_rows(made):
    rows = made(people(), 2000, {"role": ["Husband", "Wife"]})
    known = people()["role"].value_counts()
    assert (rows["role"] == "Wife").mean() == pytest.approx(
        known["Wife"] / (known["Wife"] + known["Husband"]), abs=0.05
    )


@pytest.mark.parametrize("asked", [{"sex": ["Male", "Female"]}, {"sex": ["Female", "Male"], "age": (20, 60)}])
def test_lists_and_ranges_go_together(made, asked):
    rows = made(people(), 2000, {**asked, "role": ["Husband", "Wife"]})
    assert {*zip(rows["sex"], rows["role"], strict=True)} == {("Male", "Husband"), ("Female", "Wife")}
    assert rows["age"].between(*asked.get("age", (0, 100))).all()
    part = made(people(), 5, {**asked, "role": ["Husband", "Wife"]}, first=1500)
    pd.testing.assert_frame_equal(part.reset_index(drop=True), rows[1500:1505].reset_index(drop=True))


def test_a_list_goes_with_what_is_balanced(made):
    rows = made(people(), 400, {"role": ["Husband", "Wife"]}, balance="sex")
    assert ((rows["sex"] == "Female") == (rows["role"] == "Wife")).all()
    assert (rows["sex"] == "Female").sum() == 200


def test_lists_that_never_go_together_hold_nevertheless(made):
    rows = made(people(), 50, {"sex": ["Female"], "role": ["Husband"]})
    assert (rows["sex"] == "Female").all() and (rows["role"] == "Husband").all()


def test_a_rare_range_is_drawn_as_it_occurs(made):
    rows = made(people(), 1000, {"age": (80, 90)})
    assert {*rows["age"]} == {80, 90} and (rows["age"] == 80).mean() > 0.7


def test_more_rows_are_made_where_few_are_as_asked(monkeypatch):
    monkeypatch.setattr(sampling.Rower, "filled", filled)
    data, codec = people(), codec_of(people())
    sizes = []
    for asked in ({"age": (20, 60)}, {"age": (90, 90)}, {"age": (72, 78)}):
        rower = sampling.Rower(sampler_of(data, codec), codec, request_of(asked, codec))
        sizes.append(len(rower.pool.values))
    assert sizes[0] == sampling.POOL < sizes[1] and sizes[2] == sampling.LARGEST


@pytest.mark.parametrize("tax", [(0, 50), [40, 41]])
def test_what_follows_from_what_is_asked_stays(made, tax):
    net, more = np.arange(200) % 80 + 10.0, np.arange(200) % 59 + 1.0
    data = pd.DataFrame({"price": net + more, "net": net, "tax": more})
    codec = codec_with_sum(data)
    rows = made(data, 30, {"price": 100, "net": 60, "tax": tax}, codec)
    assert (rows == [100, 60, 40]).all(axis=None)
    with pytest.raises(RunError, match="makes 'tax' something else"):
        made(data, 30, {"price": 100, "net": 60, "tax": (0, 30)}, codec)


def codec_with_sum(data: Any) -> Any:
    from dataclasses import replace

    from tenfold.data.table.cells import fit_codec
    from tenfold.data.table.constraints import with_fitted

    codec = codec_of(data)
    one = {"constraint": "sum", "total": "price", "parts": ["net", "tax"]}
    spec = with_fitted(data, replace(codec.spec, constraints=(one,)))
    return fit_codec(data, spec, codec.container, 0)


def test_a_range_that_no_row_has_is_drawn_evenly(made):
    rows = made(people(), 1000, {"age": (72, 78)})
    assert {*rows["age"]} == {*range(72, 79)}


def test_a_list_of_numbers_is_drawn_as_it_occurs(made):
    rows = made(people(), 1000, {"hours": [20, 40, 60]})
    assert {*rows["hours"]} == {20, 40, 60} and (rows["hours"] == 40).mean() > 0.85


def weights(n: int = 6000) -> Any:
    """Numbers that hardly repeat, but for one that many rows share; rich ones have larger ones."""
    random = np.random.default_rng(3)
    rich = random.random(n) < 0.3
    weight = random.lognormal(12, 0.5, n).round() * np.where(rich, 1.2, 1).round(1)
    weight = np.where(random.random(n) < 0.2, 200_000, weight).round()
    return pd.DataFrame({"income": np.where(rich, ">50K", "<=50K"), "weight": weight.astype(int)})


@pytest.mark.parametrize("asked", [{}, {"income": [">50K", "<=50K"]}])
def test_smooth_numbers_of_a_range_are_as_many_as_rows(made, asked):
    real = weights()["weight"]
    asked = {**asked, "weight": (190_000, 210_000)}
    rows = made(weights(), 5000, asked)["weight"]
    inside = real[real.between(190_000, 210_000)]
    assert rows.between(190_000, 210_000).all()
    assert rows.nunique() > 1.5 * inside.nunique()
    assert (rows == 200_000).mean() == pytest.approx((inside == 200_000).mean(), abs=0.05)
    assert rows.mean() == pytest.approx(inside.mean(), rel=0.02)
    part = made(weights(), 5, asked, first=3000)["weight"]
    assert part.tolist() == rows[3000:3005].tolist()


def test_a_range_of_a_learnt_key_does_not_run_dry(made):
    data = weights().drop_duplicates("weight")
    inside = data["weight"].between(150_000, 180_000).sum()
    codec = codec_of(data, constraints=({"constraint": "unique", "columns": ["weight"]},))
    rows = made(data, int(2 * inside), {"weight": (150_000, 180_000)}, codec)["weight"]
    assert rows.is_unique and rows.between(150_000, 180_000).all()


def test_smooth_numbers_beyond_the_data_are_not_made(made):
    real = weights()["weight"]
    rows = made(weights(), 3000, {"weight": (400_000, None)})["weight"]
    assert rows.between(400_000, real.max()).all() and rows.nunique() > 500


def test_each_seed_has_numbers_of_its_own(made):
    first, second = ({*made(people(), 400, {"age": (80, 90)}, seed=i)["age"].tolist()} for i in (1, 2))
    assert first == second == {80, 90}  # which repeat, and are as they are
    asked = {"weight": (190_000, 199_999)}
    first, second = ({*made(weights(), 400, asked, seed=i)["weight"]} for i in (1, 2))
    assert len(first & second) < 0.3 * min(len(first), len(second))


def test_each_seed_has_a_pool_of_its_own(monkeypatch):
    monkeypatch.setattr(sampling.Rower, "filled", filled)
    codec = codec_of(people())
    request = request_of({"age": (20, 60)}, codec)
    one, other = (
        sampling.Rower(sampler_of(people(), codec), codec, request, seed=seed).pool for seed in (1, 2)
    )
    assert not np.array_equal(one.values, other.values)


def fitted_with(data: Any, *constraints: Any) -> Any:
    from dataclasses import replace

    from tenfold.data.table.cells import fit_codec
    from tenfold.data.table.constraints import with_fitted

    codec = codec_of(data)
    spec = with_fitted(data, replace(codec.spec, constraints=constraints))
    return fit_codec(data, spec, codec.container, 0)


def towns(n: int = 3000) -> Any:
    """Each is of one country, and a twentieth is of a town with two names."""
    random = np.random.default_rng(4)
    town = random.choice(["Paris", "Lyon", "Rome", "Ulm"], n, p=[0.6, 0.3, 0.05, 0.05])
    country = pd.Series(town).map({"Paris": "F", "Lyon": "F", "Rome": "I", "Ulm": "D"}).to_numpy(object)
    start = random.integers(0, 50, n)
    data = pd.DataFrame({"town": town, "country": country, "start": start})
    return data.assign(end=start + random.integers(0, 50, n), taller=random.choice(["yes", "no"], n))


TOGETHER = {"constraint": "together", "columns": ["town", "country"]}
LESS = {"constraint": "less", "low": "start", "high": "end"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"town": ["Paris", "Pariss"]}, "Did you mean 'Paris'"),
        ({"town": "Pariss"}, "Did you mean 'Paris'"),
        ({"town": []}, "one of no values"),
        ({"town": None}, "no missing values"),
        ({"town": (1, 2)}, "categories, and a range"),
        ({"town": ["Rome", "Ulm"], "country": "F"}, "no row of the data is so"),
        ({"end": (40, 30)}, "which is empty"),
        ({"end": (400, None)}, "from 400 to inf was asked for"),
        ({"end": []}, "one of no values"),
        ({"end": [20, 400]}, "400 was asked for"),
        ({"end": [20, 20.5]}, "multiples of 1"),
        ({"end": None}, "no missing values"),
        ({"end": (1, 2, 3)}, "two ends"),
        ({"start": (1, 2, 3)}, "two ends"),
        ({"start": (1,)}, "two ends"),
    ],
)
def test_what_constraints_make_is_checked_before_anything_is_drawn(made, asked, message):
    with pytest.raises(RunError, match=message):
        request_of(asked, fitted_with(towns(), TOGETHER, LESS))


def test_a_list_of_what_belongs_together_is_drawn_by_its_shares(made):
    codec = fitted_with(towns(), TOGETHER, LESS)
    rows = made(towns(), 1024, {"town": ["Rome"], "taller": "yes"}, codec)
    assert {*zip(rows["town"], rows["country"], rows["taller"], strict=True)} == {("Rome", "I", "yes")}
    rows = made(towns(), 1024, {"town": ["Rome", "Ulm"]}, codec)
    assert {*zip(rows["town"], rows["country"], strict=True)} == {("Rome", "I"), ("Ulm", "D")}
    rows = made(towns(), 1024, {"town": ["Paris", "Lyon", "Ulm"], "country": "F"}, codec)
    assert {*rows["town"]} == {"Paris", "Lyon"}
    assert (rows["town"] == "Lyon").mean() == pytest.approx(1 / 3, abs=0.06)


def test_what_a_constraint_makes_is_waited_for(made):
    codec = fitted_with(towns(), TOGETHER, LESS)
    assert made(towns(), 300, {"end": (40, 60)}, codec)["end"].between(40, 60).all()


def test_a_column_of_combinations_is_balanced_whole(made):
    codec = fitted_with(towns(), TOGETHER)
    with pytest.raises(RunError, match=r"balance 'town \+ country'"):
        made(towns(), 8, balance="town", codec=codec)
    with pytest.raises(RunError, match="a part of it asked for"):
        made(towns(), 8, {"town": "Ulm"}, balance="town + country", codec=codec)
    assert made(towns(), 8, balance="town + country", codec=codec)["town"].nunique() == 4


def test_a_rare_label_of_a_list_is_one_of_them(made):
    random = np.random.default_rng(1)
    names = np.array([f"c{i:03d}" for i in range(150)])
    city = random.choice(names, 6000, p=np.r_[np.full(50, 0.015), np.full(100, 0.0025)])
    data = pd.DataFrame({"city": city, "x": np.where(city >= "c050", "rare", "frequent")})
    asked = {"city": ["c000", "c148", "c149"], "x": ["rare", "frequent"]}
    rows = made(data, 1000, asked)
    assert {*rows["city"]} == {*asked["city"]}
    assert ((rows["city"] != "c000") == (rows["x"] == "rare")).all()


def test_few_rows_of_few_combinations_are_unique(made):
    random, pairs = np.random.default_rng(2), np.arange(600)
    data = pd.DataFrame({"a": [f"a{i}" for i in pairs // 30], "b": [f"b{i}" for i in pairs % 30]})
    data["c"] = random.choice(["x", "y"], 600)
    codec = codec_of(data, constraints=({"constraint": "unique", "columns": ["a", "b"]},))
    ten, more = made(data, 10, codec=codec), made(data, 200, codec=codec)
    assert not more.duplicated(["a", "b"]).any()
    pd.testing.assert_frame_equal(ten, more[:10])
    pd.testing.assert_frame_equal(
        made(data, 10, codec=codec, first=90).reset_index(drop=True), more[90:100].reset_index(drop=True)
    )
    with pytest.raises(RunError, match="of 700 rows"):
        made(data, 700, codec=codec)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_days_are_of_the_zone_of_their_column(made, zone):
    days = pd.date_range("2024-03-01", "2024-04-20", tz=zone).repeat(20)
    data = pd.DataFrame({"when": days, "x": np.arange(len(days)) % 7})
    rows = made(data, 500, {"when": ("2024-03-29", "2024-04-02")})
    assert {*rows["when"]} == {*pd.date_range("2024-03-29", "2024-04-02", tz=zone)}
    assert (made(data, 20, {"when": "2024-03-30"})["when"] == pd.Timestamp("2024-03-30", tz=zone)).all()
    codec = codec_of(data)
    assert as_number("when", "2024-03-30", codec) == pd.Timestamp("2024-03-30", tz=zone).timestamp()
    assert as_number("when", "2024-03-30T00:00Z", codec) == pd.Timestamp("2024-03-30", tz="UTC").timestamp()
    with pytest.raises(RunError, match=f"whole days by the clock of {zone}"):
        request_of({"when": "2024-03-30T12:30"}, codec)


def test_days_of_a_zone_that_no_row_has_are_drawn_evenly(made):
    days = pd.DatetimeIndex(["2024-03-01", "2024-04-20"], tz="Europe/Berlin").repeat(100)
    rows = made(
        pd.DataFrame({"when": days, "x": 1.0 * np.arange(200)}), 500, {"when": ("2024-03-29", "2024-04-02")}
    )
    assert {*rows["when"]} == {*pd.date_range("2024-03-29", "2024-04-02", tz="Europe/Berlin")}


COLUMNS = (
    Column("Age", "numeric"),
    Column("Age in years", "numeric"),
    Column("a>b", "numeric"),
    Column("city", "categorical", categories=("New York, NY", "Boston", "a..b")),
    Column("state", "categorical", categories=("missing", "found")),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Age in years = 30..40", {"Age in years": ("30", "40")}),
        ("Age in years in 30, 31", {"Age in years": ["30", "31"]}),
        ("Age in 30, 31", {"Age": ["30", "31"]}),
        ("Age=30..", {"Age": ("30", None)}),
        ("Age = '-1.5..2.5'", {"Age": ("-1.5", "2.5")}),
        ("a>b > 3", {"a>b": Beyond(low="3")}),
        ("when = 01.01.2024..31.01.2024", {"when": ("01.01.2024", "31.01.2024")}),
        ('city in "New York, NY", Boston', {"city": ["New York, NY", "Boston"]}),
        ("city = New York, NY", {"city": "New York, NY"}),
        ("city = a..b", {"city": "a..b"}),
        ("city in 'Boston', missing", {"city": ["Boston", None]}),
        ("Age = missing", {"Age": None}),
        ("state = missing", {"state": "missing"}),
        ("state in missing, found", {"state": ["missing", "found"]}),
        ("other = missing", {"other": None}),
    ],
)
def test_words_are_read_as_they_are_meant(text, expected):
    assert where([text], COLUMNS) == expected


def test_a_list_with_an_odd_end_is_refused():
    with pytest.raises(RunError, match="cannot be read"):
        where(["city in Boston\nNew York"], COLUMNS)


def test_the_command_line_knows_the_columns(monkeypatch, tmp_path):
    from tenfold.cli.rows import sample_rows

    monkeypatch.setattr(sampling.Rower, "filled", filled)
    data = people().rename(columns={"age": "Age in years"})
    codec = codec_of(data)
    args = {"where": ["Age in years = 30..40"], "label": None, "remaining": None, "balance": None}
    args |= {"out": str(tmp_path / "rows.csv"), "count": 20, "seed": 0, "grid": None, "filter": False}
    run: Any = SimpleNamespace(table=codec, sampler=sampler_of(data, codec))
    sample_rows(run, Namespace(**args))
    assert pd.read_csv(tmp_path / "rows.csv")["Age in years"].between(30, 40).all()
