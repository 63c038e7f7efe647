"""The experiment from data to verdict: nothing leaks, nothing is done twice, all sources and generators."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tenfold.proving as proving
from tenfold.cli.prove import main
from tenfold.data import LoadOptions, open_data
from tenfold.errors import DataError, Interrupted, RecipeError, RunError
from tenfold.proof import timing, trained
from tenfold.proof.arms import Examples
from tenfold.proof.generators import Called, source_text
from tenfold.proof.given import refuse_near_copies, without_seen
from tenfold.proof.ledger import Ledger, settle, whole_lines
from tenfold.proof.order import Order
from tenfold.proof.score import Score
from tenfold.proof.splits import Fold
from tenfold.proof.task import Task, fit_encoding, same_bytes
from tenfold.proof.timing import Work, affordable, unmeasured
from tenfold.proving import ProofOptions, prove
from tenfold.run import Run

OPTIONS = ProofOptions(learners=("linear", "kernel"), quiet=True)


def vectors(path: Path, n: int = 120, shift: float = 1.0) -> Path:
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % 4 == 0).astype(np.int64)
    np.savez(path, x=rng.normal(0, 1, (n, 3)) + shift * labels[:, None], y=labels)
    return path


class Spy:
    """Repeats training items, and remembers what it was shown."""

    def __init__(self, stops_after: int = -1) -> None:
        self.stops_after = stops_after
        self.shown: list[np.ndarray] = []
        self.seeds: list[int] = []

    def __call__(self, values, labels, classes, counts, seed):
        if len(self.shown) == self.stops_after:
            raise KeyboardInterrupt
        self.shown.append(values)
        self.seeds.append(seed)
        rng = np.random.default_rng(seed)
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), k) for c, k in enumerate(counts)])
        return values[rows], labels[rows]


class Other(Spy):
    """Its source is another."""


def scores_of(folder: Path) -> list[Score]:
    return list(Ledger(folder).scores.values())


def test_generators_see_training_items_alone_and_scores_are_complete(tmp_path: Path) -> None:
    data, spy = vectors(tmp_path / "d.npz"), Spy()
    proof = prove(data, generator=spy, out=tmp_path / "p", quick=True, options=OPTIONS)
    assert proof.verdict in ("no evidence", "unclear", "helps", "hurts")
    assert (tmp_path / "p" / "report.html").is_file()
    assert json.loads((tmp_path / "p" / "result.json").read_text())["verdict"] == proof.verdict
    assert len(spy.shown) == 3 and len(set(spy.seeds)) == 3
    assert [len(values) for values in spy.shown] == [72, 72, 72]  # 60 of 100
    shown = np.unique(np.concatenate(spy.shown), axis=0)
    assert len(shown) > 72  # other items in other splits
    scores = scores_of(tmp_path / "p")
    keys = {(s.split, s.arm, s.setting, s.learner) for s in scores}
    assert len(keys) == len(scores) == 3 * 2 * (1 + 3 * 4 + 2 + 1 + 6 + 3 * 3 + 1)
    for score in scores:
        if score.arm == "gan" and score.setting == "ratio=0":
            none = next(
                s for s in scores if (s.split, s.arm, s.learner) == (score.split, "none", score.learner)
            )
            assert score.test == none.test and score.items == 72
        if score.arm == "gan" and score.setting == "ratio=2":
            assert score.items == 3 * 72


def test_test_items_reach_no_learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same items judge whatever is trained; and those that judge are never trained on."""
    from tenfold.proof import experiment

    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    real = experiment.probabilities

    def watched(learner, examples, sides, classes, seed):
        seen.append((examples.values, sides["validation"].values, sides["test"].values))
        return real(learner, examples, sides, classes, seed)

    monkeypatch.setattr(experiment, "probabilities", watched)
    options = replace(OPTIONS, learners=("linear",))
    prove(vectors(tmp_path / "d.npz"), generator=Spy(), out=tmp_path / "p", quick=True, options=options)
    assert len(seen) == 3 * (1 + 3 * 4 + 2 + 1 + 6 + 3 * 2 + 1)
    for learnt, validation, test in seen:
        assert not same_bytes(test, learnt).any()
        assert not same_bytes(validation, learnt).any()
        assert not same_bytes(test, validation).any()


