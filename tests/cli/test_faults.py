"""What a run survives: signals, kills, damaged files, a full disk, numbers that are not finite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.choosing import exactly
from tenfold.engine import checkpoint
from tenfold.engine.checkpoint import finished, read_state
from tenfold.engine.runtime import Runtime
from tenfold.errors import DataError, Diverged, Interrupted, RecipeError, RunError
from tenfold.fitting import assemble, conditions, resume, write_records
from tenfold.folder import locked
from tenfold.options import Options
from tenfold.plan import make_plan
from tenfold.probe import Mode
from tenfold.recipe import make_recipe
from tenfold.training import Training, feature_network
from tenfold.training import feature_network as features_of
from tenfold.watching.quality import Quality

QUICK = Options(device="cpu", precision="fp32", memory_format="contiguous", micro_batches=1, quiet=True)
FLAGS = ["--precision", "fp32", "--memory-format", "contiguous", "--micro-batches", "1", "--quiet"]


def fit(out: Path, kimg: float = 0.4, recipe: str = "dcgan") -> tenfold.Run:
    return tenfold.fit("digits", recipe, preset="tiny", kimg=kimg, out=out, options=QUICK)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(read_state(finished(run / "checkpoints")[-1]).tensors)


def assert_same(a: Path, b: Path) -> None:
    first, second = weights(a), weights(b)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) for k in first)


def training(out: Path, kimg: float = 0.4) -> Training:
    """A training that can be stopped in the middle from within."""
    recipe = make_recipe("dcgan", {}, "tiny")
    plan = make_plan("digits", exactly(recipe), kimg=kimg, options=QUICK)
    out.mkdir()
    features, _ = feature_network(plan, out, Runtime())
    quality = Quality(plan.data, features, out, conditions(plan))
    mode, planned = Mode(False, False), int(1000 * kimg)
    made = assemble(plan, Runtime(), mode, planned, out, quality, QUICK)
    write_records(made, mode, QUICK)
    made.save()
    return made


@pytest.fixture(autouse=True)
def no_feature_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances in pixels: nothing here depends on a classifier, which takes seconds to train."""
    from tenfold.metrics.features import Pixels
    from tenfold.recipe import Choice

    pixels = lambda plan, folder, runtime, fresh=False: (
        Pixels(),
        Choice("features", "pixels", "for the test"),
    )
    for module in ("tenfold.fitting", f"{__name__}"):
        monkeypatch.setattr(f"{module}.feature_network", pixels)


def test_a_stopped_and_resumed_run_equals_one_never_stopped(tmp_path: Path) -> None:
    fit(tmp_path / "whole")
    made = training(tmp_path / "stopped")
    made.trainer.fit(0.2)
    made.save()
    made.trainer.fit(0.24)  # lost, as by a kill: nothing is saved of it
    resume(tmp_path / "stopped", options=QUICK)
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_the_log_of_a_resumed_run_has_every_look_once(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.2)
    made.save()
    made.trainer.fit(0.39)
    resume(tmp_path / "run", options=QUICK)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    losses = [row["seen"] for row in rows if "D/adversarial" in row]
    assert losses == sorted(set(losses)) and losses[-1] == 400


def test_kill_9_loses_only_what_came_after_the_last_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tenfold", "fit", "digits", "--recipe", "dcgan", "--preset", "tiny"]
    length = ["--kimg", "400", "--out", str(tmp_path / "killed"), *FLAGS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, *length], env=environment)
    log = tmp_path / "killed" / "metrics.jsonl"
    while not (log.exists() and log.read_text().count("\n") > 4):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert finished(tmp_path / "killed" / "checkpoints")
    state = read_state(finished(tmp_path / "killed" / "checkpoints")[-1])
    assert state.facts["step"] >= 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_exits_130(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "tenfold", "fit", "digits", "--recipe", "dcgan", "--preset", "tiny"]
    length = ["--kimg", "4000", "--out", str(tmp_path / "run"), *FLAGS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, *length], env=environment, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "run" / "metrics.jsonl"
    while not (log.exists() and log.read_text().count("\n") > 4):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in said
    assert read_state(finished(tmp_path / "run" / "checkpoints")[-1]).facts["step"] > 0


