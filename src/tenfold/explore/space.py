"""The space that a sampler's pictures are points of: noise, or styles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import singledispatch

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..draw import Draw, derive
from ..errors import RunError
from ..game import Sampler
from ..games.fastgan import FastSampler
from ..games.gan import NoiseSampler
from ..games.infogan import InfoSampler
from ..games.style import StyleSampler
from ..nn.networks.stylegan2 import Scaled, Styled

BLOCK = 64
FOR_MEAN = 4096  # styles whose mean is the middle of the space

Points = Float[Tensor, "n d"]
Labels = Int[Tensor, " n"] | Float[Tensor, "n k"] | None


class Space(ABC):
    """Points, and how to paint them. A latent is a point, and a rest that is held.

    Attributes:
        given: whether points are noise as it was drawn, which varies alike in all directions.
        loose: whether the rest of a latent is normal noise, too, that a picture may be looked for in.
    """

    given: bool
    loose: bool

    @property
    @abstractmethod
    def sampler(self) -> Sampler:
        """What paints."""

    @abstractmethod
    def split(self, latents: Tensor) -> tuple[Points, Tensor]:
        """Where latents start from, and the rest of each."""

    @abstractmethod
    def points(self, start: Points, labels: Labels) -> Points:
        """The points of starts; of the same start, another with every label if labels matter there."""

    @abstractmethod
    def paint(self, points: Points, rest: Tensor, labels: Labels) -> Float[Tensor, "n c h w"]:
        """The pictures of points, in [-1, 1]."""

    @abstractmethod
    def between(self, a: Points, b: Points, share: float) -> Points:
        """Points on the way from a to b, along which pictures stay typical."""

    @abstractmethod
    def truncated(self, points: Points, psi: float, labels: Labels) -> Points:
        """Points moved towards the middle of the space: psi 1 leaves them, psi 0 gives the middle."""

    @abstractmethod
    def reads(self) -> Float[Tensor, "m d"]:
        """What the sampler's first layers do with a point: a matrix whose rows are theirs."""

    def latents(self, n: int, seed: int, first: int = 0) -> tuple[Points, Tensor]:
        """The starts and the rests of samples `first` to `first + n` of a set."""
        begin = first // BLOCK * BLOCK
        blocks = [
            self.sampler.draw(Draw(derive(seed, "sample", i), slice(0, BLOCK), BLOCK))
            for i in range(begin, first + n, BLOCK)
        ]
        return self.split(torch.cat(blocks)[first - begin : first - begin + n])


class NoiseSpace(Space):
    """Noise itself: normal numbers, of about one length.

    Args:
        sampler: whose latents begin with `dimension` numbers of noise.
        dimension: how many; all else is held.
    """

    given, loose = True, False

    def __init__(self, sampler: Sampler, dimension: int) -> None:
        self.painter, self.dimension = sampler, dimension

    @property
    def sampler(self) -> Sampler:
        """The one given."""
        return self.painter

    def split(self, latents: Tensor) -> tuple[Points, Tensor]:
        """Noise, and what follows it."""
        return latents[:, : self.dimension], latents[:, self.dimension :]

    def points(self, start: Points, labels: Labels) -> Points:
        """The noise."""
        return start

    def paint(self, points: Points, rest: Tensor, labels: Labels) -> Float[Tensor, "n c h w"]:
        """G(z), or G(z, label)."""
        return self.painter(torch.cat([points, rest], 1), labels)

    def between(self, a: Points, b: Points, share: float) -> Points:
        """Along the great circle: halfway on a line, noise would be too short to be typical."""
        directions = nn.functional.normalize(a, dim=1), nn.functional.normalize(b, dim=1)
        cosine = (directions[0] * directions[1]).sum(1, keepdim=True).clamp(-1 + 1e-6, 1 - 1e-6)
        angle = cosine.acos()
        weights = ((1 - share) * angle).sin() / angle.sin(), (share * angle).sin() / angle.sin()
        return weights[0] * a + weights[1] * b

    def truncated(self, points: Points, psi: float, labels: Labels) -> Points:
        """Shorter noise."""
        return psi * points

    def reads(self) -> Float[Tensor, "m d"]:
        """The weights of the first linear layer."""
        first = next((m for m in self.painter.modules() if isinstance(m, nn.Linear)), None)
        if first is None or first.weight.shape[1] < self.dimension:
            raise RunError("this generator has no linear layer that reads its noise. Use --by activations.")
        return first.weight[:, : self.dimension]


class StyleSpace(Space):
    """Styles, which noise is mapped to."""

    given, loose = False, True

    def __init__(self, sampler: StyleSampler) -> None:
        self.painter = sampler

    @property
    def sampler(self) -> Sampler:
        """The one given."""
        return self.painter

    def split(self, latents: Tensor) -> tuple[Points, Tensor]:
        """Noise that is mapped, and noise of pixels."""
        latent = self.painter.split(latents)
        return latent.z, latent.noise

    def points(self, start: Points, labels: Labels) -> Points:
        """Styles."""
        return self.painter.mapping(start, labels)

    def paint(self, points: Points, rest: Tensor, labels: Labels) -> Float[Tensor, "n c h w"]:
        """Pictures whose layers all follow one style; the label is in the style already."""
        layers = self.painter.synthesis.layers
        return self.painter.synthesis(points[:, None].expand(-1, layers, -1), rest)

    def between(self, a: Points, b: Points, share: float) -> Points:
        """Along a line."""
        return a + share * (b - a)

    def truncated(self, points: Points, psi: float, labels: Labels) -> Points:
        """Towards the mean style, that of its class if there are classes."""
        z = torch.randn(FOR_MEAN, self.painter.latent, generator=torch.Generator().manual_seed(0))
        if labels is None:
            return self.between(self.painter.mapping(z).mean(0), points, psi)
        means = {
            int(label): self.painter.mapping(z, label.expand(len(z))).mean(0) for label in labels.unique()
        }
        middle = torch.stack([means[int(label)] for label in labels])
        return self.between(middle, points, psi)

    def mixed(self, a: Points, b: Points, first: int, rest: Tensor) -> Float[Tensor, "n c h w"]:
        """Pictures that follow b from some layer on, and a before."""
        layers = torch.arange(self.painter.synthesis.layers)[:, None]
        ws = torch.where(layers < first, a[:, None], b[:, None])
        return self.painter.synthesis(ws, rest)

    def reads(self) -> Float[Tensor, "m d"]:
        """The weights of all layers that read styles, the shapes' and not the colours'."""
        styled = [m for m in self.painter.synthesis.modules() if isinstance(m, Styled) and m.demodulates]
        layers: list[Scaled] = [m.affine for m in styled]
        return torch.cat([layer.weight for layer in layers])


@singledispatch
def space_of(sampler: Sampler) -> Space:
    """The space of a sampler.

    Raises:
        RunError: nothing is known of samplers of this kind.
    """
    raise RunError(f"{type(sampler).__name__} has no space to explore. Register one with space_of.register.")


@space_of.register
def _(sampler: NoiseSampler) -> Space:
    return NoiseSpace(sampler, sampler.latent)


@space_of.register
def _(sampler: FastSampler) -> Space:
    return NoiseSpace(sampler, sampler.latent)


@space_of.register
def _(sampler: InfoSampler) -> Space:
    return NoiseSpace(sampler, sampler.sizes[0])


@space_of.register
def _(sampler: StyleSampler) -> Space:
    return StyleSpace(sampler)
