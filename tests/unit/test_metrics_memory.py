from __future__ import annotations

from itertools import combinations

import pytest
import torch
from scipy.stats import mannwhitneyu

from tenfold.metrics.memory import authenticity, c_t, frechet_gap, memorised, nearest_copies
from tenfold.metrics.neighbours import nearest
from tenfold.metrics.rows import Undefined


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


TRAIN, HOLDOUT, FRESH = (normal(300, 5, seed=s) for s in (1, 2, 3))
NOISY = TRAIN + 0.1 * normal(300, 5, seed=4)


def test_known_answers():
    fresh, copies, noisy, far = (c_t(TRAIN, HOLDOUT, x) for x in (FRESH, TRAIN, NOISY, FRESH + 3))
    assert abs(fresh.z) < 3 and fresh.share == pytest.approx(0.5, abs=0.1)
    assert copies.z < -15 and copies.share == 1 and noisy.z < -15 and far.z > 15
    assert authenticity(TRAIN, TRAIN) == 0 and authenticity(TRAIN, NOISY) < 0.1
    assert 0.4 < authenticity(TRAIN, FRESH) < 0.8 and authenticity(TRAIN, FRESH + 9) == 1
    gaps = [frechet_gap(TRAIN, HOLDOUT, x, seed=0) for x in (FRESH, TRAIN)]
    assert abs(gaps[0]) < 0.05 < gaps[1]


@pytest.mark.parametrize("digits", [6, 0])
def test_z_equals_scipy_with_and_without_ties(digits: int):
    train, holdout, fake = (
        (2 * x).round(decimals=digits) for x in (TRAIN[:, :2], HOLDOUT[:200, :2], FRESH[:, :2])
    )
    ours, theirs = (nearest(x, train).distance.numpy() for x in (holdout, fake))
    expected = mannwhitneyu(theirs, ours, method="asymptotic", use_continuity=False, alternative="less")
    seen = c_t(train, holdout, fake)
    assert torch.special.ndtr(torch.tensor(seen.z).double()).item() == pytest.approx(expected.pvalue)
    assert seen.share == pytest.approx(1 - expected.statistic / (200 * 300))


def test_z_is_standard_normal_for_fresh_samples():
    z = torch.tensor([c_t(*normal(3, 60, 2, seed=i), cells=1).z for i in range(300)])
    assert abs(z.mean()) < 0.2 and z.std() == pytest.approx(1, abs=0.15)


def test_cells_show_what_cancels_in_the_whole():
    """One of two regions is copied, the other missed: no sign of copies in all together."""
    far = torch.tensor([100.0, 0, 0, 0, 0])
    train, holdout = (
        torch.cat([x, y + far]) for x, y in ((TRAIN, NOISY.flip(1)), (HOLDOUT, HOLDOUT.flip(0)))
    )
    fake = torch.cat([TRAIN, FRESH + far + 2])
    seen = c_t(train, holdout, fake, cells=2)
    assert abs(seen.z) < 3
    assert sorted((c.holdout, c.fake) for c in seen.cells) == [(300, 300)] * 2
    assert min(c.z for c in seen.cells) < -15 and max(c.z for c in seen.cells) > 10
    assert seen.by_cell == pytest.approx(sum(c.z for c in seen.cells) / 2)


def test_cells_weigh_by_hold_out_and_need_ten_of_each():
    far = torch.tensor([100.0, 0, 0, 0, 0])
    train = torch.cat([TRAIN, TRAIN + far, TRAIN - far])
    holdout = torch.cat([HOLDOUT, HOLDOUT[:100] + far, HOLDOUT[:50] - far])
    seen = c_t(train, holdout, torch.cat([FRESH, TRAIN[:60] + far, TRAIN[:9] - far]), cells=3)
    (large, small) = sorted(seen.cells, key=lambda c: -c.holdout)
    assert (large.holdout, large.fake, small.holdout, small.fake) == (300, 300, 100, 60)
    assert seen.by_cell == pytest.approx(0.75 * large.z + 0.25 * small.z)
    assert c_t(train, holdout[:15], FRESH).by_cell is None


def test_nothing_varies():
    same = torch.ones(20, 3)
    seen = c_t(same, same, same)
    assert (seen.z, seen.share) == (0, 0.5) and authenticity(same, same) == 0
    assert nearest_copies(same, same, same).ratio.tolist() == [1] * 20


def test_copies_of_duplicates_are_not_authentic():
    twice = torch.cat([TRAIN, TRAIN])
    assert authenticity(twice, TRAIN) == 0


def test_gap_takes_as_many_of_both():
    gaps = [frechet_gap(normal(400, 5, seed=s), normal(80, 5, seed=s + 99), FRESH, seed=s) for s in range(40)]
    mean, error = torch.tensor(gaps).mean(), torch.tensor(gaps).std() / 40**0.5
    assert abs(mean) < 3 * error


