"""WGAN-GP: the Wasserstein distance, with a critic whose slope is pulled towards one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler, Updates
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..objectives import WASSERSTEIN
from ..penalties import Interpolated
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("wgan_gp")
class WGANGP(Recipe):
    """DCGAN's networks without norm in the critic, Wasserstein loss, gradient penalty."""

    about: ClassVar = About(
        "Improved Training of Wasserstein GANs",
        "Gulrajani et al.",
        2017,
        "https://arxiv.org/abs/1704.00028",
        "steady and slow; the critic's loss means something",
    )
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8, "critic_steps": 2},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 64, "lr_g": 1e-4, "lr_d": 1e-4, "critic_steps": 5, "schedule": "constant"},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the critic."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.9
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    penalty: Annotated[float, Ge(0)] = 10.0
    """Weight of the gradient penalty."""
    critic_steps: Positive = 3
    """Updates of the critic for one of the generator."""

    def build(self, spec: DataSpec) -> Play:
        """A critic without batch norm: the penalty is of each sample's own slope."""
        game = GAN(
            NoiseSampler(DCGenerator(self.latent, spec.shape, self.width), self.latent),
            DCDiscriminator(spec.shape, self.width, norm="none", bias=False),
            objective=WASSERSTEIN,
            penalties=[Interpolated(self.penalty)],
            augment=self.augmentation(),
            updates=Updates(self.critic_steps_at),
            joint=True,
        )
        return self.play(game)

    def critic_steps_at(self, step: int) -> int:
        """Updates of the critic in a step."""
        return self.critic_steps
