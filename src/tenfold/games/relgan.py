"""RelGAN: D's gradient goes through drawn tokens, which are made soft for it, ever less so.

References:
    RelGAN: Relational Generative Adversarial Networks for Text Generation (Nie et al., 2019),
    https://openreview.net/forum?id=rJedV3R5tm
    Categorical Reparameterization with Gumbel-Softmax (Jang et al., 2016), https://arxiv.org/abs/1611.01144
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.texts.layout import PAD
from ..draw import Draw
from ..game import Anew, Batch, Critic, Game, Terms, Turn
from ..nn.networks.reader import TextDiscriminator
from ..nn.networks.series import hardened
from ..objectives import RELATIVISTIC, Objective
from .gan import signals, told
from .language import TextSampler, dropped, imitation, over


@dataclass(frozen=True)
class Softness:
    """How soft tokens are.

    Attributes:
        sharpest: inverse temperature at the end of the run; it is 1 when D is first heard.
        straight: whether D sees tokens as they are, and their softness counts for the gradient alone: soft
            ones it can tell by that from real ones.
    """

    sharpest: float = 100.0
    straight: bool = True


class RelGAN(Game[TextSampler]):
    """Generator G against discriminator D, by soft tokens whose inverse temperature rises exponentially.

    Args:
        sampler: G.
        discriminator: D, maps token numbers, or shares of each token, to logits.
        objective: what either side minimises.
        likelihood: share of the run, its first, in which G learns from real texts by likelihood alone.
        softness: how soft tokens are.
        steps: how often D moves in a step.
        dropout: shares that are left out: of G's features while it learns from real texts, of what D sees.
        from_best: whether what comes after the likelihood goes on from the best sampler.
    """

    def __init__(
        self,
        sampler: TextSampler,
        discriminator: TextDiscriminator,
        *,
        objective: Objective = RELATIVISTIC,
        likelihood: float = 0.0,
        softness: Softness = Softness(),
        steps: int = 1,
        dropout: tuple[float, float] = (0.0, 0.0),
        from_best: bool = True,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator, self.objective = sampler, discriminator, objective
        self.alone, self.softness, self.steps, self.dropout = likelihood, softness, steps, dropout
        self.stages = (likelihood,) if likelihood else ()
        self.anew = Anew(likelihood, from_best) if likelihood else None

    def players(self) -> dict[str, nn.Module]:
        """G and D."""
        return {"G": self.sampler, "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """G by likelihood at first; then D as often as it moves, and G."""
        if self.progress < self.alone:
            return [Turn("G", self.imitate)]
        return [Turn("D", self.criticise, repeat=self.steps), Turn("G", self.generate)]

    def critic(self) -> Critic:
        """D."""
        return self.discriminate

    def likelihood(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of real texts in nats per token, `(n,)`."""
        return self.sampler.likelihood(batch["real"], batch.get("condition"))

    @property
    def sharpness(self) -> float:
        """The inverse temperature: from 1 to the sharpest, by the same factor in the same time."""
        share = (self.progress - self.alone) / (1 - self.alone)
        return self.softness.sharpest ** min(max(share, 0.0), 1.0)

    def imitate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn at first: maximum likelihood."""
        return Terms({"likelihood": imitation(self.sampler, batch, draw, self.dropout[0])})

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real texts from generated ones."""
        condition = told(batch)
        with torch.no_grad():
            fake = self.fake(batch, draw)
        real_logits, fake_logits = (
            self.discriminator.judged(dropped(h, draw, self.dropout[1]), condition).float()
            for h in map(self.discriminator.features, (batch["real"], fake))
        )
        loss = self.objective.discriminator(real_logits, fake_logits).mean()
        return Terms({"adversarial": loss}, signals(real_logits, fake_logits))

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have generated texts taken for real ones."""
        condition = told(batch)
        fake_logits = self.discriminator(self.soft(batch, draw), condition).float()
        real_logits = fake_logits
        if self.objective.relativistic:
            real_logits = self.discriminator(batch["real"], condition).float()
        loss = self.objective.generator(fake_logits, real_logits).mean()
        return Terms({"adversarial": loss}, {"sharpness": loss.new_tensor(self.sharpness)})

    def fake(self, batch: Batch, draw: Draw) -> Tensor:
        """Generated texts as D sees them; tokens as they are need no softness to be drawn."""
        if not self.softness.straight:
            return self.soft(batch, draw)
        return self.sampler(self.sampler.draw(draw), batch.get("condition"))

    def soft(self, batch: Batch, draw: Draw) -> Float[Tensor, "n t v"]:
        """Generated texts, for each place how much of every token stands there (equations 3 and 4).

        The token that is the most of it was drawn as likely as the network says, and is read on.
        """
        n, length, network = len(batch["real"]), self.sampler.length, self.sampler.network
        count = network.last.linear.out_features
        noise = gumbel(draw.uniform(length, count))
        state, before = network.start(n, batch.get("condition")), None
        places: list[Tensor] = []
        for t in range(length):
            scores = network.last(state[0]) + noise[:, t]
            token = scores.argmax(1)
            place = (self.sharpness * scores).softmax(1)
            if self.softness.straight:
                place = hardened(place, F.one_hot(token, count).to(place.dtype))
            if before is not None:
                token = token.masked_fill(over(before), PAD)
                nothing = F.one_hot(token.new_full((), PAD), count).to(place.dtype)
                place = torch.where(over(before)[:, None], nothing, place)
            places.append(place)
            before = token
            if t + 1 < length:
                state = network.step(state, token)
        return torch.stack(places, 1)

    def discriminate(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """D's logits of texts, `(n, k)`, in float32."""
        return self.discriminator(x.long(), condition).float()


def gumbel(uniform: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Gumbel noise from uniform numbers: added to logits, the largest sum is drawn as likely as they say."""
    tiny = torch.finfo(uniform.dtype).tiny
    return -(-uniform.clamp_min(tiny).log()).log()
