"""When a run ends before its time: nothing better for a while, or good enough."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError, RecipeError, suggest

LOOKS = 12  # at quality and samples, over a run

MEASURED = ("kernel_distance", "kernel_distance_error", "recall", "coverage", "spread")
OF_CRITIC = ("D/train_logit", "D/made_logit")
OF_CRITIC_AND_HOLDOUT = ("D/holdout_logit", "overfit", "overfit_error", "overfit_z")
OF_PAIRS = ("l1", "psnr", "ssim")
OF_TABLE = ("detector_auc", "detector_auc_error", "tstr", "marginals", "closer", "closer_error")
OF_TEXTS = (
    *("heldout_nll", "ngram_distance", "ngram_distance_error"),
    *("self_bleu", "distinct", "distinct_of_real"),
)
OF_TEXT_PAIRS = ("heldout_nll", "exact_match", "bleu")
OF_CAPTIONED = ("r_precision",)
NAMES = (
    *(*MEASURED, *OF_CRITIC, *OF_CRITIC_AND_HOLDOUT),
    *(*OF_PAIRS, *OF_TABLE, *OF_TEXTS, *OF_TEXT_PAIRS[1:], *OF_CAPTIONED),
)
"""What a look may log; the first five are in every look at what is no table."""

ERROR = "_error"  # after the name of a number: its standard error

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(rf"\s*([\w/]+)\s*(<=|>=|<|>)\s*({_NUMBER})\s*")


@dataclass(frozen=True)
class Condition:
    """A logged number below or above a limit.

    Attributes:
        name: under which it is logged at a look.
        sign: one of `<`, `<=`, `>`, `>=`.
        limit: the number it is compared with.

    Where the number has a standard error, it must lie beyond the limit by more than that: a look at few
    samples is noisy, and over a run one of them may well be lucky.
    """

    name: str
    sign: str
    limit: float

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is so; a number that was not logged is no reason."""
        if self.name not in values:
            return False
        error = values.get(self.name + ERROR, 0.0)
        worst = values[self.name] + (error if self.sign.startswith("<") else -error)
        return _COMPARE[self.sign](worst, self.limit)

    def words(self, values: Mapping[str, Any]) -> str:
        """The number that holds, with its error if it has one."""
        error = f"±{values[self.name + ERROR]:.2g}" if self.name + ERROR in values else ""
        return f"{self.name} is {values[self.name]:.4g}{error}, {self.sign} {self.limit:g}"


@dataclass(frozen=True)
class Stop:
    """Why a run ended before its time.

    Attributes:
        by: the option that asked for it, `patience` or `stop_when`.
        why: the numbers, in words.
    """

    by: str
    why: str


def parse_condition(text: str) -> Condition:
    """What `--stop-when` says.

    Raises:
        RecipeError: if it is no condition, or no number of this name is logged.

    Example:
        >>> parse_condition("kernel_distance < 0.01")
        Condition(name='kernel_distance', sign='<', limit=0.01)
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise RecipeError(
            f"the condition is {text!r}; a name, one of < <= > >= and a number were expected. "
            'Write: --stop-when "kernel_distance<0.01"'
        )
    name, sign, limit = found.groups()
    if name not in NAMES:
        raise RecipeError(f"no number called {name!r} is measured while training. {suggest(name, NAMES)}")
    return Condition(name, sign, float(limit))


def check_rules(patience: int | None, stop_when: str | None) -> None:
    """Raises a RecipeError if a rule can never be followed."""
    if patience is not None and not 1 <= patience < LOOKS:
        raise RecipeError(
            f"--patience is {patience}; a run is looked at {LOOKS} times, so 1 to {LOOKS - 1} looks without "
            "a better sampler were expected."
        )
    if stop_when is not None:
        parse_condition(stop_when)


def why_never(patience: int | None, most: int) -> str | None:
    """Why patience can never end a run before its time, if so; None if it can.

    Args:
        patience: as given.
        most: looks that can pass before the last one without a better sampler.
    """
    if patience is None or patience <= most:
        return None
    what = f"Pass --patience {most} or less" if most > 0 else "Train longer, or leave it out"
    return f"it never ends this run: at most {max(most, 0)} looks pass before the last. {what}."


def refuse_without_holdout(patience: int | None, stop_when: str | None) -> None:
    """Raises a DataError if a rule needs a hold-out, of which there is none."""
    name = parse_condition(stop_when).name if stop_when else ""
    rule = "--patience" if patience is not None else "--stop-when " + name
    if patience is not None or name in OF_CRITIC_AND_HOLDOUT:
        raise DataError(
            f"{rule} needs samples that are not trained on, to judge by; none could be kept back. Give some "
            "with --holdout DIR, or leave the rule out."
        )


def refuse_without_critic(stop_when: str | None, recipe: str) -> None:
    """Raises a RecipeError if a rule needs what only a discriminator of samples says."""
    name = parse_condition(stop_when).name if stop_when else ""
    if name in (*OF_CRITIC, *OF_CRITIC_AND_HOLDOUT):
        raise RecipeError(
            f"--stop-when {name} needs a discriminator of samples; recipe {recipe!r} has none. "
            f"Choose one of {', '.join(MEASURED)}."
        )


def refuse_unlogged(stop_when: str | None, kind: str) -> None:
    """Raises a RecipeError if a rule needs a number that is logged of other kinds of data."""
    name = parse_condition(stop_when).name if stop_when else ""
    own = {
        "table": (*OF_TABLE, "spread"),
        "texts": (*OF_TEXTS, "spread"),
        "text_pairs": (*OF_TEXT_PAIRS, "spread"),
    }
    others = () if kind == "captioned" else OF_CAPTIONED
    pictures = tuple(n for n in NAMES if n not in (*OF_TABLE, *OF_TEXTS, *OF_TEXT_PAIRS, *others))
    logged = own.get(kind, pictures)
    if name and name not in logged:
        raise RecipeError(f"--stop-when {name} is not measured of {kind}. Choose one of {', '.join(logged)}.")


def refuse_without_pairs(stop_when: str | None) -> None:
    """Raises a RecipeError if a rule needs pictures that should be made, of which there are none."""
    name = parse_condition(stop_when).name if stop_when else ""
    if name in OF_PAIRS:
        raise RecipeError(
            f"--stop-when {name} compares what is made with what it should be, and the data are not paired. "
            f"Choose one of {', '.join(MEASURED)}."
        )


def reason_to_stop(
    looks: Sequence[Mapping[str, Any]],
    best_seen: int | None,
    *,
    patience: int | None = None,
    condition: Condition | None = None,
) -> Stop | None:
    """Why a run should end now, if it should.

    Args:
        looks: the log's, oldest first, since training began or was resumed; each with `seen`.
        best_seen: samples seen when the best sampler so far was chosen; None if there is none yet.
        patience: looks in a row that may pass without a better sampler.
        condition: what is good enough.
    """
    trained = [look for look in looks if look["seen"]]
    if not trained:
        return None
    if condition is not None and condition.holds(trained[-1]):
        return Stop("stop_when", condition.words(trained[-1]))
    waited = sum(look["seen"] > (best_seen or 0) for look in trained)
    if patience is not None and waited >= patience:
        best = f"; the best so far is that of {best_seen / 1000:.1f} kimg" if best_seen else ""
        return Stop("patience", f"no better sampler in {waited} looks{best}")
    return None
