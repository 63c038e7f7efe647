"""CUT: a patch of the result must be recognised as made of the same patch of what was given."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..augment.joint import STILL, Jointly
from ..comparing import contrast
from ..draw import Draw
from ..game import Batch, Game, Terms, Turn
from ..nn.networks.translator import PatchHeads, TranslatorNetwork
from ..objectives import LEAST_SQUARES
from .gan import signals
from .translation import Handed, OneWay, fitted, padded


class CUT(Game[OneWay]):
    """G, D, and heads that describe patches of what G's first half sees.

    Args:
        network: G's network, whose first half looks at what is given and at what is made.
        heads: describe places of its maps; they learn with G.
        discriminator: D, maps pictures to logits.
        weight: of the patches that are not recognised.
        identity: whether patches of real pictures, translated, must be recognised, too; as weight.
        places: how many of each map.
        flips: whether half of what is given is mirrored, and the result must be, too (FastCUT).
        moves: what is done to pictures before.

    References:
        Contrastive Learning for Unpaired Image-to-Image Translation (Park et al., 2020),
        https://arxiv.org/abs/2007.15651
    """

    def __init__(
        self,
        network: TranslatorNetwork,
        heads: PatchHeads,
        discriminator: nn.Module,
        *,
        weight: float = 1.0,
        identity: float = 1.0,
        places: int = 256,
        flips: bool = False,
        moves: Jointly = STILL,
    ) -> None:
        super().__init__()
        self.sampler = OneWay(network, stride=network.stride, least=network.least)
        self.heads, self.discriminator = heads, discriminator
        self.maps, self.finish = network.maps, network.finish  # not the network: it would be saved twice
        self.weight, self.identity, self.places = weight, identity, places
        self.flips, self.moves, self.handed = flips, moves, Handed()

    def players(self) -> dict[str, nn.Module]:
        """G moves with its heads."""
        return {"G": nn.ModuleList([self.sampler, self.heads]), "D": self.discriminator}

    def turns(self, step: int) -> list[Turn]:
        """G, then D."""
        return [Turn("G", self.generate), Turn("D", self.criticise, again=True)]

    def critic(self) -> None:
        """D judges patches of one side."""
        return None

    def prepare(self, batch: Batch, draw: Draw) -> tuple[Tensor, Tensor]:
        """Both sides, each moved in its own way."""
        (source,), (real,) = (self.moves(draw, batch[name]) for name in ("source", "real"))
        return source, real

    def made(self, batch: Batch, draw: Draw) -> tuple[Tensor, ...]:
        """Pictures of the side that is made, and what is made."""
        source, real = self.prepare(batch, draw)
        with torch.no_grad():
            return real, self.sampler(source)

    def judge(self, x: Tensor) -> Tensor:
        """Logits, `(n, k)`."""
        return self.discriminator(x).float().flatten(1)

    def criticise(self, batch: Batch, draw: Draw) -> Terms:
        """D's turn: tell real from made; half of the objective."""
        real, fake = self.handed.take(draw) or self.made(batch, draw)
        real_logits, fake_logits = self.judge(torch.cat([real, fake])).chunk(2)
        loss = LEAST_SQUARES.discriminator(real_logits, fake_logits).mean()
        return Terms({"adversarial": loss}, signals(real_logits, fake_logits))

    def generate(self, batch: Batch, draw: Draw) -> Terms:
        """G's turn: be taken for real, and let every patch be recognised."""
        source, real = self.prepare(batch, draw)
        n, also = len(source), self.identity > 0 and source.shape[1:] == real.shape[1:]
        given = torch.cat([source, real]) if also else source
        mirrored = (draw.uniform() < 0.5).repeat(len(given) // n) if self.flips else None
        made, seen = self.translated(turned(given, mirrored))
        self.handed.keep(draw, real, made[:n])
        if mirrored is not None:
            with torch.no_grad():
                seen = self.look(given)
        unlike, logits = self.unlike(seen, turned(made, mirrored), draw), self.judge(made[:n])
        losses = {"adversarial": LEAST_SQUARES.generator(logits, logits).mean() * 2}
        losses["patches"] = self.weight * unlike[:n].mean()
        if also:
            losses["identity"] = self.identity * unlike[n:].mean()
        return Terms(losses)

    def translated(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What is made of pictures, and what G's first half sees of these on the way."""
        seen: list[Tensor] = []

        def network(whole: Tensor) -> Tensor:
            seen.extend(self.maps(whole))
            return self.finish(seen[-1])

        return fitted(network, x, self.sampler.stride, least=self.sampler.least), seen

    def unlike(self, given: list[Tensor], made: Tensor, draw: Draw) -> Tensor:
        """How badly patches of made pictures are recognised, by what is seen of the given ones.

        Of pictures beyond the batch's rows the same places are looked at.
        """
        if made.shape[1] != given[0].shape[1]:
            made = in_channels(made, given[0].shape[1])
        looked = self.look(made)
        places = [different(draw, seen.shape[2] * seen.shape[3], self.places) for seen in looked]
        places = [place.repeat(len(made) // len(place), 1) for place in places]
        asked = self.heads(looked, places)
        # Only now: autocast keeps the weights that it rounds, and first met here they would have no gradient.
        with torch.no_grad():
            keys = self.heads([seen.detach() for seen in given], places)
        return contrast(asked, keys)

    def look(self, x: Tensor) -> list[Tensor]:
        """What G's first half sees of pictures."""
        return self.maps(padded(x, self.sampler.stride, self.sampler.least)[0])


def different(draw: Draw, size: int, most: int) -> Tensor:
    """Places of maps, `(n, places)`; none twice, or a patch would have to be told from itself."""
    return draw.uniform(size).topk(min(most, size)).indices


def turned(x: Tensor, mirrored: Tensor | None) -> Tensor:
    """Some pictures mirrored left to right."""
    return x if mirrored is None else torch.where(mirrored[:, None, None, None], x.flip(3), x)


def in_channels(x: Tensor, channels: int) -> Tensor:
    """Pictures with as many channels as others have: their mean, repeated."""
    return x.mean(1, keepdim=True).expand(-1, channels, -1, -1)
