"""How long evaluation and proof take, how much memory, and what metrics cost while training."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from record import SOURCE, Record, arguments, child, entry, peak_memory
from tenfold.data import open_data

QUESTION = """1,000 made against 1,000 real images of 28x28 with EfficientNet-Lite0 in 15 s on two cores, as a
command, with 1,000 held-out ones to judge by, hence with the tests of copying and the gallery; 10,000 against
10,000 rows of 1,280 features in at most 3 GB; metrics during training cost at most 10 % of the time, what
prepares them among it; `prove digits --quick` in 5 minutes (the full protocol: see known_answers)."""
N = 1000


def main() -> None:
    """Each in a process of its own."""
    given = arguments(__doc__ or "").parse_args()
    package = SOURCE / "tenfold"
    also = [
        package / "proving.py",
        package / "evaluating.py",
        package / "__main__.py",
        *package.glob("cli/*.py"),
    ]
    record = Record(__file__, QUESTION, quick=given.quick, also=also)
    rows, budget = (1000, "10s") if given.quick else (10_000, "3m")
    found = {
        "evaluate": record.measure("evaluate", evaluation),
        "memory": record.measure("memory", lambda: child(__file__, "large", str(rows)), {"rows": rows}),
        "training": record.measure("training", lambda: child(__file__, "training", budget)),
        "quick": record.measure("quick", proof),
    }
    record.conclude(table(found))


def timed(*words: str) -> dict[str, Any]:
    """A command of tenfold's, and its seconds; what it printed, as JSON."""
    begun = perf_counter()
    command = [sys.executable, "-m", "tenfold", *words, "--json", "--quiet"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {"seconds": round(perf_counter() - begun, 1), "result": json.loads(done.stdout)}


def evaluation() -> dict[str, Any]:
    """Two folders of images, without labels; decoding and the report are part of it."""
    data = open_data("mnist").train
    order = np.random.default_rng(0).permutation(len(data))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sides: list[str] = []
        for number, name in enumerate(("real", "fake", "holdout")):
            np.save(folder / f"{name}.npy", data.values[order[number * N : (number + 1) * N]][:, 0])
            sides += [f"--{name}", str(folder / f"{name}.npy")]
        report = ["--out", str(folder / "report.html"), "--features", "efficientnet-lite0"]
        return {"seconds": timed("evaluate", *sides, *report)["seconds"]}


def part(name: str, setting: str) -> dict[str, Any]:
    """What is measured in a process of its own."""
    return large(int(setting)) if name == "large" else training(setting)


def large(n: int) -> dict[str, float]:
    """Every metric of so many rows on each side."""
    from tenfold.metrics.suite import Side, Sides, measure

    random = torch.Generator().manual_seed(0)
    train, held, fake = (Side(torch.randn(n, 1280, generator=random)) for _ in range(3))
    begun = perf_counter()
    measure(Sides(train, held, fake))
    return {"seconds": round(perf_counter() - begun, 1), **peak_memory()}


def training(budget: str) -> dict[str, Any]:
    """The share of a run's time that metrics take: what prepares them, the trial look, and all looks."""
    import tenfold
    from tenfold import fitting
    from tenfold.watching.quality import Quality

    spent: dict[str, float] = {"prepare_s": 0.0}

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def timed_work(*given: Any, **more: Any) -> Any:
            begun = perf_counter()
            try:
                return work(*given, **more)
            finally:
                spent["prepare_s"] += perf_counter() - begun

        return timed_work

    fitting.feature_network, fitting.Quality = counted(fitting.feature_network), counted(Quality)
    measure = Quality.measure

    def measured(self: Quality, *given: Any) -> Any:
        begun = perf_counter()
        found = measure(self, *given)
        spent.setdefault("trial_s", perf_counter() - begun)  # the first; the others are within looks
        return found

    Quality.measure = measured
    with tempfile.TemporaryDirectory() as temporary:
        begun = perf_counter()
        run = tenfold.fit(
            "digits", budget=budget, out=Path(temporary, "run"), options=tenfold.Options(quiet=True)
        )
        seconds = perf_counter() - begun
        look_s = json.loads((run.path / "run.json").read_text())["look_s"]
    share = (sum(spent.values()) + look_s) / seconds
    found = {**spent, "look_s": look_s, "seconds": seconds, "share": share}
    return {name: round(value, 4) for name, value in found.items()}


def proof() -> dict[str, Any]:
    """Proving whether a GAN helps on the bundled digits."""
    with tempfile.TemporaryDirectory() as temporary:
        found = timed("prove", "digits", "--quick", "--out", str(Path(temporary, "proof")))
    return {"seconds": found["seconds"], "verdict": found["result"]["verdict"]}


def table(found: dict[str, Any]) -> list[dict[str, object]]:
    """What is measured, and the bar."""
    rows = [
        ("1,000 against 1,000 images, s", found["evaluate"]["seconds"], 15),
        ("peak memory of 10,000 against 10,000 rows, MB", found["memory"]["peak_mb"], 3000),
        ("share of training that metrics take", f"{found['training']['share']:.1%}", "10%"),
        ("`prove digits --quick`, s", found["quick"]["seconds"], 300),
    ]
    return [{"what": what, "measured": value, "at most": bar} for what, value, bar in rows]


if __name__ == "__main__":
    entry(main, part)
