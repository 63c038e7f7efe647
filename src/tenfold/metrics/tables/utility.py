"""What made rows teach: learnt from them and judged on real ones, beside the same from real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from ...draw import derive
from ...errors import DataError
from ..rows import Undefined
from .areas import macro_auc
from .design import TableRows, alike, by_frequency, same_columns
from .learners import MODELS, ROUNDS, fit_classes, fit_numbers

MOST_ROWS = 10_000
MOST_CLASSES = 10
"""Of a target; of more the rarest are one."""
FEWEST = 10
Measure = Literal["auc", "r2"]


@dataclass(frozen=True)
class Utility:
    """How well models do on real rows.

    Attributes:
        measure: `auc` (of several classes the mean, each against all others) or `r2` of a target of numbers.
        tstr: trained on made rows, by model.
        trtr: trained on as many real rows, by model.
        n: rows they were trained on.
        missing: classes of the target that the real rows have and the made ones have not. Models of made
            rows cannot tell them: they count as told by chance, 0.5.
    """

    measure: Measure
    tstr: dict[str, float]
    trtr: dict[str, float]
    n: int
    missing: tuple[int, ...] = ()

    @property
    def difference(self) -> dict[str, float]:
        """What is lost with made rows in the place of real ones, by model; negative if something is won."""
        return {name: self.trtr[name] - score for name, score in self.tstr.items()}


def measure_of(rows: TableRows, target: int) -> Measure:
    """What models of this target are judged by.

    Raises:
        DataError: if there is no such column.
    """
    if not 0 <= target < len(rows.names):
        raise DataError(
            f"Found {target} for the target's column, expected a number from 0 to {len(rows.names) - 1}. "
            "Look it up with `place(name)`."
        )
    return "auc" if rows.categorical[target] else "r2"


def tstr(
    train_like: TableRows,
    test: TableRows,
    target: int,
    seed: int,
    models: tuple[str, ...] = MODELS,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """Trained on synthetic rows, tested on real ones: the score of each model.

    A target of categories is judged by the ROC AUC, of more than two by the mean over those that `test` has,
    each against all others; of more than ten the rarest count as one. A target of numbers is judged by R²,
    over rows that have one. Whatever rows look like to a model is learnt from `train_like` alone.

    Args:
        train_like: rows to learn from.
        test: real rows that nothing was learnt from.
        target: number of the column that is told from the others.
        seed: of what models draw.
        models: which.
        rounds: of boosting.

    Raises:
        DataError: if the columns differ, or there is no such target.
        RecipeError: if there is no such model.
        Undefined: if there are fewer than ten rows on a side, no other column, or the target is the same in
            all rows of `test`.
    """
    same_columns(train_like, test)
    kind = measure_of(test, target)
    learn, judge = _answered(train_like, target), _answered(test, target)
    if min(len(learn), len(judge)) < FEWEST or len(test.names) < 2:
        raise Undefined(
            f"Not defined for {len(learn)} rows to learn from and {len(judge)} to judge by, of "
            f"{len(test.names)} columns: at least {FEWEST} rows and two columns were expected. Use more."
        )
    score = _class_score if kind == "auc" else _number_score
    return {name: score(name, learn, judge, target, derive(seed, "teach", name), rounds) for name in models}


def trtr(
    train: TableRows,
    test: TableRows,
    target: int,
    seed: int,
    models: tuple[str, ...] = MODELS,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """Trained on real rows, tested on other real ones: what `tstr` is compared with, in the same way.

    Raises:
        DataError: as `tstr` does.
        RecipeError: as `tstr` does.
        Undefined: as `tstr` does.
    """
    return tstr(train, test, target, seed, models, rounds)


def utility(
    train: TableRows,
    fake: TableRows,
    test: TableRows,
    target: int,
    seed: int,
    models: tuple[str, ...] = MODELS,
    rounds: int = ROUNDS,
) -> Utility:
    """Both scores of every model, of as many made as real rows.

    Args:
        train: real rows, what the generator learnt from.
        fake: made rows.
        test: real rows that neither has seen.
        target: number of the column that is told from the others.
        seed: decides which rows, and what models draw.
        models: which.
        rounds: of boosting.

    Raises:
        DataError: if the columns differ, or there is no such target.
        RecipeError: if there is no such model.
        Undefined: see `tstr`.
    """
    n = min(len(train), len(fake), MOST_ROWS)
    train, fake, test = alike(some(train, n, seed), some(fake, n, seed), some(test, MOST_ROWS, seed))
    return Utility(
        measure=measure_of(test, target),
        tstr=tstr(fake, test, target, seed, models, rounds),
        trtr=trtr(train, test, target, seed, models, rounds),
        n=n,
        missing=missing_classes(train, fake, target),
    )


def some(rows: TableRows, most: int, seed: int) -> TableRows:
    """All rows, or as many of them if there are more."""
    if len(rows) <= most:
        return rows
    return rows.take(np.random.default_rng(derive(seed, "utility")).permutation(len(rows))[:most])


def missing_classes(real: TableRows, fake: TableRows, target: int) -> tuple[int, ...]:
    """Categories of the target that real rows have and made ones have not; none if it holds numbers."""
    if not real.categorical[target]:
        return ()
    gone = np.setdiff1d(real.values[:, target], fake.values[:, target])
    return tuple(int(number) for number in gone)


def _answered(rows: TableRows, target: int) -> TableRows:
    """The rows in which the target is there."""
    there: Bool[np.ndarray, " n"] = ~np.isnan(rows.values[:, target])
    return rows if there.all() else rows.take(np.flatnonzero(there))


def _class_score(name: str, train: TableRows, test: TableRows, target: int, seed: int, rounds: int) -> float:
    # Which classes count as one is read off the test rows: it must be the same whatever was learnt from.
    codes = test.values[:, target].astype(np.int64)
    merged = by_frequency(np.bincount(codes, minlength=test.levels[target]), MOST_CLASSES - 1)
    labels: Int[np.ndarray, " n"] = merged[train.values[:, target].astype(np.int64)]
    says = fit_classes(name, train.without(target), labels, MOST_CLASSES, seed, rounds)
    return macro_auc(says(test.without(target)), merged[codes])


def _number_score(name: str, train: TableRows, test: TableRows, target: int, seed: int, rounds: int) -> float:
    says = fit_numbers(name, train.without(target), train.values[:, target], seed, rounds)
    return r2(says(test.without(target)), test.values[:, target])


def r2(said: Float[np.ndarray, " n"], true: Float[np.ndarray, " n"]) -> float:
    """Share of the spread of true numbers that is told; 0 for their mean, negative for what is worse.

    Raises:
        Undefined: if all true numbers are the same.

    Example:
        >>> r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
        0.5
    """
    spread = float(np.square(true - true.mean()).sum()) if len(true) else 0.0
    if spread == 0:
        raise Undefined(
            f"Not defined for {len(true)} rows with one value of the target: at least two values were "
            "expected. Judge by rows that have them."
        )
    return 1 - float(np.square(said - true).sum()) / spread
