"""Samples without labels beside those that have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tenfold.choosing import by_name
from tenfold.data import open_data
from tenfold.data.unlabelled import PartlyLabelled, with_unlabelled
from tenfold.draw import Draw
from tenfold.errors import DataError, RecipeError
from tenfold.games.gan import GAN, NoiseSampler, told
from tenfold.options import Options
from tenfold.plan import make_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 labelled pictures and 200 others; those of a class are all of one grey, the others of a third."""
    images = np.repeat([10, 200], 20).astype(np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    images += np.arange(40, dtype=np.uint8)[:, None, None] % 5
    np.savez(tmp_path / "known.npz", images=images, labels=np.array(["a", "b"]).repeat(20))
    np.savez(
        tmp_path / "more.npz",
        images=np.full((200, 8, 8), 100, np.uint8) + np.arange(200, dtype=np.uint8)[:, None, None] % 50,
    )
    np.savez(tmp_path / "large.npz", images=np.zeros((50, 16, 16), np.uint8))
    return tmp_path


def test_all_of_the_other_source_is_learnt_from(folder: Path) -> None:
    data = open_data(folder / "known.npz")
    both = with_unlabelled(data, str(folder / "more.npz"))
    assert both.unlabelled is not None
    assert len(both.unlabelled) == 200
    assert both.unlabelled.labels is None
    assert both.fingerprint == data.fingerprint and both.unlabelled_fingerprint
    assert "200 samples without labels" in both.notes[-1]
    assert both.unlabelled.codec is both.codec


def test_what_is_held_out_is_not_learnt_from(folder: Path) -> None:
    """The usual case: a folder of all pictures beside one of those that have labels."""
    some = np.random.default_rng(0).integers(0, 256, (120, 8, 8), np.uint8)  # enough that some are held out
    np.savez(folder / "many.npz", images=some, labels=np.array(["a", "b"]).repeat(60))
    with np.load(folder / "more.npz") as more:
        images = np.concatenate([some, more["images"]])
    np.savez(folder / "all.npz", images=images)
    data = open_data(folder / "many.npz")
    both = with_unlabelled(data, str(folder / "all.npz"))
    assert data.holdout is not None and both.unlabelled is not None
    judges = {row.tobytes() for row in data.holdout.values}
    shown = both.unlabelled.gather(np.arange(len(both.unlabelled)))["real"]
    assert not judges & {row.tobytes() for row in data.codec.decode(shown).transpose(0, 3, 1, 2)}
    left_out = sum(row.tobytes() in judges for row in images[:, None])
    assert left_out and len(both.unlabelled) == 320 - left_out
    assert f"{left_out} samples of" in both.notes[-1]
    np.savez(folder / "judges.npz", images=np.repeat(data.holdout.values[:1, 0], 40, 0))
    with pytest.raises(DataError, match=r"Every image is the same|0 samples that are not held out"):
        with_unlabelled(data, str(folder / "judges.npz"))


def test_few_labels_and_a_large_batch(folder: Path) -> None:
    data = with_unlabelled(open_data(folder / "known.npz"), str(folder / "more.npz"))
    assert data.unlabelled is not None
    for size, first in ((100, 40), (len(data.train) + 200, len(data.train)), (8, 4)):
        batches = PartlyLabelled(data.train, data.unlabelled, size, classes=2)
        assert batches.first == min(first, len(data.train))


def test_a_recipe_that_needs_every_label_refuses(folder: Path) -> None:
    options = Options(unlabelled=str(folder / "more.npz"))
    with pytest.raises(RecipeError, match="needs the label of every sample"):
        make_plan(folder / "known.npz", by_name("cvae", "tiny"), kimg=1, options=options)
    plan = make_plan(folder / "known.npz", by_name("r3gan", "base"), kimg=1, options=options)
    assert plan.recipe.batch == 64  # of all samples, not of those with labels alone


def test_another_size_is_refused(folder: Path) -> None:
    np.savez(
        folder / "wide.npz", images=np.arange(50 * 128, dtype=np.int64).astype(np.uint8).reshape(50, 8, 16)
    )
    with pytest.raises(DataError, match=r"wide.npz holds samples of shape .* were expected, as in"):
        with_unlabelled(open_data(folder / "known.npz"), str(folder / "wide.npz"))


def grey(x: Tensor) -> Tensor:
    return ((x + 1) * 127.5).mean((1, 2, 3)).round()


@pytest.mark.parametrize("classes", [2, 0])
def test_batches_hold_both_and_mark_them(folder: Path, classes: int) -> None:
    data = with_unlabelled(open_data(folder / "known.npz"), str(folder / "more.npz"))
    assert data.unlabelled is not None
    batches = PartlyLabelled(data.train, data.unlabelled, 12, classes=classes)
    seen = [batches(i, slice(0, 12)) for i in range(40)]
    values = torch.stack([grey(batch["real"]) for batch in seen])
    labelled = (values < 50) | (values >= 200)
    if not classes:
        assert set(seen[0]) == {"real"}
        assert labelled.float().mean().item() == pytest.approx(
            len(data.train) / (len(data.train) + 200), abs=0.05
        )
        return
    assert labelled.sum(1).tolist() == [6] * 40
    for batch, known in zip(seen, labelled, strict=True):
        assert torch.equal(batch["known"], known)
        assert torch.equal(grey(batch["real"])[known] > 100, batch["condition"][known] == 1)
    asked = torch.cat([batch["condition"][~batch["known"]] for batch in seen])
    assert asked.float().mean().item() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("cut", [0, 3, 6, 8, 12])
def test_two_parts_of_a_batch_are_the_batch(folder: Path, cut: int) -> None:
    data = with_unlabelled(open_data(folder / "known.npz"), str(folder / "more.npz"))
    assert data.unlabelled is not None
    batches = PartlyLabelled(data.train, data.unlabelled, 12, classes=2)
    whole, parts = batches(5, slice(0, 12)), [batches(5, slice(0, cut)), batches(5, slice(cut, 12))]
    for name, values in whole.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), values), name


class Judge(nn.Module):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.told = nn.Parameter(torch.ones(2)), []

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        self.told.append(condition.tolist())
        return (x * self.weight).sum(1, keepdim=True)


class Maker(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.asked = nn.Parameter(torch.ones(2)), []

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        self.asked.append(condition.tolist())
        return z * self.weight


def test_d_is_told_nothing_of_pairs_without_a_label_and_g_is_asked_all_the_same() -> None:
    condition, known = torch.tensor([1, 0, 1]), torch.tensor([True, True, False])
    batch = {"real": torch.randn(3, 2), "condition": condition, "known": known}
    assert told(batch).tolist() == [1, 0, -1]
    assert told({"real": batch["real"]}) is None
    game = GAN(NoiseSampler(Maker(), 2), Judge())
    game.criticise(batch, Draw(0, slice(0, 3), 3))
    game.generate(batch, Draw(0, slice(0, 3), 3))
    assert game.sampler.generator.asked == [[1, 0, 1]] * 2
    assert game.discriminator.told == [[1, 0, -1]] * 4
