"""Discriminator rejection sampling: of what was made, keep more of what the data have more of.

References:
    Discriminator Rejection Sampling (Azadi et al., 2018), https://arxiv.org/abs/1810.06758
    Metropolis-Hastings Generative Adversarial Networks (Turner et al., 2018),
    https://arxiv.org/abs/1811.11357, for the calibration on held-out samples
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .errors import DataError

FEWEST = 10  # logits of each kind, to calibrate two numbers by
_TINY = 1e-14  # as in the paper: keeps the logarithm finite at the highest ratio


@dataclass(frozen=True)
class Rejection:
    """How probable it is that a sample is kept, by D's logit of it.

    Attributes:
        slope, offset: of the calibrated logit, whose exponential is the ratio of the densities of real and
            of made samples.
        highest: calibrated logit of the best of the made samples it was set by.
        gamma: what is subtracted before the sigmoid; 0 keeps samples in exact proportion to the ratio.
    """

    slope: float
    offset: float
    highest: float
    gamma: float

    def acceptance(self, logits: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Probability to be kept: that of each sample depends on its own logit alone."""
        return torch.sigmoid(self.exponent(logits) - self.gamma)

    def exponent(self, logits: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """F of the paper (equation 8), whose sigmoid is the ratio to the highest one."""
        below = (self.slope * logits.double() + self.offset - self.highest).clamp(max=0)
        return below - torch.log1p(-(below - _TINY).exp())

    def among(self, fake: Float[Tensor, " m"], gamma: float | None) -> Rejection:
        """The same ratio, with highest and gamma set by other made samples: those of one class, for one."""
        fake = checked(fake, "made")
        exact = replace(self, highest=float((self.slope * fake + self.offset).max()), gamma=0.0)
        return exact if gamma is None else replace(exact, gamma=exact.exponent(fake).quantile(gamma).item())


def fit_rejection(
    real_holdout: Float[Tensor, " n"], fake: Float[Tensor, " m"], gamma: float | None = 0.8
) -> Rejection:
    """Calibrate D's logits, and find how many samples to keep.

    Args:
        real_holdout: logits of real samples that D was not trained on; it is too sure of the others.
        fake: logits of fresh made samples, other ones than those to be filtered.
        gamma: share of the made samples that shall be kept with a probability below one half, as in the
            paper; None for gamma = 0, which is exact and may keep next to nothing.

    Raises:
        DataError: if there are too few logits, or one is not finite.
    """
    slope, offset = calibrate(checked(real_holdout, "held-out real"), checked(fake, "made"))
    return Rejection(slope, offset, 0.0, 0.0).among(fake, gamma)


def calibrate(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> tuple[float, float]:
    """Slope and offset of a logistic regression of real or made on the logit; both sides weigh one half.

    So the exponential of the calibrated logit is the ratio of densities, however many there are of each.
    """
    from sklearn.linear_model import LogisticRegression

    both = torch.cat([real, fake])
    middle, size = both.median(), both.std().clamp(min=1e-12)
    # Next to no penalty: it only keeps the slope finite where the two happen to be separable.
    model = LogisticRegression(C=1e3, class_weight="balanced", solver="newton-cholesky")
    model.fit(((both - middle) / size)[:, None].numpy(), np.arange(len(both)) < len(real))
    slope = float(np.ravel(model.coef_)[0] / size)
    return slope, float(np.ravel(model.intercept_)[0]) - slope * float(middle)


def checked(logits: Tensor, whose: str) -> Float[Tensor, " n"]:
    """One logit per sample, in double precision.

    Raises:
        DataError: if there are too few, or one is not finite.
    """
    if logits.ndim != 1 or len(logits) < FEWEST or not bool(logits.isfinite().all()):
        raise DataError(
            f"Found logits of {whose} samples of shape {tuple(logits.shape)}, expected at least {FEWEST} "
            "finite ones in a row. Give more samples, or leave this filter out."
        )
    return logits.detach().double().cpu()
