"""The tutorial's recipe works as printed."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.draw import Draw
from tenfold.engine.trainer import Trainer
from tenfold.penalties import Look
from tenfold.recipe import RECIPES, make_recipe

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "new-recipe.md"


@pytest.fixture
def dragan(tmp_path: Path) -> Iterator[ModuleType]:
    path = tmp_path / "dragan.py"
    path.write_text(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.S | re.M)[0])
    spec = importlib.util.spec_from_file_location("dragan", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules["dragan"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["dragan"], RECIPES["dragan"]


def test_it_is_known_by_its_name(dragan: ModuleType) -> None:
    assert make_recipe("dragan", {}) == dragan.DRAGAN()
    assert set(dragan.DRAGAN.presets) >= {"tiny", "small"}


def test_it_plays(dragan: ModuleType) -> None:
    play = make_recipe("dragan", {"augment": "none"}, "tiny").build(DataSpec("images", (1, 8, 8), 32))
    data = Shuffled(Rows(torch.rand(32, 1, 8, 8) * 2 - 1), size=8)
    before = [p.clone() for p in play.game.parameters()]
    trainer = Trainer(play.game, play.optimizers, data).fit(kimg=0.024)
    assert trainer.step == 3
    assert trainer.flush()["D/perturbed"] > 0
    assert not all(torch.equal(a, b) for a, b in zip(before, play.game.parameters(), strict=True))


def test_its_penalty_is_that_of_the_paper(dragan: ModuleType) -> None:
    """A linear critic of slope w has the penalty (norm of w, less one) squared, wherever it is looked at."""
    real, w = torch.rand(4, 1, 2, 2), torch.tensor([1.0, 2.0, 2.0, 4.0])
    logits = torch.zeros(4, 1)
    seen = Look(lambda x: x.flatten(1) @ w, real, real, logits, logits, Draw(0, slice(0, 4), 4))
    torch.testing.assert_close(dragan.Perturbed()(seen), torch.full((4,), 16.0))
