"""Does the automatic policy help where there are few images? Fashion-MNIST with 100 and with 1,000."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from judge import Judge, some
from record import Record, arguments, child, entry, medians
from tenfold.metrics.memory import c_t

QUESTION = """r3gan --preset small on 100 and on 1,000 images of Fashion-MNIST, without augmentation and with
what is chosen from the data, 8 minutes each, three seeds at 1,000; tenfold holds out a part of these to
choose the best checkpoint by. At the end and at that checkpoint: kernel distance to test images,
and C_T against the images that were trained on. Bars at 1,000, at the end: a kernel distance lower by 30 %,
and a C_T that is no worse: not below -3, which speaks of copies, where it is higher without."""
SIZES = {100: (0,), 1000: (0, 1, 2)}
POLICIES = ("none", "auto")
COMPARED = 2000


def main() -> None:
    """Train every case; what was measured with this code is not measured again."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="8m", help="of each run (8m)")
    given = parser.parse_args()
    files = [Path(__file__).with_name("judge.py")]
    record = Record(__file__, QUESTION, seeds=[0, 1, 2], quick=given.quick, also=files)
    budget, n = ("8s", 300) if given.quick else (given.budget, COMPARED)
    judge = Judge("fashion-mnist", n, 20 if given.quick else None)
    record.measure("reference", judge.reference, n)
    for size, seeds in SIZES.items():
        for seed in seeds[:1] if given.quick else seeds:
            for policy in POLICIES:
                key = f"{size}-{policy}-{seed}"
                work = lambda s=size, p=policy, k=seed: one(judge, s, p, k, budget, record.folder)
                record.measure(key, work, [budget, n])
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def one(judge: Judge, size: int, policy: str, seed: int, budget: str, folder: Path) -> dict[str, Any]:
    """Train in a process of its own; judge the last sampler and the best."""
    from tenfold.run import load

    out = Path(tempfile.gettempdir()) / "tenfold-little" / f"{size}-{policy}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    data = out.with_suffix(".npz")
    chosen = np.random.default_rng(seed).permutation(len(judge.data.train))[:size]
    assert judge.data.train.labels is not None
    np.savez(data, images=judge.data.train.values[np.sort(chosen)])
    child(__file__, str(data), policy, str(seed), budget, str(out))
    run = load(out)
    sheets = folder / "sheets"
    sheets.mkdir(exist_ok=True)
    run.sample(64).grid(sheets / f"little-{out.name}.png")
    found: dict[str, Any] = {"best": judged(judge, run), "health": run.facts["health"]["verdict"]}
    found |= {"seen": run.facts["seen"], "training_s": run.facts["seconds"]}
    shutil.rmtree(out / "best", ignore_errors=True)  # what is left is the last
    return found | {"end": judged(judge, load(out))}


def judged(judge: Judge, run: Any) -> dict[str, float]:
    """Against test images; and whether samples lie nearer to training images than test images do."""
    values = run.sample(judge.n, seed=1).values
    from tenfold.data import open_data
    from tenfold.enlarging import opened_by
    from tenfold.fitting import source_of

    train = open_data(source_of(run, None), opened_by(run)).train
    learnt = some(train, len(train))["real"]
    features = judge.classifier.features
    copying = c_t(features(learnt), judge.real, features(values))
    return {**judge.compare(values), "c_t": round(copying.z, 2)}


def train(data: str, policy: str, seed: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    changes = {"augment": "none", "lecam": 0.0} if policy == "none" else {}
    recipe = make_recipe("r3gan", changes, "small")
    tenfold.fit(data, recipe, budget=budget, out=out, seed=int(seed), options=tenfold.Options(quiet=True))


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table: medians over seeds."""
    table: list[dict[str, object]] = []
    for size in SIZES:
        for policy in POLICIES:
            cases = [item for key, item in found.items() if key.startswith(f"{size}-{policy}-")]
            for when in ("end", "best"):
                if cases:
                    middle = medians([case[when] for case in cases])
                    line = {"images": size, "augmentation": policy, "sampler": when, "seeds": len(cases)}
                    table.append({**line, **middle, "against none": against_none(found, size, policy, when)})
    return table


def against_none(found: dict[str, Any], size: int, policy: str, when: str) -> str:
    """How much lower the distance is than without augmentation, seed by seed; and whether C_T is no worse."""
    if policy == "none":
        return ""
    pairs = [(found.get(f"{size}-{policy}-{s}"), found.get(f"{size}-none-{s}")) for s in SIZES[size]]
    both = [(a[when], b[when]) for a, b in pairs if a and b]
    lower = [1 - a["kernel_distance"] / b["kernel_distance"] for a, b in both]
    copies = sum(a["c_t"] < min(b["c_t"], -3) for a, b in both)
    return f"{', '.join(f'{x:.0%}' for x in lower)} lower; C_T worse in {copies} of {len(both)}"


if __name__ == "__main__":
    entry(main, train)
