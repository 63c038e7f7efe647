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


def main(argv: Sequence[str]) -> None:
    """sheets and films of what a run can make"""
    parser = parser_of_explore()
    args = parser.read(argv)
    if args.count < 1 or args.frames < 1:
        parser.error("--count and --frames must be at least 1.")
    from ..exploring import Wish, explore
    from ..run import load

    wish = Wish(
        what=args.what,
        count=args.count,
        frames=args.frames,
        layer=args.layer,
        direction=args.direction,
        by=args.by,
        picture=args.picture,
        label=args.label,
        seed=args.seed,
    )
    with stdout_kept_clean(args.json):
        found = explore(load(args.run), wish, args.out)
    told = [f"{key}: {value}" for key, value in found.items() if key in ("distance", "picture") and value]
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
    add("-n", "--count", type=int, default=8, metavar="N", help="samples, or stops of a walk (default 8)")
    add("--frames", type=int, default=20, metavar="N", help="from one stop to the next (default 20)")
    add(
        "--layer",
        type=int,
        default=4,
        metavar="N",
        help="from which mix follows the other sample (default 4)",
    )
    add("--direction", type=int, metavar="N", help="number of the one to go along (default: a row for each)")
    add("--by", choices=("weights", "activations"), default="weights", help="how directions are found")
    add("--picture", metavar="FILE", help="what to project")
    add("--label", metavar="CLASS", help="of one class (default: the first)")
    add("--seed", type=int, default=0, metavar="N", help="other samples for another seed (default 0)")
    add_json_flag(parser)
    return parser
