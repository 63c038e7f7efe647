"""What is known of a table before anything is trained: columns, what they cost, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ..notes import LEAST
from ..texts.pairs import recipe_of_words
from .clean import refuse_misfit
from .column import Column
from .constraints import with_fitted
from .dates import iso_of
from .describe import MOST_OPTIONS
from .frames import Frame
from .infer import guess
from .looking import family_of
from .schema import TableSpec, write_spec
from .words import MISSING_WORDS, words_of

if TYPE_CHECKING:
    import pandas as pd

SHOWN_MASSES = 5
MODES = 10  # of a mixture of numbers, at most
HIDDEN = 256  # units of a layer of either network
FLOPS = 36  # for each parameter and row: a step of either network, with a gradient penalty
SPEED = 5e10  # operations a second that two cores get done
SHOWN, LARGEST = 3, 3
_LONG = 24  # characters of a value that is shown


@dataclass(frozen=True)
class ColumnReport:
    """What is known of one column.

    Attributes:
        name: of the column.
        kind: of the column.
        facts: what it holds, in words.
        width: numbers of a row as networks see it that stand for it.
        bytes: what all of its rows take up when encoded at once.
    """

    name: str
    kind: str
    facts: str
    width: int
    bytes: int


@dataclass(frozen=True, repr=False)
class TableReport:
    """What is known of a table.

    Attributes:
        source: what was looked at.
        count: rows.
        columns: in their order.
        classes: rows of each class, if the target has classes.
        pass_s: about how many seconds two cores take for one pass over the rows.
        notes: what was decided, a sentence each.
        problems: what stands in the way of training, a sentence each.
        spec: all of it, to be edited and given back.
    """

    source: str
    count: int
    columns: tuple[ColumnReport, ...]
    classes: dict[str, int]
    pass_s: float
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    spec: TableSpec

    kind = "table"

    @property
    def width(self) -> int:
        """Of a row as networks see it."""
        return sum(column.width for column in self.columns)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {
            "source": self.source,
            "kind": self.kind,
            "count": self.count,
            "columns": [asdict(column) for column in self.columns],
            "width": self.width,
            "bytes": sum(column.bytes for column in self.columns),
            "classes": self.classes,
            "pass_s": self.pass_s,
            "notes": list(self.notes),
            "problems": list(self.problems),
            "spec": self.spec.to_json(),
        }

    def lines(self) -> list[str]:
        """The report as plain text."""
        return list(self._lines())

    def __repr__(self) -> str:
        """The report and the spec as plain text, as Python's shell and notebooks show it."""
        spec = json.dumps(self.spec.to_json(), indent=1, ensure_ascii=False)
        return "\n".join([*self.lines(), "spec, to be edited:", spec])

    def write_spec(self, path: str | Path) -> None:
        """Writes the spec to a file, to be edited and passed to `fit`."""
        write_spec(self.spec, path)

    def _lines(self) -> Iterator[str]:
        target = "" if self.spec.target is None else f", of which {self.spec.target!r} is the target"
        yield f"{self.source}: {self.count} rows, {len(self.columns)} columns{target}"
        names = max((len(column.name) for column in self.columns), default=0)
        kinds = max((len(column.kind) for column in self.columns), default=0)
        for column in self.columns:
            cost = f" [{column.width}: {_bytes(column.bytes)}]" if column.width else ""
            yield f"  {column.name:<{names}}  {column.kind:<{kinds}}  {column.facts}{cost}"
        if self.classes:
            counted = ", ".join(f"{name} {n}" for name, n in list(self.classes.items())[:20])
            yield f"classes: {counted}"
        if self.width:
            yield from self._costs()
        yield from (f"note: {note}" for note in self.notes)
        yield from (f"problem: {problem}" for problem in self.problems)

    def _costs(self) -> Iterator[str]:
        widest = sorted(self.columns, key=lambda column: -column.width)[:LARGEST]
        most = ", ".join(f"{column.name} {column.width}" for column in widest if column.width)
        total = _bytes(sum(column.bytes for column in self.columns))
        yield f"networks see at most {self.width} numbers a row, {total} for all rows (most: {most})"
        yield f"time: about {_seconds(self.pass_s)} for each pass over the rows on two cores"


def look(frame: Frame, spec: TableSpec | None = None, target: str | None = None) -> TableReport:
    """Looks at a table without training on it.

    Args:
        frame: the table.
        spec: what is known of its columns; found out if not given. What is wrong with a column, or
            contradicts the spec or its constraints, is reported and raises nothing.
        target: column that is to be predicted from the others.

    Raises:
        DataError: the spec or the target does not fit the table.
    """
    guessed, faults = guess(frame.df, target, spec)
    columns = tuple(_report(column, len(frame.df)) for column in guessed.columns)
    width = sum(column.width for column in columns)
    misfits = () if faults else dict.fromkeys(_misfits(frame.df, guessed, spec is not None))
    return TableReport(
        source=frame.name,
        count=len(frame.df),
        columns=columns,
        classes=_classes(frame.df, guessed),
        pass_s=pass_seconds(len(frame.df), width),
        notes=tuple(_notes(frame, guessed)),
        problems=(*faults, *_problems(frame.df, guessed, faults), *misfits),
        spec=guessed,
    )


def pass_seconds(rows: int, width: int) -> float:
    """About how many seconds two cores take for one pass over the rows.

    Two networks of two layers, the generator's widened by what it was given: an order of magnitude.
    """
    parameters = 4 * width * HIDDEN + 3 * HIDDEN**2
    return rows * FLOPS * parameters / SPEED


