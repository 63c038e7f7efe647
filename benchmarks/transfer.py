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
from tenfold.metrics.features import features_named
from tenfold.metrics.kernel import kernel_distance

QUESTION = """r3gan is trained on nine classes of Fashion-MNIST (5 minutes), then on 20 images of the tenth (2
minutes), from those weights and from scratch, for each of three tenth classes. Coverage and kernel distance
against test images of that class, in features of a classifier of all ten classes, and of EfficientNet-Lite0,
which knows none of them and sees more of how samples of one class differ. Bar: coverage higher by .1 than
from scratch, kernel distance no worse; the median of the differences, class by class."""
TENTH, FEW, SEED = (1, 5, 8), 20, 0
OTHER = ", EfficientNet"
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
    return (
        Path(tempfile.gettempdir())
        / "tenfold-transfer"
        / "-".join(map(str, words)).replace(", ", "-").replace(" ", "-")
    )


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
    made = run.sample(judge.n, seed=1).values
    found = {
        **compared(judge.classifier.features, test, made, ""),
        **compared(features_named("efficientnet-lite0"), test, made, OTHER),
    }
    return {**found, "training_s": run.facts["seconds"]}


def compared(features: Any, test: Any, made: Any, name: str) -> dict[str, float]:
    """Distance, its error and coverage in some features."""
    a, b = features(test), features(made)
    distance, shape = kernel_distance(a, b), manifold(a, b)
    found = {"kernel_distance": distance.value, "error": distance.error, "coverage": shape.coverage}
    return {f"{key}{name}": value for key, value in found.items()}


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
            line: dict[str, object] = {
                "start": way,
                "classes": len(cases),
                **{k: round(v, 4) for k, v in middle.items()},
            }
            for name in ("", OTHER):
                line[f"class by class{name}"] = by_class(found, way, name)
                line[f"bar{name}"] = verdict(found, way, name)
            table.append(line)
    return table


def pairs(found: dict[str, Any], way: str) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Of each class, what an adapted run got, and what one from scratch got."""
    both = [(found.get(f"{tenth}-{way}"), found.get(f"{tenth}-scratch")) for tenth in TENTH]
    return [(a, b) for a, b in both if a and b]


def by_class(found: dict[str, Any], way: str, name: str) -> str:
    """Coverage gained, and how much lower the distance is, of each class."""
    if way == "scratch":
        return ""
    each = [
        f"{a[f'coverage{name}'] - b[f'coverage{name}']:+.2f}, "
        f"{1 - a[f'kernel_distance{name}'] / b[f'kernel_distance{name}']:.0%} lower"
        for a, b in pairs(found, way)
    ]
    return "; ".join(each)


def verdict(found: dict[str, Any], way: str, name: str) -> str:
    """Whether the medians of the differences, class by class, reach the bar."""
    if way == "scratch":
        return ""
    both = pairs(found, way)
    gained, farther = (
        torch.tensor([a[f"{key}{name}"] - b[f"{key}{name}"] for a, b in both]).median()
        for key in ("coverage", "kernel_distance")
    )
    return "met" if gained >= 0.1 and farther <= 0 else "missed"


if __name__ == "__main__":
    entry(main, train)
