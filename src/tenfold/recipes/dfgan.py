"""DF-GAN: pictures of what is said, in one stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt
from torch.optim import Optimizer

from ..augment import Augmentation, Change
from ..augment.ada import ADA
from ..data.spec import DataSpec
from ..games.captions import CaptionGAN, CaptionSampler, Lesson, MatchingAware
from ..nn.networks.dfgan import DFDiscriminator, DFGenerator
from ..nn.networks.words import PictureEncoder, TextEncoder
from ..objectives import HINGE
from ..recipe import (
    SCHEDULES,
    About,
    Augment,
    Moment,
    Play,
    Positive,
    Rate,
    Recipe,
    Schedule,
    ScheduleName,
    recipe,
)
from ..settings import resolve

SPOKEN_OF: tuple[Change, ...] = ("mirror", "quarter_turns", "rotation", "inversion", "hue", "saturation")
"""Changes of what captions often say: of sides, and of colours."""


@recipe("dfgan")
class DFGAN(Recipe):
    """Captions are fused into every block of the generator; hinge, mismatched captions, a penalty at matches.

    A small GRU learns to read the captions from the pairs themselves, in the first share of the run; the
    paper takes an encoder that learnt before. Here one pair of layers says gain and bias of a channel
    together, where the paper has a pair for each; and the penalty is of the squared slope.
    """

    about: ClassVar = About(
        "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis",
        "Tao et al.",
        2022,
        "https://arxiv.org/abs/2008.05865",
        "pictures of what is said; the default for pictures with captions",
    )
    kinds: ClassVar = ("captioned",)
    presets: ClassVar = {
        "tiny": {"width": 4, "width_e": 4, "latent": 8, "batch": 8, "sentence": 8, "fusion": 8},
        "small": {},
        "base": {"width": 32, "width_e": 32, "fusion": 128},
        "paper": {
            "width": 32,
            "width_e": 64,
            "sentence": 256,
            "fusion": 256,
            "lr_g": 1e-4,
            "lr_d": 4e-4,
            "beta2": 0.9,
            "power": 6.0,
            "penalty_every": 1,
            "augment": "none",
            "schedule": "constant",
        },
    }

    batch: Annotated[int, Ge(2)] = 32
    """Real samples per update."""
    width: Positive = 16
    """Channels at the finest resolution; up to eight times as many at coarse ones."""
    width_e: Positive = 16
    """The same of the encoder that learns which picture belongs to which caption."""
    sentence: Positive = 128
    """Dimension of what a caption becomes."""
    fusion: Positive = 64
    """Units that make gain and bias of channels of noise and caption."""
    alone: Annotated[float, Ge(0), Lt(1)] = 0.3
    """Share of the samples on which captions are learnt, before anything is drawn: a far smaller one of the
    time; 0 to learn them throughout."""
    forgotten: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of a caption's tokens that are not told while captions are learnt."""
    mismatched: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Weight of real pictures with captions of others, among what the discriminator shall reject."""
    penalty: Annotated[float, Ge(0)] = 2.0
    """Weight of the discriminator's slope at real pictures with their captions; 0 for none."""
    power: Annotated[float, Ge(1)] = 2.0
    """To which that slope counts: the paper's 6 punishes slopes above one alone."""
    penalty_every: Positive = 4
    """Steps from one look at that slope to the next, which then counts as much more."""
    augment: Augment = "auto"
    """Differentiable augmentation of all that the discriminator sees; by default where pictures are few."""
    without: tuple[Change, ...] = SPOKEN_OF
    """Changes that augmentation leaves out, as they would change what captions say; by default those of sides
    and of colours."""
    lr_e: Rate = 2e-3
    """Learning rate of what learns captions."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the discriminator."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients; of what learns captions, .9."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """Encoders, a generator of fusion blocks, and a discriminator that is told the caption late."""
        assert spec.text is not None
        text = TextEncoder(spec.text.vocabulary, self.sentence)
        generator = DFGenerator(self.latent, self.sentence, spec.shape, self.width, self.fusion)
        game = CaptionGAN(
            CaptionSampler(text, generator, self.latent),
            PictureEncoder(spec.shape, self.sentence, self.width_e),
            DFDiscriminator(spec.shape, self.sentence, self.width),
            objective=HINGE,
            lesson=Lesson(self.alone, self.forgotten, self.mismatched),
            penalty=MatchingAware(self.penalty, self.penalty_every, self.power) if self.penalty else None,
            augment=shown_to_d(self, spec, self.alone),
        )
        steady = replace(self, beta1=0.9, beta2=0.999)  # nobody plays against the encoders
        return reading_first(self.play(game), steady.optimize(game.players()["E"], self.lr_e), self.alone)


@dataclass(frozen=True)
class Within:
    """A learning rate that falls over a part of a run as it would over the whole of one.

    Attributes:
        whole: how it would.
        since, until: shares of the run at which the part begins and ends.

    Example:
        >>> Within(SCHEDULES["linear"], 0.5, 1.0)(0.75)
        0.5
    """

    whole: Schedule
    since: float
    until: float

    def __call__(self, progress: float) -> float:
        """The factor at a share of the run."""
        return self.whole((progress - self.since) / (self.until - self.since))


def reading_first(play: Play, optimizer: Optimizer, alone: float) -> Play:
    """The same with an optimiser for the encoders, the rates of all falling over their own part of the run.

    Args:
        play: of pictures with captions.
        optimizer: of player E.
        alone: share of the run after which E stays, and before which the others do; 0 if all learn all along.
    """
    rates = dict(play.schedules)
    if alone:
        rates = {name: Within(rate, alone, 1.0) for name, rate in rates.items()}
        rates["E"] = Within(SCHEDULES["linear"], 0.0, alone)
    return replace(play, optimizers={**play.optimizers, "E": optimizer}, schedules=rates)


def shown_to_d(recipe: Recipe, spec: DataSpec, alone: float) -> Augmentation | None:
    """What D sees of pictures; what adapts waits as long after D has begun as it else does in a run.

    Args:
        recipe: of pictures with captions.
        spec: what is known of the data.
        alone: share of the run before which D does not learn.
    """
    found = resolve(recipe, spec)[0].augmentation()
    match found:
        case ADA():
            found.begin = alone + (1 - alone) * found.begin
        case _:
            pass
    return found
