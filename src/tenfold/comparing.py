"""How far a made picture is from the one that it should be: losses of translations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Pictures = Float[Tensor, "n c h w"]
Maps = Callable[[Tensor], list[Tensor]]
"""Maps pictures to what a network sees in them, the finest first."""


class Comparison(Protocol):
    """Maps made pictures, and those that they should be, to a loss per picture."""

    @property
    def name(self) -> str:
        """Under which it is logged."""
        ...

    @property
    def weight(self) -> float:
        """Factor in the loss."""
        ...

    def __call__(self, made: Tensor, real: Tensor, /) -> Tensor:
        """The loss per picture, `(n,)`."""
        ...


@dataclass(frozen=True)
class L1:
    """Mean absolute difference of pixels, which run from -1 to 1."""

    weight: float = 100.0
    name: str = "l1"

    def __call__(self, made: Pictures, real: Pictures) -> Float[Tensor, " n"]:
        """The mean of each picture."""
        return (made.float() - real.float()).abs().flatten(1).mean(1)


@dataclass(frozen=True)
class OfMaps:
    """Mean absolute difference of what a network sees, averaged over its maps.

    With a frozen network it is a perceptual loss.

    Attributes:
        maps: what the network sees.
        weight: factor in the loss.
        name: under which it is logged.

    References:
        Perceptual Losses for Real-Time Style Transfer and Super-Resolution (Johnson et al., 2016),
        https://arxiv.org/abs/1603.08155
    """

    maps: Maps
    weight: float = 1.0
    name: str = "perceptual"

    def __call__(self, made: Pictures, real: Pictures) -> Float[Tensor, " n"]:
        """The mean of each picture."""
        with torch.no_grad():
            wanted = self.maps(real)
        return apart(self.maps(made), wanted)


def of_pixels_and_maps(l1: float, perceptual: float) -> list[Comparison]:
    """Comparisons of pixels, and of what EfficientNet-Lite0 sees where this has a weight.

    Raises:
        MissingExtra: it has, and the package with the network's weights is not installed.
    """
    if not perceptual:
        return [L1(l1)]
    from .metrics.pretrained import frozen_maps

    return [L1(l1), OfMaps(in_colours(frozen_maps()), perceptual)]


def apart(made: Sequence[Tensor], wanted: Sequence[Tensor]) -> Float[Tensor, " n"]:
    """Mean absolute difference of maps, of each picture in units of the mean size of what is wanted."""
    each: list[Tensor] = []
    for a, b in zip(made, wanted, strict=True):
        off, size = (x.abs().flatten(1).mean(1) for x in (a.float() - b.float(), b.float()))
        each.append(off / size.clamp_min(1e-6))
    return torch.stack(each).mean(0)


def in_colours(maps: Maps) -> Maps:
    """The same for pictures of any channels: where these are no colours, each is seen on its own, as grey."""

    def seen(x: Tensor) -> list[Tensor]:
        colours = x[:, :-1] if x.shape[1] in (2, 4) else x
        if colours.shape[1] == 3:
            return maps(colours.float())
        each = maps(colours.flatten(0, 1)[:, None].expand(-1, 3, -1, -1).float())
        return [found.unflatten(0, (len(x), -1)).flatten(1, 2) for found in each]

    return seen


def contrast(
    asked: Sequence[Float[Tensor, "n p d"]], keys: Sequence[Float[Tensor, "n p d"]], temperature: float = 0.07
) -> Float[Tensor, " n"]:
    """How well each patch is told from all others of its picture by what it was made of (InfoNCE).

    Args:
        asked: of each layer, vectors of length one that describe places of made pictures.
        keys: of each layer, those of the same places of the pictures that they were made of.
        temperature: the smaller, the harder the nearest others count.

    References:
        Contrastive Learning for Unpaired Image-to-Image Translation (Park et al., 2020),
        https://arxiv.org/abs/2007.15651
    """
    losses: list[Tensor] = []
    for q, k in zip(asked, keys, strict=True):
        with torch.autocast(q.device.type, enabled=False):  # rounded, logits of up to 14 would be off by .03
            logits = q.float() @ k.detach().float().mT / temperature
        right = torch.arange(logits.shape[1], device=q.device).expand(len(q), -1)
        loss = F.cross_entropy(logits.flatten(0, 1), right.flatten(), reduction="none")
        losses.append(loss.unflatten(0, (len(q), -1)).mean(1))
    return torch.stack(losses).mean(0)
