"""From noise to the coarsest grid of a picture."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from ...conditioning import Condition, ConditionalLatent
from ..layers import Unflatten
from .grid import BaseGrid


class Stem(nn.Module):
    """A linear layer from the noise, and its class if there is one, onto the coarsest grid.

    Args:
        latent: dimension of z.
        channels: of the grid.
        grid: its size.
        classes: number of classes; 0 for none.
        bias: whether the layer has one.
    """

    def __init__(
        self, latent: int, channels: int, grid: BaseGrid, *, classes: int = 0, bias: bool = False
    ) -> None:
        super().__init__()
        self.latent = ConditionalLatent(latent, classes)
        self.linear = nn.Linear(self.latent.dimension, channels * grid.height * grid.width, bias=bias)
        self.spread = Unflatten(grid.height, grid.width)

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The coarsest picture."""
        return self.spread(self.linear(self.latent(z, condition)))
