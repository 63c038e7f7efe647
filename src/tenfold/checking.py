"""Looking at data of any kind without training on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DataError

if TYPE_CHECKING:
    from .data.check import Report
    from .data.options import LoadOptions
    from .data.table.report import TableReport
    from .data.table.schema import TableSpec
    from .options import Source


def check(
    data: Source,
    options: LoadOptions | None = None,
    *,
    target: str | None = None,
    spec: str | Path | TableSpec | None = None,
) -> Report | TableReport:
    """What is there, what is wrong with it, and what would be done.

    Args:
        data: a frame of pandas or polars, the file of a table, a folder of pictures, an array or a name.
        options: how data are opened.
        target: column of a table that is to be predicted from the others.
        spec: what the columns of a table are, or a file that says so; found out if not given.

    Returns:
        A report. That of a table shows the spec, to be edited, and writes it with `write_spec(path)`.

    Raises:
        DataError: there is nothing to look at, or what was said does not fit it.

    Example:
        >>> check({"size": [1.5, 2.5, 0.5] * 9, "kind": ["a", "b", "c"] * 9}).spec.column("kind").kind
        'categorical'
    """
    from .data.options import DEFAULTS
    from .data.table.frames import is_table

    options = options or DEFAULTS
    target, spec = target or options.target, spec or options.spec
    if is_table(data):
        return check_table(data, target, spec)
    if target is not None or spec is not None:
        raise DataError(
            "A target and a spec are about the columns of a table, and the data are none. Leave them out."
        )
    from .data.check import check

    return check(data, options)


def check_table(
    data: Source, target: str | None = None, spec: str | Path | TableSpec | None = None
) -> TableReport:
    """The same of a table."""
    from .data.table.frames import read_frame
    from .data.table.report import look
    from .data.table.schema import read_spec

    frame = read_frame(data)
    return look(frame, read_spec(spec) if isinstance(spec, str | Path) else spec, target)
