"""What holds of the turns of every game."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tenfold.engine.runtime import Runtime
from tenfold.engine.trainer import Settings, Trainer
from tenfold.nn.layers import BatchNorm, Spectral

NOT_ADDED = {"tabular": {"statistics": 0.0}}
"""Settings of losses that are of a whole batch."""


def copies(tensors) -> list[Tensor]:
    return [t.detach().clone() for t in tensors]


def same(before: list[Tensor], after) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def deeper(case):
    """The same with pictures large enough for a norm within the discriminator."""
    return replace(case, shape=(1, 16, 16)) if case.spec.pictures else case


def terms_of(case) -> list[str]:
    """Names of the terms that every step has."""
    if "VAE" in case.build().optimizers:
        return ["VAE/reconstruction", "VAE/kl"]
    if "D" not in case.build().optimizers:
        return ["G/likelihood"]
    sides = ("_real", "_source") if case.name == "cyclegan" else ("",)
    return [f"{player}/adversarial{side}" for player in "DG" for side in sides]


def leave_out(game, player: str) -> None:
    """Let a player have no turns."""
    turns = game.turns
    game.turns = lambda step: [turn for turn in turns(step) if turn.player != player]


def test_only_the_player_moves(case):
    trainer = case.trainer()
    players = trainer.game.players()
    for seed, turn in enumerate(trainer.game.turns(0)):
        before = {name: copies(p.parameters()) for name, p in players.items()}
        trainer.game.zero_grad()
        trainer.play(turn, seed)
        for name, player in players.items():
            has = [p.grad is not None for p in player.parameters()]
            # A penalty of slopes alone has no gradient in the last bias.
            assert all(has) if name == turn.player and turn.every == 1 else not any(has) or turn.every > 1
            assert any(has) is (name == turn.player)
            assert same(before[name], player.parameters()) is (name != turn.player), (turn.player, name)


def test_a_discriminator_that_waits_is_not_iterated(case):
    """Power iterations follow a weight that learns; in the others' turns the function stays as it is."""
    trainer = case.trainer()
    vectors = [m for m in trainer.game.modules() if isinstance(m, Spectral)]
    before = copies(m.u for m in vectors)
    turns = {turn.player: turn for turn in reversed(trainer.game.turns(0))}
    for other in turns.keys() - {"D"}:
        trainer.play(turns[other], 0)
    assert same(before, [m.u for m in vectors])
    if vectors:
        trainer.play(turns["D"], 0)
        assert not same(before, [m.u for m in vectors])


def test_every_parameter_belongs_to_one_player(case):
    game = case.build().game
    owned = [id(p) for player in game.players().values() for p in player.parameters()]
    assert sorted(owned) == sorted(id(p) for p in game.parameters())


def test_every_parameter_learns_in_some_turn(case):
    case = deeper(case)
    # The hinge's slope in a bias is zero until a logit leaves the margin: let them go quickly.
    trainer = case.trainer(lr_d=0.02)
    names = {p: name for name, p in trainer.game.named_parameters()}
    share = dict.fromkeys(names.values(), 0.0)
    for step in range(20):
        for number, turn in enumerate(trainer.game.turns(step)):
            trainer.play(turn, 99 * step + number)
            player = trainer.players[turn.player]
            whole = player.gradient_norm().item() or 1.0  # a won hinge has none
            for p in player.parameters:
                if p.grad is None:  # a penalty of slopes alone says nothing of the last bias
                    assert turn.every > 1, names[p]
                    continue
                share[names[p]] = max(share[names[p]], p.grad.norm().item() / whole)
    # A bias before batch norm has a gradient of rounding errors, about 1e-8 of the whole.
    assert [name for name, most in share.items() if most < 1e-6] == []


def test_a_module_of_no_player_is_a_fixed_function(case):
    play = case.build()
    play.game.features = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    before = copies(play.game.features.state_dict().values())
    trainer = Trainer(play.game, play.optimizers, case.trainer().data)
    x = torch.randn(8, 3)
    said = trainer.game.features(x)
    for _ in range(2):
        trainer.play_step()
        assert torch.equal(trainer.game.features(x), said)
    assert same(before, trainer.game.features.state_dict().values())


