"""Runs on texts, on pairs of texts and on captioned pictures, from data to samples and verdicts."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.cli import fit as fit_command
from tenfold.cli.__main__ import main
from tenfold.cli.options import as_flags, asked_for, read_options
from tenfold.cli.parser import WrongCommand
from tenfold.cli.words import refuse_others, sample_texts
from tenfold.data.texts.options import TextOptions
from tenfold.engine.checkpoint import finished, read_state
from tenfold.engine.trainer import Trainer
from tenfold.errors import DataError, Interrupted, RecipeError, RunError
from tenfold.material import asked_labels
from tenfold.options import Options
from tenfold.recipe import make_recipe
from tenfold.translating import translate
from tenfold.watching.health import health
from tenfold.watching.journal import read_journal
from tenfold.words import evaluating
from tenfold.words.evaluating import evaluate_text_files
from tenfold.words.sides import columns_for, judges_of_run, reopened_texts
from tenfold.words.writing import fields_of_texts

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", quiet=True)
NOUNS = ("cat", "dog", "owl")
LINES = [f"the {NOUNS[i % 3]} sees {i % 7} {NOUNS[i % 2]}s" for i in range(60)]
Said = pytest.CaptureFixture[str]


def test_texts_in_memory_are_passed_again(tmp_path: Path) -> None:
    run = tenfold.fit(LINES, "lm", preset="tiny", kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert run.facts["in_memory"] and run.facts["source"] == "a list of 60 texts"
    assert run.sample(3) == run.write(5)[:3]
    assert all(text.startswith("the cat") for text in run.write(3, prefix="the cat", temperature=0.5))
    for temperature in (-1.0, float("nan"), float("inf")):
        with pytest.raises(RunError, match="0 or more was expected"):
            run.write(1, temperature=temperature)
    with pytest.raises(RunError, match="Pass it again"):
        tenfold.resume(run.path, kimg=0.08)
    with pytest.raises(DataError, match="are not those"):
        tenfold.resume(run.path, data=LINES[1:], kimg=0.08, options=QUICK)
    again = tenfold.resume(run.path, data=LINES, kimg=0.08, options=QUICK)
    assert again.facts["seen"] == 160
    found = again.evaluate(data=LINES, features="ngrams")
    assert found.metrics["reverse_perplexity"].value
    with pytest.raises(RunError, match=r"train one on pairs of texts: --recipe seq2seq_gan$"):
        translate(run, tmp_path, tmp_path / "out")
    with pytest.raises(RunError, match="learnt from words"):
        run.samples(3)
    with pytest.raises(RunError, match=r"learnt from texts without labels .*fit --label COLUMN"):
        run.write(1, label="good")


@pytest.mark.parametrize("recipe", ["seqgan", "relgan"])
def test_a_gan_of_texts_keeps_its_baseline(recipe: str, tmp_path: Path) -> None:
    values = {"likelihood": 0.5, "alone": 0.1} if recipe == "seqgan" else {"likelihood": 0.5}
    made = make_recipe(recipe, values, "tiny")
    run = tenfold.fit(LINES * 3, made, kimg=0.16, out=tmp_path / "run", options=QUICK)
    assert (run.path / "baseline").is_dir() and (run.path / "best").is_dir()
    assert "D/adversarial" in run.facts["latest"]


@pytest.mark.parametrize("stop", [40, 80, 136])
def test_a_gan_of_texts_that_was_stopped_goes_on_as_if_never(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the stage of maximum likelihood, at its end, and in the last; what was best before is not lost."""
    made = make_recipe("seqgan", {"likelihood": 0.5, "alone": 0.1, "lr_g": 0.1}, "tiny")
    fit = lambda name: tenfold.fit(LINES * 3, made, kimg=0.16, out=tmp_path / name, options=QUICK)
    whole, play_step = fit("whole"), Trainer.play_step

    def play(trainer: Trainer) -> None:
        play_step(trainer)
        trainer.stopping |= trainer.seen == stop

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(Trainer, "play_step", play)
        fit("stopped")
    again = tenfold.resume(tmp_path / "stopped", data=LINES * 3, options=QUICK)
    one, other = (read_state(finished(run.path / "checkpoints")[-1]).tensors for run in (whole, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert whole.facts["best"] == again.facts["best"]


def test_looks_at_few_different_texts_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, seen = ["a b", "a c", "z y x w v", "q r s t"] * 40, []
    fit = {"data": lines, "kimg": 0.08, "options": QUICK}
    run = tenfold.fit(recipe="lm", preset="tiny", out=tmp_path / "run", **fit)
    assert run.facts["health"]["why"] == "nothing speaks against it"
    before = health

    def noted(signals: Any, looks: Any, count: int) -> Any:
        seen.append(len(looks))
        return before(signals, looks, count)

    monkeypatch.setattr("tenfold.training.health", noted)
    tenfold.resume(run.path, **fit)
    assert seen[0] > 1


def test_pairs(tmp_path: Path, capsys: Said) -> None:
    pairs = [(line, line.upper()) for line in LINES]
    run = tenfold.fit(pairs, "seq2seq_gan", preset="tiny", kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert len(run.translate(["the cat sees", ""])) == 2
    with pytest.raises(RunError, match="makes texts of others"):
        run.sample(3)
    with pytest.raises(RunError, match=r"--features ngrams .* pairs of texts, which are judged as they are"):
        run.evaluate(data=pairs, features="ngrams")
    with pytest.raises(RecipeError, match="--skip-bad is not read of text_pairs"):
        tenfold.fit(pairs, "seq2seq_gan", kimg=1, options=Options(skip_bad=True))
    assert main(["sample", str(run.path)]) == 2
    assert "tenfold translate" in capsys.readouterr().err


def captioned(folder: Path, count: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = []
    for i in range(count):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{i}.png")
        rows.append({"file_name": f"{i}.png", "text": f"{NOUNS[i % 3]} number {i % 20}"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_a_template_says_that_captions_are_meant(tmp_path: Path, capsys: Said) -> None:
    captioned(tmp_path / "all", 40)
    (tmp_path / "all" / "metadata.jsonl").unlink()
    for i in range(40):
        folder = tmp_path / "all" / NOUNS[i % 3]
        folder.mkdir(exist_ok=True)
        (tmp_path / "all" / f"{i}.png").rename(folder / f"{i}.png")
    asked = ["--template", "a photo of a {label}", "--dry-run"]
    assert main(["fit", str(tmp_path / "all"), *asked]) == 0
    said = "".join(capsys.readouterr())
    assert "recipe = dfgan: the pictures have captions" in said and "a photo of a {label}" in said
    assert main(["fit", "digits", *asked]) == 2
    assert "--template speaks of texts" in capsys.readouterr().err
    assert main(["fit", str(tmp_path / "all"), "--tokens", "words", "--text-column", "a", "--dry-run"]) == 2
    assert "--tokens, --text-column speaks of texts" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["dfgan", "gan_cls"])
def test_captioned_pictures(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setattr("tenfold.metrics.caption_judge.PICTURES", (128, 128))
    data = captioned(tmp_path / "data", 100)
    made = make_recipe(recipe, {"augment": "ada", "alone": 0.3}, "tiny")
    run = tenfold.fit(data, made, kimg=0.08, out=tmp_path / "run", options=QUICK)
    assert "G/adversarial" in run.facts["latest"]
    looks = [record["seen"] for record in read_journal(run.path / "metrics.jsonl") if "spread" in record]
    assert looks and min(looks) >= 0.3 * 80  # nobody looks before G learns
    assert len(run.sample(3, text="cat number 2")) == 3
    with pytest.raises(RunError, match="0 texts were asked for"):
        run.sample(3)
    assert main(["sample", str(run.path), "--text", "Cat number 2", "-n", "2"]) == 0
    assert f"2 pictures: {run.path / 'drawn.png'}" in capsys.readouterr().out
    assert (run.path / "drawn.png").is_file()
    assert main(["sample", str(run.path), "-n", "2"]) == 2
    assert "--grid FILE.png" in capsys.readouterr().err
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


def test_a_text_of_several_lines_is_one_in_a_file(tmp_path: Path) -> None:
    run = SimpleNamespace(write=lambda count, **asked: ["a\nb", "c"][:count], classes=())
    args = Namespace(run="run", count=2, out=str(tmp_path / "new" / "a.txt"), seed=0)
    for name in ("text", "grid", "filter", "label", "temperature", "prefix"):
        setattr(args, name, None)
    _, lines = sample_texts(run, args)  # pyright: ignore[reportArgumentType]
    assert (tmp_path / "new" / "a.txt").read_text() == "a b\nc\n"
    assert lines[1] == "1 of them have several lines, which are one in the file"


def labelled(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("\n".join(["body,kind", *(f"{text},{kind}" for text, kind in rows)]))
    return path


def test_labelled_texts_are_written_with_their_classes_and_judged_by_those_of_the_hold_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    data = labelled(Path("data.csv"), [(line, "xy"[i % 2]) for i, line in enumerate(LINES)])
    options = replace(QUICK, texts=TextOptions(text="body", label="kind"))
    run = tenfold.fit(data, "lm", preset="tiny", kimg=0.08, out="run", options=options)
    assert run.classes == ("x", "y")
    for name, expected in (("a.csv", "xyxyx"), ("b.tsv", "xyxyx"), ("c.jsonl", "xyxyx"), ("d.csv", "yyyyy")):
        flags = ["--label", "y"] if name == "d.csv" else []
        assert main(["sample", "run", "-n", "5", *flags, "--out", name]) == 0
        lines = Path(name).read_text().splitlines()
        if name.endswith(".jsonl"):
            assert "".join(json.loads(line)["kind"] for line in lines) == expected
            continue
        head, *rows = csv.reader(lines, delimiter="\t" if name.endswith(".tsv") else ",")
        assert head == ["body", "kind"] and "".join(row[1] for row in rows) == expected
    capsys.readouterr()
    assert main(["sample", "run", "-n", "5", "--out", "e.txt"]) == 0
    assert "the 2 classes take turns; --out FILE.csv writes them, too" in capsys.readouterr().out
    assert main(["sample", "run", "--out", "f.json"]) == 2
    assert "texts are not written as .json" in capsys.readouterr().err

    asked: list[Any] = []

    def recorded(run: Any, real: Any, count: int, seed: int) -> Any:
        asked.append(real)
        return asked_labels(run, real, count, seed)

    monkeypatch.setattr(evaluating, "asked_labels", recorded)
    held = labelled(Path("held.csv"), [(f"the owl sees {i} dogs", "xxxy"[i % 4]) for i in range(40)])
    run.evaluate(holdout=held, features="ngrams")
    assert np.bincount(asked[0]).tolist() == [30, 10]
    Path("bare.csv").write_text("\n".join(["body", *(f"the owl sees {i} dogs" for i in range(40))]))
    by, notes = judges_of_run(run, reopened_texts(run), "bare.csv", "ngrams", 0)
    assert by.holdout is not None and by.holdout.labels is None
    assert "./bare.csv has no column 'kind': its texts have no labels" in notes
    assert any(note.startswith("bare.csv has no labels: classes are made") for note in notes)


def test_texts_become_lines_that_can_be_learnt_from_again() -> None:
    run: Any = SimpleNamespace(facts={"options": {"texts": {"text": "body", "label": "kind"}}})
    texts, kinds = ['a, "b"', "c\td"], ["x", "y"]
    assert fields_of_texts(run, texts, kinds, ".csv") == ['"body","kind"', '"a, ""b""","x"', '"c\td","y"']
    assert fields_of_texts(run, texts, kinds, ".tsv") == ["body\tkind", 'a, "b"\tx', "c d\ty"]
    plain: Any = SimpleNamespace(facts={"options": {}})
    assert fields_of_texts(plain, ["é"], None, ".jsonl") == ['{"text": "é"}']
    assert fields_of_texts(plain, ["é"], ["x"], ".csv")[0] == '"text","label"'


def test_a_temperature_of_0_is_a_flag_that_was_given() -> None:
    args = Namespace(temperature=0.0, label=None, filter=False)
    refuse_others(args, ("label", "filter"), "others")
    with pytest.raises(WrongCommand, match="--temperature is for texts"):
        refuse_others(args, ("temperature",), "texts")


def test_texts_have_no_size(tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(LINES))
    for flags in (["--size", "32"], ["--group", "a"], ["--skip-bad"]):
        assert main(["check", str(tmp_path / "texts.txt"), *flags]) == 2
        assert f"{flags[0]} is not read of texts" in capsys.readouterr().err


def test_what_becomes_of_texts_that_are_judged_is_said(tmp_path: Path) -> None:
    made = [*LINES[:30], "", " ".join(["cat"] * 40)]
    real, fake, held = (tmp_path / f"{name}.txt" for name in ("real", "fake", "held"))
    for path, lines in ((real, LINES), (fake, made), (held, LINES[30:])):
        path.write_text("\n".join(lines))
    notes = evaluate_text_files(str(real), str(fake), str(held), features="ngrams").notes
    assert f"1 of 32 texts of {fake} are empty and left out (first: line 31)" in notes
    assert f"1 of 31 texts of {fake} have more than 6 tokens and are cut" in notes
    assert f"30 different texts of {held} are training texts, too: copies of these look good" in notes


def test_texts_of_unknown_words_are_no_better_than_real_ones(tmp_path: Path) -> None:
    strange = [f"v{i} w{i} x{i} y{i}" for i in range(60)]
    sides = {"real": LINES * 2, "held": LINES[:20] + strange, "fake": ["w x y z"] * 15 + ["u v w"] * 15}
    for name, lines in sides.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    real, fake, held = (str(tmp_path / f"{name}.txt") for name in ("real", "fake", "held"))
    found = evaluate_text_files(real, fake, held, features="ngrams")
    assert found.settings["tokens"] == "words"
    assert any(f"105 of 105 tokens of {fake} (100.0%) are not in --real" in note for note in found.notes)
    assert any(f"240 of 340 tokens of {held} (70.6%) are not in --real" in note for note in found.notes)
    assert not any(f"tokens of {real} " in note for note in found.notes)
    forward = found.metrics["forward_perplexity"]
    assert (forward.value or 0) > 1.5 * (forward.reference or 0)


def test_texts_to_judge_by_are_in_the_column_that_was_learnt_from() -> None:
    run = SimpleNamespace(facts={"options": {"texts": {"text": "body", "length": 9}}})
    found = [columns_for(run, name) for name in ("test.csv", "test.txt")]  # pyright: ignore
    assert found == [TextOptions(text="body"), TextOptions()]
    told = SimpleNamespace(facts={"options": {}})
    assert columns_for(told, "test.csv") == TextOptions()  # pyright: ignore


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
        ({"skip_bad": True}, "--skip-bad is not read of texts"),
    ],
)
def test_what_means_nothing_to_texts_is_refused(values: dict[str, str], expected: str) -> None:
    with pytest.raises(RecipeError, match=expected):
        tenfold.fit(LINES, "lm", kimg=1, options=Options(**values))


def test_arrays_have_no_captions() -> None:
    with pytest.raises(DataError, match="holds no captions"):
        tenfold.fit(np.zeros((9, 8, 8), np.uint8), "dfgan", kimg=1)
