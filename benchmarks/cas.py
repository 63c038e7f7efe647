"""Do made samples teach? A classifier of Fashion-MNIST trained on samples of `cgan` only."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import tenfold
from record import SOURCE, Record, arguments
from tenfold import Options
from tenfold.data import LoadOptions, Split, open_data
from tenfold.data.order import Rows
from tenfold.metrics.labels import judge_labels

QUESTION = """`cgan` learns 10,000 labelled images of Fashion-MNIST in 20 minutes. A classifier trained
on as many of its samples is right on test images at least 85 % as often as one trained on the 10,000."""
SEED, IMAGES, MINUTES, BAR = 0, 10_000, 20, 0.85


def main() -> None:
    """Train once, judge with the test images."""
    given = arguments(__doc__ or "").parse_args()
    also = [SOURCE / "tenfold" / "recipes" / "cgan.py"]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    setting = (
        {"images": 1000, "budget": "20s"} if given.quick else {"images": IMAGES, "budget": f"{MINUTES}m"}
    )
    record.conclude(rows(record.measure("cas", lambda: measured(**setting), setting)))


def measured(images: int, budget: str) -> dict[str, Any]:
    """The score, its reference, and the samples seen."""
    train, test = (
        open_data("fashion-mnist").train,
        open_data("fashion-mnist", LoadOptions(split="test")).train,
    )
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(train))[:images])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.npz")
        assert train.labels is not None
        np.savez(path, images=train.values[chosen], labels=train.labels[chosen])
        run = tenfold.fit(path, "cgan", budget=budget, seed=SEED, out=Path(folder, "run"), options=Options())
        samples = run.sample(images, seed=1)
        seen = run.facts["seen"]
    real, held = rows_of(train, chosen), rows_of(test, np.arange(len(test)))
    found = judge_labels(real, held, Rows(samples.values, samples.labels), classes=10, seed=SEED)
    cas, labels = found.cas.to_json(), found.label_accuracy.to_json()
    return {"cas": cas, "label_accuracy": labels, "ratio": cas["value"] / cas["reference"], "seen": seen}


def rows_of(split: Split, index: np.ndarray) -> Rows:
    """Some labelled images in memory."""
    batch = split.gather(index)
    return Rows(batch["real"], batch["condition"].numpy().astype(np.int64))


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    cas, labels = found["cas"], found["label_accuracy"]
    return [
        {
            "figure": "accuracy of a classifier trained on samples only",
            "measured": f"{cas['value']:.1%} ({found['ratio']:.3f} of real)",
            "real images": f"{cas['reference']:.1%}",
            "bar": f"{BAR:.2f} of real",
        },
        {
            "figure": "samples recognised as their label",
            "measured": f"{labels['value']:.1%}",
            "real images": f"{labels['reference']:.1%}",
            "bar": "",
        },
    ]


if __name__ == "__main__":
    main()
