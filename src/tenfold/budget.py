"""How long a run may take: a time, or a number of samples."""

from __future__ import annotations

import os
import re

from .errors import RecipeError
from .recipe import Choice

DEFAULT_BUDGET = "10m"
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def choose_length(budget: str | None, kimg: float | None) -> tuple[float | None, float | None, Choice]:
    """Seconds or thousands of samples, whichever is asked for."""
    if budget is not None and kimg is not None:
        raise RecipeError(f"both --budget {budget} and --kimg {kimg} were given. Give one of them.")
    if kimg is not None:
        if not 0 < kimg < float("inf"):
            raise RecipeError(f"--kimg is {kimg}; a number above 0 was expected, such as 200.")
        return None, kimg, Choice("kimg", kimg, "asked for")
    reason = "asked for" if budget else "the default; another with --budget"
    budget = budget or DEFAULT_BUDGET
    seconds = seconds_of(budget)
    if seconds < parse_seconds(budget):
        reason = f"asked for, but cut to {seconds:g}s by TENFOLD_BUDGET"
    return seconds, None, Choice("budget", budget, reason)


def seconds_of(budget: str) -> float:
    """Seconds of a time such as 40s, 10m, 2h or 1d; never more than `$TENFOLD_BUDGET`, if that is set.

    Example:
        >>> seconds_of("1.5m")
        90.0
    """
    seconds = parse_seconds(budget)
    cap = os.environ.get("TENFOLD_BUDGET")
    return min(seconds, parse_seconds(cap)) if cap else seconds


def parse_seconds(text: str) -> float:
    """Seconds of a time in words."""
    match = re.fullmatch(r"\+?(\d+(?:\.\d+)?)([smhd])", text.strip())
    if match is None or float(match[1]) == 0:
        raise RecipeError(f"the budget is {text!r}; a time was expected, such as 40s, 10m or 2h.")
    return float(match[1]) * SECONDS[match[2]]
