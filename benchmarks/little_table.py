"""What can be learnt of 2,000 people? Rows made of a small part of Adult, beside CTGAN, TVAE and SMOTE."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

import adult
import peers
from adult import Parts, met
from record import SOURCE, Record, arguments, say

QUESTION = """2,000 rows of Adult to learn from, as many made, five seeds, other rows with each; 10,000 others
judge a logistic model and boosting that learnt from what was made. Boosting tells made rows from 2,000 fresh
ones; copies, and distances to the training rows, stand beside those of the fresh rows. tenfold has a minute;
CTGAN and TVAE (ctgan 0.12.1, where it is installed) their 300 epochs. Bars, by medians: AUC at least .87
(logistic) and .86 (boosting), rows told from fresh ones less well than CTGAN's and TVAE's, no more exact
copies than among fresh rows, the nearest twentieth no nearer than theirs, C_T at least -3."""
SEEDS = (0, 1, 2, 3, 4)
PEERS = ("CTGAN", "TVAE")
LOGISTIC, BOOSTING, C_T = 0.87, 0.86, -3
Way = Callable[[Parts, int], tuple[pd.DataFrame, float]]
"""Parts and a seed to made rows and the seconds of learning."""


def main() -> None:
    """Every way with every seed."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="60s", help="of each run (60s)")
    given = parser.parse_args()
    also = [Path(__file__).with_name(name) for name in ("adult.py", "peers.py")]
    also.append(SOURCE / "tenfold" / "recipes" / "tabular.py")
    record = Record(__file__, QUESTION, seeds=SEEDS, quick=given.quick, also=also)
    found: dict[str, Any] = {}
    for seed in SEEDS[:1] if given.quick else SEEDS:
        for name, (way, setting) in ways(given.budget, given.quick).items():
            work = lambda w=way, s=seed: one(w, s)
            found[f"{name}, seed {seed}"] = record.measure(f"{name}, seed {seed}", work, setting)
    if not peers.installed():
        say(f"CTGAN and TVAE: {peers.missing()}")
    record.conclude(rows(found))


def ways(budget: str, quick: bool) -> dict[str, tuple[Way, object]]:
    """How rows come about, and what a measurement depends on beside the code."""
    budget, epochs = ("5s", 2) if quick else (budget, peers.EPOCHS)
    found: dict[str, tuple[Way, object]] = {
        "real": (lambda parts, seed: (parts.train, 0.0), None),
        "fresh real": (lambda parts, seed: (parts.fresh, 0.0), None),
        "tenfold": (lambda parts, seed: by_tenfold(parts, seed, budget), budget),
        "between rows (SMOTE)": (by_smote, None),
        "unrelated columns": (by_chance, None),
    }
    if peers.installed():
        for name in PEERS:
            work = lambda parts, seed, n=name: by_peer(n, parts, seed, epochs)
            found[name] = (work, [peers.installed(), epochs])
    return found


def one(way: Way, seed: int) -> dict[str, float]:
    """Make rows in one way, and judge them."""
    parts = adult.parts(seed, adult.LITTLE)
    made, seconds = way(parts, seed)
    return {**adult.judged(parts, made, seed), "seconds": round(seconds, 1)}


def by_tenfold(parts: Parts, seed: int, budget: str) -> tuple[pd.DataFrame, float]:
    """The recipe for tables, with the target named."""
    import tenfold

    out = Path(tempfile.gettempdir()) / "tenfold-little-table" / str(seed)
    shutil.rmtree(out, ignore_errors=True)
    options = tenfold.Options(target=adult.TARGET, quiet=True)
    run = tenfold.fit(parts.train, "tabular", budget=budget, out=out, seed=seed, options=options)
    return run.sample(len(parts.train), seed=seed), run.facts["seconds"]


def by_peer(name: str, parts: Parts, seed: int, epochs: int) -> tuple[pd.DataFrame, float]:
    """CTGAN or TVAE as they are."""
    found = peers.learnt(name, parts.train, len(parts.train), seed=seed, epochs=epochs)
    return found.rows, found.fit_s


def by_smote(parts: Parts, seed: int) -> tuple[pd.DataFrame, float]:
    """Rows between a row and a near one of its class."""
    return peers.between(parts.train, len(parts.train), adult.TARGET, seed), 0.0


def by_chance(parts: Parts, seed: int) -> tuple[pd.DataFrame, float]:
    """Every column on its own."""
    return peers.unrelated(parts.train, len(parts.train), seed), 0.0


def rows(found: Mapping[str, Mapping[str, float]]) -> list[dict[str, object]]:
    """The table: medians over the seeds, and from where to where the two areas go."""
    by_name: dict[str, list[Mapping[str, float]]] = {}
    for key, result in found.items():
        by_name.setdefault(key.rpartition(", ")[0], []).append(result)
    middle = {name: of_all(results) for name, results in by_name.items()}
    return [
        {
            "rows": name,
            "seeds": len(by_name[name]),
            "logistic AUC": ranged("logistic", by_name[name]),
            "boosting AUC": ranged("boosting", by_name[name]),
            "told from fresh rows, AUC": f"{here['detector']:.3f}",
            "exact copies": f"{here['exact_copies']:.2%}",
            "nearest twentieth": f"{here['fifth']:.3f}",
            "nearest to second nearest": f"{here['ratio']:.2f}",
            "C_T": f"{here['c_t']:.1f}",
            "membership AUC": f"{here['membership']:.3f}",
            "seconds": here["seconds"] or "",
            "bar": bar(middle) if name == "tenfold" else "",
        }
        for name, here in middle.items()
    ]


def of_all(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Medians."""
    return {name: median(result[name] for result in results) for name in results[0]}


def ranged(name: str, results: Sequence[Mapping[str, float]]) -> str:
    """The median of a number, and its ends."""
    values = [result[name] for result in results]
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def bar(middle: Mapping[str, Mapping[str, float]]) -> str:
    """What was asked, and whether it was met."""
    ours, fresh = middle["tenfold"], middle["fresh real"]
    asked = [
        (f"logistic {LOGISTIC}", ours["logistic"] >= LOGISTIC),
        (f"boosting {BOOSTING}", ours["boosting"] >= BOOSTING),
        ("exact copies", ours["exact_copies"] <= fresh["exact_copies"]),
        ("nearest twentieth", ours["fifth"] >= fresh["fifth"]),
        (f"C_T {C_T}", ours["c_t"] >= C_T),
    ]
    told = [
        (f"told less than {n}", ours["detector"] < middle[n]["detector"] if n in middle else None)
        for n in PEERS
    ]
    return met([*asked, *told])


if __name__ == "__main__":
    main()
