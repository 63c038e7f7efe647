"""Whether the discriminator knows its training samples by heart, told by samples that were held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..data import Dataset
from ..data.order import Samples
from ..draw import derive
from ..engine.trainer import Trainer
from ..game import Critic
from ..metrics.kernel import Estimate

MOST = 256
PART = 64
TINY = 1e-24  # where D says the same of all samples, there is nothing to divide by


class Opinion:
    """What D says of training samples, of samples it never saw, and of generated ones.

    Args:
        data: the run's.
        classes: number of conditions; 0 for none.
    """

    def __init__(self, data: Dataset, classes: int) -> None:
        self.conditional = classes > 0 or data.spec.kind == "captioned"
        self.train = some(data.train, derive(0, "opinion", "train"))
        held = data.holdout
        self.holdout = None if held is None else some(held, derive(0, "opinion", "holdout"))

    def look(self, trainer: Trainer, fake: Tensor, labels: Tensor | None) -> dict[str, float]:
        """D's mean logits, and the sign of overfitting where there is a hold-out.

        Empty for a game in which nobody tells real from generated. The trainer is left as it was.

        Args:
            trainer: whose game it is.
            fake: samples of the averaged sampler, which are what a person gets.
            labels: the classes that were asked for, or None.
        """
        critic = trainer.game.critic()
        if critic is None:
            return {}
        made = {"real": fake[:MOST]} | ({} if labels is None else {"condition": labels[:MOST]})
        with at_rest(trainer.game):
            train, generated = self.ask(critic, trainer, self.train), self.ask(critic, trainer, made)
            held = None if self.holdout is None else self.ask(critic, trainer, self.holdout)
        said = {"D/train_logit": train.mean().item(), "D/made_logit": generated.mean().item()}
        if held is None:
            return said
        said["D/holdout_logit"] = held.mean().item()
        said["overfit_z"] = overfit_z(train, held, generated)
        found = overfit(train, held, generated)
        return said if found is None else said | {"overfit": found.value, "overfit_error": found.error}

    @torch.inference_mode()
    def ask(self, critic: Critic, trainer: Trainer, samples: Mapping[str, Tensor]) -> Float[Tensor, " n"]:
        """D's logit of each sample."""
        real, condition = samples["real"], samples["condition"] if self.conditional else None
        said = []
        for part in torch.arange(len(real)).split(PART):
            asked = None if condition is None else trainer.place(condition[part])
            said.append(critic(trainer.place(real[part]), asked).flatten(1).mean(1))
        return torch.cat(said).double().cpu()


def overfit(
    train: Float[Tensor, " n"], held: Float[Tensor, " m"], fake: Float[Tensor, " k"]
) -> Estimate | None:
    """Where D's mean on held-out samples lies between that on training samples (0) and on generated ones (1).

    At 0, D takes new real samples for real; at 1 it takes them for generated, and has learned the training
    samples by heart. The error is the standard error of the ratio, by its first derivatives. None while D
    does not put training samples above generated ones, beyond two standard errors: then there is no scale.

    References:
        Training generative adversarial networks with limited data (equation 1, r_v). Karras, Aittala,
        Hellsten, Laine, Lehtinen, Aila, 2020. https://arxiv.org/abs/2006.06676
    """
    scale = (train.mean() - fake.mean()).item()
    train_error, held_error, fake_error = (squared_error(x) for x in (train, held, fake))
    if not scale > 2 * sqrt(train_error + fake_error):
        return None
    ratio = (train.mean() - held.mean()).item() / scale
    error = held_error + (1 - ratio) ** 2 * train_error + ratio**2 * fake_error
    return Estimate(ratio, sqrt(error) / scale)


def overfit_z(train: Float[Tensor, " n"], held: Float[Tensor, " m"], fake: Float[Tensor, " k"]) -> float:
    """By how many standard errors D puts held-out samples nearer to generated ones than to training samples.

    That is, below training samples and below the middle between those and generated ones, whichever is less.
    Unlike the ratio it is defined where D takes copies of training samples for them.
    """
    train_error, held_error, fake_error = (squared_error(x) for x in (train, held, fake))
    below_train = (train.mean() - held.mean()).item()
    below_middle = ((train.mean() + fake.mean()) / 2 - held.mean()).item()
    return min(
        below_train / sqrt(train_error + held_error + TINY),
        below_middle / sqrt((train_error + fake_error) / 4 + held_error + TINY),
    )


def squared_error(x: Float[Tensor, " n"]) -> float:
    """The squared standard error of a mean."""
    return x.var().item() / len(x)


def some(data: Samples, seed: int) -> Mapping[str, Tensor]:
    """At most 256 samples, always the same."""
    return data.gather(np.sort(np.random.default_rng(seed).permutation(len(data))[:MOST]))


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, in which no running statistic changes; afterwards every part as it was."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
