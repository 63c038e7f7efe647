"""Discriminators of texts: convolutions of several widths, the largest of each over the text, a highway.

References:
    Convolutional Neural Networks for Sentence Classification (Kim, 2014), https://arxiv.org/abs/1408.5882
    Highway Networks (Srivastava et al., 2015), https://arxiv.org/abs/1505.00387
    SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (Yu et al., 2017),
    https://arxiv.org/abs/1609.05473
    RelGAN: Relational Generative Adversarial Networks for Text Generation (Nie et al., 2019),
    https://openreview.net/forum?id=rJedV3R5tm
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ProjectionHead

Text = Int[Tensor, "n t"] | Float[Tensor, "n t v"]
"""Token numbers; or, for each place, how much of every token stands there."""


class Highway(nn.Module):
    """A layer that each number may pass by; at first most of each does.

    Args:
        width: numbers.
        bias: of the gates at first.
    """

    def __init__(self, width: int, bias: float = -2.0) -> None:
        super().__init__()
        self.new, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, bias)

    def forward(self, h: Float[Tensor, "*n w"]) -> Float[Tensor, "*n w"]:
        """As many numbers."""
        gate = self.gate(h).sigmoid()
        return gate * F.relu(self.new(h)) + (1 - gate) * h


class Phrases(nn.Module):
    """How much of each of many patterns is found anywhere in a text.

    Args:
        inputs: dimension of the vector at each place.
        kernels: widths of the patterns, in tokens.
        filters: patterns of each width.
    """

    def __init__(self, inputs: int, kernels: Sequence[int], filters: Sequence[int]) -> None:
        super().__init__()
        pairs = zip(kernels, filters, strict=True)
        self.layers = nn.ModuleList(nn.Conv1d(inputs, count, width) for width, count in pairs)

    def forward(self, x: Float[Tensor, "n c t"]) -> Float[Tensor, "n w"]:
        """The most of each pattern, 0 at least."""
        return F.relu(torch.cat([layer(x).amax(2) for layer in self.layers], 1))


class TextDiscriminator(nn.Module, ABC):
    """Texts to logits, in two halves: what is seen of a text, of which a game may drop some, and the verdict.

    Attributes:
        head: the last layer.
    """

    head: ProjectionHead

    @abstractmethod
    def features(self, x: Text) -> Float[Tensor, "n *k w"]:
        """What is seen of texts."""

    @abstractmethod
    def judged(
        self, features: Float[Tensor, "n *k w"], condition: Condition | None = None
    ) -> Float[Tensor, "n r"]:
        """Logits of what is seen."""

    def forward(self, x: Text, condition: Condition | None = None) -> Float[Tensor, "n r"]:
        """Logits of texts."""
        return self.judged(self.features(x), condition)


class TextReader(TextDiscriminator):
    """One logit for each text.

    Args:
        vocabulary: how many tokens there are.
        length: of a text; a pattern is no wider.
        embedding: dimension of the vectors of tokens.
        kernels: widths of the patterns, in tokens.
        filters: patterns of each width.
        classes: number of classes; 0 for none.
        bias: whether the last layer has one.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        *,
        embedding: int = 32,
        kernels: Sequence[int] = (1, 2, 3, 4, 5),
        filters: Sequence[int] = (32, 32, 32, 32, 32),
        classes: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, embedding)
        self.phrases = Phrases(embedding, [min(k, length) for k in kernels], filters)
        self.highway = Highway(sum(filters))
        self.head = ProjectionHead(sum(filters), classes, bias=bias)

    def features(self, x: Text) -> Float[Tensor, "n w"]:
        """What is seen of texts."""
        return self.highway(self.phrases(vectors(self.tokens, x).transpose(1, 2)))

    def judged(
        self, features: Float[Tensor, "n w"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """A logit of what is seen of each text."""
        return self.head(features, condition)


class ManyReaders(TextDiscriminator):
    """A logit for each of several representations: vectors of tokens of their own, all else in common.

    Args:
        vocabulary: how many tokens there are.
        length: of a text; a pattern is no wider.
        representations: how many there are.
        size: dimension of the vectors of tokens in each.
        kernels: widths of the patterns, in tokens.
        filters: patterns of each width.
        hidden: width of the layer before the last.
        classes: number of classes; 0 for none.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        *,
        representations: int = 16,
        size: int = 1,
        kernels: Sequence[int] = (2, 3, 4, 5),
        filters: Sequence[int] = (32, 32, 32, 32),
        hidden: int = 64,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.representations, self.size = representations, size
        self.tokens = nn.Embedding(vocabulary, representations * size)
        self.phrases = Phrases(size, [min(k, length) for k in kernels], filters)
        self.highway = Highway(sum(filters), bias=0.0)
        # Two linear layers in a row, as published, would be one.
        self.think = nn.Sequential(nn.Linear(sum(filters), hidden), nn.LeakyReLU(0.2))
        self.head = ProjectionHead(hidden, classes, bias=False)

    def features(self, x: Text) -> Float[Tensor, "n r w"]:
        """What is seen of texts in each representation."""
        several = vectors(self.tokens, x).unflatten(2, (self.representations, self.size))
        found = self.phrases(several.permute(0, 2, 3, 1).flatten(0, 1))
        return self.highway(found).unflatten(0, (len(x), self.representations))

    def judged(
        self, features: Float[Tensor, "n r w"], condition: Condition | None = None
    ) -> Float[Tensor, "n r"]:
        """A logit for each representation of each text."""
        each = None if condition is None else condition.repeat_interleave(self.representations, 0)
        said = self.head(self.think(features.flatten(0, 1)), each)
        return said.unflatten(0, (len(features), self.representations))[..., 0]


def vectors(table: nn.Embedding, x: Text) -> Float[Tensor, "n t d"]:
    """The vectors of tokens, or of what lies between tokens."""
    return x @ table.weight if x.is_floating_point() else table(x)
