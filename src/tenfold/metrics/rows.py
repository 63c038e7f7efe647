"""Feature rows that shall be compared: checked once for all, and in double precision."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from ..errors import DataError


class Undefined(DataError):
    """A metric means nothing for so few samples; it is an error, so that no number stands in its place."""


def comparable(
    real: Float[Tensor, "n d"],
    fake: Float[Tensor, "m d"],
    least: int,
    names: tuple[str, str] = ("real samples", "generated samples"),
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """Both sets in double precision: distances and kernel values are small differences of large numbers.

    Args:
        real: one set.
        fake: the other.
        least: how many rows each must have.
        names: what an error calls the two sets.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than `least` on a side.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise DataError(
            f"Found features of shapes {tuple(real.shape)} ({names[0]}) and {tuple(fake.shape)} "
            f"({names[1]}), expected (n, d) and (m, d) with the same d. Compute both with the same features."
        )
    return checked(real, least, names[0]), checked(fake, least, names[1])


def checked(rows: Float[Tensor, "n d"], least: int, name: str) -> Float[Tensor, "n d"]:
    """One set in double precision.

    Raises:
        DataError: if it is no matrix, or holds NaN or infinite numbers.
        Undefined: if there are fewer than `least` rows.
    """
    if rows.ndim != 2:
        raise DataError(
            f"Found features of shape {tuple(rows.shape)} ({name}), expected (n, d). "
            "Compute a row per sample."
        )
    if len(rows) < least:
        raise Undefined(
            f"Not defined for n = {len(rows)}: at least {least} {name} were expected. Compare more of them."
        )
    bad = int((~rows.isfinite()).any(1).sum())
    if bad:
        raise DataError(
            f"{bad} of {len(rows)} {name} have NaN or infinite features, expected finite ones. "
            "Look for broken samples, or for a feature network that overflows."
        )
    return rows.detach().double()
