from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.proof.score import GENERATED, Design, Score
from tenfold.proof.statistics import Interval
from tenfold.proof.verdict import Conclusion, conclude, judge, more_items

ARMS = (
    "none",
    "augmentation",
    "gan",
    "classical_gan",
    "real_25",
    "real_50",
    "real_75",
    "control_copies",
    "control_shuffled",
    "control_held_back",
)
DESIGN = Design(
    kind="images",
    classes=("a", "b"),
    counts=(250, 250),
    train=300,
    validation=100,
    test=100,
    splits=5,
    seeds=2,
    ratios=(0.0, 0.5, 2.0),
    learners=("linear", "trees"),
    arms=ARMS,
    metric="balanced_accuracy",
    minimum=0.0,
    width=0.02,
    generator="cgan",
    rare_class=None,
    quick=False,
)
LEVELS = {
    "none": 0.70,
    "augmentation": 0.80,
    "gan": 0.75,
    "classical_gan": 0.80,
    "real_25": 0.60,
    "real_50": 0.65,
    "real_75": 0.68,
    "control_copies": 0.70,
    "control_shuffled": 0.55,
    "control_held_back": 0.70,
}
ITEMS = {"real_25": 75, "real_50": 150, "real_75": 225}


def experiment(
    levels: Mapping[str, float] = LEVELS, noise: float = 0.002, design: Design = DESIGN, sign: int = 1
) -> list[Score]:
    """Scores around each arm's level; the splits differ by far more, but alike for every arm.

    Arms without a GAN have seed 0 only. Of the ratios, 0.5 is the best on validation.
    """
    draw = np.random.default_rng(0)
    shift = draw.normal(0, 0.05, design.splits)
    scores = []
    for split in range(design.splits):
        for learner in design.learners:
            for arm in design.arms:
                for seed in range(design.seeds if arm in GENERATED else 1):
                    for ratio in (0.5, 2.0) if arm in GENERATED else (None,):
                        level = levels[arm] - 0.1 * (learner == "trees")
                        value = sign * (level + shift[split] + draw.normal(0, noise))
                        wanted = level + 0.1 * (arm == "classical_gan") - 0.01 * (ratio == 2.0)
                        chosen = {design.metric: sign * wanted}
                        setting = "" if ratio is None else f"ratio={ratio:g}"
                        test = {design.metric: value}
                        items = ITEMS.get(arm, 300)
                        scores.append(Score(split, seed, arm, setting, learner, items, chosen, test))
    return scores


def concluded(gan: float, noise: float = 0.002) -> Conclusion:
    return conclude(experiment(LEVELS | {"classical_gan": gan}, noise), DESIGN)


@pytest.mark.parametrize(
    ("gan", "noise", "verdict"),
    [
        (0.85, 0.002, "helps"),
        (0.75, 0.002, "hurts"),
        (0.80, 0.002, "no evidence"),
        (0.80, 0.08, "unclear"),
    ],
)
def test_a_known_effect_is_found(gan: float, noise: float, verdict: str):
    found = concluded(gan, noise)
    assert found.verdict == verdict
    assert found.decisive.gain.mean == pytest.approx(gan - 0.80, abs=3 * noise)
    assert (found.more_items is not None) == (verdict == "unclear")
    json.dumps(found.to_json())


def test_the_sentence_is_for_a_person():
    sentence = concluded(0.85).sentence
    assert sentence.startswith(
        "Adding GAN samples to the best classical recipe (classical augmentation) changes "
    )
    assert "balanced accuracy by +5." in sentence and sentence.endswith("it helps.")
    assert "no evidence that it helps" in concluded(0.80).sentence


def test_false_alarms_are_rare():
    """One hundred experiments without an effect."""
    draw, found = np.random.default_rng(1), 0
    design = replace(DESIGN, arms=("none", "classical_gan"), learners=("linear",), seeds=1, ratios=(0.0, 1.0))
    for _ in range(100):
        scores = [
            Score(
                split, 0, arm, setting, "linear", 300, {design.metric: value}, {design.metric: draw.normal()}
            )
            for split in range(5)
            for arm, setting, value in [("none", "", 0.0), ("classical_gan", "ratio=1", 1.0)]
        ]
        found += conclude(scores, design).verdict == "helps"
    assert found <= 4


def test_test_values_choose_nothing():
    """A ratio, an arm and a learner that are splendid on the test items, and poor on validation."""
    good, bad = {"balanced_accuracy": 0.99}, {"balanced_accuracy": 0.01}
    scores = [s for s in experiment() if s.arm != "gan"]
    traps = [
        replace(s, setting="ratio=5", validation=bad, test=good) for s in scores if s.arm == "classical_gan"
    ]
    traps += [
        replace(s, setting="shift=9", validation=bad, test=good) for s in scores if s.arm == "augmentation"
    ]
    design = replace(DESIGN, arms=tuple(arm for arm in ARMS if arm != "gan"))
    honest, trapped = conclude(scores, design), conclude(traps + scores, design)
    assert trapped == honest
    splendid = [replace(s, test=good) if s.learner == "trees" else s for s in scores]
    assert conclude(splendid, design).primary == "linear"


