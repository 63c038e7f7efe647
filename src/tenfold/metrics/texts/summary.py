"""All numbers of made texts, each beside what fresh real texts get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
from jaxtyping import Int

from ..frechet import frechet_distance
from ..kernel import kernel_distance
from ..rows import Undefined
from ..suite import FEWEST, NO_HOLDOUT, Measured, shuffled
from .copies import copied_spans, long_ones, share, share_error, there_again
from .embeddings import HashedGrams, TextFeatures
from .labels import label_accuracy
from .ngrams import LONGEST, distinct, matches, matches_among, repeated
from .perplexity import learnt_from
from .rows import Texts, jackknife, lengths

MOST = 5000  # texts on a side: more hardly move a number
ORDERS = range(2, LONGEST + 1)
DISTINCT = (1, 2, 3)
NAMES = (
    *(f"bleu_{n}" for n in ORDERS),
    *(f"self_bleu_{n}" for n in ORDERS),
    *(f"distinct_{n}" for n in DISTINCT),
    *("repeated_texts", "forward_perplexity", "reverse_perplexity", "kernel_distance", "frechet_distance"),
    *("length_distance", "longest_copied", "long_copies", "exact_copies"),
)
"""What `measure_texts` always has; with labels also `tstr` and `label_accuracy`."""
FEATURES = HashedGrams()
AGAIN = "beside training texts that are there again"


@dataclass(frozen=True, eq=False)
class TextSides:
    """Real texts that were learnt from, real ones that were not, and made ones.

    Attributes:
        train: what the generator may have seen.
        holdout: what it has not; None if there is none: then one half of `train` judges, the other is the
            reference, and little is said of copying.
        fake: made texts.
        vocabulary: how many tokens there are.
        seed: of every choice of texts.
    """

    train: Texts
    holdout: Texts | None
    fake: Texts
    vocabulary: int
    seed: int = 0

    def judges(self) -> tuple[Texts, Texts]:
        """Real texts that made ones are compared with, and others that stand in for made ones."""
        if self.holdout is not None:
            return self.holdout, self.train
        order = shuffled(len(self.train), self.seed, "halves")
        half = len(order) // 2
        return self.train.take(order[:half]), self.train.take(order[half:])


@dataclass(frozen=True, eq=False)
class Compared:
    """As many texts of each kind.

    Attributes:
        judge: real ones.
        fresh: other real ones, in the place of made ones.
        fake: made ones.
    """

    judge: Texts
    fresh: Texts
    fake: Texts

    def __len__(self) -> int:
        return len(self.judge)


def measure_texts(sides: TextSides, features: TextFeatures = FEATURES) -> dict[str, Measured]:
    """Every measure of made texts by the name it has in the glossary, beside its reference.

    Made texts are compared with held-out ones, and as many training texts in their place are the reference.
    Most of these numbers depend on how many texts there are, so that all sides have the same number. What of
    training texts stands in made ones is beside what of them stands in other real ones.

    Args:
        sides: what is compared.
        features: in which distances are measured.
    """
    judge, fresh = sides.judges()
    n = min(len(judge), len(fresh), len(sides.fake), MOST)
    if n < FEWEST:
        why = f"Not defined for n = {n}: at least {FEWEST} texts to compare were expected. Add some."
        return dict.fromkeys(NAMES, Measured(None, None, n, why=why))
    both = Compared(
        *(
            side.take(shuffled(len(side), sides.seed, name)[:n])
            for side, name in ((judge, "judge"), (fresh, "fresh"), (sides.fake, "fake"))
        )
    )
    found = overlaps(both) | variety(both) | foretold(both, sides.vocabulary)
    found |= distances(both, features)
    found["length_distance"] = Measured(
        length_distance(both.judge, both.fake), length_distance(both.judge, both.fresh), n
    )
    return found | copying(sides) | taught(sides, both)


Score = Callable[[Int[np.ndarray, " k"]], float]
"""A number of the texts of a set that have these numbers."""


def _beside(made: Score, real: Score, n: int) -> Measured:
    """A number of made texts with its error, and that of as many fresh real ones."""
    try:
        value = jackknife(lambda index: [made(index)], n)[0]
        return Measured(value.value, real(np.arange(n)), n, value.error)
    except Undefined as error:
        return Measured(None, None, n, why=str(error))


def _of_rows(metric: Callable[[Int[np.ndarray, "k t"]], float], both: Compared) -> Measured:
    """The same of what is computed anew of some texts."""
    fake, fresh = both.fake.rows, both.fresh.rows
    return _beside(lambda index: metric(fake[index]), lambda index: metric(fresh[index]), len(both))


def overlaps(both: Compared) -> dict[str, Measured]:
    """BLEU with all held-out texts as references of each."""
    fake, fresh = (matches(texts.rows, both.judge.rows) for texts in (both.fake, both.fresh))
    return {
        f"bleu_{n}": _beside(lambda i, n=n: fake.bleu(n, i), lambda i, n=n: fresh.bleu(n, i), len(both))
        for n in ORDERS
    }


def variety(both: Compared) -> dict[str, Measured]:
    """How alike texts are among themselves, and how many are there more than once."""
    found = {
        f"self_bleu_{n}": _of_rows(lambda rows, n=n: matches_among(rows, n).bleu(n), both) for n in ORDERS
    }
    found |= {f"distinct_{n}": _of_rows(lambda rows, n=n: distinct(rows, n), both) for n in DISTINCT}
    return found | {"repeated_texts": _of_rows(repeated, both)}


def foretold(both: Compared, vocabulary: int) -> dict[str, Measured]:
    """What a model of held-out texts says of made ones, and a model of made ones of held-out ones."""
    grammar = learnt_from(both.judge.rows, vocabulary)
    fake, fresh = (grammar.foretell(texts.rows) for texts in (both.fake, both.fresh))

    def backwards(rows: Int[np.ndarray, "k t"]) -> float:
        return exp(learnt_from(rows, vocabulary).foretell(both.judge.rows).per_token())

    forward = _beside(lambda i: exp(fake.per_token(i)), lambda i: exp(fresh.per_token(i)), len(both))
    return {"forward_perplexity": forward, "reverse_perplexity": _of_rows(backwards, both)}


def distances(both: Compared, features: TextFeatures) -> dict[str, Measured]:
    """How far the distribution of features is from the real one."""
    judge, fresh, fake = (features(texts) for texts in (both.judge, both.fresh, both.fake))
    n, how = len(both), features.name
    near, real = kernel_distance(judge, fake), kernel_distance(judge, fresh)
    frechet, real_frechet = (frechet_distance(judge, x) for x in (fake, fresh))
    return {
        "kernel_distance": Measured(near.value, real.value, n, near.error, how=how),
        "frechet_distance": Measured(frechet, real_frechet, n, how=how),
    }


def length_distance(real: Texts, fake: Texts) -> float:
    """The largest difference of the shares of texts that are at most so long (Kolmogorov and Smirnov)."""
    a, b = (np.sort(lengths(texts.rows)) for texts in (real, fake))
    at = np.unique(np.concatenate([a, b]))
    shares = [np.searchsorted(x, at, side="right") / len(x) for x in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def copying(sides: TextSides) -> dict[str, Measured]:
    """How much of training texts stands in made ones, beside how much of it stands in other real ones.

    Equal texts are held out together, so that none of the held-out ones may be a training text, however often
    real texts repeat. Where more training texts are there again than held-out ones are training texts, the
    references are of both: a fresh text is one of those that repeat as often as training texts do, and like a
    held-out one otherwise.
    """
    train, fake, held = sides.train.rows, sides.fake.rows[:MOST], sides.holdout
    n, spans, again = len(fake), copied_spans(train, fake), there_again(train)
    longest, copies = float(spans.length.mean()), share(spans.whole)
    error, copy_error = float(spans.length.std() / n**0.5), share_error(copies, n)
    if held is None:
        known = share(again) or None  # where no text repeats, nobody knows
        return {
            "longest_copied": Measured(longest, None, n, error),
            "long_copies": Measured(None, None, n, why=NO_HOLDOUT),
            "exact_copies": Measured(
                copies, known, n, copy_error, reference_n=len(train), how=AGAIN if known else ""
            ),
        }
    usual = copied_spans(train, held.rows[:MOST])
    many, others, limit = long_ones(spans, usual)
    mean, whole, beside_n = float(usual.length.mean()), share(usual.whole), len(usual.length)
    how, repeats = f"more than {limit} tokens, as few held-out texts have", share(again) > whole
    if repeats:
        own, rest = np.where(again, lengths(train), 0), 1 - share(again)
        mean, others = float(own.mean()) + rest * mean, share(own > limit) + rest * others
        whole = share(again)
    beside = AGAIN if repeats else ""
    return {
        "longest_copied": Measured(longest, mean, n, error, reference_n=beside_n, how=beside),
        "long_copies": Measured(many, others, n, share_error(many, n), reference_n=beside_n, how=how),
        "exact_copies": Measured(copies, whole, n, copy_error, reference_n=beside_n, how=beside),
    }


def taught(sides: TextSides, both: Compared) -> dict[str, Measured]:
    """What made texts teach of labels, beside what real ones do; and whether they are what was asked for.

    Returns:
        Nothing without labels.
    """
    n, train = len(both), sides.train
    if any(texts.labels is None for texts in (both.judge, both.fresh, both.fake)):
        return {}
    lessons = {"tstr": [(both.fake, both.judge), (both.fresh, both.judge)]}
    if sides.holdout is not None:
        lessons["label_accuracy"] = [(train, both.fake), (train, both.judge)]
    found = {}
    for name, pairs in lessons.items():
        try:
            value, reference = (label_accuracy(*pair) for pair in pairs)
            found[name] = Measured(value, reference, n, share_error(value, n))
        except Undefined as error:
            found[name] = Measured(None, None, n, why=str(error))
    return found