def test_the_scaling_is_that_of_the_training_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenfold.proof import experiment

    seen: dict[int, np.ndarray] = {}
    real = experiment.Stage.without_gan

    def watched(stage: experiment.Stage) -> None:
        seen[stage.split] = stage.real.values
        real(stage)

    monkeypatch.setattr(experiment.Stage, "without_gan", watched)
    options = replace(OPTIONS, learners=("linear",))
    prove(vectors(tmp_path / "d.npz"), generator=Spy(), out=tmp_path / "p", quick=True, options=options)
    for values in seen.values():
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(values.std(0), 1, atol=1e-5)


def test_a_run_is_judged_by_its_hold_out_less_what_it_saw() -> None:
    values = np.arange(40.0).reshape(20, 2)
    values[17] = values[3]
    names = [str(i) for i in range(20)]
    task = without_seen(Task("d", "vectors", values, np.arange(20) % 2, ("a", "b"), None, names), 15)
    assert task.test is not None and task.test.tolist() == [False] * 15 + [True] * 4
    assert task.names[15:] == ["15", "16", "18", "19"]


def test_what_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    data, spy = vectors(tmp_path / "d.npz"), Spy()
    options = replace(OPTIONS, learners=("linear",))

    whole = prove(data, generator=spy, out=tmp_path / "whole", quick=True, options=options)
    stopped = Spy(stops_after=1)
    with pytest.raises(Interrupted, match="the same command goes on"):
        prove(data, generator=stopped, out=tmp_path / "parts", quick=True, options=options)
    before = scores_of(tmp_path / "parts")
    assert 0 < len(before) < len(scores_of(tmp_path / "whole"))
    spy.shown.clear()
    kept = [s for s in before if (s.split, s.arm) != (0, "gan_only")]  # so that its pool is needed again
    (tmp_path / "parts" / "scores.jsonl").write_text("".join(json.dumps(s.to_json()) + "\n" for s in kept))
    with (tmp_path / "parts" / "scores.jsonl").open("a") as file:
        file.write('{"split": 0, "se')  # cut off while it was written
    with pytest.raises(RunError, match=r"other settings: made_by \(made_by was"):
        other = Other()
        prove(data, generator=other, out=tmp_path / "parts", quick=True, options=options)
    parts = prove(data, generator=spy, out=tmp_path / "parts", quick=True, options=options)
    assert len(spy.shown) == 2  # the first split's items were kept
    assert set(map(repr, scores_of(tmp_path / "parts"))) == set(map(repr, scores_of(tmp_path / "whole")))
    assert parts.sentence == whole.sentence
    prove(data, generator=spy, out=tmp_path / "parts", quick=True, options=options)
    assert len(spy.shown) == 2


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    settle(tmp_path / "new", {"seed": 0, "metric": "a"})
    settle(tmp_path / "new", {"seed": 0, "metric": "a"})
    with pytest.raises(RunError, match=r"other settings: metric \(metric was 'a', now 'b'\)"):
        settle(tmp_path / "new", {"seed": 0, "metric": "b"})
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "cat.png").touch()
    with pytest.raises(RunError, match="holds no experiment"):
        settle(tmp_path / "cats", {"seed": 0})


def test_a_damaged_ledger_is_said(tmp_path: Path) -> None:
    (tmp_path / "s").write_text('{"a": 1}\n{"a"\n{"a": 2}\n')
    with pytest.raises(RunError, match="damaged"):
        whole_lines(tmp_path / "s")


