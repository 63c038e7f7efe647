"""Rows of any columns, in an array or a frame of pandas, as numbers and numbers of categories; and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import DataError, suggest

NUMBERS, DATES = "iuf", "mM"  # numpy's letters for kinds of types


@dataclass(frozen=True, eq=False)
class Mixed:
    """Rows as numbers.

    Attributes:
        values: a column each; of categories their number, NaN where missing.
        known: of each column, what its categories stand for; None for numbers.
    """

    values: Float[np.ndarray, "n p"]
    known: tuple[np.ndarray | None, ...]

    @property
    def sizes(self) -> list[int]:
        """How many categories each column has; 0 for numbers."""
        return [0 if known is None else len(known) for known in self.known]

    def cells(self, values: Float[np.ndarray, "m p"], column: int) -> np.ndarray:
        """A column of such rows: numbers as they are, categories as what they stand for, or None."""
        known, numbers = self.known[column], values[:, column]
        if known is None:
            return numbers
        table = np.full(len(known) + 1, None, object)
        table[:-1] = known
        return table[np.where(np.isnan(numbers), len(known), numbers).astype(np.int64)]


def mixed(rows: Any, categorical: Any = None) -> Mixed:  # noqa: ANN401
    """Rows as numbers.

    Args:
        rows: an array, or a frame of pandas.
        categorical: which columns are categories: a mask, numbers or names; if not given, those of text and
            of truth values, and pandas' categories. Columns of text are, in any case.

    Raises:
        DataError: a column holds dates or infinite numbers, or one is named that is not there.
    """
    array = isinstance(rows, np.ndarray)
    names = list(map(str, range(rows.shape[1]) if array else rows.columns))
    chosen = columns_of(categorical, names)
    numbers, known = [], []
    for i, name in enumerate(names):
        cells = rows[:, i] if array else rows.iloc[:, i]
        found = None if i in chosen else plain_numbers(cells, name)
        values, words = categories_of(cells) if found is None else (found, None)
        numbers.append(values)
        known.append(words)
    return Mixed(np.stack(numbers, 1), tuple(known))


def columns_of(categorical: Any, names: Sequence[str]) -> set[int]:  # noqa: ANN401
    """Numbers of the columns that are said to be categories.

    Raises:
        DataError: there is none such.
    """
    given = np.asarray([] if categorical is None else categorical)
    if given.ndim != 1 or (given.dtype == bool and len(given) != len(names)):
        raise DataError(
            f"categorical_features has the shape {given.shape}; a mask for {len(names)} columns, or a list "
            "of their numbers or names was expected."
        )
    if given.dtype == bool:
        return {int(i) for i in np.flatnonzero(given)}
    found: set[int] = set()
    for each in given.tolist():
        place = names.index(each) if each in names else each
        if not isinstance(place, int) or not 0 <= place < len(names):
            raise DataError(
                f"categorical_features names {each!r}, which is no column. {suggest(str(each), names)}"
            )
        found.add(place)
    return found


def plain_numbers(cells: Any, name: str) -> Float[np.ndarray, " n"] | None:  # noqa: ANN401
    """A column as numbers, NaN where missing; None if it holds something else.

    Raises:
        DataError: it holds dates or infinite numbers.
    """
    kind = cells.dtype.kind
    if kind in DATES:
        raise DataError(
            f"The column {name!r} holds dates or durations. Turn them into numbers, or leave it out."
        )
    own = kind in NUMBERS or (kind == "O" and str(cells.dtype) != "category" and all_numbers(cells))
    if not own:
        return None
    missing = np.asarray(absent(cells))
    values = np.full(len(missing), np.nan)
    values[~missing] = np.asarray(cells[~missing], np.float64)
    if np.isinf(values).any():
        raise DataError(
            f"The column {name!r} holds {int(np.isinf(values).sum())} infinite numbers. Correct them."
        )
    return values


def all_numbers(cells: Any) -> bool:  # noqa: ANN401
    """Whether all that is not missing in a column of objects is a number."""
    return all(
        isinstance(cell, Real) and not isinstance(cell, bool | np.bool_)
        for cell in np.asarray(cells, object)[~np.asarray(absent(cells))]
    )


def absent(cells: Any) -> np.ndarray:  # noqa: ANN401
    """What is missing."""
    import pandas as pd

    return np.asarray(pd.isna(cells))


def categories_of(cells: Any) -> tuple[Float[np.ndarray, " n"], np.ndarray]:  # noqa: ANN401
    """The number of each row's category, NaN where missing, and what the numbers stand for."""
    import pandas as pd

    codes, known = pd.factorize(pd.Series(np.asarray(cells, object), dtype=object))
    words = np.empty(len(known), object)
    words[:] = list(known)
    return np.where(codes < 0, np.nan, codes), words
