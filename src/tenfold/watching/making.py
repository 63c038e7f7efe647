"""What a run's quality is measured on: samples from noise, or translations of what was held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..data import Codec, Dataset
from ..degrade import Degradation, Smaller
from ..draw import Draw, derive
from ..game import Translator
from ..metrics.paired import inconsistency, l1, psnr, ssim
from ..report.sheet import sheet

PART = 16  # pictures at once
SHOWN = 8  # pictures of a sheet, each beside what is made of it
PAPER = 236 / 127.5 - 1  # the grey of sheets
NEAR: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "psnr": psnr, "ssim": ssim}


class Making(Protocol):
    """How a sampler is tried."""

    @property
    def count(self) -> int:
        """How many samples are made at a look."""
        ...

    @property
    def paired(self) -> bool:
        """Whether every sample has a real one that it should be, of the same number."""
        ...

    @property
    def asked(self) -> Tensor | None:
        """What is asked of each sample, classes or captions, as D is told it; None if nothing is."""
        ...

    @property
    def reference(self) -> Mapping[str, float]:
        """What the real samples get of what `beside` tells."""
        ...

    @property
    def given_codec(self) -> Codec | None:
        """How what is translated is stored; None if nothing is."""
        ...

    def make(self, sampler: nn.Module, device: torch.device) -> Tensor:
        """About as many samples as there are real ones, from the same start at every look, on the CPU."""
        ...

    def beside(self, made: Tensor, sampler: nn.Module, device: torch.device) -> dict[str, float]:
        """What else is known of them."""
        ...

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A sheet of some, as a picture."""
        ...


class Translations:
    """Translations of pictures that were held out; where there is no hold-out, of those that were trained on.

    Args:
        data: the run's, with what is given or, if it is made of the real ones, without.
        index: numbers of the real pictures that they are judged by.
        degrade: what makes what is given.
    """

    def __init__(self, data: Dataset, index: np.ndarray, degrade: Degradation | None = None) -> None:
        judges = data.train if data.holdout is None else data.holdout
        self.codec, self.asked = data.codec, None
        self.reference: Mapping[str, float] = {}
        self.real = judges.gather(index)["real"]
        self.paired = data.spec.kind != "unpaired"
        self.exactly, self.count = isinstance(degrade, Smaller), len(index)
        if degrade is not None:
            self.source = degraded(self.real, degrade)
            self.given_codec = codec_of(self.source, data.codec, self.real.shape[2] // self.source.shape[2])
            return
        assert data.given is not None
        sources = data.given.train if data.given.holdout is None else data.given.holdout
        if not self.paired:
            index = some_of(len(sources), len(index))
            self.count = len(index)
        self.source = sources.gather(index)["real"]
        self.given_codec = data.given.codec

    def translated(self, sampler: Translator, x: Tensor, device: torch.device, back: bool = False) -> Tensor:
        """Pictures on the CPU."""
        parts = [sampler(part.to(device), back).float().cpu() for part in x.split(PART)]
        return torch.cat(parts).clamp(-1, 1)

    @torch.inference_mode()
    def make(self, sampler: nn.Module, device: torch.device) -> Tensor:
        """Translations of all that is given."""
        assert isinstance(sampler, Translator)
        return self.translated(sampler, self.source, device)

    @torch.inference_mode()
    def beside(self, made: Tensor, sampler: nn.Module, device: torch.device) -> dict[str, float]:
        """How near they are to the real ones, or what comes back of them; l1 is of values from 0 to 1."""
        assert isinstance(sampler, Translator)
        found: dict[str, float] = {}
        if self.paired:
            found |= {name: measure(made, self.real).mean().item() for name, measure in NEAR.items()}
        if sampler.ways == 2:
            back = self.translated(sampler, made, device, back=True)
            found["cycle_l1"] = l1(back, self.source).mean().item()
        if self.exactly:
            found["consistency"] = inconsistency(made, self.source).mean().item()
        return found

    def untouched(self) -> dict[str, float]:
        """How near what is given is to what should be made of it, as it is; enlarged, if it is smaller."""
        given = self.source
        if not self.paired or given.shape[1] != self.real.shape[1]:
            return {}
        if given.shape[2:] != self.real.shape[2:]:
            given = nn.functional.interpolate(given, self.real.shape[2:], mode="bicubic").clamp(-1, 1)
        return {name: measure(given, self.real).mean().item() for name, measure in NEAR.items()}

    @torch.inference_mode()
    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """Rows of: given, made, what it should be or what comes back."""
        assert isinstance(sampler, Translator)
        some = self.source[:SHOWN]
        made = self.translated(sampler, some, device)
        columns = [some, made]
        columns += [self.real[:SHOWN]] if self.paired else []
        columns += [self.translated(sampler, made, device, back=True)] if sampler.ways == 2 else []
        shown = [looked_at(x, made.shape[2], made.shape[3]) for x in columns]
        rows = np.stack(shown, 1).reshape(-1, *shown[0].shape[1:])
        sheet(rows, 2 * len(columns)).save(path)


def some_of(n: int, most: int) -> np.ndarray:
    """Numbers of at most so many pictures; none twice, as copies would be each other's nearest neighbours."""
    order = np.random.default_rng(derive(0, "translated")).permutation(n)
    return np.sort(order[:most])


def degraded(real: Tensor, degrade: Degradation) -> Tensor:
    """What is given, of real pictures; a part at a time, as some changes are the same for all of a batch."""
    parts = real.split(PART)
    draws = (Draw(derive(0, "degraded", i), slice(0, len(part)), len(part)) for i, part in enumerate(parts))
    return torch.cat([degrade(part, draw).float() for part, draw in zip(parts, draws, strict=True)])


def codec_of(source: Tensor, codec: Codec, scale: int) -> Codec:
    """How pictures are stored that are made of real ones, and are smaller by a whole number."""
    _, channels, height, width = source.shape
    small = replace(codec, height=codec.height // scale, width=codec.width // scale)
    return replace(small, channels=channels, padded_height=height, padded_width=width)


def looked_at(x: Tensor, height: int, width: int) -> np.ndarray:
    """Pictures of any channels as 8-bit colour of one size, on paper, `(n, h, w, 3)`."""
    if x.shape[2:] != (height, width):
        x = nn.functional.interpolate(x, (height, width), mode="nearest")
    if x.shape[1] in (2, 4):  # paper shows through where they are transparent, and where there are holes
        opaque = (x[:, -1:] + 1) / 2
        x = x[:, :-1] * opaque + PAPER * (1 - opaque)
    colours = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)
    return ((colours * 127.5 + 127.5).round().clamp(0, 255)).byte().permute(0, 2, 3, 1).numpy()