def test_asking_a_training_to_stop_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    made.trainer.stopping = True
    with pytest.raises(Interrupted, match="--resume") as caught:
        made.play()
    assert caught.value.exit_code == 130


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
def test_a_flipped_byte_is_found(tmp_path: Path, name: str) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.1)
    made.save()
    file = finished(tmp_path / "run" / "checkpoints")[-1] / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(bytes(data))
    with pytest.raises(RunError, match="damaged"):
        resume(tmp_path / "run", options=QUICK)


def test_after_a_damaged_checkpoint_is_removed_the_one_before_serves(tmp_path: Path) -> None:
    fit(tmp_path / "whole")
    made = training(tmp_path / "run")
    made.trainer.fit(0.1)
    made.save()
    made.trainer.fit(0.2)
    made.save()
    newest = finished(tmp_path / "run" / "checkpoints")[-1]
    for file in newest.iterdir():
        file.unlink()
    newest.rmdir()
    resume(tmp_path / "run", options=QUICK)
    assert_same(tmp_path / "whole", tmp_path / "run")


def test_a_full_disk_leaves_the_checkpoint_before_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.1)
    made.save()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "flush_to_disk", full)
    with pytest.raises(RunError, match=r"No space left.*intact") as caught:
        made.play()
    assert caught.value.exit_code == 2
    monkeypatch.undo()
    kept = finished(tmp_path / "run" / "checkpoints")
    assert read_state(kept[-1]).facts["step"] == 13
    assert not list((tmp_path / "run" / "checkpoints").glob(".new-*"))


def test_nan_goes_back_once_at_half_the_rate_then_stops_and_names_the_term(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.16)
    made.save()
    game, calls = made.trainer.game, []
    look = game.discriminate

    def poisoned(x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        calls.append(made.trainer.rate)
        return look(x, condition) * float("nan" if made.trainer.step > 24 else 1)

    game.discriminate = poisoned
    with pytest.raises(Diverged, match="D/adversarial"):
        made.play()
    assert 1.0 in calls and 0.5 in calls
    kept = read_state(finished(tmp_path / "run" / "checkpoints")[-1])
    assert 20 <= kept.facts["step"] <= 25
    assert all(torch.isfinite(tensor).all() for tensor in kept.tensors.values())


def test_nan_once_is_survived(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    game, look = made.trainer.game, made.trainer.game.discriminate
    poison = lambda: made.trainer.rate == 1 and made.trainer.step == 25
    game.discriminate = lambda x, c: look(x, c) * float("nan" if poison() else 1)
    made.play()
    assert made.trainer.seen == 400 and made.trainer.rate == 0.5
    assert made.trainer.whole()


def test_a_run_in_use_is_refused(tmp_path: Path) -> None:
    training(tmp_path / "run")
    with locked(tmp_path / "run"), pytest.raises(RunError, match="in use"):
        resume(tmp_path / "run", options=QUICK)


def test_what_a_failed_start_left_does_not_measure_the_next_run(tmp_path: Path) -> None:
    plan = make_plan("digits", exactly(make_recipe("dcgan", {}, "tiny")), kimg=0.1, options=QUICK)
    first, _ = features_of(plan, tmp_path, Runtime())
    path = tmp_path / "features.json"
    path.write_text(path.read_text().replace(first.name, "of-other-data"))
    again, _ = features_of(plan, tmp_path, Runtime(), fresh=True)
    assert again.name == first.name
    kept, _ = features_of(plan, tmp_path, Runtime())
    assert kept.name == first.name


def test_a_set_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"--out digits is the data set's own name.*such as runs/digits"):
        fit(Path("digits"))
    assert not Path("digits").exists()


def test_a_folder_named_like_an_array_is_resumed(tmp_path: Path) -> None:
    data = tmp_path / "an array of cats"
    data.mkdir()
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (90, 8, 8), np.uint8)):
        Image.fromarray(image).save(data / f"{i}.png")
    options = replace(QUICK, holdout=None)
    run = tenfold.fit(data, "dcgan", preset="tiny", kimg=0.1, out=tmp_path / "run", options=options)
    assert resume(run.path, kimg=0.1, options=options).facts["planned"] > run.facts["planned"]


