"""What is known of one column of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, NamedTuple

from .dates import iso_of

LEARNT = ("numeric", "categorical", "boolean", "datetime")
KINDS = (*LEARNT, "id", "text", "constant", "ignore")
FIELDS = {
    "numeric": ("integer", "decimals", "low", "high", "log", "masses"),
    "categorical": ("categories", "ordered", "rare_beyond", "spellings"),
    "boolean": ("categories", "spellings"),
    "datetime": ("low", "high", "unit", "format", "timezone"),
    "id": ("pattern", "low", "high"),
    "text": (),
    "constant": ("value",),
    "ignore": (),
}
"""What belongs to each kind; a spec shows it even where it is as usual, to be edited."""
ALWAYS = ("name", "kind", "dtype", "missing", "missing_share")


class Pattern(NamedTuple):
    """How the keys of a column look.

    Attributes:
        prefix: what all begin with; empty for plain numbers.
        digits: to how many digits the number behind it is filled with zeros; 0 if it is not.
    """

    prefix: str
    digits: int


@dataclass(frozen=True)
class Column:
    """What is known of one column.

    A category, in a spec and in clean frames, is the text of a value without blanks around it: "State-gov"
    for " State-gov", "1" for 1 and 1.0, "True" for True.

    Attributes:
        name: without blanks around it.
        kind: one of numeric, categorical, boolean, datetime (which are learnt), id (made anew), text (which
            no recipe learns), constant (put back) and ignore (left out).
        dtype: in the data, as text; of a column of plain Python objects that are no text
            "object[number]", "object[truth]" or "object[date]". Empty if nothing of the data is known.
        missing: whether values may be missing.
        missing_share: of the rows.
        missing_as: what stands for a missing value among numbers or dates that are text, such as "?".
        integer: whether all numbers are whole.
        decimals: to which numbers are rounded; None for as many as there are.
        decimal: what stands before the decimals of numbers that are text.
        low, high: bounds; of date-times in seconds since 1970, of ids those of their numbers.
        log: whether a logarithmic scale suits the numbers that are no masses; they are positive then.
        masses: numbers that many rows share, far more than share the next ones.
        categories: all that there are, in their order if they are ordered, else sorted; of a boolean column
            the one that means no, then the other.
        ordered: whether the order of the categories means something.
        spellings: of categories that are spelt in another way in the data: with blanks, for instance. Of a
            column of pandas' categories all of them, in their order.
        rare_beyond: how many options networks see at most; the rarest categories share one. None for as many
            as the codec sees fit.
        format: of dates that are text, as `strftime` has it.
        unit: smallest step of date-times, one of day, hour, minute, second, millisecond and microsecond.
        timezone: of date-times; None if they name none.
        pattern: of ids; None if none was found.
        value: of a constant.
    """

    name: str
    kind: str
    dtype: str = ""
    missing: bool = False
    missing_share: float = 0.0
    missing_as: str | None = None
    integer: bool = False
    decimals: int | None = None
    decimal: str = "."
    low: float | None = None
    high: float | None = None
    log: bool = False
    masses: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    ordered: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict, hash=False)
    rare_beyond: int | None = None
    format: str | None = None
    unit: str | None = None
    timezone: str | None = None
    pattern: Pattern | None = None
    value: str | float | bool | None = None

    def __post_init__(self) -> None:
        if self.missing_share > 0:
            object.__setattr__(self, "missing", True)

    @property
    def learnt(self) -> bool:
        """Whether networks see it."""
        return self.kind in LEARNT

    @property
    def bare(self) -> bool:
        """Whether nothing of the data is known, as where a person wrote no more than the kind."""
        lacking = {
            "numeric": self.low is None,
            "datetime": self.low is None,
            "categorical": not self.categories,
            "boolean": not self.categories,
            "constant": self.value is None,
        }
        return not self.dtype or lacking.get(self.kind, False)

    def given(self) -> dict[str, Any]:
        """The fields that belong to the kind and are not as they are when nothing is said."""
        usual = _usual()
        names = (*FIELDS[self.kind], "decimal", "missing_as")
        return {name: value for name, value in vars(self).items() if name in names and value != usual[name]}

    def to_json(self) -> dict[str, Any]:
        """What belongs to the kind, and all that is not as usual, as JSON holds it."""
        usual, shown = _usual(), (*ALWAYS, *FIELDS[self.kind])
        return {
            name: _as_json(name, value, self.kind)
            for name, value in vars(self).items()
            if name in shown or value != usual[name]
        }


def _usual() -> dict[str, Any]:
    usual = {f.name: None if f.default is MISSING else f.default for f in fields(Column)}
    return {**usual, "spellings": {}}


def _as_json(name: str, value: Any, kind: str) -> Any:  # noqa: ANN401
    if name in ("low", "high") and kind == "datetime" and value is not None:
        return iso_of(value)
    if name == "pattern" and value is not None:
        return value._asdict()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
