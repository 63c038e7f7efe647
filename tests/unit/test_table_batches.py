"""Batches of rows of which some cells are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tenfold.data.table.batches import Knowing, KnownCells
from tenfold.data.table.codes import category_code, number_code
from tenfold.data.table.encoder import RowEncoder
from tenfold.errors import DataError

N = 1000


def table():
    """A number, a category of which one in a hundred is rare, and its opposite."""
    random = np.random.default_rng(0)
    rare = (np.arange(N) % 100 == 0).astype(float)
    x = random.normal(0, 1, N) + 10 * rare
    names = np.where(rare > 0, "rare", "common").astype(object)
    other = np.where(rare > 0, "no", "yes").astype(object)
    codes = [
        number_code("x", x, step=0.0, log=False, masses=(), seed=0),
        category_code("c", names, ("common", "rare"), 9),
        category_code("d", other, ("no", "yes"), 9),
    ]
    return codes, np.stack([x, rare, 1 - rare], 1)


def batches(knowing=None, size=512):
    codes, values = table()
    cells = [code.cell for code in codes]
    return KnownCells(values, cells, RowEncoder(codes), size, 3, knowing or Knowing()), cells


def test_what_is_known_are_the_rows_own_cells():
    data, cells = batches()
    batch = data(0, slice(0, 512))
    width = sum(cell.options + cell.scalar for cell in cells)
    cells_known, mask = batch["condition"].split([width, 3], 1)
    everywhere = torch.cat(
        [mask[:, :1], mask.repeat_interleave(torch.tensor([c.options for c in cells]), 1)], 1
    )
    assert torch.equal(cells_known, batch["real"] * everywhere)
    assert 0.15 < (mask.sum(1) == 0).float().mean() < 0.35
    assert (mask.sum(1) > 1).any()


def test_any_number_of_cells_is_known_but_never_all():
    data, _ = batches(Knowing(free=0.0, more=1.0))
    known = torch.cat([data(i, slice(0, 512))["condition"][:, -3:].sum(1) for i in range(4)])
    assert torch.bincount(known.long(), minlength=4)[[0, 3]].tolist() == [0, 0]
    assert (known == 1).float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_single_cells_are_known_if_it_is_said_so():
    data, _ = batches(Knowing(free=0.0, more=0.0))
    mask = data(0, slice(0, 512))["condition"][:, -3:]
    assert (mask.sum(1) == 1).all()
    assert mask.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.08)


def test_the_known_cell_is_a_category_if_it_is_said_so():
    codes, values = table()
    data, _ = batches(Knowing(free=0.0, more=0.0, categories_only=True))
    mask = data(0, slice(0, 512))["condition"][:, -3:]
    assert mask.mean(0).tolist() == pytest.approx([0, 1 / 2, 1 / 2], abs=0.08)
    assert (mask.sum(1) == 1).all()
    knowing = Knowing(free=0.0, more=1.0, categories_only=True)
    numbers = KnownCells(values[:, :1], [codes[0].cell], RowEncoder(codes[:1]), 64, 3, knowing)
    assert not numbers(0, slice(0, 64))["condition"].any()


def test_the_rare_is_drawn_by_the_logarithm_of_its_frequency():
    data, _ = batches(Knowing(free=0.0, more=0.0), size=1000)
    parts = [data(i, slice(0, 1000)) for i in range(4)]
    known = torch.cat([part["condition"][:, -3:] for part in parts])
    codes, _ = table()
    start = 1 + codes[0].cell.options
    rows = torch.cat([part["real"] for part in parts])
    asked = known[:, 1] == 1
    share = rows[asked][:, start + 1].mean().item()
    expected = np.log1p(10) / (np.log1p(10) + np.log1p(990))
    assert share == pytest.approx(expected, abs=0.04)


def test_rows_of_which_a_number_is_known_are_drawn_evenly():
    data, _ = batches(Knowing(free=0.0, more=0.0), size=1000)
    codes, _ = table()
    start = 1 + codes[0].cell.options
    parts = [data(i, slice(0, 1000)) for i in range(4)]
    rows, known = (torch.cat([part[key] for part in parts]) for key in ("real", "condition"))
    asked = known[:, -3] == 1
    assert rows[asked][:, start + 1].mean().item() == pytest.approx(0.01, abs=0.01)


def test_a_batch_is_a_function_of_its_number_and_its_parts_fit():
    data, _ = batches()
    again, _ = batches()
    whole = data(7, slice(0, 512))
    part = again(7, slice(128, 256))
    for key in whole:
        assert torch.equal(whole[key][128:256], part[key])
    assert not torch.equal(whole["real"], data(8, slice(0, 512))["real"])


def test_a_batch_larger_than_the_table_is_refused():
    with pytest.raises(DataError, match="2000 is larger"):
        batches(size=2000)


def test_a_category_that_no_row_has_is_never_drawn():
    codes, values = table()
    codes[1] = category_code("c", np.array(["common", "rare"], object), ("common", "rare", "never"), 9)
    cells = [code.cell for code in codes]
    data = KnownCells(values, cells, RowEncoder(codes), 1000, 0, Knowing(0.0, 0.0))
    for i in range(5):
        data(i, slice(0, 1000))
