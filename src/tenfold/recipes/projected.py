"""Projected GAN: the discriminator looks through a frozen network, and so learns at once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.fastgan import FastSampler
from ..games.gan import GAN
from ..metrics.pretrained import SIDES, frozen_maps
from ..nn.networks.fastgan import FastGenerator
from ..nn.networks.projected import ProjectedDiscriminator
from ..objectives import HINGE
from ..recipe import About, Augment, Auto, Moment, Play, Positive, Rate, Recipe, recipe
from ..settings import resolve


@recipe("projected")
class Projected(Recipe):
    """FastGAN's generator against heads on EfficientNet-Lite0, which stays as it is (extra [features])."""

    about: ClassVar = About(
        "Projected GANs Converge Faster",
        "Sauer et al.",
        2021,
        "https://arxiv.org/abs/2111.01007",
        "photographs, quickly; judge it by features of another network",
    )
    conditional: ClassVar = "if_labelled"
    sees_through: ClassVar = "efficientnet-lite0"
    presets: ClassVar = {
        "tiny": {"width": 4, "width_d": 4, "latent": 8, "batch": 8, "augment": "none"},
        "small": {"batch": 16},
        "base": {"width": 64, "width_d": 64},
        "paper": {
            "width": 32,
            "width_d": 64,
            "latent": 256,
            "batch": 64,
            "side": 224,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            "augment": "diffaugment",
        },
    }

    width: Positive | Auto = "auto"
    """Channels at the finest resolution of the generator."""
    width_d: Positive = 32
    """Channels of the finest level that the discriminator's heads look at."""
    latent: Positive = 256
    """Dimension of the noise."""
    side: Annotated[int, Ge(0)] = 0
    """Side of the square that the frozen network looks at; 0 for the first of 64, 128, 224 that is enough."""
    augment: Augment = "diffaugment"
    """Differentiable augmentation of all that the discriminator sees, for small sets that overfit."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of samples."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    lr_g: Rate = 5e-4
    """Learning rate of the generator."""
    lr_d: Rate = 5e-4
    """Learning rate of the discriminator."""

    def build(self, spec: DataSpec) -> Play:
        """Light networks and a discriminator that knows pictures."""
        settled, classes = resolve(self, spec)[0], self.conditions(spec)
        assert settled.width != "auto"
        longest = max(spec.shape[1:])
        side = self.side or next((side for side in SIDES if side >= longest), SIDES[-1])
        generator = FastGenerator(self.latent, spec.shape, settled.width, classes=classes)
        game = GAN(
            FastSampler(generator, self.latent),
            ProjectedDiscriminator(frozen_maps(), spec.shape, self.width_d, side=side, classes=classes),
            objective=HINGE,
            augment=settled.augmentation(),
        )
        return self.play(game, balanced=classes > 0)
