"""What numbers are made to say."""

from __future__ import annotations

import pytest

from tenfold.metrics.suite import Measured
from tenfold.metrics.verdicts import verdicts


def numbers(**values: float) -> dict[str, Measured]:
    good = {
        "c_t": 0.2,
        "authenticity": 0.65,
        "precision": 0.92,
        "recall": 0.9,
        "coverage": 0.96,
        "vendi": 27.0,
    }
    real = {**good, "c_t": 0.0, "label_accuracy": 0.95, "cas": 0.95}
    found = {k: Measured(v, real[k], 1000) for k, v in {**good, **values}.items() if k in real}
    distance = values.get("kernel_distance", 0.001)
    return found | {"kernel_distance": Measured(distance, 0.0, 1000, 0.002)}


def level(about: str, **values: float) -> str:
    return next(v.level for v in verdicts(numbers(**values)) if v.about == about)


def test_good_samples_have_no_fault() -> None:
    assert {v.level for v in verdicts(numbers())} == {"good"}


@pytest.mark.parametrize(
    ("about", "values", "expected"),
    [
        ("copying", {"c_t": -38.7, "authenticity": 0.0}, "bad"),
        ("copying", {"c_t": -17.9, "authenticity": 0.31}, "bad"),
        ("copying", {"c_t": -3.4, "authenticity": 0.62}, "warning"),
        ("copying", {"c_t": 1.2, "authenticity": 0.84}, "good"),
        ("copying", {"c_t": 5.2, "authenticity": 0.84}, "warning"),  # so far away that copies would not show
        ("fidelity", {"precision": 0.5, "kernel_distance": 1.0}, "bad"),
        ("fidelity", {"kernel_distance": 0.01}, "warning"),
        ("variety", {"recall": 0.24, "coverage": 0.6}, "bad"),
        ("variety", {"recall": 0.7}, "warning"),
        ("labels", {"label_accuracy": 0.8}, "bad"),
        ("labels", {"cas": 0.85}, "warning"),
    ],
)
def test_faults_are_named(about: str, values: dict[str, float], expected: str) -> None:
    assert level(about, **values) == expected


def test_one_sample_again_and_again_is_no_copy_of_the_training_data() -> None:
    """None is authentic, for all are alike; but C_T says that they lie far from what was learnt from."""
    found = [v for v in verdicts(numbers(c_t=5.1, authenticity=0.0)) if v.about == "copying"]
    assert [v.level for v in found] == ["warning"] and "cannot be told" in found[0].text


@pytest.mark.parametrize(("share", "expected"), [(0.0, "good"), (0.001, "bad")])
def test_a_single_exact_copy_is_spoken_of(share: float, expected: str) -> None:
    found = numbers() | {"exact_copies": Measured(share, 0.0, 1000)}
    assert {v.level for v in verdicts(found) if v.about == "copying"} == {expected}


@pytest.mark.parametrize(("share", "expected"), [(0.05, "good"), (0.2, "warning")])
def test_many_near_duplicates_are_a_warning(share: float, expected: str) -> None:
    found = numbers() | {"near_duplicates": Measured(share, 0.04, 1000, reference_n=1000)}
    assert [v.level for v in verdicts(found) if v.about == "copying"] == [expected]


def test_nearer_to_the_holdout_than_real_samples_can_be() -> None:
    found = numbers() | {"kernel_distance": Measured(-0.013, -0.0005, 200, 0.0005)}
    assert any(v.level == "warning" and "seen the hold-out" in v.advice for v in verdicts(found))


def test_repetition_is_a_collapse() -> None:
    found = numbers(vendi=12.0) | {"birthday_pairs": Measured(9500.0, 3.0, 1000)}
    assert any("again and again" in v.text and v.level == "bad" for v in verdicts(found))


def test_few_samples_are_not_trusted() -> None:
    found = {k: Measured(m.value, m.reference, 30, m.error) for k, m in numbers().items()}
    assert any(v.about == "trust" for v in verdicts(found))


def test_what_is_not_defined_says_nothing_but_that() -> None:
    found = dict.fromkeys(numbers(), Measured(None, None, 12, why="not defined for n = 12"))
    assert [v.about for v in verdicts(found)] == ["trust"]


@pytest.mark.parametrize(
    ("share", "error", "p", "expected"),
    [
        (0.95, 0.2, 1e-4, "bad"),
        (0.95, 0.4, 1e-4, "bad"),
        (0.95, 0.4, 0.02, "warning"),
        (0.35, 0.1, 1e-4, "warning"),
        (0.15, 0.01, 1e-4, "good"),
    ],
)
@pytest.mark.parametrize("name", ["memorised", "memorised_pixels"])
def test_what_was_learnt_by_heart_is_spoken_of_if_it_is_much_and_no_chance(
    name: str, share: float, error: float, p: float, expected: str
) -> None:
    found = numbers(c_t=6.1, authenticity=0.84) | {name: Measured(share, 0.0, 400, error, p=p)}
    assert [v.level for v in verdicts(found) if v.about == "copying"] == [expected]
