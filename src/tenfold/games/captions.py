"""Pictures of what is said: pairs of pictures and captions are learnt first, then G against D with both.

References:
    Generative Adversarial Text to Image Synthesis (Reed et al., 2016), https://arxiv.org/abs/1605.05396
    DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis (Tao et al., 2022),
    https://arxiv.org/abs/2008.05865
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..adaptive import Adaptive
from ..data.texts.layout import SPECIAL, UNKNOWN
from ..draw import Draw
from ..game import Batch, Critic, Game, Sampler, Terms, Turn
from ..nn.networks.dfgan import DFDiscriminator
from ..nn.networks.gan_cls import CLSDiscriminator
from ..nn.networks.words import Contrast, PictureEncoder, TextEncoder
from ..objectives import HINGE, Objective
from ..penalties import Look
from .gan import Augment, signals

CaptionJudge = DFDiscriminator | CLSDiscriminator
Tokens = Int[Tensor, "n l"]


class CaptionSampler(Sampler):
    """Pictures of normal noise and a caption, which the sampler itself reads.

    Args:
        text: maps token numbers to a sentence.
        generator: maps z and a sentence to pictures.
        latent: dimension of z.
    """

    def __init__(self, text: TextEncoder, generator: nn.Module, latent: int) -> None:
        super().__init__()
        self.text, self.generator, self.latent = text, generator, latent

    def draw(self, draw: Draw) -> Tensor:
        """z from N(0, I), `(n, latent)`."""
        return draw.normal(self.latent)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures of captions, which are given as token numbers `(n, l)`."""
        assert condition is not None, "pictures of captions need captions"
        return self.generator(z, self.text(condition))


@dataclass(frozen=True)
class Lesson:
    """How captions are learnt.

    Attributes:
        alone: share of the run in which E learns, before the others do; it then stays. If 0, E learns
            throughout, beside the others.
        forgotten: share of tokens that E is not told while it learns, so that it knows unknown ones too.
        mismatched: weight of real pictures with the captions of others, among what D shall reject.
        between: weight of pictures that G makes for what lies half way between two captions.
    """

    alone: float = 0.3
    forgotten: float = 0.1
    mismatched: float = 0.5
    between: float = 0.0


@dataclass(frozen=True)
class MatchingAware:
    """D's slope at real pictures with their own captions must be small: there G is led to.

    Picture and sentence are taken together; the paper's power of six punishes slopes above one, and hardly
    any below.
    """

    weight: float = 2.0
    every: int = 1
    power: float = 6.0
    name: str = "matching_penalty"

    def __call__(
        self, logits: Float[Tensor, "n k"], picture: Float[Tensor, "n ..."], sentence: Float[Tensor, "n d"]
    ) -> Float[Tensor, " n"]:
        """That power of the norm of each sample's gradient.

        Args:
            logits: of the pictures with these sentences.
            picture, sentence: at which the slope is taken; both require grad.
        """
        slopes = torch.autograd.grad(logits.sum(), (picture, sentence), create_graph=True)
        squares = sum(slope.float().flatten(1).square().sum(1) for slope in slopes)
        return torch.as_tensor(squares).pow(self.power / 2)


