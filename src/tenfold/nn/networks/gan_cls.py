"""DCGAN that is told a sentence: beside the noise in the generator, beside the coarsest maps in the other.

References:
    Generative Adversarial Text to Image Synthesis (Reed et al., 2016), https://arxiv.org/abs/1605.05396
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..layers import BatchNorm, FullPrecision, activation
from .dcgan import DCGenerator, start_like_dcgan, widths
from .grid import base_grid

TOLD = 128  # numbers that a sentence becomes, in either network


def telling(sentence: int) -> nn.Module:
    """A layer that makes a sentence short."""
    return nn.Sequential(nn.Linear(sentence, TOLD), activation("leaky_relu"))


class CLSGenerator(nn.Module):
    """Noise and a sentence to pictures, by transposed convolutions.

    Without the paper's two residual blocks at coarse sizes.

    Args:
        latent: dimension of z.
        sentence: dimension of a sentence.
        shape: of a picture, (channels, height, width).
        width: channels before the last layer.
    """

    def __init__(self, latent: int, sentence: int, shape: Sequence[int], width: int) -> None:
        super().__init__()
        self.tell = telling(sentence)
        self.body = DCGenerator(latent + TOLD, shape, width)

    def forward(
        self, z: Float[Tensor, "n latent"], sentence: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        return self.body(torch.cat([z, self.tell(sentence)], 1))


class CLSDiscriminator(nn.Module):
    """Pictures and sentences to one logit for both; the mirror of the generator.

    Args:
        shape: of a picture, (channels, height, width).
        sentence: dimension of a sentence.
        width: channels after the first layer.
    """

    def __init__(self, shape: Sequence[int], sentence: int, width: int) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = widths(width, grid.doublings)
        kernel = (4, 2, 1) if grid.doublings else (3, 1, 1)
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(pairwise([channels, *sizes])):
            normal = [BatchNorm(b)] if i else []
            layers += [nn.Conv2d(a, b, *kernel, bias=not normal), *normal, activation("leaky_relu")]
        coarse = sizes[-1]
        self.trunk = nn.Sequential(*layers)
        joint = nn.Conv2d(coarse + TOLD, coarse, 1, bias=False)
        self.joint = nn.Sequential(joint, BatchNorm(coarse), activation("leaky_relu"))
        self.last = FullPrecision(nn.Conv2d(coarse, 1, grid[:2]))
        start_like_dcgan(self)
        self.tell = telling(sentence)  # as torch starts it: if it began smaller, it would go unheard for long

    def look(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k i j"]:
        """What is seen of pictures, whatever is said of them."""
        return self.trunk(x)

    def judge(self, seen: Float[Tensor, "n k i j"], sentence: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
        """One logit for each picture and its sentence, in float32."""
        return self.last(self.joint(beside(seen, self.tell(sentence)))).flatten(1)

    def forward(self, x: Float[Tensor, "n c h w"], sentence: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
        """The same of pictures."""
        return self.judge(self.look(x), sentence)


def beside(seen: Float[Tensor, "n k i j"], sentence: Float[Tensor, "n d"]) -> Float[Tensor, "n k+d i j"]:
    """Maps with a sentence at every place."""
    maps = sentence[:, :, None, None].expand(-1, -1, *seen.shape[2:])
    return torch.cat([seen, maps.to(seen.dtype)], 1)
