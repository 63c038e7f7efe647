"""tenfold sample, of a table."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .parser import WrongCommand

if TYPE_CHECKING:
    from ..run import Run

OF_TABLES = ("where", "balance", "remaining")
OF_PICTURES = ("grid", "filter")


def of_table(run: Run) -> bool:
    """Whether a run makes rows of a table."""
    return run.facts.get("table") is not None


def of_series(run: Run) -> bool:
    """Whether a run makes series."""
    return run.facts.get("series") is not None


def sample_series(run: Run, args: Namespace) -> tuple[dict[str, Any], list[str]]:
    """Write series to a file: long, as a frame; or an array, if they came in one.

    Raises:
        WrongCommand: a flag is for pictures, or there is no file to write to.
    """
    import numpy as np

    from ..data.table.frames import write_frame
    from ..errors import RunError
    from ..tables.writing import refuse_other_file

    wrong = next((name for name in OF_PICTURES if getattr(args, name)), None)
    if wrong is not None or args.out is None:
        what = f"--{wrong} is for pictures" if wrong else "where shall the series go?"
        raise WrongCommand(f"{what}. {args.run} makes series: --out FILE.csv")
    path, container = Path(args.out), run.series.container
    if container is not None:
        refuse_other_file(path)
    elif path.suffix != ".npy" or path.exists():
        raise RunError(f"{path} is no new .npy file, which arrays of series go to. Choose another --out.")
    made = run.sample(args.count, label=args.label, seed=args.seed)
    if container is None:
        np.save(path, made, allow_pickle=False)
    else:
        write_frame(made, path, container.delimiter_in(path))
    return {"count": args.count, "out": args.out}, [f"{args.count} series: {args.out}"]


def refuse_flags_of_tables(run: Run, args: Namespace) -> None:
    """Raises a WrongCommand if columns are spoken of and there are none."""
    for name in OF_TABLES:
        if getattr(args, name):
            raise WrongCommand(
                f"--{name} is about columns, and {args.run} was trained on {run.spec.kind}. Leave it out."
            )


def sample_rows(run: Run, args: Namespace) -> tuple[dict[str, Any], list[str]]:
    """Write rows to a file; what was done, for a program and for a person.

    Raises:
        WrongCommand: a flag is for pictures, or there is no file to write to.
    """
    from ..data.table.frames import read_frame, write_frame
    from ..tables.completing import sample_remaining
    from ..tables.conditions import with_label
    from ..tables.sampling import sample_blocks
    from ..tables.where import where
    from ..tables.writing import refuse_other_file, write_blocks

    wrong = next((name for name in OF_PICTURES if getattr(args, name)), None)
    if wrong is not None or args.out is None:
        what = f"--{wrong} is for pictures" if wrong else "where shall the rows go?"
        raise WrongCommand(f"{what}. {args.run} makes rows of a table: --out FILE.csv")
    path = Path(args.out)
    refuse_other_file(path)
    conditions = where(args.where or [], run.table.spec.columns)
    conditions = with_label(run, conditions, args.label)
    if args.remaining is not None:
        refuse_beside_remaining(args, conditions)
        made = sample_remaining(run, args.remaining, seed=args.seed)
        write_frame(made, path, read_frame(args.remaining).container.delimiter_in(path))
        count = len(made)
    else:
        made = sample_blocks(run, args.count, conditions=conditions, balance=args.balance, seed=args.seed)
        container = run.table.container
        blocks = (container.named(block) for block in made)
        count = write_blocks(blocks, path, to_stderr(args.count), container.delimiter_in(path))
    asked = [*(args.where or []), *([] if args.label is None else [f"{run.target} = {args.label}"])]
    return {"count": count, "out": args.out, "conditions": asked}, [f"{count} rows: {args.out}"]


def refuse_beside_remaining(args: Namespace, conditions: dict[str, Any]) -> None:
    """Raises a WrongCommand if something is asked of rows that are given."""
    if conditions or args.balance:
        raise WrongCommand(
            f"--remaining fills in the rows of {args.remaining}. Put what is known into its columns, and "
            "leave --where, --label and --balance out."
        )


def to_stderr(total: int) -> Any:  # noqa: ANN401
    """Says how many rows are written, now and then."""
    step = max(total // 10, 100_000)

    def told(count: int) -> None:
        if count % step < 1024 and count < total:
            print(f"{count:,} of {total:,} rows", file=sys.stderr, flush=True)

    return told