def test_a_recipe_makes_rows_of_every_class(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal(i % 2):.3f},{'ab'[i % 2]},{rng.normal():.3f},{'yn'[i % 3 > 0]}" for i in range(120)]
    path.write_text("\n".join(["x,c,z,ill", *rows]) + "\n")
    options = replace(OPTIONS, learners=("linear",))
    prove(path, target="ill", out=tmp_path / "p", budget="6s", quick=True, options=options)
    facts = whole_lines(tmp_path / "p" / "generators.jsonl")
    assert len(facts) == 3
    for line in facts:
        assert line["generator"].startswith("recipe tabular") and line["facts"]["seen"] > 0
        assert all(found > 0 for found in line["made"])
    with np.load(tmp_path / "p" / "generators" / "split-0-seed-0" / "pool.npz") as pool:
        assert set(np.unique(pool["values"][:, 2:4])) == {0.0, 1.0}  # town a or b, and nothing between
        np.testing.assert_allclose(pool["values"][:, 2:4].sum(1), 1)


def test_a_class_is_rare_by_what_trains_whatever_the_test_set_holds(tmp_path: Path) -> None:
    data = vectors(tmp_path / "d.npz")  # three of the one to one of the other
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "test.npz", x=rng.normal(size=(80, 3)), y=(np.arange(80) >= 10).astype(np.int64))
    options = replace(OPTIONS, learners=("linear",), test=str(tmp_path / "test.npz"))
    prove(data, generator=Spy(), out=tmp_path / "p", quick=True, options=options)
    design = json.loads((tmp_path / "p" / "design.json").read_text())
    assert design["counts"] == [90, 30] and design["rare_class"] == 1
    assert "class_weights" in design["arms"]


def test_a_folder_of_samples_and_copies_of_test_items(tmp_path: Path) -> None:
    data = vectors(tmp_path / "d.npz")
    with np.load(data) as arrays:
        values, labels = arrays["x"], arrays["y"]
    np.savez(tmp_path / "fresh.npz", x=values + 0.1, y=1 - labels)  # all labels wrong
    rng = np.random.default_rng(1)
    np.savez(
        tmp_path / "test.npz", x=rng.normal(size=(40, 3)) + np.arange(40)[:, None] % 2, y=np.arange(40) % 2
    )
    options = replace(OPTIONS, learners=("linear",), test=str(tmp_path / "test.npz"))
    with pytest.raises(DataError, match="Split the data first"):
        bare = replace(options, test=None)
        prove(data, generator=tmp_path / "fresh.npz", out=tmp_path / "p", quick=True, options=bare)
    prove(data, generator=tmp_path / "fresh.npz", out=tmp_path / "p", quick=True, options=options)
    design = json.loads((tmp_path / "p" / "design.json").read_text())
    assert design["seeds"] == 1 and design["one_generator"] and not design["trained_here"]
    assert design["fixed_test"] == [0, 1] * 20
    for score in scores_of(tmp_path / "p"):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(score.right), np.uint8))[:40]
        assert bits.reshape(20, 2).mean() == pytest.approx(score.test["balanced_accuracy"])
    built_on = {s.setting.rpartition("+")[0] for s in scores_of(tmp_path / "p") if s.arm == "classical_gan"}
    assert len(built_on) == 1  # no split chooses alone
    alone = [s.test["balanced_accuracy"] for s in scores_of(tmp_path / "p") if s.arm == "gan_only"]
    assert max(alone) < 0.4
    with np.load(tmp_path / "test.npz") as arrays:
        judged, classes = arrays["x"], arrays["y"]
    np.savez(tmp_path / "copies.npz", x=np.r_[values + 0.1, judged], y=np.r_[labels, classes])
    with pytest.raises(DataError, match=r"40 of the samples in .*copies.npz are copies of items of the test"):
        prove(data, generator=tmp_path / "copies.npz", out=tmp_path / "q", quick=True, options=options)
    np.savez(
        tmp_path / "near.npz", x=np.repeat(judged, 4, 0) + rng.normal(0, 0.01, (160, 3)), y=classes.repeat(4)
    )
    with pytest.raises(DataError, match=r"of the items made by .*near copies of items of the test set"):
        prove(data, generator=tmp_path / "near.npz", out=tmp_path / "r", quick=True, options=options)


