"""What is watched while training: signs of overfitting and collapse, and when to stop."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tenfold.choosing import by_name
from tenfold.data import open_data
from tenfold.data.order import Rows, Shuffled
from tenfold.engine.trainer import Trainer
from tenfold.errors import DataError, RecipeError
from tenfold.games.gan import GAN, NoiseSampler
from tenfold.metrics.features import Pixels
from tenfold.metrics.kernel import Estimate, kernel_distance
from tenfold.nn.layers import BatchNorm, SpectralLinear
from tenfold.options import Options
from tenfold.plan import make_plan
from tenfold.watching.health import health
from tenfold.watching.overfitting import Opinion, overfit, overfit_z
from tenfold.watching.quality import Best, FromNoise, Quality, alike
from tenfold.watching.stopping import LOOKS, Condition, parse_condition, reason_to_stop, why_never

NOTHING = torch.zeros(3, 1)
FINE = {"recall": 0.8, "coverage": 0.9, "D/train_logit": 1.0, "D/holdout_logit": 0.9, "D/made_logit": 0.0}


def logits(mean: float, n: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(mean, 1.0, n))


@pytest.mark.parametrize(("held", "share"), [(2.0, 0.0), (1.0, 0.5), (0.0, 1.0), (-1.0, 1.5)])
def test_overfit_says_where_held_out_samples_lie(held: float, share: float) -> None:
    found = [
        overfit(logits(2, 200, i), logits(held, 40, 1000 + i), logits(0, 200, 2000 + i)) for i in range(200)
    ]
    values = torch.tensor([f.value for f in found if f is not None])
    errors = torch.tensor([f.error for f in found if f is not None])
    assert values.mean() == pytest.approx(share, abs=0.03)
    assert errors.mean() == pytest.approx(values.std().item(), rel=0.15)


def test_overfit_is_undefined_while_nothing_is_told_apart() -> None:
    assert overfit(logits(0, 60, 0), logits(-3, 20, 1), logits(0, 60, 2)) is None
    assert overfit(logits(-1, 60, 0), logits(0, 20, 1), logits(1, 60, 2)) is None


def test_overfit_z_raises_no_alarm_from_noise_on_twenty_samples() -> None:
    z = [overfit_z(logits(0, 60, i), logits(0, 20, 1000 + i), logits(0, 20, 2000 + i)) for i in range(1000)]
    assert np.mean(np.array(z) > 3) < 0.005
    assert overfit_z(logits(2, 60, 0), logits(2, 20, 1), logits(0, 20, 2)) < 0
    assert overfit_z(logits(2, 60, 0), logits(0, 20, 1), logits(0, 20, 2)) > 3
    assert overfit_z(logits(2, 60, 0), logits(0, 20, 1), logits(2, 20, 2)) > 3  # made: copies of the trained
    assert overfit_z(logits(0, 60, 0), logits(0, 20, 1), logits(4, 20, 2)) < 3  # D errs, but not by heart
    assert overfit_z(*[torch.ones(9)] * 3) == 0


def digits(n: int = 240) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8)).astype(np.uint8)


def shaky_trainer() -> Trainer:
    """Everything that a look could disturb: running statistics, power iteration, dropout."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(4, 64), BatchNorm(64), nn.Unflatten(1, (1, 8, 8)))
    body = [nn.Flatten(), SpectralLinear(64, 16), BatchNorm(16), nn.Dropout(0.5), nn.Linear(16, 1)]
    game = GAN(NoiseSampler(generator, 4), nn.Sequential(*body))
    optimizers = {name: torch.optim.Adam(p.parameters()) for name, p in game.players().items()}
    return Trainer(game, optimizers, Shuffled(Rows(torch.randn(64, 1, 8, 8)), size=16))


