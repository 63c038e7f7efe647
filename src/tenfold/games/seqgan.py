"""SeqGAN: the generator is a policy that is rewarded by what D says of its texts.

References:
    SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (Yu et al., 2017),
    https://arxiv.org/abs/1609.05473
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..adaptive import Adaptive
from ..draw import Draw
from ..game import Anew, Batch, Critic, Game, Terms, Turn
from ..nn.layers import FullPrecision
from ..nn.networks.reader import TextDiscriminator
from ..objectives import NON_SATURATING
from .gan import signals, told
from .language import TextSampler, dropped, imitation, surprise, there

if TYPE_CHECKING:
    from ..penalties import Look

JUDGED = 2048  # texts that D reads at a time
LEAST = 0.02  # size of an advantage below which it is not made larger: there is nothing to tell then
HALFWAY = 0.5  # what V foretells at first, of rewards from 0 to 1


@dataclass(frozen=True)
class Shares:
    """The first two stages, as shares of the run: in the third, both learn in turn.

    Attributes:
        likelihood: G learns from real texts.
        alone: after that, D learns alone.
    """

    likelihood: float = 0.0
    alone: float = 0.0

    @property
    def begins(self) -> tuple[float, ...]:
        """Where another stage begins."""
        ends = (self.likelihood, self.likelihood + self.alone)
        return tuple(sorted({end for end in ends if end > 0}))


@dataclass(frozen=True)
class Policy:
    """How G is rewarded.

    Attributes:
        rollouts: texts that go on from a beginning, over which D's word on a token is averaged.
        beginnings: of each text, at most; where it has more, others in each step.
        baseline: whether what V foretells is subtracted, and what is left is brought to the size of 1.
        teacher: weight of the likelihood of real texts, which G goes on to learn from.
        lag: share of the policy that goes on with texts which stays what it was at each step; the rest is G.
        constant: reward everything alike, D unheard: what is gained then is not D's doing.
        dropout: share of the features that is left out while G learns from real texts.
    """

    rollouts: int = 16
    beginnings: int = 20
    baseline: bool = True
    teacher: float = 0.1
    lag: float = 0.0
    constant: bool = False
    dropout: float = 0.0


@dataclass(frozen=True)
class Judging:
    """How D learns.

    Attributes:
        steps: how often it moves in a step of the third stage.
        dropout: share of what it sees that is left out.
        decay: weight of half the squared weights of its last layer.
    """

    steps: int = 5
    dropout: float = 0.0
    decay: float = 0.0


class Foreteller(nn.Module):
    """The reward that is to be expected, for each token of a text before it is drawn.

    Args:
        width: dimension of the features that the token follows from.
        length: of a text.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        linear = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(linear.weight)
        self.linear = FullPrecision(linear)
        self.place = nn.Parameter(torch.full((length,), HALFWAY))

    def forward(self, features: Float[Tensor, "n t w"]) -> Float[Tensor, "n t"]:
        """The rewards."""
        return self.linear(features)[..., 0] + self.place


class AdvantageSize(Adaptive):
    """The size of advantages over the last steps: G's gradient is to hang on which are larger alone.

    Beside the likelihood of real texts they would count for less and less, the surer D is.
    """

    noted: Tensor
    square: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("noted", torch.zeros(2))  # sum of squares, and their number
        self.register_buffer("square", torch.zeros(()))

    def forward(self) -> Tensor:
        """The root of their mean square; 1 before any was seen."""
        return torch.where(self.square > 0, self.square.sqrt().clamp_min(LEAST), 1.0)

    @torch.no_grad()
    def note(self, advantages: Tensor, which: Tensor) -> None:
        """Look at some advantages."""
        self.noted += torch.stack([(advantages * which).square().sum(), which.sum().to(self.noted.dtype)])

    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """It looks at nothing that D says of a batch."""
        return {}

    def settle(self, progress: float) -> None:
        """Move a tenth of the way to what was noted."""
        total, count = self.noted
        latest = total / count.clamp_min(1)
        moved = torch.where(self.square > 0, self.square.lerp(latest, 0.1), latest)
        self.square.copy_(torch.where(count > 0, moved, self.square))
        self.noted.zero_()

    def replanned(self, ratio: float) -> None:
        """It keeps no share of the run."""


