"""What an experiment says: whether adding generated samples helps, and by how much."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import DataError
from .controls import Control, controls
from .picks import Picks
from .score import ARM_WORDS, CLASSICAL, CONTROLS, CURVE, LOWER_IS_BETTER, METRIC_WORDS, Design, Score
from .statistics import Interval, bootstrap_interval, holm, signed, split_means
from .worth import Worth, worth

Verdict = Literal["helps", "no evidence", "hurts", "unclear"]


@dataclass(frozen=True)
class Comparison:
    """How much better one arm is than another with one learner.

    Attributes:
        arm: the one.
        against: the other.
        learner: the kind of classifier.
        value: the arm's mean on the test items.
        gain: how much better it is; positive is better, whatever the measure.
        bootstrap: another interval, which decides nothing.
        adjusted: p-value after Holm, over all arms and learners with the same other arm.
        by_split: gains of the splits, seeds averaged.
    """

    arm: str
    against: str
    learner: str
    value: float
    gain: Interval
    bootstrap: tuple[float, float]
    adjusted: float
    by_split: tuple[float, ...]


@dataclass(frozen=True)
class Conclusion:
    """The answer, and all that it rests on.

    Attributes:
        verdict: of best classical plus GAN against best classical, on the test items.
        sentence: the answer for a person.
        primary: the learner that decides, chosen without the test items.
        recipe: the best classical arm and setting that was chosen most often.
        decisive: the comparison that decides; it was named before, hence not adjusted for being many.
        comparisons: of every arm with none and with the best classical one, for every learner.
        controls: arms whose answer is known.
        ratios: how often each ratio of generated to real items was chosen, by the primary learner.
        worth: the gain in real items.
        items_needed: how many items in all (test items, if all splits share them) might settle it, if it is
            unclear; None if no number would.
        remarks: what else a reader should know.
    """

    verdict: Verdict
    sentence: str
    primary: str
    recipe: str
    decisive: Comparison
    comparisons: tuple[Comparison, ...]
    controls: tuple[Control, ...]
    ratios: Mapping[str, int]
    worth: Worth
    items_needed: int | None
    remarks: tuple[str, ...]

    @property
    def alarms(self) -> list[str]:
        """Controls that misbehave: then nothing else can be relied on."""
        return [c.words for c in self.controls if c.state == "misbehaves"]

    def lines(self) -> list[str]:
        """The answer for a terminal."""
        loud = [f"WARNING: {words} Do not rely on the verdict." for words in self.alarms]
        return [f"Verdict: {self.verdict}.", self.sentence, *loud, *self.remarks, self.worth.words]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def conclude(scores: Sequence[Score], design: Design) -> Conclusion:
    """Draws the conclusion of a finished experiment.

    Every arm's setting, the best classical arm and the learner that decides are chosen on validation; the
    test items only judge. What decides is the gain of the best classical arm plus GAN over the best classical
    arm.

    - helps: the interval lies above the least useful gain.
    - hurts: it lies below zero.
    - no evidence: it lies within the differences that do not matter.
    - unclear: it is too wide to say.

    Raises:
        DataError: if scores are missing, there are fewer than two splits, or the design cannot be judged.
    """
    refuse_design(design)
    picks = Picks(scores, design)
    primary = picks.primary()
    known = tuple(c for learner in design.learners for c in controls(picks, learner))
    comparisons = [c for against in ("none", "best_classical") for c in _compared(picks, against)]
    decisive = _found(comparisons, "classical_gan", "best_classical", primary)
    verdict = judge(decisive.gain, design.minimum, design.width)
    needed = items_needed(decisive.gain, design) if verdict == "unclear" else None
    ratios = _ratios(picks, primary)
    recipe = _recipe(picks, primary)
    wanted = any(times for ratio, times in ratios.items() if float(ratio) > 0)
    return Conclusion(
        verdict=verdict,
        sentence=_sentence(verdict, decisive.gain, recipe, design, needed) if wanted else _unwanted(recipe),
        primary=primary,
        recipe=recipe,
        decisive=decisive,
        comparisons=tuple(comparisons),
        controls=known,
        ratios=ratios,
        worth=worth(picks, primary),
        items_needed=needed,
        remarks=tuple(_all_remarks(comparisons, decisive, known, ratios, design)),
    )


def refuse_design(design: Design) -> None:
    """Raises a DataError if no conclusion could be drawn, whatever the scores: ask before they are made."""
    lacking = {"none", "classical_gan"} - set(design.arms)
    if lacking or design.splits < 2:
        raise DataError(
            f"Found a design of {design.splits} splits without {sorted(lacking)}, expected at least two "
            "splits and the arms none and classical_gan. Change the design."
        )
    usable = math.isfinite(design.minimum) and math.isfinite(design.width)
    if not usable or design.minimum < 0 or design.width <= 0:
        raise DataError(
            f"Found a least useful gain of {design.minimum} and a width of {design.width}; expected a least "
            "gain from 0 and a width above 0, both as shares (0.02 is two points). Change them."
        )
    if design.fixed_test:
        _refuse_fixed(design)


def _refuse_fixed(design: Design) -> None:
    if design.metric != "balanced_accuracy":
        raise DataError(
            f"Found the metric {design.metric!r} with a test set that all splits share; only "
            "balanced_accuracy has an interval there that counts the luck of these items. Let "
            "balanced_accuracy decide (the others are reported all the same), or give no test set."
        )
    single = [name for k, name in enumerate(design.classes) if design.fixed_test.count(k) == 1]
    if single:
        raise DataError(
            f"Found one test item of the class {single[0]!r}, expected at least two of each: one does not "
            "show how much items differ. Add test items."
        )


def judge(gain: Interval, minimum: float, width: float) -> Verdict:
    """The verdict on a gain.

    Args:
        gain: with its interval.
        minimum: the least gain that is useful.
        width: gains and losses up to this one do not matter.

    Example:
        >>> judge(Interval(0.03, 0.01, 0.05, 0.01), minimum=0.0, width=0.02)
        'helps'
    """
    if gain.low > minimum:
        return "helps"
    if gain.high < 0:
        return "hurts"
    # A gain that is too small to be useful does not matter either.
    within = gain.low >= -width and gain.high <= max(width, minimum)
    return "no evidence" if within else "unclear"


def items_needed(gain: Interval, design: Design) -> int | None:
    """How many items in all might settle an unclear gain; None if no number would.

    It supposes that the mean stays, and that the items' share of the variance falls with one over their
    number. With rotating test parts that is the whole variance, of all items together; with a test set that
    all splits share, it is that of the test items alone. So it is a rough guide.
    """
    room = min(max(design.width, design.minimum) - gain.mean, gain.mean + design.width)
    target = max(gain.mean - design.minimum, -gain.mean, room)
    if target <= 0 or gain.half <= target:
        return None
    left = (target / gain.half) ** 2 - (1 - gain.item_share)
    if left <= 0:
        return None
    needed = (len(design.fixed_test) or sum(design.counts)) * gain.item_share / left
    digits = max(0, math.floor(math.log10(needed)) - 1)
    return math.ceil(round(needed / 10**digits, 6)) * 10**digits


def _compared(picks: Picks, against: str) -> list[Comparison]:
    """Every arm that is no control against one, for every learner, with Holm over all of them."""
    design = picks.design
    arms = [a for a in design.arms if a not in (*CURVE, *CONTROLS)]
    arms.insert(sum(a in CLASSICAL for a in arms), "best_classical")
    pairs = [(arm, learner) for learner in design.learners for arm in arms if arm != against]
    terms = [picks.terms(arm, against, learner) for arm, learner in pairs]
    gains, intervals = [picks.gains(one) for one in terms], [picks.interval(one) for one in terms]
    adjusted = holm([interval.p for interval in intervals])
    return [
        Comparison(
            arm,
            against,
            learner,
            picks.mean(arm, learner),
            interval,
            bootstrap_interval(gain, 0),
            p,
            by_split,
        )
        for (arm, learner), gain, interval, p in zip(pairs, gains, intervals, adjusted, strict=True)
        for by_split in [tuple(split_means(gain).tolist())]
    ]


def _found(comparisons: Iterable[Comparison], arm: str, against: str, learner: str) -> Comparison:
    return next(c for c in comparisons if (c.arm, c.against, c.learner) == (arm, against, learner))


def _ratios(picks: Picks, learner: str) -> dict[str, int]:
    chosen = Counter(score.ratio for seeds in picks.grid("classical_gan", learner) for score in seeds)
    return {f"{ratio:g}": chosen[ratio] for ratio in sorted({0.0, *picks.design.ratios, *chosen})}


def _recipe(picks: Picks, learner: str) -> str:
    best = [score for seeds in picks.grid("best_classical", learner) for score in seeds]
    (arm, setting), _ = Counter((score.arm, score.setting) for score in best).most_common(1)[0]
    return ARM_WORDS[arm] + (f", {setting}" if setting and arm != "none" else "")


def _sentence(verdict: Verdict, gain: Interval, recipe: str, design: Design, needed: int | None) -> str:
    ending = {
        "helps": "it helps"
        + (f" by more than the {100 * design.minimum:g} points asked for" if design.minimum else ""),
        "hurts": "it hurts",
        "no evidence": "no evidence that it helps",
        "unclear": "unclear, as the interval reaches beyond "
        f"±{100 * design.width:g} points"
        + (f"; about {needed:,} {_kind(design)} in all might settle it" if needed else ""),
    }[verdict]
    verb = "lowers" if design.metric in LOWER_IS_BETTER else "changes"
    return (
        f"Adding GAN samples to the best classical recipe ({recipe}) {verb} {METRIC_WORDS[design.metric]} by "
        f"{signed(gain.mean)} points (95 % interval {signed(gain.low)} to {signed(gain.high)}): {ending}."
    )


def _kind(design: Design) -> str:
    return "test items" if design.fixed_test else "items"


def _unwanted(recipe: str) -> str:
    return (
        f"Adding GAN samples to the best classical recipe ({recipe}) was chosen in no split, as it was no "
        "better on validation at any ratio: no evidence that it helps."
    )


def _all_remarks(
    comparisons: Sequence[Comparison],
    decisive: Comparison,
    known: Sequence[Control],
    ratios: Mapping[str, int],
    design: Design,
) -> Iterable[str]:
    yield from _remarks(comparisons, decisive)
    yield from _doubts(comparisons, decisive, known)
    yield from _edge(ratios, design)
    yield from _unlabelled(comparisons, decisive, design)


def _remarks(comparisons: Sequence[Comparison], decisive: Comparison) -> list[str]:
    if all(c.arm != "gan" for c in comparisons):
        return []
    weak = _found(comparisons, "gan", "none", decisive.learner).gain
    if weak.low == weak.high == 0:
        return ["Without any augmentation, too, GAN samples changed nothing or were chosen in no split."]
    flatters = weak.low > 0 and weak.mean > decisive.gain.mean
    return [
        f"Against no augmentation at all, GAN samples gain {signed(weak.mean)} points (95 % interval "
        f"{signed(weak.low)} to {signed(weak.high)})" + (": a weak baseline flatters." if flatters else ".")
    ]


def _doubts(
    comparisons: Sequence[Comparison], decisive: Comparison, known: Sequence[Control]
) -> Iterable[str]:
    """What a gain over the best classical recipe may owe to other things than new samples."""
    base = _found(comparisons, "best_classical", "none", decisive.learner).gain
    if base.high < 0:
        yield (
            "The classical recipe that was chosen on validation is worse on the test items than none "
            f"({signed(base.mean)} points, 95 % interval {signed(base.low)} to {signed(base.high)}): gains "
            "over it flatter."
        )
    for control in known:
        copies, gain = control.gain, decisive.gain
        mine = (control.arm, control.learner) == ("control_copies", decisive.learner)
        if mine and copies.low > 0 and 0 < gain.mean <= copies.mean:
            yield (
                f"Copies of the training items alone gain {signed(copies.mean)} points with this learner, no "
                "less than the samples do."
            )


def _edge(ratios: Mapping[str, int], design: Design) -> Iterable[str]:
    """Whether the largest ratio that was tried is the one that is mostly chosen."""
    most = f"{max(design.ratios):g}"
    if len(design.ratios) > 1 and ratios.get(most, 0) > sum(ratios.values()) / 2:
        yield f"Mostly the largest ratio was chosen, {most} made items per real one: more might gain more."


def _unlabelled(comparisons: Sequence[Comparison], decisive: Comparison, design: Design) -> list[str]:
    """What the same unlabelled items bring without a GAN: they, and not the GAN, may be what helps."""
    if "pseudo_labels" not in design.arms:
        return []
    plain = _found(comparisons, "pseudo_labels", "best_classical", decisive.learner).gain
    learnt = "The GANs also learnt from the unlabelled items. " if design.trained_here else ""
    return [
        f"{learnt}Pseudo-labels, which use unlabelled items without a GAN, differ from the best classical "
        f"recipe by {signed(plain.mean)} points (95 % interval {signed(plain.low)} to {signed(plain.high)})."
    ]
