"""One verdict in words on how a run is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Health:
    """A verdict, and what it rests on.

    Attributes:
        verdict: learning, discriminator too strong, collapsed, or diverged.
        why: the numbers, in words.
    """

    verdict: str
    why: str


def health(signals: Mapping[str, float]) -> Health:
    """The verdict on the latest values of a run's log.

    Args:
        signals: `D/order`, the share of pairs whose real sample D puts before the generated one (half is
            guessing); `D/real_sign` and `D/fake_sign`, the mean signs of its logits; `G/gradient_norm`; and
            `spread`, the mean distance between two samples divided by that between two real ones.
    """
    spread, order = signals.get("spread", 1.0), signals.get("D/order", 0.5)
    norm = signals.get("G/gradient_norm", 1.0)
    if not all(isfinite(value) for value in signals.values()):
        return Health("diverged", "a logged value is not finite; lower the learning rate")
    if spread > 3:
        return Health("diverged", f"samples lie {spread:.1f} times as far apart as real ones")
    if spread < 0.35:
        return Health("collapsed", f"samples lie only {spread:.2f} times as far apart as real ones")
    if order > 0.995 and signals.get("D/real_sign", 1.0) - signals.get("D/fake_sign", -1.0) > 1.9:
        why = f"D tells {order:.0%} of pairs apart, and G's gradient has norm {norm:.2g}"
        return Health("discriminator too strong", why)
    return Health("learning", f"D tells {order:.0%} of pairs apart; samples spread {spread:.2f} of real")
