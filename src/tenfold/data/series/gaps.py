"""Values that are missing within a series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .ragged import Ragged

Where = Callable[[int], str]
"""Words for a step, by its number among all steps."""


def without_gaps(
    series: Ragged, names: tuple[str, ...], where: Where, *, fill: bool
) -> tuple[Float[np.ndarray, "steps channels"], list[str]]:
    """Values of which none is missing, and what was done to them.

    Args:
        series: of which some values may be NaN.
        names: of the channels.
        where: says where a step is.
        fill: whether the step before says what is missing, and at the beginning the first that is known.

    Raises:
        DataError: values are missing and not to be filled in, or a series has none at all of a channel.
    """
    values, notes = series.values, []
    for number, name in enumerate(names):
        missing = np.flatnonzero(np.isnan(values[:, number]))
        if not len(missing):
            continue
        if not fill:
            raise DataError(
                f"{name} is missing in {len(missing)} of {len(values)} steps (first: "
                f"{where(int(missing[0]))}). "
                "Fill these in, or take the value of the step before: gaps='fill' (--gaps fill)."
            )
        column, hopeless = filled(values[:, number], series)
        if len(hopeless):
            raise DataError(
                f"{name} is missing in a whole series ({where(int(hopeless[0]))}); at least one value of "
                "each was expected. Leave these series out."
            )
        values = np.concatenate([values[:, :number], column[:, None], values[:, number + 1 :]], 1)
        notes.append(f"{len(missing)} missing values of {name} are those of the step before")
    return values, notes


def filled(x: Float[np.ndarray, " steps"], series: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """One channel with the last known value of its series in each gap, and steps of series that have none."""
    count, owner = len(x), series.owner
    at, missing = np.arange(count), np.isnan(x)
    before = np.maximum.accumulate(np.where(missing, -1, at))
    after = np.minimum.accumulate(np.where(missing, count, at)[::-1])[::-1]
    source = np.where(before >= series.starts[owner], before, after)
    hopeless = np.flatnonzero(source >= (series.starts + series.lengths)[owner])
    return x[np.minimum(source, count - 1)], hopeless
