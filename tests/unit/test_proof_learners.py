"""Learners: they learn, use weights, know absent classes, and take the same steps for every arm."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tenfold.errors import RecipeError
from tenfold.proof.arms import Examples
from tenfold.proof.learners import (
    choose_learners,
    fit_cnn,
    fitted,
    probabilities,
    rows_of,
    softmax,
    temperature,
)


def pictures(n: int = 120, seed: int = 0) -> Examples:
    """Bright on the left, on the right, or nowhere, with noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    values = rng.normal(-0.5, 0.3, (n, 1, 8, 8)).astype(np.float32)
    values[labels == 0, :, :, :3] += 0.6
    values[labels == 1, :, :, 5:] += 0.6
    return Examples(values, labels)


def learners(**given: object) -> dict:
    chosen = choose_learners("images", None, **{"steps": 60, "largest": 500, **given})  # type: ignore[arg-type]
    return {learner.name: learner for learner in chosen}


@pytest.mark.parametrize("name", ["linear", "kernel", "trees", "cnn"])
def test_every_learner_learns_and_gives_probabilities(name: str) -> None:
    sides = {"validation": pictures(60, 1), "test": pictures(90, 2)}
    found = probabilities(learners()[name], pictures(), sides, 4, seed=0)
    assert found["test"].shape == (90, 4)
    np.testing.assert_allclose(found["test"].sum(1), 1, atol=1e-6)
    assert (found["test"].argmax(1) == sides["test"].labels).mean() > 0.9
    assert found["test"][:, 3].max() < 0.1  # a class that was not trained on
    again = probabilities(learners()[name], pictures(), sides, 4, seed=0)
    np.testing.assert_array_equal(found["test"], again["test"])


@pytest.mark.parametrize("name", ["linear", "kernel", "trees", "cnn"])
def test_weights_move_the_decision(name: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.3, (10, 1, 4, 4)).astype(np.float32)
    values = points[np.arange(200) // 20]  # every point has both labels: only weights decide
    labels = (np.arange(200) % 4 == 0).astype(np.int64)
    shares = []
    for weights in (np.ones(200), np.where(labels == 1, 30.0, 1.0)):
        logits = learners()[name].fit(Examples(values, labels, weights), 2, 0)
        shares.append(softmax(logits(points))[:, 1].mean())
    assert shares[1] > shares[0] + 0.1


def test_the_kernel_is_approximated_where_it_would_take_too_long() -> None:
    sides = {"validation": pictures(60, 1), "test": pictures(90, 2)}
    near = learners(largest=10**6)["kernel"]
    assert near.fit is not learners()["kernel"].fit
    found = probabilities(near, pictures(), sides, 3, seed=0)
    assert (found["test"].argmax(1) == sides["test"].labels).mean() > 0.9


def test_the_network_takes_as_many_steps_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    steps = []
    step = torch.optim.AdamW.step

    def counted(self: torch.optim.AdamW, closure: None = None) -> None:
        steps.append(1)
        step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    for n in (30, 300):
        steps.clear()
        fit_cnn(pictures(n), 3, 0, steps=25)
        assert len(steps) == 25


def test_the_network_takes_pictures_of_any_size() -> None:
    for shape in ((3, 5, 40), (1, 1, 2)):
        values = np.random.default_rng(0).normal(size=(40, *shape)).astype(np.float32)
        logits = fit_cnn(Examples(values, np.arange(40) % 2), 2, 0, steps=20)(values)
        assert logits.shape == (40, 2) and np.isfinite(logits).all()


def test_large_pictures_are_averaged_down() -> None:
    values = np.random.default_rng(0).normal(size=(3, 2, 32, 64)).astype(np.float32)
    rows = rows_of(values).reshape(3, 2, 8, 16)
    np.testing.assert_allclose(rows[1, 1, 2, 3], values[1, 1, 8:12, 12:16].mean(), rtol=1e-5)


def test_one_class_alone_is_no_error() -> None:
    only = Examples(pictures().values, np.ones(120, np.int64))
    assert (fitted(learners()["linear"], only, 3, 0)(pictures().values).argmax(1) == 1).all()


def test_temperature_is_found_and_changes_no_decision() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    cumulative = softmax(logits).cumsum(1)
    labels = (rng.random((4000, 1)) > cumulative).sum(1)
    assert temperature(logits, labels) == pytest.approx(1, rel=0.15)
    assert temperature(5 * logits, labels) == pytest.approx(5, rel=0.15)


def test_a_learner_that_does_not_suit_is_refused() -> None:
    with pytest.raises(RecipeError, match="no learner 'cnn' for table"):
        choose_learners("table", ("cnn",), steps=1, largest=1)


def test_models_are_imported_before_threads_could_do_it_at_once() -> None:
    code = """import sys; from tenfold.proof.learners import choose_learners
choose_learners("table", None, steps=1, largest=1)
print("sklearn.svm" in sys.modules and "sklearn.ensemble" in sys.modules)"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "True"


@pytest.mark.parametrize("name", ["linear", "kernel"])
def test_copies_of_the_items_change_nothing(name: str) -> None:
    """The regularisation goes by the number of real items, whatever is added."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(60, 1))
    values = np.c_[first, first + 0.1 * rng.normal(size=(60, 1))].astype(np.float32)
    real = Examples(values, (values[:, 0] > values[:, 1]).astype(np.int64))
    twice = real.plus(real).plus(real)
    assert twice.mass == 60
    one, other = (learners()[name].fit(given, 2, 0)(values) for given in (real, twice))
    np.testing.assert_allclose(one, other, atol=0.02)
    unlike = learners()[name].fit(Examples(twice.values, twice.labels), 2, 0)(values)
    assert np.abs(one - unlike).max() > 0.1
