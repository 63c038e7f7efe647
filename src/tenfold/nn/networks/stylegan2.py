"""StyleGAN2's networks: a mapped latent scales the channels of every layer.

References:
    Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2019),
    https://arxiv.org/abs/1912.04958
    A Style-Based Generator Architecture for Generative Adversarial Networks (Karras et al., 2018),
    https://arxiv.org/abs/1812.04948
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, Fading, looked_up
from .grid import BaseGrid, base_grid

SLOPE, GAIN = 0.2, 2**0.5
GROUP = 4  # samples over which the discriminator compares
FULL_WIDTH = 32  # up to this side layers are as wide as asked for; beyond, half as wide with each doubling


def rectified(x: Tensor) -> Tensor:
    """leaky_relu of slope 0.2, times the root of two, which keeps the variance."""
    return F.leaky_relu(x, SLOPE) * GAIN


def layer_widths(width: int, grid: BaseGrid) -> list[int]:
    """Channels at each size, the coarsest first."""
    sides = [max(grid.height, grid.width) * 2**i for i in range(grid.doublings + 1)]
    return [max(1, round(width * min(1.0, FULL_WIDTH / side))) for side in sides]


class Scaled(nn.Module):
    """A linear map whose weights are normal and are scaled when used: all layers then learn at one rate.

    Args:
        inputs, outputs: dimensions.
        bias: where the bias starts.
        rate: the layer learns so much slower than the others.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate = rate / inputs**0.5, rate

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        """The linear map."""
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


class ScaledConv(nn.Module):
    """A convolution whose weights are scaled when used.

    Args:
        inputs, outputs: channels.
        kernel: side of it.
        halve: whether the output is half as large; what would alias is filtered out before.
        bias: whether it adds one.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, halve: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain, self.halve = (inputs * kernel**2) ** -0.5, halve

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b h2 w2"]:
        """The convolution."""
        weight, side = self.weight * self.gain, self.weight.shape[-1]
        if not self.halve:
            return F.conv2d(x, weight, self.bias, padding=side // 2)
        return F.conv2d(filtered(F.pad(x, [1 + side // 2] * 4)), weight, self.bias, stride=2)


def filtered(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """The taps 1, 3, 3, 1 along both sides, of sum one; three pixels smaller."""
    for _ in range(3):
        x = F.avg_pool2d(x, 2, 1)
    return x


class Mapping(nn.Module):
    """Noise, and its class if there is one, to a style.

    Args:
        latent: dimension of z, and of the style.
        layers: how many.
        classes: number of classes; 0 for none.
    """

    def __init__(self, latent: int, layers: int, *, classes: int = 0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent) if classes else None
        sizes = [2 * latent if classes else latent] + [latent] * layers
        self.layers = nn.ModuleList(Scaled(a, b, rate=0.01) for a, b in pairwise(sizes))

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n latent"]:
        """Styles, in float32."""
        with torch.autocast(z.device.type, enabled=False):
            w = of_length_one(z)
            if self.embedding is not None:
                assert condition is not None
                w = torch.cat([w, of_length_one(looked_up(self.embedding, condition))], 1)
            for layer in self.layers:
                w = rectified(layer(w))
            return w


def of_length_one(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows whose numbers have a mean square of one."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Styled(nn.Module):
    """A convolution whose inputs are scaled by a style, and whose outputs are brought back to variance one.

    Args:
        inputs, outputs: channels.
        style: dimension of a style.
        kernel: side of it.
        double: whether the output is twice as large.
        demodulate: whether outputs are brought back; not for the layers that make colours.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        style: int,
        kernel: int,
        *,
        double: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.affine = Scaled(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain = (inputs * kernel**2) ** -0.5
        self.doubles, self.demodulates = double, demodulate

    def forward(
        self, x: Float[Tensor, "n a h w"], w: Float[Tensor, "n style"], noise: Tensor | None = None
    ) -> Float[Tensor, "n b h2 w2"]:
        """The convolution, with noise and the bias added; colours are in float32."""
        style, back = self.scales(w)
        if back is None:
            with torch.autocast(x.device.type, enabled=False):
                return F.conv2d(x.float() * style, self.weight) + self.bias[:, None, None]
        # The same as scaling the weights for each sample, at a fraction of the cost.
        x = x * style.to(x.dtype)
        if self.doubles:
            x = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
            x = 4 * filtered(F.pad(x, [1] * 4))
        else:
            x = F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)
        x = x * back.to(x.dtype) + self.bias.to(x.dtype)[:, None, None]
        return x if noise is None else x + noise.to(x.dtype)

    def scales(self, w: Float[Tensor, "n style"]) -> tuple[Tensor, Tensor | None]:
        """What inputs are multiplied with, and outputs, `(n, channels, 1, 1)`, in float32."""
        with torch.autocast(w.device.type, enabled=False):
            style = self.affine(w.float())
            if not self.demodulates:
                return (style * self.gain)[:, :, None, None], None
            power = style.square() @ self.weight.square().sum((2, 3)).T
            return style[:, :, None, None], (power + 1e-8).rsqrt()[:, :, None, None]


