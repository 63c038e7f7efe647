"""How many different samples there are: by eigenvalues, and by pairs that look alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .neighbours import CHUNK, distances, nearest_other
from .rows import checked

_CLOSEST = 20


def vendi_score(x: Float[Tensor, "n d"]) -> float:
    """The effective number of different rows: 1 if all are alike, n if all are at right angles.

    It is exp(entropy of the eigenvalues of K / n), K the cosines between rows. Rows of zeros are taken to
    be alike, and unlike all others. It rewards whatever differs, noise too, and grows with n: compare it with
    that of as many real samples.

    Raises:
        DataError: if the rows hold NaN or infinite numbers.
        Undefined: if there are fewer than two.

    Example:
        >>> round(vendi_score(torch.tensor([[1.0, 0], [2, 0], [0, 1], [0, 5]])), 6)
        2.0

    References:
        The Vendi score: a diversity evaluation metric for machine learning. Friedman, Dieng, 2023.
        https://arxiv.org/abs/2210.02410
    """
    x = checked(x, 2, "samples")
    length = x.norm(dim=1, keepdim=True)
    # A direction of their own for rows that have none.
    unit = torch.cat([x / length.where(length > 0, 1), (length == 0).double()], 1) / len(x) ** 0.5
    # Both products have the same eigenvalues but for zeros.
    product = unit @ unit.T if len(unit) <= unit.shape[1] else unit.T @ unit
    share = torch.linalg.eigvalsh(product).clamp(min=0)
    return (-torch.xlogy(share, share).sum()).exp().item()


@dataclass(frozen=True, eq=False)
class Birthday:
    """What pairs of samples that look alike say of how many there can be.

    Attributes:
        pairs: that are no farther apart than the radius.
        support: about how many different samples there are; None without a pair: there may be any number.
        closest: the numbers of the closest pairs' samples, nearest first, for a person to look at.
        distance: between them.
    """

    pairs: int
    support: float | None
    closest: Int[Tensor, "k 2"]
    distance: Float[Tensor, " k"]


def birthday(x: Float[Tensor, "n d"], radius: float) -> Birthday:
    """Counts the pairs of rows no farther apart than `radius`, and estimates how many different ones exist.

    Of N equally likely things n drawn ones make n (n - 1) / (2 N) pairs on average; so N is about
    n (n - 1) / (2 pairs). Compare it with that of as many fresh real samples: in a space without duplicates
    it says how often samples come this near, and depends on the radius.

    Args:
        x: rows of generated samples.
        radius: below which two samples are taken for the same; `birthday_radius` gives one.

    Raises:
        DataError: if the rows hold NaN or infinite numbers.
        Undefined: if there are fewer than two.

    References:
        Do GANs learn the distribution? Some theory and empirics. Arora, Risteski, Zhang, 2018.
        https://arxiv.org/abs/1706.08224
    """
    x = checked(x, 2, "generated samples")
    x, n, pairs = x - x.mean(0), len(x), 0
    found, closest = x.new_zeros(0), torch.zeros(0, 2, dtype=torch.long, device=x.device)
    for start in range(0, n, CHUNK):
        # Every pair once: with the rows that follow only.
        distance = distances(x[start : start + CHUNK], x[start:])
        distance.masked_fill_(torch.ones_like(distance, dtype=torch.bool).tril_(), torch.inf)
        pairs += int((distance <= radius).sum())
        some = distance.flatten().topk(min(_CLOSEST, distance.numel()), largest=False)
        place = torch.stack([some.indices // (n - start), some.indices % (n - start)], 1) + start
        found, closest = torch.cat([found, some.values]), torch.cat([closest, place])
        order = found.argsort(stable=True)[: min(_CLOSEST, n * (n - 1) // 2)]
        found, closest = found[order], closest[order]
    support = n * (n - 1) / (2 * pairs) if pairs else None
    return Birthday(pairs, support, closest, found)


def birthday_radius(real: Float[Tensor, "n d"]) -> float:
    """A radius for `birthday`: nearer than this only one real sample in a hundred has a neighbour.

    It shrinks as n grows: use one radius for all sets that are compared.

    Raises:
        DataError: if the rows hold NaN or infinite numbers.
        Undefined: if there are fewer than 20.
    """
    return nearest_other(checked(real, 20, "real samples")).distance.quantile(0.01).item()
