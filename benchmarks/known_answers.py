"""Does `prove` give the answers that are known? Controls, nulls, and two settings where nobody knows."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import tenfold
from record import SOURCE, Record, arguments, say
from tenfold.data import open_data
from tenfold.proof.ledger import Ledger, known_design
from tenfold.proof.options import ProofOptions
from tenfold.proof.picks import Picks
from tenfold.proof.score import Design
from tenfold.proof.statistics import false_alarms, split_means

QUESTION = """On digits: copies of training items bring about nothing, shuffled labels hurt, held-back real
items help. Of 40 experiments whose made items are resampled training items at most 2 say helps; of 2,000
with the signs of the stored differences flipped, at most 2.5 %. Then few labels, and one rare class."""
NULLS, FLIPS, SEED = 40, 2000, 0
ITEMS = 300  # of a null, so that forty of them take minutes
FAST = ("linear", "kernel")
KNOWN = {"control_copies": "about 0", "control_shuffled": "hurts", "control_held_back": "helps"}
PER_CLASS, RARE, COMMON = 12, 8, 60  # training and validation items of the settings


def main() -> None:
    """One experiment after the other; each is kept when it is done."""
    given = arguments(__doc__ or "").parse_args()
    also = [SOURCE / "tenfold" / "proving.py", SOURCE / "tenfold" / "recipes" / "cgan.py"]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    nulls = 2 if given.quick else NULLS
    found: dict[str, Any] = {}
    found["nulls"] = record.measure("nulls", lambda: null_experiments(nulls), {"nulls": nulls})
    for name, work in settings(given.quick).items():
        found[name] = record.measure(name, work, {"quick": given.quick})
    record.conclude(rows(found))


def settings(quick: bool) -> dict[str, Any]:
    """What is proved of digits, of few labels and of a rare class."""
    budgets = ("20s", "20s", "20s") if quick else ("20m", "8m", "8m")
    return {
        "digits": lambda: proved("digits", None, budgets[0], quick),
        "few labels": lambda: proved(*few(), budgets[1], quick),
        "rare class": lambda: proved(*rare(), budgets[2], quick),
    }


def digits() -> tuple[np.ndarray, np.ndarray]:
    """All bundled digits, in random order."""
    data = open_data("digits")
    held = data.holdout
    assert held is not None and held.labels is not None and data.train.labels is not None
    values = np.concatenate([data.train.values, held.values])
    labels = np.concatenate([data.train.labels, held.labels])
    order = np.random.default_rng(SEED).permutation(len(labels))
    return values[order], labels[order]


def few() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A few digits of each class, and all others to judge by."""
    return parted([PER_CLASS] * 10)


def rare() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Some digits of each class but few eights, and all others to judge by."""
    return parted([RARE if label == 8 else COMMON for label in range(10)])


def parted(counts: Sequence[int]) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """So many of each class, and the rest."""
    values, labels = digits()
    taken = np.concatenate([np.flatnonzero(labels == k)[:n] for k, n in enumerate(counts)])
    rest = np.setdiff1d(np.arange(len(labels)), taken)
    return (values[taken], labels[taken]), (values[rest], labels[rest])


def proved(data: Any, test: Any, budget: str, quick: bool) -> dict[str, Any]:
    """What `prove` concludes, and how long it took."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = data if isinstance(data, str) else stored(folder / "data.npz", data)
        options = ProofOptions(test=None if test is None else str(stored(folder / "test.npz", test)))
        begun = perf_counter()
        proof = tenfold.prove(
            source, budget=budget, quick=quick, out=folder / "proof", seed=SEED, options=options
        )
        seconds = perf_counter() - begun
        keep_report(proof.path, source)
        found = proof.to_json()
        rare = of_the_rare_class(proof.path, found["primary"])
        more = {"rare": rare, "sign_flips": sign_flips(proof.path)}
        return {**found, "path": "", "seconds": round(seconds), **more}


