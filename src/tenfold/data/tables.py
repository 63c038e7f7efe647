"""Labels and groups from a table: CSV, or one JSON object per line."""

from __future__ import annotations

import csv
import io
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import DataError, suggest
from .parts import Item
from .tree import Tree

FILE_COLUMNS = ("file_name", "file", "path", "image")
LABEL_COLUMNS = ("label", "class")
TEXT_COLUMNS = ("text", "caption")
TABLE_NAMES = ("metadata.jsonl", "metadata.csv", "labels.csv")


@dataclass(frozen=True)
class Table:
    """Rows of a table about files.

    Attributes:
        name: what the table is called in messages.
        columns: names of the columns, in order.
        rows: one mapping from column to text per row.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    def column(self, known: tuple[str, ...]) -> str | None:
        """The first of the known names that is a column."""
        return next((name for name in known if name in self.columns), None)


def find_table(tree: Tree) -> Table | None:
    """The table directly in a folder: a well-known name, or the only CSV that names files."""
    here = tree.here()
    for name in TABLE_NAMES:
        if name in here:
            return read_table(tree, name)
    others = [read_table(tree, name) for name in here if name.lower().endswith(".csv")]
    about_files = [table for table in others if table.column(FILE_COLUMNS)]
    if len(about_files) > 1:
        names = ", ".join(table.name for table in about_files)
        raise DataError(f"More than one table names files: {names}. Give the path of the one to use.")
    return about_files[0] if about_files else None


def read_table(tree: Tree, name: str) -> Table:
    """Reads a CSV file, or a `.jsonl` file with one object per line."""
    try:
        with tree.open(name) as stream:
            text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"The table {name} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
    rows = _json_rows(name, text) if name.lower().endswith(".jsonl") else _csv_rows(name, text)
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return Table(name, columns, tuple(rows))


def _csv_rows(name: str, text: str) -> list[dict[str, str]]:
    try:
        found = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        return [{key.strip(): (value or "").strip() for key, value in row.items() if key} for row in found]
    except csv.Error as error:
        raise DataError(f"The table {name} cannot be read as CSV: {error}.") from error


def _json_rows(name: str, text: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append({key: "" if value is None else str(value) for key, value in json.loads(line).items()})
        except (json.JSONDecodeError, AttributeError) as error:
            raise DataError(f"Line {number} of {name} is not a JSON object: {line[:60]!r}.") from error
    return rows


def table_items(tree: Tree, table: Table, group: str | None) -> list[Item]:
    """One item per row of a table.

    Raises:
        DataError: no column of file names or of the group, files that are missing or listed twice,
            or labels or groups given for some rows only.
    """
    file_column, label_column = table.column(FILE_COLUMNS), table.column(LABEL_COLUMNS)
    if file_column is None:
        raise DataError(
            f"The table {table.name} has no column of file names. Found: "
            f"{', '.join(table.columns) or 'nothing'}. Expected one of: {', '.join(FILE_COLUMNS)}."
        )
    if group not in (None, "prefix") and group not in table.columns:
        raise DataError(
            f"The table {table.name} has no column {group!r}. {suggest(str(group), table.columns)}"
        )
    files = [posixpath.normpath(row.get(file_column, "")) for row in table.rows]
    _refuse_missing(tree, table, files)
    if label_column is not None:
        _refuse_empty(table, label_column, files, "remove the column")
    group_column = group if group in table.columns else None
    if group_column is not None:
        _refuse_empty(table, group_column, files, "leave out --group")

    def group_of(row: Mapping[str, str], file: str) -> str | None:
        if group is None:
            return None
        return row[group_column] if group_column else prefix(file)

    items = [
        Item(file, None, row[label_column] if label_column else None, group_of(row, file))
        for file, row in zip(files, table.rows, strict=True)
    ]
    return sorted(items, key=lambda item: item.file)


def prefix(file: str) -> str:
    """The part of a file's name before the first "_" or "-".

    Example:
        >>> prefix("scans/anna-03.png"), prefix("b_1_2.png"), prefix("c.png")
        ('anna', 'b', 'c')
    """
    stem = posixpath.splitext(posixpath.basename(file))[0]
    return stem.replace("-", "_").split("_", 1)[0]


def _refuse_missing(tree: Tree, table: Table, files: list[str]) -> None:
    missing = [file for file in files if file not in tree.files]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(files)} files in {table.name} are missing (first: {missing[0]!r}, "
            f"looked for in {tree.root}). Names are relative to the table's folder; put the files there, "
            "or remove their rows."
        )
    seen: set[str] = set()
    twice = [file for file in files if file in seen or seen.add(file)]
    if twice:
        raise DataError(
            f"{len(twice)} rows of {table.name} name a file that another row names (first: {twice[0]!r}). "
            "Keep one row per file."
        )


def _refuse_empty(table: Table, column: str, files: list[str], otherwise: str) -> None:
    empty = [file for file, row in zip(files, table.rows, strict=True) if not row.get(column)]
    if empty:
        raise DataError(
            f"{len(empty)} of {len(files)} rows of {table.name} have no {column} (first: {empty[0]!r}). "
            f"Fill them in, remove these rows, or {otherwise}."
        )
