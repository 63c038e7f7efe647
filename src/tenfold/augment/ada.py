"""Adaptive augmentation: as much as is needed, and no more.

References:
    Training Generative Adversarial Networks with Limited Data (Karras et al., 2020),
    https://arxiv.org/abs/2006.06676
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from math import pi
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from ..adaptive import Adaptive
from ..draw import Draw
from ..penalties import Look
from .warp import Images, warp

Move = Literal["mirror", "quarter_turns", "shift", "scale", "rotation", "stretch"]
Tint = Literal["brightness", "contrast", "inversion", "hue", "saturation"]
CHANGES = (*get_args(Move), *get_args(Tint))
EVENTS = {**{name: name for name in CHANGES}, "second rotation": "rotation", "fine shift": "shift"}
TWICE = ("rotation", "second rotation")  # turned by free angles before and after the stretch: p for both
SPREAD = 0.2  # of scale and stretch, in doublings; of brightness
FAR = 0.125  # of a side


class ADA(Adaptive):
    """Random geometry and colour, each change with probability p, which D's success on real samples steers.

    Differentiable, for any number of channels and any size. A change that happens to a part of the samples
    only can be told from what they are, so that the generator makes unchanged ones, if it has the time to
    learn that: the more so, the smaller p is. The paper finds no trace of changes up to about 0.8.

    p rises while D is too sure of real samples, and falls while it is not. As zero is no threshold for every
    objective, the middle between the mean logits of real and of generated samples takes its place.

    Args:
        without: names of changes that are left out, as they would change what a sample means.
        target: of the mean sign of D's logits on real samples, less that middle.
        most: the largest p; in short runs changes show from less on (see `benchmarks/leak.py`).
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
        self.looked = False  # since the last turn was over
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
        colours = torch.baddbmm(offset[..., None], matrix, x[:, :channels].flatten(2))
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
        self.looked = True
        self.noted += torch.stack([signs.sum(), real.sum(), fake.sum(), real.new_tensor(float(real.numel()))])
        return {"augment_p": self.p.clone(), "augment_room": self.most - self.p}

    def settle(self, progress: float) -> None:
        """Every few turns of D, move p by what has passed of the run since the last move."""
        if not self.looked:
            return
        self.looked = False
        signs, real, fake = self.noted[:3] / self.noted[3].clamp_min(1)
        self.sure += signs
        self.turns += 1
        first = (self.turns == 1) & (self.moved == 0) & (self.middle == 0)
        self.middle.lerp_((real + fake) / 2, torch.where(first, 1.0, 0.1))
        due = self.turns >= self.every
        passed = (progress - self.moved.clamp_min(self.begin)).clamp_min(0)  # less than 0 in an extended run
        step = (self.sure / self.turns - self.target).sign() * passed * self.pace
        self.p.copy_(torch.where(due, (self.p + step).clamp(0, self.most), self.p))
        self.moved.copy_(torch.where(due, torch.full_like(self.moved, progress), self.moved))
        for part in (self.sure, self.turns):
            part.mul_(~due)
        self.noted.zero_()

    def replanned(self, ratio: float) -> None:
        """The last move was at another share of the run."""
        self.moved.mul_(ratio)


class Chances:
    """What happens to each sample, and how much of it: drawn at once, as many small draws would cost time.

    Args:
        p: probability of each change.
        kept: names of those that happen at all.
        draw: the randomness, a row per sample.

    Attributes:
        evenly: of each event two numbers uniform in [-1, 1), `(n, 2)`; 0 for samples that it spares.
        normally: of each event two standard normal numbers, `(n, 2)`; 0 for samples that it spares.
    """

    def __init__(self, p: Tensor, kept: Collection[str], draw: Draw) -> None:
        self.draw = draw
        once, twice = events(frozenset(kept), p.device)
        happens = draw.uniform(len(EVENTS), 1) < p * once + (1 - (1 - p).sqrt()) * twice
        happens = happens.float()
        evenly, normally = 2 * draw.uniform(len(EVENTS), 2) - 1, draw.normal(len(EVENTS), 2)
        self.evenly = dict(zip(EVENTS, (evenly * happens).unbind(1), strict=True))
        self.normally = dict(zip(EVENTS, (normally * happens).unbind(1), strict=True))


