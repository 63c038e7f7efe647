"""How near made pictures are to those that they should be."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Pictures = Float[Tensor, "n c h w"]
WINDOW, SIGMA = 11, 1.5  # pixels
K1, K2 = 0.01, 0.03


def l1(made: Pictures, real: Pictures) -> Float[Tensor, " n"]:
    """Mean absolute difference of values from 0 to 1, of each picture.

    Args:
        made, real: in [-1, 1].
    """
    return (made - real).abs().flatten(1).mean(1) / 2


def psnr(made: Pictures, real: Pictures) -> Float[Tensor, " n"]:
    """Peak signal-to-noise ratio of each picture, in decibels; at most 100, where both are the same.

    Args:
        made, real: in [-1, 1].
    """
    error = ((made - real) / 2).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-10).log10()


def ssim(made: Pictures, real: Pictures) -> Float[Tensor, " n"]:
    """Structural similarity of each picture, with a Gaussian window; smaller pictures have a smaller one.

    Args:
        made, real: in [-1, 1].

    References:
        Image quality assessment: from error visibility to structural similarity (Wang et al., 2004),
        https://doi.org/10.1109/TIP.2003.819861
    """
    window = min(WINDOW, *(side - 1 + side % 2 for side in made.shape[2:]))
    place = torch.arange(window, device=made.device) - window // 2
    line = torch.exp(-(place / SIGMA).square() / 2)
    line = line / line.sum()
    kernel = line.outer(line).expand(made.shape[1], 1, window, window)
    a, b = (made + 1) / 2, (real + 1) / 2

    def around(x: Tensor) -> Tensor:
        return F.conv2d(x, kernel, groups=x.shape[1])

    mean_a, mean_b = around(a), around(b)
    var_a, var_b = around(a * a) - mean_a**2, around(b * b) - mean_b**2
    shared = around(a * b) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + K1**2) * (2 * shared + K2**2)
    return (alike / ((mean_a**2 + mean_b**2 + K1**2) * (var_a + var_b + K2**2))).flatten(1).mean(1)


def inconsistency(made: Pictures, given: Pictures) -> Float[Tensor, " n"]:
    """Of enlarged pictures: mean absolute difference, from 0 to 1, of what they are when made small again.

    Args:
        made: larger by a whole number.
        given: what was enlarged.
    """
    small = F.interpolate(made.float(), given.shape[2:], mode="bicubic", antialias=True)
    return l1(small.clamp(-1, 1), given)
