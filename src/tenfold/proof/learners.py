"""Classifiers of several families, each trained the same way for every arm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ..draw import derive
from ..errors import RecipeError, suggest
from .arms import Examples

if TYPE_CHECKING:
    from torch import nn

ABSENT = -30.0  # the logit of a class that was not trained on
LARGEST_SIDE = 16
MOST_FOR_KERNELS = 20_000
LANDMARKS = 500
TREES = 100
MODELS = ("ensemble", "kernel_approximation", "linear_model", "svm")
WIDTH, BATCH, RATE = 16, 64, 4e-3
FEWEST_STEPS, STEPS, MOST_STEPS = 150, 300, 600

Logits = Callable[[np.ndarray], Float[np.ndarray, "n k"]]
Fit = Callable[[Examples, int, int], Logits]
"""Examples, number of classes and seed to what gives unnormalised log-probabilities."""


@dataclass(frozen=True)
class Learner:
    """One kind of classifier.

    Attributes:
        name: as it is called in tables.
        fit: trains one.
        rows: whether it looks at rows of numbers (see `rows_of`), and not at pictures.
    """

    name: str
    fit: Fit
    rows: bool = True


def choose_learners(
    kind: str, names: tuple[str, ...] | None, *, steps: int, largest: int
) -> tuple[Learner, ...]:
    """The learners that suit the data, or those asked for.

    Args:
        kind: of the data.
        names: of those wanted; None for all.
        steps: of the convolutional network, whatever the arm.
        largest: most examples that any arm has; with very many, the exact kernel would take hours.

    Raises:
        RecipeError: a name is unknown, or does not suit the data.
    """
    for module in MODELS:  # two threads that import parts of one package at once may find it half made
        import_module(f"sklearn.{module}")
    kernel = _kernel if largest <= MOST_FOR_KERNELS else _approximate_kernel
    known: dict[str, Fit] = {"linear": _linear, "kernel": kernel, "trees": _trees}
    if kind == "images":
        known["cnn"] = lambda examples, classes, seed: fit_cnn(examples, classes, seed, steps)
    for name in names or ():
        if name not in known:
            raise RecipeError(f"there is no learner {name!r} for {kind}. {suggest(name, known)}")
    return tuple(Learner(name, known[name], rows=name != "cnn") for name in names or known)


def viewed(learner: Learner, examples: Examples) -> Examples:
    """The examples as a learner looks at them: rows take far less room than large pictures."""
    if not learner.rows or examples.values.ndim == 2:
        return examples
    return Examples(rows_of(examples.values), examples.labels, examples.weights, examples.mass)


def rows_of(values: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n d"]:
    """A row per item; pictures are averaged down to at most 16 pixels a side."""
    if values.ndim == 2:
        return values
    import torch
    from torch.nn.functional import adaptive_avg_pool2d

    height, width = values.shape[2:]
    longest = max(height, width)
    if longest > LARGEST_SIDE:
        shrunk = [max(1, round(side * LARGEST_SIDE / longest)) for side in (height, width)]
        size = (shrunk[0], shrunk[1])
        values = adaptive_avg_pool2d(torch.from_numpy(np.ascontiguousarray(values)), size).numpy()
    return values.reshape(len(values), -1)


def _linear(examples: Examples, classes: int, seed: int) -> Logits:
    from sklearn.linear_model import LogisticRegression

    return _sklearn(LogisticRegression(max_iter=200, tol=1e-3), examples, classes)


def _kernel(examples: Examples, classes: int, seed: int) -> Logits:
    from sklearn.svm import SVC

    return _sklearn(SVC(C=10.0), examples, classes)


def _approximate_kernel(examples: Examples, classes: int, seed: int) -> Logits:
    """Differences to a random part of the examples stand for those to all.

    References:
        C. Williams, M. Seeger, "Using the Nystrom Method to Speed Up Kernel Machines", 2001.
        https://papers.nips.cc/paper/1866-using-the-nystrom-method-to-speed-up-kernel-machines
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression

    rows = rows_of(examples.values)
    gamma = 1 / (rows.shape[1] * max(float(rows.var()), 1e-12))
    spread: Any = Nystroem(gamma=gamma, n_components=min(LANDMARKS, len(rows)), random_state=seed % 2**32)
    features = np.asarray(spread.fit_transform(rows))
    flat = Examples(features, examples.labels, examples.weights, examples.mass)
    logits = _sklearn(LogisticRegression(C=10.0, max_iter=200, tol=1e-3), flat, classes)
    return lambda values: logits(np.asarray(spread.transform(rows_of(values))))


def _trees(examples: Examples, classes: int, seed: int) -> Logits:
    from sklearn.ensemble import ExtraTreesClassifier

    model = ExtraTreesClassifier(TREES, random_state=seed % 2**32)
    rows, labels = rows_of(examples.values), examples.labels
    model.fit(rows, labels, sample_weight=examples.weights)

    def logits(values: np.ndarray) -> np.ndarray:
        shares = np.asarray(model.predict_proba(rows_of(values)))
        return spread_out(np.log(shares.clip(1 / (2 * TREES))), np.asarray(model.classes_), classes)

    return logits


