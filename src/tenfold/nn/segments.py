"""Softmax over parts of a row: each column of a table has its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Segments(nn.Module):
    """Which of a row's entries belong together.

    Nothing here loops over the parts, so that a table of many columns costs no more calls than one of few.

    Args:
        sizes: entries of each part, in order.

    Example:
        >>> parts = Segments([2, 1])
        >>> parts.log_softmax(torch.tensor([[0.0, 0.0, 5.0]])).exp().tolist()
        [[0.5, 0.5, 1.0]]
    """

    part: Tensor
    member: Tensor

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        # From numbers alone, so that it can be built on the meta device, too.
        part = torch.tensor([i for i, size in enumerate(sizes) for _ in range(size)], dtype=torch.long)
        self.count = len(sizes)
        self.register_buffer("part", part, persistent=False)
        member = (part[:, None] == torch.arange(max(len(sizes), 1))).float()
        self.register_buffer("member", member, persistent=False)

    def log_softmax(self, logits: Float[Tensor, "n o"]) -> Float[Tensor, "n o"]:
        """Logarithms of shares that add up to 1 within each part."""
        index = self.part.expand(len(logits), -1)
        lowest = logits.new_full((len(logits), self.count), -torch.inf)
        top = lowest.scatter_reduce(1, index, logits.detach(), "amax")
        away = logits - top[:, self.part]
        return away - self.spread(self.sums(away.exp()).log())

    def sums(self, values: Float[Tensor, "n o"]) -> Float[Tensor, "n c"]:
        """The sum of each part, in float32: in less, shares would not add up to 1."""
        with torch.autocast(values.device.type, enabled=False):
            return values.float() @ self.member

    def spread(self, values: Float[Tensor, "n c"]) -> Float[Tensor, "n o"]:
        """A value of each part, at every entry of it."""
        return values[:, self.part]

    def hardened(self, scores: Float[Tensor, "n o"]) -> Float[Tensor, "n o"]:
        """1 at the entry of each part with the highest score, 0 elsewhere; scores without ties."""
        index = self.part.expand(len(scores), -1)
        lowest = scores.new_full((len(scores), self.count), -torch.inf)
        return (scores == self.spread(lowest.scatter_reduce(1, index, scores, "amax"))).to(scores.dtype)
