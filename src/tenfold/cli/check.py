"""tenfold check: look at data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .options import add_data_flags, as_flags, data_name
from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean

if TYPE_CHECKING:
    from ..data import LoadOptions, Report


def main(argv: Sequence[str]) -> int:
    """say what is there, what is wrong with it and what would be done"""
    parser = Parser("check", main.__doc__)
    add = parser.add_argument
    add("data", type=data_name, metavar="DATA", help="folder, archive, array file or name of a set")
    add_json_flag(parser)
    add_data_flags(parser)
    add("--write-spec", metavar="FILE.json", help="of a table: write what its columns are, to be edited")
    args = parser.read(argv)
    from ..data.table.frames import is_table

    if is_table(args.data):
        return check_rows(args)
    refuse_columns(args)
    words = check_words(args)
    if words is not None:
        return words
    from ..choosing import recipes_for
    from ..data import LoadOptions

    with stdout_kept_clean(args.json):
        options = LoadOptions(size=args.size, holdout=args.holdout, group=args.group, skip_bad=args.skip_bad)
        report, kinds, words = looked_at(args.data, options)
        kinds += ["captioned"] if report.captions else []
        fit = recipes_for(kinds, len(report.classes))
    lines = [*report.lines(), *words, f"recipes that fit: {', '.join(fit)}"]
    show({**report.to_json(), "recipes": fit}, lines, as_json=args.json)
    return 2 if report.problems else 0


def check_rows(args: Namespace) -> int:
    """The same of a table."""
    from ..checking import check_table

    with stdout_kept_clean(args.json):
        report = check_table(args.data, args.target, args.spec)
        if args.write_spec is not None:
            report.write_spec(args.write_spec)
    more = [] if args.write_spec is None else [f"spec: {args.write_spec}; edit it, then: fit --spec FILE"]
    show(report.to_json(), [*report.lines(), *more], as_json=args.json)
    return 2 if report.problems else 0


def check_words(args: Namespace) -> int | None:
    """The same of texts, and of pictures with captions; None if there are none."""
    from ..data.options import LoadOptions
    from ..data.texts.captions import is_captioned
    from ..data.texts.options import TextOptions
    from ..data.texts.places import is_texts
    from ..data.texts.report import check_captioned, check_texts

    asked = TextOptions(holdout=args.holdout)
    with stdout_kept_clean(args.json):
        if is_texts(args.data):
            refuse_of_pictures(args)
            report = check_texts(args.data, asked)
        elif is_captioned(args.data):
            pictures = LoadOptions(
                size=args.size, holdout=args.holdout, group=args.group, skip_bad=args.skip_bad
            )
            report = check_captioned(args.data, asked, pictures)
        else:
            return None
    show(report.to_json(), report.lines(), as_json=args.json)
    return 2 if report.problems else 0


def refuse_of_pictures(args: Namespace) -> None:
    """Raises a WrongCommand if something is asked for that is not read of texts."""
    given = {"size": args.size is not None, "group": args.group is not None, "skip_bad": args.skip_bad}
    wrong = [name for name, there in given.items() if there]
    if wrong:
        raise WrongCommand(f"{as_flags(wrong)} is not read of texts. Leave it out.")


def refuse_columns(args: Namespace) -> None:
    """Raises a WrongCommand if columns of a table are spoken of where there is none."""
    for name in ("target", "spec", "write_spec"):
        if getattr(args, name) is not None:
            raise WrongCommand(
                f"{as_flags([name])} is about columns, and {args.data} is no table. Leave it out."
            )


def looked_at(data: str, options: LoadOptions) -> tuple[Report, list[str], list[str]]:
    """What is there, the kinds of data that it can be taken for, and what more there is to say.

    Two folders of pictures with the same names may be classes, or pairs. The sides of pairs may differ where
    all must be alike else; so they are reported as pairs if that is all that they can be.

    Raises:
        DataError: there is nothing to look at.
    """
    from ..data.check import check
    from ..data.pairing import sides_within
    from ..errors import DataError

    names = sides_within(data)
    if not names:
        report = check(data, options)
        two = ["unpaired"] if len(report.classes) == 2 else []
        return report, [report.kind, *two], []
    a, b = names
    words = [f"{a} and {b} can be two sides of pairs: --from {a} --to {b}, or back"]
    pairs, wrong = as_pairs(data, (a, b), options)
    try:
        report = check(data, options)
    except DataError as error:
        if pairs is None:
            raise DataError(f"{error} As pairs: {wrong[0]}") from error
        return pairs, ["pairs", "unpaired"], words
    if report.problems and pairs is not None and not wrong:
        return pairs, ["pairs", "unpaired"], words
    words += [f"as pairs: {problem}" for problem in wrong]
    return report, [report.kind, "pairs", "unpaired"], words


def as_pairs(data: str, names: tuple[str, str], options: LoadOptions) -> tuple[Report | None, list[str]]:
    """What is there if these are two sides, and what is wrong with that; None if they cannot be."""
    from ..data.check import check_pairs
    from ..errors import DataError

    try:
        pairs = check_pairs(data, names, options)
    except DataError as error:
        return None, [str(error)]
    return pairs, list(pairs.problems)
