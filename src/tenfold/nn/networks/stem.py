"""From noise to the coarsest grid of a picture."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float, Int
from torch import Tensor, nn

from ...conditioning import ConditionalBatchNorm, ConditionalLatent
from ..layers import Activation, Unflatten, activation
from .grid import BaseGrid

DENSE_LAYERS = 2


class Stem(nn.Module):
    """A linear layer onto the coarsest grid, if asked with two fully connected ones before it.

    Where a picture halves only two or three times, convolutions alone see too little of it at once: the
    strokes are right and the shapes are not. The fully connected layers mend that.

    Args:
        latent: dimension of z.
        channels: of the grid.
        grid: its size.
        dense: units of each fully connected layer; 0 for none.
        classes: number of classes; 0 for none.
        hidden: activation after each fully connected layer.
        bias: whether the last layer has one.
    """

    def __init__(
        self,
        latent: int,
        channels: int,
        grid: BaseGrid,
        *,
        dense: int = 0,
        classes: int = 0,
        hidden: Activation = "relu",
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.latent = ConditionalLatent(latent, classes)
        inputs, sizes = self.latent.dimension, [dense] * DENSE_LAYERS if dense else []
        self.dense = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise([inputs, *sizes]))
        self.norms = nn.ModuleList(ConditionalBatchNorm(c, classes) for c in sizes)
        self.hidden = activation(hidden)
        self.last = nn.Linear(dense or inputs, channels * grid.height * grid.width, bias=bias)
        self.spread = Unflatten(grid.height, grid.width)

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The coarsest picture."""
        x = self.latent(z, condition)
        for linear, norm in zip(self.dense, self.norms, strict=True):
            x = self.hidden(norm(linear(x), condition))
        return self.spread(self.last(x))
