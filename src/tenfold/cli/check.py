"""tenfold check: look at data."""

from __future__ import annotations

from collections.abc import Sequence

from .options import add_data_flags, data_name
from .parser import Parser, add_json_flag, show, stdout_kept_clean


def main(argv: Sequence[str]) -> int:
    """say what is there, what is wrong with it and what would be done"""
    parser = Parser("check", main.__doc__)
    add = parser.add_argument
    add("data", type=data_name, metavar="DATA", help="folder, archive, array file or name of a set")
    add_json_flag(parser)
    add_data_flags(parser)
    args = parser.read(argv)
    from ..choosing import recipes_for
    from ..data import LoadOptions, check
    from ..data.sides import has_sides

    with stdout_kept_clean(args.json):
        options = LoadOptions(size=args.size, holdout=args.holdout, group=args.group, skip_bad=args.skip_bad)
        report = check(args.data, options)
        paired = has_sides(args.data)
        fit = recipes_for({report.kind, *(["pairs"] if paired else [])}, len(report.classes))
    words = ["its two folders hold pictures of the same names: pairs, which --from and --to put in order"]
    lines = [*report.lines(), *(words if paired else []), f"recipes that fit: {', '.join(fit)}"]
    show({**report.to_json(), "recipes": fit}, lines, as_json=args.json)
    return 2 if report.problems else 0
