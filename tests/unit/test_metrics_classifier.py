from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tenfold.data.order import Rows
from tenfold.errors import DataError, RunError
from tenfold.metrics.classifier import Classifier, Network, train_classifier
from tenfold.metrics.features import ClassifierFeatures, Pixels


def digits(part: slice) -> Rows:
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))[part]
    images = torch.from_numpy(bunch.images[order]).float()[:, None] / 8 - 1
    return Rows(images, bunch.target[order])


def stripes(n: int, shape: tuple[int, int, int] = (3, 12, 10)) -> Rows:
    """Two classes: bright at the top, or at the bottom."""
    generator = torch.Generator().manual_seed(n)
    labels = torch.arange(n) % 2
    images = 0.3 * torch.randn(n, *shape, generator=generator)
    half = shape[1] // 2
    images[labels == 0, :, :half] += 0.7
    images[labels == 1, :, half:] += 0.7
    return Rows(images.clamp(-1, 1), labels.numpy())


@pytest.fixture(scope="module")
def striped() -> Classifier:
    return train_classifier(stripes(40), classes=2, seed=0, kimg=2)


def test_learns_digits():
    train, test = digits(slice(0, 900)), digits(slice(900, None))
    classifier = train_classifier(train, classes=10, seed=0, kimg=15)
    assert classifier.accuracy(test.values, torch.from_numpy(test.labels)) >= 0.98


@pytest.mark.parametrize("shape", [(1, 5, 5), (4, 33, 20), (3, 12, 150)])
def test_learns_any_shape(shape: tuple[int, int, int]):
    classifier = train_classifier(stripes(40, shape), classes=2, seed=0, kimg=2)
    test = stripes(30, shape)
    assert classifier.accuracy(test.values, torch.from_numpy(test.labels)) > 0.9
    assert classifier.features(test.values).shape == (30, 128)


def test_same_seed_same_weights_whatever_the_global_state(striped: Classifier):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert train_classifier(stripes(40), classes=2, seed=0, kimg=2).name == striped.name
    assert torch.equal(torch.get_rng_state(), before)
    assert train_classifier(stripes(40), classes=2, seed=1, kimg=2).name != striped.name


def test_looks_at_batches_only():
    class Watched(Rows):
        def gather(self, index: np.ndarray) -> dict[str, torch.Tensor]:
            seen.append(len(index))
            return super().gather(index)

    seen: list[int] = []
    few = stripes(10)
    train_classifier(Watched(few.values, few.labels), classes=2, seed=0, kimg=0.64)
    assert seen == [1] + [64] * 10


def test_evaluation_does_not_depend_on_the_batch(striped: Classifier, monkeypatch: pytest.MonkeyPatch):
    x = stripes(9).values
    whole = striped.features(x)
    monkeypatch.setattr("tenfold.metrics.classifier._EVALUATION_BATCH", 4)
    assert not whole.requires_grad and torch.allclose(striped.features(x), whole, atol=1e-5)


class Bright(torch.nn.Module):
    """Class 1 where an image is bright."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.zeros(len(x)), x.mean((1, 2, 3))], 1)


def test_accuracy_and_balanced_accuracy_by_hand(monkeypatch: pytest.MonkeyPatch):
    network = Network((1, 1, 1), 3)
    monkeypatch.setattr(network, "forward", Bright().forward)
    classifier = Classifier(network, (1, 1, 1), 3)
    x = torch.tensor([1.0, 1, 1, -1, 1]).reshape(5, 1, 1, 1)
    labels = torch.tensor([1, 1, 1, 0, 0])
    assert classifier.predict(x).tolist() == [1, 1, 1, 0, 1]
    assert classifier.accuracy(x, labels) == pytest.approx(0.8)
    # Class 1 is all right, class 0 half, class 2 absent.
    assert classifier.balanced_accuracy(x, labels) == pytest.approx(0.75)


def test_saved_and_loaded(striped: Classifier, tmp_path: Path):
    x = stripes(9).values
    striped.save(tmp_path / "judge.safetensors")
    again = Classifier.load(tmp_path / "judge.safetensors")
    assert again.name == striped.name and torch.equal(again.features(x), striped.features(x))


def test_damage_is_noticed(striped: Classifier, tmp_path: Path):
    path, about = tmp_path / "judge.safetensors", tmp_path / "judge.json"
    with pytest.raises(RunError, match="trains it again"):
        Classifier.load(path)
    striped.save(path)
    good = json.loads(about.read_text())
    about.write_text(json.dumps({**good, "name": "classifier-000000000000"}))
    with pytest.raises(RunError, match="replaced or damaged"):
        Classifier.load(path)
    about.write_text(json.dumps({**good, "classes": 3}))
    with pytest.raises(RunError, match="trains it again"):
        Classifier.load(path)


def test_refuses_wrong_labels_and_shapes(striped: Classifier):
    few = stripes(10)
    with pytest.raises(DataError, match="0 to 0"):
        train_classifier(few, classes=1, seed=0)
    with pytest.raises(DataError, match="no samples"):
        train_classifier(Rows(few.values[:0], few.labels[:0]), classes=2, seed=0)
    with pytest.raises(DataError, match=r"\(3, 12, 10\)"):
        striped.predict(torch.zeros(2, 3, 8, 8))


def test_features_by_name(striped: Classifier):
    x = stripes(9).values
    features = ClassifierFeatures(striped)
    assert features.name == striped.name and torch.equal(features(x), striped.features(x))


def test_pixels_are_averaged_and_bounded():
    x = torch.arange(2 * 32 * 8, dtype=torch.float32).reshape(1, 2, 32, 8)
    rows = Pixels()(x)
    assert rows.shape == (1, 2 * 16 * 8)
    assert rows[0, 0] == (x[0, 0, 0, 0] + x[0, 0, 1, 0]) / 2
    assert torch.equal(Pixels()(x.flatten(1)), x.flatten(1))
    with pytest.raises(DataError, match="expected"):
        Pixels()(x[0])
