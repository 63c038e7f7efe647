"""Made items of one split, kept on disk: a GAN is trained once for each split and seed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..draw import derive
from ..errors import DataError
from .arms import Examples
from .clock import Clock
from .ledger import GENERATORS, append
from .order import Generator, Made, Order


class Pools:
    """Made items of one split, by seed.

    Args:
        generator: what makes them.
        order: what is asked of it; the seed and the folder are those of the whole split.
        split: number of the split.
        clock: is told when a generator is done.
    """

    def __init__(self, generator: Generator, order: Order, split: int, clock: Clock) -> None:
        self.generator, self.order, self.split, self.clock = generator, order, split, clock
        self.pools: dict[int, tuple[Examples, np.ndarray]] = {}

    def examples(self, seed: int, *, filtered: bool) -> Examples:
        """The made items, or those that a filter kept."""
        pool, kept = self.pools[seed]
        return pool.take(kept) if filtered else pool

    def prepare(self, seed: int) -> None:
        """See that the items of a seed are there; only one of them is asked of the generator at a time."""
        if seed in self.pools:
            return
        folder = self.order.folder / "generators" / f"split-{self.split}-seed-{seed}"
        path = folder / "pool.npz"
        if not path.exists():
            order = replace(self.order, seed=derive(self.order.seed, "generator", seed), folder=folder)
            self.clock.say(
                f"split {self.split + 1}, seed {seed + 1}: making samples with {self.generator.words}"
            )
            self.make(order, path, seed)
            self.clock.gan_made()
        self.pools[seed] = self.load(path)

    def make(self, order: Order, path: Path, seed: int) -> None:
        """Ask the generator, filter, and write down both."""
        made = self.generator.make(order)
        kept, facts = screened(made, order)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new.npz")
        np.savez(fresh, values=stored(made.examples.values, order), labels=made.examples.labels, kept=kept)
        fresh.replace(path)
        counts = made.examples.counts(len(order.counts)).tolist()
        line: dict[str, Any] = {"split": self.split, "seed": seed, "generator": self.generator.words}
        line |= {"wanted": order.counts.tolist(), "made": counts, "facts": made.facts, "filter": facts}
        append(self.order.folder / GENERATORS, line)

    def load(self, path: Path) -> tuple[Examples, np.ndarray]:
        """What `make` wrote.

        Raises:
            DataError: the file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                values, labels, kept = arrays["values"], arrays["labels"], arrays["kept"]
        except (ValueError, OSError, LookupError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} is damaged ({error}). Remove it: its items are then made anew."
            ) from error
        encode = self.order.encoding.encode
        return Examples(values if values.dtype == np.float32 else encode(values), labels), kept


def stored(values: np.ndarray, order: Order) -> np.ndarray:
    """Pictures of 8 bit take a quarter of the room."""
    if order.task.values.dtype != np.uint8:
        return values
    return np.rint((values.clip(-1, 1) + 1) * 127.5).astype(np.uint8)


def screened(made: Made, order: Order) -> tuple[np.ndarray, dict[str, Any]]:
    """Which items a filter keeps, and what it says; the filter's classifier is none of those that judge."""
    import torch

    from ..data.order import Rows
    from ..filters import screen

    real = order.encoding.encode(order.values)
    # Filters take numbers in [-1, 1]; rows are standardised, and may be larger.
    scale = np.maximum(np.abs(real).max(0), 1e-6) if real.ndim == 2 else np.float32(1)
    values = torch.from_numpy(np.ascontiguousarray((made.examples.values / scale).clip(-1, 1), np.float32))
    rows = Rows(torch.from_numpy(np.ascontiguousarray(real / scale, np.float32)), order.labels)
    classes, seed = len(order.counts), derive(order.seed, "filter")
    try:
        found = screen(values, made.examples.labels, rows, classes=classes, seed=seed)
    except DataError as error:
        return np.ones(len(values), bool), {"failed": str(error)}
    facts = {"share": found.share, "by_filter": dict(found.by_filter), "notes": list(found.notes)}
    return found.mask, facts | {"coverage": [found.coverage_before, found.coverage_after]}
