"""A small classifier: feature network during training, and judge of whether labels are right."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from ..data.order import Samples
from ..draw import derive
from ..errors import DataError, RunError

_FEATURES = 128
_BATCH = 64
_EVALUATION_BATCH = 256
_LEARNING_RATE = 4e-3


class Network(nn.Module):
    """Convolutions at halving resolutions; the last one's average over the image is what `features` gives.

    A side above 64 pixels is averaged down to at most 64, and one above 32 halved by the first convolution,
    so that the cost of an image is bounded.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        shrink = (math.ceil(height / 64), math.ceil(width / 64))
        side = max(math.ceil(height / shrink[0]), math.ceil(width / shrink[1]))
        stride = math.ceil(side / 32)
        side, filters = math.ceil(side / stride), 32
        layers = [nn.AvgPool2d(shrink, ceil_mode=True), *_convolution(channels, filters, stride)]
        while side > 4:
            wider = min(2 * filters, _FEATURES)
            layers += [nn.MaxPool2d(2, ceil_mode=True), *_convolution(filters, wider)]
            side, filters = math.ceil(side / 2), wider
        layers += [*_convolution(filters, _FEATURES), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(_FEATURES, classes)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """The logits of each image."""
        return self.head(self.body(x))


def _convolution(channels: int, filters: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
    # Convolutions on the CPU are a third faster with the channels last.
    convolution.weight.data = convolution.weight.data.contiguous(memory_format=torch.channels_last)
    return [convolution, nn.BatchNorm2d(filters), nn.ReLU()]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network that moves no more. It takes images in [-1, 1] and answers where they are.

    Attributes:
        network: in evaluation mode.
        shape: of the images, (channels, height, width).
        classes: how many there are.
    """

    network: Network
    shape: tuple[int, int, int]
    classes: int

    def __post_init__(self) -> None:
        self.network.eval()

    @cached_property
    def name(self) -> str:
        """Different weights have different names."""
        digest = blake2b(digest_size=6)
        for key, value in sorted(self.network.state_dict().items()):
            digest.update(key.encode() + value.cpu().contiguous().numpy().tobytes())
        return f"classifier-{digest.hexdigest()}"

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """What the network sees before it decides, 128 numbers per image."""
        return self._over_batches(self.network.body, x)

    def predict(self, x: Float[Tensor, "n c h w"]) -> Int[Tensor, " n"]:
        """The likeliest class of each image."""
        return self._over_batches(self.network, x).argmax(1)

    def accuracy(self, x: Float[Tensor, "n c h w"], labels: Int[Tensor, " n"]) -> float:
        """Share of images whose likeliest class is the label."""
        return (self.predict(x) == labels).double().mean().item()

    def balanced_accuracy(self, x: Float[Tensor, "n c h w"], labels: Int[Tensor, " n"]) -> float:
        """Mean of the classes' accuracies: rare classes count as much, absent ones nothing."""
        right = torch.bincount(labels[self.predict(x) == labels], minlength=self.classes)
        there = torch.bincount(labels, minlength=self.classes)
        return (right / there)[there > 0].mean().item()

    def save(self, path: Path) -> None:
        """Writes the weights to `path`, and what they belong to into a JSON file beside it."""
        weights = {key: value.contiguous() for key, value in self.network.state_dict().items()}
        save_file(weights, path)
        about = {"name": self.name, "shape": self.shape, "classes": self.classes}
        path.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Classifier:
        """What `save` wrote to `path`.

        Raises:
            RunError: if the files are missing, damaged or do not belong together.
        """
        try:
            about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            (channels, height, width), classes, name = about["shape"], about["classes"], about["name"]
            network = Network((channels, height, width), classes)
            network.load_state_dict(load_file(path))
        except (OSError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError) as error:
            raise RunError(
                f"{path} and its JSON file are not a saved classifier ({error}). Remove both: a resumed run "
                "trains it again."
            ) from error
        classifier = cls(network, (channels, height, width), classes)
        if classifier.name != name:
            raise RunError(
                f"{path} holds {classifier.name}, expected {name} by the JSON file beside it. "
                "One of them was replaced or damaged; remove both: a resumed run trains it again."
            )
        return classifier

    @torch.no_grad()
    def _over_batches(self, network: nn.Module, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        if tuple(x.shape[1:]) != self.shape:
            raise DataError(
                f"Found images of shape {tuple(x.shape[1:])}, expected {self.shape} as in the classifier's "
                "training. Resize the images, or train a classifier on the new shape."
            )
        device = self.network.head.weight.device
        return torch.cat([network(some.to(device)).to(x.device) for some in x.split(_EVALUATION_BATCH)])


def train_classifier(
    samples: Samples,
    *,
    classes: int,
    seed: int,
    kimg: float | None = None,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Trains a classifier with Adam, one cycle of the learning rate, small shifts and label smoothing.

    The same samples and seed give the same weights on the same machine with the same number of threads;
    torch's global random state is neither read nor changed.

    Args:
        samples: labelled images, looked at in batches.
        classes: how many there are, also those without a sample.
        seed: decides the first weights, the order and the shifts.
        kimg: thousands of images seen in training; by default 40 times each, but 10 to 60 thousand in total.
        device: where the network is trained and stays.

    Raises:
        DataError: if there are no labels, or some that are not among the classes.
    """
    _check_labels(samples, classes)
    seen = kimg * 1000 if kimg is not None else min(max(40 * len(samples), 10_000), 60_000)
    steps = max(int(seen) // _BATCH, 2)
    generator = torch.Generator().manual_seed(derive(seed, "classifier"))
    channels, height, width = samples.gather(np.arange(1))["real"].shape[1:]
    network = _untrained((channels, height, width), classes, seed).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps, pct_start=0.2)
    for index in _order(len(samples), steps, generator):
        batch = samples.gather(index)
        logits = network(_shifted(batch["real"], generator).to(device))
        loss = cross_entropy(logits, batch["condition"].to(device), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return Classifier(network, (channels, height, width), classes)


def _check_labels(samples: Samples, classes: int) -> None:
    if samples.labels is None or len(samples) == 0:
        raise DataError(
            f"Found no labels, or no samples ({len(samples)}): a classifier learns from labelled samples. "
            "Sort the images into a folder per class, or use features that need no labels."
        )
    low, high = samples.labels.min(), samples.labels.max()
    if low < 0 or high >= classes:
        raise DataError(
            f"Found labels from {low} to {high}, expected 0 to {classes - 1} for {classes} classes. "
            "Number the classes from 0."
        )


def _untrained(shape: tuple[int, int, int], classes: int, seed: int) -> Network:
    """A network whose first weights depend on the seed alone, whatever the global generator's state."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "classifier", "weights"))
        return Network(shape, classes)


def _order(count: int, steps: int, generator: torch.Generator) -> Iterator[np.ndarray]:
    """Places of each step's samples: everyone once, in random order, then again; all batches are full."""
    rounds = math.ceil(steps * _BATCH / count)
    order = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)]).numpy()
    return (order[start : start + _BATCH] for start in range(0, steps * _BATCH, _BATCH))


def _shifted(x: Float[Tensor, "n c h w"], generator: torch.Generator) -> Float[Tensor, "n c h w"]:
    """The batch moved by up to two pixels (one, if tiny), most often by none; the border is repeated."""
    height, width = x.shape[2:]
    most = 1 if min(height, width) < 16 else 2
    top, left = torch.randint(most + 1, (2, 2), generator=generator).sum(0).tolist()
    return pad(x, [most] * 4, mode="replicate")[:, :, top : top + height, left : left + width]
