"""The two-player game: a sampler against a discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ..adaptive import Adaptive
from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..objectives import RELATIVISTIC, Objective
from ..penalties import Look, Penalty, Side
from ..terms import Term

Augment = Callable[[Tensor, Draw], Tensor]


@dataclass(frozen=True)
class Updates:
    """How D's updates are played.

    Attributes:
        steps: how many a step has, as a function of the step; one if not given.
        clip: if given, D's weights are clipped to plus or minus this after each.
    """

    steps: Callable[[int], int] | None = None
    clip: float | None = None


class NoiseSampler(Sampler):
    """Samples from standard normal noise and, if there is one, a condition.

    Args:
        generator: maps z `(n, latent)`, and a condition where there is one, to samples.
        latent: dimension of z.
    """

    def __init__(self, generator: nn.Module, latent: int) -> None:
        super().__init__()
        self.generator, self.latent = generator, latent

    def draw(self, draw: Draw) -> Tensor:
        """z from N(0, I), `(n, latent)`."""
        return draw.normal(self.latent)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """G(z), or G(z, condition)."""
        return self.generator(z) if condition is None else self.generator(z, condition)


class GAN(Game[Sampler]):
    """Generator G against discriminator D.

    D minimises its objective and its penalties, then G minimises its own; each looks at a fresh batch.

    Args:
        sampler: G, with the noise it starts from.
        discriminator: D, maps samples `(n, ...)`, and a condition where there is one, to logits.
        objective: what either side minimises.
        penalties: extra losses of D.
        terms: extra losses of G; each is a turn of its own.
        augment: what D sees of real and of generated samples alike; differentiable.
        updates: how often D moves in a step, and what is done to its weights then.
        joint: D judges real and generated samples in one pass. Right only where a sample's logit depends on
            that sample alone (no batch norm); then it is faster.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
    """

    def __init__(
        self,
        sampler: Sampler,
        discriminator: nn.Module,
        *,
        objective: Objective = RELATIVISTIC,
        penalties: Sequence[Penalty] = (),
        terms: Sequence[Term] = (),
        augment: Augment | None = None,
        updates: Updates = Updates(),
        joint: bool = False,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.objective, self.penalties, self.terms = objective, tuple(penalties), tuple(terms)
        self.augment, self.updates, self.joint = augment, updates, joint
        self.parts = nn.ModuleList(part for part in (*penalties, *terms) if isinstance(part, nn.Module))
        self.adaptive = tuple(part for part in self.modules() if isinstance(part, Adaptive))

    def players(self) -> dict[str, nn.Module]:
        """G and D."""
        return {"G": self.sampler, "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """D as often as it moves, its lazy penalties, then G and its terms."""
        lazy = [Turn("D", partial(self.penalise, p), every=p.every) for p in self.penalties if p.every > 1]
        terms = [Turn("G", partial(self.charge, term), every=term.every) for term in self.terms]
        after = None if self.updates.clip is None else self.clip_weights
        repeat = 1 if self.updates.steps is None else self.updates.steps(step)
        first = Turn("D", self.criticise, repeat=repeat, after=after)
        return [first, *lazy, Turn("G", self.generate), *terms]

    def critic(self) -> Critic:
        """D."""
        return self.discriminate

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real from generated."""
        penalties = [p for p in self.penalties if p.every == 1]
        seen = self.look(batch, draw, {side for p in penalties for side in p.slopes_of})
        adversarial = self.objective.discriminator(seen.real_logits, seen.fake_logits).mean()
        losses = {p.name: p.weight * p(seen).mean() for p in penalties}
        noticed = signals(seen.real_logits, seen.fake_logits) | self.notice(seen)
        return Terms({"adversarial": adversarial, **losses}, noticed)

    def penalise(self, penalty: Penalty, batch: Batch, draw: Draw) -> Terms:
        """A lazy turn of D: one penalty alone, as much heavier as it is rarer."""
        seen = self.look(batch, draw, set(penalty.slopes_of))
        loss = penalty.weight * penalty.every * penalty(seen).mean()
        self.notice(seen)
        return Terms({penalty.name: loss})

    def notice(self, seen: Look) -> dict[str, Tensor]:
        """Let the parts that adapt watch; what they say."""
        found: dict[str, Tensor] = {}
        for part in self.adaptive:
            found |= part.watch(seen)
        return found

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have generated samples taken for real ones."""
        condition = told(batch)
        fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        fake_logits = self.judge(fake, condition, draw)
        real_logits = fake_logits
        if self.objective.relativistic:
            real_logits = self.judge(batch["real"], condition, draw)
        return Terms({"adversarial": self.objective.generator(fake_logits, real_logits).mean()})

    def charge(self, term: Term, batch: Batch, draw: Draw) -> Terms:
        """A turn of G: one term alone, as much heavier as it is rarer."""
        return Terms({term.name: term.weight * term.every * term(batch, draw).mean()})

    def look(self, batch: Batch, draw: Draw, slopes_of: set[Side]) -> Look:
        """D's logits of real samples and of as many generated ones, paired by position."""
        real, condition = batch["real"], told(batch)
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        real = real.detach().requires_grad_("real" in slopes_of)
        fake = fake.requires_grad_("fake" in slopes_of)
        critic = partial(self.judge, condition=condition, draw=draw)
        plain = None if self.augment is None else partial(self.discriminate, condition=condition)
        if self.joint and len(slopes_of) != 1:  # the slope of one half alone would go through both
            both = None if condition is None else torch.cat([condition, condition])
            said = self.discriminate(torch.cat([self.show(real, draw), self.show(fake, draw)]), both)
            real_logits, fake_logits = said.chunk(2)
            return Look(critic, real, fake, real_logits, fake_logits, draw, plain)
        return Look(critic, real, fake, critic(real), critic(fake), draw, plain)

    def judge(self, x: Tensor, condition: Tensor | None, draw: Draw) -> Tensor:
        """D's logits of what it is shown of x, `(n, k)`."""
        return self.discriminate(self.show(x, draw), condition)

    def discriminate(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """D's logits of x itself, `(n, k)`, in float32."""
        said = self.discriminator(x) if condition is None else self.discriminator(x, condition)
        return said.float().flatten(1)

    def show(self, x: Tensor, draw: Draw) -> Tensor:
        """What D sees of x."""
        return x if self.augment is None else self.augment(x, draw)

    @torch.no_grad()
    def clip_weights(self) -> None:
        """Keep D within a box, and so its slope bounded (Wasserstein GAN, algorithm 1, line 7)."""
        most = self.updates.clip
        assert most is not None
        for weight in self.discriminator.parameters():
            weight.clamp_(-most, most)


def told(batch: Batch) -> Tensor | None:
    """What D is told of classes: -1, which is none, of a pair whose real sample has no label."""
    condition, known = batch.get("condition"), batch.get("known")
    return condition if condition is None or known is None else torch.where(known, condition, -1)


def signals(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """What D says of real and generated samples, for the log and the health of a run."""
    real, fake = real.detach(), fake.detach()
    return {
        "real_logit": real.mean(),
        "fake_logit": fake.mean(),
        "real_sign": real.sign().mean(),
        "fake_sign": fake.sign().mean(),
        "order": (real > fake).float().mean(),
    }
