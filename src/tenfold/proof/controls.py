"""Arms whose answer is known: if they misbehave, the experiment is wrong, whatever it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .picks import Picks
from .score import ARM_WORDS, CONTROLS
from .statistics import Interval, corrected_interval, signed

State = Literal["as expected", "unclear", "misbehaves"]


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

    Copies of the training items must change about nothing, items with shuffled labels must hurt, and
    held-back real items must help where half of the training items stand for all.
    """
    design = picks.design
    found = []
    for arm in (arm for arm in CONTROLS if arm in design.arms):
        against = "real_50" if arm == "control_held_back" else "none"
        if against not in design.arms:
            continue
        gain = corrected_interval(picks.gains(arm, against, learner), design.test, design.train)
        found.append(Control(arm, learner, gain, *_CONTROLS[arm](gain, design.width)))
    return found


def _copies(gain: Interval, width: float) -> tuple[State, str]:
    if abs(gain.mean) <= width:
        return "as expected", "about zero as it must be"
    if gain.low <= 0 <= gain.high:
        return "unclear", "expected about zero, and the interval is wide"
    return "misbehaves", "although copies hold nothing new: learners or their steps are not matched"


def _shuffled(gain: Interval, width: float) -> tuple[State, str]:
    if gain.high < 0:
        return "as expected", "hurting as it must"
    if gain.mean < 0:
        return "unclear", "expected to hurt, and the interval is wide"
    return "misbehaves", "although wrong labels must hurt: added items are not learnt from"


def _held_back(gain: Interval, width: float) -> tuple[State, str]:
    if gain.low > 0:
        return "as expected", "helping as fresh real items must: the most that any generator could reach"
    if gain.high > width:
        return "unclear", "expected to help, and the interval is wide"
    if gain.high >= 0:
        return "unclear", "hardly a gain even from fresh real items: no generator can be expected to help"
    return "misbehaves", "although fresh real items must not hurt: added items are not used properly"


_CONTROLS = {"control_copies": _copies, "control_shuffled": _shuffled, "control_held_back": _held_back}
