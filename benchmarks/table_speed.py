"""How long learning and making rows takes, and how much memory, beside CTGAN in the same run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import adult
import peers
from adult import met
from record import SOURCE, Record, arguments, child, entry, say

QUESTION = """Adult, 2,000 rows (three seeds) and 22,561 (one; the other 10,000 judge): ctgan 0.12.1 learns as
it does by default; then tenfold is given 1/32, 1/16, 1/10 and 1/8 of that time, until a logistic model and
boosting that were trained on its rows are together as good on the 10,000 as those trained on ctgan's. Seconds
are those of the whole call of fit, each in a process of its own, libraries loaded. Bars: at least 8 times
faster; all 32,561 rows in 300 s; `tenfold sample` writes 1,000,000 rows in 60 s, in no more than 100 MB
beyond what 100,000 take; a table of 1,000,000 rows and 40 columns is learnt from within 6,000 MB."""
SHARES = (32, 16, 10, 8)  # the peer's time, divided by these
SEEDS = {2_000: (0, 1, 2), 22_561: (0,)}
FASTER, MINUTES, WRITING, GROWTH, LARGEST = 8, 300, 60, 100, 6_000
LARGE = (1_000_000, 28, 12)  # rows, columns of numbers, columns of labels
ALL = 32_561
FOLDER = Path(tempfile.gettempdir()) / "tenfold-table-speed"


def main() -> None:
    """One measurement after the other; each is kept when it is done."""
    given = arguments(__doc__ or "").parse_args()
    also = [Path(__file__).with_name(name) for name in ("adult.py", "peers.py")]
    also += [SOURCE / "tenfold" / "recipes" / "tabular.py", *(SOURCE / "tenfold" / "cli").glob("*.py")]
    record = Record(__file__, QUESTION, seeds=SEEDS[2_000], quick=given.quick, also=also)
    epochs = 2 if given.quick else peers.EPOCHS
    for count, seeds in SEEDS.items():
        if not peers.installed():
            say(f"{count:,} rows: {peers.missing()}")
            continue
        for seed in seeds[:1] if given.quick else seeds:
            work = lambda n=count, s=seed: raced(n, s, epochs)
            record.measure(f"{count:,} rows, seed {seed}", work, [peers.installed(), epochs])
    budget = "5s" if given.quick else "290s"
    record.measure("five minutes", lambda: in_five_minutes(budget), budget)
    sizes = [1_000, 10_000] if given.quick else [100_000, 1_000_000]
    record.measure("sampling", lambda: sampling(sizes), sizes)
    shape = [10_000, 5, 3] if given.quick else list(LARGE)
    record.measure("large", lambda: child(__file__, "large", "60s", *map(str, shape)), shape)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def raced(count: int, seed: int, epochs: int) -> dict[str, Any]:
    """CTGAN, and then tenfold with ever more of its time, until its rows teach as much."""
    parts = adult.parts(seed, count)
    peer = peers.learnt("CTGAN", parts.train, count, seed=seed, epochs=epochs)
    needed = adult.utility(parts, peer.rows, seed)
    found: dict[str, Any] = {"peer_s": peer.fit_s, "peer_mb": peer.peak_mb, "peer": needed, "tried": []}
    for share in SHARES:
        budget = f"{max(1.0, peer.fit_s / share):.1f}s"
        ours = child(__file__, "learn", str(count), str(seed), budget)
        found["tried"].append({"share": share, "budget": budget, **ours})
        say(f"  1/{share} of {peer.fit_s} s: {ours}")
        if together(ours["utility"]) >= together(needed):
            break
    return found


def together(utility: dict[str, float]) -> float:
    """Both models' areas in one number."""
    return sum(utility.values()) / len(utility)


def in_five_minutes(budget: str) -> dict[str, Any]:
    """All rows; and all but those that judge, to see what that time is good for."""
    whole = child(__file__, "learn", str(ALL), "0", budget)
    judged = child(__file__, "learn", "22561", "0", budget)
    parts = adult.parts(0, 22_561)
    return {"whole": whole, "judged": judged, "real": adult.utility(parts, parts.train, 0)}


