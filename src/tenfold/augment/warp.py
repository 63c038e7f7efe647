"""Sampling pictures at moved places, so that gradients of gradients flow through it.

torch's own `grid_sample` can be differentiated once; a gradient penalty of what D sees needs it twice. As the
operation is linear in the picture, its transpose is its gradient, and it is the gradient of that.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

BILINEAR, MIRRORED = 0, 2  # as torch numbers what `grid_sample` calls bilinear and reflection

Images = Float[Tensor, "n c h w"]


def warp(x: Images, matrix: Float[Tensor, "n 2 3"]) -> Images:
    """Each picture moved by its own affine map; beyond the border it goes on mirrored.

    Places in between are interpolated linearly: cubic polynomials are sharper, and took five times as long.
    Where a map only turns, mirrors or shifts by whole pixels, values are those of the picture.

    Args:
        x: pictures.
        matrix: of each, from places in the result to places in x; both run from -1 to 1 across a picture.
    """
    height, width = x.shape[2:]
    across, down = centres(width, x.device), centres(height, x.device)[:, None]
    (a, b, c), (d, e, f) = (row.unbind(1) for row in matrix.float()[..., None, None].unbind(1))
    return resample(x, torch.stack([a * across + (b * down + c), d * across + (e * down + f)], -1))


def centres(side: int, device: torch.device) -> Float[Tensor, " side"]:
    """Where the middles of pixels lie, from -1 to 1 across all."""
    return (2 * torch.arange(side, device=device) + 1) / side - 1


def resample(x: Images, grid: Float[Tensor, "n h w 2"]) -> Images:
    """x at the places of a grid; differentiable with respect to x as often as you like, in float32."""
    sampled: Tensor = Gather.apply(x.float(), grid)  # pyright: ignore[reportAssignmentType]
    return sampled


class Gather(torch.autograd.Function):
    """A linear map of x; the grid gets no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:  # noqa: ANN401
        """x at the places of the grid."""
        ctx.save_for_backward(grid)
        ctx.shape = x.shape
        return grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        """The transposed map."""
        (grid,) = ctx.saved_tensors
        return Spread.apply(gradients[0], grid, ctx.shape), None  # pyright: ignore[reportReturnType]


class Spread(torch.autograd.Function):
    """The transpose of `Gather`: what was fetched goes back to where it came from."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:  # noqa: ANN401
        """Sums of y at the places of the grid."""
        ctx.save_for_backward(grid)
        x = y.new_zeros(1).expand(shape)  # of which only the shape counts
        found, _ = torch.ops.aten.grid_sampler_2d_backward(
            y.contiguous(), x, grid, BILINEAR, MIRRORED, False, (True, False)
        )
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        """The map itself."""
        (grid,) = ctx.saved_tensors
        return Gather.apply(gradients[0], grid), None, None  # pyright: ignore[reportReturnType]
