"""Whether made samples help: the controlled experiment, from data to verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .budget import seconds_of
from .data import open_data
from .data.records import tuples
from .errors import DataError, Interrupted, RecipeError, suggest
from .folder import locked, write_json
from .proof.arms import Examples
from .proof.clock import Clock
from .proof.columns import table_of
from .proof.experiment import Experiment, jobs_of
from .proof.generators import run_of
from .proof.given import read_with_run
from .proof.learners import choose_learners
from .proof.ledger import GENERATORS, PEER_LINES, Ledger, known_design, settle, whole_lines
from .proof.options import DEFAULTS, ProofOptions
from .proof.order import Generator, Make
from .proof.peers import KNOWN, choose_makers
from .proof.score import CONTROLS, CURVE, OWN, PEERS, Design
from .proof.splits import Fold, make_splits, together
from .proof.tabular import Frame
from .proof.task import (
    Task,
    fit_encoding,
    load_options,
    open_task,
    own_values,
    with_test,
    without_copies,
)
from .proof.timing import Work, affordable, sizes_of, unmeasured

if TYPE_CHECKING:
    from .proof.verdict import Conclusion
    from .run import Run

RATIOS, QUICK_RATIOS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0), (0.0, 0.5, 2.0)
REPEATS, QUICK_REPEATS = (5, 2), (3, 1)  # splits, and GANs per split
BUDGET, QUICK_BUDGET = "20m", "4m"
RULES = 3  # goes up when an experiment that was begun before cannot be gone on with
GAN_SHARE = 0.5  # of the time
UNEVEN = 1.5  # the largest class is so many times the smallest: then the smallest is called rare
MEASURES = ("balanced_accuracy", "macro_f1", "brier", "calibration_error", "pr_auc_rare", "f1_rare")


@dataclass(frozen=True)
class Proof:
    """What an experiment found.

    Attributes:
        verdict: "helps", "no evidence", "hurts" or "unclear".
        sentence: the same, with its numbers.
        path: the folder with every score, `result.json` and `report.html`.
        conclusion: all that the verdict rests on.
    """

    verdict: str
    sentence: str
    path: Path
    conclusion: Conclusion

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """For the terminal."""
        return [*self.conclusion.lines(), f"The report is {self.path / 'report.html'}"]

    def to_json(self) -> dict[str, Any]:
        """The same as one object."""
        return {**self.conclusion.to_json(), "path": str(self.path)}


def prove(
    data: str | Path | np.ndarray | Frame,
    *,
    target: str | None = None,
    generator: str | Path | Run | Make | None = None,
    out: str | Path | None = None,
    budget: str | None = None,
    quick: bool = False,
    seed: int = 0,
    options: ProofOptions = DEFAULTS,
) -> Proof:
    """Find out whether made samples make a classifier of these data better.

    An experiment that was stopped goes on when it is called again in the same way.

    Args:
        data: labelled pictures or vectors as `fit` takes them, a file of a table, or a data frame.
        target: the column of classes, in a table.
        generator: a recipe's name, a run, a folder of samples, or a function (see `proof.order.Make`);
            a recipe that suits the data if not given.
        out: the experiment's folder; `runs/prove-<data>` if not given.
        budget: about how long it may take, as 20m or 2h; half of it goes to training GANs.
        quick: fewer splits, ratios and GANs.
        seed: everything random derives from it.
        options: metric, test set, groups and more.

    Raises:
        TenfoldError: what was found, what was expected, what to do.
    """
    folder = Path(out) if out is not None else Path("runs") / f"prove-{stem_of(data)}"
    terms = terms_of(budget, quick, seed, options)
    known_design(folder)  # refuses a folder of something else before anything takes time
    task, unlabelled = read(data, target, run_of(generator), options)
    experiment = plan(task, generator, folder, terms, unlabelled)
    try:
        with locked(folder):
            return carry_out(experiment)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(f"stopped; the same command goes on where it was, in {folder}") from None


@dataclass(frozen=True)
class Terms:
    """How long, how thoroughly, from which seed, and the rest."""

    seconds: float
    quick: bool
    seed: int
    options: ProofOptions


def terms_of(budget: str | None, quick: bool, seed: int, options: ProofOptions) -> Terms:
    """The terms, with the time that is usual where none was given.

    Raises:
        RecipeError: there is no such time or seed.
    """
    if seed < 0:
        raise RecipeError(f"the seed is {seed}; 0 or more was expected. Any such number will do.")
    return Terms(seconds_of(budget or (QUICK_BUDGET if quick else BUDGET)), quick, seed, options)


def carry_out(experiment: Experiment) -> Proof:
    """Play what is left of an experiment, and conclude."""
    from .proof.report import generator_remarks, peer_remarks, write_report
    from .proof.verdict import conclude

    ledger, design, clock = experiment.ledger, experiment.design, experiment.clock
    total, gans = jobs_of(experiment), design.splits * design.seeds * (1 + len(experiment.peers))
    done = sum(not score.setting.endswith("ratio=0") for score in ledger.scores.values())
    there = len([*ledger.folder.glob("generators/*/pool.npz"), *ledger.folder.glob("peers/*/*/pool.npz")])
    clock.start(total, done, gans - there, experiment.gan_seconds)
    if done < total:
        experiment.play()
    scores = list(ledger.scores.values())
    made, peers = whole_lines(ledger.folder / GENERATORS), whole_lines(ledger.folder / PEER_LINES)
    lessened = (known_design(ledger.folder) or {}).get("lessened", [])
    conclusion = conclude(scores, design)
    remarks = (*conclusion.remarks, *map(_sentence, lessened), *peer_remarks(peers))
    conclusion = replace(conclusion, remarks=remarks)
    write_report(conclusion, scores, design, ledger.folder / "report.html", made)
    conclusion = replace(conclusion, remarks=(*conclusion.remarks, *generator_remarks(made)))
    write_json(ledger.folder / "result.json", {**conclusion.to_json(), "generators": made, "peers": peers})
    return Proof(conclusion.verdict, conclusion.sentence, ledger.folder, conclusion)


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


def plan(
    task: Task,
    given: str | Path | Run | Make | None,
    folder: Path,
    terms: Terms,
    unlabelled: np.ndarray | None = None,
) -> Experiment:
    """Everything that is decided before the first classifier, said and written down."""
    from .proof.verdict import refuse_design

    clock, (groups, copies) = Clock(quiet=terms.options.quiet), together(task)
    folds = make_splits(task, groups, repeats_of(terms)[0], terms.seed)
    generator, peers = choose_makers(given, task, folds, terms.options)
    design = design_of(task, folds, terms, generator)
    refuse_design(design)
    clock.say_all([*task.notes, *([f"{copies} exact copies stay on one side"] if copies else [])])
    work = work_of(task, folds[0], terms, design)
    known = known_design(folder)
    decide = affordable if terms.options.kimg is None else unmeasured  # of the machine
    steps, names, notes = settled(known, terms.options) or decide(work, terms.options.steps)
    clock.say_all(notes if known is None else [])
    design = replace(design, learners=names)
    gan_seconds = GAN_SHARE * terms.seconds / (design.splits * design.seeds) if generator.trains else 0.0
    clock.say(said(design, gan_seconds, terms.options.kimg))
    facts = {**design.to_json(), "seed": terms.seed, "seconds": terms.seconds, "steps": steps}
    settle_folder(folder, {**facts, "lessened": notes, **identity(task, generator, terms, unlabelled)})
    return Experiment(
        task,
        folds,
        design,
        work.learners(names, steps),
        generator,
        Ledger(folder),
        clock,
        terms.seed,
        gan_seconds,
        unlabelled,
        terms.options.kimg,
        peers,
    )


def said(design: Design, gan_seconds: float, kimg: float | None) -> str:
    """What is going to be done, in a line."""
    length = f"{gan_seconds:.0f} s" if kimg is None else f"{kimg:g} thousand samples"
    return (
        f"{design.splits} splits x {design.seeds} seeds; {design.train} items train, {design.validation} "
        f"select, {design.test} judge" + (f"; {length} for each GAN" if design.trained_here else "")
    )


def identity(task: Task, generator: Generator, terms: Terms, unlabelled: np.ndarray | None) -> dict[str, Any]:
    """What tells the inputs of an experiment from others."""
    rest = None if unlabelled is None else blake2b(np.ascontiguousarray(unlabelled).data, digest_size=8)
    return {
        "data": task.fingerprint(),
        "made_by": generator.fingerprint,
        "unlabelled": None if rest is None else rest.hexdigest(),
        "kimg_asked": terms.options.kimg,
        "rules": RULES,
        **{name: KNOWN[name].fingerprint for name in terms.options.peers},
    }


def settled(
    known: dict[str, Any] | None, options: ProofOptions
) -> tuple[int, tuple[str, ...], list[str]] | None:
    """What was decided when the experiment began; another wish is refused when it is compared."""
    if known is None or "steps" not in known:
        return None
    names = options.learners or tuple(known["learners"])
    return options.steps or known["steps"], names, known.get("lessened", [])


def settle_folder(folder: Path, facts: dict[str, Any]) -> None:
    """Make the folder, and write down what is going to be done in it."""
    known_design(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settle(folder, facts)


def repeats_of(terms: Terms) -> tuple[int, int]:
    """Splits, and GANs per split."""
    return QUICK_REPEATS if terms.quick else REPEATS


def ratios_of(terms: Terms) -> tuple[float, ...]:
    """Made items per real one."""
    return QUICK_RATIOS if terms.quick else RATIOS


def work_of(task: Task, fold: Fold, terms: Terms, design: Design) -> Work:
    """All classifiers that one learner will be trained as."""
    sizes = sizes_of(task.labels[fold.train], design)
    real = fit_encoding(task, fold.train).encode(task.values[fold.train])
    examples = Examples(real, task.labels[fold.train])
    share = 1 - GAN_SHARE if design.trained_here else 1.0
    names = terms.options.learners
    choose_learners(task.kind, names, steps=1, largest=1)  # refuses unknown ones
    return Work(task.kind, examples, len(task.classes), sizes, names, share * terms.seconds)


def design_of(task: Task, folds: Sequence[Fold], terms: Terms, generator: Generator) -> Design:
    """What is compared, as it is written down; the learners are added when their time is known.

    Raises:
        RecipeError: the metric is unknown, or not defined for these classes.
    """
    labels = task.labels if task.test is None else task.labels[~task.test]  # what can be learnt from
    options, counts = terms.options, np.bincount(labels, minlength=len(task.classes))
    rare = int(counts.argmin()) if counts.max() > UNEVEN * counts.min() else None
    refuse_metric(options.metric, rare)
    splits, seeds = repeats_of(terms)
    sides = [(len(f.train), len(f.validation), len(f.test)) for f in folds]
    train, validation, test = np.rint(np.mean(sides, axis=0)).astype(int).tolist()
    return Design(
        kind=task.kind,
        classes=task.classes,
        counts=tuple(counts.tolist()),
        train=train,
        validation=validation,
        test=test,
        splits=splits,
        seeds=1 if generator.single else seeds,
        ratios=ratios_of(terms),
        learners=(),
        arms=arms_of(task, rare, options),
        metric=options.metric,
        minimum=options.minimum,
        width=options.width,
        generator=generator.words,
        rare_class=rare,
        quick=terms.quick,
        fixed_test=() if task.test is None else tuple(task.labels[folds[0].test].tolist()),
        one_generator=generator.single,
        trained_here=generator.trains,
    )


def arms_of(task: Task, rare: int | None, options: ProofOptions) -> tuple[str, ...]:
    """The arms that are compared."""
    classical = ["none", "augmentation", *([] if rare is None else ["class_weights", "oversampling"])]
    classical.append("mixup" if task.kind == "images" else "smote")
    pseudo = [] if options.unlabelled is None else ["pseudo_labels"]
    peers = [name for name in PEERS if name in options.peers]
    return (*classical, *OWN, *peers, *pseudo, *CURVE, *CONTROLS)


def refuse_metric(metric: str, rare: int | None) -> None:
    """Raises a RecipeError if a metric is unknown, or there is no rare class for it."""
    if metric not in MEASURES:
        raise RecipeError(f"there is no metric {metric!r}. {suggest(metric, MEASURES)}")
    if rare is None and metric.endswith("_rare"):
        raise RecipeError(
            f"metric {metric!r} is not defined: no class is rare (the largest is less than {UNEVEN:g} times "
            "the smallest). Use balanced_accuracy."
        )


def read(
    data: str | Path | np.ndarray | Frame, target: str | None, run: Run | None, options: ProofOptions
) -> tuple[Task, np.ndarray | None]:
    """The task, its test set with it, and values without labels."""
    found = table_of(data, target, options, stem_of(data))
    if found is not None:
        return found
    if target is not None:
        raise DataError(f"--target {target} names a column, and {data} is no table. Leave it out.")
    source = cast("str | Path | np.ndarray", data)
    task = open_task(source, options)
    if run is not None:
        task = read_with_run(run, task, options)
    elif options.test is not None:
        task = with_test(task, open_task(options.test, options))
    return read_unlabelled(task, options)


def read_unlabelled(task: Task, options: ProofOptions) -> tuple[Task, np.ndarray | None]:
    """The task with what is to be said of unlabelled items, and these, if there are any."""
    if options.unlabelled is None:
        return task, None
    dataset = open_data(options.unlabelled, load_options(options, None))
    sides = [dataset.train] + ([] if dataset.holdout is None else [dataset.holdout])
    values = np.concatenate([own_values(side) for side in sides])
    if values.shape[1:] != task.values.shape[1:] or values.dtype != task.values.dtype:
        raise DataError(
            f"{options.unlabelled} holds items of shape {values.shape[1:]} and type {values.dtype}; "
            f"{task.values.shape[1:]} and {task.values.dtype} were expected, as in {task.source}. Convert "
            "them; --size gives both one size."
        )
    known = [] if task.groups is None else ["groups of unlabelled items are not known, and not kept apart"]
    return without_copies(replace(task, notes=(*task.notes, *known)), values)


def stem_of(data: str | Path | np.ndarray | Frame) -> str:
    """What the data are called in the name of a folder."""
    return Path(data).stem or "data" if isinstance(data, str | Path) else "table"


def options_of(values: dict[str, Any]) -> ProofOptions:
    """Options by name; what is not named is as by default."""
    found = {name: values[name] for name in asdict(DEFAULTS) if name in values}
    return ProofOptions(**tuples(found))
