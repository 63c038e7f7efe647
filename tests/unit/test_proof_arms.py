"""Arms: what each does to the training items, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.proof import arms
from tenfold.proof.arms import Examples
from tenfold.proof.splits import water_fill

LABELS = np.repeat([0, 1, 2], [30, 12, 4])


def examples(columns: int = 3) -> Examples:
    rng = np.random.default_rng(0)
    return Examples(rng.standard_normal((len(LABELS), columns)).astype(np.float32), LABELS)


def pictures() -> Examples:
    rng = np.random.default_rng(0)
    return Examples(rng.uniform(-1, 1, (len(LABELS), 2, 6, 5)).astype(np.float32), LABELS)


@pytest.mark.parametrize("extra", [0, 1, 7, 100, 101])
def test_water_fill_leaves_counts_as_equal_as_can_be(extra: int) -> None:
    counts = np.array([30, 12, 4, 0])
    fill = water_fill(counts, extra)
    assert fill.sum() == extra and (fill >= 0).all()
    raised = (counts + fill)[fill > 0]
    # No item could be moved to a class that has two fewer.
    assert extra == 0 or raised.max() <= (counts + fill).min() + 1


def test_class_weights_let_every_class_count_the_same() -> None:
    weights = arms.class_weights(examples(), 3, 0).weights
    assert weights is not None
    np.testing.assert_allclose(np.bincount(LABELS, weights=weights), len(LABELS) / 3)


def test_oversampling_repeats_items_of_their_own_class() -> None:
    real = examples()
    done = arms.oversampling(real, 3, 0)
    assert done.counts(3).tolist() == [30, 30, 30]
    place = (done.values[:, None] == real.values).all(2).argmax(1)
    assert (done.labels == real.labels[place]).all()


def test_smote_lies_between_an_item_and_a_near_one_of_its_class() -> None:
    # Two groups far apart within a class: neighbours are of the same group, so nothing lies in between.
    rng = np.random.default_rng(1)
    values = rng.standard_normal((24, 2)).astype(np.float32)
    values[:12] += 100
    real = Examples(values, np.r_[np.zeros(20, np.int64), np.ones(4, np.int64)])
    done = arms.smote(real, 2, 0)
    made, labels = done.values[24:], done.labels[24:]
    assert done.counts(2).tolist() == [24, 24]
    group = made[labels == 0].mean(1)
    assert ((group < 10) | (group > 90)).all()
    rare = values[20:]
    assert (made[labels == 1] >= rare.min(0) - 1e-6).all() and (made[labels == 1] <= rare.max(0) + 1e-6).all()
    assert not (made[:, None] == values).all(2).any()


def test_mixup_mixes_within_a_class_only() -> None:
    values = np.repeat([0.0, 10.0, 20.0], [30, 12, 4]).astype(np.float32).reshape(-1, 1, 1, 1)
    done = arms.mixup(Examples(values, LABELS), 3, 0)
    assert len(done) == 2 * len(LABELS)
    np.testing.assert_array_equal(done.values.ravel(), done.labels * 10.0)


def test_a_shift_moves_pixels_and_repeats_the_border() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3).repeat(200, 0)
    moved = arms.shift(1)(x, np.random.default_rng(0))
    seen = {tuple(picture.ravel().astype(int)) for picture in moved}
    assert (0, 1, 2, 3, 4, 5) in seen and (0, 0, 1, 0, 0, 1) in seen  # not at all; down and to the right
    assert len(seen) == 9


@pytest.mark.parametrize("name", arms.IMAGES)
def test_pictures_keep_shape_and_range_and_are_altered(name: str) -> None:
    real = pictures()
    done = arms.augmentation(arms.IMAGES[name])(real, 3, 0)
    assert done.values.shape == (4 * len(real), 2, 6, 5) and done.values.dtype == np.float32
    np.testing.assert_array_equal(done.values[: len(real)], real.values)
    altered = done.values[len(real) :]
    assert np.abs(altered).max() <= 1
    assert (altered != np.tile(real.values, (3, 1, 1, 1))).any((1, 2, 3)).mean() > 0.3
    np.testing.assert_array_equal(done.labels, np.tile(LABELS, 4))


def test_affine_is_small() -> None:
    smooth = np.linspace(-1, 1, 16, dtype=np.float32)[None, None, None].repeat(16, 2).repeat(50, 0)
    altered = arms.affine(smooth, np.random.default_rng(0))
    assert 0.01 < np.abs(altered - smooth).mean() < 0.2


def test_jitter_leaves_marks_alone() -> None:
    values = np.c_[np.random.default_rng(0).normal(0, 5, 400), np.arange(400) % 2].astype(np.float32)
    moved = arms.jitter(0.1)(values, np.random.default_rng(1)) - values
    assert (moved[:, 1] == 0).all()
    assert 0.4 < moved[:, 0].std() < 0.6


def test_made_items_even_out_classes_and_are_never_repeated() -> None:
    pool = Examples(np.full((60, 3), 7.0, np.float32), np.repeat([0, 1, 2], [20, 20, 20]))
    done = arms.with_made(examples(), pool, 34, 3, 0)
    assert done.counts(3).tolist() == [30, 25, 24]  # 12 + 13 and 4 + 21, of which there are only 20
    weighted = arms.with_made(arms.class_weights(examples(), 3, 0), pool, 34, 3, 0)
    assert weighted.weights is not None
    np.testing.assert_allclose(np.bincount(weighted.labels, weights=weighted.weights), 79 / 3)


def test_made_only_holds_nothing_real() -> None:
    pool = Examples(np.full((90, 3), 7.0, np.float32), np.repeat([0, 1, 2], 30))
    done = arms.made_only(examples(), pool, 3, 0)
    assert (done.values == 7).all() and done.counts(3).tolist() == [30, 12, 4]


def test_controls_are_what_they_are_called() -> None:
    real = examples()
    half = arms.PARTS["real_50"](real, 3, 5)
    whole = arms.PARTS["control_held_back"](real, 3, 5)
    assert half.counts(3).tolist() == [15, 6, 2]
    np.testing.assert_array_equal(whole.values[: len(half)], half.values)
    np.testing.assert_array_equal(np.sort(whole.values, 0), np.sort(real.values, 0))
    assert whole.mass == len(half) and half.mass == len(half)
    counts = np.array([3, 12, 40])
    for name, wrong in (("control_copies", False), ("control_shuffled", True)):
        pool = arms.POOLS[name](real, counts, 5)
        assert pool.counts(3).tolist() == counts.tolist()
        place = (pool.values[:, None] == real.values).all(2)
        assert place.any(1).all()
        assert ((real.labels[place.argmax(1)] != pool.labels) == wrong).all()


def test_arms_that_even_out_classes_are_left_out_where_classes_are_even() -> None:
    assert {arm for arm, _ in arms.classical_arms("images", balanced=True, quick=False)} == {
        "none",
        "augmentation",
        "mixup",
    }
    assert "smote" in {arm for arm, _ in arms.classical_arms("table", balanced=False, quick=True)}


def test_augmentation_that_evens_out_classes_gives_as_many_items() -> None:
    tried = arms.classical_arms("table", balanced=False, quick=True)
    for end, counts in (
        ("oversampling", [62, 61, 61]),
        ("class_weights", [120, 48, 16]),
        ("smote", [62, 60, 62]),
    ):
        done = tried["augmentation", f"jitter=0.1+{end}"](examples(), 3, 0)
        assert len(done) == 184 and done.mass == 46
        assert np.sort(done.counts(3)).tolist() == np.sort(counts).tolist()
        assert (done.weights is not None) == (end == "class_weights")
        at = arms.counts_of(tried["augmentation", f"jitter=0.1+{end}"], LABELS, "table", 3)
        assert at.tolist() == done.counts(3).tolist()