def test_no_samples_may_be_chosen_and_then_nothing_changes():
    poor = {"balanced_accuracy": 0.1}
    scores = [replace(s, validation=poor) if s.arm == "classical_gan" else s for s in experiment()]
    found = conclude(scores, DESIGN)
    assert found.ratios == {"0": 10, "0.5": 0, "2": 0}
    assert (found.decisive.gain, found.verdict) == (Interval(0, 0, 0, 1), "no evidence")
    assert "chosen in no split" in found.sentence
    assert concluded(0.85).ratios == {"0": 0, "0.5": 10, "2": 0}


def test_with_less_being_better_a_gain_is_still_positive():
    design = replace(DESIGN, metric="brier")
    scores = experiment(LEVELS | {"classical_gan": 0.85}, design=design, sign=-1)
    found = conclude(scores, design)
    assert found.verdict == "helps" and found.primary == "linear"
    assert found.decisive.gain.mean == pytest.approx(0.05, abs=0.01)
    assert "lowers the Brier score by +" in found.sentence
    assert found.worth.slope is not None and found.worth.slope > 0


def test_a_weak_baseline_flatters():
    assert any("+5.0" in r and "flatters" in r for r in concluded(0.80).remarks)


def test_the_worth_in_real_items_by_hand():
    """Every doubling of the items gains 0.05, so 0.05 is worth as many again."""
    levels = LEVELS | {"real_75": 0.70 + 0.05 * np.log2(0.75), "classical_gan": 0.85}
    worth = conclude(experiment(levels, noise=1e-9), DESIGN).worth
    assert worth.slope == pytest.approx(0.05, abs=1e-6)
    assert worth.items == pytest.approx(300, rel=1e-3)
    assert "about 300 more" in worth.words
    huge = conclude(experiment(levels | {"classical_gan": 0.95}), DESIGN).worth
    assert "more than 900" in huge.words
    assert conclude(experiment(LEVELS | {"classical_gan": 0.70}), DESIGN).worth.items is None
    flat = {arm: 0.70 + 0.1 * (arm == "augmentation") for arm in LEVELS} | {
        "real_25": 0.75,
        "classical_gan": 0.9,
    }
    assert "not defined" in conclude(experiment(flat), DESIGN).worth.words


@pytest.mark.parametrize(
    ("arm", "level"), [("control_copies", 0.75), ("control_shuffled", 0.72), ("control_held_back", 0.60)]
)
def test_a_control_that_misbehaves_is_said_loudly(arm: str, level: float):
    fine = concluded(0.80)
    assert {c.state for c in fine.controls} == {"as expected"} and not fine.alarms
    found = conclude(experiment(LEVELS | {arm: level}), DESIGN)
    assert {c.arm for c in found.controls if c.state == "misbehaves"} == {arm}
    assert any(line.startswith("WARNING") for line in found.lines())


def test_missing_scores_are_named():
    whole = experiment()
    for arm, seed, words in [("classical_gan", 1, " in split 3 and seed 1"), ("none", 0, " in split 3")]:
        part = [s for s in whole if (s.arm, s.seed, s.learner, s.split) != (arm, seed, "trees", 3)]
        with pytest.raises(DataError, match=f"no score of {arm} with trees{words};"):
            conclude(part, DESIGN)
    with pytest.raises(DataError, match="no score of gan with linear in split 0 and seed 0; gan with trees"):
        conclude([s for s in whole if s.ratio != 2.0 or s.split or s.seed], DESIGN)
    with pytest.raises(DataError, match="no 'f1_rare'"):
        conclude(whole, replace(DESIGN, metric="f1_rare"))


@pytest.mark.parametrize(
    ("low", "high", "minimum", "verdict"),
    [
        (0.001, 0.1, 0.0, "helps"),
        (0.001, 0.1, 0.005, "unclear"),
        (-0.1, -0.001, 0.0, "hurts"),
        (-0.02, 0.02, 0.0, "no evidence"),
        (-0.03, 0.02, 0.0, "unclear"),
        (0.03, 0.04, 0.05, "no evidence"),
    ],
)
def test_verdicts_by_hand(low: float, high: float, minimum: float, verdict: str):
    assert judge(Interval((low + high) / 2, low, high, 0.5), minimum, 0.02) == verdict


def test_more_items_by_hand():
    """Around zero the interval must halve to fit between the widths: four times the items, three more."""
    assert more_items(Interval(0, -0.04, 0.04, 1), DESIGN) == 300
    assert more_items(Interval(0.03, -0.03, 0.09, 0.3), DESIGN) == 300
    border = replace(DESIGN, minimum=0.05)
    assert more_items(Interval(0.05, 0.04, 0.06, 0), border) is None


def test_holm_spans_arms_and_learners():
    found = concluded(0.80)
    against = [c for c in found.comparisons if c.against == "none"]
    assert len(against) == 2 * 4
    smallest = min(against, key=lambda c: c.gain.p)
    assert smallest.adjusted == pytest.approx(8 * smallest.gain.p)
