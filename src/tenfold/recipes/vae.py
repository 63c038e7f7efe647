"""VAE: no discriminator at all; the baseline that a GAN has to beat."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import NoiseSampler
from ..games.vae import VAE as Game
from ..nn.networks.dcgan import DCGenerator
from ..nn.networks.vae import RowDecoder, picture_encoder, row_encoder
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("vae")
class VAE(Recipe):
    """Encoder and decoder that maximise a bound on the likelihood; samples are smooth and varied.

    Pictures are encoded by the body of DCGAN's discriminator and decoded by its generator, rows of numbers by
    linear layers. Labels are not used: see cvae.
    """

    about: ClassVar = About(
        "Auto-Encoding Variational Bayes",
        "Kingma and Welling",
        2013,
        "https://arxiv.org/abs/1312.6114",
        "no GAN: the baseline beside one; steady, varied, blurred",
    )
    kinds: ClassVar = ("images", "vectors")
    unused: ClassVar = ("lr_d",)
    augments: ClassVar = ("none", "diffaugment")
    presets: ClassVar = {
        "tiny": {"width": 4, "widths": (16, 16), "latent": 4, "batch": 8},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 64, "latent": 20, "batch": 100, "schedule": "constant"},
    }

    width: Positive = 32
    """Channels at the finest resolution; the model's size grows with its square."""
    widths: tuple[Positive, ...] = (256, 256)
    """Widths of the hidden layers, for rows of numbers."""
    latent: Positive = 32
    """Dimension of the noise, which is what the encoder may say of a sample."""
    beta: Annotated[float, Ge(0)] = 1.0
    """Weight of the KL divergence: above 1 smoother and more regular, below 1 sharper and less so."""
    scale: Annotated[float, Ge(0)] = 0.0
    """Standard deviation of a pixel around what the decoder gives; 0 learns it."""
    lr_g: Rate = 1e-3
    """Learning rate of encoder and decoder."""
    beta1: Moment = 0.9
    """Decay of the mean of gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rate falls over the run."""

    def build(self, spec: DataSpec) -> Play:
        """Encoder and decoder, of one player."""
        if spec.kind == "images":
            encoder = picture_encoder(self.latent, spec.shape, self.width)
            decoder = DCGenerator(self.latent, spec.shape, self.width)
        else:
            encoder = row_encoder(self.latent, spec.shape, self.widths)
            decoder = RowDecoder(self.latent, spec.shape, self.widths[::-1])
        sampler = NoiseSampler(decoder, self.latent)
        return self.play(
            Game(sampler, encoder, scale=self.scale or None, beta=self.beta, augment=self.augmentation())
        )
