"""Made items of one split, kept on disk: a GAN is trained once for each split and seed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..draw import derive
from ..errors import DataError
from .arms import Examples
from .clock import Clock
from .given import refuse_near_copies
from .learners import rows_of
from .ledger import GENERATORS, PEER_LINES, append, note, noted
from .order import Generator, Made, Order

BLOCK = 1000
KIMG = "kimg"


@dataclass(frozen=True, eq=False)
class Stored:
    """Made items as they lie on disk; only those that are taken become numbers for learners.

    Attributes:
        values: as they were written.
        labels: their classes.
        encode: values to what learners see; None if they are that already.
        rows: whether pictures are wanted as rows (see `learners.rows_of`).
    """

    values: np.ndarray
    labels: np.ndarray
    encode: Callable[[np.ndarray], np.ndarray] | None
    rows: bool = False

    def take(self, chosen: np.ndarray, /) -> Examples:
        """Some of the items."""
        blocks = [self._seen(chosen[i : i + BLOCK]) for i in range(0, len(chosen), BLOCK)]
        return Examples(np.concatenate(blocks or [self._seen(chosen)]), self.labels[chosen])

    def _seen(self, chosen: np.ndarray) -> np.ndarray:
        values = self.values[chosen] if self.encode is None else self.encode(self.values[chosen])
        return rows_of(values) if self.rows and len(values) else values

    def only(self, kept: np.ndarray) -> Stored:
        """Those that a filter kept."""
        return replace(self, values=self.values[kept], labels=self.labels[kept])


class Pools:
    """Made items of one split, by seed.

    Args:
        generator: what makes them.
        order: what is asked of it; the seed and the folder are those of the whole split.
        clock: is told when a generator is done.
        peer: name of its arm, if it is none of ours; its items are not filtered.
    """

    def __init__(self, generator: Generator, order: Order, clock: Clock, peer: str = "") -> None:
        self.generator, self.order, self.clock, self.peer = generator, order, clock, peer
        self.pools: dict[int, tuple[Stored, np.ndarray]] = {}

    def pool(self, seed: int, *, filtered: bool, rows: bool) -> Stored:
        """The made items, or those that a filter kept."""
        pool, kept = self.pools[seed]
        pool = replace(pool, rows=rows and pool.values.ndim == 4)
        return pool.only(kept) if filtered else pool

    def drop(self, seed: int) -> None:
        """Forget the items of a seed; they stay on disk."""
        self.pools.pop(seed, None)

    def prepare(self, seed: int) -> None:
        """See that the items of a seed are there; only one of them is asked of the generator at a time."""
        if seed in self.pools:
            return
        order, split = self.order, self.order.split
        place = f"peers/{self.peer}" if self.peer else "generators"
        folder = order.folder / place / f"split-{split}-seed-{seed}"
        path = folder / "pool.npz"
        if not path.exists():
            words = self.generator.words
            self.clock.say(f"split {split + 1}, seed {seed + 1}: making samples with {words}")
            length = order.kimg if order.kimg is not None else noted(order.folder, KIMG)
            asked = replace(order, seed=derive(order.seed, "generator", seed), folder=folder, kimg=length)
            self.make(asked, path, seed)
            self.clock.gan_made()
        self.pools[seed] = self.load(path)

    def make(self, order: Order, path: Path, seed: int) -> None:
        """Ask the generator, filter, and write down both."""
        made = self.generator.make(order)
        if not self.generator.trains:
            refuse_near_copies(made.examples, order, f"items made by {self.generator.words}")
        if order.kimg is None and made.facts.get("planned"):
            note(self.order.folder, KIMG, made.facts["planned"] / 1000)  # so that all others see as many
        kept, facts = (np.ones(len(made.examples), bool), {}) if self.peer else screened(made, order)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new.npz")
        np.savez(fresh, values=stored(made.examples.values, order), labels=made.examples.labels, kept=kept)
        fresh.replace(path)
        counts = made.examples.counts(len(order.counts)).tolist()
        line: dict[str, Any] = {"split": order.split, "seed": seed, "generator": self.generator.words}
        line |= {"wanted": order.counts.tolist(), "made": counts, "facts": made.facts, "filter": facts}
        append(self.order.folder / (PEER_LINES if self.peer else GENERATORS), line)

    def load(self, path: Path) -> tuple[Stored, np.ndarray]:
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
        encode = None if values.dtype == np.float32 else self.order.encoding.encode
        return Stored(values, labels, encode), kept


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
