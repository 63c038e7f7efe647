"""Which recipe is best in equal time? Colour icons of 64 px, and Fashion-MNIST."""

from __future__ import annotations

import os
import shutil
import tempfile
from math import hypot, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch

from record import Record, arguments, child, entry
from tenfold.choosing import choose_recipe
from tenfold.data import LoadOptions, open_data
from tenfold.metrics.coverage import manifold
from tenfold.metrics.features import features_named
from tenfold.metrics.kernel import kernel_distance

QUESTION = """r3gan, dcgan, fastgan and stylegan2, as they come, in 8 minutes each, on openmoji's colour icons
at 64 px and on Fashion-MNIST; then on a third set that nothing was chosen on (openmoji's outlines). Kernel
distance and coverage against test images, which had no part in the choice of a checkpoint, in features of
EfficientNet-Lite0, beside real images. All but dcgan learn the classes of Fashion-MNIST. Bar: what is chosen
without --recipe is the first, or within the standard error of the difference to the first, which is that of
the samples: there is one run of each."""
RECIPES = ("r3gan", "dcgan", "fastgan", "stylegan2")
SEED, MOST = 0, 1000


def main() -> None:
    """Train every recipe on every set; what was measured with this code is not measured again."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="8m", help="of each run (8m)")
    given = parser.parse_args()
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick)
    budget, most = ("8s", 200) if given.quick else (given.budget, MOST)
    picked: dict[str, str] = {}
    for name in sources():
        record.measure(f"{name}-real", lambda n=name: reference(n, most), most)
        picked[name] = record.measure(f"{name}-picked", lambda n=name: chosen(n))
        for recipe in RECIPES:
            key = f"{name}-{recipe}"
            work = lambda n=name, r=recipe: one(n, r, budget, most, record.folder)
            record.measure(key, work, [budget, most])
    items = record.content["items"].items()
    record.conclude(rows({k: i["result"] for k, i in items if not k.endswith("-picked")}, picked))


def sources() -> dict[str, tuple[str, str]]:
    """The sets, by name: what is trained on, and the test images."""
    icons = Path(os.environ["TENFOLD_DATA"]) / "openmoji"
    return {
        "icons": (str(icons / "train" / "colour"), str(icons / "test" / "colour")),
        "fashion-mnist": ("fashion-mnist", "fashion-mnist"),
        "outlines": (str(icons / "train" / "outline"), str(icons / "test" / "outline")),
    }


def held(name: str, most: int) -> Any:
    """Test images."""
    source, test = sources()[name]
    if source == test:
        parts = [open_data(test, LoadOptions(split="test")).train]
    else:
        data = open_data(test)
        parts = [side for side in (data.train, data.holdout) if side is not None]
    images = torch.cat([part.gather(np.arange(len(part)))["real"] for part in parts])
    return images[np.sort(np.random.default_rng(SEED).permutation(len(images))[:most])]


def chosen(name: str) -> str:
    """The recipe that is picked where none is named."""
    return str(choose_recipe(open_data(sources()[name][0]).spec).value)


def compared(real: Any, images: Any) -> dict[str, float]:
    """Distance, error and coverage."""
    network = features_named("efficientnet-lite0")
    a, b = network(real), network(images)
    distance, shape = kernel_distance(a, b), manifold(a, b)
    found = {"kernel_distance": distance.value, "error": distance.error, "coverage": shape.coverage}
    return {**{name: round(value, 5) for name, value in found.items()}, "n": len(real)}


def reference(name: str, most: int) -> dict[str, float]:
    """What as many training images get."""
    real, train = held(name, most), open_data(sources()[name][0]).train
    chosen = np.sort(np.random.default_rng(SEED + 1).permutation(len(train))[: len(real)])
    return compared(real, train.gather(chosen)["real"])


def one(name: str, recipe: str, budget: str, most: int, folder: Path) -> dict[str, Any]:
    """Train in a process of its own, judge, and keep the sheet."""
    from tenfold.run import load

    out = Path(tempfile.gettempdir()) / "tenfold-equal" / f"{name}-{recipe}"
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, sources()[name][0], recipe, budget, str(out))
    run, real = load(out), held(name, most)
    sheets = folder / "sheets"
    sheets.mkdir(exist_ok=True)
    run.sample(48).grid(sheets / f"equal-{out.name}.png")
    values = run.sample(len(real), seed=1).values
    facts = {"seen": run.facts["seen"], "training_s": run.facts["seconds"]}
    return {**compared(real, values), **facts, "health": run.facts["health"]["verdict"]}


def train(source: str, recipe: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    tenfold.fit(source, recipe, budget=budget, out=out, seed=SEED, options=tenfold.Options(quiet=True))


def rows(found: dict[str, Any], picked: dict[str, str]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        name, _, recipe = key.rpartition("-")
        table.append(
            {
                "data": name,
                "recipe": recipe,
                "kernel distance": f"{result['kernel_distance']:.4f} ± {result['error']:.4f}",
                "coverage": round(result["coverage"], 2),
                "samples seen": result.get("seen", ""),
                "minutes": round(result["training_s"] / 60, 1) if recipe in RECIPES else "",
                "picked": standing(name, recipe, found) if picked.get(name) == recipe else "",
            }
        )
    return table


def standing(name: str, recipe: str, found: dict[str, Any]) -> str:
    """Whether a recipe is first on a set, or within the error of the first, by distance and by coverage."""
    mine, cases = found[f"{name}-{recipe}"], [found[f"{name}-{r}"] for r in RECIPES if f"{name}-{r}" in found]
    near = min(cases, key=lambda case: case["kernel_distance"])
    much = max(cases, key=lambda case: case["coverage"])
    farther = mine["kernel_distance"] - near["kernel_distance"]
    less = much["coverage"] - mine["coverage"]
    errors = hypot(mine["error"], near["error"]), hypot(share_error(mine), share_error(much))
    met = farther <= errors[0] and less <= errors[1]
    return "picked; bar met" if met else "picked; bar missed"


def share_error(case: dict[str, Any]) -> float:
    """The standard error of a coverage."""
    return sqrt(case["coverage"] * (1 - case["coverage"]) / case["n"])


if __name__ == "__main__":
    entry(main, train)