def sampling(sizes: list[int]) -> dict[str, Any]:
    """How long rows take, and how much memory, for two numbers of them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    child(__file__, "learn", str(ALL), "0", "30s", str(FOLDER / "run"))
    found = [{"rows": n, **child(__file__, "write", str(FOLDER / "run"), str(n))} for n in sizes]
    shutil.rmtree(FOLDER, ignore_errors=True)
    return {"sizes": found}


def part(what: str, *words: str) -> dict[str, Any]:
    """What a process of its own is asked for."""
    if what == "learn":
        return learn(int(words[0]), int(words[1]), words[2], *words[3:])
    if what == "write":
        return write(words[0], int(words[1]))
    return large(words[0], *map(int, words[1:]))


def learn(count: int, seed: int, budget: str, out: str | None = None) -> dict[str, Any]:
    """Fit to rows of Adult; seconds, memory, and what the rows that are made teach."""
    import tenfold

    load()
    parts = None if count == ALL else adult.parts(seed, count)
    train = adult.table() if parts is None else parts.train
    options = tenfold.Options(target=adult.TARGET, quiet=True)
    with tempfile.TemporaryDirectory() as temporary:
        begun = perf_counter()
        run = tenfold.fit(
            train, "tabular", budget=budget, out=out or f"{temporary}/run", seed=seed, options=options
        )
        found: dict[str, Any] = {"seconds": round(perf_counter() - begun, 2), "peak_mb": held_mb()}
        if parts is not None:
            found["utility"] = adult.utility(parts, run.sample(count, seed=seed), seed)
    return found


def write(run: str, count: int) -> dict[str, Any]:
    """The command that writes rows to a file; seconds are those of all that it does, but for imports."""
    from tenfold.cli.__main__ import main as command

    load()
    path = Path(run).with_name("made.csv")
    begun = perf_counter()
    code = command(["sample", run, "-n", str(count), "--out", str(path)])
    seconds = perf_counter() - begun
    with path.open() as file:
        lines = sum(1 for _ in file)
    path.unlink()
    if code or lines != count + 1:
        raise SystemExit(f"tenfold sample ended with {code} and wrote {lines:,} lines.")
    return {"seconds": round(seconds, 1), "peak_mb": held_mb()}


def large(budget: str, count: int, numbers: int, labels: int) -> dict[str, Any]:
    """Fit to a large table in memory; the table itself is counted."""
    import tenfold

    load()
    known = made_up(count, numbers, labels)
    frame_mb = held_mb()
    with tempfile.TemporaryDirectory() as temporary:
        begun = perf_counter()
        options = tenfold.Options(quiet=True)
        run = tenfold.fit(known, "tabular", budget=budget, out=f"{temporary}/run", options=options)
        seconds = round(perf_counter() - begun, 1)
        run.sample(1000)
    return {"seconds": seconds, "frame_mb": frame_mb, "peak_mb": held_mb()}


def made_up(count: int, numbers: int, labels: int) -> Any:
    """A table whose columns hang together by five causes: skewed numbers, labels of three to forty kinds."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    causes = random.standard_normal((count, 5), dtype=np.float32)
    columns: dict[str, Any] = {}
    for i in range(numbers):
        noise = random.standard_normal(count, dtype=np.float32)
        x = (causes @ random.standard_normal(5, dtype=np.float32) + noise).astype(np.float64)
        columns[f"number{i}"] = np.exp(x / 2) if i % 3 == 0 else np.rint(10 * x) if i % 3 == 1 else x
    for i in range(labels):
        kinds = 3 + 37 * i // max(1, labels - 1)
        x = causes @ random.standard_normal(5, dtype=np.float32)
        place = np.searchsorted(np.quantile(x, np.linspace(0, 1, kinds + 1)[1:-1]), x)
        columns[f"label{i}"] = np.array([f"kind {k}" for k in range(kinds)], object)[place]
    return pd.DataFrame(columns)


