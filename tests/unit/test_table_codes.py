"""Columns of a table as numbers, and rows as networks see them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from tenfold.data.table.cells import fit_codec
from tenfold.data.table.codes import category_code, code_from_json, number_code
from tenfold.data.table.encoder import RowEncoder, decoded
from tenfold.data.table.frames import read_frame
from tenfold.data.table.infer import infer
from tenfold.data.table.mixture import fit_modes
from tenfold.draw import Draw


def numbers(x, *, step=0.0, log=False, masses=()):
    return number_code("x", np.array(x, float), step=step, log=log, masses=masses, seed=0)


def two_modes(n=400):
    random = np.random.default_rng(3)
    return np.where(random.random(n) < 0.5, random.normal(-10, 1, n), random.normal(10, 2, n))


def test_a_mixture_finds_two_modes_and_their_widths():
    modes = fit_modes(two_modes(2000), seed=0)
    assert modes.means == tuple(sorted(modes.means))
    assert sum(modes.weights) == pytest.approx(1)
    heavy = [i for i, w in enumerate(modes.weights) if w > 0.1]
    near = [modes.means[i] for i in heavy]
    assert min(near) == pytest.approx(-10, abs=1.5) and max(near) == pytest.approx(10, abs=2)


def test_numbers_that_are_all_the_same_have_one_mode():
    modes = fit_modes(np.full(50, 7.0), seed=0)
    assert modes.means == (7.0,) and modes.weights == (1.0,) and modes.stds[0] > 0


@pytest.mark.parametrize("log", [False, True])
def test_numbers_come_back(log):
    x = np.exp(np.random.default_rng(1).normal(0, 1, 300))
    code = numbers(x, log=log)
    rows = RowEncoder([code])(x[:, None])
    back = decoded([code], rows)[:, 0]
    inside = np.abs(back - x) < 1e-4 * np.abs(x) + 1e-4
    assert inside.mean() > 0.98  # one far out is cut off at four standard deviations
    assert (back >= code.low).all() and (back <= code.high).all()


def test_whole_numbers_come_back_exactly_from_a_blurred_row():
    x = np.random.default_rng(1).integers(0, 60, 300).astype(float)
    code = numbers(x, step=1.0)
    rows = RowEncoder([code])(x[:, None], Draw(4, slice(0, 300), 300))
    scalars = rows[:, 0]
    assert len(torch.unique(scalars)) > 200  # no grid is left
    back = decoded([code], rows)[:, 0]
    assert (np.abs(back - x) <= 1).all() and (back == x).mean() > 0.9
    assert (back == np.rint(back)).all()


def test_masses_and_missing_have_options_of_their_own_and_no_scalar():
    x = np.array([0.0, 0.0, np.nan, 5.0, 6.0, 7.0, 5.5, 6.5, 0.0])
    code = numbers(x, masses=(0.0,))
    cell = code.cell
    assert (cell.masses, cell.scalar) == (2, True)
    assert cell.options == 2 + len(code.modes.means) == len(cell.centres) == len(cell.spreads)
    rows = RowEncoder([code])(x[:, None])
    assert rows[:, 1:].sum(1).tolist() == [1.0] * 9
    assert rows[2, 1] == 1 and rows[2, 0] == 0  # missing
    assert rows[0, 2] == 1 and rows[0, 0] == 0  # zero
    back = decoded([code], rows)[:, 0]
    assert np.isnan(back[2]) and (back[[0, 1, 8]] == 0).all()
    assert back[3:8] == pytest.approx(x[3:8], abs=1e-3)


def test_a_column_of_masses_alone_has_no_scalar_and_takes_no_other_cell_for_an_unseen_value():
    code = numbers([1.0, 2.0, 1.0, 2.0], masses=(1.0, 2.0))
    other = category_code("c", np.array(["a", "b"], object), ("a", "b"), 100)
    assert not code.cell.scalar and code.cell.options == 2
    rows = RowEncoder([code, other])(np.array([[9.0, 1.0], [2.0, 0.0]]))
    assert rows.tolist() == [[0, 1, 0, 1], [0, 1, 1, 0]]
    assert decoded([code, other], rows).tolist() == [[2, 1], [2, 0]]


def test_a_wider_mode_wins_far_out_and_the_nearest_close_by():
    code = numbers(two_modes())
    rows = RowEncoder([code])(np.array([[-10.0], [10.0]]))
    means = np.array(code.modes.means)
    for row, x in zip(rows, (-10, 10), strict=True):
        assert abs(means[int(row[1:].argmax())] - x) < 4


def test_modes_are_drawn_by_their_share_of_a_value():
    """Halfway between two equal modes either comes up about as often."""
    code = numbers(two_modes())
    fields = {**vars(code), "modes": type(code.modes)((-1.0, 1.0), (1.0, 1.0), (0.25, 0.75))}
    halved = type(code)(**fields)
    rows = RowEncoder([halved])(np.zeros((4000, 1)), Draw(1, slice(0, 4000), 4000))
    assert rows[:, 2].mean().item() == pytest.approx(0.75, abs=0.03)
    assert rows[0, 0].abs().item() == pytest.approx(0.25)  # one standard deviation of four


def test_categories_come_back_with_missing_last_and_the_rare_together():
    labels = np.array(["a"] * 6 + ["b"] * 3 + ["c", "d", None], object)
    code = category_code("c", labels, ("a", "b", "c", "d"), 3)
    assert code.categories == ("a", "b") and code.rare == ("c", "d") and code.missing
    assert code.shares == pytest.approx((6 / 12, 3 / 12, 2 / 12, 1 / 12))
    stored = code.stored(labels)
    assert stored.tolist() == [0] * 6 + [1] * 3 + [2, 2, 3]
    back = code.labels(stored, np.random.default_rng(0))
    assert back[:9].tolist() == labels[:9].tolist() and back[-1] is None
    assert {*back[9:11]} <= {"c", "d"}
    assert code.stored(np.array(["z"], object)).tolist() == [-1]


def test_a_rare_category_that_is_asked_for_comes_back():
    labels = np.array(["a"] * 6 + ["b"] * 3 + ["c", "d"], object)
    code = category_code("c", labels, ("a", "b", "c", "d"), 3)
    asked = code.stored(np.array(["d", "c", "a"], object), exact=True)
    assert np.floor(asked).tolist() == [2, 2, 0] and asked[0] != asked[1]
    back = code.labels(np.repeat(asked, 20), np.random.default_rng(0)).reshape(3, 20)
    assert [{*row} for row in back] == [{"d"}, {"c"}, {"a"}]
    assert [code.share_of(x) for x in (asked[0], 2.0, 0.0)] == pytest.approx([1 / 11, 2 / 11, 6 / 11])


def test_what_may_be_missing_has_an_option_though_no_training_row_lacks_it():
    code = category_code("c", np.array(["a", "b"], object), ("a", "b"), 9, missing=True)
    assert code.shares == (0.5, 0.5, 0.0) and code.cell.options == 3
    assert code.stored(np.array([None, "b"], object)).tolist() == [2, 1]


def test_codes_are_json():
    import json

    for code in (
        numbers(two_modes(), log=False, masses=()),
        numbers([1.0, np.nan, 1.0], masses=(1.0,)),
        category_code("c", np.array(["a", None], object), ("a",), 10),
    ):
        assert code_from_json(json.loads(json.dumps(code.to_json()))) == code


def test_the_same_rows_whatever_part_of_a_batch_is_asked_for():
    codes = [numbers(two_modes()), category_code("c", np.array(["a", "b"], object), ("a", "b"), 9)]
    values = np.stack([two_modes(8), np.arange(8) % 2], 1)
    encoder = RowEncoder(codes)
    whole = encoder(values, Draw(5, slice(0, 8), 8))
    half = encoder(values[4:], Draw(5, slice(4, 8), 8))
    assert torch.equal(whole[4:], half)


def test_mixtures_that_might_converge_further_say_nothing():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{i}": random.exponential(1 + i, 3000) for i in range(6)})
    table = read_frame(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_codec(table.df, infer(table.df), table.container, 0)


def test_made_numbers_keep_to_the_bounds_of_the_spec():
    from dataclasses import replace

    x = np.repeat(np.arange(17.0, 91.0), 4)
    frame = read_frame(pd.DataFrame({"age": x, "other": np.arange(len(x)) % 7}))
    spec = infer(frame.df)
    wide = replace(spec.column("age"), low=0.0, high=91.0)
    ends = {}
    for name, own in (("data", spec), ("spec", replace(spec, columns=(wide, *spec.columns[1:])))):
        code = fit_codec(frame.df, own, frame.container, 0).codes[0]
        assert code_from_json(code.to_json()) == code
        assert (code.low, code.high) == (17, 90)  # what is known of the data stays
        option = np.arange(code.number.fixed, code.cell.options).repeat(2)
        made = code.decoded(option, np.tile([-1.0, 1.0], len(option) // 2))
        ends[name] = made.min(), made.max()
    assert ends["data"] == (17, 90)
    assert 0 <= ends["spec"][0] < 17 and ends["spec"][1] == 91


def test_the_gap_between_two_columns_has_not_the_bounds_of_the_upper_one():
    from dataclasses import replace

    from tenfold.data.table.constraints import with_fitted

    start = np.arange(100.0, 200.0)
    frame = read_frame(pd.DataFrame({"start": start, "end": start + np.arange(100) % 9}))
    less = {"constraint": "less", "low": "start", "high": "end"}
    spec = with_fitted(frame.df, replace(infer(frame.df), constraints=(less,)))
    gap = next(code for code in fit_codec(frame.df, spec, frame.container, 0).codes if code.name == "end")
    assert gap.number.bounds == (0, 8)
