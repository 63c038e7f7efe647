"""The Frechet distance: how far two sets' means and covariances are from each other."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from ..draw import derive
from .rows import comparable

_PARTS = (1, 2, 3)
_LEAST_IN_A_PART = 20


def frechet_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"]) -> float:
    """|mean - mean'|^2 + trace(S + S' - 2 (S S')^(1/2)), with the covariances S and S' of the two sets.

    Biased: positive between two sets of one distribution, the more the fewer there are, so compare it at
    equal n and m only, beside fresh real samples'. Copies of the real set get the best value of all.

    With S = A^T A and S' = B^T B the trace of (S S')^(1/2) is the sum of the singular values of A B^T. A is
    the centred set itself, or its triangular factor where there are more rows than features: no root of a
    matrix is taken, and nothing is larger than the smaller of rows and features.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than two on a side.

    References:
        GANs trained by a two time-scale update rule converge to a local Nash equilibrium.
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, 2017. https://arxiv.org/abs/1706.08500
        The Frechet distance between multivariate normal distributions. Dowson, Landau, 1982.
        https://doi.org/10.1016/0047-259X(82)90077-X
    """
    real, fake = comparable(real, fake, least=2)
    return _frechet(real, fake)


def frechet_extrapolated(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], seed: int) -> float:
    """The Frechet distance that sets without end would get, by a line through those of smaller sets.

    The bias falls like 1/n. So both sets are divided at random into 1, 2 and 3 equal parts, the mean distance
    of corresponding parts is plotted over their number, and the line read at none. Where there are fewer
    samples than features the bias falls more slowly: the value is then still too high, though by less than
    the plain distance. It may be negative.

    The published procedure takes one random subset of each of 15 sizes, down to a tenth, and leaves the real
    set as it is. Parts use every sample, so that they vary less, and both sets' biases fall alike; parts
    smaller than a third bend the line where features are many, as small sets have them.

    Args:
        real: one set.
        fake: the other.
        seed: decides who is in which part.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than 60 on a side.

    References:
        Effectively unbiased FID and Inception score and where to find them. Chong, Forsyth, 2020.
        https://arxiv.org/abs/1911.07023
    """
    real, fake = comparable(real, fake, least=max(_PARTS) * _LEAST_IN_A_PART)
    generator = Generator().manual_seed(derive(seed, "frechet"))
    values = [_mean_of_parts(real, fake, parts, generator) for parts in _PARTS]
    values, slope = (torch.tensor(x, dtype=torch.float64) for x in (values, _PARTS))
    line = torch.stack([torch.ones_like(slope), slope], 1)
    return torch.linalg.lstsq(line, values[:, None]).solution[0].item()


def _mean_of_parts(
    real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], parts: int, generator: Generator
) -> float:
    real_parts, fake_parts = (
        x[torch.randperm(len(x), generator=generator).to(x.device)].tensor_split(parts) for x in (real, fake)
    )
    return sum(map(_frechet, real_parts, fake_parts)) / parts


def _frechet(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"]) -> float:
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    a, b = _factor(real), _factor(fake)
    both = torch.linalg.svdvals(a @ b.T).sum()
    return (shift + a.square().sum() + b.square().sum() - 2 * both).item()


def _factor(x: Float[Tensor, "n d"]) -> Float[Tensor, "k d"]:
    """A matrix of at most d rows whose product with itself is the covariance."""
    centred = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    return centred if len(x) <= x.shape[1] else torch.linalg.qr(centred, mode="r").R
