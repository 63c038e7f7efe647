"""A text is read as a whole, and another is written token by token, looking back at every place of it.

References:
    Neural Machine Translation by Jointly Learning to Align and Translate (Bahdanau et al., 2014),
    https://arxiv.org/abs/1409.0473
    Effective Approaches to Attention-based Neural Machine Translation (Luong et al., 2015),
    https://arxiv.org/abs/1508.04025
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .language import Alphabet, NextToken


class Memory(NamedTuple):
    """What was read of sources.

    Attributes:
        states: what stands at each place.
        keys: by which places are found.
        there: whether there is a token at a place.
    """

    states: Float[Tensor, "n s d"]
    keys: Float[Tensor, "n s h"]
    there: Bool[Tensor, "n s"]


class Pen(NamedTuple):
    """Where the writing stands of k texts of each source.

    Attributes:
        hidden: state of the GRU.
        fed: what was found in the source and said of it at the last token; it is told to the next.
    """

    hidden: Float[Tensor, "n k h"]
    fed: Float[Tensor, "n k h"]


class AttentionSeq2Seq(nn.Module):
    """A GRU that reads in both directions, and one that writes, with attention and input feeding.

    What stands behind the end of a source changes nothing, however much there is of it. Several texts of one
    source can be written side by side. Dropout acts while the weights learn, and never else: what is written
    without a gradient, to compare with, is what the network writes in use.

    Args:
        source_vocabulary: different tokens of what is read.
        alphabet: the tokens that are written.
        embedding: dimension of a token.
        width: units of the GRU that writes; either direction of the other has half as many.
        dropout: share of numbers that are left out of tokens, and of what is said of the next.
        pad: token that stands behind the end of a source.
    """

    def __init__(
        self,
        source_vocabulary: int,
        alphabet: Alphabet,
        *,
        embedding: int = 128,
        width: int = 256,
        dropout: float = 0.0,
        pad: int = 0,
    ) -> None:
        super().__init__()
        half = -(-width // 2)
        self.begin, self.pad, self.dropout = alphabet.start, pad, dropout
        self.source_embedding = nn.Embedding(source_vocabulary, embedding)
        self.embedding = nn.Embedding(alphabet.count, embedding)
        self.encoder = nn.GRU(embedding, half, batch_first=True, bidirectional=True)
        self.first = nn.Linear(2 * half, width)
        self.key = nn.Linear(2 * half, width, bias=False)  # one of all places changes no share of attention
        self.cell = nn.GRUCell(embedding + width, width)
        self.join = nn.Linear(2 * half + width, width)
        self.last = NextToken(width, alphabet)

    def logits(self, source: Int[Tensor, "n s"], tokens: Int[Tensor, "n t"]) -> Float[Tensor, "n t v"]:
        """Of each token, given the source and the tokens before it (teacher forcing)."""
        memory, pen = self.read(source)
        begin = tokens.new_full((len(tokens), 1), self.begin)
        before = self.told(torch.cat([begin, tokens[:, :-1]], 1))
        fed = []
        for token in before.split(1, 1):
            pen = self.advance(memory, pen, token)
            fed.append(pen.fed)
        return self.said(torch.cat(fed, 1))

    def read(self, source: Int[Tensor, "n s"]) -> tuple[Memory, Pen]:
        """What is to be known of sources, and a pen for each, which has written nothing yet."""
        there = source != self.pad
        there[:, 0] = True  # of a source without a token, too, there must be something to look at
        tokens = self.dropped(self.source_embedding(source))
        with torch.autocast(tokens.device.type, enabled=False):  # torch's GRU has no bf16 on every device
            lengths = there.sum(1).cpu()
            packed = pack_padded_sequence(tokens.float(), lengths, batch_first=True, enforce_sorted=False)
            seen, ends = self.encoder(packed)
            states, _ = pad_packed_sequence(seen, batch_first=True)
        hidden = self.first(ends.transpose(0, 1).flatten(1)).tanh().float()[:, None]
        memory = Memory(states, self.key(states), there[:, : states.shape[1]])
        return memory, Pen(hidden, torch.zeros_like(hidden))

    def write(
        self, memory: Memory, pen: Pen, token: Int[Tensor, "n k"]
    ) -> tuple[Float[Tensor, "n k v"], Pen]:
        """Logits of the next token after the last one, and the pen behind that."""
        pen = self.advance(memory, pen, self.told(token))
        return self.said(pen.fed), pen

    def follow(self, pen: Pen, origin: Int[Tensor, "n k"]) -> Pen:
        """Pens that go on where others of the same source stand.

        Args:
            pen: the others.
            origin: which of them each goes on from.
        """
        return Pen(*(part.take_along_dim(origin[:, :, None], 1) for part in pen))

    def advance(self, memory: Memory, pen: Pen, token: Float[Tensor, "n k e"]) -> Pen:
        """The pen after it was told a token."""
        with torch.autocast(token.device.type, enabled=False):
            given = torch.cat([token.float(), pen.fed], 2).flatten(0, 1)
            hidden = self.cell(given, pen.hidden.flatten(0, 1)).unflatten(0, token.shape[:2])
        scores = hidden @ memory.keys.transpose(1, 2)
        shares = scores.masked_fill(~memory.there[:, None], -torch.inf).softmax(2)
        found = shares @ memory.states
        return Pen(hidden, self.join(torch.cat([found, hidden], 2)).tanh().float())

    def told(self, tokens: Int[Tensor, "n t"]) -> Float[Tensor, "n t e"]:
        """Tokens as the GRU that writes is told them."""
        return self.dropped(self.embedding(tokens))

    def said(self, fed: Float[Tensor, "n t h"]) -> Float[Tensor, "n t v"]:
        """Logits of what is written next, in float32."""
        return self.last(self.dropped(fed))

    def dropped(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """x without some of its numbers, while the weights learn."""
        learning = self.training and torch.is_grad_enabled() and self.embedding.weight.requires_grad
        return F.dropout(x, self.dropout, learning)
