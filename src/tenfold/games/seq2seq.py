"""Texts are made of others: first by maximum likelihood, then judged by D and by BLEU.

References:
    Improving Neural Machine Translation with Conditional Sequence Generative Adversarial Nets
    (Yang et al., 2017), https://arxiv.org/abs/1703.04887
    Self-critical Sequence Training for Image Captioning (Rennie et al., 2016),
    https://arxiv.org/abs/1612.00563
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.texts.layout import END, PAD, START
from ..draw import Draw
from ..game import Anew, Batch, Game, Sampler, Terms, Turn
from ..metrics.texts.sentence_bleu import sentence_bleu
from ..nn.networks.pair_reader import PairReader
from ..nn.networks.seq2seq import AttentionSeq2Seq
from ..objectives import NON_SATURATING
from .gan import signals
from .language import inverse_cdf, surprise, there
from .seqgan import Shares

NO_STAGES = Shares()


class LikelyTexts(NamedTuple):
    """Texts, and the logarithm of the likelihood of each, which can be differentiated.

    Attributes:
        tokens: of each, padded.
        likelihood: summed over the tokens of a text.
    """

    tokens: Int[Tensor, "n length"]
    likelihood: Float[Tensor, " n"]


class TextTranslator(Sampler):
    """Texts of other texts, which are the condition.

    Args:
        network: reads and writes.
        length: tokens of the longest text that is written.
    """

    def __init__(self, network: AttentionSeq2Seq, length: int) -> None:
        super().__init__()
        self.network, self.length = network, length

    def draw(self, draw: Draw) -> Float[Tensor, "n length"]:
        """A number uniform in [0, 1) for each token."""
        return draw.uniform(self.length)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Int[Tensor, "n length"]:
        """A text of each source, drawn as the network would have it."""
        assert condition is not None
        return self.written(condition, z).tokens

    def written(
        self, source: Int[Tensor, "n s"], uniform: Float[Tensor, "n length"] | None = None
    ) -> LikelyTexts:
        """A text of each source, token by token.

        Args:
            source: token numbers.
            uniform: by which tokens are drawn; None takes the likeliest.
        """
        memory, pen = self.network.read(source)
        token = source.new_full((len(source),), START)
        going, tokens, likelihood = token == START, [], pen.hidden.new_zeros(len(source))
        for place in range(self.length):
            logits, pen = self.network.write(memory, pen, token[:, None])
            said = logits[:, 0].log_softmax(1)
            if uniform is None:
                token = said.argmax(1)
            else:
                token = inverse_cdf(said.detach().exp(), uniform[:, place : place + 1])[:, 0]
            likelihood = likelihood + said.gather(1, token[:, None])[:, 0].where(going, 0.0)
            tokens.append(token.masked_fill(~going, PAD))
            going = going & (token != END)
            if not going.any():
                break
        rows = F.pad(torch.stack(tokens, 1), (0, self.length - len(tokens)), value=PAD)
        return LikelyTexts(rows, likelihood)

    def likelihood(self, source: Int[Tensor, "n s"], text: Int[Tensor, "n t"]) -> Float[Tensor, " n"]:
        """Logarithm of the likelihood of each text given its source, summed over its tokens."""
        longest = max(int(there(text).sum(1).max()), 1)
        text = text[:, :longest]
        return -surprise(self.network.logits(source, text), text).sum(1)


@dataclass(frozen=True)
class Rewarded:
    """How G goes on after maximum likelihood.

    Attributes:
        weight: of what its texts earn.
        share: of D's word in that; the rest is BLEU against the real text.
        steps: how often D moves in a step.
        teach_every: after how many steps G learns by maximum likelihood again.
    """

    weight: float = 1.0
    share: float = 0.5
    steps: int = 1
    teach_every: int = 1


class Seq2Seq(Game[TextTranslator]):
    """G writes texts of others; D tells pairs with a real text from pairs with one of G's.

    G first learns by maximum likelihood. Then D learns of G's texts what is wrong with them. Then G also
    learns by policy gradient: a text earns what D says of it, as a probability, and its BLEU. What the text
    earns that G itself holds for likeliest is subtracted: so what is better than usual becomes likelier, and
    nothing has to be learnt for that. Turns of maximum likelihood in between keep G with the real texts.

    Other than in the paper, a whole text has one reward, not each token the mean reward of texts that begin
    so; and the subtracted number follows the source.

    Args:
        sampler: G.
        discriminator: D; None for maximum likelihood alone.
        shares: the stages.
        rewarded: how G goes on in the last of them.
    """

    def __init__(
        self,
        sampler: TextTranslator,
        discriminator: PairReader | None = None,
        *,
        shares: Shares = NO_STAGES,
        rewarded: Rewarded = Rewarded(),
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.shares, self.rewarded = shares, rewarded
        self.stages = () if discriminator is None else shares.begins
        self.anew = Anew(shares.likelihood) if self.stages and shares.likelihood else None

    def players(self) -> dict[str, nn.Module]:
        """G and, if there is one, D."""
        players: dict[str, nn.Module] = {"G": self.sampler}
        return players if self.discriminator is None else players | {"D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """G by maximum likelihood; then D; then D, and G in both ways."""
        if self.discriminator is None or self.progress < self.shares.likelihood:
            return [Turn("G", self.teach)]
        read = Turn("D", self.criticise, repeat=self.rewarded.steps)
        if self.progress < self.shares.likelihood + self.shares.alone:
            return [read]
        return [read, Turn("G", self.earn), Turn("G", self.teach, every=self.rewarded.teach_every)]

    def critic(self) -> None:
        """D judges pairs, and no text alone."""
        return None

    def likelihood(self, batch: Batch) -> Float[Tensor, " n"]:
        """Negative log-likelihood of real texts, given their sources, in nats per token."""
        source, real = batch["source"], batch["real"]
        return -self.sampler.likelihood(source, real) / there(real).sum(1).clamp_min(1)

    def teach(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn of maximum likelihood: nats of a text over the length of the longest, a text on average.

        Per token, of each text, is what is logged; as a loss tokens of short texts would count more.
        """
        nats = -self.sampler.likelihood(batch["source"], batch["real"])
        each = nats / there(batch["real"]).sum(1).clamp_min(1)
        return Terms({"likelihood": nats.mean() / self.sampler.length}, {"nll": each.mean()})

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real texts from those that G makes of the same sources."""
        source, real = batch["source"], batch["real"]
        with torch.no_grad():
            fake = self.sampler(self.sampler.draw(draw), source)
        real_logits, fake_logits = self.judge(torch.cat([source, source]), torch.cat([real, fake])).chunk(2)
        loss = NON_SATURATING.discriminator(real_logits, fake_logits).mean()
        return Terms({"adversarial": loss}, signals(real_logits, fake_logits))

    def earn(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn of policy gradient: what earns more than the likeliest text of its source gets likelier.

        Where the likeliest text itself is drawn, there is nothing to learn.
        """
        source, real = batch["source"], batch["real"]
        made = self.sampler.written(source, self.sampler.draw(draw))
        with torch.no_grad():
            usual = self.sampler.written(source).tokens
            reward, baseline = (self.reward(source, text, real) for text in (made.tokens, usual))
        loss = policy_loss(made.likelihood, reward - baseline) / self.sampler.length
        noticed = {"reward": reward.mean(), "usual_reward": baseline.mean()}
        return Terms({"adversarial": self.rewarded.weight * loss}, noticed)

    def reward(
        self, source: Int[Tensor, "n s"], text: Int[Tensor, "n t"], real: Int[Tensor, "n t"]
    ) -> Float[Tensor, " n"]:
        """What each text earns, from 0 to 1."""
        judged = self.judge(source, text)[:, 0].sigmoid()
        return self.rewarded.share * judged + (1 - self.rewarded.share) * sentence_bleu(text, real)

    def judge(self, source: Int[Tensor, "n s"], text: Int[Tensor, "n t"]) -> Float[Tensor, "n 1"]:
        """D's logits of pairs, in float32."""
        assert self.discriminator is not None
        return self.discriminator(source, text).float()


def policy_loss(likelihood: Float[Tensor, " n"], advantage: Float[Tensor, " n"]) -> Tensor:
    """What has minus the policy gradient: of the logarithm of the likelihood, weighed by what is gained.

    References:
        Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning (Williams,
        1992), https://doi.org/10.1007/BF00992696
    """
    return -(advantage.detach() * likelihood).mean()
