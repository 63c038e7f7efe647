"""The folder of a run: made once, used by one process at a time, its records written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import RunError

STARTED = {
    *("features.safetensors", "features.json", "captions.safetensors", "captions.json"),
    "lock",
}
"""All that a start that failed may leave."""


def fresh_folder(name: str, out: str | Path | None) -> Path:
    """A folder for a new run.

    Args:
        name: of the run, where no folder is given: `runs/<name>`, or with a number behind it.
        out: the folder.

    Raises:
        RunError: if something is there already, or it cannot be made.
    """
    if out is None:
        names = (f"{name}{f'-{i}' if i else ''}" for i in range(10_000))
        folder = next(p for each in names if not (p := Path("runs") / each).exists())
    else:
        folder = Path(out)
        if folder.exists() and not (folder.is_dir() and {p.name for p in folder.iterdir()} <= STARTED):
            on = f", or go on with it: tenfold fit --resume {folder}" if is_run(folder) else "."
            raise RunError(f"{folder} exists and is not empty. Choose another --out{on}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder} cannot be made ({error}). Choose another --out.") from error
    return folder


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / "run.json").is_file()


@contextmanager
def locked(folder: Path, rank: int = 0) -> Iterator[None]:
    """Keep other processes from training in the same folder; where the system has no such locks, do nothing.

    Raises:
        RunError: if another process holds the lock.
    """
    try:
        import fcntl
    except ImportError:
        fcntl = None
    if fcntl is None or rank:
        yield
        return
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(
                f"{folder} is in use by another process. Wait for it, or stop it first."
            ) from error
        yield


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Say what to do when a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error}). The last checkpoint is intact: make room, then go on "
            f"with: tenfold fit --resume {folder}"
        ) from error


def update_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Change some facts of a run's record."""
    write_json(folder / "run.json", {**json.loads((folder / "run.json").read_text()), **facts})


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(value, indent=1))
    fresh.replace(path)
