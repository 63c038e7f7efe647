"""Every recipe trains on batches of two samples, the fewest that there may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.metrics.features import Pixels
from tenfold.options import Options
from tenfold.recipe import RECIPES, Choice, make_recipe

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", quiet=True)


def data_for(name: str, folder: Path) -> tuple[Path, Options]:
    """Twelve pictures, of either side where one is translated into the other, and how to take them."""
    if "table" in RECIPES[name].kinds:
        lines = [f"{i % 5},{'ab'[i % 2]}" for i in range(40)]
        (folder / "data.csv").write_text("\n".join(["x,c", *lines]))
        return folder / "data.csv", QUICK
    if "series" in RECIPES[name].kinds:
        np.save(folder / "data.npy", np.random.default_rng(0).normal(0, 1, (40, 6, 2)))
        return folder / "data.npy", QUICK
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 8, 8), np.uint8)
    if not {"pairs", "unpaired"} & {*RECIPES[name].kinds}:
        np.savez(folder / "data.npz", images=images[0], labels=np.array(["a", "b"] * 6))
        return folder / "data.npz", QUICK
    for side, pictures in zip(("left", "right"), images, strict=True):
        (folder / "data" / f"from_{side}").mkdir(parents=True)
        for i, picture in enumerate(pictures):
            Image.fromarray(picture).save(folder / "data" / f"from_{side}" / f"{i}.png")
    return folder / "data", replace(QUICK, side="from_left", to="from_right")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_batch_of_two(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = lambda *_, **__: (Pixels(), Choice("features", "pixels", "for the test"))
    monkeypatch.setattr("tenfold.fitting.feature_network", pixels)
    data, options = data_for(name, tmp_path)
    packs = {"pack": 1} if "table" in RECIPES[name].kinds else {}
    recipe = make_recipe(name, {"batch": 2, **packs}, "tiny")
    run = tenfold.fit(data, recipe, kimg=0.01, out=tmp_path / "run", options=options)
    assert run.facts["seen"] >= 10
    assert run.facts["mode"]["micro_batches"] == 1
