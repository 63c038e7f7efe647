"""A conclusion in words: what was done to reach it, and what to do next."""

from __future__ import annotations

from .score import ARM_WORDS, METRIC_WORDS, Design
from .statistics import signed
from .verdict import Conclusion


def advice(conclusion: Conclusion, design: Design) -> list[str]:
    """What to do next, in sentences."""
    slope = conclusion.worth.slope or 0
    real = [f"Collect more real items if you can: twice as many would gain about {signed(slope)} points."]
    real = real if slope > 0 else []
    classical = f"rain with the best classical recipe alone: {conclusion.recipe}."
    if conclusion.verdict == "helps":
        ratio = max((r for r in conclusion.ratios if float(r) > 0), key=lambda r: conclusion.ratios[r])
        return [
            f"Train with generated samples, about {ratio} per real item, on top of: {conclusion.recipe}.",
            "Keep generated samples out of validation and test, and check the gain on later data.",
            *real,
        ]
    if conclusion.verdict == "hurts":
        look = (
            "Look at the samples with `tenfold evaluate`: wrong labels, copies or little variety are usual."
        )
        return [f"Do not add these samples. T{classical}", look, *real]
    if conclusion.verdict == "no evidence":
        others = (
            "Try what brings other knowledge: unlabelled items by pseudo-labels, or a pretrained network."
        )
        return [f"T{classical}", *real, others]
    return [f"Until it is clear, t{classical}", *_clearer(conclusion, design), *real]


def _clearer(conclusion: Conclusion, design: Design) -> list[str]:
    """How an unclear answer may become clear."""
    said = ["Repeat without `--quick`: more splits narrow the interval."] if design.quick else []
    if conclusion.more_items:
        said.append(
            f"Test on about {conclusion.more_items:,} more items in each split (now {design.test:,}). This "
            "is a rough guide: it supposes that the gain stays, and that there are more training items alike."
        )
    return said


def account(conclusion: Conclusion, design: Design) -> list[str]:
    """What was done, in sentences."""
    sizes = ", ".join(f"{name}: {n:,}" for name, n in zip(design.classes, design.counts, strict=True))
    rare = "" if design.rare_class is None else f" The rare class is {design.classes[design.rare_class]}."
    short = ["This was the short experiment: few splits, so that only large gains are seen."]
    return [
        f"Data: {sum(design.counts):,} {design.kind} in {len(design.classes)} classes ({sizes}).{rare}",
        f"{design.splits} splits into about {design.train:,} items to train on, {design.validation:,} to "
        f"choose settings on and {design.test:,} to judge on; GANs per split: {design.seeds}. "
        "GANs, filters and choices saw no test item.",
        f"Generator: {design.generator}. Ratios tried: {', '.join(f'{r:g}' for r in design.ratios)}.",
        f"Learners: {', '.join(design.learners)}. Arms: {', '.join(ARM_WORDS[arm] for arm in design.arms)}.",
        f"Measure: {METRIC_WORDS[design.metric]}. Least useful gain: {100 * design.minimum:g} points. "
        f"Differences up to {100 * design.width:g} points do not matter.",
        "Intervals are those of the corrected resampled t-test (Nadeau and Bengio, 2003): gains of the GANs "
        "of a split are averaged, and overlapping training sets are allowed for. The bootstrap draws splits, "
        "then GANs.",
        f"The comparison that decides was named beforehand: with the learner {conclusion.primary}, best "
        "classical plus GAN against best classical. So it is not adjusted; all others are, after Holm.",
        *(short if design.quick else []),
    ]
