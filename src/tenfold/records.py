"""What a run's folder says of it, read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .data.records import tuples
from .data.series.layout import SeriesLayout
from .data.spec import Cell, DataSpec
from .data.texts.layout import TextLayout
from .errors import RunError


def record(path: Path, read: Callable[[str], Any], keys: Sequence[str]) -> Mapping[str, Any]:
    """One of a run's records.

    Raises:
        RunError: if it is missing, or not what fit wrote.
    """
    try:
        found = read(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise RunError(f"{path} is damaged or missing ({why}). Restore it from a copy.") from error
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing:
        raise RunError(f"{path} is damaged: it has no {missing[0]!r}. Restore it from a copy.")
    return found


def spec_of(facts: Mapping[str, Any]) -> DataSpec:
    """What the recipe knew of the data, as JSON held it."""
    fields = tuples(facts)
    series = fields.get("series")
    read: dict[str, Any] = {"cells": tuple(Cell(**tuples(cell)) for cell in fields.get("cells", ()))}
    read["series"] = None if series is None else SeriesLayout.from_json(series)
    for name in ("text", "source_text"):
        found = fields.get(name)
        read[name] = None if found is None else TextLayout(**found)
    return DataSpec(**{**fields, **read})
