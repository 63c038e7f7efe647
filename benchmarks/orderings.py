"""Do the metrics see what was done to real images? Nine sets of known faults, on Fashion-MNIST."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from record import Record, arguments
from tenfold.data import LoadOptions, open_data
from tenfold.metrics.features import features_named
from tenfold.metrics.memory import memorised
from tenfold.metrics.suite import Side, Sides, measure

QUESTION = """Nine sets of 1,000 images of known faults against 1,000 training and 1,000 test images of
Fashion-MNIST: exact copies are flagged (C_T below -5, authenticity below .1), half of the classes lowers
recall and coverage below .7, the kernel distance of fresh real images is under 5 % of blur's."""
SEED, N, CLASSES = 0, 1000, 5
SHOWN = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "vendi")
MEMORY = (
    "authenticity",
    "c_t",
    "c_t_cells",
    "frechet_gap",
    "memorised",
    "memorised_pixels",
    "birthday_pairs",
)


def main() -> None:
    """Make the sets, measure each, and check the bars."""
    given = arguments(__doc__ or "").parse_args()
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick)
    n = 200 if given.quick else N
    found = record.measure("orderings", lambda: orderings(n), {"n": n})
    record.conclude([*rows(found), *bars(found)])


def orderings(n: int) -> dict[str, dict[str, float | None]]:
    """Every metric of every set."""
    network, pixels = features_named("efficientnet-lite0"), features_named("pixels")
    train, labels, held, fresh, few = images(n)
    real, holdout = Side(network(train)), Side(network(held))
    found: dict[str, dict[str, float | None]] = {}
    for name, fake in sets(train, labels, fresh, few).items():
        seen = measure(Sides(real, holdout, Side(network(fake)), SEED))
        by_pixels = memorised(*(pixels(x).double() for x in (train, held, fake)))
        found[name] = {k: v.value for k, v in seen.items()} | {"memorised_pixels": by_pixels.value}
    return found


def images(n: int) -> tuple[Tensor, np.ndarray, Tensor, Tensor, Tensor]:
    """Training images with labels, test and fresh test images, test images of five classes; none twice."""
    random = np.random.default_rng(SEED)
    train = open_data("fashion-mnist").train
    test = open_data("fashion-mnist", LoadOptions(split="test")).train
    assert test.labels is not None
    order = random.permutation(len(test))
    held, fresh, rest = order[:n], order[n : 2 * n], order[2 * n :]
    few = rest[test.labels[rest] < CLASSES][:n]
    taken = np.sort(random.permutation(len(train))[:n])
    seen = train.gather(taken)
    others = [test.gather(np.sort(index))["real"] for index in (held, fresh, few)]
    return seen["real"], seen["condition"].numpy(), others[0], others[1], others[2]


def sets(train: Tensor, labels: np.ndarray, fresh: Tensor, few: Tensor) -> dict[str, Tensor]:
    """The nine sets."""
    random = torch.Generator().manual_seed(SEED)
    noise = torch.randn(fresh.shape, generator=random)
    n = len(train)
    return {
        "fresh real": fresh,
        "blur 3x3": blurred(fresh),
        "noise of 25 grey levels": (fresh + noise * 25 / 127.5).clamp(-1, 1),
        "five of ten classes": few,
        "copies": train,
        "copies with noise of 3 grey levels": (train + noise * 3 / 127.5).clamp(-1, 1),
        "copies with blur 3x3": blurred(train),
        "50 images repeated": fresh[:50].repeat(-(-n // 50), 1, 1, 1)[:n],
        "mixup": mixed(train, labels),
    }


def blurred(images: Tensor) -> Tensor:
    """Each pixel the mean of the nine around it."""
    return avg_pool2d(pad(images, [1] * 4, mode="replicate"), 3, 1)


def mixed(train: Tensor, labels: np.ndarray) -> Tensor:
    """Each image half-way to another one of its class."""
    random = np.random.default_rng(SEED)
    other = np.arange(len(train))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        other[members] = np.roll(members, 1)
    return (train + train[torch.from_numpy(other)]) / 2


def rows(found: dict[str, dict[str, float | None]]) -> list[dict[str, object]]:
    """The table: a line for each set."""
    return [
        {"set": name} | {key: shown(numbers[key]) for key in (*SHOWN, *MEMORY)} | {"bar": "", "met": ""}
        for name, numbers in found.items()
    ]


def shown(value: float | None) -> object:
    """Four digits."""
    return "" if value is None else float(f"{value:.4g}")


def bars(found: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    """What the metrics must see."""
    copies, half = found["copies"], found["five of ten classes"]
    share = abs(found["fresh real"]["kernel_distance"]) / found["blur 3x3"]["kernel_distance"]
    checks = [
        ("copies: C_T below -5", copies["c_t"] < -5),
        ("copies: authenticity below .1", copies["authenticity"] < 0.1),
        ("five classes: recall below .7", half["recall"] < 0.7),
        ("five classes: coverage below .7", half["coverage"] < 0.7),
        (f"kernel distance of fresh real is {share:.1%} of blur's: below 5%", share < 0.05),
    ]
    blank = {"set": "", **dict.fromkeys((*SHOWN, *MEMORY), "")}
    return [blank | {"bar": text, "met": "yes" if met else "no"} for text, met in checks]


if __name__ == "__main__":
    main()
