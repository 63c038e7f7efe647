"""Judging rows of a table: every number beside what fresh real rows get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.options import LoadOptions
from ..data.table.cells import fit_codec
from ..data.table.frames import read_frame
from ..data.table.opening import open_table, refuse_copies
from ..draw import derive
from ..enlarging import opened_by
from ..errors import DataError
from ..evaluation import said, table_of, write_report
from ..material import refuse_changed, source_of
from ..metrics.suite import Measured
from ..metrics.tables.design import TableRows
from ..metrics.tables.marginals import marginals
from ..metrics.tables.summary import measure_tables
from ..metrics.tables.verdicts import verdicts
from ..metrics.verdicts import Verdict
from .promises import broken, heeded, rows_of
from .sampling import row_sampler, sample_blocks

if TYPE_CHECKING:
    from ..data import Dataset
    from ..data.table.cells import TableCodec
    from ..run import Run

LEAST_MADE, MOST = 1000, 10_000


@dataclass(frozen=True, eq=False)
class TableEvaluation:
    """What was found.

    Attributes:
        metrics: by the glossary's names, each with value, reference and n.
        by_column: how far the distribution of each column is from the real one.
        by_condition: of rows that are asked for a category, how many the generator itself makes so.
        verdicts: what it means, and what to do.
        settings: everything needed to repeat it.
        notes: what was decided.
        real, made: rows that were compared.
    """

    metrics: Mapping[str, Measured]
    by_column: Mapping[str, float]
    by_condition: Mapping[str, float]
    verdicts: Sequence[Verdict]
    settings: Mapping[str, Any]
    notes: Sequence[str]
    real: TableRows
    made: TableRows

    def to_json(self) -> dict[str, Any]:
        """One object: metrics at the top, by name."""
        return {
            **{name: found.to_json() for name, found in self.metrics.items()},
            "by_column": dict(self.by_column),
            "by_condition": dict(self.by_condition),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The table as plain text, then what it means."""
        worst = sorted(self.by_column.items(), key=lambda item: -item[1])[:3]
        far = "columns that differ most: " + ", ".join(f"{name} {value:.3f}" for name, value in worst)
        least = sorted(self.by_condition.items(), key=lambda item: item[1])[:3]
        deaf = "conditions that are heeded least: " + ", ".join(
            f"{name} {value:.2f}" for name, value in least
        )
        columns = [far, deaf] if least else [far]
        return [*table_of(self.metrics, "rows"), "", *columns, *said(self.verdicts, self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def report(self, path: str | Path) -> Path:
        """Write everything on one HTML page that needs nothing else; beside it, the numbers as JSON.

        Raises:
            RunError: if the path does not end in .html.
        """
        from ..report.tables import page_of

        return write_report(Path(path), lambda: page_of(self), self.to_json())


def evaluate_run(
    run: Run,
    holdout: str | None = None,
    most: int = MOST,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
    data: Any = None,  # noqa: ANN401
) -> TableEvaluation:
    """Judge rows that a run makes now.

    Args:
        run: of a table.
        holdout: a file of real rows to judge by, instead of those that were held out.
        most: rows of a side that are looked at; copies are sought among all training rows.
        seed: of made rows, and of every choice.
        say: told what is being done.
        data: what it was trained on, if that was a frame in memory.

    Raises:
        DataError: the data are not those of the run, or there are too few rows.
        RunError: the data are no longer there, or no rows can be made that keep the constraints.
    """
    import pandas as pd

    dataset = open_table(source_of(run) if data is None else data, opened_by(run), run.table)
    refuse_changed(run, dataset)
    held, notes = judging(run, dataset, holdout)
    count = min(most, max(LEAST_MADE, 0 if held is None else len(held)))
    say(f"making {count} rows ...")
    frame = pd.concat(list(sample_blocks(run, count, seed=derive(seed, "evaluate"))), ignore_index=True)
    more, wishes = heeded(row_sampler(run), run.table, derive(seed, "evaluate"))
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source, "holdout": holdout}
    values = (dataset.train.values, held, run.table.values_of(frame))
    found = judged(dataset, values, notes, facts, most, seed, say)
    return with_promises(found, broken(run.table, frame) | more, wishes)


def judging(run: Run, dataset: Dataset, holdout: str | None) -> tuple[np.ndarray | None, list[str]]:
    """Stored values of the real rows that judge a run, None if there are none; and what is to be said of it.

    Raises:
        DataError: they are what was learnt from.
    """
    if holdout is not None:
        held = run.table.values_of(read_frame(holdout).df)
        refuse_copies(dataset.train.values, held, holdout)
        return held, [f"{len(held)} rows of {holdout} judge"]
    if dataset.holdout is None:
        return None, list(dataset.notes[:1])
    flattered = "the hold-out also chose the checkpoint, which flatters; --holdout FILE can give a fresh one"
    return dataset.holdout.values, [*dataset.notes[:1], flattered]


def evaluate_files(
    real: str, fake: str, options: LoadOptions, most: int, say: Callable[[str], None]
) -> TableEvaluation:
    """Judge rows of any generator.

    Raises:
        DataError: a table cannot be read, or does not match.
    """
    alone = options.holdout is None  # nothing was held out of another's training
    dataset, rules = opened(real, replace(options, carve=not alone))
    assert dataset.table is not None
    frame = read_frame(fake).df
    made = dataset.table.values_of(frame)
    held = None if dataset.holdout is None else dataset.holdout.values
    halves = "there is no hold-out: half of the real rows judges, and only exact copies are looked for"
    notes = [halves] if alone else dataset.notes[:1]
    facts = {"real": real, "fake": fake, "holdout": options.holdout, "spec": options.spec}
    found = judged(dataset, (dataset.train.values, held, made), notes, facts, most, options.seed, say)
    return found if options.spec is None else with_promises(found, broken(rules, frame), {})


def opened(real: str, options: LoadOptions) -> tuple[Dataset, TableCodec]:
    """Real rows, and what must hold of every row; rows that break it can be judged by the data's columns."""
    dataset = open_table(real, options)
    rules = dataset.table
    assert rules is not None
    if not rules.constraints:
        return dataset, rules
    frame, free = read_frame(real), replace(rules.spec, constraints=())
    plain = fit_codec(frame.df, free, frame.container, derive(options.seed, "table"))
    return open_table(real, options, plain), rules


def judged(
    dataset: Dataset,
    values: tuple[np.ndarray, np.ndarray | None, np.ndarray],
    notes: Sequence[str],
    facts: Mapping[str, Any],
    most: int,
    seed: int,
    say: Callable[[str], None],
) -> TableEvaluation:
    """Everything that can be said of stored values: trained on, held out, and made."""
    codec = dataset.table
    assert codec is not None
    train = rows_of(codec, enough(values[0]))  # whole: a copy of any of them is one
    held, made = (None if x is None else rows_of(codec, some(x, most, seed)) for x in values[1:])
    assert made is not None
    say("measuring ...")
    numbers = measure_tables(train, held, made, dataset.spec.target, seed)
    real = rows_of(codec, some(values[0], most, seed)) if held is None else held
    counts = {"real": len(train), "hold-out": 0 if held is None else len(held), "made": len(made)}
    return TableEvaluation(
        metrics=numbers,
        by_column=marginals(real, made).columns,
        by_condition={},
        verdicts=verdicts(numbers),
        settings={**facts, "counts": counts, "seed": seed, "target": codec.spec.target},
        notes=notes,
        real=real,
        made=made,
    )


def with_promises(
    found: TableEvaluation, more: Mapping[str, Measured], wishes: Mapping[str, float]
) -> TableEvaluation:
    """The same with more measures, and what they mean."""
    numbers = {**found.metrics, **more}
    return replace(found, metrics=numbers, by_condition=wishes, verdicts=verdicts(numbers))


def some(values: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most so many rows, at random."""
    order = np.random.default_rng(derive(seed, "evaluate", "rows")).permutation(len(enough(values)))
    return values[np.sort(order[:most])]


def enough(values: np.ndarray) -> np.ndarray:
    """The same.

    Raises:
        DataError: if they are too few to say anything.
    """
    if len(values) < 20:
        raise DataError(
            f"a side has {len(values)} rows; at least 20 were expected, to say anything. Add some."
        )
    return values
