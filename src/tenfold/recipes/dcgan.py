"""DCGAN: convolutions all the way, as deep as the picture's size asks for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler
from ..nn.layers import Activation
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import NON_SATURATING
from ..recipe import About, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("dcgan")
class DCGAN(Recipe):
    """Strided convolutions with batch norm, non-saturating loss."""

    about: ClassVar = About(
        "Unsupervised Representation Learning with Deep Convolutional GANs",
        "Radford et al.",
        2015,
        "https://arxiv.org/abs/1511.06434",
        "the convolutional classic; quick, good up to 64 px",
    )
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 128, "batch": 128, "lr_g": 2e-4, "lr_d": 2e-4, "schedule": "constant"},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    width_d: Annotated[int, Ge(0)] = 0
    """Channels of the discriminator; 0 for as many as the generator's."""
    lr_g: Rate = 2e-3
    """Learning rate of the generator: higher than the discriminator's, which else wins at once."""
    lr_d: Rate = 4e-4
    """Learning rate of the discriminator."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    hidden: Activation = "relu"
    """Activation of the generator; the discriminator's is leaky_relu."""

    def build(self, spec: DataSpec) -> Play:
        """Mirror-image networks in the classic game."""
        game = GAN(
            NoiseSampler(DCGenerator(self.latent, spec.shape, self.width, hidden=self.hidden), self.latent),
            DCDiscriminator(spec.shape, self.width_d or self.width),
            objective=NON_SATURATING,
            augment=self.augmentation(),
        )
        return self.play(game)