def test_what_was_frozen_before_stays_frozen(case):
    play = case.build()
    frozen = next(p for p in play.game.parameters() if p.ndim > 1)
    frozen.requires_grad_(False)
    before = frozen.clone()
    Trainer(play.game, play.optimizers, case.trainer().data).play_step()
    assert torch.equal(frozen, before)
    assert not frozen.requires_grad


def test_a_second_trainer_of_one_game_moves_every_player(case):
    first = case.trainer()
    first.play_step()
    second = Trainer(first.game, first.optimizers, first.data)
    before = {name: copies(p.parameters()) for name, p in first.game.players().items()}
    second.play_step()
    assert not any(same(before[name], p.parameters()) for name, p in first.game.players().items())


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_terms_are_finite_from_the_first_step(case, bf16):
    trainer = case.trainer(runtime=Runtime(bf16=bf16))
    trainer.play_step()
    first = trainer.flush()
    trainer.play_step()
    assert first.keys() >= {*terms_of(case)}
    assert trainer.flush().keys() >= {*terms_of(case)}
    assert trainer.whole()


def test_bf16_is_really_used(case):
    exact, rough = case.trainer(), case.trainer(runtime=Runtime(bf16=True))
    for trainer in (exact, rough):
        trainer.play_step()
    a, b = exact.flush(), rough.flush()
    assert a != b
    term = terms_of(case)[0]
    # Wasserstein logits are tiny differences; what is compared must not be smaller than bf16's rounding.
    assert a[term] == pytest.approx(b[term], rel=0.1, abs=0.1)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_moves_every_player(case, optimizer):
    trainer = case.trainer(optimizer=optimizer)
    players = trainer.game.players()
    before = {name: copies(p.parameters()) for name, p in players.items()}
    trainer.play_step()
    assert not any(same(before[name], p.parameters()) for name, p in players.items())
    assert trainer.whole()


def test_two_fits_with_one_seed_are_equal_to_the_bit(case):
    a, b, other = (case.trainer(Settings(seed=seed)) for seed in (3, 3, 4))
    for trainer in (a, b, other):
        trainer.fit(kimg=0.024)
    assert a.step == 3
    assert same(list(a.game.state_dict().values()), b.game.state_dict().values())
    assert same(list(a.ema.module.state_dict().values()), b.ema.module.state_dict().values())
    assert not same(list(a.game.state_dict().values()), other.game.state_dict().values())


@pytest.mark.parametrize("batch", [8, 9])
def test_micro_batches_add_up_to_the_whole_batch(case, batch):
    """With batch statistics and power iterations held still, which see each part by itself."""
    parameters, rate = [], 0.1
    batch += -batch % 4 if case.spec.cells else 0  # of packs of two, each part has whole ones
    if case.spec.kind == "captioned":  # a part of an even number finds other captions where the whole does
        batch, rate = 4 * (-(-batch // 4)), 0.3 if case.name == "gan_cls" else 0.02
    if case.spec.kind == "unpaired":  # every layer has a norm, steep where weights and maps are small
        case, rate = deeper(case), 0.001
    for micro_batches in (1, 2):
        trainer = case.trainer(
            Settings(micro_batches=micro_batches),
            batch=batch,
            **NOT_ADDED.get(case.name, {}),
            optimizer="sgd",
            lr_g=rate,
            lr_d=rate,
        )
        start = copies(trainer.game.parameters())
        leave_out(trainer.game, "E")  # which compares all of a batch
        trainer.game.eval()
        for _ in range(2):
            trainer.play_step()
        parameters.append(copies(trainer.game.parameters()))
    assert max((a - b).abs().max() for a, b in zip(start, parameters[0], strict=True)) > 1e-3
    for whole, parts in zip(*parameters, strict=True):
        torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


def test_batch_norm_never_sees_real_and_generated_samples_together(case):
    trainer = deeper(case).trainer()
    sizes = []
    for norm in trainer.game.modules():
        if isinstance(norm, BatchNorm):
            norm.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    trainer.play_step()
    assert set(sizes) <= {8}


def test_joint_logits_are_those_of_each_sample_alone(case):
    case = deeper(case)
    game = case.trainer().game
    if not getattr(game, "joint", False):
        return
    x, condition = case.rows().values[:6], case.condition(6)
    game.discriminator.requires_grad_(False)  # spectral norm holds still
    together = game.discriminate(x, condition)
    alone = [
        game.discriminate(x[i : i + 1], None if condition is None else condition[i : i + 1]) for i in range(6)
    ]
    assert together.std() > 0
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)
