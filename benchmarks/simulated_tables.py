"""Does the generator of rows find every mode of three simulated tables, and nothing between them?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from jaxtyping import Float

import peers
from adult import met
from record import SOURCE, Record, arguments, say

QUESTION = """SDGym's mixtures: 25 centres two apart (grid), the same centres each moved by up to a half
(gridr), 8 centres on the unit circle (ring), every one with a variance of .05; 10,000 rows to learn from for
60 s, 10,000 that judge, three seeds. Mixtures of 10 and of 30 normal distributions, fitted to the test rows,
say how likely made rows are (L_syn); fitted to the made rows, how likely test rows are (L_test). Bars on
every seed: L_syn -3.55, -3.90, -1.85, L_test -3.55, -3.70, -1.85, every mode (at least a tenth of its share,
within three standard deviations). Beside it the training rows themselves, and ctgan 0.12.1 where it is
installed, with the first seed."""
BARS = {"grid": (-3.55, -3.55), "gridr": (-3.90, -3.70), "ring": (-1.85, -1.85)}
SEEDS = (0, 1, 2)
ROWS, SPREAD = 10_000, 0.05**0.5
PARTS = (10, 30)  # of the mixtures that judge
Points = Float[np.ndarray, "n 2"]


def main() -> None:
    """Every set with every seed."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="60s", help="of each run (60s)")
    parser.add_argument("--sets", nargs="+", choices=BARS, default=list(BARS), help="only these")
    given = parser.parse_args()
    also = [Path(__file__).with_name(name) for name in ("adult.py", "peers.py")]
    also.append(SOURCE / "tenfold" / "recipes" / "tabular.py")
    record = Record(__file__, QUESTION, seeds=SEEDS, quick=given.quick, also=also)
    budget, rows_each = ("5s", 1000) if given.quick else (given.budget, ROWS)
    for name in given.sets:
        for seed in SEEDS:
            setting = [budget, rows_each]
            work = lambda n=name, s=seed: by_tenfold(n, s, budget, rows_each)
            record.measure(f"{name}, tenfold, seed {seed}", work, setting)
            work = lambda n=name, s=seed: by_nobody(n, s, rows_each)
            record.measure(f"{name}, training rows, seed {seed}", work, rows_each)
        if peers.installed():
            epochs = 2 if given.quick else peers.EPOCHS
            work = lambda n=name, e=epochs: by_ctgan(n, SEEDS[0], rows_each, e)
            record.measure(f"{name}, ctgan, seed {SEEDS[0]}", work, [peers.installed(), rows_each, epochs])
        else:
            say(f"{name}, ctgan: {peers.missing()}")
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def centres_of(name: str, seed: int) -> Points:
    """Where the modes are."""
    if name == "ring":
        angles = 2 * np.pi * np.arange(8) / 8
        return np.stack([np.cos(angles), np.sin(angles)], 1)
    line = np.arange(-4.0, 5.0, 2.0)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    moved = np.random.default_rng([seed, 1]).uniform(-0.5, 0.5, grid.shape)
    return grid + moved if name == "gridr" else grid


def drawn(name: str, seed: int, count: int) -> tuple[Points, Points]:
    """Rows to learn from, and as many that judge."""
    random, centres = np.random.default_rng([seed, 0]), centres_of(name, seed)
    modes = random.integers(len(centres), size=2 * count)
    points = centres[modes] + random.normal(0, SPREAD, (2 * count, 2))
    return points[:count], points[count:]


def framed(points: Points) -> Any:
    """The same as a table of two columns."""
    import pandas as pd

    return pd.DataFrame(points, columns=["x", "y"])


def by_tenfold(name: str, seed: int, budget: str, count: int) -> dict[str, Any]:
    """Train, make as many rows, judge them."""
    import tenfold

    train, test = drawn(name, seed, count)
    out = Path(tempfile.gettempdir()) / "tenfold-simulated" / f"{name}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    begun = perf_counter()
    options = tenfold.Options(quiet=True)
    run = tenfold.fit(framed(train), "tabular", budget=budget, out=out, seed=seed, options=options)
    seconds = perf_counter() - begun
    made = run.sample(count, seed=seed)[["x", "y"]].to_numpy(np.float64)
    facts = {"seconds": round(seconds, 1), "seen": run.facts["seen"]}
    return {**judged(made, test, name, seed), **facts}


def by_nobody(name: str, seed: int, count: int) -> dict[str, Any]:
    """The training rows in the place of made ones: as good as can be."""
    train, test = drawn(name, seed, count)
    return judged(train, test, name, seed)


def by_ctgan(name: str, seed: int, count: int, epochs: int) -> dict[str, Any]:
    """The same of CTGAN with its own settings."""
    train, test = drawn(name, seed, count)
    found = peers.learnt("CTGAN", framed(train), count, seed=seed, epochs=epochs)
    made = found.rows[["x", "y"]].to_numpy(np.float64)
    return {**judged(made, test, name, seed), "seconds": found.fit_s}


def judged(made: Points, test: Points, name: str, seed: int) -> dict[str, float]:
    """Every number of some rows."""
    centres = centres_of(name, seed)
    squared = np.square(made[:, None] - centres).sum(2)
    log_density = np.logaddexp.reduce(-squared / (2 * SPREAD**2), axis=1) - np.log(len(centres))
    near = squared.min(1) <= (3 * SPREAD) ** 2
    counts = np.bincount(squared.argmin(1)[near], minlength=len(centres))
    found = {
        **likelihoods(made, test, seed),
        "exact": float((log_density - np.log(2 * np.pi * SPREAD**2)).mean()),
        "within": float(near.mean()),
    }
    modes = int((counts >= 0.1 * len(made) / len(centres)).sum())
    return {**{key: round(value, 4) for key, value in found.items()}, "modes": modes, "of": len(centres)}


def likelihoods(made: Points, test: Points, seed: int) -> dict[str, float]:
    """Mean log-likelihood of made rows by mixtures of the test rows, and the other way round."""
    from sklearn.mixture import GaussianMixture

    def score(known: Points, rows: Points) -> float:
        fits = [GaussianMixture(k, covariance_type="diag", random_state=seed).fit(known) for k in PARTS]
        return float(np.mean([fit.score(rows) for fit in fits]))

    return {"l_syn": score(test, made), "l_test": score(made, test)}


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key in sorted(found, key=lambda key: (list(BARS).index(key.split(",")[0]), key.split(", ")[1:])):
        result, (name, what, seed) = found[key], key.split(", ")
        table.append(
            {
                "set": name,
                "rows made by": what,
                "seed": seed.removeprefix("seed "),
                "L_syn": round(result["l_syn"], 3),
                "L_test": round(result["l_test"], 3),
                "exact": round(result["exact"], 3),
                "modes": f"{result['modes']} of {result['of']}",
                "within three sigma": f"{result['within']:.1%}",
                "seconds": result.get("seconds", ""),
                "bar": bar(name, result) if what == "tenfold" else "",
            }
        )
    return table


def bar(name: str, result: dict[str, Any]) -> str:
    """What was asked of a set, and whether it was met."""
    syn, test = BARS[name]
    return met(
        [
            (f"L_syn {syn:.2f}", result["l_syn"] >= syn),
            (f"L_test {test:.2f}", result["l_test"] >= test),
            ("every mode", result["modes"] == result["of"]),
        ]
    )


if __name__ == "__main__":
    main()
