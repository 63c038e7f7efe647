"""A discriminator that looks through a frozen network trained on other pictures.

References:
    Projected GANs Converge Faster (Sauer et al., 2021), https://arxiv.org/abs/2111.01007
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ProjectionHead
from ..layers import FullPrecision, SpectralConv, activation, normed

LEVELS = (24, 40, 112, 320)  # channels of the frozen network's maps, the finest first
Maps = Callable[[Tensor], list[Tensor]]


class Mixed(nn.Module):
    """Random convolutions, never learnt, that mix the maps of all levels: so none can be overlooked.

    Args:
        width: channels of the finest mixed map; doubled with each level.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widths = [width * 2**i for i in range(len(LEVELS))]
        across = [RandomConv(a, b, 1) for a, b in zip(LEVELS, self.widths, strict=True)]
        down = [RandomConv(b, a, 3) for a, b in zip(self.widths, self.widths[1:], strict=False)]
        self.across, self.down = nn.ModuleList(across), nn.ModuleList(down)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """As many maps, each with what the coarser ones say."""
        mixed = [layer(x) for layer, x in zip(self.across, maps, strict=True)]
        for i in reversed(range(len(self.down))):
            coarser = self.down[i](mixed[i + 1])
            mixed[i] = mixed[i] + F.interpolate(coarser, mixed[i].shape[2:], mode="bilinear")
        return mixed


class RandomConv(nn.Module):
    """A convolution with random weights that keeps variance, and stays as it is."""

    weight: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        weight = torch.empty(outputs, inputs, kernel, kernel)
        self.register_buffer("weight", nn.init.kaiming_normal_(weight, nonlinearity="linear"))

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b h w"]:
        """The convolution."""
        return F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)


class LevelHead(nn.Module):
    """One level's logits, a map of them halved until it is at most 4x4."""

    def __init__(self, channels: int, side: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            layers += [*normed(channels, channels, 4, 2, 1), activation("leaky_relu")]
            side = (side - 2) // 2 + 1
        self.body = nn.Sequential(*layers, *normed(channels, channels, 1), activation("leaky_relu"))
        self.places = FullPrecision(SpectralConv(channels, 1, 1))
        self.whole = ProjectionHead(channels, classes, spectral=True) if classes else None

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Logits `(n, places)`; where there are classes, as many more that know them."""
        h = self.body(x)
        logits = self.places(h).flatten(1)
        if self.whole is None:
            return logits
        return torch.cat([logits, self.whole(h.mean((2, 3)), condition).expand_as(logits)], 1)


class ProjectedDiscriminator(nn.Module):
    """Pictures to logits of four levels of a frozen network.

    The network is no part of this module: it is neither trained nor saved. Pictures of other than three
    channels are looked at three channels at a time, the last repeated where they do not go round.

    Args:
        frozen: gives the network's maps of pictures of three channels in [-1, 1].
        shape: of a picture, (channels, height, width).
        width: channels of the finest mixed map.
        side: of the square that pictures are resized to.
        classes: number of classes of the projections; 0 for none.
    """

    def __init__(
        self, frozen: Maps, shape: Sequence[int], width: int, *, side: int, classes: int = 0
    ) -> None:
        super().__init__()
        self.frozen, self.side = frozen, side
        self.mixed = Mixed(width)
        sides = [-(-side // stride) for stride in (4, 8, 16, 32)]
        heads = zip(self.mixed.widths, sides, strict=True)
        self.heads = nn.ModuleList(LevelHead(channels, s, classes) for channels, s in heads)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Condition | None = None
    ) -> Float[Tensor, "n k"]:
        """All levels' logits, side by side; each level counts the same."""
        x, groups = in_threes(x)
        x = F.interpolate(x, (self.side, self.side), mode="bilinear", antialias=self.side < max(x.shape[2:]))
        maps = [m.unflatten(0, (-1, groups)).mean(1) for m in self.frozen(x)]
        pairs = zip(self.heads, self.mixed(maps), strict=True)
        logits = [head(level, condition) for head, level in pairs]
        most = max(part.shape[1] for part in logits)
        return torch.cat([F.interpolate(part[:, None], most)[:, 0] for part in logits], 1)


def in_threes(x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "m 3 h w"], int]:
    """Pictures of three channels each, and how many there are of one sample."""
    channels = x.shape[1]
    groups = -(-channels // 3)
    index = torch.arange(3 * groups, device=x.device).clamp_max(channels - 1)
    return x[:, index].reshape(len(x) * groups, 3, *x.shape[2:]), groups
