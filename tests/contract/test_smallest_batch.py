"""Every recipe trains on batches of two samples, the fewest that there may be."""

from __future__ import annotations

import json
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
NOUNS = ("cat", "dog", "owl")


def texts_for(name: str, folder: Path) -> Path:
    """Forty lines, or a text made of each."""
    lines = [f"the {NOUNS[i % 3]} sees {i % 7}" for i in range(40)]
    if "text_pairs" in RECIPES[name].kinds:
        rows = [f"{line}\t{line.upper()}" for line in lines]
        (folder / "data.tsv").write_text("\n".join(["source\ttarget", *rows]))
        return folder / "data.tsv"
    (folder / "data.txt").write_text("\n".join(lines))
    return folder / "data.txt"


def captioned(images: np.ndarray, folder: Path) -> Path:
    """Pictures, each with a line of a table."""
    folder.mkdir()
    for i, picture in enumerate(images):
        Image.fromarray(picture).save(folder / f"{i}.png")
    rows = [{"file_name": f"{i}.png", "text": f"a picture of {NOUNS[i % 3]} {i}"} for i in range(12)]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def data_for(name: str, folder: Path) -> tuple[Path, Options]:
    """Twelve pictures, of either side where one is translated into the other, or as little of what else is
    learnt from; and how to take them."""
    if "table" in RECIPES[name].kinds:
        lines = [f"{i % 5},{'ab'[i % 2]}" for i in range(40)]
        (folder / "data.csv").write_text("\n".join(["x,c", *lines]))
        return folder / "data.csv", QUICK
    if "series" in RECIPES[name].kinds:
        np.save(folder / "data.npy", np.random.default_rng(0).normal(0, 1, (40, 6, 2)))
        return folder / "data.npy", QUICK
    if {"texts", "text_pairs"} & {*RECIPES[name].kinds}:
        return texts_for(name, folder), QUICK
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 8, 8), np.uint8)
    if "captioned" in RECIPES[name].kinds:
        return captioned(images[0], folder / "data"), QUICK
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
    monkeypatch.setattr("tenfold.metrics.caption_judge.PICTURES", (24, 24))
    data, options = data_for(name, tmp_path)
    packs = {"pack": 1} if "table" in RECIPES[name].kinds else {}
    recipe = make_recipe(name, {"batch": 2, **packs}, "tiny")
    run = tenfold.fit(data, recipe, kimg=0.01, out=tmp_path / "run", options=options)
    assert run.facts["seen"] >= 10
    assert run.facts["mode"]["micro_batches"] == 1
