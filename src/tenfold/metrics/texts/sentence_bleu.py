"""BLEU of each text beside the one that it should be; on tensors, as a generator may be rewarded with it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...data.texts.layout import END, PAD


def sentence_bleu(
    made: Int[Tensor, "n t"], real: Int[Tensor, "n r"], longest: int = 4
) -> Float[Tensor, " n"]:
    """BLEU of each made text against one real text, from 0 to 1, which is where they are the same.

    Precisions of two tokens and more are smoothed by one match and one run more, else most texts would get
    0. Runs of tokens are compared place by place, without a table of them. Of two texts without a token it
    is 1.

    Args:
        made, real: token numbers, row by row; what stands behind the first end or padding is no part of it.
        longest: tokens of the longest runs that are compared.

    References:
        BLEU: a Method for Automatic Evaluation of Machine Translation (Papineni et al., 2002),
        https://aclanthology.org/P02-1040
        ORANGE: a Method for Evaluating Automatic Evaluation Metrics for Machine Translation (Lin and Och,
        2004), https://aclanthology.org/C04-1072, for the smoothing

    Example:
        >>> made, real = torch.tensor([[5, 6, 7, 2]]), torch.tensor([[5, 6, 8, 2]])
        >>> round(sentence_bleu(made, real).item() ** 4, 4)  # 2/3 * (1 + 1)/(2 + 1) * (0 + 1)/(1 + 1)
        0.2222
    """
    own, other = before_end(made), before_end(real)
    same = (made[:, :, None] == real[:, None, :]) & own[:, :, None] & other[:, None, :]
    alike = (made[:, :, None] == made[:, None, :]) & own[:, :, None] & own[:, None, :]
    length, wanted = own.sum(1), other.sum(1)
    logs, across, within = [], same, alike
    for size in range(1, longest + 1):
        if size > 1:
            across = across[:, :-1, :-1] & same[:, size - 1 :, size - 1 :]
            within = within[:, :-1, :-1] & alike[:, size - 1 :, size - 1 :]
        matched, total = clipped(across, within), (length - size + 1).clamp_min(0)
        more = float(size > 1)
        logs.append(((matched + more) / (total + more).clamp_min(1)).log())
    short = (1 - wanted / length.clamp_min(1)).clamp_max(0)
    score = (torch.stack(logs, 1).mean(1) + short).exp()
    return score.masked_fill((length == 0) & (wanted == 0), 1.0)


def before_end(rows: Int[Tensor, "n t"]) -> Bool[Tensor, "n t"]:
    """Where texts have a token of their own."""
    return ((rows != PAD) & (rows != END)).long().cumprod(1).bool()


def clipped(across: Bool[Tensor, "n k m"], within: Bool[Tensor, "n k k"]) -> Int[Tensor, " n"]:
    """How many runs of a text another has, too, each counted no more often than it has it.

    Args:
        across: whether the run at a place of one is that at a place of the other.
        within: whether the run at a place of the text is that at another place of it.
    """
    which = within.tril().sum(2)  # of equal runs it is the first, the second ...; 0 of what is no run
    return ((which > 0) & (which <= across.sum(2))).sum(1)