def _report(column: Column, rows: int) -> ColumnReport:
    width = _width(column)
    return ColumnReport(column.name, column.kind, _FACTS[column.kind](column), width, 4 * width * rows)


def _width(column: Column) -> int:
    if not column.learnt:
        return 0
    if column.kind in ("categorical", "boolean"):
        return min(len(column.categories), column.rare_beyond or MOST_OPTIONS) + column.missing
    return 1 + MODES + len(column.masses) + column.missing


def _of_numbers(column: Column) -> str:
    bounds = f"{_number(column.low)} to {_number(column.high)}"
    words = [f"{'whole numbers' if column.integer else 'numbers'} {bounds}"]
    if column.decimals:
        words.append(f"{column.decimals} decimals")
    if column.masses:
        more = len(column.masses) - SHOWN_MASSES
        shown = ", ".join(map(_number, column.masses[:SHOWN_MASSES]))
        words.append(f"often {shown}" + (f" and {more} more" if more > 0 else ""))
    if column.log:
        words.append("long tail, on a logarithmic scale")
    return ", ".join([*words, *_missing(column)])


def _of_categories(column: Column) -> str:
    shown = ", ".join(_short(text) for text in column.categories[:SHOWN])
    more = ", ..." if len(column.categories) > SHOWN else ""
    words = [f"{len(column.categories)} values: {shown}{more}"]
    if column.ordered:
        words.append("in this order")
    if column.rare_beyond is not None and len(column.categories) > column.rare_beyond:
        words.append("the rarest share an option")
    return ", ".join([*words, *_missing(column)])


def _of_truth(column: Column) -> str:
    return ", ".join([" or ".join(map(_short, column.categories)), *_missing(column)])


def _of_dates(column: Column) -> str:
    ends = [str(iso_of(end)).replace("T00:00:00", "") for end in (column.low, column.high) if end is not None]
    words = [" to ".join(ends), f"in steps of a {column.unit}"]
    if column.format is not None:
        words.append(f"written {column.format}")
    if column.timezone is not None:
        words.append(column.timezone)
    return ", ".join([*words, *_missing(column)])


def _of_ids(column: Column) -> str:
    if column.pattern is None:
        return "a key without a pattern, made anew"
    if column.high is None:
        return "a key, made anew"
    prefix, digits = column.pattern
    return f"a key, made anew from {prefix}{int(column.high) + 1:0{digits}d} on"


_FACTS = {
    "numeric": _of_numbers,
    "categorical": _of_categories,
    "boolean": _of_truth,
    "datetime": _of_dates,
    "id": _of_ids,
    "text": lambda column: "free text, which cannot be learnt",
    "constant": lambda column: f"always {_short(str(column.value))}, put back",
    "ignore": lambda column: "left out",
}


def _missing(column: Column) -> list[str]:
    if not column.missing:
        return []
    spelt = "" if column.missing_as is None else f" (written {column.missing_as!r})"
    return [f"{column.missing_share:.1%} missing{spelt}"]


def _classes(df: pd.DataFrame, spec: TableSpec) -> dict[str, int]:
    if spec.target is None or spec.column(spec.target).kind not in ("categorical", "boolean"):
        return {}
    words = words_of(df[spec.target])
    counts = dict(zip(words.texts.tolist(), words.counts.tolist(), strict=True))
    return {name: counts.get(name, 0) for name in spec.column(spec.target).categories}


def _notes(frame: Frame, spec: TableSpec) -> Iterator[str]:
    if frame.container.index == "other":
        yield "the index is not learnt, made rows are numbered; reset_index() makes a column of it"
    if spec.primary_key is not None:
        yield f"the primary key is {spec.primary_key!r}"
    unknown = [
        column.name
        for column in spec.columns
        if any(text.casefold() in MISSING_WORDS for text in column.categories)
    ]
    if unknown:
        yield f"words for unknown, such as '?', are values like others in: {', '.join(unknown)}"
    respelt = [column.name for column in spec.columns if _respelt(frame.df, column)]
    if respelt:
        yield f"values that differ in blanks only are taken for one in: {', '.join(respelt)}"
    rare = [column.name for column in spec.columns if column.rare_beyond is not None]
    if rare:
        yield f"many values: the rarest share an option, set by rare_beyond, in: {', '.join(rare)}"


def _respelt(df: pd.DataFrame, column: Column) -> bool:
    if column.kind not in ("categorical", "boolean") or family_of(column.dtype) != "text":
        return False
    return words_of(df[column.name]).respelt > 0


def _problems(df: pd.DataFrame, spec: TableSpec, faults: Sequence[str]) -> Iterator[str]:
    texts = ", ".join(repr(column.name) for column in spec.columns if column.kind == "text")
    if texts:
        yield (
            f'free text cannot be learnt: {texts}; remove it, or set its kind to "ignore", "id" or '
            '"categorical" in the spec; or learn the texts alone: fit --recipe '
            + recipe_of_words(list(map(str, df.columns)))
        )
    if not faults and not spec.learnt:
        yield "no column is left to learn"
    if 1 < len(df) < LEAST:
        yield f"{len(df)} rows to train on; at least {LEAST} are needed to judge by"


def _misfits(df: pd.DataFrame, spec: TableSpec, said: bool) -> Iterator[str]:
    """What `fit` would refuse of a spec that a person wrote, and of its constraints."""
    for refuse in (refuse_misfit, with_fitted) if said else (with_fitted,):
        try:
            refuse(df, spec)
        except DataError as error:
            yield str(error)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.10g}"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "a second or less"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
