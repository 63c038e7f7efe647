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

STARTS, TRIED = 256, 4  # samples, and how many of them, those nearest to the picture, are started from
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
    """The point whose picture is most like a given one, by gradient descent from the likest of many samples.

    Args:
        space: where to look; noise of its pixels moves, too, and stays as spread as noise is.
        picture: in [-1, 1], of the sampler's size.
        describe: maps pictures to rows that gradients flow through; two pictures are as alike as these are.
        steps: of Adam.
        labels: classes to look in; none if the sampler knows none.
        seed: of the samples.
    """
    goal = describe(picture).detach()
    point, rest, label = nearest_starts(space, goal, describe, labels, seed)
    point, rest = point.clone().requires_grad_(), rest.clone().requires_grad_(space.loose)
    optimizer = torch.optim.Adam([part for part in (point, rest) if part.requires_grad], RATE, (0.9, 0.99))
    least, best = torch.full((len(point),), torch.inf), (point.detach().clone(), rest.detach().clone())
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * ramp(step / steps)
        painted = space.paint(point, rest, label)
        away = (describe(painted) - goal).square().mean(1) + (painted - picture).square().flatten(1).mean(1)
        nearer = away.detach() < least
        least = torch.where(nearer, away.detach(), least)
        best = kept(nearer, point, best[0]), kept(nearer, rest, best[1])
        optimizer.zero_grad()
        away.sum().backward()
        optimizer.step()
        if space.loose:
            spread_out(rest)
    return found_at(space, (best[0], best[1], label), int(least.argmin()), describe, goal)


def kept(nearer: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Rows that are nearer, and the others as they were."""
    return torch.where(nearer[:, None], new.detach(), old)


@torch.no_grad()
def spread_out(noise: Tensor) -> None:
    """Each row of noise with mean 0 and standard deviation 1 again: else it would paint the picture alone."""
    noise.sub_(noise.mean(1, keepdim=True)).div_(noise.std(1, keepdim=True).clamp_min(1e-6))


@torch.no_grad()
def found_at(
    space: Space,
    where: tuple[Tensor, Tensor, Labels],
    i: int,
    describe: Callable[[Tensor], Tensor],
    goal: Tensor,
) -> Found:
    """One row of points, rests and labels, with what is painted there."""
    point, rest, labels = where
    point, rest, label = point[i : i + 1], rest[i : i + 1], None if labels is None else labels[i : i + 1]
    made = space.paint(point, rest, label)
    distance = (describe(made) - goal).square().mean().sqrt().item()
    return Found(point, rest, made, distance, None if label is None else int(label))


@torch.no_grad()
def nearest_starts(
    space: Space, goal: Tensor, describe: Callable[[Tensor], Tensor], labels: Sequence[int], seed: int
) -> tuple[Tensor, Tensor, Labels]:
    """Points, rests and labels of the samples that are most like the picture, of all classes in turn."""
    n = STARTS * max(1, min(len(labels), MOST_CLASSES))
    start, rest = space.latents(n, seed)
    asked = torch.tensor(labels)[torch.arange(n) % len(labels)] if labels else None
    points = space.points(start, asked)
    parts = [slice(i, i + STARTS) for i in range(0, n, STARTS)]
    painted = (space.paint(points[p], rest[p], None if asked is None else asked[p]) for p in parts)
    distance = torch.cat([(describe(part) - goal).square().mean(1) for part in painted])
    chosen = distance.topk(TRIED, largest=False).indices
    return points[chosen], rest[chosen], None if asked is None else asked[chosen]


def ramp(progress: float) -> float:
    """The rate rises for a twentieth of the way, and falls over the last quarter."""
    return min(1.0, progress / RAMP_UP + 1e-3, (1 - progress) / RAMP_DOWN)
