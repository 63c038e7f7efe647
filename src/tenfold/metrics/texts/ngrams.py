"""Runs of tokens: how many of them real texts have, how many others, and how many differ.

A run of n tokens, an n-gram, is known by a number of 64 bits that is mixed from its tokens. Two different
ones among a million share theirs once in forty million such sets; counts are exact but for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from jaxtyping import Float, Int, UInt64

from ..rows import Undefined
from .rows import bare, lengths

LONGEST = 5  # tokens of an n-gram
_STEP, _FIRST, _SECOND = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def windows(rows: Int[np.ndarray, "n t"], order: int) -> UInt64[np.ndarray, "n w"]:
    """A number for each run of so many tokens, by its first token's place; of none if rows are shorter."""
    width = max(rows.shape[1] - order + 1, 0)
    found = np.zeros((len(rows), width), np.uint64)
    for k in range(order if width else 0):
        found = _mixed(found, rows[:, k : k + width])
    return found


def _mixed(before: UInt64[np.ndarray, "n w"], token: Int[np.ndarray, "n w"]) -> UInt64[np.ndarray, "n w"]:
    """Another number for every pair. The finisher is SplitMix64's, which is one to one."""
    x = before * _STEP + token.astype(np.uint64) + np.uint64(1)
    x ^= x >> np.uint64(30)
    x *= _FIRST
    x ^= x >> np.uint64(27)
    x *= _SECOND
    x ^= x >> np.uint64(31)
    return x


