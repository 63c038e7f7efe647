"""Rows of which some columns are given: what repeats is made again, and the seed decides about all else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tenfold.data.table.opening import open_table
from tenfold.data.table.schema import Column, TableSpec, write_spec
from tenfold.errors import RunError
from tenfold.games.tabular import RowSampler
from tenfold.nn.rows import RowLayout
from tenfold.tables import completing, sampling

pd = pytest.importorskip("pandas")

TOGETHER = {"constraint": "together", "columns": ["city", "country"]}
CITIES = {"Paris": "France", "Lyon": "France", "Nice": "France", "Rome": "Italy", "Turin": "Italy"}


@pytest.fixture
def run_of(monkeypatch, tmp_path):
    """A run whose generator draws every cell that is not known from the rows of some data."""

    def filled(rower: Any, values: Any, known: Any, seed: int) -> Any:
        real = rower.sampler.real
        drawn = real[np.random.default_rng(seed).integers(len(real), size=len(values))]
        return np.where(known, values, drawn)

    def made(data: Any, columns: tuple[Column, ...] = (), key: str | None = None, *constraints: Any) -> Any:
        from tenfold.data.options import LoadOptions

        write_spec(TableSpec(columns, key, constraints), tmp_path / "spec.json")
        codec = open_table(data, LoadOptions(carve=False, spec=str(tmp_path / "spec.json"))).table
        assert codec is not None
        sampler: Any = RowSampler(torch.nn.Identity(), RowLayout(codec.cells), 1)
        sampler.real = codec.values_of(data)
        return SimpleNamespace(table=codec, sampler=sampler)

    monkeypatch.setattr(sampling.Rower, "filled", filled)
    return made


def people(n: int = 200) -> Any:
    random = np.random.default_rng(0)
    code = random.permutation(5000)[:n]
    return pd.DataFrame({"code": code, "age": random.integers(18, 80, n), "kg": random.normal(70, 9, n)})


def test_the_seed_decides_about_what_belongs_to_a_part_of_a_combination(run_of):
    city = np.random.default_rng(0).choice(list(CITIES), 200)
    data = pd.DataFrame(
        {"city": city, "country": [CITIES[name] for name in city], "age": np.arange(200) % 50}
    )
    run = run_of(data, (), None, TOGETHER)
    known = pd.DataFrame({"country": ["France", "Italy"] * 20})
    one, same, other = (completing.sample_remaining(run, known, seed=seed)["city"] for seed in (1, 1, 2))
    assert one.equals(same) and not one.equals(other)
    assert [CITIES[name] for name in other] == known["country"].tolist()


def test_a_key_that_is_learnt_is_made_again_where_it_repeats(run_of):
    run = run_of(people(), (Column("code", "numeric"),), "code")
    known = pd.DataFrame({"age": np.arange(20, 70)})
    made = completing.sample_remaining(run, known)
    assert made["code"].is_unique and (made["age"] == known["age"]).all()
    pd.testing.assert_frame_equal(made, completing.sample_remaining(run, known))


def test_a_made_key_gives_way_to_one_that_is_given_below_it(run_of):
    data = people(20)
    run = run_of(data, (Column("code", "numeric"),), "code")
    known = pd.DataFrame({"code": [np.nan, *data["code"][1:]]})
    made = completing.sample_remaining(run, known)
    assert made["code"].tolist() == data["code"].tolist()


def test_a_key_of_which_there_are_too_few_is_called_so(run_of, monkeypatch):
    monkeypatch.setattr(completing, "ATTEMPTS", 5)
    run = run_of(people(20), (Column("code", "numeric"),), "code")
    with pytest.raises(RunError, match="no two rows with the same code was expected"):
        completing.sample_remaining(run, pd.DataFrame({"age": [30] * 50}))


def test_a_row_is_made_again_until_its_constraints_hold(run_of):
    data = people()
    data["last"] = data["age"] + np.arange(200) % 9
    run = run_of(data, (), None, {"constraint": "less", "low": "age", "high": "last"})
    known = pd.DataFrame({"last": [40, 50, 60] * 5})
    made = completing.sample_remaining(run, known)
    assert (made["last"] == known["last"]).all() and (made["age"] <= made["last"]).all()


def test_made_ids_are_none_of_those_that_are_given(run_of):
    data = people(100).assign(id=np.arange(1, 101))
    run = run_of(data, (Column("id", "id"),), "id")
    ids = [102, np.nan, 104, np.nan, np.nan, 101]
    made = completing.sample_remaining(run, pd.DataFrame({"id": ids, "age": 30}))["id"]
    assert made.is_unique and (made > 100).all()
    assert made.to_numpy()[[0, 2, 5]].tolist() == [102, 104, 101]
    names = data.assign(id=[f"C-{i:04d}" for i in range(1, 101)])
    run = run_of(names, (Column("id", "id"),), "id")
    made = completing.sample_remaining(run, pd.DataFrame({"id": ["C-0102", None], "age": 30}))["id"]
    assert made.tolist()[0] == "C-0102" and made.is_unique and made.str.fullmatch(r"C-\d{4}").all()