def test_gallery_of_the_nearest():
    fake = FRESH.clone()
    fake[7], fake[70], fake[9] = TRAIN[41], TRAIN[5] + 1e-3, HOLDOUT[3]
    seen = nearest_copies(TRAIN, HOLDOUT, fake, count=3)
    assert seen.fake[:2].tolist() == [7, 70] and seen.train[:2].tolist() == [41, 5]
    assert seen.train_distance[:2].tolist() == pytest.approx([0, 1e-3 * 5**0.5])
    assert seen.ratio.tolist() == pytest.approx((seen.train_distance / seen.holdout_distance).tolist())
    assert len(seen.ratio) == 3 and seen.ratio[2] > seen.ratio[1]
    every = nearest_copies(TRAIN, HOLDOUT, fake, count=300)
    assert every.fake[-1] == 9 and every.holdout[-1] == 3 and every.ratio[-1] == torch.inf


def test_refuses_what_has_no_answer():
    with pytest.raises(Undefined, match="n = 9: at least 10 held-out"):
        c_t(TRAIN, HOLDOUT[:9], FRESH)
    with pytest.raises(Undefined, match="at least 10 generated"):
        c_t(TRAIN, HOLDOUT, FRESH[:9])
    with pytest.raises(Undefined, match="at least 2 training"):
        authenticity(TRAIN[:1], FRESH)
    with pytest.raises(Undefined, match="n = 0"):
        nearest_copies(TRAIN, HOLDOUT[:0], FRESH)


def test_memorised_by_hand():
    # Training samples at 0 to 9, held-out ones at 20 to 29. Nine samples are near training ones, one as far
    # from 9 as from 20, four near held-out ones: 9.5 of 14, where chance gives half.
    train, holdout = torch.arange(10.0)[:, None], torch.arange(20.0, 30.0)[:, None]
    fake = torch.cat([train[:9] + 0.1, torch.tensor([[14.5]]), holdout[5:9] - 0.2])
    seen = memorised(train, holdout, fake)
    assert seen.value == pytest.approx((9.5 / 14 - 0.5) / 0.5)
    every = torch.zeros(20).double()  # shares of the samples to which each real one is the nearest
    every[:9], every[15:19], every[9:11] = 1 / 14, 1 / 14, 0.5 / 14
    assert seen.error == pytest.approx((10 * 0.5 * every.var().item()) ** 0.5 / 0.5)
    values = every.tolist()
    sums = [sum(chosen) for chosen in combinations(values, 10)]
    as_few = sum(total <= sum(values[10:]) + 1e-9 for total in sums) / len(sums)
    assert seen.p == pytest.approx(as_few, abs=0.004) and 0.005 < as_few < 0.02


def test_memorised_error_is_that_of_another_choice_of_what_was_learnt():
    real, fake = normal(120, 3, seed=1), normal(200, 3, seed=2)
    orders = [torch.randperm(120, generator=torch.Generator().manual_seed(s)) for s in range(200)]
    seen = [memorised(real[order[:90]], real[order[90:]], fake) for order in orders]
    found = torch.tensor([learnt.p for learnt in seen])
    assert ((found < 0.1).float().mean() - 0.1).abs() < 0.05 and (
        (found < 0.5).float().mean() - 0.5
    ).abs() < 0.1
    values = torch.tensor([estimate.value for estimate in seen])
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    assert seen[0].error == pytest.approx(values.std().item(), rel=0.15)


def test_noise_and_shrinking_do_not_hide_what_was_learnt_by_heart():
    far = TRAIN + 0.5 * normal(300, 5, seed=4)
    assert c_t(TRAIN, HOLDOUT, far).z > -3  # not clearly nearer to training samples than held-out ones are
    for fake in (TRAIN, far, 0.9 * TRAIN):
        seen = memorised(TRAIN, HOLDOUT, fake)
        assert seen.value > 0.3 and seen.value > 4 * seen.error and seen.p < 0.001
    fresh = memorised(TRAIN, HOLDOUT, FRESH)
    assert abs(fresh.value) < 3 * fresh.error


def test_few_held_out_samples_are_enough_where_all_is_learnt_by_heart():
    """Twenty of a hundred: the error is large, and chance all the same no explanation."""
    real = normal(100, 3, seed=1)
    fake = torch.cat([real[:8].repeat(20, 1), real[8:60]])
    seen = memorised(real[:80], real[80:], fake)
    assert seen.value == pytest.approx(1.0) and seen.p < 0.001
    assert seen.value < 3.5 * seen.error


@pytest.mark.parametrize(("n", "m"), [(400, 40), (40, 400)])
def test_equally_near_real_samples_share(n: int, m: int) -> None:
    values = []
    for seed in range(30):
        draw = torch.Generator().manual_seed(seed)
        train, holdout, fake = (torch.randint(0, 2, (k, 10), generator=draw).double() for k in (n, m, 200))
        values.append(memorised(train, holdout, fake).value)
    found = torch.tensor(values)
    assert abs(found.mean()) < 4 * found.std() / 30**0.5


def test_memorised_is_not_defined_for_one_sample_again_and_again() -> None:
    with pytest.raises(Undefined, match=r"only about 1\.0 different"):
        memorised(TRAIN, HOLDOUT, FRESH[:1].repeat(50, 1))