def test_a_look_changes_nothing_of_the_game() -> None:
    opinion = Opinion(open_data(digits()), 0)
    watched, alone = shaky_trainer(), shaky_trainer()
    modes = [part.training for part in watched.game.modules()]
    for _ in range(3):
        watched.play_step()
        alone.play_step()
        said = opinion.look(watched, torch.zeros(20, 1, 8, 8), None)
    assert {"D/train_logit", "D/holdout_logit", "D/made_logit", "overfit_z"} <= set(said)
    assert [part.training for part in watched.game.modules()] == modes
    after, before = watched.game.state_dict(), alone.game.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert said == opinion.look(watched, torch.zeros(20, 1, 8, 8), None)  # dropout is at rest


def test_the_opinion_is_of_the_right_samples() -> None:
    trainer, data = shaky_trainer(), open_data(digits())
    trainer.game.discriminator = nn.Flatten()
    opinion = Opinion(data, 0)
    opinion.train = {"real": torch.full((70, 1, 8, 8), 0.5)}
    opinion.holdout = {"real": torch.full((9, 1, 8, 8), 0.25)}
    said = opinion.look(trainer, torch.zeros(20, 1, 8, 8), None)
    assert (said["D/train_logit"], said["D/holdout_logit"], said["D/made_logit"]) == (0.5, 0.25, 0)
    assert said["overfit"] == 0.5


def test_overfitting_is_said_after_two_looks() -> None:
    bad = FINE | {"overfit_z": 4.0, "D/holdout_logit": -0.5}
    assert health({}, [FINE, bad]).verdict == "learning"
    found = health({}, [FINE, bad, bad])
    assert found.verdict == "overfitting" and "by heart" in found.why and "held out -0.5" in found.why
    assert "augment (--augment ada)" in found.why
    assert "--augment" not in health({"D/augment_room": 0.3}, [FINE, bad, bad]).why  # it is on
    assert health({}, [bad, bad, FINE]).verdict == "learning"
    assert health({}, [bad | {"overfit_z": 2.0}] * 3).verdict == "learning"


def test_lost_variety_is_a_collapse() -> None:
    gone = FINE | {"recall": 0.1, "coverage": 0.1}
    assert health({}, [FINE, gone], 100).verdict == "learning"
    assert health({}, [FINE, gone, gone], 100).verdict == "collapsed"
    assert health({}, [FINE, gone, gone | {"recall": 0.5}], 100).verdict == "learning"
    assert health({}, [gone, gone, gone], 100).verdict == "learning"  # it never had it
    small = [{"recall": 0.3, "coverage": 0.3}, *[{"recall": 0.05, "coverage": 0.05}] * 2]
    assert health({}, small, 20).verdict == "learning" and health({}, small, 200).verdict == "collapsed"


def test_a_game_without_a_discriminator_has_a_verdict() -> None:
    assert health({"VAE/kl": 1.0, "spread": 0.9}).why == "samples spread 0.90 of real"
    assert health({"D/order": 0.5}).why == "D tells 50% of pairs apart"  # nobody knows the spread


def looks(*distances: float) -> list[dict[str, float]]:
    return [{"seen": 100 * i, "kernel_distance": d} for i, d in enumerate(distances)]


def test_a_condition_stops_a_run() -> None:
    rule = parse_condition(" kernel_distance <= 1e-2")
    assert rule == Condition("kernel_distance", "<=", 0.01)
    assert reason_to_stop(looks(1, 0.02), 100, condition=rule) is None
    found = reason_to_stop(looks(1, 0.02, 0.01), 200, condition=rule)
    assert found is not None and found.by == "stop_when" and "kernel_distance is 0.01" in found.why
    assert (
        reason_to_stop(looks(0), None, condition=rule) is None
    )  # before the first step nothing is good enough
    assert not parse_condition("overfit>.5").holds({"recall": 1.0})


