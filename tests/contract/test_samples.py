"""What holds of the sampler of every recipe."""

from __future__ import annotations

import pytest
import torch

from tenfold.draw import Draw
from tenfold.errors import RecipeError
from tenfold.recipe import RECIPES

PICTURES = [name for name in sorted(RECIPES) if not {"table", "series"} & {*RECIPES[name].kinds}]
SHAPES = [(3, 8, 12), (1, 7, 7), (2, 16, 16), (4, 28, 28)]
REFUSED = {("srgan", (1, 7, 7))}
"""Sides that cannot be divided by the scale."""


def samples(case, sampler, n: int = 8) -> torch.Tensor:
    with torch.no_grad():
        return case.samples(sampler, n)


def check(case, fake: torch.Tensor, *, learning: bool = False) -> None:
    assert fake.shape == (8, *case.spec.shape)
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


def test_bf16_samples_are_float32(case):
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
    assert not torch.equal(samples(case, trainer.ema.module), samples(case, trainer.game.sampler.eval()))


def test_the_class_that_is_asked_for_matters(case):
    if RECIPES[case.name].conditional == "never":
        return
    trainer = case.trainer()
    trainer.fit(kimg=0.2)
    sampler = trainer.ema.module
    z = sampler.draw(Draw(9, slice(0, 8), 8))
    assert not torch.allclose(sampler(z, torch.zeros(8).long()), sampler(z, torch.ones(8).long()))
