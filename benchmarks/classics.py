"""What every recipe makes of MNIST, and two of Fashion-MNIST, in a few minutes each."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from judge import Judge, some
from record import Record, arguments, child, entry

QUESTION = """Every recipe, as it comes, on mnist, dcgan and cgan also on fashion-mnist, in equal time:
kernel distance, recall and coverage against test images, in features of a classifier that no run has
seen, beside fresh real images. Bars: coverage of at least .8 of the reference for dcgan, sngan and
wgan_gp; label accuracy of cgan 97 % (mnist) and 88 % (fashion-mnist); infogan's code read as a digit
right for 90 % of test images, median of three seeds."""
SETS = {"mnist": (), "fashion-mnist": ("dcgan", "cgan")}  # none means all
COVERAGE_BAR, COVERED = 0.8, ("dcgan", "sngan", "wgan_gp")
LABEL_BARS = {"cgan-mnist": 0.97, "cgan-fashion-mnist": 0.88}
INFOGAN_BAR = 0.9


def main() -> None:
    """Measure every recipe on its sets; what was measured with this code is not measured again."""
    given = parse()
    files = [Path(__file__).with_name("judge.py")]
    record = Record(__file__, QUESTION, seeds=[0, 1, 2], quick=given.quick, also=files)
    budget = "8s" if given.quick else given.budget
    for name, only in SETS.items():
        judge = Judge(name, 500, 2) if given.quick else Judge(name)
        record.measure(f"reference-{name}", judge.reference, judge.n)
        for recipe in given.recipes or names():
            if only and recipe not in only:
                continue
            for seed in (0, 1, 2) if recipe == "infogan" and not given.quick else (0,):
                key = f"{recipe}-{name}" + (f"-{seed}" if recipe == "infogan" else "")
                work = lambda j=judge, r=recipe, s=seed: one(j, r, s, budget, record.folder)
                record.measure(key, work, [budget, judge.n])
    record.conclude(table({key: item["result"] for key, item in record.content["items"].items()}))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="5m", help="of each run (5m)")
    parser.add_argument("--recipes", nargs="+", help="only these")
    return parser.parse_args()


def names() -> list[str]:
    """Every recipe that makes images from noise."""
    from tenfold.recipe import RECIPES, recipe_class, translates

    recipe_class("dcgan")  # importing one registers all
    return [name for name, cls in RECIPES.items() if "images" in cls.kinds and not translates(cls)]


def one(judge: Judge, recipe: str, seed: int, budget: str, results: Path) -> dict[str, Any]:
    """Train in a process of its own, judge, and keep the sheet."""
    from tenfold.run import load

    folder = Path(tempfile.gettempdir()) / "tenfold-classics" / f"{recipe}-{judge.name}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    child(__file__, judge.name, recipe, str(seed), budget, str(folder))
    run = load(folder)
    sheets = results / "sheets"
    sheets.mkdir(exist_ok=True)
    run.sample(60).grid(sheets / f"{recipe}-{judge.name}{f'-{seed}' if seed else ''}.png")
    found = judge.verdict(run) | {"health": run.facts["health"]["verdict"], "seconds": run.facts["seconds"]}
    return found | {"code_accuracy": code_accuracy(judge, run)} if recipe == "infogan" else found


def train(name: str, recipe: str, seed: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    tenfold.fit(name, recipe, budget=budget, out=out, seed=int(seed), options=tenfold.Options(quiet=True))


def code_accuracy(judge: Judge, run: Any) -> float:
    """Share of test images whose category, as the reader reads it, stands for their digit.

    A category stands for the digit that most training images of that category show.
    """
    import torch

    train, test = some(judge.data.train, 10_000), some(judge.test, 10_000)
    codes, classes = run.recipe.categories, len(judge.data.spec.classes)
    counts = torch.zeros(codes, classes)
    counts.index_put_(
        (read(run, train["real"]), train["condition"]), torch.ones(len(train["real"])), accumulate=True
    )
    digits = counts.argmax(1)[read(run, test["real"])]
    return round((digits == test["condition"]).double().mean().item(), 4)


def read(run: Any, images: Any) -> Any:
    """The likeliest category of each image."""
    import torch

    game = run.game()
    with torch.inference_mode():
        return torch.cat([game.reader(game.trunk(x))[0].argmax(1) for x in images.split(500)])


def table(found: dict[str, Any]) -> list[dict[str, object]]:
    """A row for every run, beside fresh real images of its set."""
    rows: list[dict[str, object]] = []
    for name in SETS:
        real = found.get(f"reference-{name}")
        for key, result in found.items():
            recipe, _, rest = key.partition("-")
            if real is None or rest not in (name, *(f"{name}-{seed}" for seed in range(3))):
                continue
            accuracy = result.get("code_accuracy", result.get("label_accuracy", ""))
            covered = result["coverage"] / real["coverage"]
            rows.append(
                {
                    "recipe": recipe,
                    "data": rest,
                    "kernel distance": f"{result['kernel_distance']:.4f} ± {result['error']:.4f}",
                    "recall": round(result["recall"], 2),
                    "coverage": round(result["coverage"], 2),
                    "share of real coverage": f"{covered:.0%}" if recipe != "reference" else "",
                    "labels right": accuracy,
                    "bar": bar(recipe, name),
                }
            )
    return rows


def bar(recipe: str, name: str) -> str:
    """What is aimed at, in words."""
    if recipe in COVERED and name == "mnist":
        return f"{COVERAGE_BAR:.0%} of real coverage"
    if recipe == "infogan":
        return f"{INFOGAN_BAR:.0%} of codes, median of three seeds"
    aim = LABEL_BARS.get(f"{recipe}-{name}")
    return "" if aim is None else f"{aim:.0%} of labels"


if __name__ == "__main__":
    entry(main, train)
