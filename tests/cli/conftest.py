"""Small folders of pictures, and a folder to work in."""

from __future__ import annotations

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
