"""How near texts are to those that they should be: exact match, BLEU, chrF and ROUGE-L, all from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from ...errors import MissingExtra
from ..kernel import Estimate
from ..rows import Undefined
from ..suite import FEWEST, Measured, shuffled
from .ngrams import matches_in_pairs
from .rows import jackknife

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU, CHRF

SURE = 1.96  # standard errors of an interval of 95 %
SPACED = 0.1  # of texts have a space where words are written apart
Score = Callable[[Int[np.ndarray, " k"]], float]
"""The score of the pairs with these numbers."""


@dataclass(frozen=True)
class Pairs:
    """Texts that were made, and what they should be.

    Attributes:
        made: texts.
        wanted: as many.
    """

    made: Sequence[str]
    wanted: Sequence[str]

    def __len__(self) -> int:
        return len(self.made)

    def take(self, index: Int[np.ndarray, " k"]) -> Pairs:
        """Some of them, by number."""
        places = [int(i) for i in index]
        return Pairs([self.made[i] for i in places], [self.wanted[i] for i in places])


def measure_pairs(pairs: Pairs, seed: int = 0) -> dict[str, Measured]:
    """Every score of made texts, each with its standard error over fresh pairs.

    There is no reference: nobody knows how near two people come to each other. Beside it belongs what the
    model of maximum likelihood gets.

    Args:
        pairs: at least 20.
        seed: of the order in which pairs are left out, for the errors.
    """
    n = len(pairs)
    if n < FEWEST:
        why = f"Not defined for n = {n}: at least {FEWEST} pairs were expected. Add some."
        return dict.fromkeys(SCORES, Measured(None, None, n, why=why))
    mixed = pairs.take(shuffled(n, seed, "pairs"))
    found = {name: _measured(score, mixed) for name, score in SCORES.items()}
    value = found["exact_match"].value or 0.0
    low, high = wilson(round(value * n), n)
    return {**found, "exact_match": replace(found["exact_match"], how=f"95 %: {low:.3f} to {high:.3f}")}


def gains(before: Pairs, after: Pairs, seed: int = 0) -> dict[str, Estimate]:
    """By how much later texts are nearer to what they should be, with the error of the difference.

    Both are made of the same sources in the same order: what is hard for both cancels. Scores that cannot be
    computed are left out.
    """
    order = shuffled(len(after), seed, "pairs")
    found = {}
    for name, score in SCORES.items():
        try:
            (old, _), (new, _) = (score(pairs.take(order)) for pairs in (before, after))
            gained = jackknife(lambda i, old=old, new=new: [new(i) - old(i)], len(after))
        except (Undefined, MissingExtra):
            continue
        found[name] = gained[0]
    return found


def _measured(score: Callable[[Pairs], tuple[Score, str]], pairs: Pairs) -> Measured:
    """A score with its error, or why there is none."""
    try:
        of_some, how = score(pairs)
        estimate = jackknife(lambda index: [of_some(index)], len(pairs))[0]
    except (Undefined, MissingExtra) as error:
        return Measured(None, None, len(pairs), why=str(error))
    return Measured(estimate.value, None, len(pairs), estimate.error, how=how)


def wilson(hits: int, n: int, sure: float = SURE) -> tuple[float, float]:
    """From where to where a share lies, of which so many of n were seen; right near 0 and 1, too.

    References:
        Probable inference, the law of succession, and statistical inference. Wilson, 1927.
        https://doi.org/10.1080/01621459.1927.10502953

    Example:
        >>> [round(x, 3) for x in wilson(10, 10)]
        [0.722, 1.0]
    """
    share, extra = hits / n, sure**2 / n
    middle = share + extra / 2
    half = sure * (share * (1 - share) / n + extra / (4 * n)) ** 0.5
    return (middle - half) / (1 + extra), (middle + half) / (1 + extra)


def spaced(texts: Sequence[str]) -> bool:
    """Whether words are written apart."""
    return sum(" " in text.strip() for text in texts) >= SPACED * len(texts)


def words(text: str, apart: bool) -> list[str]:
    """The words of a text; its characters where words are not written apart."""
    return text.split() if apart else list(text.replace(" ", ""))


def numbered(pairs: Pairs) -> tuple[Int[np.ndarray, "n t"], Int[np.ndarray, "n s"]]:
    """Both sides as rows of numbers of words."""
    known: dict[str, int] = {}
    apart = spaced(pairs.wanted)
    sides = [[words(text, apart) for text in side] for side in (pairs.made, pairs.wanted)]
    rows = []
    for side in sides:
        table = np.zeros((len(side), max(map(len, side), default=0) + 1), np.int64)
        for i, text in enumerate(side):
            table[i, : len(text)] = [known.setdefault(word, len(known) + 4) for word in text]
        rows.append(table)
    return rows[0], rows[1]


def _exact(pairs: Pairs) -> tuple[Score, str]:
    same = np.array([a == b for a, b in zip(pairs.made, pairs.wanted, strict=True)])
    return (lambda index: float(same[index].mean())), ""


def _bleu(pairs: Pairs) -> tuple[Score, str]:
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        found = matches_in_pairs(*numbered(pairs))
        return (lambda index: found.bleu(4, index)), "words as they stand, as sacrebleu is not installed"
    tokenizer = "13a" if spaced(pairs.wanted) else "char"
    return _of_corpus(BLEU(tokenize=tokenizer, force=True), pairs), f"sacrebleu, tokenizer {tokenizer}"


def _chrf(pairs: Pairs) -> tuple[Score, str]:
    """As sacrebleu has it.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        from sacrebleu.metrics import CHRF
    except ImportError:
        raise MissingExtra("chrF", "texts") from None
    return _of_corpus(CHRF(), pairs), "sacrebleu"


