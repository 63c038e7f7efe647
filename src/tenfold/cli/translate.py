"""tenfold translate: make pictures, or texts, of others."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .options import data_name
from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean

if TYPE_CHECKING:
    from ..run import Run

TILE, BEAM = 256, 4


def main(argv: Sequence[str]) -> int:
    """translate a picture or a folder of some, or the lines of a text"""
    parser = Parser("translate", main.__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of the run")
    add("source", type=data_name, metavar="IN", help="a picture, a folder of some, or a file of texts")
    add("out", type=data_name, metavar="OUT", help="the result's file, or a folder")
    add("--to", metavar="NAME", help="side to translate into (default: that of the run)")
    add("--tile", type=int, metavar="PX", help="side of the parts of larger ones (default 256)")
    add("--beam", type=int, metavar="N", help="of texts: beginnings that are gone on with (default 4)")
    add_json_flag(parser)
    args = parser.read(argv)
    from ..run import load

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    run = load(args.run)
    return texts(run, args, say) if run.kind == "text_pairs" else pictures(run, args, say)


def pictures(run: Run, args: Namespace, say: Callable[[str], None]) -> int:
    """Translate a picture, or a folder of some.

    Raises:
        WrongCommand: a flag is for texts.
    """
    from ..translating import translate

    if args.beam is not None and run.spec.kind != "texts":
        raise WrongCommand(f"--beam is for texts, and {args.run} translates pictures. Leave it out.")
    with stdout_kept_clean(args.json):
        done = translate(run, args.source, args.out, to=args.to, tile=args.tile or TILE, say=say)
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


def texts(run: Run, args: Namespace, say: Callable[[str], None]) -> int:
    """Translate the lines of a file.

    Raises:
        WrongCommand: a flag is for pictures.
    """
    from ..words.translating import translate_texts

    wrong = [name for name in ("to", "tile") if getattr(args, name) is not None]
    if wrong:
        raise WrongCommand(f"--{wrong[0]} is for pictures, and {args.run} translates texts. Leave it out.")
    with stdout_kept_clean(args.json):
        beam = BEAM if args.beam is None else args.beam
        done = translate_texts(run, args.source, args.out, beam=beam, say=say)
    facts = {"written": str(done.written), "lines": len(done.texts), "empty": done.empty, "cut": done.cut}
    lines = [f"{len(done.texts)} lines: {done.written}", *done.notes()]
    show({**facts, "unknown": done.unknown}, lines, as_json=args.json)
    return 0
