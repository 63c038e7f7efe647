"""Rows of a table against a critic that judges several at once; some cells are known before (decision 013).

References:
    Modeling Tabular Data using Conditional GAN (Xu et al., 2019), https://arxiv.org/abs/1907.00503
    CTAB-GAN+: Enhancing Tabular Data Synthesis (Zhao et al., 2022), https://arxiv.org/abs/2204.00401
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..nn.layers import AcrossRanks
from ..nn.networks.tabular import RowCritic, RowGenerator, Sketch
from ..nn.rows import RowLayout
from ..objectives import RELATIVISTIC, Objective
from ..penalties import Look, Penalty, Side
from .gan import signals

TINY = 1e-12
ORDERS = 8  # in which the rows of one draw are made; what an order gets wrong, others do not


@dataclass(frozen=True)
class Guess:
    """What the generator would put into each cell.

    Attributes:
        scalars: in [-1, 1], `(n, s)`.
        logits: of options, before any softmax, `(n, o)`.
    """

    scalars: Tensor
    logits: Tensor


class RowSampler(Sampler):
    """Rows from noise and known cells, which come out as they are known.

    While training, options are shares that lean towards one (Gumbel softmax) and can be differentiated; in
    use, one is drawn by the same shares, and rows are made in passes: each makes some choices (cells without
    a scalar), in a random order, which the next one knows. The last makes the rest, and all numbers.

    Args:
        generator: maps noise and condition to a number for each entry of a row, or for some of them.
        layout: of a row.
        latent: dimension of the noise.
        temperature: of the shares; the lower, the nearer they are to 0 and 1.
        passes: in which a row is made in use.

    References:
        Categorical Reparameterization with Gumbel-Softmax (Jang et al., 2016), https://arxiv.org/abs/1611.01144
    """

    def __init__(
        self,
        generator: RowGenerator,
        layout: RowLayout,
        latent: int,
        temperature: float = 0.2,
        passes: int = 1,
    ) -> None:
        super().__init__()
        self.generator, self.layout = generator, layout
        self.latent, self.temperature, self.passes = latent, temperature, passes

    def draw(self, draw: Draw) -> Tensor:
        """Normal noise, then a Gumbel number for each option; last, where rows are made in several passes,
        the order of the cells, the same for an eighth of all rows, `(n, latent + o + c)`.
        """
        noise, uniform = draw.normal(self.latent), draw.uniform(self.layout.options)
        tiny = torch.finfo(uniform.dtype).tiny
        z = torch.cat([noise, -(-uniform.clamp_min(tiny).log()).clamp_min(tiny).log()], 1)
        if self.training or self.passes == 1:
            return z
        orders = torch.rand(ORDERS, self.layout.cells, generator=draw.generator).to(z)
        own = torch.arange(draw.total)[draw.rows] * ORDERS // draw.total
        return torch.cat([z, orders[own]], 1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Rows `(n, d)`; without a condition, nothing is known of them."""
        shown = self.nothing(z) if condition is None else condition
        if z.shape[1] == self.latent + self.layout.options:
            return self.told(self.untold(z, shown), shown)
        with torch.no_grad(), torch.autocast(z.device.type, enabled=False):
            return self.in_passes(z.float(), shown.float())

    def in_passes(self, z: Tensor, shown: Tensor) -> Tensor:
        """Rows of which each pass makes some choices, and the last one the rest."""
        noise, gumbel, order = z.split([self.latent, self.layout.options, self.layout.cells], 1)
        sketch, shown = Sketch(self.generator, noise, shown), shown.clone()
        choices, groups, stop = self.layout.choices.nonzero()[:, 0], list[tuple[slice, list[Tensor]]](), 0
        for one, count in zip(*order.unique_consecutive(return_counts=True, dim=0), strict=True):
            start, stop = stop, stop + int(count)
            groups.append((slice(start, stop), [*choices[one[choices].argsort()].tensor_split(self.passes)]))
        for turn in range(self.passes - 1):
            hidden = sketch.hidden()
            for rows, turns in groups:
                self.choose(sketch, rows, hidden[rows], turns[turn].tolist(), gumbel[rows], shown[rows])
        said = self.layout.split(sketch.said(slice(None), sketch.hidden()))
        return self.told(self.rows(Guess(said[0].tanh(), said[1]), gumbel), shown)

    def choose(
        self, sketch: Sketch, rows: slice, hidden: Tensor, cells: list[int], gumbel: Tensor, shown: Tensor
    ) -> None:
        """Make some choices, unless they were known before; from now on they are."""
        layout, made = self.layout, list[Tensor]()
        own = [slice(layout.starts[cell], layout.starts[cell] + layout.sizes[cell]) for cell in cells]
        places = [slice(layout.scalars + one.start, layout.scalars + one.stop) for one in own]
        for options, place in zip(own, places, strict=True):
            made.append((sketch.said(rows, hidden, place) + gumbel[:, options]).argmax(1, keepdim=True))
        for cell, place, chosen in zip(cells, places, made, strict=True):
            told = layout.width + cell
            free = 1 - shown[:, told, None]
            sketch.tell(rows, chosen, sketch.heard[place] + sketch.heard[told], free)
            shown[:, place].scatter_add_(1, chosen, free)
            shown[:, told] = 1

    def untold(self, z: Tensor, condition: Tensor) -> Tensor:
        """Rows made in one pass, with what the generator itself would put into the cells that are known."""
        return self.rows(self.guess(z, condition), z[:, self.latent :][:, : self.layout.options])

    def nothing(self, z: Tensor) -> Tensor:
        """The condition under which no cell is known."""
        return z.new_zeros(len(z), self.layout.width + self.layout.cells)

    def guess(self, z: Tensor, condition: Tensor) -> Guess:
        """What the generator itself would say."""
        scalars, logits = self.layout.split(self.generator(z[:, : self.latent], condition))
        return Guess(scalars.tanh(), logits)

    def rows(self, guess: Guess, gumbel: Tensor, swayed: float = 1.0) -> Tensor:
        """Rows of a guess: options are drawn, and a scalar is 0 where no mode is on.

        Args:
            guess: what each cell might be.
            gumbel: number for each option.
            swayed: share of their derivatives that options keep, but for modes of numbers, which keep all.
        """
        scores = guess.logits.float() + gumbel
        if self.training:
            soft = self.layout.one_hot.log_softmax(scores / self.temperature).exp()
            heard = torch.clamp(self.layout.places + swayed, max=1.0)
            options = soft.detach() + heard * (soft - soft.detach())
        else:
            options = self.layout.one_hot.hardened(scores)
        return torch.cat([guess.scalars.float() * self.layout.on(options), options], 1)

    def told(self, rows: Tensor, condition: Tensor) -> Tensor:
        """Rows with the cells that are known."""
        cells, known = condition.split([self.layout.width, self.layout.cells], 1)
        return torch.where(self.layout.everywhere(known) > 0, cells, rows)


