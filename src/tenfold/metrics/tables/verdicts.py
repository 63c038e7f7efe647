"""What the numbers of a table mean, in words, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ..verdicts import BY_CHANCE, COPY_Z, SMALL, Numbers, Verdict, pair

AGAINST_COPIES = "Train on more rows, or for a shorter time (--budget). Look at the rows that are copies."
LONGER = "Train longer (--budget), if it still gets better."
TOLD = (0.1, 0.3)  # of AUC beyond what real rows get: a warning, and bad
APART = (0.03, 0.1)  # likewise of a distance of distributions
KEPT = (0.95, 0.8)  # of what real rows teach: below, a warning, and bad
GUESSED = 0.6  # AUC of a guess at what was learnt from, from which on it is bad
HEEDED = 0.7  # of what is asked for, by the generator itself; below, a warning
NOTHING = 0.02  # AUC or R² beyond chance; real rows that teach less teach nothing


def verdicts(numbers: Numbers) -> list[Verdict]:
    """Every judgement that the numbers allow."""
    rules = (columns, relations, detected, use, classes, promises, asked, ranges, copying, guessed, trust)
    return [verdict for rule in rules for verdict in rule(numbers)]


def columns(numbers: Numbers) -> Iterator[Verdict]:
    """Is each column like the real one?"""
    advice = "Look which columns differ most: are they long-tailed, or of many categories? " + LONGER
    yield from _apart(numbers, "marginals", "single columns", advice)


def relations(numbers: Numbers) -> Iterator[Verdict]:
    """Do columns go together as in real rows?"""
    advice = "Look which pairs differ most; a constraint keeps what must hold in every row. " + LONGER
    yield from _apart(numbers, "pair_trends", "pairs of columns", advice)


def _apart(numbers: Numbers, name: str, what: str, advice: str) -> Iterator[Verdict]:
    found = pair(numbers, name)
    if found is None:
        return
    value, reference = found
    said = f"{value:.3f} apart on average (fresh real rows: {reference:.3f})"
    if value - reference > APART[1]:
        yield Verdict("fidelity", "bad", f"The distributions of {what} differ much: {said}.", advice)
    elif value - reference > APART[0]:
        yield Verdict("fidelity", "warning", f"The distributions of {what} differ: {said}.", advice)
    else:
        yield Verdict("fidelity", "good", f"The distributions of {what} are the real ones: {said}.")


def detected(numbers: Numbers) -> Iterator[Verdict]:
    """Can made rows be told from real ones?"""
    found = pair(numbers, "detector_auc")
    if found is None:
        return
    value, reference = found
    error = numbers["detector_auc"].error or 0.0
    beyond = value - max(reference, 0.5)
    said = f"a detector's AUC is {value:.2f}±{error:.2f} (fresh real rows: {reference:.2f}; 0.5 is best)"
    if value < min(reference, 0.5) - max(3 * error, 0.05):
        text = f"Made rows are too near to those they are compared with: {said}."
        advice = "Has the generator seen the hold-out? Then nothing here can be relied on."
        yield Verdict("fidelity", "warning", text, advice)
    elif beyond > TOLD[1]:
        yield Verdict("fidelity", "bad", f"Made rows are easily told from real ones: {said}.", LONGER)
    elif beyond > max(TOLD[0], 3 * error):
        yield Verdict("fidelity", "warning", f"Made rows can be told from real ones: {said}.", LONGER)
    else:
        yield Verdict("fidelity", "good", f"Made rows are hardly told from real ones: {said}.")


def use(numbers: Numbers) -> Iterator[Verdict]:
    """Do made rows teach what real ones teach?"""
    found = pair(numbers, "tstr")
    if found is None:
        return
    (value, reference), how = found, numbers["tstr"].how
    word, chance = ("AUC", 0.5) if how == "auc" else ("R²", 0.0)
    said = (
        f"models trained on made rows alone get {word} {value:.3f} on real ones, of real rows {reference:.3f}"
    )
    if reference - chance < NOTHING:
        text = f"Even real rows hardly teach the target ({word} {reference:.3f}): nothing is seen of its use."
        yield Verdict("use", "warning", text, "Is it the right target? Then more real rows are needed.")
        return
    kept = (value - chance) / (reference - chance)
    level = "good" if kept >= KEPT[0] else "warning" if kept >= KEPT[1] else "bad"
    heading = {
        "good": "Made rows teach what real ones teach",
        "warning": "Made rows teach less than real ones",
        "bad": "Made rows teach little of what real ones teach",
    }[level]
    yield Verdict(
        "use", level, f"{heading}: {said}.", "Whether they help beside real ones: tenfold prove DATA"
    )


def classes(numbers: Numbers) -> Iterator[Verdict]:
    """Has the target all its classes?"""
    gone = numbers.get("missing_classes")
    if gone is not None and gone.value:
        what = "class of the target was" if gone.value == 1 else "classes of the target were"
        text = f"{gone.value:.0f} {what} never made."
        advice = "Ask for rows of it with a condition, or train with balanced classes."
        yield Verdict("use", "warning", text, advice)


def promises(numbers: Numbers) -> Iterator[Verdict]:
    """Is kept what must hold of every row?"""
    for name, what in (
        ("constraint_violations", "contradict a constraint"),
        ("out_of_bounds", "have a value out of bounds"),
    ):
        found = numbers.get(name)
        if found is not None and found.value:
            advice = "Rows of tenfold should never be so: leave these out, and report it."
            yield Verdict("use", "bad", f"{found.value:.1%} of the rows {what}.", advice)


def asked(numbers: Numbers) -> Iterator[Verdict]:
    """Does the generator listen to conditions?"""
    found = numbers.get("condition_satisfaction")
    if found is not None and found.value is not None and found.value < HEEDED:
        text = (
            f"The generator itself makes only {found.value:.0%} of the rows as asked; what is asked is set, "
            "and the other columns may not go with it."
        )
        yield Verdict("use", "warning", text, LONGER)


def ranges(numbers: Numbers) -> Iterator[Verdict]:
    """Are there values that no real row comes near to?"""
    found = pair(numbers, "out_of_range")
    if found is None:
        return
    (value, reference), measured = found, numbers["out_of_range"]
    if value - reference > max(3 * _error(measured.n, value, measured.reference_n, reference), 0.01):
        text = (
            f"{value:.1%} of the rows have a value that no training row comes near to (fresh real rows: "
            f"{reference:.1%})."
        )
        advice = "Set the bounds of the columns in the spec: made values then keep to them."
        yield Verdict("fidelity", "warning", text, advice)


def copying(numbers: Numbers) -> Iterator[Verdict]:
    """Copy checks: are rows nearer to what was learnt from than fresh real ones are?"""
    found = list(_same(numbers))
    yield from found
    test, near = pair(numbers, "c_t"), pair(numbers, "closest_record")
    if test is None or near is None:
        return
    z, (value, reference) = test[0], near
    said = f"C_T is {z:.1f}, the closest training row {value:.3g} away (fresh real rows: {reference:.3g})"
    if z < COPY_Z and value < 0.8 * reference:
        text = f"Made rows lie nearer to training rows than fresh real ones do: {said}."
        yield Verdict("copying", "bad" if value < 0.5 * reference else "warning", text, AGAINST_COPIES)
    elif z < COPY_Z:
        text = f"Made rows lie a little nearer to training rows than fresh real ones do: {said}. "
        text += "They copy, or are more typical than real ones."
        yield Verdict("copying", "warning", text, AGAINST_COPIES)
    elif not found and z <= -COPY_Z:
        yield Verdict("copying", "good", f"The copy checks find nothing: {said}.")
    elif not found:
        text = f"Whether rows are copied cannot be told: {said}; they lie too far from real ones."
        yield Verdict("copying", "warning", text, LONGER)


def _same(numbers: Numbers) -> Iterator[Verdict]:
    """Exact copies, if there are more than chance gives."""
    same = numbers.get("exact_copies")
    if same is None or not same.value:
        return
    reference = same.reference or 0.0  # without a hold-out nobody knows, and each counts
    if same.value - reference <= 3 * _error(same.n, same.value, same.reference_n, reference):
        return
    beside = "" if same.reference is None else f" (fresh real rows: {reference:.1%})"
    text = f"{same.value:.1%} of the rows are training rows, value by value{beside}."
    yield Verdict("copying", "bad", text, AGAINST_COPIES)


def _error(n: int, share: float, reference_n: int | None, reference: float) -> float:
    """Standard error of the difference of two shares; 0 where the second is not known."""
    if reference_n is None:
        return 0.0
    return (share * (1 - share) / n + reference * (1 - reference) / reference_n) ** 0.5


def guessed(numbers: Numbers) -> Iterator[Verdict]:
    """Is it given away which rows were learnt from? Only here privacy is spoken of."""
    found = numbers.get("membership_auc")
    if found is None or found.value is None:
        return
    said = f"the AUC of a guess at which real rows were learnt from is {found.value:.2f} (0.5 by chance)"
    if found.p is not None and found.p < BY_CHANCE:
        text = f"Made rows give away what was learnt from: {said}. They are not private."
        advice = "Do not publish them as anonymous. " + AGAINST_COPIES
        yield Verdict("privacy", "bad" if found.value > GUESSED else "warning", text, advice)
    else:
        text = f"A simple membership attack finds nothing: {said}. A stronger one may; that is no promise."
        yield Verdict("privacy", "good", text)


def trust(numbers: Numbers) -> Iterator[Verdict]:
    """How much do so few rows say?"""
    n = numbers["marginals"].n
    if n < SMALL:
        text = f"Only {n} rows on a side were compared: but for gross faults, little can be seen."
        yield Verdict("trust", "warning", text, "Hold out more real rows, or make more.")
