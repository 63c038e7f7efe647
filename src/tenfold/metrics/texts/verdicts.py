"""What the numbers of texts mean, in words, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..suite import Measured
from ..verdicts import SMALL, Numbers, Verdict, pair
from .curves import Standing

LONGER = "Train longer (--budget), if it still gets better."
AGAINST_COPIES = "Look at the copies. Train on more texts, or stop earlier (--patience)."
APART = (1.1, 1.5)  # times the perplexity of fresh real texts: a warning, and bad
FEWER = (0.85, 0.6)  # of the different n-grams of fresh real texts: below, a warning, and bad
MORE_ALIKE = 0.05  # of self-BLEU beyond that of fresh real texts
KEPT = (0.95, 0.8)  # of what real texts teach: below, a warning, and bad
CLEARLY = 3.0  # standard errors
LITTLE, MUCH = 0.02, 0.2  # share of copies beyond that of real texts: spoken of, and bad
Level = Literal["good", "warning", "bad"]


def verdicts(numbers: Numbers, standing: Standing | None = None) -> list[Verdict]:
    """Every judgement that the numbers allow.

    Args:
        numbers: of texts.
        standing: to the baseline of maximum likelihood; None without one.
    """
    rules = (quality, coverage, repetition, copying, teaching, asked, trust)
    found = [verdict for rule in rules for verdict in rule(numbers)]
    return found if standing is None else [against_baseline(standing), *found]


def against_baseline(standing: Standing) -> Verdict:
    """Is it better than a language model at another temperature?"""
    said: dict[Standing, tuple[Level, str, str]] = {
        "win": (
            "good",
            "A win: at no temperature is the model of maximum likelihood as good in quality and in coverage "
            "at once.",
            "Train it again with another --seed before you rely on it.",
        ),
        "no win": (
            "warning",
            "No win: at some temperature the model of maximum likelihood is as good.",
            "Use the recipe lm, and choose a temperature.",
        ),
        "dominated": (
            "bad",
            "Dominated: at some temperature the model of maximum likelihood is better in quality and in "
            "coverage.",
            "Use the recipe lm, and choose a temperature.",
        ),
        "outside": (
            "warning",
            "Nothing can be said: the texts lie beyond the temperatures at which the model of maximum "
            "likelihood was asked. A colder or warmer one may do the same.",
            "Look at the plot: most likely they are good because they are few.",
        ),
    }
    level, text, advice = said[standing]
    return Verdict("baseline", level, text, advice)


def quality(numbers: Numbers) -> Iterator[Verdict]:
    """Do texts read like real ones?"""
    yield from _surprising(
        numbers,
        "forward_perplexity",
        "fidelity",
        ("Made texts are as likely as real ones", "Made texts are less likely than real ones"),
        LONGER + " A lower --temperature makes texts more likely, and less varied.",
    )


def coverage(numbers: Numbers) -> Iterator[Verdict]:
    """Is everything there that real texts have?"""
    yield from _surprising(
        numbers,
        "reverse_perplexity",
        "variety",
        ("Who knows made texts knows real ones", "Who knows made texts is surprised by real ones"),
        "Look which words are missing. Train longer, or raise --temperature.",
    )


def _surprising(
    numbers: Numbers, name: str, about: str, texts: tuple[str, str], advice: str
) -> Iterator[Verdict]:
    found = pair(numbers, name)
    if found is None:
        return
    value, reference = found
    error = numbers[name].error or 0.0
    said = f"{name.replace('_', ' ')} {value:.4g}±{error:.2g} (fresh real texts: {reference:.4g})"
    clear = value - reference > CLEARLY * error
    if clear and value > APART[0] * reference:
        level: Level = "bad" if value > APART[1] * reference else "warning"
        yield Verdict(about, level, f"{texts[1]}: {said}.", advice)
    elif reference - value > CLEARLY * error and APART[0] * value < reference:
        text = f"Made texts are likelier than real ones: {said}. So are those of a colder sampler."
        if name == "forward_perplexity":
            yield Verdict(about, "warning", text, "Compare at other temperatures before you call it better.")
    else:
        yield Verdict(about, "good", f"{texts[0]}: {said}.")


def repetition(numbers: Numbers) -> Iterator[Verdict]:
    """Are the same words said again and again?"""
    kinds, alike = pair(numbers, "distinct_3"), pair(numbers, "self_bleu_4")
    fewer = None if kinds is None else kinds[0] / max(kinds[1], 1e-9)
    said = [] if kinds is None else [f"{kinds[0]:.1%} of the 3-grams differ ({kinds[1]:.1%} of real ones)"]
    said += [] if alike is None else [f"self-BLEU-4 is {alike[0]:.3f} ({alike[1]:.3f})"]
    closer = alike is not None and alike[0] - alike[1] > MORE_ALIKE
    if closer or (fewer is not None and fewer < FEWER[0]):
        bad = fewer is not None and fewer < FEWER[1]
        text = f"Texts are more alike than real ones: {', '.join(said)}."
        advice = "That is a collapse, or a low temperature. Raise --temperature, or use the recipe lm."
        yield Verdict("variety", "bad" if bad else "warning", text, advice)


def copying(numbers: Numbers) -> Iterator[Verdict]:
    """Do training texts stand in made ones, beyond what real texts have in common?"""
    spoken = False
    for name, what in (
        ("exact_copies", "are training texts from beginning to end"),
        ("long_copies", "share a longer span with a training text than held-out texts do"),
    ):
        found = numbers.get(name)
        if found is None or found.value is None:
            continue
        reference = found.reference or 0.0  # where nobody knows, each counts
        beyond = found.value - reference
        if beyond > max(CLEARLY * _error(found), LITTLE):
            spoken = True
            beside = "" if found.reference is None else f" (real texts: {reference:.1%})"
            text = f"{found.value:.1%} of the texts {what}{beside}."
            yield Verdict("copying", "bad" if beyond > MUCH else "warning", text, AGAINST_COPIES)
    longest = pair(numbers, "longest_copied")
    if not spoken and longest is not None:
        text = (
            "No more of training texts stands in made ones than in other real ones: the longest copied span "
            f"has {longest[0]:.1f} tokens on average (real texts: {longest[1]:.1f})."
        )
        yield Verdict("copying", "good", text)


def _error(found: Measured) -> float:
    """Standard error of the difference between a share and its reference."""
    value, reference = found.value or 0.0, found.reference or 0.0
    other = reference * (1 - reference) / (found.reference_n or found.n)
    return (value * (1 - value) / found.n + other) ** 0.5


def teaching(numbers: Numbers) -> Iterator[Verdict]:
    """Do made texts teach their labels as real ones do?"""
    found = pair(numbers, "tstr")
    if found is None:
        return
    value, reference = found
    level: Level = (
        "good" if value >= KEPT[0] * reference else "warning" if value >= KEPT[1] * reference else "bad"
    )
    text = (
        f"A classifier trained on made texts alone is right on {value:.1%} of held-out real ones; one "
        f"trained on as many real ones on {reference:.1%}."
    )
    yield Verdict("labels", level, text)


def asked(numbers: Numbers) -> Iterator[Verdict]:
    """Are texts of the class that was asked for?"""
    found = pair(numbers, "label_accuracy")
    if found is None:
        return
    value, reference = found
    said = f"{value:.1%} are recognised as what was asked for (held-out texts: {reference:.1%})"
    if value < KEPT[1] * reference:
        yield Verdict("labels", "bad", f"Many labels are wrong: {said}.", LONGER)
    elif value < KEPT[0] * reference:
        yield Verdict("labels", "warning", f"Some labels are wrong: {said}.", LONGER)
    else:
        yield Verdict("labels", "good", f"The labels are right: {said}.")


def trust(numbers: Numbers) -> Iterator[Verdict]:
    """How much do so few texts say?"""
    n = numbers["kernel_distance"].n
    if n < SMALL:
        text = f"Only {n} texts on a side were compared: but for gross faults, little can be seen."
        yield Verdict("trust", "warning", text, "Hold out more real texts: --holdout FILE")
