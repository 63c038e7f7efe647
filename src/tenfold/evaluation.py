"""How good samples are, in numbers and in words, as text, JSON or a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RunError
from .folder import write_json
from .material import Material
from .metrics.memory import Copies
from .metrics.suite import Measured
from .metrics.verdicts import Verdict


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was found.

    Attributes:
        metrics: by the glossary's names, each with value, reference and n.
        per_class: the same for each class by name.
        confusion: of made samples, how many asked for as each class (row) are taken for each (column); None
            where labels cannot be judged.
        verdicts: what it means, and what to do.
        settings: everything needed to repeat it: features with their hash, resizing, counts, seed.
        notes: what was decided.
        copies: the made samples nearest to training samples.
        material: what was looked at.
    """

    metrics: Mapping[str, Measured]
    per_class: Mapping[str, Mapping[str, Measured]]
    confusion: np.ndarray | None
    verdicts: Sequence[Verdict]
    settings: Mapping[str, Any]
    notes: Sequence[str]
    copies: Copies | None
    material: Material

    def to_json(self) -> dict[str, Any]:
        """One object: metrics at the top, by name."""
        return {
            **{name: found.to_json() for name, found in self.metrics.items()},
            "per_class": {
                name: {metric: found.to_json() for metric, found in numbers.items()}
                for name, numbers in self.per_class.items()
            },
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The table as plain text, then the verdicts and notes."""
        return [*table_of(self.metrics, "samples"), "", *said(self.verdicts, self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def report(self, path: str | Path) -> Path:
        """Write everything on one HTML page that needs nothing else; beside it, the numbers as JSON.

        Raises:
            RunError: if the path does not end in .html.
        """
        from .report.evaluation import page_of

        return write_report(Path(path), lambda: page_of(self), self.to_json())

    def gallery(self, path: str | Path) -> Path:
        """Write the samples nearest to training samples, beside these, as one picture.

        Raises:
            RunError: if there is no hold-out to compare with, or samples are not pictures.
        """
        from .report.evaluation import gallery

        drawn = gallery(self)
        if drawn is None:
            raise RunError("a gallery of copies needs pictures and a hold-out. Pass --holdout DIR.")
        drawn.save(path)
        return Path(path)


def table_of(metrics: Mapping[str, Measured], of: str) -> list[str]:
    """Every number of so-called samples beside what fresh real ones get, as plain text."""
    table = [("", of, "fresh real", "n"), *((name, *cells(found)) for name, found in metrics.items())]
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  " + "  ".join(f"{row[i]:>{widths[i]}}" for i in (1, 2, 3)) for row in table
    ]


def said(verdicts: Sequence[Verdict], notes: Sequence[str]) -> list[str]:
    """What it means, and what was decided."""
    found = [f"{v.about}: {v.text}" + (f" {v.advice}" if v.advice else "") for v in verdicts]
    return [*found, *(f"note: {note}" for note in notes)]


def write_report(path: Path, page: Callable[[], str], numbers: Mapping[str, Any]) -> Path:
    """Write a page, whole or not at all, and beside it the numbers as JSON.

    Raises:
        RunError: if the path does not end in .html.
    """
    refuse_other_page(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(page(), encoding="utf-8")
    fresh.replace(path)
    write_json(path.with_suffix(".json"), numbers)
    return path


def refuse_other_page(path: Path) -> None:
    """Raises a RunError if a file cannot be a report."""
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
        raise RunError(f"{path} does not end in .html, as a report does. Choose another --out.")


def cells(found: Measured) -> tuple[str, str, str]:
    """Value, reference and n, as a person reads them."""
    if found.value is None:
        return "not defined", "", str(found.n)
    error = "" if found.error is None else f"±{found.error:.2g}"
    reference = "" if found.reference is None else f"{found.reference:.4g}"
    return f"{found.value:.4g}{error}", reference, str(found.n)
