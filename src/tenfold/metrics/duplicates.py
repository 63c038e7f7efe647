"""Images that are the same to the eye, by a hash of their coarse structure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import DataError

_SIDE = 32
_LOW = 8
_CHUNK = 1024


def perceptual_hash(images: Float[Tensor, "n c h w"]) -> Bool[Tensor, "n 64"]:
    """64 bits per image that change little when it is resized, compressed or brightened.

    The grey image is averaged to 32x32, its cosine transform is taken, and each of the 8x8 lowest
    frequencies says whether it is above their median. Flips, turns and crops have other hashes. So small a
    hash is blind to detail: pictures of a few pixels, or with one object on an empty ground, often agree
    though nobody copied. A number of duplicates means something only beside that of held-out images.

    Args:
        images: in [-1, 1], of any number of channels.

    Raises:
        DataError: if they are no images.

    References:
        Implementation and benchmarking of perceptual image hash functions. Zauner, 2010.
        https://www.phash.org/docs/pubs/thesis_zauner.pdf
    """
    if images.ndim != 4:
        raise DataError(
            f"Found samples of shape {tuple(images.shape[1:])}, expected images (channels, height, width). "
            "Hash images only."
        )
    return torch.cat([_hash(some) for some in images.detach().split(_CHUNK)])


def _hash(images: Float[Tensor, "n c h w"]) -> Bool[Tensor, "n 64"]:
    grey = images.double().mean(1, keepdim=True)
    grey = interpolate(grey, (_SIDE, _SIDE), mode="bilinear", antialias=True).squeeze(1)
    cosines = _cosines().to(grey)
    low = (cosines @ grey @ cosines.T).flatten(1)
    # Frequencies that are zero by symmetry, all of them in an empty image, must not become bits of rounding.
    return low > low.median(1, keepdim=True).values + 1e-9


def _cosines() -> Float[Tensor, "low side"]:
    """The first rows of the orthonormal cosine transform."""
    frequency, place = torch.arange(_LOW).double(), torch.arange(_SIDE).double()
    rows = torch.cos(math.pi / _SIDE * frequency[:, None] * (place + 0.5)) * (2 / _SIDE) ** 0.5
    rows[0] /= 2**0.5
    return rows


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Generated images whose hash is that of a training image, or nearly.

    Attributes:
        share: of the generated images.
        pairs: the number of each, and of the training image nearest to it by its hash; the nearest first.
        bits: in which the two hashes differ.
    """

    share: float
    pairs: Int[Tensor, "k 2"]
    bits: Int[Tensor, " k"]


def near_duplicates(
    train_hash: Bool[Tensor, "n 64"], fake_hash: Bool[Tensor, "m 64"], most_bits: int = 4
) -> Duplicates:
    """The generated images within so many bits of some training image.

    Show the share beside that of held-out images: similar ones agree by nature.

    Args:
        train_hash: what `perceptual_hash` gave for the training images.
        fake_hash: and for the generated ones.
        most_bits: in which two hashes of one picture may differ.

    Raises:
        DataError: if there are no images, or the hashes differ in length.
    """
    if min(len(train_hash), len(fake_hash)) == 0 or train_hash.shape[1:] != fake_hash.shape[1:]:
        raise DataError(
            f"Found hashes of shapes {tuple(train_hash.shape)} (training) and {tuple(fake_hash.shape)} "
            "(generated), expected at least one of each and equally long. Hash both with perceptual_hash."
        )
    train, found = _signs(train_hash), []
    for some in _signs(fake_hash).split(_CHUNK):
        found.append((some @ train.T).max(1))
    agree, index = torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])
    # Of signs that agree in all but b bits the product is the length less 2 b.
    bits = ((train_hash.shape[1] - agree) / 2).long()
    near = (bits <= most_bits).nonzero().squeeze(1)
    near = near[bits[near].argsort(stable=True)]
    return Duplicates(len(near) / len(fake_hash), torch.stack([near, index[near]], 1), bits[near])


def _signs(bits: Bool[Tensor, "n b"]) -> Float[Tensor, "n b"]:
    return bits.float().mul(2).sub(1)
