"""GAN-CLS: the first pictures of what is said; a DCGAN that is told the caption."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ..augment import Change
from ..data.spec import DataSpec
from ..games.captions import CaptionGAN, CaptionSampler, Lesson
from ..nn.networks.gan_cls import CLSDiscriminator, CLSGenerator
from ..nn.networks.words import PictureEncoder, TextEncoder
from ..objectives import NON_SATURATING
from ..recipe import About, Augment, Play, Positive, Rate, Recipe, ScheduleName, recipe
from .dfgan import SPOKEN_OF, reading_first, shown_to_d


@recipe("gan_cls")
class GANCLS(Recipe):
    """Captions beside noise and beside the coarsest maps; matching-aware cross-entropy, captions in between.

    A small GRU learns to read the captions from the pairs themselves, in the first share of the run; the
    paper takes an encoder of letters that learnt before.
    """

    about: ClassVar = About(
        "Generative Adversarial Text to Image Synthesis",
        "Reed et al.",
        2016,
        "https://arxiv.org/abs/1605.05396",
        "the classic for pictures of what is said; what dfgan is compared with",
    )
    kinds: ClassVar = ("captioned",)
    presets: ClassVar = {
        "tiny": {"width": 4, "width_e": 4, "latent": 8, "batch": 8, "sentence": 8},
        "small": {},
        "base": {"width": 64, "width_e": 32},
        "paper": {
            "width": 128,
            "width_e": 64,
            "sentence": 1024,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            "augment": "none",
            "schedule": "constant",
        },
    }

    width: Positive = 32
    """Channels at the finest resolution; the model's size grows with its square."""
    width_e: Positive = 16
    """The same of the encoder that learns which picture belongs to which caption."""
    sentence: Positive = 128
    """Dimension of what a caption becomes."""
    alone: Annotated[float, Ge(0), Lt(1)] = 0.3
    """Share of the samples on which captions are learnt, before anything is drawn: a far smaller one of the
    time; 0 to learn them throughout."""
    forgotten: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of a caption's tokens that are not told while captions are learnt."""
    mismatched: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Weight of real pictures with captions of others, among what the discriminator shall reject."""
    between: Annotated[float, Ge(0)] = 1.0
    """Weight of pictures for what lies half way between two captions; 0 for none."""
    augment: Augment = "auto"
    """Differentiable augmentation of all that the discriminator sees; by default where pictures are few."""
    without: tuple[Change, ...] = SPOKEN_OF
    """Changes that augmentation leaves out, as they would change what captions say; by default those of sides
    and of colours."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the discriminator."""
    lr_e: Rate = 2e-3
    """Learning rate of what learns captions."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """Encoders, and mirror-image networks that are told the caption."""
        assert spec.text is not None
        text = TextEncoder(spec.text.vocabulary, self.sentence)
        generator = CLSGenerator(self.latent, self.sentence, spec.shape, self.width)
        game = CaptionGAN(
            CaptionSampler(text, generator, self.latent),
            PictureEncoder(spec.shape, self.sentence, self.width_e),
            CLSDiscriminator(spec.shape, self.sentence, self.width),
            objective=NON_SATURATING,
            lesson=Lesson(self.alone, self.forgotten, self.mismatched, self.between),
            augment=shown_to_d(self, spec, self.alone),
        )
        steady = replace(self, beta1=0.9)  # nobody plays against the encoders
        return reading_first(self.play(game), steady.optimize(game.players()["E"], self.lr_e), self.alone)
