"""Rows of numbers and categories with a class each: a GAN of them, and rows of every class from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..draw import derive
from ..errors import MissingExtra
from ..options import Options

if TYPE_CHECKING:
    import pandas as pd

    from ..recipe import Recipe
    from ..run import Run

TARGET = "class"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows with classes.

    Attributes:
        values: a column each; of categories their number, NaN where missing.
        sizes: of each column, how many categories there are; 0 for numbers.
        labels: number of each row's class.
    """

    values: Float[np.ndarray, "n p"]
    sizes: Sequence[int]
    labels: Int[np.ndarray, " n"]

    @cached_property
    def varying(self) -> Bool[np.ndarray, " p"]:
        """Columns that are not always the same: only they can be learnt."""
        gaps = np.isnan(self.values)
        low = np.where(gaps, np.inf, self.values).min(0)
        high = np.where(gaps, -np.inf, self.values).max(0)
        return (low < high) | (gaps.any(0) & ~gaps.all(0))

    def frame(self) -> pd.DataFrame:
        """The columns that vary as `x0`, `x3` and so on, and the class; a category is `c` and its number."""
        pandas = imported_pandas()
        columns: dict[str, Any] = {}
        for i in np.flatnonzero(self.varying).tolist():
            cells = self.values[:, i]
            columns[f"x{i}"] = categories(cells, self.sizes[i]) if self.sizes[i] else cells
        columns[TARGET] = categories(self.labels.astype(np.float64), int(self.labels.max()) + 1)
        return pandas.DataFrame(columns)

    def values_of(self, made: pd.DataFrame) -> Float[np.ndarray, "m p"]:
        """Values of rows in such a frame; columns that never vary are as they always are."""
        values = np.tile(self.values[:1], (len(made), 1))
        for i in np.flatnonzero(self.varying).tolist():
            cells = made[f"x{i}"]
            values[:, i] = numbers_of(cells) if self.sizes[i] else cells.to_numpy(np.float64)
        return values


def fit_labelled(
    rows: Labelled,
    recipe: str | Recipe,
    folder: Path,
    *,
    budget: str | None = None,
    kimg: float | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> Run | None:
    """A GAN of rows and their classes; None if nothing varies that could be learnt.

    All rows are learnt from, none is held out. Nothing is measured but the time that a budget is for: with
    kimg, two runs are the same to the bit.

    Args:
        rows: what is learnt.
        recipe: of a table.
        folder: to write into.
        budget, kimg: how long, as for `fit`.
        seed: everything random derives from it.
        device: where it is trained.
    """
    from ..fitting import fit

    if not rows.varying.any():
        return None
    frame = rows.frame()
    options = Options(
        device=device,
        precision="fp32",
        memory_format="contiguous",
        micro_batches=1,
        carve=False,
        target=TARGET,
        spec=str(written_spec(frame, folder)),
        quiet=True,
    )
    return fit(frame, recipe, budget=budget, kimg=kimg, out=folder / "run", seed=seed, options=options)


def written_spec(frame: pd.DataFrame, folder: Path) -> Path:
    """A spec that leaves nothing to guess: numbers that count rows are no keys here."""
    from ..data.table.infer import infer
    from ..data.table.schema import Column, TableSpec, write_spec

    kinds = {name: "numeric" if cells.dtype == np.float64 else "categorical" for name, cells in frame.items()}
    said = TableSpec(tuple(Column(str(name), kind) for name, kind in kinds.items()), target=TARGET)
    path = folder / "columns.json"
    write_spec(infer(frame, TARGET, said), path)
    return path


def made_by_class(
    run: Run | None, rows: Labelled, counts: Int[np.ndarray, " k"], seed: int
) -> tuple[Float[np.ndarray, "m p"], Int[np.ndarray, " m"]]:
    """Rows of each class, and their classes.

    Args:
        run: of these rows.
        rows: what was learnt.
        counts: how many are wanted of each class.
        seed: of what is made.
    """
    labels = np.repeat(np.arange(len(counts)), counts)
    if run is None or not len(labels):
        return np.tile(rows.values[:1], (len(labels), 1)), labels
    made = [
        run.sample(int(count), conditions={TARGET: f"c{label}"}, seed=derive(seed, "class", label))
        for label, count in enumerate(counts)
        if count
    ]
    return np.concatenate([rows.values_of(part) for part in made]), labels


def imported_pandas() -> Any:  # noqa: ANN401
    """The package.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtra("Tables", "tables") from error
    return pandas


def categories(numbers: Float[np.ndarray, " n"], size: int) -> Any:  # noqa: ANN401
    """Numbers of categories as pandas' categories, without those that are not there."""
    pandas = imported_pandas()
    codes = np.where(np.isnan(numbers), -1, numbers).astype(np.int64)
    found = pandas.Categorical.from_codes(codes, [f"c{k}" for k in range(size)])
    return found.remove_unused_categories()


def numbers_of(cells: pd.Series[Any]) -> Float[np.ndarray, " n"]:
    """The way back; NaN for what is no category."""
    texts = cells.astype(object)
    known = {text: float(text[1:]) for text in texts.dropna().unique() if text[1:].isdigit()}
    return texts.map(known).to_numpy(np.float64)
