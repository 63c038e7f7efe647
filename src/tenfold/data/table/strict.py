"""Specs as a person may have written them: every field is checked, and what is wrong is said."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import DataError, suggest
from .column import KINDS, Column, Pattern
from .dates import UNITS, from_iso

Read = Callable[[Any], Any]
"""A value of JSON to that of a field; a ValueError says what was expected."""


def column_from_json(fields: Any) -> Column:  # noqa: ANN401
    """A column that a spec describes.

    Raises:
        DataError: a field is unknown, or its value cannot be.
    """
    if not isinstance(fields, Mapping) or not isinstance(fields.get("name"), str):
        raise DataError(f"A column of the spec is {str(fields)[:60]!r}; an object with a name was expected.")
    name = fields["name"]
    if "kind" not in fields:
        raise DataError(
            f"The spec does not say of what kind the column {name!r} is. Add one of: {', '.join(KINDS)}."
        )
    column = Column(**{key: _value(name, key, value) for key, value in fields.items()})
    wrong = _contradiction(column, fields)
    if wrong:
        raise DataError(f"The spec of the column {name!r} contradicts itself: {wrong}. Correct it.")
    return column


def _value(name: str, key: str, value: Any) -> Any:  # noqa: ANN401
    if key not in _READ:
        hint = suggest(str(key), _READ)
        raise DataError(f"The spec of the column {name!r} has an unknown field {key!r}. {hint}")
    try:
        return _READ[key](value)
    except ValueError as error:
        hint = f" {suggest(value, KINDS)}" if key == "kind" and isinstance(value, str) else ""
        raise DataError(
            f"The spec of the column {name!r} has {value!r} as its {key}; expected {error}.{hint}"
        ) from error


def _contradiction(column: Column, fields: Mapping[str, Any]) -> str:
    """What cannot be true together, if anything."""
    low, high = column.low, column.high
    if low is not None and high is not None and low > high:
        return f"low, {fields['low']}, is above high, {fields['high']}"
    if fields.get("missing") is False and column.missing_share:
        return f"missing is false, and {column.missing_share:.0%} of the rows are missing by missing_share"
    outside = [mass for mass in column.masses if not _within(mass, low, high)]
    if outside:
        return f"the mass {outside[0]:g} is not between low and high"
    if column.kind == "boolean" and len(column.categories) not in (0, 2):
        return f"it is boolean, and has {len(column.categories)} categories"
    if column.ordered and column.kind not in ("categorical", "constant"):
        return f"it is ordered, and {column.kind}"
    if column.log and low is not None and low <= 0 and low not in column.masses:
        return "log is for positive numbers, and low is not"
    return ""


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def object_of(value: Any, known: Sequence[str], what: str) -> Mapping[str, Any]:  # noqa: ANN401
    """An object of JSON with no other than the known fields.

    Raises:
        DataError: it is none, or has others.
    """
    if not isinstance(value, Mapping):
        raise DataError(f"{what} is {str(value)[:60]!r}; an object was expected.")
    unknown = [key for key in value if key not in known]
    if unknown:
        raise DataError(f"{what} has an unknown field {unknown[0]!r}. {suggest(unknown[0], known)}")
    return value


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _flag(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _number(value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a finite number")
    return float(value)


def _share(value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a share from 0 to 1")
    return float(value)


def _end(value: Any) -> float:  # noqa: ANN401
    try:
        return from_iso(value) if isinstance(value, str) else _number(value)
    except ValueError as error:
        raise ValueError('a number, or a date such as "2024-01-31"') from error


def _scalar(value: Any) -> str | float | bool:  # noqa: ANN401
    if not isinstance(value, str | int | float):
        raise ValueError("a text, a number, true or false")
    return value


def _spellings(value: Any) -> dict[str, str]:  # noqa: ANN401
    if not isinstance(value, Mapping) or not all(isinstance(own, str) for own in value.values()):
        raise ValueError("an object that maps categories to their spelling")
    return dict(value)


def _pattern(value: Any) -> Pattern:  # noqa: ANN401
    if not isinstance(value, Mapping) or set(value) != {"prefix", "digits"}:
        raise ValueError('an object such as {"prefix": "C", "digits": 5}')
    return Pattern(_text(value["prefix"]), _whole(0, 15)(value["digits"]))


def _categories(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    found = _several(_text)(value)
    if len(set(found)) < len(found):
        raise ValueError("each category once")
    if any(text != text.strip() or not text for text in found):
        raise ValueError("categories without blanks around them (their spelling in the data is in spellings)")
    return found


def _whole(low: int, high: int) -> Read:
    def read(value: Any) -> int:  # noqa: ANN401
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _one_of(known: Sequence[str]) -> Read:
    def read(value: Any) -> str:  # noqa: ANN401
        if value not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return value

    return read


def _several(read: Read) -> Read:
    def each(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list | tuple):
            raise ValueError("a list")
        return tuple(read(one) for one in value)

    return each


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


_READ: Mapping[str, Read] = {
    "name": _text,
    "kind": _one_of(KINDS),
    "dtype": _text,
    "missing": _flag,
    "missing_share": _share,
    "missing_as": _or_none(_text),
    "integer": _flag,
    "decimals": _or_none(_whole(0, 15)),
    "decimal": _one_of((".", ",")),
    "low": _or_none(_end),
    "high": _or_none(_end),
    "log": _flag,
    "masses": _several(_number),
    "categories": _categories,
    "ordered": _flag,
    "spellings": _spellings,
    "rare_beyond": _or_none(_whole(2, 1_000_000)),
    "format": _or_none(_text),
    "unit": _or_none(_one_of(tuple(UNITS))),
    "timezone": _or_none(_text),
    "pattern": _or_none(_pattern),
    "value": _or_none(_scalar),
}
