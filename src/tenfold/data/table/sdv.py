"""Metadata of SDV, version 1: what they say of the columns of one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ...errors import DataError, suggest
from .column import Column, Pattern
from .schema import TableSpec

_KINDS = {
    "numerical": "numeric",
    "categorical": "categorical",
    "boolean": "boolean",
    "datetime": "datetime",
    "id": "id",
    "text": "text",
}
"""What SDV calls the kinds. It has many more for personal data, one for each kind that its faker makes."""
_VERSIONS = ("SINGLE_TABLE_V1", "MULTI_TABLE_V1", "V1")
_KEY = re.compile(r"(?P<prefix>[\w .:/-]*?)(?:\[0-9\]|\\d)\{(?P<digits>\d{1,2})\}")


def is_sdv(fields: Any) -> bool:  # noqa: ANN401
    """Whether JSON looks like SDV's metadata."""
    return isinstance(fields, Mapping) and ("METADATA_SPEC_VERSION" in fields or "tables" in fields)


def from_sdv(fields: Mapping[str, Any]) -> TableSpec:
    """The spec that SDV's metadata amount to.

    They say of what kind columns are and no more; `infer(df, given=...)` fills in the rest from the data.
    What they take for personal (names, addresses, what SDV does not know) is left out: it is never learnt.

    Raises:
        DataError: they are of several tables or another version, or something in them is unknown.

    Example:
        >>> spec = from_sdv({"columns": {"a": {"sdtype": "id", "regex_format": "U_[0-9]{3}"}}})
        >>> spec.columns[0].kind, spec.columns[0].pattern
        ('id', Pattern(prefix='U_', digits=3))
    """
    version = fields.get("METADATA_SPEC_VERSION", "V1")
    if version not in _VERSIONS:
        raise DataError(
            f"The SDV metadata are of version {version!r}; these are read: {', '.join(_VERSIONS)}. "
            "Write them anew with a present SDV, or use tenfold check to write a spec."
        )
    table = _only_table(fields)
    columns = table.get("columns")
    if not isinstance(columns, Mapping):
        raise DataError("The SDV metadata have no object called columns, which says what each of them is.")
    key = table.get("primary_key")
    if key is not None and not isinstance(key, str):
        raise DataError(f"The primary key of the SDV metadata is {key!r}; the name of a column was expected.")
    if key is not None and key not in columns:
        raise DataError(f"The primary key {key!r} is no column. {suggest(key, columns)}")
    made = tuple(_column(str(name).strip(), each, name == key) for name, each in columns.items())
    return TableSpec(made, None if key is None else key.strip())


def _only_table(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    tables = fields.get("tables")
    if tables is None:
        return fields
    if not isinstance(tables, Mapping) or len(tables) != 1:
        names = ", ".join(map(str, tables)) or "none"
        raise DataError(
            f"The SDV metadata are of {len(tables)} tables ({names}); one was expected, for tables are "
            "learnt one at a time. Write the metadata of one table to a file of their own."
        )
    return next(iter(tables.values()))


def _column(name: str, fields: Any, is_key: bool) -> Column:  # noqa: ANN401
    sdtype = fields.get("sdtype") if isinstance(fields, Mapping) else None
    if not isinstance(sdtype, str):
        raise DataError(f"The SDV metadata do not say the sdtype of the column {name!r}.")
    kind = _KINDS.get(sdtype)
    if kind is None:
        meant = get_close_matches(sdtype, _KINDS, n=1, cutoff=0.8)
        if meant:
            raise DataError(
                f"The column {name!r} has the unknown sdtype {sdtype!r}. Did you mean {meant[0]!r}?"
            )
        kind = "ignore" if fields.get("pii", True) else "categorical"
    if is_key or (kind == "text" and "regex_format" in fields):
        kind = "id"
    if kind == "numeric":
        whole = "int" in str(fields.get("computer_representation", "")).lower()
        return Column(name, kind, integer=whole)
    if kind == "datetime":
        return Column(name, kind, format=fields.get("datetime_format"))
    return Column(name, kind, pattern=_pattern(fields) if kind == "id" else None)


def _pattern(fields: Mapping[str, Any]) -> Pattern | None:
    match = _KEY.fullmatch(str(fields.get("regex_format", "")))
    return Pattern(match["prefix"], int(match["digits"])) if match is not None else None
