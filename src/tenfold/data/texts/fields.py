"""Files of fields (CSV, TSV, one JSON object a line) that hold texts."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import DataError, suggest
from ..table.csvfile import delimiter_of
from .lines import decoded, lines_of

FIELDS = (".csv", ".tsv", ".jsonl")


@dataclass(frozen=True)
class Fields:
    """Rows of a file.

    Attributes:
        name: what the file is called in messages.
        columns: names of the columns, in order.
        rows: a mapping from column to value for each; text, and of JSON anything.
        lines: the number of the line in which each begins.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    lines: tuple[int, ...]

    def column(self, asked: str | None, known: Sequence[str]) -> str | None:
        """The column that is asked for, or the first of the known names that is one.

        Raises:
            DataError: there is none of the name that is asked for.
        """
        if asked is not None and asked not in self.columns:
            raise DataError(f"{self.name} has no column {asked!r}. {suggest(asked, self.columns)}")
        return asked or next((name for name in known if name in self.columns), None)


def is_fields(name: str) -> bool:
    """Whether a file's name ends like that of one of fields."""
    return name.lower().endswith(FIELDS)


def read_fields(raw: bytes, name: str) -> Fields:
    """The rows of a file whose first line names the columns, or of JSON objects.

    Raises:
        DataError: it is not UTF-8, is empty, names two columns alike, or a line has more or fewer fields.
    """
    if name.lower().endswith(".jsonl"):
        return json_fields(raw, name)
    return with_names(delimited(raw, name), name)


def json_fields(raw: bytes, name: str) -> Fields:
    """An object a line."""
    rows: list[Mapping[str, Any]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines_of(decoded(raw, name)), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise DataError(f"Line {number} of {name} is not a JSON object: {line[:60]!r}.") from error
        if not isinstance(found, dict):
            raise DataError(f"Line {number} of {name} is not a JSON object: {line[:60]!r}.")
        rows.append(found)
        numbers.append(number)
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return Fields(name, columns, tuple(rows), tuple(numbers))


def delimited(raw: bytes, name: str) -> list[tuple[int, list[str]]]:
    """The fields of each line that is not blank, and its number.

    Between tabs, quotation marks are text like any other.
    """
    text, tabs = decoded(raw, name), name.lower().endswith(".tsv")
    delimiter = "\t" if tabs else delimiter_of(raw.removeprefix(codecs.BOM_UTF8))
    quoting = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=not tabs)
    found: list[tuple[int, list[str]]] = []
    last = 0
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                found.append((last + 1, [field.strip() for field in row]))
            last = reader.line_num
    except csv.Error as error:
        raise DataError(f"Line {last + 1} of {name} cannot be read: {error}. Correct it.") from error
    return found


def with_names(rows: Sequence[tuple[int, list[str]]], name: str) -> Fields:
    """The same with the first row as names of the columns.

    Raises:
        DataError: there is none, two columns have one name, or a row has more or fewer fields.
    """
    if not rows:
        raise DataError(f"{name} is empty. A line of column names and rows were expected.")
    names = rows[0][1]
    refuse_repeated(names, name)
    wrong = [(number, len(row)) for number, row in rows[1:] if len(row) != len(names)]
    if wrong:
        number, count = wrong[0]
        others = f" ({len(wrong)} lines are like that)" if len(wrong) > 1 else ""
        raise DataError(
            f"Line {number} of {name} has {count} fields; the line of names has {len(names)}{others}. "
            "Correct it, or put texts that hold the delimiter into quotation marks."
        )
    found = tuple(dict(zip(names, row, strict=True)) for _, row in rows[1:])
    return Fields(name, tuple(names), found, tuple(number for number, _ in rows[1:]))


def refuse_repeated(names: Sequence[str], name: str) -> None:
    """Raises a DataError if two columns have one name; columns without any cannot be asked for.

    Args:
        names: of the columns, in order.
        name: what the file is called.
    """
    first: dict[str, int] = {}
    for number, column in enumerate(names, start=1):
        if column and first.setdefault(column, number) != number:
            raise DataError(
                f"Columns {first[column]} and {number} of {name} are both called {column!r}; names that "
                "differ were expected. Rename one, or remove it."
            )


def texts_in(value: Any) -> list[str]:  # noqa: ANN401
    """The texts of a field: one, or those of a list; an empty one for nothing.

    Example:
        >>> texts_in(" a "), texts_in(["a", 2]), texts_in(None), texts_in([])
        (['a'], ['a', '2'], [''], [''])
    """
    many = value if isinstance(value, list) else [value]
    return ["" if one is None else str(one).strip() for one in many] or [""]


def text_in(value: Any) -> str:  # noqa: ANN401
    """The text of a field; parts of a list have a space between them."""
    return " ".join(texts_in(value))
