"""The first GAN: fully connected networks, for pictures and for plain rows of numbers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.gan import GAN, NoiseSampler
from ..nn.layers import Activation
from ..nn.networks.mlp import ConvDiscriminator, MLPDiscriminator, MLPGenerator, Output
from ..objectives import NON_SATURATING, RELATIVISTIC
from ..penalties import R1, R2
from ..recipe import About, Moment, Play, Positive, Recipe, recipe


@recipe("mlp")
class MLP(Recipe):
    """Fully connected generator against a fully connected or a small convolutional discriminator."""

    about: ClassVar = About(
        "Generative Adversarial Nets",
        "Goodfellow et al.",
        2014,
        "https://arxiv.org/abs/1406.2661",
        "to learn from; rows of numbers; very small pictures",
    )
    kinds: ClassVar = ("images", "vectors")
    images_only: ClassVar = {"augment": ("diffaugment", "ada"), "discriminator": ("conv",)}
    presets: ClassVar = {
        "tiny": {"widths": (16, 16), "widths_d": (16, 16), "latent": 4, "batch": 8},
        "small": {},
        "base": {"widths": (256, 512, 1024), "widths_d": (512, 256)},
        "paper": {"widths": (256, 256), "widths_d": (256, 256), "output": "sigmoid", "objective": "classic"},
        "deep": {"widths": (128, 256, 512), "widths_d": (512, 256), "objective": "classic"},
        "conv": {"widths": (256, 512), "discriminator": "conv", "widths_d": (64, 128, 256)},
    }

    widths: tuple[Positive, ...] = (256, 512)
    """Widths of the generator's hidden layers."""
    widths_d: tuple[Positive, ...] = (512, 256)
    """Widths of the discriminator's hidden layers, or channels of its convolutions."""
    hidden: Activation = "leaky_relu"
    """Activation of both networks' hidden layers."""
    output: Output = "tanh"
    """Activation of the generator's last layer; vectors are left linear."""
    batch_norm: bool = False
    """Whether the generator's hidden layers are normalised by batch."""
    discriminator: Literal["mlp", "conv"] = "mlp"
    """Fully connected, or 3x3 convolutions of stride 2 (pictures only)."""
    objective: Literal["relativistic", "classic"] = "relativistic"
    """Relativistic pairing with R1 and R2, or the paper's non-saturating loss."""
    penalty: Annotated[float, Ge(0)] = 1.0
    """Weight of R1 and of R2, for the relativistic objective."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients."""

    def build(self, spec: DataSpec) -> Play:
        """Linear layers in the classic or the relativistic game."""
        relativistic = self.objective == "relativistic"
        judge = ConvDiscriminator if self.discriminator == "conv" else MLPDiscriminator
        generator = MLPGenerator(
            self.latent,
            spec.shape,
            self.widths,
            hidden=self.hidden,
            output=self.output if spec.kind == "images" else "linear",
            batch_norm=self.batch_norm,
        )
        game = GAN(
            NoiseSampler(generator, self.latent),
            judge(spec.shape, self.widths_d, hidden=self.hidden, bias=not relativistic),
            objective=RELATIVISTIC if relativistic else NON_SATURATING,
            penalties=[R1(self.penalty), R2(self.penalty)] if relativistic and self.penalty else (),
            augment=self.augmentation(),
            joint=True,
        )
        return self.play(game)
