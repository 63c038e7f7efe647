"""The peers of throughput.py: the scripts everybody starts with, and the trainer's steps by hand.

The plain scripts are eager float32 with default memory format and default Adam, as in PyTorch's tutorial
and in most course work; nothing in them is slower than there. The bare loop has everything that makes the
trainer fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import softplus
from torch.optim import Adam
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from tenfold.data.order import Shuffled
from tenfold.game import Sampler

Step = Callable[[], None]
LATENT = 100


class Pictures(TorchDataset[Tensor]):
    """A PIL image per item, then what torchvision's ToTensor and Normalize do with it."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.mean, self.std = torch.tensor([0.5]).view(-1, 1, 1), torch.tensor([0.5]).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Tensor:
        picture = Image.fromarray(self.values[i])
        pixels = torch.from_numpy(np.array(picture, copy=True)).view(*picture.size, 1)
        x = pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        return x.clone().sub_(self.mean).div_(self.std)


def plain_mlp(values: np.ndarray, batch: int) -> Step:
    """Fully connected G (100-256-512-784) against a D of three convolutions; real and fake in one pass."""
    generator = nn.Sequential(
        *(nn.Linear(LATENT, 256), nn.LeakyReLU(0.2), nn.Linear(256, 512), nn.LeakyReLU(0.2)),
        *(nn.Linear(512, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))),
    )
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, 64, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 128, 3, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(128, 256, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(256 * 16, 1)),
    )
    g, d = (
        Adam(generator.parameters(), 2e-4, (0.5, 0.999)),
        Adam(discriminator.parameters(), 2e-4, (0.5, 0.999)),
    )
    batches = endless(DataLoader(Pictures(values), batch, shuffle=True, num_workers=0, drop_last=True))
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    targets = torch.cat([ones, zeros])

    def step() -> None:
        fake = generator(torch.randn(batch, LATENT))
        d.zero_grad()
        bce(discriminator(torch.cat([next(batches), fake.detach()])), targets).backward()
        d.step()
        g.zero_grad()
        bce(discriminator(fake), ones).backward()
        g.step()

    return step


def endless(loader: DataLoader[Tensor]) -> Iterator[Tensor]:
    """Pass after pass over the data."""
    while True:
        yield from loader


def plain_dcgan(real: Tensor, batch: int, width: int = 64) -> Step:
    """DCGAN for 64x64 pictures and its loop as PyTorch's example has them; data already in memory."""
    generator, discriminator = dcgan_networks(width)
    g, d = (
        Adam(generator.parameters(), 2e-4, (0.5, 0.999)),
        Adam(discriminator.parameters(), 2e-4, (0.5, 0.999)),
    )
    ones, zeros = torch.ones(batch), torch.zeros(batch)

    def step() -> None:
        d.zero_grad()
        bce(discriminator(real[torch.randint(len(real), (batch,))]).flatten(), ones).backward()
        fake = generator(torch.randn(batch, LATENT, 1, 1))
        bce(discriminator(fake.detach()).flatten(), zeros).backward()
        d.step()
        g.zero_grad()
        bce(discriminator(fake).flatten(), ones).backward()
        g.step()

    return step


def dcgan_networks(width: int) -> tuple[nn.Module, nn.Module]:
    """The example's networks for 64x64x3, layer by layer."""
    sizes = [8 * width, 4 * width, 2 * width, width]
    up: list[nn.Module] = [
        nn.ConvTranspose2d(LATENT, sizes[0], 4, 1, 0, bias=False),
        nn.BatchNorm2d(sizes[0]),
        nn.ReLU(True),
    ]
    for a, b in pairwise(sizes):
        up += [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True)]
    down: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for a, b in pairwise(sizes[::-1]):
        down += [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]
    generator = nn.Sequential(*up, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())
    return generator, nn.Sequential(*down, nn.Conv2d(sizes[0], 1, 4, 1, 0, bias=False))


def bare_loop(
    sampler: Sampler, discriminator: nn.Module, data: Shuffled, *, joint: bool, bf16: bool, last: bool
) -> Step:
    """The trainer's step by hand: autocast, D frozen in G's turn, fused Adam, averaged weights, no log.

    Args:
        sampler, discriminator: the same networks.
        data: the same batches.
        joint: whether D sees real and fake in one pass.
        bf16: whether to compute in bfloat16.
        last: whether pictures lie with their channels last.
    """
    g = Adam(sampler.parameters(), 2e-4, (0.5, 0.999), fused=True)
    d = Adam(discriminator.parameters(), 2e-4, (0.5, 0.999), fused=True)
    average = AveragedModel(sampler, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    layout = torch.channels_last if last else torch.contiguous_format
    n, rows, number = data.size, slice(0, data.size), iter(range(10**9))

    def step() -> None:
        real = data(next(number), rows)["real"].contiguous(memory_format=layout)
        discriminator.requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            with torch.no_grad():
                fake = sampler(torch.randn(n, LATENT))
            if joint:
                said = discriminator(torch.cat([real, fake])).chunk(2)
            else:
                said = discriminator(real), discriminator(fake)
            loss = (softplus(-said[0]) + softplus(said[1])).mean()
        d.zero_grad()
        loss.backward()
        d.step()
        discriminator.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = softplus(-discriminator(sampler(torch.randn(n, LATENT)))).mean()
        g.zero_grad()
        loss.backward()
        g.step()
        average.update_parameters(sampler)

    return step
