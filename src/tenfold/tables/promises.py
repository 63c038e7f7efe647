"""Whether finished rows keep what is promised of every row, and whether the generator heeds what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.table.cells import TableCodec
from ..data.table.clean import cleaned
from ..data.table.constraints import loosened
from ..draw import derive
from ..games.tabular import RowSampler
from ..metrics.suite import Measured
from ..metrics.tables.design import TableRows
from ..metrics.tables.violations import condition_satisfaction, out_of_bounds
from .conditions import request_of
from .sampling import Rower

if TYPE_CHECKING:
    import pandas as pd

ASKED = 256  # rows of each category that is asked for
MOST_OF_TARGET = 10  # categories of a target that are asked for: the most frequent ones
MOST_COLUMNS, MOST_OF_COLUMN = 3, 4  # the same where there is no target of categories
NARROW = {"float16": np.float16, "float32": np.float32}  # which hold a bound not to the last digit


def rows_of(codec: TableCodec, values: np.ndarray) -> TableRows:
    """Stored values with what is known of their columns."""
    categorical = tuple(code.category is not None for code in codec.codes)
    levels = tuple(cell.options if c else 0 for cell, c in zip(codec.cells, categorical, strict=True))
    return TableRows(values, categorical, levels, tuple(cell.name for cell in codec.cells))


def broken(codec: TableCodec, frame: pd.DataFrame) -> dict[str, Measured]:
    """Share of finished rows that a constraint does not hold of, or that have a value out of bounds.

    Args:
        codec: with the constraints, and the bounds of the columns.
        frame: of the columns of the data. None of its rows should be so: that is the reference.
    """
    clean, found = cleaned(frame, codec.spec), dict[str, Measured]()
    if codec.constraints:
        bad = np.any([constraint.violations(clean) for constraint in codec.constraints], axis=0)
        found["constraint_violations"] = Measured(float(bad.mean()), 0.0, len(clean))
    columns = loosened(codec.constraints, codec.spec).columns  # a sum has no bounds of its own
    columns = [column for column in columns if column.kind in ("numeric", "datetime")]
    if columns:
        names = tuple(column.name for column in columns)
        values = clean[list(names)].to_numpy(np.float64)
        rows = TableRows(values, (False,) * len(names), (0,) * len(names), names)
        kinds = [NARROW.get(column.dtype.lower(), np.float64) for column in columns]
        pairs = list(zip(columns, kinds, strict=True))
        low = [-np.inf if column.low is None else float(kind(column.low)) for column, kind in pairs]
        high = [np.inf if column.high is None else float(kind(column.high)) for column, kind in pairs]
        share = out_of_bounds(rows, np.array(low), np.array(high)).value
        found["out_of_bounds"] = Measured(share, 0.0, len(clean))
    return found


def heeded(sampler: RowSampler, codec: TableCodec, seed: int) -> tuple[dict[str, Measured], dict[str, float]]:
    """Of rows that are asked for a category, how many have it before it is set; exact ones are the reference.

    Returns:
        The measure, and by condition the share; nothing where no column has categories.
    """
    raw: dict[str, float] = {}
    exact: list[float] = []
    for name, label in wishes(codec):
        seeded = derive(seed, "wishes", name, label)
        raw[f"{name} = {label}"] = satisfied(sampler, codec, (name, label), seeded, raw=True)
        exact.append(satisfied(sampler, codec, (name, label), seeded, raw=False))
    if not raw:
        return {}, {}
    value, reference = float(np.mean(list(raw.values()))), float(np.mean(exact))
    return {"condition_satisfaction": Measured(value, reference, ASKED * len(raw), how="raw")}, raw


def wishes(codec: TableCodec) -> list[tuple[str, str]]:
    """Columns and categories to ask for: of the target, else of the first few that have any."""
    own = {column.name for column in codec.spec.columns}
    codes = {code.name: code.category for code in codec.codes if code.name in own and code.category}
    target = codec.spec.target
    names, most = list(codes)[:MOST_COLUMNS], MOST_OF_COLUMN
    if target is not None and target in codes:
        names, most = [target], MOST_OF_TARGET
    found = []
    for name in names:
        code = codes[name]
        order = np.argsort(-np.array(code.shares[: len(code.categories)]), kind="stable")[:most]
        found += [(name, code.categories[i]) for i in order if code.shares[i] > 0]
    return found


def satisfied(
    sampler: RowSampler, codec: TableCodec, wish: tuple[str, str], seed: int, *, raw: bool
) -> float:
    """Share of finished rows that are as asked."""
    rower = Rower(sampler, codec, request_of(dict([wish]), codec), raw=raw)
    values, known = rower.known(np.random.default_rng(seed), 0)
    frame = codec.frame_of(rower.filled(values[:ASKED], known[:ASKED], seed), seed)
    return condition_satisfaction(rows_of(codec, codec.values_of(frame)), rower.request.fixed).value
