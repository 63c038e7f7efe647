"""Fully connected networks, and the three-layer convolutional discriminator often set against them.

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition
from ..layers import Activation, BatchNorm, Flatten, FullPrecision, activation

Output = Literal["tanh", "sigmoid", "linear"]


class MLPGenerator(nn.Module):
    """Noise to samples by linear layers.

    Args:
        latent: dimension of z.
        shape: of a sample.
        widths: of the hidden layers.
        hidden: activation of the hidden layers.
        output: tanh; sigmoid, whose [0, 1] is mapped to the data's [-1, 1]; or linear.
        batch_norm: whether hidden layers but the first are normalised.
    """

    def __init__(
        self,
        latent: int,
        shape: Sequence[int],
        widths: Sequence[int],
        *,
        hidden: Activation = "leaky_relu",
        output: Output = "tanh",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.shape, self.output = tuple(shape), output
        sizes = [latent, *widths]
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(pairwise(sizes)):
            norm = [BatchNorm(b)] if batch_norm and i else []
            layers += [nn.Linear(a, b, bias=not norm), *norm, activation(hidden)]
        self.body = nn.Sequential(*layers)
        self.last = FullPrecision(nn.Linear(sizes[-1], prod(self.shape)))

    def forward(self, z: Float[Tensor, "n latent"]) -> Float[Tensor, "n ..."]:
        """Samples of the given shape."""
        x = self.last(self.body(z)).view(-1, *self.shape)
        if self.output == "tanh":
            return x.tanh()
        return 2 * x.sigmoid() - 1 if self.output == "sigmoid" else x


class MLPDiscriminator(nn.Module):
    """Samples to logits by linear layers.

    Args:
        shape: of a sample.
        widths: of the hidden layers.
        hidden: activation of the hidden layers.
        classes: number of classes, joined to the input as a one-hot vector; 0 for none.
        bias: whether the last layer has one.
        outputs: logits of a sample.
    """

    def __init__(
        self,
        shape: Sequence[int],
        widths: Sequence[int],
        *,
        hidden: Activation = "leaky_relu",
        classes: int = 0,
        bias: bool = True,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.classes = classes
        sizes = [prod(shape) + classes, *widths]
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), activation(hidden))]
        self.body = nn.Sequential(*layers)
        self.last = FullPrecision(nn.Linear(sizes[-1], outputs, bias=bias))

    def forward(self, x: Float[Tensor, "n ..."], condition: Condition | None = None) -> Float[Tensor, "n k"]:
        """The logits of each sample."""
        h = x.flatten(1)
        if condition is not None:
            h = torch.cat([h, F.one_hot(condition, self.classes).to(h.dtype)], 1)
        return self.last(self.body(h))


class ConvDiscriminator(nn.Module):
    """Three 3x3 convolutions of stride 2, then a linear layer.

    Args:
        shape: of a sample, (channels, height, width).
        widths: channels of the convolutions.
        hidden: activation.
        bias: whether the last layer has one.
    """

    def __init__(
        self,
        shape: Sequence[int],
        widths: Sequence[int] = (64, 128, 256),
        *,
        hidden: Activation = "leaky_relu",
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), activation(hidden)]
            height, width = (height + 1) // 2, (width + 1) // 2
        self.body = nn.Sequential(*layers, Flatten())
        self.last = FullPrecision(nn.Linear(widths[-1] * height * width, 1, bias=bias))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        """One logit per sample."""
        return self.last(self.body(x))
