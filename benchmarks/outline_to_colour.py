"""Outlines of icons are coloured: pix2pix, and the same without its discriminator."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from icons import feature_distance, folder, hue_distance, l1, met, names, side, translated
from record import Record, arguments, child, entry

QUESTION = """1,527 pairs of openmoji's icons at 64 px (CC-BY-SA 4.0), 191 others to judge by: pix2pix, preset
small, 20 minutes, and the same U-Net without a discriminator. L1 of values from 0 to 1; half the difference
of hue histograms over filled pixels; kernel distance in features of EfficientNet-Lite0. Bars: L1 at most .063
(aims at .058); hue distance at most .30, and at least .08 below the U-Net alone; kernel distance below it,
too."""
CASES: dict[str, dict[str, Any]] = {"pix2pix": {}, "U-Net alone": {"adversarial": 0.0, "matching": 0.0}}
SEED = 0


def main() -> None:
    """Train both, and judge them beside what needs no training."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="20m", help="of each run (20m)")
    given = parser.parse_args()
    files = [Path(__file__).with_name("icons.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget = "10s" if given.quick else given.budget
    for key, work in {"outline": outline, "mean of the group": mean_of_group, "nearest": nearest}.items():
        record.measure(key, lambda w=work: judged(w()))
    for key in CASES:
        record.measure(key, lambda k=key: one(k, budget, record.folder), budget)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def outline() -> np.ndarray:
    """The outlines themselves."""
    return side("test", "outline")


def mean_of_group() -> np.ndarray:
    """Of each icon the mean picture of its group."""
    import json

    def groups(split: str) -> dict[str, str]:
        lines = (folder(split, "colour").parent / "metadata.jsonl").read_text().splitlines()
        return {Path(row["file_name"]).stem: row["label"] for row in map(json.loads, lines)}

    train, test = groups("train"), groups("test")
    colours = dict(zip(names("train"), side("train", "colour"), strict=True))
    whole = np.mean(list(colours.values()), 0)
    means = {
        group: np.mean([colours[name] for name in colours if train.get(name) == group], 0)
        for group in {*train.values()}
    }
    return np.stack([means.get(test.get(name, ""), whole) for name in names("test")])


def nearest() -> np.ndarray:
    """Of each icon the colours of the training icon whose outline is nearest."""
    train, test = (side(split, "outline").reshape(len(names(split)), -1) for split in ("train", "test"))
    apart = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    return side("train", "colour")[apart.argmin(1)]


def judged(made: np.ndarray) -> dict[str, float]:
    """Every number of some colourings of the test icons."""
    true = side("test", "colour")
    distance, error = feature_distance(made, true)
    found = {"l1": l1(made, true), "hue": hue_distance(made, true)}
    return {name: round(x, 4) for name, x in found.items()} | {"kernel_distance": distance, "error": error}


def one(key: str, budget: str, sheets: Path) -> dict[str, Any]:
    """Train in a process of its own, colour the test outlines, judge, and keep a sheet."""
    out = Path(tempfile.gettempdir()) / "tenfold-icons" / key.replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, key, budget, str(out))
    made = translated(out, folder("test", "outline"), out / "made")
    (sheets / "sheets").mkdir(exist_ok=True)
    draw(made, sheets / "sheets" / f"outline-to-colour-{out.name}.png")
    from tenfold.run import load as load_run

    facts = load_run(out).facts
    return {**judged(made), "seen": facts["seen"], "training_s": facts["seconds"]}


def draw(made: np.ndarray, path: Path) -> None:
    """Rows of: outline, made, true; four of each side by side."""
    from tenfold.report.sheet import sheet

    some = np.linspace(0, len(made) - 1, 24).astype(int)
    true, given = side("test", "colour")[some], side("test", "outline")[some]
    rows = np.stack([given, made[some], true], 1).reshape(-1, *made.shape[1:])
    sheet(np.rint(rows * 255).astype(np.uint8), 12, scale=1).save(path)


def train(key: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    options = tenfold.Options(quiet=True, side="outline", to="colour")
    recipe = make_recipe("pix2pix", CASES[key], "small")
    source = folder("train", "outline").parent
    tenfold.fit(str(source), recipe, budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    return [
        {
            "colouring": key,
            "L1": result["l1"],
            "hue distance": result["hue"],
            "kernel distance": f"{result['kernel_distance']:.3f} ± {result['error']:.3f}",
            "samples seen": result.get("seen", ""),
            "minutes": round(result["training_s"] / 60, 1) if "training_s" in result else "",
            "bar": bar(result, found.get("U-Net alone")) if key == "pix2pix" else "",
        }
        for key, result in found.items()
    ]


def bar(result: dict[str, Any], alone: dict[str, Any] | None) -> str:
    """What was asked of pix2pix, and whether it was met."""
    asked = [("L1 .063", result["l1"] <= 0.063), ("hue .30", result["hue"] <= 0.30)]
    if alone is not None:
        asked.append(("hue .08 below the U-Net alone", alone["hue"] - result["hue"] >= 0.08))
        asked.append(("kernel distance below it", result["kernel_distance"] < alone["kernel_distance"]))
    return met(asked)


if __name__ == "__main__":
    entry(main, train)
