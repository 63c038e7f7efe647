"""Rows go to a file whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tenfold.errors import RunError
from tenfold.tables.writing import write_blocks

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl"])
def test_nothing_is_left_of_a_file_whose_rows_could_not_be_made(tmp_path, suffix):
    def blocks() -> Iterator[Any]:
        yield pd.DataFrame({"a": [1, 2]})
        raise RunError("no more")

    with pytest.raises(RunError, match="no more"):
        write_blocks(blocks(), tmp_path / f"rows.{suffix}")
    assert not list(tmp_path.iterdir())
