"""The flags of series."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.series.schema import SeriesOptions

NAMES = ("entity", "time", "metadata", "categories", "label", "drop", "window", "stride", "scale", "gaps")


def add_series_flags(parser: ArgumentParser) -> None:
    """Fields of SeriesOptions; each is known as given if it is not None."""
    add = parser.add_argument_group("series (--recipe series, or any of these)").add_argument
    add("--entity", metavar="COLUMN", help="which series a row belongs to")
    add("--time", metavar="COLUMN", help="when it was measured")
    add("--metadata", nargs="+", metavar="COLUMN", help="what holds of a series as a whole")
    add("--categories", nargs="+", metavar="COLUMN", help="numbers that stand for categories")
    add("--label", metavar="COLUMN", help="the class of each series, to be asked for")
    add("--drop", nargs="+", metavar="COLUMN", help="what is left out")
    add("--window", type=int, metavar="N", help="steps of the parts into which long series are cut")
    add("--stride", type=int, metavar="N", help="steps from one part to the next (default 1)")
    add(
        "--scale",
        choices=("auto", "each", "all"),
        help="by the range of each series, or of all (default auto)",
    )
    add("--gaps", choices=("refuse", "fill"), help="missing values: an error, or the value before")


def has_series_flags(args: Namespace) -> bool:
    """Whether the command has them."""
    return "entity" in vars(args)


def series_options(args: Namespace) -> SeriesOptions | None:
    """What is said of series; None if nothing is."""
    if not has_series_flags(args):  # --label may then be that of texts
        return None
    given = {name: getattr(args, name) for name in NAMES}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if v is not None}
    if not given:
        return None
    from ..data.series.schema import SeriesOptions

    return SeriesOptions.from_json(given)
