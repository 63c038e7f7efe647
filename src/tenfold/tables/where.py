"""Conditions from words, as the command line has them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..data.table.schema import Column
from ..errors import RunError
from .conditions import Beyond

SIGN = r"(?P<sign>>=|<=|!=|=|>|<|\s+in\s+)\s*(?P<value>.*?)\s*$"
COMPARED = re.compile(rf"^\s*(?P<name>.+?)\s*{SIGN}", re.DOTALL)
RANGE = ".."
MISSING = "missing"
QUOTES = ('"', "'")
OPEN: Mapping[str, Callable[[str], Any]] = {
    ">=": lambda value: (value, None),
    "<=": lambda value: (None, value),
    ">": lambda value: Beyond(low=value),
    "<": lambda value: Beyond(high=value),
}


def where(texts: Sequence[str], columns: Sequence[Column] = ()) -> dict[str, Any]:
    """Conditions from words.

    Args:
        texts: such as `income = >50K`, `age = 30..40`, `hours >= 35`, `race in Black, White`.
        columns: that there are: names with signs or words of a condition in them are read as names, and
            categories as themselves.

    Raises:
        RunError: one cannot be understood, or a column is named twice.

    Example:
        >>> where(["income = >50K", "age = 30..40", "sex in Male, Female", "job = missing"])
        {'income': '>50K', 'age': ('30', '40'), 'sex': ['Male', 'Female'], 'job': None}
        >>> where(['city in "New York, NY", Boston', "when = 01.01.2024..31.01.2024"])
        {'city': ['New York, NY', 'Boston'], 'when': ('01.01.2024', '31.01.2024')}
    """
    known = {column.name: column for column in columns}
    found: dict[str, Any] = {}
    for text in texts:
        name, value = condition_of(text, known)
        if name in found:
            raise RunError(
                f"there are two conditions on {name!r}. Put them into one, such as {name} = 30..40"
            )
        found[name] = value
    return found


def condition_of(text: str, columns: Mapping[str, Column]) -> tuple[str, Any]:
    """One condition from words."""
    match, name = compared(text, columns)
    if match is None or match["sign"] == "!=":
        raise RunError(
            f"--where {text!r} is no condition. Expected one such as 'income = >50K', 'age = 30..40', "
            "'hours >= 35', 'race in Black, White' or 'age = missing'."
        )
    sign, value = match["sign"].strip(), unquoted(match["value"])
    labels = columns[name].categories if name in columns else ()
    if sign == "in":
        return name, [meant(part, labels) for part in parts_of(match["value"], text)]
    if sign in OPEN:
        return name, OPEN[sign](value)
    if RANGE in value and value not in labels:
        low, _, high = value.partition(RANGE)
        return name, (unquoted(low) or None, unquoted(high) or None)
    return name, meant(value, labels)


def compared(text: str, columns: Mapping[str, Column]) -> tuple[re.Match[str] | None, str]:
    """A condition's parts, and its column: the longest name that it begins with, or what is before a sign."""
    for name in sorted(columns, key=len, reverse=True):
        begin = re.compile(rf"^\s*{re.escape(name.strip())}\s*?{SIGN}", re.DOTALL)
        match = begin.match(text)
        if match is not None:
            return match, name
    match = COMPARED.match(text)
    return match, "" if match is None else match["name"].strip()


def parts_of(value: str, text: str) -> list[str]:
    """The values of a list: what is between commas, but for those in double quotation marks.

    Raises:
        RunError: it cannot be read.
    """
    try:
        rows = list(csv.reader([value], skipinitialspace=True))
    except csv.Error as error:
        raise RunError(
            f"--where {text!r} holds a list that cannot be read ({error}). Expected one such as "
            "'race in Black, White'."
        ) from error
    return rows[0] if rows else []


def meant(text: str, labels: Sequence[str]) -> str | None:
    """A value from words: None for the word that stands for a missing one, unless a category is so called."""
    value = unquoted(text)
    return None if value == MISSING and MISSING not in labels else value


def unquoted(text: str) -> str:
    """Without blanks and quotation marks around it.

    Example:
        >>> unquoted(" 'a' "), unquoted('"a", "b"')
        ('a', '"a", "b"')
    """
    text = text.strip()
    around = len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES and text[0] not in text[1:-1]
    return text[1:-1] if around else text
