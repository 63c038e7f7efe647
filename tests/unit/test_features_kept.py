"""Features are computed once; classifiers judge what they have not seen."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tenfold.data.cache import cache_folder
from tenfold.data.order import Rows
from tenfold.errors import DataError
from tenfold.metrics.cached import cached, key_of
from tenfold.metrics.crossfit import classifier_features, folds_of
from tenfold.metrics.features import ClassifierFeatures, of_callable
from tenfold.metrics.pretrained import NetworkFeatures

ROWS = torch.arange(6.0).reshape(3, 2)


def features(digest="1"):
    return NetworkFeatures("look", digest, torch.nn.Identity(), (8,), 2)


class Counted:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return ROWS


def test_rows_are_computed_once_for_each_key_and_each_network():
    compute = Counted()
    assert torch.equal(cached(features(), "a", compute), ROWS)
    again = cached(features(), "a", compute)
    assert torch.equal(again, ROWS) and compute.calls == 1
    again += 1  # a copy: the cache is not written to
    assert torch.equal(cached(features(), "a", compute), ROWS)
    cached(features(), "b", compute)
    cached(features("2"), "a", compute)
    assert compute.calls == 3
    assert len(list(cache_folder().glob("features-*.npy"))) == 3


@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_file_is_computed_anew(cut):
    compute = Counted()
    cached(features(), "a", compute)
    (path,) = cache_folder().glob("features-*.npy")
    content = path.read_bytes()
    path.write_bytes(content[:-4] if cut else content[:-4] + b"\0\0\0\0")
    assert torch.equal(cached(features(), "a", compute), ROWS) and compute.calls == 2
    assert torch.equal(cached(features(), "a", compute), ROWS) and compute.calls == 2


def test_features_of_a_function_are_not_kept():
    compute = Counted()
    for _ in range(2):
        cached(of_callable(torch.flatten, "mine"), "a", compute)
    assert compute.calls == 2


def test_the_cache_stays_under_its_limit(monkeypatch):
    big = torch.zeros(1000, 10)
    monkeypatch.setenv("TENFOLD_CACHE_GB", str(1.5 * big.nbytes / 1e9))
    for number, key in enumerate("ab"):
        cached(features(), key, lambda: big)
        for path in cache_folder().glob("*.npy"):
            os.utime(path, (number, number))
    assert len(list(cache_folder().glob("features-*.npy"))) == 1


def test_the_key_is_of_the_data_the_split_and_the_samples():
    index = np.arange(4)
    keys = [key_of("d", "train", index), key_of("e", "train", index), key_of("d", "holdout", index)]
    assert len({*keys, key_of("d", "train", index[::-1])}) == 4
    assert key_of("d", "train", index.astype(np.int32)) == keys[0]


def test_folds_are_balanced_over_all_and_within_each_class():
    labels = np.random.default_rng(0).choice(4, 101, p=[0.7, 0.2, 0.06, 0.04])
    fold = folds_of(labels, 5, seed=1)
    table = np.array([[np.sum((labels == c) & (fold == f)) for f in range(5)] for c in range(4)])
    assert np.ptp(table.sum(0)) <= 1 and (np.ptp(table, axis=1) <= 1).all()
    assert np.array_equal(fold, folds_of(labels, 5, seed=1))
    assert not np.array_equal(fold, folds_of(labels, 5, seed=2))


@pytest.mark.parametrize(
    ("labels", "folds", "match"),
    [([0, 0, 1], 2, "Class 1 has a single sample"), ([0, 0], 1, "1 folds"), ([0, 0], 3, "3 folds")],
)
def test_what_cannot_be_split_is_refused(labels, folds, match):
    with pytest.raises(DataError, match=match):
        folds_of(np.array(labels), folds, seed=0)


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    return Rows(
        torch.from_numpy(images[:600]).float().view(-1, 1, 8, 8) / 8 - 1, labels[:600].astype(np.int64)
    )


def test_features_come_with_the_samples_their_classifier_has_not_seen(digits):
    features, unseen = classifier_features(digits, classes=10, seed=0, kimg=2)
    assert isinstance(features, ClassifierFeatures) and len(unseen) == 300
    assert np.bincount(digits.labels[unseen]).min() >= 27
    assert features(digits.values[unseen]).shape == (300, 128)
    assert features.about()["dimension"] == 128 and features.about()["hash"] in features.name
    unlike = Rows(digits.values.clone(), digits.labels)
    unlike.values[unseen] = 0  # what it has not seen has no say in its weights
    assert classifier_features(unlike, classes=10, seed=0, kimg=2)[0].name == features.name


def test_samples_without_labels_are_refused(digits):
    with pytest.raises(DataError, match="no labels"):
        classifier_features(Rows(digits.values), classes=10, seed=0)
