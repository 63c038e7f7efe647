"""What others make of a table: CTGAN and TVAE where they are installed, and rows between rows.

CTGAN and TVAE run in a process of their own, and may have an environment of their own: `$TENFOLD_PEERS`
names its interpreter. `python3 -m venv peers && peers/bin/pip install ctgan==0.12.1` makes one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

EXPECTED = "0.12.1"  # of ctgan, which the bars were written for
EPOCHS = 300  # its default
NEAREST = 5


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a peer made of a table.

    Attributes:
        rows: as many as were asked for.
        fit_s: seconds it took to learn.
        sample_s: seconds it took to make the rows.
        satisfied: of each condition that was asked for, the share of rows that have it.
        peak_mb: the most memory that its process ever held.
    """

    rows: pd.DataFrame
    fit_s: float
    sample_s: float
    satisfied: tuple[float, ...]
    peak_mb: float


def interpreter() -> str:
    """Which Python runs CTGAN and TVAE."""
    return os.environ.get("TENFOLD_PEERS") or sys.executable


@cache
def installed() -> str | None:
    """The version of ctgan that it has; None if it has none."""
    code = "from importlib.metadata import version; print(version('ctgan'))"
    done = subprocess.run([interpreter(), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() or None


def missing() -> str:
    """Why there is no peer beside."""
    return f"ctgan is not installed: pip install ctgan=={EXPECTED}, or name an interpreter in TENFOLD_PEERS"


def labels_of(table: pd.DataFrame) -> list[str]:
    """Columns that hold no numbers."""
    from pandas.api.types import is_numeric_dtype

    return [name for name in table.columns if not is_numeric_dtype(table[name])]


def learnt(
    name: str,
    train: pd.DataFrame,
    n: int,
    *,
    seed: int,
    epochs: int = EPOCHS,
    conditions: Sequence[tuple[str, str]] = (),
) -> Learnt:
    """What CTGAN or TVAE makes of a table without gaps.

    Args:
        name: "CTGAN" or "TVAE".
        train: the table.
        n: rows to make, and rows to make of each condition.
        seed: of everything random.
        epochs: how long.
        conditions: column and label, for CTGAN.
    """
    labels = labels_of(train)
    asked = {"name": name, "n": n, "seed": seed, "epochs": epochs, "labels": labels}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train.to_csv(folder / "train.csv", index=False)
        (folder / "asked.json").write_text(json.dumps({**asked, "conditions": list(conditions)}))
        done = subprocess.run([interpreter(), __file__, temporary], stdout=sys.stderr)
        if done.returncode:
            raise SystemExit(f"{name} of ctgan {installed()} ended with {done.returncode}.")
        found = json.loads((folder / "found.json").read_text())
        rows = read(folder / "made.csv", labels)
    return Learnt(rows, found["fit_s"], found["sample_s"], tuple(found["satisfied"]), found["peak_mb"])


def read(path: Path, labels: Sequence[str]) -> pd.DataFrame:
    """A table without gaps: a label may well be called NA."""
    import pandas as pd

    kinds = dict.fromkeys(labels, str)
    return pd.read_csv(path, dtype=kinds, keep_default_na=False, float_precision="round_trip")


def between(train: pd.DataFrame, n: int, target: str, seed: int) -> pd.DataFrame:
    """Rows between a row and one of its five nearest of the same class, as SMOTE makes them.

    Classes are as frequent as they are. Labels are those of the nearer end.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    start = random.integers(len(train), size=n)
    end = nearest(train, target)[start, random.integers(NEAREST, size=n)]
    share = random.random(n)
    made = train.iloc[start].reset_index(drop=True)
    labels = {*labels_of(train)}
    for name in made.columns:
        here, there = train[name].to_numpy()[start], train[name].to_numpy()[end]
        if name in labels:
            made[name] = np.where(share < 0.5, here, there)
        else:
            values = here + share * (there - here)
            made[name] = np.rint(values).astype(here.dtype) if here.dtype.kind in "iu" else values
    return made


def nearest(train: pd.DataFrame, target: str) -> np.ndarray:
    """Of each row, the numbers of the five nearest of its class."""
    import numpy as np
    import pandas as pd
    from sklearn.neighbors import NearestNeighbors

    spread = [name for name in labels_of(train) if name != target]
    known = pd.get_dummies(train.drop(columns=target), columns=spread, dtype=float)
    points = ((known - known.mean()) / known.std().replace(0, 1)).to_numpy()
    classes = train[target].to_numpy()
    near = np.empty((len(train), NEAREST), np.int64)
    for label in pd.unique(train[target]):
        mine = np.flatnonzero(classes == label)
        search = NearestNeighbors(n_neighbors=NEAREST + 1).fit(points[mine])
        near[mine] = mine[search.kneighbors(points[mine], return_distance=False)[:, 1:]]
    return near


def unrelated(train: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """Every column drawn on its own: right in each, and in nothing that holds between two."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    return pd.DataFrame({name: train[name].to_numpy()[random.integers(len(train), size=n)] for name in train})


def work(folder: Path) -> None:
    """What the other process does: learn, make rows, ask for conditions."""
    import resource

    import ctgan
    import numpy as np
    import torch

    asked = json.loads((folder / "asked.json").read_text())
    train = read(folder / "train.csv", asked["labels"])
    np.random.seed(asked["seed"])
    torch.manual_seed(asked["seed"])
    model = getattr(ctgan, asked["name"])(epochs=asked["epochs"])
    model.set_random_state(asked["seed"])
    begun = perf_counter()
    model.fit(train, asked["labels"])
    learnt_at = perf_counter()
    made = model.sample(asked["n"])
    made_at = perf_counter()
    made.to_csv(folder / "made.csv", index=False)
    satisfied = [share_of(model, asked["n"], *condition) for condition in asked["conditions"]]
    unit = 1 if sys.platform == "darwin" else 1024
    found = {
        "fit_s": round(learnt_at - begun, 2),
        "sample_s": round(made_at - learnt_at, 2),
        "satisfied": satisfied,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1),
    }
    (folder / "found.json").write_text(json.dumps(found))


def share_of(model: Any, n: int, column: str, label: str) -> float:
    """Of rows that were asked to have a label, the share that has it."""
    made = model.sample(n, condition_column=column, condition_value=label)
    return float((made[column].astype(str) == label).mean())


if __name__ == "__main__" and sys.argv[1:]:
    work(Path(sys.argv[1]))
