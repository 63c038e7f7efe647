"""The commands: exit codes, suggestions, and standard output that holds one JSON object."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold import recipes
from tenfold.cli import fit as fit_command
from tenfold.cli.__main__ import COMMANDS, main
from tenfold.cli.fields import described, given
from tenfold.cli.options import read_options
from tenfold.cli.parser import WrongCommand, stdout_kept_clean
from tenfold.errors import Interrupted, RecipeError
from tenfold.options import Options
from tenfold.recipe import RECIPES, make_recipe

Said = pytest.CaptureFixture[str]
TINY = ["--recipe", "mlp", "--preset", "tiny", "--kimg", "0.024", "--precision", "fp32"]


@pytest.mark.parametrize("arguments", [[], ["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_light(arguments: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('heavy', {'torch', 'pydantic', 'numpy'} & set(sys.modules)))\n"
        f"from tenfold.cli.__main__ import main; sys.exit(main({arguments}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.returncode == 0
    assert "usage: tenfold" in said.stdout
    assert said.stdout.endswith("heavy set()\n")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("fti", "Did you mean 'fit'?"),
        ("fit", "there is nothing to train on"),
        ("fit cats --recipe dcgn", "Did you mean 'dcgan'?"),
        ("fit cats --recipe dcgan --latentt 3", "dcgan has no flag '--latentt'. Did you mean '--latent'?"),
        ("fit cats --latentt 3", "Did you mean '--latent'?"),
        ("fit cats --penalty 3", "is a field of cgan, ctgan, dfgan, mlp, pix2pix, r3gan, series, stylegan2"),
        ("fit cats --no-batch-norm", "--no-batch-norm is a field of mlp. Name one with --recipe."),
        ("fit cats --widht 3", "Did you mean '--width'?"),
        ("fit cats --seed -1", "--seed is -1"),
        ("fit cats --recipe dcgan --latent many", "--latent: invalid int value: 'many'"),
        ("fit cats --precision fp16", "choose from"),
        ("fit cats dogs", "'dogs' is one argument too many"),
        ("fit --resume run --seed 3 --latent 5 --size 8", "Leave out --size, --seed, --latent"),
        ("fit --resume run --from outline --to colour", "Leave out --from, --to"),
        ("fit cats --recipe dcgan --to dogs --dry-run", "and the recipe takes images. Leave them out"),
        ("fit digits --recipe mlp --latent 0 --dry-run", "mlp.latent is 0: input should be greater than 0"),
        ("fit digits --recipe mlp --preset tinny --dry-run", "Did you mean 'tiny'?"),
        ("fit digits --budget soon --dry-run", "a time was expected"),
        ("check nowhere", "nowhere"),
        ("sample nowhere --grid sheet.foo", ".png, .jpg"),
        ("sample nowhere --out more", "nowhere is no run"),
        ("sample nowhere", "--grid FILE.png"),
        ("sample", "required: RUN"),
        ("enlarge cats --out more", "required: --per-class"),
        ("enlarge cats --per-class 1 --out new --to dogs", "translates nothing. Leave out --to"),
        (
            "enlarge cats --per-class 1 --out new --run run --recipe dcgan --budget 5m --size 8 --device cpu",
            "--run makes samples with run as it is. Leave out --device, --size, --recipe, --budget.",
        ),
        ("explore run walk --out a.gif --picture b.png", "walk does not look at --picture"),
        ("explore run codes --out a.png --label 3", "codes does not look at --label"),
        ("explore run walk --out a.gif --seed -1", "--seed is -1"),
        ("recipes --jsn", "Did you mean '--json'?"),
    ],
)  # fmt: skip
def test_wrong_commands_say_what_to_do(command: str, expected: str, capsys: Said) -> None:
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert expected in said.err
    assert said.err.startswith("tenfold: ") and said.err.count("\n") == 1


@pytest.mark.parametrize("command", [["fit"], ["check"], ["enlarge", "--per-class", "1", "--out", "more"]])
def test_data_without_a_name_are_refused(command: list[str], capsys: Said) -> None:
    for empty in ("", " "):
        assert main([command[0], empty, *command[1:]]) == 2
        assert "the name is empty. Name a folder" in capsys.readouterr().err


def test_a_wrong_command_is_an_object_too(capsys: Said) -> None:
    assert main(["fit", "cats", "--recipe", "dcgn", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["exit_code"] == 2
    assert "dcgan" in said["error"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_interruption(name: str, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    def stop(_: object) -> None:
        raise Interrupted("all is saved")

    monkeypatch.setitem(COMMANDS, name, stop)
    assert main([name]) == 130
    assert "all is saved" in capsys.readouterr().err


def command_that(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `tenfold check` do this instead."""
    monkeypatch.setitem(COMMANDS, "check", lambda _: act() and None)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(28, "No space left on device", "more/1.png"),
            "more/1.png cannot be read or written (No space",
        ),
        (
            PermissionError(13, "Permission denied", "more"),
            "more cannot be read or written (Permission denied)",
        ),
        (OSError("cannot write mode"), "a file cannot be read or written (cannot write mode)"),
    ],
)
def test_what_the_system_refuses_is_said_in_a_line(
    error: OSError, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    def refuse() -> None:
        raise error

    command_that(refuse, monkeypatch)
    assert main(["check", "--json"]) == 2
    said = capsys.readouterr()
    assert expected in said.err and "Make room" in said.err and said.err.count("\n") == 1
    assert json.loads(said.out)["exit_code"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_any_command(number: int, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("not taken care of"))
    # A shell starts what runs in the background with this one ignored.
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command_that(lambda: os.kill(os.getpid(), number), monkeypatch)
        assert main(["check", "--json"]) == 130
        said = capsys.readouterr()
        assert said.err == "tenfold: interrupted\n"
        assert json.loads(said.out) == {"error": "interrupted", "exit_code": 130}
        assert signal.getsignal(signal.SIGTERM) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupted)


def test_standard_output_without_room_is_one_line(tmp_path: Path) -> None:
    command = f"ulimit -f 0; {sys.executable} -m tenfold --help > {tmp_path / 'help.txt'}"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=buffered)
    assert said.returncode == 2
    assert said.stderr.startswith("tenfold: a file cannot be") and said.stderr.count("\n") == 1


