"""Penalties: extra losses of the discriminator, read off one look at a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

from .adaptive import Adaptive
from .draw import Draw

Side = Literal["real", "fake"]

SURE = 4.0  # one over how far D's loss is below that of a guess, as a share, where D tells pairs apart
REACH = 30.0  # largest factor by which a weight that is found lies from where it started


@dataclass(frozen=True)
class Look:
    """One look of the discriminator at a batch; what every penalty may read.

    Attributes:
        critic: maps inputs `(n, ...)` to logits, under the same conditions as this look.
        real, fake: the inputs, `(n, ...)`; they require grad where a penalty of this look says so.
        real_logits, fake_logits: what the critic said of them, `(n, k)`.
        draw: the randomness of this look, a row per sample.
        plain: maps inputs to logits without the critic's augmentation; None if it has none.
    """

    critic: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    draw: Draw
    plain: Callable[[Tensor], Tensor] | None = None

    @cached_property
    def slopes(self) -> dict[Side, Float[Tensor, " n"]]:
        """Squared gradient norms of the logits at the inputs that require grad, in one backward pass."""
        sides: dict[Side, tuple[Tensor, Tensor]] = {
            "real": (self.real, self.real_logits),
            "fake": (self.fake, self.fake_logits),
        }
        wanted: list[Side] = [side for side, (x, _) in sides.items() if x.requires_grad]
        inputs, totals = [sides[s][0] for s in wanted], [sides[s][1].sum() for s in wanted]
        gradients = torch.autograd.grad(totals, inputs, create_graph=True)
        return {s: g.float().flatten(1).square().sum(1) for s, g in zip(wanted, gradients, strict=True)}


class Penalty(Protocol):
    """Maps a look to a penalty per sample, `(n,)`."""

    @property
    def name(self) -> str:
        """Under which it is logged."""
        ...

    @property
    def weight(self) -> float | Tensor:
        """Factor in the loss."""
        ...

    @property
    def every(self) -> int:
        """On every n-th step only, with n times the weight (lazy regularisation)."""
        ...

    @property
    def slopes_of(self) -> tuple[Side, ...]:
        """The inputs at which it reads the look's slopes."""
        ...

    def __call__(self, seen: Look, /) -> Tensor:
        """The penalty per sample."""
        ...


def squared_gradient_norm(logits: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
    """Per sample, the squared Euclidean norm of the gradient of its logits' sum with respect to it.

    Computed in float32 whatever the precision of the networks; can be differentiated again.

    Example:
        >>> x = torch.ones(2, 3, requires_grad=True)
        >>> squared_gradient_norm(x @ torch.tensor([1.0, 2.0, 2.0]), x).tolist()
        [9.0, 9.0]
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.float().flatten(1).square().sum(1)


@dataclass(frozen=True)
class R1:
    """Zero-centred gradient penalty on real data: half the squared gradient norm.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018),
        https://arxiv.org/abs/1801.04406
    """

    weight: float = 1.0
    every: int = 1
    name: str = "r1"
    slopes_of: tuple[Side, ...] = ("real",)

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the real samples."""
        return seen.slopes["real"] / 2


@dataclass(frozen=True)
class R2:
    """Zero-centred gradient penalty on generated data: half the squared gradient norm.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018),
        https://arxiv.org/abs/1801.04406
    """

    weight: float = 1.0
    every: int = 1
    name: str = "r2"
    slopes_of: tuple[Side, ...] = ("fake",)

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the generated samples."""
        return seen.slopes["fake"] / 2


@dataclass(frozen=True)
class Interpolated:
    """One-centred gradient penalty at random points between real and generated samples.

    Each sample has an epsilon and a norm of its own.

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017), https://arxiv.org/abs/1704.00028
    """

    weight: float = 10.0
    every: int = 1
    name: str = "gradient_penalty"
    slopes_of: tuple[Side, ...] = ()

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """The penalty at the points in between."""
        epsilon = seen.draw.uniform(*[1] * (seen.real.ndim - 1))
        x = seen.real.lerp(seen.fake, epsilon).detach().requires_grad_()
        # The root of a zero gradient has no derivative: a plain sqrt would give NaN there.
        norm = squared_gradient_norm(seen.critic(x), x).clamp_min(1e-12).sqrt()
        return (norm - 1).square()


@dataclass(frozen=True)
class Consistency:
    """What D says of a sample must not change with what the augmentation does to it.

    References:
        Consistency Regularization for Generative Adversarial Networks (Zhang et al., 2019),
        https://arxiv.org/abs/1910.12027
        Improved Consistency Regularization for GANs (Zhao et al., 2020), https://arxiv.org/abs/2002.04724
    """

    weight: float = 10.0
    every: int = 1
    name: str = "consistency"
    slopes_of: tuple[Side, ...] = ()

    def __call__(self, seen: Look) -> Float[Tensor, " n"]:
        """Squared difference to what D says of the same samples as they are, real and generated ones."""
        plain = seen.plain or seen.critic
        real, fake = seen.real_logits - plain(seen.real), seen.fake_logits - plain(seen.fake)
        return (real.square() + fake.square()).mean(1)


class LeCam(Adaptive):
    """D's logits of each kind must not leave the mean of the other kind too far behind.

    The means are averages over time, and move when a turn is over.

    References:
        Regularizing Generative Adversarial Networks under Limited Data (Tseng et al., 2021),
        https://arxiv.org/abs/2104.03310
    """

    noted: Tensor
    means: Tensor
    turns: Tensor

    def __init__(self, weight: float = 0.3, decay: float = 0.99, warm_up: int = 100) -> None:
        super().__init__()
        self.weight, self.decay, self.warm_up = weight, decay, warm_up
        self.every, self.name = 1, "lecam"
        self.slopes_of: tuple[Side, ...] = ()
        self.register_buffer("noted", torch.zeros(3))  # sums of real and of generated logits, number of them
        self.register_buffer("means", torch.zeros(2))
        self.register_buffer("turns", torch.zeros(()))

    def forward(self, seen: Look) -> Float[Tensor, " n"]:
        """Squared distance beyond the other kind's mean; nothing until the means are more than noise."""
        real, fake = seen.real_logits, seen.fake_logits
        beyond = relu(real - self.means[1]).square() + relu(self.means[0] - fake).square()
        return beyond.mean(1) * (self.turns >= self.warm_up)

    @torch.no_grad()
    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """Note the sums of logits."""
        real, fake = seen.real_logits, seen.fake_logits
        self.noted += torch.stack([real.sum(), fake.sum(), real.new_tensor(float(real.numel()))])
        return {}

    def settle(self, progress: float) -> None:
        """Move the means towards those that were noted; the first time, onto them."""
        there = (self.noted[2] > 0).float()
        found = self.noted[:2] / self.noted[2].clamp_min(1)
        self.means.lerp_(found, there * torch.where(self.turns > 0, 1 - self.decay, 1.0))
        self.turns += there
        self.noted.zero_()

    def replanned(self, ratio: float) -> None:
        """The means know no shares of a run."""


