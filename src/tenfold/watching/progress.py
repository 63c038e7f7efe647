"""How far something is: the live line of a run, and a line now and then for whatever takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter

from ..engine.trainer import Trainer

SAY_EVERY_S = 3.0
Say = Callable[[str], None]


class Progress:
    """Rewrites one line of a terminal, or prints a line now and then where there is none.

    Args:
        planned: samples the run will see.
        quiet: say nothing.
    """

    def __init__(self, planned: int, *, quiet: bool = False) -> None:
        self.planned, self.quiet = planned, quiet
        self.live = sys.stderr.isatty()
        self.first: tuple[float, int] | None = None
        self.said = 0.0

    def show(self, trainer: Trainer, values: Mapping[str, float], verdict: str) -> None:
        """Say where the run is."""
        now = perf_counter()
        self.first = self.first or (now, trainer.seen)
        pause = 0.2 if self.live else 10.0
        if self.quiet or (now - self.said < pause and trainer.seen < self.planned):
            return
        self.said = now
        line = self.line(trainer.seen, now, values, verdict)
        print(
            f"\r\x1b[K{line}" if self.live else line,
            end="" if self.live else "\n",
            file=sys.stderr,
            flush=True,
        )

    def line(self, seen: int, now: float, values: Mapping[str, float], verdict: str) -> str:
        """One line: share done, speed, time left, losses, health."""
        assert self.first is not None
        start, before = self.first
        speed = (seen - before) / max(now - start, 1e-9)
        left = clock((self.planned - seen) / speed) if speed > 0 else "?"
        losses = " ".join(f"{k} {v:.3g}" for k, v in values.items() if is_loss(k))
        share = seen / max(self.planned, 1)
        return f"{share:4.0%} {seen / 1000:.1f} kimg  {speed:,.0f}/s  {left} left  {losses}  {verdict}"

    def say(self, text: str) -> None:
        """A line of its own."""
        if not self.quiet:
            print(f"\r\x1b[K{text}" if self.live else text, file=sys.stderr, flush=True)

    def done(self) -> None:
        """Leave the live line as it is."""
        if self.live and not self.quiet and self.said:
            print(file=sys.stderr)


def seldom(say: Say) -> Say:
    """The same, but one of many lines every few seconds."""
    said = perf_counter()

    def at_times(text: str) -> None:
        nonlocal said
        if (now := perf_counter()) - said > SAY_EVERY_S:
            said = now
            say(text)

    return at_times


def is_loss(name: str) -> bool:
    """Whether a logged name is a term that is minimised."""
    signals = ("logit", "sign", "order", "norm")
    return "/" in name and not name.endswith(signals)


def clock(seconds: float) -> str:
    """Seconds as a person reads them.

    Example:
        >>> clock(75), clock(4000)
        ('1m15s', '1h06m')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def told(steps: Sequence[slice], count: int, what: str, say: Say) -> Iterator[slice]:
    """The same parts of something, saying now and then how far it is, and how long the rest will take."""
    begun = said = perf_counter()
    for step in steps:
        yield step
        now = perf_counter()
        if now - said > SAY_EVERY_S and step.stop < count:
            left = clock((count - step.stop) * (now - begun) / step.stop)
            say(f"{what}: {step.stop:,} of {count:,}, {left} left")
            said = now
