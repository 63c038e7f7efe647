"""Sizes that a network can grow to: a small base, doubled a number of times."""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST_BASE, LARGEST_BASE = 4, 8


@dataclass(frozen=True)
class Grid:
    """A size `base * 2**doublings`, in pixels.

    Attributes:
        base_height, base_width: where a network starts.
        doublings: how often it doubles.
    """

    base_height: int
    base_width: int
    doublings: int

    @property
    def height(self) -> int:
        """Height after all doublings."""
        return self.base_height << self.doublings

    @property
    def width(self) -> int:
        """Width after all doublings."""
        return self.base_width << self.doublings


def fit_grid(height: int, width: int) -> Grid:
    """The smallest grid that holds an image; the smaller base, hence more doublings, if two are equal.

    The base of the longer side is 4 to 8, that of the shorter side at least 1.

    Example:
        >>> fit_grid(28, 28)
        Grid(base_height=7, base_width=7, doublings=2)
        >>> fit_grid(25, 25).height, fit_grid(64, 48)
        (28, Grid(base_height=4, base_width=3, doublings=4))
    """
    longest = max(height, width, SMALLEST_BASE)
    candidates: list[Grid] = []
    for doublings in range(longest.bit_length()):
        unit = 1 << doublings
        if SMALLEST_BASE <= -(-longest // unit) <= LARGEST_BASE:
            taller, wider = height >= width, width >= height
            candidates.append(
                Grid(
                    -(-(longest if taller else height) // unit),
                    -(-(longest if wider else width) // unit),
                    doublings,
                )
            )
    return min(
        candidates, key=lambda grid: (grid.height * grid.width, max(grid.base_height, grid.base_width))
    )
