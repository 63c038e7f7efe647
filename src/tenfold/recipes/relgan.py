"""RelGAN: a language model that goes on to learn by soft tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from annotated_types import Ge

from ..data.spec import DataSpec
from ..games.language import TextSampler
from ..games.relgan import RelGAN as Game
from ..games.relgan import Softness
from ..nn.networks.reader import ManyReaders
from ..recipe import (
    SCHEDULES,
    About,
    Augment,
    Auto,
    Moment,
    Play,
    Positive,
    Rate,
    Recipe,
    ScheduleName,
    recipe,
)
from .lm import Body, Kind, Share, Staged, Weight, bound_gradients, language_network, one_each, text_layout


@recipe("relgan")
class RelGAN(Recipe):
    """Maximum likelihood, then a discriminator of many representations whose gradient goes through tokens.

    Other than in the paper, the discriminator sees drawn tokens as they are, and soft ones only in the
    gradient.

    Preset paper is as published, on 10,000 texts: 150 passes by likelihood, 3,000 steps of both players
    (--kimg 1692).
    """

    about: ClassVar = About(
        "RelGAN: Relational Generative Adversarial Networks for Text Generation",
        "Nie et al.",
        2019,
        "https://openreview.net/forum?id=rJedV3R5tm",
        "texts, by a gradient through soft tokens; look at its baseline before you believe it",
    )
    conditional: ClassVar = "if_labelled"
    partly_labelled: ClassVar = False
    kinds: ClassVar = ("texts",)
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {
            "embedding": 8,
            "hidden": 16,
            "dropout": 0.0,
            "representations": 4,
            "kernels": (2, 3),
            "filters": (8,),
            "hidden_d": 8,
            "dropout_d": 0.0,
            "critic_steps": 1,
            "batch": 8,
        },
        "small": {},
        "base": {
            "embedding": 64,
            "hidden": 256,
            "representations": 32,
            "filters": (100,),
            "hidden_d": 100,
        },
        "paper": {
            "hidden": 512,
            "dropout": 0.0,
            "representations": 64,
            "filters": (300,),
            "hidden_d": 100,
            "critic_steps": 5,
            "straight": False,
            "likelihood": 0.8865,
            "from_best": False,
            "lr_g": 0.01,
            "lr_adversarial": 1e-4,
            "lr_d": 1e-4,
            "beta2": 0.999,
            "schedule": "constant",
            "half_life_kimg": 0.0,
        },
    }

    network: Kind = "relational"
    """A memory whose slots attend to each other and to tokens, an LSTM, or a causal Transformer."""
    embedding: Positive = 32
    """Dimension of the vectors of tokens; that of a Transformer's is its width."""
    hidden: Positive = 64
    """Width of the memory or of the Transformer, or units of the LSTM."""
    depth: Positive = 1
    """Layers of the LSTM or of the Transformer."""
    slots: Positive = 1
    """Vectors in the memory."""
    heads: Positive = 2
    """Heads of the attention; they divide the width."""
    spread: Weight = 0.0
    """Standard deviation of all of the generator's weights at first; 0 for what suits each layer."""
    dropout: Share = 0.1
    """Share of the generator's features that is left out while it learns from real texts."""
    representations: Positive = 16
    """How many representations the discriminator has: vectors of tokens, each with a logit."""
    embedding_d: Positive = 1
    """Dimension of these vectors."""
    kernels: tuple[Positive, ...] = (2, 3, 4, 5)
    """Widths of the discriminator's patterns, in tokens."""
    filters: tuple[Positive, ...] = (32,)
    """Patterns of each width; one number holds of all."""
    hidden_d: Positive = 64
    """Width of the layer before the discriminator's last."""
    dropout_d: Share = 0.25
    """Share of what the discriminator sees that is left out while it learns."""
    likelihood: Share = 0.8
    """Share of the run, its first, in which the generator learns from real texts by likelihood."""
    from_best: bool = True
    """Whether what comes after goes on from the sampler that held-out texts like best; else from the last."""
    critic_steps: Positive = 2
    """Updates of the discriminator for one of the generator, from then on."""
    sharpest: Annotated[float, Ge(1)] = 100.0
    """Inverse temperature of soft tokens at the end of the run; it rises from 1, by the same factor in the
    same time."""
    straight: bool = True
    """Whether the discriminator sees tokens as they are, soft ones only in the gradient."""
    clip: Weight = 5.0
    """Largest norm of either gradient; 0 for any."""
    lr_g: Rate = 5e-3
    """Learning rate of the generator while it learns by likelihood."""
    lr_adversarial: Rate = 3e-4
    """Learning rate of the generator against the discriminator."""
    lr_d: Rate = 3e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.9
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the generator's learning rate falls while it learns by likelihood."""
    half_life_kimg: Weight | Auto = 1.0
    """Half-life of the averaged generator's memory, in thousands of texts; against the discriminator it
    learns in few steps."""

    def build(self, spec: DataSpec) -> Play:
        """A language model, and a discriminator of texts."""
        layout, classes = text_layout("relgan", spec), self.conditions(spec)
        body = Body(self.network, self.embedding, self.hidden, self.depth, self.heads, self.slots)
        network = language_network(layout, body, classes, self.spread)
        reader = ManyReaders(
            layout.vocabulary,
            layout.length,
            representations=self.representations,
            size=self.embedding_d,
            kernels=self.kernels,
            filters=one_each(self.kernels, self.filters),
            hidden=self.hidden_d,
            classes=classes,
        )
        game = Game(
            TextSampler(network, layout.length),
            reader,
            likelihood=self.likelihood,
            softness=Softness(self.sharpest, self.straight),
            steps=self.critic_steps,
            dropout=(self.dropout, self.dropout_d),
            from_best=self.from_best,
        )
        play = self.play(game)
        bound_gradients(play.optimizers.values(), self.clip)
        rate = Staged(SCHEDULES[self.schedule], self.likelihood, self.lr_adversarial / self.lr_g)
        return replace(play, schedules={"G": rate, "D": SCHEDULES["constant"]})
