"""Rows of a table: CTGAN's encoding and sampling, with any cells known, and a critic of today."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le
from torch import nn

from ..data.spec import DataSpec
from ..data.table.batches import Knowing
from ..errors import RecipeError
from ..games.tabular import RowSampler, TabularGAN, Weights
from ..nn.networks.mlp import MLPDiscriminator
from ..nn.networks.tabular import RowCritic, RowGenerator
from ..nn.rows import RowLayout
from ..objectives import RELATIVISTIC, WASSERSTEIN
from ..penalties import R1, R2, Interpolated, Penalty
from ..recipe import About, Augment, Auto, Batch, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe

Share = Annotated[float, Ge(0), Le(1)]
Weight = Annotated[float, Ge(0)]


def refuse_large_packs(pack: int, batch: int) -> None:
    """Raises a RecipeError if not even one pack of rows fits into a batch."""
    if pack > batch:
        raise RecipeError(
            f"the critic judges {pack} rows together, and a batch has {batch}. Pass a smaller --pack, or a "
            "larger --batch."
        )


@recipe("tabular")
class Tabular(Recipe):
    """A generator that is told any cells of a row, against a critic that judges rows in packs."""

    about: ClassVar = About(
        "Modeling Tabular Data using Conditional GAN",
        "Xu et al.",
        2019,
        "https://arxiv.org/abs/1907.00503",
        "tables: numbers, categories, dates; exact conditions on any columns",
    )
    kinds: ClassVar = ("table",)
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    by_heart: ClassVar = (80, 100_000)  # from there on, rows come ever nearer to training rows (decision 014)
    unused: ClassVar = ("augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 16, "latent": 4, "batch": 8, "pack": 2, "statistics": 0.1, "downstream": 0.1},
        "small": {},
        "base": {"width": 512, "depth": 3},
        "paper": {
            "objective": "wasserstein",
            "penalty": 10.0,
            "pack": 10,
            "batch": 500,
            "statistics": 0.0,
            "likely": 0.0,
            "swayed": 1.0,
            "more": 0.0,
            "passes": 1,
        },
    }

    batch: Batch = 512
    """Rows per update."""
    latent: Positive = 128
    """Dimension of the noise."""
    width: Positive = 256
    """Width of hidden layers."""
    depth: Positive = 2
    """Hidden layers of each network."""
    pack: Positive = 1
    """Rows that the critic judges together."""
    objective: Literal["relativistic", "wasserstein"] = "relativistic"
    """Relativistic pairing with R1 and R2, or Wasserstein with a gradient penalty."""
    penalty: Weight = 0.02
    """Weight of R1 and of R2, or of the gradient penalty."""
    critic_steps: Positive = 1
    """Updates of the critic for one of the generator."""
    known: Weight = 1.0
    """Weight of what the generator itself would put into choices that are known: categories, and cells of few
    different numbers."""
    likely: Weight = 1.0
    """Weight of how surprised the generator is by choices of real rows that it was not told."""
    swayed: Share = 0.03
    """Share of what the critic says that reaches choices, which have that to learn from; numbers hear all of
    it. 1 and `--likely 0` are a GAN alone."""
    statistics: Weight = 0.2
    """Weight of the difference between real and generated rows in the means and deviations that the critic
    sees."""
    downstream: Weight = 0.0
    """Weight of what a classifier of the target says of generated rows."""
    free: Share = 0.25
    """Share of training rows of which nothing is known."""
    more: Share = 1.0
    """Share of the others of which any number of cells is known; of the rest one is."""
    passes: Positive = 16
    """Passes in which a row is made in use, or one for each choice if there are fewer: each knows the choices
    of those before."""
    temperature: Annotated[float, Gt(0)] = 0.2
    """Of the softmax of options while training."""
    lr_g: Rate = 2e-3
    """Learning rate of the generator."""
    lr_d: Rate = 2e-3
    """Learning rate of the critic."""
    beta1: Moment = 0.0
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rates fall over the run."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of rows."""

    def build(self, spec: DataSpec) -> Play:
        """Both networks, and a classifier if there is a target that counts."""
        refuse_large_packs(self.pack, self.batch)
        layout = RowLayout(spec.cells)
        penalties: list[Penalty] = [R1(self.penalty), R2(self.penalty)]
        if self.objective == "wasserstein":
            penalties = [Interpolated(self.penalty)]
        game = TabularGAN(
            RowSampler(
                RowGenerator(self.latent, layout, self.width, depth=self.depth),
                layout,
                self.latent,
                self.temperature,
                max(1, min(self.passes, sum(not cell.scalar for cell in spec.cells))),
            ),
            RowCritic(layout, self.width, depth=self.depth, pack=self.pack),
            pack=self.pack,
            objective=WASSERSTEIN if self.objective == "wasserstein" else RELATIVISTIC,
            penalties=penalties if self.penalty else (),
            weights=Weights(self.known, self.likely, self.swayed, self.statistics, self.downstream),
            classifier=self.classifier(spec, layout),
            steps=self.critic_steps,
        )
        return self.play(game, knowing=Knowing(self.free, self.more))

    def classifier(self, spec: DataSpec, layout: RowLayout) -> tuple[nn.Module, int] | None:
        """Rows to logits of the target's options; None if there is no target, or it does not count."""
        if spec.target is None or not self.downstream:
            return None
        options = spec.cells[spec.target].options
        return MLPDiscriminator((layout.width,), (self.width,), outputs=options), spec.target
