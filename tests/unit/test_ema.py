"""The average of the sampler's weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tenfold.engine.ema import EMA


class Part(nn.Module):
    """A float parameter, a float buffer, a whole-number buffer, a buffer that may be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("flag", torch.tensor(False))
        self.norm = nn.BatchNorm1d(2)


def test_a_value_counts_half_after_the_half_life():
    part = Part()
    ema = EMA(part, half_life_kimg=0.1, ramp_up=0)
    assert ema.decay(seen=123, batch=100) == pytest.approx(0.5)
    part.weight.data.fill_(1.0)
    values = []
    for step in range(1, 4):
        ema.update(100 * step, 100)
        values.append(ema.module.weight[0].item())
    assert values == pytest.approx([0.5, 0.75, 0.875])


def test_smaller_batches_do_not_shorten_the_memory():
    ema = EMA(Part(), half_life_kimg=0.1, ramp_up=0)
    assert ema.decay(1000, 10) ** 10 == pytest.approx(0.5)


def test_ramp_up_forgets_the_first_steps():
    """Early on the half-life is a twentieth of what was seen; then what was asked for."""
    ema = EMA(Part(), half_life_kimg=1.0)
    assert ema.decay(seen=2_000, batch=50) == pytest.approx(0.5**0.5)
    assert ema.decay(seen=20_000, batch=50) == pytest.approx(0.5**0.05)
    assert ema.decay(seen=10**9, batch=50) == pytest.approx(0.5**0.05)
    assert ema.decay(seen=0, batch=50) == 0


def test_no_half_life_is_a_copy():
    part = Part()
    ema = EMA(part, half_life_kimg=0)
    part.weight.data.fill_(3.0)
    ema.update(10, 10)
    assert ema.module.weight.tolist() == [3, 3]


def test_float_buffers_are_averaged_and_others_copied():
    part = Part()
    ema = EMA(part, half_life_kimg=0.1, ramp_up=0)
    part.mean = torch.ones(2)  # replaced, not written to
    part.count += 7
    part.flag.fill_(True)
    ema.update(100, 100)
    assert ema.module.mean.tolist() == [0.5, 0.5]
    assert ema.module.count.item() == 7
    assert ema.module.flag.item() is True
    assert part.mean.tolist() == [1, 1]


def test_it_is_in_use_not_in_training():
    part = Part()
    ema = EMA(part, half_life_kimg=1)
    assert part.training
    assert not any(m.training for m in ema.module.modules())
    assert not any(p.requires_grad for p in ema.module.parameters())
    assert all(p.requires_grad for p in part.parameters())
