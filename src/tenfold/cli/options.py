"""The flags that several commands share: how data are opened, how a run is computed and shown."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Collection, Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from .parser import Parser
from .series import series_options
from .words import text_options

if TYPE_CHECKING:
    from ..options import Options


OWN = ("carve", "side", "series", "texts")
"""Options that no flag of the same name sets."""
GROUPS = ("series", "texts")
"""Options of which each field has a flag."""
FLAGS = {"start": "from", "side": "from", "text": "text_column"}
"""Flags of options that are called otherwise, as Python keeps the word for itself, or another flag has it."""


def data_name(text: str) -> str:
    """DATA as it was given; if that is nothing, a shell variable was not set, and no folder was meant."""
    if not text.strip():
        raise ArgumentTypeError("the name is empty. Name a folder, a file or a set.")
    return text


def add_data_flags(parser: Parser) -> None:
    """Fields of LoadOptions, and of Options."""
    add = parser.add_argument
    add("--size", type=int, metavar="PX", help="longest side in pixels after resizing")
    add("--holdout", metavar="DIR", help="judge by these samples, instead of a part of DATA")
    add("--group", metavar="COLUMN", help="never split what shares this value in the metadata")
    add("--skip-bad", action="store_true", help="leave out what cannot be read")
    add("--target", metavar="COLUMN", help="of a table: what is to be predicted from the other columns")
    add("--spec", metavar="FILE.json", help="of a table: what its columns are (see check --write-spec)")


def add_run_flags(parser: Parser) -> None:
    """The other fields of Options."""
    add = parser.add_argument
    add("--device", default="auto", help="cpu, cuda, cuda:1, mps or auto (default auto)")
    precisions, formats = ("auto", "fp32", "bf16"), ("auto", "contiguous", "channels_last")
    add("--precision", choices=precisions, default="auto", help="of computation (default: the faster)")
    add("--memory-format", choices=formats, default="auto", help="of pictures (default: the faster)")
    add("--micro-batches", type=int, default=0, metavar="N", help="parts of a batch (default: as needed)")
    add_rule_flags(parser)
    add("--unlabelled", type=data_name, metavar="DIR", help="learn from these, too, which have no labels")
    add(
        "--from",
        dest="start",
        type=data_name,
        metavar="RUN",
        help="start from the weights of another run; with --to, the side that is translated",
    )
    add("--to", type=data_name, metavar="NAME", help="translate into this side of DATA, or into this folder")
    add(
        "--freeze-d",
        type=int,
        default=0,
        metavar="N",
        help="layers of D closest to the picture that then stay",
    )
    add("--tensorboard", action="store_true", help="write events for TensorBoard too")
    add("--quiet", action="store_true", help="show no progress")


def add_rule_flags(parser: Parser) -> None:
    """Those of them that end a run before its time."""
    add = parser.add_argument
    add(
        "--patience",
        type=int,
        metavar="N",
        help="end after so many looks without a better sampler (there are 12, or fewer in a short time)",
    )
    add(
        "--stop-when",
        metavar="RULE",
        help='end when it is good enough, by more than the standard error: "kernel_distance<0.01"',
    )


def read_options(args: Namespace) -> Options:
    """How to run; each field is a flag of the same name."""
    from ..options import Options

    known = {f.name: getattr(args, f.name) for f in fields(Options) if f.name not in OWN}
    known |= {"series": series_options(args), "texts": text_options(args)}
    if names_side(args):
        known |= {"side": args.start, "start": None}
    return Options(**known)


def names_side(args: Namespace) -> bool:
    """Whether --from is no run but a side: beside --to, a half of each picture, or a folder in the data."""
    if args.start is None or (Path(args.start) / "run.json").is_file():
        return False
    from ..data.pairing import HALVES, has

    inside = args.data is not None and has(Path(args.data).expanduser(), args.start)
    return args.to is not None or inside or (args.start in HALVES and not Path(args.start).exists())


def asked_for(options: Options, changeable: Collection[str]) -> list[str]:
    """Names of the options that are not as they are by default, but for those that may change."""
    from ..options import Options

    kept = [f.name for f in fields(Options) if f.name not in changeable]
    asked = [name for name in kept if getattr(options, name) != getattr(Options(), name)]
    return [one for name in asked for one in (within(options, name) if name in GROUPS else [name])]


def within(options: Options, group: str) -> list[str]:
    """Names of what was said within one of them."""
    said = getattr(options, group)
    return [f.name for f in fields(said) if getattr(said, f.name) != f.default]


def as_flags(names: Iterable[str]) -> str:
    """Names of options as they are written on the command line."""
    return ", ".join("--" + FLAGS.get(name, name).replace("_", "-") for name in names)
