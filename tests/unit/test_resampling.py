"""A sampler for imbalanced-learn: its own checks, and columns of every kind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("imblearn")

from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import parametrize_with_checks
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from tenfold.errors import DataError, RecipeError
from tenfold.tables import resampling
from tenfold.tables.labelled import Labelled, fit_labelled
from tenfold.tables.mixed import columns_of, mixed
from tenfold.tables.resampling import GANSampler, kimg_of


@parametrize_with_checks([GANSampler(random_state=0, kimg=0.05)])
def test_what_imbalanced_learn_expects(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """In place of a GAN: rows of each class again. Returns what each was told."""
    told: list[dict[str, Any]] = []

    def fit(rows: Labelled, recipe: str, folder: Path, *, kimg: float, seed: int) -> SimpleNamespace:
        told.append({"recipe": recipe, "kimg": kimg, "seed": seed, "rows": rows, "folder": folder})
        return SimpleNamespace()

    def made(run: object, rows: Labelled, counts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = [np.resize(np.flatnonzero(rows.labels == c), k) for c, k in enumerate(counts)]
        return rows.values[np.concatenate(chosen)], np.repeat(np.arange(len(counts)), counts)

    monkeypatch.setattr(resampling, "fit_labelled", fit)
    monkeypatch.setattr(resampling, "made_by_class", made)
    return told


def frame() -> pd.DataFrame:
    """Twelve rows of a column of every kind."""
    return pd.DataFrame(
        {
            "whole": np.arange(12, dtype=np.int16),
            "gaps": pd.array([1, None] * 6, dtype="Int64"),
            "real": np.linspace(0, 1, 12, dtype=np.float32),
            "town": pd.Series(["Ulm", "Bonn", None] * 4, dtype=object),
            "size": pd.Categorical(["s", "m", "l"] * 4, ["s", "m", "l"], ordered=True),
            "code": pd.Categorical([3, 1, 2] * 4),
            "ill": [True, False] * 6,
        }
    )


def test_types_and_names_stay(mirror: list[dict[str, Any]]) -> None:
    x, y = frame(), pd.Series(["no"] * 9 + ["yes"] * 3, name="sick", dtype="category")
    found, labels = GANSampler(random_state=0).fit_resample(x, y)
    assert list(found.columns) == list(x.columns) and found.dtypes.equals(x.dtypes)
    pd.testing.assert_frame_equal(found.iloc[:12], x)
    again = x.iloc[[9, 10, 11] * 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.iloc[12:].reset_index(drop=True), again)
    assert labels.tolist() == [*y, *["yes"] * 6] and labels.dtype == y.dtype and labels.name == "sick"
    assert mirror[0]["rows"].sizes == [0, 0, 0, 2, 3, 3, 2]
    assert not mirror[0]["folder"].exists()


def test_arrays_lists_and_objects(mirror: list[dict[str, Any]]) -> None:
    y = np.array([0] * 7 + [1] * 3)
    for x in (
        np.arange(20, dtype=np.uint8).reshape(10, 2),
        np.arange(20.0).reshape(10, 2).astype(np.float32),
        np.array([["a", "b"], ["c", "a"]] * 5),
        np.array([[1.5, "a"], [2.5, "b"]] * 5, object),
    ):
        found, labels = GANSampler(random_state=0).fit_resample(x, y)
        assert found.dtype == x.dtype and found.shape == (14, 2) and labels.dtype == y.dtype
        np.testing.assert_array_equal(found[:10], x)
        assert {tuple(map(str, row)) for row in found[10:]} <= {tuple(map(str, row)) for row in x}
    rows, labels = GANSampler(random_state=0).fit_resample(
        [[0.5, 1.0]] * 6 + [[2.0, 3.0]] * 2, [0] * 6 + [1] * 2
    )
    assert rows[-4:] == [[2.0, 3.0]] * 4 and labels[-4:] == [1] * 4
    assert [len(told["rows"].sizes) for told in mirror] == [2] * 5
    assert mirror[3]["rows"].sizes == [0, 2]


def test_what_is_asked_of_each_class(mirror: list[dict[str, Any]]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), np.array(["a"] * 10 + ["b"] * 6 + ["c"] * 4)
    sampler = GANSampler(sampling_strategy={"c": 9}, random_state=1, kimg=3, recipe="ctgan")
    found, labels = sampler.fit_resample(x, y)
    assert len(found) == 25 and (labels[20:] == "c").all() and labels.dtype == y.dtype
    assert (mirror[0]["recipe"], mirror[0]["kimg"]) == ("ctgan", 3)
    same, _ = clone(sampler).fit_resample(x, y)
    np.testing.assert_array_equal(found, same)
    assert mirror[0]["seed"] == mirror[1]["seed"]
    GANSampler(random_state=2, budget="4s").fit_resample(x, y)
    assert mirror[2]["seed"] != mirror[0]["seed"] and mirror[2]["kimg"] == kimg_of("4s", 20, 3) == 8
    even, labels = GANSampler(random_state=2).fit_resample(x[:16], y[[*range(8), *range(10, 16), 8, 9]])
    assert len(even) > 16 and len(mirror) == 4
    balanced = np.array([0, 1] * 8)
    whole, labels = GANSampler(random_state=0).fit_resample(x[:16], balanced)
    assert len(whole) == 16 and labels.tolist() == balanced.tolist() and len(mirror) == 4  # nothing to make


def test_categories_that_are_numbers(mirror: list[dict[str, Any]]) -> None:
    x, y = np.array([[1.0, 5.0], [2.0, 7.0], [np.nan, 6.0]] * 4), [0] * 8 + [1] * 4
    GANSampler(categorical_features=[0], random_state=0).fit_resample(x, y)
    named = pd.DataFrame(x, columns=["grade", "size"])
    GANSampler(categorical_features=["grade"], random_state=0).fit_resample(named, y)
    GANSampler(categorical_features=[True, False], random_state=0).fit_resample(x, y)
    assert [told["rows"].sizes for told in mirror] == [[2, 0]] * 3


@pytest.mark.parametrize("given", [[2], [-1], ["grad"], [True], [[0]], [0.5]])
def test_categories_that_are_no_columns(given: list) -> None:
    with pytest.raises(DataError, match="categorical_features"):
        columns_of(given, ["grade", "size"])


def test_what_cannot_be_resampled(mirror: list[dict[str, Any]]) -> None:
    x, y = np.random.default_rng(0).normal(size=(10, 2)), np.array([0] * 7 + [1] * 3)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        GANSampler().fit_resample(sparse.csr_matrix(x), y)
    with pytest.raises(ValueError, match="infinity"):
        GANSampler().fit_resample(np.where(x > 0, x, np.inf), y)
    table = pd.DataFrame(x, columns=["a", "b"])
    with pytest.raises(DataError, match=r"'a' holds .* infinite numbers"):
        GANSampler().fit_resample(table.assign(a=np.inf), y)
    with pytest.raises(DataError, match="'a' holds dates or durations"):
        GANSampler().fit_resample(table.assign(a=pd.Timestamp("2024-05-31")), y)
    with pytest.raises(DataError, match="two columns called 'a'"):
        GANSampler().fit_resample(pd.concat([table, table], axis=1), y)
    with pytest.raises(ValueError, match="class"):
        GANSampler().fit_resample(x, np.zeros(10))
    with pytest.raises(RecipeError, match="the budget is 'soon'"):
        GANSampler(budget="soon").fit_resample(x, y)
    assert not mirror


def test_sparse_columns_of_a_frame(mirror: list[dict[str, Any]]) -> None:
    x = pd.DataFrame(np.eye(10)[:, :3], dtype=pd.SparseDtype(float, 0.0))
    found, _ = GANSampler(random_state=0).fit_resample(x, [0] * 7 + [1] * 3)
    assert found.dtypes.equals(x.dtypes) and len(found) == 14


def test_in_a_pipeline(mirror: list[dict[str, Any]]) -> None:
    rng = np.random.default_rng(0)
    y = np.array([0] * 40 + [1] * 10)
    x = rng.normal(size=(50, 2)) + 3 * y[:, None]
    model = make_pipeline(GANSampler(random_state=0), LogisticRegression()).fit(x, y)
    assert model.score(x, y) > 0.9 and len(mirror) == 1


def test_mixed_rows_and_back() -> None:
    rows = mixed(frame())
    assert rows.sizes == [0, 0, 0, 2, 3, 3, 2] and np.isnan(rows.values[1::2, 1]).all()
    for i, name in enumerate(frame().columns):
        back = pd.Series(rows.cells(rows.values, i), dtype=object)
        known = frame()[name].astype(object)
        assert back.isna().equals(known.isna()) and (back.dropna() == known.dropna()).all()


def test_two_fits_are_the_same_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"n": rng.normal(size=80), "c": rng.choice(["a", "b", "c"], 80)})
    y = (np.arange(80) % 5 == 0).astype(int)
    first, labels = GANSampler(random_state=0, kimg=0.5).fit_resample(x, y)
    second, _ = GANSampler(random_state=0, kimg=0.5).fit_resample(x, y)
    other, _ = GANSampler(random_state=1, kimg=0.5).fit_resample(x, y)
    assert np.bincount(labels).tolist() == [64, 64] and set(first["c"]) <= {"a", "b", "c"}
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(other)


def test_the_gan_learns_from_all_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = Labelled(rng.normal(size=(120, 2)), [0, 0], np.arange(120) % 2)
    run = fit_labelled(rows, "tabular", tmp_path, kimg=0.2)
    assert run is not None and run.spec.count == 120
