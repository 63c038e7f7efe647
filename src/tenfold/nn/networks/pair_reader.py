"""What judges a text together with the text that it was made of.

References:
    Improving Neural Machine Translation with Conditional Sequence Generative Adversarial Nets
    (Yang et al., 2017), https://arxiv.org/abs/1703.04887
    Adversarial Neural Machine Translation (Wu et al., 2017), https://arxiv.org/abs/1704.06933
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import FullPrecision

REACH = 2  # places to either side that a convolution sees


class PairReader(nn.Module):
    """Two texts to a logit: convolutions over each, and each place of one beside its like in the other.

    As in the paper, both texts are read by convolutions, and what is greatest over all places is judged
    together. Other than there, each place of the made text also looks for its like in the source; and the
    mean over all places is seen, too, for of what there is how often no maximum knows. What stands behind the
    end of a text changes nothing. Dropout acts while the weights learn, and never else.

    Args:
        source_vocabulary, vocabulary: different tokens of the source, and of the text made of it.
        width: of what is seen of a place.
        dropout: share of numbers that are left out of what is seen of a pair.
        pad: token that stands behind the end of a text.
    """

    def __init__(
        self, source_vocabulary: int, vocabulary: int, *, width: int = 128, dropout: float = 0.0, pad: int = 0
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.source = Places(source_vocabulary, width, pad)
        self.text = Places(vocabulary, width, pad)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # one of all places changes no share of attention
        self.beside = nn.Linear(3 * width, width)
        self.whole = nn.Linear(6 * width, width)
        self.last = FullPrecision(nn.Linear(width, 1))

    def forward(self, source: Int[Tensor, "n s"], text: Int[Tensor, "n t"]) -> Float[Tensor, "n 1"]:
        """One logit per pair; higher where the text is more like a real one of that source."""
        (given, given_there), (made, made_there) = self.source(source), self.text(text)
        found = self.looked_up(made, given, given_there)
        both = F.leaky_relu(self.beside(torch.cat([made, found, made * found], 2)), 0.2)
        seen = [pooled(given, given_there), pooled(made, made_there), pooled(both, made_there)]
        learning = self.training and self.query.weight.requires_grad
        h = F.dropout(torch.cat(seen, 1), self.dropout, learning)
        return self.last(F.leaky_relu(self.whole(h), 0.2))

    def looked_up(
        self, made: Float[Tensor, "n t w"], given: Float[Tensor, "n s w"], there: Bool[Tensor, "n s"]
    ) -> Float[Tensor, "n t w"]:
        """Of each place of a text, what is like it in the source."""
        scores = self.query(made) @ self.key(given).transpose(1, 2) / made.shape[2] ** 0.5
        return scores.masked_fill(~there[:, None], -torch.inf).softmax(2) @ given


class Places(nn.Module):
    """Tokens, and what stands around each.

    Args:
        vocabulary: different tokens.
        width: of what is seen of a place.
        pad: token that stands behind the end.
    """

    def __init__(self, vocabulary: int, width: int, pad: int) -> None:
        super().__init__()
        self.pad = pad
        self.embedding = nn.Embedding(vocabulary, width)
        self.around = nn.ModuleList(nn.Conv1d(width, width, 2 * REACH + 1, padding=REACH) for _ in range(2))

    def forward(self, tokens: Int[Tensor, "n t"]) -> tuple[Float[Tensor, "n k w"], Bool[Tensor, "n k"]]:
        """What is seen of each place up to the end of the longest text, 0 where there is none; and where."""
        there = tokens != self.pad
        there[:, 0] = True  # of a text without a token, too, there must be something to see
        there = there[:, : int(there.sum(1).max())]
        mask = there[:, None]
        h = self.embedding(tokens[:, : there.shape[1]]).transpose(1, 2) * mask
        for around in self.around:
            h = h + F.leaky_relu(around(h), 0.2) * mask
        return h.transpose(1, 2), there


def pooled(h: Float[Tensor, "n t w"], there: Bool[Tensor, "n t"]) -> Float[Tensor, "n 2*w"]:
    """The greatest and the mean over all places that there are."""
    most = h.masked_fill(~there[:, :, None], -torch.inf).amax(1)
    mean = (h * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
    return torch.cat([most, mean], 1)
