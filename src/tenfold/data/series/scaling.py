"""How numbers of any size become numbers in [-1, 1], and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

Form = Literal["plain", "log", "asinh"]
FAR = 20.0  # times the median from which on numbers are of different sizes
ALIKE = 0.95  # correlation from which on channels move together
NOTHING = 1e-9  # of the largest number: a range below that is none


@dataclass(frozen=True)
class Scale:
    """Numbers to [-1, 1] and back.

    Attributes:
        low, high: what becomes -1 and 1, in the given form.
        form: plain; the logarithm, for numbers above 0; or asinh, which is the logarithm of large numbers of
            either sign and plain of small ones.
        unit: for asinh, the number that is neither small nor large.

    Example:
        >>> scale = Scale(0.0, 4.0)
        >>> scale.forward(np.array([1.0])).tolist(), scale.backward(np.array([9.0])).tolist()
        ([-0.5], [4.0])
    """

    low: float
    high: float
    form: Form = "plain"
    unit: float = 1.0

    @property
    def varies(self) -> bool:
        """Whether there is anything to learn."""
        return self.low < self.high

    def forward(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """Numbers in [-1, 1]; 0 where all are the same."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return (self.bent(x) - middle) / half if half > 0 else np.zeros_like(x)

    def backward(self, y: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The numbers; what lies beyond -1 or 1 becomes the lowest or the highest."""
        x = np.clip(y, -1, 1) * ((self.high - self.low) / 2) + (self.low + self.high) / 2
        if self.form == "log":
            return np.exp(x)
        return x if self.form == "plain" else self.unit * np.sinh(x)

    def bent(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """Numbers in this form."""
        if self.form == "log":
            return np.log(np.maximum(x, 1e-300))
        return x if self.form == "plain" else np.arcsinh(x / self.unit)


def fit_scale(x: Float[np.ndarray, "*shape"], form: Form = "plain") -> Scale:
    """The scale of some numbers.

    Args:
        x: finite; for the logarithm, at least one above 0. Of others the range then begins a tenth below the
            least that is.
        form: of the scale.
    """
    if form == "log":
        above = np.log(x[x > 0])
        return Scale(float(above.min() - (x <= 0).any() * np.log(10)), float(above.max()), form)
    unit = 1.0
    if form == "asinh":
        unit = float(np.median(np.abs(x[x != 0]))) if (x != 0).any() else 1.0
    bent = Scale(0.0, 1.0, form, unit).bent(x)
    return Scale(float(bent.min()), float(bent.max()), form, unit)


def fit_any(x: Float[np.ndarray, " n"]) -> Scale:
    """The scale of numbers of which nothing is known: a plain one, or where they differ in size, a bent "
    "one."""
    sizes = np.abs(x[x != 0])
    far = len(sizes) > 0 and sizes.max() > FAR * np.median(sizes)
    return fit_scale(x, "asinh" if far else "plain")


@dataclass(frozen=True)
class Track:
    """How one channel of numbers is scaled.

    Attributes:
        all: by the range of all series; None if each series has its own.
        middle, half: of the middle and of half the range of each series, which are attributes of it then.
    """

    all: Scale | None
    middle: Scale | None = None
    half: Scale | None = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Track:
        """The track whose fields JSON held."""
        return cls(**{k: None if v is None else Scale(**v) for k, v in fields.items()})


@dataclass(frozen=True)
class Mixing:
    """Channels that move together, as what they have in common and what sets them apart.

    Four prices of a day are one level and small differences; scaled one by one, a made low would lie above
    the high as soon as the levels are off by more than these.

    Attributes:
        shift, spread: taken off each channel, and what it is divided by; 0 and 1 of those that stay as they
            are.
        rotation: orthogonal; a row for each channel that comes out.
    """

    shift: tuple[float, ...]
    spread: tuple[float, ...]
    rotation: tuple[tuple[float, ...], ...]

    def forward(self, x: Float[np.ndarray, "steps k"]) -> Float[np.ndarray, "steps k"]:
        """What channels have in common, and what sets them apart."""
        axes = self.matrix()
        y = ((x - np.array(self.shift)) / np.array(self.spread)) @ axes.T
        mixed = np.abs(axes).max(1, initial=0) < 1  # in standard deviations, so that rounding is known
        return np.where(mixed & (np.abs(y) < NOTHING), 0.0, y)

    def backward(self, y: Float[np.ndarray, "steps k"]) -> Float[np.ndarray, "steps k"]:
        """The channels."""
        return (y @ self.matrix()) * np.array(self.spread) + np.array(self.shift)

    def matrix(self) -> Float[np.ndarray, "k k"]:
        """The rotation."""
        return np.array(self.rotation, np.float64).reshape(len(self.shift), len(self.shift))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Mixing:
        """The mixing whose fields JSON held."""
        rotation = tuple(map(tuple, fields["rotation"]))
        return cls(tuple(fields["shift"]), tuple(fields["spread"]), rotation)


def fit_mixing(x: Float[np.ndarray, "steps k"]) -> tuple[Mixing, list[list[int]]]:
    """How channels are mixed, and the groups of those that move together.

    Args:
        x: all steps of all series.
    """
    count = x.shape[1]
    shift, spread, rotation = np.zeros(count), np.ones(count), np.eye(count)
    groups = moving_together(x)
    for group in groups:
        part = x[:, group]
        shift[group], spread[group] = part.mean(0), part.std(0)
        _, axes = np.linalg.eigh(np.corrcoef(part.T))
        axes = axes.T[::-1]  # the common one first
        signs = np.sign(axes[np.arange(len(group)), np.abs(axes).argmax(1)])
        rotation[np.ix_(group, group)] = axes * signs[:, None]
    return Mixing(tuple(shift.tolist()), tuple(spread.tolist()), tuple(map(tuple, rotation.tolist()))), groups


def moving_together(x: Float[np.ndarray, "steps k"]) -> list[list[int]]:
    """Groups of channels, each correlated with another of its group; those of a single channel are left "
    "out."""
    moving = np.flatnonzero(x.std(0) > NOTHING * np.abs(x).max(0, initial=0)) if len(x) else np.zeros(0, int)
    if len(moving) < 2:
        return []
    near = np.abs(np.corrcoef(x[:, moving].T)) >= ALIKE
    for _ in range(len(moving).bit_length()):  # neighbours of neighbours, each time twice as far
        near = (near.astype(int) @ near.astype(int)) > 0
    groups = {tuple(moving[row].tolist()) for row in near}
    return sorted(list(group) for group in groups if len(group) > 1)


def spans(
    x: Float[np.ndarray, "steps k"], starts: np.ndarray
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """Middle and half the range of every channel of every series; a range that is rounding only is 0."""
    high, low = np.maximum.reduceat(x, starts, axis=0), np.minimum.reduceat(x, starts, axis=0)
    half = (high - low) / 2
    return (high + low) / 2, np.where(half <= NOTHING * np.maximum(np.abs(high), np.abs(low)), 0.0, half)


def fit_track(
    x: Float[np.ndarray, " steps"],
    middles: Float[np.ndarray, " n"],
    halves: Float[np.ndarray, " n"],
    how: str,
) -> Track:
    """How a channel is scaled.

    Args:
        x: all its steps.
        middles, halves: of the range of each series.
        how: each, all or auto, which scales each series by its own range where these differ much in size or
            lie far apart.
    """
    moving = halves[halves > 0]
    own = how == "each"
    if how == "auto" and len(moving):
        own = bool(np.log(moving).std() > 0.5 or middles.std() > np.median(moving))
    if not own or not len(moving):
        return Track(fit_scale(x))
    return Track(None, fit_any(middles), fit_scale(halves, "log"))
