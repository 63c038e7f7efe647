"""Other people's generators of tables, as further arms: trained within each split, as ours is.

Their packages are none of tenfold's dependencies; each is used with its own usual settings.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ..errors import RecipeError, suggest
from ..tables.labelled import TARGET, Labelled, imported_pandas
from .arms import Examples
from .generators import choose_generator
from .order import Generator, Made, Make, Order
from .trained import MOST_DRAWS, labelled_rows

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..run import Run
    from .options import ProofOptions
    from .splits import Fold
    from .task import Task

EPOCHS = 300
BLOCK = 1000
GAP = "missing"

Draw = Callable[[int], "pd.DataFrame"]
Learn = Callable[["pd.DataFrame", Sequence[str], int], Draw]
"""A frame without gaps, its columns of categories and a seed, to what draws so many rows like it."""


@dataclass(frozen=True)
class Peer:
    """A generator of another package.

    Attributes:
        title: what it is called.
        package: that it is in.
        learn: trains it.
    """

    title: str
    package: str
    learn: Learn

    @property
    def trains(self) -> bool:
        """Whether it is trained within the splits."""
        return True

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{self.title} of {self.fingerprint}, trained within each split"

    @property
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        return False

    @property
    def fingerprint(self) -> str:
        """The package and its version."""
        return installed(self.package)

    def make(self, order: Order) -> Made:
        """Train it, and draw rows until there are enough of each class."""
        rows = labelled_rows(order)
        frame = without_gaps(rows.frame())
        discrete = [str(name) for name in frame.columns if frame[name].dtype != np.float64]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about the peer's inside
            values, labels = drawn(self.learn(frame, discrete, order.seed % 2**31), rows, order.counts)
        return Made(Examples(order.encoding.encode(values), labels), {"peer": self.fingerprint})


def installed(package: str) -> str:
    """A package and its version.

    Raises:
        RecipeError: it is not installed.
    """
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError as error:
        raise RecipeError(
            f"the package {package} is not installed, which --peers needs. Install it with: pip install "
            f"{package}"
        ) from error


def without_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with medians for missing numbers, and a column that marks them; a missing category is one."""
    columns: dict[str, Any] = {}
    for name, cells in frame.items():
        if cells.dtype != np.float64:
            texts = cells.astype(object)
            columns[str(name)] = texts.where(texts.notna(), GAP)
            continue
        columns[str(name)] = cells.fillna(cells.median())
        if cells.isna().any():
            columns[f"{name} {GAP}"] = cells.isna().map({True: "yes", False: "no"}).astype(object)
    return imported_pandas().DataFrame(columns)


def with_gaps(made: pd.DataFrame) -> pd.DataFrame:
    """The way back, for rows that were drawn."""
    marked = [str(name) for name in made.columns if str(name).endswith(f" {GAP}")]
    plain = made.drop(columns=marked)
    for mark in marked:
        name = mark.removesuffix(f" {GAP}")
        plain[name] = plain[name].astype(np.float64).mask((made[mark] == "yes").to_numpy(bool))
    return plain


def drawn(
    draw: Draw, rows: Labelled, wanted: Int[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, "m p"], Int[np.ndarray, " m"]]:
    """Rows of each class as they come, until there are enough; fewer of a class that hardly comes."""
    found = np.zeros(len(wanted), np.int64)
    values: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    block = max(BLOCK, int(wanted.sum()))
    for _ in range(MOST_DRAWS):
        made = with_gaps(draw(block))
        numbers = np.array([int(str(text)[1:]) for text in made[TARGET]], np.int64)
        left = wanted - found
        kept = [np.flatnonzero(numbers == label)[: left[label]] for label in range(len(wanted))]
        chosen = np.concatenate(kept)
        values.append(rows.values_of(made.iloc[chosen].reset_index(drop=True)))
        labels.append(numbers[chosen])
        found += np.bincount(numbers[chosen], minlength=len(wanted))
        if (found >= wanted).all():
            break
    return np.concatenate(values), np.concatenate(labels)


def learn_ctgan(frame: pd.DataFrame, discrete: Sequence[str], seed: int) -> Draw:
    """CTGAN as its package has it.

    References:
        L. Xu, M. Skoularidou, A. Cuesta-Infante, K. Veeramachaneni, "Modeling Tabular data using Conditional
        GAN", 2019. https://arxiv.org/abs/1907.00503
    """
    from ctgan import CTGAN

    return learnt(CTGAN(epochs=EPOCHS), frame, discrete, seed)


