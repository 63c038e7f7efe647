"""The networks of InfoGAN's experiment on handwritten digits, for any size.

References:
    InfoGAN (Chen et al., 2016), appendix C.1, https://arxiv.org/abs/1606.03657
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from ..layers import Activation, BatchNorm, Flatten, FullPrecision, Unflatten, activation
from .grid import base_grid


class InfoGenerator(nn.Module):
    """Two linear layers, then at most two 4x4 transposed convolutions of stride 2.

    Args:
        latent: dimension of z, codes included.
        shape: of a picture, (channels, height, width).
        width: channels before the last layer.
        hidden: activation.
    """

    def __init__(
        self, latent: int, shape: Sequence[int], width: int = 64, *, hidden: Activation = "relu"
    ) -> None:
        super().__init__()
        channels, *self.grid = coarse(shape)
        coarsest, flat = 2 * width, 2 * width * self.grid[0] * self.grid[1]
        self.first = nn.Sequential(
            *(nn.Linear(latent, 16 * width, bias=False), BatchNorm(16 * width), activation(hidden)),
            *(nn.Linear(16 * width, flat, bias=False), BatchNorm(flat), activation(hidden)),
        )
        self.spread = Unflatten(*self.grid)
        ups = min(base_grid(*shape[1:]).doublings, 2)
        up: list[nn.Module] = []
        if ups == 2:
            up = [
                nn.ConvTranspose2d(coarsest, width, 4, 2, 1, bias=False),
                BatchNorm(width),
                activation(hidden),
            ]
        last = width if ups == 2 else coarsest
        self.up = nn.Sequential(*up)
        self.last = FullPrecision(
            nn.ConvTranspose2d(last, channels, 4, 2, 1) if ups else nn.Conv2d(last, channels, 3, 1, 1)
        )

    def forward(self, z: Float[Tensor, "n latent"]) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        return self.last(self.up(self.spread(self.first(z)))).tanh()


class InfoTrunk(nn.Module):
    """Two 4x4 convolutions of stride 2 and a linear layer, shared by the judge and the reader.

    Of pictures less than four pixels wide or high a convolution, or both, keeps the size.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels after the first convolution; the features have 16 times as many dimensions.
        hidden: activation.
    """

    def __init__(self, shape: Sequence[int], width: int = 64, *, hidden: Activation = "leaky_relu") -> None:
        super().__init__()
        channels, height, width_px = shape
        halvings = 2 if min(height, width_px) >= 4 else 1 if min(height, width_px) >= 2 else 0
        flat = 2 * width * (height >> halvings) * (width_px >> halvings)
        first, second = ((4, 2, 1) if halvings > i else (3, 1, 1) for i in range(2))
        self.features = 16 * width
        self.body = nn.Sequential(
            *(nn.Conv2d(channels, width, *first), activation(hidden)),
            *(nn.Conv2d(width, 2 * width, *second, bias=False), BatchNorm(2 * width), activation(hidden)),
            *(Flatten(), nn.Linear(flat, self.features, bias=False), BatchNorm(self.features)),
            activation(hidden),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Features of each picture."""
        return self.body(x)


def coarse(shape: Sequence[int]) -> tuple[int, int, int]:
    """Channels, and the grid from which at most two doublings lead to the picture's size."""
    channels, height, width = shape
    factor = 2 ** min(base_grid(height, width).doublings, 2)
    return channels, height // factor, width // factor
