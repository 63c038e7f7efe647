from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.proof.score import GENERATED, Design, Score
from tenfold.proof.statistics import Interval
from tenfold.proof.verdict import Conclusion, conclude, items_needed, judge, refuse_design

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
    assert (found.items_needed is not None) == (verdict == "unclear")
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
    assert found.worth.slope is not None and found.worth.slope.mean > 0


def test_a_weak_baseline_flatters():
    assert any("+5.0" in r and "flatters" in r for r in concluded(0.80).remarks)


def test_samples_that_no_split_chose_are_not_called_a_gain_of_nothing():
    found = conclude(experiment(LEVELS | {"gan": LEVELS["none"]}, noise=0), DESIGN)
    assert [r for r in found.remarks if "chosen in no split" in r and "Against" not in r]


def test_copies_that_gain_a_little_but_surely_are_noticed():
    found = conclude(experiment(LEVELS | {"control_copies": 0.71, "classical_gan": 0.805}), DESIGN)
    assert {c.state for c in found.controls if c.arm == "control_copies"} == {"noticeable"}
    assert found.verdict == "helps" and not found.alarms
    assert any(r.startswith("Copies of the training items alone gain +1.0") for r in found.remarks)
    more = conclude(experiment(LEVELS | {"control_copies": 0.71, "classical_gan": 0.83}), DESIGN)
    assert not any("Copies" in r for r in more.remarks)


def test_a_recipe_that_is_worse_than_none_flatters():
    """It was the best on validation, and is not on the test items."""
    scores = [
        replace(s, test={k: v - 0.2 for k, v in s.test.items()}) if s.arm == "augmentation" else s
        for s in experiment()
    ]
    found = conclude(scores, DESIGN)
    assert any("worse on the test items than none (-" in r for r in found.remarks)
    assert not any("worse" in r for r in concluded(0.80).remarks)


def test_the_largest_ratio_chosen_is_said():
    design = replace(DESIGN, ratios=(0.0, 0.5))
    scores = [s for s in experiment(LEVELS | {"classical_gan": 0.85}) if s.ratio <= 0.5]
    assert any("largest ratio" in r for r in conclude(scores, design).remarks)
    assert not any("largest ratio" in r for r in concluded(0.85).remarks)


def test_the_worth_in_real_items_by_hand():
    """Every doubling of the items gains 0.05, so 0.05 is worth as many again."""
    levels = LEVELS | {"real_75": 0.70 + 0.05 * np.log2(0.75), "classical_gan": 0.85}
    worth = conclude(experiment(levels, noise=1e-6), DESIGN).worth
    assert worth.slope is not None and worth.slope.mean == pytest.approx(0.05, abs=1e-6)
    assert worth.items == pytest.approx(300, rel=1e-3)
    assert "about 300 more" in worth.words and "of linear without augmentation" in worth.words
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


def test_shuffled_labels_alarm_only_if_they_help():
    """With two classes they may change nothing; and noise may make them look like a gain."""
    for level in (0.70, 0.715):
        found = conclude(experiment(LEVELS | {"control_shuffled": level}, noise=0.01), DESIGN)
        assert {c.state for c in found.controls if c.arm == "control_shuffled"} == {"unclear"}


def test_a_control_is_compared_with_what_it_was_built_on():
    settings = {"control_copies": "shift=1+ratio=1", "control_shuffled": "ratio=1"}
    scores = [replace(s, setting=settings.get(s.arm, s.setting)) for s in experiment()]
    copies, shuffled = conclude(scores, DESIGN).controls[:2]
    assert copies.gain.mean == pytest.approx(-0.10, abs=0.01)  # 0.80 is the best classical, 0.70 is none
    assert shuffled.gain.mean == pytest.approx(-0.15, abs=0.01)


def test_a_slope_of_uncertain_sign_is_worth_nothing():
    worth = conclude(experiment(LEVELS | {"classical_gan": 0.95}, noise=0.1), DESIGN).worth
    assert worth.slope is not None and worth.slope.low < 0 < worth.slope.mean
    assert worth.items is None and "uncertain" in worth.words


def test_the_worth_knows_that_the_slope_is_uncertain():
    """The gain is the same in every split, so that only the slope widens what it is worth."""
    levels = LEVELS | {"classical_gan": 0.85}
    exact = experiment(levels, noise=1e-6)
    steeper = {"real_25": 0.02, "none": -0.02}
    tilted = [
        replace(
            s, test={"balanced_accuracy": s.test["balanced_accuracy"] + (s.split - 2) * steeper[s.arm] / 4}
        )
        if s.arm in steeper
        else s
        for s in exact
    ]
    wide, narrow = (conclude(scores, DESIGN).worth for scores in (tilted, exact))
    assert wide.items == pytest.approx(narrow.items) and wide.items is not None
    assert wide.low is not None and wide.high is not None and wide.low < 0.8 * wide.items
    assert wide.high > 1.3 * wide.items


