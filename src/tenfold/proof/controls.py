"""Arms whose answer is known: if they misbehave, the experiment is wrong, whatever it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .picks import Picks
from .score import ARM_WORDS, CONTROLS
from .statistics import Interval, signed

State = Literal["as expected", "noticeable", "unclear", "misbehaves"]


@dataclass(frozen=True)
class Control:
    """An arm whose answer is known: whether the experiment found it."""

    arm: str
    learner: str
    gain: Interval
    state: State
    reading: str

    @property
    def words(self) -> str:
        """The control in a sentence."""
        name = ARM_WORDS[self.arm].capitalize()
        return f"{name} ({self.learner}): {signed(self.gain.mean)} points, {self.reading}."


def controls(picks: Picks, learner: str) -> list[Control]:
    """Whether the controls of the design gave with one learner what they must.

    Copies of the training items must change about nothing, and items with shuffled labels must not help; both
    are compared with what they were added to.
    Held-back real items are a point of the learning curve: all training items against half of them.
    """
    design = picks.design
    found = []
    for arm in (arm for arm in CONTROLS if arm in design.arms):
        against = _against(picks, arm, learner)
        if against != "best_classical" and against not in design.arms:
            continue
        gain = picks.interval(picks.terms(arm, against, learner))
        found.append(Control(arm, learner, gain, *_CONTROLS[arm](gain, design.width)))
    return found


def _against(picks: Picks, arm: str, learner: str) -> str:
    """What a control was built on: its setting names a classical arm before the ratio, or none."""
    if arm == "control_held_back":
        return "real_50"
    settings = [score.setting for seeds in picks.grid(arm, learner) for score in seeds]
    return "best_classical" if any("+ratio=" in setting for setting in settings) else "none"


def _copies(gain: Interval, width: float) -> tuple[State, str]:
    if gain.low <= 0 <= gain.high:
        if gain.half <= width:
            return "as expected", "about zero as it must be"
        return "unclear", "expected about zero, and the interval is wide"
    if abs(gain.mean) <= width:
        return "noticeable", "little, but not by chance alone: a gain from samples must exceed it"
    return "misbehaves", "although copies hold nothing new: learners or their steps are not matched"


def _shuffled(gain: Interval, width: float) -> tuple[State, str]:
    if gain.high < 0:
        return "as expected", "hurting as it must"
    if gain.low <= 0:
        return "unclear", "expected to hurt, and the interval reaches zero"
    return "misbehaves", "although wrong labels cannot help: labels or splits are not what they seem"


def _held_back(gain: Interval, width: float) -> tuple[State, str]:
    if gain.low > 0:
        return "as expected", f"a point of the learning curve: {_HALF}, helping as fresh real items must"
    if gain.high > width:
        return "unclear", f"a point of the learning curve: {_HALF}, and the interval is wide"
    if gain.high >= 0:
        return "unclear", f"{_HALF}, hardly a gain: no generator can be expected to help"
    return "misbehaves", f"{_HALF}, although fresh real items must not hurt: added items are ill used"


_HALF = "all training items against half of them"


_CONTROLS = {"control_copies": _copies, "control_shuffled": _shuffled, "control_held_back": _held_back}
