"""Classifiers trained beside each other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TextIO

WORKERS = 2


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """Workers beside each other, with one thread of torch and of BLAS each.

    What is left undone is dropped on leaving.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    workers = ThreadPoolExecutor(WORKERS)
    try:
        with threadpool_limits(1), sklearn_silent():
            yield workers
            workers.shutdown(cancel_futures=True)
    finally:
        workers.shutdown(cancel_futures=True)
        torch.set_num_threads(before)


@contextmanager
def sklearn_silent() -> Iterator[None]:
    """Show no warning of scikit-learn.

    Its trees set the filters of the whole process aside for a moment, in every thread; so another thread
    finds none and says so, thousands of times. What shows warnings, they leave alone.
    """
    show = warnings.showwarning

    def shown(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if "sklearn" not in filename:
            show(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():  # puts back filters that two threads left in disorder
        warnings.showwarning = shown
        yield