def occurrences(
    rows: Int[np.ndarray, "n t"], order: int
) -> tuple[UInt64[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """All n-grams of some texts, each as often as it occurs, and which text it is of."""
    keys = windows(bare(rows), order)
    there = np.arange(keys.shape[1]) + order <= lengths(rows)[:, None]
    return keys[there], np.nonzero(there)[0]


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each text has each n-gram.

    Attributes:
        keys: of the n-grams.
        owner: number of the text.
        count: how often.
    """

    keys: UInt64[np.ndarray, " k"]
    owner: Int[np.ndarray, " k"]
    count: Int[np.ndarray, " k"]


def counted(rows: Int[np.ndarray, "n t"], order: int) -> Counts:
    """The n-grams of each text."""
    keys, owner = occurrences(rows, order)
    place = np.lexsort((keys, owner))
    keys, owner = keys[place], owner[place]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])
    starts = np.flatnonzero(fresh)
    return Counts(keys[starts], owner[starts], np.diff(np.append(starts, len(keys))))


@dataclass(frozen=True, eq=False)
class Most:
    """For each n-gram the texts that have it most often.

    Attributes:
        keys: of the n-grams, ascending.
        first: how often the text has it that has it most often.
        owner: number of that text.
        second: how often another text has it, at most.
    """

    keys: UInt64[np.ndarray, " k"]
    first: Int[np.ndarray, " k"]
    owner: Int[np.ndarray, " k"]
    second: Int[np.ndarray, " k"]


def most(counts: Counts) -> Most:
    """The largest and the second largest count of each n-gram over texts."""
    place = np.lexsort((-counts.count, counts.keys))
    keys, count = counts.keys[place], counts.count[place]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(fresh)
    after = np.minimum(starts + 1, len(keys) - 1)
    shared = (after > starts) & ~fresh[after]
    second = np.where(shared, count[after], 0)
    return Most(keys[starts], count[starts], counts.owner[place][starts], second)


def clipped(counts: Counts, judges: Most, own: bool) -> Int[np.ndarray, " k"]:
    """How often each count is met by a single judging text.

    Args:
        counts: of texts that are judged.
        judges: what judging texts have.
        own: whether these are the same texts, of which none may judge itself.
    """
    if not len(judges.keys):
        return np.zeros_like(counts.count)
    place = np.searchsorted(judges.keys, counts.keys).clip(max=len(judges.keys) - 1)
    itself = own & (judges.owner[place] == counts.owner)
    limit = np.where(itself, judges.second[place], judges.first[place])
    return np.minimum(counts.count, np.where(judges.keys[place] == counts.keys, limit, 0))


@dataclass(frozen=True, eq=False)
class Matches:
    """What each text has in common with those that judge it.

    Attributes:
        matched: n-grams of each order from 1 on that a judging text has as often.
        total: n-grams.
        length: tokens.
        nearest: length of the judging text whose length is nearest, the shorter of two.
    """

    matched: Float[np.ndarray, "n orders"]
    total: Float[np.ndarray, "n orders"]
    length: Int[np.ndarray, " n"]
    nearest: Int[np.ndarray, " n"]

    def bleu(self, order: int, index: Int[np.ndarray, " k"] | slice = slice(None)) -> float:
        """Corpus BLEU up to an order, from 0 to 1, of the texts with these numbers; nothing is smoothed.

        Raises:
            Undefined: if no text is so long.

        References:
            BLEU: a method for automatic evaluation of machine translation. Papineni, Roukos, Ward, Zhu, 2002.
            https://aclanthology.org/P02-1040
        """
        matched, total = (x[index, :order].sum(0) for x in (self.matched, self.total))
        if not total.all():
            raise Undefined(f"Not defined: no text has {order} tokens.")
        if not matched.all():
            return 0.0
        brevity = min(0.0, 1 - self.nearest[index].sum() / self.length[index].sum())
        return exp(brevity + float(np.log(matched / total).mean()))


def matches(made: Int[np.ndarray, "n t"], judges: Int[np.ndarray, "m t"], longest: int = LONGEST) -> Matches:
    """What texts have in common with others, all of which are references of each.

    Raises:
        Undefined: if there are no others.
    """
    if not len(judges):
        raise Undefined("Not defined without texts to compare with.")
    return _matches(made, judges, longest, own=False)


def matches_among(texts: Int[np.ndarray, "n t"], longest: int = LONGEST) -> Matches:
    """What each text has in common with all others of its set.

    Raises:
        Undefined: if there are fewer than two.

    References:
        Texygen: a benchmarking platform for text generation models (self-BLEU). Zhu, Lu, Zheng, Guo, Zhang,
        Wang, Yu, 2018. https://arxiv.org/abs/1802.01886
    """
    if len(texts) < 2:
        raise Undefined(f"Not defined for n = {len(texts)}: at least 2 texts were expected.")
    return _matches(texts, texts, longest, own=True)


def _matches(made: np.ndarray, judges: np.ndarray, longest: int, *, own: bool) -> Matches:
    matched, total = (np.zeros((len(made), longest)) for _ in range(2))
    for order in range(1, longest + 1):
        counts = counted(made, order)
        met = clipped(counts, most(counts if own else counted(judges, order)), own)
        for table, numbers in ((matched, met), (total, counts.count)):
            table[:, order - 1] = np.bincount(counts.owner, numbers, len(made))
    length = lengths(made)
    return Matches(matched, total, length, nearest_length(length, length if own else lengths(judges), own))


def matches_in_pairs(
    made: Int[np.ndarray, "n t"], wanted: Int[np.ndarray, "n s"], longest: int = 4
) -> Matches:
    """What each text has in common with the one that it should be."""
    matched, total = (np.zeros((len(made), longest)) for _ in range(2))
    for order in range(1, longest + 1):
        counts, known = counted(made, order), counted(wanted, order)
        # A key that holds the owner as well: nothing then counts but the own partner's.
        keys = [_mixed(each.keys, each.owner) for each in (counts, known)]
        place = np.argsort(keys[1])
        judges = Most(keys[1][place], known.count[place], known.owner[place], np.zeros_like(place))
        met = clipped(Counts(keys[0], counts.owner, counts.count), judges, own=False)
        for table, numbers in ((matched, met), (total, counts.count)):
            table[:, order - 1] = np.bincount(counts.owner, numbers, len(made))
    return Matches(matched, total, lengths(made), lengths(wanted))


def nearest_length(
    length: Int[np.ndarray, " n"], among: Int[np.ndarray, " m"], own: bool
) -> Int[np.ndarray, " n"]:
    """For each length the nearest of others, the shorter of two.

    Args:
        length: of texts.
        among: those that are chosen from, at least one.
        own: whether these are the same texts, of which none may take its own; then at least two.

    Example:
        >>> nearest_length(np.array([4, 9]), np.array([3, 5, 8]), own=False).tolist()
        [3, 8]
        >>> nearest_length(np.array([3, 5, 5]), np.array([3, 5, 5]), own=True).tolist()
        [5, 5, 5]
    """
    known, often = np.unique(among, return_counts=True)
    last = len(known) - 1
    place = np.searchsorted(known, length)
    lone = own & (often[place.clip(max=last)] == 1)
    above = place + lone
    low, high = known[(place - 1).clip(min=0)], known[above.clip(max=last)]
    far = 1 << 40
    down, up = np.where(place > 0, length - low, far), np.where(above <= last, high - length, far)
    return np.where(down <= up, low, high)


def distinct(rows: Int[np.ndarray, "n t"], order: int) -> float:
    """How many different n-grams all texts have, for each n-gram; it falls as there are more texts.

    Raises:
        Undefined: if no text is so long.

    References:
        A diversity-promoting objective function for neural conversation models. Li, Galley, Brockett, Gao,
        Dolan, 2016. https://arxiv.org/abs/1510.03055

    Example:
        >>> distinct(np.array([[5, 6, 5, 6, 2]]), 2)
        0.6666666666666666
    """
    keys, _ = occurrences(rows, order)
    if not len(keys):
        raise Undefined(f"Not defined: no text has {order} tokens.")
    return len(np.unique(keys)) / len(keys)


def repeated(rows: Int[np.ndarray, "n t"]) -> float:
    """Share of texts that are there more than once; it grows with their number.

    Example:
        >>> repeated(np.array([[5, 2, 0], [5, 2, 9], [6, 2, 0]]))
        0.6666666666666666
    """
    _, place, often = np.unique(bare(rows), axis=0, return_inverse=True, return_counts=True)
    return float((often[place.ravel()] > 1).mean())
