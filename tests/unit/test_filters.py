"""Filters: what they let through is known by construction."""

from __future__ import annotations

import json
from functools import partial
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import tenfold
from tenfold import filtering
from tenfold.cli.__main__ import main
from tenfold.data import Codec
from tenfold.data.order import Rows
from tenfold.errors import DataError, RunError
from tenfold.filtering import Odds, filtered_samples
from tenfold.filters import Screening, confidence, coverages, fold_of_filter, screen
from tenfold.metrics import classifier
from tenfold.metrics.classifier import train_classifier
from tenfold.metrics.features import Pixels, of_callable
from tenfold.metrics.modes import GRID, mode_report
from tenfold.options import Options
from tenfold.recipe import Choice
from tenfold.rejection import fit_rejection
from tenfold.samples import Samples

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", micro_batches=1, quiet=True)
ROWS = Codec("vectors", 1, 1, 1, 1, 1, "float32", (-1.0,), (1.0,), ".npy")
CHANCE = ("confidence", "rejection")  # smooth samples are near to the noise these runs learned
LOOSE = Screening(threshold=0.0, nearest=0.0)


def two_clouds(n: int, seed: int) -> Rows:
    """Rows of eight numbers; the class shows in the first."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    rows = 0.15 * rng.standard_normal((n, 8)) + 0.5 * (2 * labels[:, None] - 1) * (np.arange(8) == 0)
    return Rows(torch.from_numpy(rows.astype(np.float32)), labels)


def made() -> tuple[Tensor, np.ndarray]:
    """100 fresh good samples, 100 with the other label, 100 copies of training samples."""
    fresh, real = two_clouds(200, seed=1), two_clouds(400, seed=0)
    assert fresh.labels is not None and real.labels is not None
    wrong = np.where(np.arange(200) < 100, fresh.labels, 1 - fresh.labels)
    values = torch.cat([fresh.values, real.values[:100]])
    return values, np.concatenate([wrong, real.labels[:100]])


def test_wrong_labels_and_copies_go_and_the_rest_stays():
    values, labels = made()
    found = screen(values, labels, two_clouds(400, seed=0), classes=2, seed=0)
    good, wrong, copied = found.mask[:100], found.mask[100:200], found.mask[200:]
    assert good.mean() > 0.85  # about one in twenty fresh real samples counts as a copy
    assert not wrong.any() and not copied.any()
    assert found.share == found.mask.mean()
    assert found.by_filter["confidence"] == pytest.approx(2 / 3, abs=0.02)
    assert found.by_filter["copies"] == pytest.approx(0.95 * 2 / 3, abs=0.05)


def test_the_half_that_a_judge_takes_is_unknown_to_the_filter():
    real = two_clouds(400, seed=0)
    mine = fold_of_filter(real.labels, 7)
    assert np.bincount(real.labels[mine]).tolist() == [100, 100]
    assert np.array_equal(mine, fold_of_filter(real.labels, 7))
    assert not np.array_equal(mine, fold_of_filter(real.labels, 8))
    others = np.setdiff1d(np.arange(400), mine)
    scrambled = Rows(real.values.clone(), real.labels)
    scrambled.values[torch.from_numpy(others)] *= -1
    x, settings = two_clouds(50, seed=1).values, Screening(confidence="middle")
    one, other = (confidence(rows, 2, 7, settings) for rows in (real, scrambled))
    assert np.array_equal(one.probabilities(x), other.probabilities(x)) and one.most == other.most


def test_coverage_is_compared_at_equal_numbers():
    """Of two clouds, the second is asked for as the first: one remains, and is set beside as many of both."""
    found = screen(
        two_clouds(200, seed=1).values,
        np.zeros(200, np.int64),
        two_clouds(400, seed=0),
        classes=2,
        seed=0,
        holdout=two_clouds(300, seed=2).values,
    )
    assert not found.notes
    assert found.coverage_after is not None and found.coverage_before is not None
    assert found.coverage_after < found.coverage_before - 0.1
    mask = np.arange(200) % 10 == 0
    pair = coverages(two_clouds(300, seed=2).values, two_clouds(200, seed=1).values, mask, 0, Pixels())
    assert pair[0] == pytest.approx(pair[1], abs=0.1) and pair[0] < 0.6  # two hundred would cover nearly all
    everything = screen(*made(), two_clouds(400, seed=0), classes=2, seed=0, settings=LOOSE)
    assert 0.6 < everything.share <= 2 / 3  # exact copies go even then
    assert "no hold-out" in everything.notes[-1]


def test_as_many_fresh_real_samples_count_as_copies_as_was_asked_for():
    settings = Screening(nearest=0.4)
    fresh, real = two_clouds(300, seed=1), two_clouds(400, seed=0)
    found = screen(fresh.values, fresh.labels, real, classes=2, seed=0, settings=settings)
    assert found.by_filter["copies"] == pytest.approx(0.6, abs=0.1)


def test_the_middle_leaves_out_what_is_certain():
    values, labels = made()
    real = two_clouds(400, seed=0)
    high = screen(values[:100], labels[:100], real, classes=2, seed=0, settings=Screening(nearest=0.0))
    settings = Screening(nearest=0.0, confidence="middle")
    middle = screen(values[:100], labels[:100], real, classes=2, seed=0, settings=settings)
    assert middle.share == pytest.approx(0.5, abs=0.15)
    assert not (middle.mask & ~high.mask).any()
    first = values[:100, 0].abs()  # how deep a sample lies within its class
    assert first[middle.mask].mean() < first[high.mask].mean()


def test_no_class_is_left_empty():
    values, labels = made()
    found = screen(values[100:200], labels[100:200], two_clouds(400, seed=0), classes=2, seed=0)
    assert [found.mask[labels[100:200] == c].sum() for c in (0, 1)] == [5, 5]
    assert found.by_filter["confidence"] == 0
    assert sum("no sample of class" in note for note in found.notes) == 2
    kept = values[100:200, 0].abs()[found.mask]
    assert kept.max() < values[100:200, 0].abs().median()  # those the classifier was least sure against


def test_pictures_by_a_convolutional_classifier():
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    pictures = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 8 - 1
    real = Rows(pictures[:300], target[:300].astype(np.int64))
    asked = target[800:1000].astype(np.int64)
    asked[100:] = (asked[100:] + 1) % 10
    seen: list[int] = []
    features = of_callable(lambda x: seen.append(len(x)) or x.flatten(1), "seen")
    found = screen(pictures[800:1000], asked, real, classes=10, seed=0, features=features)
    assert found.features == "seen" and seen == [300, found.mask.sum(), found.mask.sum()]
    assert found.mask[:100].mean() > 0.8
    assert found.mask[100:].mean() < 0.05


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        (torch.zeros(0, 8), np.zeros(0, np.int64), "no made samples"),
        (torch.zeros(3, 8), np.array([0, 1, 2]), "labels from 0 to 2 .* expected one each from 0 to 1"),
        (torch.full((3, 8), float("nan")), np.zeros(3, np.int64), "not finite"),
    ],
)
def test_what_cannot_be_screened(values, labels, message):
    with pytest.raises(DataError, match=message):
        screen(values, labels, two_clouds(40, seed=0), classes=2, seed=0)


def test_one_class_cannot_be_told_from_others():
    real = Rows(two_clouds(40, seed=0).values, np.zeros(40, np.int64))
    with pytest.raises(DataError, match="Found 1 classes"):
        screen(real.values, np.zeros(40, np.int64), real, classes=2, seed=0)


def made_grid(n: int, seed: int) -> Tensor:
    """The 25 modes, blurred, and as many strays."""
    rng = torch.Generator().manual_seed(seed)
    mode = GRID.centres[torch.randint(25, (n,), generator=rng)] + 0.1 * torch.randn(n, 2, generator=rng)
    strays = 10 * torch.rand(n, 2, generator=rng) - 5
    return torch.where(torch.rand(n, 1, generator=rng) < 0.5, mode, strays)


def log_ratio(x: Tensor) -> Tensor:
    """Of the density of the grid to that of what is made."""

    def log_density(sigma: float) -> Tensor:
        squares = torch.cdist(x.double(), GRID.centres.double(), compute_mode="donot_use_mm_for_euclid_dist")
        return (-(squares**2) / (2 * sigma**2)).logsumexp(1) - log(25 * 2 * np.pi * sigma**2)

    stray = torch.where(x.abs().amax(1) <= 5, log(0.01), -torch.inf).double()
    return log_density(GRID.sigma) - torch.logaddexp(log_density(0.1), stray) + log(2)


def logits(x: Tensor) -> Tensor:
    """A discriminator that knows the ratio, and is wrong in slope and offset."""
    return 0.25 * log_ratio(x) + 3


def test_calibration_finds_the_ratio_of_densities():
    rule = fit_rejection(logits(GRID.draw(1500, seed=1)), logits(made_grid(6000, seed=2)))
    x = torch.tensor([[0.0, 0.0], [0.1, 0.0], [2.0, 2.1], [0.0, 0.15]])
    torch.testing.assert_close(rule.slope * logits(x) + rule.offset, log_ratio(x), atol=0.3, rtol=0.1)


@pytest.mark.parametrize("gamma", [0.8, None])
def test_rejection_keeps_quality_and_every_mode(gamma):
    fake = made_grid(20_000, seed=3)
    rule = fit_rejection(logits(GRID.draw(1500, 1)), logits(made_grid(6000, 2)), gamma)
    mask = torch.rand(20_000, generator=torch.Generator().manual_seed(0)) < rule.acceptance(logits(fake))
    before, after = mode_report(fake, GRID), mode_report(fake[mask], GRID)
    assert before.high_quality_share < 0.45
    assert after.high_quality_share > (0.97 if gamma is None else before.high_quality_share + 0.25)
    assert after.found == 25 and after.reverse_kl < 0.03
    if gamma is None:  # the kept ones are distributed as the real ones
        kept = fake[mask] - GRID.centres[torch.cdist(fake[mask], GRID.centres).argmin(1)]
        assert kept.std().item() == pytest.approx(GRID.sigma, rel=0.1)


def test_a_sample_is_kept_by_its_own_logit_alone():
    rule = fit_rejection(torch.linspace(0, 3, 50), torch.linspace(-1, 2, 50))
    x = torch.tensor([-1.0, 0.5, 1.5, 2.0, 9.0])
    chance = rule.acceptance(x)
    assert (chance.diff() >= 0).all() and 0 <= chance[0] < chance[3] <= 1
    torch.testing.assert_close(rule.acceptance(x[1:2]), chance[1:2])
    assert (rule.acceptance(torch.linspace(-1, 2, 50)) < 0.5).float().mean() == pytest.approx(0.8, abs=0.03)


def test_without_gamma_the_chance_is_the_ratio_to_the_highest():
    rule = fit_rejection(torch.linspace(0, 3, 50), torch.linspace(-1, 2, 50), gamma=None)
    x = torch.linspace(-1, 2, 7)
    torch.testing.assert_close(rule.acceptance(x), (rule.slope * (x.double() - 2)).exp())


def test_chance_belongs_to_the_number_of_a_sample():
    rule = fit_rejection(torch.linspace(0, 3, 50), torch.linspace(-1, 2, 50))
    odds = Odds(lambda x, condition: torch.ones(len(x), 1), [rule])

    def score(first: int, n: int, seed: int = 0) -> np.ndarray:
        return odds(Samples(torch.zeros(n, 1), None, (), ROWS, first, seed))

    whole = score(0, 192)
    assert np.array_equal(score(64, 64), whole[64:128])
    assert len(np.unique(whole)) == 192
    assert not np.array_equal(score(0, 64, seed=1), whole[:64])


@pytest.mark.parametrize("bad", [torch.zeros(4), torch.full((40,), float("nan")), torch.zeros(40, 1)])
def test_logits_that_cannot_be_calibrated(bad):
    with pytest.raises(DataError, match="logits of held-out real samples"):
        fit_rejection(bad, torch.zeros(40))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "train_classifier", partial(train_classifier, kimg=6))
    monkeypatch.setattr(
        "tenfold.filtering.default_features", lambda images: (Pixels("swift"), "for the test")
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tenfold.Run:
    folder = tmp_path_factory.mktemp("filters")
    images = np.random.default_rng(0).integers(0, 256, (240, 8, 8), np.uint8)
    np.savez(folder / "data.npz", images=images, labels=np.array(["a", "b"] * 120))
    return trained(folder / "data.npz", "cgan", folder / "run")


def trained(data: Path, recipe: str, out: Path) -> tenfold.Run:
    pixels = lambda *_, **__: (Pixels(), Choice("features", "pixels", "for the test"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenfold.fitting.feature_network", pixels)
        return tenfold.fit(data, recipe, preset="tiny", kimg=0.2, out=out, options=QUICK)


def test_sample_number_i_does_not_depend_on_how_many_are_asked_for(run):
    few, many = (filtered_samples(run, n, None, 0, CHANCE, settings=LOOSE) for n in (5, 40))
    assert torch.equal(few.samples.values, many.samples.values[:5])
    assert few.samples.names() == ["a", "b", "a", "b", "a"]
    raw = run.sample(many.tried)
    assert torch.equal(many.samples.values, raw.values[torch.from_numpy(many.numbers)])
    assert len(set(many.numbers.tolist())) == 40
    assert many.by_filter["confidence"] == 1 and not many.notes
    assert 0.1 < many.by_filter["rejection"] == many.share < 0.5
    assert many.coverage_before is not None and many.coverage_after is not None
    other = filtered_samples(run, 5, None, 1, CHANCE, settings=LOOSE)
    assert not torch.equal(other.samples.values, few.samples.values)


def test_what_does_not_pass_is_not_delivered(run, monkeypatch):
    found = filtered_samples(run, 6, label="b", filters=["confidence"], settings=Screening(threshold=1.0))
    assert found.share == 0 and len(found.samples) == 0 and not found.complete
    assert found.tried == 2048 and found.coverage_after is None
    assert "only 0 of 6 samples were found (b 0 of 6)" in found.notes[-1]
    monkeypatch.setattr(filtering, "TRIES", 1)
    monkeypatch.setattr(filtering, "SAY_EVERY_S", 0.0)
    said: list[str] = []
    some = filtered_samples(run, 1800, filters=["rejection"], settings=LOOSE, say=said.append)
    assert 0 < len(some.samples) == len(some.numbers) == round(some.share * some.tried) < 1800
    raw = run.sample(some.tried)
    assert torch.equal(some.samples.values, raw.values[torch.from_numpy(some.numbers)])
    assert some.samples.labels is not None and raw.labels is not None
    assert np.array_equal(some.samples.labels, raw.labels[some.numbers])
    assert some.features == "swift"
    assert said[0].startswith("filters: learning") and "of 1800 found among 512 candidates, about" in said[1]
    assert len(said) == 6 and said[-1] == "filters: measuring coverage"


def test_filters_that_a_run_has_no_use_for(run, tmp_path):
    data = run.facts["source"]
    vae = trained(data, "vae", tmp_path / "vae")
    found = filtered_samples(vae, 4)
    assert found.by_filter.keys() == {"copies"}
    assert any("cannot be asked for labels" in note for note in found.notes)
    assert any("'vae' has no discriminator" in note for note in found.notes)
    with pytest.raises(RunError, match="no filter applies"):
        filtered_samples(vae, 4, filters=["rejection"])
    with pytest.raises(DataError, match="Found filters 'copy'"):
        filtered_samples(vae, 4, filters=["copy"])  # pyright: ignore[reportArgumentType]


def test_a_network_that_d_looked_through_does_not_judge(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (100, 16, 16), np.uint8)
    np.savez(tmp_path / "data.npz", images=images)
    run = trained(tmp_path / "data.npz", "projected", tmp_path / "run")
    assert filtered_samples(run, 4, filters=["copies"]).features == "pixels"  # and not "swift"


def test_the_command(run, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(filtering, "scores_of", lambda *_: ({"even": even}, ("a note",)))
    command = ["sample", str(run.path), "--filter", "--json"]
    assert main([*command, "-n", "8", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kept"] == {"share": 0.5, "by_filter": {"even": 0.5}, "tried": 512}
    assert said["coverage"]["features"] == "swift" and said["notes"] == ["a note"]
    assert len(list(out.rglob("*.png"))) == said["count"] == said["asked"] == 8
    monkeypatch.setattr(filtering, "TRIES", 1)
    capsys.readouterr()
    assert main([*command, "-n", "2100", "--label", "a", "--out", str(tmp_path / "few")]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["count"], said["asked"]) == (1280, 2100)
    assert len(list((tmp_path / "few").rglob("*.png"))) == 1280
    monkeypatch.setattr(filtering, "scores_of", lambda *_: ({"none": lambda x: -np.ones(len(x))}, ()))
    assert main(["sample", str(run.path), "-n", "4", "--filter", "--out", str(tmp_path / "no")]) == 1
    assert "no sample passed" in capsys.readouterr().out and not (tmp_path / "no").exists()


def even(samples: Samples) -> np.ndarray:
    """Every second pair of samples passes, by their numbers."""
    return np.where(np.arange(samples.first, samples.first + len(samples)) // 2 % 2 == 0, 1.0, -1.0)