def test_unlabelled_items_get_pseudo_labels(tmp_path: Path) -> None:
    data = vectors(tmp_path / "d.npz")
    with np.load(data) as arrays:
        known = arrays["x"]
    rng = np.random.default_rng(5)
    np.save(tmp_path / "u.npy", np.r_[rng.normal(0.5, 1, (40, 3)), known[:7]])
    options = replace(OPTIONS, learners=("linear",), unlabelled=str(tmp_path / "u.npy"))
    prove(data, generator=Spy(), out=tmp_path / "p", quick=True, options=options)
    found = [s for s in scores_of(tmp_path / "p") if s.arm == "pseudo_labels"]
    assert {(s.setting, s.items) for s in found} == {("share=0.5", 92), ("share=1", 112)}  # less the copies


def test_groups_of_a_folder_are_carried_to_the_splits(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "d").mkdir()
    rows = ["file_name,label,patient"]
    for i in range(40):
        Image.fromarray(np.full((8, 8), i * 5, np.uint8)).save(tmp_path / "d" / f"{i}.png")
        rows.append(f"{i}.png,{'ab'[i % 2]},p{i // 4}")
    (tmp_path / "d" / "metadata.csv").write_text("\n".join(rows))
    split = open_data(tmp_path / "d", LoadOptions(group="patient")).train
    assert split.groups is not None and len(set(split.groups)) == 10
    assert open_data(tmp_path / "d").train.groups is None
    task, _ = proving.read(tmp_path / "d", None, None, ProofOptions(group="patient"))
    assert task.groups is not None
    by_group: dict[int, set[str]] = {}
    for group, name in zip(task.groups, task.names, strict=True):
        by_group.setdefault(int(group), set()).add(str(int(Path(name).stem) // 4))
    assert sorted(len(patients) for patients in by_group.values()) == [1] * 10


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"generator": "dcgan"}, RecipeError, "takes images"),
        ({"generator": "srgan"}, RecipeError, "makes pictures of others.*--generator mlp"),
        ({"generator": "mlpp"}, RecipeError, "Did you mean 'mlp'"),
        ({"target": "y"}, DataError, "is no table"),
        ({"options": ProofOptions(metric="acuracy")}, RecipeError, "no metric 'acuracy'"),
        ({"options": ProofOptions(learners=("cnn",))}, RecipeError, "no learner 'cnn' for vectors"),
        ({"seed": -1}, RecipeError, "seed is -1"),
        ({"generator": lambda v, l, c, n, s: (v[:, :2], l)}, DataError, "gave values of shape"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, given: dict, error: type, words: str) -> None:
    given = {"options": replace(OPTIONS, learners=("linear",)), **given}
    with pytest.raises(error, match=words):
        prove(vectors(tmp_path / "d.npz"), out=tmp_path / "p", quick=True, **given)


def test_data_without_labels_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "u.npy", np.random.default_rng(0).normal(size=(40, 3)))
    with pytest.raises(DataError, match="has no labels"):
        prove(tmp_path / "u.npy", out=tmp_path / "p", options=OPTIONS)


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.proof.learners.TREES", 5)
    data = vectors(tmp_path / "d.npz", n=60)
    with np.load(data) as arrays:
        values, labels = arrays["x"], arrays["y"]
    np.savez(tmp_path / "made.npz", x=values[:40] + 0.1, y=labels[:40])
    np.savez(tmp_path / "data.npz", x=values[:40], y=labels[:40])
    np.savez(tmp_path / "test.npz", x=values[40:], y=labels[40:])
    data = tmp_path / "data.npz"
    flags = [
        "--quick",
        "--json",
        "--quiet",
        "--test",
        str(tmp_path / "test.npz"),
        "--out",
        str(tmp_path / "p"),
    ]
    main([str(data), "--generator", str(tmp_path / "made.npz"), *flags])
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] and found["path"] == str(tmp_path / "p")
    design = json.loads((tmp_path / "p" / "design.json").read_text())
    assert design["learners"] == ["linear", "kernel", "trees"] and design["kimg_asked"] is None


