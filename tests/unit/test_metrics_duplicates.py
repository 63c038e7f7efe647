from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch.nn.functional import interpolate

from tenfold.errors import DataError
from tenfold.metrics import duplicates
from tenfold.metrics.duplicates import near_duplicates, perceptual_hash


def pictures(n: int, seed: int, side: int = 48, channels: int = 3) -> torch.Tensor:
    """Smooth random images: of noise on a coarse grid."""
    noise = torch.rand(n, channels, 9, 9, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return interpolate(noise, (side, side), mode="bicubic").clamp(-1, 1)


def test_equals_scipys_transform():
    x = pictures(5, seed=1, side=32, channels=1)
    low = dctn(x[:, 0].double().numpy(), axes=(1, 2), norm="ortho")[:, :8, :8].reshape(5, 64)
    # The lower of the two middle ones, as torch has it.
    expected = low > np.sort(low, 1)[:, 31:32]
    assert np.array_equal(perceptual_hash(x).numpy(), expected)


def test_survives_what_the_eye_does_not_see(monkeypatch: pytest.MonkeyPatch):
    x = pictures(40, seed=1)
    monkeypatch.setattr(duplicates, "_CHUNK", 16)
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    smaller = interpolate(x, (24, 24), mode="bilinear", antialias=True)
    for changed in (x + noise, 0.8 * x + 0.1, smaller):
        found = near_duplicates(perceptual_hash(x), perceptual_hash(changed))
        assert found.share > 0.9 and torch.equal(found.pairs[:, 0], found.pairs[:, 1])
    large = pictures(40, seed=1, side=160)
    grain = 0.5 * torch.randn(large.shape, generator=torch.Generator().manual_seed(2))
    found = near_duplicates(perceptual_hash(large), perceptual_hash(large + grain))
    assert found.share > 0.8
    others = near_duplicates(perceptual_hash(x), perceptual_hash(pictures(40, seed=3)))
    assert others.share == 0 and others.pairs.shape == (0, 2)


def test_pairs_by_hand():
    train = torch.zeros(3, 64, dtype=torch.bool)
    train[1, :20], train[2, 30:] = True, True
    fake = train[[2, 1, 0, 1]].clone()
    fake[0, :3] = True
    fake[2, 20:29] = True
    found = near_duplicates(train, fake, most_bits=3)
    assert found.pairs.tolist() == [[1, 1], [3, 1], [0, 2]] and found.bits.tolist() == [0, 0, 3]
    assert found.share == 0.75
    assert near_duplicates(train, fake, most_bits=2).share == 0.5


@pytest.mark.parametrize("shape", [(1, 8, 8), (4, 5, 40), (1, 1, 1)])
def test_any_shape_and_batch(shape: tuple[int, int, int]):
    x = torch.rand(9, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole = perceptual_hash(x)
    assert whole.shape == (9, 64) and whole.dtype == torch.bool
    assert torch.equal(whole[3:4], perceptual_hash(x[3:4]))


def test_empty_images_have_one_hash():
    grey = perceptual_hash(torch.tensor([-0.3, 0.1, 0.7])[:, None, None, None].expand(3, 3, 28, 28))
    assert grey[:, 1:].sum() == 0


def test_refuses_what_is_no_image():
    with pytest.raises(DataError, match=r"\(7,\)"):
        perceptual_hash(torch.zeros(3, 7))
    with pytest.raises(DataError, match="expected at least one"):
        near_duplicates(torch.zeros(0, 64).bool(), torch.zeros(3, 64).bool())
