"""What is known of a table: its columns, its key, its target and what must hold of every row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError, suggest
from .column import KINDS, LEARNT, Column, Pattern
from .strict import column_from_json, object_of

__all__ = ["KINDS", "LEARNT", "Column", "Pattern", "TableSpec", "read_spec", "write_spec"]

VERSION = 1
_FIELDS = ("version", "target", "primary_key", "constraints", "columns")


@dataclass(frozen=True)
class TableSpec:
    """What is known of a table.

    Attributes:
        columns: in the order of the table.
        primary_key: name of the column whose values are unique; None if there is none.
        constraints: what must hold of every row, as JSON holds it.
        target: name of the column that is to be predicted from the others; None if none is.
    """

    columns: tuple[Column, ...]
    primary_key: str | None = None
    constraints: tuple[Mapping[str, Any], ...] = ()
    target: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def learnt(self) -> tuple[Column, ...]:
        """Columns that networks see."""
        return tuple(column for column in self.columns if column.learnt)

    def column(self, name: str) -> Column:
        """The column of a name.

        Raises:
            DataError: there is none.
        """
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise DataError(f"The table has no column {name!r}. {suggest(name, self.names)}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            "version": VERSION,
            "target": self.target,
            "primary_key": self.primary_key,
            "constraints": [dict(constraint) for constraint in self.constraints],
            "columns": [column.to_json() for column in self.columns],
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> TableSpec:
        """The spec that `to_json` described, or a person wrote.

        Raises:
            DataError: something in it is unknown, or cannot be.
        """
        fields = object_of(fields, _FIELDS, "The spec")
        if fields.get("version", VERSION) != VERSION:
            raise DataError(
                f"The spec is of version {fields['version']!r}, and this tenfold reads version {VERSION}. "
                "Update tenfold, or write the spec anew with tenfold check."
            )
        listed, constraints = fields.get("columns"), fields.get("constraints", [])
        if not isinstance(listed, list) or not isinstance(constraints, list):
            raise DataError("The spec's columns and constraints were expected to be lists.")
        spec = cls(
            tuple(map(column_from_json, listed)),
            fields.get("primary_key"),
            tuple(_constraint(constraint) for constraint in constraints),
            fields.get("target"),
        )
        _refuse_contradictions(spec)
        return spec


def _constraint(fields: Any) -> Mapping[str, Any]:  # noqa: ANN401
    if not isinstance(fields, Mapping):
        raise DataError(f"A constraint of the spec is {str(fields)[:60]!r}; an object was expected.")
    return dict(fields)


def _refuse_contradictions(spec: TableSpec) -> None:
    names = spec.names
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise DataError(f"The spec describes the column {twice[0]!r} twice. Remove one of them.")
    for what, name in (("primary_key", spec.primary_key), ("target", spec.target)):
        if name is not None and name not in names:
            raise DataError(f"The spec's {what} is {name!r}, which is no column. {suggest(str(name), names)}")
    if spec.target is not None and not spec.column(spec.target).learnt:
        raise DataError(
            f"The spec's target {spec.target!r} is of kind {spec.column(spec.target).kind}, which is not "
            f"learnt. Expected one of: {', '.join(LEARNT)}."
        )


def read_spec(path: str | Path) -> TableSpec:
    """A spec from a JSON file: one of tenfold's, or the metadata of SDV.

    Columns may say no more than their name and kind; `infer` fills in the rest from the data.

    Raises:
        DataError: there is none, or something in it cannot be.
    """
    from .sdv import from_sdv, is_sdv

    path = Path(path).expanduser()
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"The spec {path} cannot be read ({error.strerror}). tenfold check writes one."
        ) from error
    except ValueError as error:
        raise DataError(f"The spec {path} is not JSON: {error}. Correct it there.") from error
    try:
        return from_sdv(fields) if is_sdv(fields) else TableSpec.from_json(fields)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def write_spec(spec: TableSpec, path: str | Path) -> None:
    """Writes a spec to be read, edited and given back; whole or not at all."""
    path = Path(path).expanduser()
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(spec.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
