"""tenfold enlarge: real data plus made data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .options import add_data_flags, add_run_flags, as_flags, asked_for, data_name, read_options
from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean

if TYPE_CHECKING:
    from ..options import Options


def main(argv: Sequence[str]) -> None:
    """write the real data plus made data, ready to train on"""
    parser = Parser("enlarge", main.__doc__)
    add = parser.add_argument
    add("data", type=data_name, metavar="DATA", help="folder, archive, array file or name of a set")
    add("--per-class", type=int, required=True, metavar="N", help="samples to make of each class")
    add("--out", required=True, metavar="DIR", help="folder to write")
    add("--run", metavar="RUN", help="make them with this run, trained on DATA, instead of training one")
    add("--recipe", metavar="NAME", help="kind of GAN; see tenfold recipes (default: chosen from the data)")
    add("--budget", metavar="TIME", help="how long to train: 40s, 10m, 2h (default 10m)")
    add("--seed", type=int, default=0, metavar="N", help="of the made samples, and of training (default 0)")
    add_json_flag(parser)
    add_data_flags(parser)
    add_run_flags(parser)
    args = parser.read(argv)
    options = read_options(args)
    if args.run is not None:
        refuse_training_flags(args, options)
    if options.side is not None or options.to is not None:
        raise WrongCommand(
            "enlarge makes samples from noise and translates nothing. Leave out --to, and --from unless it "
            "names a run."
        )
    from ..enlarging import enlarge

    with stdout_kept_clean(args.json):
        path = enlarge(
            args.data,
            per_class=args.per_class,
            out=args.out,
            run=args.run,
            recipe=args.recipe,
            budget=args.budget,
            seed=args.seed,
            options=options,
        )
    show({"out": str(path)}, [str(path)], as_json=args.json)


def refuse_training_flags(args: Namespace, options: Options) -> None:
    """Raises a WrongCommand if something is asked of a training that is not going to happen."""
    decided = asked_for(options, {"quiet"})
    decided += [name for name in ("recipe", "budget") if getattr(args, name)]
    if decided:
        raise WrongCommand(f"--run makes samples with {args.run} as it is. Leave out {as_flags(decided)}.")
