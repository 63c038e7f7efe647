"""Runs on texts, on pairs of texts and on captioned pictures, from data to samples and verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.cli import fit as fit_command
from tenfold.cli.__main__ import main
from tenfold.cli.options import as_flags, asked_for, read_options
from tenfold.data.texts.options import TextOptions
from tenfold.errors import DataError, RecipeError, RunError
from tenfold.options import Options
from tenfold.recipe import make_recipe

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", quiet=True)
NOUNS = ("cat", "dog", "owl")
LINES = [f"the {NOUNS[i % 3]} sees {i % 7} {NOUNS[i % 2]}s" for i in range(60)]
Said = pytest.CaptureFixture[str]


def test_texts_in_memory_are_passed_again(tmp_path: Path) -> None:
    run = tenfold.fit(LINES, "lm", preset="tiny", kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert run.facts["in_memory"] and run.facts["source"] == "a list of 60 texts"
    assert run.sample(3) == run.write(5)[:3]
    assert all(text.startswith("the cat") for text in run.write(3, prefix="the cat", temperature=0.5))
    with pytest.raises(RunError, match="Pass it again"):
        tenfold.resume(run.path, kimg=0.08)
    with pytest.raises(DataError, match="are not those"):
        tenfold.resume(run.path, data=LINES[1:], kimg=0.08, options=QUICK)
    again = tenfold.resume(run.path, data=LINES, kimg=0.08, options=QUICK)
    assert again.facts["seen"] == 160
    found = again.evaluate(data=LINES, features="ngrams")
    assert found.metrics["reverse_perplexity"].value
    with pytest.raises(RunError, match="learnt from words"):
        run.samples(3)


@pytest.mark.parametrize("recipe", ["seqgan", "relgan"])
def test_a_gan_of_texts_keeps_its_baseline(recipe: str, tmp_path: Path) -> None:
    values = {"likelihood": 0.5, "alone": 0.1} if recipe == "seqgan" else {"likelihood": 0.5}
    made = make_recipe(recipe, values, "tiny")
    run = tenfold.fit(LINES * 3, made, kimg=0.16, out=tmp_path / "run", options=QUICK)
    assert (run.path / "baseline").is_dir() and (run.path / "best").is_dir()
    assert "D/adversarial" in run.facts["latest"]


def test_pairs(tmp_path: Path) -> None:
    pairs = [(line, line.upper()) for line in LINES]
    run = tenfold.fit(pairs, "seq2seq_gan", preset="tiny", kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert len(run.translate(["the cat sees", ""])) == 2
    with pytest.raises(RunError, match="makes texts of others"):
        run.sample(3)


def captioned(folder: Path, count: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = []
    for i in range(count):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{i}.png")
        rows.append({"file_name": f"{i}.png", "text": f"{NOUNS[i % 3]} number {i % 20}"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.mark.parametrize("recipe", ["dfgan", "gan_cls"])
def test_captioned_pictures(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.metrics.caption_judge.PICTURES", (128, 128))
    data = captioned(tmp_path / "data", 100)
    made = make_recipe(recipe, {"augment": "ada", "alone": 0.3}, "tiny")
    run = tenfold.fit(data, made, kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert "G/adversarial" in run.facts["latest"]
    assert len(run.sample(3, text="cat number 2")) == 3
    with pytest.raises(RunError, match="0 texts were asked for"):
        run.sample(3)
    found = run.evaluate(features="pixels")
    assert found.metrics["r_precision"].value is not None
    assert found.metrics["kernel_distance"].how == "pairs of different captions"
    again = tenfold.resume(run.path, kimg=0.016, options=QUICK)
    assert again.facts["seen"] == 96


def test_samples_of_texts_are_shown_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.txt").write_text("\n".join(LINES))
    tiny = ["--recipe", "lm", "--preset", "tiny", "--kimg", "0.08", "--precision", "fp32", "--quiet"]
    assert main(["fit", "texts.txt", *tiny, "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["sample", "run", "-n", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["sample", "run", "-n", "3", "--out", "more.txt"]) == 0
    assert len(Path("more.txt").read_text().splitlines()) == 3
    for more, expected in (
        (["--out", "more.txt"], "more.txt exists already"),
        (["--out", "other.txt", "--text", "a cat"], "--text is for pictures"),
        (["--out", "other.txt", "--where", "a = 1"], "--where is about columns"),
        (["--out", "other.txt", "--prefix", "zebra"], "not among the"),
    ):
        assert main(["sample", "run", *more]) == 2
        assert expected in capsys.readouterr().err


def test_labels_are_those_of_texts_where_a_recipe_learns_from_texts() -> None:
    options = read_options(fit_command.read(["data.csv", "--recipe", "lm", "--label", "mood"]))
    assert options.texts == TextOptions(label="mood") and options.series is None
    options = read_options(fit_command.read(["data.csv", "--label", "mood"]))
    assert options.texts is None and options.series is not None


def test_flags_are_named_as_they_are_written() -> None:
    names = asked_for(Options(texts=TextOptions(tokens="words", text="body")), ())
    assert as_flags(names) == "--tokens, --text-column"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"unlabelled": "more"}, "--unlabelled is not read of texts"),
        ({"to": "b"}, "--to is not read of texts"),
    ],
)
def test_what_means_nothing_to_texts_is_refused(values: dict[str, str], expected: str) -> None:
    with pytest.raises(RecipeError, match=expected):
        tenfold.fit(LINES, "lm", kimg=1, options=Options(**values))


def test_arrays_have_no_captions() -> None:
    with pytest.raises(DataError, match="holds no captions"):
        tenfold.fit(np.zeros((9, 8, 8), np.uint8), "dfgan", kimg=1)
