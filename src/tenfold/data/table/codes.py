"""How one column of a table becomes numbers, and numbers the column again (decision 013)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from ..records import tuples
from ..spec import Cell
from .columns import on_grid
from .mixture import Modes, fit_modes

REACH = 4  # standard deviations of a mode that a scalar of 1 stands for


class Code(Protocol):
    """A column as numbers."""

    @property
    def name(self) -> str:
        """Of the column."""
        ...

    @property
    def cell(self) -> Cell:
        """As networks see it."""
        ...

    @property
    def number(self) -> NumberCode | None:
        """Itself, if it is that of numbers."""
        ...

    @property
    def category(self) -> CategoryCode | None:
        """Itself, if it is that of categories."""
        ...

    def decoded(self, option: np.ndarray, scalar: np.ndarray) -> Float[np.ndarray, " n"]:
        """Stored values of options and scalars."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        ...


@dataclass(frozen=True)
class NumberCode:
    """A column of numbers: values that many rows share, and modes of a mixture for the others.

    Attributes:
        name: of the column.
        low, high: between which training values lie.
        step: of which all values are multiples; 0 if of none.
        log: origin and unit of a logarithmic scale; None for a plain one.
        missing: whether some values are missing; that is the first option then.
        masses: values that many rows share; the next options.
        modes: of the rest, on the scale that is used; the last options. None if there is no rest.
        middle, scale: mean and standard deviation on that scale.
        bounds: that made values keep to; None for those of the training values.
    """

    name: str
    low: float
    high: float
    step: float
    log: tuple[float, float] | None
    missing: bool
    masses: tuple[float, ...]
    modes: Modes | None
    middle: float
    scale: float
    bounds: tuple[float, float] | None = None

    category = None

    @property
    def number(self) -> NumberCode:
        """Itself."""
        return self

    @property
    def fixed(self) -> int:
        """Options without a scalar."""
        return self.missing + len(self.masses)

    @property
    def cell(self) -> Cell:
        """Missing values lie in the middle of the scale."""
        at = [0.0] * self.missing + [self.standard(x) for x in self.masses]
        spreads = [0.0] * len(at)
        if self.modes is not None:
            at += [(mean - self.middle) / self.scale for mean in self.modes.means]
            spreads += [REACH * std / self.scale for std in self.modes.stds]
        return Cell(self.name, len(at), self.modes is not None, self.fixed, tuple(at), tuple(spreads))

    def standard(self, x: float) -> float:
        """A value, in standard deviations from the mean."""
        return float((self.scaled(np.array([x]))[0] - self.middle) / self.scale)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Values on the scale that is used."""
        if self.log is None:
            return x
        origin, unit = self.log
        return np.log1p(np.maximum((x - origin) / unit, -0.999))

    def unscaled(self, y: np.ndarray) -> np.ndarray:
        """The way back."""
        if self.log is None:
            return y
        origin, unit = self.log
        return origin + unit * np.expm1(np.minimum(y, 700.0))  # beyond that there is no double

    def decoded(self, option: np.ndarray, scalar: np.ndarray) -> Float[np.ndarray, " n"]:
        """Values, NaN where missing; of modes within the bounds, and multiples of the step."""
        known = np.array([np.nan] * self.missing + list(self.masses))
        if self.modes is None:
            return known[option]
        mode = np.maximum(option - self.fixed, 0)
        means, stds = np.array(self.modes.means), np.array(self.modes.stds)
        x = on_grid(self.unscaled(means[mode] + REACH * stds[mode] * scalar), self.step)
        x = np.clip(x, *(self.bounds or (self.low, self.high)))
        fixed = np.append(known, 0.0)[np.minimum(option, self.fixed)]
        return np.where(option < self.fixed, fixed, x)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {"code": "number", **asdict(self)}


@dataclass(frozen=True)
class CategoryCode:
    """A column of categories; stored is the number of the option.

    Where it is to be known which of the rare ones it is, their option's number has a fraction that tells.

    Attributes:
        name: of the column.
        categories: that have an option each.
        rare: others, which share the next option; which of them is made is drawn by their shares.
        rare_shares: of these, adding up to 1.
        missing: whether some values are missing; that is the last option then.
        shares: of each option in the training rows.
    """

    name: str
    categories: tuple[str, ...]
    rare: tuple[str, ...]
    rare_shares: tuple[float, ...]
    missing: bool
    shares: tuple[float, ...]

    number = None

    @property
    def category(self) -> CategoryCode:
        """Itself."""
        return self

    @property
    def cell(self) -> Cell:
        """A one-hot."""
        return Cell(self.name, len(self.shares))

    def decoded(self, option: np.ndarray, scalar: np.ndarray) -> Float[np.ndarray, " n"]:
        """The options' numbers."""
        return option.astype(np.float64)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {"code": "category", **asdict(self)}

    def share_of(self, number: float) -> float:
        """Share of the training rows with an option; of a rare category, if the number tells which it is."""
        own = self.which(np.array([number]))[0] if self.rare else -1
        return self.shares[int(number)] * (self.rare_shares[own] if own >= 0 else 1.0)

    def which(self, numbers: np.ndarray) -> np.ndarray:
        """Which of the rare categories numbers tell; -1 where they tell none."""
        return np.rint((numbers - np.floor(numbers)) * (len(self.rare) + 1)).astype(np.int64) - 1

    def stored(self, labels: np.ndarray, exact: bool = False) -> Float[np.ndarray, " n"]:
        """Options' numbers of labels, where None is missing; -1 for what has none.

        Args:
            labels: as clean frames have them.
            exact: whether the numbers of rare categories tell which they are.
        """
        numbers: dict[str, float] = {label: i for i, label in enumerate(self.categories)}
        part = exact / (len(self.rare) + 1)
        numbers |= {label: len(self.categories) + (i + 1) * part for i, label in enumerate(self.rare)}
        known, inverse = _distinct(labels)
        last = len(self.shares) - 1 if self.missing else -1
        return np.array([numbers.get(x, -1) if x is not None else last for x in known], np.float64)[inverse]

    def labels(self, numbers: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Labels of options' numbers; None where missing, and one of the rare ones for their option."""
        table = np.empty(len(self.shares) + 1, object)
        table[: len(self.categories)] = self.categories
        options = numbers.astype(np.int64)
        found = table[options]
        if self.rare:
            here = np.flatnonzero(options == len(self.categories))
            told = self.which(numbers[here])
            drawn = random.choice(len(self.rare), len(here), p=np.array(self.rare_shares))
            found[here] = np.array(self.rare, object)[np.where(told < 0, drawn, told)]
        return found


def _distinct(labels: np.ndarray) -> tuple[list[str | None], np.ndarray]:
    """Different labels, and which of them each row has; None among strings cannot be sorted."""
    import pandas as pd

    codes, known = pd.factorize(pd.Series(labels, dtype=object), use_na_sentinel=True)
    return [*map(str, known), None], codes  # -1, which stands for missing, is the last


def number_code(
    name: str,
    x: Float[np.ndarray, " n"],
    *,
    step: float,
    log: bool,
    masses: tuple[float, ...],
    seed: int,
    bounds: tuple[float | None, float | None] = (None, None),
) -> NumberCode:
    """The code of a column, by its training values.

    Args:
        name: of the column.
        x: values, NaN where missing.
        step: of which they are multiples; 0 if of none.
        log: whether a logarithmic scale suits them.
        masses: values that have an option of their own.
        seed: of what is drawn.
        bounds: that made values keep to; those of the training values where they are None.
    """
    known = x[~np.isnan(x)]
    rest = known[~np.isin(known, masses)] if masses else known
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    unit = float(np.median(rest - low)) if len(rest) else 0.0
    scale = (low, unit) if log and unit > 0 else None
    least, most = (own if end is None else end for end, own in zip(bounds, (low, high), strict=True))
    missing = bool(len(known) < len(x))
    plain = NumberCode(name, low, high, step, scale, missing, masses, None, 0.0, 1.0, (least, most))
    if not len(rest):
        return plain
    blur = np.random.default_rng(seed).uniform(-step / 2, step / 2, len(rest))
    y = plain.scaled(rest + blur)
    every = plain.scaled(known)
    spread = float(every.std()) or 1.0
    fields = {**vars(plain), "modes": fit_modes(y, seed), "middle": float(every.mean()), "scale": spread}
    return NumberCode(**fields)


def category_code(
    name: str, labels: np.ndarray, categories: tuple[str, ...], most: int, missing: bool = False
) -> CategoryCode:
    """The code of a column, by its training labels.

    Args:
        name: of the column.
        labels: None where missing.
        categories: all that may occur, in their order.
        most: options for categories; of more, the rarest share one.
        missing: whether values may be missing, even if none is here.
    """
    known, inverse = _distinct(labels)
    counts = np.bincount(inverse % len(known), minlength=len(known))
    times = dict(zip(known, counts.tolist(), strict=True))
    kept, rare = categories, tuple[str, ...]()
    if len(categories) > most:
        frequent = {*sorted(categories, key=lambda c: -times.get(c, 0))[: most - 1]}
        kept = tuple(c for c in categories if c in frequent)
        rare = tuple(c for c in categories if c not in frequent)
    of_rare = np.array([times.get(c, 0) for c in rare], np.float64)
    numbers = [times.get(c, 0) for c in kept] + ([of_rare.sum()] if rare else [])
    missing = missing or times[None] > 0
    numbers += [times[None]] if missing else []
    shares = np.array(numbers, np.float64) / max(sum(numbers), 1)
    among = of_rare / of_rare.sum() if of_rare.sum() else np.full(len(rare), 1 / max(len(rare), 1))
    return CategoryCode(name, kept, rare, tuple(among.tolist()), missing, tuple(shares.tolist()))


def code_from_json(fields: Mapping[str, Any]) -> Code:
    """The code that `to_json` described."""
    values = {name: value for name, value in tuples(fields).items() if name != "code"}
    if fields["code"] == "category":
        return CategoryCode(**values)
    if values["modes"] is not None:
        values["modes"] = Modes(**{k: tuple(v) for k, v in values["modes"].items()})
    return NumberCode(**values)
