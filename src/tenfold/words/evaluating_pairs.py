"""Judging texts that are made of others: how near they are to what they should be, and to the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset
from ..data.texts.layout import END, PAD, UNKNOWN
from ..draw import derive
from ..errors import DataError
from ..evaluation import cells, said, write_report
from ..game import Sampler
from ..games.seq2seq import TextTranslator
from ..metrics.kernel import Estimate
from ..metrics.suite import Measured
from ..metrics.texts.pairs import Pairs, gains, measure_pairs
from ..metrics.verdicts import SMALL, Verdict
from ..tiling import silent
from ..watching.progress import Say
from .sides import baseline_of, reopened_texts
from .translating import translations

if TYPE_CHECKING:
    from ..run import Run

MOST, SHOWN = 2000, 40  # pairs
BEAM = 4
SURE = 2.262  # standard errors of an interval of 95 %, as errors are those of ten groups (Student, 9 degrees)
SAID = {"exact_match": "exact match", "bleu": "BLEU"}  # by which a verdict is given


@dataclass(frozen=True)
class Example:
    """A pair, and what is made of it.

    Attributes:
        source, wanted: the pair.
        made: by the run.
        before: by the model of maximum likelihood; empty without one.
    """

    source: str
    wanted: str
    made: str
    before: str = ""


@dataclass(frozen=True, eq=False)
class PairsEvaluation:
    """What was found.

    Attributes:
        metrics: by the glossary's names, each with value, error and n.
        baseline: the same of the model of maximum likelihood; empty without one.
        gains: by how much the run is better than that, pair by pair.
        verdicts: what it means, and what to do.
        settings: everything needed to repeat it.
        notes: what was decided.
        examples: some pairs, and what is made of them.
    """

    metrics: Mapping[str, Measured]
    baseline: Mapping[str, Measured]
    gains: Mapping[str, Estimate]
    verdicts: Sequence[Verdict]
    settings: Mapping[str, Any]
    notes: Sequence[str]
    examples: Sequence[Example]

    def to_json(self) -> dict[str, Any]:
        """One object: metrics at the top, by name."""
        return {
            **{name: found.to_json() for name, found in self.metrics.items()},
            "baseline": {name: found.to_json() for name, found in self.baseline.items()},
            "gains": {name: asdict(found) for name, found in self.gains.items()},
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Name, value, the baseline's, the difference and the number of pairs, as a person reads them."""
        return [
            (
                name,
                cells(found)[0],
                cells(self.baseline[name])[0] if name in self.baseline else "",
                difference(self.gains[name]) if name in self.gains else "",
                str(found.n),
            )
            for name, found in self.metrics.items()
        ]

    def how(self) -> list[str]:
        """How scores are computed, the interval of exact match, and why some are not there."""
        return [f"{name}: {m.how or m.why}" for name, m in self.metrics.items() if m.how or m.why]

    def lines(self) -> list[str]:
        """The numbers as plain text, then what they mean."""
        table = [HEAD, *self.rows()]
        widths = [max(len(row[i]) for row in table) for i in range(len(HEAD))]
        found = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        return [*(line.rstrip() for line in found), *self.how(), "", *said(self.verdicts, self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def report(self, path: str | Path) -> Path:
        """Write everything on one HTML page that needs nothing else; beside it, the numbers as JSON.

        Raises:
            RunError: if the path does not end in .html.
        """
        from ..report.texts import page_of_pairs

        return write_report(Path(path), lambda: page_of_pairs(self), self.to_json())


HEAD = ("", "these texts", "maximum likelihood", "difference", "n")


def difference(found: Estimate) -> str:
    """With its sign and its error."""
    return f"{found.value:+.4f}±{found.error:.2g}"


def evaluate_text_pairs(
    run: Run,
    most: int = MOST,
    seed: int = 0,
    beam: int = BEAM,
    say: Say = silent,
    data: Any = None,  # noqa: ANN401
) -> PairsEvaluation:
    """Judge what a run makes of sources that were held out.

    Args:
        run: of pairs of texts.
        most: pairs that are looked at.
        seed: of their choice.
        beam: beginnings of each text that are gone on with.
        say: told what is being done.
        data: what it was trained on, if that was in memory.

    Raises:
        DataError: the data are not those of the run, or nothing was held out.
        RunError: the data are no longer there.
    """
    dataset = reopened_texts(run, data)
    source, real = held_out(dataset, most, seed)
    wanted = run.texts.decode(real)

    def made_by(sampler: Sampler, name: str) -> Pairs:
        assert isinstance(sampler, TextTranslator)
        say(f"translating {len(source)} texts: {name} ...")
        return Pairs(translations(sampler, run.texts, source, beam, say), wanted)

    after, baseline = made_by(run.sampler, "this run"), baseline_of(run)
    before = None if baseline is None else made_by(baseline, "maximum likelihood")
    facts = {"run": str(run.path), "recipe": run.facts["recipe"], "data": dataset.source}
    facts |= {"beam": beam, "pairs": len(wanted), "seed": seed}
    notes = [*dataset.notes[:1], "the hold-out also chose the checkpoint, which flatters"]
    notes += [*as_networks_see("sources", source), *as_networks_see("texts", real)]
    return judged(run.source_texts.decode(source), after, before, facts, notes)


def held_out(dataset: Dataset, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Some sources that were held out, and their texts, as rows.

    Raises:
        DataError: nothing was held out.
    """
    held = dataset.holdout
    if held is None:
        raise DataError(
            f"{dataset.source} has too few pairs to hold some out, and texts of sources that were learnt "
            "from say little. Add some."
        )
    order = np.random.default_rng(derive(seed, "evaluate", "pairs")).permutation(len(held))
    batch = held.gather(np.sort(order[:most]))
    return batch["source"].numpy(), batch["real"].numpy()


def as_networks_see(what: str, rows: np.ndarray) -> list[str]:
    """A note on held-out texts that are not compared as they were written, if there are any.

    Example:
        >>> as_networks_see("texts", np.array([[5, 3, 2], [5, 6, 7], [5, 6, 2]]))[0][:23]
        '2 of 3 held-out texts f'
    """
    odd = ~np.isin(rows[:, -1], (END, PAD)) | (rows == UNKNOWN).any(1)
    if not odd.any():
        return []
    why = f"fill all {rows.shape[1]} tokens or hold what was never learnt"
    return [f"{int(odd.sum())} of {len(rows)} held-out {what} {why}: they count as the networks see them"]


def judged(
    given: Sequence[str],
    after: Pairs,
    before: Pairs | None,
    facts: Mapping[str, Any],
    notes: Sequence[str],
) -> PairsEvaluation:
    """Everything that can be said of texts, beside those of the baseline, if there is one."""
    seed, olds = int(facts["seed"]), [""] * len(after) if before is None else before.made
    numbers = measure_pairs(after, seed)
    gained = {} if before is None else gains(before, after, seed)
    columns = zip(given, after.wanted, after.made, olds, strict=True)
    return PairsEvaluation(
        metrics=numbers,
        baseline={} if before is None else measure_pairs(before, seed),
        gains=gained,
        verdicts=[*against_baseline(gained), *trust(len(after))],
        settings=dict(facts),
        notes=list(notes),
        examples=[Example(*row) for row in list(columns)[:SHOWN]],
    )


def against_baseline(gained: Mapping[str, Estimate]) -> Iterator[Verdict]:
    """Are texts nearer to what they should be than those of maximum likelihood? By intervals of 95 %."""
    for name, spoken in SAID.items():
        found = gained.get(name)
        if found is None:
            continue
        low, high = found.value - SURE * found.error, found.value + SURE * found.error
        text = f"{spoken} differs by {found.value:+.4f} (95 %: {low:+.4f} to {high:+.4f}) from that of the "
        text += "model of maximum likelihood"
        if low > 0:
            yield Verdict("baseline", "good", f"A gain: {text}.", "Train it again with another --seed.")
        elif high < 0:
            yield Verdict("baseline", "bad", f"A loss: {text}.", "Use --adversarial 0.")
        else:
            yield Verdict("baseline", "warning", f"No difference that can be seen: {text}.")


def trust(n: int) -> Iterator[Verdict]:
    """How much do so few pairs say?"""
    if n < SMALL:
        text = f"Only {n} pairs were compared: but for gross faults, little can be seen."
        yield Verdict("trust", "warning", text, "Hold out more pairs.")
