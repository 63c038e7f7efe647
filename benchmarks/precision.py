"""Does computing in bfloat16 cost quality? The same runs in both precisions, over seeds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import tenfold
from judge import Judge
from record import Record, arguments

QUESTION = """dcgan and cgan (preset small) on mnist, in float32 and in bfloat16, as many samples seen:
kernel distance to the test images with its standard error, beside that of fresh real images. bfloat16
shall be no worse than the spread over seeds."""
KIMG = {"dcgan": 150.0, "cgan": 60.0}


def main() -> None:
    """Measure every recipe, precision and seed."""
    given = arguments(__doc__ or "").parse_args()
    seeds = [0] if given.quick else [0, 1, 2]
    kimg = dict.fromkeys(KIMG, 1.0) if given.quick else KIMG
    record = Record(
        __file__, QUESTION, seeds=seeds, quick=given.quick, also=[Path(__file__).with_name("judge.py")]
    )
    judge = Judge("mnist", 500, 2) if given.quick else Judge("mnist")
    reference = record.measure("reference", judge.reference, judge.n)
    found: dict[str, dict[str, list[float]]] = {name: {"fp32": [], "bf16": []} for name in kimg}
    for seed in seeds:
        for recipe, values in found.items():
            for precision in values:  # in turns
                key, setting = f"{recipe}-{precision}-{seed}", [kimg[recipe], judge.n]
                result = record.measure(
                    key, lambda r=recipe, p=precision, s=seed: train(judge, r, p, kimg[r], s), setting
                )
                values[precision].append(result["kernel_distance"])
    record.conclude([row(name, values, reference) for name, values in found.items()])


def train(judge: Judge, recipe: str, precision: Any, kimg: float, seed: int) -> dict[str, Any]:
    """One run and its judgement."""
    folder = Path(tempfile.gettempdir()) / "tenfold-precision"
    shutil.rmtree(folder, ignore_errors=True)
    options = tenfold.Options(precision=precision, quiet=True)
    run = tenfold.fit(judge.name, recipe, preset="small", kimg=kimg, out=folder, seed=seed, options=options)
    return {**judge.verdict(run), "seconds": run.facts["seconds"]}


def row(recipe: str, values: dict[str, list[float]], reference: dict[str, float]) -> dict[str, object]:
    """Means, differences seed by seed, and the spread that seeds alone make."""
    gaps = [b - f for f, b in zip(values["fp32"], values["bf16"], strict=True)]
    return {
        "recipe": recipe,
        "kernel distance in fp32": round(mean(values["fp32"]), 4),
        "in bf16": round(mean(values["bf16"]), 4),
        "fresh real": round(reference["kernel_distance"], 4),
        "bf16 less fp32, by seed": " ".join(f"{gap:+.4f}" for gap in gaps),
        "spread of fp32 over seeds": round(max(values["fp32"]) - min(values["fp32"]), 4),
    }


if __name__ == "__main__":
    main()
