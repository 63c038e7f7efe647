"""What holds of the sampler of every recipe."""

from __future__ import annotations

import pytest
import torch

from tenfold.data.texts.layout import END, PAD, START
from tenfold.errors import RecipeError
from tenfold.recipe import RECIPES

OTHERS = {"table", "series", "texts", "text_pairs"}
PICTURES = [name for name in sorted(RECIPES) if not OTHERS & {*RECIPES[name].kinds}]
SHAPES = [(3, 8, 12), (1, 7, 7), (2, 16, 16), (4, 28, 28)]
REFUSED = {("srgan", (1, 7, 7))}
"""Sides that cannot be divided by the scale."""


def samples(case, sampler, n: int = 8) -> torch.Tensor:
    with torch.no_grad():
        return case.samples(sampler, n)


def seen(case, sampler, condition=None) -> torch.Tensor:
    """Samples; of texts the logits of some tokens: of two samplers the same tokens may be drawn."""
    if case.spec.kind not in ("texts", "text_pairs"):
        start = case.start(sampler)
        with torch.no_grad():
            return sampler(*start) if condition is None else sampler(start[0], condition)
    text, told = case.rows().values[:8], case.condition(8) if condition is None else condition
    with torch.no_grad():
        return sampler.network.logits(*((told, text) if case.spec.kind == "text_pairs" else (text, told)))


def check_text(case, fake: torch.Tensor) -> None:
    """Tokens that there are, and nothing behind an end but padding."""
    assert fake.dtype == torch.int64
    assert fake.min() >= PAD and fake.max() < case.spec.text.vocabulary
    over = (fake == END).cumsum(1) - (fake == END).long() > 0
    assert torch.equal(fake == PAD, over) and not (fake == START).any()
    assert len(fake.unique(dim=0)) > 1, "every z gives the same text"


def check(case, fake: torch.Tensor, *, learning: bool = False) -> None:
    assert fake.shape == (8, *case.spec.shape)
    if case.spec.kind in ("texts", "text_pairs"):
        check_text(case, fake)
        return
    assert fake.dtype == torch.float32
    assert fake.isfinite().all()
    assert fake.std(0).max() > 0, "every z gives the same sample"
    if case.spec.pictures:  # srgan clips only what is no longer learnt from
        assert fake.abs().max() <= (2 if learning and case.name == "srgan" else 1)


def test_samples_are_as_the_data(case):
    trainer = case.trainer()
    for _ in range(2):
        check(case, samples(case, trainer.ema.module))
        check(case, samples(case, trainer.game.sampler), learning=True)
        trainer.play_step()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("name", PICTURES)
def test_other_shapes_work(name, shape, make):
    case = make(name, shape)
    if (name, shape) in REFUSED:
        with pytest.raises(RecipeError, match="cannot be divided by --scale 2"):
            case.trainer()
        return
    trainer = case.trainer()
    trainer.play_step()
    trainer.flush()
    check(case, samples(case, trainer.ema.module))


def test_bf16_samples_are_as_others(case):
    sampler = case.build().game.sampler
    with torch.autocast("cpu", torch.bfloat16):
        check(case, samples(case, sampler), learning=True)


def test_a_sample_depends_on_its_own_start_alone(case):
    trainer = case.trainer()
    trainer.play_step()
    sampler = trainer.ema.module
    assert not sampler.training
    start = case.start(sampler)
    whole = sampler(*start)
    assert torch.equal(sampler(*start), whole)
    some = [None if part is None else part[2:4] for part in start]
    torch.testing.assert_close(sampler(*some), whole[2:4])


def test_the_average_lags_behind_the_sampler(case):
    trainer = case.trainer()
    trainer.fit(kimg=0.2)
    pairs = zip(trainer.ema.module.parameters(), trainer.game.sampler.parameters(), strict=True)
    assert all(not torch.equal(slow, fast) for slow, fast in pairs)
    assert not torch.equal(seen(case, trainer.ema.module), seen(case, trainer.game.sampler.eval()))


def test_the_class_that_is_asked_for_matters(case):
    if RECIPES[case.name].conditional == "never":
        return
    trainer = case.trainer()
    trainer.fit(kimg=0.2)
    zeros, ones = (seen(case, trainer.ema.module, each(8).long()) for each in (torch.zeros, torch.ones))
    assert not torch.allclose(zeros, ones)
