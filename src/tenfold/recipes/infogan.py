"""InfoGAN: codes that come to mean something without labels."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from ..data.spec import DataSpec
from ..games.infogan import InfoGAN, InfoSampler
from ..nn.networks.infogan import InfoGenerator, InfoTrunk
from ..recipe import About, Batch, Play, Positive, Rate, Recipe, recipe


@recipe("infogan")
class InfoGANRecipe(Recipe):
    """A categorical and some continuous codes that can be read back from the picture."""

    about: ClassVar = About(
        "InfoGAN: Interpretable Representation Learning by Information Maximizing GANs",
        "Chen et al.",
        2016,
        "https://arxiv.org/abs/1606.03657",
        "finds classes and directions without labels",
    )
    augments: ClassVar = ("none", "diffaugment")
    presets: ClassVar = {
        "tiny": {"width": 4, "latent": 8, "batch": 8},
        "small": {"width": 32},
        "base": {"width": 64},
        "paper": {"width": 64, "batch": 128, "strength": 1.0, "continuous_information": 1.0},
    }

    width: Positive = 64
    """Channels at the finest resolution; the model's size grows with its square."""
    batch: Batch = 128
    """Real samples per update."""
    latent: Positive = 62
    """Dimension of the noise, codes not counted."""
    categories: Annotated[int, Ge(2)] = 10
    """Values of the categorical code."""
    continuous: Annotated[int, Ge(0)] = 2
    """Number of continuous codes."""
    strength: Annotated[float, Gt(0)] = 4.0
    """The number that marks the category among noise of standard deviation one; the paper's is 1."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    information: Annotated[float, Ge(0)] = 1.0
    """Weight of the information about the categorical code."""
    continuous_information: Annotated[float, Ge(0)] = 0.5
    """Weight of the information about the continuous codes, whose number it is summed over."""

    def build(self, spec: DataSpec) -> Play:
        """The authors' networks for handwritten digits, for any size."""
        latent = self.latent + self.categories + self.continuous
        generator = InfoGenerator(latent, spec.shape, self.width)
        trunk = InfoTrunk(spec.shape, self.width)
        game = InfoGAN(
            InfoSampler(generator, self.latent, self.categories, self.continuous, strength=self.strength),
            trunk,
            trunk.features,
            weight=self.information,
            continuous_weight=self.continuous_information,
            augment=self.augmentation(),
        )
        return self.play(game)
