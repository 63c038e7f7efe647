"""Pairs of icons, and what translations of them are judged by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from tenfold.metrics.features import features_named
from tenfold.metrics.kernel import kernel_distance

Pictures = Float[np.ndarray, "n h w 3"]
BINS, COLOURED, PAPER, INK = 36, 0.1, 0.95, 0.25


def folder(split: str, side: str) -> Path:
    """Where one side of openmoji's icons is."""
    return Path(os.environ["TENFOLD_DATA"]) / "openmoji" / split / side


@cache
def names(split: str) -> tuple[str, ...]:
    """Names of the icons, in order."""
    return tuple(sorted(path.stem for path in folder(split, "colour").glob("*.png")))


def load(paths: Sequence[Path]) -> Pictures:
    """Pictures as colours from 0 to 1."""
    return np.stack([np.asarray(Image.open(path).convert("RGB"), np.float32) / 255 for path in paths])


def side(split: str, which: str) -> Pictures:
    """All icons of one side."""
    return load([folder(split, which) / f"{name}.png" for name in names(split)])


def l1(made: Pictures, true: Pictures) -> float:
    """Mean absolute difference of values from 0 to 1."""
    return float(np.abs(made - true).mean())


def hues(pictures: Pictures, filled: np.ndarray) -> Float[np.ndarray, " bins"]:
    """Shares of filled pixels by hue, and in a last place of those that have none."""
    most, least = pictures.max(3), pictures.min(3)
    chroma = most - least
    r, g, b = np.moveaxis(pictures, 3, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.select(
            [most == r, most == g],
            [((g - b) / chroma) % 6, (b - r) / chroma + 2],
            (r - g) / chroma + 4,
        )
    coloured = filled & (chroma > COLOURED)
    counts = np.histogram(turn[coloured] / 6, BINS, (0, 1))[0]
    return np.append(counts, (filled & ~coloured).sum()) / filled.sum()


def hue_distance(made: Pictures, true: Pictures) -> float:
    """Half the summed difference of hue histograms over pixels that are filled in the true pictures."""
    filled = (true.min(3) < PAPER) & (true.max(3) > INK)
    return float(np.abs(hues(made, filled) - hues(true, filled)).sum() / 2)


def stroke_f1(made: Pictures, true: Pictures) -> float:
    """F1 of dark pixels."""
    a, b = made.mean(3) < 0.5, true.mean(3) < 0.5
    both = (a & b).sum()
    return float(2 * both / (a.sum() + b.sum()))


def met(asked: Sequence[tuple[str, bool]]) -> str:
    """What was asked of a case, and whether it was met."""
    return "; ".join(f"{text}: {'met' if is_so else 'missed'}" for text, is_so in asked)


def feature_distance(made: Pictures, true: Pictures) -> tuple[float, float]:
    """Kernel distance in features of EfficientNet-Lite0, and its error."""
    import torch

    network = features_named("efficientnet-lite0")
    rows = [network(torch.from_numpy(x).permute(0, 3, 1, 2) * 2 - 1) for x in (true, made)]
    found = kernel_distance(rows[0], rows[1])
    return round(found.value, 4), round(found.error, 4)


def translated(run: Path, source: Path, out: Path, to: str | None = None) -> Pictures:
    """A folder translated by a run, in the order of the names."""
    from tenfold.run import load as load_run
    from tenfold.translating import translate

    done = translate(load_run(run), source, out, to=to)
    assert not done.failed, done.failed
    return load(sorted(done.written, key=lambda path: path.stem))
