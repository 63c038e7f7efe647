"""CycleGAN: there and back again, without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor, nn

from ..augment.joint import STILL, Jointly
from ..draw import Draw
from ..game import Batch, Game, Terms, Translator, Turn
from ..nn.layers import AcrossRanks
from ..objectives import LEAST_SQUARES
from .gan import signals
from .translation import Handed, fitted

OTHER = {"real": "source", "source": "real"}


class BothWays(Translator):
    """A network there, and one back.

    Args:
        there, back: map pictures to pictures.
        stride: sides that the networks take are multiples of this; others are padded.
        least: the smallest side that they take.
    """

    ways = 2

    def __init__(self, there: nn.Module, back: nn.Module, *, stride: int = 1, least: int = 1) -> None:
        super().__init__()
        self.there, self.back_again = there, back
        self.stride, self.least = stride, least

    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        """Pictures in [-1, 1]."""
        return fitted(self.back_again if back else self.there, source, self.stride, least=self.least)


class History(AcrossRanks):
    """Made pictures of earlier steps, of which D is shown one instead of every second new one.

    Every row of a batch has its own, so that parts of a batch see what the whole would. Every process knows
    those of all, so that whichever saves the game saves all of it.

    Args:
        size: pictures in all.
        batch: rows of a batch.
        shape: of a picture.

    References:
        Learning from Simulated and Unsupervised Images through Adversarial Training (Shrivastava et al.,
        2016), https://arxiv.org/abs/1612.07828
    """

    kept: Tensor
    filled: Tensor

    def __init__(self, size: int, batch: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.depth = max(1, round(size / batch)) if size else 0
        # Flat: torch would refuse to lay tensors of five dimensions channels last.
        self.register_buffer("kept", torch.zeros(batch, self.depth, prod(shape)))
        self.register_buffer("filled", torch.zeros(batch, dtype=torch.int64))

    @torch.no_grad()
    def forward(self, fake: Tensor, draw: Draw) -> Tensor:
        """Pictures to show D, as many as there are new ones, which are remembered."""
        if not self.depth:
            return fake
        rows = torch.arange(self.kept.shape[0], device=fake.device)[draw.rows]
        full = self.filled[rows] >= self.depth
        place = torch.where(full, draw.integers(self.depth), self.filled[rows].clamp_max(self.depth - 1))
        swapped, flat = full & (draw.uniform() < 0.5), fake.float().flatten(1)
        old = self.kept[rows, place]
        shown = torch.where(swapped[:, None], old, flat)
        self.remember(rows, place, torch.where((swapped | ~full)[:, None], flat, old))
        return shown.unflatten(1, fake.shape[1:])

    def remember(self, rows: Tensor, place: Tensor, flat: Tensor) -> None:
        """Keep a picture of each of some rows at its place, and what other processes keep of theirs."""
        batch, mark = len(self.kept), torch.ones(len(rows), 1, device=flat.device)
        told = torch.zeros(batch, 2 + flat.shape[1], device=flat.device)
        told[rows] = torch.cat([mark, place[:, None].float(), flat], 1)
        if self.sum_over_ranks is not None:
            told = self.sum_over_ranks(told)
        changed, at = told[:, 0] > 0, told[:, 1].long()
        every = torch.arange(batch, device=flat.device)
        self.kept[every, at] = torch.where(changed[:, None], told[:, 2:], self.kept[every, at])
        self.filled += changed & (self.filled < self.depth)


class CycleGAN(Game[BothWays]):
    """Two translators and two discriminators; what is translated there and back must be what it was.

    Args:
        translator: both ways.
        discriminators: of what is translated into (`real`), and of what is given (`source`).
        cycle: weight of what does not come back.
        identity: weight, as a share of `cycle`, of what is changed in pictures that need no translation;
            0 where both sides have other channels.
        histories: what D is shown again, one for each side.
        moves: what is done to pictures before.
        noise: standard deviation of what is added before the way back: else colours are hidden in dots.

    References:
        Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al., 2017),
        https://arxiv.org/abs/1703.10593
        CycleGAN, a Master of Steganography (Chu et al., 2017), https://arxiv.org/abs/1712.02950
    """

    def __init__(
        self,
        translator: BothWays,
        discriminators: Mapping[str, nn.Module],
        histories: Mapping[str, History],
        *,
        cycle: float = 10.0,
        identity: float = 0.5,
        moves: Jointly = STILL,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminators = translator, nn.ModuleDict(discriminators)
        self.histories = nn.ModuleDict(histories)
        self.cycle, self.identity, self.moves, self.noise = cycle, identity, moves, noise
        self.handed = Handed()

    def players(self) -> dict[str, nn.Module]:
        """Both translators are G, both discriminators D."""
        return {"G": self.sampler, "D": self.discriminators}

    def turns(self, step: int) -> list[Turn]:
        """G, then D."""
        return [Turn("G", self.generate), Turn("D", self.criticise, again=True)]

    def critic(self) -> None:
        """D judges one of two sides."""
        return None

    def prepare(self, batch: Batch, draw: Draw) -> dict[str, Tensor]:
        """Both sides, each moved in its own way."""
        return {name: self.moves(draw, batch[name])[0] for name in ("source", "real")}

    def translated(self, seen: Mapping[str, Tensor], *, also: bool) -> dict[str, tuple[Tensor, Tensor]]:
        """By the side they shall be like: what is made of the other; and of that side's own, or none."""
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for side, other in OTHER.items():
            given = torch.cat([seen[other], seen[side]]) if also else seen[other]
            made = self.sampler(given, back=side == "source")
            found[side] = made[: len(seen[other])], made[len(seen[other]) :]
        return found

    def made(self, batch: Batch, draw: Draw) -> tuple[Tensor, ...]:
        """Both sides, then what is made to be like them."""
        seen = self.prepare(batch, draw)
        with torch.no_grad():
            made = self.translated(seen, also=False)
        return seen["real"], seen["source"], made["real"][0], made["source"][0]

    def judge(self, side: str, x: Tensor) -> Tensor:
        """Logits of pictures of one side, `(n, k)`."""
        return self.discriminators[side](x).float().flatten(1)

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: be taken for real on both sides, come back, and change nothing that needs no change."""
        seen = self.prepare(batch, draw)
        also = self.identity * self.cycle > 0 and seen["source"].shape[1:] == seen["real"].shape[1:]
        made = self.translated(seen, also=also)
        self.handed.keep(draw, seen["real"], seen["source"], made["real"][0], made["source"][0])
        losses: dict[str, Tensor] = {}
        for side, (fake, same) in made.items():
            logits, other = self.judge(side, fake), OTHER[side]
            losses[f"adversarial_{side}"] = LEAST_SQUARES.generator(logits, logits).mean() * 2
            if self.cycle:
                noisy = fake + self.noise * draw.normal(*fake.shape[1:]) if self.noise else fake
                back = self.sampler(noisy, back=side == "real")
                losses[f"cycle_{other}"] = self.cycle * difference(back, seen[other])
            if also:
                losses[f"identity_{side}"] = self.identity * self.cycle * difference(same, seen[side])
        return Terms(losses)

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real from made, on both sides; half of the objective."""
        real, source, *made = self.handed.take(draw) or self.made(batch, draw)
        losses, said = {}, {}
        for side, x, fake in zip(("real", "source"), (real, source), made, strict=True):
            shown = torch.cat([x, self.histories[side](fake, draw)])
            real_logits, fake_logits = self.judge(side, shown).chunk(2)
            losses[f"adversarial_{side}"] = LEAST_SQUARES.discriminator(real_logits, fake_logits).mean()
            if side == "real":
                said = signals(real_logits, fake_logits)
        return Terms(losses, said)


def difference(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (a.float() - b.float()).abs().mean()
