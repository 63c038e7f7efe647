"""Do the latent tools do what they should? Truncation, interpolation and projection, on Fashion-MNIST."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from judge import Judge
from record import Record, arguments, child, entry
from tenfold.explore.projection import project
from tenfold.explore.space import space_of
from tenfold.explore.walks import interpolation
from tenfold.exploring import sight
from tenfold.metrics.coverage import manifold

QUESTION = """stylegan2 and r3gan, 8 minutes each on Fashion-MNIST. Truncation: precision rises and recall
falls with every step of psi. Interpolation: no step in feature space is above three times the median step.
Projection, as `tenfold explore` does it: of samples of the generator, without their class and by the run's
own features, the root mean square distance of what is found, in features of another classifier, is under 10 %
of that between two samples of the same class."""
RECIPES, SEED = ("stylegan2", "r3gan"), 0
PSIS = (1.0, 0.8, 0.6, 0.4)
FOUND = 8


def main() -> None:
    """Train, then look."""
    given = arguments(__doc__ or "").parse_args()
    files = [Path(__file__).with_name("judge.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget = "8s" if given.quick else "8m"
    judge = Judge("fashion-mnist", 500 if given.quick else 2000, 20 if given.quick else None)
    for recipe in RECIPES:
        record.measure(recipe, lambda r=recipe: looked(judge, r, budget), budget)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def looked(judge: Judge, recipe: str, budget: str) -> dict[str, Any]:
    """All three tools on one run."""
    from tenfold.run import load

    out = Path(tempfile.gettempdir()) / "tenfold-latent" / recipe
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, recipe, budget, str(out))
    run = load(out)
    space, n, real = space_of(run.sampler), judge.n, judge.real
    start, rest = space.latents(n, 1)
    labels = torch.arange(n) % len(run.classes) if run.classes else None
    with torch.no_grad():
        points = space.points(start, labels)
        parts = [space.paint(space.truncated(points, psi, labels), rest, labels) for psi in PSIS]
        shapes = [manifold(real, judge.classifier.features(values)) for values in parts]
        walk = interpolation(space, 6, 40, seed=2, label=0 if run.classes else None, describe=sight(run))
    steps = judge.classifier.features(walk).diff(dim=0).norm(dim=1)
    return {
        "precision": [round(s.precision, 4) for s in shapes],
        "recall": [round(s.recall, 4) for s in shapes],
        "jump": round((steps.max() / steps.median()).item(), 2),
        "found": found_again(run, space, judge),
        "seen": run.facts["seen"],
        "training_s": run.facts["seconds"],
    }


def found_again(run: Any, space: Any, judge: Judge) -> list[float]:
    """Distances of projected samples to themselves, as shares of that between samples of their class."""
    describe, shares = judge.classifier.features, []
    for i in range(FOUND):
        name = run.classes[i % len(run.classes)] if run.classes else None
        others = judge.classifier.features(run.sample(100, seed=6, label=name).values)
        apart = torch.pdist(others).square().mean().sqrt() / others.shape[1] ** 0.5
        goal = run.sample(1, seed=5 + 1000 * i, label=name).values
        found = project(space, goal, sight(run), labels=range(len(run.classes))).picture
        distance = (describe(found) - describe(goal)).square().mean().sqrt() / apart
        shares.append(distance.item())
    return [round(share, 4) for share in sorted(shares)]


def train(recipe: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    options = tenfold.Options(quiet=True)
    tenfold.fit("fashion-mnist", recipe, budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for recipe, result in found.items():
        for psi, precision, recall in zip(PSIS, result["precision"], result["recall"], strict=True):
            what = f"psi {psi:g}: precision, recall"
            line = {"recipe": recipe, "what": what, "measured": f"{precision:.3f}, {recall:.3f}"}
            table.append({**line, "bar": "", "met": ""})
        table[-1] |= {"bar": "rises, falls, at every step", "met": yes(monotone(result))}
        jump, shares = result["jump"], result["found"]
        share = f"{shares[len(shares) // 2]:.1%} (median of {len(shares)}; worst {shares[-1]:.1%})"
        what = {"recipe": recipe, "what": "largest step / median step", "measured": f"{jump:.2f}"}
        table.append({**what, "bar": "at most 3", "met": yes(jump <= 3)})
        what = {"recipe": recipe, "what": "projection / distance of two", "measured": share}
        met = f"{yes(shares[len(shares) // 2] < 0.1)} (each: {yes(shares[-1] < 0.1)})"
        table.append({**what, "bar": "under 10 %", "met": met})
    return table


def monotone(result: dict[str, Any]) -> bool:
    """Whether precision rises and recall falls with every step of psi."""
    rises = all(a < b for a, b in pairwise(result["precision"]))
    return rises and all(a > b for a, b in pairwise(result["recall"]))


def yes(met: bool) -> str:
    """In words."""
    return "met" if met else "missed"


if __name__ == "__main__":
    entry(main, train)