def test_same_bytes() -> None:
    a, b = np.arange(6.0).reshape(3, 2), np.array([[2.0, 3.0], [9.0, 9.0]])
    assert same_bytes(b, a).tolist() == [True, False]
    assert not same_bytes(b.astype(np.float32), a).any()


def test_a_judgement_may_be_asked_for_anew(tmp_path: Path) -> None:
    data, spy = vectors(tmp_path / "d.npz"), Spy()
    options = replace(OPTIONS, learners=("linear",))
    prove(data, generator=spy, out=tmp_path / "p", quick=True, options=options)
    before, calls = (tmp_path / "p" / "scores.jsonl").read_text(), len(spy.shown)
    wider = replace(options, width=0.9, minimum=0.5)
    proof = prove(data, generator=spy, out=tmp_path / "p", quick=True, options=wider)
    assert proof.verdict == "no evidence" and len(spy.shown) == calls
    assert (tmp_path / "p" / "scores.jsonl").read_text() == before
    assert json.loads((tmp_path / "p" / "design.json").read_text())["width"] == 0.9
    found = json.loads((tmp_path / "p" / "result.json").read_text())["generators"]
    assert [line["split"] for line in found] == [0, 1, 2]
    with pytest.raises(RunError, match=r"other settings: steps \(steps was 0, now 200"):
        prove(data, generator=spy, out=tmp_path / "p", quick=True, options=replace(options, steps=200))


def test_a_width_of_nothing_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    spy = Spy()
    with pytest.raises(DataError, match="width"):
        prove(
            vectors(tmp_path / "d.npz"),
            generator=spy,
            out=tmp_path / "p",
            options=replace(OPTIONS, width=0.0),
        )
    assert not spy.shown and not (tmp_path / "p").exists()


def order_of(values: np.ndarray, tmp_path: Path) -> Order:
    kind = "images" if values.ndim == 4 else "table"
    labels, names = np.arange(len(values)) % 2, [str(i) for i in range(len(values))]
    task = Task("d", kind, values, labels, ("a", "b"), None, names, levels=((),) * values.shape[1])
    half = len(values) // 2
    fold = Fold(np.arange(half), np.arange(half, half + 10), np.arange(half + 10, len(values)))
    encoding = fit_encoding(task, fold.train)
    return Order(task, fold, encoding, np.array([4, 4]), 0, tmp_path, 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v, l: (v / 255, l), "gave pictures of type float64"),
        (lambda v, l: (v.astype(int) - 1, l), "values from -1"),
        (lambda v, l: (v[:4], np.array([0, 0, 0, 1])), "gave 1 items of the class 'b', and 4 were wanted"),
    ],
)
def test_pictures_of_a_function_are_like_the_data(tmp_path: Path, change, words: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (60, 1, 4, 4)).astype(np.uint8)
    values[0] = 0
    order = order_of(values, tmp_path)
    assert len(Called(lambda v, l, c, n, s: (v, l)).make(order).examples) == 30
    with pytest.raises(DataError, match=words):
        Called(lambda v, l, c, n, s: change(v, l)).make(order)


def test_gaps_are_made_where_training_items_have_some(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 2))
    values[3, 1] = np.nan

    def gap(column: int) -> Called:
        def made(v, l, c, n, s):
            v[5, column] = np.nan
            return v, l

        return Called(made)

    assert len(gap(1).make(order_of(values, tmp_path)).examples) == 30
    with pytest.raises(DataError, match="gave 1 values that are not finite"):
        gap(0).make(order_of(values, tmp_path))


