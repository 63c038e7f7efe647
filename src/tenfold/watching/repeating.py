"""Whether a sampler of texts has begun to say the same again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RATIO = "distinct_of_real"  # different n-grams of made texts over those of as many real ones
ONCE, NOW = 0.85, 0.7  # of the real share: what was reached before, and what is a collapse
LOOKS = 2  # in a row


def why_repeating(looks: Sequence[Mapping[str, Any]]) -> str | None:
    """Why texts are collapsing, if they are: at two looks in a row far fewer n-grams differ than before.

    A sampler that has learnt nothing yet makes n-grams that all differ, so that only trained ones count; one
    that never reached the real share is young, and no collapse.

    Args:
        looks: the log's, oldest first, each with `seen` and, of texts, the ratio.

    Example:
        >>> why_repeating([{"seen": i, "distinct_of_real": x} for i, x in enumerate([1.4, 1.0, 0.6, 0.5])])
        'the share of different n-grams fell to 0.50 of that of real texts, from 1.00'
        >>> why_repeating([{"seen": i, "distinct_of_real": x} for i, x in enumerate([1.4, 1.0, 0.6])])
    """
    ratios = [look[RATIO] for look in looks if RATIO in look and look["seen"]]
    if len(ratios) <= LOOKS:
        return None
    before, last = max(min(x, 1.0) for x in ratios[:-LOOKS]), ratios[-LOOKS:]
    if before < ONCE or max(last) >= NOW * before:
        return None
    return f"the share of different n-grams fell to {last[-1]:.2f} of that of real texts, from {before:.2f}"
