"""Texts of a run: as many as asked, of a class, with a beginning, at a temperature."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import torch

from ..draw import Draw, derive
from ..errors import RunError
from ..games.language import TextSampler
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
    sampler: TextSampler = run.sampler  # pyright: ignore[reportAssignmentType]
    start = first // BLOCK * BLOCK
    numbers = torch.arange(start, -(-(first + n) // BLOCK) * BLOCK)
    labels = run.labels_of(numbers, label)
    begun = torch.from_numpy(run.texts.prefix(prefix)) if prefix else None
    rows = []
    for i in range(0, len(numbers), BLOCK):
        z = sampler.draw(Draw(derive(seed, "sample", start + i), slice(0, BLOCK), BLOCK))
        condition = None if labels is None else labels[i : i + BLOCK]
        rows.append(sampler.texts(z, condition, temperature=temperature, prefix=begun))
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
