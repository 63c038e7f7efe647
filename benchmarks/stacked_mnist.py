"""How many of a thousand modes are found: a digit in each colour channel, counted as PacGAN does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from judge import Judge
from record import Record, arguments, child, entry

QUESTION = """StackedMNIST: 128,000 training images of three random digits, 26,000 samples, their modes
counted by a classifier of single digits that is right for at least 99 % of test images; KL of the samples'
modes against the training images'. Bars: r3gan --preset small finds 1,000 modes with a KL of at most .08 in
15 minutes; with a
quarter of the discriminator's width at least 980, and half of the KL of dcgan with as small a one."""
SEED, IMAGES, SAMPLES, MODES = 0, 128_000, 26_000, 1000
CASES = {
    "r3gan": ("r3gan", False),
    "r3gan, quarter D": ("r3gan", True),
    "dcgan": ("dcgan", False),
    "dcgan, quarter D": ("dcgan", True),
}
"""Recipe, and whether the discriminator has a quarter of the width."""
BARS = {"r3gan": "1,000 modes, KL at most .08", "r3gan, quarter D": "980 modes, half of dcgan's KL"}


def main() -> None:
    """Train each once, and count."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="15m", help="of each run (15m)")
    parser.add_argument("--only", nargs="+", choices=CASES, help="only these")
    given = parser.parse_args()
    files = [Path(__file__).with_name("judge.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget, images, samples = ("10s", 4000, 1000) if given.quick else (given.budget, IMAGES, SAMPLES)
    judge = Judge("mnist", kimg=20 if given.quick else None)
    right = record.measure("judge", lambda: test_accuracy(judge), given.quick)
    if not given.quick and right < 0.99:
        raise SystemExit(f"the judge is right for {right:.1%} of test images; 99 % are needed.")
    for key in given.only or CASES:
        work = lambda k=key: counted(judge, k, budget, images, samples, record.folder)
        record.measure(key, work, [budget, images, samples])
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def test_accuracy(judge: Judge) -> float:
    """Of the classifier that counts."""
    every = judge.test.gather(np.arange(len(judge.test)))
    return judge.label_accuracy(every)


def stacked(judge: Judge, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, h, w, 3)`, and the mode of each."""
    digits = judge.data.train
    assert digits.labels is not None
    chosen = np.random.default_rng(SEED).integers(len(digits), size=(n, 3))
    values = np.asarray(digits.values)[:, 0]
    return np.stack([values[chosen[:, i]] for i in range(3)], 3), digits.labels[chosen] @ [100, 10, 1]


def counted(judge: Judge, key: str, budget: str, images: int, samples: int, folder: Path) -> dict[str, Any]:
    """Train in a process of its own, sample, classify each channel."""
    from tenfold.run import load

    out = Path(tempfile.gettempdir()) / "tenfold-stacked" / key.replace(", ", "-").replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    data = out.parent / f"stacked-{images}.npy"
    values, modes = stacked(judge, images)
    if not data.is_file():
        data.parent.mkdir(parents=True, exist_ok=True)
        np.save(data, values)
    child(__file__, key, budget, str(data), str(out))
    run = load(out)
    (folder / "sheets").mkdir(exist_ok=True)
    run.sample(64).grid(folder / "sheets" / f"stacked-mnist-{out.name}.png")
    found = np.zeros(MODES)
    for first in range(0, samples, 1000):
        block = run.sample(min(1000, samples - first), seed=1, first=first).values
        seen = torch.stack([judge.classifier.predict(block[:, i : i + 1]) for i in range(3)], 1)
        np.add.at(found, seen.numpy() @ [100, 10, 1], 1)
    true = np.bincount(modes, minlength=MODES)
    kl, facts = divergence(found, true), {"seen": run.facts["seen"], "training_s": run.facts["seconds"]}
    return {"modes": int((found > 0).sum()), "kl": kl, **facts}


def divergence(found: np.ndarray, true: np.ndarray) -> float:
    """Kullback-Leibler divergence of the samples' modes from the training images'."""
    p, q = found / found.sum(), true / true.sum()
    there = p > 0
    return round(float((p[there] * np.log(p[there] / np.maximum(q[there], 1e-12))).sum()), 4)


def train(key: str, budget: str, data: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.budget import seconds_of
    from tenfold.data import open_data
    from tenfold.recipe import make_recipe
    from tenfold.settings import resolve

    name, quarter = CASES[key]
    recipe: Any = make_recipe(name, {}, "small")
    if quarter:
        settled: Any = resolve(recipe, open_data(data).spec, seconds_of(budget))[0]
        recipe = make_recipe(name, {"width_d": max(1, settled.width // 4)}, "small")
    tenfold.fit(data, recipe, budget=budget, out=out, seed=SEED, options=tenfold.Options(quiet=True))


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    return [
        {
            "run": key,
            "modes": found[key]["modes"],
            "KL": found[key]["kl"],
            "samples seen": found[key]["seen"],
            "minutes": round(found[key]["training_s"] / 60, 1),
            "bar": BARS.get(key, ""),
            "met": met(key, found),
        }
        for key in CASES
        if key in found
    ]


def met(key: str, found: dict[str, Any]) -> str:
    """Of each part of a bar, whether it was reached."""
    result, plain = found[key], found.get("dcgan, quarter D")
    if key == "r3gan":
        return " and ".join(yes(ok) for ok in (result["modes"] >= 1000, result["kl"] <= 0.08))
    if key == "r3gan, quarter D" and plain:
        return " and ".join(yes(ok) for ok in (result["modes"] >= 980, result["kl"] <= plain["kl"] / 2))
    return ""


def yes(ok: bool) -> str:
    """In words."""
    return "met" if ok else "missed"


if __name__ == "__main__":
    entry(main, train)
