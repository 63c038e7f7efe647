"""What is asked of rows: values, one of several, or ranges, of any columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..data.table.cells import TableCodec, labelled, step_of
from ..data.table.clean import cleaned
from ..data.table.constraints import Together, known_through
from ..data.table.schema import Column
from ..errors import RunError, suggest
from .values import as_number, canonical, is_missing, nearest

if TYPE_CHECKING:
    from ..run import Run


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both among them."""

    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Beyond:
    """Numbers above one number, or below another, as a person writes them; the number is not among them."""

    low: Any = None
    high: Any = None


Asked = Mapping[str, Any]
"""By column: a value, a list of values of which one is to be, or a pair: the ends of a range."""


@dataclass(frozen=True)
class Request:
    """What is asked of cells, as they are stored.

    Attributes:
        fixed: by cell, the value.
        one_of: by cell, values of which one is to be.
        ranges: by cell, between which it is to lie.
        told: by column, values of columns that constraints make other columns of, and of those that belong
            to them.
        later: by column, what no cell stands for: rows are drawn until they have it.
    """

    fixed: Mapping[int, float] = field(default_factory=dict)
    one_of: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    ranges: Mapping[int, Range] = field(default_factory=dict)
    told: Mapping[str, float | str] = field(default_factory=dict)
    later: Mapping[str, Any] = field(default_factory=dict)


def request_of(asked: Asked, codec: TableCodec) -> Request:
    """Conditions as cells have them.

    Raises:
        RunError: there is no such column or value, or no row can be so.
    """
    columns = {column.name: column for column in codec.spec.columns}
    for name, value in asked.items():
        if name not in columns:
            raise RunError(f"there is no column {name!r}. {suggest(name, columns)}")
        refuse_no_pair(name, value)
    one_of, together = combinations_asked(asked, codec)
    told, later = through_constraints({name: asked[name] for name in asked if name not in together}, codec)
    fixed: dict[int, float] = {}
    ranges: dict[int, Range] = {}
    for name, value in asked.items():
        if name in told or name in later or name in together:
            continue
        refuse_unlearnt(columns[name])
        place = codec.place(name)
        if isinstance(value, tuple | Beyond):
            ranges[place] = range_of(name, value, codec)
        elif isinstance(value, list | set | frozenset):
            refuse_none(name, value)
            several = value if isinstance(value, list) else sorted(value, key=str)  # in one order always
            one_of[place] = tuple(stored(name, each, codec) for each in several)
        else:
            fixed[place] = stored(name, value, codec)
    return Request(fixed, one_of, ranges, told, later)


def refuse_no_pair(name: str, value: Any) -> None:  # noqa: ANN401
    """Raises a RunError if a range has not two ends."""
    if isinstance(value, tuple) and len(value) != 2:
        raise RunError(
            f"{name!r} is to be {value!r}: a tuple is a range, which has two ends, and this one has "
            f"{len(value)}. Give two ends, or a list of values of which one is to be."
        )


def refuse_none(name: str, values: Collection[Any]) -> None:
    """Raises a RunError if one of no values is to be."""
    if not values:
        raise RunError(f"the column {name!r} is to be one of no values. Name some.")


def refuse_unlearnt(column: Column) -> None:
    """Raises a RunError if a column is not made by the generator."""
    if not column.learnt:
        raise RunError(
            f"the column {column.name!r} is {column.kind} and cannot be asked for. Leave it out of the "
            "conditions."
        )


def combinations_asked(asked: Asked, codec: TableCodec) -> tuple[dict[int, tuple[float, ...]], set[str]]:
    """Lists and ranges of columns that belong together, as combinations of which one is to be.

    Returns:
        By cell the combinations, and the columns that are asked for by them.

    Raises:
        RunError: no combination is as asked.
    """
    one_of: dict[int, tuple[float, ...]] = {}
    taken: set[str] = set()
    others = {name for one in codec.constraints if one.changes for name in one.reads}
    for constraint in codec.constraints:
        own = {name: asked[name] for name in constraint.columns if name in asked}
        if not isinstance(constraint, Together) or not any(map(is_several, own.values())):
            continue
        if not constraint.occur or others & {*constraint.columns}:  # what they are is needed elsewhere
            continue
        for name, value in own.items():
            refuse_unknown(codec.spec.column(name), value, codec)
        occur = np.array(constraint.occur, object)
        frame = constraint.backward(pd.DataFrame({constraint.joint: occur}))
        fitting = occur[clean_satisfied(frame, own, codec)]
        if not len(fitting):
            words = ", ".join(f"{name!r} to be {value!r}" for name, value in own.items())
            raise RunError(
                f"{words} was asked for, and no row of the data is so. Ask for what occurs together."
            )
        place = codec.place(constraint.joint)
        one_of[place] = tuple(labelled(pd.Series(fitting), codec.codes[place], exact=True).tolist())
        taken |= {*own}
    return one_of, taken


