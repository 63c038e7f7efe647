"""Does measuring the weight of R1 and R2 find one that suits? Fixed weights beside it, on four sets."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from record import Record, arguments, child, entry
from tenfold.watching.journal import read_journal

QUESTION = """r3gan --preset small without augmentation, 40,000 samples each, with the weight of R1 and R2
fixed at .01 to 100, and measured: from where it starts by the pictures' size, and from a tenth and ten times
of that, on four sets. Kernel distance and coverage on the hold-out at the end, beside real images. Bar:
from every start at most 1.5 times the distance of the best fixed weight, or within its error."""
FIXED = (0.01, 0.1, 1.0, 10.0, 100.0)
STARTS = (0.1, 1.0, 10.0)  # of where it would start
SEED, KIMG = 0, 40


def main() -> None:
    """Every set with every weight; what was measured with this code is not measured again."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--kimg", type=float, default=KIMG, help="thousands of samples (40)")
    parser.add_argument("--sets", nargs="+", help="only these")
    given = parser.parse_args()
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick)
    kimg = 2 if given.quick else given.kimg
    for name in given.sets or sources():
        for way in [*(f"fixed {w:g}" for w in FIXED), *(f"measured from {w:g} times" for w in STARTS)]:
            work = lambda n=name, w=way: one(n, w, kimg)
            record.measure(f"{name}, {way}", work, kimg)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def sources() -> dict[str, tuple[str, int | None]]:
    """The sets: source, and longest side."""
    icons = Path(os.environ["TENFOLD_DATA"]) / "openmoji" / "train"
    return {
        "digits": ("digits", None),
        "fashion-mnist": ("fashion-mnist", None),
        "icons": (str(icons / "colour"), 32),
        "outlines": (str(icons / "outline"), 32),
    }


def one(name: str, way: str, kimg: float) -> dict[str, Any]:
    """Train in a process of its own; the last look, and how D fared early on."""
    from tenfold.run import load

    out = Path(tempfile.gettempdir()) / "tenfold-calibration" / f"{name}-{way}".replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    words = [way.split()[0], way.removesuffix(" times").split()[-1]]
    child(__file__, name, *words, str(kimg), str(out))
    run, log = load(out), list(read_journal(out / "metrics.jsonl"))
    looks = [record for record in log if "coverage" in record]
    steps = [record for record in log if "D/adversarial" in record]
    early = [record for record in steps if record["kimg"] <= 0.2 * kimg] or steps
    found = {
        key: looks[-1][key] for key in ("kernel_distance", "kernel_distance_error", "recall", "coverage")
    }
    found |= {
        "reference": (run.facts["reference"] or {}).get("kernel_distance"),
        "gamma": log_last(steps, "D/gamma"),
    }
    for when, some in (("early", early[-5:]), ("late", steps[-5:])):
        for key in ("D/adversarial", "D/order"):
            found[f"{when} {key}"] = round(sum(r[key] for r in some) / len(some), 4)
    return found


def log_last(steps: list[Any], key: str) -> float | None:
    """The last value of something that may not be logged."""
    values = [record[key] for record in steps if key in record]
    return round(values[-1], 5) if values else None


def train(name: str, way: str, weight: str, kimg: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.data import LoadOptions, open_data
    from tenfold.recipe import make_recipe
    from tenfold.settings import resolve

    source, size = sources()[name]
    options = tenfold.Options(quiet=True, size=size)
    values = {"augment": "none", "lecam": 0.0}
    usual: Any = resolve(
        make_recipe("r3gan", values, "small"), open_data(source, LoadOptions(size=size)).spec
    )[0]
    measured = way == "measured"
    penalty = float(weight) * (usual.penalty if measured else 1)
    recipe = make_recipe("r3gan", {**values, "penalty": penalty, "calibrate": measured}, "small")
    tenfold.fit(source, recipe, kimg=float(kimg), out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        name, _, way = key.partition(", ")
        distance = f"{result['kernel_distance']:.4f} ± {result['kernel_distance_error']:.4f}"
        line = {"data": name, "weight": way, "ends at": result["gamma"] or "", "kernel distance": distance}
        line |= {"recall": round(result["recall"], 2), "coverage": round(result["coverage"], 2)}
        table.append(
            {**line, "at most 1.5 of the best fixed": near(name, result, found) if "from" in way else ""}
        )
    return table


def near(name: str, result: dict[str, Any], found: dict[str, Any]) -> str:
    """Whether a distance is at most 1.5 times that of the best fixed weight, or within its error of that."""
    fixed = [found[f"{name}, fixed {w:g}"] for w in FIXED if f"{name}, fixed {w:g}" in found]
    best = min(fixed, key=lambda one: one["kernel_distance"])
    most = max(1.5 * best["kernel_distance"], best["kernel_distance"] + best["kernel_distance_error"])
    times = result["kernel_distance"] / best["kernel_distance"]
    return f"{'met' if result['kernel_distance'] <= most else 'missed'} ({times:.2f})"


if __name__ == "__main__":
    entry(main, train)