@dataclass(frozen=True)
class Weights:
    """Of what G minimises beside the adversarial loss.

    Attributes:
        known: of what it would have put into known choices, which are cells without a scalar.
        likely: of how surprised it is by choices of real rows that it was not told, and by masses of numbers.
        swayed: share of what the critic and all others say of generated rows that reaches these, which have a
            likelihood to learn from; where else numbers lie has none, and hears everything.
        statistics: of the difference between what the critic sees of real and of generated rows, in mean and
            standard deviation.
        downstream: of what a classifier of the target, which learns from real rows, says of generated ones.
    """

    known: float = 1.0
    likely: float = 0.0
    swayed: float = 1.0
    statistics: float = 0.0
    downstream: float = 0.0


class TabularGAN(Game[RowSampler]):
    """Generator G against critic D, which judges packs of rows; and a classifier C, if its word counts.

    Args:
        sampler: G.
        discriminator: D.
        pack: rows that D judges together; what is left over of a batch is not judged.
        objective: what either side minimises.
        penalties: extra losses of D; each pack is a sample to them.
        weights: of G's other losses.
        classifier: maps rows without the target's entries to logits of the target's options.
        target: number of the target's cell.
        steps: how often D moves in a step.
    """

    def __init__(
        self,
        sampler: RowSampler,
        discriminator: RowCritic,
        *,
        pack: int = 8,
        objective: Objective = RELATIVISTIC,
        penalties: Sequence[Penalty] = (),
        weights: Weights = Weights(),
        classifier: tuple[nn.Module, int] | None = None,
        steps: int = 1,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.pack, self.objective, self.penalties = pack, objective, tuple(penalties)
        self.weights, self.steps = weights, steps
        self.classifier, self.target = classifier or (None, 0)
        self.apart = Apart()

    def players(self) -> dict[str, nn.Module]:
        """G, D and, if it is asked, C."""
        found: dict[str, nn.Module] = {"G": self.sampler, "D": self.discriminator}
        return found if self.classifier is None else {**found, "C": self.classifier}

    def turns(self, step: int) -> list[Turn]:
        """D as often as it moves, C, then G."""
        classify = [] if self.classifier is None else [Turn("C", self.classify)]
        return [Turn("D", self.criticise, repeat=self.steps), *classify, Turn("G", self.generate)]

    def critic(self) -> Critic:
        """D's logit of the pack that a row is in, with the rows that follow it, at every row."""

        def judge(rows: Tensor, condition: Tensor | None) -> Tensor:
            known = rows.new_zeros(len(rows), self.sampler.layout.cells)
            if condition is not None:
                known = condition[:, self.sampler.layout.width :]
            whole = torch.arange(-(-len(rows) // self.pack) * self.pack, device=rows.device) % len(rows)
            logits = self.discriminator(self.packed(rows[whole]), self.packed(known[whole])).float()
            return logits.repeat_interleave(self.pack, 0)[: len(rows)]

        return judge

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell packs of real rows from packs of generated ones, of which the same is known."""
        seen = self.look(batch, draw)
        losses = {"adversarial": self.objective.discriminator(seen.real_logits, seen.fake_logits).mean()}
        losses |= {p.name: p.weight * p(seen).mean() for p in self.penalties}
        return Terms(losses, signals(seen.real_logits, seen.fake_logits))

    def look(self, batch: Batch, draw: Draw) -> Look:
        """D's logits of packs of real and of generated rows."""
        condition = batch["condition"]
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), condition)
        slopes: set[Side] = {side for p in self.penalties for side in p.slopes_of}
        real = self.packed(batch["real"]).detach().requires_grad_("real" in slopes)
        fake = self.packed(fake).requires_grad_("fake" in slopes)
        judge = partial(self.judge, known=self.packed(self.known(condition)))
        real_logits, fake_logits = judge(real), judge(fake)
        return Look(judge, real, fake, real_logits, fake_logits, draw.packs(self.pack))

    def judge(
        self, rows: Float[Tensor, "m pack d"], known: Float[Tensor, "m pack c"]
    ) -> Float[Tensor, "m 1"]:
        """D's logits, in float32."""
        return self.discriminator(rows, known).float()

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: be taken for real, and agree with what is known."""
        real, condition = batch["real"], batch["condition"]
        z = self.sampler.draw(draw)
        guess = self.sampler.guess(z, condition)
        made = self.sampler.rows(guess, z[:, self.sampler.latent :], self.weights.swayed)
        fake = self.sampler.told(made, condition)
        known = self.known(condition)
        told = self.packed(known)
        fake_seen = self.discriminator.features(self.packed(fake), told)
        fake_logits = self.discriminator.last(fake_seen).float()
        losses: dict[str, Tensor] = {}
        real_logits = fake_logits
        if self.objective.relativistic or self.weights.statistics:
            real_seen = self.discriminator.features(self.packed(real), told)
            real_logits = self.discriminator.last(real_seen).float()
            if self.weights.statistics:
                losses["statistics"] = self.weights.statistics * self.apart(fake_seen, real_seen)
        losses["adversarial"] = self.objective.generator(fake_logits, real_logits).mean()
        if self.weights.known:
            choices = known * self.sampler.layout.choices  # repeating known numbers narrows the others
            losses["known"] = self.weights.known * self.missed(guess, real, choices).mean()
        if self.weights.likely:
            losses["likely"] = self.weights.likely * self.missed(guess, real, 1 - known).mean()
        if self.classifier is not None:
            losses["downstream"] = self.weights.downstream * self.disagreement(fake)
        return Terms(losses)

    def classify(self, batch: Batch, draw: Draw) -> Terms:
        """C's turn: read the target off the other cells of real rows."""
        return Terms({"target": self.disagreement(batch["real"])})

    def disagreement(self, rows: Float[Tensor, "n d"]) -> Tensor:
        """Cross-entropy of C's word on the target with the rows' own."""
        assert self.classifier is not None
        layout = self.sampler.layout
        own = layout.cell_of == self.target
        said = self.classifier(rows.masked_fill(own, 0.0)).float().log_softmax(1)
        options = layout.split(rows)[1][:, layout.one_hot.part == self.target]
        return -(options * said).sum(1).mean()

    def missed(
        self, guess: Guess, real: Float[Tensor, "n d"], asked: Float[Tensor, "n c"]
    ) -> Float[Tensor, " n"]:
        """How surprised G is by what is decided in real rows, a cell on average of those asked about.

        Decided are choices, and whether a number is one of its masses. Where else a number lies is left to
        the critic: a guess of its mode without the place within it takes both apart.
        """
        layout = self.sampler.layout
        said, asked = layout.one_hot.log_softmax(guess.logits.float()), asked * layout.decided
        options = layout.split(real)[1] * asked[:, layout.one_hot.part]
        surprise = -(options * (1 - layout.places) * said).sum(1)
        no_mass = layout.one_hot.sums(said.exp() * layout.places).clamp_min(TINY).log()
        surprise = surprise - (layout.one_hot.sums(options * layout.places) * no_mass).sum(1)
        return surprise / asked.sum(1).clamp_min(1)

    def known(self, condition: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        """Which cells are known."""
        return condition[:, self.sampler.layout.width :]

    def packed(self, x: Float[Tensor, "n k"]) -> Float[Tensor, "m pack k"]:
        """Rows by packs, without those that are left over."""
        whole = len(x) // self.pack * self.pack
        return x[:whole].view(-1, self.pack, x.shape[1])


class Apart(AcrossRanks):
    """How far what the critic sees of generated rows is from what it sees of real ones, in two moments."""

    def forward(self, fake: Float[Tensor, "m w"], real: Float[Tensor, "m w"]) -> Tensor:
        """Distance between the means plus distance between the standard deviations, over all ranks."""
        (mean, deviation), (true_mean, true_deviation) = self.moments(fake), self.moments(real)
        return length(mean - true_mean) + length(deviation - true_deviation)

    def moments(self, x: Float[Tensor, "m w"]) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each column."""
        h = x.float()
        total = torch.cat([h.sum(0), h.square().sum(0), h.new_full((1,), float(len(h)))])
        total = total if self.sum_over_ranks is None else self.sum_over_ranks(total)
        mean, square = (total[:-1] / total[-1].detach()).chunk(2)
        # Rounding can make a variance negative, and the root of 0 has no derivative.
        return mean, (square - mean.square()).clamp_min(0).add(TINY).sqrt()


def length(x: Float[Tensor, " w"]) -> Tensor:
    """Euclidean; its root has a derivative at 0, too."""
    return x.square().sum().add(TINY).sqrt()
