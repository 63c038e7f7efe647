"""How a sampler of texts is tried: by texts from noise, or by texts of others that were held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..data import Dataset
from ..data.notes import FEWEST_DIFFERENT
from ..data.order import Samples
from ..data.texts.layout import PAD
from ..draw import Draw, derive
from ..games.language import TextSampler, known
from ..games.seq2seq import TextTranslator
from ..metrics.kernel import kernel_distance
from ..metrics.rows import Undefined
from ..metrics.texts.embeddings import HashedGrams
from ..metrics.texts.ngrams import distinct, matches_among, matches_in_pairs
from ..metrics.texts.rows import Texts, bare, lengths
from .quality import BLOCK, chosen
from .repeating import RATIO

MOST = 1000  # texts of a look
LONGEST, DISTINCT = 4, 3  # tokens of n-grams, where texts are so long
SPREAD_OF = 256
NO_SPREAD = 1e-3  # of texts that are all the same; of different ones it is above 1
SHOWN = 32  # texts of a sheet
FEATURES = HashedGrams()


@torch.inference_mode()
def made_texts(
    sampler: TextSampler,
    n: int,
    labels: Tensor | None = None,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    device: torch.device | str = "cpu",
) -> Int[np.ndarray, "n t"]:
    """The first n texts of a set: number i is a function of the sampler, the seed, what is asked and i alone.

    Args:
        sampler: in evaluation mode.
        n: how many.
        labels: class numbers `(n,)`, or None without conditions.
        seed: of the set.
        temperature: below 1 likely tokens are likelier.
        device: the sampler's.
    """
    if labels is not None:  # whole blocks: the last one is filled up
        labels = torch.cat([labels, labels.new_zeros(-n % BLOCK)]).to(device)
    found = []
    for first in range(0, n, BLOCK):
        z = sampler.draw(Draw(derive(seed, "sample", first), slice(0, BLOCK), BLOCK, device))
        condition = None if labels is None else labels[first : first + BLOCK]
        found.append(sampler.texts(z, condition, temperature=temperature).cpu())
    return torch.cat(found)[:n].numpy()


@torch.inference_mode()
def likeliest_texts(
    sampler: TextTranslator, source: Int[Tensor, "n s"], device: torch.device | str = "cpu"
) -> Int[np.ndarray, "n t"]:
    """A text of each source, its likeliest token each time."""
    parts = [sampler.written(part.to(device)).tokens.cpu() for part in source.split(BLOCK)]
    return torch.cat(parts).numpy()


def per_token(nats: Float[Tensor, " n"], tokens: Int[Tensor, " n"]) -> float:
    """Nats of texts over all their tokens that count, which each has so many of."""
    return float(nats.double().sum() / tokens.sum().clamp_min(1))


class Trial(Protocol):
    """How a sampler of texts is tried."""

    @property
    def by(self) -> str:
        """Name of what it looks through."""
        ...

    @property
    def reference(self) -> Mapping[str, float] | None:
        """What fresh real texts get; None if there are none, or they get everything right."""
        ...

    @property
    def always(self) -> bool:
        """Whether the texts that are made choose a sampler of maximum likelihood, too."""
        ...

    @property
    def count(self) -> int:
        """How many texts are looked at."""
        ...

    def nll(self, sampler: nn.Module, device: torch.device) -> float:
        """How badly real texts are foretold, in nats per token."""
        ...

    def measure(self, sampler: nn.Module, device: torch.device) -> tuple[dict[str, float], np.ndarray]:
        """All other numbers, and the texts that were made."""
        ...

    def shown(self, sampler: nn.Module, device: torch.device, seed: int) -> np.ndarray:
        """A few texts, to be read."""
        ...

    def score(self, found: Mapping[str, float]) -> float:
        """How bad texts are, after the stage of maximum likelihood."""
        ...

    def words(self, found: Mapping[str, float]) -> list[str]:
        """Numbers as a person reads them."""
        ...


class FreeTexts:
    """Texts from the same noise at every look, beside as many real ones.

    Args:
        data: the run's.
        classes: number of conditions; 0 for none.
    """

    by = "ngrams"
    always = False

    def __init__(self, data: Dataset, classes: int) -> None:
        held = data.holdout
        judges: Samples = data.train if held is None else held
        self.count = min(len(judges), len(data.train), MOST)
        index = chosen(judges, self.count, derive(0, "judges"))
        self.real = judges.gather(index)["real"].long()
        self.labels = None
        if classes:
            known = None if judges.labels is None else torch.from_numpy(judges.labels[index])
            self.labels = torch.arange(self.count) % classes if known is None else known
        rows = self.real.numpy()
        longest = int(lengths(rows).max())
        self.alike, self.distinct = (max(1, min(n, longest)) for n in (LONGEST, DISTINCT))
        self.features = FEATURES(Texts(rows))
        self.real_spread = spread(self.features)
        self.reference = None if held is None else self.compared(self.some(data.train))
        self.usual = different(rows, self.distinct)
        # Of so few different texts some are held out that may lie nearer together than all do.
        self.alone = held is not None and len(np.unique(bare(rows), axis=0)) < FEWEST_DIFFERENT

    def some(self, train: Samples) -> Int[np.ndarray, "n t"]:
        """As many training texts."""
        return train.gather(chosen(train, self.count, derive(0, "reference")))["real"].long().numpy()

    def compared(self, rows: Int[np.ndarray, "n t"]) -> dict[str, float]:
        """The numbers of some texts."""
        distance = kernel_distance(self.features, FEATURES(Texts(rows)))
        return {
            "ngram_distance": distance.value,
            "ngram_distance_error": distance.error,
            "self_bleu": alike(rows, self.alike),
            "distinct": different(rows, self.distinct),
        }

    @torch.inference_mode()
    def nll(self, sampler: nn.Module, device: torch.device) -> float:
        """How badly real texts are foretold, in nats per token."""
        assert isinstance(sampler, TextSampler)
        tokens = known(self.real).sum(1)
        labels = None if self.labels is None else self.labels.to(device)
        mean = sampler.likelihood(self.real.to(device), labels).cpu()
        return per_token(mean * tokens, tokens)

    def measure(self, sampler: nn.Module, device: torch.device) -> tuple[dict[str, float], np.ndarray]:
        """All other numbers, and the texts that were made."""
        assert isinstance(sampler, TextSampler)
        rows = made_texts(sampler, self.count, self.labels, device=device)
        found = self.compared(rows)
        found[RATIO] = found["distinct"] / max(self.usual, 1e-12)
        return found | ({} if self.alone else beside_real(rows, self.real_spread)), rows

    def shown(self, sampler: nn.Module, device: torch.device, seed: int) -> np.ndarray:
        """A few texts, to be read."""
        assert isinstance(sampler, TextSampler)
        labels = None if self.labels is None else self.labels[:SHOWN]
        count = SHOWN if labels is None else len(labels)
        return made_texts(sampler, count, labels, seed=seed, device=device)

    def score(self, found: Mapping[str, float]) -> float:
        """How far n-grams are from those of real texts."""
        return found["ngram_distance"]

    def words(self, found: Mapping[str, float]) -> list[str]:
        """Numbers as a person reads them."""
        error = found["ngram_distance_error"]
        named = [
            ("n-gram distance", "ngram_distance", f"{found['ngram_distance']:.4f}±{error:.4f}", ".4f"),
            (f"self-BLEU-{self.alike}", "self_bleu", f"{found['self_bleu']:.3f}", ".3f"),
            (f"different {self.distinct}-grams", "distinct", f"{found['distinct']:.3f}", ".3f"),
        ]
        real = self.reference
        return [
            f"{say} {value}" + (f" ({real[key]:{form}})" if real else "") for say, key, value, form in named
        ]


class TextsOfTexts:
    """The likeliest text of each source that was held out, beside the real one.

    Args:
        data: the run's.
    """

    by = "tokens"
    always = True
    reference = None

    def __init__(self, data: Dataset) -> None:
        judges: Samples = data.train if data.holdout is None else data.holdout
        index = chosen(judges, MOST, derive(0, "judges"))
        batch = judges.gather(index)
        self.real, self.source, self.count = batch["real"].long(), batch["source"].long(), len(index)
        self.longest = max(1, min(LONGEST, int(lengths(self.real.numpy()).max())))
        self.real_spread = spread(FEATURES(Texts(self.real.numpy())))

    @torch.inference_mode()
    def nll(self, sampler: nn.Module, device: torch.device) -> float:
        """How badly real texts are foretold of their sources, in nats per token."""
        assert isinstance(sampler, TextTranslator)
        parts = zip(self.source.split(BLOCK), self.real.split(BLOCK), strict=True)
        said = [sampler.likelihood(source.to(device), real.to(device)).cpu() for source, real in parts]
        return per_token(-torch.cat(said), (self.real != PAD).sum(1))

    def measure(self, sampler: nn.Module, device: torch.device) -> tuple[dict[str, float], np.ndarray]:
        """All other numbers, and the texts that were made."""
        assert isinstance(sampler, TextTranslator)
        made, real = likeliest_texts(sampler, self.source, device), self.real.numpy()
        try:
            bleu = matches_in_pairs(made, real, self.longest).bleu(self.longest)
        except Undefined:  # all are shorter
            bleu = 0.0
        same = (bare(made) == bare(real)).all(1)
        found = {"exact_match": float(same.mean()), "bleu": bleu}
        return found | beside_real(made, self.real_spread), made

    def shown(self, sampler: nn.Module, device: torch.device, seed: int) -> np.ndarray:
        """A few texts, to be read."""
        assert isinstance(sampler, TextTranslator)
        return likeliest_texts(sampler, self.source[:SHOWN], device)

    def score(self, found: Mapping[str, float]) -> float:
        """How much of the real texts is missing."""
        return 1 - found["bleu"]

    def words(self, found: Mapping[str, float]) -> list[str]:
        """Numbers as a person reads them."""
        return [f"exact {found['exact_match']:.1%}", f"BLEU-{self.longest} of tokens {found['bleu']:.3f}"]


def alike(rows: Int[np.ndarray, "n t"], order: int) -> float:
    """Self-BLEU; 1 of texts that are all too short for it."""
    try:
        return matches_among(rows, order).bleu(order)
    except Undefined:
        return 1.0


def different(rows: Int[np.ndarray, "n t"], order: int) -> float:
    """Share of n-grams that differ; 0 of texts that are all too short for one."""
    try:
        return distinct(rows, order)
    except Undefined:
        return 0.0


def spread(features: Float[Tensor, "n d"]) -> float:
    """Mean distance between two texts, by their n-grams; small if they are all alike."""
    return float(torch.pdist(features[:SPREAD_OF].float()).mean())


def beside_real(rows: Int[np.ndarray, "n t"], real: float) -> dict[str, float]:
    """How far apart texts are for each distance of real ones; nothing if these are all the same."""
    return {"spread": spread(FEATURES(Texts(rows))) / real} if real > NO_SPREAD else {}
