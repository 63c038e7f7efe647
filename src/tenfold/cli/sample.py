"""tenfold sample: make more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean


def main(argv: Sequence[str]) -> None:
    """make samples from a run"""
    parser = Parser("sample", main.__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of the run")
    add("-n", "--count", type=int, default=64, metavar="N", help="how many (default 64)")
    add("--label", metavar="CLASS", help="of one class only")
    add("--seed", type=int, default=0, metavar="N", help="other samples for another seed (default 0)")
    add("--out", metavar="DIR", help="write a file per sample, and a folder per class")
    add("--grid", metavar="FILE.png", help="write all on one sheet")
    add_json_flag(parser)
    args = parser.read(argv)
    if args.out is None and args.grid is None:
        raise WrongCommand("where shall the samples go? Pass --out DIR, --grid FILE.png or both.")
    from ..run import load
    from ..samples import refuse_filled, refuse_other_suffix

    if args.out is not None:
        refuse_filled(Path(args.out))
    if args.grid is not None:
        refuse_other_suffix(args.grid)
    with stdout_kept_clean(args.json):
        samples = load(args.run).sample(args.count, label=args.label, seed=args.seed)
        if args.out is not None:
            samples.save(args.out)
        if args.grid is not None:
            samples.grid(args.grid)
    result = {"count": len(samples), "out": args.out, "grid": args.grid}
    where = " and ".join(place for place in (args.out, args.grid) if place)
    show(result, [f"{len(samples)} samples: {where}"], as_json=args.json)
