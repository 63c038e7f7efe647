"""A GAN or a VAE, given the same time? Four recipes on half of the digits, judged by the other half."""

from __future__ import annotations

import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import tenfold
from record import Record, arguments
from tenfold.data import open_data
from tenfold.data.order import Rows
from tenfold.demo import accuracy, everything, halves
from tenfold.metrics.classifier import Classifier, train_classifier
from tenfold.metrics.features import features_named
from tenfold.metrics.suite import Measured, Side, Sides, measure

if TYPE_CHECKING:
    from tenfold.run import Run

QUESTION = """dcgan and vae without labels, cgan and cvae with them (preset small), 40 s each on half of
scikit-learn's digits; judged by the other half in features of efficientnet-lite0, beside what fresh real
digits get (in brackets). Means over three seeds with their standard deviation. The kernel distance is over
all pairs without labels, class by class with them: compare within a pair of recipes. There is no bar."""
BUDGET = "40s"
RECIPES = ("dcgan", "vae", "cgan", "cvae")
SHOWN = ("kernel_distance", "recall", "coverage", "c_t")
OF_LABELS, JUDGE_SEED, MADE_SEED = "label_accuracy", 1, 1


def main() -> None:
    """Train every recipe with every seed, judge each, and show means beside references."""
    given = arguments(__doc__ or "").parse_args()
    seeds, budget = ([0], "6s") if given.quick else ([0, 1, 2], BUDGET)
    record = Record(__file__, QUESTION, seeds=seeds, quick=given.quick)
    found: dict[str, list[dict[str, Any]]] = {recipe: [] for recipe in RECIPES}
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder), kimg=20.0 if given.quick else None)
        for seed in seeds:
            for recipe, results in found.items():  # in turns: a slow hour meets all
                work = lambda r=recipe, s=seed: trained(judge, Path(folder) / "run", r, budget, s)
                results.append(record.measure(f"{recipe}-{seed}", work, [budget, judge.kimg]))
    record.conclude([row(recipe, results) for recipe, results in found.items()])


class Judge:
    """The half that no run learns, and what it says of samples.

    Args:
        folder: for the files of the halves.
        kimg: thousands of images that the classifier of labels sees; None for as many as it should.
    """

    def __init__(self, folder: Path, kimg: float | None) -> None:
        self.learn, other = halves(folder)
        self.learnt, self.other = everything(open_data(self.learn)), everything(open_data(other))
        self.kimg, self.network = kimg, features_named("efficientnet-lite0")

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """Features of both halves."""
        learnt, other = (Side(self.network(rows.values), rows.labels) for rows in (self.learnt, self.other))
        return learnt, other

    @cached_property
    def classifier(self) -> Classifier:
        """Trained on the half that no run learns."""
        return train_classifier(self.other, classes=10, seed=JUDGE_SEED, kimg=self.kimg)

    def verdict(self, run: Run) -> dict[str, dict[str, Any]]:
        """Each metric of as many samples as there are real ones, and its reference."""
        samples = run.sample(len(self.other), seed=MADE_SEED)
        made = Rows(samples.values, samples.labels)
        found = measure(Sides(*self.sides, Side(self.network(made.values), made.labels)), extrapolate=False)
        if made.labels is not None:
            right, true = accuracy(self.classifier, made), accuracy(self.classifier, self.learnt)
            found[OF_LABELS] = Measured(right, true, len(made))
        return {name: found[name].to_json() for name in (*SHOWN, OF_LABELS) if name in found}


def trained(judge: Judge, folder: Path, recipe: str, budget: str, seed: int) -> dict[str, Any]:
    """One run and its judgement."""
    shutil.rmtree(folder, ignore_errors=True)
    options = tenfold.Options(device="cpu", quiet=True)
    run = tenfold.fit(
        judge.learn, recipe, preset="small", budget=budget, out=folder, seed=seed, options=options
    )
    return {"seconds": run.facts["seconds"], "seen": run.facts["seen"], "metrics": judge.verdict(run)}


def row(recipe: str, results: list[dict[str, Any]]) -> dict[str, object]:
    """Means over seeds with their standard deviation, and the reference in brackets."""
    seconds, seen = (mean(result[name] for result in results) for name in ("seconds", "seen"))
    first: dict[str, object] = {"recipe": recipe, "seconds": f"{seconds:.0f}", "samples seen": f"{seen:,.0f}"}
    return first | {name: cell(name, results) for name in (*SHOWN, OF_LABELS)}


def cell(name: str, results: list[dict[str, Any]]) -> str:
    """One metric over the seeds; empty where a recipe has none."""
    found = [result["metrics"].get(name, {"value": None}) for result in results]
    values = [each["value"] for each in found if each["value"] is not None]
    if len(values) < len(results):
        return ""
    spread = f"±{stdev(values):.2g}" if len(values) > 1 else ""
    real = mean(each["reference"] for each in found)
    return f"{mean(values):.3g}{spread} ({real:.3g})"


if __name__ == "__main__":
    main()
