"""Arms: each turns training items, and a setting, into the items that a classifier is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int

from ..draw import derive
from .splits import subset, water_fill

NEIGHBOURS = 5
COPIES = 3  # altered copies of each item, beside the item itself


@dataclass(frozen=True, eq=False)
class Examples:
    """What a classifier is trained on.

    Attributes:
        values: encoded items.
        labels: their classes.
        weights: how much each counts; None if all count the same.
        rows: real items that they stem from; None if all are real. What is added changes no learner's
            regularisation: it goes by this number.
    """

    values: Float[np.ndarray, "n ..."]
    labels: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"] | None = None
    rows: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mass(self) -> int:
        """Real items that they stem from."""
        return len(self) if self.rows is None else self.rows

    def take(self, chosen: np.ndarray) -> Examples:
        """Some of the items; weights are forgotten."""
        return Examples(self.values[chosen], self.labels[chosen])

    def plus(self, other: Examples) -> Examples:
        """These, then those, as if those stemmed from these; weights are forgotten."""
        values = np.concatenate([self.values, other.values])
        return Examples(values, np.concatenate([self.labels, other.labels]), rows=self.mass)

    def counts(self, classes: int) -> Int[np.ndarray, " k"]:
        """Items per class."""
        return np.bincount(self.labels, minlength=classes)


class Pool(Protocol):
    """What made items are taken from; they may be kept in a way that takes less room."""

    @property
    def labels(self) -> Int[np.ndarray, " n"]:
        """Their classes."""
        ...

    def take(self, chosen: np.ndarray, /) -> Examples:
        """Some of them."""
        ...


Arm = Callable[[Examples, int, int], Examples]
"""Training items, number of classes and seed to the items to train on."""


def none(real: Examples, classes: int, seed: int) -> Examples:
    """The items as they are."""
    return real


def class_weights(real: Examples, classes: int, seed: int) -> Examples:
    """Every class counts the same in all."""
    counts = real.counts(classes)
    there = np.maximum(counts, 1) * (counts > 0).sum()
    return Examples(real.values, real.labels, (len(real) / there)[real.labels], real.mass)


def oversampling(real: Examples, classes: int, seed: int) -> Examples:
    """Items of the smaller classes are repeated at random until all classes are as large as the largest."""
    counts = real.counts(classes)
    rng = np.random.default_rng(derive(seed, "oversampling"))
    drawn = [
        rng.choice(np.flatnonzero(real.labels == c), counts.max() - counts[c]) for c in np.flatnonzero(counts)
    ]
    return real.plus(real.take(np.concatenate(drawn)))


def smote(real: Examples, classes: int, seed: int) -> Examples:
    """As many items again, on the lines between an item and one of its nearest of the same class.

    Classes are evened out first: smaller ones get more of them.

    References:
        N. Chawla, K. Bowyer, L. Hall, W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling Technique",
        2002. https://arxiv.org/abs/1106.1813
    """
    rng = np.random.default_rng(derive(seed, "smote"))
    made = real
    for label, extra in enumerate(water_fill(real.counts(classes), len(real))):
        mine = real.values[real.labels == label]
        if extra == 0 or len(mine) < 2:
            continue
        near = _nearest(mine.reshape(len(mine), -1), min(NEIGHBOURS, len(mine) - 1))
        start = rng.integers(len(mine), size=extra)
        other = near[start, rng.integers(near.shape[1], size=extra)]
        made = made.plus(_between(rng, mine, start, other, label))
    return made


def mixup(real: Examples, classes: int, seed: int) -> Examples:
    """As many items again, each a mean of two random items of one class with a random weight.

    Classes are evened out first. Mixing within a class keeps the label;
    the original mixes any two.

    References:
        H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", 2018.
        https://arxiv.org/abs/1710.09412
    """
    rng = np.random.default_rng(derive(seed, "mixup"))
    made = real
    for label, extra in enumerate(water_fill(real.counts(classes), len(real))):
        mine = real.values[real.labels == label]
        if extra and len(mine):
            first, second = rng.integers(len(mine), size=(2, extra))
            made = made.plus(_between(rng, mine, first, second, label))
    return made


def _between(
    rng: np.random.Generator, mine: np.ndarray, first: np.ndarray, second: np.ndarray, label: int
) -> Examples:
    share = rng.random((len(first), *[1] * (mine.ndim - 1)), dtype=np.float32)
    values = mine[first] + share * (mine[second] - mine[first])
    return Examples(values, np.full(len(first), label))


def _nearest(rows: Float[np.ndarray, "n d"], k: int) -> Int[np.ndarray, "n k"]:
    """Numbers of the k nearest others of each row."""
    found: list[np.ndarray] = []
    squares = (rows**2).sum(1)
    for start in range(0, len(rows), 1024):
        block = rows[start : start + 1024]
        distance = squares - 2 * block @ rows.T
        distance[np.arange(len(block)), start + np.arange(len(block))] = np.inf
        found.append(np.argpartition(distance, k - 1, axis=1)[:, :k])
    return np.concatenate(found)


def _draw(rng: np.random.Generator, labels: np.ndarray, label: int, count: int) -> np.ndarray:
    """Numbers of at most `count` items of a class, in random order."""
    return rng.permutation(np.flatnonzero(labels == label))[: int(count)]


Alter = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def augmentation(alter: Alter) -> Arm:
    """Beside each item three altered copies."""

    def arm(real: Examples, classes: int, seed: int) -> Examples:
        rng = np.random.default_rng(derive(seed, "augmentation"))
        copies = [alter(real.values, rng).astype(np.float32) for _ in range(COPIES)]
        values = np.concatenate([real.values, *copies])
        return Examples(values, np.tile(real.labels, COPIES + 1), rows=real.mass)

    return arm


def filled_up(alter: Alter) -> Arm:
    """As many altered copies, but of the smaller classes, until all are as equal as they can be."""

    def arm(real: Examples, classes: int, seed: int) -> Examples:
        rng = np.random.default_rng(derive(seed, "augmentation"))
        fill = water_fill(real.counts(classes), COPIES * len(real))
        drawn = np.concatenate(
            [_repeated(rng, np.flatnonzero(real.labels == c), n) for c, n in enumerate(fill)]
        )
        copies = real.take(drawn)
        return real.plus(Examples(alter(copies.values, rng).astype(np.float32), copies.labels))

    return arm


def after(second: Arm, first: Arm) -> Arm:
    """One arm on what another gives."""
    return lambda real, classes, seed: second(first(real, classes, seed), classes, seed)


def altered(alter: Alter, first: Arm) -> Arm:
    """What an arm gives, and beside each of its items an altered copy."""

    def arm(real: Examples, classes: int, seed: int) -> Examples:
        given, rng = first(real, classes, seed), np.random.default_rng(derive(seed, "augmentation"))
        return given.plus(Examples(alter(given.values, rng).astype(np.float32), given.labels))

    return arm


def _repeated(rng: np.random.Generator, members: np.ndarray, count: int) -> np.ndarray:
    """So many of them, each as often as any other or once more."""
    if count == 0 or len(members) == 0:
        return members[:0]
    rounds = [rng.permutation(members) for _ in range(-(-count // len(members)))]
    return np.concatenate(rounds)[:count]


def shift(pixels: int) -> Alter:
    """Moved by up to so many pixels each way; the border is repeated."""

    def alter(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, height, width = len(x), x.shape[2], x.shape[3]
        down, right = rng.integers(-pixels, pixels + 1, size=(2, n, 1))
        rows = (np.arange(height) + down).clip(0, height - 1)
        columns = (np.arange(width) + right).clip(0, width - 1)
        return x[np.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].transpose(0, 3, 1, 2)

    return alter


def affine(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turned by up to 10 degrees, scaled and sheared by up to a tenth."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    n = len(x)
    angle = rng.uniform(-np.pi / 18, np.pi / 18, n)
    scale, shear = rng.uniform(0.9, 1.1, n), rng.uniform(-0.1, 0.1, n)
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(n)
    matrix = np.stack([scale * cos, shear - sin, zero, sin, scale * cos, zero], 1).reshape(n, 2, 3)
    grid = affine_grid(torch.from_numpy(matrix).float(), list(x.shape), align_corners=False)
    pictures = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return grid_sample(pictures, grid, padding_mode="border", align_corners=False).numpy()


def flip(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of them mirrored, left to right."""
    turn = rng.random(len(x)) < 0.5
    return np.where(turn[:, None, None, None], x[..., ::-1], x)


