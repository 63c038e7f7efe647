"""Series: a critic of whole series and one of their attributes alone.

References:
    Using GANs for Sharing Networked Time Series Data: Challenges, Initial Promise, and Open Questions
    (Lin et al., 2020), https://arxiv.org/abs/1909.13403
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..data.series.layout import SeriesLayout
from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..nn.networks.series import SeriesGenerator, silenced
from ..objectives import RELATIVISTIC, Objective
from ..penalties import Look, Penalty, Side
from .gan import signals, told


class SeriesSampler(Sampler):
    """Series from normal noise and, if there is one, a condition.

    Args:
        generator: maps noise to rows.
    """

    def __init__(self, generator: SeriesGenerator) -> None:
        super().__init__()
        self.generator = generator

    def draw(self, draw: Draw) -> Tensor:
        """Noise of the whole series, then that of each time the GRU moves, `(n, d)`."""
        return draw.normal(self.generator.dimension)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """G(z), or G(z, condition)."""
        return self.generator(z, condition)


class SeriesJudge(nn.Module):
    """A critic, what it sees of a row, and what it pays.

    Args:
        network: maps what it sees, and a condition where there is one, to logits.
        penalties: extra losses.
        sees: how many numbers of a row, from the first; None for all.
        weight: of what it says, in the losses of either side.
    """

    def __init__(
        self,
        network: nn.Module,
        penalties: Sequence[Penalty] = (),
        *,
        sees: int | None = None,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.network, self.penalties, self.sees, self.weight = network, tuple(penalties), sees, weight

    def forward(self, x: Float[Tensor, "n k"], condition: Tensor | None = None) -> Float[Tensor, "n 1"]:
        """Logits of what is seen, in float32."""
        return self.network(x, condition).float()

    def both(
        self, real: Float[Tensor, "n k"], fake: Float[Tensor, "n k"], condition: Tensor | None
    ) -> tuple[Float[Tensor, "n 1"], Float[Tensor, "n 1"]]:
        """Logits of real and of generated samples, in one pass."""
        twice = None if condition is None else torch.cat([condition, condition])
        real_logits, fake_logits = self(torch.cat([real, fake]), twice).chunk(2)
        return real_logits, fake_logits

    def look(
        self,
        real: Float[Tensor, "n width"],
        fake: Float[Tensor, "n width"],
        condition: Tensor | None,
        draw: Draw,
    ) -> Look:
        """What penalties may read of some rows."""
        slopes: set[Side] = {side for p in self.penalties for side in p.slopes_of}
        real = real[:, : self.sees].detach().requires_grad_("real" in slopes)
        fake = fake[:, : self.sees].detach().requires_grad_("fake" in slopes)
        logits = self.both(real, fake, condition)
        return Look(partial(self, condition=condition), real, fake, *logits, draw)


class SeriesGAN(Game[SeriesSampler]):
    """Generator G against critic D of whole series and, if there is one, another of their attributes alone.

    Steps beyond the end of a series are 0 in all that is judged, real or generated.

    Args:
        sampler: G.
        whole: judges series.
        attributes: judges what holds of a series as a whole, without its steps; None if nothing does.
        layout: of a row.
        objective: what either side minimises.
        steps: how often D moves in a step.
        left: share of the penalties' weights at the end of a run; it falls evenly in its logarithm. Strong
            penalties find every kind of series, weak ones their details.
    """

    def __init__(
        self,
        sampler: SeriesSampler,
        whole: SeriesJudge,
        attributes: SeriesJudge | None = None,
        *,
        layout: SeriesLayout,
        objective: Objective = RELATIVISTIC,
        steps: int = 1,
        left: float = 1.0,
    ) -> None:
        super().__init__()
        self.sampler, self.whole, self.attributes = sampler, whole, attributes
        self.layout, self.objective, self.steps, self.left = layout, objective, steps, left

    def players(self) -> dict[str, nn.Module]:
        """G; and D, which is both critics."""
        return {"G": self.sampler, "D": nn.ModuleList(self.judges().values())}

    def turns(self, step: int) -> list[Turn]:
        """D as often as it moves, then G."""
        return [Turn("D", self.criticise, repeat=self.steps), Turn("G", self.generate)]

    def critic(self) -> Critic:
        """The critic of whole series."""
        return self.whole

    def judges(self) -> dict[str, SeriesJudge]:
        """The critics, by the name of what they say in the log."""
        found = {"adversarial": self.whole}
        return found if self.attributes is None else {**found, "attributes": self.attributes}

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real from generated, by all of a series and by its attributes."""
        real, condition = silenced(batch["real"], self.layout), told(batch)
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        losses: dict[str, Tensor] = {}
        noticed: dict[str, Tensor] = {}
        paid = self.left**self.progress
        for name, judge in self.judges().items():
            seen = judge.look(real, fake, condition, draw)
            told_apart = self.objective.discriminator(seen.real_logits, seen.fake_logits)
            losses[name] = judge.weight * told_apart.mean()
            own = "" if judge is self.whole else f"{name}_"
            weight = judge.weight * paid
            losses |= {f"{own}{p.name}": weight * p.weight * p(seen).mean() for p in judge.penalties}
            noticed |= {f"{own}{k}": v for k, v in signals(seen.real_logits, seen.fake_logits).items()}
        return Terms(losses, noticed)

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have generated series taken for real ones, by both critics."""
        condition = told(batch)
        fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        real = silenced(batch["real"], self.layout) if self.objective.relativistic else None
        losses: dict[str, Tensor] = {}
        for name, judge in self.judges().items():
            fake_logits = real_logits = judge(fake[:, : judge.sees], condition)
            if real is not None:
                real_logits = judge(real[:, : judge.sees], condition)
            losses[name] = judge.weight * self.objective.generator(fake_logits, real_logits).mean()
        return Terms(losses)
