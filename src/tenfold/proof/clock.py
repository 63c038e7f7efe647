"""How far an experiment is, and how long the rest will take."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from time import perf_counter

from ..watching.progress import clock
from .score import Score


class Clock:
    """Rewrites one line of a terminal, or prints a line now and then where there is none.

    Args:
        quiet: say nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet, self.live = quiet, sys.stderr.isatty()
        self.total = self.done = self.gans = 0
        self.gan_seconds = self.spent = 0.0
        self.new, self.said, self.last = 0, 0.0, perf_counter()

    def start(self, total: int, done: int, gans: int, gan_seconds: float) -> None:
        """So many classifiers in all, of which some are done; so many GANs to train, and their time."""
        self.total, self.done, self.gans, self.gan_seconds = total, done, gans, gan_seconds
        self.last = perf_counter()

    def gan_made(self) -> None:
        """A GAN is done; the time it took is none of the classifiers'."""
        self.gans -= 1
        self.last = perf_counter()

    def tick(self, score: Score) -> None:
        """A classifier is done."""
        now = perf_counter()
        self.spent, self.last = self.spent + now - self.last, now
        self.done, self.new = self.done + 1, self.new + 1
        if self.quiet or (now - self.said < (0.2 if self.live else 10.0) and self.done < self.total):
            return
        self.said = now
        line = self.line(score)
        print(
            f"\r\x1b[K{line}" if self.live else line,
            end="" if self.live else "\n",
            file=sys.stderr,
            flush=True,
        )

    def line(self, score: Score) -> str:
        """Share done, time left, and what was last trained."""
        left = (self.total - self.done) * self.spent / max(self.new, 1) + max(self.gans, 0) * self.gan_seconds
        share = self.done / max(self.total, 1)
        what = f"{score.arm} {score.setting}".strip()
        return f"{share:4.0%}  {clock(left)} left  split {score.split + 1}, {score.learner}: {what}"

    def say(self, text: str) -> None:
        """A line of its own."""
        if not self.quiet:
            print(f"\r\x1b[K{text}" if self.live else text, file=sys.stderr, flush=True)

    def say_all(self, texts: Iterable[str]) -> None:
        """A line each."""
        for text in texts:
            self.say(text)
