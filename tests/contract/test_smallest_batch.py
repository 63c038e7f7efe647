"""Every recipe trains on batches of two samples, the fewest that there may be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.metrics.features import Pixels
from tenfold.plan import Options
from tenfold.recipe import RECIPES, Choice, make_recipe

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", quiet=True)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_batch_of_two(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = lambda *_, **__: (Pixels(), Choice("features", "pixels", "for the test"))
    monkeypatch.setattr("tenfold.fitting.feature_network", pixels)
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.array(["a", "b"] * 6))
    recipe = make_recipe(name, {"batch": 2}, "tiny")
    run = tenfold.fit(tmp_path / "data.npz", recipe, kimg=0.01, out=tmp_path / "run", options=QUICK)
    assert run.facts["seen"] >= 10
    assert run.facts["mode"]["micro_batches"] == 1
