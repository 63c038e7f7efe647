"""Parts that move without a gradient: LeCam, the calibrated weight, path length; and consistency."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tenfold.draw import Draw
from tenfold.penalties import Calibrated, Consistency, LeCam, Look
from tenfold.terms import PathLength


def draw(n: int) -> Draw:
    return Draw(3, slice(0, n), n)


def said(real: list[float], fake: list[float]) -> Look:
    r, f = torch.tensor(real)[:, None], torch.tensor(fake)[:, None]
    return Look(lambda x: x, r, f, r, f, draw(len(real)))


def test_lecam_by_hand():
    lecam = LeCam(weight=0.3, decay=0.9, warm_up=1)
    first = said([2.0, 4.0], [-1.0, -3.0])
    assert lecam(first).tolist() == [0.0, 0.0]
    lecam.watch(first)
    lecam.settle(0.1)
    assert lecam.means.tolist() == [3.0, -2.0]
    # (real - mean of fake)^2 + (mean of real - fake)^2, where positive
    assert lecam(said([0.0, -5.0], [1.0, 4.0])).tolist() == [4.0 + 4.0, 0.0]
    lecam.watch(said([13.0, 13.0], [8.0, 8.0]))
    lecam.settle(0.2)
    torch.testing.assert_close(lecam.means, torch.tensor([4.0, -1.0]))


def test_lecam_moves_only_by_what_it_saw():
    lecam = LeCam()
    lecam.settle(0.1)
    assert lecam.turns.item() == 0
    lecam.watch(said([2.0], [1.0]))
    lecam.settle(0.2)
    lecam.settle(0.3)
    assert lecam.means.tolist() == [2.0, 1.0]


def test_two_halves_of_a_batch_are_the_batch():
    whole, halves = LeCam(), LeCam()
    whole.watch(said([1.0, 2.0, 3.0], [0.0, 5.0, 1.0]))
    halves.watch(said([1.0], [0.0]))
    halves.watch(said([2.0, 3.0], [5.0, 1.0]))
    for lecam in (whole, halves):
        lecam.settle(0.1)
    torch.testing.assert_close(whole.means, halves.means)


def slopes(w: Tensor, n: int = 4) -> Look:
    real, fake = torch.randn(n, len(w), requires_grad=True), torch.randn(n, len(w), requires_grad=True)
    critic = lambda x: (x @ w)[:, None]
    return Look(critic, real, fake, critic(real), critic(fake), draw(n))


def test_the_calibrated_penalty_is_r1_and_r2():
    assert Calibrated(2.0)(slopes(torch.tensor([1.0, -2.0, 2.0]))).tolist() == pytest.approx([9.0] * 4)
    assert Calibrated(2.0).weight.item() == pytest.approx(2.0)


def adapted(distance: float, penalty: float) -> Look:
    """A linear critic of the slope that is best under a penalty, between two points so far apart."""
    slope = torch.zeros((), requires_grad=True)
    best = torch.optim.LBFGS([slope], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        best.zero_grad()
        found = torch.nn.functional.softplus(-slope * distance) + penalty * slope**2
        found.backward()
        return found

    best.step(loss)
    real, fake = torch.full((4, 1), distance, requires_grad=True), torch.zeros(4, 1, requires_grad=True)
    a = slope.detach()
    return Look(lambda x: x * a, real, fake, real * a, fake * a, draw(4))


@pytest.mark.parametrize("distance", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("start", [0.0005, 0.1])
def test_the_weight_goes_with_the_square_of_the_distance(distance, start):
    """R1 and R2 of slope a are a^2; weighted, and at its best, that is m sigmoid(-m) / 2 for margins of m."""
    penalty = Calibrated(start * distance**2, goal=0.05)
    for step in range(400):
        look(penalty, adapted(distance, penalty.weight.item()))
        penalty.settle(step / 2000)
    seen = adapted(distance, penalty.weight.item())
    margin = seen.real_logits.mean()
    assert (margin * torch.sigmoid(-margin) / 2).item() == pytest.approx(0.05, rel=0.1)
    assert (penalty.weight * seen.slopes["real"].mean()).item() == pytest.approx(0.05, rel=0.1)
    assert penalty.weight.item() == pytest.approx(0.05 * distance**2 / margin.item() ** 2, rel=0.1)


def look(penalty: Calibrated, seen: Look) -> None:
    penalty(seen)
    penalty.watch(seen)


def paid(penalty: Calibrated, much: float, apart: float = 9.0) -> None:
    """A look at which the penalty, without its weight, is so much, by a D that tells pairs so far apart."""
    penalty(slopes(torch.tensor([much**0.5])))
    penalty.watch(said([apart], [0.0]))


def test_the_weight_stays_where_d_tells_nothing_apart():
    for apart, moves in ((0.0, False), (9.0, True)):
        penalty = Calibrated(1.0)
        for step in range(60):
            paid(penalty, 0.0, apart)
            penalty.settle(step / 200)
        assert (penalty.weight.item() > 5) is moves
        assert moves or penalty.weight.item() == pytest.approx(1.0)


def test_the_weight_stays_after_its_time_and_within_its_reach():
    penalty = Calibrated(1.0, until=0.5, reach=2.0)
    before = penalty.weight.clone()
    paid(penalty, 9.0)
    penalty.settle(0.01)
    assert torch.equal(before, penalty.weight)  # D is a beginner, too
    for step in range(100):
        paid(penalty, 9.0)  # far above the goal: the weight is too large
        penalty.settle(0.02 + step / 250)
    assert penalty.weight.item() == pytest.approx(0.5)
    for progress in (0.6, 0.3):  # the second, as if the run had been extended
        paid(penalty, 0.0)
        penalty.settle(progress)
    assert penalty.weight.item() == pytest.approx(0.5, rel=0.25)
    held = penalty.weight.clone()
    paid(penalty, 0.0)
    penalty.settle(0.7)
    assert torch.equal(held, penalty.weight)


def test_a_reach_of_one_keeps_the_weight():
    penalty = Calibrated(3.0, reach=1.0)
    for step in range(30):
        paid(penalty, 0.0 if step % 2 else 9.0)
        penalty.settle(step / 100)
    assert penalty.weight.item() == pytest.approx(3.0)


def test_unequal_parts_of_a_batch_are_the_batch():
    whole, parts = Calibrated(1.0), Calibrated(1.0)
    seen = slopes(torch.tensor([2.0]), 3)
    look(whole, seen)
    for piece in (slice(0, 1), slice(1, 3)):
        look(parts, Look(seen.critic, *cut(seen, piece), draw(3)))
    torch.testing.assert_close(whole.noted, parts.noted)


def cut(seen: Look, piece: slice) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    real, fake = (x[piece].detach().requires_grad_() for x in (seen.real, seen.fake))
    return real, fake, seen.critic(real), seen.critic(fake)


def test_consistency_by_hand():
    real, fake = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0]])
    seen = Look(lambda x: 2 * x, real, fake, 2 * real, 2 * fake, draw(2), plain=lambda x: x)
    assert Consistency()(seen).tolist() == [1.0 + 9.0, 4.0 + 25.0]
    assert Consistency()(Look(lambda x: 2 * x, real, fake, 2 * real, 2 * fake, draw(2))).tolist() == [
        0.0,
        0.0,
    ]


def test_path_length_of_a_linear_painter():
    """Pictures w A: the slope along a direction y is A y, whatever w; with y normal its length is known."""
    a = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]])

    def paths(batch, draw):
        ws = draw.normal(1, 2).requires_grad_()
        return (ws[:, 0] @ a).view(-1, 1, 2, 2), ws

    term = PathLength(paths, weight=2.0, decay=0.5)
    y = draw(3)
    y.normal(1, 2)
    direction = y.normal(1, 2, 2).flatten(1) / 2
    lengths = (direction @ a.T).square().sum(1).sqrt()
    torch.testing.assert_close(term({}, draw(3)), lengths.square())
    term.settle(0.1)
    assert term.mean.item() == pytest.approx(0.5 * lengths.mean().item())
    torch.testing.assert_close(term({}, draw(3)), (lengths - term.mean).square())
    term.settle(0.1)
    before = term.mean.clone()
    term.settle(0.1)
    assert torch.equal(before, term.mean)
