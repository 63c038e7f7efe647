"""Texts and pictures to vectors that lie near each other where they belong together.

References:
    Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation
    (Cho et al., 2014), https://arxiv.org/abs/1406.1078
    Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021),
    https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ...draw import Draw
from ..layers import AcrossRanks, BatchNorm, Flatten, FullPrecision, activation
from .dcgan import widths
from .grid import base_grid

PADDING = 0  # the token behind the end of a text
WARMTH = 0.07  # temperature at the start, as the paper has it
STEEPEST = 100.0  # one over the lowest temperature, as the paper has it


def of_size_one(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """The same directions, the numbers of each vector of size one on average: noise is as large.

    Example:
        >>> round(of_size_one(torch.tensor([[3.0, 0.0, 0.0, 4.0]])).square().mean().item(), 4)
        1.0
    """
    return F.normalize(x.float(), dim=1) * x.shape[1] ** 0.5


class TextEncoder(nn.Module):
    """Texts as token numbers to a vector each: the last and the mean state of a GRU that reads them.

    What lies behind the end of a text plays no part.

    Args:
        vocabulary: how many different tokens there are; number 0 pads.
        sentence: dimension of a text's vector, of a token's, and of the GRU's state.
    """

    def __init__(self, vocabulary: int, sentence: int) -> None:
        super().__init__()
        self.sentence = sentence
        self.tokens = nn.Embedding(vocabulary, sentence, padding_idx=PADDING)
        self.gru = nn.GRU(sentence, sentence, batch_first=True)
        self.last = nn.Linear(2 * sentence, sentence)

    def forward(self, tokens: Int[Tensor, "n l"]) -> Float[Tensor, "n d"]:
        """A vector for each text, of numbers of size one, in float32."""
        there = tokens != PADDING
        count = there.sum(1).clamp_min(1)  # an empty text is its padding
        with torch.autocast(tokens.device.type, enabled=False):  # torch's GRU has no bf16 on every device
            states, _ = self.gru(self.tokens(tokens))
            mean = (states * there[:, :, None]).sum(1) / count[:, None]
            last = states[torch.arange(len(tokens), device=tokens.device), count - 1]
            return of_size_one(self.last(torch.cat([mean, last], 1)))


class PictureEncoder(nn.Module):
    """Pictures to a vector each, by convolutions of stride 2; it knows where things are.

    Args:
        shape: of a picture, (channels, height, width).
        dimension: of the vector.
        width: channels after the first layer.
    """

    def __init__(self, shape: Sequence[int], dimension: int, width: int) -> None:
        super().__init__()
        channels, height, width_px = shape
        grid = base_grid(height, width_px)
        sizes = widths(width, grid.doublings)
        kernel = (4, 2, 1) if grid.doublings else (3, 1, 1)
        layers: list[nn.Module] = []
        for a, b in pairwise([channels, *sizes]):
            layers += [nn.Conv2d(a, b, *kernel, bias=False), BatchNorm(b), activation("leaky_relu")]
        self.body = nn.Sequential(*layers, Flatten())
        self.last = FullPrecision(nn.Linear(sizes[-1] * grid.height * grid.width, dimension))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """A vector for each picture, of numbers of size one, in float32."""
        return of_size_one(self.last(self.body(x)))


class Contrast(AcrossRanks):
    """How surely each picture finds its text among those of a batch, and each text its picture.

    The temperature is learnt. All that is compared is of one batch, over all ranks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1 / WARMTH).log())

    def forward(
        self,
        pictures: Float[Tensor, "n d"],
        sentences: Float[Tensor, "n d"],
        tokens: Int[Tensor, "n l"],
        draw: Draw,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """The loss, and the share of pictures whose likeliest text is right."""
        with torch.autocast(pictures.device.type, enabled=False):
            # Token numbers fit into float32: there are never 2**24 of them.
            rows = torch.cat([pictures.float(), sentences.float(), tokens.float()], 1)
            dimension, length = pictures.shape[1], tokens.shape[1]
            seen, told, texts = self.gathered(rows, draw).split([dimension, dimension, length], 1)
            same = (texts[:, None] == texts).all(2)
            logits = self.log_scale.exp().clamp_max(STEEPEST) * (seen @ told.T) / dimension
            right = same.gather(1, logits.argmax(1, keepdim=True))
            return contrastive(logits, same), right.float().mean()

    def gathered(self, rows: Float[Tensor, "n k"], draw: Draw) -> Float[Tensor, "m k"]:
        """These rows of all ranks, in the order of the batch."""
        if self.sum_over_ranks is None:
            return rows
        mine = rows.new_zeros(draw.total, rows.shape[1] + 1)
        mine[draw.rows] = F.pad(rows, (0, 1), value=1.0)  # marks what is there: not all of a micro-batch is
        everybody = self.sum_over_ranks(mine)
        return everybody[everybody[:, -1] > 0, :-1]


def contrastive(logits: Float[Tensor, "n n"], same: Bool[Tensor, "n n"]) -> Float[Tensor, ""]:
    """Cross-entropy of pictures over texts and of texts over pictures, the mean of both.

    Args:
        logits: how alike picture i and text j are.
        same: whether texts i and j are the same; all of them are then right alike.

    Example:
        >>> round(contrastive(torch.zeros(2, 2), torch.eye(2) > 0).item(), 4)
        0.6931
    """
    right = same.float() / same.sum(1, keepdim=True)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