def keep_report(path: Path, source: Any) -> None:
    """Leave the report where it can be looked at."""
    kept = Path(tempfile.gettempdir()) / "tenfold-reports"
    kept.mkdir(exist_ok=True)
    name = f"known-answers-{Path(str(source)).stem}-{int(perf_counter())}.html"
    (kept / name).write_text((path / "report.html").read_text())
    say(f"report: {kept / name}")


def stored(path: Path, part: tuple[np.ndarray, np.ndarray]) -> Path:
    """Pictures and labels in a file."""
    np.savez(path, images=part[0], labels=part[1])
    return path


def resampled(
    values: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], counts: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A generator that adds nothing: training items of each class, drawn with replacement."""
    random = np.random.default_rng(seed)
    index = [random.choice(np.flatnonzero(labels == k), n) for k, n in enumerate(counts) if n]
    chosen = np.concatenate(index)
    return values[chosen], labels[chosen]


def some_of(labels: np.ndarray, number: int) -> np.ndarray:
    """The items of one null; every other one has four times as few of the classes from five on."""
    order = np.random.default_rng(number).permutation(len(labels))
    if number % 2:
        upper = np.flatnonzero(labels[order] >= 5)
        order = np.delete(order, upper[len(upper) // 4 :])
    return order[:ITEMS]


def null_experiments(count: int) -> dict[str, Any]:
    """Experiments with that generator, each on other digits, every other one with rare classes.

    Two of four rotate their test items, as digits does; two are judged by a set of their own.
    """
    values, labels = digits()
    said: dict[str, list[tuple[str, bool]]] = {"rotating test items": [], "a test set": []}
    flips: list[float] = []
    begun = perf_counter()
    for number in range(count):
        taken = some_of(labels, number)
        kind = list(said)[number // 2 % 2]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            test = None
            if kind == "a test set":
                rest = np.setdiff1d(
                    np.random.default_rng(number).permutation(len(labels))[: 3 * ITEMS], taken
                )
                test = str(stored(folder / "test.npz", (values[rest], labels[rest])))
            source = stored(folder / "data.npz", (values[taken], labels[taken]))
            options = ProofOptions(learners=FAST, quiet=True, test=test)
            proof = tenfold.prove(
                source, generator=resampled, quick=True, seed=number, out=folder / "proof", options=options
            )
            flips += sign_flips(folder / "proof")
        chosen = any(times for ratio, times in proof.conclusion.ratios.items() if float(ratio) > 0)
        said[kind].append((proof.verdict, chosen))
        say(f"null {number + 1} of {count}: {proof.verdict}")
    kinds = {kind: counted(found) for kind, found in said.items() if found}
    helps = sum(kind["verdicts"].get("helps", 0) for kind in kinds.values())
    facts = {"kinds": kinds, "helps": helps, "of": count}
    return {**facts, "seconds": round(perf_counter() - begun), "sign_flips": flips}


def counted(found: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    """How often each verdict was given, and how often samples were chosen at all."""
    words = [word for word, _ in found]
    verdicts = {word: words.count(word) for word in sorted(set(words))}
    return {"verdicts": verdicts, "of": len(found), "chosen": sum(chosen for _, chosen in found)}


def finished(folder: Path) -> tuple[Picks, Design]:
    """The scores of a finished experiment."""
    known = known_design(folder) or {}
    design = Design.from_json({field.name: known[field.name] for field in fields(Design)})
    return Picks(Ledger(folder).scores.values(), design), design


def sign_flips(folder: Path) -> list[float]:
    """How often the signs of each learner's gain by GAN, drawn by chance, would say that it helps.

    Gains at every ratio, not only at the one that was chosen, which often is none. Gains that are zero in
    every split can give no alarm and are left out. Splits that share their test items are judged by these,
    not by their spread: there is nothing to flip.
    """
    picks, design = finished(folder)
    if design.fixed_test:
        return []
    found: list[float] = []
    for learner in design.learners:
        base = picks.grid("best_classical", learner)
        for ratio in design.ratios:
            tried = picks.grid_at(ratio, "classical_gan", learner) if ratio else None
            gains = None if tried is None else split_means(picks.gains([(tried, 1), (base, -1)]))
            if gains is not None and np.any(np.abs(gains) > 1e-12):
                found.append(false_alarms(gains, (design.test, design.train), FLIPS, SEED))
    return found


def of_the_rare_class(folder: Path, primary: str) -> dict[str, dict[str, float]]:
    """PR-AUC and F1 of the rare class with the learner that decides, where there is one."""
    picks, design = finished(folder)
    if design.rare_class is None:
        return {}
    return {
        arm: {
            metric: float(
                np.mean([score.test[metric] for seeds in picks.grid(arm, primary) for score in seeds])
            )
            for metric in ("pr_auc_rare", "f1_rare")
        }
        for arm in ("none", "best_classical", "classical_gan")
    }


def rows(found: Mapping[str, Any]) -> list[dict[str, object]]:
    """The table."""
    nulls = found["nulls"]
    flips = [share for result in found.values() for share in result["sign_flips"]]
    share = float(np.mean(flips)) if flips else None
    words = "not defined, as nothing moved" if share is None else f"{share:.2%} of {len(flips)} gains"
    table: list[dict[str, object]] = [
        row(
            "experiments that add resampled items",
            said(nulls),
            "at most 2 of 40 say helps",
            nulls["helps"] <= 2,
        ),
        row(
            "sign-flipped nulls that say helps",
            words,
            "at most 2.5%",
            None if share is None else share <= 0.025,
        ),
    ]
    for name in ("digits", "few labels", "rare class"):
        table += answers(name, found[name])
    return table


def said(nulls: Mapping[str, Any]) -> str:
    """What the nulls said, for both kinds of test sets."""
    kinds = [
        ", ".join(f"{count} {word}" for word, count in kind["verdicts"].items())
        + f" (samples chosen in {kind['chosen']} of {kind['of']}) with {name}"
        for name, kind in nulls["kinds"].items()
    ]
    return "; ".join(kinds)


def answers(name: str, result: Mapping[str, Any]) -> list[dict[str, object]]:
    """One experiment's controls and verdict, by the learner that decides."""
    table: list[dict[str, object]] = []
    for control in result["controls"]:
        if control["learner"] == result["primary"]:
            met = {"as expected": True, "misbehaves": False}.get(control["state"], control["state"])
            answer = f"{points(control['gain'])}: {control['reading']}"
            table.append(row(f"{name}: {control['arm']}", answer, KNOWN[control["arm"]], met))
    pairs = {"GAN": "gan", "best classical": "best_classical", "best classical plus GAN": "classical_gan"}
    for words, arm in pairs.items():
        wanted = (arm, "none", result["primary"])
        weak = next(c for c in result["comparisons"] if (c["arm"], c["against"], c["learner"]) == wanted)
        table.append(row(f"{name}: {words} against none", points(weak["gain"]), "as it comes out", None))
    for arm, values in result["rare"].items():
        numbers = f"PR-AUC {values['pr_auc_rare']:.3f}, F1 {values['f1_rare']:.3f}"
        table.append(row(f"{name}: the rare class with {arm}", numbers, "as it comes out", None))
    return [
        *table,
        row(f"{name}: verdict", result["sentence"], "as it comes out", None),
        row(f"{name}: seconds", result["seconds"], *within(name, result["seconds"])),
    ]


def points(gain: Mapping[str, float]) -> str:
    """A gain in points, and its interval."""
    mean, low, high = (f"{100 * gain[end]:+.1f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def within(name: str, seconds: float) -> tuple[str, bool | None]:
    """How long the full protocol on digits may take."""
    return ("at most 1200", seconds <= 1200) if name == "digits" else ("", None)


def row(question: str, answer: object, bar: str, met: object) -> dict[str, object]:
    """One line of the table."""
    said = met if isinstance(met, str) else "" if met is None else "yes" if met else "no"
    return {"question": question, "answer": answer, "bar": bar, "met": said}


if __name__ == "__main__":
    main()
