"""How long a person waits for `tenfold --help` and `tenfold check`, and how much memory training takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from record import SOURCE, Record, arguments, entry, private_memory

QUESTION = """Seconds of `tenfold check` on 10,000 PNGs of 64x64 (bar 10) and of `tenfold --help` beyond
Python's own start (bar 0.3); most private memory while training dcgan (preset small) on 10,000 and on
100,000 images of 64x64x3, beyond a process that only imported torch (bar 1,000 MB). Pages of the
memory-mapped cache, which are only read, are the system's and not counted."""
FOLDER = Path(tempfile.gettempdir()) / "tenfold-check-speed"


def main() -> None:
    """Measure waiting and memory."""
    given = arguments(__doc__ or "").parse_args()
    commands = list((SOURCE / "tenfold" / "cli").glob("*.py"))
    record = Record(__file__, QUESTION, quick=given.quick, also=commands)
    files, repeats = (300, 2) if given.quick else (10_000, 10)
    sizes, steps = ((500, 1000), 10) if given.quick else ((10_000, 100_000), 300)
    start = record.measure("help", lambda: help_seconds(repeats), repeats)
    look = record.measure("check", lambda: check_seconds(files), files)
    rows = [
        {"what": "`tenfold --help` beyond Python's start, s", "measured": start["beyond"], "at most": 0.3},
        {"what": f"`tenfold check` of {files:,} PNGs, s", "measured": look["median"], "at most": 10},
    ]
    for count in sizes:
        memory = record.measure(f"memory-{count}", lambda n=count: training_memory(n, steps), [count, steps])
        what = f"private memory beyond torch's, training on {count:,} images, MB"
        rows.append({"what": what, "measured": memory["beyond_mb"], "at most": 1000})
    record.conclude(rows)


def help_seconds(repeats: int) -> dict[str, float]:
    """Medians of the command's answer and of Python's start, in turns."""
    bare, asked = [], []
    for _ in range(repeats):
        bare.append(seconds_of([sys.executable, "-c", "pass"]))
        asked.append(seconds_of([sys.executable, "-m", "tenfold", "--help"]))
    found = {"python": median(bare), "help": median(asked), "beyond": median(asked) - median(bare)}
    return {name: round(value, 3) for name, value in found.items()}


def check_seconds(files: int) -> dict[str, Any]:
    """Three times `tenfold check` on generated pictures."""
    folder = pictures(files)
    times = [seconds_of([sys.executable, "-m", "tenfold", "check", str(folder)]) for _ in range(3)]
    return {"median": round(median(times), 2), "all": [round(t, 2) for t in times]}


def seconds_of(command: Sequence[str]) -> float:
    """Wall time of a command that must succeed."""
    start = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - start


def images(count: int) -> Any:
    """Smooth coloured noise, `(n, 64, 64, 3)` uint8: compresses about as photographs do."""
    import numpy as np

    random = np.random.default_rng(0)
    coarse = random.integers(0, 200, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2) + random.integers(0, 16, (count, 64, 64, 3), dtype=np.uint8)


def pictures(count: int) -> Path:
    """A folder with that many PNGs."""
    from PIL import Image

    folder = FOLDER / f"pictures-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, pixels in enumerate(images(count)):
        Image.fromarray(pixels).save(folder / f"{i:05d}.png")
    return folder


def array_file(count: int) -> Path:
    """A `.npy` file with that many images, written a part at a time."""
    import numpy as np

    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"images-{count}.npy"
    values = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 64, 64, 3))
    for start in range(0, count, 5000):
        values[start : start + 5000] = images(min(5000, count - start))
    return path


def training_memory(count: int, steps: int) -> dict[str, float]:
    """Megabytes of private memory at most: while training, and of a process that imported torch."""
    path = array_file(count)
    idle = most_private([sys.executable, "-c", "import torch, time; time.sleep(2)"])
    busy = most_private([sys.executable, __file__, "--child", str(path), str(steps)])
    path.unlink()
    shutil.rmtree(FOLDER / "cache", ignore_errors=True)
    return {"torch_mb": idle, "training_mb": busy, "beyond_mb": round(busy - idle, 1)}


def most_private(command: Sequence[str]) -> float:
    """The most private memory of a process, looked at twenty times a second."""
    most, environment = 0, {**os.environ, "TENFOLD_CACHE": str(FOLDER / "cache")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, private_memory(process.pid))
        sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}.")
    return round(most / 1e6, 1)


def train(data: str, steps: str) -> None:
    """Some steps of dcgan."""
    import tenfold

    with tempfile.TemporaryDirectory() as out:
        options = tenfold.Options(quiet=True)
        tenfold.fit(
            data, "dcgan", preset="small", kimg=int(steps) * 64 / 1000, out=f"{out}/run", options=options
        )


if __name__ == "__main__":
    entry(main, train)
