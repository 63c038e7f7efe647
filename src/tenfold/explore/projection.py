"""Finding a picture in a sampler's space.

References:
    Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2019), appendix D,
    https://arxiv.org/abs/1912.04958
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .space import Labels, Space

STARTS = 256  # samples of which the one nearest to the picture is started from
MOST_CLASSES = 16  # each of which gets as many samples; of more, every one gets fewer
RATE, RAMP_UP, RAMP_DOWN = 0.1, 0.05, 0.25


@dataclass(frozen=True)
class Found:
    """Where a picture was found.

    Attributes:
        point: in the space.
        rest: the held part of the latent.
        picture: what the sampler paints there.
        distance: of features, root mean square.
        label: number of the class it was found in; None if the sampler knows none.
    """

    point: Tensor
    rest: Tensor
    picture: Tensor
    distance: float
    label: int | None


def project(
    space: Space,
    picture: Float[Tensor, "1 c h w"],
    describe: Callable[[Tensor], Tensor],
    *,
    steps: int = 300,
    labels: Sequence[int] = (),
    seed: int = 0,
) -> Found:
    """The point whose picture is most like a given one, by gradient descent from the likest of some samples.

    Args:
        space: where to look.
        picture: in [-1, 1], of the sampler's size.
        describe: maps pictures to rows that gradients flow through; two pictures are as alike as these are.
        steps: of Adam.
        labels: classes to look in; none if the sampler knows none.
        seed: of the samples.
    """
    goal = describe(picture).detach()
    point, rest, label = nearest_start(space, goal, describe, labels, seed)
    point, rest = point.clone().requires_grad_(), rest.clone()
    optimizer = torch.optim.Adam([point], RATE, (0.9, 0.99))
    best = float("inf"), point.detach().clone()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * ramp(step / steps)
        painted = space.paint(point, rest, label)
        distance = (describe(painted) - goal).square().mean()
        loss = distance + (painted - picture).square().mean()
        if loss.item() < best[0]:
            best = loss.item(), point.detach().clone()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        made = space.paint(best[1], rest, label)
        distance = (describe(made) - goal).square().mean().sqrt().item()
    return Found(best[1], rest, made, distance, None if label is None else int(label))


@torch.no_grad()
def nearest_start(
    space: Space, goal: Tensor, describe: Callable[[Tensor], Tensor], labels: Sequence[int], seed: int
) -> tuple[Tensor, Tensor, Labels]:
    """Point, rest and label of the sample that is most like the picture, of all classes in turn."""
    n = STARTS * max(1, min(len(labels), MOST_CLASSES))
    start, rest = space.latents(n, seed)
    asked = torch.tensor(labels)[torch.arange(n) % len(labels)] if labels else None
    points = space.points(start, asked)
    parts = [slice(i, i + STARTS) for i in range(0, n, STARTS)]
    painted = (space.paint(points[p], rest[p], None if asked is None else asked[p]) for p in parts)
    distance = torch.cat([(describe(part) - goal).square().mean(1) for part in painted])
    i = int(distance.argmin())
    return points[i : i + 1], rest[i : i + 1], None if asked is None else asked[i : i + 1]


def ramp(progress: float) -> float:
    """The rate rises for a twentieth of the way, and falls over the last quarter."""
    return min(1.0, progress / RAMP_UP + 1e-3, (1 - progress) / RAMP_DOWN)
