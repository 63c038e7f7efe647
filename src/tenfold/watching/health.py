"""One verdict in words on how a run is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .repeating import why_repeating

CLEARLY = 3.0  # standard errors: a hold-out of 20 raises no alarm by chance
STRONG = 0.5  # probability of a change from which on it is spoken of; a lower cap was set on purpose
FALLEN = 0.25  # share of what recall and coverage once were


@dataclass(frozen=True)
class Health:
    """A verdict, and what it rests on.

    Attributes:
        verdict: learning, discriminator too strong, overfitting, collapsed, or diverged.
        why: the numbers, in words.
    """

    verdict: str
    why: str


def health(signals: Mapping[str, float], looks: Sequence[Mapping[str, Any]] = (), count: int = 0) -> Health:
    """The verdict on the latest values of a run's log, and on its looks at quality.

    Args:
        signals: `D/order`, the share of pairs whose real sample D puts before the generated one (half is
            guessing); `D/real_sign` and `D/fake_sign`, the mean signs of its logits; `G/gradient_norm`; and
            `spread`, the mean distance between two samples divided by that between two real ones. A game in
            which nobody discriminates has not all of them.
        looks: the log's looks at quality, oldest first, each with `recall` and `coverage`, and with
            `overfit_z` and mean logits where D was asked about a hold-out.
        count: of the samples that these looks compared with as many real ones.
    """
    found = verdict_of(signals, looks, count)
    return Health(found.verdict, found.why + at_the_cap(signals))


def verdict_of(signals: Mapping[str, float], looks: Sequence[Mapping[str, Any]], count: int) -> Health:
    """The same without what is said of augmentation."""
    spread, order = signals.get("spread", 1.0), signals.get("D/order", 0.5)
    norm = signals.get("G/gradient_norm", 1.0)
    if not all(isfinite(value) for value in signals.values()):
        return Health("diverged", "a logged value is not finite; lower the learning rate")
    if spread > 3:
        return Health("diverged", f"samples lie {spread:.1f} times as far apart as real ones")
    if spread < 0.35:
        return Health("collapsed", f"samples lie only {spread:.2f} times as far apart as real ones")
    if (found := fallen(looks, count) or by_heart(looks, signals)) is not None:
        return found
    if order > 0.995 and signals.get("D/real_sign", 1.0) - signals.get("D/fake_sign", -1.0) > 1.9:
        why = f"D tells {order:.0%} of pairs apart, and G's gradient has norm {norm:.2g}"
        return Health("discriminator too strong", why)
    if (same := why_repeating(looks)) is not None:
        return Health("collapsed", same)
    told = [f"D tells {order:.0%} of pairs apart"] if "D/order" in signals else []
    told += [f"samples spread {spread:.2f} of real"] if "spread" in signals else []
    return Health("learning", "; ".join(told) or "nothing speaks against it")


def at_the_cap(signals: Mapping[str, float]) -> str:
    """A warning where adaptive augmentation can do no more."""
    if signals.get("D/augment_room", 1.0) > 0.01 or signals.get("D/augment_p", 1.0) < STRONG:
        return ""
    return "; augmentation is at its cap, where changes may show in samples: add data, or start --from a run"


def by_heart(looks: Sequence[Mapping[str, Any]], signals: Mapping[str, float]) -> Health | None:
    """Whether D has learned the training samples by heart: at two looks in a row, far beyond the error."""
    if len(looks) < 2 or any(look.get("overfit_z", 0.0) < CLEARLY for look in looks[-2:]):
        return None
    augment = "" if "D/augment_room" in signals else "augment (--augment ada), "
    logits = (looks[-1][f"D/{which}_logit"] for which in ("holdout", "train", "made"))
    return Health(
        "overfitting",
        "D no longer takes held-out samples for real (mean logits: held out {:.2g}, trained on {:.2g}, "
        "generated {:.2g}): it knows the training samples by heart; add data, {}start --from another run, or "
        "stop earlier".format(*logits, augment),
    )


def fallen(looks: Sequence[Mapping[str, Any]], count: int) -> Health | None:
    """Whether recall and coverage both lost most of what they once had, at two looks in a row."""
    names = ("recall", "coverage")
    if len(looks) < 3 or not count:
        return None
    best = {name: max(look[name] for look in looks[:-2]) for name in names}
    if not all(lost(look[name], best[name], count) for look in looks[-2:] for name in names):
        return None
    now = " and ".join(f"{name} from {best[name]:.2f} to {looks[-1][name]:.2f}" for name in names)
    return Health("collapsed", f"the samples became alike: {now}")


def lost(now: float, before: float, count: int) -> bool:
    """Whether a share of `count` samples fell far, beyond three standard errors of the difference."""
    error = ((now * (1 - now) + before * (1 - before)) / count) ** 0.5
    return now < FALLEN * before and before - now > CLEARLY * error
