"""What the numbers of an evaluation mean, in words, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from .suite import Measured

COPY_Z = -3.0
"""Standard deviations of the data-copying test from which on it speaks."""
LITTLE, MUCH = 0.2, 0.5  # of the samples, learnt by heart: spoken of, and bad
BY_CHANCE = 0.001  # less than a test so improbable counts as found
LEAST_SHARE = 0.02  # of samples; fewer near duplicates are not spoken of
AGAINST_COPIES = (
    "Look at the gallery. Train on more data, augment (--augment ada), or stop earlier (--patience)."
)
SMALL = 100  # samples on a side below which most differences cannot be seen
Numbers = Mapping[str, Measured]


@dataclass(frozen=True)
class Verdict:
    """One judgement.

    Attributes:
        about: fidelity, variety, copying, labels or trust.
        level: good, warning or bad.
        text: what was found.
        advice: what to do; empty if nothing.
    """

    about: str
    level: Literal["good", "warning", "bad"]
    text: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """The fields."""
        return asdict(self)


def verdicts(numbers: Numbers) -> list[Verdict]:
    """Every judgement that the numbers allow."""
    rules = (copying, fidelity, variety, repetition, labels, teaching, trust)
    return [verdict for rule in rules for verdict in rule(numbers)]


def pair(numbers: Numbers, name: str) -> tuple[float, float] | None:
    """Value and reference of a metric, if both are defined."""
    found = numbers.get(name)
    if found is None or found.value is None or found.reference is None:
        return None
    return found.value, found.reference


def copying(numbers: Numbers) -> Iterator[Verdict]:
    """Are samples copies of what was learnt from, or nearer to it than fresh real ones are?"""
    found = [*exactly(numbers), *learnt(numbers)]
    yield from found
    test, own = pair(numbers, "c_t"), pair(numbers, "authenticity")
    if test is None or own is None:
        return
    z, (value, reference) = test[0], own
    said = f"C_T is {z:.1f}, authenticity {value:.2f} (fresh real samples: {reference:.2f})"
    if z < 0 and (value < 0.5 * reference or (z < COPY_Z and value < 0.8 * reference)):
        yield Verdict("copying", "bad", f"The samples copy the training data: {said}.", AGAINST_COPIES)
    elif z < COPY_Z:
        text = f"The samples lie nearer to the training data than fresh real ones do: {said}."
        text += " They copy, or are more typical than real ones."
        yield Verdict("copying", "warning", text, AGAINST_COPIES)
    elif not found and telling(numbers, z):
        yield Verdict("copying", "good", f"No sign of copying: {said}.")
    elif not found:
        text = f"Whether the samples copy cannot be told: {said}; "
        text += "they lie too far from real ones, or too few real ones were held out."
        yield Verdict("copying", "warning", text, "Hold out more real samples, or train longer.")


def telling(numbers: Numbers, z: float) -> bool:
    """Whether copies would have been noticed: noise hides them from C_T, and distance from all."""
    given = [numbers[name] for name in ("memorised", "memorised_pixels") if name in numbers]
    sharp = [m for m in given if m.value is not None and -COPY_Z * (m.error or 0.0) <= MUCH]
    return z <= -COPY_Z if not given else bool(sharp)


def learnt(numbers: Numbers) -> Iterator[Verdict]:
    """Does it matter to the samples which real ones were learnt from?"""
    given = [numbers[name] for name in ("memorised", "memorised_pixels") if name in numbers]
    sure = [m for m in given if m.value is not None and m.p is not None and m.p < BY_CHANCE]
    most = max((m.value for m in sure if m.value is not None), default=0.0)
    if most > LITTLE:
        text = (
            f"Of {most:.0%} of the samples, beyond what chance explains, the nearest real sample is one that "
            "was learnt from: they vary training samples instead of being new, or the held-out samples are "
            "of another kind."
        )
        yield Verdict("copying", "bad" if most > MUCH else "warning", text, AGAINST_COPIES)


def exactly(numbers: Numbers) -> Iterator[Verdict]:
    """Copies that need no statistics, with or without a hold-out."""
    same, alike = numbers.get("exact_copies"), numbers.get("near_duplicates")
    if same is not None and same.value:
        text = f"{same.value:.1%} of the samples are exact copies of training samples."
        yield Verdict("copying", "bad", text, AGAINST_COPIES)
    elif alike is not None and alike.value is not None and alike.reference is not None:
        shares = ((alike.value, alike.n), (alike.reference, alike.reference_n or alike.n))
        error = sum(p * (1 - p) / n for p, n in shares) ** 0.5
        if alike.value - alike.reference > max(3 * error, LEAST_SHARE):
            text = (
                f"{alike.value:.1%} of the samples look like a training sample to a perceptual hash "
                f"(fresh real samples: {alike.reference:.1%})."
            )
            yield Verdict("copying", "warning", text, AGAINST_COPIES)


def fidelity(numbers: Numbers) -> Iterator[Verdict]:
    """Do samples look real?"""
    among, distance = pair(numbers, "precision"), numbers.get("kernel_distance")
    if among is None or distance is None or distance.value is None or distance.reference is None:
        return
    gap, error = distance.value - distance.reference, distance.error or 0.0
    said = (
        f"the kernel distance is {distance.value:.4g}±{error:.2g} "
        f"(fresh real samples: {distance.reference:.4g}), "
        f"precision {among[0]:.2f} ({among[1]:.2f})"
    )
    if among[0] < 0.8 * among[1]:
        advice = (
            "Train longer, or use a larger preset. Look at the sheets: is it noise, blur, or broken shapes?"
        )
        yield Verdict("fidelity", "bad", f"Many samples lie where there are no real ones: {said}.", advice)
    elif gap < -5 * error < 0:
        text = f"The samples are nearer to the hold-out than real samples can be: {said}."
        advice = "Has the generator seen the hold-out? Then nothing here can be relied on."
        yield Verdict("fidelity", "warning", text, advice)
    elif gap > 3 * error:
        yield Verdict(
            "fidelity",
            "warning",
            f"The samples can be told from real ones: {said}.",
            "Train longer, if it still falls.",
        )
    else:
        yield Verdict("fidelity", "good", f"At this n the samples cannot be told from real ones: {said}.")


def variety(numbers: Numbers) -> Iterator[Verdict]:
    """Is everything there that is in the real data?"""
    recall, covered = pair(numbers, "recall"), pair(numbers, "coverage")
    if recall is None or covered is None:
        return
    least = min(value / max(reference, 1e-9) for value, reference in (recall, covered))
    said = (
        f"recall is {recall[0]:.2f} (fresh real samples: {recall[1]:.2f}), "
        f"coverage {covered[0]:.2f} ({covered[1]:.2f})"
    )
    advice = "Look which classes or kinds are missing. Augment, train longer, or raise the penalty."
    if least < 0.6:
        yield Verdict("variety", "bad", f"Much of the real variety is missing: {said}.", advice)
    elif least < 0.85:
        yield Verdict("variety", "warning", f"Some of the real variety is missing: {said}.", advice)
    else:
        yield Verdict("variety", "good", f"The variety is that of real samples: {said}.")


def repetition(numbers: Numbers) -> Iterator[Verdict]:
    """Are a few samples made again and again?"""
    kinds, pairs = pair(numbers, "vendi"), pair(numbers, "birthday_pairs")
    repeated = pairs is not None and pairs[0] > 10 * max(pairs[1], 1.0)
    fewer = kinds is not None and kinds[0] < 0.6 * kinds[1]
    if not (repeated or fewer):
        return
    said = [] if kinds is None else [f"the Vendi score is {kinds[0]:.1f} (real samples: {kinds[1]:.1f})"]
    said += [] if pairs is None else [f"{pairs[0]:.0f} pairs are almost alike ({pairs[1]:.0f})"]
    text = f"The same few samples are made again and again: {', '.join(said)}."
    advice = (
        "That is a collapse. Lower the learning rate, use a --recipe with R1 and R2 (r3gan, mlp), or augment."
    )
    yield Verdict("variety", "bad" if fewer and repeated else "warning", text, advice)


def labels(numbers: Numbers) -> Iterator[Verdict]:
    """Are samples what they were asked to be?"""
    found = pair(numbers, "label_accuracy")
    if found is None:
        return
    value, reference = found
    said = f"{value:.1%} are recognised as what was asked for (real samples: {reference:.1%})"
    if value < reference - 0.1:
        advice = "Train longer, or drop samples whose label is in doubt: tenfold sample RUN --filter"
        yield Verdict("labels", "bad", f"Many labels are wrong: {said}.", advice)
    elif value < reference - 0.03:
        yield Verdict("labels", "warning", f"Some labels are wrong: {said}.", "Train longer, or filter them.")
    else:
        yield Verdict("labels", "good", f"The labels are right: {said}.")


def teaching(numbers: Numbers) -> Iterator[Verdict]:
    """Do samples teach what real ones teach?"""
    found = pair(numbers, "cas")
    if found is None:
        return
    value, reference = found
    level = "good" if value > 0.95 * reference else "warning" if value > 0.8 * reference else "bad"
    text = (
        f"A classifier trained on made samples alone is right on {value:.1%} of held-out real ones; one "
        f"trained on as many real ones on {reference:.1%}."
    )
    yield Verdict("labels", level, text, "Whether they help beside the real ones: tenfold prove DATA")


def trust(numbers: Numbers) -> Iterator[Verdict]:
    """How much do so few samples say?"""
    n = numbers["kernel_distance"].n
    if n < SMALL:
        text = f"Only {n} samples on a side were compared: but for gross faults, little can be seen."
        yield Verdict("trust", "warning", text, "Give more held-out real samples: --holdout DIR")
