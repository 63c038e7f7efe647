"""What learns from rows of a table: one model of each of four families, for classes and for numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ...errors import RecipeError, suggest
from .design import Design, TableRows, design

MODELS = ("linear", "boosting", "forest", "neighbours")
ROUNDS = 100
"""Trees of the boosting, one after another."""
_TREES, _NEIGHBOURS, _LEAF = 60, 15, 20

Answers = Callable[[TableRows], np.ndarray]
"""Rows to a probability of each class, `(n, k)`, or to a number each, `(n,)`."""


def fit_classes(
    name: str,
    rows: TableRows,
    labels: Int[np.ndarray, " n"],
    count: int,
    seed: int,
    rounds: int = ROUNDS,
) -> Answers:
    """A model that tells classes; a class that it was never shown has probability 0.

    Args:
        name: of the model, one of `MODELS`.
        rows: what it learns from.
        labels: their classes, from 0.
        count: how many classes there are, also those without a row.
        seed: of what the model draws.
        rounds: of boosting; fewer are played with many classes, for each of which there is a tree in a round.

    Raises:
        RecipeError: if there is no model of that name.
        Undefined: if there are no rows.
    """
    present = np.unique(labels)
    view = design(rows)
    look = _look(name, view)
    if len(present) == 1:
        return lambda asked: np.repeat(np.eye(count)[present], len(asked), axis=0)
    played = max(10, rounds * 2 // len(present))
    model = _classifier(name, view, seed, played, len(rows))
    model.fit(look(rows), labels)

    def answers(asked: TableRows) -> Float[np.ndarray, "n k"]:
        found = np.zeros((len(asked), count))
        found[:, present] = model.predict_proba(look(asked))
        return found

    return answers


def fit_numbers(
    name: str, rows: TableRows, wanted: Float[np.ndarray, " n"], seed: int, rounds: int = ROUNDS
) -> Answers:
    """A model that tells a number; see `fit_classes`.

    Raises:
        RecipeError: if there is no model of that name.
        Undefined: if there are no rows.
    """
    view = design(rows)
    look = _look(name, view)
    model = _regressor(name, view, seed, rounds, len(rows))
    model.fit(look(rows), wanted)
    return lambda asked: np.asarray(model.predict(look(asked)), dtype=np.float64)


def _look(name: str, view: Design) -> Answers:
    """How a model sees rows."""
    if name not in MODELS:
        raise RecipeError(f"There is no model {name!r} for rows of a table. {suggest(name, MODELS)}")
    return view.trees if name == "boosting" else view.numbers


def _classifier(name: str, view: Design, seed: int, rounds: int, n: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    if name == "linear":
        return LogisticRegression(max_iter=300, tol=1e-3)
    if name == "forest":
        return RandomForestClassifier(_TREES, min_samples_leaf=2, random_state=seed % 2**32)
    if name == "neighbours":
        return KNeighborsClassifier(min(_NEIGHBOURS, n))
    return HistGradientBoostingClassifier(**_boosting(view, seed, rounds, n))


def _regressor(name: str, view: Design, seed: int, rounds: int, n: int) -> Any:  # noqa: ANN401
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import KNeighborsRegressor

    if name == "linear":
        return Ridge()
    if name == "forest":
        features: Any = "sqrt"  # scikit-learn declares no types, and its default is a number
        return RandomForestRegressor(
            _TREES, min_samples_leaf=2, max_features=features, random_state=seed % 2**32
        )
    if name == "neighbours":
        return KNeighborsRegressor(min(_NEIGHBOURS, n))
    return HistGradientBoostingRegressor(**_boosting(view, seed, rounds, n))


def _boosting(view: Design, seed: int, rounds: int, n: int) -> dict[str, Any]:
    """Settings of boosting, of classes as of numbers."""
    return {
        "max_iter": rounds,
        "min_samples_leaf": _leaf(n),
        "categorical_features": ~view.number,
        "early_stopping": False,
        "random_state": seed % 2**32,
    }


def _leaf(n: int) -> int:
    """Fewest rows of a leaf: with scikit-learn's 20, of forty rows nothing would be learnt."""
    return max(2, min(_LEAF, n // 50))
