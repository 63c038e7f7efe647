"""Networks for series: attributes first, then a GRU that makes several steps at a time; and their critics.

References:
    Using GANs for Sharing Networked Time Series Data: Challenges, Initial Promise, and Open Questions
    (Lin et al., 2020), https://arxiv.org/abs/1909.13403
    An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling
    (Bai et al., 2018), https://arxiv.org/abs/1803.01271
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ...conditioning import Condition, ConditionalLatent, ProjectionHead
from ..layers import FullPrecision

SOFTNESS = 1.0  # steps over which the end of a series is soft, for its derivative alone
LEAST_HALF = 0.05  # of a range: what moves less is not stretched to -1 and 1, nor its slopes without bounds


@runtime_checkable
class SeriesRow(Protocol):
    """What must be known of a series as a row: its attributes, then its steps."""

    @property
    def steps(self) -> int:
        """Of the longest series."""
        ...

    @property
    def shortest(self) -> int:
        """Steps of the shortest series."""
        ...

    @property
    def ends(self) -> bool:
        """Whether series end at different steps: then the last number of each step is 1 if there is one."""
        ...

    @property
    def numbers(self) -> int:
        """How many numbers there are among the attributes; if series end, the last is their length."""
        ...

    @property
    def choices(self) -> tuple[int, ...]:
        """Widths of the attributes' one-hots."""
        ...

    @property
    def channels(self) -> int:
        """How many numbers a step has."""
        ...

    @property
    def options(self) -> tuple[int, ...]:
        """Widths of a step's one-hots."""
        ...

    @property
    def spanned(self) -> tuple[int, ...]:
        """Channels that reach from -1 to 1 in every series."""
        ...

    @property
    def attributes(self) -> int:
        """Numbers that hold of a whole series."""
        ...

    @property
    def features(self) -> int:
        """Numbers of a step."""
        ...

    @property
    def width(self) -> int:
        """Numbers of a row."""
        ...


def steps_of(rows: Float[Tensor, "n width"], layout: SeriesRow) -> Float[Tensor, "n steps features"]:
    """The steps of rows."""
    return rows[:, layout.attributes :].unflatten(1, (layout.steps, layout.features))


def silenced(rows: Float[Tensor, "n width"], layout: SeriesRow) -> Float[Tensor, "n width"]:
    """Rows whose steps are 0 from the first on that there is not."""
    if not layout.ends:
        return rows
    steps = steps_of(rows, layout)
    there = (steps[:, :, -1:] > 0.5).to(rows.dtype).cumprod(1)
    return torch.cat([rows[:, : layout.attributes], (steps * there).flatten(1)], 1)