def is_several(value: Any) -> bool:  # noqa: ANN401
    """Whether more than one value would do, or none is to be there."""
    return isinstance(value, tuple | Beyond | list | set | frozenset) or is_missing(value)


def refuse_unknown(column: Column, value: Any, codec: TableCodec) -> None:  # noqa: ANN401
    """Raises a RunError if no row has what is asked of a column for which no cell stands."""
    refuse_unlearnt(column)
    if isinstance(value, tuple | Beyond):
        if column.kind not in ("numeric", "datetime"):
            refuse_range(column.name)
        ends = ends_of(column.name, value, codec)
        refuse_empty(column.name, ends)
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        refuse_apart(column.name, ends, Range(low, high))
        return
    several = value if isinstance(value, list | set | frozenset) else [value]
    refuse_none(column.name, several)
    for each in several:
        if is_missing(each):
            if not column.missing:
                raise RunError(f"the column {column.name!r} has no missing values.")
            continue
        own = clean_value(column.name, each, codec)
        if isinstance(own, float):
            refuse_beyond(column, own)
        elif own not in column.categories:
            known = suggest(str(each), column.categories)
            raise RunError(f"the column {column.name!r} has no value {each!r}. {known}")


def through_constraints(asked: Asked, codec: TableCodec) -> tuple[dict[str, float | str], dict[str, Any]]:
    """Of columns that constraints are about: single values, and what can only be waited for.

    Raises:
        DataError: what is asked contradicts a constraint.
    """
    made = {name for constraint in codec.constraints for name in constraint.changes}
    about = {name for constraint in codec.constraints for name in constraint.columns}
    single: dict[str, float | str] = {}
    later: dict[str, Any] = {}
    for name, value in asked.items():
        if name in made:
            refuse_unknown(codec.spec.column(name), value, codec)
        if name in about and not is_several(value):
            single[name] = clean_value(name, value, codec)
        elif name in made:
            later[name] = value
    if not made & {*single}:
        return {}, later
    for name, value in single.items():
        refuse_beyond(codec.spec.column(name), value)
    unsaid = known_through(codec.constraints, frame_of(single, 1)).later
    return single, later | {name: asked[name] for name in unsaid}


def refuse_beyond(column: Column, value: float | str) -> None:
    """Raises a RunError if a number is asked for that would be moved to a bound of its column."""
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    if isinstance(value, float) and not low <= value <= high:
        raise RunError(
            f"{column.name!r} = {value:g} was asked for, and it lies between {low:g} and {high:g}. Ask for a "
            "value in there."
        )


def clean_value(name: str, value: Any, codec: TableCodec) -> float | str:  # noqa: ANN401
    """A value as clean frames have it."""
    column = codec.spec.column(name)
    refuse_unlearnt(column)
    if column.kind in ("numeric", "datetime"):
        number = as_number(name, value, codec)
        refuse_between(column, number)
        return number
    return canonical(name, value, codec)


def frame_of(values: Mapping[str, float | str], n: int) -> pd.DataFrame:
    """So many rows of the same values."""
    columns = {
        name: np.full(n, value) if isinstance(value, float) else np.full(n, value, object)
        for name, value in values.items()
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(n))


def stored(name: str, value: Any, codec: TableCodec) -> float:  # noqa: ANN401
    """A value as its cell has it; of a rare category a number that tells which it is.

    Raises:
        RunError: the training data had none such, with a suggestion.
    """
    code = codec.codes[codec.place(name)]
    category = code.category
    if category is not None:
        label = None if is_missing(value) else canonical(name, value, codec)
        number = float(category.stored(np.array([label], object), exact=True)[0])
        if number < 0:
            known = [*category.categories, *category.rare]
            what = "no missing values" if label is None else f"no value {value!r}"
            raise RunError(f"the column {name!r} has {what}. {suggest(str(value), known)}")
        return number
    if is_missing(value):
        if not code.cell.masses or code.number is None or not code.number.missing:
            raise RunError(f"the column {name!r} has no missing values in the training data.")
        return np.nan
    number = as_number(name, value, codec)
    refuse_outside(name, Range(number, number), codec)
    refuse_between(codec.spec.column(name), number)
    return number


