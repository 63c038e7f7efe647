"""Icons are coloured and uncoloured without pairs: CycleGAN and CUT, judged by pairs that they never saw."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from icons import feature_distance, folder, l1, met, names, side, stroke_f1, translated
from record import Record, arguments, child, entry

QUESTION = """openmoji's icons at 64 px (CC-BY-SA 4.0): outlines of one half of the 1,527, colours of the
other, preset small, 20 minutes of each recipe; cut is trained once for each way. 191 other pairs judge. Bars:
colour to outline, L1 to the true outline at most .038 (aims at .030), F1 of dark pixels at least .80; outline
to colour, kernel distance at most half of the outlines' own. Beside it: the picture itself, and a soft ramp
on the brightest channel, tuned on true pairs."""
WAYS = {"to outline": ("colour", "outline"), "to colour": ("outline", "colour")}
CASES = ("cyclegan", "cut to outline", "cut to colour")
SEED = 0


def main() -> None:
    """Train, translate, compare."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="20m", help="of each run (20m)")
    given = parser.parse_args()
    files = [Path(__file__).with_name("icons.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget = "10s" if given.quick else given.budget
    for way, (a, _) in WAYS.items():
        record.measure(f"the picture itself {way}", lambda w=way, s=a: judged(w, side("test", s)))
    record.measure("ramp to outline", lambda: judged("to outline", ramp(side("test", "colour"))))
    for case in CASES:
        record.measure(case, lambda c=case: one(c, budget, record.folder), budget)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def ramp(pictures: np.ndarray) -> np.ndarray:
    """Black below a brightness, white above another; both tuned on the training pairs."""
    train, true = side("train", "colour"), side("train", "outline")
    best = min(
        ((low, high) for low in np.arange(0, 0.6, 0.05) for high in np.arange(low + 0.05, 1, 0.05)),
        key=lambda ends: l1(between(train[::5], *ends), true[::5]),
    )
    return between(pictures, *best)


def between(pictures: np.ndarray, low: float, high: float) -> np.ndarray:
    """The brightest channel, stretched from one brightness to another."""
    grey = ((pictures.max(3, keepdims=True) - low) / (high - low)).clip(0, 1)
    return grey.repeat(3, 3)


def judged(way: str, made: np.ndarray) -> dict[str, float]:
    """Every number of some translations of the test icons."""
    true = side("test", WAYS[way][1])
    distance, error = feature_distance(made, true)
    found = {"l1": l1(made, true), "f1": stroke_f1(made, true)}
    return {name: round(x, 4) for name, x in found.items()} | {"kernel_distance": distance, "error": error}


def halves(root: Path) -> Path:
    """Outlines of one half of the training icons, colours of the other."""
    shutil.rmtree(root, ignore_errors=True)
    for number, which in enumerate(("outline", "colour")):
        (root / which).mkdir(parents=True)
        for name in names("train")[number::2]:
            shutil.copyfile(folder("train", which) / f"{name}.png", root / which / f"{name}.png")
    return root


def one(case: str, budget: str, sheets: Path) -> dict[str, Any]:
    """Train in a process of its own, translate, judge, and keep a sheet."""
    from tenfold.run import load

    name, _, way = case.partition(" ")
    out = Path(tempfile.gettempdir()) / "tenfold-unpaired" / case.replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, name, way or "to colour", budget, str(out))
    facts, found = load(out).facts, {}
    for each in [way] if way else list(WAYS):
        given, made_of = WAYS[each]
        made = translated(out, folder("test", given), out / each.replace(" ", "-"), to=made_of)
        found[each] = judged(each, made)
        (sheets / "sheets").mkdir(exist_ok=True)
        draw(made, each, sheets / "sheets" / f"unpaired-{name}-{each.replace(' ', '-')}.png")
    return {**found, "seen": facts["seen"], "training_s": facts["seconds"]}


def draw(made: np.ndarray, way: str, path: Path) -> None:
    """Rows of: given, made, true."""
    from tenfold.report.sheet import sheet

    some = np.linspace(0, len(made) - 1, 24).astype(int)
    given, true = (side("test", which)[some] for which in WAYS[way])
    rows = np.stack([given, made[some], true], 1).reshape(-1, *made.shape[1:])
    sheet(np.rint(rows * 255).astype(np.uint8), 12, scale=1).save(path)


def train(name: str, way: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    given, made = WAYS[way]
    options = tenfold.Options(quiet=True, side=given, to=made)
    source = halves(Path(out).with_suffix(".data"))
    tenfold.fit(str(source), name, preset="small", budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    flat: dict[tuple[str, str], dict[str, Any]] = {}
    for key, result in found.items():
        what, _, rest = key.rpartition(" to ")
        if "l1" in result:
            flat[what or key, f"to {rest}"] = result
        else:
            times = {k: result[k] for k in ("seen", "training_s")}
            flat |= {(key.split()[0], way): {**result[way], **times} for way in WAYS if way in result}
    return [
        {
            "what": what,
            "way": way,
            "L1": result["l1"],
            "F1 of strokes": round(result["f1"], 2) if way == "to outline" else "",
            "kernel distance": f"{result['kernel_distance']:.3f} ± {result['error']:.3f}",
            "minutes": round(result["training_s"] / 60, 1) if "training_s" in result else "",
            "samples seen": result.get("seen", ""),
            "bar": bar(way, result, flat["the picture itself", way]) if "seen" in result else "",
        }
        for (what, way), result in flat.items()
    ]


def bar(way: str, result: dict[str, Any], untouched: dict[str, Any]) -> str:
    """What was asked of a translation, and whether it was met."""
    if way == "to outline":
        return met([("L1 .038", result["l1"] <= 0.038), ("F1 .80", result["f1"] >= 0.80)])
    half = untouched["kernel_distance"] / 2
    return met([(f"kernel distance {half:.3f}", result["kernel_distance"] <= half)])


if __name__ == "__main__":
    entry(main, train)
