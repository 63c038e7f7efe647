"""tenfold evaluate: how good samples are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean


def main(argv: Sequence[str]) -> None:
    """say how good samples are: fidelity, variety, copying, labels"""
    parser = own_flags()
    args = parser.read(argv)
    if (args.run is None) == (args.real is None and args.fake is None):
        raise WrongCommand(
            "what shall be judged? Name a run: tenfold evaluate RUN; or folders: tenfold evaluate --real A "
            "--fake B --holdout C"
        )
    from ..evaluating import evaluate
    from ..evaluation import refuse_other_page

    page = Path(args.out) if args.out else default_report(args.run)
    refuse_other_page(page)
    with stdout_kept_clean(args.json):
        found = evaluate(
            args.run,
            real=args.real,
            fake=args.fake,
            holdout=args.holdout,
            features=args.features,
            most=args.most,
            seed=args.seed,
            say=silent if args.quiet else to_stderr,
        )
        path = found.report(page)
    show({**found.to_json(), "report": str(path)}, [*found.lines(), f"report: {path}"], as_json=args.json)


def own_flags() -> Parser:
    """The flags of the command."""
    parser = Parser("evaluate", main.__doc__)
    parser.epilog = "Samples of any generator can be judged: give folders instead of a run."
    add = parser.add_argument
    add("run", nargs="?", metavar="RUN", help="folder of a run")
    add("--real", metavar="DATA", help="real samples that the generator may have seen")
    add("--fake", metavar="DATA", help="samples that it made")
    add("--holdout", metavar="DIR", help="real samples that it has not seen (a run has its own)")
    add("--features", metavar="NAME", help="what distances are measured in (default: the best there are)")
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
