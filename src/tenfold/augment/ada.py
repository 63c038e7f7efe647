"""Adaptive augmentation: as much as is needed, and no more.

References:
    Training Generative Adversarial Networks with Limited Data (Karras et al., 2020),
    https://arxiv.org/abs/2006.06676
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import pi
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..adaptive import Adaptive
from ..draw import Draw
from ..penalties import Look
from .warp import Images, warp

Move = Literal["mirror", "quarter_turns", "shift", "scale", "rotation", "stretch"]
Tint = Literal["brightness", "contrast", "inversion", "hue", "saturation"]
CHANGES = (*get_args(Move), *get_args(Tint))
SPREAD = 0.2  # of scale and stretch, in doublings; of brightness
FAR = 0.125  # of a side


class ADA(Adaptive):
    """Random geometry and colour, each change with probability p, which D's success on real samples steers.

    Differentiable, for any number of channels and any size. As long as p stays below about 0.8 the generator
    can tell what is a change and what is not, and makes unchanged samples.

    p rises while D is too sure of real samples, and falls while it is not. As zero is no threshold for every
    objective, the middle between the mean logits of real and of generated samples takes its place.

    Args:
        without: names of changes that are left out, as they would change what a sample means.
        target: of the mean sign of D's logits on real samples, less that middle.
        most: the largest p.
        pace: how often over a run p could go from 0 to 1.
        begin: share of the run before which p stays 0: of a beginner's samples any D is sure.
        every: turns of D from one move of p to the next.
    """

    p: Tensor
    noted: Tensor
    middle: Tensor
    sure: Tensor
    turns: Tensor
    moved: Tensor

    def __init__(
        self,
        without: Collection[str] = (),
        *,
        target: float = 0.6,
        most: float = 0.8,
        pace: float = 4.0,
        begin: float = 0.05,
        every: int = 4,
    ) -> None:
        super().__init__()
        self.moves = frozenset(get_args(Move)) - frozenset(without)
        self.tints = frozenset(get_args(Tint)) - frozenset(without)
        self.target, self.most, self.pace, self.begin, self.every = target, most, pace, begin, every
        self.register_buffer("noted", torch.zeros(4))  # sums of signs, of real and generated logits, number
        for name in ("p", "middle", "sure", "turns", "moved"):  # sure: sum of mean signs, over so many turns
            self.register_buffer(name, torch.zeros(()))

    def forward(self, x: Images, draw: Draw) -> Images:
        """Each picture, changed in its own way; no gradient goes to p."""
        if x.device.type == "cpu" and not self.p:
            return x
        with torch.autocast(x.device.type, enabled=False):
            chances = Chances(self.p, self.moves | self.tints, draw)
            if self.moves:
                x = warp(x, placement(chances, *x.shape[2:]))
            return self.tinted(x.float(), chances) if self.tints else x

    def tinted(self, x: Images, chances: Chances) -> Images:
        """Pictures in other colours; of two or four channels the last, which is opacity, stays."""
        channels = x.shape[1] - (x.shape[1] in (2, 4))
        matrix, offset = colouring(chances, channels)
        colours = torch.baddbmm(offset[:, :, None], matrix, x[:, :channels].flatten(2))
        colours = colours.unflatten(2, x.shape[2:])
        return colours if channels == x.shape[1] else torch.cat([colours, x[:, channels:]], 1)

    def strongest(self) -> ADA:
        """Another one, at the largest p."""
        other = ADA(frozenset(CHANGES) - self.moves - self.tints, most=self.most)
        other.p.fill_(self.most)
        return other

    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """Note how sure D is of real samples; says what p is."""
        real, fake = seen.real_logits.detach(), seen.fake_logits.detach()
        signs = (real - self.middle).sign()
        self.noted += torch.stack([signs.sum(), real.sum(), fake.sum(), real.new_tensor(float(real.numel()))])
        return {"augment_p": self.p.clone(), "augment_room": self.most - self.p}

    def settle(self, progress: float) -> None:
        """Every few turns of D, move p by what has passed of the run since the last move."""
        looked = (self.noted[3] > 0).float()
        signs, real, fake = self.noted[:3] / self.noted[3].clamp_min(1)
        self.sure += signs
        self.turns += looked
        first = (self.turns == looked) & (self.moved == 0) & (self.middle == 0)
        self.middle.lerp_((real + fake) / 2, looked * torch.where(first, 1.0, 0.1))
        due = self.turns >= self.every
        passed = (progress - self.moved.clamp_min(self.begin)).clamp_min(0)  # less than 0 in an extended run
        step = (self.sure / self.turns.clamp_min(1) - self.target).sign() * passed * self.pace
        self.p.copy_(torch.where(due, (self.p + step).clamp(0, self.most), self.p))
        self.moved.copy_(torch.where(due, torch.full_like(self.moved, progress), self.moved))
        for part in (self.sure, self.turns):
            part.mul_(~due)
        self.noted.zero_()


class Chances:
    """Whether, and by how much, each sample is changed in each way.

    Args:
        p: probability of each change.
        kept: names of those that happen at all.
        draw: the randomness, a row per sample.
    """

    def __init__(self, p: Tensor, kept: Collection[str], draw: Draw) -> None:
        self.p, self.kept, self.draw = p, kept, draw

    def of(self, name: str, p: Tensor | None = None) -> Bool[Tensor, " n"]:
        """Which samples are changed in one way."""
        chosen = self.draw.uniform() < (self.p if p is None else p)
        return chosen if name in self.kept else torch.zeros_like(chosen)

    def normal(self, name: str, spread: float) -> Float[Tensor, " n"]:
        """Normal numbers for the samples that are changed, 0 for the others."""
        return self.draw.normal() * spread * self.of(name)

    def power(self, name: str, spread: float) -> Float[Tensor, " n"]:
        """Factors, log-normal in doublings; 1 for samples that are not changed."""
        return torch.exp2(self.normal(name, spread))

    def angle(self, name: str, p: Tensor | None = None) -> Float[Tensor, " n"]:
        """Angles from all of the circle; 0 for samples that are not changed."""
        return (2 * self.draw.uniform() - 1) * pi * self.of(name, p)


def placement(chances: Chances, height: int, width: int) -> Float[Tensor, "n 2 3"]:
    """From places in the result to places in the picture, both from -1 to 1 across it."""
    longest = max(height, width)
    sides = (width / longest, height / longest)
    draw, ones = chances.draw, torch.ones(len(chances.draw), device=chances.draw.device)
    mirror = 1 - 2 * (draw.integers(2) * chances.of("mirror"))
    turns = draw.integers(4) * chances.of("quarter_turns")
    if height != width:
        turns = turns // 2 * 2  # a quarter turn would leave the frame
    # Turned by free angles before and after the stretch, of which together p of all samples get one.
    once = 1 - (1 - chances.p).sqrt()
    stretch = chances.power("stretch", SPREAD)
    moves = [
        scaling(mirror.float(), ones),
        rotation(turns * (pi / 2)),
        shift(*whole_pixels(chances, (width, height))),
        scaling(*[chances.power("scale", SPREAD)] * 2),
        rotation(chances.angle("rotation", once)),
        scaling(stretch, 1 / stretch),
        rotation(chances.angle("rotation", once)),
        shift(*fine_shifts(chances, sides)),
    ]
    whole = moves[0]
    for move in moves[1:]:
        whole = whole @ move
    frame = torch.tensor([*sides, 1.0], device=whole.device)
    return (whole * frame / frame[:, None])[:, :2]


def whole_pixels(chances: Chances, sides: tuple[int, int]) -> list[Float[Tensor, " n"]]:
    """Shifts by up to an eighth of each side either way, in halves of the longest side."""
    chosen = chances.of("shift")
    far = [((2 * chances.draw.uniform() - 1) * FAR * side).round() for side in sides]
    return [pixels * (2 / max(sides)) * chosen for pixels in far]


def fine_shifts(chances: Chances, sides: tuple[float, float]) -> list[Float[Tensor, " n"]]:
    """Shifts that need no whole pixels, in halves of the longest side, of which each side is a share."""
    chosen = chances.of("shift")
    return [chances.draw.normal() * FAR * 2 * share * chosen for share in sides]


def _matrix(rows: list[list[Tensor]]) -> Float[Tensor, "n 3 3"]:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def scaling(x: Tensor, y: Tensor) -> Float[Tensor, "n 3 3"]:
    """Places moved apart by these factors."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _matrix([[x, zero, zero], [zero, y, zero], [zero, zero, one]])


