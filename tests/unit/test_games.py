"""Games: what the turns minimise, against numbers worked out by hand."""

from __future__ import annotations

from math import e, log, log1p

import pytest
import torch
from torch import Tensor, nn

from tenfold.draw import Draw
from tenfold.games.gan import GAN, NoiseSampler, Updates
from tenfold.games.infogan import InfoGAN, InfoSampler
from tenfold.objectives import HINGE, NON_SATURATING, RELATIVISTIC, WASSERSTEIN
from tenfold.penalties import R1, R2, Interpolated, Look

REAL = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [3.0, -1.0]])
W = torch.tensor([[3.0, 4.0]])


class Constant(nn.Module):
    """Generates (shift, shift) whatever z is, but depends on it."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.full((2,), shift))

    def forward(self, z: Tensor) -> Tensor:
        return self.shift + 0 * z[:, :2]


class Critic(nn.Module):
    """W . x, and a memory of what it was shown."""

    def __init__(self, shape: str = "n 1") -> None:
        super().__init__()
        self.weight, self.flat, self.shown = nn.Parameter(W.clone()), shape == "n", []

    def forward(self, x: Tensor) -> Tensor:
        self.shown.append(x.detach().clone())
        logits = x @ self.weight.T
        return logits.squeeze(1) if self.flat else logits


def draw(n: int = 4, seed: int = 0) -> Draw:
    return Draw(seed, slice(0, n), n)


def gan(**settings) -> GAN:
    return GAN(NoiseSampler(Constant(0.1), 2), Critic(), **settings)


def test_both_turns_by_hand():
    game = gan(objective=WASSERSTEIN)
    seen = game.criticise({"real": REAL}, draw())
    # W . real is 3, 8, 7, 5; W . fake is 0.7.
    assert seen.losses["adversarial"].item() == pytest.approx(0.7 - 5.75)
    assert game.generate({"real": REAL}, draw()).losses["adversarial"].item() == pytest.approx(-0.7)
    assert {k: v.item() for k, v in seen.signals.items()} == pytest.approx(
        {"real_logit": 5.75, "fake_logit": 0.7, "real_sign": 1, "fake_sign": 1, "order": 1}
    )


def test_the_relativistic_pairs_by_position():
    game = gan(objective=RELATIVISTIC)
    said = game.criticise({"real": REAL}, draw()).losses["adversarial"].item()
    assert said == pytest.approx(sum(log1p(e ** (0.7 - r)) for r in (3, 8, 7, 5)) / 4)
    asked = game.generate({"real": REAL}, draw()).losses["adversarial"].item()
    assert asked == pytest.approx(sum(log1p(e ** (r - 0.7)) for r in (3, 8, 7, 5)) / 4)


@pytest.mark.parametrize("objective", [WASSERSTEIN, RELATIVISTIC], ids=["absolute", "relativistic"])
def test_the_generator_looks_at_real_samples_only_if_it_must(objective):
    game = gan(objective=objective)
    game.generate({"real": REAL}, draw())
    assert len(game.discriminator.shown) == (2 if objective.relativistic else 1)


def test_logits_without_a_second_dimension_are_refused():
    """`(n,)` against `(n, 1)` would silently become `(n, n)`."""
    game = GAN(NoiseSampler(Constant(0.1), 2), Critic("n"))
    with pytest.raises(IndexError):
        game.criticise({"real": REAL}, draw())


def test_logits_of_many_patches_are_averaged():
    class Patches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x @ W.T).view(-1, 1, 1, 1) * torch.tensor([[1.0, 2.0], [3.0, 4.0]])

    game = GAN(NoiseSampler(Constant(0.1), 2), Patches(), objective=WASSERSTEIN)
    assert game.criticise({"real": REAL}, draw()).losses["adversarial"].item() == pytest.approx(2.5 * -5.05)


def test_penalties_are_weighted_and_named():
    game = gan(penalties=[R1(0.5), R2(2.0), Interpolated(10.0)])
    losses = game.criticise({"real": REAL}, draw()).losses
    assert list(losses) == ["adversarial", "r1", "r2", "gradient_penalty"]
    assert losses["r1"].item() == pytest.approx(0.5 * 12.5)
    assert losses["r2"].item() == pytest.approx(2.0 * 12.5)
    assert losses["gradient_penalty"].item() == pytest.approx(10 * 16.0)


def test_a_lazy_penalty_has_a_turn_of_its_own():
    game = gan(penalties=[R1(0.5, every=4), R2(2.0)])
    assert [(t.player, t.every) for t in game.turns(0)] == [("D", 1), ("D", 4), ("G", 1)]
    assert list(game.turns(0)[0].loss({"real": REAL}, draw()).losses) == ["adversarial", "r2"]
    lazy = game.turns(0)[1].loss({"real": REAL}, draw()).losses
    assert {k: v.item() for k, v in lazy.items()} == {"r1": pytest.approx(0.5 * 4 * 12.5)}


@pytest.mark.parametrize(
    ("joint", "penalties", "sizes"),
    [(False, [], [4, 4]), (True, [], [8]), (True, [R1(), R2()], [8]), (True, [R1()], [4, 4])],
    ids=["apart", "joint", "joint with both slopes", "apart for one slope"],
)
def test_joint_is_one_pass_and_else_there_are_two(joint, penalties, sizes):
    game = gan(joint=joint, penalties=penalties)
    game.criticise({"real": REAL}, draw())
    assert [len(x) for x in game.discriminator.shown] == sizes
    assert torch.equal(torch.cat(game.discriminator.shown)[:4], REAL)


@pytest.mark.parametrize(
    "penalties",
    [[R1(0.5)], [R2(0.5)], [R1(0.5), R2(2.0)], [Interpolated(0.5)]],
    ids=["r1", "r2", "both", "interpolated"],
)
def test_joint_or_not_is_the_same(penalties):
    grads = []
    for joint in (False, True):
        game = gan(penalties=penalties, joint=joint, objective=NON_SATURATING)
        sum(game.criticise({"real": REAL}, draw()).losses.values()).backward()
        grads.append(game.discriminator.weight.grad)
    torch.testing.assert_close(*grads)


def test_inputs_require_grad_only_if_a_penalty_asks():
    wants = []

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            wants.append(x.requires_grad)
            return x @ W.T

    for penalty, wanted in ((Interpolated(), [False, False]), (R1(), [True, False]), (R2(), [False, True])):
        wants.clear()
        game = GAN(NoiseSampler(Constant(0.1), 2), Spy(), penalties=[penalty])
        game.criticise({"real": REAL}, draw())
        assert wants[:2] == wanted


def test_the_discriminators_turn_leaves_no_trace_in_the_generator():
    game = gan()
    terms = game.criticise({"real": REAL}, draw())
    terms.losses["adversarial"].backward()
    assert game.sampler.generator.shift.grad is None
    game.generate({"real": REAL}, draw()).losses["adversarial"].backward()
    assert game.sampler.generator.shift.grad is not None


def test_real_and_generated_samples_are_augmented_in_both_turns():
    seen = []

    def augment(x: Tensor, draw: Draw) -> Tensor:
        seen.append(x.detach().clone())
        return x * 2

    for joint in (False, True):
        game = gan(augment=augment, objective=RELATIVISTIC, penalties=[Interpolated()], joint=joint)
        fake = torch.full((4, 2), 0.1)
        game.criticise({"real": REAL}, draw())
        assert torch.equal(seen[0], REAL)
        assert torch.equal(seen[1], fake)
        assert len(seen) == 3, "the penalty's points too"
        game.generate({"real": REAL}, draw())
        assert torch.equal(seen[3], fake)
        assert torch.equal(seen[4], REAL)
        assert torch.equal(torch.cat(game.discriminator.shown[:2])[:4], 2 * REAL)
        torch.testing.assert_close(game.discriminator.shown[-2], 2 * fake)
        seen.clear()


def test_a_penalty_sees_the_critic_as_this_look_does():
    """The same condition reaches the critic that a penalty calls."""
    asked = []

    class Judge(nn.Module):
        def forward(self, x: Tensor, condition: Tensor) -> Tensor:
            asked.append(condition.tolist())
            return x @ W.T

    class Generator(nn.Module):
        def forward(self, z: Tensor, condition: Tensor) -> Tensor:
            return z * condition[:, None]

    game = GAN(NoiseSampler(Generator(), 2), Judge(), penalties=[Interpolated()])
    labels = torch.tensor([3, 1, 2, 0])
    game.criticise({"real": REAL, "condition": labels}, draw())
    game.generate({"real": REAL, "condition": labels}, draw())
    assert asked == [labels.tolist()] * 5


def test_clipping_bounds_every_weight():
    game = gan(updates=Updates(clip=0.5))
    (turn, _) = game.turns(0)
    assert turn.after is not None
    with torch.no_grad():
        game.discriminator.weight[0, 0] = -3.0
    turn.after()
    assert game.discriminator.weight.tolist() == [[-0.5, 0.5]]
    assert gan().turns(0)[0].after is None


def test_the_number_of_critic_steps_is_a_function_of_the_step():
    game = gan(updates=Updates(steps=lambda step: 7 - step))
    assert [game.turns(step)[0].repeat for step in range(3)] == [7, 6, 5]
    assert [t.repeat for t in gan().turns(0)] == [1, 1]


def test_the_hinge_is_over_single_samples_not_over_the_mean():
    game = gan(objective=HINGE)
    with torch.no_grad():
        game.discriminator.weight.copy_(torch.tensor([[1.0, 0.0]]))
    # real: 1, 0, 1, 3 -> 0, 1, 0, 0; fake: 0.1 -> 1.1
    assert game.criticise({"real": REAL}, draw()).losses["adversarial"].item() == pytest.approx(0.25 + 1.1)


def infogan(**settings) -> InfoGAN:
    return InfoGAN(InfoSampler(nn.Linear(2 + 3 + 2, 4), 2, 3, 2), nn.Linear(4, 5), 5, **settings)


def test_codes_are_as_the_paper_draws_them():
    game = infogan()
    z = game.sampler.draw(draw(3000))
    codes = game.sampler.codes(z)
    assert z.shape == (3000, 7)
    assert z[:, :2].std().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(z[:, 2:5].sum(1), torch.ones(3000))
    assert torch.equal(z[:, 2:5].argmax(1), codes.category)
    assert (torch.bincount(codes.category) / 3000).tolist() == pytest.approx([1 / 3] * 3, abs=0.05)
    assert torch.equal(codes.continuous, z[:, 5:])
    assert codes.continuous.min() == pytest.approx(-1, abs=0.01)
    assert codes.continuous.max() == pytest.approx(1, abs=0.01)


def test_a_stronger_category_is_read_as_the_same():
    plain, strong = (InfoSampler(nn.Linear(7, 4), 2, 3, 2, strength=s) for s in (1.0, 4.0))
    a, b = plain.draw(draw(50)), strong.draw(draw(50))
    torch.testing.assert_close(4 * a[:, 2:5], b[:, 2:5])
    torch.testing.assert_close(a[:, :2], b[:, :2])
    assert torch.equal(plain.codes(a).category, strong.codes(b).category)


def test_information_by_hand():
    game = infogan(weight=2.0, continuous_weight=3.0)
    game.reader.forward = lambda h: (torch.tensor([[0.0, 0.0, 0.0], [log(2), 0.0, 0.0]]), torch.zeros(2, 2))
    z = torch.tensor([[9.0, 9.0, 0.0, 1.0, 0.0, 0.5, -0.5], [9.0, 9.0, 1.0, 0.0, 0.0, 1.0, 0.0]])
    terms = game.information(torch.zeros(2, 5), z)
    assert terms["category"].item() == pytest.approx(2.0 * (log(3) + log(2)) / 2)
    assert terms["continuous"].item() == pytest.approx(
        3.0 * (0.25 + 0.25 + 1.0 + 0.0) / 2 / 2
    )  # summed over codes, mean of samples


def test_information_is_in_both_turns_and_of_generated_samples():
    game = infogan().train()
    losses = {}
    for name, turn in zip(("D", "G"), game.turns(0), strict=True):
        assert turn.player == name
        losses[name] = turn.loss({"real": torch.randn(6, 4)}, draw(6)).losses
        assert list(losses[name]) == ["adversarial", "category", "continuous"]
    for name in ("category", "continuous"):  # same draw, same networks; only the norm's memory differs
        torch.testing.assert_close(losses["D"][name], losses["G"][name])
    (losses["G"]["category"] + losses["G"]["continuous"]).backward()
    assert game.sampler.generator.weight.grad.norm() > 0
    game.zero_grad()
    (losses["D"]["category"] + losses["D"]["continuous"]).backward()
    assert game.trunk.weight.grad.norm() > 0
    assert game.sampler.generator.weight.grad is None


def test_infogan_plays_the_objective_by_hand():
    game = infogan()
    game.trunk.forward = lambda x: x[:, :1].expand(-1, 5)
    game.judge.forward = lambda h: h[:, :1]
    game.sampler.generator.forward = lambda z: torch.zeros(4, 4)
    real = torch.ones(4, 4)
    said = game.criticise({"real": real}, draw())
    assert said.losses["adversarial"].item() == pytest.approx(log1p(e**-1) + log(2))
    assert said.signals["real_logit"] == 1
    assert game.generate({"real": real}, draw()).losses["adversarial"].item() == pytest.approx(log(2))


def test_infogan_without_continuous_codes():
    game = InfoGAN(InfoSampler(nn.Linear(5, 4), 2, 3, 0), nn.Linear(4, 5), 5)
    assert list(game.generate({"real": torch.randn(6, 4)}, draw(6)).losses) == ["adversarial", "category"]


def test_infogan_with_a_relativistic_objective_has_no_dead_bias():
    game = infogan(objective=RELATIVISTIC)
    assert game.judge.inner.bias is None
    assert game.generate({"real": torch.randn(6, 4)}, draw(6)).losses["adversarial"].isfinite()


def test_infogan_augments_everything_in_both_turns():
    sizes = []

    def augment(x: Tensor, draw: Draw) -> Tensor:
        sizes.append(len(x))
        return x

    game = infogan(augment=augment)
    for turn in game.turns(0):
        turn.loss({"real": torch.randn(6, 4)}, draw(6))
    assert sizes == [6, 6, 6]


def test_a_look_leaves_the_batch_alone():
    seen = gan().look({"real": REAL}, draw(), {"real", "fake"})
    assert isinstance(seen, Look)
    assert seen.real_logits.shape == seen.fake_logits.shape == (4, 1)
    assert seen.real.requires_grad
    assert not REAL.requires_grad
    assert seen.slopes["real"].tolist() == seen.slopes["fake"].tolist() == [25.0] * 4
