"""FastGAN: a discriminator that must also be able to draw what it saw.

References:
    Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis (Liu et al., 2021),
    https://arxiv.org/abs/2101.04775
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, l1_loss, relu

from ..adaptive import Adaptive
from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..nn.networks.fastgan import FastDiscriminator, FastGenerator, Seen
from ..penalties import Look
from .gan import Augment, signals, told

MARGIN = 0.2  # the hinge's margin is drawn anew for each logit, from 1 less this to 1


class FastSampler(Sampler):
    """Samples from noise, that of every pixel among it.

    Args:
        generator: maps latents, and a condition where there is one, to samples.
        latent: dimension of z.
    """

    def __init__(self, generator: FastGenerator, latent: int) -> None:
        super().__init__()
        self.generator, self.latent = generator, latent

    def draw(self, draw: Draw) -> Tensor:
        """Latents `(n, latent + noises)`."""
        return torch.cat([draw.normal(self.latent), draw.normal(self.generator.noises)], 1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """G(z), or G(z, condition)."""
        return self.generator(z, condition)


class FastGAN(Game[FastSampler]):
    """G against D, whose maps of real samples are decoded again: it then describes them whole.

    The paper compares what is drawn by a network trained on other pictures; here it is compared by pixels.
    Left out of its networks: D's gates between maps, its second branch for a small picture, G's second
    convolution at every other size and its spectral norms.

    Args:
        sampler: G, with the noise it starts from.
        discriminator: D, with its decoders.
        reconstruction: weight of what is drawn wrongly.
        augment: what D sees of real and of generated samples alike; differentiable.
    """

    def __init__(
        self,
        sampler: FastSampler,
        discriminator: FastDiscriminator,
        *,
        reconstruction: float = 1.0,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.reconstruction, self.augment = reconstruction, augment
        self.adaptive = tuple(part for part in self.modules() if isinstance(part, Adaptive))

    def players(self) -> dict[str, nn.Module]:
        """G and D."""
        return {"G": self.sampler, "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """D, then G."""
        return [Turn("D", self.criticise), Turn("G", self.generate)]

    def critic(self) -> Critic:
        """D."""
        return lambda x, condition: self.discriminator(x, condition).float()

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D tells real from generated, and draws what it saw of the real."""
        condition = told(batch)
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        shown = self.show(batch["real"], draw)
        real_seen = self.discriminator.look(shown, condition)
        real, made = real_seen.logits, self.discriminator(self.show(fake, draw), condition)
        margins = 1 - MARGIN * torch.stack([draw.uniform(real.shape[1]) for _ in range(2)])
        adversarial = (relu(margins[0] - real) + relu(margins[1] + made)).mean()
        drawn = self.reconstruction * self.drawn_wrongly(shown, real_seen, draw)
        found = signals(real, made)
        for part in self.adaptive:
            look = Look(self.discriminator, shown, fake, real, made, draw)
            found |= part.watch(look)
        return Terms({"adversarial": adversarial, "reconstruction": drawn}, found)

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G is taken for real."""
        fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        logits = self.discriminator(self.show(fake, draw), told(batch))
        return Terms({"adversarial": -logits.float().mean()})

    def show(self, x: Tensor, draw: Draw) -> Tensor:
        """What D sees of x."""
        return x if self.augment is None else self.augment(x, draw)

    def drawn_wrongly(self, shown: Tensor, seen: Seen, draw: Draw) -> Tensor:
        """Mean distance of what the decoders draw to what D was shown: a quarter of it, and the whole."""
        quarter, whole = self.discriminator.decoders
        part, map_part = corner(shown, draw_corner := draw.integers(4)), corner(seen.middle, draw_corner)
        distances = [
            l1_loss(drawn, adaptive_avg_pool2d(target.float(), drawn.shape[2:]))
            for drawn, target in ((quarter(map_part), part), (whole(seen.last), shown))
        ]
        return distances[0] + distances[1]


def corner(x: Tensor, number: Tensor) -> Tensor:
    """One of the four quarters of each picture or map; of one that is too small, all of it."""
    height, width = x.shape[2] // 2, x.shape[3] // 2
    if min(height, width) == 0:
        return x
    down, right = (number // 2)[:, None], (number % 2)[:, None]
    rows = down * (x.shape[2] - height) + torch.arange(height, device=x.device)
    columns = right * (x.shape[3] - width) + torch.arange(width, device=x.device)
    one = torch.arange(len(x), device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[one, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
