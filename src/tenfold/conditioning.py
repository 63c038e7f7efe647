"""How a class enters the networks.

References:
    A Learned Representation for Artistic Style (Dumoulin et al., 2016), https://arxiv.org/abs/1610.07629
    cGANs with Projection Discriminator (Miyato and Koyama, 2018), https://arxiv.org/abs/1802.05637
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .adaptive import Adaptive
from .nn.layers import BatchNorm, SpectralEmbedding, SpectralLinear

if TYPE_CHECKING:
    from .penalties import Look


Condition = Int[Tensor, " n"] | Float[Tensor, "n classes"]
"""Class numbers, where -1 is no class; or shares of each class."""


def looked_up(table: nn.Module, condition: Condition) -> Float[Tensor, "n d"]:
    """Rows of a table of classes.

    Args:
        table: maps class numbers to rows.
        condition: what each row is of; no class gives zeros.
    """
    if condition.is_floating_point():
        every = table(torch.arange(condition.shape[1], device=condition.device))
        return condition.to(every.dtype) @ every
    known = condition >= 0
    return table(condition.clamp_min(0)) * known[:, None]


class Fading(nn.Module, ABC):
    """A part that knows classes, of which a transition may let it know a share only."""

    share: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", None)

    def known(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """As much of what a class says as this is the time for."""
        return rows if self.share is None else self.share * rows


class ConditionalBatchNorm(Fading):
    """Batch norm whose gain and bias are looked up by class; both start as the identity.

    Args:
        channels: of the input.
        classes: number of classes; 0 gives plain batch norm.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, affine=classes == 0)
        self.gain = self.bias = None
        if classes:
            self.gain, self.bias = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.bias.weight)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Normalised x, scaled and shifted as its class asks."""
        x = self.norm(x)
        if self.gain is None or self.bias is None:
            return x
        assert condition is not None
        gain, bias = (looked_up(table, condition) for table in (self.gain, self.bias))
        if self.share is not None:
            gain, bias = 1 + self.known(gain - 1), self.known(bias)
        return torch.addcmul(bias[:, :, None, None].to(x.dtype), x, gain[:, :, None, None].to(x.dtype))


class ConditionalLatent(Fading):
    """Noise with a vector of its class beside it, as long as the noise and about a third as large.

    A conditional norm alone starts as the identity: it takes long until classes differ at all. A larger
    vector drowns the noise: samples of one class then look alike for long.

    Args:
        latent: dimension of the noise.
        classes: number of classes; 0 leaves the noise as it is.
    """

    def __init__(self, latent: int, classes: int) -> None:
        super().__init__()
        self.dimension = 2 * latent if classes else latent
        self.embedding = nn.Embedding(classes, latent) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, 0.0, 0.3)

    def forward(
        self, z: Float[Tensor, "n latent"], condition: Condition | None = None
    ) -> Float[Tensor, "n d"]:
        """z, and the class's vector if there are classes."""
        if self.embedding is None:
            return z
        assert condition is not None
        return torch.cat([z, self.known(looked_up(self.embedding, condition))], 1)


class ProjectionHead(Fading):
    """Logits of pooled features: a linear map, plus the inner product with the class's embedding.

    Args:
        features: dimension of the features.
        classes: number of classes; 0 gives the linear map alone.
        bias: whether the linear map has one.
        spectral: whether both maps have spectral norm one.
    """

    def __init__(self, features: int, classes: int = 0, *, bias: bool = True, spectral: bool = False) -> None:
        super().__init__()
        self.linear = (
            SpectralLinear(features, 1, bias=bias) if spectral else nn.Linear(features, 1, bias=bias)
        )
        self.embedding: nn.Module | None = None
        if classes and spectral:
            self.embedding = SpectralEmbedding(classes, features)
        elif classes:
            self.embedding = table = nn.Embedding(classes, features)
            nn.init.normal_(table.weight, 0.0, features**-0.5)

    def forward(self, h: Float[Tensor, "n d"], condition: Condition | None = None) -> Float[Tensor, "n 1"]:
        """One logit per sample, in float32."""
        with torch.autocast(h.device.type, enabled=False):
            h = h.float()
            logits = self.linear(h)
            if self.embedding is None:
                return logits
            assert condition is not None
            known = self.known(looked_up(self.embedding, condition))
            return logits + (known * h).sum(1, keepdim=True)


class Transition(Adaptive):
    """Classes fade in: the networks first learn all samples together, then what tells the classes apart.

    With few samples of each class a conditional GAN collapses where an unconditional one does not.

    Args:
        parts: that then know a share of the class, which rises from 0 to 1 and never falls.
        start, end: shares of the run between which it does.

    References:
        Collapse by Conditioning: Training Class-conditional GANs with Limited Data (Shahbazi et al., 2022),
        https://arxiv.org/abs/2201.06578
    """

    noted: Tensor

    def __init__(self, parts: Iterable[Fading], start: float, end: float) -> None:
        super().__init__()
        self.parts, self.start, self.end = tuple(parts), start, end
        self.register_buffer("noted", torch.zeros(1))
        for part in self.parts:
            part.share = torch.zeros(())

    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """It goes by time alone."""
        return {}

    def settle(self, progress: float) -> None:
        """As much of the class as this is the time for; a run that is extended forgets none."""
        share = (progress - self.start) / (self.end - self.start)
        for part in self.parts:
            assert part.share is not None
            part.share.clamp_min_(min(max(share, 0.0), 1.0))

    def replanned(self, ratio: float) -> None:
        """It keeps no share of the run."""


def fading(game: nn.Module, start: float, end: float) -> Transition:
    """A transition of everything within a game that knows classes."""
    return Transition([part for part in game.modules() if isinstance(part, Fading)], start, end)
