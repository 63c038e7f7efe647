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
    torch.testing.assert_close(second, first, rtol=0, atol=0)
    assert first.keys() == one.keys()
    moved = []
    for key, value in one.items():
        pictures = "/histories." in key  # which it remembers: rounding of weights is larger there
        torch.testing.assert_close(first[key], value, rtol=0, atol=1e-3 if pictures else 1e-5)
        moved += [] if pictures else [(value - played[0][key.replace("end/", "start/", 1)]).abs().max()]
    assert max(moved) > 1e-3


def test_every_rank_knows_what_all_have_made(played):
    """Two steps of the tiny preset fill both places of each of the eight rows, on whichever rank it is."""
    for found in played:
        filled = {k: v for k, v in of(found, "end", "cyclegan").items() if k.endswith(".filled")}
        assert len(filled) == 2 and all(v.tolist() == [2] * 8 for v in filled.values())


@pytest.mark.parametrize("name", [*sorted(RECIPES), "r3gan residual", "r3gan adaptive"])
def test_two_ranks_log_the_same(name, played):
    one, first, second = (of(found, "log", name) for found in played)
    assert first == second
    if name not in ("dcgan", "mlp"):  # there a log's mean is over ranks, whose shares differ
        torch.testing.assert_close(first, one, rtol=1e-4, atol=1e-5)
