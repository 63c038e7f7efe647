"""cVAE: samples of the class that is asked for, without a discriminator."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import NoiseSampler
from ..games.vae import VAE
from ..nn.networks.dcgan import DCGenerator
from ..nn.networks.vae import RowDecoder, picture_encoder, row_encoder
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("cvae")
class CVAE(Recipe):
    """Encoder and decoder that both know the class; the baseline beside cgan."""

    about: ClassVar = About(
        "Learning Structured Output Representation using Deep Conditional Generative Models",
        "Sohn et al.",
        2015,
        "https://papers.nips.cc/paper/5775",
        "no GAN: the baseline beside cgan, for labelled data of either kind",
    )
    conditional: ClassVar = "always"
    partly_labelled: ClassVar = False
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
        """Encoder and decoder that know the class, and batches that hold every class equally often."""
        classes = len(spec.classes)
        if spec.kind == "images":
            encoder = picture_encoder(self.latent, spec.shape, self.width, classes=classes)
            decoder = DCGenerator(self.latent, spec.shape, self.width, classes=classes)
        else:
            encoder = row_encoder(self.latent, spec.shape, self.widths, classes=classes)
            decoder = RowDecoder(self.latent, spec.shape, self.widths[::-1], classes=classes)
        sampler, scale = NoiseSampler(decoder, self.latent), self.scale or None
        game = VAE(sampler, encoder, scale=scale, beta=self.beta, augment=self.augmentation())
        return self.play(game, balanced=True)
