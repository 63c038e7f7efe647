"""An experiment as a page: the answer, what it rests on, what was done, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..report.page import Html, Tone, badge, figure, page, points, section, table, text, warning
from .advice import account, advice
from .figures import forest, learning_curve, ratio_curve
from .picks import Picks
from .score import ARM_WORDS, METRIC_WORDS, Design, Score
from .statistics import Interval, signed
from .verdict import Comparison, Conclusion, Verdict

_TONES: dict[Verdict, Tone] = {
    "helps": "good",
    "hurts": "bad",
    "no evidence": "neutral",
    "unclear": "neutral",
}


def write_report(
    conclusion: Conclusion,
    scores: Sequence[Score],
    design: Design,
    path: Path,
    generators: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Writes the page, which needs nothing beside it.

    Args:
        conclusion: of the scores.
        scores: of the whole experiment.
        design: of the experiment.
        path: of the HTML file; replaced if it exists.
        generators: what was made and kept in each split, as the lines of `generators.jsonl` tell.
    """
    picks = Picks(scores, design)
    sections = [
        badge(conclusion.verdict, _TONES[conclusion.verdict]),
        *(warning(f"{words} Do not rely on the verdict.") for words in conclusion.alarms),
        text(conclusion.sentence),
        *map(text, conclusion.remarks),
        text(conclusion.worth.words),
        section("What to do next", [points(advice(conclusion, design))]),
        section("What decides", _decides(conclusion, design)),
        section("Every arm", _arms(conclusion, design)),
        section("How many samples to add", _ratios(conclusion, picks)),
        section("What real items would bring", _learning(conclusion, picks)),
        section("Controls", _controls(conclusion)),
        *([section("What the generators made", _made(generators))] if generators else []),
        section("Other measures", [_measures(picks, conclusion.primary)]),
        section("What was done", [points(account(conclusion, design))]),
    ]
    path.write_text(page("Do generated samples help?", sections), encoding="utf-8")


def ranged(gain: Interval) -> str:
    """A gain in points with its interval.

    Example:
        >>> ranged(Interval(0.01, -0.02, 0.04, 0.5))
        '+1.0 (-2.0 to +4.0)'
    """
    return f"{signed(gain.mean)} ({signed(gain.low)} to {signed(gain.high)})"


def _decides(conclusion: Conclusion, design: Design) -> list[Html]:
    rows = [c for c in conclusion.comparisons if (c.arm, c.against) == ("classical_gan", "best_classical")]
    cells = [
        (
            c.learner,
            _value(c),
            ranged(c.gain),
            f"{signed(c.bootstrap[0])} to {signed(c.bootstrap[1])}",
            " ".join(signed(gain) for gain in c.by_split),
        )
        for c in rows
    ]
    head = ("learner", METRIC_WORDS[design.metric], "gain (95 % interval)", "bootstrap", "gain in each split")
    label = "gain of best classical plus GAN over best classical, in points"
    return [
        text(
            "The best classical recipe plus GAN samples against the best classical recipe alone. The learner "
            f"that decides is {conclusion.primary}: without a GAN it was the best on validation. The others "
            "stand beside it."
        ),
        figure(
            forest(rows, design, conclusion.primary, label),
            "Each learner's gain on the test items with its 95 % interval. Differences in the grey band do "
            "not matter.",
        ),
        table(head, cells, strong=[c.learner for c in rows].index(conclusion.primary)),
    ]


def _value(comparison: Comparison) -> str:
    return f"{comparison.value:.3f}"


def _arms(conclusion: Conclusion, design: Design) -> list[Html]:
    found = {(c.arm, c.learner, c.against): c for c in conclusion.comparisons}
    against_none = [c for c in conclusion.comparisons if c.against == "none"]
    against_none.sort(key=lambda c: design.learners.index(c.learner))
    arms = ["none", *dict.fromkeys(c.arm for c in against_none)]
    rows = [_row(arm, learner, found) for learner in design.learners for arm in arms]
    head = ("arm", "learner", METRIC_WORDS[design.metric], "against none", "p", "against best classical", "p")
    return [
        figure(
            forest(against_none, design, conclusion.primary, "gain over no augmentation, in points"),
            "Every arm against no augmentation. A gain here does not show that a GAN is needed: compare with "
            "the best classical arm.",
        ),
        table(
            head,
            rows,
            "Gains in points with 95 % intervals; p adjusted after Holm over all arms and learners.",
        ),
    ]


def _row(arm: str, learner: str, found: dict[tuple[str, str, str], Comparison]) -> list[str]:
    cells = []
    for against in ("none", "best_classical"):
        c = found.get((arm, learner, against))
        cells += ["", ""] if c is None else [ranged(c.gain), _p(c.adjusted)]
    value = next(_value(c) for key, c in found.items() if key[:2] == (arm, learner))
    return [ARM_WORDS[arm], learner, value, *cells]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _ratios(conclusion: Conclusion, picks: Picks) -> list[Html]:
    drawn = ratio_curve(picks)
    caption = (
        "The gain on the test items over the ratio, with 95 % intervals. Only to be looked at: which ratio "
        "is taken was decided on validation, or the curve's highest point would flatter."
    )
    times = table(
        ("generated items per real one", *conclusion.ratios),
        [("times chosen", *map(str, conclusion.ratios.values()))],
        f"Chosen on validation by {conclusion.primary}, once per split and GAN; 0 means none was wanted.",
    )
    return [*([figure(drawn, caption)] if drawn else []), times]


