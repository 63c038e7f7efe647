"""A language model of n-grams that judges: what do real texts say of made ones, and these of real ones?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from ...data.texts.layout import END, START, UNKNOWN
from ..rows import Undefined
from .ngrams import windows
from .rows import bare, lengths

ORDER = 5  # tokens, of which the last is foretold by the others
LEAST_DISCOUNT, MOST_DISCOUNT = 0.1, 0.9
NEVER = 2  # tokens that no text has: padding and the start


@dataclass(frozen=True, eq=False)
class Level:
    """What is known of n-grams of one order.

    Attributes:
        grams: their numbers, ascending.
        counts: how often each was seen; below the highest order, after how many different tokens.
        contexts: numbers of their first n - 1 tokens, ascending.
        totals: the sum of counts after each context.
        kinds: how many different tokens follow it.
        discount: taken from every count.
    """

    grams: UInt64[np.ndarray, " g"]
    counts: Int[np.ndarray, " g"]
    contexts: UInt64[np.ndarray, " c"]
    totals: Float[np.ndarray, " c"]
    kinds: Float[np.ndarray, " c"]
    discount: float

    def smoothed(
        self,
        grams: UInt64[np.ndarray, "n w"],
        contexts: UInt64[np.ndarray, "n w"],
        below: Float[np.ndarray, "n w"],
    ) -> Float[np.ndarray, "n w"]:
        """Probabilities of this order, from those of the one below; the same where a context is unknown."""
        place, known = _sought(self.contexts, contexts)
        seat, seen = _sought(self.grams, grams)
        counts = np.where(seen, self.counts[seat], 0)
        own = np.maximum(counts - self.discount, 0) + self.discount * self.kinds[place] * below
        return np.where(known, own / self.totals[place], below)


def _sought(
    table: UInt64[np.ndarray, " k"], keys: UInt64[np.ndarray, "n w"]
) -> tuple[Int[np.ndarray, "n w"], Bool[np.ndarray, "n w"]]:
    place = np.searchsorted(table, keys).clip(max=len(table) - 1)
    return place, table[place] == keys


@dataclass(frozen=True, eq=False)
class Foretelling:
    """How well texts are foretold.

    Attributes:
        nll: of each text, the negative logarithm of its probability, its end included if it has one.
        tokens: of each text, how many that are.
    """

    nll: Float[np.ndarray, " n"]
    tokens: Int[np.ndarray, " n"]

    def per_token(self, index: Int[np.ndarray, " k"] | slice = slice(None)) -> float:
        """The mean over all tokens of the texts with these numbers, in nats; e to it is the perplexity."""
        return float(self.nll[index].sum() / max(self.tokens[index].sum(), 1))


@dataclass(frozen=True, eq=False)
class Grammar:
    """Interpolated Kneser-Ney smoothing with one discount per order, over a closed vocabulary.

    Attributes:
        levels: of order 1, 2 and so on; those of which no text had any are left out.
        outcomes: how many tokens may follow.

    References:
        An empirical study of smoothing techniques for language modeling. Chen, Goodman, 1999.
        https://doi.org/10.1006/csla.1999.0128
    """

    levels: tuple[Level, ...]
    outcomes: int

    @property
    def never_seen(self) -> float:
        """How likely a token is that was never seen, after others that were not."""
        if not self.levels:
            return 1 / self.outcomes
        single = self.levels[0]
        return float(single.discount * single.kinds.sum() / single.totals.sum() / self.outcomes)

    def foretell(self, rows: Int[np.ndarray, "n t"]) -> Foretelling:
        """How well each text is foretold, token by token; an unknown one is no likelier than one never seen.

        What is unknown is any of very many words. Where many of them are, whoever writes nothing else would
        read well.
        """
        told, last = _told(rows)
        p = np.full(told.shape, 1 / self.outcomes)
        contexts = windows(told, 0)
        for order, level in enumerate(self.levels, 1):
            grams = windows(told, order)
            if grams.shape[1]:
                p[:, order - 1 :] = level.smoothed(grams, contexts[:, : grams.shape[1]], p[:, order - 1 :])
            contexts = grams
        p = np.where(told == UNKNOWN, np.minimum(p, self.never_seen), p)
        there = _there(told, last, 1)
        return Foretelling(-np.where(there, np.log(p), 0.0).sum(1), last)


def learnt_from(rows: Int[np.ndarray, "n t"], vocabulary: int, order: int = ORDER) -> Grammar:
    """The model of some texts.

    Args:
        rows: of tokens.
        vocabulary: how many tokens there are, padding, start, end and unknown among them.
        order: tokens of the longest n-gram.

    Raises:
        Undefined: if there are no texts.
    """
    if not len(rows):
        raise Undefined("Not defined without texts to learn from.")
    told, last = _told(rows)
    keys = [windows(told, k) for k in range(order + 1)]
    levels = []
    for k in range(1, order + 1):
        there = _there(told, last, k)
        grams, contexts = keys[k][there], keys[k - 1][:, : there.shape[1]][there]
        if not len(grams):
            break
        if k < order:
            grams, contexts = _after_others(keys, there, k)
        levels.append(_level(grams, contexts))
    return Grammar(tuple(levels), vocabulary - NEVER)


def _told(rows: Int[np.ndarray, "n t"]) -> tuple[Int[np.ndarray, "n w"], Int[np.ndarray, " n"]]:
    """Texts behind their start, each with its end where it has one; and the place of the last token."""
    length, row = lengths(rows), np.arange(len(rows))
    ended = length < rows.shape[1]
    ended[ended] = rows[row[ended], length[ended]] == END
    told = np.pad(bare(rows), ((0, 0), (1, 0)), constant_values=START)
    told[row[ended], length[ended] + 1] = END
    return told, length + ended


def _there(told: Int[np.ndarray, "n w"], last: Int[np.ndarray, " n"], order: int) -> Bool[np.ndarray, "n w"]:
    """Which runs of so many tokens end in one that is to be foretold."""
    ends = np.arange(order - 1, told.shape[1])
    return (ends > 0) & (ends <= last[:, None])


def _after_others(
    keys: list[UInt64[np.ndarray, "n w"]], there: Bool[np.ndarray, "n w"], k: int
) -> tuple[UInt64[np.ndarray, " g"], UInt64[np.ndarray, " g"]]:
    """N-grams once for each different token before them, and their contexts; those at a start as they are.

    A word that follows only one other should not be foretold after a third. Nothing comes before a start, so
    that what follows it is counted.
    """
    inner, opening = there[:, 1:], there[:, 0]
    grams, contexts = keys[k][:, 1:][inner], keys[k - 1][:, 1 : there.shape[1]][inner]
    _, one = np.unique(keys[k + 1][inner], return_index=True)
    first = keys[k][opening, 0], keys[k - 1][opening, 0]
    return np.concatenate([grams[one], first[0]]), np.concatenate([contexts[one], first[1]])


def _level(grams: UInt64[np.ndarray, " k"], contexts: UInt64[np.ndarray, " k"]) -> Level:
    """An order's tables, of all its n-grams and their contexts."""
    known, one, counts = np.unique(grams, return_index=True, return_counts=True)
    before, place = np.unique(contexts[one], return_inverse=True)
    single, double = (int((counts == often).sum()) for often in (1, 2))
    discount = single / max(single + 2 * double, 1)
    return Level(
        known,
        counts,
        before,
        np.bincount(place, counts),
        np.bincount(place).astype(np.float64),
        min(max(discount, LEAST_DISCOUNT), MOST_DISCOUNT),
    )