def test_a_function_is_known_by_its_source() -> None:
    assert Called(Spy()).fingerprint == Called(Spy()).fingerprint != Called(Other()).fingerprint
    one, other = partial(Spy, stops_after=1), partial(Spy, stops_after=2)
    assert source_text(one) != source_text(other)
    first = {}
    exec("def f(): return a", first)
    second = {}
    exec("def f(): return b", second)
    assert source_text(first["f"]) != source_text(second["f"])


def test_near_copies_are_told_from_new_items_and_from_copies_of_training_items(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    order = order_of(rng.normal(size=(400, 6)), tmp_path)
    encode = order.encoding.encode

    def refused(values: np.ndarray) -> bool:
        try:
            refuse_near_copies(Examples(encode(values), np.zeros(len(values), np.int64)), order, "it")
        except DataError:
            return True
        return False

    train, test = (order.task.values[rows] for rows in (order.fold.train, order.fold.test))
    assert not refused(train) and not refused(train + 0.05) and not refused(rng.normal(size=(300, 6)))
    assert not refused(np.zeros((300, 6)))  # all nearest to one item, which may be of either side
    assert refused(test + 0.05)
    assert refused(np.concatenate([train, test, test]) + 0.05)


def test_the_slowest_learner_is_left_out_where_time_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = {"linear": 1.0, "kernel": 5.0, "trees": 2.0, "cnn": 3.0}
    monkeypatch.setattr(timing, "_seconds", lambda work, learner: spent[learner.name])
    real = Examples(np.zeros((20, 1, 8, 8), np.float32), np.arange(20) % 2)
    for seconds, steps, names in (
        (20, 300, ["linear", "kernel", "trees", "cnn"]),
        (7.5, 150, ["linear", "kernel", "trees", "cnn"]),
        (4, 150, ["linear", "trees", "cnn"]),
    ):
        monkeypatch.setattr(timing, "_steps", lambda work: 300)
        work = Work("images", real, 2, np.array([20, 100]), None, seconds)
        found = affordable(work, None)
        assert (found[0], list(found[1])) == (steps, names) and bool(found[2]) == (seconds < 20)
    asked = affordable(replace(work, names=("linear", "kernel", "trees", "cnn")), 300)
    assert asked[0] == 300 and len(asked[1]) == 4


def test_with_a_number_of_samples_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_timed", lambda *given: pytest.fail("the machine was measured"))
    monkeypatch.setattr(timing, "_steps", lambda work: pytest.fail("the machine was measured"))
    real = Examples(np.zeros((20, 1, 4, 4), np.float32), np.arange(20) % 2)
    work = Work("images", real, 2, np.array([20, 100]), None, seconds=1.0)
    assert unmeasured(work, None) == (300, ("linear", "kernel", "trees", "cnn"), [])
    assert unmeasured(replace(work, names=("linear",)), None) == (0, ("linear",), [])


def test_a_gan_learns_from_training_items_and_from_unlabelled_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (60, 1, 4, 4)).astype(np.uint8)
    more = Examples(np.full((3, 1, 4, 4), 7, np.uint8), np.array([1, 1, 0]))
    for order, expected in (
        (order_of(values, tmp_path), (values[:30], np.arange(30) % 2)),
        (
            replace(order_of(values, tmp_path), unlabelled=more),
            (np.concatenate([values[:30], more.values]), np.append(np.arange(30) % 2, [1, 1, 0])),
        ),
    ):
        trained.write_labelled(order, tmp_path / "d.npz")
        with np.load(tmp_path / "d.npz") as arrays:
            np.testing.assert_array_equal(arrays["x"].transpose(0, 3, 1, 2), expected[0])
            np.testing.assert_array_equal(arrays["y"], expected[1])


