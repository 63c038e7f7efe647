"""What is known of a column of a kind, by its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from ..parts import order_labels
from .clean import numbers_of, seconds_of
from .column import Column, Pattern
from .dates import unit_of, zoned_format
from .ids import EXACT
from .keys import pattern_of
from .looking import Looked, family_of, missing_as
from .quantities import decimals_of, long_tailed, masses_of
from .words import Words, missing_words, text_of

MOST_OPTIONS = 100  # of a category; the rarest of more share one
TRUTHS = (("False", "True"), ("0", "1"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
"""What means no and yes, whatever the case."""


def described(looked: Looked, kind: str, given: Column | None = None) -> Column:
    """A column of a kind.

    Args:
        looked: as it was found.
        kind: what it is taken for.
        given: what a person has said of it, which holds.

    Raises:
        DataError: its values are not of that kind.
    """
    said = {} if given is None else given.given()
    facts = _DESCRIBE[kind](looked, Column(looked.name, kind, **said))
    return replace(facts, **said)


def _common(looked: Looked, column: Column, missing: np.ndarray) -> Column:
    share = float(missing.mean()) if len(missing) else 0.0
    return replace(column, dtype=looked.dtype, missing=share > 0, missing_share=share)


def _numeric(looked: Looked, column: Column) -> Column:
    if looked.nature == "number" and looked.values is not None:
        values = looked.values
        column = replace(column, missing_as=looked.missing_as, decimal=looked.decimal)
    else:
        values = numbers_of(looked.series, column)
    column = _common(looked, column, np.isnan(values))
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if not len(distinct):
        return column
    masses = masses_of(distinct, counts)
    rest = ~np.isin(distinct, masses)
    whole = bool((distinct == np.rint(distinct)).all())
    return replace(
        column,
        integer=whole,
        decimals=0 if whole else decimals_of(distinct, single=looked.dtype.lower().startswith("float32")),
        low=float(distinct[0]),
        high=float(distinct[-1]),
        masses=masses,
        log=long_tailed(distinct[rest], counts[rest]),
    )


def _datetime(looked: Looked, column: Column) -> Column:
    if looked.nature == "date" and looked.values is not None and column.format in (None, looked.format):
        values = looked.values
        column = replace(column, missing_as=looked.missing_as, format=looked.format)
    else:
        values = seconds_of(looked.series, column)
        if looked.words is not None:
            absent = missing_words(looked.words.texts)
            format = column.format or zoned_format(looked.words.texts[~absent])
            column = replace(column, missing_as=missing_as(looked.words, absent), format=format)
    column = replace(_common(looked, column, np.isnan(values)), timezone=looked.timezone)
    known = values[~np.isnan(values)]
    if not len(known):
        return column
    unit = unit_of(known, looked.timezone)
    return replace(column, low=float(known.min()), high=float(known.max()), unit=unit)


def _categorical(looked: Looked, column: Column) -> Column:
    words = looked.known_words
    column = replace(_common(looked, column, words.codes < 0), missing_as=words.blank)
    present, there = words.texts.tolist(), set(words.texts)
    spelt = {
        text: own
        for text, own in zip(present, words.originals.tolist(), strict=True)
        if isinstance(own, str) and own != text
    }
    ordered = False
    categories = order_labels(there)
    if family_of(looked.dtype) == "category":
        every = [(text_of(own), own) for own in looked.series.cat.categories]
        spelt = {text: own if isinstance(own, str) else text for text, own in every}
        ordered = bool(looked.series.cat.ordered)
        categories = tuple(text for text in spelt if text in there)
    rare = MOST_OPTIONS if len(categories) > MOST_OPTIONS else None
    return replace(column, categories=categories, ordered=ordered, spellings=spelt, rare_beyond=rare)


def _boolean(looked: Looked, column: Column) -> Column:
    found = replace(_categorical(looked, column), ordered=False, rare_beyond=None)
    if len(found.categories) != 2:
        raise DataError(
            f"The spec says that the column {looked.name!r} is boolean, and it has {len(found.categories)} "
            'values. Make its kind "categorical".'
        )
    return replace(found, categories=no_and_yes(found.categories) or found.categories)


def no_and_yes(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Two texts in the order of no and yes; nothing if they mean neither.

    Example:
        >>> no_and_yes(("Y", "N")), no_and_yes(("red", "blue"))
        (('N', 'Y'), ())
    """
    by_case = {text.casefold(): text for text in texts}
    for no, yes in TRUTHS:
        if len(texts) == 2 and set(by_case) == {no.casefold(), yes.casefold()}:
            return by_case[no.casefold()], by_case[yes.casefold()]
    return ()


def _id(looked: Looked, column: Column) -> Column:
    words, values = looked.known_words, looked.values
    column = _common(looked, column, words.codes < 0)
    if looked.words is None and values is not None:
        known: Float[np.ndarray, " k"] = values[~np.isnan(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
        return replace(column, pattern=Pattern("", 0), low=low, high=high)
    pattern, low, high = pattern_of(words.texts)
    return replace(column, pattern=pattern, low=low, high=high)


def _constant(looked: Looked, column: Column) -> Column:
    words = looked.known_words
    if len(words.texts) > 1:
        raise DataError(
            f"The spec says that the column {looked.name!r} is constant, and it has {len(words.texts)} "
            'values. Make its kind "ignore" to leave it out.'
        )
    column = _common(looked, column, words.codes < 0)
    if not len(words.texts):
        return column
    if family_of(looked.dtype) == "category":
        every = _categorical(looked, column)
        column = replace(column, spellings=every.spellings, ordered=every.ordered)
    return replace(column, value=_value(looked, words))


def _value(looked: Looked, words: Words) -> str | float | bool:
    """The first value, as JSON holds it."""
    if looked.words is None and looked.values is not None and looked.nature == "number":
        number = float(looked.values[~np.isnan(looked.values)][0])
        if abs(number) >= EXACT and words.texts[0].lstrip("-").isdigit():
            return int(words.texts[0])
        return int(number) if number.is_integer() else number
    original = words.originals[0]
    if isinstance(original, bool | np.bool_):
        return bool(original)
    return original if isinstance(original, str) else str(words.texts[0])


def _other(looked: Looked, column: Column) -> Column:
    return _common(looked, column, looked.series.isna().to_numpy(bool))


_DESCRIBE: dict[str, Callable[[Looked, Column], Column]] = {
    "numeric": _numeric,
    "categorical": _categorical,
    "boolean": _boolean,
    "datetime": _datetime,
    "id": _id,
    "text": _other,
    "constant": _constant,
    "ignore": _other,
}
