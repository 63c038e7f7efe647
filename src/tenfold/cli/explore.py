"""tenfold explore: look around in what a run knows."""

from __future__ import annotations

from collections.abc import Sequence

from .parser import Parser, add_json_flag, show, stdout_kept_clean

WHAT = {
    "walk": "from sample to sample and back; a film",
    "truncate": "the same samples, more and more typical",
    "mix": "coarse layers of one sample, fine layers of another (stylegan2)",
    "classes": "the same samples on a way through all classes",
    "codes": "what InfoGAN's codes change (infogan)",
    "directions": "what changes most; along one of them with --direction",
    "project": "the sample most like a given --picture",
}


READS = {
    "walk": ("count", "frames", "label"),
    "truncate": ("count", "label"),
    "mix": ("count", "layer", "label"),
    "classes": ("count", "frames"),
    "codes": ("count",),
    "directions": ("count", "direction", "by", "label"),
    "project": ("picture", "label"),
}
FLAGS = ("count", "frames", "layer", "direction", "by", "picture", "label")
TOLD = ("class", "distance", "apart", "picture")


def main(argv: Sequence[str]) -> None:
    """sheets and films of what a run can make"""
    parser = parser_of_explore()
    args = parser.read(argv)
    reads = READS[args.what]
    given = {name: getattr(args, name) for name in FLAGS if getattr(args, name) is not None}
    if idle := [name for name in given if name not in reads]:
        known = ", ".join(f"--{name}" for name in reads)
        parser.error(f"{args.what} does not look at --{idle[0]}. Leave it out; it looks at {known}.")
    if min(given.get("count", 1), given.get("frames", 1)) < 1:
        parser.error("--count and --frames must be at least 1.")
    if args.seed < 0:
        parser.error(f"--seed is {args.seed}; 0 or more was expected.")
    from ..exploring import Wish, explore
    from ..run import load

    with stdout_kept_clean(args.json):
        found = explore(load(args.run), Wish(args.what, seed=args.seed, **given), args.out)
    told = [f"{key}: {found[key]}" for key in TOLD if found.get(key)]
    show(dict(found), [str(args.out), *told], as_json=args.json)


def parser_of_explore() -> Parser:
    """What the command takes."""
    parser = Parser("explore", main.__doc__)
    parser.epilog = "; ".join(f"{name}: {about}" for name, about in WHAT.items()) + "."
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of the run")
    add("what", choices=WHAT, help="see below")
    add(
        "--out",
        required=True,
        metavar="FILE",
        help="a sheet (.png) or, where there are frames, a film (.gif, .mp4)",
    )
    add("-n", "--count", type=int, metavar="N", help="samples, or stops of a walk (default 8)")
    add("--frames", type=int, metavar="N", help="from one stop to the next (default 20)")
    add(
        "--layer",
        type=int,
        metavar="N",
        help="from which mix follows the other sample (default: the middle one)",
    )
    add("--direction", type=int, metavar="N", help="number of the one to go along (default: a row for each)")
    add("--by", choices=("weights", "activations"), help="how directions are found (default weights)")
    add("--picture", metavar="FILE", help="what to project")
    add("--label", metavar="CLASS", help="of one class (default: the first; project looks in all)")
    add("--seed", type=int, default=0, metavar="N", help="other samples for another seed (default 0)")
    add_json_flag(parser)
    return parser
