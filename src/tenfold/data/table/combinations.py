"""Combinations of columns: only those that occur, or each only once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool

from .columns import combined, filled, with_columns
from .rules import NOTHING, UNBOUND, described, refuse_impossible

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Together:
    """Only combinations of some columns that occur: one column of combinations stands in their place.

    Attributes:
        columns: those that belong together.
        floats: which of them are numbers.
        occur: the combinations of the training rows, each as JSON.
        times: how many rows have each.
    """

    columns: tuple[str, ...]
    floats: tuple[str, ...] = ()
    occur: tuple[str, ...] = ()
    times: tuple[int, ...] = ()

    name = "together"
    reads, bounds = (), UNBOUND

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"only combinations of {', '.join(self.columns)} that occur"

    @property
    def changes(self) -> tuple[str, ...]:
        """All of them."""
        return self.columns

    @property
    def joint(self) -> str:
        """What the column of combinations is called."""
        return " + ".join(self.columns)

    @property
    def makes(self) -> Mapping[str, tuple[str, ...]]:
        """The column of combinations."""
        return {self.joint: self.occur}

    def fitted(self, df: pd.DataFrame) -> Together:
        """With the combinations that occur."""
        occur, times = np.unique(combined(df, self.columns).astype(str), return_counts=True)
        floats = tuple(name for name in self.columns if df[name].dtype == np.float64)
        return replace(self, floats=floats, occur=tuple(occur.tolist()), times=tuple(times.tolist()))

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With combinations in place of the columns."""
        joint = combined(df, self.columns)
        return with_columns(df.drop(columns=list(self.columns)), {self.joint: joint})

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """With the columns of each combination."""
        import pandas as pd

        codes, texts = pd.factorize(df[self.joint].to_numpy(object))
        rows = [json.loads(text) for text in texts]
        columns: dict[str, np.ndarray] = {}
        for place, name in enumerate(self.columns):
            cells = np.empty(len(rows), object)
            cells[:] = [row[place] for row in rows]
            number = name in self.floats or any(type(cell) is float for cell in cells)
            columns[name] = (cells.astype(np.float64) if number else cells)[codes]
        return with_columns(df.drop(columns=self.joint), columns)

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """A combination with what is known, drawn by how often it occurs."""
        import pandas as pd

        here = [name for name in self.columns if name in df.columns]
        later = np.zeros(len(df), bool)
        if not here:
            return df, later
        codes, texts = pd.factorize(combined(filled(df, self.columns), self.columns))
        joint, by = np.full(len(df), None, object), cache(self._by)
        order = np.argsort(codes, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(df) else []:
            asked = json.loads(str(texts[codes[rows[0]]]))
            places = tuple(i for i, cell in enumerate(asked) if cell is not None)
            if not places:
                continue
            if not self.occur:
                later[rows] = True  # what occurs is not known
                continue
            choices = by(places).get(key_of(asked, places), [])
            if not choices:
                later[rows] = True
                refuse_impossible(self.words, later)
            weights = np.array([self.times[i] for i in choices], np.float64)
            chosen = random.choice(choices, len(rows), p=weights / weights.sum())
            joint[rows] = [self.occur[i] for i in chosen]
        return with_columns(df.drop(columns=here), {self.joint: joint}), later

    def _by(self, places: tuple[int, ...]) -> dict[str, list[int]]:
        """Numbers of the combinations, by what they have in some columns."""
        found: dict[str, list[int]] = {}
        for i, text in enumerate(self.occur):
            found.setdefault(key_of(json.loads(text), places), []).append(i)
        return found

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Which combinations the training rows had not; none if they are not known."""
        if not self.occur:
            return np.zeros(len(df), bool)
        return ~np.isin(combined(df, self.columns).astype(str), self.occur)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)


def key_of(cells: Sequence[Any], places: Sequence[int]) -> str:
    """Some cells of a combination as one text."""
    return json.dumps([cells[i] for i in places])


@dataclass(frozen=True)
class Unique:
    """No two rows have the same values of some columns: rows that repeat are drawn again.

    Attributes:
        columns: those that tell rows apart.
    """

    columns: tuple[str, ...]

    name = "unique"
    changes, makes, bounds = (), NOTHING, UNBOUND

    @property
    def words(self) -> str:
        """What holds, for people."""
        return f"no two rows with the same {', '.join(self.columns)}"

    @property
    def reads(self) -> tuple[str, ...]:
        """All of them."""
        return self.columns

    def fitted(self, df: pd.DataFrame) -> Unique:
        """Itself."""
        return self

    def forward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same."""
        return df

    def backward(self, df: pd.DataFrame) -> pd.DataFrame:
        """The same: whoever makes rows asks for `violations`, and draws these again."""
        return df

    def known(
        self, df: pd.DataFrame, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Bool[np.ndarray, " n"]]:
        """The same."""
        if set(self.columns) <= set(df.columns):
            known = df[list(self.columns)].notna().all(axis=1).to_numpy(bool)
            refuse_impossible(self.words, self.violations(df) & known)
        return df, np.zeros(len(df), bool)

    def violations(self, df: pd.DataFrame) -> Bool[np.ndarray, " n"]:
        """Rows that repeat one before them; those of which all is missing repeat nothing."""
        own = df[list(self.columns)]
        return (own.duplicated() & own.notna().any(axis=1)).to_numpy(bool)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return described(self)
