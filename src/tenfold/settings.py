"""Settings that follow from the data: each a rule, with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TypeVar

from .data.spec import DataSpec
from .recipe import Choice, Recipe

R = TypeVar("R", bound=Recipe)
Rule = Callable[[DataSpec, Mapping[str, object]], tuple[object, str]]
"""The data, and the recipe's other settings as far as they are settled, to a value and the reason for it.

Among the settings is `budget_s`, the seconds the run may take, if that is known.

Without a reason the setting plays no part.
"""

FEW, SOME, MANY, ENOUGH = 100, 2_000, 30_000, 70_000  # images
CAPTIONED = 10_000  # images with captions, beyond which short runs show none often
MOST, LITTLE = 0.8, 0.2  # caps of ada, where there are fewer or many images
LECAM = 0.05  # not the paper's .3, which is made for the hinge's logits
FINEST = 32  # pixels of the longer side that the full width is for
TINY = 16  # pixels, up to which wider is no slower, and a part cut out is much of a picture
FULL, THINNEST, NARROWING = 48, 24, 128  # channels at the finest size; at the coarsest
R1_PER_PIXEL = 2e-4  # for batches of one
BOTH_PER_NUMBER = 1.25e-4  # of what a picture consists of
USUAL_S = 600  # for which these are the channels
STEPS = 312  # after which an old state of the generator counts half: 10,000 samples in batches of 32


def resolve(recipe: R, spec: DataSpec, budget_s: float | None = None) -> tuple[R, list[Choice]]:
    """The recipe with every setting that was left at auto, and why each is what it is.

    Args:
        recipe: of which some fields may be "auto".
        spec: what is known of the data.
        budget_s: seconds the run may take; None if it is not bound by time.
    """
    chosen: list[Choice] = []
    for name, rule in RULES.items():
        settled = {f.name: getattr(recipe, f.name) for f in fields(recipe)} | {"budget_s": budget_s}
        if settled.get(name) == "auto":
            value, reason = rule(spec, settled)
            if name == "augment" and value not in recipe.augments:
                value = "diffaugment" if spec.pictures else "none"
            recipe = replace(recipe, **{name: value})
            chosen += [Choice(name, value, reason)] if reason else []
    return recipe, chosen


def augment(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """What D sees, by the number of images."""
    n = spec.count
    if not spec.pictures:
        return "none", "it works on images"
    if n < FEW and not spec.classes and max(spec.shape[1:]) > TINY:
        return "diffaugment", f"{n} images: D knows them by heart before ada would have begun"
    if n <= (CAPTIONED if spec.kind == "captioned" else ENOUGH):
        return "ada", f"{n} images: D would learn them by heart"
    return "none", f"{n} images are enough"


def augment_most(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """How far adaptive augmentation may go."""
    used = settled["augment"] == "ada"
    if spec.count <= MANY:
        return MOST, "the paper's; beyond it changes show in samples" * used
    return LITTLE, f"{spec.count} images need little, and more would hurt" * used


def lecam(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """How strongly D's logits are held together."""
    if spec.count <= SOME:
        return LECAM, f"{spec.count} images: it complements augmentation"
    return 0.0, f"{spec.count} images do without"


def width(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """Channels at the finest size, where most time goes; at the coarsest, if a network narrows itself.

    They grow with the fourth root of the time: weights, which grow with their square, then grow as steps do.

    References:
        Training Compute-Optimal Large Language Models (Hoffmann et al., 2022), https://arxiv.org/abs/2203.15556
    """
    longest = max(spec.shape[1:])
    if settled.get("network") == "residual" or "mapping" in settled:
        return NARROWING, "of coarse sizes; the network narrows where pictures are large"
    budget_s = settled["budget_s"] or USUAL_S
    assert isinstance(budget_s, float | int)
    channels = FULL * FINEST / max(longest, TINY) * (budget_s / USUAL_S) ** 0.25
    known = f", in {budget_s:g} s" if settled["budget_s"] else ""
    return max(THINNEST, int(channels / 8) * 8), f"pictures of {longest} px{known}"


def penalty(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """The weight of R1, or where that of R1 and R2 starts."""
    channels, height, width = spec.shape
    if "calibrate" not in settled:
        batch = settled["batch"]
        assert isinstance(batch, int)
        return R1_PER_PIXEL * height * width / batch, f"{height}x{width} pixels in batches of {batch}"
    then = "; then it is measured" if settled["calibrate"] else ""
    return round(BOTH_PER_NUMBER * channels * height * width, 4), f"{channels}x{height}x{width} numbers{then}"


def calibrate(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """Whether the weight of R1 and R2 is measured."""
    if settled["penalty"] == "auto":
        return True, "the size of pictures alone does not tell the weight of R1 and R2"
    return False, "a weight was given"


def half_life_kimg(spec: DataSpec, settled: Mapping[str, object]) -> tuple[object, str]:
    """How far back the average of the generator's weights reaches; never beyond a share of the run (EMA)."""
    batch = settled["batch"]
    assert isinstance(batch, int)
    return batch * STEPS / 1000, f"{STEPS} steps of {batch} samples"


RULES: Mapping[str, Rule] = {
    "calibrate": calibrate,
    "augment": augment,
    "augment_most": augment_most,
    "lecam": lecam,
    "width": width,
    "penalty": penalty,
    "half_life_kimg": half_life_kimg,
}
"""By the name of the field; in this order, as a rule may read what another has settled."""
