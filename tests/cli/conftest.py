"""Small folders of pictures, small files of texts, and a folder to work in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`cats/` with two classes of 60 pictures, in the folder where the test runs."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for label, bright in (("manx", 60), ("tabby", 160)):
        (tmp_path / "cats" / label).mkdir(parents=True)
        for i in range(60):
            pixels = random.normal(bright, 30, (8, 8, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "cats" / label / f"{i:03d}.png")
    return tmp_path / "cats"


@pytest.fixture
def two_looks(cats: Path) -> Path:
    """Beside `cats/`: `pairs/` with 40 of each side, `photographs/` and `paintings/` with 40 each."""
    random = np.random.default_rng(1)
    for folder in ("pairs/outline", "pairs/colour", "photographs", "paintings"):
        (cats.parent / folder).mkdir(parents=True)
        for i in range(40):
            pixels = random.integers(0, 256, (16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(cats.parent / folder / f"{i:03d}.png")
    return cats.parent


@pytest.fixture
def worded(cats: Path) -> Path:
    """Beside `cats/`: `reviews.csv` of two kinds, `numbers.csv`, `in.txt`, and `birds/` with captions."""
    here, random = cats.parent, np.random.default_rng(2)
    kinds = [("good", "works well"), ("bad", "broke soon")]
    reviews = [f'"it is number {i}, and {said}",{kind}' for i in range(80) for kind, said in kinds]
    (here / "reviews.csv").write_text("\n".join(["review,kind", *reviews]))
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    spelt = [f"{i},{' '.join(digits[int(digit)] for digit in str(i))}" for i in range(120)]
    (here / "numbers.csv").write_text("\n".join(["number,words", *spelt]))
    (here / "in.txt").write_text("35\n102\n")
    (here / "birds").mkdir()
    rows = []
    for i in range(60):
        pixels = random.integers(0, 256, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(here / "birds" / f"{i}.png")
        said = f"a {('small', 'large')[i % 2]} {('red', 'yellow', 'blue')[i % 3]} bird on branch {i % 20}"
        rows.append(json.dumps({"file_name": f"{i}.png", "text": said}))
    (here / "birds" / "metadata.jsonl").write_text("\n".join(rows))
    return here
