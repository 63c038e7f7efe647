"""Fidelity and diversity, by who lies among whose nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .neighbours import blocks, reach
from .rows import comparable

# On the edge of a ball is outside. Copies of real samples are on many edges; rounding must not decide there.
_INSIDE = 1 - 1e-9


@dataclass(frozen=True)
class Manifold:
    """Shares from 0 to 1; density may exceed 1.

    Attributes:
        precision: generated samples that lie in the neighbourhood of some real sample.
        recall: real samples that lie in the neighbourhood of some generated sample.
        density: real neighbourhoods a generated sample lies in, divided by k; 1 for fresh real samples.
        coverage: real samples with a generated sample in their neighbourhood.
        covered: which they are.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    covered: Bool[Tensor, " n"] = field(
        default_factory=lambda: torch.zeros(0, dtype=torch.bool), repr=False, compare=False
    )


def manifold(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], k: int = 5) -> Manifold:
    """Precision, recall, density and coverage by the k-th nearest neighbours.

    The neighbourhood of a sample is the open ball that reaches to the k-th nearest other one of its own set.
    All four numbers depend on n, m and k: compare them at equal ones only, and with fresh real samples'.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are not more than k on a side.

    References:
        Improved precision and recall metric for assessing generative models.
        Kynkaanniemi, Karras, Laine, Lehtinen, Aila, 2019. https://arxiv.org/abs/1904.06991
        Reliable fidelity and diversity metrics for generative models.
        Naeem, Oh, Uh, Choi, Yoo, 2020. https://arxiv.org/abs/2002.09797
    """
    real, fake = comparable(real, fake, least=k + 1)
    real_radius, fake_radius = reach(real, k) * _INSIDE, reach(fake, k) * _INSIDE
    covered, recalled, neighbourhoods = [], [], torch.zeros_like(fake[:, 0])
    for some, distance in blocks(real, fake):
        inside = distance < real_radius[some, None]
        covered.append(inside.any(1))
        recalled.append((distance < fake_radius).any(1))
        neighbourhoods += inside.sum(0)
    held = torch.cat(covered)
    return Manifold(
        precision=_share(neighbourhoods > 0),
        recall=_share(torch.cat(recalled)),
        density=neighbourhoods.mean().item() / k,
        coverage=_share(held),
        covered=held,
    )


def _share(true: Tensor) -> float:
    return true.double().mean().item()
