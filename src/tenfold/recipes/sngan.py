"""SNGAN: a residual discriminator whose layers all have spectral norm one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler, Updates
from ..nn.layers import Activation
from ..nn.networks.resnet import ResNetDiscriminator, ResNetGenerator
from ..objectives import HINGE
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("sngan")
class SNGAN(Recipe):
    """Residual networks, hinge loss, spectral norm."""

    about: ClassVar = About(
        "Spectral Normalization for Generative Adversarial Networks",
        "Miyato et al.",
        2018,
        "https://arxiv.org/abs/1802.05957",
        "the cheap strong baseline without labels",
    )
    presets: ClassVar = {
        "tiny": {"width": 8, "latent": 8, "batch": 8},
        "small": {"width": 32, "batch": 16},
        "base": {"width": 128},
        "paper": {
            "width": 256,
            "width_d": 128,
            "critic_steps": 5,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            "schedule": "linear",
        },
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    latent: Positive = 128
    """Dimension of the noise."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the discriminator."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.9
    """Decay of the mean of squared gradients."""
    width_d: Annotated[int, Ge(0)] = 0
    """Channels of the discriminator; 0 for as many as the generator's."""
    hidden: Activation = "relu"
    """Activation of both networks."""
    critic_steps: Positive = 1
    """Updates of the discriminator for one of the generator."""

    def build(self, spec: DataSpec) -> Play:
        """Residual networks under the hinge objective."""
        generator = ResNetGenerator(self.latent, spec.shape, self.width, hidden=self.hidden)
        game = GAN(
            NoiseSampler(generator, self.latent),
            ResNetDiscriminator(spec.shape, self.width_d or self.width, hidden=self.hidden),
            objective=HINGE,
            augment=self.augmentation(),
            updates=Updates(self.critic_steps_at),
            joint=True,
        )
        return self.play(game)

    def critic_steps_at(self, step: int) -> int:
        """Updates of the discriminator in a step."""
        return self.critic_steps
