"""Networks for rows of a table.

References:
    Modeling Tabular Data using Conditional GAN (Xu et al., 2019), https://arxiv.org/abs/1907.00503
    PacGAN: The Power of Two Samples in Generative Adversarial Networks (Lin et al., 2017),
    https://arxiv.org/abs/1712.04086
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import BatchNorm, FullPrecision
from ..rows import RowLayout

Norm = Literal["none", "layer", "batch"]


class Beside(nn.Module):
    """A layer whose result is put beside what it was given.

    Args:
        inputs, width: entries before, and of the result.
        norm: of the result; only "batch" makes a row depend on the others of its batch, while training.
    """

    def __init__(self, inputs: int, width: int, norm: Norm) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, width, bias=norm != "batch")  # which a batch norm takes away again
        norms: dict[Norm, type[nn.Module]] = {"layer": nn.LayerNorm, "batch": BatchNorm}
        self.norm = norms[norm](width) if norm in norms else nn.Identity()

    def forward(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n o"]:
        """x, and what the layer makes of it."""
        return torch.cat([F.relu(self.norm(self.linear(x))), x], 1)


class RowGenerator(nn.Module):
    """Noise and known cells to what each cell might be, as unnormalised numbers.

    Args:
        latent: dimension of the noise.
        layout: of a row.
        width, depth: of the hidden layers.
        norm: of the hidden layers.
    """

    def __init__(
        self, latent: int, layout: RowLayout, width: int, *, depth: int = 2, norm: Norm = "layer"
    ) -> None:
        super().__init__()
        inputs = latent + layout.width + layout.cells
        self.body = nn.Sequential(*(Beside(inputs + i * width, width, norm) for i in range(depth)))
        self.last = FullPrecision(nn.Linear(inputs + depth * width, layout.width))

    def forward(self, z: Float[Tensor, "n latent"], condition: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """Before any tanh or softmax: scalars, then options."""
        return self.last(self.body(torch.cat([z, condition], 1)))


class Sketch:
    """Rows of which ever more is known, in use: what each layer makes of its inputs is brought up to date.

    All layers see the inputs, of which few change from one choice to the next; so a pass costs no more than
    what the hidden layers say to each other.

    Args:
        generator: in evaluation mode.
        z: noise.
        condition: what is known at first.

    Attributes:
        heard: what every layer hears of each entry of a condition.
    """

    def __init__(
        self, generator: RowGenerator, z: Float[Tensor, "n latent"], condition: Float[Tensor, "n k"]
    ) -> None:
        self.body = cast("Sequence[Beside]", generator.body)
        self.last = cast("nn.Linear", generator.last.inner)
        linears = [*(layer.linear for layer in self.body), self.last]
        inputs = z.shape[1] + condition.shape[1]
        weights = torch.cat([linear.weight[:, -inputs:] for linear in linears]).float().t()
        noise, self.heard = weights[: z.shape[1]], weights[z.shape[1] :].contiguous()
        self.sums = torch.cat([bias_of(linear) for linear in linears]).float() + z.float() @ noise
        self.sums += torch.sparse.mm(condition.float().to_sparse(), self.heard)  # most of it is 0
        self.end = weights.shape[1] - len(self.last.weight)
        self.seen = self.sums.new_empty(len(z), self.end)

    def tell(
        self,
        rows: slice,
        chosen: Int[Tensor, "m 1"],
        heard: Float[Tensor, "k w"],
        share: Float[Tensor, "m 1"],
    ) -> None:
        """Tell layers of some rows what each has chosen of k things to hear; nothing where the share is 0."""
        self.sums[rows].addcmul_(heard[chosen[:, 0]], share)

    def hidden(self) -> Float[Tensor, "n h"]:
        """What the last layer sees beside the inputs, of all rows; good until it is asked for again."""
        start, place = 0, self.end
        for layer in self.body:
            stop = start + len(layer.linear.weight)
            before, place = self.seen[:, place:], place - (stop - start)
            own = self.sums[:, start:stop]
            if start:
                own = torch.addmm(own, before, layer.linear.weight[:, : before.shape[1]].float().t())
            torch.clamp_min(layer.norm(own), 0, out=self.seen[:, place : place + stop - start])
            start = stop
        return self.seen

    def said(
        self, rows: slice, hidden: Float[Tensor, "m h"], places: slice = slice(None)
    ) -> Float[Tensor, "m p"]:
        """What the generator says of some rows: all of it, or what stands at some places."""
        weight = self.last.weight[places, : hidden.shape[1]].float()
        return torch.addmm(self.sums[rows, self.end :][:, places], hidden, weight.t())


def bias_of(linear: nn.Linear) -> Float[Tensor, " o"]:
    """A layer's bias; zeros if it has none."""
    return linear.weight.new_zeros(len(linear.weight)) if linear.bias is None else linear.bias


class RowCritic(nn.Module):
    """Rows to logits; several rows are judged together, so that too few different ones give themselves away.

    Beside the rows it sees the numbers themselves: in a mode and a place within it, the relation between two
    columns is a mosaic.

    Args:
        layout: of a row.
        width, depth: of the hidden layers.
        pack: rows that are judged together.
        dropout: share of hidden entries that are left out while training.
        numbers: whether it sees the columns' numbers, too.
    """

    def __init__(
        self,
        layout: RowLayout,
        width: int,
        *,
        depth: int = 2,
        pack: int = 8,
        dropout: float = 0.0,
        numbers: bool = True,
    ) -> None:
        super().__init__()
        self.layout, self.numbers = layout, numbers
        inputs = pack * (layout.width + layout.cells + numbers * layout.scalars)
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(width if i else inputs, width), nn.LeakyReLU(0.2)]
            layers += [nn.Dropout(dropout)] if dropout else []
        self.body = nn.Sequential(*layers)
        self.last = FullPrecision(nn.Linear(width, 1, bias=False))

    def features(
        self, rows: Float[Tensor, "m pack d"], known: Float[Tensor, "m pack c"]
    ) -> Float[Tensor, "m width"]:
        """What the last layer sees of each pack."""
        seen = [rows, known]
        if self.numbers:
            seen.append(self.layout.numbers(rows.flatten(0, 1)).unflatten(0, rows.shape[:2]))
        return self.body(torch.cat(seen, 2).flatten(1))

    def forward(
        self, rows: Float[Tensor, "m pack d"], known: Float[Tensor, "m pack c"]
    ) -> Float[Tensor, "m 1"]:
        """A logit for each pack of rows.

        Args:
            rows: packed.
            known: 1 where a row's cell was known before.
        """
        return self.last(self.features(rows, known))
