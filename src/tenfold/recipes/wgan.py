"""WGAN: the Wasserstein distance, with a critic kept within a box by clipping."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler, Updates
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import WASSERSTEIN
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, recipe


@recipe("wgan")
class WGAN(Recipe):
    """DCGAN's networks, Wasserstein loss, clipped weights, RMSprop."""

    about: ClassVar = About(
        "Wasserstein GAN",
        "Arjovsky et al.",
        2017,
        "https://arxiv.org/abs/1701.07875",
        "to study; wgan_gp is better",
    )
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8, "critic_steps": 2},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 64, "lr_g": 5e-5, "lr_d": 5e-5, "long_start": True},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "rmsprop"
    """Optimiser of both players; momentum makes this critic unstable."""
    lr_g: Rate = 2e-4
    """Learning rate of the generator."""
    lr_d: Rate = 2e-4
    """Learning rate of the critic."""
    beta1: Moment = 0.0
    """Momentum."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    clip: Annotated[float, Gt(0)] = 0.01
    """The critic's weights stay within plus and minus this."""
    critic_steps: Positive = 5
    """Updates of the critic for one of the generator."""
    long_start: bool = False
    """As in the authors' code: 100 critic steps for the first 25 steps and at every 500th."""

    def build(self, spec: DataSpec) -> Play:
        """A clipped critic, which needs no bias at its end since only differences count."""
        game = GAN(
            NoiseSampler(DCGenerator(self.latent, spec.shape, self.width), self.latent),
            DCDiscriminator(spec.shape, self.width, bias=False),
            objective=WASSERSTEIN,
            augment=self.augmentation(),
            updates=Updates(self.critic_steps_at, self.clip),
        )
        return self.play(game)

    def critic_steps_at(self, step: int) -> int:
        """Updates of the critic in a step."""
        return 100 if self.long_start and (step < 25 or step % 500 == 0) else self.critic_steps