def _of_corpus(metric: BLEU | CHRF, pairs: Pairs) -> Score:
    wanted = [text or " " for text in pairs.wanted]  # an empty one would be refused

    def score(index: Int[np.ndarray, " k"]) -> float:
        places = [int(i) for i in index]
        made, should = [pairs.made[i] for i in places], [wanted[i] for i in places]
        return metric.corpus_score(made, [should]).score / 100

    return score


def _rouge(pairs: Pairs) -> tuple[Score, str]:
    found, how = rouge_by_pair(pairs)
    return (lambda index: float(found[index].mean())), how


def rouge_by_pair(pairs: Pairs) -> tuple[Float[np.ndarray, " n"], str]:
    """ROUGE-L of each pair, and how it was computed.

    By the library that others use, where it is installed. It drops all letters but those of English, and
    takes what has no spaces for one word: other texts are compared by their words, or characters, as they
    stand.
    """
    both = list(zip(pairs.wanted, pairs.made, strict=True))
    apart = spaced(pairs.wanted)
    scorer = _rouge_scorer() if apart and all(text.isascii() for text in pairs.wanted) else None
    if scorer is not None:
        found = [scorer.score(*pair)["rougeL"].fmeasure for pair in both]
        return np.array(found, np.float64), "rouge-score, without stems"
    found = [rouge_l(words(wanted, apart), words(made, apart)) for wanted, made in both]
    return np.array(found, np.float64), "words as they stand" if apart else "characters"


def _rouge_scorer() -> RougeScorer | None:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        return None
    return RougeScorer(["rougeL"])


def rouge_l(wanted: Sequence[str], made: Sequence[str]) -> float:
    """How much of both texts is one sequence of words that stand in the same order in both (F1).

    References:
        ROUGE: a package for automatic evaluation of summaries. Lin, 2004. https://aclanthology.org/W04-1013

    Example:
        >>> rouge_l("a cat sat here".split(), "a cat here".split())
        0.8571428571428571
    """
    if not wanted or not made:
        return 0.0
    return 2 * common_subsequence(wanted, made) / (len(wanted) + len(made))


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest sequence that stands in both, with gaps.

    All places of `a` are bits of one whole number, so that a word of `b` takes a few operations.

    References:
        A fast and practical bit-vector algorithm for the longest common subsequence problem. Crochemore,
        Iliopoulos, Pinzon, Reid, 2001. https://doi.org/10.1016/S0020-0190(01)00182-X
    """
    everywhere = (1 << len(a)) - 1
    places: dict[str, int] = {}
    for i, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << i
    row = everywhere
    for word in b:
        met = row & places.get(word, 0)
        row = ((row + met) | (row - met)) & everywhere
    return len(a) - row.bit_count()


SCORES: Mapping[str, Callable[[Pairs], tuple[Score, str]]] = {
    "exact_match": _exact,
    "bleu": _bleu,
    "chrf": _chrf,
    "rouge_l": _rouge,
}
"""Each score of the pairs with some numbers, and how it is computed."""
