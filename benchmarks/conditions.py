"""Do rows of Adult have what was asked of them, and does the rest of the row go with it?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

import adult
import peers
from adult import met
from record import SOURCE, Record, arguments, say

QUESTION = """All 32,561 rows of Adult, 5 minutes. Every label that 500 rows have is asked for, and of every
two columns of labels up to five pairs that 500 rows have; of all labels, rare ones too, the mean is told
without a bar. Bars: at least 95 % of rows have what was asked before anything is set (the worst label of each
column, the worst pair), and all have it after; every other column, given what was asked, is within .05 total
variation of the real rows, numbers in tenths and values of their own. Rows that were drawn anew from the real
ones would not always be within that, so it is also told what is within .05 and chance. Beside it ctgan 0.12.1
where it is installed, with 2,000 rows."""
BUDGET, SEED = "5m", 0
FREQUENT, MADE, MADE_OF_PAIRS, MADE_OF_RARE, EACH = 500, 20_000, 10_000, 500, 5
OWN, NEAR = 0.95, 0.05
MASS = 0.05  # share of rows from which on a number counts as a value of its own
Binning = Callable[[Any], Int[np.ndarray, " n"]]


def main() -> None:
    """Ask for everything."""
    given = arguments(__doc__ or "").parse_args()
    also = [Path(__file__).with_name(name) for name in ("adult.py", "peers.py")]
    also.append(SOURCE / "tenfold" / "recipes" / "tabular.py")
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    budget = "10s" if given.quick else BUDGET
    found = {"tenfold": record.measure("tenfold", lambda: by_tenfold(budget, given.quick), budget)}
    if peers.installed():
        epochs = 2 if given.quick else peers.EPOCHS
        found["ctgan"] = record.measure("ctgan", lambda: by_ctgan(epochs), [peers.installed(), epochs])
    else:
        say(f"ctgan: {peers.missing()}")
    record.conclude(rows(found))


def labels(table: pd.DataFrame, least: int = 1, most: int | None = None) -> list[dict[str, str]]:
    """Every label, as a condition, that so many rows have."""
    counts = {name: table[name].value_counts() for name in peers.labels_of(table)}
    return [
        {name: str(label)}
        for name, times in counts.items()
        for label, count in times.items()
        if count >= least and (most is None or count <= most)
    ]


def pairs(table: pd.DataFrame) -> list[dict[str, str]]:
    """Of every two columns of labels up to five pairs that are frequent, from the most to the least so."""
    found: list[dict[str, str]] = []
    for one, other in combinations(peers.labels_of(table), 2):
        times = table.groupby([one, other]).size()
        frequent = list(times[times >= FREQUENT].sort_values(ascending=False).index)
        for place in sorted(
            {*np.linspace(0, len(frequent) - 1, EACH).astype(int).tolist()} if frequent else ()
        ):
            found.append({one: str(frequent[place][0]), other: str(frequent[place][1])})
    return found


def by_tenfold(budget: str, quick: bool) -> dict[str, Any]:
    """Train once, ask for every label and pair."""
    import tenfold

    table = adult.table()
    out = Path(tempfile.gettempdir()) / "tenfold-conditions"
    shutil.rmtree(out, ignore_errors=True)
    options = tenfold.Options(target=adult.TARGET, quiet=True)
    run = tenfold.fit(table, "tabular", budget=budget, out=out, seed=SEED, options=options)
    bins = {name: binning(table[name]) for name in table.columns}
    some = slice(None, None, 20 if quick else 1)
    found: dict[str, Any] = {
        "labels": [judged(run, table, bins, asked, MADE) for asked in labels(table, FREQUENT)[some]],
        "pairs": [judged(run, table, bins, asked, MADE_OF_PAIRS) for asked in pairs(table)[some]],
        "rare": [
            {"asked": asked, "raw": share_of(raw_rows(run, asked, MADE_OF_RARE), asked)}
            for asked in labels(table, most=FREQUENT - 1)[some]
        ],
    }
    wide = run.sample(MADE, conditions={"age": (30, 40), "income": ">50K"}, seed=SEED)
    good = wide["age"].between(30, 40) & (wide["income"] == ">50K")
    return {**found, "range": float(good.mean()), "seconds": run.facts["seconds"]}


def by_ctgan(epochs: int) -> dict[str, Any]:
    """The same labels, asked of CTGAN with 2,000 rows."""
    asked = labels(adult.table(), FREQUENT)
    train = adult.parts(SEED, adult.LITTLE).train
    known = [one for one in asked if (train[next(iter(one))] == next(iter(one.values()))).any()]
    conditions = [next(iter(one.items())) for one in known]
    found = peers.learnt("CTGAN", train, 2_000, seed=SEED, epochs=epochs, conditions=conditions)
    shares = zip(known, found.satisfied, strict=True)
    return {"labels": [{"asked": one, "raw": share} for one, share in shares], "seconds": found.fit_s}


def raw_rows(run: Any, asked: Mapping[str, str], count: int) -> pd.DataFrame:
    """What the generator itself makes of what is asked."""
    return run.sample(count, conditions=dict(asked), seed=SEED, raw=True)


def share_of(made: pd.DataFrame, asked: Mapping[str, str]) -> float:
    """Of some rows, the share that has what was asked."""
    good = np.all([made[name].astype(str) == label for name, label in asked.items()], axis=0)
    return float(good.mean())


def judged(
    run: Any, table: pd.DataFrame, bins: Mapping[str, Binning], asked: Mapping[str, str], count: int
) -> dict[str, Any]:
    """How often rows are as asked, before and after, and how the other columns are distributed then."""
    made = run.sample(count, conditions=dict(asked), seed=SEED)
    real = table[np.all([table[name] == label for name, label in asked.items()], axis=0)]
    far = {name: variation(bins[name], real[name], made[name]) for name in table.columns if name not in asked}
    worst = max(far, key=lambda name: far[name][0])
    return {
        "asked": asked,
        "real": len(real),
        "raw": share_of(raw_rows(run, asked, count), asked),
        "set": share_of(made, asked),
        "columns": len(far),
        "within": sum(found <= NEAR for found, _ in far.values()),
        "within_chance": sum(found <= NEAR + chance for found, chance in far.values()),
        "worst": [worst, *(round(x, 4) for x in far[worst])],
    }


def binning(column: pd.Series[Any]) -> Binning:
    """What tells a column's values apart: labels, numbers that many rows share, and tenths of the others."""
    if not pd.api.types.is_numeric_dtype(column):
        known = pd.Index(sorted(column.unique()))
        return lambda x: known.get_indexer(x.astype(str)).astype(np.int64) + 1
    shares = column.value_counts(normalize=True)
    masses = np.sort(shares.index[shares >= MASS].to_numpy())
    others = column[~column.isin(masses)]
    edges = np.unique(np.quantile(others, np.linspace(0.1, 0.9, 9))) if len(others) else np.zeros(0)

    def bins(x: pd.Series[Any]) -> Int[np.ndarray, " n"]:
        values = x.to_numpy(np.float64)
        place = np.searchsorted(edges, values, side="right")
        own = np.isin(values, masses)
        return np.where(own, len(edges) + 1 + np.searchsorted(masses, values), place)

    return bins


