"""FastGAN: light networks for few pictures and little time."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.fastgan import FastGAN as Game
from ..games.fastgan import FastSampler
from ..nn.networks.fastgan import FastDiscriminator, FastGenerator
from ..recipe import About, Augment, Auto, Play, Positive, Rate, Recipe, recipe
from ..settings import resolve


@recipe("fastgan")
class FastGAN(Recipe):
    """Skip-layer excitation in the generator, a discriminator that decodes what it saw, hinge loss."""

    about: ClassVar = About(
        "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
        "Liu et al.",
        2021,
        "https://arxiv.org/abs/2101.04775",
        "few large pictures; to compare with r3gan",
    )
    conditional: ClassVar = "if_labelled"
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8, "augment": "none"},
        "small": {"width": 12, "batch": 16},
        "base": {"width": 64, "batch": 16},
        "paper": {
            "width": 32,
            "batch": 8,
            "augment": "diffaugment",
            "without": ("cutout",),
            "half_life_kimg": 5.5,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
        },
    }

    width: Positive | Auto = "auto"
    """Channels at the finest resolution."""
    latent: Positive = 256
    """Dimension of the noise."""
    reconstruction: Annotated[float, Ge(0)] = 1.0
    """Weight of what the discriminator draws wrongly."""
    augment: Augment = "auto"
    """Differentiable augmentation of all that the discriminator sees, for small sets that overfit."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of samples."""
    lr_g: Rate = 5e-4
    """Learning rate of the generator."""
    lr_d: Rate = 5e-4
    """Learning rate of the discriminator."""

    def build(self, spec: DataSpec) -> Play:
        """Light networks and a discriminator that draws."""
        settled, classes = resolve(self, spec)[0], self.conditions(spec)
        assert settled.width != "auto"
        generator = FastGenerator(self.latent, spec.shape, settled.width, classes=classes)
        game = Game(
            FastSampler(generator, self.latent),
            FastDiscriminator(spec.shape, settled.width, classes=classes),
            reconstruction=self.reconstruction,
            augment=settled.augmentation(),
        )
        return self.play(game, balanced=classes > 0)
