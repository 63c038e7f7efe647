from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold.proof.advice import account, advice
from tenfold.proof.figures import ratio_curve
from tenfold.proof.picks import Picks
from tenfold.proof.report import generator_remarks, write_report
from tenfold.proof.score import GENERATED, Design, Score
from tenfold.proof.verdict import Conclusion, conclude

DESIGN = Design(
    kind="images",
    classes=("<cat>", "dog"),
    counts=(90, 10),
    train=60,
    validation=20,
    test=20,
    splits=3,
    seeds=1,
    ratios=(0.0, 0.5, 2.0),
    learners=("linear", "trees"),
    arms=("none", "augmentation", "gan", "classical_gan", "real_25", "real_50", "control_copies"),
    metric="macro_f1",
    minimum=0.0,
    width=0.02,
    generator="cgan",
    rare_class=1,
    quick=True,
)
LEVELS = {
    "none": 0.7,
    "augmentation": 0.8,
    "gan": 0.75,
    "real_25": 0.6,
    "real_50": 0.65,
    "control_copies": 0.7,
}
ITEMS = {"real_25": 15, "real_50": 30}


def experiment(gan: float, design: Design = DESIGN, noise: float = 0.001) -> tuple[Conclusion, list[Score]]:
    draw, scores = np.random.default_rng(0), []
    levels = LEVELS | {"classical_gan": gan}
    for arm in design.arms:
        for ratio in (0.5, 2.0) if arm in GENERATED else (0.0,):
            for learner in design.learners:
                for split in range(3):
                    level = levels[arm] - 0.1 * (ratio == 2.0)
                    validation = {"macro_f1": level + (arm == "classical_gan"), "brier": 0.1}
                    test = {"macro_f1": level + draw.normal(0, noise), "brier": 0.1}
                    setting = f"shift=1+ratio={ratio:g}" if ratio else ""
                    scores.append(
                        Score(split, 0, arm, setting, learner, ITEMS.get(arm, 60), validation, test)
                    )
    return conclude(scores, design), scores


def test_the_report_holds_the_answer_and_what_it_rests_on(tmp_path: Path):
    conclusion, scores = experiment(0.85)
    write_report(conclusion, scores, DESIGN, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<span class="badge good">helps</span>' in html
    assert "+5.0" in html and "best classical plus GAN" in html
    assert html.count("data:image/png") == 4
    assert "&lt;cat&gt;: 90" in html and "<cat>" not in html
    assert "Brier score" in html and not re.search(r"https?:", html)
    assert 'class="warning"' not in html


def test_a_small_experiment_has_a_report_too(tmp_path: Path):
    """Neither controls nor a learning curve, and a single ratio."""
    small = replace(DESIGN, arms=("none", "classical_gan"), ratios=(0.0, 0.5))
    conclusion, scores = experiment(0.6, small)
    write_report(conclusion, scores, small, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<span class="badge bad">hurts</span>' in html
    assert html.count("data:image/png") == 2
    assert "No controls were run" in html


@pytest.mark.parametrize(
    ("gan", "noise", "words"),
    [
        (0.85, 0.001, "about 0.5 per real item"),
        (0.75, 0.001, "Do not add"),
        (0.80, 0.001, "best classical recipe alone"),
        (0.80, 0.1, "items in all, to train on, to choose with and to judge on (now 100)"),
    ],
)
def test_what_to_do_next_follows_from_the_verdict(gan: float, noise: float, words: str):
    conclusion, _ = experiment(gan, noise=noise)
    assert words in " ".join(advice(conclusion, DESIGN))


def test_what_was_done_is_told():
    told = " ".join(account(experiment(0.8)[0], DESIGN))
    assert "100 images in 2 classes" in told and "short experiment" in told
    assert "The rare class is dog." in told


def test_what_a_generator_saw_is_certified_only_if_it_was_trained_here():
    conclusion, _ = experiment(0.8)
    assert "GANs, filters and choices saw no test item" in " ".join(account(conclusion, DESIGN))
    told = " ".join(account(conclusion, replace(DESIGN, trained_here=False, one_generator=True)))
    assert "cannot be known" in told and "GANs, filters and choices" not in told
    assert "about this one" in told


MADE = {
    "split": 1,
    "seed": 0,
    "generator": "recipe cgan",
    "wanted": [50, 50],
    "made": [50, 20],
    "facts": {"health": {"verdict": "collapsed", "why": "samples are alike"}},
    "filter": {
        "share": 0.4,
        "by_filter": {"confidence": 0.6, "copies": 0.7},
        "notes": ["no sample of class 0 passed all filters; the best 5 are kept all the same"],
        "coverage": [0.55, None],
    },
}
FINE = MADE | {
    "split": 0,
    "made": [50, 50],
    "facts": {},
    "filter": {"share": 0.9, "by_filter": {}, "notes": []},
}


def test_the_report_tells_what_each_generator_made(tmp_path: Path):
    conclusion, scores = experiment(0.85)
    write_report(conclusion, scores, DESIGN, tmp_path / "report.html", [FINE, MADE])
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    row = ["2", "1", "70 of 100", "collapsed", "40.0 %", "60.0 %", "70.0 %", "55.0 %", ""]
    assert "".join(f"<td>{cell}</td>" for cell in row) in html
    assert "did not end well in 1 of 2 cases (first split 2, seed 1: collapsed" in html


def test_failures_of_generators_and_filters_are_remarks():
    failed = FINE | {"filter": {"failed": "too few items."}}
    assert generator_remarks([FINE]) == []
    words = generator_remarks([FINE, MADE, failed])
    assert [w.split(" in 1 of 3")[0] for w in words] == [
        "The generator made too few items",
        "The GAN's training did not end well",
        "The filter kept items that did not pass",
        "The filter failed, and nothing was filtered out,",
    ]


def test_the_ratio_curve_shows_the_gain_at_each_ratio():
    _, scores = experiment(0.85)
    drawn = ratio_curve(Picks(scores, DESIGN))
    assert drawn is not None
    line = next(line for line in drawn.axes[0].get_lines() if "best classical plus" in str(line.get_label()))
    assert np.asarray(line.get_ydata()) == pytest.approx([0, 5, -5], abs=0.3)
