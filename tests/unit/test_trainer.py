"""The loop: one optimiser's step per turn, on the right batch, with the right numbers, at the right time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from tenfold.data.order import Rows, Shuffled
from tenfold.draw import Draw
from tenfold.engine import runtime
from tenfold.engine.checkpoint import State, capture, restore
from tenfold.engine.runtime import Runtime, best_device, has_bf16
from tenfold.engine.schedule import linear
from tenfold.engine.trainer import Settings, Trainer, Watch
from tenfold.errors import Diverged
from tenfold.game import Anew, Batch, Game, Sampler, Terms, Turn
from tenfold.games.gan import GAN, NoiseSampler
from tenfold.objectives import WASSERSTEIN
from tenfold.penalties import R1


class Source(Sampler):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def draw(self, draw: Draw) -> Tensor:
        return draw.normal(2)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return z + self.weight


class Toy(Game[Source]):
    """Players a and b; every turn's loss is the mean of the batch times the player's weights."""

    def __init__(self, turns: Sequence[Turn] | None = None) -> None:
        super().__init__()
        self.sampler, self.other, self.given = Source(), nn.Linear(2, 1, bias=False), turns
        self.looks: list[tuple[str, list[float], float]] = []

    def players(self) -> Mapping[str, nn.Module]:
        return {"a": self.sampler, "b": self.other}

    def turns(self, step: int) -> Sequence[Turn]:
        return self.given or [Turn("b", self.pull_b), Turn("a", self.pull_a)]

    def critic(self) -> None:
        return None

    def pull_a(self, batch: Batch, draw: Draw) -> Terms:
        return self.pull("a", self.sampler.weight, batch, draw)

    def pull_b(self, batch: Batch, draw: Draw) -> Terms:
        return self.pull("b", self.other.weight, batch, draw)

    def pull(self, name: str, weight: Tensor, batch: Batch, draw: Draw) -> Terms:
        real = batch["real"]
        self.looks.append((name, real[:, 0].tolist(), draw.uniform()[0].item()))
        return Terms({"first": (real * weight).sum(1).mean(), "second": weight.sum()}, {"seen": real.mean()})


class Counting(SGD):
    """Notes every step and the rate it was made with."""

    def step(self, closure=None):
        self.rates = [*getattr(self, "rates", []), self.param_groups[0]["lr"]]
        return super().step(closure)


def rows(n: int = 12) -> Rows:
    return Rows(torch.arange(1.0, n + 1)[:, None].expand(n, 2))


def toy(turns=None, size: int = 4, n: int = 12, **parts) -> Trainer:
    game = Toy(turns)
    optimizers: dict[str, Optimizer] = {k: Counting(p.parameters(), 0.1) for k, p in game.players().items()}
    return Trainer(game, optimizers, Shuffled(rows(n), size), **parts)


def test_loss_and_penalty_enter_one_step():
    """w - lr (d mean(W fake - W real) + d weight |W|^2 / 2), by hand."""
    real = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    judge, generator = nn.Linear(2, 1, bias=False), nn.Linear(2, 2)
    w = judge.weight.detach().clone()
    nn.init.zeros_(generator.weight)
    nn.init.constant_(generator.bias, 0.25)
    game = GAN(NoiseSampler(generator, 2), judge, objective=WASSERSTEIN, penalties=[R1(3.0)])
    optimizers = {name: Counting(p.parameters(), 0.1) for name, p in game.players().items()}
    Trainer(game, optimizers, Shuffled(Rows(real), 2)).play_step()
    moved = w - 0.1 * (0.25 - real.mean(0) + 3.0 * w)
    torch.testing.assert_close(judge.weight.detach(), moved)
    # Then G: -mean(W fake) has the gradient -W in G's bias; W is the one that has just moved.
    torch.testing.assert_close(generator.bias.detach(), 0.25 + 0.1 * moved[0])
    assert [o.rates for o in optimizers.values()] == [[0.1], [0.1]]


def test_turns_are_played_in_order_each_on_a_fresh_batch():
    trainer = toy()
    for _ in range(3):
        trainer.play_step()
    names, values, numbers = zip(*trainer.game.looks, strict=True)
    assert names == ("b", "a") * 3
    assert values == tuple(trainer.data(k, slice(None))["real"][:, 0].tolist() for k in range(6))
    assert len(set(numbers)) == 6
    assert (trainer.step, trainer.seen, trainer.drawn) == (3, 12, 6)


def test_a_turn_may_look_once_more_at_the_last_batch():
    trainer = toy()
    game = trainer.game
    game.given = [Turn("b", game.pull_b), Turn("a", game.pull_a, again=True)]
    for _ in range(3):
        trainer.play_step()
    _, values, numbers = zip(*game.looks, strict=True)
    assert values[::2] == values[1::2]
    assert values[::2] == tuple(trainer.data(k, slice(None))["real"][:, 0].tolist() for k in range(3))
    assert len(set(numbers)) == 6 and trainer.drawn == 3


def test_repeats_and_rare_turns():
    game = Toy()
    after = []
    game.given = [
        Turn("b", game.pull_b, repeat=3, after=lambda: after.append(game.other.weight[0, 0].item())),
        Turn("a", game.pull_a, every=2),
    ]
    optimizers = {name: Counting(p.parameters(), 0.1) for name, p in game.players().items()}
    trainer = Trainer(game, optimizers, Shuffled(rows(), 4))
    for _ in range(4):
        trainer.play_step()
    assert [name for name, *_ in game.looks] == ["b", "b", "b", "a", "b", "b", "b"] * 2
    assert len({number for *_, number in game.looks}) == 14
    assert len(after) == len(set(after)) == 12, "called after each step, once the weights have moved"
    assert trainer.drawn == 14
    assert trainer.seen == 16, "the clock counts steps, not batches"


def test_randomness_is_of_seed_step_turn_and_repeat():
    a, b, c = toy(), toy(), toy(settings=Settings(seed=1))
    for trainer in (a, b, c):
        trainer.play_step()
        trainer.play_step()
    assert a.game.looks == b.game.looks
    assert not {x[2] for x in a.game.looks} & {x[2] for x in c.game.looks}


def dropping(game: Toy, masks: list[Tensor]):
    def loss(batch: Batch, draw: Draw) -> Terms:
        masks.append(nn.functional.dropout(torch.ones(50)))
        return game.pull_b(batch, draw)

    return loss


def test_dropout_draws_the_same_each_time():
    masks = []
    for _ in range(2):
        trainer = toy()
        torch.rand(7 * len(masks) + 1)  # what was drawn before must not matter
        trainer.game.given = [Turn("b", dropping(trainer.game, masks))]
        trainer.play_step()
    assert torch.equal(masks[0], masks[1])
    assert masks[0].unique().tolist() == [0, 2]


@pytest.mark.parametrize(("size", "micro", "world"), [(8, 1, 1), (8, 4, 1), (9, 2, 1), (9, 2, 2), (7, 1, 3)])
def test_parts_cover_the_batch_once(size, micro, world):
    parts = [
        part
        for rank in range(world)
        for part in toy(
            size=size, settings=Settings(micro_batches=micro), runtime=Runtime(rank=rank, world=world)
        ).parts()
    ]
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(size))
    assert len(parts) == micro * world
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("size", "pack", "world"), [(50, 10, 1), (57, 10, 1), (57, 10, 2), (9, 2, 2), (8, 1, 2)]
)
def test_parts_hold_whole_packs(size, pack, world):
    settings = Settings(micro_batches=2, together=pack)
    ranks = [Runtime(rank=rank, world=world) for rank in range(world)]
    found = [toy(n=60, size=size, settings=settings, runtime=runtime) for runtime in ranks]
    parts = [part for trainer in found for part in trainer.parts()]
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(size))
    assert all(part.start % pack == 0 and part.stop - part.start >= pack for part in parts)


@pytest.mark.parametrize("micro", [1, 2, 4])
def test_micro_batches_are_one_step(micro):
    trainer = toy(size=5, settings=Settings(micro_batches=micro))
    real = trainer.data(0, slice(None))["real"]
    before = trainer.game.other.weight.detach().clone()
    trainer.play_step()
    torch.testing.assert_close(trainer.game.other.weight.detach(), before - 0.1 * (real.mean(0) + 1))
    assert [o.rates for o in trainer.optimizers.values()] == [[0.1], [0.1]]
    assert len(trainer.game.looks) == 2 * micro


def test_schedules_are_functions_of_the_share_seen():
    trainer = toy(settings=Settings(planned=16), schedules={"a": linear})
    for _ in range(5):
        trainer.play_step()
    assert trainer.optimizers["a"].rates == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0])
    assert trainer.optimizers["b"].rates == pytest.approx([0.1] * 5)


def test_the_rate_can_be_lowered_on_the_way():
    trainer = toy(settings=Settings(planned=16), schedules={"a": linear})
    trainer.rate = 0.5
    trainer.play_step()
    trainer.play_step()
    assert trainer.optimizers["a"].rates == pytest.approx([0.05, 0.0375])


@pytest.mark.parametrize(("kimg", "steps"), [(0.004, 1), (0.0041, 2), (0.02, 5), (0, 0)])
def test_fit_plays_until_so_many_samples_were_seen(kimg, steps):
    assert toy().fit(kimg).step == steps


def test_fit_goes_on_where_it_was():
    once, twice = toy(), toy()
    once.fit(0.02)
    twice.fit(0.008).fit(0.02)
    assert once.game.looks == twice.game.looks


def test_what_adapts_is_told_that_the_run_is_planned_anew():
    told: list[float] = []

    class Part:
        def replanned(self, ratio: float) -> None:
            told.append(ratio)

    trainer = toy(settings=Settings(planned=40))
    trainer.adaptive = [Part()]  # pyright: ignore[reportAttributeAccessIssue]
    trainer.plan_anew(20)
    assert told == [2.0] and trainer.goal == 5 and trainer.settings.planned == 20


def test_a_watch_looks_when_its_time_has_come_and_at_the_end():
    seen = []
    trainer = toy(watches=[Watch(10, lambda t: seen.append(t.seen))])
    trainer.fit(0.026)
    assert seen == [12, 20, 28]


def test_a_run_can_be_asked_to_stop():
    def stop(trainer: Trainer) -> None:
        trainer.stopping = True

    assert toy(watches=[Watch(8, stop)]).fit(1.0).step == 2


def test_the_log_is_a_mean_since_it_was_last_read():
    trainer = toy(settings=Settings(log_every=2))
    trainer.fit(0.012)
    first = trainer.flush()
    assert set(first) == {f"{p}/{n}" for p in "ab" for n in ("first", "second", "seen", "gradient_norm")}
    means = [trainer.data(k, slice(None))["real"].mean().item() for k in (0, 2, 4)]
    assert first["b/seen"] == pytest.approx(sum(means) / 3)
    gradients = [trainer.data(k, slice(None))["real"].mean(0) + 1 for k in (0, 4)]
    assert first["b/gradient_norm"] == pytest.approx(sum(g.norm().item() for g in gradients) / 2)
    assert trainer.flush() == {}
    trainer.play_step()
    assert trainer.flush()["b/seen"] != first["b/seen"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_term_that_is_not_finite_is_named(value):
    trainer = toy()
    game = trainer.game

    def loss(batch: Batch, draw: Draw) -> Terms:
        good = game.other.weight.sum()
        return Terms({"good": good, "bad": good * value})

    game.given = [Turn("b", loss)]
    trainer.play_step()
    with pytest.raises(Diverged, match=r"b/bad is -?(nan|inf) at step 1 \(4 samples seen\)") as caught:
        trainer.flush()
    assert caught.value.exit_code == 1
    assert not trainer.whole()


def test_whole():
    trainer = toy()
    assert trainer.whole()
    trainer.game.other.weight.data[0, 0] = float("inf")
    assert not trainer.whole()


def test_the_average_is_of_the_sampler_after_the_step():
    trainer = toy(settings=Settings(half_life_kimg=0.0))
    trainer.fit(0.012)
    assert torch.equal(trainer.ema.module.weight, trainer.game.sampler.weight)
    assert not torch.equal(trainer.ema.module.weight, torch.zeros(2))


def test_a_turn_that_fails_freezes_nobody():
    trainer = toy()

    def fail(batch: Batch, draw: Draw) -> Terms:
        raise MemoryError

    with pytest.raises(MemoryError):
        trainer.play(Turn("a", fail), 0)
    assert all(p.requires_grad for p in trainer.game.parameters())


def test_pictures_may_lie_with_their_channels_last():
    x = torch.randn(2, 3, 4, 5)
    placed = toy(settings=Settings(channels_last=True)).place(x)
    assert placed.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(placed, x)
    assert toy().place(x).is_contiguous()
    assert toy(settings=Settings(channels_last=True)).place(torch.zeros(2, 3)).is_contiguous()


def test_bf16_is_a_matter_of_the_runtime():
    with Runtime(bf16=True).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with Runtime().autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_only_the_player_may_learn_while_its_turn_is_played():
    trainer = toy()
    game, able = trainer.game, []

    def loss(batch: Batch, draw: Draw) -> Terms:
        able.append((game.sampler.weight.requires_grad, game.other.weight.requires_grad))
        return game.pull_b(batch, draw)

    trainer.play(Turn("b", loss), 0)
    assert able == [(False, True)]
    assert game.sampler.weight.requires_grad


def test_terms_of_mixed_precision_add_up():
    trainer = toy()
    game = trainer.game

    def loss(batch: Batch, draw: Draw) -> Terms:
        return Terms({"a": game.other.weight.sum().bfloat16(), "b": game.other.weight.sum()})

    game.given = [Turn("b", loss)]
    before = game.other.weight.detach().clone()
    trainer.play_step()
    torch.testing.assert_close(game.other.weight.detach(), before - 0.2)


def test_one_process_asks_nobody():
    here, x = Runtime(), torch.ones(3)
    assert torch.equal(here.mean(x), x)
    assert here.any(True) is True
    assert here.any(False) is False
    here.barrier()
    here.spread([x])
    assert x.tolist() == [1, 1, 1]


def test_devices():
    assert best_device() in ("cpu", "cuda", "mps")
    assert has_bf16(torch.device("cpu")) in (True, False)


def test_memory_is_kept_where_the_c_library_takes_advice(monkeypatch):
    given = []

    class GLibC:
        def mallopt(self, option: int, size: int) -> int:
            given.append((option, size))
            return 1

    monkeypatch.setattr(runtime.sys, "platform", "linux")
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: GLibC())
    assert runtime.keep_memory()
    assert given == [(-1, 2**31 - 1), (-2, 2**26), (-3, 2**25)]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_without_such_a_c_library_nothing_happens(monkeypatch, platform):
    monkeypatch.setattr(runtime.sys, "platform", platform)
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: object())
    assert not runtime.keep_memory()


def test_a_stage_that_was_left_does_not_come_back():
    def staged(planned: int) -> Trainer:
        trainer = toy(settings=Settings(planned=planned))
        trainer.game.stages = (0.5,)
        return trainer

    def played(trainer: Trainer) -> float:
        trainer.play_step()
        return trainer.game.progress

    trainer = staged(16)
    assert [played(trainer) for _ in range(3)] == [0.0, 0.25, 0.5]
    trainer.plan_anew(48)
    assert played(trainer) == 0.5  # though 12 of 48 are 0.25
    other = staged(96)
    restore(other, capture(trainer))
    assert played(other) == 0.5 and other.progress == 20 / 96
    assert [played(trainer) for _ in range(4)][-1] == 28 / 48
    older = capture(trainer)
    restore(other, State(older.tensors, {k: v for k, v in older.facts.items() if k != "stage"}))
    assert other.stage == 0.0


def halves(watches: Sequence[Watch] = ()) -> Trainer:
    """Four steps; the last two go on from the best sampler of those before."""
    torch.manual_seed(0)
    game = Toy()
    game.stages, game.anew = (0.5,), Anew(0.5)
    optimizers = {name: torch.optim.Adam(p.parameters(), 0.1) for name, p in game.players().items()}
    settings = Settings(planned=16, half_life_kimg=0.0)
    return Trainer(game, optimizers, Shuffled(rows(), 4), settings=settings, watches=watches)


def keep_first(trainer: Trainer) -> None:
    if trainer.step == 1:
        trainer.keep()


def test_a_stage_may_go_on_from_where_it_is_with_optimisers_as_new():
    trainer, order = halves(), []
    trainer.game.anew = Anew(0.5, best=False, after=lambda: order.append(trainer.step))
    trainer.fit(0.004)
    trainer.keep()
    trainer.fit(0.008)
    last = trainer.game.sampler.weight.tolist()
    trainer.enter_stage()
    assert trainer.game.sampler.weight.tolist() == last and trainer.kept == {} and order == [2]
    assert not any(optimizer.state for optimizer in trainer.optimizers.values())


def test_a_stage_may_go_on_from_the_sampler_that_was_kept():
    trainer, order = halves(), []
    trainer.game.anew = Anew(0.5, after=lambda: order.append(trainer.game.sampler.weight.tolist()))
    trainer.fit(0.004)
    trainer.keep()
    kept = trainer.game.sampler.weight.tolist()
    trainer.fit(0.008)
    assert trainer.game.sampler.weight.tolist() != kept and order == []
    trainer.enter_stage()
    assert trainer.game.sampler.weight.tolist() == trainer.ema.module.weight.tolist() == kept
    assert order == [kept] and trainer.kept == {}
    trainer.keep()
    assert trainer.kept == {}, "no such stage is to come"
    trainer.play_step()
    assert len(order) == 1 and trainer.game.sampler.weight.tolist() != kept


def test_a_stage_before_which_nothing_was_kept_goes_on_from_the_last_sampler():
    trainer = halves()
    trainer.fit(0.008)
    last = trainer.game.sampler.weight.tolist()
    trainer.enter_stage()
    assert trainer.game.sampler.weight.tolist() == last


def test_optimisers_begin_anew_with_such_a_stage():
    trainer = halves()
    trainer.fit(0.008)
    assert all(optimizer.state for optimizer in trainer.optimizers.values())
    before = trainer.game.sampler.weight.detach().clone()
    trainer.enter_stage()
    assert not any(optimizer.state for optimizer in trainer.optimizers.values())
    trainer.play_step()  # of which Adam's first step is as long as the rate
    moved = (trainer.game.sampler.weight - before).abs()
    torch.testing.assert_close(moved, torch.full((2,), 0.1), rtol=1e-5, atol=0)
    state = trainer.optimizers["a"].state[trainer.game.sampler.weight]
    trainer.play_step()
    assert state["step"] == 2, "since then"


def test_some_watches_look_before_such_a_stage():
    seen: list[tuple[str, int]] = []
    watches = [
        Watch(100, lambda t: seen.append(("brink", t.seen)), brinks=True),
        Watch(100, lambda t: seen.append(("end", t.seen))),
    ]
    halves(watches).fit(0.016)
    assert seen == [("brink", 8), ("brink", 16), ("end", 16)]


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_run_of_such_stages_goes_on_as_if_it_had_never_been_stopped(stop):
    watch = Watch(4, keep_first)
    whole, stopped, other = (halves([watch]) for _ in range(3))
    whole.fit(0.016)
    stopped.fit(0.004 * stop)
    with torch.no_grad():
        for p in other.game.parameters():
            p.zero_()
    restore(other, capture(stopped))
    other.fit(0.016)
    for name, x in whole.game.state_dict().items():
        assert torch.equal(other.game.state_dict()[name], x)
    assert torch.equal(other.ema.module.weight, whole.ema.module.weight)
    assert whole.game.sampler.weight.tolist() != halves().fit(0.016).game.sampler.weight.tolist()
