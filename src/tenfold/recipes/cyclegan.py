"""CycleGAN: two sides of pictures without pairs, translated both ways."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ..augment.joint import Jointly
from ..data.spec import DataSpec
from ..games.cyclegan import BothWays, CycleGAN, History
from ..nn.networks.translator import TranslatorNetwork
from ..nn.networks.unet import PatchDiscriminator, patch_layers
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe


@recipe("cyclegan")
class CycleGANRecipe(Recipe):
    """Two translators and two discriminators; what goes there and back again must be what it was."""

    about: ClassVar = About(
        "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        "Zhu et al.",
        2017,
        "https://arxiv.org/abs/1703.10593",
        "two looks without pairs, where both ways are wanted",
    )
    kinds: ClassVar = ("unpaired",)
    augments: ClassVar = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 4, "width_d": 4, "blocks": 2, "batch": 8, "history": 16},
        "small": {},
        "base": {"width": 64, "width_d": 64, "blocks": 6},
        "paper": {
            "width": 64,
            "width_d": 64,
            "blocks": 9,
            "resized": False,
            "noise": 0.0,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
        },
    }

    batch: Annotated[int, Ge(2)] = 4
    """Real samples of either side per update."""
    width: Positive = 24
    """Channels of the translators at the full size; four times as many at a quarter."""
    width_d: Positive = 16
    """Channels of the discriminators' first layer."""
    blocks: Positive = 4
    """Residual blocks of each translator."""
    resized: bool = True
    """Whether pixels are repeated and then convolved; the paper's transposed convolutions leave dots."""
    cycle: Annotated[float, Ge(0)] = 10.0
    """Weight of what does not come back."""
    identity: Annotated[float, Ge(0)] = 0.5
    """Weight, as a share of that, of what is changed in pictures that need no translation."""
    history: Annotated[int, Ge(0)] = 50
    """Made pictures of earlier steps that the discriminators are shown again; 0 for none."""
    noise: Annotated[float, Ge(0), Lt(1)] = 0.02
    """Strength of what is added before the way back, or else colours are hidden in dots."""
    shift: Annotated[float, Ge(0), Lt(0.5)] = 0.1
    """By how much of a side pictures are moved, at most."""
    flip: bool = False
    """Whether half of the pictures are mirrored left to right; right where that means nothing else."""
    half_life_kimg: Annotated[float, Ge(0)] = 1.0
    """Half-life of the averaged translators' memory, in thousands of samples."""
    lr_g: Rate = 4e-4
    """Learning rate of the translators."""
    lr_d: Rate = 4e-4
    """Learning rate of the discriminators."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients."""
    schedule: ScheduleName = "second_half"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """Both ways."""
        given, made = spec.given, spec.shape
        there, back = (
            TranslatorNetwork(a[0], b[0], self.width, self.blocks, resized=self.resized)
            for a, b in ((given, made), (made, given))
        )
        sides, layers = {"real": made, "source": given}, patch_layers(made)
        judges = {
            name: PatchDiscriminator(shape[0], self.width_d, layers, norm="instance")
            for name, shape in sides.items()
        }
        game = CycleGAN(
            BothWays(there, back, stride=there.stride, least=there.least),
            judges,
            {name: History(self.history, self.batch, shape) for name, shape in sides.items()},
            cycle=self.cycle,
            identity=self.identity,
            moves=Jointly(self.shift, self.flip),
            noise=self.noise,
        )
        return self.play(game)
