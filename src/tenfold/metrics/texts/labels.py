"""What texts teach of their labels: a linear classifier of words and pairs of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..rows import Undefined
from .ngrams import occurrences
from .rows import Texts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONGEST = 2  # tokens of an n-gram
PLACES = 1 << 18
STRENGTH = 10.0  # of the fit against the penalty; rows have length 1
ROUNDS = 300


def label_accuracy(taught: Texts, judged: Texts) -> float:
    """Share of texts whose label a model of others finds.

    Args:
        taught: labelled texts that it learns from.
        judged: labelled texts that it is asked about.

    Raises:
        Undefined: if the texts are of one class, or there are none to judge.
    """
    from sklearn.linear_model import LogisticRegression

    assert taught.labels is not None and judged.labels is not None
    if len(np.unique(taught.labels)) < 2 or not len(judged):
        raise Undefined("Not defined without texts of two classes to learn from, and others to judge.")
    model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS)
    model.fit(_grams(taught), taught.labels)
    return float(np.mean(np.equal(model.predict(_grams(judged)), judged.labels)))


def _grams(texts: Texts) -> csr_matrix:
    """The logarithm of how often each n-gram occurs, in rows of length 1."""
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    keys, owners = zip(*(occurrences(texts.rows, order) for order in range(1, LONGEST + 1)), strict=True)
    place = (np.concatenate(keys) % np.uint64(PLACES)).astype(np.int64)
    found = csr_matrix((np.ones(len(place)), (np.concatenate(owners), place)), (len(texts), PLACES))
    found.data = np.log1p(found.data)
    return csr_matrix(normalize(found))
