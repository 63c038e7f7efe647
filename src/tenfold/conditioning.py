"""How a class enters the networks.

References:
    A Learned Representation for Artistic Style (Dumoulin et al., 2016), https://arxiv.org/abs/1610.07629
    cGANs with Projection Discriminator (Miyato and Koyama, 2018), https://arxiv.org/abs/1802.05637
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .nn.layers import BatchNorm, SpectralEmbedding, SpectralLinear


class ConditionalBatchNorm(nn.Module):
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
        self, x: Float[Tensor, "n c h w"], condition: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Normalised x, scaled and shifted as its class asks."""
        x = self.norm(x)
        if self.gain is None or self.bias is None:
            return x
        gain, bias = self.gain(condition)[:, :, None, None], self.bias(condition)[:, :, None, None]
        return torch.addcmul(bias.to(x.dtype), x, gain.to(x.dtype))


class ConditionalLatent(nn.Module):
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
        self, z: Float[Tensor, "n latent"], condition: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n d"]:
        """z, and the class's vector if there are classes."""
        return z if self.embedding is None else torch.cat([z, self.embedding(condition)], 1)


class ProjectionHead(nn.Module):
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

    def forward(
        self, h: Float[Tensor, "n d"], condition: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per sample, in float32."""
        with torch.autocast(h.device.type, enabled=False):
            h = h.float()
            logits = self.linear(h)
            if self.embedding is None:
                return logits
            return logits + (self.embedding(condition) * h).sum(1, keepdim=True)
