"""Which caption a picture has in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tenfold.data.dataset import Split
from tenfold.data.texts.beside import Sources, TokenRows, captions_of
from tenfold.data.texts.order import CaptionedBatches
from tenfold.errors import DataError

COUNTS = [1 + n % 3 for n in range(12)]


def pictures():
    """Samples that are their number; captions that are it and their own."""
    captions = captions_of([np.array([[10 + n, 10 + c] for c in range(k)]) for n, k in enumerate(COUNTS)])
    names = [str(n) for n in range(12)]
    return Split(np.arange(12)[:, None], np.zeros(12, np.int64), names, TokenRows(), beside=captions)


def test_captions_belong_to_their_pictures():
    batches = CaptionedBatches(pictures(), 5, seed=3)
    for index in range(30):
        batch = batches(index, slice(0, 5))
        assert batch["condition"].dtype == torch.int64
        number, caption = batch["condition"].T - 10
        assert number.tolist() == batch["real"][:, 0].tolist()
        assert (caption < torch.tensor(COUNTS)[number]).all()


def test_all_captions_are_drawn_equally_often():
    batches = CaptionedBatches(pictures(), 12)
    drawn = torch.cat([batches(index, slice(0, 12))["condition"] for index in range(600)]) - 10
    for number in (1, 2):
        counts = torch.bincount(drawn[drawn[:, 0] == number, 1])
        assert (counts / 600).tolist() == pytest.approx([1 / COUNTS[number]] * COUNTS[number], abs=0.08)


def test_a_batch_is_a_function_of_the_seed_its_number_and_the_row():
    there, back = (CaptionedBatches(pictures(), 5, seed=3) for _ in range(2))
    first = [there(index, slice(0, 5))["condition"].tolist() for index in range(10)]
    again = [back(index, slice(0, 2))["condition"].tolist() for index in reversed(range(10))][::-1]
    rest = [back(index, slice(2, 5))["condition"].tolist() for index in range(10)]
    assert first == [a + b for a, b in zip(again, rest, strict=True)]
    other = CaptionedBatches(pictures(), 5, seed=4)
    assert first != [other(index, slice(0, 5))["condition"].tolist() for index in range(10)]


def test_without_chance_it_is_the_first():
    batch = pictures().gather(np.array([5, 2, 5]))
    assert batch["condition"].tolist() == [[15, 10], [12, 10], [15, 10]]


def test_some_captions():
    captions = pictures().beside.take(np.array([2, 0, 1]))
    assert len(captions) == 3
    assert captions.starts.tolist() == [0, 3, 4, 6]
    assert captions.of(0).tolist() == [[12, 10], [12, 11], [12, 12]]
    assert captions.gather(np.array([2]), np.array([0.5]))["condition"].tolist() == [[11, 11]]


def test_sources():
    sources = Sources(np.arange(6, dtype=np.int32).reshape(3, 2))
    assert sources.take(np.array([2, 0])).gather(np.array([1, 0]))["source"].tolist() == [[0, 1], [4, 5]]
    assert len(sources) == 3


def test_a_batch_larger_than_the_data():
    with pytest.raises(DataError, match="batch of 13 samples"):
        CaptionedBatches(pictures(), 13)
