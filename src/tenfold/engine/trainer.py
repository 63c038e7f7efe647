"""The one loop that plays every game."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from ..adaptive import Adaptive
from ..draw import Draw, derive
from ..errors import Diverged
from ..game import Batch, Game, Terms, Turn
from .ema import EMA
from .runtime import Runtime
from .schedule import Schedule, constant

if TYPE_CHECKING:
    from collections.abc import Callable


class Batches(Protocol):
    """Where a trainer's batches come from: batch `index` of a run, or some rows of it."""

    @property
    def size(self) -> int:
        """Samples in a batch, over all ranks."""
        ...

    def __call__(self, index: int, rows: slice, /) -> Batch:
        """Some rows of a batch."""
        ...


@dataclass(frozen=True)
class Settings:
    """How a game is played, whatever the game.

    Attributes:
        seed: everything random derives from it.
        planned: samples the whole run will see; schedules are functions of the share that has been seen.
        half_life_kimg: of the average of the sampler's weights, in thousands of samples.
        micro_batches: parts in which a batch is processed, gradients adding up (to save memory).
        together: samples that are judged together: a part holds whole packs of so many.
        channels_last: whether pictures lie in memory with their channels last.
        log_every: steps over which logged values are averaged.
    """

    seed: int = 0
    planned: int = 0
    half_life_kimg: float = 10.0
    micro_batches: int = 1
    together: int = 1
    channels_last: bool = False
    log_every: int = 20


@dataclass(frozen=True)
class Watch:
    """Something that looks at a run from time to time.

    Attributes:
        every: number of samples between two looks; the end of a run is looked at in any case.
        act: what is done; it must not change the trainer's state, but may let it keep the sampler.
        brinks: whether it also looks before a stage that goes on from the best sampler.
    """

    every: int
    act: Callable[[Trainer], None]
    brinks: bool = False


