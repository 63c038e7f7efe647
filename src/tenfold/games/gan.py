"""The two-player game: a sampler against a discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..objectives import RELATIVISTIC, Objective
from ..penalties import Look, Penalty, Side

Augment = Callable[[Tensor, Draw], Tensor]


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
        augment: what D sees of real and of generated samples alike; differentiable.
        critic_steps: how many updates of D a step has, as a function of the step; one if not given.
        clip: if given, D's weights are clipped to plus or minus this after each of its updates.
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
        augment: Augment | None = None,
        critic_steps: Callable[[int], int] | None = None,
        clip: float | None = None,
        joint: bool = False,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.objective, self.penalties, self.augment = objective, tuple(penalties), augment
        self.critic_steps, self.clip, self.joint = critic_steps, clip, joint

    def players(self) -> dict[str, nn.Module]:
        """G and D."""
        return {"G": self.sampler, "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """D, `critic_steps` times, its lazy penalties, then G."""
        lazy = [Turn("D", partial(self.penalise, p), every=p.every) for p in self.penalties if p.every > 1]
        after = None if self.clip is None else self.clip_weights
        repeat = 1 if self.critic_steps is None else self.critic_steps(step)
        return [Turn("D", self.criticise, repeat=repeat, after=after), *lazy, Turn("G", self.generate)]

    def critic(self) -> Critic:
        """D."""
        return self.discriminate

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real from generated."""
        penalties = [p for p in self.penalties if p.every == 1]
        seen = self.look(batch, draw, {side for p in penalties for side in p.slopes_of})
        adversarial = self.objective.discriminator(seen.real_logits, seen.fake_logits).mean()
        losses = {p.name: p.weight * p(seen).mean() for p in penalties}
        return Terms({"adversarial": adversarial, **losses}, signals(seen.real_logits, seen.fake_logits))

    def penalise(self, penalty: Penalty, batch: Batch, draw: Draw) -> Terms:
        """A lazy turn of D: one penalty alone, as much heavier as it is rarer."""
        seen = self.look(batch, draw, set(penalty.slopes_of))
        return Terms({penalty.name: penalty.weight * penalty.every * penalty(seen).mean()})

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have generated samples taken for real ones."""
        condition = batch.get("condition")
        fake = self.sampler(self.sampler.draw(draw), condition)
        fake_logits = self.judge(fake, condition, draw)
        real_logits = fake_logits
        if self.objective.relativistic:
            real_logits = self.judge(batch["real"], condition, draw)
        return Terms({"adversarial": self.objective.generator(fake_logits, real_logits).mean()})

    def look(self, batch: Batch, draw: Draw, slopes_of: set[Side]) -> Look:
        """D's logits of real samples and of as many generated ones, paired by position."""
        real, condition = batch["real"], batch.get("condition")
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), condition)
        real = real.detach().requires_grad_("real" in slopes_of)
        fake = fake.requires_grad_("fake" in slopes_of)
        critic = partial(self.judge, condition=condition, draw=draw)
        if self.joint and len(slopes_of) != 1:  # the slope of one half alone would go through both
            both = None if condition is None else torch.cat([condition, condition])
            said = self.discriminate(torch.cat([self.show(real, draw), self.show(fake, draw)]), both)
            real_logits, fake_logits = said.chunk(2)
            return Look(critic, real, fake, real_logits, fake_logits, draw)
        return Look(critic, real, fake, critic(real), critic(fake), draw)

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
        assert self.clip is not None
        for weight in self.discriminator.parameters():
            weight.clamp_(-self.clip, self.clip)


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
