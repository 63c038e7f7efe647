"""Two sets of feature rows that shall be compared."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from ..errors import DataError


def comparable(
    real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], least: int
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """Both sets in double precision: distances and kernel values are small differences of large numbers.

    Raises:
        DataError: if the rows do not match, or there are fewer than `least` on a side.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise DataError(
            f"Found features of shapes {tuple(real.shape)} (real) and {tuple(fake.shape)} (generated), "
            "expected (n, d) and (m, d) with the same d. Compute both with the same features."
        )
    if min(len(real), len(fake)) < least:
        raise DataError(
            f"Found {len(real)} real and {len(fake)} generated samples, expected at least {least} of each. "
            "Compare more samples."
        )
    return real.detach().double(), fake.detach().double()
