"""Rows to a file, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from ..data.table.frames import write_frame
from ..errors import RunError

SUFFIXES = (".csv", ".tsv", ".parquet", ".xlsx", ".jsonl")


def refuse_other_file(path: Path) -> None:
    """Raises a RunError if a path is none of a table's, or if something is there."""
    if path.suffix.lower() not in SUFFIXES:
        raise RunError(f"{path} is no file of a table; one that ends in {', '.join(SUFFIXES)} was expected.")
    if path.exists():
        raise RunError(f"{path} exists already and would be overwritten. Choose another --out.")


def write_blocks(
    blocks: Iterable[pd.DataFrame],
    path: Path,
    told: Callable[[int], None] = lambda n: None,
    delimiter: str | None = None,
) -> int:
    """Write rows as they come; a file that is not whole is never called by its name.

    Args:
        blocks: of rows.
        path: whose suffix says how.
        told: is told how many rows are written.
        delimiter: between the fields of a text; a tab in .tsv and a comma in .csv if not said.

    Returns:
        The number of rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in (".csv", ".tsv"):
        return write_text(blocks, path, told, delimiter)
    whole = pd.concat(list(blocks), ignore_index=True)
    write_frame(whole, path)
    told(len(whole))
    return len(whole)


def write_text(
    blocks: Iterable[pd.DataFrame], path: Path, told: Callable[[int], None], delimiter: str | None = None
) -> int:
    """The same as text with a delimiter, in constant memory."""
    fresh, count = path.with_name(path.name + ".new"), 0
    separator = delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as stream:
            for block in blocks:
                block.to_csv(stream, index=False, header=count == 0, sep=separator, lineterminator="\n")
                count += len(block)
                told(count)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    fresh.replace(path)
    return count