def test_a_surprise_keeps_its_traceback() -> None:
    code = (
        "from tenfold.cli.__main__ import COMMANDS, main\n"
        "COMMANDS['check'] = lambda rest: 1 / 0\n"
        "import sys; sys.exit(main(['check']))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.returncode == 1
    assert "ZeroDivisionError" in said.stderr


def test_a_reader_who_left_is_no_error() -> None:
    command = f"{sys.executable} -m tenfold --help | true; echo ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert said.stdout.strip() in ("0", "1")
    assert said.stderr == ""


@pytest.mark.parametrize("name", recipes.__all__)
def test_every_field_is_a_documented_flag(name: str, capsys: Said) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "--recipe", name, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for field, info in described(RECIPES[name]).items():
        assert "--" + field.replace("_", "-") in shown
        assert info.description, f"{field} has no docstring"


def test_standard_output_is_kept_clean(capsys: Said) -> None:
    for wanted in (True, False):
        with stdout_kept_clean(wanted):
            print("noise")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("noise\n", "noise\n")


def test_fields_become_values() -> None:
    command = "cats --recipe mlp --widths 8 16 --batch-norm --hidden elu --lr-g 1e-3"
    found = given(fit_command.read(command.split()))
    assert found == {"widths": (8, 16), "batch_norm": True, "hidden": "elu", "lr_g": 1e-3}
    assert make_recipe("mlp", found)
    assert given(fit_command.read(["cats", "--no-batch-norm", "--recipe", "mlp"])) == {"batch_norm": False}
    assert given(fit_command.read(["--latent", "8", "cats"])) == {"latent": 8}
    assert given(fit_command.read(["cats", "--recipe", "srgan", "--scale", "3"])) == {"scale": 3}


def test_a_preset_shows_its_own_defaults(capsys: Said) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "--recipe", "mlp", "--preset", "tiny", "--help"])
    assert "default 16 16)" in capsys.readouterr().out


def test_every_option_is_a_flag() -> None:
    assert read_options(fit_command.read(["cats"])) == Options()
    changed = ["--size", "8", "--skip-bad", "--micro-batches", "2", "--memory-format", "contiguous"]
    rules = ["--patience", "3", "--stop-when", "recall>0.9", "--unlabelled", "more", "--freeze-d", "2"]
    assert read_options(fit_command.read(["cats", *changed, *rules, "--from", "runs/a"])) == Options(
        size=8,
        skip_bad=True,
        micro_batches=2,
        memory_format="contiguous",
        patience=3,
        stop_when="recall>0.9",
        unlabelled="more",
        start="runs/a",
        freeze_d=2,
    )


@pytest.mark.usefixtures("two_looks")
def test_from_names_a_run_or_a_side() -> None:
    def options(*flags: str) -> Options:
        return read_options(fit_command.read(["pairs/", *flags]))

    assert options("--from", "outline", "--to", "colour") == Options(side="outline", to="colour")
    assert options("--from", "outline") == Options(side="outline")
    assert options("--from", "left") == Options(side="left")
    assert options("--from", "runs/a") == Options(start="runs/a")
    Path("runs/a").mkdir(parents=True)
    Path("runs/a/run.json").write_text("{}")
    assert options("--from", "runs/a", "--to", "colour") == Options(start="runs/a", to="colour")


@pytest.mark.usefixtures("two_looks")
def test_a_rule_about_partners_needs_pairs(capsys: Said) -> None:
    rule = ["--preset", "tiny", "--stop-when", "psnr>20", "--dry-run"]
    assert main(["fit", "photographs", "--to", "paintings", *rule]) == 2
    assert "psnr compares what is made with what it should be" in capsys.readouterr().err
    assert main(["fit", "pairs", "--from", "outline", "--to", "colour", *rule]) == 0


