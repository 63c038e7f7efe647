"""Texts made of other texts: an encoder-decoder with attention, and a discriminator of both texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from ..data.spec import DataSpec
from ..data.texts.layout import PAD, TextLayout
from ..errors import RecipeError
from ..games.language import alphabet
from ..games.seq2seq import Rewarded, Seq2Seq, TextTranslator
from ..games.seqgan import Shares
from ..nn.networks.pair_reader import PairReader
from ..nn.networks.seq2seq import AttentionSeq2Seq
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
from .lm import Share, Staged, Weight, bound_gradients


@recipe("seq2seq_gan")
class Seq2SeqGAN(Recipe):
    """Maximum likelihood for most of the run; then what the discriminator and BLEU say of whole texts, too.

    Unlike in the paper, the number that is subtracted from a reward is what the likeliest text of the same
    source earns, no beginnings are completed many times, and the discriminator looks from each place of a
    text into the source. With `adversarial` 0 all of the run is maximum likelihood: compare with that.
    """

    about: ClassVar = About(
        "Improving Neural Machine Translation with Conditional Sequence Generative Adversarial Nets",
        "Yang et al.",
        2017,
        "https://arxiv.org/abs/1703.04887",
        "texts made of other texts: translations, other wordings, summaries",
    )
    kinds: ClassVar = ("text_pairs",)
    partly_labelled: ClassVar = False
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"embedding": 8, "width": 8, "width_d": 8, "dropout": 0.0, "dropout_d": 0.0, "batch": 8},
        "small": {},
        "base": {"embedding": 256, "width": 512, "width_d": 256, "batch": 128},
        "paper": {
            "embedding": 512,
            "width": 512,
            "width_d": 512,
            "batch": 100,
            "judged": 0.7,
            "lr_g": 5e-4,
            "lr_d": 5e-4,
        },
    }

    embedding: Positive = 128
    """Dimension of a token."""
    width: Positive = 256
    """Units of the GRU that writes; either direction of the one that reads has half as many."""
    width_d: Positive = 128
    """Channels of the discriminator."""
    dropout: Share = 0.1
    """Share of numbers that are left out while the generator learns."""
    dropout_d: Share = 0.25
    """Share of numbers that are left out while the discriminator learns."""
    adversarial: Weight = 1.0
    """Weight of what whole texts earn; 0 for maximum likelihood alone, without a discriminator."""
    judged: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the discriminator's word in what a text earns; the rest is its BLEU."""
    likelihood: Share = 0.75
    """Share of the run, its first, in which the generator learns by maximum likelihood alone."""
    alone: Share = 0.05
    """Share of the run after it in which the discriminator learns alone."""
    critic_steps: Positive = 1
    """Updates of the discriminator for one of the generator by what its texts earn."""
    teach_every: Positive = 1
    """Steps after which the generator then learns by maximum likelihood again."""
    clip: Weight = 5.0
    """Largest norm of a gradient; 0 for any."""
    lr_g: Rate = 1e-3
    """Learning rate of the generator while it learns by maximum likelihood alone."""
    lr_adversarial: Rate = 1e-4
    """Learning rate of the generator while it also learns by what its texts earn."""
    lr_d: Rate = 5e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.9
    """Decay of the mean of gradients."""
    schedule: ScheduleName = "cosine"
    """How the generator's learning rate falls while it learns by maximum likelihood alone."""
    half_life_kimg: Weight | Auto = "auto"
    """Half-life of the averaged generator's memory, in thousands of pairs."""

    def build(self, spec: DataSpec) -> Play:
        """The encoder-decoder and, if it is heard, the discriminator."""
        source, text = layouts_of(spec)
        network = AttentionSeq2Seq(
            source.vocabulary,
            alphabet(text),
            embedding=self.embedding,
            width=self.width,
            dropout=self.dropout,
            pad=PAD,
        )
        game = Seq2Seq(
            TextTranslator(network, text.length),
            self.judge(source, text),
            shares=Shares(self.likelihood, self.alone),
            rewarded=Rewarded(self.adversarial, self.judged, self.critic_steps, self.teach_every),
        )
        play = self.play(game)
        bound_gradients(play.optimizers.values(), self.clip)
        if game.discriminator is None:
            return play
        rate = Staged(SCHEDULES[self.schedule], self.likelihood, self.lr_adversarial / self.lr_g)
        return replace(play, schedules={"G": rate, "D": SCHEDULES["constant"]})

    def judge(self, source: TextLayout, text: TextLayout) -> PairReader | None:
        """The discriminator; None if its word has no weight.

        Raises:
            RecipeError: it would never be heard.
        """
        if not self.adversarial:
            return None
        if self.likelihood + self.alone >= 1:
            raise RecipeError(
                f"likelihood and alone are {self.likelihood:g} and {self.alone:g} of the run, which leaves "
                "nothing for both players. Choose less; for maximum likelihood alone: --adversarial 0"
            )
        return PairReader(
            source.vocabulary, text.vocabulary, width=self.width_d, dropout=self.dropout_d, pad=PAD
        )


def layouts_of(spec: DataSpec) -> tuple[TextLayout, TextLayout]:
    """How sources lie before networks, and what is made of them.

    Raises:
        RecipeError: the data are no pairs of texts.
    """
    if spec.source_text is None or spec.text is None:
        raise RecipeError(
            f"recipe 'seq2seq_gan' learns from pairs of texts, and the data are {spec.kind}. Choose another: "
            "tenfold recipes"
        )
    return spec.source_text, spec.text