def test_the_folder_of_an_array_needs_no_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8), np.uint8)
    run = tenfold.fit(images, "dcgan", preset="tiny", kimg=0.1, options=QUICK)
    assert run.path == Path("runs/array-dcgan")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("run.json", "{}", "has no 'recipe'"),
        ("run.json", "{", "damaged or missing"),
        ("recipe.yaml", "recipe: [", "damaged or missing"),
        ("recipe.yaml", "just words", "has no 'recipe'"),
        ("recipe.yaml", "recipe: mine\nfields: {}", "import its module"),
    ],
)
def test_a_damaged_record_is_said_to_be_damaged(tmp_path: Path, name: str, text: str, expected: str) -> None:
    run = fit(tmp_path / "run", 0.1)
    (run.path / name).write_text(text)
    with pytest.raises(RunError, match=expected):
        tenfold.load(run.path).sample(1)


def test_a_digit_is_asked_for_as_a_number_too(tmp_path: Path) -> None:
    run = fit(tmp_path / "run", 0.1, "cgan")
    np.testing.assert_array_equal(run.sample(4, label=3).numpy(), run.sample(4, label="3").numpy())


def test_each_metric_stands_beside_that_of_real_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = replace(QUICK, quiet=False)
    run = tenfold.fit("digits", "dcgan", preset="tiny", kimg=0.1, out=tmp_path / "run", options=loud)
    real = run.facts["reference"]
    said = capsys.readouterr().err
    assert f"({real['recall']:.2f}), coverage" in said
    assert f"({real['coverage']:.2f})" in said
    assert "(in brackets: of real samples)" in said
    assert run.summary()["reference"] == real


def test_without_a_hold_out_there_is_no_reference(tmp_path: Path) -> None:
    few = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    run = tenfold.fit(few, "dcgan", preset="tiny", kimg=0.1, out=tmp_path / "run", options=QUICK)
    assert run.facts["reference"] is None


def test_a_folder_of_a_start_that_failed_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    assert fit(tmp_path / "run", kimg=0.1).facts["seen"] == 104


def test_the_log_after_a_resume_is_that_of_a_run_never_stopped(tmp_path: Path) -> None:
    fit(tmp_path / "whole")
    made = training(tmp_path / "run")
    made.trainer.fit(0.2)
    made.save()
    resume(tmp_path / "run", options=QUICK)
    logs = [
        [
            {k: v for k, v in json.loads(line).items() if k != "seconds"}
            for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()
            if "D/adversarial" in line and json.loads(line)["seen"] > 200
        ]
        for name in ("whole", "run")
    ]
    assert logs[0] == logs[1] and logs[0]


def test_a_stopped_run_says_how_far_it_came(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.2)
    made.trainer.stopping = True
    with pytest.raises(Interrupted):
        made.play()
    assert tenfold.load(tmp_path / "run").summary()["seen"] == 200


@pytest.mark.parametrize("number", [-1, 5])
def test_a_batch_cannot_be_cut_into_such_parts(tmp_path: Path, number: int) -> None:
    with pytest.raises(RecipeError, match="1 to 4"):
        tenfold.fit(
            "digits",
            "dcgan",
            preset="tiny",
            kimg=0.1,
            out=tmp_path / "run",
            options=replace(QUICK, micro_batches=number),
        )


def test_a_lost_best_sampler_does_not_keep_a_run_from_going_on(tmp_path: Path) -> None:
    made = training(tmp_path / "run")
    made.trainer.fit(0.2)
    made.save()
    for file in (tmp_path / "run" / "best").glob("*/*"):
        file.write_bytes(b"?")
    assert resume(tmp_path / "run", options=QUICK).facts["seen"] == 400


