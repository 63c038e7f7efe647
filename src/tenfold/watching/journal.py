"""The log of a run: a line of JSON for every look."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from ..errors import MissingExtra

Record = Mapping[str, Any]


class Journal:
    """Appends records to `metrics.jsonl`, and to TensorBoard events if wanted.

    Args:
        folder: the run's folder.
        tensorboard: whether to write events too.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.path = folder / "metrics.jsonl"
        self.started = perf_counter()  # moved back when a run is resumed
        self.events = open_events(folder) if tensorboard else None

    @property
    def seconds(self) -> float:
        """Spent on the run so far."""
        return perf_counter() - self.started

    def write(self, seen: int, values: Mapping[str, float]) -> None:
        """Note values at a number of samples seen."""
        record = {"seen": seen, "kimg": seen / 1000, "seconds": round(self.seconds, 2), **values}
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        if self.events is not None:
            for name, value in values.items():
                self.events.add_scalar(name, value, seen)

    def forget_after(self, seen: int) -> None:
        """Drop what was noted later than that: a resumed run writes it again."""
        kept = [json.dumps(record) for record in read_journal(self.path) if record["seen"] <= seen]
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(line + "\n" for line in kept))
        fresh.replace(self.path)


def read_journal(path: Path) -> Iterator[Record]:
    """The records of a log; a last line that was cut off is left out."""
    if not path.is_file():
        return
    with path.open() as file:
        for line in file:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return


def open_events(folder: Path) -> Any:  # noqa: ANN401
    """A writer of TensorBoard events."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra("--tensorboard", "tensorboard") from error
    return SummaryWriter(str(folder / "tensorboard"))
