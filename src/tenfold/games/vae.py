"""The game of one player: an encoder and a decoder that learn together.

References:
    Auto-Encoding Variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114
"""

from __future__ import annotations

from math import log, pi

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from ..draw import Draw
from ..game import Batch, Game, Terms, Turn
from .gan import Augment, NoiseSampler

FLOOR = -6.0  # of the learned log scale; below it the likelihood of constant numbers would have no bound


class LearnedScale(nn.Module):
    """Logarithm of a standard deviation that is learned; it stays above a floor, smoothly."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.zeros(()))

    def forward(self) -> Float[Tensor, ""]:
        """The logarithm."""
        return FLOOR + softplus(self.free - FLOOR)


class FixedScale(nn.Module):
    """Logarithm of a standard deviation that stays as it is."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(log(scale)))

    def forward(self) -> Float[Tensor, ""]:
        """The logarithm."""
        return self.get_buffer("value")


class VAE(Game[NoiseSampler]):
    """Encoder q(z | x) and decoder p(x | z), who raise the lower bound on the likelihood of the data.

    p(x | z) is a Gaussian around what the decoder gives, its scale shared by all numbers of all samples. A
    made sample is the mean of p(x | z) for z from N(0, I): without the Gaussian's noise, hence smoother than
    the real ones.

    Both terms are in nats per number of a sample: of sums over the sample, as in the paper, divided by how
    many numbers it has. Their balance is the paper's, and a learning rate means the same for every size.

    Args:
        sampler: the decoder, with the noise it starts from.
        encoder: maps samples `(n, ...)`, and a condition where there is one, to mean and log variance of z.
        scale: of the Gaussian; None learns it, from 1 on.
        beta: weight of the KL divergence; 1 gives the bound.
        augment: what the encoder sees of a real sample. The decoder is held to the sample itself, so that
            nothing of it leaks into what is made.

    References:
        Auto-Encoding Variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114
        Simple and Effective VAE Training with Calibrated Decoders (Rybkin et al., 2020),
        https://arxiv.org/abs/2006.13202, for the learned scale
        beta-VAE (Higgins et al., 2017), https://openreview.net/forum?id=Sy2fzU9gl
        Denoising Criterion for Variational Auto-Encoding Framework (Im et al., 2015),
        https://arxiv.org/abs/1511.06406, for an encoder that sees something else
    """

    def __init__(
        self,
        sampler: NoiseSampler,
        encoder: nn.Module,
        *,
        scale: float | None = None,
        beta: float = 1.0,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.encoder, self.beta, self.augment = sampler, encoder, beta, augment
        self.scale = LearnedScale() if scale is None else FixedScale(scale)

    def players(self) -> dict[str, nn.Module]:
        """Encoder, decoder and the scale, in one."""
        return {"VAE": nn.ModuleList([self.sampler, self.encoder, self.scale])}

    def turns(self, step: int) -> list[Turn]:
        """One."""
        return [Turn("VAE", self.explain)]

    def critic(self) -> None:
        """Nobody tells real from generated."""
        return

    def explain(self, batch: Batch, draw: Draw) -> Terms:
        """Minus the lower bound, with the reparametrised z (equation 10 of the paper)."""
        real, condition = batch["real"], batch.get("condition")
        shown = real if self.augment is None else self.augment(real, draw)
        mean, log_variance = self.encoder(shown) if condition is None else self.encoder(shown, condition)
        z = mean + (log_variance / 2).exp() * draw.normal(mean.shape[1])
        likelihood = log_likelihood(real, self.sampler(z, condition), self.scale())
        divergence = kl(mean, log_variance)
        numbers = real[0].numel()
        return Terms(
            {
                "reconstruction": -likelihood.mean() / numbers,
                "kl": self.beta * divergence.mean() / numbers,
            }
        )


def log_likelihood(
    x: Float[Tensor, "n ..."], mean: Float[Tensor, "n ..."], log_scale: Float[Tensor, ""]
) -> Float[Tensor, " n"]:
    """Log density of samples under Gaussians of one scale, summed over the numbers of a sample.

    Example:
        >>> found = log_likelihood(torch.zeros(1, 2), torch.ones(1, 2), torch.tensor(0.0))
        >>> round(found.item() + 1 + log(2 * pi), 5)
        0.0
    """
    squares = ((x.float() - mean.float()) * (-log_scale).exp()).square()
    return -(squares / 2 + log_scale + log(2 * pi) / 2).flatten(1).sum(1)


def kl(mean: Float[Tensor, "n latent"], log_variance: Float[Tensor, "n latent"]) -> Float[Tensor, " n"]:
    """Divergence of diagonal Gaussians from N(0, I), summed over z (appendix B of the paper).

    Example:
        >>> kl(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)).item()
        0.5
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
