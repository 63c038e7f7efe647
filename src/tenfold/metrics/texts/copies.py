"""How much of made texts stands in texts that were learnt from, word for word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ..rows import Undefined
from .rows import bare, lengths

USUAL = 0.95  # of held-out texts share no longer span with a training text: a longer one is long


@dataclass(frozen=True, eq=False)
class Spans:
    """Of each text the longest run of tokens that a training text has, too.

    Attributes:
        length: of the run, in tokens; 0 if they have none in common.
        start: place of its first token in the text.
        source: number of the training text.
        at: place of its first token there.
        whole: whether the text is a training text from beginning to end.
    """

    length: Int[np.ndarray, " n"]
    start: Int[np.ndarray, " n"]
    source: Int[np.ndarray, " n"]
    at: Int[np.ndarray, " n"]
    whole: Bool[np.ndarray, " n"]


def copied_spans(train: Int[np.ndarray, "m t"], made: Int[np.ndarray, "n s"]) -> Spans:
    """The longest run of tokens that each text shares with any training text.

    All ends of all texts are sorted together, as in an array of suffixes. Of a made text's end the training
    text's that begins most like it stands next to it, on one side or the other. The time is that of sorting
    all tokens a few times; nothing is compared pair by pair.

    Args:
        train: texts that were learnt from.
        made: others.

    Raises:
        Undefined: if there are no training texts.

    References:
        Suffix arrays: a new method for on-line string searches. Manber, Myers, 1993.
        https://doi.org/10.1137/0222058

    Example:
        >>> copied_spans(np.array([[5, 6, 7, 8]]), np.array([[9, 6, 7, 2]])).length.tolist()
        [2]
    """
    if not len(train):
        raise Undefined("Not defined without training texts.")
    ends = _Ends(_together(train, made))
    nearest, common = ends.nearest(len(train))
    start = common.argmax(1)
    row = np.arange(len(made))
    source, at = np.divmod(nearest[row, start], ends.width)
    length = common[row, start]
    whole = np.isin(ends.ranks[-1][len(train) :, 0], ends.ranks[-1][: len(train), 0])
    return Spans(length, start, source, at, whole & (lengths(made) > 0))


def _together(train: np.ndarray, made: np.ndarray) -> Int[np.ndarray, "k w"]:
    """All texts, each with at least one padding behind it."""
    width = max(train.shape[1], made.shape[1]) + 1
    return np.concatenate([np.pad(bare(x), ((0, 0), (0, width - x.shape[1]))) for x in (train, made)])


class _Ends:
    """All ends of all texts, and how they are sorted.

    Attributes:
        ranks: for 1, 2, 4 ... tokens from each place on, how these are sorted; equal ones share their rank,
            and that of nothing but padding is 0.
        width: places of a text; the last is padding.
    """

    def __init__(self, texts: Int[np.ndarray, "k w"]) -> None:
        self.ranks, self.width, span = [texts], texts.shape[1], 1
        while span < self.width:
            rank = self.ranks[-1].astype(np.int64)
            after = np.zeros_like(rank)
            after[:, :-span] = rank[:, span:]
            both = (rank * (rank.max() + 1) + after).ravel()
            self.ranks.append(np.unique(both, return_inverse=True)[1].reshape(texts.shape).astype(np.int32))
            span *= 2

    def nearest(self, known: int) -> tuple[Int[np.ndarray, "n w"], Int[np.ndarray, "n w"]]:
        """For each place of the later texts the most similar place of the first ones, and how far they agree.

        Args:
            known: how many of the texts are looked through.

        Returns:
            The place, counted over all texts, and how many tokens from there on are the same.
        """
        order = np.argsort(self.ranks[-1].ravel(), kind="stable")
        own, count = order >= known * self.width, np.arange(len(order))
        before = np.maximum.accumulate(np.where(own, -1, count))[own].clip(min=0)
        after = np.minimum.accumulate(np.where(own, len(order), count)[::-1])[::-1][own]
        places = order[own]
        # The first in order is the padding of a known text; behind the last there may be none.
        sides = [order[before], np.where(after < len(order), order[after % len(order)], order[before])]
        common = [self.agreement(places, side) for side in sides]
        further = common[1] > common[0]
        found = [np.where(further, b, a) for a, b in (sides, common)]
        back = np.argsort(places)
        return found[0][back].reshape(-1, self.width), found[1][back].reshape(-1, self.width)

    def agreement(self, a: Int[np.ndarray, " k"], b: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        """How many tokens are the same from two places on; padding is none."""
        (row_a, at_a), (row_b, at_b) = (np.divmod(x, self.width) for x in (a, b))
        length, last = np.zeros(len(a), np.int64), self.width - 1
        for power in reversed(range(len(self.ranks))):
            rank = self.ranks[power]
            ours, theirs = (np.minimum(at + length, last) for at in (at_a, at_b))
            length += (rank[row_a, ours] == rank[row_b, theirs]).astype(np.int64) << power
        return np.minimum(length, lengths(self.ranks[0])[row_a] - at_a).clip(min=0)


def long_ones(spans: Spans, usual: Spans) -> tuple[float, float, int]:
    """The shares of texts with a longer copied span than most held-out texts have.

    What is long depends on the language, the tokens and how many training texts there are. So it is read off
    texts that cannot have copied: longer than what 95 % of them share with a training text.

    Args:
        spans: of made texts.
        usual: of held-out texts.

    Returns:
        The share among made texts and among held-out ones, and how many tokens are usual.
    """
    limit = int(np.quantile(usual.length, USUAL, method="higher"))
    return share(spans.length > limit), share(usual.length > limit), limit


def there_again(rows: Int[np.ndarray, "n t"]) -> Bool[np.ndarray, " n"]:
    """Which texts are there more than once, blank ones apart.

    Their share is how likely a fresh text is among so many, were these drawn without regard to the others.

    References:
        The population frequencies of species. Good, 1953. https://doi.org/10.1093/biomet/40.3-4.237
    """
    _, place, often = np.unique(bare(rows), axis=0, return_inverse=True, return_counts=True)
    return (often[place.ravel()] > 1) & (lengths(rows) > 0)


def share(which: Bool[np.ndarray, " n"]) -> float:
    """Of how many it holds."""
    return float(which.mean())


def share_error(value: float, n: int) -> float:
    """Standard error of a share of so many."""
    return (value * (1 - value) / n) ** 0.5