class Calibrated(Adaptive):
    """R1 and R2 with a weight that is found early in a run, and kept.

    The weight is the square of a length among pictures: how far real ones lie from generated ones. It depends
    on the set, and published values span three orders of magnitude. What it does shows in the weighted
    penalty itself. Under the relativistic loss a D whose scale can gain no more, and which tells pairs apart
    by a margin of m, pays m sigmoid(-m) / 2, whatever the pictures: at most .14. A D of large margins that
    pays much less is not held back, so the weight rises; one that pays more is, and it falls. One that tells
    nothing apart pays nothing either, as its loss shows: then the weight stays. One of small margins pays
    little as well, and its weight rises all the same (decision 011 shows what came of it).

    Args:
        weight: the guess that it starts from.
        goal: the weighted penalty that is aimed at: below that, as D is to learn yet.
        begin, until: shares of the run between which the weight moves.
        reach: largest factor by which it moves away from the guess; 1 keeps it there.
        every: as for other penalties.
    """

    noted: Tensor
    level: Tensor
    guessing: Tensor
    moved: Tensor
    log_weight: Tensor

    def __init__(
        self,
        weight: float,
        *,
        goal: float = 0.05,
        begin: float = 0.02,
        until: float = 0.2,
        reach: float = REACH,
        every: int = 1,
    ) -> None:
        super().__init__()
        self.guess, self.goal, self.begin, self.until, self.reach = weight, goal, begin, until, reach
        self.every, self.name = every, "r1_r2"
        self.slopes_of: tuple[Side, ...] = ("real", "fake")
        self.register_buffer("noted", torch.zeros(4))  # sums of penalties without weight, and of D's losses
        self.register_buffer("level", torch.ones(()))  # of the weighted penalty, as a share of the goal
        self.register_buffer("guessing", torch.ones(()))  # of D's loss, as a share of that of a guess
        self.register_buffer("moved", torch.zeros(()))
        self.register_buffer("log_weight", torch.tensor(weight).log())

    @property
    def weight(self) -> Tensor:
        """As it is now."""
        return self.log_weight.exp()

    def forward(self, seen: Look) -> Float[Tensor, " n"]:
        """Half the squared gradient norms, at real and at generated samples."""
        found = (seen.slopes["real"] + seen.slopes["fake"]) / 2
        self.noted[:2] += torch.stack([found.detach().sum(), found.new_tensor(float(found.numel()))])
        return found

    @torch.no_grad()
    def watch(self, seen: Look) -> Mapping[str, Tensor]:
        """Note D's loss; says what the weight is."""
        losses = softplus(seen.fake_logits - seen.real_logits)
        self.noted[2:] += torch.stack([losses.sum(), losses.new_tensor(float(losses.numel()))])
        return {"gamma": self.weight}

    def settle(self, progress: float) -> None:
        """Move the weight by how far off the penalty is, and by what has passed of the run."""
        looked, judged = self.noted[1::2] > 0
        paid, lost = self.noted[::2] / self.noted[1::2].clamp_min(1)
        self.level.lerp_(self.weight * paid / self.goal, 0.3 * looked)
        self.guessing.lerp_(lost / math.log(2), 0.1 * judged)
        tells = (SURE * (1 - self.guessing)).clamp(0, 1)
        speed = 4 * math.log(self.reach) / (self.until - self.begin)
        passed = (min(progress, self.until) - self.moved.clamp_min(self.begin)).clamp_min(0)
        step = looked * tells * (speed * passed * (1 - self.level)).clamp(-0.2, 0.2)
        middle, far = math.log(self.guess), math.log(self.reach)
        self.log_weight.copy_((self.log_weight + step).clamp(middle - far, middle + far))
        self.moved.copy_(torch.where(looked, self.moved.clamp_min(progress), self.moved))
        self.noted.zero_()

    def replanned(self, ratio: float) -> None:
        """The last move was at another share of the run."""
        self.moved.mul_(ratio)
