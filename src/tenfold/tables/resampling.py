"""A sampler for imbalanced-learn: rows of the smaller classes, made by a GAN of all rows."""

from __future__ import annotations

from numbers import Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, validate_data

from ..budget import seconds_of
from ..errors import DataError, MissingExtra, RecipeError
from ..recipe import Recipe
from .labelled import Labelled, fit_labelled, made_by_class
from .mixed import Mixed, mixed

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_target_type
except ImportError as error:
    raise MissingExtra("GANSampler", "imbalanced") from error

if TYPE_CHECKING:
    import pandas as pd

PACE, WIDE = 10.0, 16
"""Thousands of rows that a second stands for, of so many columns; of more, fewer in proportion."""
MOST_PASSES = 400  # over the rows
LARGEST = 2**31 - 1


class GANSampler(BaseOverSampler):
    """Evens out classes with rows that a GAN makes, as samplers of imbalanced-learn do.

    The GAN learns from all rows and classes, and is asked for the classes that lack rows. Numbers,
    categories and missing values may be mixed; rows that were there come first and are left as they are.

    Two fits with the same `random_state` give the same bits on one machine: the time is turned into a number
    of rows to learn from, by a fixed rule, and the GAN is trained on the processor. So a budget is a guide,
    and no promise.

    Args:
        sampling_strategy: which classes get how many rows, as imbalanced-learn has it.
        budget: about how long to learn, as 20s or 2m; small tables take less.
        recipe: of the GAN; a name, or a recipe.
        categorical_features: which columns are categories: a mask, or a list of numbers or names. Columns of
            text and truth values are, anyway.
        random_state: everything random derives from it.
        kimg: thousands of rows to learn from, instead of a time.

    Attributes:
        sampling_strategy_: how many rows were made of each class.
        n_features_in_: how many columns there were.
        feature_names_in_: their names, if all are text.

    Example:
        `GANSampler(random_state=0).fit_resample(X, y)`, or as a step of imbalanced-learn's `Pipeline`.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012  # no ClassVar, as scikit-learn declares none
        **BaseOverSampler._parameter_constraints,
        "budget": [str],
        "recipe": [str, Recipe],
        "categorical_features": ["array-like", None],
        "kimg": [Real, None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",  # noqa: ANN401
        budget: str = "20s",
        recipe: str | Recipe = "tabular",
        categorical_features: Any = None,  # noqa: ANN401
        random_state: Any = None,  # noqa: ANN401
        kimg: float | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.budget = budget
        self.recipe = recipe
        self.categorical_features = categorical_features
        self.random_state = random_state
        self.kimg = kimg

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = None) -> tuple[Any, np.ndarray, bool]:  # noqa: ANN401
        """Rows as an array, or as the frame that they are; classes as an array."""
        y, binarize = check_target_type(y, indicate_one_vs_all=True)
        if is_frame(X):
            refuse_frame(X)
            validate_data(self, X, reset=True, skip_check_array=True)
            X = dense(X)
        else:
            X = validate_data(self, X, reset=True, dtype=None, ensure_all_finite="allow-nan")
        check_consistent_length(X, y)
        return X, y, binarize

    def _fit_resample(self, X: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """The rows and classes, and those that were made behind them."""
        classes, labels = np.unique(y, return_inverse=True)
        wanted = cast("dict[Any, int]", self.sampling_strategy_)
        counts = np.array([wanted.get(name, 0) for name in classes.tolist()], np.int64)
        if not counts.any():
            return X.copy(), y.copy()
        rows = mixed(X, self.categorical_features)
        seed = int(check_random_state(self.random_state).randint(LARGEST))
        values, made = self._made(Labelled(rows.values, rows.sizes, labels.reshape(-1)), counts, seed)
        return beside(X, rows, values), np.concatenate([y, classes[made].astype(y.dtype)])

    def _made(self, rows: Labelled, counts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        kimg = kimg_of(self.budget, *rows.values.shape) if self.kimg is None else self.kimg
        with TemporaryDirectory(prefix="tenfold-") as folder:
            run = fit_labelled(rows, self.recipe, Path(folder), kimg=kimg, seed=seed)
            return made_by_class(run, rows, counts, seed)


def kimg_of(budget: str, rows: int, columns: int) -> float:
    """Thousands of rows to learn from in a time: a rule, so that no clock decides what is made.

    Example:
        >>> kimg_of("20s", 1000, 8), kimg_of("20s", 1000, 32), kimg_of("20s", 100, 8)
        (200.0, 100.0, 40.0)
    """
    within = seconds_of(budget) * PACE * WIDE / max(columns, WIDE)
    return min(within, MOST_PASSES * rows / 1000)


def is_frame(rows: Any) -> bool:  # noqa: ANN401
    """Whether rows are a frame of pandas; one of polars is refused, which imbalanced-learn cannot give back.

    Raises:
        RecipeError: it is one of polars.
    """
    package = type(rows).__module__.split(".")[0]
    if package == "polars":
        raise RecipeError("imbalanced-learn gives no frame of polars back. Pass X.to_pandas().")
    return package == "pandas"


def refuse_frame(rows: pd.DataFrame) -> None:
    """Raises a DataError if a frame has no rows, or two columns of one name."""
    if not len(rows):
        raise DataError("The frame has 0 rows; at least one of each class was expected.")
    twice = rows.columns[rows.columns.duplicated()]
    if len(twice):
        raise DataError(f"The frame has two columns called {twice[0]!r}. Give each a name of its own.")


def dense(rows: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns of pandas' sparse types as plain ones."""
    import pandas as pd

    types = {name: dtype.subtype for name, dtype in rows.dtypes.items() if isinstance(dtype, pd.SparseDtype)}
    return rows.astype(types) if types else rows


def beside(rows: Any, known: Mixed, values: np.ndarray) -> Any:  # noqa: ANN401
    """Rows, and below them others in the same container with the same types."""
    cells = [known.cells(values, i) for i in range(values.shape[1])]
    if isinstance(rows, np.ndarray):
        made = np.empty(values.shape, rows.dtype)
        for i, column in enumerate(cells):
            made[:, i] = rounded(column, rows.dtype)
        return np.concatenate([rows, made])
    import pandas as pd

    columns = {
        i: pd.Series(rounded(column, dtype), dtype=object if column.dtype == object else None).astype(dtype)
        for i, (column, dtype) in enumerate(zip(cells, rows.dtypes, strict=True))
    }
    made = pd.DataFrame(columns)
    made.columns = rows.columns
    return pd.concat([rows, made], ignore_index=True)


def rounded(cells: np.ndarray, dtype: Any) -> np.ndarray:  # noqa: ANN401
    """Numbers that a column of this type can hold: whole ones where it holds no others."""
    if cells.dtype == object or dtype.kind not in "iu":
        return cells
    return np.rint(cells)
