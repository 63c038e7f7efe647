"""Strided convolutions, as deep as the picture's size asks for.

References:
    Unsupervised Representation Learning with Deep Convolutional GANs (Radford et al., 2015),
    https://arxiv.org/abs/1511.06434
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from ...conditioning import Condition, ConditionalBatchNorm, ProjectionHead
from ..layers import (
    Activation,
    BatchNorm,
    Flatten,
    FullPrecision,
    LayerNorm,
    ResizedConv,
    SpectralConv,
    activation,
)
from .grid import base_grid
from .stem import Stem

WHOLE = 4  # pixels of a side that a 4x4 kernel sees at once
Norm = Literal["batch", "layer", "spectral", "none"]


def widths(width: int, doublings: int, most: int = 8) -> list[int]:
    """Channels from the finest to the coarsest resolution: doubling, up to `most` times the first."""
    return [width * min(2**i, most) for i in range(max(doublings, 1))]


def start_like_dcgan(module: nn.Module) -> None:
    """Weights from N(0, 0.02), as the paper initialises them."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(part.weight, 0.0, 0.02)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def transposed(inputs: int, outputs: int, *, bias: bool = True) -> nn.Module:
    """A transposed convolution that doubles the size, as in the paper."""
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)


class DCGenerator(nn.Module):
    """Noise to pictures by 4x4 transposed convolutions of stride 2, or by resized ones, normalised by batch.

    Args:
        latent: dimension of z.
        shape: of a picture, (channels, height, width).
        width: channels before the last layer.
        classes: number of classes that choose the norms' gains and biases; 0 for none.
        hidden: activation.
        resized: whether convolutions follow a resizing, which leaves no grid of dots.
    """

    def __init__(
        self,
        latent: int,
        shape: Sequence[int],
        width: int,
        *,
        classes: int = 0,
        hidden: Activation = "relu",
        resized: bool = False,
    ) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = widths(width, grid.doublings)[::-1]
        doubled = ResizedConv if resized else transposed
        self.stem = Stem(latent, sizes[0], grid, classes=classes)
        self.ups = nn.ModuleList(doubled(a, b, bias=False) for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(ConditionalBatchNorm(c, classes) for c in sizes)
        self.hidden = activation(hidden)
        last = doubled(sizes[-1], channels) if grid.doublings else nn.Conv2d(sizes[-1], channels, 3, 1, 1)
        self.last = FullPrecision(last)
        start_like_dcgan(self)

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        x = self.hidden(self.norms[0](self.stem(z, condition), condition))
        for up, norm in zip(self.ups, self.norms[1:], strict=True):
            x = self.hidden(norm(up(x), condition))
        return self.last(x).tanh()


class DCDiscriminator(nn.Module):
    """Pictures to logits by 4x4 convolutions of stride 2; the mirror of the generator.

    Where the generator starts from more than 4x4, it halves the picture once more: to see the whole of it.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels after the first layer.
        norm: batch (not on the first layer), layer, spectral (on every layer), or none.
        classes: number of classes of the projection head; 0 for none.
        hidden: activation.
        bias: whether the last layer has one.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int,
        *,
        norm: Norm = "batch",
        classes: int = 0,
        hidden: Activation = "leaky_relu",
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        deeper = grid.doublings > 0 and max(grid[:2]) > WHOLE and min(grid[:2]) > 1
        sizes = widths(width, grid.doublings + deeper)
        kernel = (4, 2, 1) if grid.doublings else (3, 1, 1)
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(zip([channels, *sizes], sizes, strict=False)):
            normal = [NORMS[norm](b)] if i and norm in NORMS else []
            plain = nn.Conv2d(a, b, *kernel, bias=not normal)
            conv = SpectralConv(a, b, *kernel) if norm == "spectral" else plain
            layers += [conv, *normal, activation(hidden)]
        self.body = nn.Sequential(*layers, Flatten())
        features = sizes[-1] * (grid.height >> deeper) * (grid.width >> deeper)
        self.last = ProjectionHead(features, classes, bias=bias, spectral=norm == "spectral")
        start_like_dcgan(self)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per picture."""
        return self.last(self.body(x), condition)


NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "layer": LayerNorm}
