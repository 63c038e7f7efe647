"""How many times a picture halves."""

from __future__ import annotations

from typing import NamedTuple


class BaseGrid(NamedTuple):
    """The grid a generator starts from, and how often it doubles."""

    height: int
    width: int
    doublings: int


def base_grid(height: int, width: int) -> BaseGrid:
    """The smallest grid, its longer side at least 4, that doubles to a picture's size.

    Example:
        >>> base_grid(28, 28), base_grid(64, 32)
        (BaseGrid(height=7, width=7, doublings=2), BaseGrid(height=4, width=2, doublings=4))
    """
    doublings = 0
    while height % 2 == 0 and width % 2 == 0 and max(height, width) >= 8:
        height, width, doublings = height // 2, width // 2, doublings + 1
    return BaseGrid(height, width, doublings)
