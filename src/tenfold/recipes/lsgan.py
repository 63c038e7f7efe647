"""LSGAN: least squares instead of cross-entropy."""

from __future__ import annotations

from typing import ClassVar

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import LEAST_SQUARES
from ..recipe import About, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("lsgan")
class LSGAN(Recipe):
    """DCGAN's networks; the loss also pulls on samples that are judged real but lie far from the boundary."""

    about: ClassVar = About(
        "Least Squares Generative Adversarial Networks",
        "Mao et al.",
        2016,
        "https://arxiv.org/abs/1611.04076",
        "dcgan with smoother gradients",
    )
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 64, "latent": 1024, "lr_g": 1e-3, "lr_d": 1e-3, "schedule": "constant"},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    lr_g: Rate = 2e-3
    """Learning rate of the generator: higher than the discriminator's, which else wins at once."""
    lr_d: Rate = 4e-4
    """Learning rate of the discriminator."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """DCGAN's networks under the least-squares objective."""
        game = GAN(
            NoiseSampler(DCGenerator(self.latent, spec.shape, self.width), self.latent),
            DCDiscriminator(spec.shape, self.width),
            objective=LEAST_SQUARES,
            augment=self.augmentation(),
        )
        return self.play(game)
