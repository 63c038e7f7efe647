"""One torch thread, a fixed seed, and a cache of its own for every test; shapes are checked on every call."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import install_import_hook

# Modules that hold protocols are left out: beartype refuses those.
SHAPED = ("objectives", "penalties", "conditioning", "augment", "nn", "games.infogan", "draw")
install_import_hook([f"tenfold.{name}" for name in SHAPED], "beartype.beartype")


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.setenv("TENFOLD_CACHE", str(tmp_path_factory.mktemp("cache")))
