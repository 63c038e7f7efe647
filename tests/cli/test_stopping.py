"""Runs that end before their time, because a rule says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tenfold
from tenfold.errors import RunError
from tenfold.fitting import resume
from tenfold.options import Options

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", micro_batches=1, quiet=True)


@pytest.fixture(autouse=True)
def no_feature_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances in pixels: nothing here depends on a classifier, which takes seconds to train."""
    from tenfold.metrics.features import Pixels
    from tenfold.recipe import Choice

    choice = Choice("features", "pixels", "for the test")
    monkeypatch.setattr("tenfold.fitting.feature_network", lambda *_, fresh=False: (Pixels(), choice))


def facts(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())


def seen_at_looks(run: Path) -> list[int]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row["seen"] for row in rows if "coverage" in row]


def fit(out: Path, options: Options) -> None:
    tenfold.fit("digits", "dcgan", preset="tiny", kimg=0.8, out=out, options=options)


def test_a_run_stops_when_it_is_good_enough_and_goes_on_when_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    fit(run, replace(QUICK, stop_when="coverage>=0", quiet=False))  # true at once
    first = facts(run)
    assert first["stopped"] == {
        "by": "stop_when",
        "why": f"coverage is {first['latest']['coverage']:.4g}, >= 0",
    }
    assert first["seen"] == seen_at_looks(run)[-1] < first["planned"]
    assert "stopped at" in capsys.readouterr().err
    assert (run / "curves.png").exists() and first["look_s"] > 0 and first["quality"]["n"] == 180
    assert tenfold.load(run).sample(2)
    resume(run, options=QUICK)  # the rule has been followed
    assert facts(run)["stopped"] is None and facts(run)["seen"] == facts(run)["planned"]
    assert facts(run)["look_s"] > first["look_s"]
    with pytest.raises(RunError, match="complete"):
        resume(run, options=QUICK)


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing takes longer than these runs."""
    monkeypatch.setattr("tenfold.training.curves", lambda records, path: None)


@pytest.mark.usefixtures("no_curves")
def test_a_run_out_of_patience_stops_and_patience_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tenfold.watching.quality.Quality.improves", lambda self, fake, recall: self.best is None
    )
    run = tmp_path / "run"
    fit(run, replace(QUICK, patience=2))
    assert facts(run)["stopped"]["by"] == "patience"
    assert len(seen_at_looks(run)) == 4  # at the start, the best, and two more
    assert "patience" not in {choice["name"] for choice in facts(run)["choices"]}
    resume(run, options=QUICK)
    assert facts(run)["stopped"]["by"] == "patience"
    assert len(seen_at_looks(run)) == 6
    resume(run, options=replace(QUICK, patience=11))
    assert facts(run)["stopped"] is None and facts(run)["options"]["patience"] == 11


@pytest.mark.usefixtures("no_curves")
def test_a_run_that_is_not_stopped_equals_one_without_rules(tmp_path: Path) -> None:
    fit(tmp_path / "plain", QUICK)
    fit(tmp_path / "ruled", replace(QUICK, stop_when="coverage>1", patience=11))
    assert facts(tmp_path / "ruled")["stopped"] is None
    assert facts(tmp_path / "ruled")["latest"] == facts(tmp_path / "plain")["latest"]


@pytest.mark.usefixtures("no_curves")
def test_patience_that_never_acts_is_said_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tenfold.pacing.LOOKS", 5)
    fit(tmp_path / "four", replace(QUICK, patience=4, quiet=False))
    (choice,) = (c for c in facts(tmp_path / "four")["choices"] if c["name"] == "patience")
    assert choice["value"] == 4 and "Pass --patience 3 or less" in choice["reason"]
    assert "patience = 4: it never ends this run" in capsys.readouterr().err
    monkeypatch.setattr("tenfold.watching.quality.Quality.improves", lambda self, *_: self.best is None)
    fit(tmp_path / "three", replace(QUICK, patience=3))
    assert facts(tmp_path / "three")["stopped"]["by"] == "patience"  # so three is not in vain