def test_a_condition_holds_beyond_the_error_bar() -> None:
    below, above = parse_condition("kernel_distance<0.01"), parse_condition("kernel_distance>0.01")
    for value, error, states in (
        (0.004, 0.005, (True, False)),
        (0.006, 0.005, (False, False)),
        (0.014, 0.005, (False, False)),
        (0.016, 0.005, (False, True)),
    ):
        look = {"seen": 1, "kernel_distance": value, "kernel_distance_error": error}
        assert (below.holds(look), above.holds(look)) == states
    found = reason_to_stop([look], None, condition=above)
    assert found is not None and found.why == "kernel_distance is 0.016±0.005, > 0.01"


def test_patience_beyond_the_looks_that_there_are() -> None:
    assert why_never(None, 3) is None and why_never(3, 3) is None
    assert "Pass --patience 3 or less" in (why_never(4, 3) or "")
    assert "leave it out" in (why_never(1, 0) or "")


def test_patience_counts_looks_since_the_best() -> None:
    assert reason_to_stop(looks(3, 1, 2), 100, patience=2) is None
    found = reason_to_stop(looks(3, 1, 2, 2), 100, patience=2)
    assert found is not None and found.by == "patience" and "2 looks" in found.why
    assert reason_to_stop(looks(3, 1, 2, 2)[3:], 100, patience=2) is None  # resumed: counted anew


@pytest.mark.parametrize(
    "text", ["kernel_distance", "kernel_distance=1", "recall>x", "recall<1 or recall>2", ""]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="--stop-when"):
        Options(stop_when=text)


def test_rules_that_can_never_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'kernel_distance'"):
        Options(stop_when="kernel_distanse<1")
    for patience in (0, LOOKS):
        with pytest.raises(RecipeError, match="1 to 11"):
            Options(patience=patience)
    few, decide = digits(60), by_name("mlp", "tiny")
    for options in (Options(patience=2), Options(stop_when="overfit>0.5")):
        with pytest.raises(DataError, match="--holdout"):
            make_plan(few, decide, kimg=1, options=options)
        assert make_plan(digits(), decide, kimg=1, options=options)
    assert make_plan(few, decide, kimg=1, options=Options(stop_when="recall>0.9"))


def test_reference_samples_have_the_labels_asked_for() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 3])
    data = Rows(torch.zeros(83, 1), np.random.default_rng(0).permutation(labels))
    found = alike(data, 20, np.repeat([0, 1, 2], [10, 5, 5]), seed=1)
    assert np.bincount(data.labels[found]).tolist() == [10, 5, 3]
    assert not np.array_equal(found, alike(data, 20, np.repeat([0, 1, 2], [10, 5, 5]), seed=2))
    assert len(alike(data, 20, None, seed=1)) == 20


def test_matched_labels_do_not_lower_the_distance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 10
    values = (rng.normal(0, 0.05, (600, 4)) + np.eye(10, 4)[labels]).astype(np.float32)
    np.savez(tmp_path / "a.npz", data=values, labels=labels)
    data = open_data(tmp_path / "a.npz")
    conditional, plain = (Quality(data, Pixels(), tmp_path, classes) for classes in (10, 0))
    assert conditional.about() == plain.about() | {"estimator": "class by class"}
    assert conditional.about()["references"] == 5 and conditional.about()["against"] == "hold-out"
    assert conditional.reference is not None and conditional.labels is not None
    index = alike(data.train, conditional.count, conditional.labels.numpy(), seed=9)
    fresh, fresh_labels = data.train.gather(index)["real"], torch.from_numpy(data.train.labels[index])
    found, biased = conditional.distance(fresh, fresh_labels), plain.distance(fresh, None)
    assert abs(found.value) < 3 * found.error and biased.value < found.value - 3 * found.error
    assert abs(conditional.reference["kernel_distance"]) < 3 * found.error


def test_augmentation_at_its_cap_is_said_with_every_verdict() -> None:
    for spread in (1.0, 0.1, 9.0):
        assert "at its cap" in health({"spread": spread, "D/augment_room": 0.0}).why
        assert "at its cap" not in health({"spread": spread, "D/augment_room": 0.2}).why
        low = {"spread": spread, "D/augment_room": 0.0, "D/augment_p": 0.2}  # a cap for many pictures
        assert "at its cap" not in health(low).why


