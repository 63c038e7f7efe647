"""tenfold prove: does adding made samples help?"""

from __future__ import annotations

from collections.abc import Sequence

from .options import data_name
from .parser import Parser, add_json_flag, show, stdout_kept_clean


def main(argv: Sequence[str]) -> None:
    """find out whether made samples make a classifier better"""
    args = make_parser().read(argv)
    from ..proving import options_of, prove

    with stdout_kept_clean(args.json):
        proof = prove(
            args.data,
            target=args.target,
            generator=args.generator,
            out=args.out,
            budget=args.budget,
            quick=args.quick,
            seed=args.seed,
            options=options_of(vars(args)),
        )
    show(proof.to_json(), proof.lines(), as_json=args.json)


def make_parser() -> Parser:
    """The flags of `tenfold prove`."""
    parser = Parser("prove", main.__doc__)
    add = parser.add_argument
    add("data", type=data_name, metavar="DATA", help="folder, archive, array file, table or name of a set")
    add("--target", metavar="COLUMN", help="the column of classes, in a table")
    add("--spec", metavar="FILE", help="what the columns of a table are; tenfold check writes one")
    add("--group", metavar="COLUMN", help="never split what shares this value")
    add("--generator", metavar="WHAT", help="a recipe, a run, or a folder of samples (default: a recipe)")
    add("--peers", nargs="+", default=(), metavar="NAME", help="beside it, on a table: ctgan, tvae, copula")
    add("--test", metavar="DIR", help="judge on these, instead of on parts of DATA in turn")
    add("--unlabelled", metavar="DIR", help="items without labels, for GAN and pseudo-labels")
    add("--budget", metavar="TIME", help="about how long: 20m, 2h (default 20m; 4m with --quick)")
    add("--kimg", type=float, metavar="K", help="thousands of samples that each GAN sees, instead of a time")
    add("--quick", action="store_true", help="fewer splits, ratios and GANs")
    add("--metric", default="balanced_accuracy", metavar="NAME", help="what decides (default %(default)s)")
    add("--minimum", type=float, default=0.0, metavar="X", help="the least useful gain (default 0)")
    add(
        "--width", type=float, default=0.02, metavar="X", help="differences that do not matter (default 0.02)"
    )
    add("--size", type=int, metavar="PX", help="longest side in pixels after resizing")
    add("--skip-bad", action="store_true", help="leave out what cannot be read")
    add("--device", default="auto", help="where GANs are trained: cpu, cuda, mps or auto (default auto)")
    add("--out", metavar="DIR", help="folder to write; the same command goes on with it")
    add("--seed", type=int, default=0, metavar="N", help="everything random derives from it (default 0)")
    add("--quiet", action="store_true", help="show no progress")
    add_json_flag(parser)
    return parser
