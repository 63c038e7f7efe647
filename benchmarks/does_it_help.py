"""Few labels and many digits without any: do samples of a GAN that learns from both help?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import tenfold
from known_answers import digits, keep_report, points, stored
from record import SOURCE, Record, arguments
from tenfold.proof.options import ProofOptions

QUESTION = """Twenty labelled digits of each class and 900 without labels, judged by 697 others. Does `prove`
say that samples of `cgan`, which learns from both, help beside the best classical recipe? What do
pseudo-labels of the same 900 bring without a GAN, and the GAN without the 900? Other digits with each seed.
There is no bar: as it comes out."""
SEEDS, PER_CLASS, POOL = (0,), 20, 900
BUDGET = "12m"


def main() -> None:
    """Prove once."""
    given = arguments(__doc__ or "").parse_args()
    also = [
        SOURCE / "tenfold" / "proving.py",
        SOURCE / "tenfold" / "recipes" / "cgan.py",
        Path(__file__).with_name("known_answers.py"),
    ]
    record = Record(__file__, QUESTION, seeds=SEEDS, quick=given.quick, also=also)
    setting = {"quick": given.quick}
    cases = [(f"900 without labels, seed {seed}", seed, POOL) for seed in SEEDS] + [
        ("none without labels", 0, 0)
    ]
    found = {
        name: record.measure(name, lambda s=seed, n=pool: proved(s, n, given.quick), setting)
        for name, seed, pool in cases
    }
    record.conclude([line for name, result in found.items() for line in rows(name, result)])


def proved(seed: int, pool: int, quick: bool) -> dict[str, Any]:
    """What `prove` concludes; the digits that judge are the same with and without unlabelled ones."""
    values, labels = digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    taken = np.concatenate([order[labels[order] == k][:PER_CLASS] for k in range(10)])
    rest = order[~np.isin(order, taken)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        test = stored(folder / "test.npz", (values[rest[POOL:]], labels[rest[POOL:]]))
        np.save(folder / "pool.npy", values[rest[:POOL], 0])
        options = ProofOptions(test=str(test), unlabelled=str(folder / "pool.npy") if pool else None)
        begun = perf_counter()
        proof = tenfold.prove(
            stored(folder / "data.npz", (values[taken], labels[taken])),
            budget="20s" if quick else BUDGET,
            quick=quick,
            out=folder / "proof",
            seed=seed,
            options=options,
        )
        seconds = round(perf_counter() - begun)
        keep_report(proof.path, "unlabelled")
        return {**proof.to_json(), "path": "", "seconds": seconds}


def rows(name: str, result: Mapping[str, Any]) -> list[dict[str, object]]:
    """One experiment in the table, learner by learner."""
    table: list[dict[str, object]] = []
    for (arm, against), words in WORDS.items():
        found = [c for c in result["comparisons"] if (c["arm"], c["against"]) == (arm, against)]
        gains = {c["learner"]: points(c["gain"]) for c in found}
        said = f"{result['verdict']} ({result['primary']} decides)" if arm == "classical_gan" else ""
        if gains:
            table.append(
                {"digits": name, "gain": words, **gains, "verdict": said if against != "none" else ""}
            )
    return table


WORDS = {
    ("classical_gan", "best_classical"): "best classical plus GAN, over best classical",
    ("gan", "best_classical"): "GAN alone, over best classical",
    ("pseudo_labels", "best_classical"): "pseudo-labels alone, over best classical",
    ("best_classical", "none"): "best classical, over none",
    ("classical_gan", "none"): "best classical plus GAN, over none",
}


if __name__ == "__main__":
    main()
