from __future__ import annotations

import math

import pytest
import torch

from tenfold.errors import DataError
from tenfold.metrics import variety
from tenfold.metrics.rows import Undefined
from tenfold.metrics.variety import birthday, birthday_radius, vendi_score


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_vendi_of_known_sets():
    assert vendi_score(3 * torch.eye(8)) == pytest.approx(8)
    assert vendi_score(torch.ones(8, 3)) == pytest.approx(1)
    assert vendi_score(torch.eye(2).repeat(10, 1)) == pytest.approx(2)
    # Three quarters and one quarter: the entropy of these shares.
    uneven = torch.eye(2)[torch.tensor([0, 0, 0, 1])]
    assert vendi_score(uneven) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_vendi_by_its_definition(shape: tuple[int, int]):
    x = normal(*shape, seed=1)
    unit = x / x.norm(dim=1, keepdim=True)
    share = torch.linalg.eigvalsh(unit @ unit.T / len(x))
    share = share[share > 1e-12]
    assert vendi_score(x) == pytest.approx(math.exp(-(share * share.log()).sum()))


def test_vendi_of_rows_without_direction():
    assert vendi_score(torch.zeros(5, 3)) == pytest.approx(1)
    assert vendi_score(torch.tensor([[0.0, 0], [0, 0], [1, 0], [2, 0]])) == pytest.approx(2)


def test_birthday_by_hand(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(variety, "CHUNK", 2)
    x = torch.tensor([[0.0], [5.0], [0.1], [9.0], [5.0], [9.5]])
    seen = birthday(x, 0.25)
    assert (seen.pairs, seen.support) == (2, 6 * 5 / (2 * 2))
    assert seen.closest[:3].tolist() == [[1, 4], [0, 2], [3, 5]]
    assert seen.distance[:3].tolist() == pytest.approx([0, 0.1, 0.5]) and len(seen.closest) == 15
    none = birthday(x[:4], 0.01)
    assert (none.pairs, none.support) == (0, None)


def test_birthday_finds_the_number_of_things():
    there = normal(1500, 5, seed=1)
    drawn = there[torch.randint(1500, (1200,), generator=torch.Generator().manual_seed(2))]
    # About 480 pairs, hence one standard deviation of 70.
    seen = birthday(drawn, 0.0)
    assert seen.support == pytest.approx(1500, abs=210)
    assert len(seen.closest) == 20 and seen.distance[-1] == 0
    assert (seen.closest[:, 0] < seen.closest[:, 1]).all()


def test_the_closest_pairs_are_named():
    x = normal(1200, 5, seed=1)
    seen, every = birthday(x, 0.1), torch.pdist(x).sort().values
    assert seen.distance.allclose(every[:20]) and seen.pairs == (every <= 0.1).sum()
    assert (x[seen.closest[:, 0]] - x[seen.closest[:, 1]]).norm(dim=1).allclose(seen.distance)


def test_radius_holds_one_real_sample_in_a_hundred():
    real = normal(1000, 5, seed=1)
    radius = birthday_radius(real)
    seen, copies = birthday(real, radius), birthday(real[:50].repeat(20, 1), radius)
    assert 5 <= seen.pairs <= 10
    assert copies.support == pytest.approx(50, rel=0.1)


def test_refuses_what_has_no_answer():
    for metric, least in ((vendi_score, 2), (birthday_radius, 20), (lambda x: birthday(x, 1), 2)):
        with pytest.raises(Undefined, match=f"at least {least}"):
            metric(torch.zeros(1, 3))
        with pytest.raises(DataError, match="NaN"):
            metric(torch.full((30, 3), torch.nan))