class Synthesis(nn.Module):
    """Styles to pictures: a learnt grid that doubles, each size adding colours to those of the one before.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels at sizes up to 32 pixels a side.
        style: dimension of a style.
    """

    def __init__(self, shape: Sequence[int], width: int, style: int) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = layer_widths(width, grid)
        self.sides = [(grid.height << i, grid.width << i) for i in range(len(sizes))]
        self.start = nn.Parameter(torch.randn(sizes[0], grid.height, grid.width))
        first = [Styled(a, b, style, 3, double=True) for a, b in pairwise(sizes)]
        self.ups = nn.ModuleList(first)
        self.convs = nn.ModuleList(Styled(size, size, style, 3) for size in sizes)
        self.colours = nn.ModuleList(Styled(size, channels, style, 1, demodulate=False) for size in sizes)
        self.strengths = nn.Parameter(torch.zeros(2 * len(sizes) - 1))

    @property
    def layers(self) -> int:
        """Styles that a picture has: one for each convolution; colours share the next one's."""
        return 2 * len(self.sides)

    @property
    def noises(self) -> int:
        """Numbers of noise that a picture has: one for each pixel of each convolution."""
        areas = [height * width for height, width in self.sides]
        return areas[0] + 2 * sum(areas[1:])

    def forward(
        self, ws: Float[Tensor, "n layers style"], noise: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        fields = self.fields(noise)
        x = self.start.expand(len(ws), -1, -1, -1)
        x = rectified(self.convs[0](x, ws[:, 0], next(fields)))
        picture = self.colours[0](x, ws[:, 1])
        for i, up in enumerate(self.ups, 1):
            x = rectified(up(x, ws[:, 2 * i - 1], next(fields)))
            x = rectified(self.convs[i](x, ws[:, 2 * i], next(fields)))
            picture = F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
            picture = picture + self.colours[i](x, ws[:, 2 * i + 1])
        return picture.tanh()

    def fields(self, noise: Tensor) -> Iterator[Tensor]:
        """The noise of each convolution, as strong as was learnt."""
        sides = [self.sides[0], *(side for side in self.sides[1:] for _ in range(2))]
        parts = noise.split([height * width for height, width in sides], 1)
        for strength, part, (height, width) in zip(self.strengths, parts, sides, strict=True):
            yield strength * part.view(-1, 1, height, width)


class Halving(nn.Module):
    """Two convolutions, the second of which halves, and the halved input beside them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = ScaledConv(inputs, inputs, 3), ScaledConv(inputs, outputs, 3, halve=True)
        self.shortcut = ScaledConv(inputs, outputs, 1, halve=True, bias=False)

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b h2 w2"]:
        """Both, of variance one together."""
        return (rectified(self.second(rectified(self.first(x)))) + self.shortcut(x)) * 0.5**0.5


class ScaledHead(Fading):
    """Logits of features: a linear map, plus the inner product with the class's embedding, both scaled.

    Args:
        features: dimension of the features.
        classes: number of classes; 0 gives the linear map alone.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = Scaled(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None
        self.gain = features**-0.5

    def forward(self, h: Float[Tensor, "n d"], condition: Condition | None = None) -> Float[Tensor, "n 1"]:
        """One logit per sample, in float32."""
        with torch.autocast(h.device.type, enabled=False):
            h = h.float()
            if self.embedding is None:
                return self.linear(h)
            assert condition is not None
            known = self.known(looked_up(self.embedding, condition))
            return self.linear(h) + self.gain * (known * h).sum(1, keepdim=True)


class StyleDiscriminator(nn.Module):
    """Pictures to logits; compares the samples of a batch in small groups, so that a lack of variety shows.

    Args:
        shape: of a picture, (channels, height, width).
        width: channels at sizes up to 32 pixels a side.
        classes: number of classes of the projection head; 0 for none.
    """

    def __init__(self, shape: Sequence[int], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = layer_widths(width, grid)[::-1]
        self.first = ScaledConv(channels, sizes[0], 1)
        self.blocks = nn.Sequential(*(Halving(a, b) for a, b in pairwise(sizes)))
        self.conv = ScaledConv(sizes[-1] + 1, sizes[-1], 3)
        self.dense = Scaled(sizes[-1] * grid.height * grid.width, sizes[-1])
        self.last = ScaledHead(sizes[-1], classes)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per picture."""
        x = self.blocks(rectified(self.first(x)))
        x = rectified(self.conv(torch.cat([x, variety(x)], 1)))
        return self.last(rectified(self.dense(x.flatten(1))), condition)


def variety(x: Float[Tensor, "n c h w"], group: int = GROUP) -> Float[Tensor, "n 1 h w"]:
    """How much the samples of a group differ, as a channel: the mean standard deviation.

    Groups are neighbours in the batch, and the last takes what is left over: so a part of a batch that is cut
    between groups has the groups of the whole.
    """
    n, h = len(x), x.float().flatten(1)
    before = max(0, n // group - 1) * group  # samples of all groups but the last

    def spread(groups: Float[Tensor, "g k d"]) -> Float[Tensor, " g"]:
        return (groups.var(1, correction=0) + 1e-8).sqrt().mean(1)

    found = (
        spread(h[:before].unflatten(0, (-1, group))).repeat_interleave(group) if before else h.new_empty(0)
    )
    found = torch.cat([found, spread(h[None, before:]).expand(n - before)])
    return found.to(x.dtype)[:, None, None, None].expand(-1, 1, *x.shape[2:])
