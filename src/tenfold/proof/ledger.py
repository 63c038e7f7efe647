"""What an experiment has found so far, on disk: it can be stopped at any time and gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..folder import write_json
from .score import Score

DESIGN, SCORES, GENERATORS, PEER_LINES = "design.json", "scores.jsonl", "generators.jsonl", "peers.jsonl"
JUDGING = ("minimum", "width")  # they change the verdict, and no score
Key = tuple[int, int, str, str, str]


class Ledger:
    """The scores of an experiment, one line each in `scores.jsonl`.

    Args:
        folder: of the experiment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / SCORES
        self.scores: dict[Key, Score] = {}
        for line in whole_lines(self.path):
            score = Score.from_json(line)
            self.scores[key_of(score)] = score

    def add(self, score: Score) -> None:
        """Write down a score."""
        self.scores[key_of(score)] = score
        append(self.path, score.to_json())


def key_of(score: Score) -> Key:
    """What tells a score from all others of an experiment."""
    return score.split, score.seed, score.arm, score.setting, score.learner


def append(path: Path, value: Mapping[str, Any]) -> None:
    """Add a line to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; one that was cut off while it was written is removed.

    Raises:
        RunError: a line in the middle is damaged.
    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    kept = text[: text.rfind("\n") + 1]
    if kept != text:
        path.write_text(kept, encoding="utf-8")
    try:
        return [json.loads(line) for line in kept.splitlines()]
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}). Remove the folder, or choose another --out.") from error


def known_design(folder: Path) -> dict[str, Any] | None:
    """What was written when the experiment began; None in an empty folder.

    Raises:
        RunError: the folder holds something else.
    """
    path = folder / DESIGN
    if path.exists():
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise RunError(f"{path} is damaged ({error}). Choose another --out.") from error
    if folder.exists() and (not folder.is_dir() or any(p.name != "lock" for p in folder.iterdir())):
        raise RunError(f"{folder} exists and holds no experiment. Choose another --out.")
    return None


def note(folder: Path, name: str, value: float) -> None:
    """Add to what was written when the experiment began."""
    if (known := known_design(folder)) is not None:
        write_json(folder / DESIGN, {**known, name: value})


def noted(folder: Path, name: str) -> float | None:
    """What was added."""
    return (known_design(folder) or {}).get(name)


def settle(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write down what is going to be done, or see that it is what was begun.

    What only judges the scores may differ.

    Raises:
        RunError: another experiment was begun in this folder; the message names what differs.
    """
    plain = json.loads(json.dumps(facts))
    known = known_design(folder)
    if known is None:
        write_json(folder / DESIGN, plain)
        return
    differ = [name for name in plain if known.get(name) != plain[name] and name not in JUDGING]
    if not differ:
        write_json(folder / DESIGN, known | {name: plain[name] for name in JUDGING if name in plain})
    else:
        first = differ[0]
        raise RunError(
            f"{folder} holds an experiment with other settings: {', '.join(differ)} ({first} was "
            f"{known.get(first)!r}, now {plain[first]!r}). Repeat its command to go on with it, or choose "
            "another --out."
        )
