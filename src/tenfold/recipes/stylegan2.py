"""StyleGAN2: a mapped latent scales the channels of every layer."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from ..data.spec import DataSpec
from ..games.gan import GAN
from ..games.style import StyleSampler
from ..nn.networks.stylegan2 import Mapping, StyleDiscriminator, Synthesis
from ..objectives import NON_SATURATING
from ..penalties import R1, LeCam, Penalty
from ..recipe import About, Augment, Auto, Moment, Play, Positive, Rate, Recipe, recipe
from ..settings import resolve
from ..terms import PathLength


@recipe("stylegan2")
class StyleGAN2(Recipe):
    """Modulated convolutions, noise, style mixing, lazy R1 and path length.

    Other than in the paper, pictures end in a tanh, path lengths are of the whole batch, and the optimisers'
    rates are not corrected for lazy turns.
    """

    about: ClassVar = About(
        "Analyzing and Improving the Image Quality of StyleGAN",
        "Karras et al.",
        2019,
        "https://arxiv.org/abs/1912.04958",
        "pictures whose style is to be mixed, truncated or explored",
    )
    conditional: ClassVar = "if_labelled"
    presets: ClassVar = {
        "tiny": {
            "width": 8,
            "latent": 8,
            "mapping": 1,
            "batch": 8,
            "penalty_every": 2,
            "path_length_every": 2,
            "augment": "none",
            "lecam": 0.0,
        },
        "small": {"width": 32, "latent": 128, "batch": 16},
        "base": {"width": 256, "latent": 256},
        "paper": {
            "width": 512,
            "latent": 512,
            "mapping": 8,
            "batch": 32,
            "penalty": 10.0,
            "lr_g": 2e-3,
            "lr_d": 2e-3,
            "augment": "ada",
            "lecam": 0.0,
            "half_life_kimg": 10.0,
        },
    }

    width: Positive | Auto = "auto"
    """Channels at up to 32 pixels a side."""
    latent: Positive = 512
    """Dimension of the noise and of styles."""
    mapping: Positive = 2
    """Layers from noise to style."""
    mixing: Annotated[float, Ge(0), Le(1)] = 0.9
    """Share of samples in training that follow a second style from some layer on."""
    penalty: Annotated[float, Ge(0)] | Auto = "auto"
    """Weight of R1."""
    penalty_every: Positive = 16
    """Steps from one look at R1 to the next, which then counts as much more."""
    path_length: Annotated[float, Ge(0)] = 2.0
    """Weight of the path length."""
    path_length_every: Positive = 8
    """Steps from one look at the path length to the next."""
    lecam: Annotated[float, Ge(0)] | Auto = "auto"
    """Weight of the LeCam regulariser."""
    augment: Augment = "auto"
    """Differentiable augmentation of all that the discriminator sees, for small sets that overfit."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of samples."""
    lr_g: Rate = 2.5e-3
    """Learning rate of the generator."""
    lr_d: Rate = 2.5e-3
    """Learning rate of the discriminator."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""

    def build(self, spec: DataSpec) -> Play:
        """Style networks in the classic game."""
        settled, classes = resolve(self, spec)[0], self.conditions(spec)
        assert settled.width != "auto"
        mapping = Mapping(self.latent, self.mapping, classes=classes)
        synthesis = Synthesis(spec.shape, settled.width, self.latent)
        sampler = StyleSampler(mapping, synthesis, self.latent, self.mixing)
        lengths = PathLength(sampler.paths, weight=self.path_length, every=self.path_length_every)
        game = GAN(
            sampler,
            StyleDiscriminator(spec.shape, settled.width, classes=classes),
            objective=NON_SATURATING,
            penalties=settled.penalties(),
            terms=[lengths] if self.path_length else (),
            augment=settled.augmentation(),
        )
        return self.play(game, balanced=classes > 0)

    def penalties(self) -> list[Penalty]:
        """R1, and LeCam where there is little data."""
        assert self.penalty != "auto" and self.lecam != "auto"
        found: list[Penalty] = [R1(self.penalty, self.penalty_every)] if self.penalty else []
        return [*found, LeCam(self.lecam)] if self.lecam else found
