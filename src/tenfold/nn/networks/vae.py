"""The networks of a variational autoencoder: of pictures by convolutions, of rows by linear layers.

References:
    Auto-Encoding Variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114
    Learning Structured Output Representation using Deep Conditional Generative Models (Sohn et al., 2015),
    https://papers.nips.cc/paper/5775
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...conditioning import Condition
from ..layers import Activation, FullPrecision, activation
from .dcgan import DCDiscriminator
from .mlp import MLPGenerator


class Encoder(nn.Module):
    """q(z | x), or q(z | x, condition): mean and log variance of each number of z.

    Args:
        body: maps samples to rows of features.
        features: how many.
        latent: dimension of z.
        classes: number of classes, joined to the features as a one-hot vector; 0 for none.
    """

    def __init__(self, body: nn.Module, features: int, latent: int, *, classes: int = 0) -> None:
        super().__init__()
        self.body, self.classes = body, classes
        self.last = FullPrecision(nn.Linear(features + classes, 2 * latent))

    def forward(
        self, x: Float[Tensor, "n ..."], condition: Condition | None = None
    ) -> tuple[Float[Tensor, "n latent"], Float[Tensor, "n latent"]]:
        """Mean and log variance."""
        mean, log_variance = self.last(joined(self.body(x), condition, self.classes)).chunk(2, 1)
        return mean, log_variance


class RowDecoder(nn.Module):
    """The mean of p(x | z), or of p(x | z, condition), for rows of numbers.

    Args:
        latent: dimension of z.
        shape: of a row, (numbers,).
        widths: of the hidden layers.
        classes: number of classes, joined to z as a one-hot vector; 0 for none.
        hidden: activation of the hidden layers.
    """

    def __init__(
        self,
        latent: int,
        shape: Sequence[int],
        widths: Sequence[int],
        *,
        classes: int = 0,
        hidden: Activation = "relu",
    ) -> None:
        super().__init__()
        self.classes = classes
        self.body = MLPGenerator(latent + classes, shape, widths, hidden=hidden, output="linear")

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n d"]:
        """Rows of the given length."""
        return self.body(joined(z, condition, self.classes))


def picture_encoder(latent: int, shape: Sequence[int], width: int, *, classes: int = 0) -> Encoder:
    """An encoder with the body of DCGAN's discriminator."""
    mirror = DCDiscriminator(shape, width)
    features = cast("nn.Linear", mirror.last.linear).in_features
    return Encoder(mirror.body, features, latent, classes=classes)


def row_encoder(
    latent: int, shape: Sequence[int], widths: Sequence[int], *, classes: int = 0, hidden: Activation = "relu"
) -> Encoder:
    """An encoder of linear layers."""
    pairs = pairwise([*shape, *widths])
    body = nn.Sequential(*(layer for a, b in pairs for layer in (nn.Linear(a, b), activation(hidden))))
    return Encoder(body, [*shape, *widths][-1], latent, classes=classes)


def joined(rows: Float[Tensor, "n d"], condition: Condition | None, classes: int) -> Float[Tensor, "n k"]:
    """Rows with their class beside them, if there is one."""
    if condition is None:
        return rows
    shares = condition if condition.is_floating_point() else one_hot(condition, classes)
    return torch.cat([rows, shares.to(rows.dtype)], 1)
