from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tenfold.errors import DataError
from tenfold.proof.score import Design, Score, best_classical, choose, pooled

DESIGN = Design(
    kind="images",
    classes=("a", "b"),
    counts=(80, 20),
    train=60,
    validation=20,
    test=20,
    splits=5,
    seeds=2,
    ratios=(0.0, 0.5),
    learners=("linear",),
    arms=("none", "classical_gan"),
    metric="brier",
    minimum=0.0,
    width=0.02,
    generator="cgan",
    rare_class=None,
    quick=False,
)


def scored(arm: str, validation: float, setting: str = "", metric: str = "macro_f1") -> Score:
    return Score(0, 0, arm, setting, "linear", 60, {metric: validation}, {metric: 0.0})


def test_scores_and_designs_survive_json():
    score = replace(scored("gan", 0.5, "ratio=0.25"), right="f0")
    assert Score.from_json(json.loads(json.dumps(score.to_json()))) == score
    design = replace(DESIGN, fixed_test=(0, 1), trained_here=False)
    assert Design.from_json(json.loads(json.dumps(design.to_json()))) == design


def test_a_record_of_another_version_is_refused():
    with pytest.raises(DataError, match=r"lacks.*items.*steps"):
        Score.from_json(
            {k: v for k, v in scored("gan", 0.5).to_json().items() if k != "items"} | {"steps": 1}
        )


def test_the_best_on_validation_is_chosen_and_the_first_of_equal_ones():
    scores = [scored("gan", value, setting) for setting, value in [("a", 0.5), ("b", 0.7), ("c", 0.7)]]
    assert choose(scores, "macro_f1").setting == "b"
    less = [scored("gan", value, setting, "brier") for setting, value in [("a", 0.5), ("b", 0.2)]]
    assert choose(less, "brier").setting == "b"
    with pytest.raises(DataError, match="no score"):
        choose([], "macro_f1")


def test_the_best_classical_arm_is_the_simpler_of_equal_ones_and_never_a_gan():
    scores = [scored("gan", 0.9), scored("smote", 0.7), scored("augmentation", 0.7), scored("none", 0.6)]
    assert best_classical(scores, "macro_f1").arm == "augmentation"


@pytest.mark.parametrize(
    ("setting", "ratio"), [("", 0), ("shift=2", 0), ("ratio=5", 5), ("a=1+ratio=0.25", 0.25)]
)
def test_the_ratio_is_read_off_the_setting(setting: str, ratio: float):
    assert scored("classical_gan", 0, setting).ratio == ratio


def test_pooled_values_are_those_of_all_splits_of_the_same_arm_and_setting():
    scores = [
        replace(scored("gan", value, setting), split=split)
        for split, setting, value in [(0, "a", 0.9), (0, "b", 0.8), (1, "a", 0.2), (1, "b", 0.6)]
    ]
    found = {(s.split, s.setting): s for s in pooled(scores)}
    assert [found[k].validation["macro_f1"] for k in [(0, "a"), (1, "a")]] == pytest.approx([0.55, 0.55])
    assert [found[k].validation["macro_f1"] for k in [(0, "b"), (1, "b")]] == pytest.approx([0.7, 0.7])
    assert all(s.test == scores[0].test for s in found.values())
