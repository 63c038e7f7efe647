"""DINOv2's vision transformers S, B and L with patches of 14 pixels, for features of pictures.

Names are those of the authors' weights without registers (`dinov2_vits14_pretrain.pth`, also B and L).
No such weights could be had where this was written: only names and shapes were checked, not values.

References:
    DINOv2: Learning Robust Visual Features without Supervision (Oquab et al., 2023),
    https://arxiv.org/abs/2304.07193
    An Image is Worth 16x16 Words (Dosovitskiy et al., 2020), https://arxiv.org/abs/2010.11929
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

PATCH, HEAD = 14, 64  # pixels of a patch's side; dimensions of an attention head
DEPTHS = {384: 12, 768: 12, 1024: 24}
"""Blocks by dimension: of ViT-S, ViT-B and ViT-L."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels from 0 to 1


class Attention(nn.Module):
    """Every token looks at all."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """What each token gathers from the others."""
        query, key, value = self.qkv(x).unflatten(2, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        return self.proj(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Hidden(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """What the layers make of each token."""
        return self.fc2(gelu(self.fc1(x)))


class Scale(nn.Module):
    """A learned factor per dimension."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """The tokens, scaled."""
        return x * self.gamma


class TransformerBlock(nn.Module):
    """Attention, then two layers for each token; both normalised before, scaled after, and added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.attn, self.ls1 = nn.LayerNorm(width, 1e-6), Attention(width), Scale(width)
        self.norm2, self.mlp, self.ls2 = nn.LayerNorm(width, 1e-6), Hidden(width), Scale(width)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """The tokens after the block."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Patches(nn.Module):
    """A token per patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n t d"]:
        """Tokens row by row."""
        return self.proj(x).flatten(2).transpose(1, 2)


class DinoV2(nn.Module):
    """The transformer; it takes pictures in [-1, 1] with three channels, whose sides are multiples of 14.

    Args:
        width: dimension of a token, 384, 768 or 1024.
        positions: tokens that the weights have positions for, 1370 in the authors': one, and 37x37 patches.
    """

    def __init__(self, width: int, positions: int) -> None:
        super().__init__()
        self.side = math.isqrt(positions - 1)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, positions, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # used in the authors' training only
        self.patch_embed = Patches(width)
        self.blocks = nn.Sequential(*(TransformerBlock(width) for _ in range(DEPTHS[width])))
        self.norm = nn.LayerNorm(width, 1e-6)

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """The class token of each picture after the last block."""
        mean, deviation = (x.new_tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
        patches = self.patch_embed(((x + 1) / 2 - mean) / deviation)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], 1)
        tokens = tokens + self._positions(x.shape[2] // PATCH, x.shape[3] // PATCH)
        return self.norm(self.blocks(tokens))[:, 0]

    def _positions(self, height: int, width: int) -> Float[Tensor, "1 t d"]:
        """The learned positions, those of the patches resized to the picture's grid."""
        if height == width == self.side:
            return self.pos_embed
        first, grid = self.pos_embed[:, :1], self.pos_embed[:, 1:].unflatten(1, (self.side, self.side))
        # A tenth of a patch is added as the authors do: their features are those of this very factor.
        factor = ((height + 0.1) / self.side, (width + 0.1) / self.side)
        resized = interpolate(grid.permute(0, 3, 1, 2), scale_factor=factor, mode="bicubic")
        return torch.cat([first, resized.flatten(2).transpose(1, 2)], 1)
