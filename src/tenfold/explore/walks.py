"""Walks through a sampler's space: between samples, to the middle, from class to class, along a direction.

References:
    Sampling Generative Networks (White, 2016), https://arxiv.org/abs/1609.04468
    A Style-Based Generator Architecture for Generative Adversarial Networks (Karras et al., 2018),
    https://arxiv.org/abs/1812.04948
    Closed-Form Factorization of Latent Semantics in GANs (Shen and Zhou, 2020), https://arxiv.org/abs/2007.06600
    GANSpace: Discovering Interpretable GAN Controls (Haerkoenen et al., 2020), https://arxiv.org/abs/2004.02546
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from ..errors import RunError
from ..game import Sampler
from ..games.infogan import InfoSampler
from .space import Points, Space, StyleSpace

FOR_DIRECTIONS, AT_ONCE = 1024, 64  # points whose activations are looked at
FINER = 4  # times as many pictures are looked at to find those between which changes are even
SIDE = 8  # of the areas over which pictures are averaged
Pictures = Float[Tensor, "n c h w"]
By = Literal["weights", "activations"]


def flat(pictures: Pictures) -> Tensor:
    """Every number of a picture in a row."""
    return pictures.flatten(1)


def labels_of(label: int | None, n: int) -> Tensor | None:
    """The same label n times."""
    return None if label is None else torch.full((n,), label)


@torch.no_grad()
def interpolation(
    space: Space,
    stops: int,
    frames: int,
    seed: int,
    label: int | None = None,
    describe: Callable[[Tensor], Tensor] = flat,
) -> Pictures:
    """A round trip through some samples; pixels' noise is held.

    From frame to frame pictures change by as much: where they hardly change, the walk hurries.

    Args:
        space: to walk through.
        stops: samples.
        frames: from one to the next, on average.
        seed: of the samples.
        label: their class.
        describe: maps pictures to rows; pictures change by as much as these are apart.
    """
    start, rest = space.latents(stops, seed)
    points = space.points(start, labels_of(label, stops))

    def painted(places: Tensor) -> Pictures:
        legs = [(min(int(place), stops - 1), place) for place in places.tolist()]
        ends = [(points[i : i + 1], points[[(i + 1) % stops]], place - i) for i, place in legs]
        way = torch.cat([space.between(a, b, share) for a, b, share in ends])
        return space.paint(way, rest[:1].expand(len(way), -1), labels_of(label, len(way)))

    fine = torch.linspace(0, stops, FINER * frames * stops + 1)
    rows = torch.cat([describe(painted(part)) for part in fine.split(AT_ONCE)])
    chosen = even(fine, rows, stops * frames)
    return torch.cat([painted(part) for part in chosen.split(AT_ONCE)])


def even(shares: Tensor, rows: Float[Tensor, "n d"], frames: int) -> Tensor:
    """Places on a way, from its start on, between which pictures change by as much, as finer places show.

    Args:
        shares: the finer places.
        rows: what pictures are there.
        frames: how many places are wanted; the end of the way is none of them.

    Example:
        >>> way = torch.tensor([[0.0], [3.0], [4.0]])
        >>> even(torch.tensor([0.0, 0.5, 1.0]), way, 4).tolist()
        [0.0, 0.1666666716337204, 0.3333333432674408, 0.5]
    """
    gone = torch.cat([torch.zeros(1), rows.diff(dim=0).norm(dim=1).cumsum(0)])
    if not gone[-1] > 0:
        return shares[-1] * torch.arange(frames) / frames
    wanted = gone[-1] * torch.arange(frames) / frames
    place = torch.searchsorted(gone, wanted, right=True).clamp(1, len(gone) - 1)
    part = (wanted - gone[place - 1]) / (gone[place] - gone[place - 1]).clamp_min(1e-12)
    return torch.lerp(shares[place - 1], shares[place], part.clamp(0, 1))


@torch.no_grad()
def truncation(space: Space, psis: Sequence[float], n: int, seed: int, label: int | None = None) -> Pictures:
    """The same n samples at every psi, a row each."""
    start, rest = space.latents(n, seed)
    labels = labels_of(label, n)
    points = space.points(start, labels)
    rows = [space.paint(space.truncated(points, psi, labels), rest, labels) for psi in psis]
    return torch.cat(rows)


@torch.no_grad()
def mixing(space: Space, n: int, first: int | None, seed: int, label: int | None = None) -> Pictures:
    """Samples down the side and along the top; where they meet, coarse layers of one, fine ones of the other.

    Raises:
        RunError: the sampler has no styles, or no such layer.
    """
    space = refuse_no_styles(space)
    layers = space.painter.synthesis.layers
    first = layers // 2 if first is None else first
    if not 0 < first < layers:
        raise RunError(f"--layer is {first}; 1 to {layers - 1} were expected: there are {layers} layers.")
    start, rest = space.latents(2 * n, seed)
    points = space.points(start, labels_of(label, 2 * n))
    side, top = points[:n], points[n:]
    noise = rest[:1].expand(n, -1)
    blank = torch.full_like(space.paint(side[:1], noise[:1], None), 1.0)
    rows = [torch.cat([blank, space.paint(top, noise, None)])]
    for i in range(n):
        one = side[i : i + 1]
        met = space.mixed(one.expand(n, -1), top, first, noise)
        rows.append(torch.cat([space.paint(one, noise[:1], None), met]))
    return torch.cat(rows)


def refuse_no_styles(space: Space) -> StyleSpace:
    """The space, if it is one of styles."""
    match space:
        case StyleSpace():
            return space
        case _:
            raise RunError("styles can be mixed of a run of recipe stylegan2 only. Train one, or use a walk.")


@torch.no_grad()
def classes(space: Space, count: int, frames: int, n: int, seed: int) -> Pictures:
    """The same n samples on a way through all classes, a row for each frame."""
    start, rest = space.latents(n, seed)
    rows = []
    for a in range(count):
        for k in range(frames):
            share = k / frames
            ends = torch.tensor([a, (a + 1) % count])
            soft = (torch.tensor([1 - share, share])[:, None] * one_hot(ends, count)).sum(0)
            soft = soft.expand(n, -1)
            rows.append(space.paint(space.points(start, soft), rest, soft))
    return torch.cat(rows)


@torch.no_grad()
def codes(sampler: Sampler, values: int, seed: int) -> tuple[Pictures, int]:
    """InfoGAN's codes: a row of samples for each category, then a row for each continuous code from -1 to 1.

    And how many categories there are.

    Raises:
        RunError: the sampler has no codes.
    """
    match sampler:
        case InfoSampler():
            pass
        case _:
            raise RunError("only a run of recipe infogan has codes. Train one: --recipe infogan")
    noise, categories, continuous = sampler.sizes
    z = torch.randn(values, noise, generator=torch.Generator().manual_seed(seed))
    still = torch.zeros(values, continuous)
    rows = []
    for category in range(categories):
        code = sampler.strength * one_hot(torch.full((values,), category), categories)
        rows.append(sampler(torch.cat([z, code, still], 1)))
    for number in range(continuous):
        swept = still.clone()
        swept[:, number] = torch.linspace(-1, 1, values)
        code = sampler.strength * one_hot(torch.zeros(values).long(), categories)
        rows.append(sampler(torch.cat([z[:1].expand(values, -1), code, swept], 1)))
    return torch.cat(rows), categories


@torch.no_grad()
def directions(
    space: Space, count: int | None, by: By = "weights", seed: int = 0
) -> Float[Tensor, "count d"]:
    """Directions along which pictures change most, the strongest first, of length one.

    Args:
        space: in which they are.
        count: how many; None for all.
        by: weights: those that the first layers read most of (the eigenvectors of their product).
        activations: those along which styles vary most over samples; of noise, which varies alike along all,
            those along which the last activations do, the pictures, averaged over areas.
        seed: of the samples.
    """
    if by == "weights":
        _, _, found = torch.linalg.svd(space.reads(), full_matrices=False)
        return found[:count]
    points, seen = some_seen(space, seed)
    centred = seen - seen.mean(0)
    _, _, components = torch.linalg.svd(centred, full_matrices=False)
    scores = centred @ components[: min(points.shape[1], count or points.shape[1])].T
    solved = torch.linalg.lstsq(scores, points - points.mean(0)).solution
    return nn.functional.normalize(solved, dim=1)


def some_seen(space: Space, seed: int) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"]]:
    """Points of many samples, and what is to vary along directions: styles themselves, or pictures."""
    if not space.given:
        points = some_points(space, seed)
        return points, points
    start, rest = space.latents(FOR_DIRECTIONS, seed)
    rest, labels = rest[:1].expand(len(start), -1), classes_in_turn(space, len(start))
    points = space.points(start, labels)
    parts = (slice(i, i + AT_ONCE) for i in range(0, len(points), AT_ONCE))
    seen = [
        adaptive_avg_pool2d(space.paint(points[p], rest[p], None if labels is None else labels[p]), SIDE)
        for p in parts
    ]
    return points, torch.cat(seen).flatten(1)


def classes_in_turn(space: Space, n: int) -> Tensor | None:
    """A class for each of n samples; None without classes."""
    tables = [m.num_embeddings for m in space.sampler.modules() if isinstance(m, nn.Embedding)]
    return torch.arange(n) % tables[0] if tables else None


def some_points(space: Space, seed: int, label: int | None = None) -> Float[Tensor, "n d"]:
    """Points of many samples: of one class, or of all in turn."""
    start, _ = space.latents(FOR_DIRECTIONS, seed)
    every = classes_in_turn(space, len(start))
    return space.points(start, every if label is None else labels_of(label, len(start)))


@torch.no_grad()
def along(
    space: Space, direction: Points, steps: Sequence[float], n: int, seed: int, label: int | None = None
) -> Pictures:
    """n samples moved along a direction, a row each.

    Args:
        space: in which they are moved.
        direction: `(d,)`.
        steps: how far, in standard deviations of points along it.
        n: samples.
        seed: of them.
        label: of their class.
    """
    start, rest = space.latents(n, seed)
    labels = labels_of(label, n)
    points = space.points(start, labels)
    scale = (some_points(space, seed, label) @ direction).std().clamp_min(1e-3)
    columns = [space.paint(points + step * scale * direction, rest, labels) for step in steps]
    return torch.stack(columns, 1).flatten(0, 1)