def refuse_between(column: Column, number: float) -> None:
    """Raises a RunError if a number is asked for that the column would round to another."""
    step, moved = step_of(column), float(nearest(column, np.array([number]))[0])
    if abs(moved - number) > 1e-12 * max(abs(number), step):
        clock = f"whole {column.unit}s by the clock of {column.timezone}"
        raise RunError(
            f"{column.name!r} = {number:.10g} was asked for, and its values are "
            f"{clock if column.timezone else f'multiples of {step:g}'}. Ask for one of these, or for a range."
        )


def range_of(name: str, value: tuple[Any, Any] | Beyond, codec: TableCodec) -> Range:
    """The ends of a range as they are stored; None for an open end.

    Raises:
        RunError: the column has no order, or no value lies there.
    """
    if codec.codes[codec.place(name)].number is None:
        refuse_range(name)
    ends = ends_of(name, value, codec)
    refuse_empty(name, ends)
    refuse_outside(name, ends, codec)
    return ends


def refuse_range(name: str) -> NoReturn:
    """Raises a RunError: a column of categories has no order."""
    raise RunError(
        f"the column {name!r} has categories, and a range was asked for. Give a value, or a list of them."
    )


def refuse_empty(name: str, ends: Range) -> None:
    """Raises a RunError if nothing lies in a range, or if an end is no number."""
    if not ends.low <= ends.high:
        raise RunError(f"the range of {name!r} is from {ends.low:g} to {ends.high:g}, which is empty.")


def ends_of(name: str, value: tuple[Any, Any] | Beyond, codec: TableCodec) -> Range:
    """The ends of a range as numbers; the number next to one that is not among them."""
    low, high = value if isinstance(value, tuple) else (value.low, value.high)
    ends = Range(
        -np.inf if low is None else as_number(name, low, codec),
        np.inf if high is None else as_number(name, high, codec),
    )
    if isinstance(value, tuple):
        return ends
    return Range(float(np.nextafter(ends.low, np.inf)), float(np.nextafter(ends.high, -np.inf)))


def refuse_outside(name: str, asked: Range, codec: TableCodec) -> None:
    """Raises a RunError if no training value lies in a range: nothing is known of rows there."""
    code = codec.codes[codec.place(name)].number
    assert code is not None
    refuse_apart(name, asked, Range(code.low, code.high))


def refuse_apart(name: str, asked: Range, known: Range) -> None:
    """Raises a RunError if two ranges have nothing in common, or if an end is no number."""
    if not (asked.high >= known.low and asked.low <= known.high):
        raise RunError(
            f"{name!r} from {asked.low:g} to {asked.high:g} was asked for, and the training data have it "
            f"from {known.low:g} to {known.high:g}. Ask for values in there."
        )


def satisfied(frame: pd.DataFrame, asked: Asked, codec: TableCodec) -> Bool[np.ndarray, " n"]:
    """Which rows of a frame are as asked."""
    return clean_satisfied(cleaned(frame, codec.spec), asked, codec)


def clean_satisfied(clean: pd.DataFrame, asked: Asked, codec: TableCodec) -> Bool[np.ndarray, " n"]:
    """Which rows of a clean frame are as asked."""
    good = np.ones(len(clean), bool)
    for name, value in asked.items():
        column = clean[name]
        if column.dtype == np.float64:
            good &= numbers_satisfied(column.to_numpy(np.float64), name, value, codec)
        else:
            wanted = value if isinstance(value, list | set | frozenset) else [value]
            labels = [None if is_missing(each) else canonical(name, each, codec) for each in wanted]
            good &= np.array([label in labels for label in column.to_numpy(object)], bool)
    return good


def numbers_satisfied(
    x: Float[np.ndarray, " n"],
    name: str,
    value: Any,  # noqa: ANN401
    codec: TableCodec,
) -> Bool[np.ndarray, " n"]:
    """Which numbers of a column are as asked."""
    if isinstance(value, tuple | Beyond):
        ends = ends_of(name, value, codec)
        return (x >= ends.low) & (x <= ends.high)
    wanted = value if isinstance(value, list | set | frozenset) else [value]
    numbers = [np.nan if is_missing(each) else as_number(name, each, codec) for each in wanted]
    return np.isin(x, numbers) | (np.isnan(x) & any(map(np.isnan, numbers)))


def with_label(run: Run, conditions: dict[str, Any], label: str | int | None) -> dict[str, Any]:
    """Conditions on columns of a table, and a label as one on its target.

    Raises:
        RunError: there is a label, and a condition on the target too.
    """
    if label is None:
        return conditions
    if run.target in conditions:
        raise RunError(
            f"the label {label!r} was asked for, and {conditions[run.target]!r} of the column "
            f"{run.target!r}, which the label is about. Give one of the two."
        )
    return {**conditions, run.target: label}
