"""tenfold evaluate: how good samples are."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean

if TYPE_CHECKING:
    from ..judging import Found


def main(argv: Sequence[str]) -> None:
    """say how good samples are: fidelity, variety, copying, labels"""
    parser = own_flags()
    args = parser.read(argv)
    if (args.run is None) == (args.real is None and args.fake is None):
        raise WrongCommand(
            "what shall be judged? Name a run: tenfold evaluate RUN; or folders: tenfold evaluate --real A "
            "--fake B --holdout C"
        )
    from ..evaluation import refuse_other_page

    page = Path(args.out) if args.out else default_report(args.run)
    refuse_other_page(page)
    with stdout_kept_clean(args.json):
        found = judged(args, silent if args.quiet else to_stderr)
        path = found.report(page)
    show({**found.to_json(), "report": str(path)}, [*found.lines(), f"report: {path}"], as_json=args.json)


def judged(args: Namespace, say: Callable[[str], None]) -> Found:
    """What was found of a run, of two folders, or of two tables.

    Raises:
        WrongCommand: if it is said of a run what its table is.
    """
    from ..evaluating import evaluate
    from ..judging import evaluate_tables, refuse_features

    if args.target is None and args.spec is None:
        return evaluate(
            args.run,
            real=args.real,
            fake=args.fake,
            holdout=args.holdout,
            features=args.features,
            most=args.most,
            seed=args.seed,
            say=say,
        )
    if args.run is not None or args.real is None or args.fake is None:
        raise WrongCommand(
            "--target and --spec are for two tables, --real A.csv --fake B.csv; a run knows its own. Leave "
            "them out, or name both tables."
        )
    from ..data.options import LoadOptions

    refuse_features(args.features, args.real)
    options = LoadOptions(holdout=args.holdout, seed=args.seed, target=args.target, spec=args.spec)
    return evaluate_tables(args.real, args.fake, options, args.most, say)


def own_flags() -> Parser:
    """The flags of the command."""
    parser = Parser("evaluate", main.__doc__)
    parser.epilog = "Samples of any generator can be judged: give folders instead of a run."
    add = parser.add_argument
    add("run", nargs="?", metavar="RUN", help="folder of a run")
    add("--real", metavar="DATA", help="real samples that the generator may have seen")
    add("--fake", metavar="DATA", help="samples that it made")
    add("--holdout", metavar="DIR", help="real samples that it has not seen (a run has its own)")
    add("--features", metavar="NAME", help="what distances of pictures are measured in (default: the best)")
    add("--target", metavar="COLUMN", help="of two tables: what models tell from the other columns (tstr)")
    add("--spec", metavar="FILE.json", help="of two tables: what their columns are (see check --write-spec)")
    add("--most", type=count, default=10_000, metavar="N", help="samples of a side at most (default 10000)")
    add(
        "--seed", type=int, default=0, metavar="N", help="of the made samples and of every choice (default 0)"
    )
    add("--out", metavar="FILE.html", help="the report (default: evaluation.html in the run, or here)")
    add("--quiet", action="store_true", help="show no progress")
    add_json_flag(parser)
    return parser


def count(text: str) -> int:
    """A number of samples."""
    if not text.isdecimal() or int(text) < 20:
        raise ValueError(text)
    return int(text)


def default_report(run: str | None) -> Path:
    """Where the report goes if nothing is said."""
    return Path(run or ".") / "evaluation.html"


def to_stderr(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def silent(text: str) -> None:
    """No progress."""
