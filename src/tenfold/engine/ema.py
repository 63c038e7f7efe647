"""Averages of the sampler's weights over time, with the half-life counted in samples."""

from __future__ import annotations

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

M = TypeVar("M", bound=nn.Module)


class EMA(Generic[M]):
    """An exponential moving average of a module: floating-point state is averaged, the rest copied.

    Copied is, too, a buffer without dimensions: how far something is, which has no average.

    Args:
        module: what is averaged.
        half_life_kimg: thousands of samples after which an old value counts half.
        ramp_up: early on the half-life is this share of the samples seen, so that a short run forgets
            its first steps; 0 for none.

    References:
        Analyzing and Improving the Training Dynamics of Diffusion Models (Karras et al., 2023),
        https://arxiv.org/abs/2312.02696
    """

    def __init__(self, module: M, half_life_kimg: float, ramp_up: float = 0.05) -> None:
        self.module = deepcopy(module).eval().requires_grad_(False)
        self.half_life_kimg, self.ramp_up = half_life_kimg, ramp_up
        self.source = module

    def decay(self, seen: int, batch: int) -> float:
        """The weight of the old value, after `seen` samples and one more batch."""
        half_life = 1000 * self.half_life_kimg
        if self.ramp_up:
            half_life = min(half_life, self.ramp_up * seen)
        return 0.5 ** (batch / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, seen: int, batch: int) -> None:
        """Move towards the module's present state."""
        # Looked up each time: a module may replace its buffers.
        pairs = list(zip(tensors(self.module), tensors(self.source), strict=True))
        floats = [pair for pair in pairs if averaged(pair[0])]
        average = get_ema_multi_avg_fn(self.decay(seen, batch))
        average([slow for slow, _ in floats], [fast for _, fast in floats], 0)
        for slow, fast in pairs:
            if not averaged(slow):
                slow.copy_(fast)


def averaged(tensor: torch.Tensor) -> bool:
    """Whether a tensor has an average."""
    return tensor.is_floating_point() and (tensor.ndim > 0 or isinstance(tensor, nn.Parameter))


def tensors(module: nn.Module) -> list[torch.Tensor]:
    """Parameters and buffers, in a fixed order."""
    return [*module.parameters(), *module.buffers()]
