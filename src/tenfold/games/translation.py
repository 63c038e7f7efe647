"""Pix2pix's game: a picture is made of another, and D judges both together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..augment.joint import STILL, Jointly
from ..comparing import Comparison, apart
from ..degrade import Degradation
from ..draw import Draw
from ..game import Batch, Game, Terms, Translator, Turn
from ..nn.networks.superres import UNetDiscriminator
from ..nn.networks.unet import PatchDiscriminator
from ..objectives import NON_SATURATING, Objective
from ..penalties import Look, Penalty
from .gan import signals

Judge = PatchDiscriminator | UNetDiscriminator


def padded(x: Tensor, stride: int, least: int = 1) -> tuple[Tensor, int, int]:
    """Pictures with their border repeated, up to sides that a network takes; and where they begin in these.

    Args:
        x: pictures `(n, c, h, w)`.
        stride: sides become multiples of it.
        least: of a side; a multiple of the stride.

    Returns:
        The larger pictures, and the first row and column that are of x.
    """
    down, across = (max(side + -side % stride, least) - side for side in x.shape[2:])
    if not (down or across):
        return x, 0, 0
    around = (across // 2, across - across // 2, down // 2, down - down // 2)
    return F.pad(x, around, mode="replicate"), down // 2, across // 2


def fitted(
    network: Callable[[Tensor], Tensor], x: Tensor, stride: int, *, scale: int = 1, least: int = 1
) -> Tensor:
    """What a network makes of pictures whose sides need not be multiples of its stride."""
    height, width = (side * scale for side in x.shape[2:])
    whole, top, left = padded(x, stride, least)
    made = network(whole)
    return made[:, :, top * scale : top * scale + height, left * scale : left * scale + width]


class OneWay(Translator):
    """A network that makes one picture of another.

    Args:
        network: maps pictures to pictures.
        stride: sides that the network takes are multiples of this; others are padded.
        least: the smallest side that it takes.
        scale, reach: see `Translator`.
    """

    def __init__(
        self, network: nn.Module, *, stride: int = 1, least: int = 1, scale: int = 1, reach: int | None = None
    ) -> None:
        super().__init__()
        self.network, self.stride, self.least = network, stride, least
        self.scale, self.reach = scale, reach

    def forward(self, source: Tensor, back: bool = False) -> Tensor:
        """Pictures in [-1, 1]."""
        return fitted(self.network, source, self.stride, scale=self.scale, least=self.least)


class Filling(nn.Module):
    """A network that fills holes: what it makes counts there alone, everything else stays as it is given.

    Args:
        network: maps pictures, with one more channel that is 1 where they are whole and -1 where they are
            not, to pictures.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Whole pictures in [-1, 1]."""
        return torch.where(x[:, -1:] > 0, x[:, :-1], self.network(x))


class Handed:
    """What G made in its turn, for D's turn in the same step: it need not be made again.

    Nothing of it is saved: between two steps there is none.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], tuple[Tensor, ...]] = {}

    def keep(self, draw: Draw, *seen: Tensor) -> None:
        """Remember pictures of these rows of the batch; nothing learns from them any more."""
        self.kept[draw.rows.start, draw.rows.stop] = tuple(x.detach() for x in seen)

    def take(self, draw: Draw) -> tuple[Tensor, ...] | None:
        """What was kept of these rows, once; None if nothing was."""
        return self.kept.pop((draw.rows.start, draw.rows.stop), None)


@dataclass(frozen=True)
class Adversary:
    """How D is heard.

    Attributes:
        objective: what either side minimises.
        weight: of what D says.
        matching: weight of the difference in what D sees of made and of real pictures.
        conditional: whether D sees what a picture was made of, too.
        since: share of the run before which G learns from the first comparison alone.
        penalties: extra losses of D.
    """

    objective: Objective = NON_SATURATING
    weight: float = 1.0
    matching: float = 0.0
    conditional: bool = True
    since: float = 0.0
    penalties: Sequence[Penalty] = ()


