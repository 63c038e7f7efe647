"""How long evaluation and proof take, how much memory, and what metrics cost while training."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from record import SOURCE, Record, arguments, child, peak_memory
from tenfold.data import open_data

QUESTION = """1,000 made against 1,000 real images of 28x28 with EfficientNet-Lite0 in 15 s on two cores, as a
command; 10,000 against 10,000 rows of 1,280 features in at most 3 GB; metrics during training cost at
most 10 % of the time; `prove digits --quick` in 5 minutes (the full protocol: see known_answers)."""
N = 1000


def main() -> None:
    """Each in a process of its own."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--large", type=int, help="(inner) measure so many rows, and say how much memory")
    given = parser.parse_args()
    if given.large:
        print(json.dumps(large(given.large)))
        return
    also = [SOURCE / "tenfold" / "proving.py", SOURCE / "tenfold" / "evaluating.py"]
    record = Record(__file__, QUESTION, quick=given.quick, also=also)
    rows = 1000 if given.quick else 10_000
    found = {
        "evaluate": record.measure("evaluate", evaluation),
        "memory": record.measure("memory", lambda: child(__file__, "--large", str(rows)), {"rows": rows}),
        "training": record.measure("training", lambda: training("10s" if given.quick else "3m")),
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
        for name, index in (("real", order[:N]), ("fake", order[N : 2 * N])):
            np.save(folder / f"{name}.npy", data.values[index][:, 0])
        sides = ["--real", str(folder / "real.npy"), "--fake", str(folder / "fake.npy")]
        report = ["--out", str(folder / "report.html"), "--features", "efficientnet-lite0"]
        return {"seconds": timed("evaluate", *sides, *report)["seconds"]}


def large(n: int) -> dict[str, float]:
    """Every metric of so many rows on each side."""
    from tenfold.metrics.suite import Side, Sides, measure

    random = torch.Generator().manual_seed(0)
    train, held, fake = (Side(torch.randn(n, 1280, generator=random)) for _ in range(3))
    begun = perf_counter()
    measure(Sides(train, held, fake))
    return {"seconds": round(perf_counter() - begun, 1), **peak_memory()}


def training(budget: str) -> dict[str, Any]:
    """The share of a run's time that looks at quality take."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary, "run")
        timed("fit", "digits", "--budget", budget, "--out", str(out))
        facts = json.loads((out / "run.json").read_text())
    return {
        "look_s": facts["look_s"],
        "seconds": facts["seconds"],
        "share": facts["look_s"] / facts["seconds"],
    }


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
    main()
