"""Texts of a run: as many as asked, of a class, with a beginning, at a temperature."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

import torch

from ..data.tables import LABEL_COLUMNS, TEXT_COLUMNS
from ..data.texts.options import DEFAULTS
from ..draw import Draw, derive
from ..errors import RunError
from ..games.language import TextSampler
from ..options import options_from
from ..watching.quality import BLOCK

if TYPE_CHECKING:
    from ..run import Run


@torch.inference_mode()
def write_texts(
    run: Run,
    n: int,
    *,
    label: str | None = None,
    temperature: float = 1.0,
    prefix: str = "",
    seed: int = 0,
    first: int = 0,
) -> list[str]:
    """Texts: number i is a function of the run, the seed, what is asked and i alone.

    Args:
        run: of texts.
        n: how many.
        label: the name of the class asked for; None lets the classes take turns.
        temperature: below 1 likely tokens are likelier, at 0 the likeliest is taken.
        prefix: what every text begins with.
        seed: of the set.
        first: number of the first text.

    Raises:
        RunError: the label is unknown, or the run writes no texts from nothing.
        DataError: the prefix has something that the run never read, or is too long.
    """
    refuse_request(run, n, first, temperature)
    refuse_label(run, label)
    sampler: TextSampler = run.sampler  # pyright: ignore[reportAssignmentType]
    start = first // BLOCK * BLOCK
    numbers = torch.arange(start, -(-(first + n) // BLOCK) * BLOCK)
    labels = run.labels_of(numbers, label)
    begun = torch.from_numpy(run.texts.prefix(prefix)) if prefix else None
    rows = []
    for i in range(0, len(numbers), BLOCK):
        z = sampler.draw(Draw(derive(seed, "sample", start + i), slice(0, BLOCK), BLOCK))
        condition = None if labels is None else labels[i : i + BLOCK]
        rows.append(sampler.texts(z, condition, temperature=temperature, prefix=begun, to_read=True))
    return run.texts.decode(torch.cat(rows)[first - start : first - start + n])


def refuse_request(run: Run, n: int, first: int, temperature: float) -> None:
    """Raises a RunError if it cannot be done."""
    if run.spec.kind == "text_pairs":
        raise RunError(
            f"{run.path} makes texts of others and none from nothing. Use: tenfold translate {run.path} "
            "in.txt out.txt"
        )
    if run.spec.kind != "texts":
        raise RunError(f"{run.path} was trained on {run.spec.kind} and writes no texts.")
    if n < 1 or first < 0:
        raise RunError(f"{n} texts from number {first} were asked for; at least 1 from 0 was expected.")
    if not 0 <= temperature < inf:
        raise RunError(f"--temperature is {temperature}; 0 or more was expected.")


def refuse_label(run: Run, label: str | None) -> None:
    """Raises a RunError if a class is asked for where none was learnt."""
    if label is not None and not run.classes:
        raise RunError(
            f"label {label!r} was asked for, and {run.path} learnt from texts without labels of two classes. "
            "Leave --label out, or train on texts that have them: a file with a column of labels (fit "
            "--label COLUMN), or a folder per class."
        )


def labels_of_texts(run: Run, n: int, label: str | None = None, first: int = 0) -> list[str] | None:
    """The class that each text of a set is of, as it was asked for; None if the run knows no classes."""
    refuse_label(run, label)
    labels = run.labels_of(torch.arange(first, first + n), label)
    return None if labels is None else [run.classes[i] for i in labels.tolist()]


def fields_of_texts(run: Run, texts: Sequence[str], labels: Sequence[str] | None, suffix: str) -> list[str]:
    """Texts, and their classes, as lines of a file of fields that can be learnt from again.

    Args:
        run: that made them; columns are called as it was told, or so that they are found.
        texts: as they were made.
        labels: the class of each; None without.
        suffix: .csv, .tsv or .jsonl.
    """
    asked = options_from(run.facts["options"]).texts or DEFAULTS
    text = asked.text or TEXT_COLUMNS[0]
    label = asked.label or next(name for name in LABEL_COLUMNS if name != text)
    names = [text] if labels is None else [text, label]
    rows = [[one] for one in texts] if labels is None else [*map(list, zip(texts, labels, strict=True))]
    match suffix:
        case ".jsonl":
            return [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
        case ".tsv":  # where nothing can stand for a tab
            return ["\t".join(field.replace("\t", " ") for field in row) for row in [names, *rows]]
        case _:
            return [quoted(row) for row in [names, *rows]]


def quoted(fields: Sequence[str]) -> str:
    """A line of a CSV file.

    Example:
        >>> quoted(["a, b", "c"])
        '"a, b","c"'
    """
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    return stream.getvalue()
