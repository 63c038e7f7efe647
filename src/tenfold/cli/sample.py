"""tenfold sample: make more."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean
from .rows import of_series, of_table, refuse_flags_of_tables, sample_rows, sample_series

if TYPE_CHECKING:
    from ..run import Run
    from ..samples import Samples


def main(argv: Sequence[str]) -> int:
    """make samples from a run"""
    args = read(argv)
    from ..run import load
    from ..samples import refuse_filled

    refuse_places(args)
    run = load(args.run)
    if of_table(run):
        with stdout_kept_clean(args.json):
            result, lines = sample_rows(run, args)
        show(result, lines, as_json=args.json)
        return 0
    refuse_flags_of_tables(run, args)
    if of_series(run):
        with stdout_kept_clean(args.json):
            result, lines = sample_series(run, args)
        show(result, lines, as_json=args.json)
        return 0
    if args.out is not None:
        refuse_filled(Path(args.out))
    with stdout_kept_clean(args.json):
        facts, lines = {}, []
        if args.filter:
            samples, facts, lines = filtered(run, args)
        else:
            samples = run.sample(args.count, label=args.label, seed=args.seed)
        if args.out is not None and len(samples):
            samples.save(args.out)
        if args.grid is not None and len(samples):
            samples.grid(args.grid)
    result = {"count": len(samples), "out": args.out, "grid": args.grid, **facts}
    where = " and ".join(place for place in (args.out, args.grid) if place)
    done = f"{len(samples)} samples: {where}" if len(samples) else "no sample passed; nothing is written"
    show(result, [done, *lines], as_json=args.json)
    return 0 if len(samples) == args.count else 1


def refuse_places(args: Namespace) -> None:
    """Raises a RunError if samples of no run could go where they shall."""
    from ..data.table.frames import SUFFIXES
    from ..samples import refuse_filled, refuse_other_suffix

    if args.out is not None and Path(args.out).suffix.lower() not in (*SUFFIXES, ".npy"):
        refuse_filled(Path(args.out))
    if args.grid is not None:
        refuse_other_suffix(args.grid)


def read(argv: Sequence[str]) -> Namespace:
    """The flags.

    Raises:
        WrongCommand: if a flag is unknown, or the samples shall go nowhere.
    """
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
    add("--out", metavar="DIR", help="write a file per sample, and a folder per class; of a table, a file")
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
    args = parser.read(argv)
    if args.out is None and args.grid is None:
        raise WrongCommand("where shall the samples go? Pass --out DIR, --grid FILE.png or both.")
    return args


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
