"""tenfold translate: make pictures of others."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .options import data_name
from .parser import Parser, add_json_flag, show, stdout_kept_clean


def main(argv: Sequence[str]) -> int:
    """translate a picture or a folder of some"""
    parser = Parser("translate", main.__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of the run")
    add("source", type=data_name, metavar="IN", help="a picture, or a folder of some")
    add("out", type=data_name, metavar="OUT", help="the result's file, or a folder")
    add("--to", metavar="NAME", help="side to translate into (default: that of the run)")
    add("--tile", type=int, default=256, metavar="PX", help="side of the parts of larger ones (default 256)")
    add_json_flag(parser)
    args = parser.read(argv)
    from ..run import load
    from ..translating import translate

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with stdout_kept_clean(args.json):
        done = translate(load(args.run), args.source, args.out, to=args.to, tile=args.tile, say=say)
    facts = {
        "written": [str(path) for path in done.written],
        "kept": [str(path) for path in done.kept],
        "failed": dict(done.failed),
        "notes": dict(done.notes),
    }
    lines = [f"{len(done.written)} pictures: {args.out}"]
    if done.kept:
        lines.append(f"{len(done.kept)} were there already and are as they were (first: {done.kept[0]})")
    if done.notes:
        name, note = done.notes[0]
        lines.append(f"of {len(done.notes)} there is something to say (first: {name}: {note})")
    if done.failed:
        name, why = done.failed[0]
        lines.append(f"{len(done.failed)} could not be translated (first: {name}: {why})")
    show(facts, lines, as_json=args.json)
    return 1 if done.failed else 0
