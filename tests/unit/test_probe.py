"""What is measured of memory before a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tenfold import fitting, pacing, probe
from tenfold.choosing import exactly
from tenfold.engine.runtime import Runtime
from tenfold.engine.trainer import Settings
from tenfold.errors import RecipeError
from tenfold.game import Turn
from tenfold.options import Options
from tenfold.plan import make_plan
from tenfold.recipe import make_recipe


def control_group(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(text)
    return folder


def test_what_the_page_cache_holds_counts_as_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "CONTROL_GROUP", tmp_path)
    assert probe.container_free_bytes() == []
    control_group(tmp_path, max="1000\n", current="700\n")
    assert probe.container_free_bytes() == [300]
    control_group(tmp_path, stat="anon 100\ninactive_file 500\nactive_file 90\n")
    assert probe.container_free_bytes() == [800]
    control_group(tmp_path, max="max\n")
    assert probe.container_free_bytes() == []


class Timed:
    """A trainer whose step takes 1 s, one of every eighth 4 s more, and one of every fourth 2 s more."""

    runtime, adaptive, step, settings = Runtime(), (), 0, Settings()

    def __init__(self) -> None:
        self.game, self.now = self, 0.0

    def turns(self, step: int) -> list[Turn]:
        return [Turn("D", self.turns, every=k) for k in (1, 8, 4)]

    def play_step(self) -> None:
        self.now += 1 + 4 * (self.step % 8 == 0) + 2 * (self.step % 4 == 0)
        self.step += 1


def test_what_is_done_in_some_steps_only_is_a_share_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer: Any = Timed()
    monkeypatch.setattr(probe, "perf_counter", lambda: trainer.now)
    assert probe.step_seconds(trainer, 0.0) == pytest.approx(1 + 4 / 8 + 2 / 4)
    assert probe.step_seconds(trainer, 500.0) == pytest.approx(1 + 4 / 8 + 2 / 4)


class Staged(Timed):
    """From the middle of its run on, which the planned number tells, a step takes three times as long."""

    stages, data = (0.5,), SimpleNamespace(size=4)

    def play_step(self) -> None:
        over = self.settings.planned > 0 and self.step * self.data.size >= self.settings.planned / 2
        self.now += 3 if over else 1
        self.step += 1


def test_every_stage_of_a_run_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer: Any = Staged()
    monkeypatch.setattr(probe, "perf_counter", lambda: trainer.now)
    found = probe.stage_seconds(trainer, 100.0)
    assert found == [(0.0, pytest.approx(1.0)), (0.5, pytest.approx(3.0))]
    assert trainer.settings.planned == 0 and probe.mean_seconds(found) == pytest.approx(2.0)


def test_the_memory_of_a_step_is_that_of_the_dearest_stage() -> None:
    data = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    found = []
    for values in ({"adversarial": 0.0, "matching": 0.0}, {}):
        plan = make_plan(data, exactly(make_recipe("srgan", values, "tiny")), kimg=1)
        found.append(probe.step_bytes(probe.make_trainer(plan, Runtime(), probe.Mode(False, False)))[1])
    assert found[1] > found[0]


@pytest.mark.parametrize("batch", [2, 3, 5, 8])
def test_a_micro_batch_has_two_samples_at_least(batch: int) -> None:
    recipe = make_recipe("infogan", {"batch": batch}, "tiny")
    data = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    plan = make_plan(data, exactly(recipe), kimg=1)
    fixed, per_sample = probe.step_bytes(probe.make_trainer(plan, Runtime(), probe.Mode(False, False)))
    room = int((fixed + 2.1 * per_sample) / 0.8) + 1
    assert probe.micro_batches_for(plan, Runtime(), room) == batch // 2
    assert probe.micro_batches_for(plan, Runtime(world=2), room) == max(1, batch // 4)
    with pytest.raises(probe.RunError, match="two samples need"):
        probe.micro_batches_for(plan, Runtime(), int((fixed + 1.5 * per_sample) / 0.8))


def packed(pack: int, batch: int) -> Any:
    """A plan of rows that are judged in packs."""
    pd = pytest.importorskip("pandas")
    x = np.random.default_rng(0).normal(0, 1, 90)
    recipe = make_recipe("ctgan", {"batch": batch, "pack": pack, "width": 64}, "tiny")
    return make_plan(pd.DataFrame({"x": x, "c": np.where(x > 0, "a", "b")}), exactly(recipe), kimg=1)


@pytest.mark.parametrize(("pack", "batch", "seen"), [(2, 40, {2, 4}), (10, 40, {10, 20}), (10, 15, {10})])
def test_memory_is_measured_of_whole_packs(
    monkeypatch: pytest.MonkeyPatch, pack: int, batch: int, seen: set[int]
) -> None:
    looked, kept = set[int](), probe.kept
    monkeypatch.setattr(probe, "kept", lambda t, loss, rows: looked.add(rows) or kept(t, loss, rows))
    trainer = probe.make_trainer(packed(pack, batch), Runtime(), probe.Mode(False, False))
    assert probe.step_bytes(trainer)[1] > 0
    assert looked == seen


def test_a_micro_batch_has_a_pack_at_least() -> None:
    plan = packed(10, 45)
    trainer = probe.make_trainer(plan, Runtime(), probe.Mode(False, False))
    fixed, per_sample = probe.step_bytes(trainer)
    assert probe.micro_batches_for(plan, Runtime(), int((fixed + 10.1 * per_sample) / 0.8) + 1) == 4
    with pytest.raises(probe.RunError, match=r"10 samples need .* or --pack"):
        probe.micro_batches_for(plan, Runtime(), int((fixed + 9 * per_sample) / 0.8))
    fitting.refuse_parts(plan, Runtime(), Options(micro_batches=4))
    with pytest.raises(RecipeError, match="1 to 4 were expected for a batch of 45 in packs of 10"):
        fitting.refuse_parts(plan, Runtime(), Options(micro_batches=5))
    trainer = probe.make_trainer(plan, Runtime(), probe.Mode(False, False, 4))
    trainer.play_step()
    assert all(np.isfinite(value) for value in trainer.flush().values())


@pytest.mark.parametrize(("since", "steps"), [(0.0, 40), (1.0, 27)])
def test_more_time_is_spent_on_the_steps_that_are_left(
    monkeypatch: pytest.MonkeyPatch, since: float, steps: int
) -> None:
    """Of a hundred seconds five are kept, three measured, nine looks of 1.2 s: 81.2 s of steps."""
    clock: Any = iter(range(9))
    monkeypatch.setattr(pacing, "perf_counter", lambda: float(next(clock)))
    trainer = SimpleNamespace(game=SimpleNamespace(stages=(), anew=None))
    monkeypatch.setattr(pacing, "make_trainer", lambda *_: trainer)
    monkeypatch.setattr(pacing, "stage_seconds", lambda *_: [(0.0, 1.0), (0.5, 3.0)])
    given: Any = SimpleNamespace(measure=lambda _: None)
    assert pacing.steps_within(100.0, given, Runtime(), given, given, since).steps == steps
