"""R3GAN: a loss that converges, and networks without tricks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Lt

from ..conditioning import fading
from ..data.spec import DataSpec
from ..errors import RecipeError
from ..games.gan import GAN, NoiseSampler
from ..nn.networks.dcgan import DCDiscriminator, DCGenerator
from ..nn.networks.r3 import R3Discriminator, R3Generator
from ..objectives import RELATIVISTIC
from ..penalties import REACH, Calibrated, Consistency, LeCam, Penalty
from ..recipe import About, Augment, Auto, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe
from ..settings import resolve


@recipe("r3gan")
class R3GAN(Recipe):
    """Relativistic pairing with R1 and R2; plain convolutions, or the paper's residual networks.

    The paper also lets the weight of R1 and R2 fall to a tenth over the run, and beta2 and augmentation rise
    by plan; its learning rates do not fall to zero; its discriminator knows classes by an inner product
    alone. The weights that it uses, .05 for CIFAR-10 and 150 for FFHQ at 256 pixels, are measured here.
    """

    about: ClassVar = About(
        "The GAN is dead; long live the GAN! A Modern GAN Baseline",
        "Huang et al.",
        2024,
        "https://arxiv.org/abs/2501.05441",
        "the default for pictures",
    )
    conditional: ClassVar = "if_labelled"
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8, "penalty_every": 2, "augment": "none", "lecam": 0.0},
        "small": {"batch": 32},
        "base": {"width": 128},
        "paper": {
            "network": "residual",
            "width": 768,
            "latent": 64,
            "batch": 512,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            "penalty_every": 1,
            "augment": "ada",
            "lecam": 0.0,
            "half_life_kimg": 5000.0,
        },
    }

    network: Literal["plain", "residual"] = "plain"
    """Strided convolutions, which are quick, or the paper's residual blocks, which are good and dear."""
    width: Positive | Auto = "auto"
    """Channels at the finest resolution (plain), or up to 32 pixels a side (residual: in groups of 16)."""
    width_d: Annotated[int, Ge(0)] = 0
    """The same of the discriminator; 0 for as many as the generator's."""
    penalty: Annotated[float, Ge(0)] | Auto = "auto"
    """Weight of R1 and of R2."""
    calibrate: bool | Auto = "auto"
    """Whether that weight is moved early in the run, until D pays as much as it does where it suits."""
    penalty_every: Positive = 8
    """Steps from one look at R1 and R2 to the next, which then count as much more."""
    lecam: Annotated[float, Ge(0)] | Auto = "auto"
    """Weight of the LeCam regulariser."""
    consistency: Annotated[float, Ge(0)] = 0.0
    """Weight of D's saying the same of a sample and of what augmentation makes of it."""
    transition: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the run until which classes fade in, for few pictures of each; 0 for none."""
    augment: Augment = "auto"
    """Differentiable augmentation of all that the discriminator sees, for small sets that overfit."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of samples."""
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

    def build(self, spec: DataSpec) -> Play:
        """Two networks in the relativistic game."""
        settled, classes = resolve(self, spec)[0], self.conditions(spec)
        assert settled.width != "auto"
        if self.consistency and settled.augment == "none":
            raise RecipeError(
                "consistency compares a sample with its augmentation, and there is none. Set --augment."
            )
        if self.transition and not classes:
            raise RecipeError("transition fades in classes, and there are none. Leave it out.")
        if self.calibrate is True and not settled.penalty:
            raise RecipeError("calibrate steers the weight of R1 and R2, and it is 0. Leave one of them out.")
        width, width_d, plain = settled.width, self.width_d or settled.width, self.network == "plain"
        if plain:
            generator = DCGenerator(self.latent, spec.shape, width, classes=classes, resized=True)
            judge = DCDiscriminator(spec.shape, width_d, norm="none", classes=classes, bias=False)
        else:
            generator = R3Generator(self.latent, spec.shape, width, classes=classes)
            judge = R3Discriminator(spec.shape, width_d, classes=classes)
        game = GAN(
            NoiseSampler(generator, self.latent),
            judge,
            objective=RELATIVISTIC,
            penalties=settled.penalties(),
            augment=settled.augmentation(),
            joint=True,
        )
        if classes and self.transition:
            game.transition = fading(game, self.transition / 2, self.transition)
        return self.play(game, balanced=classes > 0)

    def penalties(self) -> list[Penalty]:
        """R1 and R2, and LeCam where there is little data."""
        assert self.penalty != "auto" and self.lecam != "auto"
        found: list[Penalty] = [LeCam(self.lecam)] if self.lecam else []
        found += [Consistency(self.consistency)] if self.consistency else []
        if not self.penalty:
            return found
        reach = REACH if self.calibrate else 1.0
        return [Calibrated(self.penalty, reach=reach, every=self.penalty_every), *found]
