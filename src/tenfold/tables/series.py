"""Judging series: every number beside what fresh real series get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Split
from ..data.series.opening import open_series
from ..data.series.ragged import Ragged
from ..data.series.schema import SeriesOptions
from ..draw import derive
from ..evaluation import said, table_of, write_report
from ..material import asked_labels, refuse_changed, source_of
from ..metrics.series_scores import Labelled
from ..metrics.series_suite import SeriesSides, measure_series
from ..metrics.suite import Measured
from ..options import options_from
from ..watching.quality import generate_many

if TYPE_CHECKING:
    from ..run import Run

LEAST_MADE, MOST = 500, 2000
FLATTERED = "the hold-out also chose the checkpoint, which flatters"


@dataclass(frozen=True, eq=False)
class SeriesEvaluation:
    """What was found.

    Attributes:
        metrics: by the glossary's names, each with value, reference and n.
        settings: everything needed to repeat it.
        notes: what was decided.
        channels: names of what changes with time.
        real, made: series that were compared.
    """

    metrics: Mapping[str, Measured]
    settings: Mapping[str, Any]
    notes: Sequence[str]
    channels: Sequence[str]
    real: Ragged
    made: Ragged

    def to_json(self) -> dict[str, Any]:
        """One object: metrics at the top, by name."""
        numbers = {name: found.to_json() for name, found in self.metrics.items()}
        return {**numbers, "settings": dict(self.settings), "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """The numbers as plain text."""
        return [*table_of(self.metrics, "series"), "", *said((), self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def report(self, path: str | Path) -> Path:
        """Write everything on one HTML page that needs nothing else; beside it, the numbers as JSON.

        Raises:
            RunError: if the path does not end in .html.
        """
        from ..report.series import page_of

        return write_report(Path(path), lambda: page_of(self), self.to_json())


def evaluate_series(
    run: Run,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
    data: Any = None,  # noqa: ANN401
    most: int = 10_000,
) -> SeriesEvaluation:
    """Judge series that a run makes now.

    Args:
        run: of series.
        seed: of made series, and of every choice.
        say: told what is being done.
        data: what it was trained on, if that was in memory.
        most: made and held-out series that are looked at; never more than 2000 are made.

    Raises:
        DataError: the data are not those of the run, or there are too few.
        RunError: the data are no longer there.
    """
    source = source_of(run) if data is None else data
    options = options_from(run.facts["options"]).series or SeriesOptions()
    dataset = open_series(source, replace(options, seed=run.facts["seed"]), run.series)
    refuse_changed(run, dataset)
    held, train = fewer(dataset.holdout, most, seed), dataset.train
    count = min(most, MOST, max(LEAST_MADE, 0 if held is None else len(held)))
    say(f"making {count} series ...")
    made = made_like(run, held or train, count, seed)
    learnt, judging = series_in(run, train), None if held is None else series_in(run, held)
    say("training networks that judge ...")
    held_out = None if judging is None else labelled(judging)
    numbers = measure_series(SeriesSides(labelled(learnt), held_out, labelled(made), seed))
    return SeriesEvaluation(
        metrics=numbers,
        settings={"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source, "seed": seed},
        notes=[*dataset.notes[:1], *([] if judging is None else [FLATTERED])],
        channels=[column.name for column in run.series.schema.channels],
        real=learnt if judging is None else judging,
        made=made,
    )


def made_like(run: Run, like: Split, count: int, seed: int) -> Ragged:
    """So many series that a run makes, of the classes that others have."""
    labels = asked_labels(run, like.labels, count, seed)
    rows = generate_many(run.sampler, count, labels, derive(seed, "evaluate"))
    return run.series.series_of(rows.numpy(), None if labels is None else labels.numpy())


def fewer(side: Split | None, most: int, seed: int) -> Split | None:
    """At most so many held-out series, chosen at random, in their order."""
    if side is None or len(side) <= most:
        return side
    some = np.sort(np.random.default_rng(derive(seed, "evaluate", "part")).permutation(len(side))[:most])
    labels = None if side.labels is None else side.labels[some]
    names = [side.names[i] for i in some.tolist()]
    return replace(side, values=np.asarray(side.values)[some], labels=labels, names=names)


def series_in(run: Run, side: Split) -> Ragged:
    """The series of stored rows."""
    return run.series.series_of(np.asarray(side.values), side.labels)


def labelled(series: Ragged) -> Labelled:
    """With class numbers; 0 where there are none."""
    labels = np.zeros(len(series), np.int64) if series.labels is None else series.labels
    return Labelled(series.arrays(), labels)
