"""Is a generator that learnt its few training images by heart found out? Eighty faces."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import tenfold
from record import ROOT, SOURCE, Record, arguments
from tenfold import Options

QUESTION = """A GAN trained on 80 faces without augmentation, judged by 20 others, is flagged as copying
and its gallery shows the copies; with augmentation it is clearly nearer to fresh real faces."""
SEED, FACES, LEARNT = 0, 100, 80
ARMS = {"no augmentation": "none", "diffaugment": "diffaugment"}
SHOWN = ("c_t", "authenticity", "frechet_gap", "kernel_distance", "recall", "coverage", "precision")


def main() -> None:
    """Train both, judge both."""
    given = arguments(__doc__ or "").parse_args()
    also = [SOURCE / "tenfold" / "recipes" / "dcgan.py"]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    budget = "10s" if given.quick else "4m"
    found = {
        name: record.measure(name, lambda augment=augment: judged(augment, budget), {"budget": budget})
        for name, augment in ARMS.items()
    }
    record.conclude(rows(found))


def faces(folder: Path) -> tuple[Path, Path]:
    """The faces of scikit-image's `lfw_subset`, in a file to learn from and one to judge by."""
    from skimage.data import lfw_subset

    pictures = np.rint(np.asarray(lfw_subset())[:FACES] * 255).astype(np.uint8)
    order = np.random.default_rng(SEED).permutation(FACES)
    paths = folder / "learn.npy", folder / "judge.npy"
    for path, index in zip(paths, (order[:LEARNT], order[LEARNT:]), strict=True):
        np.save(path, pictures[index])
    return paths


def judged(augment: str, budget: str) -> dict[str, Any]:
    """Metrics and verdicts of one run."""
    from tenfold.recipe import make_recipe

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        learn, judge = faces(folder)
        recipe = make_recipe("dcgan", {"augment": augment}, "small")
        run = tenfold.fit(
            learn, recipe, budget=budget, seed=SEED, out=folder / "run", options=Options(holdout=str(judge))
        )
        found = tenfold.evaluate(run)
        pages = ROOT / "benchmarks" / "results" / "pictures"
        pages.mkdir(exist_ok=True)
        found.gallery(pages / f"memoriser-{augment}.png")
    numbers = {name: found.metrics[name].to_json() for name in SHOWN}
    copying = [v.to_json() for v in found.verdicts if v.about == "copying"]
    return {"metrics": numbers, "copying": copying, "seen": run.facts.get("seen")}


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for name, result in found.items():
        values = {
            k: round(v["value"], 3) if v["value"] is not None else "" for k, v in result["metrics"].items()
        }
        table.append({"training": name, **values, "verdict": result["copying"][0]["level"]})
    reference = {k: v["reference"] for k, v in next(iter(found.values()))["metrics"].items()}
    real = {k: "" if v is None else round(v, 3) for k, v in reference.items()}
    return [*table, {"training": "fresh real faces", **real, "verdict": ""}]


if __name__ == "__main__":
    main()