class Translation(Game[Translator]):
    """G makes pictures of others; D tells pairs with a real one from pairs with a made one.

    G minimises what D says of it and how far its pictures are from the real ones. Without D, only the latter.

    Args:
        translator: G.
        discriminator: D, maps both pictures, channels together, to logits; None for no adversary.
        comparisons: how far made pictures are from real ones.
        adversary: how D is heard.
        moves: what is done to both pictures of a pair before.
        degrade: what makes the source of the real picture, where there are no pairs.

    References:
        Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2016),
        https://arxiv.org/abs/1611.07004
    """

    def __init__(
        self,
        translator: Translator,
        discriminator: Judge | None,
        *,
        comparisons: Sequence[Comparison] = (),
        adversary: Adversary = Adversary(),
        moves: Jointly = STILL,
        degrade: Degradation | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator, self.adversary = translator, discriminator, adversary
        self.comparisons, self.moves, self.degrade = tuple(comparisons), moves, degrade
        self.handed = Handed()
        self.stages = (adversary.since,) if adversary.since and discriminator is not None else ()

    def players(self) -> dict[str, nn.Module]:
        """G and D."""
        players: dict[str, nn.Module] = {"G": self.sampler}
        return players if self.discriminator is None else players | {"D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """G, then D of what G made, and its lazy penalties; without D, or before it begins, G alone."""
        if self.alone():
            return [Turn("G", self.generate)]
        lazy = [Turn("D", partial(self.penalise, p), every=p.every) for p in self.adversary.penalties]
        return [Turn("G", self.generate), Turn("D", self.criticise, again=True), *lazy]

    def alone(self) -> bool:
        """Whether G learns without an adversary."""
        return self.discriminator is None or self.progress < self.adversary.since

    def critic(self) -> None:
        """D judges pairs, and no picture alone."""
        return None

    def prepare(self, batch: Batch, draw: Draw) -> tuple[Tensor, Tensor]:
        """What is given, and what shall be made of it."""
        real = batch["real"]
        if self.degrade is not None:
            (real,) = self.moves(draw, real)
            with torch.autocast(real.device.type, enabled=False):  # the data are no layer to be rounded
                return self.degrade(real, draw), real
        source, real = self.moves(draw, batch["source"], real)
        return source, real

    def judge(self, source: Tensor, x: Tensor) -> Tensor:
        """D's logits of pairs, `(n, k)`."""
        assert self.discriminator is not None
        return self.discriminator(self.shown(source, x)).float().flatten(1)

    def shown(self, source: Tensor, x: Tensor) -> Tensor:
        """What D sees."""
        return torch.cat([source, x], 1) if self.adversary.conditional else x

    def unlike(self, source: Tensor, fake: Tensor, real: Tensor) -> Tensor:
        """Feature matching: the difference in what D sees of made and of real pictures, `(n,)`.

        References:
            High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs (Wang et al.,
            2017), https://arxiv.org/abs/1711.11585
        """
        assert self.discriminator is not None
        with torch.no_grad():
            wanted = self.discriminator.maps(self.shown(source, real))
        return apart(self.discriminator.maps(self.shown(source, fake)), wanted)

    def made(self, batch: Batch, draw: Draw) -> tuple[Tensor, ...]:
        """Sources, what shall be made of them, and what is made."""
        source, real = self.prepare(batch, draw)
        with torch.no_grad():
            return source, real, self.sampler(source)

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell pairs with a real picture from those with a made one; half of the objective."""
        source, real, fake = self.handed.take(draw) or self.made(batch, draw)
        real_logits, fake_logits = self.judge(source, real), self.judge(source, fake)
        loss = self.adversary.objective.discriminator(real_logits, fake_logits).mean() / 2
        return Terms({"adversarial": loss}, signals(real_logits, fake_logits))

    def penalise(self, penalty: Penalty, batch: Batch, draw: Draw) -> Terms:
        """A lazy turn of D: one penalty alone, of the mean of its logits, as much heavier as it is rarer.

        With a batch norm in D slopes are those of the batch: pictures speak for each other there.
        """
        if "fake" in penalty.slopes_of:
            source, real, fake = self.made(batch, draw)
        else:
            source, real = self.prepare(batch, draw)
            fake = real  # nobody looks at it
        real = real.detach().requires_grad_("real" in penalty.slopes_of)
        fake = fake.detach().requires_grad_("fake" in penalty.slopes_of)

        def critic(x: Tensor) -> Tensor:  # of their sum slopes would be as much steeper as there are patches
            return self.judge(source, x).mean(1, keepdim=True)

        seen = Look(critic, real, fake, critic(real), critic(fake), draw)
        return Terms({penalty.name: penalty.weight * penalty.every * penalty(seen).mean()})

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have its pictures taken for real ones, and be near to these."""
        source, real = self.prepare(batch, draw)
        fake, heard = self.sampler(source), self.adversary
        compared = self.comparisons[: 1 if self.progress < heard.since else None]
        losses = {c.name: c.weight * c(fake, real).mean() for c in compared}
        if not self.alone():
            self.handed.keep(draw, source, real, fake)
            logits = self.judge(source, fake)
            losses["adversarial"] = heard.weight * heard.objective.generator(logits, logits).mean()
            if heard.matching:
                losses["matching"] = heard.matching * self.unlike(source, fake, real).mean()
        return Terms(losses)
