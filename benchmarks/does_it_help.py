"""Few labels and many digits without any: do samples of a GAN that learns from both help?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import tenfold
from known_answers import digits, keep_report, stored
from record import SOURCE, Record, arguments
from tenfold.proof.options import ProofOptions

QUESTION = """Twenty labelled digits of each class and 900 without labels, judged by 697 others. Does `prove`
say that samples of `cgan`, which learns from both, help beside the best classical recipe? What do
pseudo-labels of the same 900 bring without a GAN? There is no bar: as it comes out."""
SEED, PER_CLASS, POOL = 0, 20, 900
BUDGET = "12m"


def main() -> None:
    """Prove once."""
    given = arguments(__doc__ or "").parse_args()
    also = [
        SOURCE / "tenfold" / "proving.py",
        SOURCE / "tenfold" / "recipes" / "cgan.py",
        Path(__file__).with_name("known_answers.py"),
    ]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    setting = {"quick": given.quick}
    record.conclude(rows(record.measure("unlabelled digits", lambda: proved(given.quick), setting)))


def proved(quick: bool) -> dict[str, Any]:
    """What `prove` concludes."""
    values, labels = digits()
    taken = np.concatenate([np.flatnonzero(labels == k)[:PER_CLASS] for k in range(10)])
    rest = np.random.default_rng(SEED).permutation(np.setdiff1d(np.arange(len(labels)), taken))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        test = stored(folder / "test.npz", (values[rest[POOL:]], labels[rest[POOL:]]))
        np.save(folder / "pool.npy", values[rest[:POOL], 0])
        options = ProofOptions(test=str(test), unlabelled=str(folder / "pool.npy"))
        begun = perf_counter()
        proof = tenfold.prove(
            stored(folder / "data.npz", (values[taken], labels[taken])),
            budget="20s" if quick else BUDGET,
            quick=quick,
            out=folder / "proof",
            seed=SEED,
            options=options,
        )
        seconds = round(perf_counter() - begun)
        keep_report(proof.path, "unlabelled")
        return {**proof.to_json(), "path": "", "seconds": seconds}


def rows(result: Mapping[str, Any]) -> list[dict[str, object]]:
    """The table: gains over the best classical recipe, learner by learner."""
    table: list[dict[str, object]] = []
    for arm, words in WORDS.items():
        found = [c for c in result["comparisons"] if (c["arm"], c["against"]) == (arm, "best_classical")]
        gains = {c["learner"]: points(c["gain"]) for c in found}
        said = f"{result['verdict']} ({result['primary']} decides)" if arm == "classical_gan" else ""
        table.append({"beside or instead of the best classical recipe": words, **gains, "verdict": said})
    return table


WORDS = {
    "classical_gan": "beside it, GAN samples",
    "gan": "instead of it, GAN samples",
    "pseudo_labels": "instead of it, pseudo-labels",
}


def points(gain: Mapping[str, float]) -> str:
    """A gain in points, and its interval."""
    mean, low, high = (f"{100 * gain[end]:+.1f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    main()
