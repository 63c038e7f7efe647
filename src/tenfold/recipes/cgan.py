"""cGAN: pictures of the class that is asked for."""

from __future__ import annotations

from typing import ClassVar

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import HINGE
from ..recipe import About, Moment, Play, Positive, Recipe, recipe


@recipe("cgan")
class CGAN(Recipe):
    """Class-conditional norm in the generator, projection in a spectrally normalised discriminator."""

    about: ClassVar = About(
        "cGANs with Projection Discriminator",
        "Miyato and Koyama",
        2018,
        "https://arxiv.org/abs/1802.05637",
        "the default for labelled pictures",
    )
    conditional: ClassVar = True
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8},
        "small": {"width": 64},
        "base": {"width": 128},
        "paper": {"width": 128, "critic_steps": 5, "beta1": 0.0, "beta2": 0.9, "schedule": "linear"},
    }

    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    critic_steps: Positive = 1
    """Updates of the discriminator for one of the generator."""

    def build(self, spec: DataSpec) -> Play:
        """Networks that know the class, and batches that hold every class equally often."""
        classes = len(spec.classes)
        generator = DCGenerator(self.latent, spec.shape, self.width, classes=classes)
        game = GAN(
            NoiseSampler(generator, self.latent),
            DCDiscriminator(spec.shape, self.width, norm="spectral", classes=classes),
            objective=HINGE,
            augment=self.augmentation(),
            critic_steps=self.critic_steps_at,
            joint=True,
        )
        return self.play(game, balanced=True)

    def critic_steps_at(self, step: int) -> int:
        """Updates of the discriminator in a step."""
        return self.critic_steps
