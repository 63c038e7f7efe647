"""A conclusion in words: what was done to reach it, and what to do next."""

from __future__ import annotations

from .score import ARM_WORDS, METRIC_WORDS, Design
from .statistics import signed
from .verdict import Conclusion


def advice(conclusion: Conclusion, design: Design) -> list[str]:
    """What to do next, in sentences."""
    slope, real = conclusion.worth.slope, []
    if slope is not None and slope.low > 0:
        real = [
            "Collect more real items if you can: twice as many would gain about "
            f"{signed(slope.mean)} points without augmentation."
        ]
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
    needed, rough = conclusion.items_needed, "This is a rough guide: it supposes that the gain stays."
    if needed and design.fixed_test:
        said.append(f"Judge on about {needed:,} test items (now {len(design.fixed_test):,}). {rough}")
    elif needed:
        said.append(
            f"Collect about {needed:,} items in all, to train on, to choose with and to judge on (now "
            f"{sum(design.counts):,}). {rough}"
        )
    elif design.fixed_test:
        said.append("More test items alone would not settle it: the splits differ too much, or it is close.")
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
        + _seen(design),
        f"Generator: {design.generator}. Ratios tried: {', '.join(f'{r:g}' for r in design.ratios)}.",
        *([_ONE] if design.one_generator else []),
        f"Learners: {', '.join(design.learners)}. Arms: {', '.join(ARM_WORDS[arm] for arm in design.arms)}.",
        f"Measure: {METRIC_WORDS[design.metric]}. Least useful gain: {100 * design.minimum:g} points. "
        f"Differences up to {100 * design.width:g} points do not matter.",
        _SHARED if design.fixed_test else _ROTATING,
        f"The comparison that decides was named beforehand: with the learner {conclusion.primary}, best "
        "classical plus GAN against best classical. So it is not adjusted; all others are, after Holm.",
        *(short if design.quick else []),
    ]


def _seen(design: Design) -> str:
    if design.trained_here and "pseudo_labels" in design.arms:
        return (
            "Filters and choices saw no test item. GANs saw unlabelled items, too; these are no copies of "
            "test items, and not nearer to them than new items are, but what else they share cannot be known."
        )
    if design.trained_here:
        return "GANs, filters and choices saw no test item."
    return (
        "Filters and choices saw no test item. The generator was not trained within the splits: whether it "
        "saw test items, or others of the same origin, cannot be known from here. If it did, the gain is too "
        "high."
    )


_ONE = (
    "There is one generator for all splits. The interval does not count how much another training of it "
    "would differ: the answer is about this one."
)
_ROTATING = (
    "Intervals are those of the corrected resampled t-test (Nadeau and Bengio, 2003): gains of the GANs of "
    "a split are averaged, and overlapping training sets are allowed for. The bootstrap draws splits, then "
    "GANs."
)
_SHARED = (
    "All splits are judged on the same test items. Intervals add how much the splits differ and how much "
    "the test items do (Welch and Satterthwaite); gains of the GANs of a split are averaged. They are about "
    "other test items, with training sets drawn from these training items. The bootstrap draws splits, then "
    "GANs, but no test items: it is too narrow."
)
