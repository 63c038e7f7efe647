"""Two processes learn what one does."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tenfold.engine.runtime import Runtime
from tenfold.recipe import RECIPES

SCRIPT = Path(__file__).with_name("two_ranks.py")
Tensors = dict[str, Tensor]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Tensors, Tensors, Tensors]:
    """What one process found, and each of two."""
    folder = tmp_path_factory.mktemp("ranks")
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    both = [
        subprocess.Popen([sys.executable, SCRIPT, folder], env=os.environ | shared | {"RANK": str(rank)})
        for rank in range(2)
    ]
    one = runpy.run_path(str(SCRIPT))["play_all"](Runtime())
    assert [process.wait(120) for process in both] == [0, 0]
    return one, *(load_file(folder / f"rank-{rank}.safetensors") for rank in range(2))


def of(found: Tensors, when: str, name: str) -> Tensors:
    return {key: value for key, value in found.items() if key.startswith(f"{when}/{name}/")}


@pytest.mark.parametrize("name", [*sorted(RECIPES), "r3gan residual", "r3gan adaptive"])
def test_two_ranks_equal_one(name, played):
    one, first, second = (of(found, "end", name) for found in played)
    start = of(played[0], "start", name)
    moved = [(value - old).abs().max() for value, old in zip(one.values(), start.values(), strict=True)]
    assert max(moved) > 1e-3
    torch.testing.assert_close(first, one, rtol=0, atol=1e-5)
    torch.testing.assert_close(second, first, rtol=0, atol=0)


@pytest.mark.parametrize("name", [*sorted(RECIPES), "r3gan residual", "r3gan adaptive"])
def test_two_ranks_log_the_same(name, played):
    one, first, second = (of(found, "log", name) for found in played)
    assert first == second
    if name not in ("dcgan", "mlp"):  # there a log's mean is over ranks, whose shares differ
        torch.testing.assert_close(first, one, rtol=1e-4, atol=1e-5)