class SeqGAN(Game[TextSampler]):
    """Generator G against discriminator D, which cannot be differentiated through drawn tokens.

    A token's reward is D's word on texts that go on from it, averaged: what came before it is no merit of
    its own. V, if there is one, foretells the reward from what came before; as that does not depend on the
    token, subtracting it leaves the expected gradient as it is, with less noise.

    Args:
        sampler: G.
        discriminator: D.
        shares: the stages.
        policy: how G is rewarded.
        judging: how D learns.
        from_best: whether what comes after the likelihood goes on from the best sampler.
    """

    def __init__(
        self,
        sampler: TextSampler,
        discriminator: TextDiscriminator,
        *,
        shares: Shares = Shares(),
        policy: Policy = Policy(),
        judging: Judging = Judging(),
        from_best: bool = True,
    ) -> None:
        super().__init__()
        self.sampler, self.discriminator = sampler, discriminator
        self.shares, self.policy, self.judging = shares, policy, judging
        self.value = Foreteller(sampler.network.width, sampler.length) if policy.baseline else None
        self.size = AdvantageSize() if policy.baseline else None
        self.behind = deepcopy(sampler).requires_grad_(False) if policy.lag else None
        self.stages = shares.begins
        self.anew = Anew(shares.likelihood, from_best, self.catch_up) if shares.likelihood else None

    def players(self) -> dict[str, nn.Module]:
        """G, D and, if there is a baseline, V."""
        found: dict[str, nn.Module] = {"G": self.sampler, "D": self.discriminator}
        return found if self.value is None else {**found, "V": self.value}

    def turns(self, step: int) -> list[Turn]:
        """G by likelihood; then D; then G by policy gradient, and D as often as it moves. V moves once."""
        if self.progress < self.shares.likelihood:
            return [Turn("G", self.imitate, after=self.catch_up)]
        if self.progress < self.shares.likelihood + self.shares.alone:
            return self.judges(1)
        return [Turn("G", self.reinforce, after=self.follow), *self.judges(self.judging.steps)]

    def judges(self, steps: int) -> list[Turn]:
        """So many updates of D, and one of V: it has little to learn, and needs as many texts for each."""
        both = [Turn("D", self.criticise, repeat=steps)]
        return both if self.value is None else [*both, Turn("V", self.foretell)]

    def critic(self) -> Critic:
        """D."""
        return self.discriminate

    def likelihood(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of real texts in nats per token, `(n,)`."""
        return self.sampler.likelihood(batch["real"], batch.get("condition"))

    def imitate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn at first: maximum likelihood."""
        return Terms({"likelihood": imitation(self.sampler, batch, draw, self.policy.dropout)})

    def reinforce(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: make tokens likelier, the more so the more they are worth (equation 8 of the paper)."""
        condition, network = batch.get("condition"), self.sampler.network
        tokens = self.sampler(self.sampler.draw(draw), condition)
        worth = self.worth(tokens, condition, draw)
        features = network.features(tokens, condition)
        advantage = self.advantage(worth, features, tokens)
        nats = surprise(network.last(features), tokens)  # of the very tokens that were judged
        losses = {"adversarial": (advantage * nats).sum(1).mean() / tokens.shape[1]}
        if self.policy.teacher:
            taught = imitation(self.sampler, batch, draw, self.policy.dropout)
            losses["likelihood"] = self.policy.teacher * taught
        return Terms(losses, {"reward": worth[:, -1].mean()})

    @torch.no_grad()
    def worth(self, tokens: Int[Tensor, "n t"], condition: Tensor | None, draw: Draw) -> Float[Tensor, "n t"]:
        """What each token of some texts is worth: D's word on texts that go on from it (equation 4).

        On the last it is D's word on the text itself; so it is behind the end, where nothing goes on. If no
        texts go on from a token, those count that go on from the next one from which some do: with more
        noise, no less right on average. Those before it say nothing of the token: between them and these it
        would only weigh less.
        """
        length, times = tokens.shape[1], self.policy.rollouts
        whole = self.judged(tokens, condition)[:, None]
        if length == 1 or self.policy.constant:
            return whole.repeat(1, length)
        policy, begins = self.behind or self.sampler, beginnings(length, self.policy.beginnings, draw)
        texts = policy.rollouts(tokens, draw.uniform(len(begins), times, length), condition, begins)
        going = there(tokens[:, begins])  # whether the text has more tokens than the beginning
        of = going.nonzero()[:, 0]
        each = None if condition is None else condition[of].repeat_interleave(times, 0)
        said = self.judged(texts[going].flatten(0, 1), each)
        found = whole.repeat(1, len(begins) + 1)  # of each beginning, and last of the text itself
        found[:, :-1][going] = said.view(len(of), times).mean(1)
        following = torch.searchsorted(torch.tensor(begins), torch.arange(1, length + 1))
        return found[:, following.to(found.device)]

    @torch.no_grad()
    def judged(self, tokens: Int[Tensor, "n t"], condition: Tensor | None) -> Float[Tensor, " n"]:
        """The reward of whole texts: how probably D takes them for real; or 1 for all."""
        if self.policy.constant:
            return torch.ones(len(tokens), device=tokens.device)
        parts = tokens.split(JUDGED)
        conditions = [None] * len(parts) if condition is None else condition.split(JUDGED)
        said = [self.discriminate(x, c).mean(1).sigmoid() for x, c in zip(parts, conditions, strict=True)]
        return torch.cat(said)

    @torch.no_grad()
    def advantage(
        self, worth: Float[Tensor, "n t"], features: Float[Tensor, "n t w"], tokens: Int[Tensor, "n t"]
    ) -> Float[Tensor, "n t"]:
        """By how much each token is worth more than was to be expected before it."""
        if self.value is None or self.size is None:
            return worth
        more = worth - self.value(features)
        self.size.note(more, there(tokens))
        return more / self.size()

    def foretell(self, batch: Batch, draw: Draw) -> Terms:
        """V's turn: from each of its beginnings, foretell what reward a text will get."""
        assert self.value is not None
        condition = batch.get("condition")
        with torch.no_grad():
            tokens = self.sampler(self.sampler.draw(draw), condition)
            reward = self.judged(tokens, condition)
            features = self.sampler.network.features(tokens, condition)
        off = (self.value(features) - reward[:, None]) * there(tokens)
        return Terms({"value": off.square().sum(1).mean() / tokens.shape[1]})

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real texts from fresh ones of G."""
        real, condition = batch["real"], told(batch)
        fake = self.sampler(self.sampler.draw(draw), batch.get("condition"))
        real_logits, fake_logits = (
            self.discriminator.judged(dropped(h, draw, self.judging.dropout), condition).float()
            for h in self.discriminator.features(torch.cat([real, fake])).chunk(2)
        )
        losses = {"adversarial": NON_SATURATING.discriminator(real_logits, fake_logits).mean() / 2}
        if self.judging.decay:
            squares = [w.square().sum() for w in self.discriminator.head.linear.parameters()]
            losses["decay"] = self.judging.decay * torch.stack(squares).sum() / 2
        return Terms(losses, signals(real_logits, fake_logits))

    def discriminate(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """D's logits of texts, `(n, k)`, in float32."""
        return self.discriminator(x.long(), condition).float()

    @torch.no_grad()
    def follow(self) -> None:
        """Let the policy that goes on with texts come nearer to G."""
        if self.behind is not None:
            pairs = zip(self.behind.parameters(), self.sampler.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, 1 - self.policy.lag)

    @torch.no_grad()
    def catch_up(self) -> None:
        """Let the policy that goes on with texts be G."""
        if self.behind is not None:
            self.behind.load_state_dict(self.sampler.state_dict())


def beginnings(length: int, most: int, draw: Draw) -> list[int]:
    """Numbers of tokens of those beginnings of texts from which others go on.

    They are the same for all texts: one at random of each of as many parts; or all that there are.

    Example:
        >>> beginnings(4, 3, Draw(0, slice(0, 1), 1)), len(beginnings(100, 20, Draw(0, slice(0, 1), 1)))
        ([1, 2, 3], 20)
    """
    if length - 1 <= most:
        return list(range(1, length))
    edges = [1 + (length - 1) * part // most for part in range(most + 1)]
    return [first + int(draw.once() * (end - first)) for first, end in pairwise(edges)]
