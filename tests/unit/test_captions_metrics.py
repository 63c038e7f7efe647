"""Do pictures show what was said? Numbers against cases that are known."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest
import torch
from torch import Tensor

from tenfold.draw import Draw
from tenfold.errors import DataError, RunError
from tenfold.metrics.caption_judge import CaptionReader, Pair, Phrases, fitting, moved, train_reader
from tenfold.metrics.captions import (
    attribute_accuracy,
    distractors,
    found_again,
    kernel_distance_of_pairs,
    r_precision,
    same_texts,
)
from tenfold.metrics.kernel import kernel_distance
from tenfold.metrics.rows import Undefined

KINDS = 12


class Knowing:
    """Reads a picture's number off its first pixel, and a caption's off its first token."""

    def __init__(self, off: int = 0) -> None:
        self.off = off

    def pictures(self, x: Tensor) -> Tensor:
        return torch.eye(KINDS)[x[:, 0, 0, 0].long()]

    def captions(self, tokens: Tensor) -> Tensor:
        return torch.eye(KINDS)[(tokens[:, 0] - 4 + self.off) % KINDS]


def numbered(numbers: list[int]) -> tuple[Tensor, Tensor]:
    """Pictures that say their number, and captions that do."""
    values = torch.tensor(numbers)
    pictures = values.float()[:, None, None, None].expand(-1, 1, 2, 2)
    return pictures, torch.stack([values + 4, torch.full_like(values, 2)], 1)


class Coloured:
    """Batches of bright pictures with one caption, and of dark ones with another, each in two ways."""

    def __init__(self, count: int = 40) -> None:
        bright = torch.arange(count) % 2
        noise = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        self.real = (bright[:, None, None, None] - 0.5) + 0.1 * noise
        word = torch.where(torch.arange(count) % 4 < 2, 6, 7)
        self.tokens = torch.stack([4 + bright, word, torch.full_like(word, 2)], 1)
        self.size = count

    def __call__(self, index: int, rows: slice) -> dict[str, Tensor]:
        return {"real": self.real[rows], "condition": self.tokens[rows]}


def test_others_mean_something_else_and_no_two_the_same():
    meanings = np.repeat(np.arange(5), 7)
    found = distractors(meanings, 4, seed=0)
    assert found.shape == (35, 4)
    said = meanings[found]
    assert all(len({*row}) == 4 for row in said)
    assert (said != meanings[:, None]).all()
    assert len(np.unique(found)) > 20  # not one wording of each meaning for all pictures
    assert not np.array_equal(found, distractors(meanings, 4, seed=1))
    with pytest.raises(Undefined, match="5 different captions"):
        distractors(meanings, 5, seed=0)


def test_texts_that_are_the_same_have_one_number():
    found = same_texts(torch.tensor([[4, 5], [4, 6], [4, 5]]))
    assert found.shape == (3,) and found[0] == found[2] != found[1]


def test_r_precision_of_who_knows_and_of_who_errs():
    pictures, tokens = numbered(list(range(KINDS)) * 2)
    assert r_precision(Knowing(), pictures, tokens).value == 1.0  # pyright: ignore
    wrong = r_precision(Knowing(off=1), pictures, tokens)  # pyright: ignore
    assert wrong.value == 0.0 and wrong.error == 0.0
    half = pictures.clone()
    half[::2] = 3.0  # every other picture looks like number 3, which none of these is
    found = r_precision(Knowing(), half, tokens, seed=2)  # pyright: ignore
    assert found.value == 0.5
    assert found.error == pytest.approx((0.25 / 24) ** 0.5)


def test_captions_that_mean_the_same_are_no_rivals():
    pictures, tokens = numbered([0, 1, 2, 3])
    same = torch.cat([pictures[:1], pictures[:1], pictures[2:]])  # 0 and 1 look and mean the same
    reader = Knowing()
    assert r_precision(reader, same, tokens, candidates=4).value < 1  # pyright: ignore
    meant = r_precision(reader, same, tokens[[0, 0, 2, 3]], candidates=3, meanings=[0, 0, 2, 3])  # pyright: ignore
    assert meant.value == 1


def test_r_precision_wants_a_caption_for_each_picture():
    pictures, tokens = numbered([0, 1, 2])
    with pytest.raises(DataError, match="2 pictures, 3 captions"):
        r_precision(Knowing(), pictures[:2], tokens)  # pyright: ignore


def test_made_and_real_pictures_are_found_again():
    pictures, tokens = numbered(list(range(KINDS)))
    found = found_again(Knowing(), torch.zeros_like(pictures), pictures, tokens)  # pyright: ignore
    assert found.reference == 1.0 and found.value is not None and found.value <= 1 / KINDS
    few = found_again(Knowing(), pictures[:3], pictures[:3], tokens[:3])  # pyright: ignore
    assert few.value is None and "3 different captions" in few.why


def test_attributes_are_read_off_pictures():
    def read(x: Tensor) -> dict[str, np.ndarray]:
        return {"a": np.array([0, 1, 1, 0]), "b": np.array([2, 2, 3, 3])}

    wanted = {"a": np.array([0, 1, 0, 0]), "b": np.array([2, 3, 3, 3])}
    found = attribute_accuracy(read, torch.zeros(4, 1, 2, 2), wanted)
    assert {name: each.value for name, each in found.items()} == {"a": 0.75, "b": 0.75, "all": 0.5}
    with pytest.raises(DataError, match="Asked for c"):
        attribute_accuracy(read, torch.zeros(4, 1, 2, 2), {"c": np.zeros(4)})
    with pytest.raises(DataError, match="not as many values of a"):
        attribute_accuracy(read, torch.zeros(4, 1, 2, 2), {"a": np.zeros(3)})


def test_the_kernel_distance_of_pairs_by_hand():
    """One number each: k(x, y) = (xy + 1)^3. Of real 0, 1, 2 and made 0, 1, 0, pairs of numbers differ."""
    real, fake = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [1.0], [0.0]])

    def k(x: float, y: float) -> float:
        return (x * y + 1) ** 3

    r, f = real.flatten().tolist(), fake.flatten().tolist()
    places = [(i, j) for i in range(3) for j in range(3) if i != j]
    apart = [k(r[i], r[j]) + k(f[i], f[j]) - k(r[i], f[j]) - k(r[j], f[i]) for i, j in places]
    assert kernel_distance_of_pairs(real, fake).value == pytest.approx(sum(apart) / 6)
    same = kernel_distance_of_pairs(real, real)
    assert same.value == 0 and same.error == 0


def test_pictures_of_the_same_captions_do_not_make_the_distance_low():
    """Both are the caption's place plus noise: one distribution, yet number i of both are alike."""
    random = torch.Generator().manual_seed(0)
    found, plain = [], []
    for _ in range(60):
        place = 3 * torch.randn(20, 4, generator=random)
        real, fake = (place + torch.randn(20, 4, generator=random) for _ in range(2))
        found.append(kernel_distance_of_pairs(real, fake).value)
        plain.append(kernel_distance(real, fake).value)
    mean, error = np.mean(found), np.std(found) / 60**0.5
    assert abs(mean) < 3 * error
    assert np.mean(plain) < -3 * np.std(plain) / 60**0.5