def _learning(conclusion: Conclusion, picks: Picks) -> list[Html]:
    drawn = learning_curve(picks, conclusion)
    caption = f"{conclusion.primary}: mean on the test items over the number of real training items."
    return [text(conclusion.worth.words), *([figure(drawn, caption)] if drawn else [])]


def _controls(conclusion: Conclusion) -> list[Html]:
    if not conclusion.controls:
        return [warning("No controls were run: nothing shows that the experiment can find a known answer.")]
    rows = [(ARM_WORDS[c.arm], c.learner, ranged(c.gain), c.state, c.reading) for c in conclusion.controls]
    head = ("control", "learner", "gain in points", "state", "reading")
    lead = (
        "Arms whose answer is known. If one misbehaves, the experiment is wrong, whatever it says. Real "
        "items held back are a point of the learning curve: all training items against half of them."
    )
    return [text(lead), table(head, rows, words=True)]


def generator_remarks(generators: Sequence[Mapping[str, Any]]) -> list[str]:
    """What went wrong when items were made or filtered, a sentence for each kind; nothing if nothing did.

    Args:
        generators: the lines of `generators.jsonl`.

    Example:
        >>> generator_remarks([{"split": 0, "seed": 1, "wanted": [5, 5], "made": [5, 2]}])
        ['The generator made too few items in 1 of 1 cases (first split 1, seed 2: 7 of 10).']
    """
    found: dict[str, list[str]] = {}
    for line in generators:
        for problem, detail in _problems(line):
            place = f"split {line['split'] + 1}, seed {line['seed'] + 1}: {detail}"
            found.setdefault(problem, []).append(place)
    return [
        f"{problem} in {len(places)} of {len(generators)} cases (first {places[0]})."
        for problem, places in found.items()
    ]


def peer_remarks(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same of other people's generators, each by its name.

    Args:
        lines: those of `peers.jsonl`.
    """
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        by_name.setdefault(line["generator"], []).append(line)
    return [f"Of {name}: {remark}" for name, own in by_name.items() for remark in generator_remarks(own)]


def _problems(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What went wrong once, and its details."""
    screened, health = line.get("filter") or {}, line.get("facts", {}).get("health") or {}
    if any(made < wanted for made, wanted in zip(line["made"], line["wanted"], strict=True)):
        yield "The generator made too few items", f"{sum(line['made']):,} of {sum(line['wanted']):,}"
    if health.get("verdict", "learning") != "learning":
        yield "The GAN's training did not end well", f"{health['verdict']}, {health.get('why', '')}"
    if "failed" in screened:
        yield "The filter failed, and nothing was filtered out,", str(screened["failed"]).rstrip(".")
    fallen = [note for note in screened.get("notes", ()) if "kept all the same" in note]
    if fallen:
        yield "The filter kept items that did not pass", fallen[0].rstrip(".")


def _made(generators: Sequence[Mapping[str, Any]]) -> list[Html]:
    """What each generator made, and what the filter kept of it."""
    names = list(
        dict.fromkeys(n for line in generators for n in (line.get("filter") or {}).get("by_filter", ()))
    )
    rows = [_made_row(line, names) for line in generators]
    head = ("split", "seed", "made of wanted", "run health", "kept", *names, "coverage before", "after")
    caption = (
        "Kept is the share that passed every filter, beside it the share that passed each; coverage is the "
        "share of real items with a made one nearby, before and after filtering. Classes that would be left "
        "without items keep a few that did not pass."
    )
    return [*map(text, generator_remarks(generators)), table(head, rows, caption)]


def _made_row(line: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    screened = line.get("filter") or {}
    by_filter, coverage = screened.get("by_filter", {}), screened.get("coverage", (None, None))
    health = (line.get("facts", {}).get("health") or {}).get("verdict", "")
    made = f"{sum(line['made']):,} of {sum(line['wanted']):,}"
    kept = "failed" if "failed" in screened else _share(screened.get("share"))
    shares = [_share(value) for value in (*(by_filter.get(name) for name in names), *coverage)]
    return [str(line["split"] + 1), str(line["seed"] + 1), made, health, kept, *shares]


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _measures(picks: Picks, learner: str) -> Html:
    """Every measure of every arm for the learner that decides."""
    arms = [*dict.fromkeys([*picks.design.arms, "best_classical"])]
    grids = {arm: [score for seeds in picks.grid(arm, learner) for score in seeds] for arm in arms}
    names = [
        name
        for name in METRIC_WORDS
        if all(name in score.test for scores in grids.values() for score in scores)
    ]
    rows = [
        (ARM_WORDS[arm], *(f"{sum(s.test[name] for s in scores) / len(scores):.3f}" for name in names))
        for arm, scores in grids.items()
    ]
    head = ("arm", *(METRIC_WORDS[name].removeprefix("the ") for name in names))
    return table(
        head,
        rows,
        f"{learner}, means on the test items; of Brier score and calibration error less is better.",
    )
