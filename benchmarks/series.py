"""Do made series have the rhythm, the lengths and the scales of real ones?"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from record import Record, arguments, say
from tenfold.budget import seconds_of
from tenfold.data import Dataset
from tenfold.data.order import Shuffled
from tenfold.data.series.opening import open_series
from tenfold.data.series.schema import SeriesOptions
from tenfold.draw import derive
from tenfold.engine.trainer import Settings, Trainer
from tenfold.metrics.series import (
    SeriesSet,
    acf_error,
    autocorrelation,
    cross_correlation_error,
    length_distance,
    spectral_distance,
)
from tenfold.metrics.series_scores import (
    LESSONS,
    Labelled,
    Lessons,
    classic_units,
    discriminative_score,
    label_accuracy,
    predictive_score,
    ranges,
)
from tenfold.recipe import Recipe, make_recipe
from tenfold.settings import resolve
from tenfold.watching.quality import generate_many

QUESTION = """Five sets, the recipe series at preset small, five minutes each; as many real series that were
not learnt from judge, at most 2,000. sines: five channels of TimeGAN's, 24 steps; stock: windows of 24 days
of six figures, a random half to learn from; ar2: x = 1.2 x' - .6 x'' + noise, 64 steps; waves: sine, square,
triangle and noise, 16 to 64 steps, labelled; scales: four frequencies at sizes 1, 10 and 100, 48 steps, each
series scaled by its own range or all by one. Bars: GRU-32 discriminative score at most .15 and predictive
error at most 1.05 of real series' own (sines, stock); error of the autocorrelation at most .05 (ar2), beside
it the coefficients; accuracy of a GRU taught by made series at most .03 below real ones' (waves), largest
difference of the shares of lengths at most .05; every frequency at every size at least a third as often as
in real series (scales). Beside it a normal distribution of all numbers of a series, class by class, and fresh
real series."""
GRU, PREDICTIVE, ACF, TAUGHT, LENGTHS, CELLS = 0.15, 1.05, 0.05, 0.03, 0.05, 12
COUNT, JUDGES, LAGS = 4000, 2000, 16
COEFFICIENTS = (1.2, -0.6)
SIZES, FREQUENCIES = (1.0, 10.0, 100.0), (2, 4, 6, 9)
CLASSES = 4
Make = Callable[[int, int], Labelled]
WHOLE = SeriesOptions(holdout=False)


@dataclass(frozen=True)
class Case:
    """A set, and how it is judged.

    Attributes:
        make: series, by their number and the seed.
        judge: the numbers of made series beside real ones that judge, and others that teach.
        options: how the set is opened.
    """

    make: Make
    judge: Callable[[Labelled, Labelled, Labelled, Lessons], dict[str, float]]
    options: SeriesOptions = WHOLE


@dataclass(frozen=True)
class Effort:
    """How long everything takes.

    Attributes:
        budget: of each run.
        preset: of the recipe.
        count: series to learn from.
        lessons: of networks that judge.
    """

    budget: str
    preset: str
    count: int = COUNT
    lessons: Lessons = LESSONS


def main() -> None:
    """Every set, who made it, and the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="5m", help="of each run (5m)")
    parser.add_argument("--preset", default="small", help="of the recipe (small)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="only these")
    given = parser.parse_args()
    effort = Effort(given.budget, given.preset)
    if given.quick:
        effort = Effort("3s", "tiny", 200, Lessons(20))
    also = [Path(__file__).parents[1] / "src" / "tenfold" / "recipes" / "series.py"]
    record = Record(__file__, QUESTION, seeds=given.seeds, quick=given.quick, also=also)
    for name in given.cases:
        for seed in given.seeds:
            for who, made in MADE.items():
                work = lambda n=name, s=seed, m=made: judged(n, s, m, effort)
                setting = [effort.count, effort.lessons.steps]
                setting += [effort.budget, effort.preset] if who == "tenfold" else []
                record.measure(f"{name}, {who}, seed {seed}", work, setting)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def judged(name: str, seed: int, made: Any, effort: Effort) -> dict[str, Any]:
    """Series of one set that somebody made, judged."""
    case = CASES[name]
    whole = case.make(2 * effort.count, seed)
    half = len(whole.series) // 2
    train, judge = part(whole, slice(0, half)), part(whole, slice(half, 2 * half))
    judge = part(judge, slice(0, JUDGES))
    begun = perf_counter()
    fake, about = made(case, train, judge.labels, seed, effort)
    seconds = perf_counter() - begun
    found = case.judge(judge, part(train, slice(0, len(judge.series))), fake, effort.lessons)
    return {**{k: round(v, 4) for k, v in found.items()}, **about, "seconds": round(seconds, 1)}


def part(side: Labelled, which: slice) -> Labelled:
    """Some of the series."""
    return Labelled(side.series[which], side.labels[which])


def plain(series: SeriesSet) -> Labelled:
    """Series without classes."""
    return Labelled(list(series), np.zeros(len(series), np.int64))


def sines(count: int, seed: int) -> Labelled:
    """TimeGAN's: five waves of 24 steps, slow and of any phase, between 0 and 1."""
    random = np.random.default_rng([seed, 1])
    speed, phase = random.uniform(0, 0.1, (2, count, 1, 5))
    return plain((np.sin(speed * np.arange(24)[:, None] + phase) + 1) / 2)


def stock(count: int, seed: int) -> Labelled:
    """Windows of 24 days, in random order: so that either half knows all times."""
    path = Path(os.environ["TENFOLD_DATA"]) / "stock.csv"
    days = np.genfromtxt(path, delimiter=",", skip_header=1)
    windows = [days[i : i + 24] for i in range(len(days) - 24)]
    order = np.random.default_rng([seed, 2]).permutation(len(windows))
    return plain([windows[i] for i in order[:count]])


def ar2(count: int, seed: int) -> Labelled:
    """A process with a known memory, long after its start."""
    random, (a, b) = np.random.default_rng([seed, 3]), COEFFICIENTS
    x = np.zeros((count, 264))
    for t in range(2, x.shape[1]):
        x[:, t] = a * x[:, t - 1] + b * x[:, t - 2] + random.normal(size=count)
    return plain(x[:, 200:, None])


def waves(count: int, seed: int) -> Labelled:
    """Four shapes of 16 to 64 steps, of any phase, with a little noise."""
    random = np.random.default_rng([seed, 4])
    labels, lengths = np.arange(count) % CLASSES, random.integers(16, 65, count)
    speed, phase = random.uniform(0.06, 0.16, count), random.uniform(0, 1, count)
    series = []
    for label, length, f, p in zip(labels, lengths, speed, phase, strict=True):
        turn = (f * np.arange(length) + p) % 1
        shapes = (np.sin(2 * np.pi * turn), np.sign(turn - 0.5), 4 * np.abs(turn - 0.5) - 1)
        wave = shapes[label] if label < 3 else random.normal(0, 0.6, length)
        series.append((wave + random.normal(0, 0.05, length))[:, None])
    return Labelled(series, labels)


def scales(count: int, seed: int) -> Labelled:
    """Waves of four frequencies and three sizes, each with some noise of its size."""
    random = np.random.default_rng([seed, 5])
    size = np.array(SIZES)[random.integers(len(SIZES), size=(count, 1))]
    frequency = np.array(FREQUENCIES)[random.integers(len(FREQUENCIES), size=(count, 1))]
    turn = frequency * np.arange(48) / 48 + random.uniform(0, 1, (count, 1))
    x = size * (np.sin(2 * np.pi * turn) + 0.05 * random.normal(size=(count, 48)))
    return plain(x[:, :, None])


def rhythm(judge: Labelled, fresh: Labelled, fake: Labelled, lessons: Lessons) -> dict[str, float]:
    """TimeGAN's two scores, the stricter ones, and what needs no network."""
    real, made = judge.series, fake.series
    scale = ranges(fresh.series)
    told = partial(discriminative_score, real, made, lessons=lessons)
    foretold = [predictive_score(side, real, scale=scale, lessons=lessons) for side in (made, fresh.series)]
    return {
        "gru32": told(),
        "classic": told(units=classic_units(real)),
        "changes": told(changes=True),
        "predictive": foretold[0],
        "predictive_real": foretold[1],
        "acf": acf_error(real, made, LAGS),
        "cross": cross_correlation_error(real, made, 5),
        "spectral": spectral_distance(real, made),
    }


def memory(judge: Labelled, fresh: Labelled, fake: Labelled, lessons: Lessons) -> dict[str, float]:
    """The process that made series: its autocorrelation beside theory, and its coefficients."""
    a, b = COEFFICIENTS
    theory = [1.0, a / (1 - b)]
    for _ in range(LAGS - 1):
        theory.append(a * theory[-1] + b * theory[-2])
    off = np.abs(autocorrelation(fake.series, LAGS)[:, 0] - np.array(theory))[1:]
    x = np.stack([y[:, 0] for y in fake.series])
    before = np.stack([x[:, 1:-1].ravel(), x[:, :-2].ravel()], 1)
    first, second = np.linalg.lstsq(before, x[:, 2:].ravel(), rcond=None)[0]
    return {
        "acf": float(off.mean()),
        "first": float(first),
        "second": float(second),
        "gru32": discriminative_score(judge.series, fake.series, lessons=lessons),
        "spectral": spectral_distance(judge.series, fake.series),
    }


def teaching(judge: Labelled, fresh: Labelled, fake: Labelled, lessons: Lessons) -> dict[str, float]:
    """What classes made series teach, and how long they are."""
    taught = [label_accuracy(side, judge, lessons=lessons) for side in (fake, fresh)]
    return {
        "taught": taught[0],
        "taught_real": taught[1],
        "lengths": length_distance(judge.series, fake.series),
        "gru32": discriminative_score(judge.series, fake.series, lessons=lessons),
        "acf": acf_error(judge.series, fake.series, LAGS),
    }


def sizes(judge: Labelled, fresh: Labelled, fake: Labelled, lessons: Lessons) -> dict[str, float]:
    """How often each frequency occurs at each size."""
    real, made = cells(judge.series), cells(fake.series)
    return {
        "cells": float((made >= real / 3).sum()),
        "off": float(np.abs(real - made).sum() / 2),
        "gru32": discriminative_score(judge.series, fake.series, lessons=lessons),
    }


def cells(series: SeriesSet) -> np.ndarray:
    """Share of series by size and frequency."""
    x = np.stack([y[:, 0] for y in series])
    half = np.maximum(np.ptp(x, axis=1) / 2, 1e-9)
    size = np.abs(np.log10(half)[:, None] - np.log10(SIZES)).argmin(1)
    peak = np.abs(np.fft.rfft(x - x.mean(1, keepdims=True), axis=1))[:, 1:].argmax(1) + 1
    frequency = np.abs(peak[:, None] - np.array(FREQUENCIES)).argmin(1)
    where = size * len(FREQUENCIES) + frequency
    return np.bincount(where, minlength=len(SIZES) * len(FREQUENCIES)) / len(x)


def as_array(series: SeriesSet) -> np.ndarray:
    """Series as one array, NaN beyond their ends."""
    whole = np.full((len(series), max(len(x) for x in series), series[0].shape[1]), np.nan)
    for i, x in enumerate(series):
        whole[i, : len(x)] = x
    return whole


def by_tenfold(
    case: Case, train: Labelled, labels: np.ndarray, seed: int, effort: Effort
) -> tuple[Labelled, dict[str, Any]]:
    """Series of the recipe, of the classes that are asked for."""
    classes = train.labels.max() > 0
    values = as_array(train.series)
    data = open_series((values, train.labels) if classes else values, case.options)
    recipe = resolve(make_recipe("series", {}, effort.preset), data.spec)[0]
    step_s = seconds_of_step(recipe, data, seed)
    steps = max(50, int(0.97 * seconds_of(effort.budget) / step_s))
    trainer = start(recipe, data, seed, steps)
    for tenth in range(1, 11):
        trainer.fit(steps * recipe.batch * tenth / 10_000)
        said = ", ".join(f"{k} {v:.3g}" for k, v in trainer.flush().items() if "adversarial" in k)
        say(f"  {10 * tenth} %: {said}")
    asked = torch.from_numpy(labels) if classes else None
    made = generate_many(trainer.ema.module, len(labels), asked, derive(seed, "made"))
    codec = data.series
    assert codec is not None
    series = codec.series_of(made.numpy()).arrays()
    return Labelled(series, labels), {"steps": trainer.step, "step_ms": round(1000 * step_s, 2)}


def start(recipe: Recipe, data: Dataset, seed: int, steps: int) -> Trainer:
    """A trainer before its first step."""
    torch.manual_seed(derive(seed, "networks"))
    play = recipe.build(data.spec)
    batches = Shuffled(data.train, recipe.batch, seed, balanced=play.balanced)
    half_life = recipe.half_life_kimg
    assert half_life != "auto"
    settings = Settings(seed=seed, planned=steps * recipe.batch, half_life_kimg=half_life)
    return Trainer(play.game, play.optimizers, batches, settings=settings, schedules=play.schedules)


def seconds_of_step(recipe: Recipe, data: Dataset, seed: int) -> float:
    """Of one step, once it is warm."""
    trainer = start(recipe, data, seed, 10_000)
    for _ in range(10):
        trainer.play_step()
    begun = perf_counter()
    for _ in range(30):
        trainer.play_step()
    return (perf_counter() - begun) / 30


def by_gaussian(
    case: Case, train: Labelled, labels: np.ndarray, seed: int, effort: Effort
) -> tuple[Labelled, dict[str, Any]]:
    """A normal distribution of all numbers of a series, class by class; lengths of series that there are."""
    random, whole = np.random.default_rng([seed, 6]), np.nan_to_num(as_array(train.series))
    lengths = np.array([len(x) for x in train.series])
    series: list[np.ndarray] = [np.zeros((0, 0))] * len(labels)
    for label in np.unique(labels):
        own, wanted = np.flatnonzero(train.labels == label), np.flatnonzero(labels == label)
        flat = whole[own].reshape(len(own), -1)
        drawn = random.multivariate_normal(flat.mean(0), np.cov(flat.T), len(wanted), check_valid="ignore")
        for i, row, length in zip(wanted, drawn, random.choice(lengths[own], len(wanted)), strict=True):
            series[i] = row.reshape(whole.shape[1:])[:length]
    return Labelled(series, labels), {}


def by_nature(
    case: Case, train: Labelled, labels: np.ndarray, seed: int, effort: Effort
) -> tuple[Labelled, dict[str, Any]]:
    """Real series in the place of made ones: as good as can be."""
    return part(train, slice(max(0, len(train.series) - len(labels)), None)), {}


MADE = {"real": by_nature, "normal distribution": by_gaussian, "tenfold": by_tenfold}
CASES = {
    "sines": Case(sines, rhythm),
    "stock": Case(stock, rhythm),
    "ar2": Case(ar2, memory),
    "waves": Case(waves, teaching),
    "scales, each": Case(scales, sizes, replace(WHOLE, scale="each")),
    "scales, all": Case(scales, sizes, replace(WHOLE, scale="all")),
}
SHOWN = {
    "gru32": "GRU-32",
    "classic": "classic",
    "changes": "of changes",
    "predictive": "predictive",
    "acf": "ACF error",
    "lengths": "lengths",
    "taught": "taught accuracy",
    "cells": "cells of 12",
}


def rows(found: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    """The table."""
    table = []
    for key, result in found.items():
        case, who = key.rpartition(", seed ")[0].rsplit(", ", 1)
        shown = {title: result.get(name, "") for name, title in SHOWN.items()}
        note = f"{result['first']:.2f}, {result['second']:.2f}" if "first" in result else ""
        table.append(
            {
                "set": case,
                "series of": who,
                **shown,
                "coefficients": note,
                "minutes": round(result["seconds"] / 60, 1) if who == "tenfold" else "",
                "bar": bar(case, result) if who == "tenfold" and case != "scales, all" else "",
            }
        )
    return table


def bar(case: str, result: dict[str, Any]) -> str:
    """What was asked, and whether it was met."""
    asked = {
        "sines": spoken,
        "stock": spoken,
        "ar2": lambda r: [(f"ACF error {ACF}", r["acf"] <= ACF)],
        "waves": lambda r: [
            (f"{TAUGHT} below real", r["taught"] >= r["taught_real"] - TAUGHT),
            (f"lengths {LENGTHS}", r["lengths"] <= LENGTHS),
        ],
        "scales, each": lambda r: [(f"{CELLS} cells", r["cells"] >= CELLS)],
    }
    return ", ".join(f"{what}: {'met' if met else 'not met'}" for what, met in asked[case](result))


def spoken(result: dict[str, Any]) -> list[tuple[str, bool]]:
    """Of sines and stock."""
    most = PREDICTIVE * result["predictive_real"]
    return [
        (f"GRU-32 {GRU}", result["gru32"] <= GRU),
        (f"predictive {most:.4f}", result["predictive"] <= most),
    ]


if __name__ == "__main__":
    main()
