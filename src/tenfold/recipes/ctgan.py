"""CTGAN with the paper's settings, to compare with."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ..data.spec import DataSpec
from ..data.table.batches import Knowing
from ..games.tabular import RowSampler, TabularGAN
from ..nn.networks.tabular import RowCritic, RowGenerator
from ..nn.rows import RowLayout
from ..objectives import WASSERSTEIN
from ..penalties import Interpolated
from ..recipe import About, Augment, Auto, Batch, Moment, Play, Positive, Recipe, recipe
from .tabular import refuse_large_packs


@recipe("ctgan")
class CTGAN(Recipe):
    """Batch norm, Wasserstein loss with a gradient penalty, packs of ten, one known category of each row.

    Unlike in the paper, what is known is set in what the critic sees, and conditions at sampling follow the
    true frequencies. Numbers are never known in training: what is asked of them is set, and not learnt from.
    """

    about: ClassVar = About(
        "Modeling Tabular Data using Conditional GAN",
        "Xu et al.",
        2019,
        "https://arxiv.org/abs/1907.00503",
        "tables, as the paper has it; to compare with",
    )
    kinds: ClassVar = ("table",)
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    unused: ClassVar = ("augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 16, "latent": 4, "batch": 8, "pack": 2},
        "small": {},
        "base": {},
        "paper": {},
    }

    batch: Batch = 500
    """Rows per update."""
    latent: Positive = 128
    """Dimension of the noise."""
    width: Positive = 256
    """Width of hidden layers."""
    pack: Positive = 10
    """Rows that the critic judges together."""
    penalty: Annotated[float, Ge(0)] = 10.0
    """Weight of the gradient penalty."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of the critic's hidden entries that are left out."""
    beta2: Moment = 0.9
    """Decay of the mean of squared gradients."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = 0.0
    """Half-life of the averaged generator's memory, in thousands of rows."""

    def build(self, spec: DataSpec) -> Play:
        """The paper's networks."""
        refuse_large_packs(self.pack, self.batch)
        layout = RowLayout(spec.cells)
        game = TabularGAN(
            RowSampler(RowGenerator(self.latent, layout, self.width, norm="batch"), layout, self.latent),
            RowCritic(layout, self.width, pack=self.pack, dropout=self.dropout, numbers=False),
            pack=self.pack,
            objective=WASSERSTEIN,
            penalties=[Interpolated(self.penalty)],
        )
        return self.play(game, knowing=Knowing(free=0.0, more=0.0, categories_only=True))
