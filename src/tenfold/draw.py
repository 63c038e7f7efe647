"""Explicit randomness: every random number is a function of a named purpose and a sample's index."""

from __future__ import annotations

from hashlib import blake2b

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def derive(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part: the same everywhere, today and later.

    Example:
        >>> derive(0, "order", 1) != derive(0, "order", 2)
        True
    """
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Draw:
    """Everything random of one look at a batch, a row per sample.

    Numbers are drawn for all `total` samples of the global batch, and the rows asked for are returned.
    So a rank, or a micro-batch, that holds a part of the batch gets the numbers that belong to its part.
    They come from the CPU's generator on every device, hence are the same on every device.

    Args:
        seed: what `derive` gave for the purpose of this draw.
        rows: the samples of the global batch that are looked at.
        total: size of the global batch.
        device: where the numbers are wanted.

    Example:
        >>> whole, half = Draw(7, slice(0, 4), 4), Draw(7, slice(2, 4), 4)
        >>> torch.equal(whole.normal(3)[2:], half.normal(3))
        True
    """

    def __init__(self, seed: int, rows: slice, total: int, device: torch.device | str = "cpu") -> None:
        self.generator = Generator().manual_seed(seed)
        self.rows, self.total, self.device = rows, total, torch.device(device)

    def __len__(self) -> int:
        return len(range(*self.rows.indices(self.total)))

    def normal(self, *shape: int) -> Float[Tensor, "n ..."]:
        """Standard normal numbers of shape `(n, *shape)`."""
        return self._mine(torch.randn(self.total, *shape, generator=self.generator))

    def uniform(self, *shape: int) -> Float[Tensor, "n ..."]:
        """Numbers uniform in [0, 1) of shape `(n, *shape)`."""
        return self._mine(torch.rand(self.total, *shape, generator=self.generator))

    def integers(self, high: int, *shape: int) -> Int[Tensor, "n ..."]:
        """Whole numbers uniform in 0 .. high - 1 of shape `(n, *shape)`."""
        return self._mine(torch.randint(high, (self.total, *shape), generator=self.generator))

    def once(self) -> float:
        """One number uniform in [0, 1) for all samples of the global batch."""
        return torch.rand((), generator=self.generator).item()

    def packs(self, size: int) -> Draw:
        """Randomness with a row for every `size` samples that are judged together."""
        first = self.rows.indices(self.total)[0] // size
        seed = derive(self.generator.initial_seed(), "packs")
        return Draw(seed, slice(first, first + len(self) // size), self.total // size, self.device)

    def _mine(self, everybody: Tensor) -> Tensor:
        return everybody[self.rows].to(self.device, non_blocking=True)
