"""What the discriminator sees of a sample."""

from __future__ import annotations

from typing import Literal, Protocol

from torch import Tensor

from ..draw import Draw

Change = Literal[
    "mirror",
    "quarter_turns",
    "shift",
    "scale",
    "rotation",
    "stretch",
    "brightness",
    "contrast",
    "inversion",
    "hue",
    "saturation",
    "cutout",
]
"""Everything that some augmentation does to a picture."""


class Augmentation(Protocol):
    """Changes samples at random, each in its own way; differentiable."""

    def __call__(self, x: Tensor, draw: Draw, /) -> Tensor:
        """What D sees of x."""
        ...

    def strongest(self) -> Augmentation:
        """The same as it may at most become, to look at."""
        ...
