"""Records as JSON and YAML hold them, read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with tuples for lists, as dataclasses hold them."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
