"""Keys that are made: none of the data, all different, each a function of the seed and its number."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tenfold.data.table.column import Column, Pattern
from tenfold.data.table.ids import make_ids


def column(dtype: str, pattern: Pattern | None, high: float | None = None) -> Column:
    return Column("id", "id", dtype, pattern=pattern, high=high)


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (column("int64", Pattern("", 0), 41.0), [44, 45]),
        (column("Int32", Pattern("", 0), 41.0), [44, 45]),
        (column("", Pattern("", 0)), [2, 3]),
        (column("str", Pattern("", 0), 41.0), ["44", "45"]),
        (column("str", Pattern("", 5), 41.0), ["00044", "00045"]),
        (column("object", Pattern("C-", 3), 997.0), ["C-1000", "C-1001"]),
        (column("str", Pattern("user", 0), 7.0), ["user10", "user11"]),
    ],
)
def test_numbered_keys_go_on_behind_those_of_the_data(given: Column, keys: list) -> None:
    assert make_ids(given, 2, 2, seed=0).tolist() == keys


def test_keys_do_not_depend_on_how_many_are_made_at_once() -> None:
    for given in (
        column("str", None),
        column("str", Pattern("a", 4), 3.0),
        column("int64", Pattern("", 0), 3.0),
    ):
        whole = make_ids(given, 50, 0, seed=7)
        parts = np.concatenate([make_ids(given, 20, 0, seed=7), make_ids(given, 30, 20, seed=7)])
        assert whole.tolist() == parts.tolist() and len(set(whole)) == 50
        assert len(make_ids(given, 0, 9, seed=7)) == 0


def test_keys_without_a_pattern_are_uuids_of_the_seed() -> None:
    keys = make_ids(column("str", None), 3, 0, seed=1)
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", k) for k in keys
    )
    assert not set(keys) & set(make_ids(column("str", None), 3, 0, seed=2))


def test_very_large_numbers_stay_apart_from_those_of_the_data() -> None:
    high = float(2**60)
    keys = make_ids(column("int64", Pattern("", 0), high), 2, 0, seed=0)
    assert keys.dtype == np.int64 and keys[0] > 2**60 and keys[1] == keys[0] + 1