def hardened(soft: Float[Tensor, "*shape"], hard: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The values of one tensor with the derivatives of the other, which a critic cannot tell from real ones.

    References:
        Estimating or Propagating Gradients Through Stochastic Neurons (Bengio et al., 2013),
        https://arxiv.org/abs/1308.3432
    """
    return hard + (soft - soft.detach())


def chosen(logits: Float[Tensor, "*n options"], widths: Sequence[int]) -> Float[Tensor, "*n options"]:
    """One-hots of the likeliest option in each part, with the derivatives of a softmax."""
    if not widths:
        return logits
    parts = []
    for part in logits.split(list(widths), -1):
        soft = part.softmax(-1)
        parts.append(hardened(soft, F.one_hot(part.argmax(-1), part.shape[-1]).to(soft.dtype)))
    return torch.cat(parts, -1)


def flags(length: Float[Tensor, " n"], steps: int) -> Float[Tensor, "n steps"]:
    """1 for each step that there is, 0 beyond, with the derivatives of a soft end."""
    middle = torch.arange(steps, device=length.device) + 0.5
    soft = ((length[:, None] - middle) / SOFTNESS).sigmoid()
    return hardened(soft, (middle < length.round()[:, None]).to(soft.dtype))


def stretched(
    values: Float[Tensor, "n steps channels"],
    there: Float[Tensor, "n steps"],
    which: Float[Tensor, " channels"],
) -> Float[Tensor, "n steps channels"]:
    """Values of which some channels reach from -1 to 1 within the steps that there are.

    Args:
        values: of every step.
        there: 1 for each step that there is.
        which: 1 for each channel that does.
    """
    gone = there[:, :, None] < 0.5
    low = values.masked_fill(gone, torch.inf).amin(1, keepdim=True)
    high = values.masked_fill(gone, -torch.inf).amax(1, keepdim=True)
    middle, half = (high + low) / 2, ((high - low) / 2).clamp_min(LEAST_HALF)
    return torch.where(which > 0, (values - middle) / half, values)


def hidden_layers(inputs: int, widths: Sequence[int], *, norm: bool) -> nn.Sequential:
    """Linear maps with leaky ReLUs, with a norm of each sample before these or without."""
    layers: list[nn.Module] = []
    for a, b in pairwise([inputs, *widths]):
        layers += [nn.Linear(a, b), *([nn.LayerNorm(b)] if norm else []), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


class SeriesGenerator(nn.Module):
    """Noise to series: attributes by linear layers; then a GRU that is told these, and fresh noise each time.

    Where the paper decides at each step whether it is the last, the length is an attribute here, from which
    the flags of the steps follow: it is one number to learn, and the steps know it from the first on.

    Args:
        layout: of a series.
        latent: dimension of the noise that holds of a whole series.
        noise: dimension of that of each time the GRU moves.
        widths: of the hidden layers that make attributes.
        hidden: units of the GRU, and of the layer behind it.
        moves: how often the GRU moves; each time it makes as many steps as are needed.
        classes: number of classes; 0 for none.
    """

    spanned: Tensor

    def __init__(
        self,
        layout: SeriesRow,
        latent: int,
        noise: int,
        *,
        widths: Sequence[int] = (128, 128),
        hidden: int = 64,
        moves: int = 12,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.layout, self.latent, self.noise = layout, latent, noise
        self.at_once = -(-layout.steps // moves)
        self.moves = -(-layout.steps // self.at_once)
        self.start = ConditionalLatent(latent, classes)
        known = self.start.dimension
        self.attribute_layers = self.attribute_last = None
        if layout.attributes:
            self.attribute_layers = hidden_layers(known, widths, norm=True)
            inputs = widths[-1] if widths else known
            self.attribute_last = FullPrecision(nn.Linear(inputs, layout.attributes))
        self.first = nn.Linear(known + layout.attributes, hidden)
        self.gru = nn.GRU(known + layout.attributes + noise, hidden, batch_first=True)
        self.body = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2))
        made = layout.channels + sum(layout.options)
        self.last = FullPrecision(nn.Linear(hidden, self.at_once * made))
        spanned = [float(i in layout.spanned) for i in range(layout.channels)]
        self.register_buffer("spanned", torch.tensor(spanned), persistent=False)

    @property
    def dimension(self) -> int:
        """Of all the noise of a series."""
        return self.latent + self.moves * self.noise

    def forward(
        self, z: Float[Tensor, "n d"], condition: Condition | None = None
    ) -> Float[Tensor, "n width"]:
        """Series as rows, 0 beyond their ends."""
        known = self.start(z[:, : self.latent], condition)
        attributes = self.attribute(known)
        steps = self.unroll(torch.cat([known, attributes], 1), z[:, self.latent :])
        values, options = steps.split([self.layout.channels, sum(self.layout.options)], 2)
        there = self.there(attributes)
        if self.layout.spanned:
            values = stretched(values, there, self.spanned)
        parts = [values, chosen(options, self.layout.options)]
        if self.layout.ends:
            parts.append(torch.ones_like(there)[:, :, None])
        return torch.cat([attributes, (torch.cat(parts, 2) * there[:, :, None]).flatten(1)], 1)

    def attribute(self, known: Float[Tensor, "n k"]) -> Float[Tensor, "n a"]:
        """What holds of each series as a whole."""
        if self.attribute_layers is None or self.attribute_last is None:
            return known[:, :0]
        made = self.attribute_last(self.attribute_layers(known))
        numbers, logits = made.split([self.layout.numbers, sum(self.layout.choices)], 1)
        return torch.cat([numbers, chosen(logits, self.layout.choices)], 1)

    def unroll(
        self, known: Float[Tensor, "n k"], noise: Float[Tensor, "n m"]
    ) -> Float[Tensor, "n steps made"]:
        """All steps, before what is chosen is chosen."""
        fresh = noise.unflatten(1, (self.moves, self.noise))
        told = torch.cat([known[:, None].expand(-1, self.moves, -1), fresh], 2)
        with torch.autocast(told.device.type, enabled=False):  # torch's GRU has no bf16 on every device
            h, _ = self.gru(told.float(), self.first(known.float())[None].tanh())
        made = self.last(self.body(h)).unflatten(2, (self.at_once, -1)).flatten(1, 2)
        return made[:, : self.layout.steps]

    def there(self, attributes: Float[Tensor, "n a"]) -> Float[Tensor, "n steps"]:
        """1 for each step that there is."""
        if not self.layout.ends:
            return attributes.new_ones(len(attributes), self.layout.steps)
        longer = (attributes[:, self.layout.numbers - 1].clamp(-1, 1) + 1) / 2
        length = self.layout.shortest + longer * (self.layout.steps - self.layout.shortest)
        return flags(length, self.layout.steps)


class FlatCritic(nn.Module):
    """Rows, and what each step adds to the one before, to logits by linear layers.

    Args:
        layout: of a series.
        widths: of the hidden layers.
        classes: number of classes; 0 for none.
        bias: whether the last layer has one.
    """

    def __init__(
        self, layout: SeriesRow, widths: Sequence[int], *, classes: int = 0, bias: bool = False
    ) -> None:
        super().__init__()
        self.layout = layout
        inputs = layout.width + (layout.steps - 1) * layout.channels
        self.body = hidden_layers(inputs, widths, norm=False)
        self.last = ProjectionHead(widths[-1], classes, bias=bias)

    def forward(
        self, rows: Float[Tensor, "n width"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per series."""
        values = steps_of(rows, self.layout)[:, :, : self.layout.channels]
        return self.last(self.body(torch.cat([rows, values.diff(dim=1).flatten(1)], 1)), condition)


class TemporalCritic(nn.Module):
    """Series to logits by convolutions over time, each reaching twice as far as the one before.

    Args:
        layout: of a series.
        widths: channels of the blocks.
        classes: number of classes; 0 for none.
        bias: whether the last layer has one.
    """

    place: Tensor

    def __init__(
        self, layout: SeriesRow, widths: Sequence[int], *, classes: int = 0, bias: bool = False
    ) -> None:
        super().__init__()
        self.layout = layout
        self.register_buffer("place", torch.linspace(-1, 1, layout.steps)[None, None], persistent=False)
        sizes = [widths[0], *widths]
        self.first = nn.Conv1d(layout.features + 1, widths[0], 3, padding=1)
        self.blocks = nn.Sequential(*(Dilated(a, b, 2**i) for i, (a, b) in enumerate(pairwise(sizes))))
        self.body = hidden_layers(widths[-1] + layout.attributes, widths[-1:], norm=False)
        self.last = ProjectionHead(widths[-1], classes, bias=bias)

    def forward(
        self, rows: Float[Tensor, "n width"], condition: Condition | None = None
    ) -> Float[Tensor, "n 1"]:
        """One logit per series."""
        steps = steps_of(rows, self.layout).transpose(1, 2)
        place = self.place.expand(len(rows), -1, -1).to(steps.dtype)
        seen = self.blocks(self.first(torch.cat([steps, place], 1))).mean(2)
        attributes = rows[:, : self.layout.attributes].to(seen.dtype)
        return self.last(self.body(torch.cat([seen, attributes], 1)), condition)


class Dilated(nn.Module):
    """Two convolutions over time beside a path that leaves things as they are.

    Args:
        inputs, outputs: channels.
        dilation: steps from one that a convolution sees to the next.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.one = nn.Conv1d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.two = nn.Conv1d(outputs, outputs, 3, padding=dilation, dilation=dilation)
        self.short = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 1, bias=False)

    def forward(self, x: Float[Tensor, "n i steps"]) -> Float[Tensor, "n o steps"]:
        """As many steps."""
        h = self.one(F.leaky_relu(x, 0.2))
        return self.short(x) + self.two(F.leaky_relu(h, 0.2))


class AttributeCritic(nn.Module):
    """Attributes alone to logits by linear layers.

    Args:
        layout: of a series.
        widths: of the hidden layers.
        classes: number of classes; 0 for none.
        bias: whether the last layer has one.
    """

    def __init__(
        self, layout: SeriesRow, widths: Sequence[int], *, classes: int = 0, bias: bool = False
    ) -> None:
        super().__init__()
        self.body = hidden_layers(layout.attributes, widths, norm=False)
        self.last = ProjectionHead(widths[-1], classes, bias=bias)

    def forward(self, x: Float[Tensor, "n a"], condition: Condition | None = None) -> Float[Tensor, "n 1"]:
        """One logit per series."""
        return self.last(self.body(x), condition)
