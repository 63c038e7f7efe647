"""When a run is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import tenfold
from tenfold.game import Anew, Game
from tenfold.recipe import make_recipe
from tenfold.watching.spacing import all_looks, late_looks, looks_left, spacing


def game(*stages: float, starts: float = 0.0) -> Game[Any]:
    anew = Anew(stages[0]) if stages else None
    return cast("Game[Any]", SimpleNamespace(stages=stages, anew=anew, starts=starts))


@pytest.mark.parametrize(
    ("stages", "late", "all_of_them"), [((), 12, 12), ((0.9, 0.95), 6, 17), ((0.8,), 6, 15), ((0.25,), 9, 12)]
)
def test_a_short_last_stage_has_half_of_the_looks(
    stages: tuple[float, ...], late: int, all_of_them: int
) -> None:
    assert late_looks(game(*stages), 12) == late
    assert all_looks(game(*stages), 12) == all_of_them
    assert looks_left(game(*stages), 12, 3) == all_of_them - 2


def test_looks_of_a_short_last_stage_are_nearer_to_each_other() -> None:
    assert spacing(game(), 12, 12_000, 8) == (1000, 1000)
    assert spacing(game(0.9, 0.95), 12, 12_000, 8) == (1000, 100)
    assert spacing(game(0.9, 0.95), 12, 120, 8) == (10, 8)  # no more than one a step
    assert looks_left(game(0.5, starts=0.5), 12, 0) == 7


def test_policy_gradient_is_looked_at_often_enough_to_see_it_collapse(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abc"), 6)) for _ in range(300)]
    options = tenfold.Options(quiet=True)
    recipe = make_recipe("seqgan", {"likelihood": 0.8, "alone": 0.1}, "tiny")
    tenfold.fit(texts, recipe, kimg=0.8, out=tmp_path / "run", options=options)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    seen = [record["seen"] for record in map(json.loads, lines) if "ngram_distance" in record]
    assert len([x for x in seen if x > 720]) >= 6 and len(seen) == len(set(seen))
