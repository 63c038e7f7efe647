"""Evaluation of runs and of folders: what is measured, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.errors import DataError, RunError
from tenfold.metrics.features import of_callable

SMALL = {"features": "pixels"}


def save(folder: Path, pictures: np.ndarray, labels: np.ndarray | None = None) -> Path:
    for i, picture in enumerate(pictures):
        place = folder if labels is None else folder / f"class-{labels[i]}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{i:03d}.png")
    return folder


def pictures(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Dark pictures of class 0, bright ones of class 1; each a plane of random slope with some noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    slope = random.normal(0, 12, (n, 2, 1, 1)) * np.stack(np.meshgrid(*[np.arange(8)] * 2))
    values = 70 + 100 * labels[:, None, None] + slope.sum(1) + random.normal(0, 8, (n, 8, 8))
    return values.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {
        name: save(tmp_path / name, *pictures(seed)) for seed, name in enumerate(("real", "fake", "held"))
    }


def test_three_folders(folders: dict[str, Path]) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["fake"], holdout=folders["held"], **SMALL)
    assert found.metrics["coverage"].n == 40
    assert found.metrics["label_accuracy"].value is not None and found.metrics["label_accuracy"].value > 0.9
    assert found.confusion is not None and found.confusion.sum() == 40
    assert set(found.per_class) == {"class-0", "class-1"}
    assert next(v for v in found.verdicts if v.about == "copying").level == "good"
    assert found.settings["features"]["network"] == "none"
    assert found.settings["counts"] == {"real": 40, "hold-out": 40, "made": 40}
    assert "coverage" in found.to_json() and "coverage" in str(found)


def test_a_folder_of_copies_is_found_out(folders: dict[str, Path]) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["real"], holdout=folders["held"], **SMALL)
    assert found.metrics["authenticity"].value == 0
    assert next(v for v in found.verdicts if v.about == "copying").level == "bad"
    assert found.copies is not None and found.copies.train_distance.max() == pytest.approx(0, abs=1e-6)
    assert torch.equal(found.copies.fake, found.copies.train)  # each its own original


def test_without_a_holdout_one_half_judges(folders: dict[str, Path]) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["fake"], **SMALL)
    assert found.metrics["coverage"].n == 20
    assert found.metrics["c_t"].value is None and found.copies is None
    assert any("no hold-out" in note for note in found.notes)


def test_the_report_needs_nothing_else(folders: dict[str, Path], tmp_path: Path) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["fake"], holdout=folders["held"], **SMALL)
    page = found.report(tmp_path / "new" / "report.html").read_text()
    assert "coverage" in page and "data:image/png;base64" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script" not in page
    with pytest.raises(RunError, match=r"\.html"):
        found.report(tmp_path / "report.pdf")


def test_an_overlap_is_refused_by_name(folders: dict[str, Path]) -> None:
    first = folders["real"] / "class-0" / "000.png"
    (folders["held"] / "class-0" / "again.png").write_bytes(first.read_bytes())
    with pytest.raises(DataError, match=r"1 of 41 hold-out samples.*again.png = class-0/000.png"):
        tenfold.evaluate(real=folders["real"], fake=folders["fake"], holdout=folders["held"], **SMALL)


def test_too_few_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    few = save(tmp_path / "few", *pictures(9, 19))
    with pytest.raises(DataError, match="19 made samples; at least 20"):
        tenfold.evaluate(real=folders["real"], fake=few, holdout=folders["held"], **SMALL)


def test_other_classes_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    values, labels = pictures(9)
    other = save(tmp_path / "other", values, labels + 7)
    with pytest.raises(DataError, match="class-7"):
        tenfold.evaluate(real=folders["real"], fake=other, **SMALL)


def test_made_samples_of_another_size_are_brought_to_the_real_one(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    values, _ = pictures(9)
    large = save(tmp_path / "large", values.repeat(3, 1).repeat(3, 2))
    found = tenfold.evaluate(real=folders["real"], fake=large, holdout=folders["held"], **SMALL)
    assert found.metrics["coverage"].value is not None and found.metrics["coverage"].value > 0.5
    assert found.confusion is None and found.per_class == {}  # they have no labels


def test_what_to_judge_must_be_said(folders: dict[str, Path]) -> None:
    with pytest.raises(RunError, match="--real and --fake"):
        tenfold.evaluate(real=folders["real"])


def test_a_run(folders: dict[str, Path], tmp_path: Path) -> None:
    values, labels = pictures(3, 120)
    data = save(tmp_path / "data", values, labels)
    options = tenfold.Options(quiet=True, precision="fp32", memory_format="contiguous")
    run = tenfold.fit(data, "cgan", preset="tiny", kimg=0.2, out=tmp_path / "run", options=options)
    found = run.evaluate(features="pixels")
    assert found.metrics["coverage"].n == len(found.material.holdout or ()) == 30
    assert len(found.material.fake) == 1000
    assert found.to_json() == run.evaluate(features="pixels").to_json()
    fresh = run.evaluate(features="pixels", holdout=folders["held"])
    assert fresh.metrics["coverage"].n == 40
    next(data.rglob("*.png")).unlink()
    with pytest.raises(DataError, match="not those"):
        run.evaluate()


def test_samples_in_class_folders_are_not_judged_by_the_first_classes_alone(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """Files lie class by class: the first forty of these would all be of one class."""
    many = save(tmp_path / "many", *pictures(9, 120))
    found = tenfold.evaluate(real=folders["real"], fake=many, holdout=folders["held"], **SMALL)
    for name in ("recall", "coverage"):
        number = found.metrics[name]
        assert number.value is not None and number.reference is not None
        assert number.value > 0.8 * number.reference
    assert found.metrics["kernel_distance"].how == "class by class"


def test_copies_are_named_without_a_holdout(folders: dict[str, Path]) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["real"], **SMALL)
    assert found.metrics["exact_copies"].value == 1
    assert any(v.about == "copying" and v.level == "bad" for v in found.verdicts)


def test_made_samples_that_judge_themselves_are_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="40 of 40 made samples are copies of hold-out samples"):
        tenfold.evaluate(real=folders["real"], fake=folders["held"], holdout=folders["held"], **SMALL)


def test_half_of_the_real_samples_may_be_too_few(folders: dict[str, Path], tmp_path: Path) -> None:
    few = save(tmp_path / "few", *pictures(9, 30))
    found = tenfold.evaluate(real=few, fake=folders["fake"], **SMALL)
    assert found.metrics["coverage"].value is None and "n = 15" in found.metrics["coverage"].why


def test_features_of_a_classifier_leave_out_what_it_learnt_from(folders: dict[str, Path]) -> None:
    sides = {"real": folders["real"], "fake": folders["fake"], "holdout": folders["held"]}
    found = tenfold.evaluate(**sides, features="classifier")
    assert found.settings["counts"]["real"] == 20
    assert found.settings["features"]["network"] == "classifier"
    with pytest.raises(DataError, match="labelled pictures"):
        np.save(folders["real"].parent / "rows.npy", np.random.default_rng(0).normal(size=(40, 3)))
        rows = folders["real"].parent / "rows.npy"
        tenfold.evaluate(real=rows, fake=rows, features="classifier")


def test_labels_that_cannot_be_judged_say_why(folders: dict[str, Path]) -> None:
    found = tenfold.evaluate(real=folders["real"], fake=folders["fake"], **SMALL)
    assert found.metrics["cas"].value is None and "held out" in found.metrics["cas"].why


def test_noisy_copies_that_the_features_do_not_know_are_found_by_their_pixels(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    values, labels = pictures(0)
    noise = np.random.default_rng(3).normal(0, 5, values.shape)
    noisy = save(tmp_path / "noisy", (values + noise).clip(0, 255).astype(np.uint8), labels)
    edges = of_callable(lambda x: x.diff(dim=3).abs().mean((2, 3)), "edges")  # the noise, mostly
    found = tenfold.evaluate(real=folders["real"], fake=noisy, holdout=folders["held"], features=edges)
    hidden, seen = found.metrics["memorised"], found.metrics["memorised_pixels"]
    assert hidden.value is not None and hidden.value < 0.5
    assert seen.value is not None and seen.error is not None and seen.value > max(0.9, 3 * seen.error)
    assert next(v for v in found.verdicts if v.about == "copying").level == "bad"
    assert found.copies is not None and (found.copies.fake == found.copies.train).float().mean() > 0.9
