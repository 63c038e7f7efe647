"""Blocks that are made beside each other come in order, whole, and not too many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from tenfold.tables.ahead import ahead


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_blocks_come_in_order_by_threads_of_one_thread_each(threads):
    seen: list[int] = []

    def make(start: int) -> int:
        seen.append(torch.get_num_threads())
        return 10 * start

    with torch_threads(threads):
        assert list(ahead(make, range(0, 20, 2))) == list(range(0, 200, 20))
        assert torch.get_num_threads() == threads
    assert seen == [1] * 10


@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_that_go_by_those_before_are_made_one_by_one_on_one_thread(threads):
    seen: list[tuple[int, int]] = []

    def make(start: int) -> int:
        seen.append((start, torch.get_num_threads()))
        return start

    with torch_threads(threads):
        assert list(ahead(make, range(9), workers=1)) == list(range(9))
        assert torch.get_num_threads() == threads
    assert seen == [(start, 1) for start in range(9)]


def test_no_more_are_made_than_threads_and_one_before_they_are_asked_for():
    made: list[int] = []
    enough = threading.Event()

    def make(start: int) -> int:
        made.append(start)
        if len(made) == 3:
            enough.set()
        return start

    with torch_threads(2):
        blocks = ahead(make, range(100))
        assert next(blocks) == 0 and enough.wait(10)
        blocks.close()
    assert sorted(made) == [0, 1, 2]


def test_what_fails_is_raised_where_it_is_asked_for():
    def make(start: int) -> int:
        if start == 3:
            raise ValueError("three")
        return start

    with torch_threads(2):
        blocks = ahead(make, range(100))
        assert [next(blocks) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(blocks)
        assert torch.get_num_threads() == 2
