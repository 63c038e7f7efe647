"""Judging a run of series: what is asked is done, or refused."""

from __future__ import annotations

import numpy as np
import pytest

import tenfold
from tenfold.errors import RunError
from tenfold.recipe import make_recipe
from tenfold.tables import series


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    values = np.random.default_rng(0).normal(size=(150, 8, 1)).cumsum(1).astype(np.float32)
    folder = tmp_path_factory.mktemp("series")
    np.save(folder / "walks.npy", values)
    return tenfold.fit(
        folder / "walks.npy",
        make_recipe("series", {}, "tiny"),
        kimg=0.1,
        out=folder / "run",
        options=tenfold.Options(quiet=True, device="cpu", precision="fp32"),
    )


def test_what_series_are_not_judged_by_is_refused(run, tmp_path):
    for judge in (run.evaluate, lambda **asked: tenfold.evaluate(run, **asked)):
        with pytest.raises(RunError, match="holdout is not read of series"):
            judge(holdout=tmp_path / "fresh.csv")
        with pytest.raises(RunError, match="--features pixels was given"):
            judge(features="pixels")


def test_no_more_series_are_looked_at_than_asked_for(run, monkeypatch):
    sides = []
    monkeypatch.setattr(series, "measure_series", lambda given: sides.append(given) or {})
    found = tenfold.evaluate(run, most=22)
    (given,) = sides
    assert len(found.made) == len(given.fake.series) == len(given.holdout.series) == 22
    assert len(given.train.series) == 113
    found = run.evaluate()
    assert len(found.made) == 500 and len(found.real) == 37
