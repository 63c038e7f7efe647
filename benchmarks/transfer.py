"""Does another run help where there are 20 images? Nine classes of Fashion-MNIST, and the tenth."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from judge import Judge
from record import Record, arguments, child, entry
from tenfold.metrics.coverage import manifold
from tenfold.metrics.kernel import kernel_distance

QUESTION = """r3gan is trained on nine classes of Fashion-MNIST (5 minutes), then on 20 images of the tenth (2
minutes), from those weights and from scratch, for each of three tenth classes. Coverage and kernel distance
against test images of that class. Bar: coverage higher by .1 than from scratch, kernel distance no worse; the
median of the differences, class by class."""
TENTH, FEW, SEED = (1, 5, 8), 20, 0
WAYS = ("scratch", "from", "from, 2 frozen")


def main() -> None:
    """Train, adapt, compare."""
    given = arguments(__doc__ or "").parse_args()
    files = [Path(__file__).with_name("judge.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budgets = ("8s", "8s") if given.quick else ("5m", "2m")
    judge = Judge("fashion-mnist", 500, 20 if given.quick else None)
    for tenth in TENTH[:1] if given.quick else TENTH:
        source = record.measure(f"{tenth}-nine", lambda t=tenth: nine(judge, t, budgets[0]), budgets[0])
        for way in WAYS:
            if not (Path(source) / "run.json").is_file():  # measured, but since then cleaned up
                source = nine(judge, tenth, budgets[0])
            work = lambda t=tenth, w=way, s=source: adapted(judge, t, w, s, budgets[1], record.folder)
            record.measure(f"{tenth}-{way}", work, budgets)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def place(*words: object) -> Path:
    """A folder of this benchmark."""
    return Path(tempfile.gettempdir()) / "tenfold-transfer" / "-".join(map(str, words)).replace(", ", "-")


def nine(judge: Judge, tenth: int, budget: str) -> str:
    """A run on all classes but one."""
    split, out = judge.data.train, place("nine", tenth)
    assert split.labels is not None
    chosen = np.flatnonzero(split.labels != tenth)
    return fitted(split.values[chosen], out, budget, "", "0")


def fitted(values: np.ndarray, out: Path, budget: str, start: str, freeze: str) -> str:
    """Train on images without labels, in a process of its own."""
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out.with_suffix(".npz"), images=values[:, 0])
    child(__file__, str(out.with_suffix(".npz")), budget, start or "none", freeze, str(out))
    return str(out)


def adapted(judge: Judge, tenth: int, way: str, source: str, budget: str, folder: Path) -> dict[str, Any]:
    """A run on a few images of the tenth class, judged by its test images."""
    from tenfold.run import load

    split = judge.data.train
    assert split.labels is not None and judge.test.labels is not None
    mine = np.random.default_rng(SEED).permutation(np.flatnonzero(split.labels == tenth))[:FEW]
    start = "" if way == "scratch" else source
    out = place(tenth, way)
    fitted(split.values[np.sort(mine)], out, budget, start, "2" if "frozen" in way else "0")
    run = load(out)
    (folder / "sheets").mkdir(exist_ok=True)
    run.sample(48).grid(folder / "sheets" / f"transfer-{out.name}.png")
    test = judge.test.gather(np.flatnonzero(judge.test.labels == tenth)[: judge.n])["real"]
    a, b = (judge.classifier.features(x) for x in (test, run.sample(judge.n, seed=1).values))
    distance, shape = kernel_distance(a, b), manifold(a, b)
    found = {"kernel_distance": distance.value, "error": distance.error, "coverage": shape.coverage}
    return {**found, "training_s": run.facts["seconds"]}


def train(data: str, budget: str, start: str, freeze: str, out: str) -> None:
    """One run."""
    import tenfold

    options = tenfold.Options(
        quiet=True, start=None if start == "none" else start, freeze_d=0 if start == "none" else int(freeze)
    )
    tenfold.fit(data, "r3gan", preset="small", budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for way in WAYS:
        cases = [found[key] for key in found if key.endswith(f"-{way}")]
        if cases:
            middle = {k: float(torch.tensor([c[k] for c in cases]).median()) for k in cases[0]}
            line = {"start": way, "classes": len(cases), **{k: round(v, 4) for k, v in middle.items()}}
            table.append({**line, "class by class": by_class(found, way), "bar": verdict(found, way)})
    return table


def pairs(found: dict[str, Any], way: str) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Of each class, what an adapted run got, and what one from scratch got."""
    both = [(found.get(f"{tenth}-{way}"), found.get(f"{tenth}-scratch")) for tenth in TENTH]
    return [(a, b) for a, b in both if a and b]


def by_class(found: dict[str, Any], way: str) -> str:
    """Coverage gained, and how much lower the distance is, of each class."""
    if way == "scratch":
        return ""
    each = [
        f"{a['coverage'] - b['coverage']:+.2f}, {1 - a['kernel_distance'] / b['kernel_distance']:.0%} lower"
        for a, b in pairs(found, way)
    ]
    return "; ".join(each)


def verdict(found: dict[str, Any], way: str) -> str:
    """Whether the medians of the differences, class by class, reach the bar."""
    if way == "scratch":
        return ""
    both = pairs(found, way)
    gained = torch.tensor([a["coverage"] - b["coverage"] for a, b in both]).median()
    farther = torch.tensor([a["kernel_distance"] - b["kernel_distance"] for a, b in both]).median()
    return "met" if gained >= 0.1 and farther <= 0 else "missed"


if __name__ == "__main__":
    entry(main, train)
