"""Pictures of words in one stage: noise and sentence decide a gain and a bias for each channel, many times.

References:
    DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis (Tao et al., 2022),
    https://arxiv.org/abs/2008.05865
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import FullPrecision, bounded
from .dcgan import WHOLE, widths
from .grid import BaseGrid, base_grid
from .stem import Stem

SLOPE = 0.2  # of leaky ReLUs
JOINT = 4  # channels of what joins picture and sentence, in those at the finest size; the paper has 2


def coarsest_last(width: int, grid: BaseGrid, more: int = 0) -> list[int]:
    """Channels at each size, the finest first; two sizes at least, for a block between them."""
    return widths(width, max(grid.doublings, 1) + 1 + more)


def enlarged(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Twice the size, smoothly."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Affine(nn.Module):
    """A gain and a bias for each channel, which two layers say of what is known; it starts as the identity.

    Args:
        known: dimension of what is known: noise and sentence.
        hidden: units between the layers.
        channels: of the maps.
    """

    def __init__(self, known: int, hidden: int, channels: int) -> None:
        super().__init__()
        last = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(known, hidden), nn.ReLU(), last)

    def forward(self, x: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """x, scaled and shifted."""
        gain, bias = self.layers(known).to(x.dtype)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(bias, x, 1 + gain)


class Fusion(nn.Module):
    """Two affine maps of what is known, each with a leaky ReLU: text and picture are fused deeply.

    Args:
        known, hidden, channels: see `Affine`.
    """

    def __init__(self, known: int, hidden: int, channels: int) -> None:
        super().__init__()
        self.affines = nn.ModuleList(Affine(known, hidden, channels) for _ in range(2))

    def forward(self, x: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """The maps, as noise and sentence will have them."""
        for affine in self.affines:
            x = F.leaky_relu(affine(x, known), SLOPE)
        return x


class FusionBlock(nn.Module):
    """Fusion, convolve, double, fusion, convolve; plus the doubled input.

    The paper doubles first, by repeating pixels: that leaves a grid in pictures, and takes longer.

    Args:
        inputs, outputs: channels.
        known, hidden: see `Affine`.
        double: whether it doubles.
    """

    def __init__(self, inputs: int, outputs: int, known: int, hidden: int, *, double: bool) -> None:
        super().__init__()
        self.doubles = double
        self.fusions = nn.ModuleList(Fusion(known, hidden, c) for c in (inputs, outputs))
        self.grow = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.conv = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.short = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]) -> Float[Tensor, "n o i j"]:
        """The larger maps."""
        h, short = self.grow(self.fusions[0](x, known)), self.short(x)
        if self.doubles:
            h, short = enlarged(h), enlarged(short)
        return self.conv(self.fusions[1](h, known)) + short


class DFGenerator(nn.Module):
    """Noise and a sentence to pictures, by fusion blocks that double the size.

    The paper has a tanh at the end. As nothing is normalised, all of it can become black before a fresh
    discriminator says otherwise, and through a tanh that could not be mended.

    Args:
        latent: dimension of z.
        sentence: dimension of a sentence.
        shape: of a picture, (channels, height, width).
        width: channels at the finest size; up to eight times as many at coarse ones.
        hidden: units that say gains and biases.
    """

    def __init__(self, latent: int, sentence: int, shape: Sequence[int], width: int, hidden: int) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = coarsest_last(width, grid)[::-1]
        self.stem = Stem(latent, sizes[0], grid, bias=True)
        self.blocks = nn.ModuleList(
            FusionBlock(a, b, latent + sentence, hidden, double=grid.doublings > 0)
            for a, b in pairwise(sizes)
        )
        self.last = FullPrecision(nn.Conv2d(sizes[-1], channels, 3, 1, 1))

    def forward(
        self, z: Float[Tensor, "n latent"], sentence: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        x, known = self.stem(z), torch.cat([z, sentence], 1)
        for block in self.blocks:
            x = block(x, known)
        return bounded(self.last(F.leaky_relu(x, SLOPE)))


class HalvingBlock(nn.Module):
    """Convolutions that halve, by a factor that is learnt; plus the halved input.

    The paper's factor starts at 0; then they hardly count in a run of minutes.

    Args:
        inputs, outputs: channels.
        halve: whether it halves.
    """

    def __init__(self, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        first = (4, 2, 1) if halve else (3, 1, 1)
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, *first, bias=False),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.LeakyReLU(SLOPE),
        )
        self.short = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.share = nn.Parameter(torch.ones(()))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k i j"]:
        """The smaller maps."""
        short = self.short(F.avg_pool2d(x, 2) if self.halve else x)
        return short + self.share * self.branch(x)


class DFDiscriminator(nn.Module):
    """Pictures and sentences to one logit for both: is it real, and what the sentence says?

    The sentence joins the coarsest maps; where the generator starts from more than 4x4, the picture is halved
    once more for it. What is seen of a picture can be judged with several sentences.

    Args:
        shape: of a picture, (channels, height, width).
        sentence: dimension of a sentence.
        width: channels at the finest size; up to eight times as many at coarse ones.
    """

    def __init__(self, shape: Sequence[int], sentence: int, width: int) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        deeper = grid.doublings > 0 and max(grid[:2]) > WHOLE and min(grid[:2]) > 1
        sizes = coarsest_last(width, grid, deeper)
        halve = grid.doublings > 0
        blocks = [HalvingBlock(a, b, halve=halve) for a, b in pairwise(sizes)]
        self.trunk = nn.Sequential(nn.Conv2d(channels, sizes[0], 3, 1, 1), *blocks)
        self.joint = nn.Conv2d(sizes[-1] + sentence, JOINT * width, 3, 1, 1, bias=False)
        whole = (grid.height >> deeper, grid.width >> deeper)
        self.last = FullPrecision(nn.Conv2d(JOINT * width, 1, whole, bias=False))

    def look(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k i j"]:
        """What is seen of pictures, whatever is said of them: their share of the layer that joins both."""
        seen = self.trunk(x)
        return F.conv2d(seen, self.joint.weight[:, : seen.shape[1]], padding=1)

    def judge(self, seen: Float[Tensor, "n k i j"], sentence: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
        """One logit for each picture and its sentence, in float32."""
        told = everywhere(sentence, self.joint.weight[:, -sentence.shape[1] :], seen.shape[2:])
        return self.last(F.leaky_relu(seen + told, SLOPE)).flatten(1)

    def forward(self, x: Float[Tensor, "n c h w"], sentence: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
        """The same of pictures."""
        return self.judge(self.look(x), sentence)


def everywhere(
    sentence: Float[Tensor, "n d"], weight: Float[Tensor, "k d 3 3"], size: Sequence[int]
) -> Float[Tensor, "n k h w"]:
    """A 3x3 convolution, padded with zeros, of maps with a sentence at every place.

    What each of the nine places around one says is the same everywhere, and computed once.

    Args:
        sentence: the maps' one value.
        weight: of the convolution.
        size: of the maps, (height, width).
    """
    says = torch.einsum("nd,kdij->nkij", sentence, weight).flatten(2)
    inside = F.unfold(weight.new_ones(1, 1, *size), 3, padding=1)[0]  # which of the nine are in the picture
    return (says @ inside.to(says.dtype)).unflatten(2, tuple(size))
