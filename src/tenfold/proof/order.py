"""What is asked of a generator, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int

from .arms import Examples
from .splits import Fold
from .task import Encoding, Task

Make = Callable[[np.ndarray, np.ndarray, tuple[str, ...], np.ndarray, int], tuple[Any, Any]]
"""Training values and labels, class names, counts wanted of each class, and a seed, to values and labels.

Pictures are `(n, channels, height, width)` in the data's own type, rows `(n, columns)` of floats in their own
units; in a table a category is its number, and what is missing is NaN. What is returned must be the same.
"""


@dataclass(frozen=True, eq=False)
class Order:
    """What is asked of a generator: it sees the training items of one split, and unlabelled ones, if any.

    Attributes:
        task: of which only the training items may be looked at.
        fold: which they are.
        encoding: fitted on them.
        counts: how many items of each class are wanted.
        seed: of everything random.
        folder: where it may write.
        seconds: how long it may train, if not told how many samples to see.
        split: number of the split.
        kimg: thousands of samples that a GAN shall see; None before the first is trained.
        unlabelled: more items to learn from, in their own type, with guessed classes; None if there are none.
    """

    task: Task
    fold: Fold
    encoding: Encoding
    counts: Int[np.ndarray, " k"]
    seed: int
    folder: Path
    seconds: float
    split: int = 0
    kimg: float | None = None
    unlabelled: Examples | None = None

    @property
    def values(self) -> np.ndarray:
        """Values of the training items, in their own type."""
        return self.task.values[self.fold.train]

    @property
    def labels(self) -> np.ndarray:
        """Their classes."""
        return self.task.labels[self.fold.train]

    def learnt(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and classes of all items that a GAN learns from."""
        if self.unlabelled is None:
            return self.values, self.labels
        more = self.unlabelled
        return np.concatenate([self.values, more.values]), np.concatenate([self.labels, more.labels])


@dataclass(frozen=True, eq=False)
class Made:
    """What a generator gave.

    Attributes:
        examples: encoded items with the label that was asked for.
        facts: what is worth knowing of them.
    """

    examples: Examples
    facts: dict[str, Any] = field(default_factory=dict)


class Generator(Protocol):
    """What makes items."""

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        ...

    @property
    def words(self) -> str:
        """What it is, for people."""
        ...

    @property
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes when the generator does."""
        ...

    def make(self, order: Order) -> Made:
        """The items that are wanted, or more."""
        ...
