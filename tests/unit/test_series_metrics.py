"""Metrics of series against what can be worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

from tenfold.errors import DataError
from tenfold.metrics.series import (
    acf_error,
    autocorrelation,
    correlations,
    cross_correlation_error,
    differences,
    length_distance,
    padded,
    spectral_distance,
    spectrum,
)
from tenfold.metrics.series_scores import (
    Labelled,
    Lessons,
    classic_units,
    discriminative_score,
    label_accuracy,
    predictive_score,
    ranges,
)
from tenfold.metrics.series_suite import NAMES, SeriesSides, measure_series

QUICK = Lessons(steps=60, batch=32, rate=0.02)


def noise(n=60, steps=12, channels=2, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=(steps, channels)) for _ in range(n)]


def autoregressive(phi, steps, n=1, seed=0):
    random = np.random.default_rng(seed)
    x = np.zeros((n, steps + 100))
    for t in range(1, steps + 100):
        x[:, t] = phi * x[:, t - 1] + random.normal(size=n)
    return [row[100:, None] for row in x]


def test_what_is_padded():
    found = padded([np.ones((1, 2)), np.full((3, 2), 2.0)], 4)
    assert found.values[:, :, 0].tolist() == [[1, 0, 0, 0], [2, 2, 2, 0]]
    assert found.there.tolist() == [[True, False, False, False], [True, True, True, False]]


def test_what_each_step_adds():
    assert differences([np.array([[2.0], [5.0]]), np.array([[1.0]])])[0].tolist() == [[0], [3]]
    assert differences([np.array([[1.0]])])[0].tolist() == [[0]]


def test_autocorrelation_of_alternating_steps():
    found = autocorrelation([np.array([[1.0], [-1], [1], [-1]])], 3)
    assert found[:, 0].tolist() == pytest.approx([1, -1, 1, -1])


def test_autocorrelation_of_series_of_different_lengths():
    # Mean 0, variance 1; pairs one step apart: (1, -1), (-1, 1), (1, -1), (1, 1), (-1, -1).
    series = [np.array([[1.0], [-1], [1], [-1]]), np.array([[1.0], [1]]), np.array([[-1.0], [-1]])]
    assert autocorrelation(series, 1)[1, 0] == pytest.approx((-3 + 2) / 5)


def test_autocorrelation_of_a_sine():
    wave = np.sin(2 * np.pi * np.arange(8000) / 8)[:, None]
    found = autocorrelation([wave], 8)[:, 0]
    np.testing.assert_allclose(found, np.cos(2 * np.pi * np.arange(9) / 8), atol=1e-3)


def test_autocorrelation_of_an_autoregression():
    found = autocorrelation(autoregressive(0.8, 20_000), 5)[:, 0]
    np.testing.assert_allclose(found, 0.8 ** np.arange(6), atol=0.04)


def test_lags_that_no_series_has():
    found = autocorrelation([np.array([[1.0], [2.0]])], 3)
    assert np.isnan(found[2:]).all()
    assert not np.isnan(found[:2]).any()


def test_acf_errors():
    rough, smooth = autoregressive(0.0, 50, 200), autoregressive(0.9, 50, 200, seed=1)
    assert acf_error(smooth, smooth) == 0
    assert acf_error(smooth, autoregressive(0.9, 50, 200, seed=2)) < 0.12
    assert acf_error(smooth, rough) > 0.3


def test_channels_that_follow_each_other():
    first = np.random.default_rng(0).normal(size=5000)
    series = [np.stack([first[1:], first[:-1]], 1)]
    found = correlations(series, 2)
    assert found[1, 0, 1] == pytest.approx(1, abs=0.01)
    assert found[0, 0, 1] == pytest.approx(0, abs=0.05)
    assert found[0].diagonal().tolist() == pytest.approx([1, 1])
    assert cross_correlation_error(series, series) == 0
    assert cross_correlation_error(series, [x[:, ::-1] for x in series], 1) > 0.4
    assert np.isnan(cross_correlation_error([x[:, :1] for x in series], [x[:, :1] for x in series]))


def test_a_channel_that_never_changes_correlates_with_none():
    assert not correlations([np.concatenate([np.ones((5, 1)), np.eye(5)[:, :1]], 1)], 1)[:, 0].any()


def test_the_spectrum_of_a_sine_has_one_line():
    wave = np.sin(2 * np.pi * 3 * np.arange(32) / 32)[:, None] + 5
    found = spectrum([wave], 32)[:, 0]
    assert found.argmax() == 2
    assert found[2] == pytest.approx(32 / 4)
    assert np.delete(found, 2).max() < 1e-12


def test_spectral_distances():
    series = noise()
    assert spectral_distance(series, series) == 0
    louder = [10 * x for x in series]
    assert spectral_distance(series, louder) == pytest.approx(log(100), rel=1e-3)
    assert spectral_distance(series, noise(seed=1)) < 0.5


def test_length_distances():
    lengths = lambda *each: [np.zeros((n, 1)) for n in each]
    assert length_distance(lengths(1, 2, 3, 4), lengths(2, 3, 4, 5)) == pytest.approx(0.25)
    assert length_distance(lengths(3), lengths(3, 3)) == 0


def test_series_alike_cannot_be_told_apart_and_others_can():
    real, fresh = noise(100), noise(100, seed=1)
    assert discriminative_score(real, fresh, lessons=QUICK) <= 0.25
    assert discriminative_score(real, [x + 3 for x in fresh], lessons=QUICK) > 0.4
    assert discriminative_score(real, [x + 3 for x in fresh], changes=True, lessons=QUICK) <= 0.25
    smooth = [np.cumsum(x, 0) / 3 for x in fresh]
    assert discriminative_score(real, smooth, changes=True, lessons=Lessons(200, 32, 0.02)) > 0.2


def test_scores_are_those_of_the_seed():
    real, fresh = noise(20), noise(20, seed=1)
    state = torch.random.get_rng_state()
    a, b = (discriminative_score(real, fresh, lessons=QUICK, seed=4) for _ in range(2))
    assert a == b
    assert torch.equal(torch.random.get_rng_state(), state)


def test_too_few_series_to_tell_apart():
    with pytest.raises(DataError, match="5 series on a side were given; at least 10"):
        discriminative_score(noise(5), noise(50))


def test_the_classic_score_has_few_units():
    assert classic_units(noise(1, channels=1)) == 1
    assert classic_units(noise(1, channels=5)) == 2


def test_what_is_foretold():
    random = np.random.default_rng(0)
    follows = []
    for _ in range(60):
        x = random.uniform(size=(11, 1))
        follows.append(np.concatenate([x[1:], x[:-1]], 1))  # the last channel is the first, a step later
    loose = noise(60)
    good, bad = (
        predictive_score(x, follows, lessons=Lessons(300, 32, 0.02), units=8) for x in (follows, loose)
    )
    assert good < 0.15 < bad
    single = predictive_score([x[:, :1] for x in loose], [x[:, :1] for x in loose], lessons=QUICK)
    assert 0 < single < 0.5
    with pytest.raises(DataError, match="no series has two steps"):
        predictive_score([np.zeros((1, 1))], follows)


def test_ranges():
    found = ranges([np.array([[1.0, 5.0]]), np.array([[3.0, 5.0]])])
    assert found.scaled(np.array([[2.0, 5.0]])).tolist() == [[0.5, 0]]


def labelled(n, seed):
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    series = [
        (1 if label else -1) * np.linspace(-1, 1, length)[:, None] + 0.1 * random.normal(size=(length, 1))
        for label, length in zip(labels, random.integers(5, 12, n), strict=True)
    ]
    return Labelled(series, labels)


def test_classes_are_learnt_from_other_series():
    train, test = labelled(60, 0), labelled(40, 1)
    assert label_accuracy(train, test, lessons=QUICK) > 0.9
    wrong = Labelled(train.series, 1 - train.labels)
    assert label_accuracy(wrong, test, lessons=QUICK) < 0.1


def test_everything_beside_what_fresh_series_get():
    sides = SeriesSides(labelled(40, 0), labelled(30, 1), labelled(50, 2))
    found = measure_series(sides, Lessons(5, 16, 0.01))
    assert set(found) == {*NAMES, "label_accuracy"}
    assert found["cross_correlation_error"].why
    for name in set(found) - {"cross_correlation_error"}:
        assert found[name].n == 30
        assert np.isfinite([found[name].value, found[name].reference]).all()
    assert found["acf_error"].value < 0.3


def test_without_a_holdout_one_half_judges():
    plain = Labelled(noise(40), np.zeros(40, int))
    found = measure_series(SeriesSides(plain, None, plain), Lessons(2, 8, 0.01))
    assert set(found) == {*NAMES}
    assert found["predictive"].n == 20


def test_too_few_series_to_measure():
    few = Labelled(noise(4), np.zeros(4, int))
    found = measure_series(SeriesSides(few, few, few))
    assert set(found) == {*NAMES}
    assert all(m.value is None and "at least 10 series" in m.why for m in found.values())
