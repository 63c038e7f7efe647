"""Adult: a table of 32,561 people, its parts, and what rows that were made of it are judged by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

import peers
from tenfold.metrics.tables.closeness import closeness, copy_test, exact_copies
from tenfold.metrics.tables.design import TableRows
from tenfold.metrics.tables.detector import detector_auc
from tenfold.metrics.tables.membership import membership
from tenfold.metrics.tables.utility import tstr

TARGET = "income"
HELD_OUT, LITTLE = 10_000, 2_000
MODELS = {"logistic": "linear", "boosting": "boosting"}


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows that are learnt from, others that judge, and as many others as were learnt from, if there are.

    Attributes:
        train: what generators see.
        test: 10,000 rows, by which classifiers are judged.
        fresh: rows of neither: what a perfect generator would make.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    fresh: pd.DataFrame


@cache
def table() -> pd.DataFrame:
    """The whole table; labels without the blank that the file has before each."""
    return pd.read_csv(Path(os.environ["TENFOLD_DATA"]) / "adult.csv", skipinitialspace=True)


def parts(seed: int, rows: int) -> Parts:
    """The table's rows in random order: 10,000 that judge, so many to learn from, as many fresh ones."""
    whole = table()
    order = np.random.default_rng(seed).permutation(len(whole))
    ends = [0, HELD_OUT, HELD_OUT + rows, HELD_OUT + 2 * rows]
    sides = [whole.iloc[order[start:stop]].reset_index(drop=True) for start, stop in pairwise(ends)]
    return Parts(train=sides[1], test=sides[0], fresh=sides[2])


@cache
def labels() -> dict[str, list[str]]:
    """Of each column without numbers, all its labels."""
    whole = table()
    return {name: sorted(map(str, whole[name].unique())) for name in peers.labels_of(whole)}


def rows_of(frame: pd.DataFrame) -> TableRows:
    """Rows as metrics take them; labels are numbered alike, whatever rows have them."""
    known, names = labels(), list(table().columns)
    columns = [
        pd.Index(known[name]).get_indexer(frame[name].astype(str)).astype(np.float64)
        if name in known
        else frame[name].to_numpy(np.float64)
        for name in names
    ]
    levels = tuple(len(known.get(name, ())) for name in names)
    return TableRows(np.stack(columns, 1), tuple(name in known for name in names), levels, tuple(names))


def utility(parts: Parts, made: pd.DataFrame, seed: int) -> dict[str, float]:
    """ROC AUC on the rows that judge, of a logistic model and of boosting that learnt from made rows."""
    test = rows_of(parts.test)
    found = tstr(rows_of(made), test, test.place(TARGET), seed, tuple(MODELS.values()))
    return {name: round(found[model], 4) for name, model in MODELS.items()}


def judged(parts: Parts, made: pd.DataFrame, seed: int) -> dict[str, float]:
    """What made rows teach, how well they are told from fresh ones, how near they are to training rows."""
    train, test, fresh, rows = (rows_of(side) for side in (parts.train, parts.test, parts.fresh, made))
    near = closeness(train, rows, seed)
    found = {
        **utility(parts, made, seed),
        "detector": detector_auc(fresh, rows, seed).value,
        "exact_copies": exact_copies(train, rows),
        "fifth": near.fifth,
        "ratio": near.ratio,
        "c_t": copy_test(train, test, rows, seed).z,
        "membership": membership(train, test, rows, seed).auc.value,
    }
    return {name: round(value, 4) for name, value in found.items()}


def met(asked: Sequence[tuple[str, bool | None]]) -> str:
    """What was asked, and whether it was met; None where that was not tested."""
    words = {True: "met", False: "missed", None: "not tested"}
    return "; ".join(f"{text}: {words[is_so]}" for text, is_so in asked)
