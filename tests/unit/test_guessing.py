"""Labels that samples without any get from their neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenfold.data import Dataset, open_data
from tenfold.data.unlabelled import PartlyLabelled, with_unlabelled
from tenfold.guessing import UNKNOWN, accuracy, neighbours, spread, with_guesses


def two_clouds(folder: Path, *, shuffled: bool = False) -> Dataset:
    """Ten labelled pictures of each of two looks, 120 unlabelled ones, the first half of them dark."""
    random = np.random.default_rng(0)

    def some(bright: int, n: int) -> np.ndarray:
        return random.normal(bright, 20, (n, 8, 8)).clip(0, 255).astype(np.uint8)

    known, labels = np.concatenate([some(60, 10), some(190, 10)]), np.array(["dark", "light"]).repeat(10)
    labels = random.permutation(labels) if shuffled else labels
    np.savez(folder / "known.npz", images=known, labels=labels)
    np.savez(folder / "more.npz", images=np.concatenate([some(60, 60), some(190, 60)]))
    return with_unlabelled(open_data(folder / "known.npz"), str(folder / "more.npz"))


def test_neighbours_hand_their_labels_on(tmp_path: Path) -> None:
    found = with_guesses(two_clouds(tmp_path))
    assert found.guesses is not None and found.spec.classes == ("dark", "light")
    assert found.unlabelled is not None
    light = found.unlabelled.gather(np.arange(120))["real"].mean((1, 2, 3)) > 0
    assert (found.guesses == light.numpy()).all() and light.sum() == 60
    assert "120 of 120 samples without labels" in found.notes[-1] and "100% of those" in found.notes[-1]


def test_labels_that_neighbours_do_not_share_are_not_handed_on(tmp_path: Path) -> None:
    found = with_guesses(two_clouds(tmp_path, shuffled=True))
    assert found.guesses is None and "are not given any" in found.notes[-1]


def test_a_class_that_is_nearly_all_is_not_trusted_for_it() -> None:
    """Two labels of a hundred lie among the others: all guesses are of the other class, nearly all right."""
    x = np.random.default_rng(0).normal(size=(300, 2))
    known = np.zeros(100, np.int64)
    known[:2] = 1
    right, tests = accuracy(neighbours(x), known, len(x))
    assert right == pytest.approx(0.5, abs=0.1) and tests > 50


def test_few_tests_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.guessing.TESTS", 21)  # of twenty labels
    found = with_guesses(two_clouds(tmp_path))
    assert found.guesses is None and "of 20 hidden labels" in found.notes[-1]


def test_without_labels_there_is_nothing_to_guess(tmp_path: Path) -> None:
    two_clouds(tmp_path)
    data = with_unlabelled(open_data(tmp_path / "more.npz"), str(tmp_path / "known.npz"))
    assert with_guesses(data) is data


def test_what_no_label_reaches_is_not_sure() -> None:
    """Three groups of points, of which two have a label."""
    x = np.concatenate([np.random.default_rng(0).normal(middle, 0.1, (12, 2)) for middle in (0, 5, 10)])
    known = np.array([0, *[UNKNOWN] * 11, 1])
    labels, sure = spread(neighbours(x), known, len(x))
    assert (labels[:12] == 0).all() and (labels[12:24] == 1).all()
    assert (sure[:24] > 0.9).all() and (sure[24:] == 0).all()


@pytest.mark.parametrize(("guessed", "share"), [(0, 0.5), (30, 0.375), (120, 20 / 140)])
def test_guessed_samples_count_as_labelled_in_a_batch(tmp_path: Path, guessed: int, share: float) -> None:
    data = two_clouds(tmp_path)
    assert data.unlabelled is not None
    guesses = np.where(np.arange(120) < guessed, 1, UNKNOWN)
    size = 32 if share < 0.3 else 8 if guessed else 20
    batches = PartlyLabelled(data.train, data.unlabelled, size, classes=2, guesses=guesses)
    assert batches.first == pytest.approx(share * size, abs=1)
    for index in range(20):
        batch = batches(index, slice(0, size))
        told = guesses[batches.parts[1].shuffled(index)]
        assert batch["known"][: batches.first].all()
        assert (batch["known"][batches.first :].numpy() == (told >= 0)).all()
        assert (batch["condition"][batches.first :].numpy()[told >= 0] == 1).all()