def rotation(angle: Tensor) -> Float[Tensor, "n 3 3"]:
    """Places turned about the middle."""
    cos, sin, one, zero = angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)
    return _matrix([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])


def shift(x: Tensor, y: Tensor) -> Float[Tensor, "n 3 3"]:
    """Places moved."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _matrix([[one, zero, x], [zero, one, y], [zero, zero, one]])


def colouring(chances: Chances, channels: int) -> tuple[Float[Tensor, "n c c"], Float[Tensor, "n c"]]:
    """What a pixel's channels are multiplied with, and what is added.

    Grey is the direction in which all channels rise together: brightness moves along it, inversion mirrors
    it, hue turns about it, saturation stretches what is across it.
    """
    draw = chances.draw
    unit = torch.eye(channels, device=draw.device)
    grey = torch.full((channels, channels), 1 / channels, device=draw.device)  # projects onto it

    def each(numbers: Tensor) -> Tensor:
        return numbers[:, None, None]

    offset = chances.normal("brightness", SPREAD)[:, None, None] * torch.ones(channels, 1, device=draw.device)
    contrast = each(chances.power("contrast", 0.5))
    inversion = unit - each(2.0 * draw.integers(2) * chances.of("inversion")) * grey
    matrix, offset = contrast * inversion, contrast * (inversion @ offset)
    if channels > 2:
        hue = turned(chances.angle("hue"), draw.normal(2, channels))
        matrix, offset = hue @ matrix, hue @ offset
    if channels > 1:
        saturation = grey + (unit - grey) * each(chances.power("saturation", 1.0))
        matrix, offset = saturation @ matrix, saturation @ offset
    return matrix, offset[:, :, 0]


def turned(angle: Float[Tensor, " n"], plane: Float[Tensor, "n 2 c"]) -> Float[Tensor, "n c c"]:
    """Rotations that leave grey alone, in a plane across it; with three channels there is but one such plane.

    Args:
        angle: by how much.
        plane: two random directions, which are made to be at right angles.
    """
    across = plane - plane.mean(-1, keepdim=True)
    a = torch.nn.functional.normalize(across[:, 0], dim=-1)
    b = across[:, 1] - (across[:, 1] * a).sum(-1, keepdim=True) * a
    b = torch.nn.functional.normalize(b, dim=-1)
    a, b = a[:, :, None], b[:, :, None]
    within, turn = a @ a.mT + b @ b.mT, b @ a.mT - a @ b.mT
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return torch.eye(plane.shape[-1], device=plane.device) + (cos - 1) * within + sin * turn
