"""The whole set of metrics: what each sees of known faults, and when nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tenfold.metrics.suite import FEWEST, MEMORY, Side, Sides, by_class, measure

N, D = 200, 8


def cloud(seed: int, n: int = N, *, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed)) + shift


def sides(fake: torch.Tensor, *, holdout: bool = True) -> Sides:
    return Sides(Side(cloud(0, 400)), Side(cloud(1)) if holdout else None, Side(fake))


def test_fresh_samples_are_like_the_reference() -> None:
    found = measure(sides(cloud(2)))
    for name in ("precision", "recall", "coverage", "vendi"):
        assert found[name].value == pytest.approx(found[name].reference, rel=0.15), name
    kernel = found["kernel_distance"]
    assert kernel.value is not None and kernel.error is not None
    assert abs(kernel.value) < 4 * kernel.error
    assert found["c_t"].value == pytest.approx(0, abs=3)


def test_copies_are_seen_and_distances_do_not_see_them() -> None:
    found = measure(sides(cloud(0, 400)))
    assert found["c_t"].value is not None and found["c_t"].value < -5
    assert found["authenticity"].value == 0
    assert found["authenticity"].reference is not None and found["authenticity"].reference > 0.3
    assert found["coverage"].value == pytest.approx(found["coverage"].reference, rel=0.1)


def test_half_of_the_variety_is_missed() -> None:
    fake = cloud(2, 800)
    half = fake[fake[:, 0] > 0.5][:N]
    found = measure(sides(half))
    assert found["recall"].value is not None and found["recall"].reference is not None
    assert found["recall"].value < 0.8 * found["recall"].reference


def test_without_a_holdout_memory_is_not_defined() -> None:
    found = measure(sides(cloud(2), holdout=False))
    for name in MEMORY:
        assert found[name].value is None and "hold-out" in found[name].why
    assert found["coverage"].n == N  # half of the 400 real ones judge
    assert "value" in found["c_t"].to_json() and found["c_t"].to_json()["value"] is None


def test_labels_take_the_bias_away_only_where_every_class_counts() -> None:
    """Matched labels: nine in ten of the distance between classes would be taken for a negative distance."""
    labels = np.arange(40) % 4
    far = 6 * torch.nn.functional.one_hot(torch.from_numpy(labels), D).float()
    real, held, fake = (Side(cloud(s, 40) + far, labels) for s in (3, 4, 5))
    plain = Sides(Side(real.x), Side(held.x), Side(fake.x))
    matched, naive = measure(Sides(real, held, fake)), measure(plain)
    assert naive["kernel_distance"].value is not None and matched["kernel_distance"].value is not None
    assert matched["kernel_distance"].value > naive["kernel_distance"].value
    few = Side(fake.x, np.r_[np.zeros(39, np.int64), 1])  # a class with one, two without any
    assert measure(Sides(real, held, few))["kernel_distance"].value == pytest.approx(
        naive["kernel_distance"].value
    )


def test_a_class_that_is_too_small_is_not_defined() -> None:
    labels = np.r_[np.zeros(N - 5, np.int64), np.ones(5, np.int64)]
    train, held, fake = (Side(cloud(s), labels) for s in (6, 7, 8))
    found = by_class(Sides(train, held, fake), 2)
    assert found[0]["coverage"].value is not None
    assert found[1]["coverage"].value is None and f"at least {FEWEST}" in found[1]["coverage"].why