def _sklearn(model: Any, examples: Examples, classes: int) -> Logits:  # noqa: ANN401
    """Train a model of scikit-learn that gives decision values.

    Its C weighs the sum of all losses against the regularisation, so that the same items given twice would
    be regularised half as much. The weights sum to the number of real items, whatever was added.
    """
    weights = np.ones(len(examples)) if examples.weights is None else examples.weights
    weights = weights * (examples.mass / weights.sum())
    model.fit(rows_of(examples.values), examples.labels, sample_weight=weights)

    def logits(values: np.ndarray) -> np.ndarray:
        found = np.asarray(model.decision_function(rows_of(values)))
        found = np.stack([-found / 2, found / 2], 1) if found.ndim == 1 else found
        return spread_out(found, model.classes_, classes)

    return logits


def spread_out(
    logits: Float[np.ndarray, "n a"], present: Int[np.ndarray, " a"], classes: int
) -> Float[np.ndarray, "n k"]:
    """The logits with a column for every class."""
    full = np.full((len(logits), classes), ABSENT)
    full[:, present] = logits
    return full


_BUILDING = Lock()  # torch's global generator is borrowed for the first weights


def fit_cnn(examples: Examples, classes: int, seed: int, steps: int) -> Logits:
    """Train a small network with Adam and one cycle of the rate: the same number of steps for every arm.

    An example is drawn as often as its weight says.
    """
    import torch
    from torch.nn.functional import cross_entropy
    from torch.optim.lr_scheduler import OneCycleLR

    values = torch.from_numpy(np.ascontiguousarray(examples.values, np.float32))
    labels = torch.from_numpy(examples.labels.astype(np.int64))
    network = _network(tuple(values.shape[1:]), classes, seed)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, fused=True)
    schedule = OneCycleLR(optimizer, RATE, steps, pct_start=0.2)
    for index in _order(examples, steps, derive(seed, "order")):
        chosen = torch.from_numpy(index)
        batch = values[chosen].contiguous(memory_format=torch.channels_last)
        loss = cross_entropy(network(batch), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()

    @torch.no_grad()
    def logits(values: np.ndarray) -> np.ndarray:
        blocks = torch.from_numpy(np.ascontiguousarray(values, np.float32)).split(256)
        return torch.cat([network(block) for block in blocks]).double().numpy()

    return logits


def _network(shape: tuple[int, ...], classes: int, seed: int) -> nn.Module:
    import torch
    from torch import nn

    channels, height, width = shape
    side, filters, into = max(height, width), WIDTH, channels
    layers: list[nn.Module] = []
    with _BUILDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "weights"))
        while True:
            stride = 2 if side > 32 else 1
            convolution = nn.Conv2d(into, filters, 3, stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(filters), nn.ReLU()]
            side = -(-side // stride)
            if filters >= 4 * WIDTH and side <= 8:
                break
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            into, filters, side = filters, min(2 * filters, 4 * WIDTH), -(-side // 2)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(filters, classes)]
        network = nn.Sequential(*layers)
    for weight in (p for p in network.parameters() if p.ndim == 4):
        weight.data = weight.data.contiguous(memory_format=torch.channels_last)  # faster on a CPU
    return network


def _order(examples: Examples, steps: int, seed: int) -> list[np.ndarray]:
    """Numbers of each step's examples: everyone once, in random order, then again; or drawn by weight."""
    rng = np.random.default_rng(seed)
    n, needed = len(examples), steps * BATCH
    if examples.weights is None:
        drawn = np.concatenate([rng.permutation(n) for _ in range(-(-needed // n))])[:needed]
    else:
        drawn = rng.choice(n, needed, p=examples.weights / examples.weights.sum())
    return list(drawn.reshape(steps, BATCH))


def measured_steps(examples: Examples, classes: int, seconds: float) -> int:
    """Steps of the network that fit into so many seconds, within bounds."""
    fit_cnn(examples, classes, 0, 20)  # the first is slower than all others
    begun = perf_counter()
    fit_cnn(examples, classes, 0, 20)
    return int(np.clip(20 * seconds / (perf_counter() - begun), FEWEST_STEPS, MOST_STEPS)) // 10 * 10


_TEMPERATURES = np.exp(np.linspace(-4, 4, 81))


def temperature(logits: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> float:
    """What to divide logits by so that they fit these labels best; it changes no ranking of classes.

    References:
        C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", 2017.
        https://arxiv.org/abs/1706.04599
    """
    losses = [
        -np.log(softmax(logits / t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def softmax(logits: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Probabilities of the classes."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def fitted(learner: Learner, examples: Examples, classes: int, seed: int) -> Logits:
    """A trained learner; with examples of one class, as a collapsed generator may give, it says that one."""
    present = np.unique(examples.labels)
    if len(present) > 1:
        return learner.fit(examples, classes, seed)
    return lambda values: spread_out(np.zeros((len(values), 1)), present, classes)


def probabilities(
    learner: Learner,
    examples: Examples,
    sides: Mapping[str, Examples],
    classes: int,
    seed: int,
) -> dict[str, Float[np.ndarray, "n k"]]:
    """Train a learner and ask it for the classes of both sides; its temperature is set on `validation`."""
    logits = fitted(learner, examples, classes, seed)
    found = {name: logits(side.values) for name, side in sides.items()}
    heat = temperature(found["validation"], sides["validation"].labels)
    return {name: softmax(values / heat) for name, values in found.items()}
