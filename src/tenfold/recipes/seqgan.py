"""SeqGAN: a language model that goes on to learn by policy gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from ..data.spec import DataSpec
from ..errors import RecipeError
from ..games.language import TextSampler
from ..games.seqgan import Judging, Policy, Shares
from ..games.seqgan import SeqGAN as Game
from ..nn.networks.reader import TextReader
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
from .lm import Body, Share, Staged, Weight, bound_gradients, language_network, one_each, text_layout


@recipe("seqgan")
class SeqGAN(Recipe):
    """Maximum likelihood, then a discriminator, then both in turn: each token by what becomes of it.

    Other than in the paper, a learnt value is subtracted from rewards, the likelihood of real texts goes on
    to count, the generator itself goes on with texts, and the discriminator is small and moves a few times
    for one move of the generator.

    Preset paper is as published, on 10,000 texts of 20 tokens: 120 passes by likelihood, 50 rounds of D, 200
    rounds of both (--kimg 2713). D's 15 passes of a round are 2,344 updates, each on fresh texts of G, where
    the paper looks at each 10,000 of them three times.
    """

    about: ClassVar = About(
        "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient",
        "Yu et al.",
        2017,
        "https://arxiv.org/abs/1609.05473",
        "texts, by policy gradient; look at its baseline before you believe it",
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
            "embedding_d": 8,
            "kernels": (1, 2, 3),
            "filters": (8,),
            "dropout_d": 0.0,
            "rollouts": 2,
            "critic_steps": 1,
            "batch": 8,
        },
        "small": {},
        "base": {
            "embedding": 64,
            "hidden": 256,
            "embedding_d": 64,
            "filters": (64, 128, 128, 64, 64),
        },
        "paper": {
            "hidden": 32,
            "spread": 0.1,
            "dropout": 0.0,
            "embedding_d": 64,
            "kernels": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20),
            "filters": (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160),
            "decay": 0.1,  # published: 0.2 on two logits; on their difference, which is ours, that is half
            "likelihood": 0.4423,
            "alone": 0.553,
            "critic_steps": 2344,
            "baseline": False,
            "teacher": 0.0,
            "lag": 0.8,
            "from_best": False,
            "lr_g": 0.01,
            "lr_adversarial": 0.01,
            "lr_d": 1e-4,
            "beta2": 0.999,
            "schedule": "constant",
            "half_life_kimg": 0.0,
        },
    }

    network: Literal["lstm", "transformer"] = "lstm"
    """An LSTM, or a causal Transformer."""
    embedding: Positive = 32
    """Dimension of the LSTM's vectors of tokens; what the next token is told from has it, too."""
    hidden: Positive = 64
    """Units of the LSTM, or width of the Transformer."""
    depth: Positive = 1
    """Layers of the generator."""
    heads: Positive = 4
    """Heads of the Transformer's attention; they divide its width."""
    spread: Weight = 0.0
    """Standard deviation of all of the generator's weights at first; 0 for what suits each layer."""
    dropout: Share = 0.1
    """Share of the generator's features that is left out while it learns from real texts."""
    embedding_d: Positive = 32
    """Dimension of the discriminator's vectors of tokens."""
    kernels: tuple[Positive, ...] = (1, 2, 3, 4, 5)
    """Widths of the discriminator's patterns, in tokens."""
    filters: tuple[Positive, ...] = (32,)
    """Patterns of each width; one number holds of all."""
    dropout_d: Share = 0.25
    """Share of what the discriminator sees that is left out while it learns."""
    decay: Weight = 0.0
    """Weight of half the squared weights of the discriminator's last layer."""
    likelihood: Share = 0.9
    """Share of the run, its first, in which the generator learns from real texts by likelihood."""
    from_best: bool = True
    """Whether what comes after goes on from the sampler that held-out texts like best; else from the last."""
    alone: Share = 0.05
    """Share of the run after it in which the discriminator learns alone."""
    critic_steps: Positive = 5
    """Updates of the discriminator for one of the generator, from then on."""
    rollouts: Positive = 16
    """Texts that go on from each beginning of a text, to see what its last token is worth."""
    beginnings: Positive = 20
    """Beginnings of a text from which others go on, at most; of longer texts, others in each step."""
    reward: Literal["discriminator", "constant"] = "discriminator"
    """What texts are rewarded for; constant rewards all alike: to see what is gained without a discriminator.
    """
    baseline: bool = True
    """Whether a learnt value is subtracted from rewards, and their size does not count."""
    teacher: Weight = 0.1
    """Weight of the likelihood of real texts beside the rewards."""
    lag: Share = 0.0
    """Share of the policy that goes on with texts which stays what it was at each step; the rest is the
    generator."""
    clip: Weight = 5.0
    """Largest norm of the generator's gradient; 0 for any."""
    lr_g: Rate = 5e-3
    """Learning rate of the generator while it learns by likelihood."""
    lr_adversarial: Rate = 1e-3
    """Learning rate of the generator while it learns from rewards."""
    lr_d: Rate = 1e-3
    """Learning rate of the discriminator."""
    lr_value: Rate = 0.02
    """Learning rate of the learnt value."""
    beta1: Moment = 0.9
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the generator's learning rate falls while it learns by likelihood."""
    half_life_kimg: Weight | Auto = 0.5
    """Half-life of the averaged generator's memory, in thousands of texts; it learns little by little from
    rewards, in few steps."""

    def build(self, spec: DataSpec) -> Play:
        """A language model, a discriminator of texts and, if it is wanted, a learnt value."""
        layout, classes = text_layout("seqgan", spec), self.conditions(spec)
        if self.likelihood + self.alone >= 1:
            raise RecipeError(
                f"likelihood and alone are {self.likelihood:g} and {self.alone:g} of the run, which leaves "
                "nothing for both players. Choose less."
            )
        body = Body(self.network, self.embedding, self.hidden, self.depth, self.heads)
        network = language_network(layout, body, classes, self.spread)
        reader = TextReader(
            layout.vocabulary,
            layout.length,
            embedding=self.embedding_d,
            kernels=self.kernels,
            filters=one_each(self.kernels, self.filters),
            classes=classes,
        )
        game = Game(
            TextSampler(network, layout.length),
            reader,
            shares=Shares(self.likelihood, self.alone),
            policy=self.policy(),
            judging=Judging(self.critic_steps, self.dropout_d, self.decay),
            from_best=self.from_best,
        )
        return self.staged(self.play(game))

    def policy(self) -> Policy:
        """How the generator is rewarded."""
        return Policy(
            rollouts=self.rollouts,
            beginnings=self.beginnings,
            baseline=self.baseline,
            teacher=self.teacher,
            lag=self.lag,
            constant=self.reward == "constant",
            dropout=self.dropout,
        )

    def staged(self, play: Play) -> Play:
        """The same with learning rates that know of stages, and gradients of G that are bounded."""
        bound_gradients([play.optimizers["G"]], self.clip)
        rates = {
            "G": Staged(SCHEDULES[self.schedule], self.likelihood, self.lr_adversarial / self.lr_g),
            "D": SCHEDULES["constant"],
            "V": Staged(SCHEDULES["constant"], 0.0, self.lr_value / self.lr_g),
        }
        return replace(play, schedules={name: rates[name] for name in play.optimizers})
