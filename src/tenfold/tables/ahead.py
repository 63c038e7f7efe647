"""Blocks of rows that are made beside each other, and come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

Block = TypeVar("Block")

MOST_THREADS = 8  # beyond which Python's lock is what they wait for


def ahead(make: Callable[[int], Block], starts: range, workers: int = MOST_THREADS) -> Iterator[Block]:
    """What is made of each start, in order; no more of it is held than there are threads, and one.

    Each thread makes a block of its own: a block is too small for several to share. So what is made does not
    depend on their number, which is torch's.

    Args:
        make: a block; called by several threads at once.
        starts: of the blocks.
        workers: threads at most; one, where a block goes by those before it.
    """
    whole = torch.get_num_threads()
    if whole == 1:
        yield from map(make, starts)
        return
    threads = min(whole, workers)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        left, under_way = iter(starts), deque[Future[Block]]()
        under_way.extend(pool.submit(make, start) for start in islice(left, threads + 1))
        while under_way:
            yield under_way.popleft().result()
            under_way.extend(pool.submit(make, start) for start in islice(left, 1))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(whole)  # for threads to come, which would do as the workers did
