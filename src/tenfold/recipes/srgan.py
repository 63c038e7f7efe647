"""SRGAN: pictures made larger, with the details that such pictures have."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Lt

from ..augment.joint import Jointly
from ..comparing import of_pixels_and_maps
from ..data.spec import DataSpec
from ..degrade import Degradation, Smaller, worn
from ..errors import RecipeError
from ..games.translation import Adversary, OneWay, Translation
from ..nn.networks.grid import base_grid
from ..nn.networks.superres import STEPS, Block, Enlarger, UNetDiscriminator
from ..objectives import NON_SATURATING
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


def made_small(recipe: SRGAN, spec: DataSpec) -> Degradation:
    """What makes small pictures of large ones.

    Raises:
        RecipeError: they cannot be made smaller by this number.
    """
    _, height, width = spec.shape
    if height % recipe.scale or width % recipe.scale:
        raise RecipeError(
            f"pictures of {width}x{height} pixels cannot be divided by --scale {recipe.scale}. Choose "
            f"another of {', '.join(map(str, STEPS))}, or another --size."
        )
    return Smaller(recipe.scale) if recipe.wear == "bicubic" else worn(recipe.scale, height, width)


@recipe("srgan")
class SRGAN(Recipe):
    """A residual network learns to enlarge, first by pixels alone, then against a U-Net that judges each."""

    about: ClassVar = About(
        "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
        "Ledig et al.",
        2016,
        "https://arxiv.org/abs/1609.04802",
        "pictures made two to four times as large",
    )
    kinds: ClassVar = ("images",)
    degrades: ClassVar = made_small
    weighs_through: ClassVar = {"perceptual": "efficientnet-lite0"}
    augments: ClassVar = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 4, "width_d": 4, "blocks": 1, "batch": 8},
        "small": {},
        "base": {"width": 64, "width_d": 48, "blocks": 8},
        "paper": {"width": 64, "width_d": 64, "blocks": 16, "adversarial": 1e-3, "lr_g": 1e-4, "lr_d": 1e-4},
    }

    batch: Annotated[int, Ge(2)] = 16
    """Real samples per update."""
    scale: Annotated[int, Ge(2), Le(4)] = 2
    """How many times as large."""
    wear: Literal["bicubic", "worn"] = "bicubic"
    """How small pictures are made of large ones: bicubic, or also blurred, noisy and compressed, twice."""
    width: Positive = 32
    """Channels of the generator."""
    blocks: Positive = 6
    """Blocks of the generator."""
    block: Block = "residual"
    """Which: residual ones, or three dense ones inside a residual one (rrdb), which is dearer."""
    width_d: Positive = 16
    """Channels of the discriminator at the full size."""
    alone: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of the run in which the generator learns from pixels alone."""
    l1: Annotated[float, Ge(0)] = 1.0
    """Weight of the mean difference of pixels."""
    perceptual: Annotated[float, Ge(0)] = 0.0
    """Weight of the difference in what EfficientNet-Lite0 sees: it then cannot judge (extra [features])."""
    matching: Annotated[float, Ge(0)] = 0.1
    """Weight of the difference in what the discriminator sees."""
    adversarial: Annotated[float, Ge(0)] = 0.02
    """Weight of what the discriminator says; 0 for pixels alone."""
    shift: Annotated[float, Ge(0), Lt(0.5)] = 0.1
    """By how much of a side pictures are moved, at most."""
    flip: bool = False
    """Whether half of the pictures are mirrored left to right; right where that means nothing else."""
    half_life_kimg: Annotated[float, Ge(0)] = 2.0
    """Half-life of the averaged generator's memory, in thousands of samples."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 4e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """A network that enlarges, and one that judges."""
        channels, height, width = spec.shape
        degrade = self.degradation(spec)
        network = Enlarger(channels, self.width, self.blocks, self.scale, self.block)
        depth = min(3, base_grid(height, width).doublings)
        adversary = Adversary(
            NON_SATURATING,
            self.adversarial,
            self.matching,
            conditional=False,
            since=self.alone if self.adversarial else 0.0,
        )
        game = Translation(
            OneWay(network, scale=self.scale, reach=network.reach),
            UNetDiscriminator(channels, self.width_d, depth) if self.adversarial else None,
            comparisons=of_pixels_and_maps(self.l1, self.perceptual),
            adversary=adversary,
            moves=Jointly(self.shift, self.flip),
            degrade=degrade,
        )
        return self.play(game)