def test_unlabelled_items_are_guessed_for_recipes_and_the_verdict_says_what_else_they_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Order] = []
    write = trained.write_joined
    monkeypatch.setattr(
        trained, "write_joined", lambda order, path: (orders.append(order), write(order, path))
    )
    rng = np.random.default_rng(5)
    np.save(tmp_path / "u.npy", rng.normal(0, 1, (40, 3)) + 4 * (np.arange(40) % 2)[:, None])
    options = replace(OPTIONS, learners=("linear",), unlabelled=str(tmp_path / "u.npy"), kimg=0.5)
    data = vectors(tmp_path / "d.npz", shift=4.0)
    proof = prove(data, out=tmp_path / "p", quick=True, options=options)
    assert len(orders) == 3
    for order in orders:
        assert order.unlabelled is not None and len(order.unlabelled) == 40
        assert (order.unlabelled.labels == np.arange(40) % 2).mean() > 0.9
        assert len(order.labels) == 72
    assert any(
        "The GANs also learnt from the unlabelled items. Pseudo-labels" in r for r in proof.conclusion.remarks
    )
    spied = prove(data, generator=Spy(), out=tmp_path / "q", quick=True, options=replace(options, kimg=None))
    assert any(r.startswith("Pseudo-labels") for r in spied.conclusion.remarks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda judged: judged, "no unlabelled items are left"),
        (
            lambda judged: judged.repeat(4, 0) + np.random.default_rng(0).normal(0, 1e-3, (160, 3)),
            "near copies",
        ),
    ],
)
def test_unlabelled_items_that_are_test_items_or_other_numbers_are_refused(
    tmp_path: Path, change, words: str
) -> None:
    judged = np.random.default_rng(1).normal(size=(40, 3)) + np.arange(40)[:, None] % 2
    np.savez(tmp_path / "test.npz", x=judged, y=np.arange(40) % 2)
    np.save(tmp_path / "u.npy", change(judged))
    files = {"test": str(tmp_path / "test.npz"), "unlabelled": str(tmp_path / "u.npy")}
    options = replace(OPTIONS, learners=("linear",), kimg=0.5, **files)
    with pytest.raises(DataError, match=words):
        prove(vectors(tmp_path / "d.npz"), out=tmp_path / "p", quick=True, options=options)


def test_unlabelled_pictures_have_the_type_of_the_labelled_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (60, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", images=values, labels=np.arange(60) % 2)
    np.save(tmp_path / "u.npy", values.astype(np.uint16) * 257)
    with pytest.raises(DataError, match=r"type uint16; \(1, 8, 8\) and uint8 were expected"):
        proving.read(tmp_path / "d.npz", None, None, ProofOptions(unlabelled=str(tmp_path / "u.npy")))


def test_rows_of_a_rare_class_are_repeated_a_hundred_times_at_most(tmp_path: Path) -> None:
    order = order_of(np.random.default_rng(0).normal(size=(60, 3)), tmp_path)
    more = Examples(np.random.default_rng(1).normal(size=(2000, 3)), np.zeros(2000, int))
    trained.write_joined(replace(order, unlabelled=more), tmp_path / "d.npz")
    with np.load(tmp_path / "d.npz") as arrays:
        assert arrays["x"][:, 3:].sum(0).tolist() == [2015, 15 * trained.MOST_REPEATS]


def test_a_run_that_translates_is_refused_as_a_generator(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (60, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", images=values, labels=np.arange(60) % 2)
    (tmp_path / "run").mkdir()
    facts = {"recipe": "srgan", "spec": {}, "codec": {}, "planned": 8}
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    (tmp_path / "run" / "recipe.yaml").write_text("recipe: srgan\nfields: {}\n")
    with pytest.raises(RecipeError, match="'srgan' makes pictures of others"):
        proving.read(tmp_path / "d.npz", None, Run(tmp_path / "run"), ProofOptions())
