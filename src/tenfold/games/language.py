"""The game of one player that every game of texts begins with, and the sampler that they share.

References:
    A Neural Probabilistic Language Model (Bengio et al., 2003),
    https://www.jmlr.org/papers/v3/bengio03a.html
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.texts.layout import END, PAD, START, UNKNOWN, TextLayout
from ..draw import Draw
from ..errors import DataError
from ..game import Batch, Game, Sampler, Terms, Turn
from ..nn.networks.language import NEVER, Alphabet, LanguageNetwork, State, joined, repeated

COLDEST = 1e-9  # a temperature at which nothing but the likeliest token is drawn
BLOCK = 128  # tokens whose shares are summed first: a running sum over a large vocabulary takes long
CACHED, HELD = 2**20, 2**24  # numbers at a time: what a processor's cache keeps, what memory has room for
BELOW_ONE = 1 - 2.0**-24  # the largest number below 1


def alphabet(layout: TextLayout) -> Alphabet:
    """The tokens of texts: none is padded before its end, and none begins twice."""
    return Alphabet(layout.vocabulary, START, (PAD, START))


def there(tokens: Int[Tensor, "*n t"]) -> Tensor:
    """Where a text has a token, its end among them."""
    return tokens != PAD


def known(tokens: Int[Tensor, "*n t"]) -> Tensor:
    """Where a text has a token that says which."""
    return there(tokens) & (tokens != UNKNOWN)


def over(token: Int[Tensor, "*n"]) -> Tensor:
    """Whether nothing comes after a token."""
    return (token == END) | (token == PAD)


def surprise(logits: Float[Tensor, "n t v"], tokens: Int[Tensor, "n t"]) -> Float[Tensor, "n t"]:
    """Negative log-likelihood of each token, in nats; 0 where there is none."""
    found = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=PAD, reduction="none")
    return found.view(tokens.shape)


def inverse_cdf(shares: Float[Tensor, "m v"], uniform: Float[Tensor, "m k"]) -> Int[Tensor, "m k"]:
    """Tokens by the inverse of the distribution function: the first up to which shares add up to more than u.

    Args:
        shares: of each token, not less than 0 and not all 0; they need not add up to 1.
        uniform: in [0, 1); a token is drawn for each.

    Example:
        >>> inverse_cdf(torch.tensor([[0.25, 0.0, 0.75]]), torch.tensor([[0.0, 0.2, 0.25, 0.9]])).tolist()
        [[0, 0, 2, 2]]
    """
    count = shares.shape[1]
    if count % BLOCK:
        shares = F.pad(shares, (0, -count % BLOCK))
    blocks = shares.unflatten(1, (-1, BLOCK))
    so_far = blocks.sum(2).cumsum(1)
    aim = uniform * so_far[:, -1:]  # always less than this sum, as u is at most the largest number below 1
    block = torch.searchsorted(so_far, aim, right=True).clamp_max(so_far.shape[1] - 1)
    rest = aim - F.pad(so_far, (1, 0)).gather(1, block)
    rising = blocks.take_along_dim(block[..., None], 1).cumsum(2)
    # Sums in another order are rounded otherwise: the rest must not lie beyond its block.
    rest = torch.minimum(rest[..., None], rising[..., -1:] * BELOW_ONE)
    found = torch.searchsorted(rising, rest, right=True)[..., 0]
    return (block * BLOCK + found).clamp_max(count - 1)


class TextSampler(Sampler):
    """Texts from uniform numbers, one for each token, and, if there is one, a condition.

    Args:
        network: says which token comes next.
        length: of the longest text, its end among it.
    """

    def __init__(self, network: LanguageNetwork, length: int) -> None:
        super().__init__()
        self.network, self.length = network, length

    def draw(self, draw: Draw) -> Tensor:
        """Uniform numbers, `(n, length)`."""
        return draw.uniform(self.length)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Token numbers `(n, length)`, each drawn as likely as the network says."""
        return self.texts(z, condition)

    @torch.no_grad()
    def texts(
        self,
        z: Float[Tensor, "n t"],
        condition: Tensor | None = None,
        *,
        temperature: float = 1.0,
        prefix: Int[Tensor, "*n p"] | None = None,
        to_read: bool = False,
    ) -> Int[Tensor, "n t"]:
        """Token numbers; 0 behind the end of a text.

        Args:
            z: what `draw` gave.
            condition: of each text, where the network has one.
            temperature: of the distribution of the next token: below 1 likely tokens are likelier, at 0 the
                likeliest is taken, above 1 all are more alike.
            prefix: tokens that every text begins with, `(p,)`, or each with its own, `(n, p)`.
            to_read: leave out the token of unknown words, which nobody can read.

        Raises:
            DataError: the prefix is longer than a text may be.
        """
        given, table = self.prefixes(prefix, z), self.network.last.table(BLOCK)
        if to_read:
            table[-1, UNKNOWN] = NEVER
        state = self.network.start(len(z), condition)
        made: list[Tensor] = []
        for t in range(self.length):
            if t < given.shape[1]:
                token = given[:, t]
            else:
                token = self.following(state[0], z[:, t : t + 1], table, temperature)[:, 0]
            made.append(token.masked_fill(over(made[-1]), PAD) if made else token)
            if t + 1 == self.length or over(made[-1]).all():
                break
            state = self.network.step(state, made[-1])
        return F.pad(torch.stack(made, 1), (0, self.length - len(made)), value=PAD)

    def prefixes(self, prefix: Tensor | None, z: Float[Tensor, "n t"]) -> Int[Tensor, "n p"]:
        """The first tokens of each text."""
        if prefix is None:
            return torch.empty(len(z), 0, dtype=torch.long, device=z.device)
        if prefix.shape[-1] > self.length:
            raise DataError(
                f"the prefix has {prefix.shape[-1]} tokens; texts have {self.length} at most. Shorten it."
            )
        return prefix.to(z.device).expand(len(z), -1)

    def following(
        self,
        features: Float[Tensor, "m w"],
        uniform: Float[Tensor, "m k"],
        table: Float[Tensor, "w1 v"],
        temperature: float = 1.0,
    ) -> Int[Tensor, "m k"]:
        """The next token of each text, once for each uniform number.

        Args:
            features: from which it follows.
            uniform: by which it is drawn.
            table: that of the last layer, for whole blocks.
            temperature: of its distribution.
        """
        room = CACHED if features.device.type == "cpu" else HELD
        rows, parts = max(1, room // table.shape[1]), []
        with torch.autocast(features.device.type, enabled=False):
            features = F.pad(features.float(), (0, 1), value=1.0)
            for some, numbers in zip(features.split(rows), uniform.split(rows), strict=True):
                logits = some @ table
                if temperature != 1:
                    logits = (logits - logits.amax(1, keepdim=True)) / max(temperature, COLDEST)
                parts.append(inverse_cdf(logits.softmax(1), numbers))
        return torch.cat(parts)

    @torch.no_grad()
    def rollouts(
        self,
        tokens: Int[Tensor, "n t"],
        uniform: Float[Tensor, "n p k t"],
        condition: Tensor | None = None,
        beginnings: Sequence[int] = (),
    ) -> Int[Tensor, "n p k t"]:
        """Texts that go on from beginnings of some texts, several times from each.

        All go on together: at step t those that begin with fewer than t tokens take one more, and those that
        begin with t join them. For those that have ended no token is drawn, which is what costs time.

        Args:
            tokens: the texts.
            uniform: from which tokens are drawn; `[i, p, j, s]` is for token s of the j-th text that goes on
                from beginning number p of text i.
            condition: of each text, where the network has one.
            beginnings: of how many tokens, rising; 1, 2 .. t - 1 if not given.
        """
        times, length = uniform.shape[2:]
        begins, table = beginnings or range(1, length), self.network.last.table(BLOCK)
        made = tokens[:, None, None].repeat(1, len(begins), times, 1)
        own, many, p = self.network.start(len(tokens), condition), None, 0
        for t in range(1, length):
            ended = over(made[:, :p, :, t - 1])
            if ended.all() and over(tokens[:, t - 1]).all():
                break  # what stands behind is padding already
            own, joining = self.network.step(own, tokens[:, t - 1]), p < len(begins) and begins[p] == t
            drawn = [self.following(own[0], uniform[:, p, :, t], table)[:, None]] if joining else []
            if many is not None:
                drawn = [self.going_on(many, uniform[:, :p, :, t], ~ended, table), *drawn]
            if joining:
                fresh = repeated(own, times)
                many, p = fresh if many is None else joined(many, fresh), p + 1
            if many is not None:
                made[:, :p, :, t] = torch.cat(drawn, 1).masked_fill(over(made[:, :p, :, t - 1]), PAD)
                if t + 1 < length:
                    many = self.network.step(many, made[:, :p, :, t].transpose(0, 1).flatten())
        return made

    def going_on(
        self,
        state: State,
        uniform: Float[Tensor, "n p k"],
        going: Bool[Tensor, "n p k"],
        table: Float[Tensor, "w1 v"],
    ) -> Int[Tensor, "n p k"]:
        """The next token of those texts that have not ended; all are remembered beginning by beginning."""
        numbers, which = uniform.transpose(0, 1), going.transpose(0, 1)
        drawn = torch.full(which.shape, PAD, device=uniform.device)
        if which.any():
            drawn[which] = self.following(state[0][which.flatten()], numbers[which][:, None], table)[:, 0]
        return drawn.transpose(0, 1)

    @torch.no_grad()
    def likelihood(
        self, tokens: Int[Tensor, "n t"], condition: Tensor | None = None, temperature: float = 1.0
    ) -> Float[Tensor, " n"]:
        """Negative log-likelihood of texts in nats per token, the end counted among these.

        Unknown words do not count: texts that are learnt from often have none, and one would cost as many
        nats as the network has had time to forbid it.

        Args:
            tokens: the texts.
            condition: of each text, where the network has one.
            temperature: of the distribution of each token.
        """
        rows = max(1, HELD // (tokens.shape[1] * self.network.last.linear.out_features))
        conditions = [None] * len(tokens) if condition is None else condition.split(rows)
        found: list[Tensor] = []
        for some, their in zip(tokens.split(rows), conditions, strict=False):
            logits = self.network.logits(some, their) / max(temperature, COLDEST)
            nats = (surprise(logits, some) * known(some)).sum(1)
            found.append(nats / known(some).sum(1).clamp_min(1))
        return torch.cat(found)


def dropped(h: Float[Tensor, "n *k"], draw: Draw, rate: float) -> Float[Tensor, "n *k"]:
    """Features of which each is 0 with some probability, and larger else: dropout that all ranks agree on."""
    if not rate:
        return h
    return h * (draw.uniform(*h.shape[1:]) >= rate) / (1 - rate)


def imitation(sampler: TextSampler, batch: Batch, draw: Draw, dropout: float = 0.0) -> Tensor:
    """How much real texts surprise: nats of a text over the length of the longest, a text on average.

    Not over its own length: then tokens of short texts would count more, and a likelihood would be of texts
    that there are not.
    """
    tokens = batch["real"]
    features = sampler.network.features(tokens, batch.get("condition"))
    nats = surprise(sampler.network.last(dropped(features, draw, dropout)), tokens)
    return nats.sum(1).mean() / tokens.shape[1]


class LanguageModel(Game[TextSampler]):
    """Maximum likelihood: each real token is made likely after the real ones before it.

    The baseline beside every game of texts: most of what was published as a gain of one is reached by drawing
    from it at another temperature.

    Args:
        sampler: G.
        dropout: share of the features that is left out.

    References:
        Language GANs Falling Short (Caccia et al., 2018), https://arxiv.org/abs/1811.02549
    """

    def __init__(self, sampler: TextSampler, dropout: float = 0.0) -> None:
        super().__init__()
        self.sampler, self.dropout = sampler, dropout

    def players(self) -> dict[str, nn.Module]:
        """G alone."""
        return {"G": self.sampler}

    def turns(self, step: int) -> list[Turn]:
        """One."""
        return [Turn("G", self.imitate)]

    def critic(self) -> None:
        """Nobody tells real from generated."""
        return

    def likelihood(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of real texts in nats per token, `(n,)`."""
        return self.sampler.likelihood(batch["real"], batch.get("condition"))

    def imitate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn."""
        return Terms({"likelihood": imitation(self.sampler, batch, draw, self.dropout)})
