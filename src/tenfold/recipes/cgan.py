"""cGAN: pictures of the class that is asked for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import RELATIVISTIC
from ..penalties import R1, R2
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("cgan")
class CGAN(Recipe):
    """Class-conditional norm in the generator, projection in the discriminator; relativistic, R1 and R2.

    The paper's hinge loss and spectral norm took several times as long to learn the classes of small sets.
    """

    about: ClassVar = About(
        "cGANs with Projection Discriminator",
        "Miyato and Koyama",
        2018,
        "https://arxiv.org/abs/1802.05637",
        "pictures by class; what `prove` trains",
    )
    conditional: ClassVar = "always"
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8},
        "small": {"width": 64},
        "base": {"width": 128},
        "paper": {"width": 128, "latent": 128},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the discriminator."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    penalty: Annotated[float, Ge(0)] = 1.0
    """Weight of R1 and of R2."""

    def build(self, spec: DataSpec) -> Play:
        """Networks that know the class, and batches that hold every class equally often."""
        classes = len(spec.classes)
        generator = DCGenerator(self.latent, spec.shape, self.width, classes=classes)
        game = GAN(
            NoiseSampler(generator, self.latent),
            DCDiscriminator(spec.shape, self.width, norm="none", classes=classes, bias=False),
            objective=RELATIVISTIC,
            penalties=[R1(self.penalty), R2(self.penalty)] if self.penalty else (),
            augment=self.augmentation(),
            joint=True,
        )
        return self.play(game, balanced=True)