def test_a_run_on_an_array_is_resumed_with_the_array(tmp_path: Path) -> None:
    import numpy as np

    array = np.random.default_rng(0).integers(0, 255, (120, 8, 8)).astype(np.uint8)
    tenfold.fit(array, "dcgan", preset="tiny", kimg=0.1, out=tmp_path / "run", options=QUICK)
    with pytest.raises(RunError, match=r"an array \(120, 8, 8\)\. Pass it again"):
        resume(tmp_path / "run", kimg=0.1, options=QUICK)
    assert resume(tmp_path / "run", data=array, kimg=0.1, options=QUICK).facts["seen"] == 208


def test_resume_works_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    np.save(tmp_path / "data.npy", np.random.default_rng(0).integers(0, 255, (120, 8, 8)).astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    tenfold.fit("data.npy", "dcgan", preset="tiny", kimg=0.1, out="run", options=QUICK)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(tmp_path / "run", kimg=0.1, options=QUICK).facts["seen"] == 208


@pytest.mark.parametrize("values", [{"kimg": -5.0}, {"kimg": 1.0, "budget": "5s"}])
def test_more_of_nothing_is_refused(tmp_path: Path, values: dict[str, float | str]) -> None:
    fit(tmp_path / "run", kimg=0.1)
    with pytest.raises(RecipeError):
        resume(tmp_path / "run", options=QUICK, **values)


def test_a_preset_with_a_complete_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="that is complete"):
        tenfold.fit("digits", make_recipe("dcgan", {}), preset="tiny", out=tmp_path / "run", options=QUICK)


@pytest.mark.parametrize("device", ["bogus", "cuda:99"])
def test_an_unknown_device_is_refused_before_anything_is_made(tmp_path: Path, device: str) -> None:
    with pytest.raises(RunError, match="no device"):
        tenfold.fit("digits", "dcgan", out=tmp_path / "run", options=replace(QUICK, device=device))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("length", [["--kimg", "0.6"], ["--budget", "6s"]])
def test_two_processes_train_one_run(tmp_path: Path, length: list[str]) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "tenfold", "fit", "digits", "--recipe", "cgan", "--preset", "tiny", *length, *FLAGS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "--out", "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = tenfold.load(tmp_path / "run")
    assert run.facts["seen"] == run.facts["planned"] > 0
    assert run.facts["environment"]["world"] == 2


@pytest.mark.parametrize(("time_s", "steps"), [(48.0, 70), (500.0, 200), (1.0, 55)])
def test_a_time_is_planned_anew_by_the_pace_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_s: float, steps: int
) -> None:
    """Ten of a hundred steps took eight seconds beside two looks of a second, of which eleven are to come."""
    made = training(tmp_path / "run", 0.8)
    made.trainer.step, made.trainer.goal, made.looks, made.look_s = 10, 100, [{}, {}], 2.0
    made.since, made.ends_at = (10.0, 0.0, 0), 20.0 + 11.0 + time_s
    monkeypatch.setattr("tenfold.training.perf_counter", lambda: 20.0)
    made.keep_time(made.trainer)
    assert made.trainer.goal == steps and made.paced == 1
    assert made.trainer.settings.planned == made.progress.planned == 8 * steps
    (planned,) = (c for c in tenfold.load(tmp_path / "run").facts["choices"] if c["name"] == "planned")
    assert planned["value"] == 8 * steps and "800.0 ms" in planned["reason"]


