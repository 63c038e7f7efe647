"""CUT: two sides of pictures without pairs, translated one way by one network."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ..augment.joint import Jointly
from ..data.spec import DataSpec
from ..games.cut import CUT
from ..nn.networks.translator import PatchHeads, TranslatorNetwork
from ..nn.networks.unet import PatchDiscriminator, patch_layers
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("cut")
class CUTRecipe(Recipe):
    """One translator, whose patches must be told by what they were made of; the default without pairs."""

    about: ClassVar = About(
        "Contrastive Learning for Unpaired Image-to-Image Translation",
        "Park et al.",
        2020,
        "https://arxiv.org/abs/2007.15651",
        "two looks without pairs, one way: half the networks of cyclegan",
    )
    kinds: ClassVar = ("unpaired",)
    augments: ClassVar = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 4, "width_d": 4, "blocks": 2, "batch": 8, "described": 8, "places": 16},
        "small": {},
        "base": {"width": 64, "width_d": 64, "blocks": 6},
        "paper": {
            "width": 64,
            "width_d": 64,
            "blocks": 9,
            "resized": False,
            "places": 256,
            "described": 256,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
        },
    }

    batch: Annotated[int, Ge(2)] = 4
    """Real samples of either side per update."""
    width: Positive = 24
    """Channels of the translator at the full size; four times as many at a quarter."""
    width_d: Positive = 16
    """Channels of the discriminator's first layer."""
    blocks: Positive = 4
    """Residual blocks of the translator."""
    resized: bool = True
    """Whether pixels are repeated and then convolved; transposed convolutions leave dots."""
    contrast: Annotated[float, Ge(0)] = 1.0
    """Weight of patches that are not recognised."""
    identity: Annotated[float, Ge(0)] = 1.0
    """Weight of patches of pictures that need no translation and are not recognised after it."""
    places: Positive = 128
    """Patches of each map that are compared."""
    described: Positive = 128
    """Length of the vectors that describe patches."""
    shift: Annotated[float, Ge(0), Lt(0.5)] = 0.1
    """By how much of a side pictures are moved, at most."""
    flip: bool = False
    """Whether half of the pictures are mirrored left to right; right where that means nothing else."""
    half_life_kimg: Annotated[float, Ge(0)] = 1.0
    """Half-life of the averaged translator's memory, in thousands of samples."""
    lr_g: Rate = 4e-4
    """Learning rate of the translator."""
    lr_d: Rate = 4e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients."""
    schedule: ScheduleName = "second_half"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """One way, with identity."""
        given, made = spec.given[0], spec.shape[0]
        network = TranslatorNetwork(given, made, self.width, self.blocks, resized=self.resized)
        game = CUT(
            network,
            PatchHeads(network.map_widths, self.described),
            PatchDiscriminator(made, self.width_d, patch_layers(spec.shape), norm="instance"),
            weight=self.contrast,
            identity=self.identity,
            places=self.places,
            moves=Jointly(self.shift, self.flip),
        )
        return self.play(game)