def test_a_field_may_be_a_number_or_a_word() -> None:
    values = given(fit_command.read(["cats", "--recipe", "r3gan", "--width", "8", "--penalty", "auto"]))
    assert values == {"width": 8, "penalty": "auto"}
    assert make_recipe("r3gan", values)
    with pytest.raises(WrongCommand, match="invalid int value: 'wide'"):
        fit_command.read(["cats", "--recipe", "r3gan", "--width", "wide"])
    chosen = given(fit_command.read(["cats", "--recipe", "r3gan", "--without", "hue", "mirror"]))
    assert chosen == {"without": ("hue", "mirror")}


def test_recipes(capsys: Said) -> None:
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["recipes"]
    assert {"name", "authors", "year", "url", "use", "kinds", "conditional", "presets"} <= set(listed[0])
    assert [entry["name"] for entry in listed] == sorted(RECIPES)
    assert main(["recipes"]) == 0
    shown = capsys.readouterr().out
    assert all(entry["name"] in shown and str(entry["year"]) in shown for entry in listed)
    assert "year" in shown


def test_check(cats: Path, capsys: Said) -> None:
    assert main(["check", str(cats), "--json"]) == 0
    json.loads(capsys.readouterr().out)
    assert main(["check", str(cats)]) == 0
    assert "tabby" in capsys.readouterr().out


def test_pairs_may_differ_where_single_pictures_must_not(two_looks: Path, capsys: Said) -> None:
    for path in (two_looks / "pairs" / "outline").iterdir():
        Image.open(path).convert("L").save(path)
    assert main(["check", "pairs/", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["count"], found["problems"]) == ("pairs", 40, [])
    assert {"pix2pix", "cut"} <= set(found["recipes"]) and "dcgan" not in found["recipes"]
    (two_looks / "pairs" / "colour" / "003.png").unlink()
    assert main(["check", "pairs/"]) == 2
    assert "as pairs: 1 pictures of pairs have no partner" in capsys.readouterr().out


def test_problems_of_data_are_reported_and_give_2(cats: Path, capsys: Said) -> None:
    (cats / "manx" / "broken.png").write_bytes(b"no picture")
    assert main(["check", str(cats)]) == 2
    said = capsys.readouterr()
    assert "tabby" in said.out and "problem: " in said.out and said.err == ""
    assert main(["check", str(cats), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"]
    assert main(["check", str(cats), "--skip-bad"]) == 0


def test_a_plan_trains_nothing(cats: Path, capsys: Said) -> None:
    assert main(["fit", str(cats), "--dry-run", "--json", "--batch", "16"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["fields"]["batch"] == 16
    assert not (cats.parent / "runs").exists()


def test_from_data_to_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("dots.npy", np.random.default_rng(0).integers(0, 256, (64, 8, 8), np.uint8))
    assert main(["fit", "dots.npy", *TINY, "--out", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seen"] == 24
    assert main(["fit", "--resume", "run"]) == 2
    assert "is complete" in capsys.readouterr().err
    assert main(["fit", "--resume", "run", "--kimg", "0.016"]) == 0
    said = capsys.readouterr()
    assert said.out == "run\n"
    assert "done" in said.err
    assert main(["fit", "dots.npy", *TINY, "--out", "run"]) == 2
    assert "--resume run" in capsys.readouterr().err
    assert main(["sample", "run", "-n", "5", "--out", "more", "--grid", "sheet.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"count": 5, "out": "more", "grid": "sheet.png"}
    assert len(list((tmp_path / "more").rglob("*.png"))) == 5
    assert (tmp_path / "sheet.png").is_file()
    assert main(["sample", "run", "--label", "3", "--out", "other"]) == 2
    assert "r3gan" in capsys.readouterr().err


def test_samples_go_where_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tenfold.run.load", lambda _: pytest.fail("refused too late"))
    Path("more").mkdir()
    Path("more", "mine.txt").write_text("mine")
    for out, expected in (("more", "not empty"), ("more/mine.txt", "is a file")):
        assert main(["sample", "run", "--out", out]) == 2
        assert expected in capsys.readouterr().err


def test_a_run_that_translates_makes_no_samples(tmp_path: Path, capsys: Said) -> None:
    facts = {"recipe": "pix2pix", "spec": {}, "codec": {}, "given_codec": {}, "planned": 8}
    (tmp_path / "run.json").write_text(json.dumps(facts))
    assert main(["sample", str(tmp_path), "--out", str(tmp_path / "more")]) == 2
    assert f"Use: tenfold translate {tmp_path} IN OUT" in capsys.readouterr().err


def test_enlarge(cats: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_BUDGET", "1s")
    command = ["enlarge", str(cats), "--per-class", "3", "--out", "larger", "--quiet", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {"out": "larger"}
    assert len(list((cats.parent / "larger").rglob("made-*.png"))) == 6
    assert main(command) == 2
    used = ["--run", "larger-run", "--seed", "5", "--json"]
    assert main(["enlarge", str(cats), "--per-class", "2", "--out", "again", *used]) == 0
    assert len(list((cats.parent / "again").rglob("made-*.png"))) == 4


def test_wrong_commands_are_errors_of_ours() -> None:
    with pytest.raises(WrongCommand):
        fit_command.read(["--nothing"])
    with pytest.raises(RecipeError):
        fit_command.read(["--recipe", "nothing"])
