"""FastCUT: CUT without its identity, and so in less time and memory."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ..augment.joint import Jointly
from ..data.spec import DataSpec
from ..games.cut import CUT
from ..nn.networks.translator import PatchHeads, TranslatorNetwork
from ..nn.networks.unet import PatchDiscriminator, patch_layers
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe
from .cut import CUTRecipe


@recipe("fastcut")
class FastCUTRecipe(Recipe):
    """CUT with a heavier contrast, mirrored pictures and no identity: faster, and freer with colours."""

    about: ClassVar = About(
        "Contrastive Learning for Unpaired Image-to-Image Translation",
        "Park et al.",
        2020,
        "https://arxiv.org/abs/2007.15651",
        "cut without its identity: quicker, and freer with colours",
    )
    kinds: ClassVar = ("unpaired",)
    augments: ClassVar = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {**CUTRecipe.presets, "paper": {**CUTRecipe.presets["paper"], "contrast": 10.0}}

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
    contrast: Annotated[float, Ge(0)] = 3.0
    """Weight of patches that are not recognised."""
    places: Positive = 128
    """Patches of each map that are compared."""
    described: Positive = 128
    """Length of the vectors that describe patches."""
    flips: bool = True
    """Whether half of what is given is mirrored, and the result must be, too."""
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
        """One way, without identity."""
        given, made = spec.given[0], spec.shape[0]
        network = TranslatorNetwork(given, made, self.width, self.blocks, resized=self.resized)
        game = CUT(
            network,
            PatchHeads(network.map_widths, self.described),
            PatchDiscriminator(made, self.width_d, patch_layers(spec.shape), norm="instance"),
            weight=self.contrast,
            identity=0.0,
            places=self.places,
            flips=self.flips,
            moves=Jointly(self.shift, self.flip),
        )
        return self.play(game)
