"""What are unlabelled images worth? Five labels of each digit, and the rest without."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from record import Record, arguments, child, entry

QUESTION = """Digits of scikit-learn: 5 labelled images of each class, the rest of one half unlabelled, the
other half to judge by. An SVM and a small network trained on the labelled ones alone; with pseudo-labels of
the unlabelled ones, which the same classifier gives them, or their neighbours; and with samples of r3gan,
which learnt from both kinds (--unlabelled), two minutes for each of five choices of labels. Bar: 1.5 points
over the labels alone, for both classifiers."""
LABELS, CHOICES, SAMPLES = 5, 5, 1000


def main() -> None:
    """One line per choice of labels."""
    given = arguments(__doc__ or "").parse_args()
    record = Record(__file__, QUESTION, seeds=list(range(CHOICES)), quick=given.quick)
    budget = "8s" if given.quick else "2m"
    for seed in range(1 if given.quick else CHOICES):
        record.measure(f"choice {seed}", lambda s=seed: one(s, budget), budget)
    record.conclude(rows([item["result"] for item in record.content["items"].values()]))


def one(seed: int, budget: str) -> dict[str, float]:
    """Accuracy in percent of each classifier on each training set."""
    from sklearn.datasets import load_digits

    from tenfold.run import load

    pictures, labels = load_digits(return_X_y=True)
    pictures = (pictures.reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    order = np.random.default_rng(seed).permutation(len(labels))
    judge, rest = order[: len(order) // 2], order[len(order) // 2 :]
    known = np.concatenate([rest[labels[rest] == c][:LABELS] for c in range(10)])
    more = np.setdiff1d(rest, known)
    folder = Path(tempfile.gettempdir()) / "tenfold-unlabelled" / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    np.savez(folder / "known.npz", images=pictures[known], labels=labels[known])
    np.savez(folder / "more.npz", images=pictures[more])
    child(
        __file__,
        str(folder / "known.npz"),
        str(folder / "more.npz"),
        str(seed),
        budget,
        str(folder / "run"),
    )
    made = load(folder / "run").sample(SAMPLES, seed=1)
    assert made.labels is not None
    x, y = pictures.reshape(len(pictures), -1) / 255.0, labels
    fake = made.numpy().reshape(SAMPLES, -1) / 255.0
    found: dict[str, float] = {}
    near = of_neighbours(x[np.r_[known, more]], y[known])
    for name in ("svm", "mlp"):
        guess = classifier(name, seed).fit(x[known], y[known]).predict(x[more])
        sets = {
            "labels alone": (x[known], y[known]),
            "pseudo-labels": (np.r_[x[known], x[more]], np.r_[y[known], guess]),
            "labels of neighbours": (np.r_[x[known], x[more]], np.r_[y[known], near]),
            "samples": (np.r_[x[known], fake], np.r_[y[known], made.labels]),
        }
        for arm, (values, classes) in sets.items():
            right = classifier(name, seed).fit(values, classes).score(x[judge], y[judge])
            found[f"{name}, {arm}"] = round(100 * right, 2)
    return found


def of_neighbours(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Labels that spread from the first samples to the others, from neighbour to neighbour."""
    from sklearn.semi_supervised import LabelSpreading

    labels = np.r_[known, np.full(len(x) - len(known), -1)]
    model = LabelSpreading(kernel="knn", n_neighbors=10, alpha=0.9, max_iter=100).fit(x, labels)
    return model.transduction_[len(known) :]


def classifier(name: str, seed: int) -> Any:
    """As scikit-learn has them."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    return SVC(C=10) if name == "svm" else MLPClassifier((100,), max_iter=500, random_state=seed)


def train(known: str, more: str, seed: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    options = tenfold.Options(quiet=True, unlabelled=more)
    tenfold.fit(known, "r3gan", budget=budget, out=out, seed=int(seed), options=options)


def rows(found: list[dict[str, float]]) -> list[dict[str, object]]:
    """The table: means over choices, and the gain over labels alone with its standard error."""
    table: list[dict[str, object]] = []
    for name in ("svm", "mlp"):
        alone = np.array([each[f"{name}, labels alone"] for each in found])
        for arm in ("labels alone", "pseudo-labels", "labels of neighbours", "samples"):
            right = np.array([each[f"{name}, {arm}"] for each in found])
            gain = right - alone
            error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
            shown = "" if arm == "labels alone" else f"{gain.mean():+.1f} ± {error:.1f}"
            met = "met" if gain.mean() >= 1.5 else "missed"
            bar = f"1.5 points: {met}" if arm == "samples" else ""
            line = {"classifier": name, "trained on": arm, "right, %": round(float(right.mean()), 1)}
            table.append({**line, "gain": shown, "bar": bar})
    return table


if __name__ == "__main__":
    entry(main, train)