@cache
def events(kept: frozenset[str], device: torch.device) -> Float[Tensor, "2 events 1"]:
    """Which events have the probability p, and which have it together with another."""
    rows = [[change in kept and event not in TWICE for event, change in EVENTS.items()]]
    rows += [[change in kept and event in TWICE for event, change in EVENTS.items()]]
    return torch.tensor(rows, device=device).float()[..., None]


def placement(chances: Chances, height: int, width: int) -> Float[Tensor, "n 2 3"]:
    """From places in the result to places in the picture, both from -1 to 1 across it.

    A picture is mirrored, turned by quarters, shifted by whole pixels, scaled, turned, stretched, turned
    again and shifted.
    """
    evenly, normally = chances.evenly, chances.normally
    sides = torch.tensor([width, height], device=chances.draw.device)
    frame = sides / max(width, height)  # places are counted in halves of the longest side meanwhile
    quarters = (2 * evenly["quarter_turns"][:, 0]).floor()
    if height != width:
        quarters = quarters // 2 * 2  # a quarter turn would leave the frame
    quarters = quarters * (pi / 2)
    before, after = evenly["rotation"][:, 0] * pi, evenly["second rotation"][:, 0] * pi
    scale = torch.exp2(normally["scale"][:, :1, None] * SPREAD)
    free = scale * stretching(torch.exp2(normally["stretch"][:, 0] * SPREAD), quarters + before, after)
    pixels = (evenly["shift"] * (FAR * sides)).round() * (2 / max(width, height))
    fine = normally["fine shift"] * (FAR * 2 * frame)
    far = rotation(quarters) @ pixels[..., None] + free @ fine[..., None]
    place = torch.cat([free, far], -1) * (torch.cat([frame, frame.new_ones(1)]) / frame[:, None])
    place[:, 0] *= mirrors(evenly["mirror"][:, :1])
    return place


def mirrors(drawn: Tensor) -> Tensor:
    """-1 for half of the samples that are chosen, 1 for all others."""
    return 1 - 2 * (drawn < 0).float()


def rotation(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 2 2"]:
    """Places turned about the middle."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2))


def stretching(factor: Tensor, before: Tensor, after: Tensor) -> Float[Tensor, "n 2 2"]:
    """Places turned, stretched along x as much as shrunk along y, and turned again.

    A stretch is part of it a scaling, which turns do not change, and part a mirroring, which reverses them.
    """
    scaled, mirrored = (factor + 1 / factor) / 2, (factor - 1 / factor) / 2
    (a, b), (c, d) = (
        (part * angle.cos(), part * angle.sin())
        for part, angle in ((scaled, before + after), (mirrored, before - after))
    )
    return torch.stack([a + c, d - b, b + d, a - c], -1).unflatten(-1, (2, 2))


def colouring(chances: Chances, channels: int) -> tuple[Float[Tensor, "n c c"], Float[Tensor, "n 1"]]:
    """What a pixel's channels are multiplied with, and what is added to each.

    Grey is the direction in which all channels rise together: brightness moves along it, inversion mirrors
    it, hue turns about it, saturation stretches what is across it, and contrast stretches all. But for the
    brightness, which comes first, they may come in any order.
    """
    evenly, normally = chances.evenly, chances.normally
    contrast = torch.exp2(normally["contrast"][:, :1] * 0.5)
    along = contrast * mirrors(evenly["inversion"][:, :1])
    across = contrast * torch.exp2(normally["saturation"][:, :1])
    angle = evenly["hue"][:, :1] * pi
    shares = torch.cat([along, across, across * (angle.cos() - 1), across * angle.sin()], 1)
    matrix = shares @ colour_parts(channels, shares.device)
    return matrix.unflatten(1, (channels, channels)), along * normally["brightness"][:, :1] * SPREAD


@cache
def colour_parts(channels: int, device: torch.device) -> Float[Tensor, "4 entries"]:
    """What keeps grey, what is across it, and of that the plane of hues and its turn by a right angle.

    Hues go round through the channels in their order; fewer than three channels have none.
    """
    grey = torch.full((channels, channels), 1 / channels)
    angle = 2 * pi / channels * torch.arange(channels)
    a, b = (part * (2 / channels) ** 0.5 * (channels > 2) for part in (angle.cos(), angle.sin()))
    plane, turn = a.outer(a) + b.outer(b), b.outer(a) - a.outer(b)
    return torch.stack([grey, torch.eye(channels) - grey, plane, turn]).flatten(1).to(device)
