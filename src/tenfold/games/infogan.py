"""InfoGAN: part of the latent can be read back from the sample.

References:
    InfoGAN: Interpretable Representation Learning by Information Maximizing GANs (Chen et al., 2016),
    https://arxiv.org/abs/1606.03657
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..nn.layers import BatchNorm, FullPrecision, activation
from ..objectives import NON_SATURATING, Objective
from .gan import Augment, signals


class Codes(NamedTuple):
    """The part of the latent that is to be read back."""

    category: Int[Tensor, " n"]
    continuous: Float[Tensor, "n k"]


class InfoSampler(Sampler):
    """Samples from noise, one categorical code and some continuous ones uniform in [-1, 1].

    Args:
        generator: maps latents to samples.
        noise, categories, continuous: dimensions of the latent's three parts, in this order.
        strength: the number that marks the category, where the noise has standard deviation one. At 1, as in
            the paper, the noise drowns the category for long.
    """

    def __init__(
        self, generator: nn.Module, noise: int, categories: int, continuous: int, *, strength: float = 1.0
    ) -> None:
        super().__init__()
        self.generator, self.sizes, self.strength = generator, (noise, categories, continuous), strength

    def draw(self, draw: Draw) -> Tensor:
        """Latents, `(n, noise + categories + continuous)`."""
        noise, categories, continuous = self.sizes
        code = self.strength * one_hot(draw.integers(categories), categories).float()
        return torch.cat([draw.normal(noise), code, 2 * draw.uniform(continuous) - 1], 1)

    def codes(self, z: Tensor) -> Codes:
        """The codes within latents."""
        _, category, continuous = z.split(self.sizes, 1)
        return Codes(category.argmax(1), continuous)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """G(z)."""
        return self.generator(z)


class Reader(nn.Module):
    """Q: what the codes of a sample probably were; logits of the category and means of the others."""

    def __init__(self, features: int, categories: int, continuous: int, width: int = 128) -> None:
        super().__init__()
        self.sizes = (categories, continuous)
        self.body = nn.Sequential(
            nn.Linear(features, width, bias=False), BatchNorm(width), activation("leaky_relu")
        )
        self.last = FullPrecision(nn.Linear(width, categories + continuous))

    def forward(self, h: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n k"]]:
        """Logits and means."""
        category, continuous = self.last(self.body(h)).split(self.sizes, 1)
        return category, continuous


class InfoGAN(Game[InfoSampler]):
    """G against D, and both with Q: the bound on the information is in the turns of G and of D, as the
    authors' code has it, so that it shapes the trunk which D and Q share.

    Args:
        sampler: G with its codes.
        trunk: maps samples to features.
        features: their dimension.
        objective: what either side minimises of the logits.
        weight: of the information about the category.
        continuous_weight: of the information about the continuous codes (Gaussians of variance one).
        augment: what the trunk sees of real and of generated samples alike; differentiable.
    """

    def __init__(
        self,
        sampler: InfoSampler,
        trunk: nn.Module,
        features: int,
        *,
        objective: Objective = NON_SATURATING,
        weight: float = 1.0,
        continuous_weight: float = 1.0,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        _, categories, continuous = sampler.sizes
        self.sampler, self.trunk, self.objective = sampler, trunk, objective
        self.judge = FullPrecision(nn.Linear(features, 1, bias=objective.bounded))
        self.reader = Reader(features, categories, continuous)
        self.weight, self.continuous_weight, self.augment = weight, continuous_weight, augment

    def players(self) -> dict[str, nn.Module]:
        """G; and D, which holds the trunk, the judge and the reader."""
        return {"G": self.sampler, "D": nn.ModuleList([self.trunk, self.judge, self.reader])}

    def turns(self, step: int) -> list[Turn]:
        """D, then G."""
        return [Turn("D", self.criticise), Turn("G", self.generate)]

    def critic(self) -> Critic:
        """The judge, on the trunk's features; there are no conditions."""
        return lambda x, condition: self.judge(self.trunk(x)).float()

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D tells real from generated and reads the codes of the latter."""
        z = self.sampler.draw(draw)
        with torch.no_grad():
            fake = self.sampler(z)
        real, seen = self.judge(self.see(batch["real"], draw)), self.see(fake, draw)
        logits = self.judge(seen)
        adversarial = self.objective.discriminator(real, logits).mean()
        return Terms({"adversarial": adversarial, **self.information(seen, z)}, signals(real, logits))

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G is taken for real and keeps its codes readable."""
        z = self.sampler.draw(draw)
        seen = self.see(self.sampler(z), draw)
        logits = self.judge(seen)
        real = self.judge(self.see(batch["real"], draw)) if self.objective.relativistic else logits
        adversarial = self.objective.generator(logits, real).mean()
        return Terms({"adversarial": adversarial, **self.information(seen, z)})

    def see(self, x: Tensor, draw: Draw) -> Tensor:
        """The trunk's features of what it is shown of x."""
        return self.trunk(x if self.augment is None else self.augment(x, draw))

    def information(self, seen: Tensor, z: Tensor) -> dict[str, Tensor]:
        """Minus the bound on the mutual information, less its constants (equation 5)."""
        codes, (category, continuous) = self.sampler.codes(z), self.reader(seen)
        terms = {"category": self.weight * cross_entropy(category, codes.category)}
        if continuous.shape[1]:
            squares = (codes.continuous - continuous).square().sum(1)
            terms["continuous"] = self.continuous_weight * squares.mean() / 2
        return terms