class Trainer:
    """Plays the turns of a game; knows nothing of generators, discriminators, noise or logits.

    Args:
        game: the networks and their turns.
        optimizers: one per player, by name.
        data: batches with a row per sample.
        settings: how to play.
        schedules: of the learning rates, by player; constant where none is given.
        runtime: device, precision and processes.
        watches: what looks at the run.

    Example:
        >>> from tenfold.data.order import Rows, Shuffled
        >>> from tenfold.games.gan import GAN, NoiseSampler
        >>> from tenfold.penalties import R1, R2
        >>> data = Shuffled(Rows(torch.randn(512, 2)), size=64)
        >>> G, D = nn.Linear(4, 2), nn.Linear(2, 1, bias=False)
        >>> game = GAN(NoiseSampler(G, 4), D, penalties=[R1(), R2()])
        >>> optimizers = {name: torch.optim.Adam(p.parameters()) for name, p in game.players().items()}
        >>> Trainer(game, optimizers, data).fit(kimg=0.64).step
        10
    """

    def __init__(
        self,
        game: Game[Any],
        optimizers: Mapping[str, Optimizer],
        data: Batches,
        *,
        settings: Settings = Settings(),
        schedules: Mapping[str, Schedule] | None = None,
        runtime: Runtime = Runtime(),
        watches: Sequence[Watch] = (),
    ) -> None:
        self.game, self.optimizers, self.data = game, optimizers, data
        self.settings, self.runtime, self.watches = settings, runtime, list(watches)
        self.schedules = schedules or {}
        self.ema = EMA(game.sampler, settings.half_life_kimg)
        self.players = {name: Player(module) for name, module in game.players().items()}
        self.base_rates = {name: [g["lr"] for g in o.param_groups] for name, o in optimizers.items()}
        self.adaptive = [part for part in game.modules() if isinstance(part, Adaptive)]
        self.step, self.drawn, self.rate, self.stopping = 0, 0, 1.0, False
        self.goal, self.stage = 0, 0.0
        self.kept: dict[str, Tensor] = {}
        self.log = Log()
        set_modes(game, self.players.values())

    @property
    def seen(self) -> int:
        """Samples seen: the clock of a run."""
        return self.step * self.data.size

    @property
    def progress(self) -> float:
        """Share of the planned samples that has been seen."""
        return self.seen / self.settings.planned if self.settings.planned else 0.0

    def fit(self, kimg: float) -> Trainer:
        """Play until the run has seen so many thousand samples, or until it is asked to stop."""
        self.goal = ceil(1000 * kimg / self.data.size)
        while self.step < self.goal and not self.stop_asked():
            before = self.seen
            self.play_step()
            over, brink = self.step == self.goal, self.on_brink()
            for watch in self.watches:
                due = self.seen // watch.every > before // watch.every
                if due or over or (brink and watch.brinks):
                    watch.act(self)
        return self

    def on_brink(self) -> bool:
        """Whether the next step is the first of a stage that goes on from the best sampler."""
        anew = self.game.anew
        return anew is not None and self.stage < anew.at <= self.progress

    def keep(self) -> None:
        """Keep the averaged sampler as it is for a stage that goes on from the best one; for a watch."""
        anew = self.game.anew
        if anew is not None and anew.best and self.stage < anew.at:
            self.kept = {name: x.clone() for name, x in self.ema.module.state_dict().items()}

    def plan_anew(self, planned: int) -> None:
        """Let the whole run see another number of samples; for a watch, while the run is played."""
        before = self.settings.planned
        self.settings = replace(self.settings, planned=planned)
        self.goal = ceil(planned / self.data.size)
        for part in self.adaptive:
            part.replanned(before / planned)

    def stop_asked(self) -> bool:
        """Whether to stop now; several ranks ask each other, and so only now and then."""
        if self.runtime.world > 1 and self.step % self.settings.log_every:
            return False
        return self.runtime.any(self.stopping)

    def play_step(self) -> None:
        """Every turn of one step, then the average of the sampler."""
        self.enter_stage()
        self.set_rates()
        for number, turn in enumerate(self.game.turns(self.step)):
            if self.step % turn.every == 0:
                for repeat in range(turn.repeat):
                    self.play(turn, derive(self.settings.seed, "turn", self.step, number, repeat))
        self.step += 1
        self.ema.update(self.seen, self.data.size)

    def enter_stage(self) -> None:
        """Tell the game how far the run is; a stage that was left stays so, even if more is planned then."""
        brink = self.on_brink()
        self.stage = max(self.stage, *(begin for begin in self.game.stages if begin <= self.progress), 0.0)
        self.game.progress = max(self.progress, self.stage)
        if brink:
            self.begin_anew()

    def begin_anew(self) -> None:
        """Go on from the sampler that was kept, if one was; optimisers forget gradients of other losses."""
        if self.runtime.any(bool(self.kept)):  # where nobody watches, on other ranks, nothing was kept
            kept = self.kept or {name: x.clone() for name, x in self.game.sampler.state_dict().items()}
            self.runtime.spread(kept.values())
            for module in (self.game.sampler, self.ema.module):
                module.load_state_dict(kept)
            self.kept = {}
        for optimizer in self.optimizers.values():
            optimizer.state.clear()
        if self.game.anew is not None and self.game.anew.after is not None:
            self.game.anew.after()

    def play(self, turn: Turn, seed: int) -> None:
        """One update of one player, on a fresh batch or on the last one."""
        self.drawn += not turn.again
        optimizer, player = self.optimizers[turn.player], self.players[turn.player]
        optimizer.zero_grad(set_to_none=True)
        torch.manual_seed(seed)  # for layers that draw by themselves (dropout)
        with moving(player, self.players.values()):
            for rows in self.parts():
                draw = Draw(seed, rows, self.data.size, self.runtime.device)
                with self.runtime.autocast():
                    terms = turn.loss(self.batch(rows), draw)
                # By its share of the batch: parts, and ranks, may differ in size by one.
                share = len(draw) * self.runtime.world / self.data.size
                (sum_of(terms) * share).backward()
                self.log.add(turn.player, terms)
        self.runtime.average_gradients(player.parameters)
        if self.step % self.settings.log_every == 0:
            self.log.note(f"{turn.player}/gradient_norm", player.gradient_norm())
        optimizer.step()
        if turn.after is not None:
            turn.after()
        for part in self.adaptive:
            part.noted.copy_(self.runtime.mean(part.noted))
            part.settle(self.progress)

    def parts(self) -> list[slice]:
        """The rows of the global batch that this rank looks at, one micro-batch at a time.

        They are cut between packs; what is left over of the last goes with it.
        """
        pieces = self.runtime.world * self.settings.micro_batches
        packs, size = self.data.size // self.settings.together, self.settings.together
        edges = [*(packs * i // pieces * size for i in range(pieces)), self.data.size]
        first = self.runtime.rank * self.settings.micro_batches
        mine = edges[first : first + self.settings.micro_batches + 1]
        return [slice(a, b) for a, b in pairwise(mine)]

    def batch(self, rows: slice) -> Batch:
        """Some rows of the batch that was drawn last, where and how the networks want them."""
        batch = self.data(self.drawn - 1, rows)
        return {name: self.place(x) for name, x in batch.items()}

    def place(self, x: Tensor) -> Tensor:
        """A tensor on the run's device and in its memory format."""
        x = x.to(self.runtime.device, non_blocking=True)
        last = self.settings.channels_last and x.ndim == 4
        return x.contiguous(memory_format=torch.channels_last) if last else x

    def set_rates(self) -> None:
        """The learning rates of this step."""
        for name, optimizer in self.optimizers.items():
            # Of a run that is extended, too, a stage that was left stays so.
            factor = self.rate * self.schedules.get(name, constant)(self.game.progress)
            for group, base in zip(optimizer.param_groups, self.base_rates[name], strict=True):
                group["lr"] = base * factor

    def flush(self) -> dict[str, float]:
        """Means of the terms and signals since the last flush, over all ranks.

        Raises:
            Diverged: if one is not finite, naming it.
        """
        means = self.log.flush(self.runtime)
        bad = [name for name, value in means.items() if value != value or abs(value) == float("inf")]
        if bad:
            raise Diverged(
                f"{bad[0]} is {means[bad[0]]} at step {self.step} ({self.seen} samples seen); finite terms "
                "were expected. Try a lower learning rate, or --precision fp32."
            )
        return means

    def whole(self) -> bool:
        """Whether every parameter is finite."""
        with torch.no_grad():
            return all(bool(torch.isfinite(p).all()) for p in self.game.parameters())


class Player:
    """A player's parameters that may move, and those that were frozen before (transfer) and stay so."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.parameters = [p for p in module.parameters() if p.requires_grad]

    def gradient_norm(self) -> Tensor:
        """Euclidean norm of the whole gradient."""
        return get_total_norm([p.grad for p in self.parameters if p.grad is not None])


@contextmanager
def moving(player: Player, players: Collection[Player]) -> Iterator[None]:
    """Let one player's parameters learn and freeze everybody else's; afterwards all may learn again."""
    everybody = [parameter for other in players for parameter in other.parameters]
    for parameter in everybody:
        parameter.requires_grad_(False)
    for parameter in player.parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in everybody:
            parameter.requires_grad_(True)


def set_modes(game: Game[Any], players: Any) -> None:  # noqa: ANN401
    """Training mode for players; a module of no player (a feature network) stays as it is in use."""
    game.eval()
    for player in players:
        player.module.train()


def sum_of(terms: Terms) -> Tensor:
    """What is minimised."""
    return torch.stack([t.float() for t in terms.losses.values()]).sum()


@dataclass
class Log:
    """Running sums of terms and signals; they stay on the device until they are read."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, player: str, terms: Terms) -> None:
        """Note the terms and signals of one look."""
        for values in (terms.losses, terms.signals):
            for name, value in values.items():
                self.note(f"{player}/{name}", value.detach().float())

    def note(self, name: str, value: Tensor) -> None:
        """Note one value."""
        held = self.sums.get(name)
        self.sums[name] = value if held is None else held + value
        self.counts[name] = self.counts.get(name, 0) + 1

    def flush(self, runtime: Runtime) -> dict[str, float]:
        """The means since the last flush; forgets them."""
        if not self.sums:
            return {}
        names = list(self.sums)
        means = torch.stack([self.sums[n] / self.counts[n] for n in names])
        self.sums, self.counts = {}, {}
        return dict(zip(names, runtime.mean(means).tolist(), strict=True))