def variation(bins: Binning, real: pd.Series[Any], made: pd.Series[Any]) -> tuple[float, float]:
    """Total variation of two columns, and of as many values that are drawn from one distribution."""
    found, expected = bins(made), bins(real)
    width = int(max(found.max(), expected.max())) + 1
    p, q = (np.bincount(x, minlength=width) / len(x) for x in (found, expected))
    random = np.random.default_rng(SEED)
    draws = [random.multinomial(len(x), q, 100) / len(x) for x in (found, expected)]
    return total(p - q), total(draws[0] - draws[1])


def total(gaps: Float[np.ndarray, "... k"]) -> float:
    """Half the sum of differences of shares; a mean where there are several."""
    return float(np.abs(gaps).sum(-1).mean() / 2)


def rows(found: Mapping[str, Any]) -> list[dict[str, object]]:
    """The table: a line for each column of labels, for pairs, and for CTGAN."""
    ours, peer = found["tenfold"], found.get("ctgan")
    names = list(dict.fromkeys(next(iter(one["asked"])) for one in ours["labels"]))
    table = [
        line(
            f"{name}, {len(of(ours['labels'], name))} labels",
            of(ours["labels"], name),
            of([*ours["labels"], *ours["rare"]], name),
            [] if peer is None else of(peer["labels"], name),
        )
        for name in names
    ]
    table.append(line(f"{len(ours['pairs'])} pairs of labels", ours["pairs"], ours["pairs"], []))
    all_in = met([("all after", ours["range"] == 1)])
    blank = dict.fromkeys(list(table[0])[1:], "")
    last = {"all have it after": f"{ours['range']:.2%}", "bar": all_in}
    return [*table, {"asked for": "age from 30 to 40, income >50K", **blank, **last}]


def of(results: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """Those that ask for a label of one column."""
    return [one for one in results if list(one["asked"]) == [name]]


def line(
    what: str,
    results: Sequence[Mapping[str, Any]],
    every: Sequence[Mapping[str, Any]],
    peer: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    """What was asked, how it fared at its worst, and on the whole."""
    least, columns = min(one["raw"] for one in results), sum(one["columns"] for one in results)
    after = min(one["set"] for one in results)
    within, chance = (sum(one[key] for one in results) / columns for key in ("within", "within_chance"))
    worst = max(results, key=lambda one: one["worst"][1])
    given, (column, far, by_chance) = " and ".join(worst["asked"].values()), worst["worst"]
    asked = [
        (f"{OWN:.0%} of its own accord", least >= OWN),
        ("all after", after == 1),
        (f"within {NEAR}", within == 1),
        (f"within {NEAR} and chance", chance == 1),
    ]
    return {
        "asked for": what,
        "have it of their own accord, at worst": f"{least:.1%}",
        "mean of all labels": f"{np.mean([one['raw'] for one in every]):.1%}",
        "all have it after": f"{after:.2%}",
        "of ctgan's, at worst": f"{min(one['raw'] for one in peer):.1%}" if peer else "",
        "other columns within .05": f"{within:.1%}",
        "within .05 and chance": f"{chance:.1%}",
        "farthest (by chance)": f"{column} given {given}: {far:.3f} ({by_chance:.3f})",
        "bar": met(asked),
    }


if __name__ == "__main__":
    main()
