"""tenfold sample: make more."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean
from .rows import of_series, of_table, refuse_flags_of_tables, sample_rows, sample_series
from .words import add_word_flags, of_words, refuse_flags_of_words

if TYPE_CHECKING:
    from ..run import Run
    from ..samples import Samples

    Made = tuple[dict[str, Any], list[str]]

IN_A_FILE = ("table", "series", "texts")
"""Kinds of data whose samples are written to one file, which must not be there."""
SHOWN = ("texts", "text_pairs")
"""Kinds of data whose samples need no file; of pairs there are none, and it is said what to do instead."""
DRAWN = "drawn.png"
"""In the run's folder: what is drawn of a text, if nobody says where it shall go."""


def main(argv: Sequence[str]) -> int:
    """make samples from a run"""
    args = read(argv)
    refuse_early(args)
    from ..run import load

    run = load(args.run)
    other = of_other_kind(run, args)
    with stdout_kept_clean(args.json):
        result, lines = (other or sample_pictures)(run, args)
    show(result, lines, as_json=args.json)
    return 0 if other is not None or result["count"] == args.count else 1


def read(argv: Sequence[str]) -> Namespace:
    """The flags.

    Raises:
        WrongCommand: if a flag is unknown, or the samples shall go nowhere.
    """
    args = own_flags().read(argv)
    if args.out is None and args.grid is None and args.text and kind_of(args.run) == "captioned":
        args.grid = str(Path(args.run) / DRAWN)
    if args.out is None and args.grid is None and kind_of(args.run) not in SHOWN:
        raise WrongCommand("where shall the samples go? Pass --out DIR, --grid FILE.png or both.")
    return args


def own_flags() -> Parser:
    """The flags of the command."""
    parser = Parser("sample", main.__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of the run")
    add("-n", "--count", type=int, default=64, metavar="N", help="how many (default 64)")
    add("--label", metavar="CLASS", help="of one class only")
    add("--seed", type=int, default=0, metavar="N", help="other samples for another seed (default 0)")
    add(
        "--filter",
        action="store_true",
        help="only those with the right label that copy nothing, by D's odds (exit code 1 if too few pass)",
    )
    add_word_flags(parser)
    add("--out", metavar="DIR", help="write a file per sample, and a folder per class; of others, a file")
    add(
        "--where",
        action="append",
        metavar="CONDITION",
        help="of a table: 'income = >50K', 'age = 30..40', 'hours >= 35'; several times for several columns",
    )
    add("--balance", metavar="COLUMN", help="of a table: each category of a column equally often")
    add("--remaining", metavar="FILE", help="of a table: fill in rows of which some columns are given")
    add("--grid", metavar="FILE.png", help="write all on one sheet")
    add_json_flag(parser)
    return parser


def kind_of(run: str) -> str:
    """Of what kind of data a run is, as its record says; nothing if there is none to be read."""
    try:
        return json.loads((Path(run) / "run.json").read_text())["spec"]["kind"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def refuse_early(args: Namespace) -> None:
    """Raises an error if samples could not be written, before any are made."""
    from ..samples import refuse_filled, refuse_other_suffix

    if args.out is not None and kind_of(args.run) not in IN_A_FILE:
        refuse_filled(Path(args.out))
    if args.grid is not None:
        refuse_other_suffix(args.grid)


def of_other_kind(run: Run, args: Namespace) -> Callable[[Run, Namespace], Made] | None:
    """How samples are made that are no pictures, or pictures of captions; None of others.

    Raises:
        WrongCommand: a flag is for another kind of samples.
    """
    if of_table(run):
        refuse_flags_of_words(run, args)
        return sample_rows
    refuse_flags_of_tables(run, args)
    if (worded := of_words(run)) is not None:
        return worded
    refuse_flags_of_words(run, args)
    return sample_series if of_series(run) else None


def sample_pictures(run: Run, args: Namespace) -> Made:
    """Pictures, or rows of numbers, to files or on a sheet."""
    facts, lines = {}, []
    if args.filter:
        samples, facts, lines = filtered(run, args)
    else:
        samples = run.sample(args.count, label=args.label, seed=args.seed)
    if args.out is not None and len(samples):
        samples.save(args.out)
    if args.grid is not None and len(samples):
        samples.grid(args.grid)
    where = " and ".join(place for place in (args.out, args.grid) if place)
    done = f"{len(samples)} samples: {where}" if len(samples) else "no sample passed; nothing is written"
    return {"count": len(samples), "out": args.out, "grid": args.grid, **facts}, [done, *lines]


def filtered(run: Run, args: Namespace) -> tuple[Samples, dict[str, Any], list[str]]:
    """Samples that pass every filter, and what these did, for a program and for a person."""
    from ..filtering import filtered_samples

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    found = filtered_samples(run, args.count, args.label, args.seed, say=say)
    facts = {
        "asked": found.asked,
        "kept": {"share": found.share, "by_filter": found.by_filter, "tried": found.tried},
        "coverage": {
            "before": found.coverage_before,
            "after": found.coverage_after,
            "features": found.features,
        },
        "notes": list(found.notes),
    }
    return found.samples, facts, found.lines()
