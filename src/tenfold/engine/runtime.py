"""Devices, precision and processes: the only file that knows torch.distributed."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import RunError

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # as malloc.h numbers them
KEEPING = ((TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 2**26), (MMAP_THRESHOLD, 2**25))  # bytes; 2**25 is the most


@dataclass(frozen=True)
class Runtime:
    """Where a process computes, and which of how many it is.

    Attributes:
        device: of every network and batch.
        rank, world: this process's number, and how many there are.
        bf16: whether matrix products and convolutions are computed in bfloat16.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    world: int = 1
    bf16: bool = False

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which networks are called."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over ranks.

        Unlike a wrapped network this is right for any mix of forward passes and `autograd.grad`.
        """
        if self.world == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        parts = (flat / self.world).split([g.numel() for g in gradients])
        for gradient, mean in zip(gradients, parts, strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a vector over ranks, without gradient."""
        if self.world == 1:
            return values
        values = values.clone()
        dist.all_reduce(values)
        return values / self.world

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        if self.world == 1:
            return flag
        return bool(self.mean(torch.tensor([float(flag)], device=self.device)).item() > 0)

    def sum_over_ranks(self, x: Tensor) -> Tensor:
        """A sum over ranks that gradients flow through."""
        summed: Tensor = SumOverRanks.apply(x)  # pyright: ignore[reportAssignmentType]
        return summed

    def share(self, text: str) -> str:
        """The first rank's text, on every rank."""
        if self.world == 1:
            return text
        data = list(text.encode())
        length = torch.tensor([len(data)], device=self.device)
        dist.broadcast(length, 0)
        letters = torch.tensor(data if self.rank == 0 else [0] * int(length), device=self.device)
        dist.broadcast(letters, 0)
        return bytes(letters.tolist()).decode()

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Fill tensors with what they are on the first rank."""
        for tensor in tensors if self.world > 1 else ():
            dist.broadcast(tensor, 0)

    def barrier(self) -> None:
        """Wait for every rank."""
        if self.world > 1:
            dist.barrier()


class SumOverRanks(torch.autograd.Function):
    """all-reduce, in both directions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        """The sum of x over ranks."""
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        """Every rank's loss depends on this rank's x: the sum of their gradients."""
        return SumOverRanks.apply(gradients[0])  # pyright: ignore[reportReturnType]


def start(device: str = "auto", *, bf16: bool = False) -> Runtime:
    """This process's runtime; joins the others if `torchrun` (or its like) started it.

    Args:
        device: auto (cuda, else mps, else cpu) or a device's name.
        bf16: whether to compute in bfloat16.
    """
    where = device_called(best_device() if device == "auto" else device)
    if where.type == "cpu":
        keep_memory()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Runtime(where, bf16=bf16)
    if where.type == "cuda":
        where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(where)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if where.type == "cuda" else "gloo")
    return Runtime(where, dist.get_rank(), world, bf16)


def keep_memory() -> bool:
    """Let the C library keep what a step frees for the next step; whether it takes the advice (glibc does).

    Else it hands much of it back to the system, which clears every page anew: a tenth of the time of a step
    with small networks (`docs/decisions/006`).
    """
    try:
        advise = ctypes.CDLL(None).mallopt if sys.platform == "linux" else None
    except (OSError, AttributeError):  # musl has no such thing
        advise = None
    return advise is not None and all(advise(option, size) for option, size in KEEPING)


def device_called(name: str) -> torch.device:
    """The device of a name.

    Raises:
        RunError: if there is none of that name here.
    """
    here = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in here:
        raise RunError(f"there is no device {name!r} here. Choose --device {' or '.join(here)}, or auto.")
    return device


def stop() -> None:
    """Leave the group of processes, if there is one."""
    if dist.is_initialized():
        dist.destroy_process_group()


def best_device() -> str:
    """cuda, else mps, else cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def has_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 natively."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # torch's public question says only whether oneDNN can emulate it; emulated it is slower than float32.
        flags = cpu_flags()
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False


def cpu_flags() -> set[str]:
    """The processor's features as Linux names them; empty elsewhere."""
    try:
        with open("/proc/cpuinfo") as file:
            line = next((row for row in file if row.startswith("flags")), "")
    except OSError:
        return set()
    return set(line.partition(":")[2].split())