def shared(design: Design, right: Mapping[str, list[list[int]]]) -> list[Score]:
    """Scores on one test set; of each arm and split, which items were got right."""
    scores = []
    for arm, setting in [("none", ""), ("classical_gan", "ratio=1")]:
        for split, row in enumerate(right[arm]):
            bits, classes = np.array(row, bool), np.array(design.fixed_test)
            value = float(np.mean([bits[classes == c].mean() for c in (0, 1)]))
            chosen = {"balanced_accuracy": 1.0 if setting else 0.0}
            packed = np.packbits(bits).tobytes().hex()
            test = {"balanced_accuracy": value}
            scores.append(Score(split, 0, arm, setting, "linear", 300, chosen, test, packed))
    return scores


SHARED = replace(
    DESIGN,
    arms=("none", "classical_gan"),
    learners=("linear",),
    seeds=1,
    splits=2,
    ratios=(0.0, 1.0),
    fixed_test=(0,) * 9 + (1,) * 3,
)


def test_a_shared_test_set_counts_its_items_by_class():
    """Two of nine items gain in both splits, so that the splits agree; but nine items are few."""
    none = [[1] * 5 + [0] * 4 + [1] * 3] * 2
    made = [[1] * 7 + [0] * 2 + [1] * 3] * 2
    gain = conclude(shared(SHARED, {"none": none, "classical_gan": made}), SHARED).decisive.gain
    assert gain.mean == pytest.approx(1 / 9)
    error = np.array([0] * 7 + [1] * 2).std(ddof=1) / 3 / 2
    assert gain.half == pytest.approx(2.306 * error, rel=1e-3)  # Student's of eight
    assert gain.item_share == pytest.approx(1)


def test_scores_that_do_not_say_which_items_were_right_are_refused():
    none = [[1] * 12] * 2
    scores = shared(SHARED, {"none": none, "classical_gan": none})
    with pytest.raises(DataError, match="0 bytes"):
        conclude([replace(s, right="") for s in scores], SHARED)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 0.0}, "width"),
        ({"width": math.nan}, "width"),
        ({"minimum": -0.01}, "least useful gain"),
        ({"minimum": math.nan}, "least useful gain"),
        ({"splits": 1}, "splits"),
        ({"arms": ("none",)}, "classical_gan"),
        ({"fixed_test": (0, 0, 1, 1), "metric": "macro_f1"}, "balanced_accuracy"),
        ({"fixed_test": (0, 0, 1)}, "one test item of the class 'b'"),
    ],
)
def test_a_design_that_cannot_be_judged_is_refused(change: dict, words: str):
    refuse_design(replace(DESIGN, fixed_test=(0, 0, 1, 1)))
    with pytest.raises(DataError, match=words):
        refuse_design(replace(DESIGN, **change))


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


def test_items_needed_by_hand():
    """Around zero the interval must halve to fit between the widths: four times the items, 500 now."""
    assert items_needed(Interval(0, -0.04, 0.04, 1), DESIGN) == 2000
    assert items_needed(Interval(0.03, -0.03, 0.09, 0.3), DESIGN) == 2000
    border = replace(DESIGN, minimum=0.05)
    assert items_needed(Interval(0.05, 0.04, 0.06, 0), border) is None


def test_items_needed_of_a_shared_test_set_by_hand():
    """A quarter of the variance may stay; if an eighth is of the splits, the items' 7/8 must become 1/8."""
    shared = replace(DESIGN, fixed_test=(0, 1) * 50)
    assert items_needed(Interval(0, -0.04, 0.04, 1, item_share=7 / 8), shared) == 700
    assert items_needed(Interval(0, -0.04, 0.04, 1, item_share=0.7), shared) is None


def test_holm_spans_arms_and_learners():
    found = concluded(0.80)
    against = [c for c in found.comparisons if c.against == "none"]
    assert len(against) == 2 * 4
    smallest = min(against, key=lambda c: c.gain.p)
    assert smallest.adjusted == pytest.approx(8 * smallest.gain.p)


@pytest.mark.parametrize(("fixed", "ratios"), [(True, {"0": 2}), (False, {"0": 1, "1": 1})])
def test_all_splits_choose_together_only_where_no_validation_item_judges(
    fixed: bool, ratios: dict[str, int]
) -> None:
    right = {"none": [[1, 0] * 6] * 2, "classical_gan": [[1] * 12] * 2}
    scores = shared(SHARED, right)
    chosen = {("none", 0): 0.5, ("none", 1): 0.9, ("classical_gan", 0): 0.6, ("classical_gan", 1): 0.7}
    scores = [replace(s, validation={"balanced_accuracy": chosen[s.arm, s.split]}) for s in scores]
    design = SHARED if fixed else replace(SHARED, fixed_test=())
    assert {k: n for k, n in conclude(scores, design).to_json()["ratios"].items() if n} == ratios