class CaptionGAN(Game[CaptionSampler]):
    """Encoders E learn which picture belongs to which caption; then G against D.

    D tells real pictures with their captions from real ones with captions of others, and from made ones.

    Args:
        sampler: E's encoder of texts, and G.
        pictures: E's encoder of pictures, to vectors as long as a sentence.
        discriminator: D.
        objective: what either side minimises.
        lesson: how captions are learnt.
        penalty: of D's slope; None for none.
        augment: what D sees of real and of generated samples alike; differentiable.
    """

    def __init__(
        self,
        sampler: CaptionSampler,
        pictures: PictureEncoder,
        discriminator: CaptionJudge,
        *,
        objective: Objective = HINGE,
        lesson: Lesson = Lesson(),
        penalty: MatchingAware | None = None,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.pictures, self.discriminator = sampler, pictures, discriminator
        self.objective, self.lesson, self.penalty, self.augment = objective, lesson, penalty, augment
        self.contrast = Contrast()
        self.stages, self.starts = ((lesson.alone,) if lesson.alone else ()), lesson.alone
        self.adaptive = tuple(part for part in self.modules() if isinstance(part, Adaptive))

    def players(self) -> dict[str, nn.Module]:
        """E, which is all that learns from pairs; G without its encoder; and D."""
        encoders = nn.ModuleList([self.sampler.text, self.pictures, self.contrast])
        return {"E": encoders, "G": self.sampler.generator, "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """E alone; later D, its penalty, and G."""
        encode = [Turn("E", self.match)]
        if self.progress < self.lesson.alone:
            return encode
        penalties = () if self.penalty is None else (self.penalty,)
        lazy = [Turn("D", partial(self.penalise, p), every=p.every, again=True) for p in penalties]
        first = [] if self.lesson.alone else encode
        return [*first, Turn("D", self.criticise), *lazy, Turn("G", self.generate)]

    def critic(self) -> Critic:
        """D, told the caption."""
        return self.discriminate

    def match(self, batch: Batch, draw: Draw) -> Terms:
        """E's turn: find to each picture its caption among those of the batch, and the other way round."""
        tokens = batch["condition"]
        told = self.sampler.text(forgetful(tokens, self.lesson.forgotten, draw))
        loss, found = self.contrast(self.pictures(batch["real"]), told, tokens, draw)
        return Terms({"contrast": loss}, {"matched": found})

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: three kinds of pairs, of which one is right."""
        tokens = batch["condition"]
        sentence, (other, differs) = self.read(tokens), strangers(tokens)
        with torch.no_grad():
            fake = self.sampler.generator(self.sampler.draw(draw), sentence)
        seen = self.discriminator.look(self.show(batch["real"], draw))
        real_logits = self.discriminator.judge(seen, sentence).float()
        wrong_logits = self.discriminator.judge(seen, sentence[other]).float()
        fake_logits = self.judge(fake, sentence, draw)
        made = self.objective.discriminator(real_logits, fake_logits)
        mismatched = self.objective.discriminator(real_logits, wrong_logits) * differs[:, None]
        share = self.lesson.mismatched
        noticed = signals(real_logits, fake_logits)
        right = (real_logits > wrong_logits)[:, 0] & differs
        noticed["caption_order"] = right.sum() / differs.sum().clamp_min(1)
        critic = partial(self.discriminate, condition=tokens)
        look = Look(critic, batch["real"], fake, real_logits, fake_logits, draw)
        for part in self.adaptive:
            noticed |= part.watch(look)
        return Terms({"adversarial": ((1 - share) * made + share * mismatched).mean()}, noticed)

    def penalise(self, penalty: MatchingAware, batch: Batch, draw: Draw) -> Terms:
        """A turn of D: its slope alone, as much heavier as it is rarer."""
        real = batch["real"].detach().requires_grad_()
        sentence = self.read(batch["condition"]).requires_grad_()
        slopes = penalty(self.judge(real, sentence, draw), real, sentence)
        return Terms({penalty.name: penalty.weight * penalty.every * slopes.mean()})

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: have its pictures taken for real ones of what is said, and of what lies in between."""
        tokens = batch["condition"]
        sentence = self.read(tokens)
        fake_logits = self.judge(self.sampler.generator(self.sampler.draw(draw), sentence), sentence, draw)
        real_logits = fake_logits
        if self.objective.relativistic:
            real_logits = self.judge(batch["real"], sentence, draw)
        losses = {"adversarial": self.objective.generator(fake_logits, real_logits).mean()}
        if self.lesson.between:
            middle = (sentence + sentence[strangers(tokens)[0]]) / 2
            logits = self.judge(self.sampler.generator(self.sampler.draw(draw), middle), middle, draw)
            said = self.objective.generator(logits, real_logits).mean()
            losses["between"] = self.lesson.between * said
        return Terms(losses)

    @torch.no_grad()
    def read(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """Sentences; nobody but E moves what makes them."""
        return self.sampler.text(tokens)

    def judge(self, x: Tensor, sentence: Float[Tensor, "n d"], draw: Draw) -> Float[Tensor, "n 1"]:
        """D's logits of what it is shown of x."""
        return self.discriminator(self.show(x, draw), sentence).float()

    def discriminate(self, x: Tensor, condition: Tensor | None) -> Float[Tensor, "n 1"]:
        """D's logits of x itself, with its caption."""
        assert condition is not None, "pictures are judged with their captions"
        return self.discriminator(x, self.read(condition)).float()

    def show(self, x: Tensor, draw: Draw) -> Tensor:
        """What D sees of x."""
        return x if self.augment is None else self.augment(x, draw)


def forgetful(tokens: Tokens, share: float, draw: Draw) -> Tokens:
    """Texts of which a share of the tokens is unknown; where a text begins and ends stays known."""
    gone = (draw.uniform(tokens.shape[1]) < share) & (tokens >= SPECIAL)
    return tokens.masked_fill(gone, UNKNOWN)


def strangers(tokens: Tokens) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """For each text the number of another one that is not the same, and whether there is one.

    Neighbours are asked first, then those two places away, and so on: by the bits of their numbers, so that
    parts of a batch, or ranks, find the same ones as the whole does.

    Example:
        >>> [found.tolist() for found in strangers(torch.tensor([[5], [5], [6], [7]]))]
        [[2, 3, 3, 2], [True, True, True, True]]
    """
    n = len(tokens)
    own = torch.arange(n, device=tokens.device)[:, None]
    places = own ^ torch.arange(1, 1 << (n - 1).bit_length(), device=tokens.device)
    there, places = places < n, places.clamp_max(n - 1)
    differs = there & (tokens[places] != tokens[:, None]).any(2)
    first = differs.int().argmax(1, keepdim=True)  # the first of several
    return places.gather(1, first)[:, 0], differs.any(1)
