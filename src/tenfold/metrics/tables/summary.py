"""All measures of made rows, each beside what fresh real rows get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from ...draw import derive
from ..kernel import Estimate
from ..rows import Undefined
from ..suite import NO_HOLDOUT, Measured, shuffled
from .closeness import closeness, copy_test, exact_copies
from .design import TableRows, alike
from .detector import detector_auc, detector_auc_logistic
from .learners import MODELS, ROUNDS
from .marginals import marginals, out_of_range
from .membership import membership
from .pairs import pair_trends
from .utility import measure_of, missing_classes, tstr

NAMES = (
    *("marginals", "pair_trends", "detector_auc", "detector_auc_logistic", "tstr", "trtr", "c_t"),
    *("closest_record", "exact_copies", "membership_auc", "out_of_range"),
)
"""What `measure_tables` always has; with a target also `tstr_MODEL`, and `missing_classes` of categories."""
JUDGED = ("marginals", "pair_trends", "detector_auc", "detector_auc_logistic")
NO_TARGET = "not defined without a target"


@dataclass(frozen=True)
class Effort:
    """How much is done for the numbers.

    Attributes:
        rows: made and real rows of a side that are compared.
        train: training rows among which nearest ones are sought.
        taught: rows that models learn from, and as many at most that judge them.
        folds: of the detector.
        rounds: of boosting.
        models: that are taught.
        cells: regions in which copies are sought; None for as many as there are rows for.
    """

    rows: int = 10_000
    train: int = 20_000
    taught: int = 10_000
    folds: int = 3
    rounds: int = ROUNDS
    models: tuple[str, ...] = MODELS
    cells: int | None = None


FULL = Effort()
QUICK = Effort(rows=1000, train=5000, taught=2000, folds=2, rounds=50, models=("linear", "boosting"), cells=1)


@dataclass(frozen=True)
class References:
    """What fresh real rows get, measured once for many looks at as many made rows.

    Attributes:
        made: made rows that it is beside.
        values: by name; those that are not defined are left out.
    """

    made: int
    values: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class _Real:
    """Real rows in their parts, and how they are used.

    Attributes:
        train: what was learnt from.
        holdout: what was not; None if there is none.
        judge: what made rows are compared with.
        fresh: what stands in their place for the reference.
        target: number of the column that models tell from the others.
        seed: of every choice.
        effort: how much is done.
    """

    train: TableRows
    holdout: TableRows | None
    judge: TableRows
    fresh: TableRows
    target: int | None
    seed: int
    effort: Effort

    def compared(self, made: int) -> int:
        """How many rows of either side are compared, with so many made ones."""
        return min(len(self.judge), len(self.fresh), made, self.effort.rows)

    def taught(self, made: int) -> int:
        """How many rows models learn from."""
        return min(len(self.fresh), made, self.effort.taught)

    def some(self, rows: TableRows, count: int, purpose: str) -> TableRows:
        """As many of the rows."""
        return rows.take(shuffled(len(rows), self.seed, purpose)[:count])


def measure_tables(
    train: TableRows,
    holdout: TableRows | None,
    fake: TableRows,
    target: int | None = None,
    seed: int = 0,
    quick: bool = False,
    known: References | None = None,
) -> dict[str, Measured]:
    """Every measure of made rows by the name it has in the glossary, beside its reference.

    Made rows are compared with held-out ones, and as many training rows in their place are the reference;
    how near made rows are to training ones stands beside how near held-out ones are. What models learn from
    made rows (`tstr`) is judged on held-out ones and stands beside what they learn from as many training
    rows (`trtr`).

    Args:
        train: real rows that were learnt from.
        holdout: real rows that were not; None if there are none: then one half of `train` judges, the other
            is the reference, and of copying only exact copies are spoken of.
        fake: made rows.
        target: number of the column that models tell from the others; None if there is none.
        seed: of every choice.
        quick: whether to look at few rows with few models, as while training: it takes about a second.
        known: what `references` gave for the same arguments, so as not to measure it again.

    Raises:
        DataError: if the columns differ, or there is no such target.
    """
    real = _real(train, holdout, target, seed, quick)
    made = alike(train, fake)[1]
    if known is None or known.made != len(made):
        known = _references(real, len(made))
    found = {name: _beside(look, real, made, name, known) for name, look in _against_judge(real).items()}
    found |= {name: _beside(look, real, made, name, known) for name, look in _against_train(real).items()}
    return found | _taught(real, made, known) | _copying(real, made)


def references(
    train: TableRows,
    holdout: TableRows | None,
    made: int,
    target: int | None = None,
    seed: int = 0,
    quick: bool = False,
) -> References:
    """What fresh real rows get beside so many made ones; it is the same however good these are.

    Raises:
        DataError: if the columns differ, or there is no such target.
    """
    return _references(_real(train, holdout, target, seed, quick), made)


def _real(train: TableRows, holdout: TableRows | None, target: int | None, seed: int, quick: bool) -> _Real:
    effort = QUICK if quick else FULL
    if target is not None:
        measure_of(train, target)
    if holdout is not None:
        train, holdout = alike(train, holdout)
        return _Real(train, holdout, holdout, train, target, seed, effort)
    train = alike(train)[0]
    order, half = shuffled(len(train), seed, "halves"), len(train) // 2
    return _Real(train, None, train.take(order[:half]), train.take(order[half:]), target, seed, effort)


Look = Callable[[TableRows], float | Estimate]


def _against_judge(real: _Real) -> dict[str, Look]:
    """What compares rows with held-out ones."""
    effort, seed = real.effort, real.seed

    def judge(rows: TableRows) -> TableRows:
        return real.some(real.judge, len(rows), "judge")

    def boosting(rows: TableRows) -> Estimate:
        return detector_auc(judge(rows), rows, seed, effort.folds, effort.rows, effort.rounds)

    return {
        "marginals": lambda rows: marginals(judge(rows), rows).value,
        "pair_trends": lambda rows: pair_trends(judge(rows), rows, seed).value,
        "detector_auc": boosting,
        "detector_auc_logistic": lambda rows: detector_auc_logistic(
            judge(rows), rows, seed, effort.folds, effort.rows
        ),
    }


def _against_train(real: _Real) -> dict[str, Look]:
    """What compares rows with those that were learnt from."""
    effort = real.effort
    return {
        "closest_record": lambda rows: (
            closeness(real.train, rows, real.seed, effort.rows, effort.train).median
        ),
        "exact_copies": lambda rows: exact_copies(real.train, rows),
        "out_of_range": lambda rows: out_of_range(real.train, rows).value,
    }


def _references(real: _Real, made: int) -> References:
    stand_in = real.some(real.fresh, real.compared(made), "fresh")
    looks: dict[str, Callable[[], float | Estimate]] = {
        name: partial(look, stand_in) for name, look in _against_judge(real).items()
    }
    holdout = real.holdout
    if holdout is not None:
        looks |= {name: partial(look, holdout) for name, look in _against_train(real).items()}
    found = {name: value for name, look in looks.items() if (value := _defined(look)) is not None}
    values = {name: value.value if isinstance(value, Estimate) else value for name, value in found.items()}
    return References(made, values | _lessons(real, real.fresh, made))


def _defined(look: Callable[[], float | Estimate]) -> float | Estimate | None:
    try:
        return look()
    except Undefined:
        return None


def _beside(look: Look, real: _Real, made: TableRows, name: str, known: References) -> Measured:
    """One measure of made rows: of as many as there are real ones where these judge, else of all."""
    judged, holdout = name in JUDGED, real.holdout
    most = real.effort.rows if name == "closest_record" else len(made)
    n = real.compared(len(made)) if judged else min(len(made), most)
    beside_n = None if judged or holdout is None else len(holdout)

    def measured() -> Measured:
        value, reference = look(real.some(made, n, "fake")), known.values.get(name)
        if isinstance(value, Estimate):
            return Measured(value.value, reference, n, value.error, reference_n=beside_n)
        return Measured(value, reference, n, reference_n=beside_n)

    return _or_why(measured, n)


def _lessons(real: _Real, rows: TableRows, made: int) -> dict[str, float]:
    """What every model learns from some of the rows, and their mean as `trtr`; nothing where not defined."""
    try:
        scores = _lesson(real, rows, made)
    except Undefined:
        return {}
    return {"trtr": fmean(scores.values())} | {f"trtr_{name}": score for name, score in scores.items()}


def _lesson(real: _Real, rows: TableRows, made: int) -> dict[str, float]:
    if real.target is None:
        raise Undefined(NO_TARGET)
    effort, seed = real.effort, derive(real.seed, "lesson")
    learnt = real.some(rows, real.taught(made), "taught")
    test = real.some(real.judge, effort.taught, "tested")
    return tstr(learnt, test, real.target, seed, effort.models, effort.rounds)


def _taught(real: _Real, made: TableRows, known: References) -> dict[str, Measured]:
    """What made rows teach."""
    if real.target is None:
        return dict.fromkeys(("tstr", "trtr"), Measured(None, None, 0, why=NO_TARGET))
    n, how, reference = real.taught(len(made)), measure_of(made, real.target), known.values.get("trtr")
    why = "" if reference is not None else "not defined for these real rows"
    found = {"trtr": Measured(reference, None, n, how=how, why=why)}
    try:
        scores = _lesson(real, made, len(made))
    except Undefined as error:
        return found | {"tstr": Measured(None, reference, n, how=how, why=str(error))}
    found["tstr"] = Measured(fmean(scores.values()), reference, n, how=how)
    for name, score in scores.items():
        found[f"tstr_{name}"] = Measured(score, known.values.get(f"trtr_{name}"), n, how=how)
    if how == "auc":
        gone = missing_classes(real.train, made, real.target)
        found["missing_classes"] = Measured(float(len(gone)), 0.0, len(made))
    return found


def _copying(real: _Real, made: TableRows) -> dict[str, Measured]:
    """Whether it matters to made rows which real ones were learnt from."""
    holdout, effort = real.holdout, real.effort
    n = min(len(made), effort.rows)
    if holdout is None:
        return dict.fromkeys(("c_t", "membership_auc"), Measured(None, None, n, why=NO_HOLDOUT))

    def near() -> Measured:
        test = copy_test(real.train, holdout, made, real.seed, effort.rows, effort.train, effort.cells)
        return Measured(test.z, 0.0, n, reference_n=len(holdout))

    def attacked() -> Measured:
        found = membership(real.train, holdout, made, real.seed, effort.rows)
        error = (found.auc.high - found.auc.low) / (2 * 1.96)
        return Measured(found.auc.value, 0.5, n, error, reference_n=found.others, p=found.p)

    return {"c_t": _or_why(near, n), "membership_auc": _or_why(attacked, n)}


def _or_why(work: Callable[[], Measured], n: int) -> Measured:
    """What was measured, or why it is not defined."""
    try:
        return work()
    except Undefined as error:
        return Measured(None, None, n, why=str(error))