def load() -> None:
    """Whatever is imported once is imported now, as it is for the peer."""
    import pandas  # noqa: F401
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.mixture  # noqa: F401
    import torch  # noqa: F401

    import tenfold.fitting
    import tenfold.recipes  # noqa: F401


def held_mb() -> float:
    """The most that this process ever held, in MB; of its own, which `ru_maxrss` after a fork is not."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6, 1)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table = [race(count, seeds, found) for count, seeds in SEEDS.items()]
    table += [waited(found["five minutes"]), *written(found["sampling"]["sizes"]), held(found["large"])]
    return [line for line in table if line]


def race(count: int, seeds: tuple[int, ...], found: dict[str, Any]) -> dict[str, object]:
    """One size beside CTGAN, medians over the seeds; nothing if there is no peer."""
    known = [found[key] for seed in seeds if (key := f"{count:,} rows, seed {seed}") in found]
    if not known:
        return {}
    ends = [result["tried"][-1] for result in known]
    good = [
        together(end["utility"]) >= together(result["peer"]) for end, result in zip(ends, known, strict=True)
    ]
    times = [result["peer_s"] / end["seconds"] for end, result in zip(ends, known, strict=True)]
    seconds, area = median(end["seconds"] for end in ends), median(together(e["utility"]) for e in ends)
    other_s, other = median(r["peer_s"] for r in known), median(together(r["peer"]) for r in known)
    asked = [("as good as ctgan, every seed", all(good)), (f"{FASTER} times", min(times) >= FASTER)]
    return {
        **blank(f"Adult, {count:,} rows"),
        "seconds": round(seconds, 1),
        "ctgan's": round(other_s, 1),
        "times faster": round(median(times), 1),
        "AUC": round(area, 3),
        "ctgan's AUC": round(other, 3),
        "peak MB": round(max(end["peak_mb"] for end in ends)),
        "bar": met(asked),
    }


def waited(result: dict[str, Any]) -> dict[str, object]:
    """All of Adult."""
    whole, judged = result["whole"], result["judged"]
    area, real = together(judged["utility"]), together(result["real"])
    return {
        **blank(f"Adult, {ALL:,} rows; AUC with 22,561, of real rows {real:.3f}"),
        "seconds": whole["seconds"],
        "AUC": round(area, 3),
        "peak MB": round(whole["peak_mb"]),
        "bar": met([(f"{MINUTES} s", whole["seconds"] <= MINUTES)]),
    }


def written(sizes: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Rows written to a file, for both numbers of them."""
    least, most = sizes[0], sizes[-1]
    growth = most["peak_mb"] - least["peak_mb"]
    asked = [
        (f"{WRITING} s", most["seconds"] <= WRITING),
        (f"{GROWTH} MB more ({growth:.0f})", growth <= GROWTH),
    ]
    return [
        {
            **blank(f"`tenfold sample -n {size['rows']}`"),
            "seconds": size["seconds"],
            "peak MB": round(size["peak_mb"]),
            "bar": met(asked) if size is most else "",
        }
        for size in sizes
    ]


def held(result: dict[str, Any]) -> dict[str, object]:
    """The large table."""
    rows_, numbers, labels = LARGE
    return {
        **blank(f"fit to {rows_:,} rows of {numbers + labels} columns"),
        "seconds": result["seconds"],
        "peak MB": round(result["peak_mb"]),
        "bar": met([(f"{LARGEST:,} MB", result["peak_mb"] <= LARGEST)]),
    }


def blank(what: str) -> dict[str, object]:
    """A line of the table before anything is filled in."""
    names = ("seconds", "ctgan's", "times faster", "AUC", "ctgan's AUC", "peak MB", "bar")
    return {"what": what, **dict.fromkeys(names, "")}


if __name__ == "__main__":
    entry(main, part)