def test_steps_that_will_be_dearer_are_planned_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten of a hundred steps took .8 s each; from the fiftieth on a step takes three times as long."""
    made = training(tmp_path / "run", 0.8)
    made.trainer.step, made.trainer.goal, made.looks, made.look_s = 10, 100, [{}, {}], 2.0
    made.since, made.ends_at, made.stages = (10.0, 0.0, 0), 20.0 + 11.0 + 190.0, ((0.0, 1.0), (0.5, 3.0))
    monkeypatch.setattr("tenfold.training.perf_counter", lambda: 20.0)
    made.keep_time(made.trainer)
    assert made.trainer.goal == 10 + 112  # at (.4 + .5 * 3) / .9 times .8 s


def test_the_last_step_may_be_the_first_to_tell_the_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training(tmp_path / "run", 0.8)
    made.trainer.step, made.trainer.goal, made.looks, made.look_s = 100, 100, [{}, {}], 2.0
    made.since, made.ends_at = (10.0, 0.0, 0), 20.0 + 11.0 + 8.0
    monkeypatch.setattr("tenfold.training.perf_counter", lambda: 20.0)
    made.keep_time(made.trainer)
    assert made.trainer.goal == pytest.approx(200, abs=1)


def test_the_middle_of_a_run_is_planned_by_the_pace_since_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty steps more took forty seconds: slower than the ten before; fifty more fit."""
    made = training(tmp_path / "run", 0.8)
    made.trainer.step, made.trainer.goal, made.looks, made.look_s = 50, 100, [{}] * 6, 6.0
    made.paced, made.since, made.ends_at = 1, (20.0, 2.0, 80), 64.0 + 7.0 + 50.0
    monkeypatch.setattr("tenfold.training.perf_counter", lambda: 64.0)
    made.keep_time(made.trainer)
    assert made.trainer.goal == 100 and made.paced == 2 and made.since == (64.0, 6.0, 400)
    watched = len(made.trainer.watches)
    made.watch()
    assert len(made.trainer.watches) == watched  # there is no third time


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        fit(tmp_path / "run")
    assert (tmp_path / "run" / "thesis.tex").read_text() == "mine"


def test_resume_refuses_another_recipe_and_other_data(tmp_path: Path) -> None:
    fit(tmp_path / "run", kimg=0.1)
    with pytest.raises(RecipeError, match="dcgan"):
        resume(tmp_path / "run", recipe="wgan", kimg=0.1, options=QUICK)
    import numpy as np

    np.save(tmp_path / "other.npy", np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8))
    with pytest.raises(DataError, match="not those"):
        resume(tmp_path / "run", data=str(tmp_path / "other.npy"), kimg=0.1, options=QUICK)


def test_a_complete_run_asks_for_more_and_can_be_extended(tmp_path: Path) -> None:
    fit(tmp_path / "run", kimg=0.1)
    with pytest.raises(RunError, match=r"\+10m"):
        resume(tmp_path / "run", options=QUICK)
    run = resume(tmp_path / "run", kimg=0.1, options=QUICK)
    assert run.facts["seen"] == run.facts["planned"] == 208


def test_resume_of_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run\.json"):
        resume(tmp_path, options=QUICK)


def test_memory_is_probed_and_the_batch_is_cut(tmp_path: Path) -> None:
    from tenfold.probe import make_trainer, micro_batches_for, step_bytes

    plan = make_plan("digits", exactly(make_recipe("dcgan", {"batch": 64}, "tiny")), kimg=1, options=QUICK)
    fixed, per_sample = step_bytes(make_trainer(plan, Runtime(), Mode(False, False)))
    assert fixed > 0 and per_sample > 0
    enough = int((fixed + 64 * per_sample) / 0.8) + 1000
    assert micro_batches_for(plan, Runtime(), enough) == 1
    assert micro_batches_for(plan, Runtime(), int((fixed + 20 * per_sample) / 0.8)) == 4
    with pytest.raises(RunError, match="--width"):
        micro_batches_for(plan, Runtime(), fixed)


def test_micro_batches_are_played(tmp_path: Path) -> None:
    run = tenfold.fit(
        "digits",
        "mlp",
        preset="tiny",
        kimg=0.1,
        out=tmp_path / "run",
        options=replace(QUICK, micro_batches=4),
    )
    assert run.facts["mode"]["micro_batches"] == 4
