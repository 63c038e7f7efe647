"""Series: attributes, then steps, several at a time; a critic of both and one of attributes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from ..data.series.layout import SeriesLayout
from ..data.spec import DataSpec
from ..errors import RecipeError
from ..games.series import SeriesGAN, SeriesJudge, SeriesSampler
from ..nn.networks.series import AttributeCritic, FlatCritic, SeriesGenerator, TemporalCritic
from ..objectives import RELATIVISTIC, WASSERSTEIN
from ..penalties import R1, R2, Interpolated, Penalty
from ..recipe import About, Augment, Auto, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe

Weight = Annotated[float, Ge(0)]


@recipe("series")
class Series(Recipe):
    """DoppelGANger's design with parts of today: relativistic critics, layer norm, an averaged generator.

    Other than in the paper, the length of a series is one of its attributes, from which the flags of its
    steps follow; attributes are made by one network; the GRU is told the noise of the whole series each time
    it moves; and what is scaled by each series' own range reaches both ends of it by construction.
    """

    about: ClassVar = About(
        "Using GANs for Sharing Networked Time Series Data: Challenges, Initial Promise, and Open Questions",
        "Lin et al.",
        2020,
        "https://arxiv.org/abs/1909.13403",
        "series: several channels, lengths and scales that differ, metadata, irregular times",
    )
    conditional: ClassVar = "if_labelled"
    partly_labelled: ClassVar = False
    kinds: ClassVar = ("series",)
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    unused: ClassVar = ("augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {
            "widths": (16,),
            "widths_d": (16, 16),
            "hidden": 16,
            "latent": 4,
            "noise": 2,
            "moves": 4,
            "batch": 8,
        },
        "small": {},
        "base": {"widths": (256, 256), "widths_d": (512, 512, 512), "hidden": 192, "moves": 24},
        "temporal": {"critic": "temporal", "widths_d": (64, 64, 64, 64)},
        "paper": {
            "widths": (100, 100, 100),
            "widths_d": (200, 200, 200, 200, 200),
            "hidden": 100,
            "latent": 5,
            "noise": 5,
            "moves": 50,
            "objective": "wasserstein",
            "left": 1.0,
            "batch": 100,
            "beta1": 0.5,
            "beta2": 0.999,
            "schedule": "constant",
        },
    }

    latent: Positive = 32
    """Dimension of the noise that holds of a whole series."""
    noise: Positive = 8
    """Dimension of the fresh noise of each time the GRU moves."""
    widths: tuple[Positive, ...] = (128, 128)
    """Widths of the hidden layers that make attributes."""
    hidden: Positive = 96
    """Units of the GRU."""
    moves: Positive = 12
    """How often the GRU moves; each time it makes as many steps as are needed."""
    critic: Literal["flat", "temporal"] = "flat"
    """Linear layers over all steps at once, or convolutions over time."""
    widths_d: tuple[Positive, ...] = (256, 256, 256)
    """Widths of the critics' hidden layers; channels, where the critic is temporal."""
    auxiliary: Weight = 1.0
    """Weight of the critic that sees attributes alone; 0 for none."""
    objective: Literal["relativistic", "wasserstein"] = "relativistic"
    """Relativistic pairing with R1 and R2, or Wasserstein with a gradient penalty."""
    penalty: Weight = 5.0
    """Weight of R1 and of R2 at first, for the relativistic objective."""
    left: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share of that weight, or of the gradient penalty's, at the end: at first every kind of series is to be
    found, later its details."""
    gradient_penalty: Weight = 10.0
    """Weight of the gradient penalty, for the Wasserstein objective."""
    critic_steps: Positive = 1
    """Updates of the critics for one of the generator."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator."""
    lr_d: Rate = 1e-3
    """Learning rate of the critics."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    half_life_kimg: Weight | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of series."""

    def build(self, spec: DataSpec) -> Play:
        """A generator, a critic of series and one of attributes, if there are any."""
        layout, classes = layout_of(spec), self.conditions(spec)
        if not self.widths or not self.widths_d:
            raise RecipeError("widths and widths_d each need a hidden layer at least. Give one, such as 128.")
        generator = SeriesGenerator(
            layout,
            self.latent,
            self.noise,
            widths=self.widths,
            hidden=self.hidden,
            moves=self.moves,
            classes=classes,
        )
        network = FlatCritic if self.critic == "flat" else TemporalCritic
        whole = SeriesJudge(network(layout, self.widths_d, classes=classes), self.penalties())
        own = None
        if layout.attributes and self.auxiliary:
            judge = AttributeCritic(layout, self.widths_d, classes=classes)
            own = SeriesJudge(judge, self.penalties(), sees=layout.attributes, weight=self.auxiliary)
        game = SeriesGAN(
            SeriesSampler(generator),
            whole,
            own,
            layout=layout,
            objective=WASSERSTEIN if self.objective == "wasserstein" else RELATIVISTIC,
            steps=self.critic_steps,
            left=self.left,
        )
        return self.play(game, balanced=classes > 0)

    def penalties(self) -> Sequence[Penalty]:
        """What either critic pays."""
        if self.objective == "wasserstein":
            return [Interpolated(self.gradient_penalty)] if self.gradient_penalty else []
        if not self.penalty:
            return []
        return [R1(self.penalty), R2(self.penalty)]


def layout_of(spec: DataSpec) -> SeriesLayout:
    """How the series lie before networks.

    Raises:
        RecipeError: the data are no series.
    """
    if spec.series is None:
        raise RecipeError(
            f"recipe 'series' learns from series, and the data are {spec.kind}. Choose another: "
            "tenfold recipes"
        )
    return spec.series
