"""Errors a person can act on: what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TenfoldError(Exception):
    """Base of the errors that are printed without a traceback; `exit_code` is the command's."""

    exit_code: int = 2


class DataError(TenfoldError, ValueError):
    """The data cannot be used as they are."""


class RecipeError(TenfoldError, ValueError):
    """A recipe, or a field of one, that does not exist or does not fit."""


class RunError(TenfoldError):
    """A run folder that is missing, in use, damaged or of something else."""


class MissingExtra(TenfoldError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an optional part. Install it with: pip install "tenfold[{extra}]"')


class Diverged(TenfoldError):
    """A loss term became NaN or infinite and stayed so."""

    exit_code = 1


class Interrupted(TenfoldError):
    """The user asked to stop; everything is saved."""

    exit_code = 130


def suggest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, or all of them.

    Example:
        >>> suggest("dcgam", ["dcgan", "wgan"])
        "Did you mean 'dcgan'?"
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(names)}."