@pytest.mark.parametrize(
    ("shift", "recall", "better"),
    [
        (0.5, 0.0, True),  # clearly nearer, whatever the recall
        (1.5, 0.9, False),  # clearly farther
        (0.97, 0.1, False),  # a little nearer, and less varied
        (1.03, 0.9, True),  # a little farther, and more varied
        (0.97, 0.5, True),  # as varied, and a little nearer
        (1.03, 0.5, False),
        (1.0, 0.5, False),
    ],
)
def test_which_sampler_is_better(shift: float, recall: float, better: bool) -> None:
    noise = torch.Generator().manual_seed(0)
    real, made = (torch.randn(200, 6, generator=noise) for _ in range(2))
    quality = Quality.__new__(Quality)
    quality.real, quality.count = real, 200
    quality.best, quality.making = None, FromNoise(200, None, 0, open_data("digits"))
    assert quality.improves(made, 0.0)
    quality.best = Best(1, 0.0, kernel_distance(real, made + 1), 0.5, made + 1)
    assert quality.improves(made + shift, recall) is better


def test_which_translation_is_better() -> None:
    """Of two that are about as near as sets, the one that is nearer to its partners."""
    noise = torch.Generator().manual_seed(0)
    real = torch.randn(200, 6, generator=noise)
    near, far = (real + much * torch.randn(200, 6, generator=noise) for much in (0.1, 0.3))
    quality = Quality.__new__(Quality)
    quality.real, quality.count = real, 200
    quality.making = FromNoise(200, None, 0, open_data("digits"))
    quality.making.paired = True
    for before, after, better in ((far, near, True), (near, far, False), (near, far + 2, False)):
        quality.best = Best(1, 0.0, kernel_distance(real, before), 0.9, before)
        assert quality.improves(after, 0.1) is better


def test_what_was_the_best_of_an_earlier_stage_is_so_no_more(tmp_path: Path) -> None:
    quality = Quality.__new__(Quality)
    quality.chooses, quality.folder, quality.best = True, tmp_path, Best(8, 0.0, Estimate(0, 0), 1, NOTHING)
    quality.measure = lambda trainer: (
        {"kernel_distance": 9, "kernel_distance_error": 0, "recall": 0},
        NOTHING,
    )
    quality.improves = lambda fake, recall: quality.best is None
    trainer = SimpleNamespace(seen=16, step=2, stage=0.0, ema=SimpleNamespace(module=nn.Linear(1, 1)))
    for stage, seen in ((0.0, 8), (0.5, 16)):
        trainer.stage = stage
        quality.look(cast("Trainer", trainer))
        assert quality.best is not None and quality.best.seen == seen


def test_a_rule_about_the_discriminator_needs_one() -> None:
    decide = by_name("vae", "tiny")
    with pytest.raises(RecipeError, match="has none"):
        make_plan(digits(), decide, kimg=1, options=Options(stop_when="overfit>0.5"))
    assert make_plan(digits(), decide, kimg=1, options=Options(stop_when="recall>0.5", patience=3))


def test_a_rule_about_partners_needs_some() -> None:
    rule = Options(stop_when="psnr>30")
    with pytest.raises(RecipeError, match=r"psnr compares .* not paired. Choose one of kernel_distance"):
        make_plan(digits(), by_name("dcgan", "tiny"), kimg=1, options=rule)
    decide = by_name("srgan", "tiny")  # whose pictures are those that it made small
    assert make_plan(digits(), decide, kimg=1, options=rule)
    with pytest.raises(RecipeError, match="has none"):
        make_plan(digits(), decide, kimg=1, options=Options(stop_when="overfit>0.5"))
    found = reason_to_stop([{"seen": 9, "psnr": 31.0}], None, condition=parse_condition("psnr>30"))
    assert found is not None and found.why == "psnr is 31, > 30"