def learn_tvae(frame: pd.DataFrame, discrete: Sequence[str], seed: int) -> Draw:
    """TVAE, of the same paper and package."""
    from ctgan import TVAE

    return learnt(TVAE(epochs=EPOCHS), frame, discrete, seed)


def learnt(model: Any, frame: pd.DataFrame, discrete: Sequence[str], seed: int) -> Draw:  # noqa: ANN401
    """What draws from one of these two, trained."""
    model.set_random_state(seed)
    model.fit(frame, list(discrete))
    return model.sample


def learn_copula(frame: pd.DataFrame, discrete: Sequence[str], seed: int) -> Draw:
    """A Gaussian copula of all columns; a category is a stretch of the unit interval, as long as its share.

    References:
        N. Patki, R. Wedge, K. Veeramachaneni, "The Synthetic Data Vault", 2016.
        https://doi.org/10.1109/DSAA.2016.49
    """
    from copulas.multivariate import GaussianMultivariate
    from copulas.univariate import BetaUnivariate

    stretches = {name: Stretches.of(frame[name].to_numpy(object)) for name in discrete}
    random, plain = np.random.default_rng(seed), frame.copy()
    for name, own in stretches.items():
        plain[name] = own.numbers(frame[name].to_numpy(object), random)
    model = GaussianMultivariate(distribution=BetaUnivariate, random_state=seed)
    model.fit(plain)

    def draw(count: int) -> pd.DataFrame:
        made = model.sample(count)
        for name, own in stretches.items():
            made[name] = own.words(made[name].to_numpy(np.float64))
        return made

    return draw


@dataclass(frozen=True, eq=False)
class Stretches:
    """Categories as stretches of the unit interval.

    Attributes:
        known: the categories, the most frequent first.
        ends: where the stretch of each ends.
    """

    known: np.ndarray
    ends: Float[np.ndarray, " k"]

    @classmethod
    def of(cls, texts: np.ndarray) -> Stretches:
        """Those of a column."""
        known, counts = np.unique(texts.astype(str), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return cls(known[order].astype(object), np.cumsum(counts[order]) / len(texts))

    def numbers(self, texts: np.ndarray, random: np.random.Generator) -> Float[np.ndarray, " n"]:
        """A number in its stretch for each, drawn evenly."""
        place = {text: i for i, text in enumerate(self.known)}
        codes = np.array([place[text] for text in texts], np.int64)
        starts = np.append(0.0, self.ends[:-1])
        return starts[codes] + (self.ends - starts)[codes] * random.random(len(texts))

    def words(self, numbers: Float[np.ndarray, " n"]) -> np.ndarray:
        """In whose stretch each number lies."""
        codes = np.searchsorted(self.ends, numbers, side="right")
        return self.known[np.clip(codes, 0, len(self.known) - 1)]


KNOWN: Mapping[str, Peer] = {
    "ctgan": Peer("CTGAN", "ctgan", learn_ctgan),
    "tvae": Peer("TVAE", "ctgan", learn_tvae),
    "copula": Peer("a Gaussian copula", "copulas", learn_copula),
}


def choose_makers(
    given: str | Path | Run | Make | None, task: Task, folds: Sequence[Fold], options: ProofOptions
) -> tuple[Generator, dict[str, Generator]]:
    """The generator in question, and the peers beside it, by the name of their arm.

    Raises:
        TenfoldError: one of them is not there, or does not suit the data.
    """
    judging = task.values[np.concatenate([fold.test for fold in folds])]
    return choose_generator(given, task, judging, options.device), choose_peers(options.peers, task)


def choose_peers(names: Sequence[str], task: Task) -> dict[str, Generator]:
    """The peers that are asked for, by the name of their arm.

    Raises:
        RecipeError: there is none of that name, its package is not installed, or the data are no table.
    """
    for name in names:
        if name not in KNOWN:
            raise RecipeError(f"there is no peer {name!r}. {suggest(name, KNOWN)}")
        if task.kind == "images":
            raise RecipeError(
                f"the peer {name!r} makes rows of tables, the data are images. Leave --peers out."
            )
        imported_pandas()
        installed(KNOWN[name].package)
    return {name: peer for name, peer in KNOWN.items() if name in names}
