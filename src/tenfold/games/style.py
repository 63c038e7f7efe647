"""StyleGAN2's sampler: noise is mapped to a style, which every layer follows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..conditioning import Condition
from ..draw import Draw
from ..game import Batch, Sampler
from ..nn.networks.stylegan2 import Mapping, Synthesis


class Latent(NamedTuple):
    """The parts of a latent.

    Attributes:
        z: what is mapped to a style, `(n, latent)`.
        noise: of every pixel of every convolution, `(n, k)`.
        other: another z, `(n, latent)`; None but in training.
        place: uniform numbers `(n, 2)`: whether, and from which layer on, the other style is followed.
    """

    z: Tensor
    noise: Tensor
    other: Tensor | None = None
    place: Tensor | None = None


class StyleSampler(Sampler):
    """Samples from noise by way of a style; all that is random is part of the latent.

    Args:
        mapping: z, and a condition where there is one, to a style.
        synthesis: a style for each layer, and noise, to samples.
        latent: dimension of z.
        mixing: share of samples that follow a second style from some layer on, in training.
    """

    def __init__(self, mapping: Mapping, synthesis: Synthesis, latent: int, mixing: float = 0.9) -> None:
        super().__init__()
        self.mapping, self.synthesis, self.latent, self.mixing = mapping, synthesis, latent, mixing

    def draw(self, draw: Draw) -> Tensor:
        """Latents `(n, latent + noises)`; in training another latent and two numbers more."""
        parts = [draw.normal(self.latent), draw.normal(self.synthesis.noises)]
        if self.training and self.mixing:
            parts += [draw.normal(self.latent), draw.uniform(2)]
        return torch.cat(parts, 1)

    def split(self, latent: Tensor) -> Latent:
        """The parts of latents."""
        sizes = [self.latent, self.synthesis.noises]
        more = [self.latent, 2] if latent.shape[1] > sum(sizes) else []
        return Latent(*latent.split([*sizes, *more], 1))

    def styles(self, latent: Latent, condition: Condition | None = None) -> Float[Tensor, "n layers style"]:
        """The style of each layer."""
        layers = self.synthesis.layers
        w = self.mapping(latent.z, condition)[:, None].expand(-1, layers, -1)
        if latent.other is None or latent.place is None:
            return w
        other = self.mapping(latent.other, condition)[:, None]
        first = 1 + (latent.place[:, 1] * (layers - 1)).long()
        first = torch.where(latent.place[:, 0] < self.mixing, first, layers)
        return torch.where(torch.arange(layers, device=w.device)[:, None] < first[:, None, None], w, other)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures of latents."""
        latent = self.split(z)
        return self.synthesis(self.styles(latent, condition), latent.noise)

    def paths(self, batch: Batch, draw: Draw) -> tuple[Tensor, Tensor]:
        """Fresh samples, and the styles `(n, layers, style)` that they are a function of."""
        latent = self.split(self.draw(draw))
        ws = self.styles(latent, batch.get("condition"))
        return self.synthesis(ws, latent.noise), ws
