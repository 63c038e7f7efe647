"""Real plus made: with the run's own options, classes that are kept apart, and true labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold import enlarging
from tenfold.data import open_data
from tenfold.enlarging import enlarge, opened_by
from tenfold.errors import RecipeError, RunError
from tenfold.options import Options

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", micro_batches=1, quiet=True)
HOSTILE = ("../../pwned", "ok/sub")


def arrays(folder: Path, labels: tuple[str, ...], size: int = 8) -> Path:
    """120 grey pictures with these labels in turns, in one file."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (120, size, size), np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "data.npz", images=pictures, labels=np.array([labels[i % len(labels)] for i in range(120)])
    )
    return folder / "data.npz"


def trained(
    data: Path, out: Path, recipe: str = "cgan", seed: int = 0, options: Options = QUICK
) -> tenfold.Run:
    return tenfold.fit(data, recipe, preset="tiny", kimg=0.032, out=out, seed=seed, options=options)


def listed(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def test_labels_from_data_stay_inside_the_folder(tmp_path: Path) -> None:
    data = arrays(tmp_path / "in", HOSTILE)
    run = trained(data, tmp_path / "run")
    out = enlarge(data, per_class=3, out=tmp_path / "out", run=run.path)
    rows = listed(out)
    assert {row["label"] for row in rows if row["origin"] == "made"} == set(HOSTILE)
    assert {row["label"] for row in rows if row["origin"] == "real"} == set(HOSTILE)
    assert len(rows) == 126 and all((out / row["file_name"]).parent.parent == out for row in rows)
    assert len(list(tmp_path.rglob("*.png"))) == len(list(out.rglob("*.png"))) + sheets(run)
    assert open_data(out).spec.classes == tuple(sorted(HOSTILE))


def sheets(run: tenfold.Run) -> int:
    """Pictures that belong to the run itself."""
    return len(list(run.path.rglob("*.png")))


def test_a_run_brings_its_own_options_and_seed(tmp_path: Path) -> None:
    data = arrays(tmp_path / "in", ("a", "b"), size=16)
    options = Options(**{**vars(QUICK), "size": 8})
    run = trained(data, tmp_path / "run", seed=3, options=options)
    assert opened_by(run).size == 8 and opened_by(run).seed == 3
    first = enlarge(data, per_class=2, out=tmp_path / "first", run=run.path, seed=1)
    other = enlarge(data, per_class=2, out=tmp_path / "other", run=run.path, seed=2)
    made = sorted(first.rglob("made-*.png"))
    assert len(made) == 4
    assert [p.read_bytes() for p in made] != [p.read_bytes() for p in sorted(other.rglob("made-*.png"))]
    real = [(row["file_name"], row["part"]) for row in listed(first) if row["origin"] == "real"]
    assert real == [(row["file_name"], row["part"]) for row in listed(other) if row["origin"] == "real"]


def test_other_data_are_refused(tmp_path: Path) -> None:
    run = trained(arrays(tmp_path / "in", ("a", "b")), tmp_path / "run")
    with pytest.raises(RunError, match="other data"):
        enlarge(arrays(tmp_path / "in2", ("a", "c")), per_class=2, out=tmp_path / "out", run=run.path)
    assert not (tmp_path / "out").exists()


def test_classes_need_a_recipe_that_knows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = arrays(tmp_path / "in", ("a", "b"))
    run = trained(data, tmp_path / "run", recipe="mlp")
    with pytest.raises(RecipeError, match=r"'mlp'.*--recipe r3gan"):
        enlarge(data, per_class=2, out=tmp_path / "out", run=run.path)
    monkeypatch.setattr(enlarging, "fit", lambda *_, **__: pytest.fail("it was trained"))
    with pytest.raises(RecipeError, match=r"'dcgan'.*--recipe r3gan"):
        enlarge(data, per_class=2, out=tmp_path / "out", recipe="dcgan", options=QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("recipe", ["srgan", "pix2pix", "cut"])
def test_what_translates_is_refused_before_anything_is_trained(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = arrays(tmp_path / "in", ("only",)), tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"recipe": recipe, "spec": {}, "codec": {}, "planned": 8}))
    (run / "recipe.yaml").write_text(f"recipe: {recipe}\nfields: {{}}\n")
    monkeypatch.setattr(enlarging, "fit", lambda *_, **__: pytest.fail("it was trained"))
    words = f"recipe '{recipe}' makes pictures of others.*--recipe r3gan"
    with pytest.raises(RecipeError, match=words):
        enlarge(data, per_class=2, out=tmp_path / "out", recipe=recipe, options=QUICK)
    with pytest.raises(RecipeError, match=words):
        enlarge(data, per_class=2, out=tmp_path / "out", run=run)
    with pytest.raises(RecipeError, match=words):
        enlarge(data, per_class=2, out=tmp_path / "out", options=replace(QUICK, start=str(run)))
    assert not (tmp_path / "out").exists()


def test_made_samples_of_the_only_class_have_its_label(tmp_path: Path) -> None:
    data = arrays(tmp_path / "in", ("only",))
    run = trained(data, tmp_path / "run", recipe="mlp")
    rows = listed(enlarge(data, per_class=2, out=tmp_path / "out", run=run.path))
    assert {row["label"] for row in rows} == {"only"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is a file"):
        enlarge(arrays(tmp_path / "in", ("a", "b")), per_class=2, out=tmp_path / "notes.txt")