def light(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another brightness, and a little noise in every pixel."""
    brightness = rng.uniform(-0.1, 0.1, (len(x), 1, 1, 1))
    return (x + brightness + rng.normal(0, 0.05, x.shape)).clip(-1, 1)


def jitter(share: float) -> Alter:
    """Noise of a share of each column's spread; columns that are 0 or 1 are left alone."""

    def alter(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        marks = np.isin(x, (0, 1)).all(0)
        return x + rng.normal(0, share, x.shape) * np.where(marks, 0, x.std(0))

    return alter


IMAGES: Mapping[str, Alter] = {
    "shift=1": shift(1),
    "affine": affine,
    "light": light,
    "shift=2": shift(2),
    "flip": flip,
}
ROWS: Mapping[str, Alter] = {
    "jitter=0.1": jitter(0.1),
    "jitter=0.05": jitter(0.05),
    "jitter=0.2": jitter(0.2),
}
QUICK = 3  # of the pictures' policies


def classical_arms(kind: str, *, balanced: bool, quick: bool) -> dict[tuple[str, str], Arm]:
    """What anyone would try before a GAN, by name and setting; the simplest first.

    Where classes are uneven, made items even them out; so augmentation is also tried in ways that do.

    Args:
        kind: of the data.
        balanced: leave out what only evens out classes.
        quick: try fewer policies of augmentation.
    """
    arms: dict[tuple[str, str], Arm] = {("none", ""): none}
    policies = list((IMAGES if kind == "images" else ROWS).items())
    for name, alter in policies[:QUICK] if quick else policies:
        arms["augmentation", name] = augmentation(alter)
    mix = mixup if kind == "images" else smote
    if not balanced:
        arms["class_weights", "balanced"] = class_weights
        arms["oversampling", "balanced"] = oversampling
        for name, alter in policies[:QUICK] if quick else policies:
            arms["augmentation", f"{name}+class_weights"] = after(class_weights, augmentation(alter))
            arms["augmentation", f"{name}+oversampling"] = filled_up(alter)
            arms["augmentation", f"{name}+{mix.__name__}"] = altered(alter, mix)
    arms[(mix.__name__, "same class" if kind == "images" else f"k={NEIGHBOURS}")] = mix
    return arms


def counts_of(arm: Arm, labels: Int[np.ndarray, " n"], kind: str, classes: int) -> Int[np.ndarray, " k"]:
    """How many items of each class an arm gives; found with items that take no room."""
    shape = (1, 4, 4) if kind == "images" else (1,)
    empty = Examples(np.zeros((len(labels), *shape), np.float32), labels)
    return arm(empty, classes, 0).counts(classes)


def with_made(base: Examples, pool: Pool, extra: int, classes: int, seed: int) -> Examples:
    """Made items beside others, so that classes become as equal as they can.

    A base with weights gets new ones. A class of which the pool has too few gets what there is: items
    repeated many times would count for more than they know.
    """
    rng = np.random.default_rng(derive(seed, "made"))
    wanted = water_fill(base.counts(classes), extra)
    chosen = np.concatenate([_draw(rng, pool.labels, c, wanted[c]) for c in range(classes)])
    joined = base.plus(pool.take(chosen))
    return joined if base.weights is None else class_weights(joined, classes, seed)


def made_only(real: Examples, pool: Pool, classes: int, seed: int) -> Examples:
    """Made items in place of the real ones, as many of each class if there are."""
    rng = np.random.default_rng(derive(seed, "made"))
    counts = real.counts(classes)
    drawn = pool.take(np.concatenate([_draw(rng, pool.labels, c, counts[c]) for c in range(classes)]))
    return Examples(drawn.values, drawn.labels, rows=len(real))


def part_of(share: float) -> Arm:
    """A share of the real items, of each class alike."""
    return lambda real, classes, seed: real.take(subset(real.labels, share, derive(seed, "part")))


def copies(real: Examples, counts: Int[np.ndarray, " k"], seed: int) -> Examples:
    """Training items again, as if a generator had made them: adds nothing that was not there."""
    rng = np.random.default_rng(derive(seed, "copies"))
    drawn = [_repeated(rng, np.flatnonzero(real.labels == c), n) for c, n in enumerate(counts)]
    return real.take(np.concatenate(drawn))


def shuffled(real: Examples, counts: Int[np.ndarray, " k"], seed: int) -> Examples:
    """The same, every one with the label of another class: must hurt."""
    rng = np.random.default_rng(derive(seed, "shuffled"))
    drawn = [_repeated(rng, np.flatnonzero(real.labels != c), n) for c, n in enumerate(counts)]
    return Examples(real.values[np.concatenate(drawn)], np.repeat(np.arange(len(counts)), counts))


def held_back(real: Examples, classes: int, seed: int) -> Examples:
    """Half of the items, and beside them, as if made, the other half: what perfect samples would give."""
    half = subset(real.labels, 0.5, derive(seed, "part"))
    return real.take(half).plus(real.take(~half))


PARTS: Mapping[str, Arm] = {
    "real_25": part_of(0.25),
    "real_50": part_of(0.5),
    "real_75": part_of(0.75),
    "control_held_back": held_back,
}
"""Parts of the training items, and half of them with the other half in the place of made ones."""

POOLS: Mapping[str, Callable[[Examples, Int[np.ndarray, " k"], int], Examples]] = {
    "control_copies": copies,
    "control_shuffled": shuffled,
}
"""What takes the place of a generator, by the control."""