def test_the_distance_of_pairs_is_of_pairs():
    with pytest.raises(DataError, match="10 real and 9 made"):
        kernel_distance_of_pairs(torch.randn(10, 3), torch.randn(9, 3))


def test_a_phrase_does_not_depend_on_its_padding():
    torch.manual_seed(0)
    read = Phrases(9, 5, 6)
    torch.testing.assert_close(read(torch.tensor([[4, 5, 6]])), read(torch.tensor([[4, 5, 6, 0, 0]])))
    assert read(torch.zeros(2, 4, dtype=torch.int64)).isfinite().all()


def test_a_reader_learns_from_pairs_and_finds_others():
    reader = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=2.4)
    others = Coloured(20)
    said = reader.captions(others.tokens[:2])  # dark, bright
    fits = reader.pictures(others.real) @ said.T
    assert (fits.argmax(1) == torch.arange(20) % 2).float().mean() > 0.9
    torch.testing.assert_close(said.norm(dim=1), torch.ones(2))


def test_the_same_pairs_and_seed_give_the_same_reader(tmp_path):
    torch.manual_seed(3)
    a = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=0.1)
    torch.manual_seed(4)
    b = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=0.1)
    c = train_reader(Coloured(), 40, vocabulary=8, seed=2, kimg=0.1)
    x = Coloured(4).real
    assert torch.equal(a.pictures(x), b.pictures(x))
    assert not torch.equal(a.pictures(x), c.pictures(x))
    a.save(tmp_path / "reader.safetensors")
    again = CaptionReader.load(tmp_path / "reader.safetensors")
    assert torch.equal(again.pictures(x), a.pictures(x))
    with pytest.raises(DataError, match="expected"):
        a.pictures(torch.zeros(1, 1, 4, 4))
    (tmp_path / "reader.json").write_text("{}")
    with pytest.raises(RunError, match="no saved reader"):
        CaptionReader.load(tmp_path / "reader.safetensors")


def test_a_reader_learns_for_no_longer_than_it_may(monkeypatch):
    """Two batches and the start took a second, four more two seconds: twenty fit into ten that are left."""
    learnt, clock = [], cycle([0.0, 1.0, 3.0])
    judge = "tenfold.metrics.caption_judge"
    monkeypatch.setattr(f"{judge}.learn", lambda pair, pairs, steps, seed: learnt.append(steps))
    monkeypatch.setattr(f"{judge}.perf_counter", lambda: next(clock))
    asked = [(50, 13.0), (12, 13.0), (50, 3.0), (50, 0.0)]
    pair = Pair((1, 8, 8), 8)
    assert [fitting(pair, Coloured(), steps, 1, most_s) for steps, most_s in asked] == [20, 12, 10, 10]
    assert learnt == [2, 4] * 4


def test_a_reader_that_is_cut_short_has_learnt_a_whole_schedule():
    x = Coloured(4).real
    whole = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=0.1)
    in_time = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=0.1, most_s=1e6)
    assert torch.equal(whole.pictures(x), in_time.pictures(x))
    ten = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=0.4)
    cut = train_reader(Coloured(), 40, vocabulary=8, seed=1, kimg=2.0, most_s=0.0)
    assert torch.equal(ten.pictures(x), cut.pictures(x))


def test_one_pair_teaches_nothing():
    with pytest.raises(DataError, match="1 pairs"):
        train_reader(Coloured(1), 1, vocabulary=8, seed=0)


def test_pictures_are_moved_by_a_pixel_at_most():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    for seed in range(6):
        y = moved(x, Draw(seed, slice(0, 1), 1))
        assert y.shape == x.shape
        parts = [x[:, :, a : a + 2, b : b + 2] for a in range(3) for b in range(3)]
        assert any(torch.equal(y[:, :, 1:3, 1:3], part) for part in parts)


def test_networks_of_the_reader_share_nothing_with_those_of_training():
    names = {name.partition(".")[0] for name in Pair((1, 8, 8), 9).state_dict()}
    assert names == {"texts", "pictures", "contrast"}
    assert not any("gru" in name for name in Pair((1, 8, 8), 9).state_dict())
